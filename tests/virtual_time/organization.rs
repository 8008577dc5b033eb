//! A simulated organization, and attempts at sweeping it into a lake in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use orgsweep_build::{BuildOptions, Compute, build_run};
use orgsweep_checks::{Basis, Checker, RulePack, RuleSet};
use orgsweep_cloud::Cloud;
use orgsweep_core::{Account, AccountId, Caller, Plan, ReportFacts, Run, RunId, Source, Sources, Timestamp};
use orgsweep_lake::{Commit, Lake, RollPolicy};
use orgsweep_sim::{Action, Model, Profile, RoleStanding, SimCloud, SimSettings, Simulation};
use orgsweep_sweep::{
    Patience, Progress, RoleSettings, Selection, Share, Stop, Sweep, SweepError, SweepSettings, Swept, identify,
    rejoin, survey,
};

use crate::faulty::{Fault, FaultyCloud};

/// 2026-11-22T10:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// The calls that every sweep makes in an account.
const ASKED: [Action; 7] = [
    Action::GenerateCredentialReport,
    Action::GetCredentialReport,
    Action::GetAccountSummary,
    Action::GetAccountPasswordPolicy,
    Action::ListVirtualMfaDevices,
    Action::ListAccountAliases,
    Action::GetAlternateContact,
];

/// A simulated organization whose facts and report times stand still.
pub(crate) struct Organization {
    settings: SimSettings,
    simulation: Arc<Simulation>,
}

impl Organization {
    pub(crate) fn new(members: u32, profile: Profile) -> Self {
        Self::with(|settings| {
            settings.accounts = members;
            settings.profile = profile;
        })
    }

    pub(crate) fn with(change: impl FnOnce(&mut SimSettings)) -> Self {
        let mut settings = SimSettings { accounts: 20, users_per_account: 5, now: Some(NOW), ..SimSettings::default() };
        change(&mut settings);
        let simulation = Arc::new(Simulation::new(&settings));
        Self { settings, simulation }
    }

    /// The account that the caller is in.
    pub(crate) fn management_account(&self) -> AccountId {
        self.simulation.model().account_id(0)
    }

    /// Accounts that the model says can be read whole, in part, not at all, and those not to be asked.
    pub(crate) fn expected_coverage(&self) -> (u64, u64, u64, u64) {
        let model = Model::new(&self.settings);
        let (mut swept, mut partial, mut failed, mut skipped) = (0, 0, 0, 0);
        for index in 0..model.accounts() {
            let standing = model.standing(index);
            if !standing.state.is_usable() {
                skipped += 1;
            } else if index > 0 && standing.role != RoleStanding::Granted {
                failed += 1;
            } else if standing.denied_calls.iter().any(|action| ASKED.contains(&action)) {
                partial += 1;
            } else {
                swept += 1;
            }
        }
        (swept, partial, failed, skipped)
    }
}

/// One run over an organization, which may take several sweeps.
pub(crate) struct Attempt {
    pub(crate) cloud: Arc<SimCloud>,
    pub(crate) store: Arc<InMemory>,
    pub(crate) run: Run,
    pub(crate) progress: Arc<Progress>,
    pub(crate) seed: u64,
    pub(crate) role: String,
    pub(crate) external_id: Option<String>,
    pub(crate) fault: Option<Fault>,
    pub(crate) optional: Sources,
    pub(crate) share: Share,
    pub(crate) worker: String,
    pub(crate) warm: Vec<Account>,
    pub(crate) carried: Arc<HashMap<AccountId, ReportFacts>>,
    pub(crate) account_deadline: Duration,
}

impl Attempt {
    pub(crate) fn new(organization: &Organization) -> Self {
        let run = Run {
            run_id: RunId::new(NOW, 1),
            as_of: NOW,
            started_at: NOW,
            caller: Caller {
                account_id: AccountId::from_number(1),
                arn: "arn:aws:iam::000000000001:user/a".to_owned(),
            },
            organization: None,
            orgsweep_version: "0.0.0".to_owned(),
            rule_pack_sha256: rules().sha256(),
            unasked: Sources::NONE,
            recheck_of: None,
            carry_from: None,
            settings: serde_json::Map::new(),
        };
        Self {
            cloud: Arc::new(SimCloud::new(Arc::clone(&organization.simulation))),
            store: Arc::new(InMemory::new()),
            run,
            progress: Arc::new(Progress::default()),
            seed: 7,
            role: "orgsweep-scanner".to_owned(),
            external_id: None,
            fault: None,
            optional: Sources::NONE,
            share: Share::WHOLE,
            worker: "test".to_owned(),
            warm: Vec::new(),
            carried: Arc::default(),
            account_deadline: Patience::default().account_deadline,
        }
    }

