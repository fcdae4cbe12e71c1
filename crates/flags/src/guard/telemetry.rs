//! Evaluations as events of `tracing`, with the names that OpenFeature has for them.

use std::cell::Cell;

use crate::{context::Context, document::Flag, snapshot::Decision, value::Value};

/// Tells one in so many evaluations of this thread.
#[inline]
pub(super) fn sample(one_in: u32, flag: Option<&Flag>, decision: &Decision<'_>, context: &Context) {
    thread_local! {
        static SINCE: Cell<u32> = const { Cell::new(0) };
    }
    let since = SINCE.get().saturating_add(1);
    if since < one_in {
        SINCE.set(since);
        return;
    }
    SINCE.set(0);
    if let Some(flag) = flag {
        tell(flag, decision, context);
    }
}

#[cold]
fn tell(flag: &Flag, decision: &Decision<'_>, context: &Context) {
    let (variant, reason, error) = match decision {
        Decision::Variant(variant, reason) => (Some(&*variant.name), *reason, None),
        Decision::Nothing(reason) => (None, *reason, None),
        Decision::Failed(failure) => (None, crate::details::Reason::Error, Some(failure.code())),
    };
    let of = |name: &str| flag.metadata.get(name).and_then(Value::as_str);
    tracing::event!(
        name: "feature_flag.evaluation",
        target: "serinus_flags",
        tracing::Level::INFO,
        feature_flag.key = &*flag.key,
        feature_flag.result.variant = variant,
        feature_flag.result.reason = reason.as_telemetry(),
        feature_flag.context.id = of("contextId").or_else(|| context.targeting_key()),
        feature_flag.set.id = of("flagSetId"),
        feature_flag.version = of("version"),
        feature_flag.provider.name = "serinus",
        "error.type" = error.map(|code| code.as_telemetry()),
    );
}
