//! Cohorts that cannot be are refused with the place and the remedy, and what was there stays as it was.

use serinus_core::{
    cohort::{Experiment, Holdout, Layer, Layers, Slot, Split, Trial},
    traffic::Weight,
};

#[test]
fn a_refusal_names_the_place_and_the_remedy() {
    let percent = Weight::percent;
    let mut split = Split::of([("a", percent(60.0))]).unwrap();
    let before = split.clone();
    let slot_of = |from, to| Slot::try_new(percent(from), percent(to)).unwrap();
    let slot = slot_of(50.0, 70.0);
    let mut layer = Layer::new("search");
    let held = |salt: &str| Holdout::new(salt, percent(5.0));
    for (refusal, expected) in [
        (
            split.add("b", percent(50.0)),
            "`b` needs 50% more, and 40% is free: lower or remove another one first",
        ),
        (
            split
                .resize("a", percent(100.0))
                .and(split.resize("a", percent(60.0)))
                .and(split.resize("b", percent(1.0))),
            "there is no `b`: expected one of `a`",
        ),
        (split.add("a", percent(1.0)), "`a` stands twice: give each its own name"),
        (split.add("", percent(1.0)), "a share has no name: give it one"),
        (split.add_at("b", [slot]), "`a` and `b` both hold 50% to 60%: move one of them"),
        (
            Slot::try_new(percent(30.0), percent(20.0)).map(drop),
            "a slot from 30% to 20% holds nobody: name its lower end first",
        ),
        (
            Trial::try_new(percent(60.0), percent(50.0)).map(drop),
            "a candidate of 60% and a control of 50% are more than 100%: lower one of them",
        ),
        (
            layer.add(Experiment::new("search", Split::default()), percent(1.0)),
            "the layer `search` and the experiment `search` have the same salt `search`, so who is in one decides \
             who is in the other: give one of them another salt",
        ),
        (
            layer.add(Experiment::new("", Split::default()), percent(1.0)),
            "an experiment has no name: give it one",
        ),
        (
            split.add_at("b", [slot_of(60.0, 80.0), slot_of(70.0, 90.0)]),
            "`b` and `b` both hold 70% to 80%: move one of them",
        ),
        (
            split.add_at("b", [slot_of(90.0, 100.0), slot_of(0.0, 10.0)]),
            "`a` and `b` both hold 0% to 10%: move one of them",
        ),
        (
            Layers::new([held("x"), held("x")], []).map(drop),
            "the holdout `x` and the holdout `x` have the same salt `x`, so who is in one decides who is in the \
             other: give one of them another salt",
        ),
        (Layers::default().assign("shop", "user-1").map(drop), "there is no `shop`: expected none"),
    ] {
        assert_eq!(refusal.unwrap_err().to_string(), expected);
    }
    assert_eq!(split, before);
    assert!(layer.experiments().is_empty());
}

#[test]
fn a_document_is_read_strictly() {
    for (document, expected) in [
        (r#"[{"name": "a"}]"#, "`a` needs either a `weight` or `slots`, and has neither"),
        (r#"[{"name": "a", "weight": 5, "slots": []}]"#, "and has both"),
        (r#"[{"name": "a", "weight": 5, "salt": "b"}]"#, "unknown field `salt`"),
        (r#"[{"name": "a", "weight": "60%"}, {"name": "b", "weight": "60%"}]"#, "`b` needs 60% more"),
        (r#"[{"name": "a", "weight": "101%"}]"#, "out of range"),
        (r#"[{"name": "a", "slots": [{"from": "5%", "to": "5%"}]}]"#, "holds nobody"),
        (
            r#"[{"name": "a", "slots": [{"from": 0, "to": 10}, {"from": 9, "to": 20}]}]"#,
            "`a` and `a` both hold 0.009% to 0.01%",
        ),
        (
            r#"[{"name": "a", "slots": [{"from": 40, "to": 50}]}, {"name": "b", "slots": [{"from": 0, "to": 41}]}]"#,
            "`a` and `b` both hold 0.04% to 0.041%: move one of them",
        ),
        (
            r#"[{"name": "a", "slots": [{"from": 0, "to": "100%"}]}, {"name": "b", "slots": [{"from": 7, "to": 8}]}]"#,
            "`a` and `b` both hold 0.007% to 0.008%: move one of them",
        ),
        (
            r#"[{"name": "a", "weight": 5}, {"name": "a", "slots": []}]"#,
            "`a` stands twice: give each its own name",
        ),
        (r#"[{"name": "", "weight": 5}]"#, "a share has no name: give it one"),
        (
            r#"[{"name": "a", "weight": "60%"}, {"name": "b", "slots": [{"from": "50%", "to": "99%"}]}]"#,
            "`a` needs 60% more, and 51% is free: lower or remove another one first",
        ),
    ] {
        let refusal = serde_json::from_str::<Split>(document).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{document}: {refusal}");
    }
}

#[test]
fn a_written_weight_takes_what_written_slots_leave() {
    let document =
        r#"[{"name": "a", "weight": "20%"}, {"name": "b", "slots": [{"from": "10%", "to": "15%"}]}]"#;
    let split: Split = serde_json::from_str(document).unwrap();
    let slots: Vec<_> = split.shares()[0].slots().iter().map(Slot::to_string).collect();
    assert_eq!(slots, ["0% to 10%", "15% to 25%"]);
}
