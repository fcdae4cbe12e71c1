//! Whether the answer to a copy is the answer to the original.

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf as _, Bytes};
use http::Response;
use http_body::Body;

use crate::{
    mirror::Permit,
    pairs::{Pairs, Said},
};

/// How two answers to one request are compared: the live one, and the one to its copy.
///
/// Answers whose statuses are of different classes (2xx, 4xx, …) differ; whatever else is compared comes after that.
/// On the way of the live answer no more is done than to clone its head and, if bodies are compared, its body: so a body
/// must be cheap to clone, as `Full<Bytes>` is. Everything else runs where the copies run. A pair is part of the copies
/// in flight until it is compared, so their limit is a limit of memory, too.
pub struct Compare<A> {
    take: Arc<Take<A>>,
    agree: Arc<Agree>,
}

/// Compares nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Uncompared;

/// Whether and how answers of type `Response<A>` are compared: [`Uncompared`] or [`Compare`]. Not for others to
/// implement.
pub trait Comparing<A>: sealed::Sealed {
    #[doc(hidden)]
    fn compare(&self) -> Option<&Compare<A>>;
}

impl<A: 'static> Compare<A> {
    /// Compares the classes of the statuses.
    pub fn status() -> Self {
        Self::heads(|_, _| true)
    }

    /// Compares heads as told, such as a prediction in a header; first the live one. The bodies are empty.
    pub fn heads(agree: impl Fn(&Response<Bytes>, &Response<Bytes>) -> bool + Send + Sync + 'static) -> Self {
        let take = |answer: &Response<A>| {
            let head = head_of(answer);
            Taken { class: class_of(answer), rest: Rest::Answer(Box::pin(async { Collected::Whole(head) })) }
        };
        Self { take: Arc::new(take), agree: Arc::new(agree) }
    }
}

impl<A> Compare<A>
where
    A: Body + Clone + Send + 'static,
    A::Data: Send,
{
    /// Compares bodies byte for byte, up to this many bytes each; longer ones are not compared, and counted as such.
    pub fn bodies(limit: usize) -> Self {
        Self::answers(limit, |live, mirrored| live.body() == mirrored.body())
    }

    /// Compares whole answers as told, such as what two models predict; first the live one. Bodies of more than `limit`
    /// bytes are not compared, and counted as such. If `agree` panics, the pair is counted as missing.
    pub fn answers(
        limit: usize,
        agree: impl Fn(&Response<Bytes>, &Response<Bytes>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let take = move |answer: &Response<A>| {
            let rest = if answer.body().size_hint().lower() > limit as u64 {
                Rest::TooLong
            } else {
                let (head, body) = (head_of(answer), answer.body().clone());
                Rest::Answer(Box::pin(collect(head, body, limit)))
            };
            Taken { class: class_of(answer), rest }
        };
        Self { take: Arc::new(take), agree: Arc::new(agree) }
    }
}

impl<A> Clone for Compare<A> {
    fn clone(&self) -> Self {
        Self { take: Arc::clone(&self.take), agree: Arc::clone(&self.agree) }
    }
}

impl<A> fmt::Debug for Compare<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compare").finish_non_exhaustive()
    }
}

impl<A> Comparing<A> for Uncompared {
    fn compare(&self) -> Option<&Compare<A>> {
        None
    }
}

impl<A> Comparing<A> for Compare<A> {
    fn compare(&self) -> Option<&Self> {
        Some(self)
    }
}

/// Runs when the live answer is there, just before it goes out.
pub(crate) type Tap<R> = Box<dyn FnOnce(&R) + Send + Sync>;

/// One of the two answers of a pair, on its way. Dropped before it arrives, it is missing.
pub(crate) struct Side<A> {
    compare: Compare<A>,
    meeting: Arc<Meeting>,
    arrived: bool,
}

impl<A> Side<A> {
    /// Both sides of a new pair.
    pub(crate) fn both(compare: &Compare<A>, pairs: &Arc<Pairs>, permit: &Arc<Permit>) -> [Self; 2] {
        let meeting = Arc::new(Meeting {
            pairs: Arc::clone(pairs),
            _permit: Arc::clone(permit),
            agree: Arc::clone(&compare.agree),
            first: Mutex::new(First::Nobody),
        });
        let side = || Self { compare: compare.clone(), meeting: Arc::clone(&meeting), arrived: false };
        [side(), side()]
    }

