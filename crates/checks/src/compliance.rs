//! Compliance: how the accounts stand with the controls of a framework, made of what its checks say of each account.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::ArrowError;
use serde::Serialize;

use crate::cell::texts;
use crate::{Control, Framework, Rule, Status, Verdicts};

/// How the accounts stand with one control, and by which checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlResult {
    /// The control.
    #[serde(flatten)]
    pub control: Control,
    /// What holds of all accounts together: `None` where orgsweep cannot decide the control.
    pub status: Option<Status>,
    /// The checks that cover it, by id.
    pub checks: Vec<String>,
    /// Accounts that pass every check that applies, of which there is one at least.
    pub passed: u64,
    /// Accounts that fail a check.
    pub failed: u64,
    /// Of these, accounts of which exceptions cover all that failed.
    pub excepted: u64,
    /// Accounts that fail none, and of which not all is known.
    pub unknown: u64,
    /// Accounts to which no check applies.
    pub not_applicable: u64,
}

/// The controls of a framework, counted account by account.
#[derive(Debug)]
pub struct Compliance {
    results: Vec<ControlResult>,
    /// For each control, where its checks stand in the order of the rules.
    checks: Vec<Vec<usize>>,
    rules: usize,
}

/// What a check says of one account.
#[derive(Clone, Copy)]
struct Verdict {
    status: Status,
    all_excepted: bool,
}

impl Compliance {
    /// No account yet, judged by these rules.
    #[must_use]
    pub fn new(framework: &Framework, rules: &[Rule]) -> Self {
        let by_control = framework.checks_by_control(rules);
        let place = |rule: &&Rule| rules.iter().position(|other| other.id == rule.id);
        let checks = by_control.iter().map(|(_, checks)| checks.iter().filter_map(place).collect()).collect();
        let result = |(control, checks): (&Control, Vec<&Rule>)| ControlResult {
            control: control.clone(),
            status: None,
            checks: checks.iter().map(|rule| rule.id.clone()).collect(),
            passed: 0,
            failed: 0,
            excepted: 0,
            unknown: 0,
            not_applicable: 0,
        };
        Self { results: by_control.into_iter().map(result).collect(), checks, rules: rules.len() }
    }

    /// Counts the accounts of a chunk, judged by the same rules.
    ///
    /// # Errors
    /// The results are no rows of `check_results`.
    pub fn add(&mut self, verdicts: &Verdicts) -> Result<(), ArrowError> {
        let verdicts = read(&verdicts.check_results)?;
        // Without rules no control has checks.
        for account in verdicts.chunks_exact(self.rules.max(1)) {
            for (result, checks) in self.results.iter_mut().zip(&self.checks) {
                result.count(checks.iter().filter_map(|check| account.get(*check)));
            }
        }
        Ok(())
    }

    /// Every control, in the order of the framework.
    #[must_use]
    pub fn finish(mut self) -> Vec<ControlResult> {
        for result in self.results.iter_mut().filter(|result| !result.checks.is_empty()) {
            result.status = Some(match (result.failed, result.unknown, result.passed) {
                (1.., _, _) => Status::Fail,
                (0, 1.., _) => Status::Unknown,
                (0, 0, 1..) => Status::Pass,
                (0, 0, 0) => Status::NotApplicable,
            });
        }
        self.results
    }
}

impl ControlResult {
    /// Counts one account, of which its checks say this.
    fn count<'a>(&mut self, verdicts: impl Iterator<Item = &'a Verdict> + Clone) {
        let any = |status: Status| verdicts.clone().any(|verdict| verdict.status == status);
        if verdicts.clone().next().is_none() {
            return;
        }
        if any(Status::Fail) {
            self.failed += 1;
            let mut failed = verdicts.filter(|verdict| verdict.status == Status::Fail);
            self.excepted += u64::from(failed.all(|verdict| verdict.all_excepted));
        } else if any(Status::Unknown) {
            self.unknown += 1;
        } else if any(Status::Pass) {
            self.passed += 1;
        } else {
            self.not_applicable += 1;
        }
    }
}

