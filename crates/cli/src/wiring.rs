//! From checked settings to what the rooms take: one function for each, and nothing decided here.

use orgsweep_aws::{Connection, Timeouts};
use orgsweep_build::BuildOptions;
use orgsweep_core::{Source, Sources};
use orgsweep_lake::RollPolicy;
use orgsweep_sweep::{Patience, RoleSettings, Selection, SweepSettings};

use crate::settings::{Config, Machine};

/// How AWS is reached.
pub fn connection(config: &Config) -> Connection {
    Connection { region: config.region.clone(), partition: config.partition, timeouts: timeouts(config) }
}

/// How long requests may take.
pub fn timeouts(config: &Config) -> Timeouts {
    Timeouts { connect: config.sweep.connect_timeout, read: config.sweep.read_timeout }
}

/// Which accounts are asked.
pub fn selection(config: &Config) -> Selection {
    Selection {
        include: config.accounts.include.iter().copied().collect(),
        exclude: config.accounts.exclude.iter().copied().collect(),
        units: config.accounts.ous.iter().cloned().collect(),
        exclude_units: config.accounts.exclude_ous.iter().cloned().collect(),
    }
}

/// Which optional sources are asked.
pub fn optional_sources(config: &Config) -> Sources {
    let wanted = &config.sweep.optional;
    let of = |is_wanted: bool, sources: &[Source]| {
        if is_wanted { sources.iter().copied().collect() } else { Sources::NONE }
    };
    of(wanted.root_audit, &Source::ROOT_AUDIT)
        .union(of(wanted.key_ids, &[Source::AccessKeyIds]))
        .union(of(wanted.account_tags, &[Source::AccountTags]))
}

/// Which optional sources are not.
pub fn unasked_sources(config: &Config) -> Sources {
    let optional: Sources = Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect();
    optional.without(optional_sources(config))
}

/// How they are asked.
pub fn sweep_settings(config: &Config) -> SweepSettings {
    let sweep = &config.sweep;
    SweepSettings {
        role: RoleSettings {
            partition: config.partition,
            name: config.role.name.clone(),
            external_id: config.role.external_id.clone(),
            session_name: config.role.session_name.clone(),
            session_duration: config.role.session_duration,
        },
        patience: Patience {
            attempts: sweep.attempts,
            call_timeout: sweep.call_timeout,
            report_deadline: sweep.report_deadline,
            account_deadline: sweep.account_deadline,
            politeness: sweep.politeness,
            pacing: sweep.pacing,
        },
        max_report_age: sweep.max_report_age,
        optional: optional_sources(config),
        key_ids_max: sweep.optional.key_ids_max,
        accounts_in_flight: sweep.accounts_in_flight,
        reports_in_making: sweep.reports_in_making,
        report_bytes: sweep.report_bytes,
        seed: fastrand::u64(..),
    }
}

/// When segments of the journal are closed.
pub fn roll_policy(config: &Config) -> RollPolicy {
    RollPolicy { max_bytes: config.journal.roll_bytes, max_age: config.journal.roll_age }
}

/// How tables are built.
pub fn build_options(config: &Config) -> BuildOptions {
    BuildOptions { part_bytes: config.part_bytes, ..BuildOptions::default() }
}

/// A name that no other process has: in containers, hosts and process ids alike repeat themselves.
pub fn worker(machine: &Machine) -> String {
    let host = machine.host.as_deref().unwrap_or("host");
    let host: String =
        host.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(40).collect();
    format!("{host}-{}-{:08x}", std::process::id(), fastrand::u32(..))
}
