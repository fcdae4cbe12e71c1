//! Surroundings that outlive the rollout's process, so that a rollout that was killed finds them again.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use serde::{Deserialize, Serialize};

use crate::{
    problem::{Because as _, Problem},
    process::last_lines,
    server::{self, serve},
    stage::{Plane, Stage, Wanted},
};

/// Where everything is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Addresses {
    control: String,
    admin: String,
    prometheus: String,
    metrics: String,
}

/// The surroundings in `folder`: those that are up or coming up, or new ones in a process of their own.
pub(crate) async fn find_or_start(wanted: &Wanted, folder: &Path) -> Result<(Stage, Lease), Problem> {
    let cannot = || format!("cannot start the surroundings in `{}`", folder.display());
    let log_path = beside(folder, "log");
    let mut process: Option<Child> = None;
    for _ in 0..600 {
        if let Some(found) = find(folder).await {
            return Ok(found);
        }
        let is_ours_gone = process.as_mut().is_some_and(|process| !matches!(process.try_wait(), Ok(None)));
        if lock(folder)?.is_some() {
            if is_ours_gone {
                break;
            }
            if process.is_none() {
                let log = fs::File::create(&log_path).because(cannot())?;
                let mut started = Command::new(std::env::current_exe().because(cannot())?)
                    .arg("--stage")
                    .arg(folder)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .stderr(log)
                    .process_group(0)
                    .spawn()
                    .because(cannot())?;
                let text = serde_json::to_string(wanted).because(cannot())?;
                if let Some(mut input) = started.stdin.take() {
                    input.write_all(text.as_bytes()).because(cannot())?;
                }
                process = Some(started);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Problem::new(format!("{}: {}", cannot(), last_lines(&log_path))))
}

/// Whether surroundings in `folder` are up.
pub(crate) async fn is_up(folder: &Path) -> bool {
    find(folder).await.is_some()
}

/// The lock that a process holds as long as it keeps up surroundings; none if another holds it.
fn lock(folder: &Path) -> Result<Option<fs::File>, Problem> {
    let path = beside(folder, "lock");
    let file = fs::File::create(&path).because(format!("cannot write `{}`", path.display()))?;
    Ok(file.try_lock().is_ok().then_some(file))
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    folder.with_extension(format!("stage-{ending}"))
}

async fn find(folder: &Path) -> Option<(Stage, Lease)> {
    let text = fs::read_to_string(folder.join(ADDRESSES)).ok()?;
    let addresses: Addresses = serde_json::from_str(&text).ok()?;
    let client = server::client();
    server::text(&client, Method::GET, &addresses.control).await.ok()?;
    let control = addresses.control.clone();
    tokio::spawn(async move {
        while server::text(&client, Method::GET, &control).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let stage = Stage::elsewhere(folder, &addresses.admin, addresses.prometheus, addresses.metrics);
    Some((stage, Lease { control: addresses.control, folder: folder.to_owned() }))
}

/// The right to end surroundings that another process keeps up.
#[derive(Debug)]
pub(crate) struct Lease {
    control: String,
    folder: PathBuf,
}

impl Lease {
    /// Ends them, and waits until nothing is left of them.
    pub(crate) async fn end(self) {
        let _ = server::text(&server::client(), Method::POST, &self.control).await;
        for _ in 0..100 {
            if !self.folder.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let _ = fs::remove_file(beside(&self.folder, "log"));
        let _ = fs::remove_file(beside(&self.folder, "lock"));
    }
}

/// Keeps up surroundings in `folder` until somebody says so, or nobody asks for them any more. What is wanted is
/// read from the standard input.
pub(crate) async fn keep_up(folder: &Path) -> Result<(), Problem> {
    let Some(_lock) = lock(folder)? else {
        return Err(Problem::new("another process keeps up these surroundings"));
    };
    let cannot = || format!("cannot keep up surroundings in `{}`", folder.display());
    let wanted: Wanted = serde_json::from_reader(io::stdin().lock()).because(cannot())?;
    if folder.exists() {
        fs::remove_dir_all(folder).because(cannot())?;
    }
    fs::create_dir_all(folder).because(cannot())?;
    let kept = keep_up_as(&wanted, folder).await;
    let _ = fs::remove_dir_all(folder);
    kept
}

async fn keep_up_as(wanted: &Wanted, folder: &Path) -> Result<(), Problem> {
    let stage = Stage::start(wanted, Some(folder)).await?;
    let (Plane::Envoy(router), Some(prometheus)) = (&stage.plane, &stage.prometheus) else {
        return Err(Problem::new("only an Envoy can be kept up by another process: add --envoy auto"));
    };
    let asked = Arc::new(Mutex::new(Some(Instant::now())));
    let answering = Arc::clone(&asked);
    let control = serve(move |request| {
        let last = (request.method() == Method::GET).then(Instant::now);
        *answering.lock().unwrap_or_else(PoisonError::into_inner) = last;
        async { Response::new(Full::<Bytes>::default()) }
    })
    .await?;
    let addresses = Addresses {
        control: format!("http://{control}/"),
        admin: router.admin().to_owned(),
        prometheus: prometheus.clone(),
        metrics: stage.metrics.clone(),
    };
    let text = serde_json::to_string(&addresses).because("cannot write the addresses")?;
    let temporary = folder.join("addresses.new");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, folder.join(ADDRESSES)))
        .because("cannot write the addresses")?;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let last = *asked.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > PATIENCE) {
            return Ok(());
        }
    }
}

const ADDRESSES: &str = "addresses.json";
/// How long surroundings wait for a process that was killed to be started again.
const PATIENCE: Duration = Duration::from_secs(120);
