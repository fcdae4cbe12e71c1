//! Ranks, distribution functions and histograms.

use serde_json::{Map, Value, json};
use serinus_core::{
    simulate::rival::r,
    stats::{
        drift::{self, Smoothing, wasserstein},
        ranks::{MannWhitney, RankTest, kolmogorov_smirnov, mann_whitney, mann_whitney_of_histograms, shift},
    },
};

use super::{
    super::{Input, shown},
    interval, text,
};

pub(crate) fn ranks(input: Input<'_>) -> Result<Value, String> {
    let test = mann_whitney(&input.sample("y")?, &input.sample("x")?).map_err(text)?;
    let mut answer = asymptotic(&test);
    if let Ok(RankTest { two_sided, less, greater, .. }) = test.exact() {
        answer.insert("exact_two_sided".to_owned(), shown(two_sided));
        answer.insert("exact_less".to_owned(), shown(less));
        answer.insert("exact_greater".to_owned(), shown(greater));
    }
    Ok(Value::Object(answer))
}

pub(crate) fn ranks_of_histograms(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn shifts(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn distances(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn drifted(input: Input<'_>) -> Result<Value, String> {
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
