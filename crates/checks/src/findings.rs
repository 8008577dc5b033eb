//! Writes rows of `findings`. Texts are made here and only here, so that what passes costs none.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Int64Builder, ListBuilder, StringBuilder, StructBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use orgsweep_core::table::{self, timestamp_type};

use crate::cell::{flag_at, number_at, str_at, text_at, texts, time_at};
use crate::compile::{Check, Checker};
use crate::cover::Covers;
use crate::facts::Facts;
use crate::judge::{Found, Ground};
use crate::reason::reason;
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
    evidence: ListBuilder<StructBuilder>,
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
}

impl<'a> FindingsBuilder<'a> {
    /// No rows yet, about these facts.
    pub(crate) fn new(checker: &'a Checker, facts: &'a Facts<'a>) -> Result<Self, ArrowError> {
        let time = || TimestampMillisecondBuilder::new().with_data_type(timestamp_type());
        Ok(Self {
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
            evidence: evidence_builder()?,
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
        })
    }

    /// Adds one finding; says whether an exception covers it.
    pub(crate) fn push(&mut self, check: &Check, found: Found, evidence: Evidence) -> Result<bool, ArrowError> {
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
        self.push_texts(check, found);
        self.push_evidence(check, found.ground.row())?;
        check.frameworks.iter().for_each(|control| self.frameworks.values().append_value(control));
        self.frameworks.append(true);
        self.evidence_generated_at.append_option(evidence.generated_at);
        self.evidence_age_seconds.append_option(evidence.age_seconds);
        Ok(self.push_exception(check, found))
    }

    fn push_texts(&mut self, check: &Check, found: Found) {
        let batch = &self.facts.rows(check.table).batch;
        if let (Ground::Failed(row), Some(variant)) = (found.ground, check.variants.get(found.variant)) {
            self.message.append_value(variant.message.render(batch, row));
            self.remediation.append_value(variant.remediation.render(batch, row));
            self.command.append_option(variant.command_at(batch, row));
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

    fn push_evidence(&mut self, check: &Check, row: Option<usize>) -> Result<(), ArrowError> {
        let batch = &self.facts.rows(check.table).batch;
        if let Some(row) = row {
            for index in &check.evidence {
                let column: &dyn Array = batch.column(*index);
                let mut item = EvidenceItem { fields: self.evidence.values() };
                item.field::<StringBuilder>(0)?.append_value(batch.schema_ref().field(*index).name());
                item.field::<StringBuilder>(1)?.append_option(text_at(column, row));
                item.field::<BooleanBuilder>(2)?.append_option(flag_at(column, row));
                item.field::<Int64Builder>(3)?.append_option(number_at(column, row));
                let time = time_at(column, row).map(orgsweep_core::Timestamp::millis);
                item.field::<TimestampMillisecondBuilder>(4)?.append_option(time);
                item.fields.append(true);
            }
        }
        self.evidence.append(true);
        Ok(())
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
            Arc::new(self.evidence.finish()),
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

/// One item of `evidence`, field by field.
struct EvidenceItem<'a> {
    fields: &'a mut StructBuilder,
}

impl EvidenceItem<'_> {
    fn field<T: arrow_array::builder::ArrayBuilder>(&mut self, index: usize) -> Result<&mut T, ArrowError> {
        let field = self.fields.field_builder::<T>(index);
        field.ok_or_else(|| ArrowError::SchemaError(format!("evidence has no such field {index}")))
    }
}

/// A builder for the column `evidence`, as the table describes it.
fn evidence_builder() -> Result<ListBuilder<StructBuilder>, ArrowError> {
    let column = table::findings().column("evidence").map(|column| &column.data_type);
    let (item, fields): (&Arc<Field>, &Fields) = match column {
        Some(DataType::List(item)) => match item.data_type() {
            DataType::Struct(fields) => (item, fields),
            other => return Err(ArrowError::SchemaError(format!("evidence is a list of {other}"))),
        },
        _ => return Err(ArrowError::SchemaError("evidence is no list".to_owned())),
    };
    let builder = StructBuilder::from_fields(fields.clone(), 0);
    Ok(ListBuilder::new(builder).with_field(Arc::clone(item)))
}
