//! A sample of the subjects of a rollout, followed through one attempt.

use std::sync::atomic::{AtomicU32, Ordering};

use serinus_core::cohort::Place;

use super::Arm;

/// Follows some subjects through one attempt, in memory that does not grow: each of its cells follows the first subject
/// that comes to it, and tells it from all others by its whole hash.
///
/// In every cell a coin is tossed: to which arm does the first one there belong? Where both arms are of the same size
/// and nothing but the hash decides, the coin is fair, whoever came to whichever cells before. All threads share the
/// cells; as each is written only when something happens to its subject for the first time, they are soon only read.
#[derive(Debug)]
pub(crate) struct Panel {
    cells: Box<[AtomicU32]>,
}

/// What may happen to a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It was shown the variant of its arm.
    Exposed(Arm),
    /// A rule gave it a variant: that of the other arm, or not.
    Ruled { to_other: bool },
    /// An evaluation for it failed.
    Failed,
    /// An outcome was recorded for it.
    Heard,
}

/// What became of those who are followed. Of two counts the first is of the candidate's subjects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Those who were shown the variant of an arm.
    pub(crate) exposed: [u64; 2],
    /// Those of them who had the time for an outcome, by [`Panel::settle`].
    pub(crate) settled: [u64; 2],
    /// Those who had the time for an outcome, and of whom one was recorded.
    pub(crate) heard: [u64; 2],
    /// All of whom an outcome was recorded.
    pub(crate) recorded: u64,
    /// Those of both arms who were shown the variant of the other, too.
    pub(crate) crossed: u64,
    /// Those of whom an outcome was recorded though they were shown nothing.
    pub(crate) unexposed: u64,
    /// Those for whom an evaluation failed.
    pub(crate) failed: u64,
    /// Those who were shown the variant of an arm, and those for whom an evaluation failed.
    pub(crate) asked: u64,
}

impl Panel {
    pub(crate) fn new() -> Self {
        Self { cells: (0..CELLS).map(|_| AtomicU32::new(EMPTY)).collect() }
    }

