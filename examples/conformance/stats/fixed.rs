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
        means::{Covariate, Difference, Effect, Moments, RatioSums, cuped, ratio_effect, welch_non_inferiority, welch_t},
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
        special::chi_squared_sf,
        ranks::{
            MannWhitney, RankTest, kolmogorov_smirnov, mann_whitney, mann_whitney_of_histograms, shift,
        },
    },
};

/// The answer to a vector of one of these methods; `None` for another method.
pub(crate) fn answer(method: &str, input: &Value) -> Option<Result<Value, String>> {
    let given = Given(input);
    Some(match method {
        "two_proportion_z_pooled" => pooled(&given),
        "two_proportion_diff_ci" => difference_intervals(&given),
        "proportion_ci" => proportion_intervals(&given),
        "noninferiority_two_proportion" => non_inferior_share(&given),
        "fisher_exact_2x2" => fisher(&given),
        "fisher_exact_r" => fisher_r(&given),
        "contingency_chi2_g" => contingency(&given),
        "srm_chi2_gof" => split(&given),
        "welch_t" => welch(&given),
        "noninferiority_welch" => non_inferior_mean(&given),
        "ratio_metric_delta" => ratio(&given),
        "cuped" => covariate(&given),
        "mann_whitney_u" => ranks(&given),
        "mann_whitney_u_histogram" => ranks_of_histograms(&given),
        "hodges_lehmann_ci" => shifts(&given),
        "ks_2samp" => distances(&given),
        "poisson_two_sample_exact" => rates(&given),
        "gst_lan_demets" => lan_de_mets(&given),
        "gst_power_family" => power_family(&given),
        "bayes_beta_binomial" => beta_binomial(&given),
        "bayes_normal_effect" => normal_effect(&given),
        "sample_size_two_proportions" => two_proportions(&given),
        "sample_size_means" => two_means(&given),
        "power_prop_test" => power_prop_test(&given),
        "power_t_test" => power_t_test(&given),
        "multiple_testing" => many(&given),
        "p_adjust_r" => many_r(&given),
        "histogram_drift" => drifted(&given),
        "kayenta_mann_whitney" => kayenta_metric(&given),
        "kayenta_score" => kayenta_score(&given),
        "gb_welch" => growthbook_welch(&given),
        "gb_srm" => growthbook_split(&given),
        _ => return None,
    })
}

fn pooled(given: &Given<'_>) -> Result<Value, String> {
    let (control, candidate) = given.proportions()?;
    let test = pooled_z(control, candidate);
    Ok(json!({
        "z": number(test.as_ref().map_or(f64::NAN, |test| test.z)),
        "p_two_sided": number(test.as_ref().map_or(f64::NAN, |test| test.two_sided)),
        "p_greater": number(test.as_ref().map_or(f64::NAN, |test| test.greater)),
        "p_less": number(test.as_ref().map_or(f64::NAN, |test| test.less)),
    }))
}

fn difference_intervals(given: &Given<'_>) -> Result<Value, String> {
    let (control, candidate) = given.proportions()?;
    let alpha = given.number("alpha")?;
    let (z, p) = match wald_z(control, candidate) {
        Ok(NormalTest { z, two_sided, .. }) => (z, two_sided),
        Err(_) => divided_by_zero(candidate.share() - control.share()),
    };
    // Where the oracle's slip leaves its interval undefined, so does it say.
    let score = statsmodels::score_interval(control, candidate, alpha).map_err(text)?;
    miettinen_nurminen_interval(control, candidate, alpha).map_err(text)?;
    Ok(json!({
        "wald_z": number(z),
        "wald_p": number(p),
        "wald_ci": interval(wald_interval(control, candidate, alpha).map_err(text)?),
        "newcomb_ci": interval(newcombe_interval(control, candidate, alpha).map_err(text)?),
        "agresti_caffo_ci": interval(agresti_caffo_interval(control, candidate, alpha).map_err(text)?),
        "miettinen_nurminen_ci": score.map(interval),
    }))
}

