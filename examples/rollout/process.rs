//! Other programs: finding them, starting them, and leaving none behind.

use std::{
    env,
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::problem::{Because as _, Problem};

/// A program that ends when this value is dropped, and also when this process is killed: a shell waits beside it for
/// the end of a pipe that only this process holds open.
#[derive(Debug)]
pub(crate) struct Guarded {
    shell: Child,
}

impl Guarded {
    /// Starts a program with its output in `log`. It is in a process group of its own, so that a Ctrl-C at the
    /// terminal reaches this process alone.
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Result<Self, Problem> {
        let cannot = || format!("cannot start `{}`", program.display());
        let log = File::create(log).because(cannot())?;
        let shell = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().because(cannot())?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .because(cannot())?;
        Ok(Self { shell })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The program of this name on the PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The last lines that a program wrote, for messages.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// A program that ended is not waited for before the pipe ends, so its number cannot be another's by then.
const GUARD: &str =
    r#""$@" </dev/null & program=$!; read -r _; kill "$program" 2>/dev/null; wait "$program""#;
