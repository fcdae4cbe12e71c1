//! Processor time and allocations of a closure.

use std::{
    fmt,
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

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
        let is_enough = |rounds: &[Round]| {
            rounds.len() >= ROUNDS
                && rounds.iter().filter(|round| round.efficiency.is_some()).count() >= ROUNDS / 2
        };
        while !is_enough(&rounds) && rounds.len() < MOST_ROUNDS {
            rounds.push(Round::of(times, &evaluate, steps));
        }
        row.take(&rounds);
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
        let efficiencies = rounds.iter().filter_map(|round| round.efficiency);
        self.efficiency = median(efficiencies.clone());
        self.in_two_threads = self.nanoseconds / self.efficiency;
        self.machine = median(rounds.iter().filter_map(|round| round.machine));
    }
}

/// One round: nanoseconds in one thread, and what of its pace each of two threads keeps that ran at the same time; of
/// what is measured, and of what shares nothing. Nothing if they did not run at the same time: then nothing was learned
/// of what they share.
struct Round {
    alone: f64,
    efficiency: Option<f64>,
    machine: Option<f64>,
}

impl Round {
    fn of<E: Fn(usize) -> bool + Sync + ?Sized>(times: usize, evaluate: &E, steps: usize) -> Self {
        let alone = one_thread(times, evaluate);
        let efficiency = two_threads(times, evaluate).map(|together| alone / together);
        let machine = two_threads(steps, &machine::compute);
        Self {
            alone,
            efficiency,
            machine: machine.map(|together| one_thread(steps, &machine::compute) / together),
        }
    }
}

/// How often all subjects are evaluated in a round.
fn repetitions<E: Fn(usize) -> bool + ?Sized>(evaluate: &E) -> usize {
    let mut times = 1;
    while run(times, evaluate).taken < ROUND / 2 {
        times *= 2;
    }
    times
}

/// When something ran, and how much of the processor it took.
struct Ran {
    began: Instant,
    ended: Instant,
    taken: Duration,
}

fn run<E: Fn(usize) -> bool + ?Sized>(times: usize, evaluate: &E) -> Ran {
    let (began, start) = (Instant::now(), ThreadTime::now());
    for _ in 0..times {
        for subject in 0..COUNT {
            black_box(evaluate(black_box(subject)));
        }
    }
    Ran { began, taken: start.elapsed(), ended: Instant::now() }
}

fn one_thread<E: Fn(usize) -> bool + ?Sized>(times: usize, evaluate: &E) -> f64 {
    each(run(times, evaluate).taken, times)
}

/// The slower one's, if both ran at the same time, and were not kept waiting.
fn two_threads<E: Fn(usize) -> bool + Sync + ?Sized>(times: usize, evaluate: &E) -> Option<f64> {
    let together = Barrier::new(2);
    let timed = || {
        together.wait();
        run(times, evaluate)
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(timed), scope.spawn(timed)];
        let [one, other] = threads.map(|thread| thread.join().expect("evaluating does not panic"));
        let common = one.ended.min(other.ended).saturating_duration_since(one.began.max(other.began));
        let is_busy = |ran: &Ran| {
            let lasting = ran.ended.duration_since(ran.began);
            ran.taken >= lasting.mul_f64(TOGETHER) && common >= lasting.mul_f64(TOGETHER)
        };
        (is_busy(&one) && is_busy(&other)).then(|| each(one.taken.max(other.taken), times))
    })
}

fn each(time: Duration, times: usize) -> f64 {
    time.as_secs_f64() * 1e9 / (times * COUNT) as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

const ROUNDS: usize = 301;
/// On a busy machine two threads seldom run at the same time.
const MOST_ROUNDS: usize = 10 * ROUNDS;
/// So much of the time that either takes, both run, and have a processor.
const TOGETHER: f64 = 0.9;
/// Short and many, so that in some nothing else is done.
const ROUND: Duration = Duration::from_millis(4);
