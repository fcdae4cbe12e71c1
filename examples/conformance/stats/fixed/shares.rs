//! Proportions, tables and counters.

use serde_json::{Value, json};
use serinus_core::{
    simulate::rival::{r, scipy, statsmodels},
    stats::{
        Interval, Undefined,
        contingency::{
            Statistic, Table, conditional_odds_ratio, fisher_exact, goodness_of_fit, independence,
        },
        poisson::{Rate, compare_rates, rate_ratio_interval},
        proportions::{
            NormalTest, Proportion, agresti_caffo_interval, clopper_pearson_interval, jeffreys_interval,
            miettinen_nurminen_interval, newcombe_interval, pooled_z, score_non_inferiority, wald_interval,
            wald_non_inferiority, wald_z, wilson_interval,
        },
        special::chi_squared_sf,
    },
};

use super::{
    super::{Input, shown},
    divided_by_zero, interval, proportions, text,
};

pub(crate) fn pooled(input: Input<'_>) -> Result<Value, String> {
    let (control, candidate) = proportions(input)?;
    let test = pooled_z(control, candidate);
    Ok(json!({
        "z": shown(test.as_ref().map_or(f64::NAN, |test| test.z)),
        "p_two_sided": shown(test.as_ref().map_or(f64::NAN, |test| test.two_sided)),
        "p_greater": shown(test.as_ref().map_or(f64::NAN, |test| test.greater)),
        "p_less": shown(test.as_ref().map_or(f64::NAN, |test| test.less)),
    }))
}

pub(crate) fn difference_intervals(input: Input<'_>) -> Result<Value, String> {
    let (control, candidate) = proportions(input)?;
    let alpha = input.number("alpha")?;
    let (z, p) = match wald_z(control, candidate) {
        Ok(NormalTest { z, two_sided, .. }) => (z, two_sided),
        Err(_) => divided_by_zero(candidate.share() - control.share()),
    };
    // Where the oracle's slip leaves its interval undefined, so does it say.
    let score = statsmodels::score_interval(control, candidate, alpha).map_err(text)?;
    miettinen_nurminen_interval(control, candidate, alpha).map_err(text)?;
    Ok(json!({
        "wald_z": shown(z),
        "wald_p": shown(p),
        "wald_ci": interval(wald_interval(control, candidate, alpha).map_err(text)?),
        "newcomb_ci": interval(newcombe_interval(control, candidate, alpha).map_err(text)?),
        "agresti_caffo_ci": interval(agresti_caffo_interval(control, candidate, alpha).map_err(text)?),
        "miettinen_nurminen_ci": score.map(interval),
    }))
}

pub(crate) fn proportion_intervals(input: Input<'_>) -> Result<Value, String> {
    let of = Proportion::new(input.count("x")?, input.count("n")?).map_err(text)?;
    let alpha = input.number("alpha")?;
    Ok(json!({
        "wilson": interval(wilson_interval(of, alpha).map_err(text)?),
        "clopper_pearson": interval(clopper_pearson_interval(of, alpha).map_err(text)?),
        "jeffreys": interval(jeffreys_interval(of, alpha).map_err(text)?),
    }))
}

pub(crate) fn non_inferior_share(input: Input<'_>) -> Result<Value, String> {
    let (control, candidate) = proportions(input)?;
    let margin = input.number("margin")?;
    let (wald_z, wald_p) = match wald_non_inferiority(control, candidate, margin) {
        Ok(test) => (test.z, test.p),
        Err(_) => {
            let beyond = candidate.share() - control.share() - margin;
            (beyond / 0.0, if beyond < 0.0 { 0.0 } else { 1.0 })
        }
    };
    let score = score_non_inferiority(control, candidate, margin).map_err(text)?;
    let oracle = statsmodels::score_z(control, candidate, margin).map_err(text)?;
    Ok(json!({
        "wald_z": shown(wald_z),
        "wald_p": shown(wald_p),
        "score_z": shown(oracle.z),
        "score_p": shown(oracle.less),
        "newcombe_upper95_one_sided": shown(score.upper_limit),
    }))
}

pub(crate) fn fisher(input: Input<'_>) -> Result<Value, String> {
    let table = table(input)?;
    let (two_sided, less, greater) = match fisher_exact(&table) {
        Ok(p) => (p.two_sided, p.less, p.greater),
        // The oracles call a table without information one of probability 1.
        Err(Undefined::NoInformation { .. }) => (1.0, 1.0, 1.0),
        Err(error) => return Err(text(error)),
    };
    let (estimate, limits) = match conditional_odds_ratio(&table, 0.05) {
        Ok(odds) => (odds.estimate, odds.interval),
        Err(Undefined::NoInformation { .. }) => (f64::NAN, Interval::new(0.0, f64::INFINITY)),
        Err(error) => return Err(text(error)),
    };
    Ok(json!({
        "p_two_sided": shown(two_sided),
        "p_less": shown(less),
        "p_greater": shown(greater),
        "sample_odds_ratio": shown(table.sample_odds_ratio()),
        "conditional_mle_or": shown(estimate),
        "or_ci95": interval(limits),
    }))
}

