//! The mean of values between 0 and 1, by betting and by empirical Bernstein, valid at all times.
//!
//! No assumption but that the values are bounded and each has the same mean given those before. After Waudby-Smith &
//! Ramdas 2024. For decisions about rates of failure take [`grid`](super::grid): these need more data, as they know
//! less.

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use super::{
    Interval, Undefined,
    evidence::{EProcess, EvidenceError, SchemaVersion},
    probability, require,
};

/// How much to bet next: `√(2 ln(1/α) / (k ln(1+k) v))` at observation `k`, from a running variance `v` of all
/// observations before it that starts with one imagined observation of mean ½ and variance ¼.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Stakes {
    count: u64,
    sum: f64,
    squares: f64,
}

impl Stakes {
    fn new() -> Self {
        Self { count: 0, sum: 0.0, squares: 0.0 }
    }

    /// The stake of the next observation, for a capital that is to reach `exp(target)`.
    fn next(&self, target: f64) -> f64 {
        let number = self.count as f64 + 1.0;
        let variance = (0.25 + self.squares) / number;
        (2.0 * target / (number * log1p(number) * variance)).sqrt()
    }

    fn learn(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        self.sum += value;
        let mean = ((0.5 + self.sum) / (self.count as f64 + 1.0)).min(1.0);
        self.squares += (value - mean) * (value - mean);
    }

    /// The plain mean of what was observed, 0 before the first.
    fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }
}

/// One side of a predictable mixture: weighted sums of values and of penalties.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    stakes: f64,
    values: f64,
    penalties: f64,
}

impl Weighted {
    fn add(&mut self, stake: f64, value: f64, penalty: f64) {
        self.stakes += stake;
        self.values += stake * value;
        self.penalties += penalty;
    }

    fn lower(&self, target: f64) -> f64 {
        if self.stakes == 0.0 {
            return 0.0;
        }
        ((self.values - target - self.penalties) / self.stakes).clamp(0.0, 1.0)
    }
}

/// The empirical-Bernstein confidence sequence of a mean in `[0, 1]` (Waudby-Smith & Ramdas 2024, theorem 2).
///
/// Each side holds with error probability `α/2`: centre `Σλx/Σλ`, radius `(ln(2/α) + Σ (x − μ)² ψ(λ)) / Σλ`,
/// `ψ(λ) = −ln(1−λ) − λ`, with stakes `λ` of at most ½ and `μ` the mean of the values before. State of a few floats.
///
/// ```
/// use serinus_core::stats::betting::EmpiricalBernstein;
///
/// let mut mean = EmpiricalBernstein::new(0.05)?;
/// for index in 0..1000 {
///     mean.observe(f64::from(index % 2))?;
/// }
/// let interval = mean.interval();
/// assert!(interval.contains(0.5) && interval.width() < 0.2);
/// # Ok::<(), serinus_core::stats::Undefined>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EmpiricalBernstein {
    version: SchemaVersion,
    /// ln(2/α).
    target: f64,
    stakes: Stakes,
    above: Weighted,
    below: Weighted,
}

impl EmpiricalBernstein {
    /// Nothing observed; the interval will hold with probability `1 − alpha`.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn new(alpha: f64) -> Result<Self, Undefined> {
        let target = log(2.0) - log(probability("alpha", alpha)?);
        Ok(Self {
            version: SchemaVersion,
            target,
            stakes: Stakes::new(),
            above: Weighted::default(),
            below: Weighted::default(),
        })
    }

    /// Adds a value; one outside `[0, 1]` is refused and nothing has changed.
    ///
    /// # Errors
    ///
    /// A value outside `[0, 1]`, NaN among them; nothing has changed then.
    pub fn observe(&mut self, value: f64) -> Result<(), Undefined> {
        within("value", value)?;
        let stake = self.stakes.next(self.target).min(0.5);
        let psi = -log1p(-stake) - stake;
        let before = self.stakes.mean();
        // Before the first value the mean of the mirrored values is 0 as well.
        let before_mirrored = if self.stakes.count == 0 { 0.0 } else { 1.0 - before };
        let mirrored = 1.0 - value;
        self.above.add(stake, value, (value - before) * (value - before) * psi);
        self.below.add(stake, mirrored, (mirrored - before_mirrored) * (mirrored - before_mirrored) * psi);
        self.stakes.learn(value);
        Ok(())
    }

    /// The interval now; all of `[0, 1]` before the first value.
    pub fn interval(&self) -> Interval {
        Interval::new(self.above.lower(self.target), 1.0 - self.below.lower(self.target))
    }
}

