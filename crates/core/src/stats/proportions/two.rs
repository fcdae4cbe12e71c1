//! Two proportions: tests of equality, and intervals for the difference `candidate - control`.

use super::{
    super::{Interval, Undefined, probability, require, root},
    NormalTest, Proportion, difference, upper_quantile, wilson_interval,
};

/// Whether two shares are equal: `z = (p₂ - p₁) / √(p (1 - p) (1/n₁ + 1/n₂))` with the pooled share `p`.
///
/// *Assumes* independent trials and some ten events and non-events in the two arms together; with fewer use
/// [`fisher_exact`](super::super::contingency::fisher_exact).
///
/// # Errors
///
/// No event at all, or nothing but events.
pub fn pooled_z(control: Proportion, candidate: Proportion) -> Result<NormalTest, Undefined> {
    let (n1, n2) = (control.trials() as f64, candidate.trials() as f64);
    let events = control.events() as f64 + candidate.events() as f64;
    let rest =
        (control.trials() - control.events()) as f64 + (candidate.trials() - candidate.events()) as f64;
    if events == 0.0 || rest == 0.0 {
        return Err(NO_EVENTS);
    }
    let total = n1 + n2;
    let error = (events / total * (rest / total) * (1.0 / n1 + 1.0 / n2)).sqrt();
    Ok(NormalTest::new(difference(control, candidate) / error))
}

/// Whether two shares differ, with the variance of each arm by itself: `z = (p₂ - p₁) / √(p₁q₁/n₁ + p₂q₂/n₂)`.
///
/// For comparison with tools that use it. It rejects too often when events are few; use [`pooled_z`].
///
/// # Errors
///
/// Neither arm varies.
pub fn wald_z(control: Proportion, candidate: Proportion) -> Result<NormalTest, Undefined> {
    let error = wald_error(control, candidate);
    if error == 0.0 {
        return Err(NO_EVENTS);
    }
    Ok(NormalTest::new(difference(control, candidate) / error))
}

/// Whether `p₂ - p₁` equals `value`, by the score test: as [`wald_z`] with the variance at the most probable pair of
/// shares that differ by `value` (Farrington & Manning 1990).
///
/// Defined with no events too, and then not fooled by them.
///
/// # Errors
///
/// A `value` outside (-1, 1); `value` 0 with no event at all, or nothing but events.
pub fn score_z(control: Proportion, candidate: Proportion, value: f64) -> Result<NormalTest, Undefined> {
    require("value", value, value > -1.0 && value < 1.0, "between -1 and 1, both excluded")?;
    let variance = score_variance(control, candidate, value);
    if variance <= 0.0 {
        return Err(NO_EVENTS);
    }
    Ok(NormalTest::new((difference(control, candidate) - value) / variance.sqrt()))
}

/// Wald's interval of level `1 - alpha` for the difference: `d ± z √(p₁q₁/n₁ + p₂q₂/n₂)`.
///
/// For comparison only: it shrinks to a point when no arm has an event, which claims certainty where there is none.
/// Use [`newcombe_interval`].
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn wald_interval(control: Proportion, candidate: Proportion, alpha: f64) -> Result<Interval, Undefined> {
    let half = upper_quantile(probability("alpha", alpha)? / 2.0) * wald_error(control, candidate);
    let difference = difference(control, candidate);
    Ok(Interval::new(difference - half, difference + half))
}

/// Newcombe's interval of level `1 - alpha` for the difference: the default.
///
/// With Wilson's limits `(l, u)` of both arms, `d - √((p₂-l₂)² + (u₁-p₁)²)` to `d + √((u₂-p₂)² + (p₁-l₁)²)`
/// (Newcombe 1998, method 10).
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn newcombe_interval(
    control: Proportion,
    candidate: Proportion,
    alpha: f64,
) -> Result<Interval, Undefined> {
    let (first, second) = (wilson_interval(control, alpha)?, wilson_interval(candidate, alpha)?);
    let (p1, p2) = (control.share(), candidate.share());
    let difference = difference(control, candidate);
    Ok(Interval::new(
        difference - libm::hypot(p2 - second.lower, first.upper - p1),
        difference + libm::hypot(second.upper - p2, p1 - first.lower),
    ))
}

