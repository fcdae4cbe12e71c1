//! LaunchDarkly: percentage rollouts, experiments and segments of a percentage.
//!
//! A rollout is bucketed by the attribute that it names, the key of the context if it names none; an experiment always by
//! the key. The value is a text, or an integer in decimal (a number such as `3.0` counts as one). Whoever has another
//! value (true, false, a fraction, a list, an object) or none has [`Bucket::MISSING`].
//!
//! To the caller is left: whether a subject counts as part of an experiment, which it does not if its context has not the
//! kind that the experiment asks for, or if the variation is `untracked`; that of several contexts the one of the
//! rollout's kind is bucketed; targets, rules and prerequisites, which come before; big segments; migrations' stages.

use sha1::{Digest as _, Sha1};

/// Where LaunchDarkly puts a context: the first 60 bits of a SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u64);

/// The arithmetic of the library that has evaluated the flag so far. Both agree but for contexts within a few
/// ten-millionths of a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits: the libraries for Rust, Go, Java and .NET.
    Single,
    /// 64 bits: the libraries for JavaScript, Python, Ruby and PHP.
    Double,
}

impl Bucket {
    /// Where LaunchDarkly puts a context without the attribute that a rollout is bucketed by, with a value of that
    /// attribute that is neither text nor integer, or without the kind of context that a rollout or an experiment asks
    /// for: at the very beginning, so that it gets the first variation whose weight is not zero.
    ///
    /// ```
    /// use serinus_core::cohort::systems::launchdarkly::{Bucket, Precision};
    ///
    /// assert_eq!(Bucket::MISSING.variation(&[60_000, 40_000], Precision::Single), Some(0));
    /// assert_eq!(Bucket::MISSING.variation(&[0, 100_000], Precision::Single), Some(1));
    /// ```
    pub const MISSING: Self = Self(0);

    /// The bucket of a percentage rollout, or of an experiment without a seed; `value` is that of the attribute it is
    /// bucketed by, integers in decimal. For a segment of a percentage, `flag_key` and `salt` are those of the segment.
    ///
    /// Libraries from before contexts put a dot and the attribute `secondary` behind the value of a rollout, if the user
    /// has one.
    pub fn of_rollout(flag_key: &str, salt: &str, value: &str) -> Self {
        Self::of(&[flag_key, salt, value])
    }

    /// The bucket of a rollout or an experiment with a seed, which takes the place of flag key and salt.
    pub fn of_seed(seed: i64, value: &str) -> Self {
        Self::of(&[&seed.to_string(), value])
    }

    /// The number from 0 to 1, in 64 bits.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }

    /// The number from 0 to 1, in 32 bits.
    pub fn as_f32(self) -> f32 {
        self.0 as f32 / SCALE as f32
    }

    /// The index of the variation, given the weights of all in hundred-thousandths and in the order of the rollout. What
    /// the weights leave over belongs to the last; none if there are none.
    pub fn variation(self, weights: &[u32], precision: Precision) -> Option<usize> {
        let found = match precision {
            Precision::Single => {
                let mut sum = 0.0_f32;
                weights.iter().position(|weight| {
                    sum += *weight as f32 / 100_000.0;
                    self.as_f32() < sum
                })
            }
            Precision::Double => {
                let mut sum = 0.0_f64;
                weights.iter().position(|weight| {
                    sum += f64::from(*weight) / 100_000.0;
                    self.as_f64() < sum
                })
            }
        };
        found.or(weights.len().checked_sub(1))
    }

    /// Whether a segment of this weight, in hundred-thousandths, holds the bucket.
    pub fn is_in_segment(self, weight: u32, precision: Precision) -> bool {
        match precision {
            Precision::Single => self.as_f32() < weight as f32 / 100_000.0,
            Precision::Double => self.as_f64() < f64::from(weight) / 100_000.0,
        }
    }

    fn of(parts: &[&str]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = Sha1::digest(parts.join(".")).0;
        // Fifteen of the sixteen hexadecimal digits.
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 4)
    }
}

const SCALE: u64 = 0x0fff_ffff_ffff_ffff;
