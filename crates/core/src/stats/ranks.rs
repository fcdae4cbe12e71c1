//! Tests of ranks and of distribution functions: no assumption about the shape of the data.
//!
//! On raw requests these see millions of observations and find shifts of a tenth of a per cent: read them beside an
//! effect size, [`MannWhitney::effect`] or the [`shift`] with its interval.
//!
//! ```
//! use serinus_core::stats::ranks::{mann_whitney, shift};
//!
//! let control = [20.0, 11.0, 17.0, 12.0];
//! let candidate = [19.0, 22.0, 16.0, 29.0, 24.0];
//! let test = mann_whitney(&control, &candidate)?;
//! assert_eq!(test.u(), 17.0);
//! assert!((test.exact()?.two_sided - 1.0 / 9.0).abs() < 1e-15);
//! assert_eq!(shift(&control, &candidate)?.estimate, 7.0);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

mod distance;
mod kolmogorov;
mod mann_whitney;
mod shift;

pub use distance::{KolmogorovSmirnov, kolmogorov_smirnov, kolmogorov_smirnov_of_histograms};
pub use kolmogorov::{kolmogorov_limit_sf, kolmogorov_sf, smirnov_sf};
pub use mann_whitney::{MannWhitney, RankTest, mann_whitney, mann_whitney_of_histograms};
pub use shift::{Shift, ShiftInterval, shift};

use super::Undefined;

/// A sorted copy of a sample of finite values.
fn sorted(what: &'static str, sample: &[f64]) -> Result<Vec<f64>, Undefined> {
    if sample.is_empty() {
        return Err(Undefined::TooFew { what, got: 0, needed: 1 });
    }
    let mut sorted = Vec::with_capacity(sample.len());
    for &value in sample {
        // Adding zero makes the negative zero a positive one, which ties with it.
        sorted.push(super::finite(what, value)? + 0.0);
    }
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

/// The distinct values of two sorted samples in ascending order, with how often each holds them.
fn merged<'a>(control: &'a [f64], candidate: &'a [f64]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let (mut i, mut j) = (0, 0);
    std::iter::from_fn(move || {
        let value = match (control.get(i), candidate.get(j)) {
            (Some(&left), Some(&right)) => left.min(right),
            (Some(&value), None) | (None, Some(&value)) => value,
            (None, None) => return None,
        };
        let (from_i, from_j) = (i, j);
        while control.get(i).is_some_and(|&next| next == value) {
            i += 1;
        }
        while candidate.get(j).is_some_and(|&next| next == value) {
            j += 1;
        }
        Some((i - from_i, j - from_j))
    })
}
