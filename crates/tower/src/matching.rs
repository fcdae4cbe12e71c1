//! The conditions of a route, compiled.

use http::{HeaderMap, HeaderName, request::Request};
use regex::bytes::{Regex, RegexBuilder};
use serinus_core::{
    port::{PortError, PortErrorKind},
    traffic::{Match, NamedPattern, Pattern},
};

use crate::cookies;

/// Alternatives, of which one must hold.
#[derive(Debug, Default)]
pub(crate) struct Matchers {
    any_of: Vec<Matcher>,
}

impl Matchers {
    pub(crate) fn compile(matches: &[Match]) -> Result<Self, PortError> {
        let any_of = matches
            .iter()
            .enumerate()
            .map(|(index, condition)| Matcher::compile(condition, &format!("matches[{index}]")))
            .collect::<Result<_, _>>()
            .map_err(|fault| PortError::new(PortErrorKind::Invalid, fault))?;
        Ok(Self { any_of })
    }

    pub(crate) fn is_match<B>(&self, request: &Request<B>) -> bool {
        self.any_of.iter().any(|matcher| matcher.is_match(request))
    }
}

/// Conditions, of which each must hold. Of several values of one name, one must fit.
#[derive(Debug)]
struct Matcher {
    headers: Vec<(HeaderName, Test)>,
    cookies: Vec<(String, Test)>,
    path: Option<Test>,
}

impl Matcher {
    fn compile(condition: &Match, place: &str) -> Result<Self, MatchError> {
        let mut headers = Vec::new();
        for (index, NamedPattern { name, value }) in condition.headers.iter().enumerate() {
            let place = format!("{place}.headers[{index}]");
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| MatchError::HeaderName { place: place.clone(), name: name.clone() })?;
            headers.push((parsed, Test::compile(value, &place)?));
        }
        let mut cookies = Vec::new();
        for (index, NamedPattern { name, value }) in condition.cookies.iter().enumerate() {
            cookies.push((name.clone(), Test::compile(value, &format!("{place}.cookies[{index}]"))?));
        }
        let path = condition.path.as_ref().map(|path| Test::compile(path, &format!("{place}.path")));
        Ok(Self { headers, cookies, path: path.transpose()? })
    }

    fn is_match<B>(&self, request: &Request<B>) -> bool {
        let map: &HeaderMap = request.headers();
        self.path.as_ref().is_none_or(|test| test.fits(request.uri().path().as_bytes()))
            && self
                .headers
                .iter()
                .all(|(name, test)| map.get_all(name).iter().any(|value| test.fits(value.as_bytes())))
            && self
                .cookies
                .iter()
                .all(|(name, test)| cookies::values(map, name).any(|value| test.fits(value)))
    }
}

#[derive(Debug)]
enum Test {
    Exact(String),
    Prefix(String),
    Regex(Regex),
}

impl Test {
    fn compile(pattern: &Pattern, place: &str) -> Result<Self, MatchError> {
        match pattern {
            Pattern::Exact(text) => Ok(Self::Exact(text.clone())),
            Pattern::Prefix(text) => Ok(Self::Prefix(text.clone())),
            Pattern::Regex(text) => {
                let fault = |source| MatchError::Regex {
                    place: place.to_owned(),
                    text: text.clone(),
                    source: Box::new(source),
                };
                // Alone first, so that `a)|(b` cannot close the group below and mean something else.
                compile_regex(text).map_err(fault)?;
                compile_regex(&format!(r"\A(?:{text})\z")).map(Self::Regex).map_err(fault)
            }
            _ => Err(MatchError::Unknown { place: place.to_owned(), pattern: format!("{pattern:?}") }),
        }
    }

    fn fits(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(text) => value == text.as_bytes(),
            Self::Prefix(text) => value.starts_with(text.as_bytes()),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

fn compile_regex(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(REGEX_LIMIT).dfa_size_limit(REGEX_LIMIT).build()
}

/// A condition that cannot be compiled.
#[derive(Debug, thiserror::Error)]
enum MatchError {
    #[error("{place}: `{name}` is not the name of a header")]
    HeaderName { place: String, name: String },
    #[error("{place}: cannot use the regular expression `{text}`")]
    Regex { place: String, text: String, source: Box<regex::Error> },
    #[error("{place}: this version knows exact, prefix and regex, not {pattern}")]
    Unknown { place: String, pattern: String },
}

/// Memory for one compiled expression, and again for its cache, in bytes.
const REGEX_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, value: &str) -> bool {
        Test::compile(&Pattern::Regex(pattern.into()), "here").unwrap().fits(value.as_bytes())
    }

    fn everything() -> Match {
        Match { headers: Vec::new(), cookies: Vec::new(), path: None }
    }

    #[test]
    fn a_regular_expression_must_fit_the_whole_value() {
        assert!(fits("a|ab", "ab"));
        assert!(fits("beta-.*", "beta-7"));
        assert!(!fits("beta", "beta-7"));
        assert!(!fits("beta|gamma", "alphabeta"));
        assert!(!fits("a", "a\n"));
    }

    #[test]
    fn a_bad_expression_is_refused_with_its_place() {
        for text in ["(", "a)|(b", "*", "(?:a{1000}){1000}", r"\p{Nothing}"] {
            let named = NamedPattern { name: "x".into(), value: Pattern::Regex(text.to_owned()) };
            let bad = Match { headers: vec![named], ..everything() };
            let error = Matchers::compile(&[everything(), bad]).unwrap_err();
            assert_eq!(error.kind(), PortErrorKind::Invalid);
            let line = error.chain();
            assert!(line.contains("matches[1].headers[0]") && line.contains(text), "{line}");
        }
    }
}
