//! `orgsweep sim-reports`: the credential reports of a simulated organization, written into files.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use orgsweep_core::Timestamp;
use orgsweep_sim::{Mix, Model, SimSettings, write_report};
use serde_json::json;

use crate::args::{ReportForm, SimReportsArgs};
use crate::failure::{Failure, Outcome};
use crate::render::print;

/// Writes the report of every account, as AWS would serve it.
///
/// # Errors
/// Exit code 2 where the folder is there already or cannot be written.
pub fn sim_reports(args: &SimReportsArgs) -> Result<Outcome, Failure> {
    let settings = SimSettings {
        accounts: args.accounts.saturating_sub(1),
        users_per_account: args.users_per_account,
        seed: args.seed,
        now: args.now,
        mix: if args.measured { Mix::measured() } else { Mix::default() },
        ..SimSettings::default()
    };
    let model = Model::new(&settings);
    let (mut bytes, mut csv) = (0, Vec::new());
    let told = || format!("{} cannot be written: name a folder that is not there yet", args.dir.display());
    fs::create_dir(&args.dir).with_context(told).map_err(Failure::usage)?;
    for index in 0..args.accounts {
        csv.clear();
        let made_at = model.fresh_report(index).unwrap_or(model.now());
        write_report(&model, index, made_at, &mut csv);
        let name = model.account_id(index).to_string();
        write(&args.dir.join(name), &csv, made_at, args.form).with_context(told).map_err(Failure::usage)?;
        bytes += csv.len();
    }
    let dir = args.dir.display();
    print(&format!("{} reports of {bytes} bytes of CSV in {dir}\n", args.accounts))?;
    Ok(Outcome::Done)
}

fn write(path: &Path, csv: &[u8], made_at: Timestamp, form: ReportForm) -> std::io::Result<()> {
    match form {
        ReportForm::Csv => {
            let mut file = File::create_new(path.with_extension("csv"))?;
            file.write_all(csv)?;
            let since = Duration::from_millis(u64::try_from(made_at.millis()).unwrap_or_default());
            file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + since))
        }
        ReportForm::Json => {
            let answer = json!({
                "Content": BASE64_STANDARD.encode(csv),
                "ReportFormat": "text/csv",
                "GeneratedTime": made_at,
            });
            File::create_new(path.with_extension("json"))?.write_all(format!("{answer:#}\n").as_bytes())
        }
    }
}
