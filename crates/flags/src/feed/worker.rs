//! The task that follows sources: one task more for each of them asks, and this one puts together what they say.

use std::{collections::HashMap, future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    select,
    sync::{mpsc, oneshot},
    task::{Id, JoinError, JoinSet, spawn_blocking},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    context::Context,
    details::ErrorCode,
    document::Document,
    flags::Flags,
    lifecycle::{Status, Trouble},
    source::{Fetched, Selector, Source, SourceError},
};

/// What is known of all sources.
pub(super) struct Worker {
    flags: Flags,
    selector: Selector,
    grace: Duration,
    /// How long sources may be silent that may not be so for ever; nothing if each of them tells.
    silence: Option<Duration>,
    parts: Vec<Part>,
    /// Until when sources may be waited for that have said nothing yet; nothing once that is over.
    waits_until: Option<Instant>,
    /// Whether a document is newer than what was loaded.
    is_newer: bool,
    /// What ended up to this moment was seen.
    settled_at: Instant,
}

/// What is known of one source.
struct Part {
    name: Arc<str>,
    /// What it said last that was a document.
    document: Option<Document>,
    /// The attributes that it gave for everybody, with that document.
    enrichment: Option<Context>,
    /// Why what it said last is none.
    refused: Option<Trouble>,
    /// Why it cannot be relied on, and since when.
    trouble: Option<(Trouble, Instant)>,
    was_heard: bool,
    /// Nobody asks it any more.
    has_ended: bool,
}

type Said = (usize, Result<Fetched, SourceError>);

impl Worker {
    pub(super) fn new(flags: Flags, selector: Selector, grace: Duration, silence: Option<Duration>) -> Self {
        let (parts, settled_at) = (Vec::new(), Instant::now());
        Self { flags, selector, grace, silence, parts, waits_until: None, is_newer: false, settled_at }
    }

    /// Follows until it is told to stop, or something panics that must not. Then no source is asked any more.
    pub(super) async fn run(
        mut self,
        sources: Vec<Box<dyn Source>>,
        deadline: Duration,
        begun: oneshot::Sender<()>,
        stopped: oneshot::Receiver<()>,
    ) {
        let flags = self.flags.clone();
        let mut asking = JoinSet::new();
        // Flags are behind locks that a panic leaves usable, and what else this knows goes with it.
        let following = AssertUnwindSafe(self.follow(sources, deadline, begun, &mut asking)).catch_unwind();
        select! {
            Err(_) = following => {
                let text = "what follows the sources panicked, and none is asked any more: report that";
                flags.give_up(Trouble::new(ErrorCode::General, text));
            }
            // What is detached is never told, as nobody is left who could.
            Ok(()) = stopped => {}
        }
        asking.shutdown().await;
    }

    async fn follow(
        &mut self,
        sources: Vec<Box<dyn Source>>,
        deadline: Duration,
        begun: oneshot::Sender<()>,
        asking: &mut JoinSet<()>,
    ) -> ! {
        let now = Instant::now();
        self.waits_until = Some(now.checked_add(deadline).unwrap_or_else(|| now + FAR));
        let mut begun = Some(begun);
        let (tell, mut told) = mpsc::channel(1);
        let mut tasks = HashMap::new();
        for (number, source) in sources.into_iter().enumerate() {
            self.parts.push(Part::new(source.name().into()));
            tasks.insert(asking.spawn(ask(number, source, self.silence, tell.clone())).id(), number);
        }
        drop(tell);
        loop {
            select! {
                Some(said) = told.recv() => self.hear(said).await,
                Some(ended) = asking.join_next_with_id() => self.ended(ended, &tasks),
                () = alarm(self.next_alarm()) => self.wait_no_longer(),
            }
            self.settle();
            if self.waits_until.is_none()
                && let Some(begun) = begun.take()
            {
                // Nobody listens if `follow` was dropped, and then this task is going to be.
                let _ = begun.send(());
            }
        }
    }

