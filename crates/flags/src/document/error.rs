//! Why a text is no document at all.

use crate::value::Kind;

/// Why a text cannot be read as a document of flags. Nothing of it is loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Bytes that are not UTF-8.
    #[error("byte {at} is not UTF-8: save the document as UTF-8")]
    NotUtf8 {
        /// The offset of the first such byte.
        at: usize,
    },
    /// More than is read.
    #[error(
        "{bytes} bytes are more than the {limit} that are read: split the document, or raise `max_bytes`"
    )]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// Nothing but white space.
    #[error("the document is empty: write at least {{\"flags\": {{}}}}")]
    Empty,
    /// HTML or XML, as a proxy or a page for logging in answers.
    #[error(
        "this is HTML or XML, not a document of flags: look at what the address really answers; it begins with \
         \"{beginning}\""
    )]
    Markup {
        /// How it begins.
        beginning: String,
    },
    /// The text is not JSON, or not YAML.
    #[error("line {line}, column {column}: not valid {format}: {what}")]
    Syntax {
        /// `JSON` or `YAML`.
        format: &'static str,
        /// The line, counted from 1.
        line: u32,
        /// The column, counted from 1.
        column: u32,
        /// What the parser says.
        what: String,
    },
    /// The document is no object.
    #[error("the document is a {found}: write an object with the field \"flags\"")]
    NotAnObject {
        /// What it is.
        found: Kind,
    },
    /// The field `flags` is missing.
    #[error("the document has no field \"flags\": add it; an object of flags by key")]
    NoFlags,
    /// The field `flags` is neither an object nor a list.
    #[error("line {line}, column {column}: flags: a {found} stands here: write an object of flags by key")]
    FlagsWrongType {
        /// What it is.
        found: Kind,
        /// The line, counted from 1.
        line: u32,
        /// The column, counted from 1.
        column: u32,
    },
    /// A field of the document stands twice.
    #[error("line {line}, column {column}: \"{name}\" stands a second time: keep one of the two")]
    Twice {
        /// The field.
        name: String,
        /// The line of the second, counted from 1.
        line: u32,
        /// The column of the second, counted from 1.
        column: u32,
    },
    /// In YAML: a field of the document whose name is no text.
    #[error("line {line}, column {column}: a {found} stands where a name belongs: put it in quotes")]
    NameIsNoText {
        /// What it is.
        found: Kind,
        /// The line, counted from 1.
        line: u32,
        /// The column, counted from 1.
        column: u32,
    },
    /// The document asks for a generation of `fractional` that does not exist, or not in a form that can be read. To
    /// guess another would move users.
    #[error("metadata[\"serinus.fractional\"]: {found} is no generation: write \"v1\", \"v2\" or \"v3\"")]
    UnknownGeneration {
        /// What is written.
        found: String,
    },
}
