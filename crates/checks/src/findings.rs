//! Writes rows of `findings`. Texts are made here and only here, so that what passes costs none.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int64Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field};
use orgsweep_core::table::{self, timestamp_type};

use crate::cell::{str_at, texts};
use crate::compile::{Check, Checker, Variant};
use crate::cover::Covers;
use crate::evidence::EvidenceBuilder;
use crate::facts::Facts;
use crate::judge::{Found, Ground};
use crate::reason::reason;
use crate::rendering::Rendering;
use crate::resource::Subject;

/// How old the report behind a verdict is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    /// When it was made, in milliseconds since the epoch.
    pub(crate) generated_at: Option<i64>,
    /// Its age by the run's `as_of`.
    pub(crate) age_seconds: Option<i64>,
}

/// The columns of `findings`, growing.
pub(crate) struct FindingsBuilder<'a> {
    checker: &'a Checker,
    facts: &'a Facts<'a>,
    covers: Covers,
    /// How many findings each exception covers.
    excepted_by: Vec<u64>,
    account_id: StringBuilder,
    account_name: StringBuilder,
    check_id: StringBuilder,
    severity: StringBuilder,
    status: StringBuilder,
    resource_type: StringBuilder,
    resource_id: StringBuilder,
    user: StringBuilder,
    message: StringBuilder,
    reason: StringBuilder,
    evidence: EvidenceBuilder,
    frameworks: ListBuilder<StringBuilder>,
    remediation: StringBuilder,
    command: StringBuilder,
    evidence_generated_at: TimestampMillisecondBuilder,
    evidence_age_seconds: Int64Builder,
    excepted: BooleanBuilder,
    exception_owner: StringBuilder,
    exception_reason: StringBuilder,
    exception_expires_at: TimestampMillisecondBuilder,
    finding_id: StringBuilder,
    /// The texts of checks that found something, by their place and variant.
    texts: HashMap<(usize, usize), VariantTexts<'a>>,
    /// The text being made.
    text: String,
}

/// The texts of a check's variant over the rows of its table.
struct VariantTexts<'a> {
    message: Rendering<'a>,
    remediation: Rendering<'a>,
    command: Option<Rendering<'a>>,
}

impl<'a> VariantTexts<'a> {
    fn of(variant: &'a Variant, batch: &'a RecordBatch) -> Self {
        Self {
            message: Rendering::of(&variant.message, batch),
            remediation: Rendering::of(&variant.remediation, batch),
            command: variant.command.as_ref().map(|command| Rendering::of(command, batch)),
        }
    }
}

