//! Evaluations as events of `tracing`, with the names that OpenFeature has for them.

use std::cell::Cell;

use crate::{
    context::Context,
    details::Reason,
    document::Flag,
    snapshot::{Decision, State},
    value::Value,
};

/// Tells one in so many evaluations of this thread.
#[inline]
pub(super) fn sample(one_in: u32, state: &State, flag: u32, decision: &Decision<'_>, context: &Context) {
    thread_local! {
        static SINCE: Cell<u32> = const { Cell::new(0) };
    }
    let since = SINCE.get().saturating_add(1);
    if since < one_in {
        SINCE.set(since);
        return;
    }
    SINCE.set(0);
    if let Some(flag) = state.flag_at(flag) {
        tell(flag, decision, context, state.is_stale);
    }
}

#[cold]
fn tell(flag: &Flag, decision: &Decision<'_>, context: &Context, is_stale: bool) {
    let (variant, reason, error) = match decision {
        // As whoever asked gets it.
        Decision::Variant(variant, _) if is_stale => (Some(&*variant.name), Reason::Stale, None),
        Decision::Variant(variant, reason) => (Some(&*variant.name), *reason, None),
        Decision::Nothing(reason) => (None, *reason, None),
        Decision::Failed(failure) => (None, Reason::Error, Some(failure.code())),
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
