//! How long the counter grid takes to notice a change.

use super::super::{Undefined, positive, probability, require, special};

/// Windows until [`grid`](super::super::grid) is expected to reach `1 / alpha`, for a candidate that fails `ratio`
/// times as often: the least `K` with `Σ_{k ≤ K} n_k KL(θ ‖ ρ) ≥ ln(1/alpha) + 1`.
///
/// `control_failures` are those expected of the control in one window, `share` the candidate's part of the requests.
/// With them `ρ = share`, `n = control_failures (1 + ratio · share / (1 - share))`,
/// `θ = ρ ratio / (1 - ρ + ρ ratio)`. Good to about one window in simulations.
///
/// Publish it before the rollout starts, and do not start one whose stage is shorter.
///
/// # Errors
///
/// No failures expected, a share or error probability outside (0, 1), a ratio of 1 or not above 0; a change too small
/// to be seen in `u64::MAX` windows.
pub fn windows_to_detect(
    control_failures: f64,
    share: f64,
    ratio: f64,
    alpha: f64,
) -> Result<u64, Undefined> {
    positive("control_failures", control_failures)?;
    let rho = probability("share", share)?;
    positive("ratio", ratio)?;
    require("ratio", ratio, ratio != 1.0, "not 1: no change is never detected")?;
    probability("alpha", alpha)?;
    let theta = rho * ratio / (1.0 - rho + rho * ratio);
    let failures = control_failures * (1.0 + ratio * rho / (1.0 - rho));
    // KL(θ ‖ ρ), without cancellation for small changes.
    let information = special::deviance(theta, rho) + special::deviance(1.0 - theta, 1.0 - rho);
    let windows = ((1.0 - libm::log(alpha)) / (failures * information)).ceil();
    require("ratio", ratio, windows <= MOST_WINDOWS, "further from 1 at this traffic")?;
    Ok((windows as u64).max(1))
}

/// Beyond this an f64 does not count windows one by one.
const MOST_WINDOWS: f64 = 9e15;

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of each minute of the simulations: 12 minutes each of 5, 10, 20, 35 and 50 %.
    #[test]
    fn more_traffic_and_greater_harm_are_noticed_sooner() {
        let at =
            |requests: f64, ratio: f64| windows_to_detect(requests * 0.95 * 0.01, 0.05, ratio, 0.05).unwrap();
        // The reference's figure for 6,000 a minute and twice the failures; it starts at a share of 5 %.
        assert_eq!(at(6000.0, 2.0), 4);
        assert!(at(600.0, 2.0) > at(6000.0, 2.0) && at(6000.0, 1.5) > at(6000.0, 2.0));
    }

    #[test]
    fn what_cannot_be_detected_is_refused() {
        assert!(windows_to_detect(0.0, 0.1, 2.0, 0.05).is_err());
        assert!(windows_to_detect(1.0, 0.1, 1.0, 0.05).is_err());
        assert!(windows_to_detect(1e-300, 0.1, 2.0, 0.05).is_err());
        assert!(windows_to_detect(f64::NAN, 0.1, 2.0, 0.05).is_err());
    }
}
