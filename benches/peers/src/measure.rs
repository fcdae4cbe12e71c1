//! Processor time and allocations of a closure.

use std::{fmt, hint::black_box, sync::Barrier, thread, time::Duration};

use cpu_time::ThreadTime;

use crate::{machine, subjects::COUNT};

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// No flag: what the machine gives to two threads that have nothing in common.
    Nothing,
    Static,
    Rule,
    Split,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nothing => "-",
            Self::Static => "static",
            Self::Rule => "rule",
            Self::Split => "split",
        })
    }
}

/// What one evaluation costs.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) case: Case,
    pub(crate) nanoseconds: f64,
    pub(crate) in_two_threads: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    /// How much of its pace a thread keeps when another evaluates too.
    pub(crate) efficiency: f64,
    /// What threads that share nothing keep on this machine, in the same rounds.
    pub(crate) machine: f64,
}

/// What is measured, under a name.
pub(crate) struct Contestant<'a> {
    pub(crate) name: &'static str,
    pub(crate) case: Case,
    /// Evaluates for the subject of this number.
    pub(crate) evaluate: &'a (dyn Fn(usize) -> bool + Sync),
}

impl Row {
    /// Measures an evaluation of the subject of this number.
    ///
    /// # Panics
    ///
    /// The answers are not those of the case: then something else was measured.
    pub(crate) fn measure(name: &'static str, case: Case, evaluate: impl Fn(usize) -> bool + Sync) -> Self {
        let mut row = Self::checked(name, case, &evaluate);
        let times = repetitions(&evaluate);
        let steps = repetitions(&machine::compute);
        let mut rounds = Vec::new();
        // What disturbs a row may last; more rounds can only come closer to what it is without.
        while rounds.len() < ROUNDS || (row.efficiency < DISTURBED && rounds.len() < MOST_ROUNDS) {
            // By turns, so that what else the machine does befalls both.
            rounds.extend((0..ROUNDS).map(|_| Round::of(times, &evaluate, steps)));
            row.take(&rounds);
        }
        row
    }

    /// Measures several by turns, so that what else the machine does befalls all of them.
    ///
    /// # Panics
    ///
    /// As [`Row::measure`].
    pub(crate) fn measure_together(contestants: &[Contestant<'_>]) -> Vec<Self> {
        let mut rows: Vec<_> =
            contestants.iter().map(|it| Self::checked(it.name, it.case, it.evaluate)).collect();
        let times = contestants.iter().map(|it| repetitions(it.evaluate)).max().unwrap_or(1);
        let steps = repetitions(&machine::compute);
        let mut rounds = Vec::from_iter(contestants.iter().map(|_| Vec::new()));
        for _ in 0..ROUNDS {
            for (contestant, rounds) in contestants.iter().zip(&mut rounds) {
                rounds.push(Round::of(times, contestant.evaluate, steps));
            }
        }
        for (row, rounds) in rows.iter_mut().zip(rounds) {
            row.take(&rounds);
        }
        rows
    }

    /// A row without times.
    fn checked(name: &'static str, case: Case, evaluate: &(dyn Fn(usize) -> bool + Sync)) -> Self {
        let on = (0..COUNT).filter(|subject| evaluate(*subject)).count();
        match case {
            Case::Nothing => {}
            Case::Static => assert_eq!(on, COUNT, "{name}: the static flag is on for everybody"),
            Case::Rule => assert_eq!(on, COUNT / 2, "{name}: every second subject is of the plan gold"),
            Case::Split => {
                assert!((COUNT * 2 / 5..COUNT * 3 / 5).contains(&on), "{name}: {on} of {COUNT} are on")
            }
        }
        let counted = allocation_counter::measure(|| {
            for subject in 0..COUNT {
                black_box(evaluate(black_box(subject)));
            }
        });
        Self {
            name,
            case,
            nanoseconds: f64::NAN,
            in_two_threads: f64::NAN,
            efficiency: f64::NAN,
            machine: f64::NAN,
            allocations: counted.count_total as f64 / COUNT as f64,
            bytes: counted.bytes_total as f64 / COUNT as f64,
        }
    }

    fn take(&mut self, rounds: &[Round]) {
        self.nanoseconds = median(rounds.iter().map(|round| round.alone));
        self.in_two_threads = median(rounds.iter().map(|round| round.together));
        // Of the least disturbed rounds: what else the machine does only ever takes time.
        let least = |time: fn(&Round) -> f64| rounds.iter().map(time).fold(f64::INFINITY, f64::min);
        self.efficiency = least(|round| round.alone) / least(|round| round.together);
        self.machine = least(|round| round.machine_alone) / least(|round| round.machine_together);
    }
}

/// One round: nanoseconds in one thread and in the slower one of two, of what is measured and of what shares nothing.
struct Round {
    alone: f64,
    together: f64,
    machine_alone: f64,
    machine_together: f64,
}

impl Round {
    fn of<E: Fn(usize) -> bool + Sync + ?Sized>(times: usize, evaluate: &E, steps: usize) -> Self {
        Self {
            alone: one_thread(times, evaluate),
            together: two_threads(times, evaluate),
            machine_alone: one_thread(steps, &machine::compute),
            machine_together: two_threads(steps, &machine::compute),
        }
    }
}

/// How often all subjects are evaluated in a round.
fn repetitions<E: Fn(usize) -> bool + ?Sized>(evaluate: &E) -> usize {
    let mut times = 1;
    while run(times, evaluate) < ROUND / 2 {
        times *= 2;
    }
    times
}

fn run<E: Fn(usize) -> bool + ?Sized>(times: usize, evaluate: &E) -> Duration {
    let start = ThreadTime::now();
    for _ in 0..times {
        for subject in 0..COUNT {
            black_box(evaluate(black_box(subject)));
        }
    }
    start.elapsed()
}

fn one_thread<E: Fn(usize) -> bool + ?Sized>(times: usize, evaluate: &E) -> f64 {
    each(run(times, evaluate), times)
}

/// The slower one's.
fn two_threads<E: Fn(usize) -> bool + Sync + ?Sized>(times: usize, evaluate: &E) -> f64 {
    let together = Barrier::new(2);
    let timed = || {
        together.wait();
        run(times, evaluate)
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(timed), scope.spawn(timed)];
        let slower =
            threads.into_iter().map(|thread| thread.join().expect("evaluating does not panic")).max();
        each(slower.unwrap_or_default(), times)
    })
}

fn each(time: Duration, times: usize) -> f64 {
    time.as_secs_f64() * 1e9 / (times * COUNT) as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const ROUNDS: usize = 301;
const MOST_ROUNDS: usize = 4 * ROUNDS;
/// An efficiency that asks for more rounds.
const DISTURBED: f64 = 0.95;
/// Short and many, so that some are disturbed by nothing else.
const ROUND: Duration = Duration::from_millis(4);
