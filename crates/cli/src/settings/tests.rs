//! The settings as a whole: layers, what is refused and how it is told, and what a resumed run keeps.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use orgsweep_checks::Param;
use orgsweep_core::AccountId;
use orgsweep_sweep::SweepSettings;

use super::config::{AccountFilter, Journal, Optional, Output, Role, Sweep};
use super::layers::SettingsFile;
use super::*;

impl Loaded {
    /// Where the value of `key` was given.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.settings.iter().find(|setting| setting.key == key).map(|setting| &setting.origin)
    }
}

/// Sources with this text as the settings file `folder/my.toml`, these variables and these flags.
fn sources(folder: &Path, file: &str, variables: &[(&str, &str)], flags: &[(&str, &str, &str)]) -> Sources {
    let path = folder.join("my.toml");
    std::fs::write(&path, file).unwrap();
    let environment = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
    Sources { file: SettingsFile::Named(path), environment, flags: flags.iter().map(assignment).collect() }
}

fn assignment((key, flag, value): &(&str, &str, &str)) -> Assignment {
    Assignment { key: (*key).to_owned(), flag: (*flag).to_owned(), value: Value::Text((*value).to_owned()) }
}

fn flags(flags: &[(&str, &str, &str)]) -> Result<Loaded, SettingsError> {
    load(&Sources::of_flags(flags.iter().map(assignment).collect()))
}

/// The message for these sources, with the folder of the settings file cut away.
fn refused(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = load(&sources(folder.path(), file, variables, flags)).unwrap_err();
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn the_embedded_file_alone_gives_the_documented_defaults() {
    let config = flags(&[]).unwrap().config;
    let minutes = Duration::from_mins;
    let expected = Config {
        lake: "orgsweep-lake".to_owned(),
        role: Role {
            name: "orgsweep-scanner".to_owned(),
            external_id: None,
            session_name: "orgsweep".to_owned(),
            session_duration: minutes(15),
        },
        partition: None,
        region: None,
        accounts: AccountFilter::default(),
        sweep: Sweep {
            max_report_age: minutes(240),
            optional: Optional { root_audit: false, key_ids: false, key_ids_max: 100, account_tags: false },
            report_deadline: minutes(10),
            account_deadline: minutes(30),
            incremental: false,
            warm_start: false,
            accounts_in_flight: 2000,
            reports_in_making: 1500,
            report_bytes: 64 << 20,
            politeness: 0.5,
            pacing: true,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_mins(1),
            attempts: 8,
        },
        journal: Journal { roll_bytes: 8 << 20, roll_age: Duration::from_secs(2) },
        part_bytes: 16 << 20,
        checks: Checks::default(),
        output: Output { format: Format::Text, fail_on: None },
        log: Log { format: Format::Text, level: Level::Warn },
    };
    assert_eq!(config, expected);
}

#[test]
fn the_embedded_file_sweeps_as_a_sweep_does_by_itself() {
    let settings = crate::wiring::sweep_settings(&flags(&[]).unwrap().config);
    assert_eq!(SweepSettings { seed: 0, ..settings }, SweepSettings::default());
}

#[test]
fn each_layer_hides_those_below_it_and_says_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[role]\nname = 'file'\nsession_name = 'file'\nexternal_id = 'file'\n";
    let variables = [("ORGSWEEP_ROLE_SESSION_NAME", "env"), ("ORGSWEEP_ROLE_EXTERNAL_ID", "env"), ("HOME", "/")];
    let given = sources(folder.path(), file, &variables, &[("role.external_id", "--external-id", "flag")]);
    let loaded = load(&given).unwrap();

    assert_eq!(loaded.config.role.name, "file");
    assert_eq!(loaded.config.role.session_name, "env");
    assert_eq!(loaded.config.role.external_id.as_deref(), Some("flag"));
    let origin = |key| loaded.origin(key).unwrap().to_string();
    assert_eq!(origin("role.name"), format!("{}:2", folder.path().join("my.toml").display()));
    assert_eq!(origin("role.session_name"), "environment ORGSWEEP_ROLE_SESSION_NAME");
    assert_eq!(origin("role.external_id"), "flag --external-id");
    assert_eq!(origin("role.session_duration"), "default");
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    let message = refused("[role]\n\nnmae = 'x'\n", &[], &[]);
    assert_eq!(message, "unknown setting `role.nmae` (my.toml:3); did you mean `role.name`?");
    let message = refused("", &[("ORGSWEEP_SWEEP_MAX_REPORT_AEG", "1h")], &[]);
    assert_eq!(
        message,
        "unknown setting `ORGSWEEP_SWEEP_MAX_REPORT_AEG` (environment ORGSWEEP_SWEEP_MAX_REPORT_AEG); \
         did you mean `ORGSWEEP_SWEEP_MAX_REPORT_AGE`?"
    );
    let message = refused("", &[], &[("sweep.atempts", "--set", "1")]);
    assert_eq!(message, "unknown setting `sweep.atempts` (flag --set); did you mean `sweep.attempts`?");
    let message = refused("[zzz]\n", &[], &[]);
    assert_eq!(message, "unknown setting `zzz` (my.toml:1); `orgsweep config show` lists those there are");
}

