//! Every vector on the page that describes the algorithm is what the library computes.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use serinus_core::{
    cohort::{Assignment, Cohort, Layers, Place, Reseed, Salt, Trial},
    traffic::Weight,
};

const PAGE: &str = include_str!("../../../docs/cohorts.md");

#[test]
fn places_are_as_the_page_has_them() {
    let rows = rows("| salt | subject | seed | hash | part |");
    assert_eq!(rows.len(), 9);
    for row in rows {
        let [salt, subject, seed, hash, part] = row.as_slice() else { panic!("{row:?}") };
        let salt = Salt::new(salt.trim_matches('`'));
        let place = salt.place(subject.trim_matches('`'));
        assert_eq!(salt.seed(), number(seed), "{row:?}");
        assert_eq!(place.hash(), number(hash), "{row:?}");
        assert_eq!(place.part(), number(part), "{row:?}");
    }
}

#[test]
fn edges_are_as_the_page_has_them() {
    let rows = rows("| hash | part |");
    assert_eq!(rows.len(), 8);
    for row in rows {
        assert_eq!(Place::new(number(&row[0])).part(), number(&row[1]), "{row:?}");
    }
}

#[test]
fn cohorts_are_as_the_page_has_them() {
    let rows = rows("| candidate | control | part | cohort |");
    assert_eq!(rows.len(), 17);
    for row in rows {
        let weight = |text: &str| Weight::try_parts(number(text)).unwrap();
        let trial = Trial::try_new(weight(&row[0]), weight(&row[1])).unwrap();
        let expected = match row[3].as_str() {
            "candidate" => Cohort::Candidate,
            "control" => Cohort::Control,
            "rest" => Cohort::Rest,
            other => panic!("{other} is no cohort"),
        };
        assert_eq!(trial.cohort_of(in_part(number(&row[2]))), expected, "{row:?}");
    }
}

#[test]
fn attempts_are_named_as_the_page_has_them() {
    let salt = Salt::new("checkout");
    let names = [1, 2, 3].map(|attempt| salt.of_attempt(attempt, Reseed::EachAttempt).to_string());
    assert!(PAGE.contains(&format!("`{}`, `{}`, `{}`", names[0], names[1], names[2])), "{names:?}");
    assert_eq!(salt.of_attempt(3, Reseed::default()), salt);
}

#[test]
fn the_document_on_the_page_is_read() {
    let layers = layers();
    let [layer] = layers.layers() else { panic!("one layer") };
    let held: Vec<_> = layer.shares().iter().map(|share| share.slots()[0].to_string()).collect();
    assert_eq!(held, ["0% to 30%", "50% to 80%"]);
}

#[test]
fn assignments_are_as_the_page_has_them() {
    let layers = layers();
    let rows = rows("| subject | holdout part | layer part | variant part | assignment |");
    assert_eq!(rows.len(), 8);
    for row in rows {
        let subject = row[0].trim_matches('`');
        let part_is =
            |salt: &Salt, text: &str| assert_eq!(salt.place(subject).part(), number(text), "{row:?}");
        part_is(layers.holdouts()[0].salt(), &row[1]);
        let told = match layers.assign("search", subject).unwrap() {
            Assignment::HeldOut(_) => "held out".to_owned(),
            Assignment::Free => {
                part_is(layers.layers()[0].salt(), &row[2]);
                "free".to_owned()
            }
            Assignment::Enrolled { experiment, variant } => {
                part_is(layers.layers()[0].salt(), &row[2]);
                part_is(experiment.drawn_under(), &row[3]);
                let variant = variant.map_or("none".to_owned(), |variant| format!("`{variant}`"));
                format!("`{}`: {variant}", experiment.name())
            }
        };
        assert_eq!(told, row[4], "{row:?}");
    }
}

/// What the document on the page says.
fn layers() -> Layers {
    let (_, rest) = PAGE.split_once("```yaml\n").unwrap();
    let (document, _) = rest.split_once("```").unwrap();
    serde_saphyr::from_str(document).unwrap()
}

/// The lowest place of a part.
fn in_part(part: u32) -> Place {
    let hash = ((u64::from(part) << 32).div_ceil(100_000)).try_into().unwrap();
    assert_eq!(Place::new(hash).part(), part);
    Place::new(hash)
}

fn number(text: &str) -> u32 {
    text.parse().unwrap()
}

/// The rows of the table with this head.
fn rows(head: &str) -> Vec<Vec<String>> {
    let (_, rest) = PAGE.split_once(&format!("\n\n{head}\n")).unwrap();
    let lines = rest.lines().skip(1).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}