    /// Something happens to the subject of this place, which belongs to this arm.
    #[inline]
    pub(crate) fn note(&self, place: Place, arm: Arm, event: Event) {
        // The upper bits of a place say which cohort it is in; the lower ones are as good as drawn.
        let Some(cell) = self.cells.get(place.hash() as usize % CELLS) else { return };
        let (name, flag) = (place.hash() >> CELLS.ilog2(), event.flag());
        let mut found = cell.load(Ordering::Relaxed);
        loop {
            let next = if found == EMPTY {
                TAKEN | if arm == Arm::Control { OF_CONTROL } else { 0 } | name | flag
            } else if found & NAME == name {
                found | flag
            } else {
                return;
            };
            if next == found {
                return;
            }
            match cell.compare_exchange_weak(found, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
    }

    /// Another attempt: everybody is followed anew.
    pub(crate) fn clear(&self) {
        self.cells.iter().for_each(|cell| cell.store(EMPTY, Ordering::Relaxed));
    }

    /// Whoever was exposed before the last time this was called has had the time for an outcome. Their cohort has no
    /// part in that, nor has how long an outcome takes.
    pub(crate) fn settle(&self) {
        for cell in &self.cells {
            let found = cell.load(Ordering::Relaxed);
            if found & (CANDIDATE | CONTROL) != 0 && found & SETTLED == 0 {
                let age = if found & SETTLING != 0 { SETTLED } else { SETTLING };
                cell.fetch_or(age, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn look(&self) -> Seen {
        let mut seen = Seen::default();
        for cell in &self.cells {
            let cell = cell.load(Ordering::Relaxed);
            let arm = usize::from(cell & OF_CONTROL != 0);
            let is_exposed = cell & (CANDIDATE | CONTROL) != 0;
            let is_heard = cell & HEARD != 0;
            seen.failed += u64::from(cell & FAILED != 0);
            seen.asked += u64::from(cell & (CANDIDATE | CONTROL | FAILED) != 0);
            seen.recorded += u64::from(is_heard);
            if is_exposed {
                let is_settled = cell & SETTLED != 0;
                seen.exposed[arm] += 1;
                seen.settled[arm] += u64::from(is_settled);
                seen.heard[arm] += u64::from(is_settled && is_heard);
                let is_crossed = cell & (CANDIDATE | CONTROL) == CANDIDATE | CONTROL || cell & OTHER != 0;
                seen.crossed += u64::from(is_crossed);
            } else {
                seen.unexposed += u64::from(is_heard);
            }
        }
        seen
    }
}

impl Event {
    #[inline]
    fn flag(self) -> u32 {
        match self {
            Self::Exposed(Arm::Candidate) => CANDIDATE,
            Self::Exposed(Arm::Control) => CONTROL,
            Self::Ruled { to_other: true } => OTHER,
            // The cell is taken all the same: whoever takes one must not depend on the arm.
            Self::Ruled { to_other: false } => 0,
            Self::Failed => FAILED,
            Self::Heard => HEARD,
        }
    }
}

/// 32 768 subjects; 128 KiB.
const CELLS: usize = 1 << 15;
/// What of a place the number of its cell does not say.
const NAME: u32 = (1 << (32 - CELLS.ilog2())) - 1;
const SETTLING: u32 = 1 << 23;
const SETTLED: u32 = 1 << 24;
const OF_CONTROL: u32 = 1 << 25;
const CANDIDATE: u32 = 1 << 26;
const CONTROL: u32 = 1 << 27;
const OTHER: u32 = 1 << 28;
const HEARD: u32 = 1 << 29;
const FAILED: u32 = 1 << 30;
const TAKEN: u32 = 1 << 31;
const EMPTY: u32 = 0;

#[cfg(test)]
mod tests {
    use serinus_core::{
        cohort::{Cohort, Salt, Trial},
        traffic::Weight,
    };

    use super::*;

    fn subjects(weight: f64) -> impl Iterator<Item = (Place, Arm)> {
        let (salt, trial) = (Salt::new("salt"), Trial::even(Weight::percent(weight)));
        (0..400_000).filter_map(move |number| {
            let place = salt.place(format!("user-{number}"));
            match trial.cohort_of(place) {
                Cohort::Candidate => Some((place, Arm::Candidate)),
                Cohort::Control => Some((place, Arm::Control)),
                Cohort::Rest => None,
            }
        })
    }

    #[test]
    fn few_subjects_are_all_followed_and_each_is_told_from_all_others() {
        let panel = Panel::new();
        for (place, arm) in subjects(0.1) {
            panel.note(place, arm, Event::Exposed(arm));
            panel.note(place, arm, Event::Exposed(arm));
        }
        let all = subjects(0.1).count() as u64;
        let seen = panel.look();
        let followed: u64 = seen.exposed.iter().sum();
        // Two of 800 in 32 768 cells meet now and then.
        assert!((all - all / 40..=all).contains(&followed), "{followed} of {all}");
        assert_eq!((seen.crossed, seen.recorded, seen.unexposed), (0, 0, 0));
        // Whoever is not followed leaves no trace.
        for (place, arm) in subjects(50.0) {
            panel.note(place, arm, Event::Heard);
        }
        assert_eq!(panel.look().exposed, seen.exposed);
        assert_eq!(panel.look().recorded - panel.look().unexposed, followed);
        panel.clear();
        assert_eq!(panel.look(), Seen::default());
    }

    #[test]
    fn the_coins_are_fair_however_full_the_panel_and_however_the_weight_grows() {
        let panel = Panel::new();
        for weight in [1.0, 5.0, 20.0, 50.0] {
            for (place, arm) in subjects(weight) {
                panel.note(place, arm, Event::Exposed(arm));
            }
            let [candidate, control] = panel.look().exposed.map(|count| count as f64);
            let deviation = (candidate - control) / (candidate + control).sqrt();
            assert!(deviation.abs() < 3.5, "{candidate} {control} at {weight}");
        }
        let [candidate, control] = panel.look().exposed;
        assert!(candidate + control > CELLS as u64 - 10);
    }

    #[test]
    fn what_happens_to_a_subject_is_kept_in_any_order() {
        let (candidate, control) = (Place::new(7), Place::new(u32::MAX));
        let panel = Panel::new();
        panel.note(candidate, Arm::Candidate, Event::Heard);
        assert_eq!(panel.look().unexposed, 1);
        panel.note(candidate, Arm::Candidate, Event::Exposed(Arm::Candidate));
        panel.note(control, Arm::Control, Event::Ruled { to_other: true });
        assert_eq!(panel.look(), Seen { exposed: [1, 0], recorded: 1, asked: 1, ..Seen::default() });
        panel.note(control, Arm::Control, Event::Exposed(Arm::Control));
        assert_eq!(
            panel.look(),
            Seen { exposed: [1, 1], recorded: 1, crossed: 1, asked: 2, ..Seen::default() }
        );
        panel.note(candidate, Arm::Control, Event::Exposed(Arm::Control));
        assert_eq!(panel.look().crossed, 2);
    }

    #[test]
    fn only_who_was_exposed_at_the_time_before_the_last_has_had_time_for_an_outcome() {
        let (early, late) = (Place::new(7), Place::new(8));
        let panel = Panel::new();
        panel.note(early, Arm::Candidate, Event::Exposed(Arm::Candidate));
        panel.settle();
        panel.note(early, Arm::Candidate, Event::Heard);
        panel.note(late, Arm::Candidate, Event::Exposed(Arm::Candidate));
        assert_eq!((panel.look().settled, panel.look().heard), ([0, 0], [0, 0]));
        panel.settle();
        assert_eq!((panel.look().settled, panel.look().heard), ([1, 0], [1, 0]));
        panel.settle();
        assert_eq!((panel.look().settled, panel.look().heard), ([2, 0], [1, 0]));
        panel.note(late, Arm::Candidate, Event::Heard);
        assert_eq!((panel.look().settled, panel.look().heard), ([2, 0], [2, 0]));
    }
}
