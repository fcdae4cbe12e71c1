//! Evaluations and decisions are told as events of `tracing`, with the names that OpenFeature has for them.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use guarded::{DOCUMENT, drive_for, flags, ladder};
use serinus_core::{port::memory::ManualClock, time::GoDuration};
use serinus_flags::{Context, Deciding};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;
#[cfg(feature = "tokio")]
#[expect(dead_code, reason = "shared by several test programs")]
mod scripted;

#[test]
fn one_in_so_many_evaluations_is_told() {
    let flags = flags(
        &DOCUMENT
            .replace("\"flags\"", "\"metadata\": {\"flagSetId\": \"shop\", \"version\": \"7\"}, \"flags\""),
    );
    let told = Told::default();
    tracing::subscriber::with_default(told.clone(), || {
        let context = Context::new("user-1");
        let ask = |times| (0..times).for_each(|_| drop(flags.string("checkout", &context)));
        ask(10);
        assert_eq!(told.take(), [], "nobody asked for it");
        flags.sample_evaluations(4);
        ask(4000);
        let evaluation = BTreeMap::from(
            [
                ("event", "feature_flag.evaluation"),
                ("feature_flag.key", "checkout"),
                ("feature_flag.result.variant", "old"),
                ("feature_flag.result.reason", "default"),
                ("feature_flag.context.id", "user-1"),
                ("feature_flag.set.id", "shop"),
                ("feature_flag.version", "7"),
                ("feature_flag.provider.name", "serinus"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let some = told.take();
        // Nine standard deviations.
        assert!((750..=1250).contains(&some.len()), "{} of 4000", some.len());
        assert!(some.iter().all(|one| *one == evaluation));
        flags.sample_evaluations(1);
        ask(10);
        assert_eq!(told.take().len(), 10, "everything");
        assert!(flags.string("checkout", &Context::new("user-1").with("wish", "neither")).is_err());
        let failed = told.take().remove(0);
        assert_eq!(failed["feature_flag.result.reason"], "error");
        assert_eq!(failed["error.type"], "general");
        flags.sample_evaluations(0);
        ask(10);
        assert_eq!(told.take(), []);
    });
}

#[test]
fn flags_that_are_asked_in_turn_are_told_alike_whatever_the_period_and_the_rate_of_others() {
    let document = r#"{"flags": {
        "a": {"state": "ENABLED", "variants": {"x": true}, "defaultVariant": "x"},
        "b": {"state": "ENABLED", "variants": {"x": true}, "defaultVariant": "x"}
    }}"#;
    let (flags, others, told) = (flags(document), flags(document), Told::default());
    flags.sample_evaluations(100);
    others.sample_evaluations(2);
    let context = Context::new("user-1");
    let count = |ask: &dyn Fn()| {
        tracing::subscriber::with_default(told.clone(), || (0..50_000).for_each(|_| ask()));
        let told = told.take();
        ["a", "b"].map(|key| told.iter().filter(|one| one["feature_flag.key"] == key).count())
    };
    let alike = count(&|| {
        assert_eq!((flags.bool("a", &context), flags.bool("b", &context)), (Ok(true), Ok(true)));
    });
    // 500 of 50 000 each, nine standard deviations either way.
    assert!(alike.iter().all(|count| (300..=700).contains(count)), "{alike:?}");
    let beside = count(&|| {
        assert_eq!((flags.bool("a", &context), others.bool("b", &context)), (Ok(true), Ok(true)));
    });
    assert!((300..=700).contains(&beside[0]) && (24_000..=26_000).contains(&beside[1]), "{beside:?}");
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn while_a_source_is_lost_evaluations_are_told_as_whoever_asks_gets_them() {
    let (script, source) = scripted::Script::new("flags", DOCUMENT);
    let flags = serinus_flags::Flags::default();
    let _following = serinus_flags::Feed::of(source).follow(&flags).await.unwrap();
    flags.sample_evaluations(1);
    let (told, context) = (Told::default(), Context::new("user-1"));
    let ask = || {
        let got = flags.string_details("checkout", &context).reason().to_string();
        let told = tracing::subscriber::with_default(told.clone(), || {
            drop(flags.string("checkout", &context));
            told.take().remove(0)
        });
        (got, told["feature_flag.result.reason"].clone())
    };
    assert_eq!(ask(), ("DEFAULT".to_owned(), "default".to_owned()));
    let mut events = flags.events();
    while events.try_next().unwrap().is_some() {}
    script.fails();
    assert_eq!(events.next().await.unwrap().kind, serinus_flags::EventKind::Stale);
    assert_eq!(ask(), ("STALE".to_owned(), "stale".to_owned()));
}

#[test]
fn decisions_are_told_with_the_key_of_their_flag() {
    let (flags, clock, told) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Told::default());
    tracing::subscriber::with_default(told.clone(), || {
        let guard = flags
            .guard("checkout")
            .candidate("new")
            .plan(ladder())
            .deciding(Deciding::here())
            .build()
            .unwrap();
        drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    });
    let told = told.take();
    let guard = told.iter().find(|one| one["event"] == "guard").unwrap();
    assert_eq!(guard["feature_flag.key"], "checkout");
    let shift = told.iter().find(|one| one.get("weight").is_some_and(|weight| weight == "5%")).unwrap();
    assert_eq!((&*shift["feature_flag.key"], &*shift["feature_flag.result.variant"]), ("checkout", "new"));
    assert!(
        told.iter().any(|one| one.get("message").is_some_and(|text| text.starts_with("attempt 1: new@")))
    );
}

/// Everything that is told, by the names of its fields.
#[derive(Clone, Debug, Default)]
struct Told {
    told: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
    spans: Arc<AtomicU64>,
}

impl Told {
    fn take(&self) -> Vec<BTreeMap<String, String>> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    fn add(&self, metadata: &Metadata<'_>, visit: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(BTreeMap::from([("event".to_owned(), metadata.name().to_owned())]));
        visit(&mut fields);
        self.told.lock().unwrap().push(fields.0);
    }
}

impl Subscriber for Told {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.add(span.metadata(), |fields| span.record(fields));
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata(), |fields| event.record(fields));
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
