//! From text to tokens, within bounds.
//!
//! The parser of the expression language is recursive and, for some texts, takes exponential time. A linear scan in
//! front of it keeps such texts from it.

use super::Condition;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

/// The kinds of [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, also `#`, `#acc` and `#index`.
    Name,
    /// An operator spelled with letters, or a keyword.
    Word,
    Number,
    Text,
    Symbol,
}

impl Token<'_> {
    pub(super) fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// Cuts a text into tokens.
///
/// # Errors
///
/// If it is too long, too deep, has too many operators, brackets that do not match or characters that no token has.
pub(super) fn scan(source: &str) -> Result<Vec<Token<'_>>, String> {
    if source.len() > Condition::MAX_LENGTH {
        return Err(format!(
            "it is {} bytes long: at most {} are allowed",
            source.len(),
            Condition::MAX_LENGTH
        ));
    }
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let (mut open, mut operators, mut conditionals) = (Vec::new(), 0_usize, 0_usize);
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        if let Some(length) = comment(rest)? {
            rest = &rest[length..];
            continue;
        }
        let after_member = tokens.last().is_some_and(|last| last.is(".") || last.is("?."));
        let (kind, length) = token(rest, ends_operand(tokens.last()), after_member).ok_or_else(|| {
            format!("`{first}` at byte {} belongs to no expression", source.len() - rest.len())
        })?;
        let text = &rest[..length];
        match (kind, text) {
            (Kind::Symbol, "(" | "[" | "{") => {
                operators += usize::from(text == "[");
                open.push(text);
                if open.len() > Condition::MAX_DEPTH {
                    return Err(format!("brackets are nested more than {} deep", Condition::MAX_DEPTH));
                }
            }
            (Kind::Symbol, ")" | "]" | "}") => {
                let expected = match open.pop() {
                    Some("(") => ")",
                    Some("[") => "]",
                    Some(_) => "}",
                    None => return Err(format!("`{text}` closes no bracket")),
                };
                if text != expected {
                    return Err(format!("expected `{expected}`, found `{text}`"));
                }
            }
            (Kind::Symbol, "," | ";") | (Kind::Name | Kind::Number | Kind::Text, _) => {}
            (Kind::Symbol | Kind::Word, _) => {
                operators += 1;
                conditionals += usize::from(matches!(text, "if" | "let"));
            }
        }
        if operators > Condition::MAX_OPERATORS {
            return Err(format!("it has more than {} operators", Condition::MAX_OPERATORS));
        }
        if conditionals > MAX_STATEMENTS {
            return Err(format!("it has more than {MAX_STATEMENTS} of `let` and `if`"));
        }
        tokens.push(Token { kind, text });
        rest = &rest[length..];
    }
    match open.last() {
        Some(bracket) => Err(format!("`{bracket}` is never closed")),
        None if tokens.is_empty() => Err("it is empty".to_owned()),
        None => Ok(tokens),
    }
}

/// Whether a token can be the end of an operand, so that what follows belongs to it.
pub(super) fn ends_operand(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|last| match last.kind {
        Kind::Name | Kind::Number | Kind::Text => true,
        Kind::Word => false,
        Kind::Symbol => matches!(last.text, ")" | "]" | "}"),
    })
}

fn comment(rest: &str) -> Result<Option<usize>, String> {
    if rest.starts_with("//") {
        return Ok(Some(rest.find('\n').unwrap_or(rest.len())));
    }
    if let Some(body) = rest.strip_prefix("/*") {
        let end = body.find("*/").ok_or("a comment is never closed")?;
        return Ok(Some(end + 4));
    }
    Ok(None)
}

fn token(rest: &str, after_operand: bool, after_member: bool) -> Option<(Kind, usize)> {
    let bytes = rest.as_bytes();
    let name_length = |from: usize| {
        from + rest[from..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
    };
    match *bytes.first()? {
        b'"' | b'\'' | b'`' => text_length(rest).map(|length| (Kind::Text, length)),
        b'#' => Some((Kind::Name, name_length(1))),
        b'0'..=b'9' => Some((Kind::Number, number_length(rest))),
        b'.' if !after_operand && bytes.get(1).is_some_and(u8::is_ascii_digit) => {
            Some((Kind::Number, number_length(rest)))
        }
        byte if byte.is_ascii_alphabetic() || byte == b'_' => {
            let length = name_length(0);
            let is_word = !after_member && WORDS.contains(&&rest[..length]);
            Some((if is_word { Kind::Word } else { Kind::Name }, length))
        }
        _ => {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol))?;
            Some((Kind::Symbol, symbol.len()))
        }
    }
}

fn text_length(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices();
    let (_, quote) = characters.next()?;
    let mut escaped = false;
    for (at, character) in characters {
        if escaped {
            escaped = false;
        } else if character == '\\' && quote != '`' {
            escaped = true;
        } else if character == quote {
            return Some(at + quote.len_utf8());
        }
    }
    None
}

fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let exponent_sign = matches!(byte, b'+' | b'-')
            && at > 0
            && matches!(bytes[at - 1], b'e' | b'E')
            && !rest.starts_with("0x")
            && !rest.starts_with("0X");
        // `1..3` is a range, not a number with two points.
        let point = *byte == b'.' && bytes.get(at + 1) != Some(&b'.') && !rest[..at].contains('.');
        if byte.is_ascii_alphanumeric() || *byte == b'_' || point || exponent_sign {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// `if` is parsed twice for each nesting, and each `let` may double a value.
const MAX_STATEMENTS: usize = 8;

const WORDS: &[&str] =
    &["and", "or", "not", "in", "contains", "startsWith", "endsWith", "matches", "let", "if", "else"];

/// Longer ones first.
const SYMBOLS: &[&str] = &[
    "**", "..", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "(", ")", "[", "]", "{", "}", ",", ";", ":",
    "?", ".", "+", "-", "*", "/", "%", "^", "<", ">", "!", "|", "=",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        scan(source).unwrap().iter().map(|token| token.text).collect()
    }

    #[test]
    fn numbers_points_and_ranges_are_told_apart() {
        assert_eq!(texts("1..3"), ["1", "..", "3"]);
        assert_eq!(texts("1.5e-3+.5"), ["1.5e-3", "+", ".5"]);
        assert_eq!(texts("result.values?.x"), ["result", ".", "values", "?.", "x"]);
        assert_eq!(texts("a ? .5 : 1.0"), ["a", "?", ".5", ":", "1.0"]);
        assert_eq!(texts("0x1e+1"), ["0x1e", "+", "1"]);
    }

    #[test]
    fn a_bracket_in_a_text_is_no_bracket() {
        assert_eq!(texts(r#"result == "(\"" // ["#), ["result", "==", r#""(\"""#]);
        for source in ["(", ")", "(]", "\"", "/* x", "", "  ", "a @ b", "$env"] {
            assert!(scan(source).is_err(), "{source}");
        }
    }
}
