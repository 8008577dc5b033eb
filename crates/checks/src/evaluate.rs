//! Judging a chunk of accounts: the whole path in one function.

use arrow_array::RecordBatch;

use crate::facts::Facts;
use crate::judge::judge;
use crate::verdicts::write_down;
use crate::{Checker, EvaluateError, ExceptionUse, Tally};

/// Some accounts with everything that is known of them.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Rows of `accounts`, sorted by account id, each once.
    pub accounts: &'a RecordBatch,
    /// The rows of `credentials` of exactly these accounts, sorted by account, then user.
    pub credentials: &'a RecordBatch,
}

/// What the checks say of a chunk.
#[derive(Debug, Clone)]
pub struct Verdicts {
    /// Rows of `findings`, by account, then check, then resource in the order of its table; what concerns the account
    /// as a whole stands first. Texts that repeat come with a dictionary.
    pub findings: RecordBatch,
    /// Rows of `check_results`, by account, then check: one for every account and check.
    pub check_results: RecordBatch,
    /// One for each check, in the order of the pack.
    pub tallies: Vec<Tally>,
    /// How many failed findings each exception covers, or would had it not ended; in the order of the rule set.
    pub excepted: Vec<u64>,
}

impl Checker {
    /// Judges every account of the chunk by every check. Keeps nothing between calls.
    ///
    /// # Errors
    /// A batch that is not of its table, accounts out of order, credentials of other accounts. Whatever could not be
    /// read of an account is a verdict, not an error, and so is a predicate that fails on its values.
    pub fn evaluate(&self, chunk: &Chunk<'_>) -> Result<Verdicts, EvaluateError> {
        let mut facts = Facts::of(chunk, self.basis.unasked)?;
        let mut judgements = self.checks.iter().map(|check| judge(check, &facts)).collect::<Vec<_>>();
        facts.take_found(&self.checks, &mut judgements)?;
        Ok(write_down(self, &facts, &judgements)?)
    }

    /// A tally of nothing for each check, in the order of the pack, to add the chunks' tallies to.
    #[must_use]
    pub fn tallies(&self) -> Vec<Tally> {
        self.checks.iter().map(|check| Tally::new(&check.id, &check.title, check.severity)).collect()
    }

    /// For each exception that it covers nothing yet, to add the chunks' counts to.
    #[must_use]
    pub fn no_exceptions_used(&self) -> Vec<u64> {
        vec![0; self.exceptions.len()]
    }

