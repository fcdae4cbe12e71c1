//! What lies over a document: rollouts by flag, and the sampling of evaluations.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serinus_core::{
    cohort::{Cohort, Salt, Trial},
    metric::Windows,
    traffic::Weight,
};

use super::{
    counters::{Arm, Counters, Reading},
    inbox::Inbox,
    telemetry,
};
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
    pub(crate) live: Arc<Live>,
}

/// What of a rollout stays the same from swap to swap.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) counters: Counters,
    pub(crate) windows: Windows<Reading>,
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
            telemetry::sample(self.sampling, state.flag_at(flag), &decision, context);
        }
        decision
    }

    /// The cohort of whoever asks in this context, if the document leaves it to the trial.
    pub(crate) fn arm_of(&self, state: &State, flag: u32, context: &Context) -> Option<Arm> {
        let placed = self.placed.get(&flag)?;
        is_baseline(&state.by_document(flag, context, Clock::System)).then_some(())?;
        placed.arm(context.targeting_key()?)
    }

    /// The cohort of a targeting key.
    pub(crate) fn arm_of_key(&self, flag: u32, subject: &str) -> Option<Arm> {
        self.placed.get(&flag)?.arm(subject)
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
            return decision;
        }
        let variant = |index: u32| {
            let body = state.flag_at(flag)?.body.as_ref()?;
            body.variants.get(index as usize).map(|variant| Decision::Variant(variant, Reason::Split))
        };
        let stable = |decision| self.stable.and_then(variant).unwrap_or(decision);
        let Some(subject) = context.targeting_key() else { return stable(decision) };
        let place = self.salt.place(subject);
        let arm = match self.trial.cohort_of(place) {
            Cohort::Candidate => Arm::Candidate,
            Cohort::Control => Arm::Control,
            Cohort::Rest => return stable(decision),
        };
        if is_real {
            self.live.counters.expose(arm, place);
        }
        match (arm, decision) {
            (Arm::Candidate, decision) => variant(self.candidate).unwrap_or(decision),
            (Arm::Control, Decision::Variant(default, _)) => {
                stable(Decision::Variant(default, Reason::Split))
            }
            (Arm::Control, decision) => decision,
        }
    }

    fn arm(&self, subject: &str) -> Option<Arm> {
        match self.trial.cohort_of(self.salt.place(subject)) {
            Cohort::Candidate => Some(Arm::Candidate),
            Cohort::Control => Some(Arm::Control),
            Cohort::Rest => None,
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
        let (salt, live) = (self.salt.clone(), Arc::clone(&self.live));
        (!is_idle).then_some((flag, Placed { salt, trial, candidate, stable, live }))
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
