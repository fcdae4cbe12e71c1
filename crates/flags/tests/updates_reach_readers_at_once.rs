//! A document is swapped in whole, while others read.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use serinus_flags::{Context, Document, Flags, Format, NoValue, Reason};

/// Flags `a` and `b` that both say `number`, and on every second document a flag more before them.
fn document(number: i64) -> String {
    let flag = format!(
        r#"{{"state": "ENABLED", "variants": {{"v{number}": {number}}}, "defaultVariant": "v{number}"}}"#
    );
    let more = if number % 2 == 0 { format!("\"0\": {flag},") } else { String::new() };
    format!(r#"{{"flags": {{{more} "a": {flag}, "b": {flag}}}}}"#)
}

#[test]
fn a_reader_never_sees_a_torn_or_missing_flag() {
    let flags = Flags::default();
    flags.update(document(0).as_bytes(), Format::Json).unwrap();
    let (is_over, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            let (flags, is_over, reads) = (flags.clone(), &is_over, &reads);
            scope.spawn(move || {
                let nobody = Context::default();
                let (handle, mut last) = (flags.handle("b"), 0);
                while !is_over.load(Ordering::Relaxed) {
                    let number = flags.int("a", &nobody).unwrap();
                    assert!(number >= last, "{number} after {last}");
                    let by_handle = handle.int(&nobody).unwrap();
                    assert!(by_handle >= number, "the handle lags: {by_handle} after {number}");
                    let details = handle.details::<i64>(&nobody);
                    let number = details.value().unwrap();
                    assert_eq!(details.variant(), Some(format!("v{number}").as_str()));
                    let snapshot = flags.snapshot();
                    let (a, b) = (snapshot.evaluate("a", &nobody), snapshot.evaluate("b", &nobody));
                    assert_eq!((a.value, a.variant), (b.value, b.variant));
                    last = number;
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 1..500 {
            flags.update(document(number).as_bytes(), Format::Json).unwrap();
        }
        while reads.load(Ordering::Relaxed) < 100 {
            thread::yield_now();
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn whoever_loads_reads_what_was_loaded() {
    let flags = Flags::default();
    let (handle, nobody) = (flags.handle("a"), Context::default());
    for number in 0..100 {
        flags.update(document(number).as_bytes(), Format::Json).unwrap();
        assert_eq!((flags.int("a", &nobody), handle.int(&nobody)), (Ok(number), Ok(number)));
    }
}

#[test]
fn a_handle_finds_its_flag_as_soon_as_there_is_one() {
    let flags = Flags::default();
    let (handle, nobody) = (flags.handle("0"), Context::default());
    assert!(matches!(handle.int(&nobody), Err(NoValue::Failed(_))));
    for number in 1..6 {
        flags.update(document(number).as_bytes(), Format::Json).unwrap();
        assert_eq!(handle.int(&nobody).ok(), (number % 2 == 0).then_some(number));
    }
}

#[test]
fn loads_from_many_threads_all_count() {
    let flags = Flags::default();
    thread::scope(|scope| {
        for number in 0..4 {
            let flags = flags.clone();
            scope.spawn(move || {
                for _ in 0..25 {
                    flags.load(&Document::from_json(&document(number)).unwrap());
                }
            });
        }
    });
    assert_eq!(flags.snapshot().revision(), 100);
}

#[test]
fn the_report_names_what_changed_and_only_that() {
    let flags = Flags::default();
    let load = |text: &str| flags.load(&Document::from_json(text).unwrap()).change().clone();
    let flag =
        |rest: &str| format!(r#"{{"state": "ENABLED", "variants": {{"on": true, "off": false}}{rest}}}"#);
    let (plain, on) = (flag(""), flag(r#", "defaultVariant": "on""#));
    let names = |keys: &[std::sync::Arc<str>]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();

    let first = load(&format!(r#"{{"flags": {{"a": {plain}, "b": {plain}, "c": {plain}}}}}"#));
    assert_eq!(names(&first.added), ["a", "b", "c"]);
    let second = load(&format!(r#"{{"flags": {{"d": {plain}, "b": {on}, "a": {plain}}}}}"#));
    assert_eq!(names(&second.added), ["d"]);
    assert_eq!(names(&second.removed), ["c"]);
    assert_eq!(names(&second.changed), ["b"]);
    assert_eq!(second.keys().count(), 3);

    let reordered = r#"{ "variants": {"off": false, "on": true},  "state": "ENABLED" }"#;
    let third = load(&format!(r#"{{"flags": {{"a": {reordered}, "b": {on}, "d": {plain}}}}}"#));
    assert!(third.is_empty(), "{third:?}");

    let fourth =
        load(&format!(r#"{{"flags": {{"a": {plain}, "b": {on}, "d": {plain}}}, "metadata": {{"v": 1}}}}"#));
    assert_eq!(names(&fourth.changed), ["a", "b", "d"]);
}

#[test]
fn a_changed_shared_rule_changes_the_flags_that_use_it() {
    let flags = Flags::default();
    let text = |domain: &str| {
        let variants =
            r#""state": "ENABLED", "variants": {"in": true, "out": false}, "defaultVariant": "out""#;
        format!(
            r#"{{"flags": {{
                "uses": {{{variants}, "targeting": {{"if": [{{"$ref": "staff"}}, "in", "out"]}}}},
                "not": {{{variants}, "targeting": {{"if": [{{"==": [{{"var": "a"}}, 1]}}, "in", "out"]}}}}
            }}, "$evaluators": {{"staff": {{"ends_with": [{{"var": "email"}}, "{domain}"]}}}}}}"#
        )
    };
    flags.update(text("@a.com").as_bytes(), Format::Json).unwrap();
    let report = flags.update(text("@b.com").as_bytes(), Format::Json).unwrap();
    assert_eq!(report.change().changed, ["uses".into()]);
    let person = Context::default().with("email", "x@b.com");
    assert_eq!(flags.bool("uses", &person), Ok(true));
    assert_eq!(flags.bool_details("uses", &person).reason(), Reason::TargetingMatch);
}
