//! Brings the judgements of all checks into table order: rows of `findings` and `check_results`, and tallies.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_schema::ArrowError;
use orgsweep_core::Source;
use orgsweep_core::table::{self, timestamp_type};

use crate::cell::{str_at, texts, times};
use crate::compile::{Check, Checker};
use crate::facts::Facts;
use crate::findings::{Evidence, FindingsBuilder};
use crate::judge::{AccountVerdict, Found, Judgement};
use crate::reason::reason;
use crate::{Status, Verdicts};

/// Writes down what the checks said: account by account, and for each account check by check.
pub(crate) fn write_down(
    checker: &Checker,
    facts: &Facts<'_>,
    judgements: &[Judgement],
) -> Result<Verdicts, ArrowError> {
    let mut findings = FindingsBuilder::new(checker, facts);
    let mut results = ResultsBuilder::new(facts)?;
    let mut tallies = checker.tallies();
    let mut rest: Vec<&[Found]> = judgements.iter().map(|judgement| judgement.found.as_slice()).collect();
    for account in 0..facts.len() {
        let columns = checker.checks.iter().enumerate().zip(judgements).zip(rest.iter_mut()).zip(tallies.iter_mut());
        for ((((place, check), judgement), rest), tally) in columns {
            let Some(verdict) = judgement.accounts.get(account) else { continue };
            let evidence = results.evidence(checker, check, facts, account);
            let (own, others) = rest.split_at(rest.partition_point(|found| found.account == account));
            *rest = others;
            // Most accounts have one resource that is unknown, whose reason is the account's.
            let first = own.first().and_then(|found| reason(check, facts, *found));
            let mut excepted = 0;
            for (index, found) in own.iter().enumerate() {
                let reason = if index == 0 { first.clone() } else { reason(check, facts, *found) };
                excepted += u32::from(findings.push((place, check), *found, evidence, reason));
            }
            let reason = result_reason(check, verdict, first, own.len());
            results.push(check, ResultRow { account, verdict, excepted, reason, evidence });
            tally.count(verdict, excepted);
        }
    }
    let (findings, excepted) = findings.finish()?;
    Ok(Verdicts { findings, check_results: results.finish()?, tallies, excepted })
}

/// Why the status is unknown, or the word on a pass.
fn result_reason(check: &Check, verdict: &AccountVerdict, first: Option<String>, found: usize) -> Option<String> {
    match verdict.status {
        Status::Pass => {
            // The notes of all variants have the same texts.
            let notes = check.variants.first().map(|variant| variant.notes.as_slice()).unwrap_or_default();
            verdict.note.and_then(|note| notes.get(note)).map(|note| note.text.clone())
        }
        Status::Fail | Status::NotApplicable => None,
        Status::Unknown => {
            let first = first?;
            Some(if found > 1 { format!("{first}; {} more", found - 1) } else { first })
        }
    }
}

/// What one row of `check_results` says beside the check and the account's name.
struct ResultRow<'a> {
    /// Index of the account.
    account: usize,
    verdict: &'a AccountVerdict,
    /// How many of the resources that failed an exception covers.
    excepted: u32,
    reason: Option<String>,
    evidence: Evidence,
}

/// The columns of `check_results`, growing.
struct ResultsBuilder<'a> {
    accounts: AccountColumns<'a>,
    account_id: StringBuilder,
    account_name: StringBuilder,
    check_id: StringBuilder,
    severity: StringBuilder,
    status: StringBuilder,
    reason: StringBuilder,
    /// Passed, failed, unknown and excepted.
    counts: [Int64Builder; 4],
    evidence_generated_at: TimestampMillisecondBuilder,
    evidence_age_seconds: Int64Builder,
}

/// What every row repeats of its account, looked up once for all.
struct AccountColumns<'a> {
    id: &'a StringArray,
    name: &'a StringArray,
    report_generated_at: &'a TimestampMillisecondArray,
}

impl<'a> ResultsBuilder<'a> {
    fn new(facts: &'a Facts<'_>) -> Result<Self, ArrowError> {
        let batch = &facts.accounts.batch;
        Ok(Self {
            accounts: AccountColumns {
                id: texts(batch, "account_id")?,
                name: texts(batch, "account_name")?,
                report_generated_at: times(batch, "report_generated_at")?,
            },
            account_id: StringBuilder::new(),
            account_name: StringBuilder::new(),
            check_id: StringBuilder::new(),
            severity: StringBuilder::new(),
            status: StringBuilder::new(),
            reason: StringBuilder::new(),
            counts: std::array::from_fn(|_| Int64Builder::new()),
            evidence_generated_at: TimestampMillisecondBuilder::new().with_data_type(timestamp_type()),
            evidence_age_seconds: Int64Builder::new(),
        })
    }

    /// When the report behind the verdict was made, and how old it is; neither where the check reads no report, or it
    /// was not read.
    fn evidence(&self, checker: &Checker, check: &Check, facts: &Facts<'_>, account: usize) -> Evidence {
        let is_read = check.needs.names(Source::CredentialReport) && !facts.coverage.lacks(account, &check.needs);
        let times = self.accounts.report_generated_at;
        let generated_at = (is_read && times.is_valid(account)).then(|| times.value(account));
        let age = |time: i64| checker.basis.as_of.millis().saturating_sub(time).max(0) / 1000;
        Evidence { generated_at, age_seconds: generated_at.map(age) }
    }

    fn push(&mut self, check: &Check, row: ResultRow<'_>) {
        self.account_id.append_value(self.accounts.id.value(row.account));
        self.account_name.append_option(str_at(self.accounts.name, row.account));
        self.check_id.append_value(&check.id);
        self.severity.append_value(check.severity.as_str());
        self.status.append_value(row.verdict.status.as_str());
        self.reason.append_option(row.reason);
        let counts = [row.verdict.passed, row.verdict.failed, row.verdict.unknown, row.excepted];
        for (builder, count) in self.counts.iter_mut().zip(counts) {
            builder.append_value(i64::from(count));
        }
        self.evidence_generated_at.append_option(row.evidence.generated_at);
        self.evidence_age_seconds.append_option(row.evidence.age_seconds);
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
            Arc::new(self.evidence_age_seconds.finish()),
        ];
        RecordBatch::try_new(table::check_results().schema(), columns)
    }
}
