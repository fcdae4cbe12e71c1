//! What the machine gives to two threads that have nothing in common.

use std::hint::black_box;

use crate::measure::{Case, Row};

pub(crate) fn row() -> Row {
    Row::measure("nothing shared: arithmetic", Case::Nothing, compute)
}

/// Arithmetic in registers, about as long as an evaluation.
pub(crate) fn compute(subject: usize) -> bool {
    let mut state = black_box(subject as u64) | 1;
    for _ in 0..STEPS {
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    }
    state & 1 == 1
}

const STEPS: u32 = 40;