    async fn hear(&mut self, (number, said): Said) {
        let options = self.flags.options().clone();
        let Some(part) = self.parts.get_mut(number) else { return };
        part.was_heard = true;
        let said = said.map(|fetched| match fetched {
            Fetched::Unchanged => None,
            Fetched::Document { bytes, format } => Some((bytes, format, None)),
            Fetched::Enriched { bytes, format, context } => Some((bytes, format, Some(context))),
        });
        match said {
            Ok(None) => part.set_trouble(part.refused.clone()),
            Ok(Some((bytes, format, enrichment))) => {
                let previous = part.document.clone();
                let read = move || options.read(&bytes, format, previous.as_ref());
                match spawn_blocking(read).await {
                    Ok(Ok(document)) => {
                        part.document = Some(document);
                        part.enrichment = enrichment;
                        part.refused = None;
                        part.set_trouble(None);
                        self.is_newer = true;
                    }
                    Ok(Err(source)) => {
                        let error = SourceError::Document { name: part.name.to_string(), source };
                        part.refused = Some(part.trouble_of(&error));
                        part.set_trouble(part.refused.clone());
                    }
                    Err(_) => {
                        // The source knows this document now, and will call it unchanged.
                        part.refused = Some(part.unreadable());
                        part.set_trouble(part.refused.clone());
                    }
                }
            }
            Err(error) => {
                part.has_ended |= error.is_fatal();
                part.set_trouble(Some(part.trouble_of(&error)));
            }
        }
    }

    /// The task of a source ended: because the source has nothing more to say, or because it panicked.
    fn ended(&mut self, ended: Result<(Id, ()), JoinError>, tasks: &HashMap<Id, usize>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some(part) = tasks.get(&id).and_then(|number| self.parts.get_mut(*number)) else { return };
        part.has_ended = true;
        if let Err(error) = ended {
            part.was_heard = true;
            part.set_trouble(Some(part.failure(&error)));
        }
    }

    /// When something changes by itself: the deadline of the beginning, or the end of a grace period.
    fn next_alarm(&self) -> Option<Instant> {
        if self.waits_until.is_some() {
            return self.waits_until;
        }
        let ends = self.parts.iter().filter_map(|part| part.trouble.as_ref()?.1.checked_add(self.grace));
        ends.filter(|end| *end > self.settled_at).min()
    }

    fn wait_no_longer(&mut self) {
        let Some(until) = self.waits_until else { return };
        if Instant::now() < until {
            return;
        }
        self.waits_until = None;
        for part in self.parts.iter_mut().filter(|part| !part.was_heard) {
            let text = format!("{} has said nothing yet: look whether it is there", part.name);
            let trouble = Trouble::new(ErrorCode::General, text).of_source(Arc::clone(&part.name));
            part.set_trouble(Some(trouble));
        }
    }

    /// Brings the flags to what is known.
    fn settle(&mut self) {
        if self.waits_until.is_some() {
            if !self.parts.iter().all(|part| part.was_heard) {
                return;
            }
            self.waits_until = None;
        }
        self.settled_at = Instant::now();
        let trouble = self.trouble();
        if std::mem::take(&mut self.is_newer) {
            let known = self.parts.iter();
            let documents: Vec<_> =
                known.filter_map(|part| Some((&*part.name, part.document.clone()?))).collect();
            let document = Document::merged(&documents, &self.selector);
            self.flags.load_in(&document, self.enrichment(), trouble);
            return;
        }
        match trouble {
            None => self.flags.recover(),
            Some((Status::Fatal, trouble)) => self.flags.give_up(trouble),
            Some((Status::Stale, trouble)) => self.flags.lose(trouble),
            Some((_, trouble)) => self.flags.fail(trouble),
        }
    }

    /// The attributes that sources gave for everybody; of the same name those of the highest priority.
    fn enrichment(&self) -> Option<Context> {
        let mut given = self.parts.iter().filter_map(|part| part.enrichment.as_ref());
        let mut enrichment = given.next()?.clone();
        given.for_each(|above| enrichment.merge(above));
        Some(enrichment)
    }

