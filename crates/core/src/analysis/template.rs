//! Placeholders in texts: `{{args.service}}`, `{{ namespace }}`, `{{ variables.x }}`.
//!
//! Names with points between them, and nothing else: no pipes, no conditions, no functions. Anything else between the
//! braces is an error that says where it stands, so that a text written for a fuller template language is not sent out
//! half-filled.

use std::fmt;

/// Fills the placeholders of a text. `value` knows what each path stands for.
///
/// ```
/// use serinus_core::analysis::template::render;
///
/// let query = render("rate(requests{app=\"{{args.app}}\"}[{{ interval }}])", |path| match path {
///     "args.app" => Some("shop".to_owned()),
///     "interval" => Some("1m".to_owned()),
///     _ => None,
/// });
/// assert_eq!(query.as_deref(), Ok("rate(requests{app=\"shop\"}[1m])"));
/// ```
///
/// # Errors
///
/// If a placeholder is not closed, holds something else than a path, or names what `value` does not know.
pub fn render(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(OPEN) {
        let position = Position::of(text, text.len() - rest.len() + open);
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        let inside = &from[OPEN.len()..];
        let close = inside.find(CLOSE).ok_or(TemplateError::Unclosed { position })?;
        let path = inside[..close].trim();
        if !is_path(path) {
            return Err(TemplateError::NotAPath { position, found: path.chars().take(60).collect() });
        }
        match value(path) {
            Some(value) => filled.push_str(&value),
            None => return Err(TemplateError::Unknown { position, path: path.to_owned() }),
        }
        rest = &inside[close + CLOSE.len()..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The paths of the placeholders of a text, in order, with repetitions.
///
/// # Errors
///
/// As for [`render`], except that every path is known.
pub fn paths(text: &str) -> Result<Vec<String>, TemplateError> {
    let mut paths = Vec::new();
    render(text, |path| {
        paths.push(path.to_owned());
        Some(String::new())
    })?;
    Ok(paths)
}

fn is_path(path: &str) -> bool {
    path.split('.').all(|name| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
    }) && !KEYWORDS.contains(&path)
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "three ways to say one thing")]
pub struct Position {
    /// Bytes before it.
    pub offset: usize,
    /// Its line, counted from 1.
    pub line: usize,
    /// Its character within the line, counted from 1.
    pub column: usize,
}

impl Position {
    fn of(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (byte {})", self.line, self.column, self.offset)
    }
}

/// Why a text cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A placeholder that does not end.
    #[error("the placeholder at {position} is never closed: add `}}}}`")]
    Unclosed {
        /// Where it starts.
        position: Position,
    },
    /// Something else than a path.
    #[error(
        "the placeholder at {position} holds `{found}`: only a name such as `args.service` may stand there, no functions, pipes or conditions"
    )]
    NotAPath {
        /// Where it starts.
        position: Position,
        /// What stands there.
        found: String,
    },
    /// A path nobody knows.
    #[error(
        "the placeholder at {position} names `{path}`, which has no value here: give it one, or correct the name"
    )]
    Unknown {
        /// Where it starts.
        position: Position,
        /// The path.
        path: String,
    },
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// Of Go's template language; alone they would look like names.
const KEYWORDS: &[&str] =
    &["if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"];

#[cfg(test)]
mod tests {
    use super::*;

    fn render_known(text: &str) -> Result<String, TemplateError> {
        render(text, |path| match path {
            "args.a-b" => Some("1".into()),
            "namespace" => Some("{{ left alone }}".into()),
            _ => None,
        })
    }

    #[test]
    fn placeholders_are_filled_once() {
        assert_eq!(render_known("x{{args.a-b}}y{{ args.a-b }}").unwrap(), "x1y1");
        assert_eq!(render_known("{{namespace}}").unwrap(), "{{ left alone }}");
        assert_eq!(render_known("{\"a\":{\"b\":1}}").unwrap(), "{\"a\":{\"b\":1}}");
    }

    #[test]
    fn anything_else_is_an_error_that_says_where() {
        for text in
            ["{{ if }}", "{{ .Name }}", "{{ printf \"%s\" x }}", "{{}}", "{{ a | b }}", "{{ a..b }}", "{{1}}"]
        {
            assert!(matches!(render_known(text), Err(TemplateError::NotAPath { .. })), "{text}");
        }
        let error = render_known("ä\nüx{{ other }}").unwrap_err();
        let TemplateError::Unknown { position, path } = error else { panic!("{error}") };
        assert_eq!((position.line, position.column, position.offset, path.as_str()), (2, 3, 6, "other"));
        assert!(matches!(render_known("{{ a "), Err(TemplateError::Unclosed { .. })));
    }
}
