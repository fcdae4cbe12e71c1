//! Anytime-valid t statistics of linear models (Lindon, Ham, Tingley & Bojinov).
//!
//! The e-value of a coefficient with t statistic `t`, `ν = n − k` degrees of freedom and prior weight `g`,
//! `r = g/(g + n)`:
//!
//! ```text
//! ln E = ½ ln r + ½(ν+1) [ln(1 + t²/ν) − ln(1 + r t²/ν)]
//! ```
//!
//! Exact for normal noise at every stopping time, asymptotic otherwise. For the difference of two means `k = 2`, and
//! `n` is to be read on the scale of `n₁n₂/(n₁+n₂)`. The smaller `g`, the sooner it is tuned for large effects.

use libm::{exp, expm1, log, log1p};

use super::{Undefined, finite, positive, probability};

/// A design: how many observations, how many coefficients, how much prior.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnytimeT {
    ratio: f64,
    freedom: f64,
}

impl AnytimeT {
    /// Of `count` observations and `coefficients` fitted ones, with prior weight `weight` (`g`) in observations.
    /// [`Undefined::TooFew`] without a degree of freedom.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without a degree of freedom; a weight that is not a finite number above 0.
    ///
    /// ```
    /// use serinus_core::stats::anytime_t::AnytimeT;
    ///
    /// let design = AnytimeT::new(100, 2, 1.0)?;
    /// // Looking at any time costs: 3.35 where one look needs 1.98.
    /// assert!((design.radius(0.05)? - 3.347_54).abs() < 1e-5);
    /// # Ok::<(), serinus_core::stats::Undefined>(())
    /// ```
    pub fn new(count: u64, coefficients: u64, weight: f64) -> Result<Self, Undefined> {
        positive("weight", weight)?;
        if count <= coefficients {
            let needed = coefficients.saturating_add(1);
            return Err(Undefined::TooFew { what: "the sample", got: count, needed });
        }
        let ratio = positive("weight", weight / (weight + count as f64))?;
        Ok(Self { ratio, freedom: (count - coefficients) as f64 })
    }

    /// The log e-value (nats) of a coefficient with statistic `t` against that it is 0.
    ///
    /// # Errors
    ///
    /// A `t` that is not finite.
    pub fn log_e(&self, t: f64) -> Result<f64, Undefined> {
        let Self { ratio, freedom } = *self;
        finite("t", t)?;
        let square = t / freedom.sqrt() * (t / freedom.sqrt());
        let gain = if square.is_finite() { log1p(square) - log1p(ratio * square) } else { -log(ratio) };
        Ok(0.5 * log(ratio) + 0.5 * (freedom + 1.0) * gain)
    }

    /// The p-value of this look, `min(1, 1/E)`; keep the least of all looks.
    ///
    /// # Errors
    ///
    /// A `t` that is not finite.
    pub fn p_value(&self, t: f64) -> Result<f64, Undefined> {
        Ok(exp(-self.log_e(t)?).min(1.0))
    }

    /// The `|t|` at which the evidence reaches `1/alpha`, so that the confidence sequence is `estimate ± radius × se`.
    /// Infinite while the sample is so small that none can.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn radius(&self, alpha: f64) -> Result<f64, Undefined> {
        let Self { ratio, freedom } = *self;
        // a = (r α²)^(1/(ν+1)); t² = ν (1 − a)/(a − r).
        let ln_a = (log(ratio) + 2.0 * log(probability("alpha", alpha)?)) / (freedom + 1.0);
        // a − r, from the two distances to 1, which are what is known to full precision.
        let room = (1.0 - ratio) + expm1(ln_a);
        if room <= 0.0 {
            return Ok(f64::INFINITY);
        }
        Ok((freedom * -expm1(ln_a) / room).sqrt())
    }

    /// The same radius with a known variance, in standard errors: `√((ln(1/r) + 2 ln(1/α)) / (1 − r))`, the
    /// [`AnytimeT::radius`] of many observations.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn normal_radius(&self, alpha: f64) -> Result<f64, Undefined> {
        let twice = -log(self.ratio) - 2.0 * log(probability("alpha", alpha)?);
        Ok((twice / (1.0 - self.ratio)).sqrt())
    }
}
