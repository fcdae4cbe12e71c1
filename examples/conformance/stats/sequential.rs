//! Special functions, evidence over time, combination, and Prometheus data.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serinus_core::{
    simulate::rival::{
        growthbook,
        peeking::{NaiveZ, Threshold},
        statsig,
    },
    stats::{
        Side,
        anytime_t::AnytimeT,
        bands, bernoulli,
        betting::{BettingInterval, EmpiricalBernstein, Hoeffding},
        combine,
        counters::{self, ClassicHistogram, NativeHistogram, Quantile},
        evidence::EProcess,
        grid::{Arm, CounterGrid, Hypothesis, RatioGrid, ScoreMixture, Window},
        means::Difference,
        mixture::{
            AsymptoticMean, BetaBinomialMixture, GammaExponentialMixture, GammaPoissonMixture, Mixture,
            NormalMixture, NormalRatio, asymptotic_half_width, asymptotic_tuning, asymptotic_tuning_exact,
            bernoulli_log_ratio, normal_log_ratio, normal_ratio_radius, poisson_log_ratio,
        },
        sample_ratio::SampleRatio,
        special,
    },
};

use super::{Input, count, number, shown, shown_list};

type Answer = Result<Value, String>;

pub(crate) fn answer(method: &str, input: Input<'_>) -> Option<Answer> {
    let adapter: fn(Input<'_>) -> Answer = match method {
        "special_function" => special_function,
        "poisson_av_grid_mixture" => counter_grid,
        "score_normal_mixture_one_sided" => score_mixture,
        "msprt_normal_one_sample" => normal_one_sample,
        "msprt_normal_two_sample" => normal_two_sample,
        "msprt_bernoulli_beta_mixture" => bernoulli_mixture,
        "msprt_poisson_gamma_mixture" => poisson_mixture,
        "asymptotic_cs" => asymptotic_mean,
        "acs_margin_unit_variance" => asymptotic_margin,
        "normal_mixture_bound" => normal_bound,
        "gamma_exponential_bound" => gamma_exponential_bound,
        "gamma_poisson_bound" => gamma_poisson_bound,
        "beta_binomial_bound" => beta_binomial_bound,
        "poly_stitching_bound" => stitching_bound,
        "poisson_av_beta_mixture" => poisson_beta_mixture,
        "srm_sequential_multinomial" => sample_ratio,
        "canary_trajectory" => trajectory,
        "bernoulli_cs" => bernoulli_interval,
        "betting_cs" => betting_interval,
        "empirical_bernstein_cs" => empirical_bernstein,
        "cdf_band_lil" => cdf_band,
        "quantile_uniform_band" => quantile_band,
        "quantile_ab_p" => quantile_p,
        "anytime_valid_t" => anytime_t,
        "e_bh" => e_bh,
        "counter_increase" => counter_increase,
        "prom_classic_quantile" => classic_quantile,
        "prom_native_quantile" => native_quantile,
        "gb_sequential" => growthbook_sequential,
        "statsig_z_star" => statsig_boundary,
        _ => return None,
    };
    Some(adapter(input))
}

fn special_function(input: Input<'_>) -> Answer {
    let arguments = input.numbers("args")?;
    let function = input.text("function")?;
    let value = match (function, arguments.as_slice()) {
        ("erf", &[x]) => special::erf(x),
        ("erfc", &[x]) => special::erfc(x),
        ("norm_cdf", &[x]) => special::normal_cdf(x),
        ("norm_sf", &[x]) => special::normal_sf(x),
        ("norm_pdf", &[x]) => special::normal_density(x),
        ("norm_ppf", &[p]) => special::normal_quantile(p),
        ("norm_isf", &[p]) => -special::normal_quantile(p),
        ("log_norm_cdf" | "norm_logcdf" | "log_ndtr", &[x]) => special::ln_normal_cdf(x),
        ("log_norm_sf" | "norm_logsf", &[x]) => special::ln_normal_cdf(-x),
        ("t_sf", &[t, freedom]) => special::student_t_sf(t, freedom),
        ("t_cdf", &[t, freedom]) => special::student_t_cdf(t, freedom),
        ("t_ppf", &[p, freedom]) => special::student_t_quantile(p, freedom),
        ("chi2_sf", &[x, freedom]) => special::chi_squared_sf(x, freedom),
        ("chi2_cdf", &[x, freedom]) => special::chi_squared_cdf(x, freedom),
        ("lgamma" | "ln_gamma", &[x]) => special::ln_gamma(x),
        ("ln_beta" | "log_beta", &[a, b]) => special::ln_beta(a, b),
        ("ln_choose" | "log_choose", &[n, k]) => special::ln_choose(n, k),
        ("betainc", &[a, b, x]) => special::beta_lower(a, b, x),
        ("betaincc", &[a, b, x]) => special::beta_upper(a, b, x),
        ("log_betainc", &[a, b, x]) => special::ln_beta_lower(a, b, x),
        ("betaincinv" | "beta_ppf", &[a, b, p]) => special::beta_quantile(a, b, p),
        ("gammainc_p" | "gammainc", &[a, x]) => special::gamma_lower(a, x),
        ("gammainc_q" | "gammaincc", &[a, x]) => special::gamma_upper(a, x),
        ("lambert_wm1" | "lambertw_m1" | "lambert_w_m1", &[x]) => special::lambert_w_minus_1(x),
        _ => return Err(format!("unknown function `{function}` of {} arguments", arguments.len())),
    };
    Ok(json!({ "value": shown(value) }))
}

