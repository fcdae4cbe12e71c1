//! The whole numbers nearest to a weight.

use super::share::{Counts, Share, clamp};

/// The pair of counts whose ratio is nearest to the candidate's share, without a router.
///
/// The pair adds up to `replicas`, or, if any surge is allowed and that is nearer, to one more: not for a moment but as
/// long as the share is in force. Neither revision is denied its last instance by rounding, unless the share is
/// nothing or everything, or there is one instance and no surge. Ties go to the candidate.
///
/// Shares above everything count as everything.
pub const fn approximate(replicas: u32, share: Share, surge: u32) -> Counts {
    let total = replicas as u64;
    if total == 0 {
        return Counts { candidate: 0, stable: 0 };
    }
    let share = if share.part() > share.whole() { Share::FULL } else { share };
    let (up, down) = (share.up(total), share.down(total));
    let may_be_none = share.is_none() || share.is_full() || (total == 1 && surge == 0);
    let keeps_candidate = down != 0 || may_be_none;

    let mut best = Best { counts: None };
    if up < total || may_be_none {
        best.consider(up, total, share);
    }
    if !share.ties(total) && keeps_candidate {
        best.consider(down, total, share);
    }
    // One instance more can be nearer; the candidate's counts stay those of `replicas`.
    if surge > 0 {
        best.consider(up, total + 1, share);
        if !share.ties(total + 1) && keeps_candidate {
            best.consider(down, total + 1, share);
        }
    }
    match best.counts {
        Some((candidate, total)) => {
            Counts { candidate: clamp(candidate), stable: clamp(total.saturating_sub(candidate)) }
        }
        // Two or more instances without surge: at least one pair leaves both at least one.
        None => Counts { candidate: clamp(down), stable: clamp(total - down) },
    }
}

struct Best {
    /// The candidate's count, and the total.
    counts: Option<(u64, u64)>,
}

impl Best {
    /// Keeps the nearer; the first of two that are equally near.
    const fn consider(&mut self, candidate: u64, total: u64, share: Share) {
        let is_nearer = match self.counts {
            None => true,
            Some((held, held_total)) => {
                // distance / total < held distance / held total, without dividing
                distance(candidate, total, share) * (held_total as u128)
                    < distance(held, held_total, share) * (total as u128)
            }
        };
        if is_nearer {
            self.counts = Some((candidate, total));
        }
    }
}

/// |candidate/total − share|, times `total` and the share's whole.
const fn distance(candidate: u64, total: u64, share: Share) -> u128 {
    (candidate as u128 * share.whole() as u128).abs_diff(total as u128 * share.part() as u128)
}
