//! What OpenFeature's client costs in instructions, with a provider that looks nothing up and with ours.

use std::{
    env, fmt,
    hint::black_box,
    process::{Command, ExitCode},
};

use serinus_flags::Flags;

use crate::{
    measure::Case,
    openfeature::{self, Clients},
    serinus,
    subjects::COUNT,
};

/// Who is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Empty,
    Named,
    Ours,
    Flags,
}

impl Who {
    const ALL: [Self; 4] = [Self::Empty, Self::Named, Self::Ours, Self::Flags];
}

impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => openfeature::EMPTY,
            Self::Named => openfeature::NAMED,
            Self::Ours => openfeature::OURS,
            Self::Flags => serinus::NAME,
        })
    }
}

/// Counts everything, prints a table, and says whether the promise holds.
pub(crate) fn print() -> ExitCode {
    let cases = [Case::Static, Case::Rule, Case::Split];
    println!(
        "| case | an empty provider | that names a variant | ours | evaluating alone | ours to empty | ours to naming and evaluating |\n\
         |---|---:|---:|---:|---:|---:|---:|"
    );
    let mut broken = Vec::new();
    for case in cases {
        let [empty, named, ours, alone] = match Who::ALL.map(|who| count(who, case)) {
            [Ok(empty), Ok(named), Ok(ours), Ok(alone)] => [empty, named, ours, alone],
            counts => {
                counts.into_iter().filter_map(Result::err).for_each(|problem| println!("{problem}"));
                return ExitCode::FAILURE;
            }
        };
        let added = ours / (named + alone);
        println!(
            "| {case} | {empty:.0} | {named:.0} | {ours:.0} | {alone:.0} | {:.3} | {added:.3} |",
            ours / empty
        );
        if added > SDK {
            broken.push(format!("BROKEN: through OpenFeature's client, {case}: {added:.3} times"));
        }
    }
    broken.iter().for_each(|promise| println!("{promise}"));
    if broken.is_empty() {
        println!(
            "the promise holds: within {:.0} % of what the client and evaluating cost",
            100.0 * (SDK - 1.0)
        );
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Evaluates for every subject so many times: what is counted.
pub(crate) fn run(who: &str, case: &str, rounds: usize) {
    let clients = Clients::new();
    let flags = Flags::default();
    flags.load(&serinus::document());
    let contexts = serinus::contexts();
    let who = Who::ALL.into_iter().find(|one| one.to_string() == who).expect("who is asked is known");
    let case = [Case::Static, Case::Rule, Case::Split].into_iter().find(|one| one.to_string() == case);
    let key = openfeature::key_of(case.expect("the case is known"));
    for _ in 0..rounds {
        for (subject, context) in contexts.iter().enumerate() {
            black_box(match who {
                Who::Empty => clients.ask(&clients.empty, key, subject),
                Who::Named => clients.ask(&clients.named, key, subject),
                Who::Ours => clients.ask(&clients.ours, key, subject),
                Who::Flags => flags.bool(black_box(key), context).unwrap_or(false),
            });
        }
    }
}

/// Instructions of one evaluation: the difference of two runs, so that what comes before is in neither.
fn count(who: Who, case: Case) -> Result<f64, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let instructions = |rounds: u32| {
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&program)
            .args(["--run", &who.to_string(), &case.to_string(), &rounds.to_string()])
            .output()
            .map_err(|error| format!("valgrind cannot be run, install it: {error}"))?;
        let said = String::from_utf8_lossy(&run.stderr);
        let counted = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        counted.ok_or_else(|| format!("valgrind counted nothing:\n{said}"))
    };
    let (less, more): (u64, u64) = (instructions(1)?, instructions(3)?);
    Ok(more.saturating_sub(less) as f64 / (2 * COUNT) as f64)
}

/// What a flag may cost through OpenFeature's client, as part of what the client costs with a provider that gives the
/// same details of everything at once, and of what evaluating costs.
const SDK: f64 = 1.05;
