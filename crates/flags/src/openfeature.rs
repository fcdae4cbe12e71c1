//! A provider for the SDK of OpenFeature, the crate `open-feature`.
//!
//! ```
//! use open_feature::{EvaluationContext, OpenFeature};
//! use serinus_flags::{Document, Flags, openfeature::SerinusProvider};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let flags = Flags::default();
//! flags.load(&Document::from_json(
//!     r#"{"flags": {"search": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
//!         "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "on"]}}}}"#,
//! )?);
//!
//! let mut api = OpenFeature::default();
//! api.set_provider(SerinusProvider::new(flags.clone())).await;
//! let client = api.create_client();
//! let gold = EvaluationContext::default().with_targeting_key("user-42").with_custom_field("plan", "gold");
//! assert!(client.get_bool_value("search", Some(&gold), None).await.unwrap_or(false));
//! # Ok(())
//! # }
//! ```
//!
//! The provider is a thin layer over [`Flags`], which stay with the program: what the SDK has no place for is asked of
//! them. Evaluation awaits nothing.
//!
//! # Where the SDK (0.3) falls short
//!
//! | what | how it is here |
//! |---|---|
//! | no default value is given to a call | a flag that leaves the value to the program is an error, see [`CodeDefault`] |
//! | no events | [`Flags::events`], shaped as the specification has them |
//! | no tracking | [`Guard::record`](crate::Guard::record) |
//! | no status of a client, none that is fatal | [`Flags::status`]; [`FeatureProvider::status`] says `Error` for both |
//! | clients do not look at the status of the provider | flags with a document go on giving values, those without are an error: not ready, or given up |
//! | `initialize` cannot fail, and every evaluation of the process waits for it | nothing is done in it: follow sources before the provider is set |
//! | while `set_named_provider` replaces a provider, the default one serves its clients | set it once: other flags are another document to load |
//! | no context of a transaction | give it to each call |
//! | no data of hooks, and hints for them cannot be set | nothing a provider could do: let the hook hold it |
//! | where a hook fails in `after`, the call still gives `Ok` with the value | nothing a provider could do: do not refuse values there |
//! | hooks get the code of an error in `error` only, and in `finally` a zero for the value | [`Flags::details`] has the code, the program its default |
//! | no reason for stale flags | `EvaluationReason::Other("STALE")` |
//! | no code for a provider that gave up | `General("PROVIDER_FATAL")`, if there never was a document |
//! | `General` shows its text as the code | the text is `GENERAL`, `DISABLED`, `DEFAULT` or `PROVIDER_FATAL`, never free text |
//! | a value cannot be null | in an object a field that is null is left out; a null in a list is a type mismatch |
//! | a structure in a context may be anything | `StructValue`, `Value` and `serde_json::Value` are read, anything else is an invalid context to a rule that looks at it |
//! | after `shutdown` the next evaluation panics | nothing a provider could do: drop the clients first |

use async_trait::async_trait;
use open_feature::{
    EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationResult, Hook, HookWrapper,
    StructValue,
    provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails},
};

use self::{
    convert::{context_of, error_of, metadata_of, reason_of, struct_of},
    plain::Plain,
};
use crate::{
    flags::{Flags, NoValue},
    lifecycle::Status,
    logic::{Clock, NotSimple},
    snapshot::{Decision, Failure, FlagType, read},
    value::Map,
};

mod convert;
mod plain;

/// What a client gets from a flag that leaves the value to the program: one that is disabled, or has no default variant.
///
/// OpenFeature has the default of the call for that, and the SDK has calls without defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeDefault {
    /// An error with the code `General("DISABLED")` or `General("DEFAULT")`: so `.unwrap_or(true)` means what it says.
    #[default]
    IsAnError,
    /// `false`, zero, an empty text, an empty structure; with the reason `DISABLED` or `DEFAULT` and without a variant.
    /// For programs that take every error for a failure.
    IsZero,
}

/// A provider over [`Flags`].
#[derive(Clone)]
pub struct SerinusProvider {
    flags: Flags,
    metadata: ProviderMetadata,
    hooks: Vec<HookWrapper>,
    code_default: CodeDefault,
}

