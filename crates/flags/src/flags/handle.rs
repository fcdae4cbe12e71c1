//! The way to one flag.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::Guard;

use super::{
    Flags,
    details::Details,
    held::{Held, ObjectRef, Text},
    no_value::NoValue,
};
use crate::{
    context::Context,
    snapshot::{FlagType, State},
    value::Map,
};

/// The way to one flag: its key is looked up once for every document instead of at every call.
///
/// The flag need not exist; the handle finds it as soon as it does.
pub struct Handle {
    flags: Flags,
    key: Arc<str>,
    /// In the upper half the revision of the snapshot that was looked into last, in the lower half what was found.
    found: AtomicU64,
}

impl Handle {
    pub(super) fn new(flags: Flags, key: Arc<str>) -> Self {
        let handle = Self { flags, key, found: AtomicU64::new(u64::MAX) };
        drop(handle.look());
        handle
    }

    /// The key of the flag.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// As [`Flags::bool`].
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn bool(&self, context: &Context) -> Result<bool, NoValue> {
        let (state, flag) = self.look();
        state.copied::<bool>(flag, context)
    }

    /// As [`Flags::int`].
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn int(&self, context: &Context) -> Result<i64, NoValue> {
        let (state, flag) = self.look();
        state.copied::<i64>(flag, context)
    }

    /// As [`Flags::float`].
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn float(&self, context: &Context) -> Result<f64, NoValue> {
        let (state, flag) = self.look();
        state.copied::<f64>(flag, context)
    }

    /// As [`Flags::string`].
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn string(&self, context: &Context) -> Result<Text, NoValue> {
        let (state, flag) = self.look();
        Held::<str>::new(state, flag, context)
    }

    /// As [`Flags::object`].
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    #[inline]
    pub fn object(&self, context: &Context) -> Result<ObjectRef, NoValue> {
        let (state, flag) = self.look();
        Held::<Map>::new(state, flag, context)
    }

    /// As [`Flags::details`].
    pub fn details<T: FlagType + ?Sized>(&self, context: &Context) -> Details<T> {
        let (state, flag) = self.look();
        Details::new(state, flag, &self.key, context)
    }

    /// The snapshot of now, and where the flag is in it.
    #[inline]
    fn look(&self) -> (Guard<Arc<State>>, u32) {
        let state = self.flags.state();
        let found = self.found.load(Ordering::Relaxed);
        let flag = if (found >> 32) as u32 == state.revision { found as u32 } else { self.look_up(&state) };
        (state, flag)
    }

    /// Both halves are written as one, so a reader never takes the index of one snapshot for that of another.
    #[cold]
    fn look_up(&self, state: &State) -> u32 {
        let flag = state.find(&self.key);
        self.found.store(u64::from(state.revision) << 32 | u64::from(flag), Ordering::Relaxed);
        flag
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.flags.clone(), Arc::clone(&self.key))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handle").field("key", &self.key).finish_non_exhaustive()
    }
}
