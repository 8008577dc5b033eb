//! What all visits of one sweep share: whom they ask and how, what earlier processes did, and the limits they keep
//! together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use orgsweep_cloud::{Cloud, session_policy};
use orgsweep_core::{Account, AccountId, Caller, ReportFacts, RunId, Source, Sources, Timestamp};
use orgsweep_lake::{Journalled, Lake};

use crate::making::Making;
use crate::memory::ReportMemory;
use crate::pace::Pace;
use crate::progress::Progress;
use crate::proof::EARLIER_ACCOUNTS;
use crate::run::Sweep;
use crate::settings::SweepSettings;

/// What every visit shares.
pub(crate) struct Sweeper {
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) settings: SweepSettings,
    pub(crate) caller: Caller,
    pub(crate) management: Option<AccountId>,
    pub(crate) lake: Lake,
    pub(crate) run_id: RunId,
    pub(crate) settled: HashSet<AccountId>,
    pub(crate) carried: Arc<HashMap<AccountId, ReportFacts>>,
    /// Some accounts that other shares ask.
    pub(crate) elsewhere: Vec<AccountId>,
    pub(crate) root_granted: bool,
    pub(crate) as_of: Timestamp,
    pub(crate) policy: Arc<str>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) making: Making,
    pub(crate) memory: ReportMemory,
    pub(crate) progress: Arc<Progress>,
}

impl Sweeper {
    /// What the visits of this sweep share, which goes on from what is journalled.
    pub(crate) fn new(sweep: &Sweep, earlier: Journalled, pace: &Arc<Pace>) -> Self {
        let elsewhere = sweep.plan.as_ref().map(|plan| sweep.share.elsewhere(plan, EARLIER_ACCOUNTS));
        let mut sweeper = Self {
            cloud: Arc::clone(&sweep.cloud),
            settings: sweep.settings.clone(),
            caller: sweep.discovered.caller.clone(),
            management: sweep.discovered.organization.as_ref().map(|organization| organization.management_account_id),
            lake: sweep.lake.clone(),
            run_id: sweep.run.run_id.clone(),
            settled: HashSet::new(),
            carried: Arc::clone(&sweep.carried),
            elsewhere: elsewhere.unwrap_or_default(),
            root_granted: false,
            as_of: sweep.run.as_of,
            policy: Arc::from(session_policy(sweep.settings.optional)),
            pace: Arc::clone(pace),
            making: Making::new(sweep.share.part_of(sweep.settings.reports_in_making)),
            memory: ReportMemory::new(sweep.settings.report_bytes),
            progress: Arc::clone(&sweep.progress),
        };
        sweeper.root_granted = sweeper.shows_root_session(&earlier);
        sweeper.settled = earlier.settled;
        sweeper
    }

    /// The optional sources that this account is asked. The management account's own root user cannot be audited.
    pub(crate) fn optional_of(&self, account: &Account) -> Sources {
        let optional = self.settings.optional;
        if self.management == Some(account.id) {
            optional.without(Source::ROOT_AUDIT.into_iter().collect())
        } else {
            optional
        }
    }
}
