//! The flags of a program: one store, one call.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, Guard};

pub use self::{
    change::{Change, Report},
    details::Details,
    handle::Handle,
    held::{Held, ObjectRef, Text},
    no_value::NoValue,
};
use crate::{
    context::Context,
    document::{Document, DocumentError, Format, Options},
    lifecycle::{Lifecycle, Status, Trouble},
    logic::Clock,
    snapshot::{Decision, FlagType, Snapshot, State, read},
    value::Map,
};

mod change;
mod details;
mod guarded;
mod handle;
mod held;
mod no_value;
mod status;

/// The flags of a program. Cheap to clone; clones share one store.
///
/// Reading takes no lock and waits for nobody, also while another thread loads a document: a new document is one atomic
/// swap. It allocates only where a rule makes something, or where a source gives attributes for everybody. Before the first document every flag fails with
/// [`ErrorCode::ProviderNotReady`](crate::ErrorCode::ProviderNotReady); or `ProviderFatal`, once they are
/// [given up](Flags::give_up).
///
/// ```
/// use serinus_flags::{Context, Flags};
///
/// let flags = Flags::default();
/// flags.update(
///     br#"{"flags": {"search": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}}}"#,
///     Default::default(),
/// )?;
/// assert!(flags.bool("search", &Context::new("user-42")).unwrap_or(false));
///
/// // A document that cannot be read changes nothing.
/// assert!(flags.update(b"<html>", Default::default()).is_err());
/// assert!(flags.bool("search", &Context::new("user-42")).unwrap_or(false));
/// # Ok::<(), serinus_flags::DocumentError>(())
/// ```
#[derive(Clone, Default)]
pub struct Flags(Arc<Store>);

#[derive(Default)]
struct Store {
    current: ArcSwap<State>,
    /// Held while a document is loaded or the status changes, so that no change is lost and values and status agree.
    loading: Mutex<()>,
    options: Options,
    lifecycle: Lifecycle,
}

impl Flags {
    /// Without any document, reading those to come so.
    pub fn with_options(options: Options) -> Self {
        Self(Arc::new(Store { options, ..Store::default() }))
    }

    /// From now on, the flags are those of this document.
    pub fn load(&self, document: &Document) -> Report {
        let _one_at_a_time = self.0.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.current.load_full();
        self.swap(&before, document.clone(), before.enrichment.clone(), None)
    }

    /// Reads a document and loads it. What is written as before is not compiled again.
    ///
    /// # Errors
    ///
    /// If it is no document at all; the flags stay as they are. Flags that are at fault are no error:
    /// [`Report::faults`] has them.
    pub fn update(&self, bytes: &[u8], format: Format) -> Result<Report, DocumentError> {
        let _one_at_a_time = self.0.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.current.load_full();
        let document = self.0.options.read(bytes, format, Some(&before.document))?;
        Ok(self.swap(&before, document, before.enrichment.clone(), None))
    }

