//! Asking for a flag allocates nothing, whichever way it is asked for.

use std::hint::black_box;

use serinus_flags::{Context, Flags, Format};

const DOCUMENT: &str = r#"{"flags": {
    "static": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "rule": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
             "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "on", "off"]}},
    "split": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
             "targeting": {"fractional": [["on", 50], ["off", 50]]}},
    "mail": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
             "targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", null]}},
    "wish": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
             "targeting": {"if": [{"!!": [{"var": "wish"}]}, {"var": "wish"}, null]}},
    "soon": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
             "targeting": {"if": [{"<": [{"var": "$flagd.timestamp"}, 0]}, "on", "off"]}},
    "disabled": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"},
    "no-default": {"state": "ENABLED", "variants": {"on": true}},
    "number": {"state": "ENABLED", "variants": {"a": 1.0}, "defaultVariant": "a"},
    "text": {"state": "ENABLED", "variants": {"a": "hello"}, "defaultVariant": "a"},
    "object": {"state": "ENABLED", "variants": {"a": {"b": 1}}, "defaultVariant": "a"},
    "broken": {"state": "ON"}
}}"#;
const KEYS: [&str; 13] = [
    "static",
    "rule",
    "split",
    "mail",
    "wish",
    "soon",
    "disabled",
    "no-default",
    "number",
    "text",
    "object",
    "broken",
    "missing",
];

fn allocations(body: impl FnOnce()) -> u64 {
    allocation_counter::measure(body).count_total
}

#[test]
fn neither_values_nor_details_nor_handles_allocate() {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let context =
        Context::new("user-42").with("plan", "gold").with("email", "someone@example.com").with("wish", "on");
    for key in KEYS {
        let handle = flags.handle(key);
        // The first read of a thread gives it its place among the readers.
        let _ = flags.bool(key, &context);
        let by_value = allocations(|| {
            let _ = black_box(flags.bool(key, &context));
            let _ = black_box(flags.int(key, &context));
            let _ = black_box(flags.float(key, &context));
            let _ = black_box(flags.string(key, &context).map(|text| text.len()));
            let _ = black_box(flags.object(key, &context).map(|object| object.len()));
        });
        assert_eq!(by_value, 0, "{key}");
        let by_handle = allocations(|| {
            let _ = black_box(handle.bool(&context));
            let _ = black_box(handle.int(&context));
            let _ = black_box(handle.float(&context));
            let _ = black_box(handle.string(&context).map(|text| text.len()));
            let _ = black_box(handle.object(&context).map(|object| object.len()));
        });
        assert_eq!(by_handle, 0, "{key}");
    }
}

#[test]
fn details_allocate_only_to_say_what_failed() {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let context = Context::new("user-42").with("plan", "gold").with("email", "someone@example.com");
    for key in ["static", "rule", "split", "mail", "wish", "soon", "disabled", "no-default"] {
        let handle = flags.handle(key);
        let _ = flags.bool(key, &context);
        let allocated = allocations(|| {
            for details in [flags.bool_details(key, &context), handle.details::<bool>(&context)] {
                black_box((
                    details.value().ok(),
                    details.variant(),
                    details.reason(),
                    details.metadata().len(),
                ));
            }
        });
        assert_eq!(allocated, 0, "{key}");
    }
    assert!(allocations(|| drop(black_box(flags.bool_details("missing", &context)))) > 0);
}

#[test]
fn a_context_is_reused_without_allocating() {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let mut context = Context::new("user-00").with("plan", "gold");
    let handle = flags.handle("split");
    let _ = handle.bool(&context);
    let allocated = allocations(|| {
        for user in ["user-01", "user-02", "user-03"] {
            context.set_targeting_key(user);
            let _ = black_box(handle.bool(&context));
        }
    });
    assert_eq!(allocated, 0);
}

#[test]
fn choosing_evaluations_to_tell_allocates_nothing() {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let context = Context::new("user-42");
    let ask = || {
        for _ in 0..1000 {
            let _ = black_box(flags.bool("static", &context));
        }
    };
    flags.sample_evaluations(10);
    // The first event registers what it looks like.
    ask();
    assert_eq!(allocations(ask), 0);
}

/// Through the SDK of OpenFeature a rule allocates what a flag without one does: all of that is the SDK's, and the name of
/// the variant. Also while another flag is guarded.
#[cfg(feature = "open-feature")]
#[test]
fn rules_allocate_nothing_of_their_own_through_openfeature() {
    use open_feature::{EvaluationContext, provider::FeatureProvider as _};
    use serinus_core::{strategy::Canary, traffic::Weight};
    use serinus_flags::{Deciding, openfeature::SerinusProvider};

    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let provider = SerinusProvider::new(flags.clone());
    let context = EvaluationContext::default()
        .with_targeting_key("user-42")
        .with_custom_field("plan", "gold")
        .with_custom_field("email", "someone@example.com");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let allocated = |key: &str| {
        let ask = || runtime.block_on(provider.resolve_bool_value(key, &context)).unwrap().value;
        ask();
        allocations(|| {
            black_box(ask());
        })
    };
    let check = || {
        let usual = allocated("static");
        for key in ["rule", "split", "mail"] {
            assert_eq!(allocated(key), usual, "{key}");
        }
        assert!(allocated("soon") > usual, "what is not simple is converted");
    };
    check();
    let plan = Canary::between_variants().weight(Weight::percent(50.0)).plan().unwrap();
    let _guard = flags.guard("wish").candidate("on").plan(plan).deciding(Deciding::here()).build().unwrap();
    check();
}
