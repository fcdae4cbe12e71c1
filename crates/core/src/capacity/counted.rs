//! The next move without a router.

use super::{
    approximate,
    share::{Counts, Pool, Share, clamp},
};

/// What [`counted_move`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole input of a pure function")]
pub struct CountedInput {
    /// Instances the application should have.
    pub replicas: u32,
    /// The candidate's share; everything for a promotion.
    pub share: Share,
    /// Instances above `replicas` allowed, resolved by [`Amount::limits`](super::Amount::limits).
    pub surge: u32,
    /// Instances below `replicas` allowed, resolved likewise.
    pub unavailable: u32,
    /// The candidate's instances.
    pub candidate: Pool,
    /// Stable's instances; `None` if there is no stable revision yet, or the candidate is it.
    pub stable: Option<Pool>,
    /// Instances of all other revisions.
    pub others: Pool,
}

/// The numbers to ask for next: one move towards [`approximate`], within surge and unavailability.
///
/// Growing comes first, and as long as other revisions have instances nothing of the two shrinks. What shrinks may be
/// taken from a broken pool freely: while the candidate's share rises stable's instances count even if they are not
/// ready, so a broken stable does not block the way out; while it falls the candidate's do.
pub fn counted_move(input: CountedInput) -> Counts {
    let CountedInput { replicas, share, surge, unavailable, candidate, stable, others } = input;
    let total = u64::from(replicas);
    let Some(stable) = stable else {
        return Counts { candidate: replicas, stable: 0 };
    };
    let wanted = approximate(replicas, share, surge);
    let (want_candidate, want_stable) = (u64::from(wanted.candidate), u64::from(wanted.stable));
    let (mut new, mut old) = (u64::from(candidate.wanted), u64::from(stable.wanted));

    let limit = total + u64::from(surge);
    let mut room = limit.saturating_sub(new + old + u64::from(others.wanted));
    if old < want_stable {
        let growth = room.min(want_stable - old);
        old += growth;
        room -= growth;
    }
    if new < want_candidate {
        new += room.min(want_candidate - new);
    }
    if others.wanted > 0 {
        return Counts { candidate: clamp(new), stable: clamp(old) };
    }

    let least = total.saturating_sub(unavailable.into());
    let rises = want_candidate >= u64::from(candidate.wanted);
    let counted = counts_as_there(candidate, !rises) + counts_as_there(stable, rises);
    if counted <= least {
        return Counts { candidate: clamp(new), stable: clamp(old) };
    }
    let spare = counted - least;
    if rises {
        old = shrunk(old, want_stable, spare);
    } else {
        new = shrunk(new, want_candidate, spare);
    }
    let (new, old) = if rises {
        within_limit(new, old, limit)
    } else {
        let (old, new) = within_limit(old, new, limit);
        (new, old)
    };
    Counts { candidate: clamp(new), stable: clamp(old) }
}

/// The same, changing one revision only: stable if it is to change, else the candidate. Applied again and again, with
/// the world following in between, it gives the path from one weight to the next.
pub fn counted_pass(input: CountedInput) -> Counts {
    let next = counted_move(input);
    match input.stable {
        Some(stable) if next.stable != stable.wanted => {
            Counts { candidate: input.candidate.wanted, stable: next.stable }
        }
        Some(_) | None => next,
    }
}

fn counts_as_there(pool: Pool, even_if_not_ready: bool) -> u64 {
    if even_if_not_ready { pool.wanted.into() } else { pool.wanted.min(pool.ready).into() }
}

fn shrunk(count: u64, wanted: u64, spare: u64) -> u64 {
    if count > wanted { wanted.max(count.saturating_sub(spare)) } else { count }
}

/// What exceeds the limit after all is taken from the growing side first, then from the draining one. Neither limit is
/// broken below: a pair at the upper one is above the lower one. (argo: adjustReplicaWithinLimits)
const fn within_limit(growing: u64, draining: u64, most: u64) -> (u64, u64) {
    let excess = (growing + draining).saturating_sub(most);
    let rest = excess.saturating_sub(growing);
    (growing.saturating_sub(excess), draining.saturating_sub(rest))
}