fn proportion_intervals(given: &Given<'_>) -> Result<Value, String> {
    let of = Proportion::new(given.count("x")?, given.count("n")?).map_err(text)?;
    let alpha = given.number("alpha")?;
    Ok(json!({
        "wilson": interval(wilson_interval(of, alpha).map_err(text)?),
        "clopper_pearson": interval(clopper_pearson_interval(of, alpha).map_err(text)?),
        "jeffreys": interval(jeffreys_interval(of, alpha).map_err(text)?),
    }))
}

fn non_inferior_share(given: &Given<'_>) -> Result<Value, String> {
    let (control, candidate) = given.proportions()?;
    let margin = given.number("margin")?;
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
        "wald_z": number(wald_z),
        "wald_p": number(wald_p),
        "score_z": number(oracle.z),
        "score_p": number(oracle.less),
        "newcombe_upper95_one_sided": number(score.upper_limit),
    }))
}

fn fisher(given: &Given<'_>) -> Result<Value, String> {
    let table = given.table()?;
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
        "p_two_sided": number(two_sided),
        "p_less": number(less),
        "p_greater": number(greater),
        "sample_odds_ratio": number(table.sample_odds_ratio()),
        "conditional_mle_or": number(estimate),
        "or_ci95": interval(limits),
    }))
}

fn fisher_r(given: &Given<'_>) -> Result<Value, String> {
    let p = fisher(given)?;
    let (estimate, limits) = r::fisher_odds_ratio(&given.table()?, 0.05).map_err(text)?;
    Ok(json!({
        "p_two_sided": p["p_two_sided"],
        "p_greater": p["p_greater"],
        "p_less": p["p_less"],
        "conditional_or": number(estimate),
        "ci95": interval(limits),
    }))
}

fn contingency(given: &Given<'_>) -> Result<Value, String> {
    let rows: Vec<Vec<u64>> = serde_json::from_value(given.get("table")?.clone()).map_err(text)?;
    let test = |statistic, yates| {
        let test = independence(&rows, statistic, yates).map_err(text)?;
        let (mut sum, mut p) = (test.statistic, test.p);
        if statistic == Statistic::LikelihoodRatio && rows.iter().flatten().sum::<u64>() as f64 > LARGE {
            sum = same_sum(sum, scipy::g_statistic(scipy::expected(&rows, yates)))?;
            p = chi_squared_sf(sum, f64::from(test.degrees_of_freedom));
        }
        Ok::<_, String>(json!({ "stat": number(sum), "p": number(p), "dof": test.degrees_of_freedom }))
    };
    Ok(json!({
        "pearson": test(Statistic::Pearson, false)?,
        "pearson_yates": test(Statistic::Pearson, true)?,
        "g": test(Statistic::LikelihoodRatio, false)?,
        "g_yates": test(Statistic::LikelihoodRatio, true)?,
    }))
}

fn split(given: &Given<'_>) -> Result<Value, String> {
    let observed: Vec<u64> = serde_json::from_value(given.get("observed")?.clone()).map_err(text)?;
    let weights = given.list("weights")?;
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
        let cells = observed.iter().map(|&count| count as f64).zip(expected).filter(|(_, expected)| *expected > 0.0);
        let freedom = weights.iter().filter(|weight| **weight > 0.0).count() - 1;
        g_stat = same_sum(g_stat, scipy::g_statistic(cells))?;
        g_p = chi_squared_sf(g_stat, freedom as f64);
    }
    Ok(json!({ "stat": number(stat), "p": number(p), "g_stat": number(g_stat), "g_p": number(g_p) }))
}

