//! What keeps the program from going on, in words for the person who started it.

use std::{error::Error, fmt};

/// One message, with its causes.
#[derive(Debug)]
pub(crate) struct Problem(String);

impl Problem {
    /// A problem of its own.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// What could not be done, and why not, with every cause below it.
    pub(crate) fn because(what: impl fmt::Display, cause: &(dyn Error + 'static)) -> Self {
        let mut message = what.to_string();
        let mut cause = Some(cause);
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self(message)
    }

    /// With what can be done about it.
    pub(crate) fn remedy(self, remedy: &str) -> Self {
        Self(format!("{}; {remedy}", self.0))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Problem {}

/// Adds to an error what was being done.
pub(crate) trait Because<T> {
    /// The value, or a problem that says what was being done.
    fn because(self, what: impl fmt::Display) -> Result<T, Problem>;
}

impl<T, E: Error + 'static> Because<T> for Result<T, E> {
    fn because(self, what: impl fmt::Display) -> Result<T, Problem> {
        self.map_err(|error| Problem::because(what, &error))
    }
}
