//! Whether the predictions of a shadow agree with those of the live model, on the same requests.

use super::super::{
    Interval, Undefined,
    discrete::ln_binomial,
    finite,
    means::Moments,
    not_negative,
    proportions::{Proportion, wilson_interval},
    special,
};

/// Agreement of two classifiers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// The share of requests on which they agree.
    pub share: f64,
    /// Wilson's interval for it.
    pub interval: Interval,
    /// Cohen's κ: agreement beyond what the two marginal distributions give by chance; 1 is perfect, 0 is chance.
    /// `None` if both always say the same one category, when chance explains everything.
    pub kappa: Option<f64>,
}

/// Agreement of two classifiers, from a table with the live model's category in rows and the shadow's in columns.
///
/// # Errors
///
/// A table that is not square, no requests, an `alpha` outside (0, 1).
pub fn categories_agree<Row: AsRef<[u64]>>(table: &[Row], alpha: f64) -> Result<Agreement, Undefined> {
    let (mut agreed, mut total) = (0_u64, 0_u64);
    let mut columns = vec![0.0; table.len()];
    let mut rows = Vec::with_capacity(table.len());
    for (index, row) in table.iter().enumerate() {
        let row = row.as_ref();
        if row.len() != table.len() {
            return Err(Undefined::Unequal {
                left: "the rows",
                left_length: table.len(),
                right: "a row",
                right_length: row.len(),
            });
        }
        let mut in_row = 0.0;
        for (column, &count) in columns.iter_mut().zip(row) {
            total = total.saturating_add(count);
            *column += count as f64;
            in_row += count as f64;
        }
        rows.push(in_row);
        agreed = agreed.saturating_add(row[index]);
    }
    let proportion = Proportion::new(agreed, total)?;
    let all = total as f64;
    let by_chance: f64 = rows.iter().zip(&columns).map(|(row, column)| row / all * (column / all)).sum();
    let share = proportion.share();
    let kappa = (by_chance < 1.0).then(|| (share - by_chance) / (1.0 - by_chance));
    Ok(Agreement { share, interval: wilson_interval(proportion, alpha)?, kappa })
}

/// Agreement of two models that predict numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Closeness {
    /// The share of requests on which they differ by at most the tolerance.
    pub share: f64,
    /// Wilson's interval for it.
    pub interval: Interval,
    /// The mean of `shadow - live`.
    pub bias: f64,
    /// Where the differences of 95 % of requests lie, if they are about normal: `bias ± 1.96 sd` (Bland & Altman
    /// 1986).
    pub limits: Interval,
}

/// Agreement of two models that predict numbers, on the same requests in the same order.
///
/// # Errors
///
/// Lists of different lengths or of fewer than two requests, a prediction or difference that is not finite, a
/// tolerance below 0, an `alpha` outside (0, 1).
pub fn numbers_agree(
    live: &[f64],
    shadow: &[f64],
    tolerance: f64,
    alpha: f64,
) -> Result<Closeness, Undefined> {
    if live.len() != shadow.len() {
        return Err(Undefined::Unequal {
            left: "the live predictions",
            left_length: live.len(),
            right: "the shadow's",
            right_length: shadow.len(),
        });
    }
    not_negative("tolerance", tolerance)?;
    let (mut differences, mut close) = (Moments::new(), 0);
    for (&live, &shadow) in live.iter().zip(shadow) {
        let difference = finite("shadow prediction", shadow)? - finite("live prediction", live)?;
        differences.push(difference)?;
        close += u64::from(difference.abs() <= tolerance);
    }
    let proportion = Proportion::new(close, differences.count())?;
    let (bias, half) = (differences.mean(), NINETY_FIVE * differences.variance()?.sqrt());
    Ok(Closeness {
        share: proportion.share(),
        interval: wilson_interval(proportion, alpha)?,
        bias,
        limits: Interval::new(bias - half, bias + half),
    })
}

/// Whether one of two models is right more often, once the truth is known: McNemar's exact test, two-sided, of the
/// requests on which exactly one was right.
///
/// # Errors
///
/// No such requests.
pub fn only_one_right(live: u64, shadow: u64) -> Result<f64, Undefined> {
    let total = live as f64 + shadow as f64;
    if total == 0.0 {
        return Err(Undefined::NoInformation {
            what: "a comparison in which both models are always right or wrong together",
            remedy: "wait for requests on which they differ",
        });
    }
    let most = live.max(shadow) as f64;
    let least = total - most;
    if most == least {
        return Ok(1.0);
    }
    let tail = if least == 0.0 {
        libm::exp(ln_binomial(0.0, total, 0.5, 0.5))
    } else {
        special::beta_lower(most, least + 1.0, 0.5)
    };
    Ok((2.0 * tail).min(1.0))
}

/// The normal quantile of 97.5 %.
const NINETY_FIVE: f64 = 1.959_963_984_540_054;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_beyond_chance_is_measured() {
        // Cohen's kappa of the textbook table: 0.7 agreement, 0.5 by chance.
        let agreement = categories_agree(&[[20, 5], [10, 15]], 0.05).unwrap();
        assert!((agreement.share - 0.7).abs() < 1e-15);
        assert!((agreement.kappa.unwrap() - 0.4).abs() < 1e-15);
        assert_eq!(categories_agree(&[[9, 0], [0, 0]], 0.05).unwrap().kappa, None);
        assert!(categories_agree(&[vec![1, 2], vec![1]], 0.05).is_err());
        assert!(categories_agree::<[u64; 0]>(&[], 0.05).is_err());
    }

    #[test]
    fn numbers_that_differ_by_a_constant_have_a_bias_and_no_spread() {
        let close = numbers_agree(&[1.0, 2.0, 3.0], &[1.5, 2.5, 3.5], 0.5, 0.05).unwrap();
        assert_eq!((close.share, close.bias, close.limits.width()), (1.0, 0.5, 0.0));
        assert!(numbers_agree(&[1.0, f64::NAN], &[1.0, 1.0], 0.5, 0.05).is_err());
        assert!(numbers_agree(&[1.0], &[1.0], 0.5, 0.05).is_err());
    }

    #[test]
    fn mcnemars_test_is_a_fair_coin() {
        // 1 and 5 of six: 2 (1 + 6) / 64.
        assert!((only_one_right(1, 5).unwrap() - 14.0 / 64.0).abs() < 1e-15);
        assert!((only_one_right(0, 5).unwrap() - 2.0 / 32.0).abs() < 1e-15);
        assert_eq!(only_one_right(4, 4), Ok(1.0));
        assert!(only_one_right(0, 0).is_err());
    }
}