fn welch(given: &Given<'_>) -> Result<Value, String> {
    let samples = if given.has("a") {
        let sample = |key| {
            let mut moments = Moments::new();
            given.sample(key)?.into_iter().try_for_each(|value| moments.push(value)).map_err(text)?;
            Ok::<_, String>(moments)
        };
        sample("a").and_then(|control| Ok((control, sample("b")?)))
    } else {
        given.summaries()
    };
    let answer = |difference, t, df, p, limits: Interval| {
        json!({
            "t": number(t), "df": number(df), "p": number(p), "ci95": interval(limits), "diff": number(difference),
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

fn non_inferior_mean(given: &Given<'_>) -> Result<Value, String> {
    let (control, candidate) = given.summaries()?;
    let effect = welch_t(&control, &candidate).map_err(text)?;
    let (t, p) = welch_non_inferiority(&effect, given.number("margin")?).map_err(text)?;
    Ok(json!({
        "t": number(t),
        "df": number(effect.degrees_of_freedom),
        "p": number(p),
        "upper95": number(effect.upper_limit(0.05).map_err(text)?),
    }))
}

fn ratio(given: &Given<'_>) -> Result<Value, String> {
    let arm = |key| {
        let arm = given.inner(key)?;
        Ok::<_, String>(RatioSums {
            count: arm.count("n")?,
            numerator: arm.number("sum_m")?,
            numerator_squares: arm.number("sum_m2")?,
            denominator: arm.number("sum_d")?,
            denominator_squares: arm.number("sum_d2")?,
            products: arm.number("sum_md")?,
        })
    };
    match ratio_effect(&arm("control")?, &arm("canary")?, given.difference()?) {
        Ok(effect) => Ok(Value::Object(reported(&effect, given.number("alpha")?)?)),
        Err(error) => Ok(json!({ "error": text(error) })),
    }
}

fn covariate(given: &Given<'_>) -> Result<Value, String> {
    let arm = |key| {
        let arm = given.inner(key)?;
        Ok::<_, String>(Covariate {
            count: arm.count("n")?,
            metric: arm.number("sum_y")?,
            metric_squares: arm.number("sum_y2")?,
            covariate: arm.number("sum_x")?,
            covariate_squares: arm.number("sum_x2")?,
            products: arm.number("sum_xy")?,
        })
    };
    match cuped(&arm("control")?, &arm("canary")?, given.difference()?) {
        Ok(cuped) => {
            let mut answer = reported(&cuped.effect, given.number("alpha")?)?;
            answer.insert("theta".to_owned(), number(cuped.theta));
            answer.insert("unadjusted_se".to_owned(), number(cuped.unadjusted.standard_error));
            Ok(Value::Object(answer))
        }
        Err(error) => Ok(json!({ "error": text(error) })),
    }
}

fn reported(effect: &Effect, alpha: f64) -> Result<Map<String, Value>, String> {
    let limits = effect.interval(alpha).map_err(text)?;
    Ok(Map::from_iter([
        ("expected".to_owned(), number(effect.difference)),
        ("ci".to_owned(), interval(limits)),
        ("p".to_owned(), number(effect.p_two_sided())),
        ("se".to_owned(), number(effect.standard_error)),
        ("error".to_owned(), Value::Null),
    ]))
}

fn ranks(given: &Given<'_>) -> Result<Value, String> {
    let test = mann_whitney(&given.sample("y")?, &given.sample("x")?).map_err(text)?;
    let mut answer = asymptotic(&test);
    if let Ok(RankTest { two_sided, less, greater, .. }) = test.exact() {
        answer.insert("exact_two_sided".to_owned(), number(two_sided));
        answer.insert("exact_less".to_owned(), number(less));
        answer.insert("exact_greater".to_owned(), number(greater));
    }
    Ok(Value::Object(answer))
}

fn ranks_of_histograms(given: &Given<'_>) -> Result<Value, String> {
    let counts = |key| {
        serde_json::from_value::<Vec<u64>>(given.get(key)?.clone()).map_err(text)
    };
    let test = mann_whitney_of_histograms(&counts("counts_y")?, &counts("counts_x")?).map_err(text)?;
    Ok(Value::Object(asymptotic(&test)))
}

fn asymptotic(test: &MannWhitney) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("u1".to_owned(), number(test.u()));
    answer.insert("cles".to_owned(), number(test.effect()));
    for (prefix, continuity) in [("asym_cc", true), ("asym_nocc", false)] {
        // All tied: the oracle divides by zero, which the continuity correction makes an infinity and so a 1.
        let none = if continuity { 1.0 } else { f64::NAN };
        let p = test.asymptotic(continuity).map_or([none; 3], |p| [p.two_sided, p.less, p.greater]);
        for (suffix, p) in ["two_sided", "less", "greater"].into_iter().zip(p) {
            answer.insert(format!("{prefix}_{suffix}"), number(p));
        }
    }
    answer
}

fn shifts(given: &Given<'_>) -> Result<Value, String> {
    let (x, y) = (given.sample("x")?, given.sample("y")?);
    let alpha = 1.0 - given.number("conf")?;
    let test = mann_whitney(&y, &x).map_err(text)?;
    let shift = shift(&y, &x).map_err(text)?;
    let by_normal = test.asymptotic(true).map_err(text)?.two_sided;
    let limits = shift.asymptotic_interval(alpha).map_err(text)?.interval;
    // R's asymptotic estimate is where its search for a root happens to stop on a flat stretch.
    let estimate = r::wilcoxon_root(&x, &y, 0.0, false, false).map_err(text)?;
    let exact = shift.has_exact();
    let of_default = shift.interval(alpha).map_err(text)?.interval;
    let p_default = if exact { test.exact().map_err(text)?.two_sided } else { by_normal };
    let method =
        if exact { "Wilcoxon rank sum exact test" } else { "Wilcoxon rank sum test with continuity correction" };
    Ok(json!({
        "W": number(test.u()),
        "p_default": number(p_default),
        "method_default": method,
        "ci_default": interval(of_default),
        "hl_default": number(if exact { shift.estimate } else { estimate }),
        "p_asym_cc": number(by_normal),
        "ci_asym_cc": interval(limits),
        "estimate_asym": number(estimate),
        "median_of_differences": number(shift.estimate),
    }))
}

fn distances(given: &Given<'_>) -> Result<Value, String> {
    let test = kolmogorov_smirnov(&given.sample("x")?, &given.sample("y")?).map_err(text)?;
    let mut answer = json!({
        "d_two_sided": number(test.distance()),
        "d_less": number(test.candidate_less()),
        "d_greater": number(test.candidate_greater()),
        "asymp_two_sided": number(test.asymptotic().unwrap_or(f64::NAN)),
        "asymp_less": number(test.asymptotic_less()),
        "asymp_greater": number(test.asymptotic_greater()),
        "kolmogorov_limit": number(test.limit()),
    });
    let exact = [("exact_two_sided", test.exact()), ("exact_less", test.exact_less()), ("exact_greater", test.exact_greater())];
    for (key, p) in exact {
        if let Ok(p) = p {
            answer[key] = number(p);
        }
    }
    Ok(answer)
}

fn rates(given: &Given<'_>) -> Result<Value, String> {
    let rate = |events, exposure| {
        Rate::new(given.count(events)?, given.number(exposure)?).map_err(text)
    };
    let (control, candidate) = (rate("x1", "exposure1")?, rate("x2", "exposure2")?);
    let null_ratio = given.number("ratio_null")?;
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
        "p_greater": number(p[0]),
        "p_less": number(p[1]),
        "p_two_sided_minlike": number(p[2]),
        "ratio_ci95_exact": interval(limits),
        "ratio": number(ratio),
    }))
}

