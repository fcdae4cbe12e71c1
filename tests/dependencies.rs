//! What the crates may stand on: the engine and the manifest readers need no runtime, no network and no cluster.

#![expect(clippy::panic, reason = "the harness of tests may panic")]

use std::process::Command;

#[test]
fn core_needs_no_runtime_no_network_and_no_cluster() {
    let crates = crates_below("serinus-core");
    refuse(&crates, &["tokio", "reqwest", "hyper", "kube", "rustls", "async-std", "smol"]);
}

#[test]
fn the_readers_of_manifests_need_no_runtime_and_no_cluster() {
    let crates = crates_below("serinus-k8s");
    refuse(&crates, &["tokio", "reqwest", "hyper", "kube", "rustls"]);
}

#[test]
fn flags_need_no_runtime_and_no_network_unless_a_feature_asks_for_them() {
    let crates = crates_of("serinus-flags", &[]);
    refuse(&crates, &["tokio", "reqwest", "hyper", "rustls", "open-feature", "mockall", "kube"]);
    refuse(&crates_below("serinus-flags"), &["kube", "native-tls", "openssl-sys"]);
}

#[test]
fn the_parts_do_not_know_one_another() {
    for (part, others) in [
        ("serinus-core", ["serinus-flags", "serinus-k8s", "serinus-prom", "serinus-tower"]),
        ("serinus-flags", ["serinus", "serinus-k8s", "serinus-prom", "serinus-tower"]),
        ("serinus-k8s", ["serinus", "serinus-flags", "serinus-prom", "serinus-tower"]),
        ("serinus-prom", ["serinus", "serinus-flags", "serinus-k8s", "serinus-tower"]),
        ("serinus-tower", ["serinus", "serinus-flags", "serinus-k8s", "serinus-prom"]),
    ] {
        let crates = crates_below(part);
        for other in others {
            assert!(!crates.iter().any(|name| name == other), "{part} depends on {other}");
        }
    }
}

/// A crate is refused by its own name and by the names that start with it: `kube`, `kube-client`.
fn refuse(crates: &[String], names: &[&str]) {
    for name in names {
        let family = format!("{name}-");
        let found = crates.iter().find(|found| *found == name || found.starts_with(&family));
        assert_eq!(found, None, "refused: {name}");
    }
}

/// The crates that a crate of this workspace is built from, with all its features, without those for tests.
fn crates_below(package: &str) -> Vec<String> {
    crates_of(package, &["--all-features"])
}

/// The crates that a crate of this workspace is built from with these features, without those for tests.
fn crates_of(package: &str, features: &[&str]) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"])
        .args(features)
        .args(["--format", "{p}", "--target", "all"])
        .output()
        .unwrap_or_else(|error| panic!("cargo tree does not start: {error}"));
    assert!(output.status.success(), "cargo tree fails: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: Vec<_> =
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(crates.iter().any(|name| name == "serde"), "this is not the tree of {package}: {text}");
    crates
}
