//! What lies over a document: rollouts by flag, and the sampling of evaluations.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serinus_core::{
    cohort::{Cohort, Place, Salt, Trial},
    metric::Windows,
    traffic::Weight,
};

use super::{
    checks::Checks,
    counters::{Apart, Arm, Counters},
    inbox::Inbox,
    mark::Mark,
    outcome::Recorded,
    panel::Event,
    telemetry,
};
#[cfg(feature = "open-feature")]
use crate::context::TARGETING_KEY;
use crate::{
    context::Context,
    details::Reason,
    document::Document,
    logic::Clock,
    snapshot::{Decision, State},
};

/// What lies over a document; a store that has none of it has none of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Over {
    rollouts: Vec<Arc<Rollout>>,
    /// By the index of the flag in the document that this lies over. Only those that change anything.
    placed: FxHashMap<u32, Placed>,
    /// One in so many evaluations of a thread is told; 0 for none.
    sampling: u32,
}

/// The rollout of one flag, whatever the document.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) key: Arc<str>,
    pub(crate) salt: Salt,
    /// The variant that everybody gets who is not in the candidate's cohort; the default variant if it is none.
    pub(crate) stable: Option<Arc<str>>,
    pub(crate) candidate: Arc<str>,
    pub(crate) weight: Weight,
    /// The definition that the weight was decided for; another one is unproven.
    pub(crate) definition: Option<u32>,
    /// The attribute by which a person is known whose targeting key may change.
    pub(crate) identity: Option<Arc<str>>,
    pub(crate) live: Arc<Live>,
}

/// What of a rollout stays the same from swap to swap.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) counters: Counters,
    pub(crate) windows: Windows<Mark>,
    pub(crate) checks: Checks,
    pub(crate) inbox: Inbox,
}

/// A rollout within one document.
#[derive(Clone, Debug)]
struct Placed {
    salt: Salt,
    trial: Trial,
    candidate: u32,
    /// Where everybody else is, if that is not the default variant.
    stable: Option<u32>,
    default: Option<u32>,
    identity: Option<Arc<str>>,
    /// Whether subjects are followed: while both arms are of the same size, nobody passes from one to the other.
    is_even: bool,
    live: Arc<Live>,
}

impl Over {
    /// The same over another document; nothing if there is nothing left.
    pub(crate) fn onto(&self, document: &Document) -> Option<Arc<Self>> {
        if self.rollouts.is_empty() && self.sampling == 0 {
            return None;
        }
        let rollouts: Vec<_> = self.rollouts.iter().map(|rollout| rollout.absorbed_by(document)).collect();
        let placed = rollouts.iter().filter_map(|rollout| rollout.placed(document)).collect();
        Some(Arc::new(Self { rollouts, placed, sampling: self.sampling }))
    }

    /// With this rollout instead of the one of the same flag.
    pub(crate) fn with(mut self, rollout: Rollout) -> Self {
        self = self.without(&rollout.key);
        self.rollouts.push(Arc::new(rollout));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.rollouts.retain(|rollout| *rollout.key != *key);
        self
    }

    pub(crate) fn sampling(self, one_in: u32) -> Self {
        Self { sampling: one_in, ..self }
    }

    pub(crate) fn rollout(&self, key: &str) -> Option<&Arc<Rollout>> {
        self.rollouts.iter().find(|rollout| *rollout.key == *key)
    }

    pub(crate) fn rollouts(&self) -> &[Arc<Rollout>] {
        &self.rollouts
    }

    /// What the flag is with what lies over it.
    #[inline(never)]
    pub(crate) fn decide<'a>(
        &'a self,
        state: &'a State,
        flag: u32,
        context: &'a Context,
        clock: Clock,
    ) -> Decision<'a> {
        let mut decision = state.by_document(flag, context, clock);
        if let Some(placed) = self.placed.get(&flag) {
            let is_real = matches!(clock, Clock::System);
            decision = placed.decide(state, flag, decision, context, is_real);
        }
        if self.sampling != 0 {
            telemetry::sample(self.sampling, state, flag, &decision, context);
        }
        decision
    }

    /// Counts an outcome of whoever asks in this context, if the document leaves it to the trial.
    pub(crate) fn record(&self, state: &State, flag: u32, context: &Context, recorded: Recorded) {
        let Some(placed) = self.placed.get(&flag) else { return };
        let Some(subject) = context.targeting_key() else { return };
        if is_baseline(&state.by_document(flag, context, Clock::System)) {
            let place = placed.salt.place(subject);
            placed.record(place, placed.followed(place, context), recorded);
        }
    }

    /// Counts an outcome of a targeting key.
    pub(crate) fn record_by_key(&self, flag: u32, subject: &str, recorded: Recorded) {
        let Some(placed) = self.placed.get(&flag) else { return };
        let place = placed.salt.place(subject);
        let is_followed = placed.is_even && placed.identity.is_none();
        placed.record(place, is_followed.then_some(place), recorded);
    }

    /// Whether it changes or sees what the document says of a flag.
    #[cfg(feature = "open-feature")]
    pub(crate) fn touches(&self, flag: u32) -> bool {
        self.sampling != 0 || self.placed.contains_key(&flag)
    }

    /// The attributes that are looked at beside those of the flag's rule.
    #[cfg(feature = "open-feature")]
    pub(crate) fn reads(&self, flag: u32) -> [Option<&str>; 2] {
        let placed = self.placed.get(&flag);
        let key = (placed.is_some() || self.sampling != 0).then_some(TARGETING_KEY);
        [key, placed.and_then(|placed| placed.identity.as_deref())]
    }

    /// The trial that is in force for a flag.
    pub(crate) fn trial(&self, flag: u32) -> Option<Trial> {
        self.placed.get(&flag).map(|placed| placed.trial)
    }
}

