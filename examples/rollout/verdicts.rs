//! What two ways to judge the same candidate came to, in one sentence.

use serinus::{time::GoDuration, traffic::Revision};

use crate::{
    manifest::Manifest,
    paint,
    session::{Ended, Finished},
    workload::{CANDIDATE, STABLE},
};

/// Who did what with the candidate, when, and why.
pub(crate) fn sentence(runs: &[(&Manifest, Finished)]) -> String {
    let parts = runs.iter().map(|(manifest, run)| {
        let did = match run.ended {
            Ended::Promoted => "promoted it",
            Ended::RolledBack => "took it back",
            Ended::Interrupted => "was interrupted",
        };
        let why = match run.reason.as_str() {
            "" => String::new(),
            reason => format!(", because {}", paint::tidy(reason)),
        };
        let errors = |name: &str| {
            let (requests, errors) = run.answered.get(&Revision::from(name)).copied().unwrap_or_default();
            format!("{:.2}% of {requests}", 100.0 * errors as f64 / requests.max(1) as f64)
        };
        format!(
            "the {} `{}` {did} after {} ({CANDIDATE} failed {}, {STABLE} {}){why}",
            manifest.compiled.kind,
            manifest.compiled.name,
            GoDuration::from_secs(run.took.as_secs_f64() as u64),
            errors(CANDIDATE),
            errors(STABLE),
        )
    });
    format!("the same candidate, judged twice: {}", parts.collect::<Vec<_>>().join("; "))
}
