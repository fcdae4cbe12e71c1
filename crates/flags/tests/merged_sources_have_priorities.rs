//! Of several sources the last one counts, flag by flag, and the others are kept.

#![cfg(feature = "tokio")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use scripted::Script;
use serinus_flags::{
    Context, Document, EventKind, Events, Feed, Flags, NoValue, Options, Status,
    logic::Generation,
    source::{Selector, Text},
};
use tokio::time::sleep;

#[expect(dead_code, reason = "shared by several test programs")]
mod scripted;

#[tokio::test(start_paused = true)]
async fn the_last_source_counts_and_a_flag_that_goes_from_it_is_again_as_the_next_one_has_it() {
    let (below, lower) = Script::new("below", flags_of(&[("a", 1), ("b", 1), ("c", 1)]));
    let (above, upper) = Script::new("above", flags_of(&[("b", 2), ("d", 2)]));
    let flags = Flags::default();
    let feed = Feed::of(Text::json(flags_of(&[("a", 0), ("z", 0)]))).over_it(lower).over_it(upper);
    let _following = feed.follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    assert_eq!(values(&flags, &["a", "b", "c", "d", "z"]), [1, 2, 1, 2, 0]);

    // Below, what is covered changes: nobody sees anything of it.
    below.says(flags_of(&[("a", 1), ("b", 7), ("c", 1)]));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(events.try_next(), Ok(None));
    assert_eq!(values(&flags, &["b"]), [2]);

    // Above, the flag goes: what is below comes out, without asking for it again.
    above.says(flags_of(&[("d", 2)]));
    assert_eq!(changed(&mut events).await, ["b"]);
    assert_eq!(values(&flags, &["a", "b", "c", "d", "z"]), [1, 7, 1, 2, 0]);

    // Of both: it is gone.
    below.says(flags_of(&[("a", 1)]));
    assert_eq!(changed(&mut events).await, ["b", "c"]);
    assert!(matches!(flags.int("b", &Context::default()), Err(NoValue::Failed(_))));

    // Lost above: what it said last goes on to count.
    above.fails();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Stale);
    below.says(flags_of(&[("a", 5), ("d", 5)]));
    assert_eq!(changed(&mut events).await, ["a"]);
    assert_eq!(values(&flags, &["a", "d"]), [5, 2]);
    assert_eq!(flags.status(), Status::Stale, "one of them is lost");
    above.works();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_there_at_the_beginning_does_not_keep_the_others() {
    let (script, upper) = Script::new("above", flags_of(&[("a", 2)]));
    script.fails();
    let flags = Flags::default();
    let mut events = flags.events();
    let feed = Feed::of(Text::json(flags_of(&[("a", 1)]))).over_it(upper);
    let _following = feed.follow(&flags).await.unwrap();
    assert_eq!(values(&flags, &["a"]), [1]);
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    assert_eq!(events.next().await.unwrap().kind, EventKind::Stale);
    script.works();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(values(&flags, &["a"]), [2]);
    assert_eq!(flags.status(), Status::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_selector_takes_a_set_or_a_source() {
    let shop = r#"{"metadata": {"flagSetId": "shop"}, "flags": {
        "a": {"state": "ENABLED", "variants": {"it": 1}, "defaultVariant": "it"},
        "b": {"state": "ENABLED", "variants": {"it": 1}, "defaultVariant": "it", "metadata": {"flagSetId": "bank"}}}}"#;
    let bank = r#"{"metadata": {"flagSetId": "bank"}, "flags": {
        "a": {"state": "ENABLED", "variants": {"it": 2}, "defaultVariant": "it"}}}"#;
    let none = flags_of(&[("a", 3), ("c", 3)]);
    let taken = async |selector: &str| {
        let flags = Flags::default();
        let feed = Feed::of(Text::json(shop).named("shop.json"))
            .over_it(Text::json(bank).named("bank.json"))
            .over_it(Text::json(none.clone()).named("none.json"))
            .selector(selector.parse().unwrap());
        drop(feed.follow(&flags).await.unwrap());
        let of = |key: &str| flags.int(key, &Context::default()).ok();
        (of("a"), of("b"), of("c"))
    };
    assert_eq!(taken("").await, (Some(3), Some(1), Some(3)), "over all sets the highest priority counts");
    assert_eq!(taken("flagSetId=shop").await, (Some(1), None, None));
    assert_eq!(taken("flagSetId=bank").await, (Some(2), Some(1), None));
    assert_eq!(taken("flagSetId=").await, (Some(3), None, Some(3)), "flags that are in no set");
    assert_eq!(taken("source=bank.json").await, (Some(2), None, None));
    assert_eq!(taken("shop.json").await, (Some(1), Some(1), None));
    assert_eq!(taken("source=nobody").await, (None, None, None));
}