    /// What became of each exception, given how many findings each one covered.
    #[must_use]
    pub fn exception_uses(&self, findings: &[u64]) -> Vec<ExceptionUse> {
        let uses = self.exceptions.iter().zip(findings).map(|(exception, findings)| ExceptionUse {
            exception: exception.clone(),
            expired: exception.is_expired(self.basis.as_of),
            findings: *findings,
        });
        uses.collect()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::{Organization, basis, pack, show};
    use crate::{RulePack, Status};

    const RESULT: [&str; 8] =
        ["account_id", "check_id", "status", "reason", "passed", "failed", "unknown", "evidence_generated_at"];

    const ORGANIZATION: &str = r#"
        [[account]]
        [account.row]
        account_name = "prod"
        account_arn = "arn:aws-us-gov:organizations::999999999999:account/o-aa111bb222/000000000001"
        report_generated_at = "-2h"
        root_mfa_enabled = false
        root_password_present = true
        root_access_keys_present = false
        security_contact_set = false
        password_policy_set = true
        minimum_password_length = 8
        [[account.users]]
        is_root = true
        password_enabled = true
        [[account.users]]
        user = "alice"
        password_enabled = true
        password_last_used = "-1d"
        access_key_1_active = true
        access_key_1_last_rotated = "-100d"
        access_key_1_last_used_date = "-1d"
        [[account.users]]
        user = "bob"
        password_enabled = true
        mfa_active = true
        password_last_used_reason = "N/A"

        [[account]]
        quarantined = 2
        gaps = [["account_summary", "transient", "ServiceFailure"]]
        [account.row]
        report_generated_at = "-2h"
        security_contact_set = true
        password_policy_set = false

        [[account]]
        skipped = "state is CLOSED"

        [[account]]
        gaps = [["role", "denied", "AccessDenied"]]
    "#;

    /// One check of each kind.
    fn some_checks() -> RulePack {
        let wanted =
            ["access-key-rotated", "credentials-unused", "password-policy-length", "root-mfa", "account-closed"];
        RulePack::embedded().unwrap().filtered(|rule| wanted.contains(&rule.id.as_str()))
    }

    fn verdicts(pack: &RulePack, organization: &Organization) -> Verdicts {
        Checker::compile(&pack.clone().into(), basis()).unwrap().evaluate(&organization.chunk()).unwrap()
    }

    #[test]
    fn every_account_has_a_status_for_every_check() {
        let verdicts = verdicts(&some_checks(), &Organization::read(ORGANIZATION));
        expect![[r"
            000000000001 | access-key-rotated | fail | - | 0 | 1 | 0 | 2026-11-22T08:00:00Z
            000000000001 | account-closed | pass | - | 1 | 0 | 0 | -
            000000000001 | credentials-unused | unknown | password_last_used is null (N/A), password_last_changed is null | 1 | 0 | 1 | 2026-11-22T08:00:00Z
            000000000001 | password-policy-length | fail | - | 0 | 1 | 0 | -
            000000000001 | root-mfa | fail | - | 0 | 1 | 0 | 2026-11-22T08:00:00Z
            000000000002 | access-key-rotated | unknown | 2 rows of the credential report could not be understood | 0 | 0 | 1 | 2026-11-22T08:00:00Z
            000000000002 | account-closed | pass | - | 1 | 0 | 0 | -
            000000000002 | credentials-unused | unknown | 2 rows of the credential report could not be understood | 0 | 0 | 1 | 2026-11-22T08:00:00Z
            000000000002 | password-policy-length | fail | - | 0 | 1 | 0 | -
            000000000002 | root-mfa | unknown | root_mfa_enabled is null (account_summary was not read: ServiceFailure (transient)), root_password_present is null (account_summary was not read: ServiceFailure (transient)) | 0 | 0 | 1 | 2026-11-22T08:00:00Z
            000000000003 | access-key-rotated | unknown | not asked: state is CLOSED | 0 | 0 | 1 | -
            000000000003 | account-closed | pass | - | 1 | 0 | 0 | -
            000000000003 | credentials-unused | unknown | not asked: state is CLOSED | 0 | 0 | 1 | -
            000000000003 | password-policy-length | unknown | not asked: state is CLOSED | 0 | 0 | 1 | -
            000000000003 | root-mfa | unknown | not asked: state is CLOSED | 0 | 0 | 1 | -
            000000000004 | access-key-rotated | unknown | account was not opened: AccessDenied (denied) | 0 | 0 | 1 | -
            000000000004 | account-closed | pass | - | 1 | 0 | 0 | -
            000000000004 | credentials-unused | unknown | account was not opened: AccessDenied (denied) | 0 | 0 | 1 | -
            000000000004 | password-policy-length | unknown | account was not opened: AccessDenied (denied) | 0 | 0 | 1 | -
            000000000004 | root-mfa | unknown | account was not opened: AccessDenied (denied) | 0 | 0 | 1 | -
        "]].assert_eq(&show(&verdicts.check_results, &RESULT));
    }

    #[test]
    fn a_finding_says_what_where_and_why() {
        let verdicts = verdicts(&some_checks(), &Organization::read(ORGANIZATION));
        let columns =
            ["account_id", "check_id", "status", "resource_type", "resource_id", "user", "message", "evidence"];
        expect![[r#"
            000000000001 | access-key-rotated | fail | access_key | arn:aws:iam::000000000001:user/alice#access_key_1 | alice | Access key 1 of user alice in account 000000000001 was last rotated 100 days ago, on 2026-08-14 | [{name: slot, value: 1, flag: , number: 1, time: }, {name: access_key_id, value: , flag: , number: , time: }, {name: last_rotated, value: 2026-08-14T10:00:00Z, flag: , number: , time: 2026-08-14T10:00:00Z}, {name: last_used_date, value: 2026-11-21T10:00:00Z, flag: , number: , time: 2026-11-21T10:00:00Z}, {name: last_used_service, value: , flag: , number: , time: }]
            000000000001 | credentials-unused | unknown | user | arn:aws:iam::000000000001:user/bob | bob | "Users have no password or key that goes unused" could not be judged: password_last_used is null (N/A), password_last_changed is null | [{name: password_enabled, value: true, flag: true, number: , time: }, {name: password_last_used, value: , flag: , number: , time: }, {name: password_last_used_reason, value: N/A, flag: , number: , time: }, {name: password_last_changed, value: , flag: , number: , time: }, {name: access_key_1_active, value: false, flag: false, number: , time: }, {name: access_key_1_last_used_date, value: , flag: , number: , time: }, {name: access_key_1_last_used_date_reason, value: , flag: , number: , time: }, {name: access_key_1_last_rotated, value: , flag: , number: , time: }, {name: access_key_1_id, value: , flag: , number: , time: }, {name: access_key_2_active, value: false, flag: false, number: , time: }, {name: access_key_2_last_used_date, value: , flag: , number: , time: }, {name: access_key_2_last_used_date_reason, value: , flag: , number: , time: }, {name: access_key_2_last_rotated, value: , flag: , number: , time: }, {name: access_key_2_id, value: , flag: , number: , time: }]
            000000000001 | password-policy-length | fail | account | arn:aws-us-gov:organizations::999999999999:account/o-aa111bb222/000000000001 | - | The password policy of account 000000000001 asks for 8 characters; 14 are wanted | [{name: password_policy_set, value: true, flag: true, number: , time: }, {name: minimum_password_length, value: 8, flag: , number: 8, time: }]
            000000000001 | root-mfa | fail | root | arn:aws-us-gov:iam::000000000001:root | <root_account> | The root user of account 000000000001 can sign in with a password alone | [{name: root_mfa_enabled, value: false, flag: false, number: , time: }, {name: root_mfa_enabled_source, value: , flag: , number: , time: }, {name: root_password_present, value: true, flag: true, number: , time: }, {name: root_password_present_source, value: , flag: , number: , time: }]
            000000000002 | access-key-rotated | unknown | account | 000000000002 | - | "Active access keys are rotated" could not be judged: 2 rows of the credential report could not be understood | []
            000000000002 | credentials-unused | unknown | account | 000000000002 | - | "Users have no password or key that goes unused" could not be judged: 2 rows of the credential report could not be understood | []
            000000000002 | password-policy-length | fail | account | 000000000002 | - | The password policy of account 000000000002 asks for 8 characters; 14 are wanted | [{name: password_policy_set, value: false, flag: false, number: , time: }, {name: minimum_password_length, value: , flag: , number: , time: }]
            000000000002 | root-mfa | unknown | root | arn:aws:iam::000000000002:root | <root_account> | "The root user has MFA, or no password to sign in with" could not be judged: root_mfa_enabled is null (account_summary was not read: ServiceFailure (transient)), root_password_present is null (account_summary was not read: ServiceFailure (transient)) | [{name: root_mfa_enabled, value: , flag: , number: , time: }, {name: root_mfa_enabled_source, value: , flag: , number: , time: }, {name: root_password_present, value: , flag: , number: , time: }, {name: root_password_present_source, value: , flag: , number: , time: }]
            000000000003 | access-key-rotated | unknown | account | 000000000003 | - | "Active access keys are rotated" could not be judged: not asked: state is CLOSED | []
            000000000003 | credentials-unused | unknown | account | 000000000003 | - | "Users have no password or key that goes unused" could not be judged: not asked: state is CLOSED | []
            000000000003 | password-policy-length | unknown | account | 000000000003 | - | "The password policy asks for long passwords" could not be judged: not asked: state is CLOSED | []
            000000000003 | root-mfa | unknown | account | 000000000003 | - | "The root user has MFA, or no password to sign in with" could not be judged: not asked: state is CLOSED | []
            000000000004 | access-key-rotated | unknown | account | 000000000004 | - | "Active access keys are rotated" could not be judged: account was not opened: AccessDenied (denied) | []
            000000000004 | credentials-unused | unknown | account | 000000000004 | - | "Users have no password or key that goes unused" could not be judged: account was not opened: AccessDenied (denied) | []
            000000000004 | password-policy-length | unknown | account | 000000000004 | - | "The password policy asks for long passwords" could not be judged: account was not opened: AccessDenied (denied) | []
            000000000004 | root-mfa | unknown | account | 000000000004 | - | "The root user has MFA, or no password to sign in with" could not be judged: account was not opened: AccessDenied (denied) | []
        "#]].assert_eq(&show(&verdicts.findings, &columns));
        let remediation = show(&verdicts.findings, &["frameworks", "remediation", "finding_id"]);
        expect!["[cis-1.2:1.4, cis-1.4:1.14, cis-1.5:1.14, cis-2.0:1.14, cis-3.0:1.14, cis-4.0:1.14, cis-5.0:1.13, cis-6.0:2.13, cis-7.0:2.12, fsbp:IAM.3, nist-800-53r5:AC-2(1), nist-800-53r5:AC-2(3), nist-800-53r5:AC-3(15), pci-dss-4.0.1:8.3.9, pci-dss-4.0.1:8.6.3] | Make a second key, give it to whatever uses the first, then stop the first, and delete it once nothing broke. A role needs no key at all. Without sweep.key_ids, the day on which it was made tells which key it is. | 2b9d2711b78dc6bc039d484f33a3e5fe"].assert_eq(remediation.lines().next().unwrap());
    }

    #[test]
    fn counts_findings_and_tallies_agree() {
        let verdicts = verdicts(&some_checks(), &Organization::read(ORGANIZATION));
        let results = show(&verdicts.check_results, &["check_id", "status", "failed", "unknown"]);
        let findings = show(&verdicts.findings, &["check_id", "status"]);
        for tally in &verdicts.tallies {
            let own: Vec<Vec<&str>> = results
                .lines()
                .map(|line| line.split(" | ").collect::<Vec<_>>())
                .filter(|cells| cells[0] == tally.check_id)
                .collect();
            let accounts = |status: Status| own.iter().filter(|cells| cells[1] == status.as_str()).count() as u64;
            let sum = |column: usize| own.iter().map(|cells| cells[column].parse::<u64>().unwrap()).sum::<u64>();
            let found = |status: &str| {
                findings.lines().filter(|line| **line == format!("{} | {status}", tally.check_id)).count() as u64
            };
            assert_eq!(tally.accounts_passed, accounts(Status::Pass));
            assert_eq!(tally.accounts_failed, accounts(Status::Fail));
            assert_eq!(tally.accounts_unknown, accounts(Status::Unknown));
            assert_eq!(tally.accounts_not_applicable, accounts(Status::NotApplicable));
            assert_eq!((tally.resources_failed, tally.resources_failed), (sum(2), found("fail")));
            assert_eq!((tally.resources_unknown, tally.resources_unknown), (sum(3), found("unknown")));
        }
    }

    #[test]
    fn a_check_of_what_the_organization_lists_judges_accounts_that_were_not_asked() {
        let pack = pack("table = \"accounts\"\nfails_when = \"state = 'CLOSED'\"\nevidence = [\"state\"]");
        let organization = Organization::read(
            "[[account]]\nskipped = \"state is CLOSED\"\nrow = { state = \"CLOSED\" }\n\
             [[account]]\ngaps = [[\"role\", \"denied\", \"AccessDenied\"]]",
        );
        let results = show(&verdicts(&pack, &organization).check_results, &["account_id", "status"]);
        assert_eq!(results, "000000000001 | fail\n000000000002 | pass\n");
    }

    #[test]
    fn a_finding_keeps_its_id_when_keys_swap_their_slots() {
        let pack = pack("table = \"access_keys\"\nfails_when = \"active\"\nevidence = []");
        let ids = |first: &str, second: &str| {
            let organization = Organization::read(&format!(
                "[[account]]\n[[account.users]]\naccess_key_1_active = true\naccess_key_2_active = true\n\
                 access_key_1_last_rotated = \"{first}\"\naccess_key_2_last_rotated = \"{second}\"\n"
            ));
            let findings = show(&verdicts(&pack, &organization).findings, &["finding_id"]);
            findings.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let (one, other) = (ids("-1d", "-2d"), ids("-2d", "-1d"));
        assert_eq!(one, other.into_iter().rev().collect::<Vec<_>>());
        let same = ids("-1d", "-1d");
        assert_ne!(same[0], same[1]);
        assert_eq!(same[0], one[0]);
        assert_eq!(same[0].len(), 32);
    }

    /// Choices are made for rows that are told of, which in the view of key slots are not where they were judged.
    #[test]
    fn a_text_chooses_by_the_row_that_it_is_about() {
        let organization = Organization::read(
            r#"
            [[account]]
            [[account.users]]
            user = "ann"
            mfa_active = true
            password_enabled = true
            [[account.users]]
            user = "ben"
            mfa_active = false
            password_enabled = true
            access_key_2_active = true
            [[account.users]]
            user = "cem"
            mfa_active = false
            password_enabled = false
            access_key_1_active = true
            access_key_2_active = true
            access_key_2_last_rotated = "-1d"
            "#,
        );
        let messages = |table: &str, fails_when: &str, message: &str| {
            let keys = format!("table = \"{table}\"\nfails_when = \"{fails_when}\"\nevidence = []\n");
            let pack = pack(&format!("{keys}message = \"{message}\""));
            show(&verdicts(&pack, &organization).findings, &["message"])
        };
        let of_slots = "{user} {if slot = 1}first{else}{if last_rotated is null}second, undated{else}second{end}{end}";
        assert_eq!(messages("access_keys", "active", of_slots), "ben second, undated\ncem first\ncem second\n");
        let of_users = "{user} {if is_root}root{else}{if password_enabled}password{else}nothing{end}{end}";
        assert_eq!(messages("credentials", "not mfa_active", of_users), "ben password\ncem nothing\n");
    }

    #[test]
    fn a_chunk_judged_at_once_or_account_by_account_is_the_same() {
        let organization = Organization::read(ORGANIZATION);
        let checker = Checker::compile(&RulePack::embedded().unwrap().into(), basis()).unwrap();
        let whole = checker.evaluate(&organization.chunk()).unwrap();
        let mut tallies = checker.tallies();
        let mut findings = Vec::new();
        for (account, users) in [(0, 0..3), (1, 3..3), (2, 3..3), (3, 3..3)] {
            let accounts = organization.accounts.slice(account, 1);
            let credentials = organization.credentials.slice(users.start, users.len());
            let part = checker.evaluate(&Chunk { accounts: &accounts, credentials: &credentials }).unwrap();
            tallies.iter_mut().zip(&part.tallies).for_each(|(sum, tally)| *sum += tally);
            findings.push(show(&part.findings, &["finding_id", "message", "evidence"]));
        }
        assert_eq!(findings.concat(), show(&whole.findings, &["finding_id", "message", "evidence"]));
        assert_eq!(tallies, whole.tallies);
    }

    #[test]
    fn a_chunk_that_is_none_is_an_error_and_no_verdict() {
        let checker = Checker::compile(&RulePack::embedded().unwrap().into(), basis()).unwrap();
        let organization = Organization::read(ORGANIZATION);
        let (accounts, credentials) = (&organization.accounts, &organization.credentials);
        let error = |accounts: &RecordBatch, credentials: &RecordBatch| {
            checker.evaluate(&Chunk { accounts, credentials }).unwrap_err().to_string()
        };
        expect!["a credential of account 000000000001 is out of order, or its account is not in the chunk"]
            .assert_eq(&error(&accounts.slice(1, 3), credentials));
        let twice = [&accounts.slice(0, 1), &accounts.slice(0, 1)];
        let twice = arrow_select::concat::concat_batches(&accounts.schema(), twice).unwrap();
        expect!["the accounts of a chunk must be sorted, each once; 000000000001 is not behind the one before it"]
            .assert_eq(&error(&twice, credentials));
        let narrow = credentials.project(&[0, 1]).unwrap();
        assert!(
            error(accounts, &narrow).starts_with("the batch of table credentials has the columns account_id Utf8,")
        );
    }

    #[test]
    fn a_chunk_of_nothing_gives_nothing() {
        let organization = Organization::read(ORGANIZATION);
        let (accounts, credentials) = (organization.accounts.slice(0, 0), organization.credentials.slice(0, 0));
        let checker = Checker::compile(&RulePack::embedded().unwrap().into(), basis()).unwrap();
        let verdicts = checker.evaluate(&Chunk { accounts: &accounts, credentials: &credentials }).unwrap();
        assert_eq!((verdicts.findings.num_rows(), verdicts.check_results.num_rows()), (0, 0));
        assert_eq!(verdicts.tallies, checker.tallies());
    }

    #[test]
    fn a_checker_can_be_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Checker>();
    }
}
