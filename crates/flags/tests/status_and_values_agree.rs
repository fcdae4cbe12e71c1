//! The status of flags and the reason that comes with their values tell the same.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{sync::Barrier, thread};

use serinus_flags::{Context, Document, ErrorCode, EventKind, Flags, Reason, Status, Trouble};

const DOCUMENT: &str =
    r#"{"flags": {"search": {"state": "ENABLED", "variants": {"it": true}, "defaultVariant": "it"}}}"#;

#[test]
fn flags_that_were_given_up_can_recover() {
    let flags = Flags::default();
    flags.give_up(trouble());
    flags.recover();
    assert_eq!(flags.status(), Status::Fatal, "without a document there is nothing to go back to");
    flags.load(&document());
    assert_eq!((flags.status(), flags.trouble()), (Status::Ready, None));

    flags.give_up(trouble());
    assert_eq!((flags.status(), reason(&flags)), (Status::Fatal, Reason::Stale));
    let mut events = flags.events();
    assert_eq!(events.try_next().unwrap().unwrap().kind, EventKind::Error);
    flags.recover();
    assert_eq!((flags.status(), reason(&flags)), (Status::Ready, Reason::Static));
    assert_eq!(flags.trouble(), None);
    assert_eq!(events.try_next().unwrap().unwrap().kind, EventKind::Ready);
    flags.recover();
    assert_eq!(events.try_next(), Ok(None), "nothing happened");
}

#[test]
fn flags_without_a_document_say_whether_one_is_still_to_come() {
    let flags = Flags::default();
    let code = || flags.bool_details("search", &Context::default()).error_code();
    assert_eq!(code(), Some(ErrorCode::ProviderNotReady));
    flags.give_up(trouble());
    assert_eq!(code(), Some(ErrorCode::ProviderFatal));
    flags.recover();
    assert_eq!(code(), Some(ErrorCode::ProviderFatal), "there is nothing to go back to");
    flags.fail(trouble());
    assert_eq!((flags.status(), code()), (Status::Error, Some(ErrorCode::ProviderNotReady)));
    flags.give_up(trouble());
    flags.load(&document());
    assert_eq!((flags.status(), code(), reason(&flags)), (Status::Ready, None, Reason::Static));
}

#[test]
fn they_agree_whoever_of_two_threads_comes_first() {
    let (document, trouble) = (document(), trouble());
    let changes: [(&str, Change<'_>); 4] = [
        ("lose", &|flags| flags.lose(trouble.clone())),
        ("fail", &|flags| flags.fail(trouble.clone())),
        ("give up", &|flags| flags.give_up(trouble.clone())),
        ("recover", &|flags| flags.recover()),
    ];
    let load: Change<'_> = &|flags| drop(flags.load(&document));
    for (name, change) in changes {
        let is_recovery = name == "recover";
        let rival = if is_recovery { changes[0].1 } else { load };
        let flags = Flags::default();
        let barrier = Barrier::new(3);
        thread::scope(|scope| {
            for one in [change, rival] {
                let (flags, barrier) = (&flags, &barrier);
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        barrier.wait();
                        one(flags);
                        barrier.wait();
                    }
                });
            }
            let mut apart = 0;
            for _ in 0..ROUNDS {
                flags.load(&document);
                if is_recovery {
                    flags.lose(trouble.clone());
                }
                barrier.wait();
                // Readers of the status get in between.
                for _ in 0..20 {
                    drop(flags.trouble());
                }
                barrier.wait();
                apart += usize::from((reason(&flags) == Reason::Stale) != (flags.status() != Status::Ready));
            }
            assert_eq!(apart, 0, "{name}: of {ROUNDS} rounds");
        });
    }
}

type Change<'a> = &'a (dyn Fn(&Flags) + Sync);

fn document() -> Document {
    Document::from_json(DOCUMENT).unwrap()
}

fn trouble() -> Trouble {
    Trouble::new(ErrorCode::General, "the cable is cut")
}

fn reason(flags: &Flags) -> Reason {
    flags.bool_details("search", &Context::default()).reason()
}

const ROUNDS: usize = 5000;
