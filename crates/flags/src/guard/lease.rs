//! Which of several instances decides, and until when.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serinus_core::{
    port::{Clock, PortError, PortErrorKind, Saved, StateStore, Version},
    time::{GoDuration, Timestamp},
};

use super::{
    envelope::{Contents, close, open},
    lock,
    record::Book,
};

/// The right to decide for a while. It is kept in the store, in the same text as the state, so that nothing can be
/// saved by who has lost it: whoever saves replaces the text that it has read, and has found its own lease in it.
///
/// # Clocks
///
/// Each instance compares [`Lease::until`] with its own clock. One whose clock is ahead by some seconds takes over
/// that much too early, one whose clock is behind that much too late. Either costs a change of leaders, or a wait,
/// and neither lets two write: that is decided by the store alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Lease {
    /// The name of the instance that decides.
    pub holder: String,
    /// When it runs out, unless it is renewed, by the clock of the holder.
    pub until: Timestamp,
    /// How many leases there were before: the term of leadership in every fence of the holder.
    pub fence: u64,
    /// Tells two instances of the same name apart.
    token: String,
}

/// Where this instance stands.
pub(crate) enum Standing {
    /// It has the lease.
    Leads(Lease),
    /// Another instance has it.
    Follows(Lease),
}

/// A store of states beside a lease; it saves only what the holder of the lease says.
#[derive(Debug)]
pub(crate) struct Leased {
    store: Arc<dyn StateStore>,
    book: Arc<Book>,
    clock: Arc<dyn Clock>,
    name: Arc<str>,
    token: String,
    length: GoDuration,
    known: Mutex<Known>,
}

/// What the store held when it was last read or written.
#[derive(Debug, Default)]
struct Known {
    lease: Option<Lease>,
    state: Option<String>,
    /// The version as it is.
    version: Option<Version>,
    /// The version that whoever uses the store was told, since when only the lease has changed.
    told: Option<Version>,
}

impl Leased {
    pub(crate) fn new(
        store: Arc<dyn StateStore>,
        book: Arc<Book>,
        clock: Arc<dyn Clock>,
        name: Arc<str>,
        token: String,
        length: GoDuration,
    ) -> Self {
        Self { store, book, clock, name, token, length, known: Mutex::default() }
    }