fn counter_grid(input: Input<'_>) -> Answer {
    let given = input.object("grid")?;
    let (spacing, weights) = (given.text("spacing")?, given.text("weights")?);
    let spread = weights.strip_prefix("half-normal sd ").and_then(|text| text.split(' ').next());
    let spread = spread.and_then(|spread| spread.parse().ok()).filter(|_| spacing == "log");
    let spread = spread.ok_or_else(|| format!("unknown grid `{spacing}`, `{weights}`"))?;
    let count = u32::try_from(given.count("points")?).map_err(|error| error.to_string())?;
    let (nearest, farthest) = (given.number("lo")?, given.number("hi")?);
    let margin = input.number("ratio_null")?;
    let grid = RatioGrid::new(Hypothesis::AtMost, margin, nearest, farthest, count, spread).map_err(said)?;
    let mut evidence = CounterGrid::new(grid);
    for window in windows(input)? {
        let _ = evidence.observe(&window).map_err(said)?;
    }
    let log_e = evidence.log_e();
    Ok(json!({ "log_e": shown(log_e), "e_ge_20": log_e >= 20.0_f64.ln() }))
}

fn score_mixture(input: Input<'_>) -> Answer {
    let mut score = ScoreMixture::new(input.number("v_opt")?, input.number("alpha_opt")?).map_err(said)?;
    for window in windows(input)? {
        let _ = score.observe(&window).map_err(said)?;
    }
    Ok(json!({ "s": shown(score.score()), "v": shown(score.variance()), "log_e": shown(score.log_e()) }))
}

fn windows(input: Input<'_>) -> Result<Vec<Window>, String> {
    let windows = input.list("windows")?.iter().zip(1..);
    windows
        .map(|(window, id)| {
            let window = Input(window.as_object().ok_or("a window is no object")?);
            Ok(Window {
                id,
                control: Arm::new(window.count("n_control")?, window.count("x_control")?),
                candidate: Arm::new(window.count("n_canary")?, window.count("x_canary")?),
            })
        })
        .collect()
}

fn normal_one_sample(input: Input<'_>) -> Answer {
    let (null, deviation, spread) = (input.number("theta0")?, input.number("sigma")?, input.number("tau")?);
    let mut test = NormalRatio::new(null, deviation, spread).map_err(said)?;
    let (mut path, mut p_path) = (Vec::new(), Vec::new());
    for value in input.sample("x")? {
        test.observe(value).map_err(said)?;
        path.push(test.log_e());
        p_path.push(test.p_value());
    }
    Ok(json!({ "log_lambda_path": shown_list(path), "p_path": shown_list(p_path) }))
}

fn normal_two_sample(input: Input<'_>) -> Answer {
    let (variance, spread) = (input.number("variance_of_diff")?, input.number("tau")?);
    let log_ratio =
        normal_log_ratio(input.number("diff")?, variance, spread, input.number("theta0")?).map_err(said)?;
    let radius = normal_ratio_radius(variance, spread, input.number("alpha")?).map_err(said)?;
    Ok(
        json!({ "log_lambda": shown(log_ratio), "p": shown((-log_ratio).exp().min(1.0)), "radius": shown(radius) }),
    )
}