    pub(crate) fn lake(&self) -> Lake {
        Lake::over(Arc::clone(&self.store) as Arc<dyn ObjectStore>, "memory")
    }

    /// Writes the plan, and asks no account.
    pub(crate) async fn plan(&self) -> Plan {
        let plan = survey(&*self.cloud(), &self.settings(), &Selection::default(), &Progress::default()).await;
        let plan = plan.expect("the organization can be listed");
        self.lake().write_plan(&self.run.run_id, &plan).await.expect("the store answers")
    }

    /// Sweeps what an earlier sweep of this attempt has not settled.
    pub(crate) async fn sweep(&self) -> Result<Swept, SweepError> {
        self.sweep_with(Stop::new()).await
    }

    /// Sweeps, and is stopped after this long.
    pub(crate) async fn sweep_until(&self, time: Duration) -> Result<Swept, SweepError> {
        let stop = Stop::new();
        let stopping = async {
            tokio::time::sleep(time).await;
            stop.stop();
        };
        let (ended, ()) = tokio::join!(self.sweep_with(stop.clone()), stopping);
        ended
    }

    async fn sweep_with(&self, stop: Stop) -> Result<Swept, SweepError> {
        let lake = self.lake();
        let plan = lake.read_plan(&self.run.run_id).await.expect("the store answers");
        let (settings, cloud) = (self.settings(), self.cloud());
        let discovered = match &plan {
            Some(plan) => rejoin(&*cloud, &settings, plan, &self.progress).await?,
            None => identify(&*cloud, &settings, &self.progress).await?,
        };
        let sweep = Sweep {
            cloud,
            discovered,
            lake,
            run: self.run.clone(),
            plan,
            share: self.share,
            warm: self.warm.clone(),
            carried: Arc::clone(&self.carried),
            selection: Selection::default(),
            settings,
            roll: RollPolicy { max_bytes: 64 << 10, max_age: Duration::from_millis(500) },
            worker: self.worker.clone(),
            began_at: Timestamp::now(),
            progress: Arc::clone(&self.progress),
            stop,
        };
        sweep.run().await
    }

    pub(crate) fn cloud(&self) -> Arc<dyn Cloud> {
        let inner = Arc::clone(&self.cloud);
        match &self.fault {
            None => inner,
            Some(fault) => Arc::new(FaultyCloud::new(inner, Arc::clone(fault))),
        }
    }

    pub(crate) fn settings(&self) -> SweepSettings {
        SweepSettings {
            role: RoleSettings {
                name: self.role.clone(),
                external_id: self.external_id.clone(),
                ..RoleSettings::default()
            },
            patience: Patience { account_deadline: self.account_deadline, ..Patience::default() },
            optional: self.optional,
            accounts_in_flight: 100,
            reports_in_making: 100,
            report_bytes: 8 << 20,
            seed: self.seed,
            ..SweepSettings::default()
        }
    }

    /// The checker of the run.
    pub(crate) fn checker(&self) -> Checker {
        let optional: Sources = Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect();
        let basis = Basis { as_of: self.run.as_of, unasked: optional.without(self.optional) };
        Checker::compile(&rules(), basis).expect("the pack compiles")
    }

    /// Builds the run and commits it.
    pub(crate) async fn commit(&self) -> Commit {
        let lake = self.lake();
        let plan = lake.read_plan(&self.run.run_id).await.expect("the store answers").expect("the sweep wrote a plan");
        let checker = Arc::new(self.checker());
        let options = BuildOptions { compute: Compute::Inline, ..BuildOptions::default() };
        build_run(&lake, &self.run, &plan, &checker, &options).await.expect("the run can be built")
    }

    /// The committed table files: name and bytes of each.
    pub(crate) async fn table_bytes(&self) -> Vec<(String, Vec<u8>)> {
        let objects: Vec<_> = self.store.list(None).try_collect().await.expect("the store answers");
        let mut tables = Vec::new();
        for object in objects {
            let name = object.location.to_string();
            if name.starts_with('_') {
                continue;
            }
            let bytes = self.store.get(&object.location).await.expect("it is there").bytes().await.expect("it reads");
            tables.push((name, bytes.to_vec()));
        }
        tables.sort();
        tables
    }
}

/// The rules that orgsweep comes with.
fn rules() -> RuleSet {
    RulePack::embedded().expect("the pack is whole").into()
}
