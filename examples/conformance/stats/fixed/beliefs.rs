//! Posteriors.

use serde_json::{Value, json};
use serinus_core::{
    simulate::rival::growthbook,
    stats::{
        bayes::{NormalPrior, Prior, compare_proportions, effect_posterior},
        means::Difference,
    },
};

use super::{
    super::{Input, shown},
    arm, interval, is, proportions, scale, text,
};

pub(crate) fn beta_binomial(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn normal_effect(input: Input<'_>) -> Result<Value, String> {
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