fn bernoulli_mixture(input: Input<'_>) -> Answer {
    let prior = (input.number("prior_a")?, input.number("prior_b")?);
    let (successes, trials) = (input.count("successes")?, input.count("trials")?);
    let log_e = bernoulli_log_ratio(successes, trials, input.number("p0")?, prior).map_err(said)?;
    Ok(json!({ "log_e": shown(log_e) }))
}

fn poisson_mixture(input: Input<'_>) -> Answer {
    let prior = (input.number("prior_shape")?, input.number("prior_rate")?);
    let (count, exposure) = (input.count("count")?, input.number("exposure")?);
    let log_e = poisson_log_ratio(count, exposure, input.number("lambda0")?, prior).map_err(said)?;
    Ok(json!({ "log_e": shown(log_e) }))
}

fn asymptotic_mean(input: Input<'_>) -> Answer {
    let alpha = input.number("alpha")?;
    let rho_squared = asymptotic_tuning_exact(input.number("t_opt")?, alpha).map_err(said)?;
    let mut mean = AsymptoticMean::new();
    for value in input.sample("x")? {
        mean.observe(value).map_err(said)?;
    }
    let interval = mean.interval(rho_squared, alpha).map_err(said)?;
    Ok(json!({
        "rho": shown(1.0 / rho_squared),
        "estimate": shown(mean.estimate().map_err(said)?),
        "lower": shown(interval.lower),
        "upper": shown(interval.upper),
    }))
}

fn asymptotic_margin(input: Input<'_>) -> Answer {
    let (time, alpha, best) = (input.number("t")?, input.number("alpha")?, input.number("t_opt")?);
    let exact = asymptotic_tuning_exact(best, alpha).map_err(said)?;
    let two = asymptotic_tuning(best, alpha, Side::TwoSided).map_err(said)?;
    let one = asymptotic_tuning(best, alpha, Side::Greater).map_err(said)?;
    let margin = |tuning, side| asymptotic_half_width(time, tuning, alpha, side).map(shown).map_err(said);
    Ok(json!({
        "rho2_exact": shown(exact),
        "rho2_approx": shown(two),
        "margin_two_sided_exact_rho": margin(exact, Side::TwoSided)?,
        "margin_two_sided_approx_rho": margin(two, Side::TwoSided)?,
        "rho2_one_sided_approx": shown(one),
        "margin_one_sided": margin(one, Side::Greater)?,
    }))
}

fn normal_bound(input: Input<'_>) -> Answer {
    let (best, alpha) = (input.number("v_opt")?, input.number("alpha_opt")?);
    let one_sided = input.flag("one_sided")?;
    let mixture =
        if one_sided { NormalMixture::one_sided(best, alpha) } else { NormalMixture::two_sided(best, alpha) };
    bound(&mixture.map_err(said)?, input, "log_mixture_at_3sd", 3.0)
}

fn gamma_exponential_bound(input: Input<'_>) -> Answer {
    let mixture =
        GammaExponentialMixture::new(input.number("v_opt")?, input.number("alpha_opt")?, input.number("c")?);
    bound(&mixture.map_err(said)?, input, "log_mixture_at_2sd", 2.0)
}

fn gamma_poisson_bound(input: Input<'_>) -> Answer {
    let mixture =
        GammaPoissonMixture::new(input.number("v_opt")?, input.number("alpha_opt")?, input.number("c")?);
    bound(&mixture.map_err(said)?, input, "log_mixture_at_2sd", 2.0)
}

fn beta_binomial_bound(input: Input<'_>) -> Answer {
    let (best, alpha) = (input.number("v_opt")?, input.number("alpha_opt")?);
    let (below, above) = (input.number("g")?, input.number("h")?);
    let mixture = if input.flag("one_sided")? {
        BetaBinomialMixture::one_sided(best, alpha, below, above)
    } else {
        BetaBinomialMixture::two_sided(best, alpha, below, above)
    };
    bound(&mixture.map_err(said)?, input, "log_mixture_at_1sd", 1.0)
}

fn bound(mixture: &impl Mixture, input: Input<'_>, at: &str, deviations: f64) -> Answer {
    let variance = input.number("v")?;
    let bound = mixture.bound(variance, input.number("alpha")?).map_err(said)?;
    let log_e = mixture.log_e(deviations * variance.sqrt(), variance);
    Ok(json!({ "bound": shown(bound), at: shown(log_e) }))
}

