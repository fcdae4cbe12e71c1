//! flagd's evaluators for other languages, run as programs.

use std::{
    env,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use serde_json::{Value, json};
use serinus_flags::logic::Generation;

use crate::{generator::Questions, support::Answer};

/// An evaluator that somebody else wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oracle {
    /// npm `@openfeature/flagd-core` 4.0.1.
    Node,
    /// PyPI `openfeature-flagd-core` 1.0.0.
    PythonV2,
    /// PyPI `openfeature-flagd-core` 2.0.0.
    PythonV3,
}

impl Oracle {
    pub(crate) fn generation(self) -> Generation {
        match self {
            Self::Node | Self::PythonV2 => Generation::V2,
            Self::PythonV3 => Generation::V3,
        }
    }

    /// Its answers to every case, in their order. `None`, and a line that says so, if it is not installed.
    pub(crate) fn answers(self, questions: &[Questions]) -> Option<Vec<Answer>> {
        let Some(mut command) = self.command() else {
            println!("skipped: flagd's evaluator named by {} not found", self.variable());
            return None;
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let lines: Vec<String> = questions.iter().map(line).collect();
        let writer = thread::spawn(move || {
            for line in lines {
                writeln!(input, "{line}").unwrap();
            }
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "{self:?} ended with {}", output.status);
        let output = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<_> = output.lines().map(|line| read(&serde_json::from_str(line).unwrap())).collect();
        assert_eq!(answers.len(), questions.iter().map(|one| one.cases.len()).sum::<usize>());
        Some(answers)
    }

    fn command(self) -> Option<Command> {
        let oracles = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracles");
        let installed = env::var_os(self.variable())?;
        Some(match self {
            Self::Node => {
                let mut command = Command::new(env::var_os("SERINUS_NODE").unwrap_or("node".into()));
                command.arg(oracles.join("evaluate.mjs"));
                command
            }
            Self::PythonV2 | Self::PythonV3 => {
                let mut command = Command::new(installed);
                command.arg(oracles.join("evaluate.py"));
                command
            }
        })
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Node => "SERINUS_FLAGD_JS",
            Self::PythonV2 => "SERINUS_FLAGD_PYTHON_V2",
            Self::PythonV3 => "SERINUS_FLAGD_PYTHON_V3",
        }
    }
}

fn line(questions: &Questions) -> String {
    let cases: Vec<_> = questions
        .cases
        .iter()
        .map(|case| {
            json!({ "flagKey": case.key, "type": case.asked, "default": case.default, "context": case.context })
        })
        .collect();
    json!({ "document": questions.document, "cases": cases }).to_string()
}

fn read(line: &Value) -> Answer {
    if let Some(code) = line["error"].as_str() {
        return Answer::Failed(code.to_owned());
    }
    Answer::Resolved {
        reason: line["reason"].as_str().unwrap().to_owned(),
        variant: line["variant"].as_str().map(str::to_owned),
        value: line["value"].clone(),
    }
}
