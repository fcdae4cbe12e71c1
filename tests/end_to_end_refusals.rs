//! What the example refuses, with the place and the remedy, before it starts anything.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use support::{Run, run};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn files_that_cannot_be_written() {
    for (argument, name) in [("--record", "record `/nowhere/x`"), ("--state", "state in `/nowhere/x`")] {
        let run = refused(&[argument, "/nowhere/x"]);
        assert!(run.errors.contains(name), "{}", run.errors);
        assert!(
            run.errors.contains("No such file") && run.errors.contains("; make its folder"),
            "{}",
            run.errors
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    assert!(refused(&["--state", folder]).errors.contains("a folder: name a file in it"));
    let file = format!("{folder}/one");
    let run = refused(&["--state", &file, "--record", &file]);
    assert!(run.errors.contains("give each its own file"), "{}", run.errors);
}

#[test]
fn an_address_that_is_none_or_where_no_prometheus_is() {
    let run = refused(&["--prometheus", "foo://"]);
    assert!(run.errors.contains("--prometheus names: the address `foo://` is none"), "{}", run.errors);
    assert!(run.errors.contains("--prometheus auto"), "{}", run.errors);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = refused(&["--prometheus", &format!("http://127.0.0.1:{port}")]);
    assert!(
        run.errors.contains(&format!("cannot reach Prometheus at http://127.0.0.1:{port}/")),
        "{}",
        run.errors
    );
    assert!(run.errors.contains("give the address of one that runs"), "{}", run.errors);
}

/// Nothing was started: no event was printed, and it did not take the time that takes.
fn refused(arguments: &[&str]) -> Run {
    let started = Instant::now();
    let run = run(&[&["--json"], arguments].concat());
    assert_eq!((run.code, run.output.as_str()), (Some(2), ""), "{}", run.told());
    assert!(!run.errors.contains("%2"), "{}", run.errors);
    assert!(started.elapsed() < Duration::from_secs(20), "{}", run.told());
    run
}
