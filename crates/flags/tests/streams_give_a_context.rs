//! A stream that gives attributes for everybody: they are in every evaluation, and say when they change.

#![cfg(all(feature = "grpc", unix))]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use serinus_flags::{
    Context, EventKind, Events, Feed, Flags, Reason, Status,
    logic::Generation,
    source::{Grpc, Text},
};
use streaming::{PATIENCE, Server};
use tokio::time::timeout;

#[expect(dead_code, reason = "shared by several test programs")]
mod streaming;

#[tokio::test]
async fn the_stream_wins_over_the_caller_but_for_the_targeting_key() {
    let mut server = Server::start().await;
    let flags = Flags::default();
    let source = Grpc::new(&server.address).unwrap();
    let answer = async {
        let mut call = server.call().await;
        call.says_with(DOCUMENT, &[("region", "eu"), ("targetingKey", "everybody")]);
        call
    };
    let (following, _call) = tokio::join!(Feed::of(source).follow(&flags), answer);
    let _following = following.unwrap();

    let anonymous = Context::default();
    assert_eq!(flags.string("region", &anonymous).unwrap(), "eu");
    assert_eq!(flags.string("region", &anonymous.clone().with("region", "us")).unwrap(), "eu");
    assert_eq!(flags.string("key", &anonymous).unwrap(), "everybody's", "where nobody else has one");
    let ada = Context::new("ada").with("region", "us");
    assert_eq!(flags.string("key", &ada).unwrap(), "ada's");
    assert_eq!(ada.attributes().len(), 2, "what the caller has stays as it is");

    // The same by every way that there is.
    let handle = flags.handle("region");
    assert_eq!(handle.string(&ada).unwrap(), "eu");
    let details = flags.string_details("region", &ada);
    assert_eq!((details.variant(), details.reason()), (Some("eu"), Reason::TargetingMatch));
    let snapshot = flags.snapshot();
    assert_eq!(snapshot.evaluate("region", &ada).variant, Some("eu"));
    assert_eq!(snapshot.evaluate("static", &ada).reason, Reason::Static);
    assert_eq!(snapshot.evaluate("none", &ada).reason, Reason::Error);
    // A name made for the call outlives it: of a variant that is not there.
    let unknown = snapshot.evaluate("unknown", &ada).error.unwrap().to_string();
    assert!(unknown.contains("names the variant \"eu-x\""), "{unknown}");
    let broken = snapshot.evaluate("broken", &ada).error.unwrap().to_string();
    assert!(broken.contains("the rule of flag \"broken\" failed"), "{broken}");
}

#[tokio::test]
async fn a_context_that_changes_changes_every_flag_whose_rule_may_look_at_it() {
    let mut server = Server::start().await;
    let flags = Flags::default();
    // Below it, so that its attributes stay whatever the other source says.
    let feed = Feed::of(Grpc::new(&server.address).unwrap()).over_it(Text::json(
        r#"{"flags": {"static": {"state": "ENABLED", "variants": {"it": "over"}, "defaultVariant": "it"}}}"#,
    ));
    let answer = async {
        let mut call = server.call().await;
        call.says_with(DOCUMENT, &[("region", "eu")]);
        call
    };
    let (following, mut call) = tokio::join!(feed.follow(&flags), answer);
    let _following = following.unwrap();
    let mut events = flags.events();
    assert_eq!(timeout(PATIENCE, events.next()).await.unwrap().unwrap().kind, EventKind::Ready);
    assert_eq!(flags.string("static", &Context::default()).unwrap(), "over");

    call.says_with(DOCUMENT, &[("region", "us")]);
    assert_eq!(changed(&mut events).await, ["broken", "region", "unknown"], "but not by `key`");
    assert_eq!(flags.string("region", &Context::default()).unwrap(), "us");
    // The same again is no change; nor is another order, which a map does not have.
    call.says_with(DOCUMENT, &[("region", "us"), ("a", "b")]);
    assert_eq!(changed(&mut events).await, ["broken", "unknown"], "which may look at anything");
    call.says_with(DOCUMENT, &[("a", "b"), ("region", "us")]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(events.try_next(), Ok(None));

    // A message without a context has none.
    call.says(DOCUMENT);
    assert_eq!(changed(&mut events).await, ["broken", "region", "unknown"]);
    assert_eq!(flags.string("region", &Context::default()).unwrap(), "nowhere");
    call.says_with(DOCUMENT, &[]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        (events.try_next(), flags.status()),
        (Ok(None), Status::Ready),
        "and neither has an empty one"
    );
    assert_eq!(flags.snapshot().document().generation(), Generation::V3);
}

#[cfg(feature = "open-feature")]
#[tokio::test]
async fn a_client_of_openfeature_gets_it_too() {
    use open_feature::{EvaluationContext, provider::FeatureProvider};
    use serinus_flags::openfeature::SerinusProvider;

    let mut server = Server::start().await;
    let flags = Flags::default();
    let source = Grpc::new(&server.address).unwrap();
    let answer = async {
        let mut call = server.call().await;
        call.says_with(DOCUMENT, &[("region", "eu"), ("targetingKey", "everybody")]);
        call
    };
    let (following, _call) = tokio::join!(Feed::of(source).follow(&flags), answer);
    let _following = following.unwrap();
    let provider = SerinusProvider::new(flags);
    let asked = EvaluationContext::default().with_targeting_key("ada").with_custom_field("region", "us");
    for (key, value) in [("region", "eu"), ("key", "ada's"), ("static", "it")] {
        assert_eq!(provider.resolve_string_value(key, &asked).await.unwrap().value, value);
    }
    let nobody = EvaluationContext::default();
    assert_eq!(provider.resolve_string_value("key", &nobody).await.unwrap().value, "everybody's");
}

async fn changed(events: &mut Events) -> Vec<String> {
    let event = timeout(PATIENCE, events.next()).await.expect("something should have changed").unwrap();
    assert_eq!(event.kind, EventKind::ConfigurationChanged, "{event:?}");
    let mut keys: Vec<_> = event.flags_changed.iter().map(ToString::to_string).collect();
    keys.sort();
    keys
}

const DOCUMENT: &str = r#"{"flags": {
    "region": {
        "state": "ENABLED", "variants": {"eu": "eu", "us": "us", "nowhere": "nowhere"}, "defaultVariant": "nowhere",
        "targeting": {"if": [
            {"==": [{"var": "region"}, "eu"]}, "eu", {"==": [{"var": "region"}, "us"]}, "us"
        ]}
    },
    "key": {
        "state": "ENABLED", "variants": {"all": "everybody's", "ada": "ada's", "none": "nobody's"},
        "defaultVariant": "none",
        "targeting": {"if": [
            {"==": [{"var": "targetingKey"}, "ada"]}, "ada", {"==": [{"var": "targetingKey"}, "everybody"]}, "all"
        ]}
    },
    "unknown": {
        "state": "ENABLED", "variants": {"a": "a"}, "defaultVariant": "a",
        "targeting": {"cat": [{"var": "region"}, "-x"]}
    },
    "broken": {
        "state": "ENABLED", "variants": {"a": "a"}, "defaultVariant": "a", "targeting": {"nothing": []}
    },
    "static": {"state": "ENABLED", "variants": {"it": "it"}, "defaultVariant": "it"}
}}"#;
