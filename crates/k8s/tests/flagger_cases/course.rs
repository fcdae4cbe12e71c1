//! What happened, or was to happen, in a form in which two of them can be compared.

use std::fmt;

/// A rollout as far as cases speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// The canary's weights, each time they changed. After a promotion there is no canary, and its weight is zero.
    pub(crate) ladder: Vec<Rung>,
    pub(crate) end: End,
}

impl Course {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self { ladder: Vec::new(), end: End::Refused(why.into()) }
    }

    /// Without the moments between the end of a mirror and the first weight, which is one write with Flagger and two
    /// here.
    pub(crate) fn with_mirrors_ending_in_weights(&self) -> Self {
        let is_moment = |at: usize| {
            let before = at.checked_sub(1).map(|before| self.ladder[before]);
            let rung = self.ladder[at];
            before == Some(Rung { mirrored: true, ..rung })
                && !rung.mirrored
                && self.ladder.get(at + 1).is_some_and(|after| after.weight > rung.weight)
        };
        let kept = (0..self.ladder.len()).filter(|at| !is_moment(*at));
        Self { ladder: kept.map(|at| self.ladder[at]).collect(), end: self.end.clone() }
    }

    /// Adds a rung, unless the ladder stands on it already.
    pub(crate) fn climb(&mut self, rung: Rung) {
        if self.ladder.last() != Some(&rung) {
            self.ladder.push(rung);
        }
    }
}

/// What the canary gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rung {
    /// In thousandths of a percent.
    pub(crate) weight: u32,
    /// Whether requests are copied to it.
    pub(crate) mirrored: bool,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Promoted,
    RolledBack,
    /// Not by itself.
    Open,
    /// It never begins: the manifest is refused.
    Refused(String),
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rung in &self.ladder {
            write!(f, "{}{} ", f64::from(rung.weight) / 1000.0, if rung.mirrored { "m" } else { "" })?;
        }
        match &self.end {
            End::Promoted => f.write_str("promoted"),
            End::RolledBack => f.write_str("rolled back"),
            End::Open => f.write_str("goes on"),
            End::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}
