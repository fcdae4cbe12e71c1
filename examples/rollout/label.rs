//! Which rollout a state file is of: a word about it in a file beside it.

use std::{fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    arguments::Fault,
    manifest::Manifest,
    problem::{Because as _, Problem},
    session::beside,
};

/// What tells one rollout from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    kind: String,
    name: String,
    /// The fingerprint of the plan as the manifest has it, whatever the speed.
    plan: u64,
    fault: Option<String>,
}

impl Label {
    /// That of a manifest's rollout with this fault in the candidate.
    pub(crate) fn new(manifest: &Manifest, fault: Option<Fault>) -> Self {
        let compiled = &manifest.compiled;
        let name = match &compiled.namespace {
            Some(namespace) => format!("{namespace}/{}", compiled.name),
            None => compiled.name.clone(),
        };
        Self {
            kind: compiled.kind.to_string(),
            name,
            plan: compiled.plan.fingerprint(),
            fault: fault.map(|fault| fault.to_string()),
        }
    }

    /// Puts it beside a state file that is yet to come; one that is there must have the same.
    pub(crate) fn claim(&self, state: &Path) -> Result<(), Problem> {
        let path = beside(state, "rollout");
        if !state.exists() {
            // Whole before the state is there, so a killed process leaves no state without it.
            return serde_json::to_string(self)
                .map_err(io::Error::from)
                .and_then(|text| fs::write(&path, text))
                .because(format!("cannot write `{}`", path.display()));
        }
        let found = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str::<Self>(&text).map_err(io::Error::from),
            Err(error) => Err(error),
        };
        let place = state.display();
        let holds = match found {
            Ok(found) if found == *self => return Ok(()),
            Ok(found) if found.to_string() == self.to_string() => {
                format!("`{place}` is of {self}, but with other steps, metrics or numbers")
            }
            Ok(found) => format!("`{place}` is of {found}, not of {self}"),
            Err(error) => {
                format!("`{}`, which says of which `{place}` is, cannot be read: {error}", path.display())
            }
        };
        Err(Problem::new(format!("this state file is of another rollout: {holds}"))
            .remedy(&format!("name another file with --state, or remove `{place}` to begin anew")))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` with ", self.kind, self.name)?;
        match &self.fault {
            Some(fault) => write!(f, "a faulty candidate: {fault}"),
            None => f.write_str("a healthy candidate"),
        }
    }
}