#[test]
fn a_wrong_value_is_told_with_its_place_and_what_would_do() {
    for (file, message) in [
        (
            "role.session_duration = 900",
            r#"setting `role.session_duration` is 900 (my.toml:1), but it takes a duration from 15m to 12h, as in "12h""#,
        ),
        (
            "role.session_duration = '5s'",
            r#"setting `role.session_duration` is "5s" (my.toml:1), but it takes a duration from 15m to 12h, as in "12h""#,
        ),
        (
            "[sweep]\naccounts_in_flight = 0",
            "setting `sweep.accounts_in_flight` is 0 (my.toml:2), but it takes a whole number from 1 to 10000",
        ),
        (
            "sweep.politeness = 1.5",
            "setting `sweep.politeness` is 1.5 (my.toml:1), but it takes a number above 0 and up to 1, as in 0.5",
        ),
        (
            "accounts.include = [111122223333]",
            "setting `accounts.include` is [111122223333] (my.toml:1), but it takes a list of account ids of twelve \
             digits, or \"@FILE\" for those in a file",
        ),
        (
            "aws.region = 'eu-central-1.evil.example'",
            r#"setting `aws.region` is "eu-central-1.evil.example" (my.toml:1), but it takes a region such as eu-central-1, or nothing"#,
        ),
        (
            "accounts.ous = ['ou-ab12-cdef3456', 'prod']",
            r#"setting `accounts.ous` is ["prod"] (my.toml:1), but it takes a list of ids of organizational units, as in ["ou-ab12-cdef3456"]"#,
        ),
        ("sweep.pacing = 'no'", r#"setting `sweep.pacing` is "no" (my.toml:1), but it takes true or false"#),
    ] {
        assert_eq!(refused(file, &[], &[]), message);
    }
    let message = refused("", &[("ORGSWEEP_SWEEP_ATTEMPTS", "many")], &[]);
    assert_eq!(
        message,
        r#"setting `sweep.attempts` is "many" (environment ORGSWEEP_SWEEP_ATTEMPTS), but it takes a whole number from 1 to 100"#
    );
}

#[test]
fn a_named_file_must_be_there_and_an_unnamed_one_need_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    let mut given = Sources { file: SettingsFile::IfThere(path.clone()), ..Sources::of_flags(Vec::new()) };
    assert!(load(&given).is_ok());
    given.file = SettingsFile::Named(path.clone());
    let message = load(&given).unwrap_err().to_string();
    assert_eq!(message, format!("{} cannot be read (named by --config or ORGSWEEP_CONFIG)", path.display()));
}

#[test]
fn a_setting_given_by_two_flags_is_refused() {
    let error = flags(&[("role.name", "--set", "a"), ("role.name", "--role-name", "b")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting `role.name` is given twice, by --set and by --role-name; leave one of them out"
    );
}

#[test]
fn accounts_may_stand_in_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.txt");
    std::fs::write(&path, "\u{feff}# retired\r\n222233334444\r\n\r\n 111122223333 \r\n").unwrap();
    let items = format!("333344445555,@{}", path.display());
    let loaded = flags(&[("accounts.exclude", "--exclude-accounts", &items)]).unwrap();
    let ids: Vec<_> = loaded.config.accounts.exclude.iter().map(AccountId::as_str).collect();
    assert_eq!(ids, ["111122223333", "222233334444", "333344445555"]);

    std::fs::write(&path, "111122223333\n1111-2222\n").unwrap();
    let error = flags(&[("accounts.exclude", "--exclude-accounts", &items)]).unwrap_err();
    let message = format!("{}:2 is \"1111-2222\", but each line takes one account id of twelve digits", path.display());
    assert_eq!(error.to_string(), message);
}