/// Agresti and Caffo's interval of level `1 - alpha` for the difference: Wald's, after one event and one trial without
/// event are added to each arm (Agresti & Caffo 2000).
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn agresti_caffo_interval(
    control: Proportion,
    candidate: Proportion,
    alpha: f64,
) -> Result<Interval, Undefined> {
    let z = upper_quantile(probability("alpha", alpha)? / 2.0);
    let shrunk = |of: Proportion| {
        let n = of.trials() as f64 + 2.0;
        let (p, q) = ((of.events() as f64 + 1.0) / n, ((of.trials() - of.events()) as f64 + 1.0) / n);
        (p, p * q / n)
    };
    let ((p1, variance1), (p2, variance2)) = (shrunk(control), shrunk(candidate));
    let half = z * (variance1 + variance2).sqrt();
    Ok(Interval::new(p2 - p1 - half, p2 - p1 + half))
}

/// The interval of level `1 - alpha` of all differences that the score test does not reject; Mee's, which is Miettinen
/// and Nurminen's without the factor `N / (N - 1)`.
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn miettinen_nurminen_interval(
    control: Proportion,
    candidate: Proportion,
    alpha: f64,
) -> Result<Interval, Undefined> {
    let z = upper_quantile(probability("alpha", alpha)? / 2.0);
    let seen = difference(control, candidate);
    let score = |value: f64| {
        let variance = score_variance(control, candidate, value);
        if variance > 0.0 { (seen - value) / variance.sqrt() } else { f64::INFINITY.copysign(seen - value) }
    };
    let lower =
        if seen <= -1.0 { -1.0 } else { root::zero(|value| score(value) - z, -1.0, seen).unwrap_or(-1.0) };
    let upper =
        if seen >= 1.0 { 1.0 } else { root::zero(|value| score(value) + z, seen, 1.0).unwrap_or(1.0) };
    Ok(Interval::new(lower, upper))
}

fn wald_error(control: Proportion, candidate: Proportion) -> f64 {
    (control.variance_of_mean() + candidate.variance_of_mean()).sqrt()
}

/// The variance of the difference at the maximum-likelihood shares under `p₂ - p₁ = value`.
pub(super) fn score_variance(control: Proportion, candidate: Proportion, value: f64) -> f64 {
    let p1 = restricted_control(control, candidate, value);
    let p2 = (p1 + value).clamp(0.0, 1.0);
    p1 * (1.0 - p1) / control.trials() as f64 + p2 * (1.0 - p2) / candidate.trials() as f64
}

/// The control's share of the most probable pair of shares with `p₂ - p₁ = value`.
///
/// The likelihood is concave along that line, so its slope has one zero at most; it is found by bisection, where the
/// closed form of the cubic cancels at small shares.
fn restricted_control(control: Proportion, candidate: Proportion, value: f64) -> f64 {
    let events = [control.events() as f64, candidate.events() as f64];
    let rests =
        [(control.trials() - control.events()) as f64, (candidate.trials() - candidate.events()) as f64];
    let (least, greatest) = ((-value).max(0.0), (1.0 - value).min(1.0));
    let slope = |p: f64| {
        let term = |count: f64, share: f64| if count == 0.0 { 0.0 } else { count / share };
        term(events[0], p) - term(rests[0], 1.0 - p) + term(events[1], (p + value).max(0.0))
            - term(rests[1], (1.0 - p - value).max(0.0))
    };
    if slope(least) <= 0.0 {
        return least;
    }
    if slope(greatest) >= 0.0 {
        return greatest;
    }
    let (mut below, mut above) = (least, greatest);
    for _ in 0..MOST_HALVINGS {
        let middle = below + (above - below) / 2.0;
        if middle <= below || middle >= above {
            break;
        }
        if slope(middle) > 0.0 { below = middle } else { above = middle }
    }
    below
}

const NO_EVENTS: Undefined = Undefined::NoInformation {
    what: "a pair of arms without an event, or without anything else",
    remedy: "wait for events, or read the interval of the difference",
};
/// Enough for a share of 1e-30 to be found to the last bit.
const MOST_HALVINGS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_restricted_shares_solve_the_likelihood_equation() {
        let control = Proportion::new(10, 100).unwrap();
        let candidate = Proportion::new(30, 100).unwrap();
        // Without a restriction worth the name: value equals what was seen.
        assert!((restricted_control(control, candidate, 0.2) - 0.1).abs() < 1e-14);
        // Under equality the pooled share.
        assert!((restricted_control(control, candidate, 0.0) - 0.2).abs() < 1e-14);
    }

    #[test]
    fn score_and_pooled_test_agree_at_no_difference() {
        let control = Proportion::new(3, 40).unwrap();
        let candidate = Proportion::new(9, 35).unwrap();
        let (score, pooled) =
            (score_z(control, candidate, 0.0).unwrap(), pooled_z(control, candidate).unwrap());
        assert!((score.z - pooled.z).abs() < 1e-12);
        assert!((score.less - pooled.less).abs() < 1e-12);
    }
}
