//! flagd's evaluators for Node and Python answer as ours, over documents made anew in each run: where they do not, the
//! difference is one of those that `docs/differences.md` lists.
//!
//! `SERINUS_SEED` repeats a run; it is printed. `SERINUS_FLAGD_JS`, `SERINUS_FLAGD_PYTHON_V2` and
//! `SERINUS_FLAGD_PYTHON_V3` name the evaluators, as `.ci/run` installs them.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    differences::{DIFFERENCES, Difference, Seen},
    generator::{Case, Questions, documents},
    oracle::Oracle,
    support::{Answer, ask, context, flags, same},
};

#[path = "reference_evaluators_agree/differences.rs"]
mod differences;
#[path = "reference_evaluators_agree/generator.rs"]
mod generator;
#[path = "reference_evaluators_agree/oracle.rs"]
mod oracle;
#[path = "reference_evaluators_agree/shapes.rs"]
mod shapes;
#[path = "reference_evaluators_agree/sites.rs"]
mod sites;
mod support;

#[test]
fn with_node_in_the_second_generation() {
    compare(Oracle::Node);
}

#[test]
fn with_python_in_the_second_generation() {
    compare(Oracle::PythonV2);
}

#[test]
fn with_python_in_the_third_generation() {
    compare(Oracle::PythonV3);
}

#[test]
fn every_difference_is_documented_and_every_documented_one_is_known() {
    let documented = include_str!("../../../docs/differences.md");
    let section = documented.split("\n## ").find(|section| section.starts_with("Flags\n")).unwrap();
    let rows =
        section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")).map(|(name, _)| name);
    let rows: BTreeSet<_> = rows.filter(|name| *name != "Where").collect();
    assert_eq!(rows, DIFFERENCES.iter().map(|listed| listed.name).collect());
}

/// A difference that its example does not show is no difference (any more).
#[test]
fn every_difference_that_is_listed_is_real() {
    for oracle in [Oracle::Node, Oracle::PythonV2, Oracle::PythonV3] {
        let listed: Vec<_> = DIFFERENCES.iter().filter(|listed| listed.is_with(oracle)).collect();
        let questions: Vec<_> = listed.iter().map(|listed| example(listed)).collect();
        let Some(answers) = oracle.answers(&questions) else { continue };
        for ((listed, questions), theirs) in listed.iter().zip(&questions).zip(&answers) {
            let ours = our_answers(oracle, questions).remove(0);
            let name = listed.name;
            assert!(!is_same(&ours, theirs), "{oracle:?}, {name}: both answer {ours:?}");
            let seen = Seen::new(oracle, questions, &questions.cases[0], &ours, theirs);
            assert!((listed.applies)(&seen), "{oracle:?}, {name}: not recognised: {ours:?}, {theirs:?}");
            assert_eq!(told(&ours), listed.ours, "{oracle:?}, {name}");
        }
    }
}

fn compare(oracle: Oracle) {
    let seed = env::var("SERINUS_SEED").map_or_else(|_| fresh_seed(), |seed| seed.parse().unwrap());
    println!("{oracle:?}: SERINUS_SEED={seed}");
    let questions = documents(seed, DOCUMENTS, FLAGS);
    let Some(theirs) = oracle.answers(&questions) else { return };
    let mut theirs = theirs.iter();
    let (mut cases, mut excepted, mut kinds) = (0, 0, BTreeMap::<String, usize>::new());
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut failures = Vec::new();
    for questions in &questions {
        for (case, ours) in questions.cases.iter().zip(our_answers(oracle, questions)) {
            let theirs = theirs.next().unwrap();
            cases += 1;
            *kinds.entry(kind(&ours)).or_default() += 1;
            if is_same(&ours, theirs) {
                continue;
            }
            let seen = Seen::new(oracle, questions, case, &ours, theirs);
            match DIFFERENCES.iter().find(|listed| listed.is_with(oracle) && (listed.applies)(&seen)) {
                Some(listed) => {
                    excepted += 1;
                    *counts.entry(listed.name).or_default() += 1;
                }
                None => failures.push(format!(
                    "{}\n  {}\n  ours   {ours:?}\n  theirs {theirs:?}",
                    questions.document["flags"][&case.key], case.context
                )),
            }
        }
    }
    println!("{oracle:?}: {cases} cases, {excepted} of them listed differences");
    counts.iter().for_each(|(name, count)| println!("  {count:4} {name}"));
    println!("{oracle:?}: the answers were {kinds:?}");
    assert!(
        failures.is_empty(),
        "{oracle:?}: with SERINUS_SEED={seed} {} of {cases} differ and are not listed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(cases, DOCUMENTS * FLAGS);
    assert!(excepted * 4 <= cases, "{oracle:?}: the listed differences swallow {excepted} of {cases} cases");
    assert!(kinds.len() >= 6, "the cases are too much alike: {kinds:?}");
}

fn our_answers(oracle: Oracle, questions: &Questions) -> Vec<Answer> {
    let flags = flags(&questions.document, oracle.generation());
    let answer = |case: &Case| ask(&flags, &case.key, case.asked, &case.default, &context(&case.context));
    questions.cases.iter().map(answer).collect()
}

fn is_same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (
            Answer::Resolved { reason, variant, value },
            Answer::Resolved { reason: their_reason, variant: their_variant, value: their_value },
        ) => reason == their_reason && variant == their_variant && same(value, their_value),
        (Answer::Failed(code), Answer::Failed(their_code)) => code == their_code,
        _ => false,
    }
}

/// A flag of the example's rule, with variants for all that examples come to.
fn example(listed: &Difference) -> Questions {
    let (asked, default, variants) = match listed.asked {
        "integer" => ("integer", json!(7), json!({ "d": 2.0, "fraction": 1.5 })),
        "float" => ("float", json!(7.5), json!({ "d": true })),
        _ => (
            "string",
            json!("code"),
            json!({ "true": "T", "false": "F", "a": "A", "b": "B", "1": "one", "d": "D" }),
        ),
    };
    let mut flag = json!({ "state": "ENABLED", "variants": variants, "defaultVariant": "d" });
    let rule: Value = serde_json::from_str(listed.rule).unwrap();
    if !rule.is_null() {
        flag["targeting"] = rule;
    }
    let mut document = json!({ "flags": { "example": flag } });
    if !listed.evaluators.is_empty() {
        document["$evaluators"] = serde_json::from_str(listed.evaluators).unwrap();
    }
    let context = serde_json::from_str(listed.context).unwrap();
    Questions { document, cases: vec![Case { key: "example".to_owned(), asked, default, context }] }
}

/// In short: the variant, `default`, or the code of the error.
fn told(answer: &Answer) -> String {
    match answer {
        Answer::Resolved { variant: Some(variant), .. } => variant.clone(),
        Answer::Resolved { variant: None, reason, .. } => reason.clone(),
        Answer::Failed(code) => code.clone(),
    }
}

fn kind(answer: &Answer) -> String {
    match answer {
        Answer::Resolved { reason, .. } => reason.clone(),
        Answer::Failed(code) => code.clone(),
    }
}

fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::from(since.subsec_nanos()) ^ since.as_secs().rotate_left(32)
}

const DOCUMENTS: usize = 100;
const FLAGS: usize = 10;