    /// Takes the lease, unless another instance has it.
    pub(crate) async fn stand(&self) -> Result<Standing, PortError> {
        self.read().await?;
        let found = self.known().lease.clone();
        if let Some(lease) = &found
            && !self.is_mine(lease)
            && lease.until > self.clock.now()
        {
            return Ok(Standing::Follows(lease.clone()));
        }
        let fence = found.map_or(0, |lease| lease.fence).saturating_add(1);
        let state = self.known().state.clone();
        match self.write(fence, self.length, state).await {
            Ok(lease) => Ok(Standing::Leads(lease)),
            Err(error) if error.kind() == PortErrorKind::Conflict => {
                self.read().await?;
                match self.known().lease.clone() {
                    Some(lease) => Ok(Standing::Follows(lease)),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the lease last from now.
    pub(crate) async fn renew(&self) -> Result<Lease, PortError> {
        let fence = self.mine()?.fence;
        let state = self.known().state.clone();
        match self.write(fence, self.length, state).await {
            Err(error) if error.kind() == PortErrorKind::Conflict => {
                self.read().await?;
                self.mine()?;
                Err(error)
            }
            other => other,
        }
    }

    /// Gives the lease back, so that the next leader need not wait. What the store says of it does not matter: it runs
    /// out anyway.
    pub(crate) async fn release(&self) {
        let Ok(Lease { fence, .. }) = self.mine() else { return };
        let state = self.known().state.clone();
        if let Err(error) = self.write(fence, GoDuration::ZERO, state).await {
            tracing::debug!(error = error.chain(), "a lease was not given back");
        }
    }

    /// When the lease is to be renewed: after a third of it.
    pub(crate) fn renewal(&self) -> Timestamp {
        let rest = GoDuration::from_nanos(-(self.length.as_nanos() / 3).saturating_mul(2));
        match &self.known().lease {
            Some(lease) => rest.after(lease.until),
            None => self.clock.now(),
        }
    }

    async fn read(&self) -> Result<Option<Saved>, PortError> {
        let saved = self.store.load().await?;
        let version = saved.as_ref().map(|saved| saved.version);
        let nothing = Contents { record: None, lease: None, state: None };
        let Contents { record, lease, state } = saved.map_or(nothing, |saved| open(saved.document));
        self.book.read(record, state.as_deref())?;
        let told = version.filter(|_| state.is_some());
        *self.known() = Known { lease, state: state.clone(), version, told };
        Ok(state.zip(told).map(|(document, version)| Saved { document, version }))
    }

    /// The lease, if it is this instance's as far as it knows.
    pub(crate) fn mine(&self) -> Result<Lease, PortError> {
        match &self.known().lease {
            Some(lease) if self.is_mine(lease) => Ok(lease.clone()),
            Some(Lease { holder, until, .. }) => Err(fenced(format!("`{holder}` decides until {until}"))),
            None => Err(fenced("nobody has the lease any more".to_owned())),
        }
    }

    async fn write(&self, fence: u64, length: GoDuration, state: Option<String>) -> Result<Lease, PortError> {
        let until = length.after(self.clock.now());
        let (holder, token) = (self.name.to_string(), self.token.clone());
        let lease = Lease { holder, until, fence, token };
        let document = close(Some(&lease), &self.book.write(state.as_deref()), state.as_deref())?;
        let seen = self.known().version;
        let version = self.store.save(&document, seen).await?;
        let mut known = self.known();
        (known.lease, known.state, known.version) = (Some(lease.clone()), state, Some(version));
        Ok(lease)
    }

    fn is_mine(&self, lease: &Lease) -> bool {
        lease.token == self.token
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

#[async_trait]
impl StateStore for Leased {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.read().await
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        let Lease { fence, .. } = self.mine()?;
        let told = self.known().told;
        if told != seen {
            return Err(PortError::new(PortErrorKind::Conflict, "saved by another instance: load again"));
        }
        self.write(fence, self.length, Some(document.to_owned())).await?;
        let mut known = self.known();
        known.told = known.version;
        known.version.ok_or_else(|| PortError::new(PortErrorKind::Conflict, "the store names no version"))
    }
}

fn fenced(why: String) -> PortError {
    PortError::new(PortErrorKind::Fenced, format!("{why}: this instance follows"))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use serinus_core::port::memory::{ManualClock, MemoryStore};

    use super::{
        super::{envelope::Opened, record::new_token},
        *,
    };

    fn book() -> Arc<Book> {
        Arc::new(Book::of("search".into()))
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    fn leased(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>, name: &str) -> Leased {
        let (store, clock) = (Arc::clone(store) as _, Arc::clone(clock) as _);
        Leased::new(store, book(), clock, name.into(), new_token(), GoDuration::from_secs(30))
    }

    fn leads(leased: &Leased) -> bool {
        matches!(now(leased.stand()).unwrap(), Standing::Leads(_))
    }

    fn at(clock: &ManualClock, second: i64) {
        clock.set(Timestamp::from_second(second).unwrap());
    }

    #[test]
    fn one_of_two_leads_even_if_they_share_a_name() {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
        let (one, two) = (leased(&store, &clock, "shop"), leased(&store, &clock, "shop"));
        at(&clock, 0);
        assert!(leads(&one) && !leads(&two) && leads(&one));
        assert_eq!(now(one.load()).unwrap(), None, "a lease is no state");
        let first = now(one.save(r#"{"a":1}"#, None)).unwrap();
        assert_eq!(now(two.load()).unwrap().unwrap().document, r#"{"a":1}"#);
        let refused = now(two.save(r#"{"a":2}"#, Some(first))).unwrap_err();
        assert_eq!(refused.kind(), PortErrorKind::Fenced);
        assert!(refused.chain().contains("`shop` decides until"), "{}", refused.chain());
    }

    #[test]
    fn a_renewal_is_no_change_of_the_state() {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
        let one = leased(&store, &clock, "one");
        at(&clock, 0);
        assert!(leads(&one));
        let first = now(one.save("1", None)).unwrap();
        assert_eq!(one.renewal(), Timestamp::from_second(10).unwrap());
        at(&clock, 10);
        now(one.renew()).unwrap();
        assert_eq!(one.renewal(), Timestamp::from_second(20).unwrap());
        let second = now(one.save("2", Some(first))).unwrap();
        assert_eq!(now(one.save("3", Some(first))).unwrap_err().kind(), PortErrorKind::Conflict);
        assert!(now(one.save("3", Some(second))).is_ok());
    }

    #[test]
    fn who_stalls_is_replaced_and_its_write_is_refused() {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
        let (one, two) = (leased(&store, &clock, "one"), leased(&store, &clock, "two"));
        at(&clock, 0);
        assert!(leads(&one));
        let first = now(one.save("1", None)).unwrap();
        at(&clock, 29);
        assert!(!leads(&two));
        at(&clock, 30);
        assert!(leads(&two));
        assert_eq!(now(one.save("2", Some(first))).unwrap_err().kind(), PortErrorKind::Conflict);
        let loaded = now(one.load()).unwrap().unwrap();
        assert_eq!(now(one.save("2", Some(loaded.version))).unwrap_err().kind(), PortErrorKind::Fenced);
        assert_eq!(now(one.renew()).unwrap_err().kind(), PortErrorKind::Fenced);
        assert_eq!(now(two.load()).unwrap().unwrap().document, "1");
        // Who gives the lease back need not be waited for.
        now(two.release());
        let Standing::Leads(lease) = now(one.stand()).unwrap() else { panic!("nobody else has it") };
        assert_eq!((lease.holder.as_str(), lease.fence), ("one", 3));
    }

    #[test]
    fn a_stall_that_nobody_noticed_harms_nothing() {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
        let one = leased(&store, &clock, "one");
        at(&clock, 0);
        assert!(leads(&one));
        at(&clock, 1_000);
        assert!(now(one.save("1", None)).is_ok());
        assert!(now(one.renew()).is_ok());
    }

    #[test]
    fn clocks_that_differ_change_leaders_and_never_lose_a_write() {
        let store = Arc::new(MemoryStore::new());
        let (slow, fast) = (Arc::new(ManualClock::default()), Arc::new(ManualClock::default()));
        let (one, two) = (leased(&store, &slow, "one"), leased(&store, &fast, "two"));
        at(&slow, 0);
        at(&fast, 31);
        assert!(leads(&one));
        let first = now(one.save("1", None)).unwrap();
        assert!(leads(&two), "for its clock the lease has run out");
        let loaded = now(two.load()).unwrap().unwrap();
        assert_eq!(loaded.document, "1");
        assert_eq!(now(one.save("0", Some(first))).unwrap_err().kind(), PortErrorKind::Conflict);
        assert!(now(two.save("2", Some(loaded.version))).is_ok());
        assert!(!leads(&one));
        assert_eq!(now(one.load()).unwrap().unwrap().document, "2");
    }

    #[test]
    fn a_state_without_a_lease_is_taken_over_and_one_with_it_is_read_by_all() {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
        let version = now(store.save(r#"{"schema":1}"#, None)).unwrap();
        let one = leased(&store, &clock, "one");
        assert!(leads(&one));
        let loaded = now(one.load()).unwrap().unwrap();
        assert_eq!(loaded.document, r#"{"schema":1}"#);
        assert_ne!(loaded.version, version);
        let opened = Opened { store: Arc::clone(&store) as _, book: book() };
        assert_eq!(now(opened.load()).unwrap(), Some(loaded));
        let empty = Arc::new(MemoryStore::new());
        assert!(leads(&leased(&empty, &clock, "one")));
        let opened = Opened { store: empty as _, book: book() };
        assert_eq!(now(opened.load()).unwrap(), None);
        assert!(now(opened.save("1", None)).is_ok(), "a lease alone is nothing to go on from");
    }
}
