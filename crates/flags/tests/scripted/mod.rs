//! A source that does what a test says.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests may panic")]

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serinus_flags::{
    Format,
    source::{Fetched, Source, SourceError},
};

/// What holds the strings of a [`Scripted`].
pub(crate) struct Script(Arc<State>);

/// A source that does what its script says. It has a pause of one second.
pub(crate) struct Scripted {
    name: String,
    state: Arc<State>,
    seen: Option<usize>,
}

struct State {
    text: Mutex<Vec<u8>>,
    version: AtomicUsize,
    mood: Mutex<Mood>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Works,
    Fails { is_fatal: bool },
    Hangs,
    Silent,
    Panics,
}

impl Script {
    pub(crate) fn new(name: &str, text: impl Into<Vec<u8>>) -> (Self, Scripted) {
        let state = Arc::new(State {
            text: Mutex::new(text.into()),
            version: AtomicUsize::new(0),
            mood: Mutex::new(Mood::Works),
        });
        (Self(Arc::clone(&state)), Scripted { name: name.to_owned(), state, seen: None })
    }

    pub(crate) fn says(&self, text: impl Into<Vec<u8>>) {
        *self.0.text.lock().unwrap() = text.into();
        self.0.version.fetch_add(1, Ordering::SeqCst);
        self.works();
    }

    pub(crate) fn works(&self) {
        *self.0.mood.lock().unwrap() = Mood::Works;
    }

    pub(crate) fn fails(&self) {
        *self.0.mood.lock().unwrap() = Mood::Fails { is_fatal: false };
    }

    pub(crate) fn fails_for_good(&self) {
        *self.0.mood.lock().unwrap() = Mood::Fails { is_fatal: true };
    }

    pub(crate) fn hangs(&self) {
        *self.0.mood.lock().unwrap() = Mood::Hangs;
    }

    /// Answers nothing to whoever asks from now on; one who asks anew later is answered.
    pub(crate) fn falls_silent(&self) {
        *self.0.mood.lock().unwrap() = Mood::Silent;
    }

    pub(crate) fn panics(&self) {
        *self.0.mood.lock().unwrap() = Mood::Panics;
    }

    pub(crate) fn is_dropped(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

#[async_trait::async_trait]
impl Source for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        loop {
            let mood = *self.state.mood.lock().unwrap();
            match mood {
                Mood::Works => break,
                Mood::Fails { is_fatal } => {
                    return Err(SourceError::Other {
                        name: self.name.clone(),
                        source: "the cable is cut".into(),
                        is_fatal,
                    });
                }
                Mood::Hangs => tokio::time::sleep(Duration::from_millis(10)).await,
                Mood::Silent => pending().await,
                Mood::Panics => panic!("the source is broken"),
            }
        }
        let version = self.state.version.load(Ordering::SeqCst);
        if self.seen.replace(version) == Some(version) {
            return Ok(Fetched::Unchanged);
        }
        Ok(Fetched::Document { bytes: self.state.text.lock().unwrap().clone(), format: Format::Json })
    }

    fn pause(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }
}

/// A document with one flag.
pub(crate) fn document(key: &str, variant: &str) -> String {
    format!(
        r#"{{"flags": {{"{key}": {{"state": "ENABLED", "variants": {{"on": true, "off": false}}, "defaultVariant": "{variant}"}}}}}}"#
    )
}
