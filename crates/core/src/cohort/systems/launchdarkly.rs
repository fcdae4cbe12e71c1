//! LaunchDarkly: percentage rollouts and experiments.

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
    /// The bucket of a percentage rollout; `value` is that of the attribute the rollout is bucketed by, integers in
    /// decimal.
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

    fn of(parts: &[&str]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = Sha1::digest(parts.join(".")).0;
        // Fifteen of the sixteen hexadecimal digits.
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 4)
    }
}

const SCALE: u64 = 0x0fff_ffff_ffff_ffff;
