//! Brings the judgements of all checks into table order: rows of `findings` and `check_results`, and tallies.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use orgsweep_core::Source;
use orgsweep_core::table::{self, timestamp_type};

use crate::cell::{str_at, texts, time_at};
use crate::compile::Check;
use crate::facts::Facts;
use crate::findings::FindingsBuilder;
use crate::judge::{AccountVerdict, Found, Judgement};
use crate::reason::reason;
use crate::{Status, Tally, Verdicts};

/// Writes down what the checks said: account by account, and for each account check by check.
pub(crate) fn write_down(
    checks: &[Check],
    facts: &Facts<'_>,
    judgements: &[Judgement],
) -> Result<Verdicts, ArrowError> {
    let mut findings = FindingsBuilder::new();
    let mut results = ResultsBuilder::new();
    let mut tallies: Vec<_> = checks.iter().map(|check| Tally::new(&check.id, &check.title, check.severity)).collect();
    let mut rest: Vec<&[Found]> = judgements.iter().map(|judgement| judgement.found.as_slice()).collect();
    for account in 0..facts.len() {
        let columns = checks.iter().zip(judgements).zip(rest.iter_mut()).zip(tallies.iter_mut());
        for (((check, judgement), rest), tally) in columns {
            let Some(verdict) = judgement.accounts.get(account) else { continue };
            let generated_at = generated_at(check, facts, account);
            let (own, others) = rest.split_at(rest.partition_point(|found| found.account == account));
            *rest = others;
            for found in own {
                findings.push(check, facts, *found, generated_at)?;
            }
            let reason = result_reason(check, facts, verdict, own);
            results.push(check, facts, ResultRow { account, verdict, reason, generated_at })?;
            tally.count(verdict.status, verdict.failed, verdict.unknown);
        }
    }
    Ok(Verdicts { findings: findings.finish()?, check_results: results.finish()?, tallies })
}

/// When the report behind the verdict was made; `None` where the check reads no report, or it was not read.
fn generated_at(check: &Check, facts: &Facts<'_>, account: usize) -> Option<i64> {
    if !check.sources.contains(Source::CredentialReport) || facts.coverage.lacks(account, check.sources) {
        return None;
    }
    let column = facts.accounts.batch.column_by_name("report_generated_at")?;
    time_at(column, account).map(orgsweep_core::Timestamp::millis)
}

/// Why the status is unknown, or the word on a pass.
fn result_reason(check: &Check, facts: &Facts<'_>, verdict: &AccountVerdict, found: &[Found]) -> Option<String> {
    match verdict.status {
        Status::Pass => check.note.as_ref().filter(|_| verdict.noted).map(|note| note.text.clone()),
        Status::Fail | Status::NotApplicable => None,
        Status::Unknown => {
            let first = reason(check, facts, *found.first()?)?;
            Some(if found.len() > 1 { format!("{first}; {} more", found.len() - 1) } else { first })
        }
    }
}

/// What one row of `check_results` says beside the check and the account's name.
struct ResultRow<'a> {
    /// Index of the account.
    account: usize,
    verdict: &'a AccountVerdict,
    reason: Option<String>,
    /// When the report behind the verdict was made, in milliseconds since the epoch.
    generated_at: Option<i64>,
}

/// The columns of `check_results`, growing.
struct ResultsBuilder {
    account_id: StringBuilder,
    account_name: StringBuilder,
    check_id: StringBuilder,
    severity: StringBuilder,
    status: StringBuilder,
    reason: StringBuilder,
    /// Passed, failed, unknown and excepted.
    counts: [Int64Builder; 4],
    evidence_generated_at: TimestampMillisecondBuilder,
}

impl ResultsBuilder {
    fn new() -> Self {
        Self {
            account_id: StringBuilder::new(),
            account_name: StringBuilder::new(),
            check_id: StringBuilder::new(),
            severity: StringBuilder::new(),
            status: StringBuilder::new(),
            reason: StringBuilder::new(),
            counts: std::array::from_fn(|_| Int64Builder::new()),
            evidence_generated_at: TimestampMillisecondBuilder::new().with_data_type(timestamp_type()),
        }
    }

    fn push(&mut self, check: &Check, facts: &Facts<'_>, row: ResultRow<'_>) -> Result<(), ArrowError> {
        let accounts = &facts.accounts.batch;
        self.account_id.append_value(texts(accounts, "account_id")?.value(row.account));
        self.account_name.append_option(str_at(texts(accounts, "account_name")?, row.account));
        self.check_id.append_value(&check.id);
        self.severity.append_value(check.severity.as_str());
        self.status.append_value(row.verdict.status.as_str());
        self.reason.append_option(row.reason);
        let counts = [row.verdict.passed, row.verdict.failed, row.verdict.unknown, 0];
        for (builder, count) in self.counts.iter_mut().zip(counts) {
            builder.append_value(i64::from(count));
        }
        self.evidence_generated_at.append_option(row.generated_at);
        Ok(())
    }

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let [passed, failed, unknown, excepted] = self.counts.each_mut().map(Int64Builder::finish);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.account_id.finish()),
            Arc::new(self.account_name.finish()),
            Arc::new(self.check_id.finish()),
            Arc::new(self.severity.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(passed),
            Arc::new(failed),
            Arc::new(unknown),
            Arc::new(excepted),
            Arc::new(self.evidence_generated_at.finish()),
        ];
        RecordBatch::try_new(table::check_results().schema(), columns)
    }
}