fn read(results: &RecordBatch) -> Result<Vec<Verdict>, ArrowError> {
    let status = texts(results, "status")?;
    let counts = |name: &str| {
        let column = results.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        column.ok_or_else(|| ArrowError::SchemaError(format!("there is no count {name}")))
    };
    let (failed, excepted) = (counts("failed")?, counts("excepted")?);
    let verdict = |row: usize| {
        let known = Status::from_name(status.value(row));
        let status = known.ok_or_else(|| ArrowError::SchemaError(format!("{:?} is no status", status.value(row))))?;
        Ok(Verdict { status, all_excepted: failed.value(row) == excepted.value(row) })
    };
    (0..results.num_rows()).map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::{Organization, basis};
    use crate::{Checker, RulePack, RuleSet};

    const ORGANIZATION: &str = r#"
        [[account]]
        [[account.users]]
        access_key_1_active = true
        access_key_1_last_rotated = "-100d"
        [[account]]
        [[account.users]]
        access_key_1_active = true
        access_key_1_last_rotated = "-10d"
        [[account]]
        gaps = [["credential_report", "denied", "AccessDenied"]]
        [[account]]
    "#;

    #[test]
    fn each_account_counts_once_for_each_control() {
        let framework = Framework::find(Framework::embedded().unwrap(), "cis-5.0").unwrap();
        let rules =
            RuleSet::from(RulePack::embedded().unwrap()).by_default(|rule| rule.frameworks.contains_key("cis-5.0"));
        let checker = Checker::compile(&rules, basis()).unwrap();
        let organization = Organization::read(ORGANIZATION);
        let mut compliance = Compliance::new(&framework, rules.rules());
        compliance.add(&checker.evaluate(&organization.chunk()).unwrap()).unwrap();
        let results = compliance.finish();
        assert_eq!(results.len(), framework.controls.len());
        for result in &results {
            let counted = result.passed + result.failed + result.unknown + result.not_applicable;
            assert_eq!(counted, if result.checks.is_empty() { 0 } else { 4 }, "{}", result.control.id);
            assert_eq!(result.status.is_none(), result.control.undecided.is_some());
        }
        let keys = results.iter().find(|result| result.control.id == "1.13").unwrap();
        expect![[r#"{"id":"1.13","title":"No active access key is older than 90 days","level":1,"status":"fail","checks":["access-key-rotated"],"passed":1,"failed":1,"excepted":0,"unknown":1,"not_applicable":1}"#]].assert_eq(&serde_json::to_string(keys).unwrap());
    }

    #[test]
    fn one_failing_check_of_several_fails_the_control() {
        let verdict = |status, all_excepted| Verdict { status, all_excepted };
        let count = |verdicts: &[Verdict]| {
            let framework = Framework::find(Framework::embedded().unwrap(), "cis-5.0").unwrap();
            let mut result = Compliance::new(&framework, &[]).results.remove(0);
            result.count(verdicts.iter());
            [result.passed, result.failed, result.excepted, result.unknown, result.not_applicable]
        };
        let (pass, fail, unknown) =
            (verdict(Status::Pass, true), verdict(Status::Fail, false), verdict(Status::Unknown, true));
        let none = verdict(Status::NotApplicable, true);
        assert_eq!(count(&[pass, fail, unknown]), [0, 1, 0, 0, 0]);
        assert_eq!(count(&[fail, verdict(Status::Fail, true)]), [0, 1, 0, 0, 0]);
        assert_eq!(count(&[pass, verdict(Status::Fail, true)]), [0, 1, 1, 0, 0]);
        assert_eq!(count(&[pass, unknown, none]), [0, 0, 0, 1, 0]);
        assert_eq!(count(&[pass, none]), [1, 0, 0, 0, 0]);
        assert_eq!(count(&[none, none]), [0, 0, 0, 0, 1]);
        assert_eq!(count(&[]), [0; 5]);
    }
}