impl<'a> FindingsBuilder<'a> {
    /// No rows yet, about these facts.
    pub(crate) fn new(checker: &'a Checker, facts: &'a Facts<'a>) -> Self {
        let time = || TimestampMillisecondBuilder::new().with_data_type(timestamp_type());
        Self {
            checker,
            facts,
            covers: Covers::of(checker, facts),
            excepted_by: vec![0; checker.exceptions.len()],
            account_id: StringBuilder::new(),
            account_name: StringBuilder::new(),
            check_id: StringBuilder::new(),
            severity: StringBuilder::new(),
            status: StringBuilder::new(),
            resource_type: StringBuilder::new(),
            resource_id: StringBuilder::new(),
            user: StringBuilder::new(),
            message: StringBuilder::new(),
            reason: StringBuilder::new(),
            evidence: EvidenceBuilder::new(),
            frameworks: ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, false)),
            remediation: StringBuilder::new(),
            command: StringBuilder::new(),
            evidence_generated_at: time(),
            evidence_age_seconds: Int64Builder::new(),
            excepted: BooleanBuilder::new(),
            exception_owner: StringBuilder::new(),
            exception_reason: StringBuilder::new(),
            exception_expires_at: time(),
            finding_id: StringBuilder::new(),
            texts: HashMap::new(),
            text: String::new(),
        }
    }

    /// Adds one finding; says whether an exception covers it.
    pub(crate) fn push(
        &mut self,
        (place, check): (usize, &'a Check),
        found: Found,
        evidence: Evidence,
    ) -> Result<bool, ArrowError> {
        let accounts = &self.facts.accounts.batch;
        let account_id = texts(accounts, "account_id")?.value(found.account);
        let subject = Subject::of(check, self.facts, found)?;
        self.account_id.append_value(account_id);
        self.account_name.append_option(str_at(texts(accounts, "account_name")?, found.account));
        self.check_id.append_value(&check.id);
        self.severity.append_value(check.severity.as_str());
        self.status.append_value(found.ground.status().as_str());
        self.resource_type.append_value(subject.resource_type);
        self.finding_id.append_value(subject.finding_id(account_id, &check.id));
        self.resource_id.append_value(subject.resource_id);
        self.user.append_option(subject.user);
        self.push_texts((place, check), found);
        let batch = &self.facts.rows(check.table).batch;
        self.evidence.push(batch, &check.evidence, found.ground.row())?;
        check.frameworks.iter().for_each(|control| self.frameworks.values().append_value(control));
        self.frameworks.append(true);
        self.evidence_generated_at.append_option(evidence.generated_at);
        self.evidence_age_seconds.append_option(evidence.age_seconds);
        Ok(self.push_exception(check, found))
    }

    fn push_texts(&mut self, (place, check): (usize, &'a Check), found: Found) {
        if let (Ground::Failed(row), Some(variant)) = (found.ground, check.variants.get(found.variant)) {
            let batch = &self.facts.rows(check.table).batch;
            let texts = self.texts.entry((place, found.variant));
            let texts = texts.or_insert_with(|| VariantTexts::of(variant, batch));
            for (rendering, column) in
                [(&texts.message, &mut self.message), (&texts.remediation, &mut self.remediation)]
            {
                self.text.clear();
                rendering.write(row, &mut self.text);
                column.append_value(&self.text);
            }
            self.text.clear();
            texts.command.iter().for_each(|command| command.write(row, &mut self.text));
            // Where the text leaves nothing for a row there is no command.
            self.command.append_option(Some(&self.text).filter(|command| !command.trim().is_empty()));
            self.reason.append_null();
            return;
        }
        let reason = reason(check, self.facts, found).unwrap_or_else(|| "no reason is known".to_owned());
        self.message.append_value(format!("\"{}\" could not be judged: {reason}", check.title));
        self.reason.append_value(reason);
        // What would cure a failure is no advice where nobody knows of one.
        self.remediation.append_null();
        self.command.append_null();
    }

    /// An exception that holds outranks one that ended, and of several the first in its file.
    fn push_exception(&mut self, check: &Check, found: Found) -> bool {
        let covers = match found.ground {
            Ground::Failed(_) => self.covers.all(self.checker, check, self.facts, found),
            _ => Vec::new(),
        };
        for cover in &covers {
            if let Some(count) = self.excepted_by.get_mut(cover.exception) {
                *count += 1;
            }
        }
        let first = covers.first();
        let exception = first.and_then(|cover| self.checker.exceptions.get(cover.exception));
        let is_excepted = first.is_some_and(|cover| cover.holds);
        self.excepted.append_value(is_excepted);
        self.exception_owner.append_option(exception.map(|it| &it.owner));
        self.exception_reason.append_option(exception.map(|it| &it.reason));
        self.exception_expires_at.append_option(exception.map(|it| it.expires_at.millis()));
        is_excepted
    }

    /// The rows, as a batch of the table, and how many of them each exception covers.
    pub(crate) fn finish(mut self) -> Result<(RecordBatch, Vec<u64>), ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.account_id.finish()),
            Arc::new(self.account_name.finish()),
            Arc::new(self.check_id.finish()),
            Arc::new(self.severity.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.resource_type.finish()),
            Arc::new(self.resource_id.finish()),
            Arc::new(self.user.finish()),
            Arc::new(self.message.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.evidence.finish()?),
            Arc::new(self.frameworks.finish()),
            Arc::new(self.remediation.finish()),
            Arc::new(self.command.finish()),
            Arc::new(self.evidence_generated_at.finish()),
            Arc::new(self.evidence_age_seconds.finish()),
            Arc::new(self.excepted.finish()),
            Arc::new(self.exception_owner.finish()),
            Arc::new(self.exception_reason.finish()),
            Arc::new(self.exception_expires_at.finish()),
            Arc::new(self.finding_id.finish()),
        ];
        Ok((RecordBatch::try_new(table::findings().schema(), columns)?, self.excepted_by))
    }
}
