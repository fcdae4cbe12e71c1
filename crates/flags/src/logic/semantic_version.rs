//! `sem_ver`.

use std::{borrow::Cow, cmp::Ordering};

use super::given::Given;

/// Compares two versions; nothing where one of them is none, or where there is no such comparison.
///
/// Precedence is that of Semantic Versioning 2.0.0, 11: what was built after `+` does not count. A `v` or `V` before the
/// version is left out, and `1` and `1.2` are 1.0.0 and 1.2.0.
pub(super) fn compare(version: &Given<'_>, comparison: &Given<'_>, other: &Given<'_>) -> Option<bool> {
    let (one, other) = (text(version)?, text(other)?);
    let (one, other) = (Version::parse(&one)?, Version::parse(&other)?);
    let order = one.cmp(&other);
    Some(match comparison.as_text()? {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "^" => one.core[0] == other.core[0],
        "~" => one.core[..2] == other.core[..2],
        _ => return None,
    })
}

fn text<'g>(version: &'g Given<'_>) -> Option<Cow<'g, str>> {
    match version {
        Given::Text(text) => Some(Cow::Borrowed(text)),
        // A number is written with an exponent from a million on, and is no version then.
        Given::Number(_) | Given::Float(_) => {
            let number = version.as_number().filter(|number| *number < 1e6)?;
            Some(Cow::Owned(number.to_string()))
        }
        Given::Null | Given::Bool(_) | Given::List(_) | Given::Made(_) | Given::Object(_) => None,
    }
}

/// Numbers stay texts: they may be longer than any integer.
#[derive(PartialEq, Eq)]
struct Version<'t> {
    core: [&'t str; 3],
    pre_release: &'t str,
}

impl<'t> Version<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (core, pre_release) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
        let mut parts = core.split('.');
        let core = [parts.next(), parts.next(), parts.next()];
        let short = core[2].is_none();
        if parts.next().is_some() || short && (pre_release.is_some() || build.is_some()) {
            return None;
        }
        let identifiers = |part: &str| part.split('.').all(is_identifier);
        let pre_release_holds = pre_release
            .is_none_or(|pre| identifiers(pre) && pre.split('.').all(|id| !is_number(id) || is_plain(id)));
        let holds = core.iter().flatten().all(|number| is_number(number) && is_plain(number))
            && pre_release_holds
            && build.is_none_or(identifiers);
        holds.then(|| Self {
            core: core.map(|part| part.unwrap_or("0")),
            pre_release: pre_release.unwrap_or(""),
        })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let core = self.core.iter().zip(other.core).map(|(one, other)| numbers(one, other));
        core.fold(Ordering::Equal, Ordering::then)
            .then_with(|| pre_releases(self.pre_release, other.pre_release))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A release comes after its pre-releases.
fn pre_releases(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (is_number(one), is_number(other)) {
                (true, true) => numbers(one, other),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => one.cmp(other),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn numbers(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without zeros in front.
fn is_plain(number: &str) -> bool {
    number.len() == 1 || !number.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(one: &str, comparison: &str, other: &str) -> Option<bool> {
        compare(&Given::text(one), &Given::text(comparison), &Given::text(other))
    }

    #[test]
    fn precedence_is_that_of_semantic_versioning() {
        let ascending = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "18446744073709551616.0.0",
        ];
        for (place, one) in ascending.iter().enumerate() {
            for (other_place, other) in ascending.iter().enumerate() {
                assert_eq!(ask(one, "<", other), Some(place < other_place), "{one} < {other}");
                assert_eq!(ask(one, "=", other), Some(place == other_place), "{one} = {other}");
            }
        }
    }

    #[test]
    fn short_versions_prefixes_and_builds_are_normalised() {
        for (one, other) in [("v1.0.0", "1.0.0"), ("V1", "1.0.0"), ("1.2", "1.2.0"), ("1.0.0+a", "1.0.0+b")] {
            assert_eq!(ask(one, "=", other), Some(true), "{one} = {other}");
        }
        for none in [
            "vv1.0.0",
            "Vv1",
            "1.2-rc",
            "1+b",
            "01.0.0",
            "1.0.0-01",
            "1.2.3.4",
            "",
            "v",
            "1.",
            "1.0.0-",
            "1.0.0-a..b",
        ] {
            assert_eq!(ask(none, "=", "1.0.0"), None, "{none}");
        }
        assert_eq!(ask("1.0.0", "==", "1.0.0"), None);
    }

    #[test]
    fn numbers_are_versions_as_far_as_they_have_no_exponent() {
        let ask =
            |number: f64, other: &str| compare(&Given::Float(number), &Given::text("="), &Given::text(other));
        assert_eq!(ask(1.0, "1.0.0"), Some(true));
        assert_eq!(ask(999_999.0, "999999.0.0"), Some(true));
        for number in [1e6, 1_234_567.0, 1e-5, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(ask(number, "1000000.0.0"), None, "{number}");
        }
    }
}
