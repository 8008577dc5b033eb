//! Compliance of a committed run: its tables judged again, account by account, and counted by the controls of a
//! framework. Nothing is written.

use std::sync::Arc;

use orgsweep_checks::{Checker, Compliance};
use orgsweep_core::table;
use orgsweep_lake::{Commit, Lake};

use crate::BuildError;
use crate::assemble::ChunkSource;
use crate::chunk::{ChunkLimits, joined, judge};
use crate::committed::CommittedChunks;
use crate::compute::Compute;

/// Counts every account of a committed run; `checker` judges by the rules that `compliance` was made of.
///
/// # Errors
/// The lake fails, the run's tables are damaged or of another version, or the checks cannot be evaluated.
pub async fn comply(
    lake: &Lake,
    commit: &Commit,
    checker: &Arc<Checker>,
    mut compliance: Compliance,
    compute: Compute,
) -> Result<Compliance, BuildError> {
    let mut chunks = CommittedChunks::new(lake, commit, ChunkLimits::STANDARD);
    loop {
        let window = next_window(&mut chunks, compute.window()).await?;
        if window.is_empty() {
            return Ok(compliance);
        }
        let checker = Arc::clone(checker);
        let counted = compute.run(move || {
            let judged = compute.map(window, |chunk| judge(&checker, &chunk.accounts, &joined(&chunk)?));
            for verdicts in judged {
                compliance.add(&verdicts?).map_err(BuildError::columns(table::check_results().name))?;
            }
            Ok::<_, BuildError>(compliance)
        });
        compliance = counted.await??;
    }
}

/// The next chunks, as many as `count`; none at the end.
async fn next_window<S: ChunkSource>(source: &mut S, count: usize) -> Result<Vec<S::Chunk>, BuildError> {
    let mut window = Vec::with_capacity(count);
    while window.len() < count {
        let Some(chunk) = source.next_chunk().await? else { break };
        window.push(chunk);
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use orgsweep_checks::{Framework, RulePack, RuleSet};

    use super::*;
    use crate::build_run;
    use crate::fixture::{basis, checker, journal, lake, many, options, plan, run};

    #[tokio::test]
    async fn every_account_of_a_committed_run_is_counted() {
        let store = Arc::new(InMemory::new());
        journal(&lake(&store), "w", &[many(700)]).await;
        let (plan, options) = (plan(0..700, &[5]), options(Compute::Inline));
        let commit = build_run(&lake(&store), &run(), &plan, &checker(), &options).await.unwrap();
        let framework = Framework::find(Framework::embedded().unwrap(), "cis-5.0").unwrap();
        let rules = RuleSet::from(RulePack::embedded().unwrap());
        let rules = rules.by_default(|rule| rule.frameworks.contains_key(&framework.id));
        let standard = Arc::new(Checker::compile(&rules, basis()).unwrap());
        let mut counted = Vec::new();
        for compute in [Compute::Inline, Compute::Rayon] {
            let compliance = Compliance::new(&framework, rules.rules());
            let compliance = comply(&lake(&store), &commit, &standard, compliance, compute).await.unwrap();
            counted.push(compliance.finish());
        }
        assert_eq!(counted[0], counted[1]);
        for result in counted[0].iter().filter(|result| !result.checks.is_empty()) {
            assert_eq!(result.passed + result.failed + result.unknown + result.not_applicable, 700);
        }
    }
}
