//! No input makes the reader panic, run away or fill the memory.

use std::{fmt::Write as _, thread, time::Instant};

use proptest::prelude::*;
use serinus_k8s::{FaultKind, Mode, Source, explain, read};

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{inner}]").unwrap();
    }
    let begun = Instant::now();
    let faults = read(&[Source::new("bomb.yaml", bomb)], Mode::Strict).unwrap_err();
    assert!(begun.elapsed().as_secs() < 20);
    assert!(
        faults.to_string().ends_with(
            "the document unfolds to more than 150000 values: write out what its aliases stand for, or split it"
        ),
        "{faults}"
    );
}

#[test]
fn nesting_ten_thousand_deep_is_refused_on_a_small_stack() {
    let block: String = (0..2_000).fold(String::new(), |mut text, level| {
        writeln!(text, "{}a:", " ".repeat(level)).unwrap();
        text
    });
    let deep = [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        "- ".repeat(10_000),
        block.chars().take(1_000_000).collect(),
    ];
    for text in deep {
        let read = move || read(&[Source::new("deep.yaml", text)], Mode::Strict);
        let faults =
            thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap().unwrap_err();
        assert!(
            faults
                .to_string()
                .ends_with("nested more than 64 levels deep: no manifest needs that; flatten it"),
            "{faults}"
        );
    }
}

#[test]
fn a_manifest_at_the_depth_that_is_read_fits_a_small_stack() {
    let nested = format!("{}x{}", "[".repeat(60), "]".repeat(60));
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: app}}\nspec: {{template: {nested}, \
         strategy: {{canary: {{}}}}}}"
    );
    let read =
        move || read(&[Source::new("deep.yaml", text)], Mode::Strict).and_then(|read| read.compile_only());
    let compiled = thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap();
    assert_eq!(compiled.unwrap().name, "app");
}

#[test]
fn more_than_a_mebibyte_is_refused() {
    let text = format!("# {}\n", "x".repeat(1 << 20));
    let faults = read(&[Source::new("large.yaml", text)], Mode::Strict).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "large.yaml: 1048579 bytes of manifests are more than the 1048576 that are read: split them"
    );
    assert_eq!(faults.as_slice()[0].kind, FaultKind::Syntax);
}

#[test]
fn templates_that_include_each_other_end() {
    let text = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: app}
spec: {strategy: {canary: {steps: [{analysis: {templates: [{templateName: a}]}}]}}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: a}
spec: {templates: [{templateName: b}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: b}
spec: {templates: [{templateName: a}]}
";
    let manifests = read(&[Source::new("round.yaml", text)], Mode::Strict).unwrap();
    assert_eq!(
        manifests.compile("app").unwrap_err().to_string(),
        "round.yaml:15:35: spec.templates[0].templateName: `a` is included already: include it once"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        run(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        run(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_manifest_with_a_piece_replaced_is_read_or_refused(
        which in 0..MANIFESTS.len(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        piece in prop::sample::select(PIECES),
    ) {
        let mut letters: Vec<char> = MANIFESTS[which].chars().collect();
        let start = at.index(letters.len());
        let end = (start + length).min(letters.len());
        letters.splice(start..end, piece.chars());
        run(&letters.into_iter().collect::<String>());
    }

    #[test]
    fn a_manifest_with_a_value_replaced_is_read_or_refused(
        which in 0..MANIFESTS.len(),
        at in any::<prop::sample::Index>(),
        piece in prop::sample::select(PIECES),
    ) {
        let mut lines: Vec<String> = MANIFESTS[which].lines().map(str::to_owned).collect();
        let line = at.index(lines.len());
        if let Some((name, _)) = lines[line].split_once(": ") {
            lines[line] = format!("{name}: {piece}");
        }
        run(&lines.join("\n"));
    }
}

fn run(text: &str) {
    for mode in [Mode::Strict, Mode::Lenient] {
        match read(&[Source::new("any", text)], mode).and_then(|manifests| manifests.compile_all()) {
            Ok(compiled) => compiled.iter().for_each(|compiled| assert!(!explain(compiled).is_empty())),
            Err(faults) => assert!(!faults.as_slice().is_empty()),
        }
    }
}

const MANIFESTS: &[&str] = &[
    include_str!("../../../examples/manifests/checkout-rollout.yaml"),
    include_str!("../../../examples/manifests/bluegreen-rollout.yaml"),
    include_str!("../../../examples/manifests/podinfo-canary.yaml"),
    include_str!("data/every-flagger-field.yaml"),
    include_str!("data/every-argo-field.yaml"),
];

const PIECES: &[&str] = &[
    "",
    "0",
    "-1",
    "1e300",
    ".nan",
    "null",
    "~",
    "true",
    "[]",
    "{}",
    "\"\"",
    "{{",
    "{{args.x}}",
    "}}",
    "&a",
    "*a",
    "<<",
    "!!binary x",
    "---",
    "\n",
    "\t",
    ": ",
    "- ",
    "9223372036854775808",
    "-9223372036854775808",
    "4294967296",
    "18446744073709551616",
    "[0, 1]",
    "{a: 1}",
    "100000h",
    "-1s",
    "ä",
    "\u{0}",
    "|",
    ">",
    "'",
    "\"",
    "#",
    "?",
    "metadata.labels[",
    "(",
    "[[[[",
    "stable",
    "25%",
    "101%",
];
