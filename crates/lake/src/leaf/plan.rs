//! How each column is encoded, and what readers can prune it by.

use orgsweep_core::table::Table;
use parquet::basic::Type;
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

/// Texts that are their neighbours' but for an end or a middle: a third of the bytes that a dictionary takes,
/// and a fifth of those that are left to compress.
const ALIKE: [&str; 6] = ["user", "arn", "resource_id", "message", "command", "evidence.list.item.value"];

/// Texts that have nothing in common, or may be long.
const PLAIN: [&str; 2] = ["finding_id", "quarantined_rows.list.item.text"];

/// Columns that are read and not searched: the least and the greatest of their texts would prune nothing.
const TOLD: [(&str, &str); 7] = [
    ("accounts", "quarantined_rows"),
    ("findings", "message"),
    ("findings", "remediation"),
    ("findings", "command"),
    ("findings", "evidence"),
    ("findings", "frameworks"),
    ("findings", "finding_id"),
];

/// The level that all published figures are made with; higher ones cost more time than they save bytes.
const ZSTD_LEVEL: i32 = 3;

/// Texts from templates repeat themselves, so the lowest level finds as much: 2 % more bytes of findings, and of
/// a build a quarter less time in the compressor.
const TOLD_ZSTD_LEVEL: i32 = 1;

/// Columns that single values are looked up in.
const LOOKED_UP: [&str; 2] = ["account_id", "user"];

/// One in fifty lookups reads a row group in vain: 8 bits a value.
const BLOOM_FILTER_FPP: f64 = 0.02;

/// What one leaf of a column is.
#[derive(Debug, Clone)]
pub(crate) struct LeafPlan {
    pub(super) described: ColumnDescPtr,
    pub(super) values: Values,
    /// Whether pages and chunks tell their least and greatest value.
    pub(super) has_bounds: bool,
    /// The level that its pages are compressed with.
    pub(super) zstd_level: i32,
    /// Values of a row group at most, if readers look single ones up.
    looked_up_in: Option<u64>,
}

/// How values are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Bits.
    Flags,
    /// Deltas of 32 bits.
    Narrow,
    /// Deltas of 64 bits.
    Wide,
    /// Texts that repeat: a dictionary, until it is too large.
    Few,
    /// Texts that resemble their neighbours: what these do not have.
    Alike,
    /// Texts that have nothing in common, and so no bounds.
    Plain,
}

impl LeafPlan {
    /// The plan for a leaf of this table, whose row groups have so many rows at most.
    pub(crate) fn of(table: &Table, described: &ColumnDescPtr, group_rows: usize) -> Result<Self> {
        let path = described.path().string();
        let root = described.path().parts().first();
        let is_told = TOLD.iter().any(|(of, name)| table.name == *of && root.is_some_and(|root| root == name));
        let values = match described.physical_type() {
            Type::BOOLEAN => Values::Flags,
            Type::INT32 => Values::Narrow,
            Type::INT64 => Values::Wide,
            Type::BYTE_ARRAY if PLAIN.contains(&path.as_str()) => Values::Plain,
            Type::BYTE_ARRAY if ALIKE.contains(&path.as_str()) => Values::Alike,
            Type::BYTE_ARRAY => Values::Few,
            other => return Err(ParquetError::NYI(format!("{path}: no column of the lake has the type {other}"))),
        };
        Ok(Self {
            values,
            has_bounds: !is_told,
            zstd_level: if is_told { TOLD_ZSTD_LEVEL } else { ZSTD_LEVEL },
            looked_up_in: LOOKED_UP.contains(&path.as_str()).then_some(group_rows as u64),
            described: described.clone(),
        })
    }

    /// A filter without values, for a column that single values are looked up in. Where fewer values differ than there are
    /// rows, it is folded to what they need.
    pub(super) fn new_filter(&self) -> Option<Sbbf> {
        Sbbf::new_with_ndv_fpp(self.looked_up_in?, BLOOM_FILTER_FPP).ok()
    }

    /// A filter as small as its values allow.
    pub(super) fn folded(filter: Option<Sbbf>) -> Option<Sbbf> {
        let mut filter = filter?;
        filter.fold_to_target_fpp(BLOOM_FILTER_FPP);
        Some(filter)
    }
}

/// Whether rows of the table are sorted by user within an account.
pub(crate) fn is_sorted_by_user(table: &Table) -> bool {
    matches!(table.name, "credentials" | "credential_report")
}
