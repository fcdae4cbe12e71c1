//! What OpenFeature's SDK costs by itself, with a provider that answers at once, and what it costs with ours.

use async_trait::async_trait;
use open_feature::{
    Client, EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationResult, OpenFeature,
    StructValue,
    provider::{FeatureProvider, ProviderMetadata, ResolutionDetails},
};

use serinus_flags::{Flags, openfeature::SerinusProvider};

use crate::{
    measure::{Case, Contestant, Row},
    serinus,
    subjects::{RULE, SPLIT, STATIC, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let flags = Flags::default();
    flags.load(&serinus::document());
    let ours = client_of(SerinusProvider::new(flags));
    let empty = client_of(Empty(ProviderMetadata::new("empty")));
    let contexts: Vec<_> = subjects()
        .into_iter()
        .map(|subject| {
            EvaluationContext::default()
                .with_targeting_key(subject.key)
                .with_custom_field("email", subject.email)
                .with_custom_field("plan", subject.plan)
                .with_custom_field("country", subject.country)
        })
        .collect();
    let ask = |client: &Client, key, subject: usize| {
        let asked = client.get_bool_value(key, Some(&contexts[subject]), None);
        futures_executor::block_on(asked).is_ok_and(|on| on)
    };
    Row::measure_together(&[
        Contestant { name: EMPTY, case: Case::Static, evaluate: &|subject| ask(&empty, STATIC, subject) },
        Contestant { name: OURS, case: Case::Static, evaluate: &|subject| ask(&ours, STATIC, subject) },
        Contestant { name: OURS, case: Case::Rule, evaluate: &|subject| ask(&ours, RULE, subject) },
        Contestant { name: OURS, case: Case::Split, evaluate: &|subject| ask(&ours, SPLIT, subject) },
    ])
}

fn client_of(provider: impl FeatureProvider) -> Client {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    runtime.block_on(async {
        let mut api = OpenFeature::default();
        api.set_provider(provider).await;
        api.create_client()
    })
}

struct Empty(ProviderMetadata);

#[async_trait]
impl FeatureProvider for Empty {
    fn metadata(&self) -> &ProviderMetadata {
        &self.0
    }

    async fn resolve_bool_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        Ok(ResolutionDetails::new(true))
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
pub(crate) const OURS: &str = "open-feature 0.3.0, ours";
