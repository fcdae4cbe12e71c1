//! What is checked before anything is started: that whoever is to answer is there, and that files can be written.

use std::{fs::File, path::Path, time::Duration};

use serinus_prom::Client;

use crate::{
    arguments::Arguments,
    label::Label,
    manifest::Manifest,
    problem::{Because as _, Problem},
    prometheus,
    session::beside,
    stage,
};

/// Whether a run with these arguments can begin.
pub(crate) async fn check(arguments: &Arguments, manifest: &Manifest) -> Result<(), Problem> {
    if arguments.envoy.is_some() {
        stage::envoy_program()?;
    }
    match arguments.prometheus.as_deref() {
        Some(address) if address != "auto" => answers(address).await?,
        _ if arguments.uses_prometheus() => prometheus::program().map(drop)?,
        _ => {}
    }
    if let Some(state) = &arguments.state {
        if arguments.record.as_ref() == Some(state) {
            let message =
                format!("--state and --record both name `{}`: give each its own file", state.display());
            return Err(Problem::new(message));
        }
        is_writable(state)?;
        Label::new(manifest, arguments.fault).claim(state)?;
    }
    Ok(())
}

/// Whether there is a Prometheus at an address.
async fn answers(address: &str) -> Result<(), Problem> {
    let client = Client::builder(address)
        .timeout(PATIENCE)
        .build()
        .because("cannot use what --prometheus names")
        .map_err(|problem| problem.remedy("or start one of its own with --prometheus auto"))?;
    client.query("vector(1)", None).await.map(drop).because("cannot use what --prometheus names").map_err(
        |problem| problem.remedy("give the address of one that runs, or start one with --prometheus auto"),
    )
}

/// Whether a state can be kept in this file. The store opens the same file for its lock.
fn is_writable(state: &Path) -> Result<(), Problem> {
    let place = state.display();
    if state.is_dir() {
        return Err(Problem::new(format!("cannot keep the state in `{place}`, a folder: name a file in it")));
    }
    File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(beside(state, "lock"))
        .map(drop)
        .because(format!("cannot keep the state in `{place}`"))
        .map_err(|problem| problem.remedy(REMEDY))
}

/// What to do about a file that cannot be written.
pub(crate) const REMEDY: &str = "make its folder and let it be written, or name another file";
const PATIENCE: Duration = Duration::from_secs(5);
