//! The placeholders in a query.

use serinus_core::{metric::Question, traffic::Revision};

use super::AskError;
use crate::builtin;

/// The text of the question's query with the placeholders filled in.
pub(super) fn fill(question: &Question) -> Result<String, AskError> {
    fill_in(&question.query.text, question)
}

/// Any text of a question with the placeholders filled in.
pub(super) fn fill_in(text: &str, question: &Question) -> Result<String, AskError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let position = text.len() - rest.len() + start;
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let unknown =
            |placeholder: &str| AskError::Placeholder { placeholder: shorten(placeholder), position };
        let end = from.find("}}").ok_or_else(|| unknown(from))?;
        let (placeholder, after) = from.split_at(end + 2);
        match (placeholder[2..end].trim(), question.query.window) {
            ("candidate", _) => filled.push_str(quotable(&question.candidate)?),
            ("stable", _) => filled.push_str(quotable(&question.stable)?),
            ("interval", Some(window)) => filled.push_str(&builtin::window(window)?),
            _ => return Err(unknown(placeholder)),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The name, unless it could end the quotes it stands in.
fn quotable(revision: &Revision) -> Result<&str, AskError> {
    let name = revision.as_str();
    if name.contains(['"', '\'', '`', '\\']) || name.contains(char::is_control) {
        return Err(AskError::Revision { revision: name.escape_debug().to_string() });
    }
    Ok(name)
}

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use serinus_core::{metric::Query, time::Timestamp};

    use super::*;

    fn filled(text: &str) -> Result<String, AskError> {
        fill(&Question {
            query: Query { window: Some("90s".parse().unwrap()), ..Query::new("prometheus", text) }.into(),
            candidate: "v2".into(),
            stable: "v1".into(),
            at: Timestamp::UNIX_EPOCH,
            window: None,
        })
    }

    #[test]
    fn placeholders_are_filled_with_and_without_spaces() {
        assert_eq!(
            filled(r#"a{r="{{candidate}}"}[{{ interval }}] / b{r="{{  stable }}"}"#).unwrap(),
            r#"a{r="v2"}[90s] / b{r="v1"}"#
        );
        assert_eq!(filled("sum(a{}) by (le)").unwrap(), "sum(a{}) by (le)");
    }

    #[test]
    fn anything_else_in_braces_is_refused_with_its_place() {
        for (text, shown, place) in [
            ("ü{{candidate}}{{ if x }}", "{{ if x }}", 15),
            ("{{}}", "{{}}", 0),
            ("a{{candidate", "{{candidate", 1),
            ("{{{candidate}}}", "{{{candidate}}", 0),
        ] {
            let error = filled(text).unwrap_err();
            let AskError::Placeholder { placeholder, position } = &error else { panic!("{error}") };
            assert_eq!((placeholder.as_str(), *position), (shown, place), "{text}");
        }
    }

    #[test]
    fn a_revision_cannot_end_the_quotes_it_stands_in() {
        let mut question = Question {
            query: Query::new("prometheus", r#"a{r="{{candidate}}"}"#).into(),
            candidate: r#"v2"} or vector(1)"#.into(),
            stable: "v1".into(),
            at: Timestamp::UNIX_EPOCH,
            window: None,
        };
        assert!(matches!(fill(&question), Err(AskError::Revision { .. })));
        question.candidate = "v2\n".into();
        assert!(matches!(fill(&question), Err(AskError::Revision { .. })));
    }
}
