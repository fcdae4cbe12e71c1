//! What the expression language of Argo does and our parser does not.
//!
//! - `.field` within a predicate means `#.field`.
//! - An index out of range is an error, not nil: `x[i]` becomes a call of our own function, `x[i:j]` too (which also
//!   keeps the parser from trying each bracket twice).
//! - A name that does not exist is an error when the condition is read.
//! - A comparison of a text with a number is an error, not false: see the types.

use super::{
    environment,
    scan::{Kind, Token, ends_operand},
    types::{Comparison, comparisons},
};

pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) asks_about_absence: bool,
}

pub(super) fn rewrite(tokens: &[Token<'_>]) -> Result<Rewritten, String> {
    check_names(tokens)?;
    check_ranges(tokens)?;
    let comparisons = comparisons(tokens)?;
    let mut writer = Writer::default();
    for (index, token) in tokens.iter().enumerate() {
        writer.token(token, index.checked_sub(1).and_then(|before| tokens.get(before)))?;
    }
    let asks_about_absence = tokens.iter().any(|token| match token.kind {
        Kind::Name => ["isNaN", "isNil", "len", "default", "nil", "count"].contains(&token.text),
        Kind::Symbol => token.text == "??",
        Kind::Word | Kind::Number | Kind::Text => false,
    });
    Ok(Rewritten { text: writer.text, comparisons, asks_about_absence })
}

#[derive(Default)]
struct Writer {
    text: String,
    brackets: Vec<Bracket>,
    /// Where the operand that has just been written starts, with everything that belongs to it.
    operand: usize,
}

struct Bracket {
    /// Where the operand that this bracket will be part of starts.
    start: usize,
    kind: BracketKind,
    /// `?` without its `:` so far.
    open_conditionals: usize,
}

#[derive(PartialEq)]
enum BracketKind {
    Plain,
    Index,
    Slice,
}

impl Writer {
    fn token(&mut self, token: &Token<'_>, before: Option<&Token<'_>>) -> Result<(), String> {
        let continues = ends_operand(before);
        let is_member = before.is_some_and(|before| before.is(".") || before.is("?."));
        match (token.kind, token.text) {
            (Kind::Symbol, "." | "?.") => {
                if !continues {
                    self.operand = self.text.len();
                    self.write("#");
                }
                self.write(token.text);
            }
            (Kind::Symbol, "[") if continues || is_member => {
                if is_member {
                    return Err("`?.[` is not supported: use get(list, index)".to_owned());
                }
                if self.text[..self.operand].trim_end().ends_with(" |") {
                    return Err(
                        "an index after a pipe is not supported: put the pipe in parentheses".to_owned()
                    );
                }
                let start = self.operand;
                self.text.insert_str(start, ELEMENT);
                self.write(",");
                self.open(start, BracketKind::Index);
            }
            (Kind::Symbol, "[" | "{") => self.open_plain(token.text, self.text.len()),
            (Kind::Symbol, "(") => {
                let start = if continues { self.operand } else { self.text.len() };
                self.open_plain("(", start);
            }
            (Kind::Symbol, ")" | "]" | "}") => self.close(token.text, before),
            (Kind::Symbol, "?") => {
                if let Some(bracket) = self.brackets.last_mut() {
                    bracket.open_conditionals += 1;
                }
                self.write("?");
            }
            (Kind::Symbol, ":") => self.colon(before),
            (Kind::Name | Kind::Number | Kind::Text, _) => {
                if !is_member {
                    self.operand = self.text.len();
                }
                self.write(token.text);
            }
            (Kind::Word | Kind::Symbol, _) => self.write(token.text),
        }
        Ok(())
    }

    fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push(' ');
    }

    fn open_plain(&mut self, text: &str, start: usize) {
        self.open(start, BracketKind::Plain);
        self.write(text);
    }

    fn open(&mut self, start: usize, kind: BracketKind) {
        self.brackets.push(Bracket { start, kind, open_conditionals: 0 });
    }

    fn colon(&mut self, before: Option<&Token<'_>>) {
        match self.brackets.last_mut() {
            Some(bracket) if bracket.open_conditionals > 0 => {
                bracket.open_conditionals -= 1;
                self.write(":");
            }
            Some(bracket) if bracket.kind == BracketKind::Index => {
                bracket.kind = BracketKind::Slice;
                if before.is_some_and(|before| before.is("[")) {
                    self.write("nil");
                }
                self.write(",");
            }
            _ => self.write(":"),
        }
    }

    fn close(&mut self, text: &str, before: Option<&Token<'_>>) {
        // The scan has matched the brackets.
        let Some(bracket) = self.brackets.pop() else { return };
        match bracket.kind {
            BracketKind::Plain => self.write(text),
            BracketKind::Index => self.write(")"),
            BracketKind::Slice => {
                if before.is_some_and(|before| before.is(":")) {
                    self.write("nil");
                }
                self.write(")");
                self.text.replace_range(bracket.start..bracket.start + ELEMENT.len(), SLICE);
            }
        }
        self.operand = bracket.start;
    }
}

