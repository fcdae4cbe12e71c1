//! Vectors of the tests of one fixed sample, and of the rivals that stand beside them.
//!
//! Where the library says that there is no answer, an oracle often gives a number all the same: a p-value of 1, an
//! infinite statistic, NaN. Such cases are told in the oracle's words here, by what its formula gives; the library's
//! own words are tested elsewhere.

use serde_json::{Value, json};
use serinus_core::{
    simulate::rival::growthbook,
    stats::{Interval, means::Difference, proportions::Proportion},
};

use super::{Input, shown};

#[path = "fixed/beliefs.rs"]
mod beliefs;
#[path = "fixed/means.rs"]
mod means;
#[path = "fixed/plans.rs"]
mod plans;
#[path = "fixed/ranks.rs"]
mod ranks;
#[path = "fixed/rivals.rs"]
mod rivals;
#[path = "fixed/shares.rs"]
mod shares;

/// The answer to a vector of one of these methods; `None` for another method.
pub(crate) fn answer(method: &str, input: Input<'_>) -> Option<Result<Value, String>> {
    Some(match method {
        "two_proportion_z_pooled" => shares::pooled(input),
        "two_proportion_diff_ci" => shares::difference_intervals(input),
        "proportion_ci" => shares::proportion_intervals(input),
        "noninferiority_two_proportion" => shares::non_inferior_share(input),
        "fisher_exact_2x2" => shares::fisher(input),
        "fisher_exact_r" => shares::fisher_r(input),
        "contingency_chi2_g" => shares::contingency(input),
        "srm_chi2_gof" => shares::split(input),
        "welch_t" => means::welch(input),
        "noninferiority_welch" => means::non_inferior_mean(input),
        "ratio_metric_delta" => means::ratio(input),
        "cuped" => means::covariate(input),
        "mann_whitney_u" => ranks::ranks(input),
        "mann_whitney_u_histogram" => ranks::ranks_of_histograms(input),
        "hodges_lehmann_ci" => ranks::shifts(input),
        "ks_2samp" => ranks::distances(input),
        "poisson_two_sample_exact" => shares::rates(input),
        "gst_lan_demets" => plans::lan_de_mets(input),
        "gst_power_family" => plans::power_family(input),
        "bayes_beta_binomial" => beliefs::beta_binomial(input),
        "bayes_normal_effect" => beliefs::normal_effect(input),
        "sample_size_two_proportions" => plans::two_proportions(input),
        "sample_size_means" => plans::two_means(input),
        "power_prop_test" => plans::power_prop_test(input),
        "power_t_test" => plans::power_t_test(input),
        "multiple_testing" => plans::many(input),
        "p_adjust_r" => plans::many_r(input),
        "histogram_drift" => ranks::drifted(input),
        "kayenta_mann_whitney" => rivals::kayenta_metric(input),
        "kayenta_score" => rivals::kayenta_score(input),
        "gb_welch" => rivals::growthbook_welch(input),
        "gb_srm" => rivals::growthbook_split(input),
        _ => return None,
    })
}

/// What a statistic and its two-sided p-value become where an oracle divides by a standard error of zero.
fn divided_by_zero(difference: f64) -> (f64, f64) {
    let z = difference / 0.0;
    (z, if z.is_nan() { z } else { 0.0 })
}

fn proportions(input: Input<'_>) -> Result<(Proportion, Proportion), String> {
    let proportion =
        |events, trials| Proportion::new(input.count(events)?, input.count(trials)?).map_err(text);
    Ok((proportion("x1", "n1")?, proportion("x2", "n2")?))
}

fn scale(input: Input<'_>) -> Result<Difference, String> {
    match input.text("difference")? {
        "absolute" => Ok(Difference::Absolute),
        "relative" => Ok(Difference::Relative),
        other => Err(format!("unknown difference `{other}`")),
    }
}

fn arm(input: Input<'_>, key: &str) -> Result<growthbook::Arm, String> {
    let arm = input.object(key)?;
    let (count, sum) = (arm.number("n")?, arm.number("sum")?);
    match arm.text("kind")? {
        "proportion" => Ok(growthbook::Arm::Proportion { count, sum }),
        "mean" => {
            let key = ["sum_squares", "sum_sq", "sum2"].into_iter().find(|key| arm.get(key).is_some());
            let squares = arm.number(key.ok_or("there is no sum of squares")?)?;
            Ok(growthbook::Arm::Mean { count, sum, squares })
        }
        other => Err(format!("unknown kind `{other}`")),
    }
}

fn is(input: Input<'_>, key: &str) -> bool {
    input.get(key) == Some(&Value::Bool(true))
}

fn interval(interval: Interval) -> Value {
    json!([shown(interval.lower), shown(interval.upper)])
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
