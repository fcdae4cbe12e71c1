//! Whom a request is from, and where that puts it.

use http::{HeaderMap, HeaderName};
use serinus_core::{cohort::murmur3::hash, traffic::Weight};

use crate::{builder::BuildError, cookies};

/// Names the subject of a request, so that a subject who once had the candidate keeps it while its share grows.
///
/// A subject is hashed to one of 100 000 places (murmur3, 32 bits), and the candidate takes the places below its
/// weight: who has the candidate at 10 % has it at 20 %. A request without a subject goes by weight alone. Shares are
/// of subjects, and so only as even as their traffic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sticky {
    source: Source,
    salt: String,
}

impl Sticky {
    /// The subject is the value of a cookie; case matters in its name.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self { source: Source::Cookie(name.into()), salt: String::new() }
    }

    /// The subject is the value of a header; case does not matter in its name.
    pub fn header(name: impl Into<String>) -> Self {
        Self { source: Source::Header(name.into()), salt: String::new() }
    }

    /// Mixes a text into the hash, so that two splits do not try their candidates on the same subjects.
    #[must_use = "the salt is in the value returned"]
    pub fn salt(mut self, salt: impl Into<String>) -> Self {
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
        Ok(Subject { name, seed: hash(self.salt.as_bytes(), 0) })
    }
}

/// [`Sticky`], ready to be asked.
#[derive(Debug)]
pub(crate) struct Subject {
    name: Name,
    seed: u32,
}

impl Subject {
    /// Whether the subject of a request belongs to a share; none if the request does not name one.
    pub(crate) fn is_in(&self, headers: &HeaderMap, weight: Weight) -> Option<bool> {
        let subject = match &self.name {
            Name::Cookie(name) => cookies::values(headers, name).next(),
            Name::Header(name) => headers.get(name).map(|value| value.as_bytes()),
        };
        let subject = subject.filter(|subject| !subject.is_empty())?;
        Some(place(subject, self.seed) < weight.parts())
    }
}

/// One of 100 000 places.
fn place(subject: &[u8], seed: u32) -> u32 {
    ((u64::from(hash(subject, seed)) * u64::from(Weight::FULL.parts())) >> 32) as u32
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
    fn places_fill_the_range_evenly_and_depend_on_the_salt() {
        let count = |seed: u32| {
            (0..100_000).filter(|number: &u32| place(number.to_string().as_bytes(), seed) < 10_000).count()
        };
        assert!(count(0).abs_diff(10_000) < 400);
        assert!(count(7).abs_diff(10_000) < 400);
        let moved = (0..1000_u32)
            .filter(|number| place(&number.to_le_bytes(), 0) != place(&number.to_le_bytes(), 7))
            .count();
        assert!(moved > 900);
    }
}