#[test]
fn params_of_checks_are_taken_by_check_and_param() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[checks.params.access-key-rotated]\nmax_age_days = 60\n";
    let set = [
        ("checks.params.other.word", "--set", "abc"),
        ("other-check.days", "--set", "7"),
        ("other-check.words", "--set", "['a', 'b']"),
    ];
    let loaded = load(&sources(folder.path(), file, &[], &set)).unwrap();
    let params = loaded.config.checks.params_by_check();
    assert_eq!(params["access-key-rotated"]["max_age_days"], Param::Integer(60));
    assert_eq!(params["other"]["word"], Param::Text("abc".to_owned()));
    assert_eq!(params["other-check"]["days"], Param::Integer(7));
    assert_eq!(params["other-check"]["words"], Param::List(vec!["a".to_owned(), "b".to_owned()]));
    let message = refused("checks.params.max_age_days = 60", &[], &[]);
    assert!(message.ends_with("a param is named checks.params.CHECK-ID.PARAM"), "{message}");
}

#[test]
fn the_shown_settings_are_a_settings_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = flags(&[("sweep.report_deadline", "--set", "90s"), ("lake.location", "--lake", "a \"b\"")]).unwrap();
    let shown = loaded.to_text();
    assert!(shown.contains(r#"sweep.report_deadline = "1m 30s" "#), "{shown}");
    assert!(shown.lines().all(|line| line.contains("  # ")), "{shown}");
    let again = load(&sources(folder.path(), &shown, &[], &[])).unwrap();
    assert_eq!(again.config, loaded.config);
}

#[test]
fn the_external_id_is_not_shown() {
    let loaded = flags(&[("role.external_id", "--external-id", "between-us")]).unwrap();
    assert!(!loaded.to_text().contains("between-us") && loaded.to_text().contains("role.external_id = (set)"));
    assert_eq!(loaded.to_json()["role.external_id"]["value"], "(set)");
    assert_eq!(loaded.to_json()["role.external_id"]["origin"]["name"], "--external-id");
    assert_eq!(flags(&[]).unwrap().to_json()["role.external_id"]["value"], "");
}

#[test]
fn a_resumed_run_keeps_its_settings_over_file_and_environment() {
    let folder = tempfile::tempdir().unwrap();
    let set = [
        ("role.name", "--role-name", "mine"),
        ("checks.params.a.b", "--set", "1"),
        ("sweep.max_report_age", "--max-report-age", "1h"),
    ];
    let run = flags(&set).unwrap().kept();

    let variables = [("ORGSWEEP_ROLE_NAME", "other")];
    let file = "role.session_name = 'other'\nsweep.attempts = 3\nchecks.params.c.d = 2\n";
    // The same setting in other words is the same setting.
    let again = [("sweep.max_report_age", "--max-report-age", "60m")];
    let loaded = load(&sources(folder.path(), file, &variables, &again)).unwrap().resumed(&run).unwrap();
    assert_eq!((loaded.config.role.name.as_str(), loaded.config.role.session_name.as_str()), ("mine", "orgsweep"));
    assert_eq!(loaded.config.checks.params_by_check().keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(loaded.config.sweep.attempts, 3);
    assert_eq!(loaded.origin("role.name"), Some(&Origin::Run));
    assert_eq!(loaded.kept(), run);
}

#[test]
fn flags_that_differ_from_the_resumed_run_are_refused_all_at_once() {
    let run = flags(&[("role.name", "--role-name", "mine")]).unwrap().kept();
    let other =
        [("role.name", "--role-name", "other"), ("checks.params.a.b", "--set", "1"), ("log.level", "-v", "info")];
    let error = flags(&other).unwrap().resumed(&run).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run was started with other settings: role.name is \"mine\" in the run, but \"other\" by --role-name; \
         checks.params.a.b is not set in the run, but 1 by --set; \
         leave these flags out to go on with the run, or start a new one"
    );
}

#[test]
fn a_run_of_another_version_is_not_guessed_at() {
    let loaded = flags(&[]).unwrap();
    let mut run = loaded.kept();
    run.insert("role.colour".to_owned(), "red".into());
    assert!(matches!(loaded.resumed(&run), Err(SettingsError::ForeignRun { key }) if key == "role.colour"));
    let mut run = loaded.kept();
    run.remove("role.name");
    assert!(matches!(loaded.resumed(&run), Err(SettingsError::ForeignRun { key }) if key == "role.name"));
}
