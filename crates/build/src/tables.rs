//! The tables of a run while they are written: chunks go in, in order, and parts come out.

use orgsweep_checks::{Checker, Tally};
use orgsweep_core::{Run, table};
use orgsweep_lake::{CommittedFile, CommittedTable, Coverage, Lake, LakeError, Part, TableWriter};

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
        let calls = TableWriter::new(table::calls(), usize::MAX);
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

    /// Writes chunks in their order; the tables are encoded side by side.
    pub(crate) fn write(&mut self, compute: Compute, chunks: &[BuiltChunk]) -> Result<FullParts, LakeError> {
        for chunk in chunks {
            self.sums.add(chunk);
            if let (Some(writer), Some(calls)) = (&mut self.calls, &chunk.calls) {
                writer.write(calls)?;
            }
        }
        let writers = self.writers.iter_mut().enumerate().collect();
        let encoded = compute.map(writers, |(index, writer): (usize, &mut TableWriter)| {
            let batches = chunks.iter().filter_map(|chunk| chunk.tables.get(index));
            batches.filter_map(|batch| writer.write(batch).transpose()).collect::<Result<Vec<_>, _>>()
        });
        encoded.into_iter().collect()
    }

    /// Ends every table: the last parts, and the calls.
    pub(crate) fn finish(self) -> Result<(FullParts, Option<Part>), LakeError> {
        let last = self.writers.into_iter().map(|writer| Ok(writer.finish()?.into_iter().collect()));
        let calls = self.calls.map(TableWriter::finish).transpose()?.flatten();
        Ok((last.collect::<Result<_, LakeError>>()?, calls))
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
