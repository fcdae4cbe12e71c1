//! What the machine gives to two threads, and whether it shows what they share.

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{
        RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::measure::{Case, Row};

/// Nothing shared, and two that share something that is written: those must be seen to.
pub(crate) fn rows() -> Vec<Row> {
    let names: HashMap<usize, bool> = (0..1_024).map(|subject| (subject, subject % 2 == 0)).collect();
    let (locked, counter) = (RwLock::new(names.clone()), AtomicU64::new(0));
    let is_even = |subject: usize| names.get(&subject).copied().unwrap_or(false);
    vec![
        Row::measure("nothing shared: arithmetic", Case::Nothing, compute),
        Row::measure("nothing shared that is written: a map", Case::Nothing, is_even),
        Row::measure(LOCK, Case::Nothing, |subject| {
            let names = locked.read().expect("nobody panics");
            names.get(&subject).copied().unwrap_or(false)
        }),
        Row::measure(COUNTER, Case::Nothing, |subject| {
            counter.fetch_add(1, Ordering::Relaxed);
            is_even(subject)
        }),
    ]
}

/// Arithmetic in registers, about as long as an evaluation.
pub(crate) fn compute(subject: usize) -> bool {
    let mut state = black_box(subject as u64) | 1;
    for _ in 0..STEPS {
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    }
    state & 1 == 1
}

/// What two threads share here slows them down; a machine on which it does not cannot tell.
pub(crate) const SHARED: [&str; 2] = [LOCK, COUNTER];
const LOCK: &str = "shared: a map behind a lock for readers";
const COUNTER: &str = "shared: a map and one counter";
const STEPS: u32 = 40;
