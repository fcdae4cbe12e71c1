//! The log of a rollout: everything heard and decided, and deciding it again.
//!
//! One JSON object a line, of three kinds: `{"began":…}` with the plan and the first state of a run, then by turns
//! `{"heard":…}` and `{"decided":…}`.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serinus::{
    driver::{Entry, replay},
    rollout::{Decision, Plan, State},
};

use crate::{
    checks::REMEDY,
    problem::{Because as _, Problem},
};

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
            options
                .open(path)
                .because(format!("cannot write the record `{}`", path.display()))
                .map_err(|problem| problem.remedy(REMEDY))
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
    let text = text(path)?;
    let sections = sections(&text, path)?;
    let mut differences = 0_usize;
    let mut decisions = 0_usize;
    let mut differs = |number: usize, how: &str| {
        differences += 1;
        eprintln!("line {number}: {how}");
    };
    for section in &sections {
        for number in &section.surplus {
            differs(*number, "a decision, and nothing was heard before it");
        }
        let heard = section.turns.iter().map(|turn| &turn.heard);
        let decided = replay(&section.plan, section.state.clone(), heard);
        for (index, (turn, decision)) in section.turns.iter().zip(decided).enumerate() {
            let line = serde_json::to_string(&Decided { decided: &decision }).because("cannot write")?;
            writeln!(out, "{line}").because("cannot write the decisions")?;
            decisions += 1;
            match turn.decided {
                Some((_, was)) if was == line => {}
                Some((number, _)) => differs(number, "decided differently now"),
                // The process that recorded was killed between hearing and deciding.
                None if index + 1 == section.turns.len() && !section.is_cut_in_hearing => {}
                None => differs(turn.number, "heard, and no decision is recorded for it"),
            }
        }
    }
    eprintln!("{decisions} decisions of {} rollouts replayed, {differences} differ", sections.len());
    Ok(differences == 0)
}

/// What a file holds.
pub(crate) fn text(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).because(format!("cannot read `{}`", path.display()))
}

/// The runs in a record.
pub(crate) fn sections<'a>(text: &'a str, path: &Path) -> Result<Vec<Section<'a>>, Problem> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, text)) = lines.next() {
        let number = index + 1;
        let place = || format!("`{}`, line {number}, is not from a record", path.display());
        let is_last = lines.peek().is_none_or(|(_, next)| next.starts_with("{\"began\":"));
        let line = match (serde_json::from_str(text), sections.last_mut()) {
            // The process that recorded was killed while it wrote this line.
            (Err(_), Some(section)) if is_last => {
                section.is_cut_in_hearing = text.starts_with("{\"h");
                continue;
            }
            (line, _) => line.because(place())?,
        };
        match (line, sections.last_mut()) {
            (Line::Began { plan, state }, _) => sections.push(Section {
                plan,
                state: *state,
                turns: Vec::new(),
                surplus: Vec::new(),
                is_cut_in_hearing: false,
            }),
            (_, None) => return Err(Problem::new(place())),
            (Line::Heard(heard), Some(section)) => {
                section.turns.push(Turn { number, heard, decided: None });
            }
            (Line::Decided(_), Some(section)) => match section.turns.last_mut() {
                Some(turn) if turn.decided.is_none() => turn.decided = Some((number, text)),
                _ => section.surplus.push(number),
            },
        }
    }
    if sections.is_empty() {
        return Err(Problem::new(format!("`{}` holds no record: make one with --record", path.display())));
    }
    Ok(sections)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Began {
        plan: Plan,
        state: Box<State>,
    },
    Heard(Entry),
    /// Compared as it is written, so only read to know that it is whole.
    #[serde(skip_serializing)]
    Decided(IgnoredAny),
}

#[derive(Serialize)]
struct Decided<'a> {
    decided: &'a Decision,
}

/// One run in a record.
pub(crate) struct Section<'a> {
    pub(crate) plan: Plan,
    pub(crate) state: State,
    pub(crate) turns: Vec<Turn<'a>>,
    /// The lines with decisions that belong to nothing that was heard.
    surplus: Vec<usize>,
    /// Whether its last line is the beginning of something heard, so that the decision before is to be there.
    is_cut_in_hearing: bool,
}

/// Something that was heard, by its line, and the decision on the line after it.
pub(crate) struct Turn<'a> {
    number: usize,
    pub(crate) heard: Entry,
    decided: Option<(usize, &'a str)>,
}
