//! Writes rows of `findings`, column by column. Texts are made here and only here, so that what passes costs none.

use std::iter::repeat_with;
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, Field};
use orgsweep_core::table::{self, timestamp_type};

use crate::Exception;
use crate::cell::{column, texts};
use crate::compile::{Check, Checker, Variant};
use crate::cover::Covers;
use crate::evidence::{EvidenceBuilder, offsets};
use crate::facts::Facts;
use crate::judge::{Found, Ground};
use crate::rendering::Rendering;
use crate::resource::{Subject, Subjects};
use crate::text_builder::TextBuilder;
use crate::words::{Words, coded, rows_of};

/// Bytes of a text from a template, about: what room is made for.
const TEXT_BYTES: usize = 128;

/// Bytes of an ARN or an id, about.
const NAME_BYTES: usize = 48;

/// How old the report behind a verdict is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    /// When it was made, in milliseconds since the epoch.
    pub(crate) generated_at: Option<i64>,
    /// Its age by the run's `as_of`.
    pub(crate) age_seconds: Option<i64>,
}

/// The findings of a chunk, and then their columns.
pub(crate) struct FindingsBuilder<'a> {
    checker: &'a Checker,
    facts: &'a Facts<'a>,
    covers: Covers,
    /// How many findings each exception covers.
    excepted_by: Vec<u64>,
    rows: Vec<Row<'a>>,
}

/// One finding.
struct Row<'a> {
    /// The place of the check among all checks.
    place: usize,
    check: &'a Check,
    found: Found,
    evidence: Evidence,
    /// Why it is unknown, if it is.
    reason: Option<String>,
    /// The exception that covers it, or did until it ended.
    exception: Option<&'a Exception>,
    is_excepted: bool,
}

impl<'a> FindingsBuilder<'a> {
    /// No rows yet, about these facts.
    pub(crate) fn new(checker: &'a Checker, facts: &'a Facts<'a>) -> Self {
        let excepted_by = vec![0; checker.exceptions.len()];
        Self { checker, facts, covers: Covers::of(checker, facts), excepted_by, rows: Vec::new() }
    }

    /// Adds one finding, with the reason why it is unknown, if it is; says whether an exception covers it. One that holds
    /// outranks one that ended, and of several the first in its file.
    pub(crate) fn push(
        &mut self,
        (place, check): (usize, &'a Check),
        found: Found,
        evidence: Evidence,
        reason: Option<String>,
    ) -> bool {
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
        self.rows.push(Row { place, check, found, evidence, reason, exception, is_excepted });
        is_excepted
    }

    /// The rows, as a batch of the table, and how many of them each exception covers.
    pub(crate) fn finish(self) -> Result<(RecordBatch, Vec<u64>), ArrowError> {
        let (facts, rows) = (self.facts, self.rows.as_slice());
        let accounts = &facts.accounts.batch;
        let ids = texts(accounts, "account_id")?;
        let subjects = Subjects::of(facts)?;
        let resources: Vec<Subject<'_>> = rows.iter().map(|row| subjects.find(row.check, row.found)).collect();
        let finding_ids = finding_ids(&subjects, (rows, &resources), ids)?;
        let told = Told::of(self.checker, facts, rows)?;
        let words = &self.checker.words;
        let of_accounts = |name| coded(column(accounts, name)?, rows.iter().map(|row| row.found.account));
        let exceptions = || rows.iter().map(|row| row.exception);
        let columns: Vec<ArrayRef> = vec![
            of_accounts("account_id")?,
            of_accounts("account_name")?,
            words.check_ids(rows.iter().map(|row| row.place))?,
            words.severities(rows.iter().map(|row| row.check.severity))?,
            words.statuses(rows.iter().map(|row| row.found.ground.status()))?,
            words.resource_types(resources.iter().map(|subject| subject.resource_type))?,
            resource_ids(&resources)?,
            options(resources.iter().map(|subject| subject.user)),
            told.message,
            told.reason,
            Arc::new(evidence(facts, rows, words)?),
            frameworks(rows, words)?,
            told.remediation,
            told.command,
            times(rows.iter().map(|row| row.evidence.generated_at)),
            Arc::new(rows.iter().map(|row| row.evidence.age_seconds).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.is_excepted)).collect::<BooleanArray>()),
            options(exceptions().map(|exception| exception.map(|it| &it.owner))),
            options(exceptions().map(|exception| exception.map(|it| &it.reason))),
            times(exceptions().map(|exception| exception.map(|it| it.expires_at.millis()))),
            finding_ids,
        ];
        Ok((rows_of(table::findings(), columns)?, self.excepted_by))
    }
}

fn options<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMillisecondArray>().with_data_type(timestamp_type()))
}

