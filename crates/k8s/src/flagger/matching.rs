//! Which requests an A/B test sends to the candidate.

use serinus_core::traffic::{Match, NamedPattern};

use super::Compiler;
use crate::{fault::FaultKind, pattern::pattern, place::Place};

impl Compiler<'_> {
    pub(super) fn matches(&mut self, analysis: &Place<'_>) -> Vec<Match> {
        analysis.items("match").iter().filter_map(|one| self.one_match(one)).collect()
    }

    fn one_match(&mut self, one: &Place<'_>) -> Option<Match> {
        let headers = one.get("headers").map(|headers| headers.fields()).unwrap_or_default();
        if headers.is_empty() {
            // Matches by other means are at fault already, as not supported.
            if !one.has("queryParams") && !one.has("sourceLabels") {
                let message = "matches every request: add `headers` with what they must be";
                self.ledger.fault(one, FaultKind::Missing, message);
            }
            return None;
        }
        let headers = headers.into_iter().filter_map(|(name, header)| {
            let value = pattern(&header);
            if value.is_none() && !header.has("suffix") {
                let message = "expected one of `exact`, `prefix` and `regex`";
                self.ledger.fault(&header, FaultKind::Missing, message);
            }
            Some(NamedPattern { name: name.to_owned(), value: value? })
        });
        Some(Match { headers: headers.collect(), cookies: Vec::new(), path: None })
    }
}