/// The Hoeffding confidence sequence of a mean in `[0, 1]`: as [`EmpiricalBernstein`], but as if every value had the
/// largest variance there is; wider unless the values are near both ends. Stakes `√(8 ln(2/α) / (k ln(1+k)))`, at most
/// 1, penalties `λ²/8`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hoeffding {
    version: SchemaVersion,
    target: f64,
    count: u64,
    above: Weighted,
}

impl Hoeffding {
    /// Nothing observed; the interval will hold with probability `1 − alpha`.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn new(alpha: f64) -> Result<Self, Undefined> {
        let target = log(2.0) - log(probability("alpha", alpha)?);
        Ok(Self { version: SchemaVersion, target, count: 0, above: Weighted::default() })
    }

    /// Adds a value; one outside `[0, 1]` is refused and nothing has changed.
    ///
    /// # Errors
    ///
    /// A value outside `[0, 1]`, NaN among them; nothing has changed then.
    pub fn observe(&mut self, value: f64) -> Result<(), Undefined> {
        within("value", value)?;
        self.count = self.count.saturating_add(1);
        let number = self.count as f64;
        let stake = (8.0 * self.target / (number * log1p(number))).sqrt().min(1.0);
        self.above.add(stake, value, stake * stake / 8.0);
        Ok(())
    }

    /// The interval now; all of `[0, 1]` before the first value.
    pub fn interval(&self) -> Interval {
        let Weighted { stakes, values, penalties } = self.above;
        let mirrored = Weighted { stakes, values: stakes - values, penalties };
        Interval::new(self.above.lower(self.target), 1.0 - mirrored.lower(self.target))
    }
}

/// Evidence against a mean in `[0, 1]` of exactly `mean`: half the capital bets on more, half on less (the hedged
/// capital process). A martingale, and so the sharpest of the three; but each mean in question needs its own.
///
/// `K± = Π (1 ± λ (x − m))`, `ln E = max(ln ½K₊, ln ½K₋)`. A stake is at most half of what could ruin it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Betting {
    version: SchemaVersion,
    mean: f64,
    target: f64,
    stakes: Stakes,
    more: f64,
    less: f64,
    peak: f64,
}

impl Betting {
    /// Against `mean`, with stakes chosen for the error probability `alpha`.
    ///
    /// # Errors
    ///
    /// A `mean` outside `[0, 1]`, an `alpha` outside (0, 1).
    pub fn new(mean: f64, alpha: f64) -> Result<Self, Undefined> {
        within("mean", mean)?;
        let target = log(2.0) - log(probability("alpha", alpha)?);
        Ok(Self {
            version: SchemaVersion,
            mean,
            target,
            stakes: Stakes::new(),
            more: 0.0,
            less: 0.0,
            peak: 0.0,
        })
    }

    /// Adds a value; one outside `[0, 1]` is refused and nothing has changed.
    ///
    /// # Errors
    ///
    /// A value outside `[0, 1]`, NaN among them; nothing has changed then.
    pub fn observe(&mut self, value: f64) -> Result<(), Undefined> {
        within("value", value)?;
        let stake = self.stakes.next(self.target);
        self.bet(stake, value);
        self.stakes.learn(value);
        Ok(())
    }