fn resource_ids(subjects: &[Subject<'_>]) -> Result<ArrayRef, ArrowError> {
    let mut column = TextBuilder::with_capacity(subjects.len(), NAME_BYTES);
    for subject in subjects {
        subject.push_resource_id(column.text());
        column.end();
    }
    Ok(Arc::new(column.finish()?))
}

fn finding_ids(
    subjects: &Subjects<'_>,
    (rows, resources): (&[Row<'_>], &[Subject<'_>]),
    account_ids: &StringArray,
) -> Result<ArrayRef, ArrowError> {
    let mut hashed = String::new();
    let mut column = TextBuilder::with_capacity(rows.len(), NAME_BYTES);
    for (row, subject) in rows.iter().zip(resources) {
        let place = (account_ids.value(row.found.account), row.check.id.as_str());
        subjects.push_finding_id(place, subject, &mut hashed, column.text());
        column.end();
    }
    Ok(Arc::new(column.finish()?))
}

fn evidence(facts: &Facts<'_>, rows: &[Row<'_>], words: &Words) -> Result<ListArray, ArrowError> {
    let items = rows.iter().map(|row| row.check.evidence.len()).sum();
    let mut column = EvidenceBuilder::new(facts, items);
    for row in rows {
        column.push(row.check, words.of_check(row.place), row.found.ground.row());
    }
    column.finish(words)
}

fn frameworks(rows: &[Row<'_>], words: &Words) -> Result<ArrayRef, ArrowError> {
    let (mut keys, mut ends) = (Vec::new(), vec![0]);
    for row in rows {
        keys.extend_from_slice(&words.of_check(row.place).frameworks);
        ends.push(keys.len());
    }
    let items = DictionaryArray::<UInt32Type>::try_new(keys.into(), Arc::clone(&words.frameworks))?;
    let item = Arc::new(Field::new("item", items.data_type().clone(), false));
    Ok(Arc::new(ListArray::try_new(item, offsets(&ends)?, Arc::new(items), None)?))
}

/// What findings say in words.
struct Told {
    message: ArrayRef,
    reason: ArrayRef,
    remediation: ArrayRef,
    command: ArrayRef,
}

/// The columns of [`Told`], growing.
struct TextBuilders {
    message: TextBuilder,
    reason: TextBuilder,
    remediation: TextBuilder,
    command: TextBuilder,
}

/// The texts of a check's variant over the rows of its table.
struct VariantTexts<'a> {
    message: Rendering<'a>,
    remediation: Rendering<'a>,
    command: Option<Rendering<'a>>,
}

impl<'a> VariantTexts<'a> {
    fn of(variant: &'a Variant, batch: &'a RecordBatch, told: Option<&BooleanBuffer>) -> Self {
        Self {
            message: Rendering::of(&variant.message, batch, told),
            remediation: Rendering::of(&variant.remediation, batch, told),
            command: variant.command.as_ref().map(|command| Rendering::of(command, batch, told)),
        }
    }
}

impl Told {
    fn of<'a>(checker: &'a Checker, facts: &'a Facts<'_>, rows: &[Row<'a>]) -> Result<Self, ArrowError> {
        // By check and variant, once something failed.
        let mut texts: Vec<Vec<Option<VariantTexts<'_>>>> =
            checker.checks.iter().map(|check| repeat_with(|| None).take(check.variants.len()).collect()).collect();
        let mut builders = TextBuilders::for_rows(rows.len());
        for Row { place, check, found, reason, .. } in rows {
            let known = texts.get_mut(*place).and_then(|variants| variants.get_mut(found.variant));
            match (found.ground, check.variants.get(found.variant).zip(known)) {
                (Ground::Failed(row), Some((variant, known))) => {
                    let (batch, told) = (&facts.rows(check.table).batch, facts.told(*place));
                    builders.push_failed(known.get_or_insert_with(|| VariantTexts::of(variant, batch, told)), row);
                }
                _ => builders.push_unknown(check, reason.as_deref().unwrap_or("no reason is known")),
            }
        }
        let TextBuilders { message, reason, remediation, command } = builders;
        Ok(Self {
            message: Arc::new(message.finish()?),
            reason: Arc::new(reason.finish()?),
            remediation: Arc::new(remediation.finish()?),
            command: Arc::new(command.finish()?),
        })
    }
}

impl TextBuilders {
    fn for_rows(rows: usize) -> Self {
        let texts = || TextBuilder::with_capacity(rows, TEXT_BYTES);
        Self { message: texts(), reason: TextBuilder::with_capacity(rows, 0), remediation: texts(), command: texts() }
    }

    fn push_failed(&mut self, texts: &VariantTexts<'_>, row: usize) {
        texts.message.write(row, self.message.text());
        self.message.end();
        texts.remediation.write(row, self.remediation.text());
        self.remediation.end();
        texts.command.iter().for_each(|command| command.write(row, self.command.text()));
        // Where the text leaves nothing for a row there is no command.
        let is_there = !self.command.open().trim().is_empty();
        self.command.end_if(is_there);
        self.reason.end_null();
    }

    fn push_unknown(&mut self, check: &Check, reason: &str) {
        let message = ["\"", &check.title, "\" could not be judged: ", reason];
        for part in message {
            self.message.text().push_str(part);
        }
        self.message.end();
        self.reason.push(reason);
        // What would cure a failure is no advice where nobody knows of one.
        self.remediation.end_null();
        self.command.end_null();
    }
}