fn stitching_bound(input: Input<'_>) -> Answer {
    let bound = bands::stitching_bound(
        input.number("v")?,
        input.number("alpha")?,
        input.number("v_min")?,
        input.number_or("c", 0.0)?,
        input.number_or("s", 1.4)?,
        input.number_or("eta", 2.0)?,
    );
    Ok(json!({ "bound": shown(bound.map_err(said)?) }))
}

fn poisson_beta_mixture(input: Input<'_>) -> Answer {
    let mut ratio = SampleRatio::new(&input.numbers("rho")?, input.number("concentration")?).map_err(said)?;
    let _ = ratio.observe(1, &input.counts("counts")?).map_err(said)?;
    let interval = ratio.log_ratio_interval(input.number("alpha")?).map_err(said)?;
    let interval = shown_list([interval.lower, interval.upper]);
    Ok(json!({
        "log_e": shown(ratio.log_e()),
        "p": shown(ratio.p_value()),
        "log_ratio_ci": interval.clone(),
        "savvi_log_ratio_ci": interval,
    }))
}

fn sample_ratio(input: Input<'_>) -> Answer {
    let mut ratio =
        SampleRatio::new(&input.numbers("theta0")?, input.number("concentration")?).map_err(said)?;
    let mut path = Vec::new();
    for (batch, id) in input.list("batches")?.iter().zip(1..) {
        let batch = batch.as_array().ok_or("a batch is no list")?;
        let batch = batch.iter().map(count).collect::<Result<Vec<_>, _>>()?;
        let _ = ratio.observe(id, &batch).map_err(said)?;
        path.push((-ratio.log_e()).exp());
    }
    Ok(json!({
        "inverse_odds_path": shown_list(path),
        "log_e": shown(ratio.log_e()),
        "p": shown(ratio.p_value()),
    }))
}

fn trajectory(input: Input<'_>) -> Answer {
    let (alpha, truth) = (input.number("alpha")?, input.object("truth")?);
    let limit = 2.0 * truth.number("base")?;
    let [n1, x1, n2, x2] = ["n_control", "x_control", "n_canary", "x_canary"].map(|key| input.counts(key));
    let (n1, x1, n2, x2) = (n1?, x1?, n2?, x2?);
    let mut grid = CounterGrid::new(RatioGrid::harm(1.0).map_err(said)?);
    let mut score = ScoreMixture::new(10.0, alpha).map_err(said)?;
    let mut naive = NaiveZ::new(alpha).map_err(said)?;
    let mut thresholds = [Threshold::argo(limit, 0), Threshold::argo(limit, 2), Threshold::flagger(limit, 5)];
    let mut path = Map::new();
    let mut first_looks: [Option<u64>; 6] = [None; 6];
    for (index, (((n1, x1), n2), x2)) in n1.iter().zip(&x1).zip(&n2).zip(&x2).enumerate() {
        let look = index as u64 + 1;
        let window = Window { id: look, control: Arm::new(*n1, *x1), candidate: Arm::new(*n2, *x2) };
        let _ = grid.observe(&window).map_err(said)?;
        let _ = score.observe(&window).map_err(said)?;
        path.insert(look.to_string(), shown(grid.log_e()));
        let [none, two, five] = &mut thresholds;
        let alarms = [
            grid.rejects(alpha).map_err(said)?,
            score.rejects(alpha).map_err(said)?,
            naive.look(&window),
            none.look(&window),
            two.look(&window),
            five.look(&window),
        ];
        for (first, alarm) in first_looks.iter_mut().zip(alarms) {
            *first = first.or(alarm.then_some(look));
        }
    }
    let names = ["poisson_av", "score_mixture", "naive_z", "argo_fl0_2x", "argo_fl2_2x", "flagger5_2x"];
    let mut answer = Map::from_iter([("log_e".to_owned(), Value::Object(path))]);
    for (name, first) in names.into_iter().zip(first_looks) {
        answer.insert(format!("first_look_{name}"), first.map_or(Value::Null, Value::from));
    }
    Ok(Value::Object(answer))
}

