//! `orgsweep demo`: a simulated organization in this process, swept over HTTP by the real scan.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use orgsweep_aws::{AwsCloud, Server};
use orgsweep_lake::Lake;
use orgsweep_sim::{CALLER_ACCESS_KEY_ID, CALLER_SECRET_ACCESS_KEY, SimSettings, Simulation};
use tokio::net::TcpListener;

use crate::args::DemoArgs;
use crate::failure::{Failure, Outcome};
use crate::logging::Screen;
use crate::scan::scan_cloud;
use crate::settings::Loaded;
use crate::wiring::timeouts;

/// Marks a folder that a demo made and the next one may delete.
const MARKER: &str = ".orgsweep-demo";

const MARK: &str = "Made by `orgsweep demo`, which deletes this folder when it runs again.\n";

/// Sweeps the simulated organization and shows the result.
///
/// # Errors
/// As a scan; and where the lake's folder holds something that no demo made.
pub async fn demo(args: &DemoArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let config = &loaded.config;
    make_anew(Path::new(&config.lake)).map_err(Failure::usage)?;
    let settings = SimSettings { accounts: args.accounts - 1, seed: args.seed, ..SimSettings::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Failure::not_committed)?;
    let server = Server {
        endpoint: format!("http://{}", listener.local_addr().map_err(Failure::not_committed)?),
        region: settings.region.clone(),
        access_key_id: CALLER_ACCESS_KEY_ID.to_owned(),
        secret_access_key: CALLER_SECRET_ACCESS_KEY.to_owned(),
    };
    let serving = tokio::spawn(orgsweep_sim::serve(listener, Arc::new(Simulation::new(&settings))));
    let cloud = AwsCloud::connect_to(&server, timeouts(config));
    let lake = Lake::open_or_create(&config.lake).await.map_err(Failure::not_committed)?;
    if !screen.quiet && !screen.json {
        eprintln!("Sweeping a simulated organization of {} accounts at {}", args.accounts, server.endpoint);
    }
    let outcome = Box::pin(scan_cloud(Arc::new(cloud), &lake, loaded, screen)).await;
    serving.abort();
    outcome
}

/// Leaves an empty folder, marked as a demo's. Only what a demo made is deleted.
fn make_anew(folder: &Path) -> anyhow::Result<()> {
    let named = || format!("the demo's lake {} cannot be made anew", folder.display());
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(named),
        Ok(mut entries) => {
            if entries.next().is_some() && !folder.join(MARKER).exists() {
                let told = "{} is not empty, and no demo made it: name another folder with --lake";
                return Err(anyhow!(told.replace("{}", &folder.display().to_string())));
            }
            fs::remove_dir_all(folder).with_context(named)?;
        }
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(named)?;
    let marker = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(MARKER));
    marker.and_then(|mut file| file.write_all(MARK.as_bytes())).with_context(named)
}
