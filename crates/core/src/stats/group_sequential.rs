//! Bounds for a few planned looks, by spending the error probability (Lan & DeMets 1983).
//!
//! With looks at information `t₁ < t₂ < …` of a maximum of 1, the statistic `Z` is compared at each look with a bound
//! chosen so that all crossings up to then have probability `α(t)`, the spending function. More powerful than an
//! e-process when the horizon is known; worth nothing when it is not. Information is `Σ e₁e₂/(e₁+e₂)` over the windows
//! of a ramp, relative to its planned sum; not elapsed time. `Z` must be stratified by window, not pooled.
//!
//! ```
//! use serinus_core::stats::{Side, group_sequential::{Boundary, Spending}};
//!
//! let boundary = Boundary::new(0.05, Spending::OBrienFleming, Side::TwoSided)?;
//! let looks = boundary.bounds(&[0.2, 0.4, 0.6, 0.8, 1.0])?;
//! assert!((looks[0].z - 4.8769).abs() < 1e-4);
//! assert!((looks[4].z - 2.0310).abs() < 1e-4);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

use serde::{Deserialize, Serialize};

use super::{
    Side, Undefined,
    evidence::{EvidenceError, SchemaVersion},
    positive, probability, quadrature, require, root, special,
};

/// How much of the error probability `α` is spent by information `t`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Spending {
    /// `2 (1 - Φ(z_{α/2} / √t))`: next to nothing early, as the bounds of O'Brien & Fleming (1979).
    OBrienFleming,
    /// `α ln(1 + (e - 1) t)`: about evenly, as the bounds of Pocock (1977).
    Pocock,
    /// `α t^φ`, `φ` above 0 (Kim & DeMets 1987).
    Power(f64),
    /// `α (1 - e^(-γt)) / (1 - e^(-γ))`, or `α t` at 0 (Hwang, Shih & DeCani 1990).
    HwangShihDeCani(f64),
}

impl Spending {
    /// What of `alpha` is spent by information `t`: none at 0, all from 1 on.
    pub fn spent(&self, alpha: f64, t: f64) -> f64 {
        if t >= 1.0 {
            return alpha;
        }
        if t <= 0.0 {
            return 0.0;
        }
        match *self {
            Self::OBrienFleming => {
                2.0 * special::normal_sf(-special::normal_quantile(alpha / 2.0) / t.sqrt())
            }
            Self::Pocock => alpha * libm::log1p((std::f64::consts::E - 1.0) * t),
            Self::Power(exponent) => alpha * libm::pow(t, exponent),
            Self::HwangShihDeCani(rate) if rate.abs() < 1e-12 => alpha * t,
            Self::HwangShihDeCani(rate) => alpha * (libm::expm1(-rate * t) / libm::expm1(-rate)),
        }
    }
}

/// A look that was taken or is planned.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Look {
    /// Its information: 1 is the planned maximum.
    pub information: f64,
    /// The bound on `Z`: crossed if `Z ≥ z`, for the lower side if `Z ≤ -z`, for two sides if `|Z| ≥ z`. Infinite if
    /// nothing is spent.
    #[serde(with = "infinite_as_null")]
    pub z: f64,
    /// What has been spent by then on *one* side.
    pub spent: f64,
}

/// A spending plan and the looks taken so far; its state is the list of looks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Boundary {
    alpha: f64,
    spending: Spending,
    side: Side,
    looks: Vec<Look>,
}

impl Boundary {
    /// A plan that spends `alpha` in all; for two sides half of it on each, with symmetric bounds.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1), a parameter of the spending function outside its range.
    pub fn new(alpha: f64, spending: Spending, side: Side) -> Result<Self, Undefined> {
        probability("alpha", alpha)?;
        match spending {
            Spending::Power(exponent) => positive("exponent", exponent)?,
            Spending::HwangShihDeCani(rate) => {
                require("rate", rate, rate.abs() <= MOST_RATE, "a finite number from -100 to 100")?
            }
            Spending::OBrienFleming | Spending::Pocock => alpha,
        };
        Ok(Self { alpha, spending, side, looks: Vec::new() })
    }

