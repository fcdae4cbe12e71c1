//! Beta posteriors of two proportions.

use super::super::{Undefined, positive, proportions::Proportion, quadrature, require, special};

/// A beta prior, for both arms alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    a: f64,
    b: f64,
}

impl Prior {
    /// `B(1, 1)`: every share alike.
    pub const UNIFORM: Self = Self { a: 1.0, b: 1.0 };

    /// `B(a, b)`: as if `a` events and `b` trials without event had been seen before.
    ///
    /// # Errors
    ///
    /// Parameters that are not finite numbers above 0.
    pub fn new(a: f64, b: f64) -> Result<Self, Undefined> {
        Ok(Self { a: positive("prior a", a)?, b: positive("prior b", b)? })
    }
}

/// What is believed of two shares.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProportionPosterior {
    /// `P(p₂ > p₁)`: the chance that the candidate's share is greater.
    pub chance_greater: f64,
    /// `E[max(p₂ - p₁, 0)]`: what keeping the candidate is expected to cost, if events are failures.
    pub expected_increase: f64,
    /// `E[max(p₁ - p₂, 0)]`: what keeping the control is expected to cost.
    pub expected_decrease: f64,
}

/// The posterior of two shares with the same beta prior.
///
/// With whole parameters and few events `P(p₂ > p₁)` is a finite sum over the smallest of the four parameters
/// (Miller 2015); otherwise it is integrated over the logit of the control's share.
///
/// # Errors
///
/// More than 1e12 trials in an arm: the digits would not be there.
pub fn compare_proportions(
    control: Proportion,
    candidate: Proportion,
    prior: Prior,
) -> Result<ProportionPosterior, Undefined> {
    let posterior = |of: Proportion| {
        require("trials", of.trials() as f64, of.trials() <= MOST_TRIALS, "at most 1e12")?;
        Ok(Beta { a: of.events() as f64 + prior.a, b: (of.trials() - of.events()) as f64 + prior.b })
    };
    let (first, second) = (posterior(control)?, posterior(candidate)?);
    let increase = expected_increase(first, second);
    let decrease = expected_increase(second, first);
    // One of the two is a difference of nearly equal numbers; the other and the means give it.
    let between = second.mean_above(first);
    let (expected_increase, expected_decrease) = if increase >= decrease {
        (between + decrease.max(0.0), decrease.max(0.0))
    } else {
        (increase.max(0.0), increase.max(0.0) - between)
    };
    Ok(ProportionPosterior {
        chance_greater: chance_greater(first, second),
        expected_increase,
        expected_decrease,
    })
}

#[derive(Clone, Copy, Debug)]
struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    fn mean(self) -> f64 {
        self.a / (self.a + self.b)
    }

    fn mean_above(self, other: Self) -> f64 {
        (self.a * other.b - other.a * self.b) / (self.a + self.b) / (other.a + other.b)
    }

    /// The standard deviation of the logit, roughly.
    fn spread(self) -> f64 {
        (1.0 / self.a + 1.0 / self.b).sqrt()
    }

    fn mirrored(self) -> Self {
        Self { a: self.b, b: self.a }
    }
}

/// `E[max(p₂ - p₁, 0)] = m₂ h(a₁, b₁, a₂+1, b₂) - m₁ h(a₁+1, b₁, a₂, b₂)` with `h = P(p₂ > p₁)` (Stucchio 2015).
fn expected_increase(first: Beta, second: Beta) -> f64 {
    let more_events = |beta: Beta| Beta { a: beta.a + 1.0, ..beta };
    second.mean() * chance_greater(first, more_events(second))
        - first.mean() * chance_greater(more_events(first), second)
}

