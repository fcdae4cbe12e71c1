//! Count, mean and variance, kept without cancellation.

use serde::{Deserialize, Serialize};

use super::super::{Undefined, finite, not_negative, require};

/// Count, mean and sum of squared deviations of a sample (Welford 1962; merged as Chan, Golub & LeVeque 1983).
///
/// A value that is NaN or infinite is not part of the sample: [`push`](Self::push) refuses it, and an iterator that
/// holds one is collected to a sample that answers no question.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// No observations yet.
    pub const fn new() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0 }
    }

    /// From a count, a mean, and the standard deviation with divisor `n - 1`.
    ///
    /// # Errors
    ///
    /// A mean or deviation that is not finite, a deviation below 0.
    pub fn from_summary(count: u64, mean: f64, deviation: f64) -> Result<Self, Undefined> {
        finite("mean", mean)?;
        not_negative("deviation", deviation)?;
        Ok(Self { count, mean, squares: deviation * deviation * (count.max(1) - 1) as f64 })
    }

    /// From the sums of the values and of their squares, as a database has them.
    ///
    /// The subtraction loses digits when the mean is large against the deviation: prefer [`push`](Self::push).
    ///
    /// # Errors
    ///
    /// Sums that are not finite, or that no sample can have: `Σy² < (Σy)²/n` beyond rounding.
    pub fn from_sums(count: u64, sum: f64, sum_of_squares: f64) -> Result<Self, Undefined> {
        finite("sum", sum)?;
        not_negative("sum_of_squares", sum_of_squares)?;
        if count == 0 {
            return Ok(Self::new());
        }
        let mean = sum / count as f64;
        let squares = sum_of_squares - sum * mean;
        let possible = squares >= -ROUNDING * sum_of_squares;
        require("sum_of_squares", sum_of_squares, possible, "at least the square of the sum over the count")?;
        Ok(Self { count, mean, squares: squares.max(0.0) })
    }

    /// Adds an observation.
    ///
    /// # Errors
    ///
    /// A value that is not finite; the sample is then as before.
    pub fn push(&mut self, value: f64) -> Result<(), Undefined> {
        self.add(finite("value", value)?);
        Ok(())
    }

    /// This sample and another, which shares no observation with it.
    #[must_use = "the samples merged are a new sample"]
    pub fn merge(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let count = self.count.saturating_add(other.count);
        let (own, others, all) = (self.count as f64, other.count as f64, count as f64);
        let shift = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + shift * (others / all),
            squares: self.squares + other.squares + shift * shift * (own / all) * others,
        }
    }

    /// How many observations.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 if there are none.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// Their variance, with divisor `n - 1`.
    ///
    /// # Errors
    ///
    /// Fewer than two observations; one that was not finite.
    pub fn variance(&self) -> Result<f64, Undefined> {
        if self.count < 2 {
            return Err(Undefined::TooFew { what: "a sample", got: self.count, needed: 2 });
        }
        finite("mean", self.mean)?;
        finite("sum of squared deviations", self.squares)?;
        Ok(self.squares / (self.count - 1) as f64)
    }

    fn add(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        let shift = value - self.mean;
        self.mean += shift / self.count as f64;
        self.squares += shift * (value - self.mean);
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<Values: IntoIterator<Item = f64>>(values: Values) -> Self {
        let mut moments = Self::new();
        for value in values {
            moments.add(value);
        }
        moments
    }
}

/// How much of the sum of squares may be missing by rounding.
const ROUNDING: f64 = 1e-12;