    /// The looks taken so far.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// Takes a look at `information`, and gives its bound.
    ///
    /// A look at 1 or above spends what is left: an over-run is judged by its true information, with the full error
    /// probability and no more. After it there are no further looks.
    ///
    /// # Errors
    ///
    /// Information that is not a finite number above that of the look before, a look after the last, more than a
    /// thousand looks.
    pub fn look(&mut self, information: f64) -> Result<Look, Undefined> {
        let all: Vec<f64> = self.looks.iter().map(|look| look.information).chain([information]).collect();
        let before = self.looks.len();
        let Some(&look) = self.follow(&all)?.get(before) else {
            return Err(Undefined::TooFew {
                what: "the plan",
                got: before as u64,
                needed: before as u64 + 1,
            });
        };
        self.looks.push(look);
        Ok(look)
    }

    /// The bounds of a plan with these looks, after those already taken.
    ///
    /// # Errors
    ///
    /// As [`look`](Self::look).
    pub fn bounds(&self, information: &[f64]) -> Result<Vec<Look>, Undefined> {
        let taken = self.looks.len();
        let all: Vec<f64> =
            self.looks.iter().map(|look| look.information).chain(information.iter().copied()).collect();
        Ok(self.follow(&all)?.split_off(taken))
    }

    /// All looks from the first; those already taken keep their bounds.
    fn follow(&self, information: &[f64]) -> Result<Vec<Look>, Undefined> {
        let count = information.len();
        require("looks", count as f64, count <= MOST_LOOKS, "at most 1000")?;
        let (two_sided, alpha) = match self.side {
            Side::TwoSided => (true, self.alpha / 2.0),
            Side::Greater | Side::Less => (false, self.alpha),
        };
        let mut looks: Vec<Look> = Vec::with_capacity(count);
        let mut density: Option<Density> = None;
        let (mut before, mut spent) = (0.0, 0.0);
        for (index, &t) in information.iter().enumerate() {
            require(
                "information",
                t,
                t.is_finite() && t > before,
                "finite, above 0 and above the look before",
            )?;
            require("information", t, before < 1.0, "nothing: the last look was taken")?;
            let following = information.get(index + 1).copied();
            let total = self.spending.spent(alpha, t);
            let walk = Walk { density: density.as_ref(), step: (t - before).sqrt() };
            let z = match self.looks.get(index) {
                Some(taken) => taken.z,
                None => walk.bound(total - spent, t, total),
            };
            spent = total.max(spent);
            looks.push(Look { information: t, z, spent });
            density = following.map(|next| walk.density(z, t, two_sided, (next - t).sqrt()));
            before = t;
        }
        Ok(looks)
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    alpha: f64,
    spending: Spending,
    side: Side,
    looks: Vec<Look>,
}

impl From<Boundary> for Stored {
    fn from(Boundary { alpha, spending, side, looks }: Boundary) -> Self {
        Self { version: SchemaVersion, alpha, spending, side, looks }
    }
}

impl TryFrom<Stored> for Boundary {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, alpha, spending, side, looks } = stored;
        let mut before = 0.0;
        for look in &looks {
            if !(look.information > before && before < 1.0 && look.spent <= alpha) || look.z.is_nan() {
                return Err(EvidenceError::Damaged { what: "its looks are out of order" });
            }
            before = look.information;
        }
        if looks.len() > MOST_LOOKS {
            return Err(EvidenceError::Damaged { what: "it has more than a thousand looks" });
        }
        Ok(Self { looks, ..Self::new(alpha, spending, side)? })
    }
}

/// JSON has no infinity.
mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(bound: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        bound.is_finite().then_some(*bound).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

/// The density of the score `B(t) = Z √t` of rollouts that have not crossed, at the points of a rule.
struct Density {
    /// Point and density times weight.
    points: Vec<(f64, f64)>,
}

/// From one look to the next: the score moves by a normal of standard deviation `step`.
struct Walk<'a> {
    density: Option<&'a Density>,
    step: f64,
}

