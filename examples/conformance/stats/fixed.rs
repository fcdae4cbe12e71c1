//! Vectors of the tests of one fixed sample, and of the rivals that stand beside them.
//!
//! Where the library says that there is no answer, an oracle often gives a number all the same: a p-value of 1, an
//! infinite statistic, NaN. Such cases are told in the oracle's words here, by what its formula gives; the library's
//! own words are tested elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serinus_core::{
    simulate::rival::{growthbook, kayenta, r, scipy, statsmodels},
    stats::{
        Interval, Side, Undefined,
        bayes::{NormalPrior, Prior, compare_proportions, effect_posterior},
        contingency::{
            Statistic, Table, conditional_odds_ratio, fisher_exact, goodness_of_fit, independence,
        },
        drift::{self, Smoothing, wasserstein},
        group_sequential::{Boundary, Spending},
        means::{
            Covariate, Difference, Effect, Moments, RatioSums, cuped, ratio_effect, welch_non_inferiority,
            welch_t,
        },
        multiplicity::{Correction, adjust, rejected},
        poisson::{Rate, compare_rates, rate_ratio_interval},
        power::{
            Design, effect_h, sample_size_arcsine, sample_size_pooled, sample_size_t, sample_size_unpooled,
            sample_size_z,
        },
        proportions::{
            NormalTest, Proportion, agresti_caffo_interval, clopper_pearson_interval, jeffreys_interval,
            miettinen_nurminen_interval, newcombe_interval, pooled_z, score_non_inferiority, wald_interval,
            wald_non_inferiority, wald_z, wilson_interval,
        },
        ranks::{MannWhitney, RankTest, kolmogorov_smirnov, mann_whitney, mann_whitney_of_histograms, shift},
        special::chi_squared_sf,
    },
};

use super::{Input, shown, shown_list};

/// The answer to a vector of one of these methods; `None` for another method.
pub(crate) fn answer(method: &str, input: Input<'_>) -> Option<Result<Value, String>> {
    Some(match method {
        "two_proportion_z_pooled" => pooled(input),
        "two_proportion_diff_ci" => difference_intervals(input),
        "proportion_ci" => proportion_intervals(input),
        "noninferiority_two_proportion" => non_inferior_share(input),
        "fisher_exact_2x2" => fisher(input),
        "fisher_exact_r" => fisher_r(input),
        "contingency_chi2_g" => contingency(input),
        "srm_chi2_gof" => split(input),
        "welch_t" => welch(input),
        "noninferiority_welch" => non_inferior_mean(input),
        "ratio_metric_delta" => ratio(input),
        "cuped" => covariate(input),
        "mann_whitney_u" => ranks(input),
        "mann_whitney_u_histogram" => ranks_of_histograms(input),
        "hodges_lehmann_ci" => shifts(input),
        "ks_2samp" => distances(input),
        "poisson_two_sample_exact" => rates(input),
        "gst_lan_demets" => lan_de_mets(input),
        "gst_power_family" => power_family(input),
        "bayes_beta_binomial" => beta_binomial(input),
        "bayes_normal_effect" => normal_effect(input),
        "sample_size_two_proportions" => two_proportions(input),
        "sample_size_means" => two_means(input),
        "power_prop_test" => power_prop_test(input),
        "power_t_test" => power_t_test(input),
        "multiple_testing" => many(input),
        "p_adjust_r" => many_r(input),
        "histogram_drift" => drifted(input),
        "kayenta_mann_whitney" => kayenta_metric(input),
        "kayenta_score" => kayenta_score(input),
        "gb_welch" => growthbook_welch(input),
        "gb_srm" => growthbook_split(input),
        _ => return None,
    })
}

fn pooled(input: Input<'_>) -> Result<Value, String> {
    let (control, candidate) = proportions(input)?;
    let test = pooled_z(control, candidate);
    Ok(json!({
        "z": shown(test.as_ref().map_or(f64::NAN, |test| test.z)),
        "p_two_sided": shown(test.as_ref().map_or(f64::NAN, |test| test.two_sided)),
        "p_greater": shown(test.as_ref().map_or(f64::NAN, |test| test.greater)),
        "p_less": shown(test.as_ref().map_or(f64::NAN, |test| test.less)),
    }))
}

