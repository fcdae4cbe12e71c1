//! The moments of a range: a time, or `now()` plus or minus lengths.

use serinus_core::time::{GoDuration, Timestamp};

use super::AskError;

/// The moment a text means, with `now` for `now()`.
pub(super) fn evaluate(key: &'static str, text: &str, now: Timestamp) -> Result<Timestamp, AskError> {
    let fault = || AskError::Setting { key: key.to_owned(), value: text.to_owned(), expected: EXPECTED };
    let trimmed = text.trim();
    if let Ok(moment) = trimmed.parse() {
        return Ok(moment);
    }
    let mut rest =
        call(trimmed, "now").and_then(|rest| rest.strip_prefix(')')).ok_or_else(fault)?.trim_start();
    let mut moment = now;
    while !rest.is_empty() {
        let (sign, after) = match rest.as_bytes() {
            [b'+', ..] => (1, &rest[1..]),
            [b'-', ..] => (-1, &rest[1..]),
            _ => return Err(fault()),
        };
        let (length, after) = duration(after).ok_or_else(fault)?;
        moment = length.saturating_mul(sign).after(moment);
        rest = after.trim_start();
    }
    Ok(moment)
}

/// Reads `duration("1h")`, and gives what comes after it.
fn duration(text: &str) -> Option<(GoDuration, &str)> {
    let argument = call(text, "duration")?;
    let quote = argument.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let (length, after) = argument[1..].split_once(quote)?;
    let after = after.trim_start().strip_prefix(')')?;
    Some((length.parse().ok()?, after))
}

/// Reads the name of a function and its opening parenthesis.
fn call<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    Some(text.trim_start().strip_prefix(name)?.trim_start().strip_prefix('(')?.trim_start())
}

const EXPECTED: &str = "a time such as 2026-01-31T12:00:00Z, or now() - duration(\"1h\")";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_or_reckoned_from_now() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("now()", "2026-01-31T12:00:00Z"),
            (" now( ) - duration( '1h30m' ) ", "2026-01-31T10:30:00Z"),
            ("now()-duration(\"1h\")+duration(`1m`)", "2026-01-31T11:01:00Z"),
            ("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z"),
        ] {
            let moment = evaluate("range.start", text, now).unwrap();
            assert_eq!(moment.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "now",
            "now() -",
            "now() * duration(\"1h\")",
            "now() - duration(1h)",
            "now() - duration(\"1d\")",
            "now() - duration(\"é",
            "now() é",
            "yesterday",
        ] {
            assert!(evaluate("range.start", text, Timestamp::UNIX_EPOCH).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_beyond_all_ages_stops_at_the_end() {
        let text = "now()".to_owned() + &" - duration(\"2000000h\")".repeat(60);
        assert_eq!(evaluate("range.start", &text, Timestamp::UNIX_EPOCH).unwrap(), Timestamp::MIN);
    }
}
