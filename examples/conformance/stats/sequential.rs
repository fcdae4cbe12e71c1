//! Special functions, evidence over time, combination, and Prometheus data.

use serde_json::{Value, json};
use serinus_core::stats::{
    Side,
    evidence::EProcess,
    grid::{Arm, CounterGrid, Hypothesis, RatioGrid, ScoreMixture, Window},
    mixture::{
        AsymptoticMean, BetaBinomialMixture, GammaExponentialMixture, GammaPoissonMixture, Mixture,
        NormalMixture, NormalRatio, asymptotic_half_width, asymptotic_tuning, asymptotic_tuning_exact,
        bernoulli_log_ratio, normal_log_ratio, normal_ratio_radius, poisson_log_ratio,
    },
    special,
};

use super::{Input, shown, shown_list};

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

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
