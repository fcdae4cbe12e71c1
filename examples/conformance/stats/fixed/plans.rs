//! Bounds, sample sizes and corrections.

use serde_json::{Value, json};
use serinus_core::stats::{
    Side,
    group_sequential::{Boundary, Spending},
    multiplicity::{Correction, adjust, rejected},
    power::{
        Design, effect_h, sample_size_arcsine, sample_size_pooled, sample_size_t, sample_size_unpooled,
        sample_size_z,
    },
};

use super::{
    super::{Input, shown, shown_list},
    is, text,
};

pub(crate) fn lan_de_mets(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn power_family(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn two_proportions(input: Input<'_>) -> Result<Value, String> {
    let (p1, p2) = (input.number("p1")?, input.number("p2")?);
    let design = design(input)?.with_ratio(input.number("ratio_n2_over_n1")?).map_err(text)?;
    Ok(json!({
        "cohen_h": shown(effect_h(p1, p2).map_err(text)?),
        "n1_arcsine": shown(sample_size_arcsine(p1, p2, design).map_err(text)?),
        "n1_unpooled": shown(sample_size_unpooled(p1, p2, design).map_err(text)?),
        "n1_pooled_null": shown(sample_size_pooled(p1, p2, design).map_err(text)?),
    }))
}

pub(crate) fn two_means(input: Input<'_>) -> Result<Value, String> {
    let effect = input.number("d")?.abs();
    let design = design(input)?.with_ratio(input.number("ratio_n2_over_n1")?).map_err(text)?;
    Ok(json!({
        "n1_t": shown(sample_size_t(effect, design, true).map_err(text)?),
        "n1_z": shown(sample_size_z(effect, design).map_err(text)?),
    }))
}

pub(crate) fn power_prop_test(input: Input<'_>) -> Result<Value, String> {
    let count = sample_size_pooled(input.number("p1")?, input.number("p2")?, design(input)?);
    Ok(json!({ "n_per_group": shown(count.map_err(text)?) }))
}

pub(crate) fn power_t_test(input: Input<'_>) -> Result<Value, String> {
    let effect = (input.number("delta")? / input.number("sd")?).abs();
    Ok(json!({ "n_per_group": shown(sample_size_t(effect, design(input)?, false).map_err(text)?) }))
}

pub(crate) fn many(input: Input<'_>) -> Result<Value, String> {
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

pub(crate) fn many_r(input: Input<'_>) -> Result<Value, String> {
    let value = |value: &Value| if value.is_null() { Ok(f64::NAN) } else { super::super::number(value) };
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

fn design(input: Input<'_>) -> Result<Design, String> {
    let design = Design::new(input.number("alpha")?, input.number("power")?).map_err(text)?;
    let alternative = input.get("alternative").and_then(Value::as_str).unwrap_or("two.sided");
    Ok(if matches!(alternative, "two.sided" | "two-sided") { design } else { design.one_sided() })
}
