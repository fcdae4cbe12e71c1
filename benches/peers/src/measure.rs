//! Processor time and allocations of a closure.

use std::{fmt, hint::black_box, sync::Barrier, thread, time::Duration};

use cpu_time::ThreadTime;

use crate::subjects::COUNT;

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Static,
    Rule,
    Split,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
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
}

impl Row {
    /// Measures an evaluation of the subject of this number.
    ///
    /// # Panics
    ///
    /// The answers are not those of the case: then something else was measured.
    pub(crate) fn measure(name: &'static str, case: Case, evaluate: impl Fn(usize) -> bool + Sync) -> Self {
        let on = (0..COUNT).filter(|subject| evaluate(*subject)).count();
        match case {
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
        let times = repetitions(&evaluate);
        // By turns, so that what else the machine does befalls both.
        let (mut rounds, mut shared) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            rounds.push(one_thread(times, &evaluate));
            shared.push(two_threads(times, &evaluate));
        }
        Self {
            name,
            case,
            nanoseconds: median(&mut rounds),
            in_two_threads: median(&mut shared),
            allocations: counted.count_total as f64 / COUNT as f64,
            bytes: counted.bytes_total as f64 / COUNT as f64,
        }
    }

    /// How much of its pace a thread keeps when another evaluates too.
    pub(crate) fn efficiency(&self) -> f64 {
        self.nanoseconds / self.in_two_threads
    }
}

/// How often all subjects are evaluated in a round.
fn repetitions(evaluate: &impl Fn(usize) -> bool) -> usize {
    let mut times = 1;
    while run(times, evaluate) < ROUND / 2 {
        times *= 2;
    }
    times
}

fn run(times: usize, evaluate: &impl Fn(usize) -> bool) -> Duration {
    let start = ThreadTime::now();
    for _ in 0..times {
        for subject in 0..COUNT {
            black_box(evaluate(black_box(subject)));
        }
    }
    start.elapsed()
}

fn one_thread(times: usize, evaluate: &impl Fn(usize) -> bool) -> f64 {
    each(run(times, evaluate), times)
}

/// The slower one's.
fn two_threads(times: usize, evaluate: &(impl Fn(usize) -> bool + Sync)) -> f64 {
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

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(20);
