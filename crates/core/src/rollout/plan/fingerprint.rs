//! What an attempt depends on, as a number.

use super::{Capacity, PlanSpec};
use crate::{capacity::Amount, time::GoDuration};

/// What an attempt depends on: one that is under way begins again if this changes, and only then.
///
/// The JSON form is hashed: it is the same on every machine, and it is what is stored.
pub(super) fn fingerprint(spec: &PlanSpec) -> u64 {
    let mut spec =
        PlanSpec { keep_old: GoDuration::ZERO, keep_aborted: None, progress_deadline: None, ..spec.clone() };
    match &mut spec.capacity {
        Capacity::Unmanaged => {}
        Capacity::Routed { replicas, ready_enough, .. } => (*replicas, *ready_enough) = (0, None),
        Capacity::Counted { replicas, max_surge, max_unavailable } => {
            (*replicas, *max_surge, *max_unavailable) = (0, Amount::Count(0), Amount::Count(0));
        }
    }
    for metric in spec.analyses.iter_mut().flat_map(|analysis| &mut analysis.metrics) {
        (metric.timeout, metric.retention) = (GoDuration::ZERO, 0);
    }
    let spec = &spec;
    // Neither step can fail: every key is a text, and a slice can always be read.
    let text = serde_json::to_vec(spec).unwrap_or_default();
    murmur3::murmur3_x64_128(&mut text.as_slice(), 0).unwrap_or_default() as u64
}
