//! What OpenFeature's client costs in instructions, with a provider that looks nothing up and with ours.
//!
//! The number to hold is 5 % above an empty provider. No provider that names a variant can: the client copies the name
//! and the reason, which costs more than that by itself, and a rule or a split is evaluated beside. So two things are
//! held to: a provider that names the same variant without looking anything up, plus 5 %, plus what evaluating alone
//! costs; and evaluating alone is a twelfth of an empty provider at the most. What the first number came to is said.

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

/// Counts everything, prints a table, and says whether the promises hold.
pub(crate) fn print() -> ExitCode {
    println!(
        "| case | an empty provider | that names a variant | ours | evaluating alone | ours to empty |\n\
         |---|---:|---:|---:|---:|---:|"
    );
    let (mut not_held, mut broken) = (Vec::new(), Vec::new());
    for case in CASES {
        let [empty, named, ours, alone] = match Who::ALL.map(|who| count(who, case)) {
            [Ok(empty), Ok(named), Ok(ours), Ok(alone)] => [empty, named, ours, alone],
            counts => {
                counts.into_iter().filter_map(Result::err).for_each(|problem| println!("{problem}"));
                return ExitCode::FAILURE;
            }
        };
        println!("| {case} | {empty:.0} | {named:.0} | {ours:.0} | {alone:.0} | {:.3} |", ours / empty);
        if ours > SDK * empty {
            not_held.push(format!(
                "{case} {:.3} (naming a variant alone {:.3})",
                ours / empty,
                named / empty
            ));
        }
        let most = SDK * named + alone;
        if ours > most {
            broken.push(format!("BROKEN: {case}: {ours:.0}, more than {most:.0} for naming and evaluating"));
        }
        if alone * EVALUATING > empty {
            broken.push(format!(
                "BROKEN: {case}: evaluating alone is {:.3} of an empty provider",
                alone / empty
            ));
        }
    }
    if !not_held.is_empty() {
        println!("NOT HELD: {SDK} times an empty provider: {}", not_held.join(", "));
    }
    broken.iter().for_each(|promise| println!("{promise}"));
    if broken.is_empty() {
        println!("held: {SDK} times a provider that names a variant, and what evaluating alone costs");
    }
    if broken.is_empty() && not_held.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Evaluates for every subject so many times: what is counted.
pub(crate) fn run(who: &str, case: &str, rounds: usize) {
    let clients = Clients::new();
    let flags = Flags::default();
    flags.load(&serinus::document());
    let contexts = serinus::contexts();
    let who = Who::ALL.into_iter().find(|one| one.to_string() == who).expect("who is asked is known");
    let case = CASES.into_iter().find(|one| one.to_string() == case).expect("the case is known");
    let key = openfeature::key_of(case);
    let mut answers = 0;
    for _ in 0..rounds {
        for (subject, context) in contexts.iter().enumerate() {
            answers += usize::from(match who {
                Who::Empty => clients.ask(&clients.empty, key, subject),
                Who::Named => clients.ask(&clients.named, key, subject),
                Who::Ours => clients.ask(&clients.ours, key, subject),
                Who::Flags => flags.bool(black_box(key), context).unwrap_or(false),
            });
        }
    }
    let few =
        if case == Case::Static || matches!(who, Who::Empty | Who::Named) { COUNT } else { COUNT * 2 / 5 };
    assert!(answers >= rounds * few, "{answers} answers are yes: something else was counted");
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

const CASES: [Case; 3] = [Case::Static, Case::Rule, Case::Split];
/// What a flag may cost through OpenFeature's client, as part of what a provider costs that looks nothing up.
const SDK: f64 = 1.05;
/// How many times what evaluating costs an empty provider costs, at the least.
const EVALUATING: f64 = 12.0;