#[test]
fn what_a_selector_selects_by_is_known() {
    let error = "flagset=shop".parse::<Selector>().unwrap_err();
    assert_eq!(error.to_string(), "`flagset` selects nothing: write flagSetId=<id> or source=<name>");
}

#[test]
fn flags_keep_the_shared_rules_the_metadata_and_the_generation_of_their_own_document() {
    let document = |generation: &str, set: &str, variant: &str, keys: &str| {
        let flags: Vec<_> = keys
            .chars()
            .map(|key| {
                format!(
                    r#""{key}": {{"state": "ENABLED", "variants": {{"one": 1, "two": 2}}, "defaultVariant": "one",
                        "targeting": {{"if": [{{"$ref": "who"}}, "two"]}}}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"metadata": {{"serinus.fractional": "{generation}", "flagSetId": "{set}"}},
                "$evaluators": {{"who": {{"==": [{{"var": "is"}}, "{variant}"]}}}}, "flags": {{{}}}}}"#,
            flags.join(", ")
        );
        Document::from_json(&text).unwrap()
    };
    let (below, above) = (document("v1", "low", "me", "ab"), document("v2", "high", "you", "b"));
    let flags = Flags::default();
    flags.load(&Document::merged(&[("below", below.clone()), ("above", above.clone())], &Selector::all()));
    let (me, you) = (Context::default().with("is", "me"), Context::default().with("is", "you"));
    assert_eq!((flags.int("a", &me), flags.int("a", &you)), (Ok(2), Ok(1)));
    assert_eq!((flags.int("b", &me), flags.int("b", &you)), (Ok(1), Ok(2)));
    let set = |key: &str| {
        let details = flags.int_details(key, &me);
        details.metadata().get("flagSetId").and_then(|set| set.as_str().map(str::to_owned))
    };
    assert_eq!((set("a").as_deref(), set("b").as_deref()), (Some("low"), Some("high")));
    assert_eq!(flags.snapshot().document().generation(), Generation::V2);

    // The shared rule of one of them changes: its flags changed, and no other.
    let other = document("v2", "high", "them", "b");
    let report =
        flags.load(&Document::merged(&[("below", below.clone()), ("above", other)], &Selector::all()));
    assert_eq!(report.change().changed.iter().map(|key| &**key).collect::<Vec<_>>(), ["b"]);
    // And the same text from another document is another flag, because its shared rule is.
    let report = flags.load(&Document::merged(&[("below", below)], &Selector::source("below")));
    assert_eq!(report.change().changed.iter().map(|key| &**key).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn faults_say_which_source_they_are_in() {
    let broken = Document::from_json(r#"{"flags": {"a": {"state": "ON", "variants": {"it": 1}}}}"#).unwrap();
    let merged = Document::merged(&[("one", Document::default()), ("two", broken)], &Selector::all());
    assert_eq!(
        merged.faults()[0].to_string(),
        "in the flag at line 1, column 17: two: flags.a.state: \"ON\" is no state: write \"ENABLED\" or \"DISABLED\"",
    );
}

#[tokio::test(start_paused = true)]
async fn documents_are_read_with_the_options_of_the_flags() {
    let flags = Flags::with_options(Options::default().generation(Generation::V1));
    drop(Feed::of(Text::json(flags_of(&[("a", 1)]))).follow(&flags).await.unwrap());
    assert_eq!(flags.snapshot().document().generation(), Generation::V1);
}

fn flags_of(values: &[(&str, i64)]) -> String {
    let flag = |(key, value): &(&str, i64)| {
        format!(r#""{key}": {{"state": "ENABLED", "variants": {{"it": {value}}}, "defaultVariant": "it"}}"#)
    };
    format!(r#"{{"flags": {{{}}}}}"#, values.iter().map(flag).collect::<Vec<_>>().join(", "))
}

fn values(flags: &Flags, keys: &[&str]) -> Vec<i64> {
    keys.iter().map(|key| flags.int(key, &Context::default()).unwrap()).collect()
}

async fn changed(events: &mut Events) -> Vec<String> {
    let event = events.next().await.unwrap();
    assert_eq!(event.kind, EventKind::ConfigurationChanged, "{event:?}");
    let mut keys: Vec<_> = event.flags_changed.iter().map(ToString::to_string).collect();
    keys.sort();
    keys
}
