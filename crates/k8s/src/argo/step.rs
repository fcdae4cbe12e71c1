//! The steps of a canary.

use serinus_core::{
    rollout::{CandidateScale, Step},
    time::GoDuration,
    traffic::{Match, NamedPattern, Weight},
};

use super::Compiler;
use crate::{fault::FaultKind, node::Value, pattern::pattern, place::Place, schema::argo::EXCLUSIVE_STEPS};

/// The steps of the plan so far, and what later steps build on.
pub(super) struct Ladder<'a> {
    pub(super) steps: Vec<Step>,
    /// What stands for all traffic in `setWeight`.
    most: u32,
    routing: Option<Place<'a>>,
    /// The last weight, as written and as it is.
    last: Option<(i64, Weight)>,
    /// The header routes in force, in order of precedence.
    routes: Vec<(String, Vec<Match>)>,
}

impl<'a> Ladder<'a> {
    pub(super) fn new(most: u32, routing: Option<Place<'a>>) -> Self {
        let managed = routing.iter().flat_map(|routing| routing.items("managedRoutes"));
        let routes = managed.filter_map(|route| Some((route.text("name")?.to_owned(), Vec::new()))).collect();
        Self { steps: Vec::new(), most, routing, last: None, routes }
    }
}

impl Compiler<'_> {
    /// Adds an element of `steps`. It has one kind, beside which it may set how large the candidate is and which
    /// requests it gets.
    pub(super) fn step(&mut self, step: &Place<'_>, ladder: &mut Ladder<'_>) {
        let kinds: Vec<_> = EXCLUSIVE_STEPS.into_iter().filter(|kind| step.has(kind)).collect();
        if kinds.len() > 1 {
            let split: Vec<_> = kinds.iter().map(|kind| format!("`- {kind}: …`")).collect();
            let message = format!(
                "a step has one kind, and this has {}: split it into {} steps, {}",
                kinds.join(" and "),
                kinds.len(),
                split.join(" and ")
            );
            return self.ledger.fault(step, FaultKind::Conflict, message);
        }
        let with_router = ["setCanaryScale", "setHeaderRoute", "setMirrorRoute"];
        if kinds.is_empty() && !with_router.iter().any(|kind| step.has(kind)) {
            if matches!(step.node.value, Value::Map(_)) {
                let message =
                    "a step without a kind: write `pause: {}` to wait for a person, or `setWeight: 20`";
                self.ledger.fault(step, FaultKind::Missing, message);
            }
            return;
        }
        for name in with_router.into_iter().filter(|name| step.has(name)) {
            if ladder.routing.is_none() {
                let message =
                    "only with a router: add `spec.strategy.canary.trafficRouting`, or remove the step";
                self.ledger.fault_in(step, name, FaultKind::Conflict, message);
            }
        }
        if let Some(scale) = step.get("setCanaryScale") {
            ladder.steps.extend(self.scale(&scale, ladder.most).map(Step::Scale));
        }
        if let Some(route) = step.get("setHeaderRoute") {
            self.header_route(&route, ladder);
        }
        if let Some(route) = step.get("setMirrorRoute") {
            ladder.steps.extend(self.mirror_route(&route, ladder).map(Step::Mirror));
        }
        if step.has("setWeight") {
            self.weight(step, ladder);
        }
        if let Some(pause) = step.get("pause") {
            ladder.steps.extend(self.pause(&pause));
        }
        if let Some(analysis) = step.get("analysis") {
            ladder.steps.extend(self.analysis(&analysis, true).map(Step::Analyse));
        }
    }

    fn weight(&mut self, step: &Place<'_>, ladder: &mut Ladder<'_>) {
        let Some(written) = self.ledger.integer(step, "setWeight", 0..=ladder.most.into()) else { return };
        let weight = share(written, ladder.most);
        if let Some((before, _)) = ladder.last.filter(|(_, before)| weight < *before) {
            let message = format!(
                "{written} is below the {before} of an earlier step, and within an attempt a weight never falls: \
                 use {before} or more, or remove the step; abort to go back"
            );
            self.ledger.fault_in(step, "setWeight", FaultKind::Invalid, message);
        }
        ladder.last = Some((written.into(), weight));
        ladder.steps.push(Step::Weight(weight));
    }

    fn pause(&mut self, pause: &Place<'_>) -> Option<Step> {
        let Some(duration) = pause.get("duration") else { return Some(Step::Hold(None)) };
        let lasting = match &duration.node.value {
            Value::Integer(seconds) if *seconds < 0 => {
                let message = format!(
                    "{seconds} is negative: use zero seconds or more, or `pause: {{}}` to wait for a person"
                );
                self.ledger.fault(&duration, FaultKind::Invalid, message);
                return None;
            }
            Value::Integer(seconds) => GoDuration::from_secs(seconds.unsigned_abs()),
            // A text of digits alone is a number of seconds too.
            Value::Text(text) => match text.parse::<u32>() {
                Ok(seconds) => GoDuration::from_secs(seconds.into()),
                Err(_) => self.ledger.duration(&duration, text)?,
            },
            _ => return None,
        };
        Some(Step::Hold(Some(lasting)))
    }

    fn scale(&mut self, scale: &Place<'_>, most: u32) -> Option<CandidateScale> {
        let matches_weight = scale.is_set("matchTrafficWeight");
        match (scale.has("replicas"), scale.has("weight"), matches_weight) {
            (false, false, true) => Some(CandidateScale::MatchWeight),
            (true, false, false) => self.ledger.count(scale, "replicas").map(CandidateScale::Replicas),
            (false, true, false) => {
                let written = self.ledger.integer(scale, "weight", 0..=MOST_PERCENT * i64::from(most))?;
                let percent = (u64::from(written) * 100).div_ceil(most.into());
                u32::try_from(percent).ok().map(CandidateScale::Percent)
            }
            _ => {
                let message = "expected one of `replicas: 3`, `weight: 25` and `matchTrafficWeight: true`";
                self.ledger.fault(scale, FaultKind::Conflict, message);
                None
            }
        }
    }

    fn header_route(&mut self, route: &Place<'_>, ladder: &mut Ladder<'_>) {
        if !self.is_managed(route, ladder) {
            return;
        }
        let matches = route.items("match").iter().filter_map(|one| self.header_match(one)).collect();
        let name = route.text("name");
        if let Some((_, old)) = ladder.routes.iter_mut().find(|(known, _)| name == Some(known)) {
            *old = matches;
        }
        let all = ladder.routes.iter().flat_map(|(_, matches)| matches.clone()).collect();
        ladder.steps.push(Step::Match(all));
    }

    fn header_match(&mut self, one: &Place<'_>) -> Option<Match> {
        let Some(name) = one.name_in("headerName") else {
            self.ledger.fault_in(
                one,
                "headerName",
                FaultKind::Missing,
                "add the name of the header to match",
            );
            return None;
        };
        let value = one.get("headerValue");
        let Some(pattern) = value.as_ref().and_then(pattern) else {
            let message = "expected one of `exact`, `prefix` and `regex`";
            self.ledger.fault_in(one, "headerValue", FaultKind::Missing, message);
            return None;
        };
        let headers = vec![NamedPattern { name: name.to_owned(), value: pattern }];
        Some(Match { headers, cookies: Vec::new(), path: None })
    }

    fn mirror_route(&mut self, route: &Place<'_>, ladder: &Ladder<'_>) -> Option<Weight> {
        if !self.is_managed(route, ladder) {
            return None;
        }
        let percentage = self.ledger.integer(route, "percentage", 0..=100);
        let matches = route.items("match");
        if matches.is_empty() {
            if percentage.is_some_and(|percentage| percentage > 0) {
                let message =
                    "without `match` this ends the mirroring: add `match: [{path: {prefix: /}}]` to mirror";
                self.ledger.warn(route, "percentage", message);
            }
            return Some(Weight::ZERO);
        }
        if !matches.iter().any(fits_everything) {
            let message =
                "mirroring of some requests only is not supported yet: match all, with `path: {prefix: /}`";
            self.ledger.fault_in(route, "match", FaultKind::Unsupported, message);
            return None;
        }
        Some(share(percentage.unwrap_or(100), 100))
    }

    fn is_managed(&mut self, route: &Place<'_>, ladder: &Ladder<'_>) -> bool {
        let Some(name) = route.name_in("name") else {
            self.ledger.fault_in(route, "name", FaultKind::Missing, "add the name of a managed route");
            return false;
        };
        let is_managed = ladder.routes.iter().any(|(managed, _)| managed == name);
        if !is_managed && ladder.routing.is_some() {
            let message = format!(
                "`{name}` is not a managed route: add `- name: {name}` to \
                 `spec.strategy.canary.trafficRouting.managedRoutes`"
            );
            self.ledger.fault_in(route, "name", FaultKind::Missing, message);
        }
        is_managed
    }
}

fn fits_everything(one: &Place<'_>) -> bool {
    let fits = one.get("path").is_none_or(|path| path.text("prefix") == Some("/"));
    fits && !one.has("method") && !one.has("headers")
}

/// `part` of `most` as a weight, to the nearest hundred-thousandth.
fn share(part: u32, most: u32) -> Weight {
    let (part, most) = (u64::from(part), u64::from(most.max(1)));
    let parts = (part * u64::from(Weight::FULL.parts()) * 2 + most) / (most * 2);
    u32::try_from(parts).ok().and_then(|parts| Weight::try_parts(parts).ok()).unwrap_or(Weight::FULL)
}

/// A candidate of a hundred times the size of the application is a slip.
const MOST_PERCENT: i64 = 100;
