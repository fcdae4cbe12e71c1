//! A verdict in one sentence, with the numbers it rests on.

use libm::{exp, log};

use super::{Compared, Comparison, Findings, Strictness, evidence::Standing, rare::requests_until_rare};
use crate::traffic::Weight;

/// What was compared, estimate, interval, e-values, and what it comes to.
pub(super) fn tell(
    comparison: &Comparison,
    findings: Option<&Findings>,
    strictness: Strictness,
    ending: &str,
) -> String {
    let Some(findings) = findings else { return format!("{}: {ending}", of(comparison)) };
    let what =
        findings.edge.map_or_else(|| of(comparison).to_owned(), |edge| format!("slower than {edge} s"));
    // Of successes, the arms stand the other way round.
    let (candidate, stable) = match comparison.of {
        Compared::Successes => (findings.stable, findings.candidate),
        _ => (findings.candidate, findings.stable),
    };
    let share = |arm: crate::stats::grid::Arm| {
        let share = arm.failures as f64 / arm.exposure.max(1) as f64;
        format!("{} of {} ({:.2}%)", arm.failures, arm.exposure, share * 100.0)
    };
    let ratio = match (findings.ratio, findings.interval) {
        (None, _) => String::new(),
        (Some(ratio), (_, upper)) if upper.is_infinite() => format!(", {} times", rounded(ratio)),
        (Some(ratio), (lower, upper)) => format!(
            ", {} times ({}% interval {} to {})",
            rounded(ratio),
            rounded((1.0 - strictness.error) * 100.0),
            rounded(lower),
            rounded(upper)
        ),
    };
    let dispersion = comparison.dispersion.get();
    format!(
        "{what}: candidate {}, stable {}{ratio}; e-value {} of {} for worse than {} times, {} of {} for less than {} times: {ending}",
        share(candidate),
        share(stable),
        e_value(findings.log_harm / dispersion),
        e_value(-log(strictness.error)),
        comparison.margin,
        e_value(findings.log_safety / dispersion),
        e_value(-log(strictness.miss)),
        comparison.safety_margin,
    )
}

/// Requests that are not split as planned.
pub(super) fn uneven(counts: &[u64], share: Weight) -> String {
    format!(
        "invalid: the requests {counts:?} of stable and candidate do not fit the planned share of {share}: look for lost requests or counters before any comparison"
    )
}

/// How much more data a pass may need, if what comes is like what came.
pub(super) fn what_is_missing(
    comparison: &Comparison,
    findings: &Findings,
    strictness: Strictness,
    standings: &[Standing],
) -> String {
    let exposure = match comparison.of {
        Compared::Successes => findings.stable.exposure,
        Compared::Failures | Compared::Latency => findings.candidate.exposure,
    };
    if exposure < comparison.least_requests {
        return format!(
            "not enough data, {} more requests of the candidate needed",
            comparison.least_requests - exposure
        );
    }
    // All of them must be safe, each in the way that takes fewer.
    let missing = |standing: &Standing| {
        let needed = comparison.dispersion.get() * -log(strictness.miss);
        until_as_safe(comparison, strictness, standing, exposure).min(requests_until_rare(
            standing.candidate,
            standing.rare,
            needed,
        ))
    };
    let requests = standings.iter().map(missing).fold(0.0, f64::max);
    let nothing_failed = findings.stable.failures == 0 && findings.candidate.failures == 0;
    let why = if nothing_failed && comparison.of == Compared::Failures {
        "not enough data, as nothing has failed yet in either"
    } else {
        "not enough data"
    };
    if requests.is_finite() && requests >= 1.0 {
        format!("{why}, about {} more requests of the candidate needed", rounded_up(requests))
    } else {
        why.to_owned()
    }
}

/// How many more of the candidate's requests show that it is below the safety margin, if it is as good as stable.
fn until_as_safe(comparison: &Comparison, strictness: Strictness, standing: &Standing, exposure: u64) -> f64 {
    let Standing { stable, candidate, log_safety, .. } = *standing;
    let failures = stable.failures.saturating_add(candidate.failures) as f64;
    if failures == 0.0 {
        return f64::INFINITY;
    }
    // What one failure is worth, on average, against a candidate at the safety margin (statistics 2.12).
    let share = candidate.exposure as f64 / (candidate.exposure as f64 + stable.exposure as f64);
    let margin = comparison.safety_margin.get();
    let at_margin = share * margin / (1.0 - share + share * margin);
    let worth = share * log(share / at_margin) + (1.0 - share) * log((1.0 - share) / (1.0 - at_margin));
    let missing = comparison.dispersion.get() * (-log(strictness.miss) + 1.0) - log_safety;
    (missing / worth) * exposure as f64 / failures
}

const fn of(comparison: &Comparison) -> &'static str {
    match comparison.of {
        Compared::Failures => "failures",
        Compared::Successes => "successes",
        Compared::Latency => "latency",
    }
}

/// To three digits.
fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (2.0 - libm::floor(libm::log10(value.abs()))).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// To two digits, upward.
fn rounded_up(value: f64) -> String {
    let unit = libm::pow(10.0, libm::floor(libm::log10(value)) - 1.0).max(1.0);
    format!("{:.0}", libm::ceil(value / unit) * unit)
}

fn e_value(log_e: f64) -> String {
    let value = exp(log_e);
    if value >= 1e6 || !value.is_finite() {
        format!("1e{:.0}", libm::floor(log_e / std::f64::consts::LN_10))
    } else if value < 0.001 {
        "under 0.001".to_owned()
    } else {
        rounded(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(1.523_4, "1.52"), (0.012_34, "0.0123"), (123.4, "123"), (99.0, "99"), (0.0, "0")]
        {
            assert_eq!(rounded(value), text);
        }
        assert_eq!(rounded_up(1_234.0), "1300");
        assert_eq!(e_value(1_000.0), "1e434");
        assert_eq!(e_value(-100.0), "under 0.001");
    }
}
