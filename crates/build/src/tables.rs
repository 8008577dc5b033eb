//! The tables of a run while they are written: chunks go in, in order, and parts come out.

use orgsweep_checks::{Checker, Tally};
use orgsweep_core::{Run, table};
use orgsweep_lake::{ColumnWork, CommittedFile, CommittedTable, Coverage, Lake, LakeError, Part, TableWriter, encode};

use crate::chunk::BuiltChunk;
use crate::compute::Compute;

/// The numbers that the commit tells.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) coverage: Coverage,
    pub(crate) tallies: Vec<Tally>,
    /// How many findings each exception covers.
    pub(crate) excepted: Vec<u64>,
}

/// The tables so far.
pub(crate) struct Tables {
    names: Vec<&'static str>,
    writers: Vec<TableWriter>,
    calls: Option<TableWriter>,
    pub(crate) sums: Sums,
}

/// Full parts of each table, in the order of the tables.
pub(crate) type FullParts = Vec<Vec<Part>>;

impl Tables {
    /// All that a sweep writes.
    pub(crate) fn of_sweep(checker: &Checker, part_bytes: usize) -> Self {
        // It is one file, whatever its size: a row for each call, and nobody queries it every day.
        let calls = TableWriter::of_one_part(table::calls());
        Self { calls: Some(calls), ..Self::new(&table::committed(), checker, part_bytes) }
    }

    /// All that is written of saved reports: a sweep's tables, without calls.
    pub(crate) fn of_reports(checker: &Checker, part_bytes: usize) -> Self {
        Self::new(&table::committed(), checker, part_bytes)
    }

    /// What a recheck writes: what the checks say.
    pub(crate) fn of_recheck(checker: &Checker, part_bytes: usize) -> Self {
        Self::new(&[table::findings(), table::check_results()], checker, part_bytes)
    }

    fn new(tables: &[&'static table::Table], checker: &Checker, part_bytes: usize) -> Self {
        let sums =
            Sums { coverage: Coverage::default(), tallies: checker.tallies(), excepted: checker.no_exceptions_used() };
        Self {
            names: tables.iter().map(|table| table.name).collect(),
            writers: tables.iter().map(|table| TableWriter::new(table, part_bytes)).collect(),
            calls: None,
            sums,
        }
    }

    /// Writes chunks in their order.
    pub(crate) fn write(&mut self, compute: Compute, chunks: Vec<BuiltChunk>) -> Result<FullParts, LakeError> {
        for chunk in chunks {
            self.sums.add(&chunk);
            for (writer, batch) in self.writers.iter_mut().zip(chunk.tables) {
                writer.push(batch);
            }
            if let (Some(writer), Some(calls)) = (&mut self.calls, chunk.calls) {
                writer.push(calls);
            }
        }
        self.encode(compute)
    }

    /// Ends every table: the last parts, and the calls.
    pub(crate) fn finish(mut self, compute: Compute) -> Result<(FullParts, Option<Part>), LakeError> {
        self.writers.iter_mut().chain(&mut self.calls).for_each(TableWriter::end);
        let mut parts = self.encode(compute)?;
        for (parts, writer) in parts.iter_mut().zip(self.writers) {
            parts.extend(writer.last_part()?);
        }
        let calls = self.calls.map(TableWriter::last_part).transpose()?.flatten();
        Ok((parts, calls))
    }

    /// Encodes what the writers were given: the columns of all tables side by side.
    fn encode(&mut self, compute: Compute) -> Result<FullParts, LakeError> {
        let tables = self.writers.len();
        let writers = self.writers.iter_mut().chain(&mut self.calls);
        let mut parts = encode(writers, |work| compute.map(work, ColumnWork::encode))?;
        // The calls never make a part full.
        parts.truncate(tables);
        Ok(parts)
    }
}

impl Sums {
    fn add(&mut self, chunk: &BuiltChunk) {
        chunk.outcomes.iter().for_each(|outcome| self.coverage.count(*outcome));
        self.tallies.iter_mut().zip(&chunk.tallies).for_each(|(sum, tally)| *sum += tally);
        self.excepted.iter_mut().zip(&chunk.excepted).for_each(|(sum, count)| *sum += count);
    }
}

/// The files of each table that are in the lake.
pub(crate) struct Files<'a> {
    lake: &'a Lake,
    run: &'a Run,
    by_table: Vec<(&'static str, Vec<CommittedFile>)>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(lake: &'a Lake, run: &'a Run, tables: &Tables) -> Self {
        Self { lake, run, by_table: tables.names.iter().map(|name| (*name, Vec::new())).collect() }
    }

    /// Puts parts that are full.
    pub(crate) async fn put(&mut self, parts: FullParts) -> Result<(), LakeError> {
        for ((_, files), parts) in self.by_table.iter_mut().zip(parts) {
            for part in parts {
                files.push(self.lake.put_part(self.run, part).await?);
            }
        }
        Ok(())
    }

    /// The tables as a commit lists them.
    pub(crate) fn tables(self) -> Vec<CommittedTable> {
        self.by_table.into_iter().map(|(name, files)| CommittedTable::new(name, files)).collect()
    }
}
