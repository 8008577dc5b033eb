//! `orgsweep sim`: a simulated organization, served over HTTP until somebody ends it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use orgsweep_core::OrganizationFeatures;
use orgsweep_sim::{
    HostileFault, Hostility, Mix, Model, PerMille, Profile, SimSettings, Simulation, Unreadable, client_environment,
};
use tokio::net::TcpListener;

use crate::args::{SimArgs, SimProfile};
use crate::failure::{Failure, Outcome};

/// Serves until a signal comes.
///
/// # Errors
/// Where the address cannot be listened on, or the file of truth cannot be written.
pub async fn serve(args: &SimArgs) -> Result<Outcome, Failure> {
    let settings = settings(args);
    let simulation = Arc::new(Simulation::new(&settings));
    if let Some(path) = &args.truth {
        write_truth(simulation.model(), path).map_err(Failure::usage)?;
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("the simulated organization cannot listen on {}", args.listen))
        .map_err(Failure::usage)?;
    let address = listener.local_addr().map_err(Failure::not_committed)?;
    announce(&format!("http://{address}"), &settings.region).map_err(Failure::not_committed)?;
    tokio::select! {
        never = orgsweep_sim::serve(listener, simulation) => match never {},
        _ = tokio::signal::ctrl_c() => Ok(Outcome::Done),
    }
}

/// The profile that a flag names.
pub fn profile(profile: SimProfile) -> Profile {
    match profile {
        SimProfile::Instant => Profile::instant(),
        SimProfile::Aws => Profile::aws(),
        SimProfile::Hostile => Profile::hostile(),
    }
}

fn settings(args: &SimArgs) -> SimSettings {
    let defaults = SimSettings::default();
    let unreadable = Unreadable { denied: args.deny.clone(), ..defaults.mix.unreadable.clone() };
    SimSettings {
        accounts: args.accounts,
        users_per_account: args.users_per_account,
        seed: args.seed,
        now: args.now,
        profile: with_faults(profile(args.profile), &args.fault),
        role_name: args.role_name.clone(),
        external_id: args.external_id.clone(),
        features: OrganizationFeatures {
            root_credentials_management: !args.no_central_root_access,
            root_sessions: !args.no_central_root_access && defaults.features.root_sessions,
        },
        mix: Mix { unreadable, ..defaults.mix.clone() },
        ..defaults
    }
}

/// The profile with these faults as common as was asked.
fn with_faults(profile: Profile, faults: &[(HostileFault, PerMille)]) -> Profile {
    let with = |hostility: Hostility, (fault, share): &(HostileFault, PerMille)| hostility.with(*fault, *share);
    Profile { hostility: faults.iter().fold(profile.hostility.clone(), with), ..profile }
}

fn write_truth(model: &Model, path: &Path) -> anyhow::Result<()> {
    let written = || format!("the truth cannot be written to {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(written)?);
    orgsweep_sim::write_truth(model, &mut file).with_context(written)?;
    file.flush().with_context(written)
}

/// The address first, for whoever waits for it; then what a shell needs to ask here.
fn announce(endpoint: &str, region: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {endpoint}")?;
    for (name, value) in client_environment(endpoint, region) {
        writeln!(out, "export {name}={value}")?;
    }
    out.flush()
}
