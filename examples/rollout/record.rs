//! The log of a rollout: everything heard and decided, and deciding it again.
//!
//! One JSON object a line, of three kinds: `{"began":…}` with the plan and the first state of a run, then by turns
//! `{"heard":…}` and `{"decided":…}`.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serinus::{
    driver::{Entry, replay},
    rollout::{Decision, Plan, State},
};

use crate::problem::{Because as _, Problem};

/// Writes a log.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: Option<BufWriter<File>>,
}

impl Recorder {
    /// Writes to this file, to none nowhere: in place of what it held, or, for a rollout that goes on, after it.
    pub(crate) fn new(path: Option<&Path>, goes_on: bool) -> Result<Self, Problem> {
        let open = |path: &Path| {
            let mut options = File::options();
            options.create(true).write(true).append(goes_on).truncate(!goes_on);
            options.open(path).because(format!("cannot write `{}`", path.display()))
        };
        let file = path.map(open).transpose()?.map(BufWriter::new);
        let found = path.filter(|_| goes_on).and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let mut recorder = Self { file };
        if let (Some(file), Some(last)) = (&mut recorder.file, found.last())
            && *last != b'\n'
        {
            writeln!(file).because("cannot write the record")?;
        }
        Ok(recorder)
    }

    /// A run begins.
    pub(crate) fn begin(&mut self, plan: &Plan, state: &State) -> Result<(), Problem> {
        self.write(&Line::Began { plan: plan.clone(), state: Box::new(state.clone()) })
    }

    /// Something was heard, and this was decided.
    pub(crate) fn turn(&mut self, entry: &Entry, decision: &Decision) -> Result<(), Problem> {
        self.write(&Line::Heard(entry.clone()))?;
        self.write(&Decided { decided: decision })
    }

    /// All that was written is in the file.
    pub(crate) fn flush(&mut self) -> Result<(), Problem> {
        self.file.as_mut().map_or(Ok(()), io::Write::flush).because("cannot write the record")
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), Problem> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let text = serde_json::to_string(line).because("cannot write the record")?;
        writeln!(file, "{text}").because("cannot write the record")
    }
}

/// Decides again what a file recorded, and prints the decisions as they stand in the file. Whether all are the same.
pub(crate) fn run(path: &Path, out: &mut impl io::Write) -> Result<bool, Problem> {
    let text = fs::read_to_string(path).because(format!("cannot read `{}`", path.display()))?;
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = || format!("`{}`, line {}, is not from a record", path.display(), index + 1);
        if line.starts_with("{\"decided\":") {
            sections.last_mut().ok_or_else(|| Problem::new(place()))?.decided.push((index + 1, line));
            continue;
        }
        let is_last = text.lines().nth(index + 1).is_none_or(|next| next.starts_with("{\"began\":"));
        let line = match serde_json::from_str(line) {
            // The process that recorded was killed while it wrote this line.
            Err(_) if is_last && !sections.is_empty() => continue,
            line => line.because(place())?,
        };
        match line {
            Line::Began { plan, state } => {
                sections.push(Section { plan, state: *state, heard: Vec::new(), decided: Vec::new() });
            }
            Line::Heard(entry) => {
                sections.last_mut().ok_or_else(|| Problem::new(place()))?.heard.push(entry);
            }
        }
    }
    if sections.is_empty() {
        return Err(Problem::new(format!("`{}` holds no record: make one with --record", path.display())));
    }
    let mut differences = 0_usize;
    let mut decisions = 0_usize;
    for section in &sections {
        let mut recorded = section.decided.iter();
        for decision in replay(&section.plan, section.state.clone(), &section.heard) {
            let line = serde_json::to_string(&Decided { decided: &decision }).because("cannot write")?;
            writeln!(out, "{line}").because("cannot write the decisions")?;
            decisions += 1;
            match recorded.next() {
                Some((_, was)) if *was == line => {}
                // The process that recorded was killed between hearing and deciding.
                None => {}
                Some((number, _)) => {
                    differences += 1;
                    eprintln!("line {number}: decided differently now");
                }
            }
        }
    }
    eprintln!("{decisions} decisions of {} rollouts replayed, {differences} differ", sections.len());
    Ok(differences == 0)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Began { plan: Plan, state: Box<State> },
    Heard(Entry),
}

#[derive(Serialize)]
struct Decided<'a> {
    decided: &'a Decision,
}

struct Section<'a> {
    plan: Plan,
    state: State,
    heard: Vec<Entry>,
    decided: Vec<(usize, &'a str)>,
}