    fn bet(&mut self, stake: f64, value: f64) {
        let difference = value - self.mean;
        // At a mean of 0 or 1 a stake may be without bound; any value inside refutes such a mean at once.
        let gain = |difference: f64, limit: f64| {
            if difference == 0.0 { 0.0 } else { log1p(stake.min(0.5 / limit) * difference) }
        };
        self.more += gain(difference, self.mean);
        self.less += gain(-difference, 1.0 - self.mean);
        self.peak = self.peak.max(self.log_e());
    }
}

impl EProcess for Betting {
    fn log_e(&self) -> f64 {
        self.more.max(self.less) - log(2.0)
    }

    fn peak(&self) -> f64 {
        self.peak
    }
}

/// The confidence sequence that belongs to [`Betting`]: one capital for each mean of a grid. For plots; its state and
/// its cost are those of the grid.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct BettingInterval {
    stakes: Stakes,
    target: f64,
    threshold: f64,
    bets: Vec<Betting>,
}

impl BettingInterval {
    /// Over the means `0, 1/breaks, …, 1`; `breaks` from 1 to 100,000.
    ///
    /// # Errors
    ///
    /// No breaks or more than 100,000, an `alpha` outside (0, 1).
    pub fn new(breaks: u32, alpha: f64) -> Result<Self, Undefined> {
        require("breaks", f64::from(breaks), (1..=100_000).contains(&breaks), "from 1 to 100000")?;
        let threshold = -log(probability("alpha", alpha)?);
        let bets = (0..=breaks).map(|index| Betting::new(f64::from(index) / f64::from(breaks), alpha));
        let bets = bets.collect::<Result<_, _>>()?;
        Ok(Self { stakes: Stakes::new(), target: log(2.0) + threshold, threshold, bets })
    }

    /// Adds a value; one outside `[0, 1]` is refused and nothing has changed.
    ///
    /// # Errors
    ///
    /// A value outside `[0, 1]`, NaN among them; nothing has changed then.
    pub fn observe(&mut self, value: f64) -> Result<(), Undefined> {
        within("value", value)?;
        let stake = self.stakes.next(self.target);
        for bet in &mut self.bets {
            bet.bet(stake, value);
        }
        self.stakes.learn(value);
        Ok(())
    }

    /// The means that are not refuted now, rounded outward to the next of the grid; all where none is left, which is
    /// an interval between two of them.
    pub fn interval(&self) -> Interval {
        let kept = |bet: &Betting| bet.log_e() <= self.threshold;
        let last = self.bets.len().saturating_sub(1);
        let (Some(from), Some(to)) = (self.bets.iter().position(kept), self.bets.iter().rposition(kept))
        else {
            return Interval::new(0.0, 1.0);
        };
        let mean = |index: usize| self.bets.get(index).map_or(1.0, |bet| bet.mean);
        Interval::new(mean(from.saturating_sub(1)), mean((to + 1).min(last)))
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    stakes: Stakes,
    target: f64,
    threshold: f64,
    bets: Vec<Betting>,
}

impl From<BettingInterval> for Stored {
    fn from(state: BettingInterval) -> Self {
        let BettingInterval { stakes, target, threshold, bets } = state;
        Self { version: SchemaVersion, stakes, target, threshold, bets }
    }
}

impl TryFrom<Stored> for BettingInterval {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, stakes, target, threshold, bets } = stored;
        if !(threshold.is_finite() && threshold > 0.0 && target.is_finite() && target > threshold) {
            return Err(EvidenceError::Damaged { what: "its threshold is no number above 0" });
        }
        let rising = bets.windows(2).all(|pair| pair[0].mean < pair[1].mean);
        let ends =
            bets.first().zip(bets.last()).is_some_and(|(low, high)| low.mean == 0.0 && high.mean == 1.0);
        if !rising || !ends {
            return Err(EvidenceError::Damaged { what: "its means do not rise from 0 to 1" });
        }
        Ok(Self { stakes, target, threshold, bets })
    }
}

fn within(name: &'static str, value: f64) -> Result<f64, Undefined> {
    require(name, value, (0.0..=1.0).contains(&value), "between 0 and 1")
}
