//! A verdict in one sentence, with the numbers it rests on.

use libm::{exp, log};

use super::{
    Compared, Comparison, Dispersal, Findings, Strictness,
    rare::requests_until_rare,
    standing::{Pass, Standing},
};
use crate::{
    stats::{dispersion::Dispersion, evidence::EProcess as _, grid::RateRatio, sample_ratio::SampleRatio},
    traffic::Weight,
};

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
    let share = |arm: crate::stats::grid::Arm| {
        let share = arm.failures as f64 / arm.exposure.max(1) as f64;
        format!("{} of {} ({:.2}%)", arm.failures, arm.exposure, share * 100.0)
    };
    let ratio = match (findings.ratio, comparison.of) {
        (None, _) => String::new(),
        // Fewer successes are harm: the ratio is the other way round.
        (Some(ratio), Compared::Successes) => {
            format!(", stable {} times as often as the candidate", times(ratio))
        }
        (Some(ratio), Compared::Failures | Compared::Latency) => format!(", {} times", times(ratio)),
    };
    let interval = match findings.interval {
        (lower, upper) if lower > 0.0 || upper.is_finite() => format!(
            " ({}% interval {} to {})",
            ((1.0 - strictness.error) * 1e4).round() / 100.0,
            rounded(lower),
            rounded(upper)
        ),
        _ => String::new(),
    };
    let (candidate, stable) = (share(findings.candidate), share(findings.stable));
    let counts = format!("{what}: candidate {candidate}, stable {stable}{ratio}{interval}");
    let Some(dispersion) = findings.dispersion else { return format!("{counts}: {ending}") };
    format!(
        "{counts}; e-value {} of {} for worse than {} times, {} of {} for less than {} times: {ending}",
        e_value(findings.log_harm / dispersion),
        e_value(-log(strictness.error)),
        comparison.margin,
        e_value(findings.log_safety / dispersion),
        e_value(-log(strictness.miss)),
        comparison.safety_margin,
    )
}

/// What is missing before anything can be said.
pub(super) fn calibrating(comparison: &Comparison, calibration: Option<&Dispersion>) -> String {
    let Dispersal::Calibrated { windows } = comparison.dispersion else {
        return "not enough data".to_owned();
    };
    match calibration {
        Some(calibration) => format!(
            "not enough data, {} more windows needed to know how much counts scatter",
            u64::from(windows).saturating_sub(calibration.windows())
        ),
        None => "not enough data: there is no `control` beside stable and candidate to calibrate with; count one, or give `dispersion` as a number".to_owned(),
    }
}

/// Requests that are not split as planned.
pub(super) fn uneven(split: &SampleRatio, share: Weight) -> String {
    let error = Comparison::SPLIT_ERROR_PROBABILITY;
    format!(
        "invalid: the requests {:?} of stable and candidate do not fit the planned share of {share} (e-value {} of {}, error probability {}%): look for lost requests or counters before any comparison",
        split.counts(),
        e_value(split.peak()),
        e_value(-log(error)),
        rounded(error * 100.0)
    )
}

/// That a candidate passes, and in which way.
pub(super) fn safe(comparison: &Comparison, pass: Pass) -> String {
    match pass {
        Pass::Compared => "safe".to_owned(),
        Pass::Rare => format!("safe, as certainly less than {}% fail", comparison.negligible.get() * 100.0),
        Pass::RarelyAbove(edge) => {
            let percent = Comparison::RARELY_SLOW * 100.0;
            format!("safe, as certainly less than {percent}% are slower than {edge} s")
        }
        Pass::Before => "safe, as found before".to_owned(),
    }
}

/// How much more data a pass may need, if what comes is like what came, of which `requests` count so far.
pub(super) fn what_is_missing(
    comparison: &Comparison,
    findings: &Findings,
    strictness: Strictness,
    requests: u64,
    standings: &[Standing],
) -> String {
    let more = missing(comparison, findings, strictness, requests, standings);
    if let Some(more) = more.filter(|_| requests < comparison.least_requests) {
        return format!("not enough data, {more} more requests of the candidate needed");
    }
    let nothing_failed = findings.stable.failures == 0 && findings.candidate.failures == 0;
    let why = if nothing_failed && comparison.of == Compared::Failures {
        "not enough data, as nothing has failed yet in either"
    } else {
        "not enough data"
    };
    match more {
        Some(more) => format!("{why}, about {more} more requests of the candidate needed"),
        None => why.to_owned(),
    }
}

/// That many requests of the candidate, if anybody can tell.
pub(super) fn missing(
    comparison: &Comparison,
    findings: &Findings,
    strictness: Strictness,
    requests: u64,
    standings: &[Standing],
) -> Option<u64> {
    if requests < comparison.least_requests {
        return Some(comparison.least_requests - requests);
    }
    let dispersion = findings.dispersion?;
    let needed = dispersion * -log(strictness.miss);
    // All of them must be safe, each in the way that takes fewer.
    let missing = |standing: &Standing| {
        let as_safe = until_as_safe(comparison, needed + dispersion, standing) * requests as f64;
        as_safe.min(requests_until_rare(standing.candidate, standing.rare, needed))
    };
    let more = standings.iter().map(missing).fold(0.0, f64::max);
    (more.is_finite() && more >= 1.0).then(|| rounded_up(more) as u64)
}

/// How many times as many requests as there were show that it is below the safety margin, if it is as good as stable.
fn until_as_safe(comparison: &Comparison, needed: f64, standing: &Standing) -> f64 {
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
    (needed - log_safety) / worth / failures
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

/// A ratio, which is 0 or infinite beyond what is looked at.
pub(in crate::analysis) fn times(ratio: f64) -> String {
    if ratio.is_infinite() { format!("over {}", RateRatio::FARTHEST) } else { rounded(ratio) }
}

/// To two digits, upward.
fn rounded_up(value: f64) -> f64 {
    let unit = libm::pow(10.0, libm::floor(libm::log10(value)) - 1.0).max(1.0);
    libm::ceil(value / unit) * unit
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
        assert_eq!(rounded_up(1_234.0), 1_300.0);
        assert_eq!((times(f64::INFINITY).as_str(), times(0.0).as_str()), ("over 64", "0"));
        assert_eq!(e_value(1_000.0), "1e434");
        assert_eq!(e_value(-100.0), "under 0.001");
    }
}
