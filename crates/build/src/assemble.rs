//! The one loop of every build: chunks are read, worked on side by side, and written in their order.

use std::collections::VecDeque;

use orgsweep_checks::Checker;
use orgsweep_core::{Caller, Organization, Run, Timestamp};
use orgsweep_lake::{Commit, CommittedTable, Coverage, Lake};

use crate::BuildError;
use crate::chunk::BuiltChunk;
use crate::compute::Compute;
use crate::tables::{Files, FullParts, Sums, Tables};

/// Where chunks come from, in order of their accounts.
pub(crate) trait ChunkSource {
    /// A chunk as it was read, not worked on yet.
    type Chunk: Send + 'static;

    /// The next chunk; `None` at the end.
    fn next_chunk(&mut self) -> impl Future<Output = Result<Option<Self::Chunk>, BuildError>> + Send;
}

/// What a build wrote, and what it counted on the way.
pub(crate) struct Built {
    pub(crate) tables: Vec<CommittedTable>,
    pub(crate) sums: Sums,
}

/// Builds every chunk of the source into these tables of the run.
pub(crate) async fn assemble<S: ChunkSource>(
    (lake, run): (&Lake, &Run),
    tables: Tables,
    mut source: S,
    compute: Compute,
    build: impl Fn(&S::Chunk) -> Result<BuiltChunk, BuildError> + Clone + Send + Sync + 'static,
) -> Result<Built, BuildError> {
    let mut files = Files::new(lake, run, &tables);
    let (mut building, mut ready, mut ended) = (VecDeque::new(), Vec::new(), false);
    let mut writing = compute.run(move || Ok::<_, BuildError>((tables, FullParts::new())));
    // The next chunks are built while those before them are written, and parts are put beside both, so that no thread waits
    // for another.
    let tables = loop {
        while !ended && building.len() < compute.at_once() {
            match files.beside(source.next_chunk()).await? {
                Some(chunk) => {
                    let build = build.clone();
                    building.push_back(compute.run(move || build(&chunk)));
                }
                None => ended = true,
            }
        }
        if ready.len() < compute.window()
            && let Some(chunk) = building.pop_front()
        {
            ready.push(files.beside(chunk).await??);
            continue;
        }
        let (mut tables, parts) = files.beside(writing).await??;
        files.put(parts).await?;
        if ready.is_empty() {
            break tables;
        }
        let chunks = std::mem::take(&mut ready);
        writing = compute.run(move || {
            let parts = tables.write(compute, chunks)?;
            Ok((tables, parts))
        });
    };
    finish((lake, run), tables, files, compute).await
}

async fn finish(
    (lake, run): (&Lake, &Run),
    mut tables: Tables,
    mut files: Files<'_>,
    compute: Compute,
) -> Result<Built, BuildError> {
    let sums = std::mem::take(&mut tables.sums);
    let (last, calls) = files.beside(compute.run(move || tables.finish(compute))).await??;
    files.put(last).await?;
    if let Some(calls) = calls {
        files.beside(lake.put_calls(&run.run_id, calls)).await?;
    }
    Ok(Built { tables: files.tables().await?, sums })
}

impl Built {
    /// The commit of what was built.
    pub(crate) fn commit(
        self,
        run: &Run,
        (caller, organization): (&Caller, Option<&Organization>),
        coverage: Coverage,
        checker: &Checker,
    ) -> Commit {
        // Both are made of texts and numbers, which are JSON; null would stand for one that is not.
        let checks = self.sums.tallies.iter().map(|tally| serde_json::to_value(tally).unwrap_or_default());
        let exceptions = checker.exception_uses(&self.sums.excepted).into_iter();
        let exceptions = exceptions.map(|exception| serde_json::to_value(exception).unwrap_or_default());
        Commit {
            format_version: Commit::FORMAT_VERSION,
            run_id: run.run_id.clone(),
            as_of: run.as_of,
            committed_at: Timestamp::now(),
            orgsweep_version: run.orgsweep_version.clone(),
            rule_pack_sha256: run.rule_pack_sha256.clone(),
            recheck_of: run.recheck_of.clone(),
            caller: caller.clone(),
            organization: organization.cloned(),
            coverage,
            tables: self.tables,
            checks: checks.collect(),
            exceptions: exceptions.collect(),
        }
    }
}
