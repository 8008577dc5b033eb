//! What columns of the verdicts repeat: each text once, and for each row its key. Whoever writes the columns looks
//! nothing up that is known here.

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{ArrowError, Field, Schema};
use orgsweep_core::table::Table;

use crate::compile::Check;
use crate::resource::ResourceType;
use crate::{Severity, Status};

/// The texts that checks have in common, and what each check has of them.
#[derive(Debug)]
pub(crate) struct Words {
    /// By the place of the check.
    check_ids: ArrayRef,
    severities: ArrayRef,
    statuses: ArrayRef,
    resource_types: ArrayRef,
    /// The names of columns that are evidence.
    pub(crate) evidence: ArrayRef,
    /// The controls of all frameworks.
    pub(crate) frameworks: ArrayRef,
    /// By the place of the check.
    by_check: Vec<CheckWords>,
}

/// Keys of one check's texts.
#[derive(Debug, Default)]
pub(crate) struct CheckWords {
    pub(crate) evidence: Vec<u32>,
    pub(crate) frameworks: Vec<u32>,
}

impl Words {
    /// Those of these checks.
    pub(crate) fn of(checks: &[Check]) -> Self {
        let (mut evidence, mut frameworks) = (Vec::new(), Vec::new());
        let by_check = checks.iter().map(|check| {
            let columns = &check.table.table().columns;
            let names = check.evidence.iter().filter_map(|index| columns.get(*index)).map(|column| column.name);
            CheckWords {
                evidence: names.map(|name| key(&mut evidence, name)).collect(),
                frameworks: check.frameworks.iter().map(|control| key(&mut frameworks, control)).collect(),
            }
        });
        let by_check = by_check.collect();
        Self {
            check_ids: texts(checks.iter().map(|check| check.id.as_str())),
            severities: texts(Severity::ALL.iter().map(|severity| severity.as_str())),
            statuses: texts(Status::ALL.iter().map(|status| status.as_str())),
            resource_types: texts(ResourceType::ALL.iter().map(|own| own.as_str())),
            evidence: texts(evidence),
            frameworks: texts(frameworks),
            by_check,
        }
    }

    /// Those of the check with this place.
    pub(crate) fn of_check(&self, place: usize) -> &CheckWords {
        const NONE: &CheckWords = &CheckWords { evidence: Vec::new(), frameworks: Vec::new() };
        self.by_check.get(place).unwrap_or(NONE)
    }

    /// The column of checks, by their places.
    pub(crate) fn check_ids(&self, places: impl Iterator<Item = usize>) -> Result<ArrayRef, ArrowError> {
        coded(&self.check_ids, places)
    }

    /// A column of severities.
    pub(crate) fn severities(&self, severities: impl Iterator<Item = Severity>) -> Result<ArrayRef, ArrowError> {
        coded(&self.severities, severities.map(|own| place(&Severity::ALL, own)))
    }

    /// A column of statuses.
    pub(crate) fn statuses(&self, statuses: impl Iterator<Item = Status>) -> Result<ArrayRef, ArrowError> {
        coded(&self.statuses, statuses.map(|own| place(&Status::ALL, own)))
    }

    /// A column of types of resources.
    pub(crate) fn resource_types(&self, types: impl Iterator<Item = ResourceType>) -> Result<ArrayRef, ArrowError> {
        coded(&self.resource_types, types.map(|own| place(&ResourceType::ALL, own)))
    }
}

fn place<T: Copy + PartialEq>(all: &[T], own: T) -> usize {
    all.iter().position(|it| *it == own).unwrap_or(usize::MAX)
}

/// The key of a text, which is added if it is not there.
fn key<'a>(texts: &mut Vec<&'a str>, text: &'a str) -> u32 {
    let place = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
        texts.push(text);
        texts.len() - 1
    });
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A column whose rows have these of the texts.
///
/// # Errors
/// There are not that many texts.
pub(crate) fn coded(texts: &ArrayRef, keys: impl Iterator<Item = usize>) -> Result<ArrayRef, ArrowError> {
    let key = |key| u32::try_from(key).unwrap_or(u32::MAX);
    // A text may be null, as the names of accounts are, and then its rows are.
    let keys: UInt32Array = match texts.nulls() {
        None => UInt32Array::from_iter_values(keys.map(key)),
        Some(nulls) => keys.map(|own| nulls.is_valid(own).then(|| key(own))).collect(),
    };
    Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, Arc::clone(texts))?))
}

/// Rows of a table, with the types that their columns were built with: texts may come with a dictionary.
pub(crate) fn rows_of(table: &Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, ArrowError> {
    let schema = table.schema();
    let field = |(field, column): (&Arc<Field>, &ArrayRef)| {
        let is_built_so = field.data_type() == column.data_type();
        if is_built_so {
            Arc::clone(field)
        } else {
            Arc::new(field.as_ref().clone().with_data_type(column.data_type().clone()))
        }
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().zip(&columns).map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