fn check_names(tokens: &[Token<'_>]) -> Result<(), String> {
    let mut declared = vec!["result", "true", "false", "nil"];
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let after = tokens.get(index + 1);
        if token.kind != Kind::Name || token.text.starts_with('#') {
            continue;
        }
        let name = token.text;
        let is_call = after.is_some_and(|after| after.is("("));
        if before.is_some_and(|before| before.is(".") || before.is("?.")) {
            if is_call {
                return Err(format!(
                    "unknown method {name}: only times have methods, and conditions have no times"
                ));
            }
        } else if is_call {
            if TIME_FUNCTIONS.contains(&name) {
                return Err(format!(
                    "{name} is not available: a condition looks at the result and at no clock"
                ));
            }
            if !environment::knows(name) {
                return Err(format!("unknown name {name}"));
            }
        } else if before.is_some_and(|before| before.kind == Kind::Word && before.text == "let") {
            declared.push(name);
        } else if after.is_some_and(|after| after.is(":"))
            && before.is_some_and(|before| before.is("{") || before.is(","))
        {
            // The key of a map.
        } else if !declared.contains(&name) {
            return Err(format!("unknown name {name}"));
        }
    }
    Ok(())
}

/// A range is a list in memory: it must be short, so its ends must be known.
fn check_ranges(tokens: &[Token<'_>]) -> Result<(), String> {
    for (index, token) in tokens.iter().enumerate() {
        if !token.is("..") {
            continue;
        }
        let end = |at: Option<usize>| {
            let token = tokens.get(at?).filter(|token| token.kind == Kind::Number)?;
            token.text.parse::<i64>().ok()
        };
        let follows_operator = tokens.get(index + 2).is_some_and(|after| {
            matches!(after.text, "*" | "/" | "%" | "+" | "-" | "**" | "^") && after.kind == Kind::Symbol
        });
        let leads_operator = index.checked_sub(2).and_then(|at| tokens.get(at)).is_some_and(|before| {
            matches!(before.text, "*" | "/" | "%" | "+" | "**" | "^") && before.kind == Kind::Symbol
        });
        match (end(index.checked_sub(1)), end(Some(index + 1))) {
            (Some(first), Some(last))
                if last.saturating_sub(first) <= MAX_RANGE && !follows_operator && !leads_operator => {}
            _ => return Err(format!("a range needs two plain numbers at most {MAX_RANGE} apart")),
        }
    }
    Ok(())
}

const MAX_RANGE: i64 = 1000;

/// Names that cannot be written in a condition: the scan knows no `$`.
const ELEMENT: &str = "$element( ";
const SLICE: &str = "$slice( ";

const TIME_FUNCTIONS: &[&str] = &["now", "date", "duration", "timezone"];
