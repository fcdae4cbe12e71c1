//! The store in a file: one winner per version, nothing half written, nothing garbled taken for good.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    sync::{Barrier, Mutex},
    thread,
};

use futures_util::FutureExt as _;
use serinus_core::port::{PortError, PortErrorKind, Saved, StateStore as _, Version, file::FileStore};

fn save(store: &FileStore, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
    store.save(document, seen).now_or_never().unwrap()
}

fn load(store: &FileStore) -> Result<Option<Saved>, PortError> {
    store.load().now_or_never().unwrap()
}

#[test]
fn of_two_racing_saves_exactly_one_wins_each_version() {
    const ROUNDS: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let barrier = Barrier::new(2);
    let winners = Mutex::new(vec![Vec::new(); ROUNDS]);
    thread::scope(|scope| {
        for name in ["left", "right"] {
            let (path, barrier, winners) = (&path, &barrier, &winners);
            scope.spawn(move || {
                // Each has its own store, and so its own file handles: what holds here holds between processes.
                let store = FileStore::new(path);
                for round in 0..ROUNDS {
                    let seen = load(&store).unwrap().map(|saved| saved.version);
                    barrier.wait();
                    match save(&store, &format!("{name} {round}"), seen) {
                        Ok(version) => winners.lock().unwrap()[round].push((name, version)),
                        Err(error) => assert_eq!(error.kind(), PortErrorKind::Conflict, "{}", error.chain()),
                    }
                    barrier.wait();
                }
            });
        }
    });
    for (round, winners) in winners.into_inner().unwrap().into_iter().enumerate() {
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(winners[0].1, Version(round as u64 + 1));
    }
}

#[test]
fn a_temporary_file_left_by_a_crash_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().join("state"));
    fs::write(folder.path().join("state.tmp"), "half a docu").unwrap();
    assert_eq!(load(&store).unwrap(), None);
    let version = save(&store, "whole", None).unwrap();
    fs::write(folder.path().join("state.tmp"), "half a docu").unwrap();
    assert_eq!(load(&store).unwrap(), Some(Saved { document: "whole".into(), version }));
    save(&store, "next", Some(version)).unwrap();
}

#[test]
fn a_garbled_file_is_refused_by_name_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = FileStore::new(&path);
    let version = save(&store, "a document\nof two lines: ä", None).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut garbled: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x01;
        garbled.push(changed);
    }
    garbled.push([whole.as_slice(), b"more"].concat());
    for bytes in garbled {
        fs::write(&path, &bytes).unwrap();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let error = load(&store).expect_err(&shown);
        assert_eq!(error.kind(), PortErrorKind::Invalid, "{shown}");
        assert!(error.chain().contains(&path.display().to_string()), "{}", error.chain());
        assert!(error.chain().contains("restore it"), "{}", error.chain());
        assert_eq!(save(&store, "new", Some(version)).unwrap_err().kind(), PortErrorKind::Invalid);
        assert_eq!(fs::read(&path).unwrap(), bytes, "left as it was");
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().join("absent").join("state"));
    assert_eq!(load(&store).unwrap(), None);
    let error = save(&store, "one", None).unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotFound);
    assert!(error.chain().contains("absent"), "{}", error.chain());
}

#[test]
fn a_save_after_the_file_is_gone_is_a_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().join("state"));
    let version = save(&store, "one", None).unwrap();
    fs::remove_file(store.path()).unwrap();
    assert_eq!(save(&store, "two", Some(version)).unwrap_err().kind(), PortErrorKind::Conflict);
}
