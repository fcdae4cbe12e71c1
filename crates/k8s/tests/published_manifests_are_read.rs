//! Every published manifest is read, or a message says exactly what is not supported.
//!
//! The manifests are not part of this project: they are looked for in `$SERINUS_SHARED/corpus`, or beside the
//! workspace in `shared/corpus`. Where they are not, the manifests of the workspace stand alone.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serinus_k8s::{FaultKind, Mode, Source, read};

#[test]
fn every_example_of_this_project_compiles_without_a_warning() {
    let files = manifests_in(&workspace().join("examples/manifests"));
    assert!(files.len() >= 3);
    for source in files {
        let compiled = read(&[source], Mode::Strict).unwrap().compile_only().unwrap();
        assert_eq!(compiled.warnings, []);
    }
}

#[test]
fn every_published_manifest_is_read_or_refused_by_name() {
    for source in corpus() {
        for mode in [Mode::Strict, Mode::Lenient] {
            let result =
                read(std::slice::from_ref(&source), mode).and_then(|manifests| manifests.compile_all());
            for fault in result.err().iter().flat_map(|faults| faults.as_slice()) {
                assert!(fault.line > 0 && fault.column > 0 && fault.message.contains(':'), "{fault}");
                // Nothing that a cluster takes is called invalid.
                let is_guide = source.name.contains("guides");
                let is_expected = matches!(fault.kind, FaultKind::Unsupported | FaultKind::Missing);
                let is_no_yaml = fault.kind == FaultKind::Syntax && source.name.contains("linkerd");
                assert!(is_guide || is_expected || is_no_yaml, "{fault}");
            }
        }
    }
}

#[test]
fn rollouts_and_templates_of_one_guide_go_together() {
    let corpus = corpus();
    let guide = |number: &str| {
        corpus.iter().find(|source| source.name.contains(&format!("guides/{number}-"))).cloned()
    };
    for rollout in ["10", "12"] {
        if let (Some(rollout), Some(template)) = (guide(rollout), guide("11")) {
            let manifests = read(&[rollout, template], Mode::Strict).unwrap();
            assert!(manifests.compile("my-service").is_ok());
        }
    }
}

fn corpus() -> Vec<Source> {
    let shared =
        std::env::var_os("SERINUS_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    ["argo", "flagger", "guides"]
        .iter()
        .flat_map(|folder| manifests_in(&shared.join("corpus").join(folder)))
        .collect()
}

fn manifests_in(folder: &Path) -> Vec<Source> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    paths.sort();
    paths.iter().map(|path| Source::new(path.to_string_lossy(), fs::read_to_string(path).unwrap())).collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
