//! Evaluations as events of `tracing`, with the names that OpenFeature has for them.

use std::{
    cell::Cell,
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

use crate::{
    context::Context,
    details::Reason,
    document::Flag,
    snapshot::{Decision, State},
    value::Value,
};

/// Tells an evaluation with the chance of one in so many.
#[inline]
pub(super) fn sample(one_in: u32, state: &State, flag: u32, decision: &Decision<'_>, context: &Context) {
    // Each by itself, and never every so many: programs ask for flags in turn, and of those that share a count some
    // would be told always and others never.
    if (u64::from(draw()) * u64::from(one_in)) >> u32::BITS != 0 {
        return;
    }
    if let Some(flag) = state.flag_at(flag) {
        tell(flag, decision, context, state.is_stale);
    }
}

/// The next number of this thread's sequence, evenly over all that there are: xorshift64*, Vigna 2016.
#[inline]
fn draw() -> u32 {
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    let mut last = LAST.get();
    if last == 0 {
        last = seed();
    }
    last ^= last >> 12;
    last ^= last << 25;
    last ^= last >> 27;
    LAST.set(last);
    (last.wrapping_mul(0x2545_F491_4F6C_DD1D) >> u32::BITS) as u32
}

/// Where a thread begins. From zero, which no sequence comes to, there is no way on.
#[cold]
fn seed() -> u64 {
    // Keys that are drawn for every state: as much chance as is needed here.
    RandomState::new().build_hasher().finish() | 1
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