impl Walk<'_> {
    /// The bound on `Z` that is crossed with probability `increment`.
    fn bound(&self, increment: f64, t: f64, total: f64) -> f64 {
        if increment <= 0.0 {
            return f64::INFINITY;
        }
        if self.density.is_none() {
            return -special::normal_quantile(total);
        }
        let excess = |z: f64| {
            let crossed = self.crossed(z * t.sqrt());
            if crossed > 0.0 { libm::log(crossed / increment) } else { f64::NEG_INFINITY }
        };
        let start = -special::normal_quantile(total.min(0.5));
        root::zero_around(|z| excess(z).clamp(-1e4, 1e4), start, 0.25).unwrap_or(f64::INFINITY)
    }

    /// The probability of a score above `bound`.
    fn crossed(&self, bound: f64) -> f64 {
        match self.density {
            None => special::normal_sf(bound / self.step),
            Some(density) => {
                let beyond = |&(x, mass): &(f64, f64)| mass * special::normal_sf((bound - x) / self.step);
                density.points.iter().map(beyond).sum()
            }
        }
    }

    /// The density at `t` below the bound, at points close enough for steps of this look and of the next.
    fn density(&self, z: f64, t: f64, two_sided: bool, next_step: f64) -> Density {
        let upper = z.min(FAR) * t.sqrt();
        let lower = if two_sided { -upper } else { -FAR * t.sqrt() };
        let scale = self.step.min(next_step);
        let panels = ((upper - lower) / (PANEL * scale)).ceil().clamp(1.0, MOST_PANELS) as usize;
        let at = |x: f64| {
            let bell = |distance: f64| libm::exp(-0.5 * (distance / self.step) * (distance / self.step));
            let sum: f64 = match self.density {
                None => bell(x),
                Some(density) => density.points.iter().map(|&(from, mass)| mass * bell(x - from)).sum(),
            };
            sum / (self.step * (2.0 * std::f64::consts::PI).sqrt())
        };
        let points =
            quadrature::points(lower, upper, panels).into_iter().map(|(x, weight)| (x, weight * at(x)));
        Density { points: points.collect() }
    }
}

/// Scores this many standard deviations out are left out of the density: 1e-17 of them are there. Only bounds above 8
/// notice, which decide nothing.
const FAR: f64 = 8.5;
/// The width of a panel, in steps of the score.
const PANEL: f64 = 3.0;
/// Enough for steps of a thousandth of the range.
const MOST_PANELS: f64 = 400.0;
const MOST_LOOKS: usize = 1000;
const MOST_RATE: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_taken_one_by_one_have_the_bounds_of_the_plan() {
        let plan = [0.1, 0.12, 0.6, 1.0];
        let mut boundary = Boundary::new(0.01, Spending::Pocock, Side::Greater).unwrap();
        let planned = boundary.bounds(&plan).unwrap();
        let taken: Vec<Look> = plan.iter().map(|&t| boundary.look(t).unwrap()).collect();
        for (planned, taken) in planned.iter().zip(&taken) {
            assert!((planned.z - taken.z).abs() < 1e-12);
        }
        assert!(matches!(boundary.look(1.1), Err(Undefined::OutOfRange { .. })));
    }

    #[test]
    fn an_over_run_spends_what_is_left() {
        let boundary = Boundary::new(0.05, Spending::OBrienFleming, Side::Greater).unwrap();
        let looks = boundary.bounds(&[0.5, 1.2]).unwrap();
        assert!((looks[1].spent - 0.05).abs() < 1e-15);
        // Less correlated with the look before than at 1, so the bound is a little lower.
        let on_time = boundary.bounds(&[0.5, 1.0]).unwrap();
        assert!(looks[1].z > 1.64 && (looks[1].z - on_time[1].z).abs() < 0.01);
    }

    #[test]
    fn information_that_does_not_grow_is_refused() {
        let boundary = Boundary::new(0.05, Spending::Pocock, Side::TwoSided).unwrap();
        for wrong in [&[0.5, 0.5][..], &[0.5, 0.4], &[f64::NAN], &[0.0], &[-1.0], &[f64::INFINITY]] {
            assert!(matches!(boundary.bounds(wrong), Err(Undefined::OutOfRange { .. })), "{wrong:?}");
        }
        assert!(Boundary::new(0.0, Spending::Pocock, Side::Less).is_err());
        assert!(Boundary::new(0.05, Spending::Power(0.0), Side::Less).is_err());
        assert!(Boundary::new(0.05, Spending::HwangShihDeCani(f64::NAN), Side::Less).is_err());
    }
}