impl SerinusProvider {
    /// Over these flags. Its name is `serinus`.
    pub fn new(flags: Flags) -> Self {
        Self {
            flags,
            metadata: ProviderMetadata::new(NAME),
            hooks: Vec::new(),
            code_default: CodeDefault::default(),
        }
    }

    /// Under another name, for a program with several.
    #[must_use = "the provider is returned, not changed in place"]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.metadata = ProviderMetadata::new(name);
        self
    }

    /// With a hook that runs for each evaluation by this provider.
    #[must_use = "the provider is returned, not changed in place"]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(HookWrapper::new(hook));
        self
    }

    /// What a client gets where the flag leaves the value to the program.
    #[must_use = "the provider is returned, not changed in place"]
    pub fn code_default(mut self, code_default: CodeDefault) -> Self {
        self.code_default = code_default;
        self
    }

    /// The flags, with their [events](Flags::events) and their [status](Flags::status).
    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    fn resolve<T, V>(
        &self,
        key: &str,
        context: &EvaluationContext,
        zero: impl FnOnce() -> V,
        own: impl FnOnce(T::Ref<'_>) -> EvaluationResult<V>,
    ) -> EvaluationResult<ResolutionDetails<V>>
    where
        T: FlagType + ?Sized,
    {
        let state = self.flags.state();
        let flag = state.find(key);
        let converted;
        let decision = match state.decide_simply(flag, || Plain::of(context)) {
            Ok(decision) => decision,
            Err(NotSimple) => {
                converted = context_of(context, state.reads(flag))
                    .inspect_err(|_| state.fail(flag, context.targeting_key.as_deref()))?;
                state.decide::<T>(flag, &converted, Clock::System)
            }
        };
        let resolved = |value, variant: Option<&str>, reason| {
            let metadata = state.metadata_of(flag);
            Ok(ResolutionDetails {
                value,
                variant: variant.map(str::to_owned),
                reason: Some(reason_of(reason)),
                flag_metadata: (!metadata.is_empty()).then(|| metadata_of(metadata)),
            })
        };
        let failed = |failure: Failure<'_>| Err(error_of(&failure.explained(key, state.flag_at(flag))));
        match decision {
            Decision::Variant(variant, reason) => match read::<T>(variant) {
                Ok(value) => resolved(own(value)?, Some(&variant.name), reason),
                Err(failure) => failed(failure),
            },
            Decision::Nothing(reason) => match (NoValue::because(reason), self.code_default) {
                (nothing, CodeDefault::IsZero) => resolved(zero(), None, nothing.reason()),
                (nothing, CodeDefault::IsAnError) => Err(EvaluationError {
                    code: EvaluationErrorCode::General(nothing.reason().as_str().to_owned()),
                    message: Some(format!("flag \"{key}\": {nothing}")),
                }),
            },
            Decision::Failed(failure) => failed(failure),
        }
    }
}

#[async_trait]
impl FeatureProvider for SerinusProvider {
    fn status(&self) -> ProviderStatus {
        match self.flags.status() {
            Status::NotReady => ProviderStatus::NotReady,
            Status::Ready => ProviderStatus::Ready,
            Status::Stale => ProviderStatus::STALE,
            Status::Error | Status::Fatal => ProviderStatus::Error,
        }
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    fn hooks(&self) -> &[HookWrapper] {
        &self.hooks
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve::<bool, _>(flag_key, evaluation_context, bool::default, Ok)
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve::<i64, _>(flag_key, evaluation_context, i64::default, Ok)
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve::<f64, _>(flag_key, evaluation_context, f64::default, Ok)
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve::<str, _>(flag_key, evaluation_context, String::default, |text| Ok(text.to_owned()))
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve::<Map, _>(flag_key, evaluation_context, StructValue::default, |map| {
            struct_of(map).map_err(|problem| EvaluationError {
                code: EvaluationErrorCode::TypeMismatch,
                message: Some(format!("flag \"{flag_key}\": {problem}")),
            })
        })
    }
}

impl std::fmt::Debug for SerinusProvider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SerinusProvider")
            .field("name", &self.metadata.name)
            .field("flags", &self.flags)
            .field("hooks", &self.hooks.len())
            .field("code_default", &self.code_default)
            .finish()
    }
}

const NAME: &str = "serinus";
