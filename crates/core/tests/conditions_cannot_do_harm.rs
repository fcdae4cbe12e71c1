//! A condition comes from whoever may write a manifest: no text may exhaust the stack, the memory or the patience.

#![cfg(feature = "expr")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serinus_core::{analysis::Condition, metric::Sample};

/// Runs in a thread with as much stack as a worker of tokio has: what overflows it ends the test program.
fn in_a_small_thread(check: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(check);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()), "the check above has failed in its thread");
}

fn is_refused(text: &str) -> bool {
    text.parse::<Condition>().is_err()
}

#[test]
fn the_bounds_hold_exactly_at_their_edges() {
    in_a_small_thread(|| {
        let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
        let chained = |operators: usize| format!("1{} > 0", "+1".repeat(operators - 1));
        let padded = |length: usize| format!("true{}", " ".repeat(length - 4));
        for (allowed, refused) in [
            (nested(Condition::MAX_DEPTH), nested(Condition::MAX_DEPTH + 1)),
            (chained(Condition::MAX_OPERATORS), chained(Condition::MAX_OPERATORS + 1)),
            (padded(Condition::MAX_LENGTH), padded(Condition::MAX_LENGTH + 1)),
        ] {
            let condition: Condition = allowed.parse().unwrap();
            assert_eq!(condition.holds(&Sample::Null), Ok(true), "{allowed}");
            assert!(is_refused(&refused), "{refused}");
        }
    });
}

#[test]
fn ten_thousand_operators_are_refused_and_not_parsed() {
    in_a_small_thread(|| {
        for text in [
            format!("1{}", "+1".repeat(10_000)),
            "(".repeat(10_000),
            "!".repeat(10_000),
            "-".repeat(1_000),
            "[".repeat(1_000),
            format!("result{}", "[0]".repeat(300)),
        ] {
            assert!(is_refused(&text), "{}", &text[..20]);
        }
    });
}

#[test]
fn texts_that_a_backtracking_parser_dislikes_are_answered_at_once() {
    in_a_small_thread(|| {
        #[expect(clippy::disallowed_methods, reason = "the time it takes is what is tested")]
        let started = Instant::now();
        for text in [
            format!("{}{}", "result[".repeat(60), "]".repeat(60)),
            format!("{}+{}", "result[".repeat(60), "]".repeat(60)),
            format!("{}*:{}", "result[".repeat(60), "]".repeat(60)),
            format!("{}true{}", "if(".repeat(60), ")".repeat(60)),
            format!("{}true{}", "if (true) {".repeat(8), "}".repeat(8)),
            format!("{}*{}", "len(".repeat(60), ")".repeat(60)),
            format!("{}*{}", "all(result, {".repeat(30), "})".repeat(30)),
            format!("{}*{}", "{a: ".repeat(60), "}".repeat(60)),
            "true ? ".repeat(120),
            "1 ?? ".repeat(200),
            format!("result{}", ".a(1)".repeat(60)),
            "not ".repeat(200),
        ] {
            assert!(is_refused(&text), "{text}");
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    });
}

#[test]
fn memory_is_bounded() {
    for text in ["len(1..9223372036854775807) > 0", "len(0..result) > 0", "len(1..1000*1000*1000) > 0"] {
        assert!(is_refused(text), "{text}");
    }
    let long: Condition = "repeat(\"xxxxxxxxxx\", 100000000) == \"\"".parse().unwrap();
    assert!(long.holds(&Sample::Null).is_err());
}

#[test]
fn deep_but_allowed_conditions_are_evaluated_on_a_small_stack() {
    in_a_small_thread(|| {
        let indices = format!("result{} == 1", "[0]".repeat(Condition::MAX_OPERATORS - 1));
        let sample =
            (0..Condition::MAX_OPERATORS - 1).fold(Sample::number(1.0), |inner, _| Sample::List(vec![inner]));
        assert_eq!(indices.parse::<Condition>().unwrap().holds(&sample), Ok(true));
        let ternaries = format!("{}true", "false?1:".repeat(120));
        assert_eq!(ternaries.parse::<Condition>().unwrap().holds(&Sample::Null), Ok(true));
    });
}

proptest! {
    #[test]
    fn no_text_panics(words in proptest::collection::vec(prop_oneof![
        Just("result"), Just("["), Just("]"), Just("("), Just(")"), Just("{"), Just("}"), Just("#"), Just("."),
        Just("?."), Just("?"), Just(":"), Just("??"), Just("|"), Just(","), Just(";"), Just("1"), Just("1.5"),
        Just("-1"), Just("'a'"), Just("true"), Just("nil"), Just("len"), Just("all"), Just("filter"), Just("let"),
        Just("x"), Just("="), Just("=="), Just("<"), Just("+"), Just("*"), Just("%"), Just("**"), Just(".."),
        Just("not"), Just("in"), Just("&&"), Just("or"), Just("if"), Just("else"), Just("abs"), Just("int"),
        Just("isNaN"), Just("default"), Just("sort"), Just("reduce"), Just("split"), Just("bitshl"), Just("round"),
    ], 0..24)) {
        if let Ok(condition) = words.join(" ").parse::<Condition>() {
            for sample in [
                Sample::Null,
                Sample::number(f64::NAN),
                Sample::number(f64::MAX),
                Sample::List(vec![Sample::number(1.0), Sample::Text("ü".into()), Sample::Null]),
                Sample::Text("text".into()),
            ] {
                let _ = condition.holds(&sample);
            }
        }
    }
}
