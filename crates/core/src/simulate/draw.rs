//! Random numbers, from a seed.

use rand_distr::{Beta, Binomial, Distribution as _, Hypergeometric, Poisson};
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng as _};

/// One stream of random numbers: the same for the same seed, rollout and purpose, whoever draws beside it.
#[derive(Clone, Debug)]
pub(super) struct Stream(Xoshiro256PlusPlus);

/// What a stream is for: whoever asks for latencies, or for other windows,
/// still sees the same failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Counts = 0,
    Latencies = 1,
    Cuts = 2,
}

impl Stream {
    pub(super) fn new(seed: u64, rollout: u64, purpose: Purpose) -> Self {
        let mut key = [0; 17];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&rollout.to_le_bytes());
        key[16] = purpose as u8;
        // A slice can always be read.
        let mixed = murmur3::murmur3_x64_128(&mut key.as_slice(), 0).unwrap_or_default();
        let mut start = [0; 32];
        start[..16].copy_from_slice(&mixed.to_le_bytes());
        start[16..].copy_from_slice(&mixed.rotate_left(61).wrapping_mul(ODD).to_le_bytes());
        Self(Xoshiro256PlusPlus::from_seed(start))
    }

    /// A count of events that happen on their own, `mean` of them on average.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        // Refused are means that are not above 0, or beyond any world.
        Poisson::new(mean).map_or(0, |law| law.sample(&mut self.0) as u64)
    }

    /// How many of `trials` succeed, each with this probability.
    pub(super) fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        if trials == 0 {
            return 0;
        }
        // Sums of probabilities may miss their end by a bit.
        let probability = probability.clamp(0.0, 1.0);
        Binomial::new(trials, probability).map_or(0, |law| law.sample(&mut self.0)).min(trials)
    }

    /// How many of `drawn` balls are marked, out of an urn of `all` in which `marked` are.
    pub(super) fn hypergeometric(&mut self, all: u64, marked: u64, drawn: u64) -> u64 {
        if marked == 0 || drawn == 0 {
            return 0;
        }
        Hypergeometric::new(all, marked, drawn)
            .map_or(0, |law| law.sample(&mut self.0))
            .min(marked)
            .min(drawn)
    }

    /// As [`Stream::binomial`], with `dispersion` times its variance.
    ///
    /// Beta-binomial: the correlation within a slice is `(dispersion - 1) / (trials - 1)`. So the variance of a sum of
    /// slices is the same multiple however finely time is cut, as long as a slice has more trials than that.
    pub(super) fn clumped(&mut self, trials: u64, probability: f64, dispersion: f64) -> u64 {
        let mixed = probability > 0.0 && probability < 1.0;
        if dispersion <= 1.0 || trials < 2 || !mixed {
            return self.binomial(trials, probability);
        }
        let correlation = ((dispersion - 1.0) / (trials - 1) as f64).min(MOST_CORRELATION);
        let strength = 1.0 / correlation - 1.0;
        let drawn = Beta::new(probability * strength, (1.0 - probability) * strength)
            .map_or(probability, |law| law.sample(&mut self.0));
        self.binomial(trials, if drawn.is_nan() { probability } else { drawn })
    }
}

/// Any odd number: the two halves of a start must differ.
const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
/// At 1 all requests of a slice fail or none, and the law has no density to draw from.
const MOST_CORRELATION: f64 = 0.999;

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut() -> u64) -> (f64, f64) {
        const DRAWS: u32 = 20_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..DRAWS {
            let drawn = draw() as f64;
            sum += drawn;
            squares += drawn * drawn;
        }
        let mean = sum / f64::from(DRAWS);
        (mean, squares / f64::from(DRAWS) - mean * mean)
    }

    #[test]
    fn clumps_multiply_the_variance_and_leave_the_mean() {
        let mut stream = Stream::new(1, 2, Purpose::Counts);
        for (trials, probability, dispersion) in
            [(6000, 0.01, 1.0), (6000, 0.01, 10.0), (6000, 0.3, 5.0), (200, 0.05, 3.0)]
        {
            let (mean, variance) = moments(|| stream.clumped(trials, probability, dispersion));
            let expected = trials as f64 * probability;
            let spread = expected * (1.0 - probability) * dispersion;
            assert!((mean / expected - 1.0).abs() < 0.03, "{trials} {probability} {dispersion}: mean {mean}");
            assert!((variance / spread - 1.0).abs() < 0.1, "{trials} {probability} {dispersion}: {variance}");
        }
    }

    #[test]
    fn poisson_counts_have_a_variance_of_their_mean() {
        let mut stream = Stream::new(7, 0, Purpose::Counts);
        for expected in [0.3, 12.0, 5000.0] {
            let (mean, variance) = moments(|| stream.poisson(expected));
            assert!((mean / expected - 1.0).abs() < 0.03, "{expected}: mean {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{expected}: variance {variance}");
        }
        assert_eq!(stream.poisson(0.0), 0);
    }

    #[test]
    fn streams_differ_by_seed_rollout_and_purpose() {
        let drawn = |seed, rollout, purpose| {
            let mut stream = Stream::new(seed, rollout, purpose);
            [0; 4].map(|_| stream.poisson(1e6))
        };
        let first = drawn(1, 1, Purpose::Counts);
        assert_eq!(first, drawn(1, 1, Purpose::Counts));
        for other in
            [drawn(2, 1, Purpose::Counts), drawn(1, 2, Purpose::Counts), drawn(1, 1, Purpose::Latencies)]
        {
            assert_ne!(first, other);
        }
    }
}
