//! Means, ratios and covariates.

use serde_json::{Map, Value, json};
use serinus_core::stats::{
    Interval, Undefined,
    means::{Covariate, Effect, Moments, RatioSums, cuped, ratio_effect, welch_non_inferiority, welch_t},
};

use super::{
    super::{Input, shown},
    divided_by_zero, interval, scale, text,
};

pub(crate) fn welch(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn non_inferior_mean(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn ratio(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn covariate(input: Input<'_>) -> Result<Value, String> {
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

fn summaries(input: Input<'_>) -> Result<(Moments, Moments), String> {
    let moments = |count, mean, deviation| {
        Moments::from_summary(input.count(count)?, input.number(mean)?, input.number(deviation)?)
            .map_err(text)
    };
    Ok((moments("n1", "mean1", "sd1")?, moments("n2", "mean2", "sd2")?))
}