impl Placed {
    #[inline]
    fn decide<'a>(
        &'a self,
        state: &'a State,
        flag: u32,
        decision: Decision<'a>,
        context: &'a Context,
        is_real: bool,
    ) -> Decision<'a> {
        if !is_baseline(&decision) {
            if is_real {
                self.stand_aside(&decision, context);
            }
            return decision;
        }
        let variant = |index: u32| {
            let body = state.flag_at(flag)?.body.as_ref()?;
            body.variants.get(index as usize).map(|variant| Decision::Variant(variant, Reason::Split))
        };
        let stable = |decision| self.stable.and_then(variant).unwrap_or(decision);
        let Some(subject) = context.targeting_key() else {
            if is_real {
                self.live.counters.leave_out(Apart::Keyless);
            }
            return stable(decision);
        };
        let place = self.salt.place(subject);
        let Some(arm) = self.arm(place) else { return stable(decision) };
        if is_real {
            self.live.counters.expose(arm, place);
            if let Some(place) = self.followed(place, context) {
                self.live.checks.panel.note(place, arm, Event::Exposed(arm));
            }
        }
        match (arm, decision) {
            (Arm::Candidate, decision) => variant(self.candidate).unwrap_or(decision),
            (Arm::Control, Decision::Variant(default, _)) => {
                stable(Decision::Variant(default, Reason::Split))
            }
            (Arm::Control, decision) => decision,
        }
    }

    /// The document decides. Whom it gives the variant of the other arm has seen both, if it does not always do so.
    #[cold]
    fn stand_aside(&self, decision: &Decision<'_>, context: &Context) {
        let why = if matches!(decision, Decision::Variant(..)) { Apart::Ruled } else { Apart::Failed };
        self.live.counters.leave_out(why);
        let Some(place) = context.targeting_key().map(|subject| self.salt.place(subject)) else { return };
        let Some(arm) = self.arm(place) else { return };
        let other = match arm {
            Arm::Candidate => self.stable.or(self.default),
            Arm::Control => Some(self.candidate),
        };
        let event = match decision {
            Decision::Variant(given, _) => Event::Ruled { to_other: other == Some(given.index) },
            Decision::Failed(_) => Event::Failed,
            Decision::Nothing(_) => return,
        };
        if let Some(place) = self.followed(place, context) {
            self.live.checks.panel.note(place, arm, event);
        }
    }

    #[inline]
    fn arm(&self, place: Place) -> Option<Arm> {
        match self.trial.cohort_of(place) {
            Cohort::Candidate => Some(Arm::Candidate),
            Cohort::Control => Some(Arm::Control),
            Cohort::Rest => None,
        }
    }

    /// The place by which a subject is followed: that of its identity, if it has one of its own.
    #[inline]
    fn followed(&self, place: Place, context: &Context) -> Option<Place> {
        if !self.is_even {
            return None;
        }
        match &self.identity {
            None => Some(place),
            Some(name) => context.get(name)?.as_str().map(|identity| self.salt.place(identity)),
        }
    }

    fn record(&self, place: Place, followed: Option<Place>, recorded: Recorded) {
        let Some(arm) = self.arm(place) else { return };
        self.live.counters.record(arm, recorded);
        if let Some(place) = followed {
            self.live.checks.panel.note(place, arm, Event::Heard);
        }
    }
}

impl Rollout {
    fn placed(&self, document: &Document) -> Option<(u32, Placed)> {
        let flag = document.index_of(&self.key)?;
        let body = document.flag_at(flag)?.body.as_ref()?;
        let index = |name: &str| body.variants.iter().find(|variant| *variant.name == *name);
        let candidate = index(&self.candidate)?.index;
        let stable = self
            .stable
            .as_deref()
            .and_then(index)
            .map(|variant| variant.index)
            .filter(|of| body.default != Some(*of));
        // Only what was decided for this very definition counts for it: another one has shown nothing yet.
        let is_proven = self.definition.is_none() || self.definition == document.fingerprint(flag);
        let weight = if is_proven { self.weight } else { Weight::ZERO };
        let trial = Trial::even(weight);
        let is_idle = weight.is_zero() && stable.is_none() || body.default == Some(candidate);
        let placed = Placed {
            salt: self.salt.clone(),
            trial,
            candidate,
            stable,
            default: body.default,
            identity: self.identity.clone(),
            is_even: trial.candidate() == trial.control(),
            live: Arc::clone(&self.live),
        };
        (!is_idle).then_some((flag, placed))
    }

    /// Once a document makes the promoted variant its default, the document has it, and may take it back.
    fn absorbed_by(self: &Arc<Self>, document: &Document) -> Arc<Self> {
        let default = document.flag(&self.key).and_then(|flag| flag.default_variant());
        if self.stable.is_some() && self.stable.as_deref() == default {
            return Arc::new(Self { stable: None, ..Self::clone(self) });
        }
        Arc::clone(self)
    }
}

/// Whether the document leaves it at the default variant.
#[inline]
fn is_baseline(decision: &Decision<'_>) -> bool {
    matches!(decision, Decision::Variant(_, Reason::Static | Reason::Default))
}
