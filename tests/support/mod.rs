//! Runs the example `rollout` and reads what it prints.

use std::{
    env, fs,
    io::Read as _,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// What a run of the example printed.
pub(crate) struct Run {
    /// The exit status; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// The events, one for each line.
    pub(crate) events: Vec<Value>,
    /// The standard output as it is.
    pub(crate) output: String,
    /// What was complained about.
    pub(crate) errors: String,
}

impl Run {
    /// The events of one kind.
    pub(crate) fn of<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |one| one["event"] == event)
    }

    /// How each rollout ended.
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        self.of("ended").map(|event| event["outcome"].as_str().unwrap()).collect()
    }

    /// The candidate's shares in percent, in order, each once in a row; of all rollouts.
    pub(crate) fn weights(&self) -> Vec<f64> {
        let mut weights: Vec<f64> = self
            .of("weights")
            .filter(|event| !event["candidate"].is_null())
            .map(|event| event["weight"].as_f64().unwrap())
            .collect();
        weights.dedup();
        weights
    }

    /// Everything, for the message of a failed assertion.
    pub(crate) fn told(&self) -> String {
        format!("status {:?}\n{}\n{}", self.code, self.output, self.errors)
    }
}

/// The example, with these arguments and without an input.
pub(crate) fn rollout(arguments: &[&str]) -> Command {
    let mut command = Command::new(example("rollout"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the example to its end, or for `LONGEST`.
pub(crate) fn run(arguments: &[&str]) -> Run {
    finish(rollout(arguments).spawn().unwrap())
}

/// Waits for the end of a process that was started.
pub(crate) fn finish(mut child: Child) -> Run {
    let mut pipes = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let errors = thread::spawn(move || {
        let mut text = String::new();
        pipes.1.read_to_string(&mut text).map(|_| text).unwrap_or_default()
    });
    let output = thread::spawn(move || {
        let mut text = String::new();
        pipes.0.read_to_string(&mut text).map(|_| text).unwrap_or_default()
    });
    let status = wait(&mut child, LONGEST);
    let (output, errors) = (output.join().unwrap(), errors.join().unwrap());
    let events = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let run = Run { code: status.and_then(|status| status.code()), events, output, errors };
    assert!(status.is_some(), "the example did not end in {} s\n{}", LONGEST.as_secs(), run.told());
    run
}

/// Waits for a process; one that takes longer is killed, as by `kill -9`. None only if it died of that.
pub(crate) fn wait(child: &mut Child, longest: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < longest {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    // One that ended by itself since the last look was not killed, and its status says so.
    let status = child.wait().unwrap();
    (status.signal() != Some(SIGKILL)).then_some(status)
}

/// Kills a process that carries out the rollout of a state file, in the midst of it: fails if the process had ended,
/// or the rollout. Returns the phase at which the rollout was left; none if it had not begun.
pub(crate) fn kill(child: &mut Child, after: Duration, state: &Path) -> Option<String> {
    let status = wait(child, after);
    assert_eq!(status, None, "it ended before it was killed");
    let phase = phase(state);
    assert!(phase.as_deref() != Some("done"), "the rollout was over before it was killed");
    phase
}

/// The phase of the rollout of a state file; none if there is no state yet.
pub(crate) fn phase(state: &Path) -> Option<String> {
    let text = fs::read_to_string(state).ok()?;
    let state: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    Some(state["phase"]["phase"].as_str().unwrap().to_owned())
}

/// A manifest in a folder.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Whether there is a Prometheus; says so if there is none.
pub(crate) fn has_prometheus() -> bool {
    has("prometheus", None)
}

/// Whether there is an Envoy; says so if there is none.
pub(crate) fn has_envoy() -> bool {
    has("envoy", env::var_os("SERINUS_ENVOY").map(PathBuf::from))
}

fn has(name: &str, named: Option<PathBuf>) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut files = env::split_paths(&path).map(|folder| folder.join(name)).chain(named);
    let is_there = files.any(|file| file.is_file());
    if !is_there {
        println!("skipped: {name} not found");
    }
    is_there
}

/// Where cargo puts an example: beside the folder of the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: cargo build --workspace --examples", path.display());
    path
}

/// Far above what any of these runs takes on an idle machine.
const LONGEST: Duration = Duration::from_secs(400);
const SIGKILL: i32 = 9;
