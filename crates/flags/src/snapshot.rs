//! The flags as they are at one moment, and what they evaluate to.

use std::sync::Arc;

pub(crate) use self::{
    decision::{Decision, Failure},
    typed::{FlagType, read},
};
pub use self::{evaluation::Evaluation, failure::EvaluationError};
#[cfg(feature = "open-feature")]
use crate::logic::{Attributes, NotSimple};
use crate::{
    context::Context,
    details::Reason,
    document::{Document, Flag},
    guard::{Over, over::Rollout},
    logic::Clock,
    metadata::Metadata,
    value::Value,
};

mod decision;
mod evaluation;
mod failure;
pub(crate) mod typed;

/// The flags as they are at one moment. It never changes; cheap to clone.
///
/// What [`Flags`](crate::Flags) answers from. Take one where several flags have to be of one document.
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<State>);

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Another for every snapshot of a store; 0 before the first document.
    pub(crate) revision: u32,
    pub(crate) document: Document,
    /// Attributes that a source gives for everybody; nothing if there are none.
    pub(crate) enrichment: Option<Arc<Context>>,
    /// Rollouts of flags, and the sampling of evaluations; nothing if there is neither.
    pub(crate) over: Option<Arc<Over>>,
    /// Whether every value is given with the reason that it may be out of date.
    pub(crate) is_stale: bool,
    /// Whether nobody will bring a document; it matters before the first.
    pub(crate) is_given_up: bool,
}

impl Snapshot {
    pub(crate) fn of(state: Arc<State>) -> Self {
        Self(state)
    }

    /// What the flag of this key is for this context, whatever the type of its variants.
    pub fn evaluate<'a>(&'a self, key: &'a str, context: &'a Context) -> Evaluation<'a> {
        self.evaluate_with(key, context, Clock::System)
    }

    /// The same at another time, in Unix seconds: what rules see as `$flagd.timestamp`. A guard does not count it.
    pub fn evaluate_at<'a>(&'a self, key: &'a str, context: &'a Context, seconds: i64) -> Evaluation<'a> {
        self.evaluate_with(key, context, Clock::At(seconds))
    }

    /// The document that the flags are from; an empty one before the first.
    pub fn document(&self) -> &Document {
        &self.0.document
    }

    /// Whether there was a document yet.
    pub fn is_ready(&self) -> bool {
        self.0.revision != 0
    }

    /// How many documents were loaded up to this one.
    pub fn revision(&self) -> u32 {
        self.0.revision
    }

    pub(crate) fn rollouts(&self) -> &[Arc<Rollout>] {
        self.0.over.as_ref().map_or(&[], |over| over.rollouts())
    }

    fn evaluate_with<'a>(&'a self, key: &'a str, context: &'a Context, clock: Clock) -> Evaluation<'a> {
        let flag = self.0.find(key);
        Evaluation::new(
            self.0.decide::<Value>(flag, context, clock),
            key,
            self.0.flag_at(flag),
            self.0.metadata_of(flag),
        )
    }
}

/// The names of the attributes that are looked at.
#[cfg(feature = "open-feature")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads<'a> {
    by_rule: &'a [Box<str>],
    beside: [Option<&'a str>; 2],
}

#[cfg(feature = "open-feature")]
impl<'a> Reads<'a> {
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        self.by_rule.iter().map(|name| &**name).chain(self.beside.into_iter().flatten())
    }
}

impl State {
    /// Where the flag of this key is: its index, or [`NO_FLAG`].
    #[inline]
    pub(crate) fn find(&self, key: &str) -> u32 {
        self.document.index_of(key).unwrap_or(NO_FLAG)
    }

    /// The one place where a flag is evaluated, to be read as this type.
    #[inline]
    pub(crate) fn decide<'a, T: FlagType + ?Sized>(
        &'a self,
        flag: u32,
        context: &'a Context,
        clock: Clock,
    ) -> Decision<'a> {
        let decision = match &self.over {
            None => self.by_document(flag, context, clock),
            Some(over) => over.decide(self, flag, context, clock, |value| T::of(value).is_some()),
        };
        self.dated(decision)
    }

    /// The same of plain attributes, where those suffice. They are asked for only if there is a rule.
    #[cfg(feature = "open-feature")]
    #[inline]
    pub(crate) fn decide_simply<A: Attributes>(
        &self,
        flag: u32,
        attributes: impl FnOnce() -> Option<A>,
    ) -> Result<Decision<'_>, NotSimple> {
        let lies_over = self.over.as_ref().is_some_and(|over| over.touches(flag));
        let found = self.flag_at(flag).filter(|flag| {
            !(lies_over || self.enrichment.as_ref().is_some_and(|enrichment| flag.reads_of(enrichment)))
        });
        found.ok_or(NotSimple)?.decide_simply(attributes).map(|decision| self.dated(decision))
    }

    /// An evaluation of a flag in this context failed before the flag was looked at.
    #[cfg(feature = "open-feature")]
    pub(crate) fn fail(&self, flag: u32, subject: Option<&str>) {
        if let Some(over) = &self.over {
            over.fail(flag, subject);
        }
    }

    /// With the reason that it may be out of date, if it may.
    #[inline]
    fn dated<'a>(&self, decision: Decision<'a>) -> Decision<'a> {
        match decision {
            Decision::Variant(variant, _) if self.is_stale => Decision::Variant(variant, Reason::Stale),
            decision => decision,
        }
    }

    /// What the document says of a flag.
    #[inline]
    pub(crate) fn by_document<'a>(&'a self, flag: u32, context: &'a Context, clock: Clock) -> Decision<'a> {
        match self.document.flag_at(flag) {
            Some(flag) => match &self.enrichment {
                None => flag.decide(context, clock),
                Some(enrichment) => flag.decide_enriched(enrichment, context, clock),
            },
            None if self.revision == 0 && self.is_given_up => Decision::Failed(Failure::GivenUp),
            None if self.revision == 0 => Decision::Failed(Failure::NotReady),
            None => Decision::Failed(Failure::NotFound),
        }
    }

    /// The attributes that make a difference to [`State::decide`]; nothing if any may.
    #[cfg(feature = "open-feature")]
    pub(crate) fn reads(&self, flag: u32) -> Option<Reads<'_>> {
        let rule = self.flag_at(flag).and_then(|flag| flag.body.as_ref()?.rule.as_ref());
        let by_rule = rule.map_or(Some(&[] as &[_]), |rule| rule.reads())?;
        let beside = self.over.as_ref().map_or([None; 2], |over| over.reads(flag));
        Some(Reads { by_rule, beside })
    }

    #[inline]
    pub(crate) fn flag_at(&self, flag: u32) -> Option<&Flag> {
        self.document.flag_at(flag)
    }

    /// The metadata of a flag; of the document, where there is no such flag.
    pub(crate) fn metadata_of(&self, flag: u32) -> &Metadata {
        self.flag_at(flag).map_or_else(|| self.document.metadata(), |flag| &flag.metadata)
    }
}

/// The index of a flag that does not exist.
pub(crate) const NO_FLAG: u32 = u32::MAX;