fn lan_de_mets(given: &Given<'_>) -> Result<Value, String> {
    let spending = match given.word("spending")? {
        "obf" => Spending::OBrienFleming,
        "pocock" => Spending::Pocock,
        "power" => Spending::Power(given.number("phi")?),
        "hsd" => Spending::HwangShihDeCani(given.number("gamma")?),
        other => return Err(format!("unknown spending function `{other}`")),
    };
    let side = if given.get("two_sided")? == &json!(true) { Side::TwoSided } else { Side::Greater };
    let boundary = Boundary::new(given.number("alpha")?, spending, side).map_err(text)?;
    let looks = boundary.bounds(&given.list("information")?).map_err(text)?;
    Ok(json!({
        "z_bounds": looks.iter().map(|look| number(look.z)).collect::<Vec<_>>(),
        "spent": looks.iter().map(|look| number(look.spent)).collect::<Vec<_>>(),
    }))
}

fn power_family(given: &Given<'_>) -> Result<Value, String> {
    let side = if given.number("sides")? == 2.0 { Side::TwoSided } else { Side::Greater };
    let spending = Spending::Power(given.number("phi")?);
    let boundary = Boundary::new(given.number("alpha")?, spending, side).map_err(text)?;
    // Looks closer than this are one look to the oracle.
    let times = given.list("t")?;
    let mut distinct: Vec<f64> = Vec::new();
    for &t in &times {
        if distinct.last().is_none_or(|last| t - last >= 1e-5) {
            distinct.push(t);
        }
    }
    let looks = boundary.bounds(&distinct).map_err(text)?;
    // The oracle's bounds end at `ztrun`.
    let most = given.number("ztrun")?;
    let bound = |t: &f64| {
        let look = looks.iter().rev().find(|look| look.information <= *t);
        number(look.map_or(f64::NAN, |look| look.z.min(most)))
    };
    Ok(json!({ "z_bounds": times.iter().map(bound).collect::<Vec<_>>() }))
}