fn bernoulli_interval(input: Input<'_>) -> Answer {
    let interval = bernoulli::confidence_sequence(
        input.count("successes")?,
        input.count("trials")?,
        input.number("alpha")?,
        input.number("t_opt")?,
        input.number("alpha_opt")?,
    );
    let interval = interval.map_err(said)?;
    Ok(json!({ "lower": shown(interval.lower), "upper": shown(interval.upper) }))
}

fn betting_interval(input: Input<'_>) -> Answer {
    let breaks = u32::try_from(input.count("grid")?).map_err(said)?;
    let mut bets = BettingInterval::new(breaks, input.number("alpha")?).map_err(said)?;
    for value in input.sample("x")? {
        bets.observe(value).map_err(said)?;
    }
    let interval = bets.interval();
    Ok(json!({ "lower": shown(interval.lower), "upper": shown(interval.upper) }))
}

fn empirical_bernstein(input: Input<'_>) -> Answer {
    let alpha = input.number("alpha")?;
    let mut mean = EmpiricalBernstein::new(alpha).map_err(said)?;
    let mut hoeffding = Hoeffding::new(alpha).map_err(said)?;
    for value in input.sample("x")? {
        mean.observe(value).map_err(said)?;
        hoeffding.observe(value).map_err(said)?;
    }
    let (interval, wide) = (mean.interval(), hoeffding.interval());
    Ok(json!({
        "lower": shown(interval.lower),
        "upper": shown(interval.upper),
        "hoeffding_lower": shown(wide.lower),
        "hoeffding_upper": shown(wide.upper),
    }))
}

fn cdf_band(input: Input<'_>) -> Answer {
    let (count, from) = (input.number("t")?, input.number("t_min")?);
    let (alpha, factor) = (input.number("alpha")?, input.number("A")?);
    let radius = bands::cdf_half_width(count, from, alpha, factor).map_err(said)?;
    let closed = bands::cdf_half_width_closed(count, from, alpha).map_err(said)?;
    Ok(json!({ "radius": shown(radius), "closed_form": shown(closed) }))
}

fn quantile_band(input: Input<'_>) -> Answer {
    let (quantile, count) = (input.number("p")?, input.number("t")?);
    let bound = bands::quantile_bound(quantile, count, input.number("alpha")?, input.number("t_opt")?);
    Ok(json!({ "bound": shown(bound.map_err(said)?) }))
}

fn quantile_p(input: Input<'_>) -> Answer {
    let p = bands::quantile_p_value(
        &input.sample("x")?,
        &input.sample("y")?,
        input.number("p")?,
        input.number("t_opt")?,
        input.number("alpha_opt")?,
    );
    Ok(json!({ "p": shown(p.map_err(said)?) }))
}

fn anytime_t(input: Input<'_>) -> Answer {
    let design =
        AnytimeT::new(input.count("n")?, input.count("coefficients")?, input.number("g")?).map_err(said)?;
    let (t, alpha) = (input.number("t")?, input.number("alpha")?);
    Ok(json!({
        "log_e": shown(design.log_e(t).map_err(said)?),
        "p": shown(design.p_value(t).map_err(said)?),
        "t_radius": shown(design.radius(alpha).map_err(said)?),
        "z_radius": shown(design.normal_radius(alpha).map_err(said)?),
    }))
}

fn e_bh(input: Input<'_>) -> Answer {
    let log_e: Vec<f64> = input.numbers("e")?.into_iter().map(f64::ln).collect();
    let reject = combine::e_bh(&log_e, input.number("alpha")?).map_err(said)?;
    let mean = combine::log_mean(&log_e).map_err(said)?;
    Ok(json!({ "reject": reject, "mean": shown(mean.exp()) }))
}

fn counter_increase(input: Input<'_>) -> Answer {
    let (increase, resets) = counters::increase(&input.numbers("samples")?).map_err(said)?;
    Ok(json!({ "increase": shown(increase), "resets": resets }))
}

fn classic_quantile(input: Input<'_>) -> Answer {
    let buckets =
        input.list("cumulative_buckets")?.iter().map(|bucket| match bucket.as_array().map(Vec::as_slice) {
            Some([bound, count]) => Ok((number(bound)?, number(count)?)),
            _ => Err(format!("{bucket} is no bucket")),
        });
    let q = input.number("q")?;
    let histogram = ClassicHistogram::new(buckets.collect::<Result<Vec<_>, _>>()?);
    let quantile = histogram.ok().and_then(|histogram| histogram.quantile(q).ok());
    Ok(json!({ "value": shown(as_prometheus(q, quantile)) }))
}

