//! What is wrong with a manifest, where, and what to do about it.

use std::fmt;

/// One thing that is wrong with a manifest.
///
/// Prints as `file:line:column: field: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The name of the [`Source`](crate::Source).
    pub file: String,
    /// The line, counted from 1; 0 if the fault is not at one place.
    pub line: u32,
    /// The column in characters, counted from 1; 0 if the fault is not at one place.
    pub column: u32,
    /// The field, from the root of its document, such as `spec.strategy.canary.steps[3].setWeight`; empty for the
    /// document as a whole.
    pub field: String,
    /// What sort of fault it is.
    pub kind: FaultKind,
    /// What is wrong and what to do about it, in lower case.
    pub message: String,
}

/// The sorts of faults, for programs that treat them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The text is not YAML or JSON, or is larger or deeper than is read.
    Syntax,
    /// The resource definition knows no such field here.
    UnknownField,
    /// The field is known, and Serinus cannot do what it asks for yet.
    Unsupported,
    /// A value of another type than the field has.
    WrongType,
    /// A value that the field cannot have.
    Invalid,
    /// Something that must be there is not: a field, a template, an argument.
    Missing,
    /// Fields that contradict each other.
    Conflict,
    /// Nothing that stops a rollout here, but not what was meant, or not what a cluster would accept.
    Warning,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Fault {}

/// Everything that is wrong with the manifests: all faults, in the order of the text. Prints one on each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults; at least one.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// `Ok` if there are none; otherwise the faults in order, each place and message once.
    pub(crate) fn check(mut faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        put_in_order(&mut faults);
        Err(Self(faults))
    }
}

/// In the order of the text, each once: a template that is used twice is at fault once.
pub(crate) fn put_in_order(faults: &mut Vec<Fault>) {
    faults.sort_by(|a, b| {
        let places = (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column));
        places.then_with(|| (&a.field, &a.message).cmp(&(&b.field, &b.message)))
    });
    faults.dedup();
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