fn beta_binomial(given: &Given<'_>) -> Result<Value, String> {
    let (control, candidate) = given.proportions()?;
    let prior = given.list("prior")?;
    let [a, b] = prior[..] else { return Err("`prior` has not two parameters".to_owned()) };
    let posterior =
        compare_proportions(control, candidate, Prior::new(a, b).map_err(text)?).map_err(text)?;
    Ok(json!({
        "prob_canary_higher": number(posterior.chance_greater),
        "expected_increase": number(posterior.expected_increase),
        "expected_decrease": number(posterior.expected_decrease),
    }))
}

fn normal_effect(given: &Given<'_>) -> Result<Value, String> {
    let (control, canary) = (given.arm("control")?, given.arm("canary")?);
    let (difference, alpha) = (given.difference()?, given.number("alpha")?);
    let estimate = growthbook::welch(control, canary, difference, alpha);
    if let Some(error) = estimate.error {
        return Ok(json!({ "error": error }));
    }
    let prior = match given.get("prior")? {
        Value::Null => None,
        _ => {
            let prior = given.inner("prior")?;
            // The prior is on the relative scale; on the other it scales with the control's mean.
            let scale = match difference {
                Difference::Relative => 1.0,
                Difference::Absolute => {
                    let control = given.inner("control")?;
                    (control.number("sum")? / control.number("n")?).abs()
                }
            };
            let (mean, deviation) = (prior.number("mean")? * scale, prior.number("sd")? * scale);
            Some(NormalPrior::new(mean, deviation).map_err(text)?)
        }
    };
    let posterior = effect_posterior(estimate.expected, estimate.standard_error, prior).map_err(text)?;
    let mut risk = [number(posterior.expected_increase), number(posterior.expected_decrease)];
    let inverse = given.get("inverse")? == &json!(true);
    if inverse {
        risk.reverse();
    }
    Ok(json!({
        "chance_to_win": number(if inverse { posterior.chance_less } else { posterior.chance_greater }),
        "expected": number(posterior.mean),
        "ci": interval(posterior.interval(alpha).map_err(text)?),
        "risk": risk,
        "sd": number(posterior.deviation),
        "error": null,
    }))
}

fn two_proportions(given: &Given<'_>) -> Result<Value, String> {
    let (p1, p2) = (given.number("p1")?, given.number("p2")?);
    let design = given.design()?.with_ratio(given.number("ratio_n2_over_n1")?).map_err(text)?;
    Ok(json!({
        "cohen_h": number(effect_h(p1, p2).map_err(text)?),
        "n1_arcsine": number(sample_size_arcsine(p1, p2, design).map_err(text)?),
        "n1_unpooled": number(sample_size_unpooled(p1, p2, design).map_err(text)?),
        "n1_pooled_null": number(sample_size_pooled(p1, p2, design).map_err(text)?),
    }))
}

