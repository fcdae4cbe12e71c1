//! Why an evaluation ended as it did, in the words of OpenFeature.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a value was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Reason {
    /// The flag has no rule: everybody gets its default variant.
    Static,
    /// The flag's rule named no variant; or the flag has neither a rule nor a default variant, and the caller's own
    /// default counts.
    Default,
    /// The flag's rule named the variant.
    TargetingMatch,
    /// The subject's place in a split named the variant.
    Split,
    /// The value is from a cache.
    Cached,
    /// The flag is disabled: the caller's own default counts.
    Disabled,
    /// The document may be out of date: its source is not reached.
    Stale,
    /// Nobody said why.
    Unknown,
    /// The evaluation failed: the caller's own default counts.
    Error,
}

impl Reason {
    /// As OpenFeature writes it: `TARGETING_MATCH`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Default => "DEFAULT",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Cached => "CACHED",
            Self::Disabled => "DISABLED",
            Self::Stale => "STALE",
            Self::Unknown => "UNKNOWN",
            Self::Error => "ERROR",
        }
    }

    /// As telemetry has it: `targeting_match`.
    pub fn as_telemetry(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Default => "default",
            Self::TargetingMatch => "targeting_match",
            Self::Split => "split",
            Self::Cached => "cached",
            Self::Disabled => "disabled",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What kind of failure an evaluation ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorCode {
    /// No document was loaded yet.
    ProviderNotReady,
    /// There is no flag of this key.
    FlagNotFound,
    /// The flag, or its rule, is malformed.
    ParseError,
    /// The flag's value is not of the type that was asked for.
    TypeMismatch,
    /// The provider needs a targeting key, and there is none.
    TargetingKeyMissing,
    /// The context has something that the provider does not understand.
    InvalidContext,
    /// The provider will never be ready.
    ProviderFatal,
    /// Another failure; among them a rule that names a variant which the flag does not have.
    General,
}

impl ErrorCode {
    /// As OpenFeature writes it: `FLAG_NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProviderNotReady => "PROVIDER_NOT_READY",
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::ParseError => "PARSE_ERROR",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::TargetingKeyMissing => "TARGETING_KEY_MISSING",
            Self::InvalidContext => "INVALID_CONTEXT",
            Self::ProviderFatal => "PROVIDER_FATAL",
            Self::General => "GENERAL",
        }
    }

    /// As telemetry has it: `flag_not_found`.
    pub fn as_telemetry(self) -> &'static str {
        match self {
            Self::ProviderNotReady => "provider_not_ready",
            Self::FlagNotFound => "flag_not_found",
            Self::ParseError => "parse_error",
            Self::TypeMismatch => "type_mismatch",
            Self::TargetingKeyMissing => "targeting_key_missing",
            Self::InvalidContext => "invalid_context",
            Self::ProviderFatal => "provider_fatal",
            Self::General => "general",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