    /// The flags as they are now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.0.current.load_full())
    }

    /// The way to one flag, for code that asks for it often. The flag need not exist yet.
    pub fn handle(&self, key: impl Into<Arc<str>>) -> Handle {
        Handle::new(self.clone(), key.into())
    }

    /// The value of a flag whose variants are booleans.
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts; so `.unwrap_or(false)` is what is called a default value elsewhere.
    #[inline]
    pub fn bool(&self, key: &str, context: &Context) -> Result<bool, NoValue> {
        let state = self.state();
        state.copied::<bool>(state.find(key), context)
    }

    /// The value of a flag whose variants are integers, or floats without a fraction.
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn int(&self, key: &str, context: &Context) -> Result<i64, NoValue> {
        let state = self.state();
        state.copied::<i64>(state.find(key), context)
    }

    /// The value of a flag whose variants are numbers.
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn float(&self, key: &str, context: &Context) -> Result<f64, NoValue> {
        let state = self.state();
        state.copied::<f64>(state.find(key), context)
    }

    /// The value of a flag whose variants are texts.
    ///
    /// ```
    /// # let (flags, context) = (serinus_flags::Flags::default(), serinus_flags::Context::default());
    /// // To look at it:
    /// let is_blue = flags.string("color", &context).as_deref() == Ok("blue");
    /// // To keep it, or the program's own default:
    /// let color = flags.string("color", &context).map_or_else(|_| "green".to_owned(), String::from);
    /// # assert_eq!((is_blue, &*color), (false, "green"));
    /// ```
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn string(&self, key: &str, context: &Context) -> Result<Text, NoValue> {
        self.held::<str>(key, context)
    }

    /// The value of a flag whose variants are objects.
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn object(&self, key: &str, context: &Context) -> Result<ObjectRef, NoValue> {
        self.held::<Map>(key, context)
    }

    /// The value of a flag whose variants are booleans, and how it came about.
    pub fn bool_details(&self, key: &str, context: &Context) -> Details<bool> {
        self.details(key, context)
    }

    /// The value of a flag whose variants are integers, and how it came about.
    pub fn int_details(&self, key: &str, context: &Context) -> Details<i64> {
        self.details(key, context)
    }

    /// The value of a flag whose variants are numbers, and how it came about.
    pub fn float_details(&self, key: &str, context: &Context) -> Details<f64> {
        self.details(key, context)
    }

    /// The value of a flag whose variants are texts, and how it came about.
    pub fn string_details(&self, key: &str, context: &Context) -> Details<str> {
        self.details(key, context)
    }

    /// The value of a flag whose variants are objects, and how it came about.
    pub fn object_details(&self, key: &str, context: &Context) -> Details<Map> {
        self.details(key, context)
    }

    /// The value of a flag, and how it came about: `flags.details::<bool>("search", &context)`; of any type with
    /// `flags.details::<Value>`.
    pub fn details<T: FlagType + ?Sized>(&self, key: &str, context: &Context) -> Details<T> {
        let state = self.state();
        let flag = state.find(key);
        Details::new(state, flag, key, context)
    }

    #[inline]
    pub(crate) fn state(&self) -> Guard<Arc<State>> {
        self.0.current.load()
    }

    #[inline]
    fn held<T: FlagType + ?Sized>(&self, key: &str, context: &Context) -> Result<Held<T>, NoValue> {
        let state = self.state();
        let flag = state.find(key);
        Held::new(state, flag, context)
    }

    /// The one place where a snapshot takes the place of another.
    fn swap(
        &self,
        before: &State,
        document: Document,
        enrichment: Option<Arc<Context>>,
        trouble: Option<(Status, Trouble)>,
    ) -> Report {
        let mut change = Change::between(&before.document, &document);
        if before.enrichment != enrichment {
            change.add_those_that_look(&document, before.enrichment.as_deref(), enrichment.as_deref());
        }
        let revision = before.revision.checked_add(1).unwrap_or(1);
        // What was decided about a flag outlives the document it was decided under.
        let over = before.over.as_ref().and_then(|over| over.onto(&document));
        let guards: Vec<_> =
            over.iter().flat_map(|over| over.rollouts()).map(|one| Arc::clone(&one.live)).collect();
        let is_stale = trouble.is_some();
        let state =
            State { revision, document: document.clone(), enrichment, over, is_stale, is_given_up: false };
        self.0.current.store(Arc::new(state));
        guards.iter().for_each(|live| live.inbox.ring());
        let report = Report::new(change, document);
        self.0.lifecycle.loaded(&report, before.revision == 0, trouble);
        report
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let (revision, flags) = (state.revision, state.document.len());
        formatter.debug_struct("Flags").field("revision", &revision).field("flags", &flags).finish()
    }
}

impl State {
    #[inline]
    fn copied<T: for<'a> FlagType<Ref<'a> = T>>(&self, flag: u32, context: &Context) -> Result<T, NoValue> {
        match self.decide::<T>(flag, context, Clock::System) {
            Decision::Variant(variant, _) => {
                read::<T>(variant).map_err(|failure| NoValue::Failed(failure.code()))
            }
            Decision::Nothing(reason) => Err(NoValue::because(reason)),
            Decision::Failed(failure) => Err(NoValue::Failed(failure.code())),
        }
    }
}