    /// The answer is there. What is to be run in the background, if the other one was there before.
    pub(crate) fn arrive(mut self, which: Which, answer: &Response<A>) -> Option<Pending> {
        // It runs on the way of the live answer, which no panic of a body's clone may harm.
        let taken = catch_unwind(AssertUnwindSafe(|| (self.compare.take)(answer))).ok()?;
        self.arrived = true;
        self.meeting.arrive(which, taken)
    }
}

impl<A> Drop for Side<A> {
    fn drop(&mut self) {
        if !self.arrived {
            self.meeting.miss();
        }
    }
}

/// Which answer of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Live,
    Mirrored,
}

/// Where both answers of a pair come together. Nobody waits: whoever comes second has the comparison run.
struct Meeting {
    pairs: Arc<Pairs>,
    /// The pair is part of the copies in flight.
    _permit: Arc<Permit>,
    agree: Arc<Agree>,
    first: Mutex<First>,
}

enum First {
    Nobody,
    Arrived(Taken),
    /// One is missing, and so is the pair.
    Missing,
}

impl Meeting {
    fn arrive(self: &Arc<Self>, which: Which, taken: Taken) -> Option<Pending> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *first, First::Missing) {
            First::Nobody => {
                *first = First::Arrived(taken);
                None
            }
            First::Arrived(other) => {
                let (live, mirrored) = if which == Which::Live { (taken, other) } else { (other, taken) };
                let verdict = Verdict { meeting: Arc::clone(self), said: Said::Missing };
                Some(Box::pin(compare(verdict, live, mirrored)))
            }
            First::Missing => None,
        }
    }

    fn miss(&self) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(std::mem::replace(&mut *first, First::Missing), First::Missing) {
            self.pairs.record(Said::Missing);
        }
    }
}

async fn compare(mut verdict: Verdict, live: Taken, mirrored: Taken) {
    if live.class != mirrored.class {
        verdict.said = Said::Differed;
        return;
    }
    verdict.said = match (live.rest, mirrored.rest) {
        (Rest::Answer(live), Rest::Answer(mirrored)) => match (live.await, mirrored.await) {
            (Collected::Failed, _) | (_, Collected::Failed) => Said::Missing,
            (Collected::TooLong, _) | (_, Collected::TooLong) => Said::TooLong,
            (Collected::Whole(live), Collected::Whole(mirrored)) => {
                if (verdict.meeting.agree)(&live, &mirrored) { Said::Agreed } else { Said::Differed }
            }
        },
        (Rest::TooLong, _) | (_, Rest::TooLong) => Said::TooLong,
    };
}

/// What a pair came to, counted when it is dropped: once, whatever panics or is given up.
struct Verdict {
    meeting: Arc<Meeting>,
    said: Said,
}

impl Drop for Verdict {
    fn drop(&mut self) {
        self.meeting.pairs.record(self.said);
    }
}

/// What is taken from an answer while it passes.
struct Taken {
    class: u16,
    rest: Rest,
}

enum Rest {
    Answer(Pin<Box<dyn Future<Output = Collected> + Send>>),
    TooLong,
}

enum Collected {
    Whole(Response<Bytes>),
    TooLong,
    Failed,
}

pub(crate) type Pending = Pin<Box<dyn Future<Output = ()> + Send>>;
type Take<A> = dyn Fn(&Response<A>) -> Taken + Send + Sync;
type Agree = dyn Fn(&Response<Bytes>, &Response<Bytes>) -> bool + Send + Sync;

async fn collect<A: Body>(head: Response<Bytes>, body: A, limit: usize) -> Collected {
    let mut body = Box::pin(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(frame) = frame else { return Collected::Failed };
        let Ok(mut data) = frame.into_data() else { continue };
        if data.remaining() > limit.saturating_sub(bytes.len()) {
            return Collected::TooLong;
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            let length = chunk.len();
            bytes.extend_from_slice(chunk);
            data.advance(length);
        }
    }
    Collected::Whole(head.map(|_| Bytes::from(bytes)))
}

/// Everything but the body.
fn head_of<A>(answer: &Response<A>) -> Response<Bytes> {
    let mut head = Response::new(Bytes::new());
    *head.status_mut() = answer.status();
    *head.version_mut() = answer.version();
    *head.headers_mut() = answer.headers().clone();
    head
}

fn class_of<A>(answer: &Response<A>) -> u16 {
    answer.status().as_u16() / 100
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Uncompared {}
    impl<A> Sealed for super::Compare<A> {}
}