/// `P(p₂ > p₁)`.
fn chance_greater(first: Beta, second: Beta) -> f64 {
    // P(p₂ > p₁) by its complement or by the mirror image, so that the sum runs over the smallest parameter.
    let forms = [
        (second.a, first, second, false),
        (first.b, second.mirrored(), first.mirrored(), false),
        (first.a, second, first, true),
        (second.b, first.mirrored(), second.mirrored(), true),
    ];
    let summable = |&(terms, ..): &(f64, Beta, Beta, bool)| terms.fract() == 0.0 && terms <= MOST_TERMS;
    let least = forms.into_iter().filter(summable).min_by(|left, right| left.0.total_cmp(&right.0));
    let chance = match least {
        Some((_, first, second, false)) => sum(first, second),
        Some((_, first, second, true)) => 1.0 - sum(first, second),
        None => integrate(first, second),
    };
    chance.clamp(0.0, 1.0)
}

/// `Σ_{i < a₂} B(a₁+i, b₁+b₂) / ((b₂+i) B(1+i, b₂) B(a₁, b₁))`, by the ratios of its terms.
fn sum(first: Beta, second: Beta) -> f64 {
    let (a1, b1, a2, b2) = (first.a, first.b, second.a, second.b);
    let ln_first = special::ln_beta(a1, b1 + b2) - special::ln_beta(a1, b1);
    // The first term may be too small for an f64 while later ones are not.
    let (mut ln_scale, mut term, mut sum) = (ln_first, 1.0, 0.0);
    let mut i = 0.0;
    while i < a2 {
        sum += term;
        term *= (a1 + i) / (a1 + b1 + b2 + i) * ((b2 + i) / (1.0 + i));
        if term > LARGE {
            term /= LARGE;
            sum /= LARGE;
            ln_scale += libm::log(LARGE);
        }
        i += 1.0;
    }
    libm::exp(ln_scale + libm::log(sum))
}

/// `∫ density₁ P(p₂ > p₁) dp₁`, over the logit of `p₁`.
fn integrate(first: Beta, second: Beta) -> f64 {
    let centre = libm::log(first.a / first.b);
    let spread = first.spread();
    // The tails of the logit fall off like a bell or, with less than one event, like an exponential.
    let from = centre - (REACH * spread).max(NEGLIGIBLE / first.a.max(LEAST_EVENTS));
    let to = centre + (REACH * spread).max(NEGLIGIBLE / first.b.max(LEAST_EVENTS));
    let (mut sum, mut weights) = (0.0, 0.0);
    let finest = spread.min(second.spread());
    let panels = ((to - from) / (2.0 * finest)).ceil().clamp(8.0, 2000.0) as usize;
    let trials = first.a + first.b;
    for (logit, weight) in quadrature::points(from, to, panels) {
        let (share, rest) = (1.0 / (1.0 + libm::exp(-logit)), 1.0 / (1.0 + libm::exp(logit)));
        // The logarithm of the density below its peak, without the large terms that cancel.
        let below = special::deviance(first.a, trials * share) + special::deviance(first.b, trials * rest);
        let density = libm::exp(-below) * weight;
        weights += density;
        sum += density * special::beta_upper(second.a, second.b, share);
    }
    sum / weights
}

const MOST_TRIALS: u64 = 1_000_000_000_000;
/// A sum of this many terms takes less than a millisecond.
const MOST_TERMS: f64 = 1e5;
const LARGE: f64 = 1e200;
/// Standard deviations of the logit that count.
const REACH: f64 = 14.0;
/// So many nats below its peak a density no longer counts.
const NEGLIGIBLE: f64 = 40.0;
/// With fewer events than this the exponential is cut off.
const LEAST_EVENTS: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_and_the_integral_agree() {
        for (a1, b1, a2, b2) in [(3.0, 40.0, 5.0, 38.0), (51.0, 951.0, 76.0, 926.0), (1.0, 11.0, 1.0, 11.0)] {
            let (first, second) = (Beta { a: a1, b: b1 }, Beta { a: a2, b: b2 });
            let (sum, integral) = (sum(first, second), integrate(first, second));
            assert!((sum - integral).abs() < 1e-7, "{sum} {integral}");
        }
    }
}