fn native_quantile(input: Input<'_>) -> Answer {
    let side = |key: &str| -> Result<BTreeMap<i32, u64>, String> {
        let Some(buckets) = input.get(key) else { return Ok(BTreeMap::new()) };
        let buckets = buckets.as_object().ok_or_else(|| format!("`{key}` is no object"))?;
        buckets.iter().map(|(index, held)| Ok((index.parse().map_err(said)?, count(held)?))).collect()
    };
    let schema = input.number("schema")?;
    let histogram = NativeHistogram::new(
        format!("{schema}").parse().map_err(said)?,
        input.number_or("zero_threshold", 0.0)?,
        input.get("zero_count").map_or(Ok(0), count)?,
        side("positive")?,
        side("negative")?,
    );
    let mut histogram = histogram.map_err(said)?;
    if let Some(total) = input.get("count") {
        histogram = histogram.with_total(count(total)?).map_err(said)?;
    }
    let q = input.number("q")?;
    Ok(json!({ "value": shown(as_prometheus(q, histogram.quantile(q).ok())) }))
}

/// What PromQL says where there is no quantile.
fn as_prometheus(q: f64, quantile: Option<Quantile>) -> f64 {
    match quantile {
        Some(quantile) => quantile.value,
        None if q < 0.0 => f64::NEG_INFINITY,
        None if q > 1.0 => f64::INFINITY,
        None => f64::NAN,
    }
}

fn growthbook_sequential(input: Input<'_>) -> Answer {
    let (control, canary) =
        (growthbook_arm(input.object("control")?)?, growthbook_arm(input.object("canary")?)?);
    let (alpha, tuning) = (input.number("alpha")?, input.number("tuning")?);
    let difference = match input.text("difference")? {
        "absolute" => Difference::Absolute,
        "relative" => Difference::Relative,
        other => return Err(format!("unknown difference `{other}`")),
    };
    let mut answer = Map::new();
    for (side, name, rho) in [
        (Side::TwoSided, "two_sided", "rho_two_sided"),
        (Side::Greater, "treatment_greater", "rho_one_sided"),
        (Side::Less, "treatment_lesser", "rho_one_sided"),
    ] {
        let report =
            growthbook::sequential(control, canary, difference, alpha, tuning, side).map_err(said)?;
        answer.insert(
            name.to_owned(),
            json!({
                "expected": shown(report.expected),
                "ci": shown_list([report.interval.lower, report.interval.upper]),
                "p": shown(report.p),
                "se": shown(report.standard_error),
                "error": report.error,
            }),
        );
        let tuned = growthbook::sequential_rho(tuning, alpha, side).map_err(said)?;
        answer.insert(rho.to_owned(), shown(tuned));
    }
    Ok(Value::Object(answer))
}

fn growthbook_arm(arm: Input<'_>) -> Result<growthbook::Arm, String> {
    let (count, sum) = (arm.number("n")?, arm.number("sum")?);
    match arm.text("kind")? {
        "proportion" => Ok(growthbook::Arm::Proportion { count, sum }),
        "mean" => Ok(growthbook::Arm::Mean { count, sum, squares: squares(arm)? }),
        other => Err(format!("unknown kind `{other}`")),
    }
}

fn squares(arm: Input<'_>) -> Result<f64, String> {
    let key = ["sum_squares", "sum_sq", "sum2"].into_iter().find(|key| arm.get(key).is_some());
    arm.number(key.ok_or("there is no sum of squares")?)
}

fn statsig_boundary(input: Input<'_>) -> Answer {
    let arm = |variance: &str, count: &str| -> Result<statsig::Arm, String> {
        Ok(statsig::Arm { mean: 0.0, variance: input.number(variance)?, count: input.number(count)? })
    };
    let (treatment, control) = (arm("var_t", "n_t")?, arm("var_c", "n_c")?);
    let alpha = input.number("alpha")?;
    let boundary = |side| statsig::boundary(treatment, control, alpha, side).map(shown).map_err(said);
    Ok(json!({
        "z_star_two_sided": boundary(Side::TwoSided)?,
        "z_star_one_sided": boundary(Side::Greater)?,
    }))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
