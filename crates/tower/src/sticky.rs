//! Whom a request is from, and where that puts it.

use http::{HeaderMap, HeaderName};
use serinus_core::cohort::{Place, Salt};

use crate::{builder::BuildError, cookies};

/// Names the subject of a request, so that a subject who once had the candidate keeps it while its share grows.
///
/// A subject has a place under the salt (see [`cohort`](serinus_core::cohort)), and the candidate takes the places
/// below its weight: who has the candidate at 10 % has it at 20 %. A request without a subject goes by weight alone. Shares are
/// of subjects, and so only as even as their traffic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sticky {
    source: Source,
    salt: Salt,
}

impl Sticky {
    /// The subject is the value of a cookie; case matters in its name.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self { source: Source::Cookie(name.into()), salt: Salt::new("") }
    }

    /// The subject is the value of a header; case does not matter in its name.
    pub fn header(name: impl Into<String>) -> Self {
        Self { source: Source::Header(name.into()), salt: Salt::new("") }
    }

    /// Draws under this salt, so that two splits do not try their candidates on the same subjects. The empty one, if
    /// none is set. A flag or another service that draws under the same salt has the same subjects in its candidate.
    #[must_use = "the salt is in the value returned"]
    pub fn salt(mut self, salt: impl Into<Salt>) -> Self {
        self.salt = salt.into();
        self
    }

    pub(crate) fn compile(&self) -> Result<Subject, BuildError> {
        let name = match &self.source {
            Source::Cookie(name) if !name.is_empty() => Name::Cookie(name.clone()),
            Source::Header(name) => match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => Name::Header(name),
                Err(_) => return Err(BuildError::Subject { name: name.clone() }),
            },
            Source::Cookie(name) => return Err(BuildError::Subject { name: name.clone() }),
        };
        Ok(Subject { name, salt: self.salt.clone() })
    }
}

/// [`Sticky`], ready to be asked.
#[derive(Debug)]
pub(crate) struct Subject {
    name: Name,
    salt: Salt,
}

impl Subject {
    /// The place of a request's subject; none if the request does not name one.
    pub(crate) fn place(&self, headers: &HeaderMap) -> Option<Place> {
        let subject = match &self.name {
            Name::Cookie(name) => cookies::values(headers, name).next(),
            Name::Header(name) => headers.get(name).map(|value| value.as_bytes()),
        };
        let subject = subject.filter(|subject| !subject.is_empty())?;
        Some(self.salt.place(subject))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Cookie(String),
    Header(String),
}

#[derive(Debug)]
enum Name {
    Cookie(String),
    Header(HeaderName),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_where_the_page_on_cohorts_puts_them() {
        let sticky = Sticky::header("x-user").salt("checkout").compile().unwrap();
        for (user, part) in [("user-1", 73_432), ("user-2", 7_211), ("user-3", 80_747)] {
            let mut headers = HeaderMap::new();
            headers.insert("x-user", user.parse().unwrap());
            assert_eq!(sticky.place(&headers).map(Place::part), Some(part), "{user}");
        }
    }

    #[test]
    fn without_a_salt_a_subject_is_drawn_under_the_empty_one() {
        let sticky = Sticky::cookie("session").compile().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("cookie", "session=user-1".parse().unwrap());
        assert_eq!(sticky.place(&headers).map(Place::part), Some(97_122));
        headers.insert("cookie", "session=".parse().unwrap());
        assert_eq!(sticky.place(&headers), None);
    }
}
