//! What is wrong with a part of a document, where, and what to do about it.

use std::fmt;

use crate::{
    logic::{Doubt, RuleFault},
    value::Kind,
};

/// One thing that is wrong with a part of a document; the other parts load.
///
/// Prints as `in the flag at line 12, column 5: flags.checkout.variants.on: what is wrong: what to do`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The key of the flag that is at fault; nothing where it is `$evaluators` or the metadata of the document.
    pub flag: Option<String>,
    /// The field, from the root of the document: `flags.checkout.variants.on`.
    pub path: String,
    /// The line, counted from 1: of what is wrong if it `is_exact`, otherwise of the flag (the entry of `$evaluators` or
    /// `metadata`) that it is in.
    pub line: u32,
    /// The column in that line, counted from 1.
    pub column: u32,
    /// Whether line and column are those of what is wrong.
    pub is_exact: bool,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, problem, .. } = self;
        formatter.write_str(match (self.is_exact, &self.flag) {
            (true, _) => "",
            (false, Some(_)) => "in the flag at ",
            (false, None) => "in the part at ",
        })?;
        write!(formatter, "line {line}, column {column}: {path}: {problem}")
    }
}

impl std::error::Error for Fault {}

/// What can be wrong with a part of a document. Its display says what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The JSON of the part cannot be taken in: a number beyond what a float holds, half a surrogate pair.
    #[error("{what}: correct it")]
    Unreadable {
        /// What the parser says.
        what: String,
    },
    /// Nested deeper than is read.
    #[error("nested more than {limit} levels deep: flatten it, or move parts into $evaluators")]
    TooDeep {
        /// How many levels are read.
        limit: u32,
    },
    /// A value of another type than belongs here.
    #[error("{found} stands where {expected} belongs: write {expected}")]
    WrongType {
        /// What belongs here.
        expected: &'static str,
        /// What is here.
        found: Kind,
    },
    /// A field that must be there is not.
    #[error("the flag has no {field}: add {example}")]
    Missing {
        /// The field.
        field: &'static str,
        /// How it can look.
        example: &'static str,
    },
    /// An entry in a list of flags does not say which flag it is.
    #[error("this flag has no key: add \"key\": \"its-name\", or write `flags` as an object")]
    NoKey,
    /// A state that does not exist.
    #[error("\"{found}\" is no state: write \"ENABLED\" or \"DISABLED\"")]
    UnknownState {
        /// What is written.
        found: String,
    },
    /// A flag without any variant.
    #[error("the flag has no variant: add at least one, such as \"on\": true")]
    NoVariants,
    /// The name of a flag or variant is empty.
    #[error("the name is empty: give it a name")]
    EmptyName,
    /// Variants of different types.
    #[error("this variant is a {found}, and \"{first}\" is a {kind}: give all variants of a flag one type")]
    MixedVariants {
        /// The variant that comes first.
        first: String,
        /// Its type.
        kind: Kind,
        /// The type of this one.
        found: Kind,
    },
    /// A number that not every language reads as it is written.
    #[error("{number} is beyond ±(2^53 - 1), where languages read different numbers: write it as a text")]
    NumberTooLarge {
        /// The number, as it was read.
        number: String,
    },
    /// A default variant that is not among the variants.
    #[error("there is no variant \"{found}\": name one of {variants}")]
    UnknownDefault {
        /// What is written.
        found: String,
        /// The variants that there are.
        variants: String,
    },
    /// One name in one object twice.
    #[error("\"{name}\" stands twice: keep one of the two")]
    Twice {
        /// The name.
        name: String,
    },
    /// One flag twice.
    #[error(
        "the flag stands a second time; the first is at line {line}, column {column}: keep one of the two"
    )]
    FlagTwice {
        /// The line of the first.
        line: u32,
        /// The column of the first.
        column: u32,
    },
    /// In YAML: a number, boolean, null, list or map as the name of a field.
    #[error("a {found} stands where a name belongs: put it in quotes")]
    NameIsNoText {
        /// What it is.
        found: Kind,
    },
    /// In YAML: a number that JSON does not have.
    #[error("{number} is no number that JSON has: write a finite number, or a text in quotes")]
    NotFinite {
        /// What is written.
        number: f64,
    },
    /// The targeting rule cannot be compiled.
    #[error("{0}")]
    Rule(RuleFault),
    /// The targeting rule, or a shared rule, says what was probably not meant; a warning.
    #[error("{0}")]
    Doubtful(Doubt),
    /// A flag asks for a generation of `fractional`; a warning.
    #[error(
        "a flag has no generation of `fractional` of its own, and this one is not heard: move it to the metadata of the \
         document"
    )]
    GenerationOfFlag,
    /// A field that nobody reads; a warning.
    #[error("nothing reads \"{name}\": {known} are read; correct the name, or take it out")]
    UnknownField {
        /// The name of the field.
        name: String,
        /// The fields that are read here.
        known: &'static str,
    },
}

/// A problem inside of a part of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    /// From the part on, such as `.variants.on`; empty for the part itself.
    pub(crate) path: String,
    /// Line and column in the text of the part, counted from 1.
    pub(crate) at: Option<(u32, u32)>,
    pub(crate) problem: Problem,
}

impl Finding {
    pub(crate) fn new(problem: Problem) -> Self {
        Self { path: String::new(), at: None, problem }
    }

    pub(crate) fn wrong_type(expected: &'static str, found: Kind) -> Self {
        Self::new(Problem::WrongType { expected, found })
    }

    /// The same, without a place in the part if its text was converted.
    pub(crate) fn if_converted(self, is_converted: bool) -> Self {
        let at = self.at.filter(|_| !is_converted);
        Self { at, ..self }
    }

    /// The same, in the field of this name.
    pub(crate) fn within(mut self, name: &str) -> Self {
        self.path.insert_str(0, &step(name));
        self
    }

    /// The same, in the element of this index.
    pub(crate) fn within_element(mut self, index: usize) -> Self {
        self.path.insert_str(0, &format!("[{index}]"));
        self
    }
}

/// A name as a step of a path: `.on`, or `["a name with blanks"]`.
pub(crate) fn step(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$');
    if !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_plain) {
        return format!(".{name}");
    }
    format!("[{:?}]", shortened(name))
}

/// The beginning of a text, fit for one line of a message.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// How many characters of a name a message repeats.
const LONGEST: usize = 60;