fn two_means(given: &Given<'_>) -> Result<Value, String> {
    let effect = given.number("d")?.abs();
    let design = given.design()?.with_ratio(given.number("ratio_n2_over_n1")?).map_err(text)?;
    Ok(json!({
        "n1_t": number(sample_size_t(effect, design, true).map_err(text)?),
        "n1_z": number(sample_size_z(effect, design).map_err(text)?),
    }))
}

fn power_prop_test(given: &Given<'_>) -> Result<Value, String> {
    let count = sample_size_pooled(given.number("p1")?, given.number("p2")?, given.design()?);
    Ok(json!({ "n_per_group": number(count.map_err(text)?) }))
}

fn power_t_test(given: &Given<'_>) -> Result<Value, String> {
    let effect = (given.number("delta")? / given.number("sd")?).abs();
    Ok(json!({ "n_per_group": number(sample_size_t(effect, given.design()?, false).map_err(text)?) }))
}

fn many(given: &Given<'_>) -> Result<Value, String> {
    let (p, alpha) = (given.list("p")?, given.number("alpha")?);
    let adjusted = |correction| adjust(&p, correction).map(numbers).map_err(text);
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

fn many_r(given: &Given<'_>) -> Result<Value, String> {
    let p = given.list("p")?;
    // R leaves out what is missing before it counts.
    let there: Vec<f64> = p.iter().copied().filter(|p| !p.is_nan()).collect();
    let adjusted = |correction| {
        let mut adjusted = adjust(&there, correction).map_err(text)?.into_iter();
        let each = |p: &f64| if p.is_nan() { number(f64::NAN) } else { number(adjusted.next().unwrap_or(f64::NAN)) };
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

fn drifted(given: &Given<'_>) -> Result<Value, String> {
    let counts = |key| serde_json::from_value::<Vec<u64>>(given.get(key)?.clone()).map_err(text);
    let (reference, current) = (counts("reference")?, counts("current")?);
    let drift = drift::compare(&reference, &current);
    let of = |value: fn(&drift::Drift) -> f64| number(drift.as_ref().map_or(f64::NAN, value));
    let psi = drift::stability_index(&reference, &current, Smoothing::Filled);
    let moved = wasserstein(&reference, &current, &given.list("values")?);
    Ok(json!({
        "psi_evidently_fill": number(psi.unwrap_or(f64::NAN)),
        "js_distance_nat": of(|drift| drift.jensen_shannon * std::f64::consts::LN_2.sqrt()),
        "js_distance_base2": of(|drift| drift.jensen_shannon),
        "ks_d": of(|drift| drift.kolmogorov_smirnov),
        "wasserstein": number(moved.map_or(f64::NAN, |moved| moved.distance)),
        "kl_ref_cur": of(|drift| drift.kullback_leibler),
        "hellinger": of(|drift| drift.hellinger),
        "total_variation": of(|drift| drift.total_variation),
    }))
}

fn kayenta_metric(given: &Given<'_>) -> Result<Value, String> {
    let (canary, baseline) = (given.sample("canary")?, given.sample("baseline")?);
    let mut judge = kayenta::Judge { confidence: given.number("conf")?, ..kayenta::Judge::default() };
    if given.has("tolerance") {
        judge.tolerance = given.number("tolerance")?;
    }
    if given.has("direction") {
        judge.direction = match given.word("direction")? {
            "increase" => kayenta::Direction::Increase,
            "decrease" => kayenta::Direction::Decrease,
            _ => kayenta::Direction::Either,
        };
    }
    if let [decrease, increase] = given.list("allowed").unwrap_or_default()[..] {
        (judge.allowed_decrease, judge.allowed_increase) = (decrease, increase);
    }
    if given.has("nan_strategy") && given.word("nan_strategy")? == "replace" {
        judge.missing = kayenta::MissingValues::Replace;
    }
    judge.critical = given.is("critical");
    judge.must_have_data = given.is("must_have_data");
    let mut answer = Map::new();
    let classification = kayenta::classify(&canary, &baseline, &judge);
    answer.insert("classification".to_owned(), json!(format!("{classification:?}")));
    answer.insert("mean_ratio".to_owned(), number(kayenta::mean_ratio(&canary, &baseline)));
    if let Ok(comparison) = kayenta::compare(&canary, &baseline, judge.confidence) {
        answer.insert("ci".to_owned(), interval(comparison.interval));
        answer.insert("estimate".to_owned(), number(comparison.estimate));
    }
    Ok(Value::Object(answer))
}

fn kayenta_score(given: &Given<'_>) -> Result<Value, String> {
    let weights: BTreeMap<String, f64> =
        serde_json::from_value(given.get("group_weights")?.clone()).map_err(text)?;
    let metrics = given.get("metrics")?.as_array().ok_or("`metrics` is not a list")?;
    let metric = |metric: &Value| {
        let given = Given(metric);
        let groups = if given.has("groups") {
            serde_json::from_value(given.get("groups")?.clone()).map_err(text)?
        } else {
            vec![given.word("group")?.to_owned()]
        };
        let word = given.word("classification")?;
        use kayenta::Classification::{Error, High, Low, Nodata, NodataFailMetric, Pass};
        let classification = [Error, High, Low, Nodata, NodataFailMetric, Pass]
            .into_iter()
            .find(|classification| format!("{classification:?}") == word)
            .ok_or_else(|| format!("unknown classification `{word}`"))?;
        Ok::<_, String>(kayenta::Judged { groups, classification, critical: given.is("critical") })
    };
    let metrics = metrics.iter().map(metric).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "summary_score": number(kayenta::score(&metrics, &weights)) }))
}

