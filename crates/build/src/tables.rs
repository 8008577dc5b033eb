//! The tables of a run while they are written: chunks go in, in order, and parts come out.

use orgsweep_checks::{Checker, Tally};
use orgsweep_core::{Run, table};
use orgsweep_lake::{CommittedFile, CommittedTable, Coverage, Lake, LakeError, Part, TableWriter};

use crate::chunk::BuiltChunk;
use crate::compute::Compute;

/// The tables so far, and the numbers that the commit tells.
pub(crate) struct Tables {
    /// In the order of [`table::committed`].
    writers: Vec<TableWriter>,
    calls: TableWriter,
    pub(crate) coverage: Coverage,
    pub(crate) tallies: Vec<Tally>,
}

/// Full parts of each table, in the order of [`table::committed`].
pub(crate) type FullParts = Vec<Vec<Part>>;

impl Tables {
    pub(crate) fn new(checker: &Checker, part_bytes: usize) -> Self {
        Self {
            writers: table::committed().into_iter().map(|table| TableWriter::new(table, part_bytes)).collect(),
            // It is one file, whatever its size: a row for each call, and nobody queries it every day.
            calls: TableWriter::new(table::calls(), usize::MAX),
            coverage: Coverage::default(),
            tallies: checker.tallies(),
        }
    }

    /// Writes chunks in their order; the tables are encoded side by side.
    pub(crate) fn write(&mut self, compute: Compute, chunks: &[BuiltChunk]) -> Result<FullParts, LakeError> {
        for chunk in chunks {
            chunk.outcomes.iter().for_each(|outcome| self.coverage.count(*outcome));
            self.tallies.iter_mut().zip(&chunk.tallies).for_each(|(sum, tally)| *sum += tally);
            self.calls.write(&chunk.calls)?;
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
        Ok((last.collect::<Result<_, LakeError>>()?, self.calls.finish()?))
    }
}

/// The files of each table that are in the lake, in the order of [`table::committed`].
pub(crate) struct Files<'a> {
    lake: &'a Lake,
    run: &'a Run,
    by_table: [Vec<CommittedFile>; 4],
}

impl<'a> Files<'a> {
    pub(crate) fn new(lake: &'a Lake, run: &'a Run) -> Self {
        Self { lake, run, by_table: [const { Vec::new() }; 4] }
    }

    /// Puts parts that are full.
    pub(crate) async fn put(&mut self, parts: FullParts) -> Result<(), LakeError> {
        for (files, parts) in self.by_table.iter_mut().zip(parts) {
            for part in parts {
                files.push(self.lake.put_part(self.run, part).await?);
            }
        }
        Ok(())
    }

    /// The tables as a commit lists them.
    pub(crate) fn tables(self) -> Vec<CommittedTable> {
        let tables = table::committed().into_iter().zip(self.by_table);
        tables.map(|(table, files)| CommittedTable::new(table.name, files)).collect()
    }
}