pub(crate) fn fisher_r(input: Input<'_>) -> Result<Value, String> {
    let p = fisher(input)?;
    let (estimate, limits) = r::fisher_odds_ratio(&table(input)?, 0.05).map_err(text)?;
    Ok(json!({
        "p_two_sided": p["p_two_sided"],
        "p_greater": p["p_greater"],
        "p_less": p["p_less"],
        "conditional_or": shown(estimate),
        "ci95": interval(limits),
    }))
}

pub(crate) fn contingency(input: Input<'_>) -> Result<Value, String> {
    let rows: Vec<Vec<u64>> = serde_json::from_value(input.need("table")?.clone()).map_err(text)?;
    let test = |statistic, yates| {
        let test = independence(&rows, statistic, yates).map_err(text)?;
        let (mut sum, mut p) = (test.statistic, test.p);
        if statistic == Statistic::LikelihoodRatio && rows.iter().flatten().sum::<u64>() as f64 > LARGE {
            sum = same_sum(sum, scipy::g_statistic(scipy::expected(&rows, yates)))?;
            p = chi_squared_sf(sum, f64::from(test.degrees_of_freedom));
        }
        Ok::<_, String>(json!({ "stat": shown(sum), "p": shown(p), "dof": test.degrees_of_freedom }))
    };
    Ok(json!({
        "pearson": test(Statistic::Pearson, false)?,
        "pearson_yates": test(Statistic::Pearson, true)?,
        "g": test(Statistic::LikelihoodRatio, false)?,
        "g_yates": test(Statistic::LikelihoodRatio, true)?,
    }))
}

pub(crate) fn split(input: Input<'_>) -> Result<Value, String> {
    let observed: Vec<u64> = serde_json::from_value(input.need("observed")?.clone()).map_err(text)?;
    let weights = input.numbers("weights")?;
    let test = |statistic| match goodness_of_fit(&observed, &weights, statistic) {
        Ok(test) => Ok((test.statistic, test.p)),
        // By the oracle's convention no data fit perfectly.
        Err(Undefined::NoInformation { .. }) => Ok((0.0, 1.0)),
        Err(error) => Err(text(error)),
    };
    let ((stat, p), (mut g_stat, mut g_p)) = (test(Statistic::Pearson)?, test(Statistic::LikelihoodRatio)?);
    let (counted, weighed) = (observed.iter().sum::<u64>() as f64, weights.iter().sum::<f64>());
    if counted > LARGE {
        let expected = weights.iter().map(|weight| weight / weighed * counted);
        let cells =
            observed.iter().map(|&count| count as f64).zip(expected).filter(|(_, expected)| *expected > 0.0);
        let freedom = weights.iter().filter(|weight| **weight > 0.0).count() - 1;
        g_stat = same_sum(g_stat, scipy::g_statistic(cells))?;
        g_p = chi_squared_sf(g_stat, freedom as f64);
    }
    Ok(json!({ "stat": shown(stat), "p": shown(p), "g_stat": shown(g_stat), "g_p": shown(g_p) }))
}

pub(crate) fn rates(input: Input<'_>) -> Result<Value, String> {
    let rate = |events, exposure| Rate::new(input.count(events)?, input.number(exposure)?).map_err(text);
    let (control, candidate) = (rate("x1", "exposure1")?, rate("x2", "exposure2")?);
    let null_ratio = input.number("ratio_null")?;
    let (ratio, p, limits) = match compare_rates(control, candidate, null_ratio) {
        Ok(test) => {
            let limits = rate_ratio_interval(control, candidate, 0.05).map_err(text)?;
            (test.ratio, [test.greater, test.less, test.two_sided], limits)
        }
        // No events: every split of nothing has probability 1.
        Err(Undefined::NoInformation { .. }) => (f64::NAN, [1.0; 3], Interval::new(0.0, f64::INFINITY)),
        Err(error) => return Err(text(error)),
    };
    Ok(json!({
        "p_greater": shown(p[0]),
        "p_less": shown(p[1]),
        "p_two_sided_minlike": shown(p[2]),
        "ratio_ci95_exact": interval(limits),
        "ratio": shown(ratio),
    }))
}

/// The oracle's sum, which at these counts has lost digits that the tolerance asks for; it must have six still.
fn same_sum(own: f64, oracle: f64) -> Result<f64, String> {
    if (oracle - own).abs() <= 1e-6 * own {
        Ok(oracle)
    } else {
        Err(format!("the sums are {own} and {oracle}"))
    }
}

/// Counts above which a plain sum of `O ln(O / E)` has fewer digits than the vectors ask for.
const LARGE: f64 = 1e6;

fn table(input: Input<'_>) -> Result<Table, String> {
    let [first, second]: [[u64; 2]; 2] =
        serde_json::from_value(input.need("table")?.clone()).map_err(text)?;
    Ok(Table::new(first, second))
}