fn growthbook_welch(given: &Given<'_>) -> Result<Value, String> {
    let (control, canary, alpha) = (given.arm("control")?, given.arm("canary")?, given.number("alpha")?);
    let report = |difference| {
        let report = growthbook::welch(control, canary, difference, alpha);
        json!({
            "expected": number(report.expected),
            "ci": interval(report.interval),
            "p": number(report.p),
            "se": number(report.standard_error),
            "error": report.error,
        })
    };
    Ok(json!({ "absolute": report(Difference::Absolute), "relative": report(Difference::Relative) }))
}

fn growthbook_split(given: &Given<'_>) -> Result<Value, String> {
    Ok(json!({ "p": number(growthbook::check_sample_ratio(&given.list("observed")?, &given.list("weights")?)) }))
}

/// The oracle's sum, which at these counts has lost digits that the tolerance asks for; it must have six still.
fn same_sum(own: f64, oracle: f64) -> Result<f64, String> {
    if (oracle - own).abs() <= 1e-6 * own { Ok(oracle) } else { Err(format!("the sums are {own} and {oracle}")) }
}

/// Counts above which a plain sum of `O ln(O / E)` has fewer digits than the vectors ask for.
const LARGE: f64 = 1e6;

/// What a statistic and its two-sided p-value become where an oracle divides by a standard error of zero.
fn divided_by_zero(difference: f64) -> (f64, f64) {
    let z = difference / 0.0;
    (z, if z.is_nan() { z } else { 0.0 })
}

/// The input of a vector.
struct Given<'a>(&'a Value);

