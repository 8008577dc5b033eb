//! The tables of a run while they are written: chunks go in, in order, and parts come out.

use std::pin::{Pin, pin};

use orgsweep_checks::{Checker, Tally};
use orgsweep_core::{Run, table};
use orgsweep_lake::{ColumnWork, CommittedFile, CommittedTable, Coverage, Lake, LakeError, Part, TableWriter, encode};

use crate::BuildError;
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

/// The files of each table that are in the lake, and parts that are on their way there.
pub(crate) struct Files<'a> {
    lake: &'a Lake,
    run: &'a Run,
    by_table: Vec<(&'static str, Vec<CommittedFile>)>,
    under_way: Option<UnderWay<'a>>,
}

/// The files of each table that come of parts.
type UnderWay<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<CommittedFile>>, LakeError>> + Send + 'a>>;

impl<'a> Files<'a> {
    pub(crate) fn new(lake: &'a Lake, run: &'a Run, tables: &Tables) -> Self {
        let by_table = tables.names.iter().map(|name| (*name, Vec::new())).collect();
        Self { lake, run, by_table, under_way: None }
    }

    /// Sends parts that are full on their way, once those before them have arrived: no more than that is held.
    pub(crate) async fn put(&mut self, parts: FullParts) -> Result<(), BuildError> {
        if parts.iter().any(|parts| !parts.is_empty()) {
            self.arrive().await?;
            self.under_way = Some(Box::pin(put(self.lake, self.run, parts)));
        }
        Ok(())
    }

    /// Waits for something else, while parts go on their way.
    pub(crate) async fn beside<T, E>(&mut self, other: impl Future<Output = Result<T, E>>) -> Result<T, BuildError>
    where
        BuildError: From<E>,
    {
        let mut other = pin!(other);
        loop {
            let Some(under_way) = &mut self.under_way else { return Ok(other.await?) };
            tokio::select! {
                biased;
                done = &mut other => return Ok(done?),
                files = under_way => {
                    self.under_way = None;
                    self.add(files?);
                }
            }
        }
    }

    async fn arrive(&mut self) -> Result<(), BuildError> {
        if let Some(under_way) = self.under_way.take() {
            self.add(under_way.await?);
        }
        Ok(())
    }

    fn add(&mut self, files: Vec<Vec<CommittedFile>>) {
        self.by_table.iter_mut().zip(files).for_each(|((_, all), files)| all.extend(files));
    }

    /// The tables as a commit lists them, once all parts have arrived.
    pub(crate) async fn tables(mut self) -> Result<Vec<CommittedTable>, BuildError> {
        self.arrive().await?;
        Ok(self.by_table.into_iter().map(|(name, files)| CommittedTable::new(name, files)).collect())
    }
}

async fn put(lake: &Lake, run: &Run, parts: FullParts) -> Result<Vec<Vec<CommittedFile>>, LakeError> {
    let mut files = Vec::with_capacity(parts.len());
    for parts in parts {
        let mut of_table = Vec::with_capacity(parts.len());
        for part in parts {
            of_table.push(lake.put_part(run, part).await?);
        }
        files.push(of_table);
    }
    Ok(files)
}
