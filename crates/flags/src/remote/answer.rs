//! What a server of OFREP answers.

use serde::Deserialize;

use super::error::RemoteError;
use crate::{
    details::{ErrorCode, Reason},
    metadata::Metadata,
    snapshot::typed::FlagType,
    value::{Kind, Map, Value},
};

/// What a flag came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluated {
    /// Its key.
    pub key: String,
    /// Its value; nothing where the default of the program counts.
    pub value: Option<Value>,
    /// The name of the variant that has the value.
    pub variant: Option<String>,
    /// Why it is this one; [`Reason::Unknown`] for a reason that OpenFeature does not have.
    pub reason: Reason,
    /// The metadata of the flag.
    pub metadata: Metadata,
}

impl Evaluated {
    /// The value as this type: `bool`, `i64`, `f64`, `str`, [`Map`] or [`Value`]; nothing where the default of the
    /// program counts.
    ///
    /// # Errors
    ///
    /// If it is of another type: the protocol has no types, so the server cannot tell.
    pub fn value<T: FlagType + ?Sized>(&self) -> Result<Option<T::Ref<'_>>, RemoteError> {
        let Some(value) = &self.value else { return Ok(None) };
        let wrong_type =
            || RemoteError::WrongType { flag: self.key.clone(), expected: T::EXPECTED, found: value.kind() };
        T::of(value).map(Some).ok_or_else(wrong_type)
    }
}

/// Why one of several flags has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("flag \"{key}\": {code}: {details}")]
#[non_exhaustive]
pub struct FlagFailure {
    /// Its key.
    pub key: String,
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What the server says of it.
    pub details: String,
}

/// All flags of a context.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bulk {
    /// Those that came to something.
    pub flags: Vec<Evaluated>,
    /// Those that failed.
    pub failures: Vec<FlagFailure>,
    /// The metadata of the whole.
    pub metadata: Metadata,
    /// By what the server tells whether anything changed.
    pub etag: Option<String>,
}

impl Bulk {
    /// The flag of this key, if it came to something.
    pub fn get(&self, key: &str) -> Option<&Evaluated> {
        self.flags.iter().find(|flag| flag.key == key)
    }
}

/// One flag, as the protocol has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    key: Option<String>,
    #[serde(default)]
    value: Given,
    variant: Option<String>,
    reason: Option<String>,
    metadata: Option<Map>,
    error_code: Option<String>,
    error_details: Option<String>,
}

/// A value that may not be there; which is not the same as being null, but is taken for it.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Given(Option<Value>);

impl Body {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }

    pub(super) fn evaluated(self) -> Result<Evaluated, String> {
        Ok(Evaluated {
            key: self.key.ok_or("it has no `key`")?,
            value: self.value.0.filter(|value| value.kind() != Kind::Null),
            variant: self.variant.filter(|name| !name.is_empty()),
            reason: self.reason.as_deref().map_or(Reason::Unknown, reason_of),
            metadata: self.metadata.map(Metadata::from).unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct BulkBody {
    flags: Vec<Body>,
    metadata: Option<Map>,
}

impl BulkBody {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let body: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        match body.flags.iter().position(|flag| flag.key.is_none()) {
            Some(index) => Err(format!("flags[{index}] has no `key`")),
            None => Ok(body),
        }
    }

    pub(super) fn into_bulk(self, etag: Option<String>) -> Bulk {
        let metadata = self.metadata.map(Metadata::from).unwrap_or_default();
        let mut bulk = Bulk { flags: Vec::new(), failures: Vec::new(), metadata, etag };
        for body in self.flags {
            match &body.error_code {
                Some(code) => bulk.failures.push(FlagFailure {
                    code: code_of(code),
                    key: body.key.unwrap_or_default(),
                    details: body.error_details.unwrap_or_default(),
                }),
                None => bulk.flags.extend(body.evaluated().ok()),
            }
        }
        bulk
    }
}

/// What stands in an answer that is no value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failed {
    error_code: Option<String>,
    pub(super) error_details: Option<String>,
}

impl Failed {
    pub(super) fn code(&self) -> Option<ErrorCode> {
        self.error_code.as_deref().map(code_of)
    }
}

fn reason_of(text: &str) -> Reason {
    serde_json::from_value(text.into()).unwrap_or(Reason::Unknown)
}

/// A code that OpenFeature does not have is a general failure.
fn code_of(text: &str) -> ErrorCode {
    serde_json::from_value(text.into()).unwrap_or(ErrorCode::General)
}