impl<'a> Given<'a> {
    fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    fn get(&self, key: &str) -> Result<&'a Value, String> {
        self.0.get(key).ok_or_else(|| format!("there is no `{key}`"))
    }

    fn inner(&self, key: &str) -> Result<Self, String> {
        self.get(key).map(Given)
    }

    fn is(&self, key: &str) -> bool {
        self.0.get(key) == Some(&json!(true))
    }

    fn number(&self, key: &str) -> Result<f64, String> {
        read(self.get(key)?).ok_or_else(|| format!("`{key}` is not a number"))
    }

    /// A count, which may be written as a float.
    fn count(&self, key: &str) -> Result<u64, String> {
        let value = self.get(key)?;
        let whole = || value.as_f64().filter(|value| value.fract() == 0.0 && (0.0..1.8e19).contains(value));
        value.as_u64().or_else(|| whole().map(|value| value as u64)).ok_or_else(|| format!("`{key}` is not a count"))
    }

    fn word(&self, key: &str) -> Result<&'a str, String> {
        self.get(key)?.as_str().ok_or_else(|| format!("`{key}` is not a word"))
    }

    /// A list of numbers; null counts as NaN.
    fn list(&self, key: &str) -> Result<Vec<f64>, String> {
        let list = self.get(key)?.as_array().ok_or_else(|| format!("`{key}` is not a list"))?;
        let each = |value: &Value| if value.is_null() { Some(f64::NAN) } else { read(value) };
        list.iter().map(each).collect::<Option<_>>().ok_or_else(|| format!("`{key}` is not a list of numbers"))
    }

    /// A list of numbers, or what makes one.
    fn sample(&self, key: &str) -> Result<Vec<f64>, String> {
        if self.get(key)?.is_array() { self.list(key) } else { self.inner(key)?.generated() }
    }

    /// `s ← (1664525 s + 1013904223) mod 2³²`, `u = (s + ½) / 2³²`, then levels, power, scale and shift.
    fn generated(&self) -> Result<Vec<f64>, String> {
        let or = |key: &str, none: f64| if self.has(key) { self.number(key) } else { Ok(none) };
        let mut state = u32::try_from(self.count("seed")?).map_err(text)?;
        let levels = if self.has("int_levels") { Some(self.number("int_levels")?) } else { None };
        let (power, scale, shift) = (or("power", 1.0)?, or("scale", 1.0)?, or("shift", 0.0)?);
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let uniform = (f64::from(state) + 0.5) / 4_294_967_296.0;
            let value = levels.map_or(uniform, |levels| (uniform * levels).floor());
            (if power == 1.0 { value } else { value.powf(power) }) * scale + shift
        };
        Ok((0..self.count("n")?).map(next).collect())
    }

    fn proportions(&self) -> Result<(Proportion, Proportion), String> {
        let proportion = |events, trials| {
            Proportion::new(self.count(events)?, self.count(trials)?).map_err(text)
        };
        Ok((proportion("x1", "n1")?, proportion("x2", "n2")?))
    }

    fn summaries(&self) -> Result<(Moments, Moments), String> {
        let moments = |count, mean, deviation| {
            Moments::from_summary(self.count(count)?, self.number(mean)?, self.number(deviation)?).map_err(text)
        };
        Ok((moments("n1", "mean1", "sd1")?, moments("n2", "mean2", "sd2")?))
    }

    fn table(&self) -> Result<Table, String> {
        let [first, second]: [[u64; 2]; 2] = serde_json::from_value(self.get("table")?.clone()).map_err(text)?;
        Ok(Table::new(first, second))
    }

    fn difference(&self) -> Result<Difference, String> {
        match self.word("difference")? {
            "absolute" => Ok(Difference::Absolute),
            "relative" => Ok(Difference::Relative),
            other => Err(format!("unknown difference `{other}`")),
        }
    }

    fn design(&self) -> Result<Design, String> {
        let design = Design::new(self.number("alpha")?, self.number("power")?).map_err(text)?;
        let one_sided = self.has("alternative") && self.word("alternative")?.replace('_', "-") != "two.sided"
            && self.word("alternative")? != "two-sided";
        Ok(if one_sided { design.one_sided() } else { design })
    }

    fn arm(&self, key: &str) -> Result<growthbook::Arm, String> {
        let arm = self.inner(key)?;
        let (count, sum) = (arm.number("n")?, arm.number("sum")?);
        match arm.word("kind")? {
            "proportion" => Ok(growthbook::Arm::Proportion { count, sum }),
            "mean" => {
                let squares = ["sum_squares", "sum_sq", "sum2"].into_iter().find(|&key| arm.has(key));
                let squares = arm.number(squares.ok_or("there is no sum of squares")?)?;
                Ok(growthbook::Arm::Mean { count, sum, squares })
            }
            other => Err(format!("unknown kind `{other}`")),
        }
    }
}

/// A number, which may be one of the words for those that JSON does not have.
fn read(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

fn number(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

fn numbers(values: Vec<f64>) -> Vec<Value> {
    values.into_iter().map(number).collect()
}

fn interval(interval: Interval) -> Value {
    json!([number(interval.lower), number(interval.upper)])
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
