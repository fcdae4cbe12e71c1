//! The earth mover's distance between two histograms.

use super::{
    super::{Undefined, finite, require},
    shares,
};

/// How far, on average, observations would have to be moved.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Wasserstein {
    /// The distance, in the unit of the positions.
    pub distance: f64,
    /// Whether observations lie in a last bucket without an upper end: the distance is then a lower bound.
    pub censored: bool,
}

/// `∫ |F - G|`: the distance of two histograms whose buckets lie at `positions`, ascending.
///
/// The last position may be infinite, as the last bucket of a Prometheus histogram is: it then adds no width, and the
/// answer says that it is [`censored`](Wasserstein::censored).
///
/// # Errors
///
/// Lists of different lengths, an empty histogram, positions that do not ascend or are not finite.
pub fn wasserstein(reference: &[u64], current: &[u64], positions: &[f64]) -> Result<Wasserstein, Undefined> {
    let (p, q) = (shares(reference, current)?, shares(current, reference)?);
    if positions.len() != reference.len() {
        return Err(Undefined::Unequal {
            left: "the positions",
            left_length: positions.len(),
            right: "the histogram",
            right_length: reference.len(),
        });
    }
    let (mut gap, mut distance, mut censored) = (0.0, 0.0, false);
    let mut before: Option<f64> = None;
    for (index, &position) in positions.iter().enumerate() {
        let is_last = index + 1 == positions.len();
        if is_last && position == f64::INFINITY {
            censored = reference[index] > 0 || current[index] > 0;
            break;
        }
        finite("position", position)?;
        if let Some(before) = before {
            require("position", position, position > before, "above the one before it")?;
            distance += f64::abs(gap) * (position - before);
        }
        gap += p[index] - q[index];
        before = Some(position);
    }
    finite("distance", distance)?;
    Ok(Wasserstein { distance, censored })
}
