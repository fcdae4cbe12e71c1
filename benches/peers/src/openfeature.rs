//! What OpenFeature's SDK costs by itself: a provider that answers at once, asked through a client.

use std::sync::Arc;

use async_trait::async_trait;
use open_feature::{
    EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationResult, OpenFeature, StructValue,
    provider::{FeatureProvider, ProviderMetadata, ResolutionDetails},
};

use crate::{
    measure::{Case, Row},
    subjects::{STATIC, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    let client = runtime.block_on(async {
        let mut api = OpenFeature::default();
        api.set_provider(Empty(ProviderMetadata::new("empty"))).await;
        Arc::new(api.create_client())
    });
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
    vec![Row::measure(NAME, Case::Static, |subject| {
        let asked = client.get_bool_value(STATIC, Some(&contexts[subject]), None);
        futures_executor::block_on(asked).is_ok_and(|on| on)
    })]
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

const NAME: &str = "open-feature 0.3.0, an empty provider";
