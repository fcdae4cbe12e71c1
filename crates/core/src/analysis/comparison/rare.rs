//! Evidence that something hardly ever happens to the candidate, whatever happens to stable.

use libm::{exp, log, log1p};

use crate::stats::grid::Arm;

/// The logarithm of the e-value against "at least `limit` of the requests fail"; 0 without a limit.
///
/// The mean of the likelihood ratios of some lower rates `p₁` against `limit`, `x ln(p₁/p₀) + (n−x) ln((1−p₁)/(1−p₀))`
/// each. Valid against every rate from `limit` up, however it moves: each ratio falls with every failure.
pub(super) fn log_rare(candidate: Arm, limit: f64) -> f64 {
    if limit <= 0.0 {
        return 0.0;
    }
    let (failed, fine) =
        (candidate.failures as f64, candidate.exposure.saturating_sub(candidate.failures) as f64);
    let ratios = LOWER.map(|factor| {
        let fine = fine * (log1p(-limit * factor) - log1p(-limit));
        if failed == 0.0 { fine } else { failed * log(factor) + fine }
    });
    let greatest = ratios.into_iter().fold(f64::NEG_INFINITY, f64::max);
    greatest + log(ratios.into_iter().map(|ratio| exp(ratio - greatest)).sum::<f64>() / LOWER.len() as f64)
}

/// How many requests more it takes at most until [`log_rare`] reaches `needed`, if they fail as those before did;
/// infinite if it never does then.
pub(super) fn requests_until_rare(candidate: Arm, limit: f64, needed: f64) -> f64 {
    if limit <= 0.0 || candidate.exposure == 0 {
        return f64::INFINITY;
    }
    let rate = candidate.failures as f64 / candidate.exposure as f64;
    let with = |factor: f64| {
        let fine = (1.0 - rate) * (log1p(-limit * factor) - log1p(-limit));
        let each = if rate == 0.0 { fine } else { rate * log(factor) + fine };
        // The mean is at least this one's part of it.
        let requests = (needed + log(LOWER.len() as f64)) / each - candidate.exposure as f64;
        if each > 0.0 { requests.max(0.0) } else { f64::INFINITY }
    };
    LOWER.map(with).into_iter().fold(f64::INFINITY, f64::min)
}

/// Rates, as parts of the limit, that evidence against it is mixed over.
const LOWER: [f64; 4] = [0.0, 0.1, 0.25, 0.5];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_be_missing_is_enough() {
        let needed = log(20.0);
        for (requests, failures) in [(100, 0), (3_000, 0), (4_000, 1), (20_000, 10)] {
            let so_far = Arm::new(requests, failures);
            let missing = requests_until_rare(so_far, 0.001, needed);
            let after = |missing: f64| {
                let all = requests + missing as u64;
                log_rare(Arm::new(all, all * failures / requests), 0.001)
            };
            assert!(after(0.0) < needed && after(0.25 * missing) < needed, "{requests} {failures}");
            assert!(after(missing) >= 0.99 * needed, "{requests} {failures}: {missing}");
        }
        assert_eq!(requests_until_rare(Arm::new(1_000, 1), 0.001, needed), f64::INFINITY);
        assert_eq!(requests_until_rare(Arm::new(1_000, 0), 0.0, needed), f64::INFINITY);
    }
}
