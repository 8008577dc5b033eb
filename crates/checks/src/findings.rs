//! Writes rows of `findings`. Texts are made here and only here, so that what passes costs none.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, ListBuilder, StringBuilder, StructBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field};
use orgsweep_core::table::{self, timestamp_type};

use crate::cell::{str_at, text_at, texts};
use crate::compile::Check;
use crate::facts::Facts;
use crate::judge::{Found, Ground};
use crate::reason::reason;
use crate::resource::Subject;

/// The columns of `findings`, growing.
pub(crate) struct FindingsBuilder {
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
    evidence_generated_at: TimestampMillisecondBuilder,
    excepted: BooleanBuilder,
    finding_id: StringBuilder,
}

impl FindingsBuilder {
    /// No rows yet.
    pub(crate) fn new() -> Self {
        let item = Field::new("item", DataType::Utf8, false);
        Self {
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
            evidence: evidence_builder(),
            frameworks: ListBuilder::new(StringBuilder::new()).with_field(item),
            remediation: StringBuilder::new(),
            evidence_generated_at: TimestampMillisecondBuilder::new().with_data_type(timestamp_type()),
            excepted: BooleanBuilder::new(),
            finding_id: StringBuilder::new(),
        }
    }

    /// Adds one finding; `generated_at` is when the report behind it was made, in milliseconds since the epoch.
    pub(crate) fn push(
        &mut self,
        check: &Check,
        facts: &Facts<'_>,
        found: Found,
        generated_at: Option<i64>,
    ) -> Result<(), ArrowError> {
        let accounts = &facts.accounts.batch;
        let account_id = texts(accounts, "account_id")?.value(found.account);
        let subject = Subject::of(check, facts, found)?;
        let reason = reason(check, facts, found);
        self.account_id.append_value(account_id);
        self.account_name.append_option(str_at(texts(accounts, "account_name")?, found.account));
        self.check_id.append_value(&check.id);
        self.severity.append_value(check.severity.as_str());
        self.status.append_value(found.ground.status().as_str());
        self.resource_type.append_value(subject.resource_type);
        self.finding_id.append_value(subject.finding_id(account_id, &check.id));
        self.resource_id.append_value(subject.resource_id);
        self.user.append_option(subject.user);
        self.push_texts(check, &facts.rows(check.table).batch, found.ground, reason);
        self.push_evidence(check, &facts.rows(check.table).batch, found.ground.row())?;
        check.frameworks.iter().for_each(|control| self.frameworks.values().append_value(control));
        self.frameworks.append(true);
        self.evidence_generated_at.append_option(generated_at);
        self.excepted.append_value(false);
        Ok(())
    }

    fn push_texts(&mut self, check: &Check, batch: &RecordBatch, ground: Ground, reason: Option<String>) {
        if let Ground::Failed(row) = ground {
            self.message.append_value(check.message.render(batch, row));
            self.remediation.append_value(check.remediation.render(batch, row));
        } else {
            let reason = reason.as_deref().unwrap_or("no reason is known");
            self.message.append_value(format!("\"{}\" could not be judged: {reason}", check.title));
            // What would cure a failure is no advice where nobody knows of one.
            self.remediation.append_null();
        }
        self.reason.append_option(reason);
    }

    fn push_evidence(&mut self, check: &Check, batch: &RecordBatch, row: Option<usize>) -> Result<(), ArrowError> {
        if let Some(row) = row {
            for index in &check.evidence {
                let items = self.evidence.values();
                append_text(items, 0, Some(batch.schema_ref().field(*index).name()))?;
                append_text(items, 1, text_at(batch.column(*index), row).as_deref())?;
                items.append(true);
            }
        }
        self.evidence.append(true);
        Ok(())
    }

    /// The rows, as a batch of the table.
    pub(crate) fn finish(mut self) -> Result<RecordBatch, ArrowError> {
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
            Arc::new(self.evidence_generated_at.finish()),
            Arc::new(self.excepted.finish()),
            Arc::new(self.finding_id.finish()),
        ];
        RecordBatch::try_new(table::findings().schema(), columns)
    }
}

fn evidence_builder() -> ListBuilder<StructBuilder> {
    let fields = vec![Field::new("name", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
    let item = Field::new("item", DataType::Struct(fields.clone().into()), false);
    let texts = || Box::new(StringBuilder::new()) as Box<dyn arrow_array::builder::ArrayBuilder>;
    ListBuilder::new(StructBuilder::new(fields, vec![texts(), texts()])).with_field(item)
}

fn append_text(items: &mut StructBuilder, field: usize, text: Option<&str>) -> Result<(), ArrowError> {
    let Some(builder) = items.field_builder::<StringBuilder>(field) else {
        return Err(ArrowError::SchemaError(format!("evidence has no text field {field}")));
    };
    builder.append_option(text);
    Ok(())
}