fn difference_intervals(input: Input<'_>) -> Result<Value, String> {
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

fn proportion_intervals(input: Input<'_>) -> Result<Value, String> {
    let of = Proportion::new(input.count("x")?, input.count("n")?).map_err(text)?;
    let alpha = input.number("alpha")?;
    Ok(json!({
        "wilson": interval(wilson_interval(of, alpha).map_err(text)?),
        "clopper_pearson": interval(clopper_pearson_interval(of, alpha).map_err(text)?),
        "jeffreys": interval(jeffreys_interval(of, alpha).map_err(text)?),
    }))
}

fn non_inferior_share(input: Input<'_>) -> Result<Value, String> {
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

fn fisher(input: Input<'_>) -> Result<Value, String> {
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

fn fisher_r(input: Input<'_>) -> Result<Value, String> {
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

fn contingency(input: Input<'_>) -> Result<Value, String> {
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

fn split(input: Input<'_>) -> Result<Value, String> {
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

fn welch(input: Input<'_>) -> Result<Value, String> {
    let samples = if input.get("a").is_some() {
        let sample = |key| {
            let mut moments = Moments::new();
            input.sample(key)?.into_iter().try_for_each(|value| moments.push(value)).map_err(text)?;
            Ok::<_, String>(moments)
        };
        sample("a").and_then(|control| Ok((control, sample("b")?)))
    } else {
        summaries(input)
    };
    let answer = |difference, t, df, p, limits: Interval| {
        json!({
            "t": shown(t), "df": shown(df), "p": shown(p), "ci95": interval(limits), "diff": shown(difference),
        })
    };
    let unknown = Interval::new(f64::NAN, f64::NAN);
    // A value that is not a number makes everything NaN.
    let Ok((control, candidate)) = samples else {
        return Ok(answer(f64::NAN, f64::NAN, f64::NAN, f64::NAN, unknown));
    };
    let difference = candidate.mean() - control.mean();
    Ok(match welch_t(&control, &candidate) {
        Ok(effect) => {
            let limits = effect.interval(0.05).map_err(text)?;
            answer(effect.difference, effect.t(), effect.degrees_of_freedom, effect.p_two_sided(), limits)
        }
        // One degree of freedom is the oracle's word for "not defined".
        Err(Undefined::NoVariance { .. }) => {
            let (t, p) = divided_by_zero(difference);
            answer(difference, t, 1.0, p, Interval::new(difference, difference))
        }
        Err(_) => answer(difference, f64::NAN, 1.0, f64::NAN, unknown),
    })
}

fn non_inferior_mean(input: Input<'_>) -> Result<Value, String> {
    let (control, candidate) = summaries(input)?;
    let effect = welch_t(&control, &candidate).map_err(text)?;
    let (t, p) = welch_non_inferiority(&effect, input.number("margin")?).map_err(text)?;
    Ok(json!({
        "t": shown(t),
        "df": shown(effect.degrees_of_freedom),
        "p": shown(p),
        "upper95": shown(effect.upper_limit(0.05).map_err(text)?),
    }))
}

fn ratio(input: Input<'_>) -> Result<Value, String> {
    let arm = |key| {
        let arm = input.object(key)?;
        Ok::<_, String>(RatioSums {
            count: arm.count("n")?,
            numerator: arm.number("sum_m")?,
            numerator_squares: arm.number("sum_m2")?,
            denominator: arm.number("sum_d")?,
            denominator_squares: arm.number("sum_d2")?,
            products: arm.number("sum_md")?,
        })
    };
    match ratio_effect(&arm("control")?, &arm("canary")?, scale(input)?) {
        Ok(effect) => Ok(Value::Object(reported(&effect, input.number("alpha")?)?)),
        Err(_) => Ok(nothing_happened()),
    }
}

fn covariate(input: Input<'_>) -> Result<Value, String> {
    let arm = |key| {
        let arm = input.object(key)?;
        Ok::<_, String>(Covariate {
            count: arm.count("n")?,
            metric: arm.number("sum_y")?,
            metric_squares: arm.number("sum_y2")?,
            covariate: arm.number("sum_x")?,
            covariate_squares: arm.number("sum_x2")?,
            products: arm.number("sum_xy")?,
        })
    };
    match cuped(&arm("control")?, &arm("canary")?, scale(input)?) {
        Ok(cuped) => {
            let mut answer = reported(&cuped.effect, input.number("alpha")?)?;
            answer.insert("theta".to_owned(), shown(cuped.theta));
            answer.insert("unadjusted_se".to_owned(), shown(cuped.unadjusted.standard_error));
            Ok(Value::Object(answer))
        }
        Err(_) => Ok(nothing_happened()),
    }
}

/// What gbstats reports when it cannot tell, whatever the reason.
fn nothing_happened() -> Value {
    json!({
        "expected": 0, "ci": [0, 0], "p": 1, "se": 0, "error": "ZERO_NEGATIVE_VARIANCE", "theta": 0, "unadjusted_se": 0,
    })
}

fn reported(effect: &Effect, alpha: f64) -> Result<Map<String, Value>, String> {
    let limits = effect.interval(alpha).map_err(text)?;
    Ok(Map::from_iter([
        ("expected".to_owned(), shown(effect.difference)),
        ("ci".to_owned(), interval(limits)),
        ("p".to_owned(), shown(effect.p_two_sided())),
        ("se".to_owned(), shown(effect.standard_error)),
        ("error".to_owned(), Value::Null),
    ]))
}

fn ranks(input: Input<'_>) -> Result<Value, String> {
    let test = mann_whitney(&input.sample("y")?, &input.sample("x")?).map_err(text)?;
    let mut answer = asymptotic(&test);
    if let Ok(RankTest { two_sided, less, greater, .. }) = test.exact() {
        answer.insert("exact_two_sided".to_owned(), shown(two_sided));
        answer.insert("exact_less".to_owned(), shown(less));
        answer.insert("exact_greater".to_owned(), shown(greater));
    }
    Ok(Value::Object(answer))
}

fn ranks_of_histograms(input: Input<'_>) -> Result<Value, String> {
    let counts = |key| serde_json::from_value::<Vec<u64>>(input.need(key)?.clone()).map_err(text);
    let test = mann_whitney_of_histograms(&counts("counts_y")?, &counts("counts_x")?).map_err(text)?;
    Ok(Value::Object(asymptotic(&test)))
}

fn asymptotic(test: &MannWhitney) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("u1".to_owned(), shown(test.u()));
    answer.insert("cles".to_owned(), shown(test.effect()));
    for (prefix, continuity) in [("asym_cc", true), ("asym_nocc", false)] {
        // All tied: the oracle divides by zero, which the continuity correction makes an infinity and so a 1.
        let none = if continuity { 1.0 } else { f64::NAN };
        let p = test.asymptotic(continuity).map_or([none; 3], |p| [p.two_sided, p.less, p.greater]);
        for (suffix, p) in ["two_sided", "less", "greater"].into_iter().zip(p) {
            answer.insert(format!("{prefix}_{suffix}"), shown(p));
        }
    }
    answer
}

fn shifts(input: Input<'_>) -> Result<Value, String> {
    let (x, y) = (input.sample("x")?, input.sample("y")?);
    let alpha = 1.0 - input.number("conf")?;
    let test = mann_whitney(&y, &x).map_err(text)?;
    let shift = shift(&y, &x).map_err(text)?;
    let by_normal = test.asymptotic(true).map_err(text)?.two_sided;
    let limits = shift.asymptotic_interval(alpha).map_err(text)?.interval;
    // R's asymptotic estimate is where its search for a root happens to stop on a flat stretch.
    let estimate = r::wilcoxon_root(&x, &y, 0.0, false, false).map_err(text)?;
    let exact = shift.has_exact();
    let of_default = shift.interval(alpha).map_err(text)?.interval;
    let p_default = if exact { test.exact().map_err(text)?.two_sided } else { by_normal };
    let method = if exact {
        "Wilcoxon rank sum exact test"
    } else {
        "Wilcoxon rank sum test with continuity correction"
    };
    Ok(json!({
        "W": shown(test.u()),
        "p_default": shown(p_default),
        "method_default": method,
        "ci_default": interval(of_default),
        "hl_default": shown(if exact { shift.estimate } else { estimate }),
        "p_asym_cc": shown(by_normal),
        "ci_asym_cc": interval(limits),
        "estimate_asym": shown(estimate),
        "median_of_differences": shown(shift.estimate),
    }))
}

fn distances(input: Input<'_>) -> Result<Value, String> {
    let test = kolmogorov_smirnov(&input.sample("x")?, &input.sample("y")?).map_err(text)?;
    let mut answer = json!({
        "d_two_sided": shown(test.distance()),
        "d_less": shown(test.candidate_less()),
        "d_greater": shown(test.candidate_greater()),
        "asymp_two_sided": shown(test.asymptotic().unwrap_or(f64::NAN)),
        "asymp_less": shown(test.asymptotic_less()),
        "asymp_greater": shown(test.asymptotic_greater()),
        "kolmogorov_limit": shown(test.limit()),
    });
    let exact = [
        ("exact_two_sided", test.exact()),
        ("exact_less", test.exact_less()),
        ("exact_greater", test.exact_greater()),
    ];
    for (key, p) in exact {
        if let Ok(p) = p {
            answer[key] = shown(p);
        }
    }
    Ok(answer)
}

fn rates(input: Input<'_>) -> Result<Value, String> {
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

fn lan_de_mets(input: Input<'_>) -> Result<Value, String> {
    let spending = match input.text("spending")? {
        "obf" => Spending::OBrienFleming,
        "pocock" => Spending::Pocock,
        "power" => Spending::Power(input.number("phi")?),
        "hsd" => Spending::HwangShihDeCani(input.number("gamma")?),
        other => return Err(format!("unknown spending function `{other}`")),
    };
    let side = if is(input, "two_sided") { Side::TwoSided } else { Side::Greater };
    let boundary = Boundary::new(input.number("alpha")?, spending, side).map_err(text)?;
    let looks = boundary.bounds(&input.numbers("information")?).map_err(text)?;
    Ok(json!({
        "z_bounds": looks.iter().map(|look| shown(look.z)).collect::<Vec<_>>(),
        "spent": looks.iter().map(|look| shown(look.spent)).collect::<Vec<_>>(),
    }))
}

fn power_family(input: Input<'_>) -> Result<Value, String> {
    let side = if input.number("sides")? == 2.0 { Side::TwoSided } else { Side::Greater };
    let spending = Spending::Power(input.number("phi")?);
    let boundary = Boundary::new(input.number("alpha")?, spending, side).map_err(text)?;
    // Looks closer than this are one look to the oracle.
    let times = input.numbers("t")?;
    let mut distinct: Vec<f64> = Vec::new();
    for &t in &times {
        if distinct.last().is_none_or(|last| t - last >= 1e-5) {
            distinct.push(t);
        }
    }
    let looks = boundary.bounds(&distinct).map_err(text)?;
    // The oracle's bounds end at `ztrun`.
    let most = input.number("ztrun")?;
    let bound = |t: &f64| {
        let look = looks.iter().rev().find(|look| look.information <= *t);
        shown(look.map_or(f64::NAN, |look| look.z.min(most)))
    };
    Ok(json!({ "z_bounds": times.iter().map(bound).collect::<Vec<_>>() }))
}

fn beta_binomial(input: Input<'_>) -> Result<Value, String> {
    let (control, candidate) = proportions(input)?;
    let prior = input.numbers("prior")?;
    let [a, b] = prior[..] else { return Err("`prior` has not two parameters".to_owned()) };
    let posterior = compare_proportions(control, candidate, Prior::new(a, b).map_err(text)?).map_err(text)?;
    Ok(json!({
        "prob_canary_higher": shown(posterior.chance_greater),
        "expected_increase": shown(posterior.expected_increase),
        "expected_decrease": shown(posterior.expected_decrease),
    }))
}

fn normal_effect(input: Input<'_>) -> Result<Value, String> {
    let (control, canary) = (arm(input, "control")?, arm(input, "canary")?);
    let (difference, alpha) = (scale(input)?, input.number("alpha")?);
    let estimate = growthbook::welch(control, canary, difference, alpha);
    if let Some(error) = estimate.error {
        return Ok(json!({
            "chance_to_win": 0.5, "expected": 0, "ci": [0, 0], "risk": [0, 0], "sd": 0, "error": error,
        }));
    }
    let prior = match input.get("prior") {
        None => None,
        Some(_) => {
            let prior = input.object("prior")?;
            // The prior is on the relative scale; on the other it scales with the control's mean.
            let scale = match difference {
                Difference::Relative => 1.0,
                Difference::Absolute => {
                    let control = input.object("control")?;
                    (control.number("sum")? / control.number("n")?).abs()
                }
            };
            let (mean, deviation) = (prior.number("mean")? * scale, prior.number("sd")? * scale);
            Some(NormalPrior::new(mean, deviation).map_err(text)?)
        }
    };
    let posterior = effect_posterior(estimate.expected, estimate.standard_error, prior).map_err(text)?;
    let mut risk = [shown(posterior.expected_increase), shown(posterior.expected_decrease)];
    let inverse = is(input, "inverse");
    if inverse {
        risk.reverse();
    }
    Ok(json!({
        "chance_to_win": shown(if inverse { posterior.chance_less } else { posterior.chance_greater }),
        "expected": shown(posterior.mean),
        "ci": interval(posterior.interval(alpha).map_err(text)?),
        "risk": risk,
        "sd": shown(posterior.deviation),
        "error": null,
    }))
}

fn two_proportions(input: Input<'_>) -> Result<Value, String> {
    let (p1, p2) = (input.number("p1")?, input.number("p2")?);
    let design = design(input)?.with_ratio(input.number("ratio_n2_over_n1")?).map_err(text)?;
    Ok(json!({
        "cohen_h": shown(effect_h(p1, p2).map_err(text)?),
        "n1_arcsine": shown(sample_size_arcsine(p1, p2, design).map_err(text)?),
        "n1_unpooled": shown(sample_size_unpooled(p1, p2, design).map_err(text)?),
        "n1_pooled_null": shown(sample_size_pooled(p1, p2, design).map_err(text)?),
    }))
}

fn two_means(input: Input<'_>) -> Result<Value, String> {
    let effect = input.number("d")?.abs();
    let design = design(input)?.with_ratio(input.number("ratio_n2_over_n1")?).map_err(text)?;
    Ok(json!({
        "n1_t": shown(sample_size_t(effect, design, true).map_err(text)?),
        "n1_z": shown(sample_size_z(effect, design).map_err(text)?),
    }))
}

fn power_prop_test(input: Input<'_>) -> Result<Value, String> {
    let count = sample_size_pooled(input.number("p1")?, input.number("p2")?, design(input)?);
    Ok(json!({ "n_per_group": shown(count.map_err(text)?) }))
}

fn power_t_test(input: Input<'_>) -> Result<Value, String> {
    let effect = (input.number("delta")? / input.number("sd")?).abs();
    Ok(json!({ "n_per_group": shown(sample_size_t(effect, design(input)?, false).map_err(text)?) }))
}

fn many(input: Input<'_>) -> Result<Value, String> {
    let (p, alpha) = (input.numbers("p")?, input.number("alpha")?);
    let adjusted = |correction| adjust(&p, correction).map(shown_list).map_err(text);
    Ok(json!({
        "bonferroni": adjusted(Correction::Bonferroni)?,
        "holm": adjusted(Correction::Holm)?,
        "simes-hochberg": adjusted(Correction::Hochberg)?,
        "hommel": adjusted(Correction::Hommel)?,
        "fdr_bh": adjusted(Correction::BenjaminiHochberg)?,
        "fdr_by": adjusted(Correction::BenjaminiYekutieli)?,
        "sidak": adjusted(Correction::Sidak)?,
        "reject_holm": rejected(&p, Correction::Holm, alpha).map_err(text)?,
        "reject_fdr_bh": rejected(&p, Correction::BenjaminiHochberg, alpha).map_err(text)?,
    }))
}

fn many_r(input: Input<'_>) -> Result<Value, String> {
    let value = |value: &Value| if value.is_null() { Ok(f64::NAN) } else { super::number(value) };
    let p = input.list("p")?.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    // R leaves out what is missing before it counts.
    let there: Vec<f64> = p.iter().copied().filter(|p| !p.is_nan()).collect();
    let adjusted = |correction| {
        let mut adjusted = adjust(&there, correction).map_err(text)?.into_iter();
        let each =
            |p: &f64| if p.is_nan() { shown(f64::NAN) } else { shown(adjusted.next().unwrap_or(f64::NAN)) };
        Ok::<_, String>(p.iter().map(each).collect::<Vec<_>>())
    };
    Ok(json!({
        "holm": adjusted(Correction::Holm)?,
        "hochberg": adjusted(Correction::Hochberg)?,
        "hommel": adjusted(Correction::Hommel)?,
        "BH": adjusted(Correction::BenjaminiHochberg)?,
        "BY": adjusted(Correction::BenjaminiYekutieli)?,
        "bonferroni": adjusted(Correction::Bonferroni)?,
    }))
}

fn drifted(input: Input<'_>) -> Result<Value, String> {
    let counts = |key| serde_json::from_value::<Vec<u64>>(input.need(key)?.clone()).map_err(text);
    let (reference, current) = (counts("reference")?, counts("current")?);
    let drift = drift::compare(&reference, &current);
    let of = |value: fn(&drift::Drift) -> f64| shown(drift.as_ref().map_or(f64::NAN, value));
    let psi = drift::stability_index(&reference, &current, Smoothing::Filled);
    let moved = wasserstein(&reference, &current, &input.numbers("values")?);
    Ok(json!({
        "psi_evidently_fill": shown(psi.unwrap_or(f64::NAN)),
        "js_distance_nat": of(|drift| drift.jensen_shannon * std::f64::consts::LN_2.sqrt()),
        "js_distance_base2": of(|drift| drift.jensen_shannon),
        "ks_d": of(|drift| drift.kolmogorov_smirnov),
        "wasserstein": shown(moved.map_or(f64::NAN, |moved| moved.distance)),
        "kl_ref_cur": of(|drift| drift.kullback_leibler),
        "hellinger": of(|drift| drift.hellinger),
        "total_variation": of(|drift| drift.total_variation),
    }))
}

fn kayenta_metric(input: Input<'_>) -> Result<Value, String> {
    let (canary, baseline) = (input.sample("canary")?, input.sample("baseline")?);
    let mut judge = kayenta::Judge { confidence: input.number("conf")?, ..kayenta::Judge::default() };
    if input.get("tolerance").is_some() {
        judge.tolerance = input.number("tolerance")?;
    }
    if input.get("direction").is_some() {
        judge.direction = match input.text("direction")? {
            "increase" => kayenta::Direction::Increase,
            "decrease" => kayenta::Direction::Decrease,
            _ => kayenta::Direction::Either,
        };
    }
    if let [decrease, increase] = input.numbers("allowed").unwrap_or_default()[..] {
        (judge.allowed_decrease, judge.allowed_increase) = (decrease, increase);
    }
    if input.get("nan_strategy").is_some() && input.text("nan_strategy")? == "replace" {
        judge.missing = kayenta::MissingValues::Replace;
    }
    judge.critical = is(input, "critical");
    judge.must_have_data = is(input, "must_have_data");
    let kept = |sample: &[f64]| -> Vec<f64> {
        let each = |value: &f64| match judge.missing {
            kayenta::MissingValues::Replace if value.is_nan() => Some(0.0),
            _ => Some(*value).filter(|value| !value.is_nan()),
        };
        sample.iter().filter_map(each).collect()
    };
    let (canary, baseline) = (kept(&canary), kept(&baseline));
    let mut answer = Map::new();
    let classification = kayenta::classify(&canary, &baseline, &judge);
    answer.insert("classification".to_owned(), json!(format!("{classification:?}")));
    answer.insert("mean_ratio".to_owned(), shown(kayenta::mean_ratio(&canary, &baseline)));
    if let Ok(comparison) = kayenta::compare(&canary, &baseline, judge.confidence) {
        answer.insert("ci".to_owned(), interval(comparison.interval));
        answer.insert("estimate".to_owned(), shown(comparison.estimate));
    }
    Ok(Value::Object(answer))
}

fn kayenta_score(input: Input<'_>) -> Result<Value, String> {
    let weights: BTreeMap<String, f64> =
        serde_json::from_value(input.need("group_weights")?.clone()).map_err(text)?;
    let metrics = input.need("metrics")?.as_array().ok_or("`metrics` is not a list")?;
    let metric = |metric: &Value| {
        let input = Input(metric.as_object().ok_or("a metric is not an object")?);
        let groups = if input.get("groups").is_some() {
            serde_json::from_value(input.need("groups")?.clone()).map_err(text)?
        } else {
            vec![input.text("group")?.to_owned()]
        };
        let word = input.text("classification")?;
        use kayenta::Classification::{Error, High, Low, Nodata, NodataFailMetric, Pass};
        let classification = [Error, High, Low, Nodata, NodataFailMetric, Pass]
            .into_iter()
            .find(|classification| format!("{classification:?}") == word)
            .ok_or_else(|| format!("unknown classification `{word}`"))?;
        Ok::<_, String>(kayenta::Judged { groups, classification, critical: is(input, "critical") })
    };
    let metrics = metrics.iter().map(metric).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "summary_score": shown(kayenta::score(&metrics, &weights)) }))
}

fn growthbook_welch(input: Input<'_>) -> Result<Value, String> {
    let (control, canary, alpha) = (arm(input, "control")?, arm(input, "canary")?, input.number("alpha")?);
    let report = |difference| {
        let report = growthbook::welch(control, canary, difference, alpha);
        json!({
            "expected": shown(report.expected),
            "ci": interval(report.interval),
            "p": shown(report.p),
            "se": shown(report.standard_error),
            "error": report.error,
        })
    };
    Ok(json!({ "absolute": report(Difference::Absolute), "relative": report(Difference::Relative) }))
}

fn growthbook_split(input: Input<'_>) -> Result<Value, String> {
    Ok(
        json!({ "p": shown(growthbook::check_sample_ratio(&input.numbers("observed")?, &input.numbers("weights")?)) }),
    )
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

fn summaries(input: Input<'_>) -> Result<(Moments, Moments), String> {
    let moments = |count, mean, deviation| {
        Moments::from_summary(input.count(count)?, input.number(mean)?, input.number(deviation)?)
            .map_err(text)
    };
    Ok((moments("n1", "mean1", "sd1")?, moments("n2", "mean2", "sd2")?))
}

fn table(input: Input<'_>) -> Result<Table, String> {
    let [first, second]: [[u64; 2]; 2] =
        serde_json::from_value(input.need("table")?.clone()).map_err(text)?;
    Ok(Table::new(first, second))
}

fn scale(input: Input<'_>) -> Result<Difference, String> {
    match input.text("difference")? {
        "absolute" => Ok(Difference::Absolute),
        "relative" => Ok(Difference::Relative),
        other => Err(format!("unknown difference `{other}`")),
    }
}

fn design(input: Input<'_>) -> Result<Design, String> {
    let design = Design::new(input.number("alpha")?, input.number("power")?).map_err(text)?;
    let alternative = input.get("alternative").and_then(Value::as_str).unwrap_or("two.sided");
    Ok(if matches!(alternative, "two.sided" | "two-sided") { design } else { design.one_sided() })
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
