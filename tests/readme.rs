//! The README is true: every command in it does what it says, and what it names exists.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use support::{example, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    // Where a newcomer stands after cloning, as far as the commands look.
    let clone = tempfile::tempdir().unwrap();
    symlink(Path::new(ROOT).join("examples"), clone.path().join("examples")).unwrap();
    let commands = commands();
    assert!(commands.iter().any(|command| command.text == "cargo run --release --example rollout"));
    // This very run.
    assert!(commands.iter().any(|command| command.text == "cargo test --workspace"));
    let (later, first): (Vec<_>, Vec<_>) = commands
        .iter()
        .filter(|command| command.text != "cargo test --workspace")
        .partition(|command| command.text.contains("--replay"));
    thread::scope(|scope| {
        for command in &first {
            scope.spawn(|| command.run(clone.path()));
        }
    });
    for command in later {
        command.run(clone.path());
    }
}

#[test]
fn a_program_beside_the_clone_can_depend_on_it_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    symlink(ROOT, folder.path().join("serinus")).unwrap();
    let program = folder.path().join("program");
    fs::create_dir_all(program.join("src")).unwrap();
    fs::write(program.join("src/main.rs"), "fn main() {}").unwrap();
    let package = "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n";
    fs::write(program.join("Cargo.toml"), format!("{package}{}", blocks("toml").join("\n"))).unwrap();
    // The versions that this very test was built with, so that nothing has to be fetched.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), program.join("Cargo.lock")).unwrap();
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--depth", "2", "--prefix", "none"])
        .current_dir(&program)
        .output()
        .unwrap();
    let (packages, errors) =
        (String::from_utf8(tree.stdout).unwrap(), String::from_utf8(tree.stderr).unwrap());
    assert!(tree.status.success(), "{errors}");
    // What its features bring; one that does not exist is an error above.
    for package in ["serinus", "serinus-core", "serinus-tower", "serinus-prom", "serinus-k8s"] {
        assert!(packages.lines().any(|line| line.starts_with(&format!("{package} v"))), "{packages}");
    }
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let text = read("README.md");
    let links: Vec<_> = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 3, "{links:?}");
    for link in links {
        assert!(Path::new(ROOT).join(link).exists(), "{link}");
    }
}

/// A line of a shell block.
struct Line {
    text: String,
    /// What it ends with: 0, or what a comment beside it says.
    status: i32,
}

impl Line {
    /// Runs it with the program that was built for the tests instead of one that is built anew.
    fn run(&self, folder: &Path) {
        let (cargo, arguments) = self.text.split_once(" -- ").unwrap_or((&self.text, ""));
        assert!(cargo.starts_with("cargo run --release "), "this test cannot run `{cargo}`");
        let name = cargo.split("--example ").nth(1).unwrap();
        if (arguments.contains("--prometheus") && !support::has_prometheus())
            || (arguments.contains("--envoy") && !(support::has_envoy() && support::has_prometheus()))
        {
            return;
        }
        let child = Command::new(example(name))
            .args(arguments.split_whitespace())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.text));
        let run = finish(child);
        assert_eq!(run.code, Some(self.status), "{}: {}", self.text, run.told());
        assert!(run.output.len() > 100, "{}: {}", self.text, run.told());
    }
}

fn commands() -> Vec<Line> {
    let blocks = blocks("sh");
    let lines = blocks.iter().flat_map(|block| block.lines());
    lines
        .map(|line| {
            let (text, comment) = line.split_once('#').unwrap_or((line, ""));
            let status = comment.split("status ").nth(1).map_or(0, |status| status.trim().parse().unwrap());
            Line { text: text.trim().to_owned(), status }
        })
        .collect()
}

fn blocks(language: &str) -> Vec<String> {
    let text = read("README.md");
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