    /// What keeps the flags from being up to date; of several sources that of the one with the highest priority.
    fn trouble(&self) -> Option<(Status, Trouble)> {
        let mut troubles = self.parts.iter().rev().filter_map(|part| part.trouble.as_ref());
        let (trouble, since) = troubles.next()?;
        let has_document = self.parts.iter().any(|part| part.document.is_some());
        let is_over = |since: Instant| self.settled_at.saturating_duration_since(since) >= self.grace;
        let status = if self.parts.iter().all(|part| part.has_ended) {
            Status::Fatal
        } else if !has_document || is_over(*since) || troubles.any(|(_, since)| is_over(*since)) {
            Status::Error
        } else {
            Status::Stale
        };
        Some((status, trouble.clone()))
    }
}

impl Part {
    fn new(name: Arc<str>) -> Self {
        Self {
            name,
            document: None,
            enrichment: None,
            refused: None,
            trouble: None,
            was_heard: false,
            has_ended: false,
        }
    }

    /// Trouble that goes on is as old as it was, also if it is of another kind now.
    fn set_trouble(&mut self, trouble: Option<Trouble>) {
        let since = self.trouble.as_ref().map_or_else(Instant::now, |(_, since)| *since);
        self.trouble = trouble.map(|trouble| (trouble, since));
    }

    fn trouble_of(&self, error: &SourceError) -> Trouble {
        Trouble::new(error.code(), error.in_full()).of_source(Arc::clone(&self.name))
    }

    /// Reading its document panicked, which it must not, or was stopped.
    fn unreadable(&self) -> Trouble {
        let text =
            format!("{} has a document whose reading broke off: report that, with the document", self.name);
        Trouble::new(ErrorCode::General, text).of_source(Arc::clone(&self.name))
    }

    fn failure(&self, error: &JoinError) -> Trouble {
        let what = if error.is_panic() { "panicked" } else { "was stopped" };
        let text = format!("{} {what} and is not asked again: report that to who wrote it", self.name);
        Trouble::new(ErrorCode::General, text).of_source(Arc::clone(&self.name))
    }
}

/// Asks a source again and again, as long as somebody listens.
async fn ask(
    number: usize,
    mut source: Box<dyn Source>,
    silence: Option<Duration>,
    tell: mpsc::Sender<Said>,
) {
    let longest = |source: &dyn Source| source.silence().map(|usual| silence.unwrap_or(usual));
    let mut limit = longest(&source);
    loop {
        let said = fetch(&mut source, limit).await;
        if said.is_ok() {
            limit = longest(&source);
        }
        let (is_fatal, shortest) = match &said {
            Ok(_) => (false, SHORTEST),
            Err(error) => (error.is_fatal(), SHORTEST_AFTER_ERROR),
        };
        let has_failed = said.is_err();
        if tell.send((number, said)).await.is_err() || is_fatal {
            return;
        }
        match source.pause() {
            Some(pause) => sleep(pause.max(shortest)).await,
            // It never says anything else; unless it has not yet said what it has to say.
            None if has_failed => sleep(RETRY).await,
            None => return,
        }
    }
}

async fn fetch(source: &mut dyn Source, limit: Option<Duration>) -> Result<Fetched, SourceError> {
    let Some(limit) = limit else { return source.fetch().await };
    let said = timeout(limit, source.fetch()).await;
    said.unwrap_or_else(|_| {
        Err(SourceError::Silent { name: source.name().to_owned(), seconds: limit.as_secs_f64() })
    })
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// So that a source whose pause is zero cannot take a whole processor.
const SHORTEST: Duration = Duration::from_millis(1);
const SHORTEST_AFTER_ERROR: Duration = Duration::from_millis(10);
const RETRY: Duration = Duration::from_secs(1);
/// As good as never.
const FAR: Duration = Duration::from_secs(86_400 * 365);
