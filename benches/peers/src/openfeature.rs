//! What OpenFeature's SDK costs by itself, with a provider that answers at once, and what it costs with ours.

use async_trait::async_trait;
use open_feature::{
    Client, EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationReason, EvaluationResult,
    OpenFeature, StructValue,
    provider::{FeatureProvider, ProviderMetadata, ResolutionDetails},
};

use serinus_flags::{Flags, openfeature::SerinusProvider};

use crate::{
    measure::{Case, Contestant, Row},
    serinus,
    subjects::{RULE, SPLIT, STATIC, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let clients = &Clients::new();
    let Clients { empty, named, ours, .. } = clients;
    let ask = |client, case| move |subject| clients.ask(client, key_of(case), subject);
    let contestant = |name, case, evaluate| Contestant { name, case, evaluate };
    Row::measure_together(&[
        contestant(EMPTY, Case::Static, &ask(empty, Case::Static)),
        contestant(NAMED, Case::Static, &ask(named, Case::Static)),
        contestant(OURS, Case::Static, &ask(ours, Case::Static)),
        contestant(OURS, Case::Rule, &ask(ours, Case::Rule)),
        contestant(OURS, Case::Split, &ask(ours, Case::Split)),
    ])
}

/// The clients of all providers, and who asks them.
pub(crate) struct Clients {
    pub(crate) empty: Client,
    pub(crate) named: Client,
    pub(crate) ours: Client,
    contexts: Vec<EvaluationContext>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        let flags = Flags::default();
        flags.load(&serinus::document());
        let contexts = subjects().into_iter().map(|subject| {
            EvaluationContext::default()
                .with_targeting_key(subject.key)
                .with_custom_field("email", subject.email)
                .with_custom_field("plan", subject.plan)
                .with_custom_field("country", subject.country)
        });
        Self {
            empty: client_of(Empty { metadata: ProviderMetadata::new("empty"), variant: None }),
            named: client_of(Empty { metadata: ProviderMetadata::new("empty"), variant: Some("on") }),
            ours: client_of(SerinusProvider::new(flags)),
            contexts: contexts.collect(),
        }
    }

    pub(crate) fn ask(&self, client: &Client, key: &str, subject: usize) -> bool {
        let asked = client.get_bool_value(key, Some(&self.contexts[subject]), None);
        futures_executor::block_on(asked).is_ok_and(|on| on)
    }
}

pub(crate) fn key_of(case: Case) -> &'static str {
    match case {
        Case::Nothing | Case::Static => STATIC,
        Case::Rule => RULE,
        Case::Split => SPLIT,
    }
}

fn client_of(provider: impl FeatureProvider) -> Client {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    runtime.block_on(async {
        let mut api = OpenFeature::default();
        api.set_provider(provider).await;
        api.create_client()
    })
}

/// Says yes at once; with the name of a variant and a reason, if it is to.
struct Empty {
    metadata: ProviderMetadata,
    variant: Option<&'static str>,
}

#[async_trait]
impl FeatureProvider for Empty {
    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        Ok(ResolutionDetails {
            value: true,
            variant: self.variant.map(str::to_owned),
            reason: self.variant.map(|_| EvaluationReason::Static),
            flag_metadata: None,
        })
    }

    async fn resolve_int_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        Err(only_booleans())
    }

    async fn resolve_float_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        Err(only_booleans())
    }

    async fn resolve_string_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        Err(only_booleans())
    }

    async fn resolve_struct_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        Err(only_booleans())
    }
}

fn only_booleans() -> EvaluationError {
    EvaluationError::builder()
        .code(EvaluationErrorCode::TypeMismatch)
        .message("the empty provider has booleans only")
        .build()
}

/// What ours is compared with.
pub(crate) const EMPTY: &str = "open-feature 0.3.0, an empty provider";
/// The same, whose answers name a variant and a reason as ours do: the client copies both.
pub(crate) const NAMED: &str = "open-feature 0.3.0, an empty provider that names a variant";
pub(crate) const OURS: &str = "open-feature 0.3.0, ours";
