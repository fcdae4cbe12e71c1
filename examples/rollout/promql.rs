//! Windows in PromQL, for rollouts that run faster than real time.
//!
//! Prometheus lives in real time: at a speed of 15, what a rollout calls a minute is four seconds. So the windows of
//! a manifest's queries, `[1m]`, are made shorter by the speed, but not shorter than a window can be and still hold
//! some scrapes.

use serinus::time::GoDuration;

/// The query with each range selector made shorter; what is no range selector stays as it is.
pub(crate) fn with_scaled_windows(query: &str, speed: f64) -> String {
    let mut scaled = String::with_capacity(query.len());
    let mut quote = None;
    let mut rest = query.char_indices();
    while let Some((index, letter)) = rest.next() {
        scaled.push(letter);
        match (quote, letter) {
            (Some('"' | '\''), '\\') => scaled.extend(rest.next().map(|(_, escaped)| escaped)),
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '[') => {
                let Some(length) = query[index..].find(']') else { continue };
                let inside = &query[index + 1..index + length];
                let (window, resolution) =
                    inside.split_once(':').map_or((inside, ""), |(window, _)| (window, ":"));
                match parse(window.trim()) {
                    Some(window) => {
                        let millis = self::scaled(window, speed).as_nanos() / 1_000_000;
                        let length = if millis % 1000 == 0 {
                            format!("{}s", millis / 1000)
                        } else {
                            format!("{millis}ms")
                        };
                        scaled.push_str(&format!("{length}{resolution}]"));
                    }
                    None => scaled.push_str(&query[index + 1..=index + length]),
                }
                while rest.next().is_some_and(|(_, letter)| letter != ']') {}
            }
            _ => {}
        }
    }
    scaled
}

/// A window made shorter, to whole milliseconds.
pub(crate) fn scaled(window: GoDuration, speed: f64) -> GoDuration {
    let millis = (window.as_nanos() as f64 / speed / 1e6).round() as u64;
    GoDuration::from_millis(millis).max(SHORTEST)
}

/// As Go writes lengths, and with days, weeks and years, as Prometheus does.
fn parse(window: &str) -> Option<GoDuration> {
    let days = |text: &str, days: u64| {
        text.parse::<u64>().ok().map(|number| GoDuration::from_secs(number.saturating_mul(days * 86_400)))
    };
    match (window.strip_suffix('d'), window.strip_suffix('w'), window.strip_suffix('y')) {
        (Some(number), _, _) => days(number, 1),
        (_, Some(number), _) => days(number, 7),
        (_, _, Some(number)) => days(number, 365),
        _ => window.parse().ok().filter(|window: &GoDuration| !window.is_negative() && !window.is_zero()),
    }
}

/// Eight scrapes.
pub(crate) const SHORTEST: GoDuration = GoDuration::from_secs(4);
