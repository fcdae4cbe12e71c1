//! Counts behind a router.

use super::{
    Pool,
    share::{Counts, Share, weight_to_replicas},
};

/// What [`routed`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole input of a pure function")]
pub struct RoutedInput {
    /// Instances the application should have.
    pub replicas: u32,
    /// The share of the instances the candidate is to have: that of the traffic, or another if the candidate's size
    /// is set apart from its traffic; everything for a promotion, nothing (or [`returning_share`]) for an abort.
    pub share: Share,
    /// The candidate's size, if that is set as a number and does not follow the share.
    pub candidate: Option<u32>,
    /// The least number of instances of a revision that has any; never more than `replicas`.
    pub min_per_revision: u32,
    /// How stable follows its traffic; `None`: it keeps its full size.
    pub dynamic_stable: Option<DynamicStable>,
}

/// How stable follows its traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole input of a pure function")]
pub struct DynamicStable {
    /// The candidate's share of the traffic that is in force, which may not be the one wanted yet.
    pub in_force: Share,
    /// Whether this is the way back: the candidate then keeps what the traffic it still has needs.
    pub aborted: bool,
}

/// The numbers of instances to ask for behind a router. Every share is rounded up: both revisions suffice.
pub fn routed(input: RoutedInput) -> Counts {
    let RoutedInput { replicas, share, candidate, min_per_revision, dynamic_stable } = input;
    let at_least = |count: u32| if count == 0 { 0 } else { count.max(min_per_revision.min(replicas)) };
    let needed = |share| at_least(weight_to_replicas(replicas, share));
    let candidate = candidate.unwrap_or_else(|| needed(share));
    match dynamic_stable {
        None => Counts { candidate, stable: replicas },
        Some(DynamicStable { in_force, aborted }) => Counts {
            candidate: if aborted {
                candidate.max(at_least(weight_to_replicas(replicas, in_force)))
            } else {
                candidate
            },
            // Stable shrinks only after its traffic has left.
            stable: needed(share.rest()).max(needed(in_force.rest())),
        },
    }
}

/// The candidate's share on the way back with a dynamic stable: the greatest of the plan's weights that needs fewer
/// instances than the candidate still has to stand in for. Nothing if a revision is missing.
///
/// `weights` are those of the plan, in its order. `candidate_is_kept` says that the candidate is kept for a time after
/// the abort, in which case its own instances do not matter.
pub fn returning_share(
    replicas: u32,
    candidate: Option<Pool>,
    stable: Option<Pool>,
    weights: &[Share],
    candidate_is_kept: bool,
) -> Share {
    let (Some(candidate), Some(stable)) = (candidate, stable) else { return Share::NONE };
    let missing = replicas.saturating_sub(stable.ready);
    let needed = if candidate_is_kept { missing } else { missing.max(candidate.ready) };
    weights
        .iter()
        .rev()
        .copied()
        .find(|weight| weight_to_replicas(replicas, *weight) < needed)
        .unwrap_or(Share::NONE)
}
