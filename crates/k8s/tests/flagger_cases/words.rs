//! The words in which cases are written.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use crate::scenario::Begin;

/// What a case gives, as far as it was heard.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) kind: String,
    pub(crate) provider: Option<String>,
    pub(crate) analysis: Map<String, Value>,
    pub(crate) hooks: Vec<Value>,
    pub(crate) begins: Begin,
    pub(crate) failing: Vec<RangeInclusive<u32>>,
    /// Each with the tick before which it happens.
    pub(crate) events: Vec<(u32, Event)>,
}

/// What happens from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Another revision is asked for.
    Changed,
    /// The stable revision is asked for.
    Reverted,
    /// The manifest says `skipAnalysis` from now on.
    SkipAnalysis,
    /// Somebody else gives the canary this weight, in percent.
    Meddled(u32),
}

impl Default for Given {
    fn default() -> Self {
        Self {
            kind: "Deployment".into(),
            provider: None,
            analysis: Map::new(),
            hooks: Vec::new(),
            begins: Begin::default(),
            failing: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl Given {
    /// Takes what an object says.
    pub(crate) fn take(&mut self, fields: &Map<String, Value>) -> Result<(), String> {
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("targetRef.kind", Value::String(kind)) => self.kind = kind.clone(),
                ("provider", Value::String(provider)) => self.provider = Some(provider.clone()),
                ("analysis", Value::Object(analysis)) => {
                    for (name, value) in analysis {
                        self.set(name, value.clone())?;
                    }
                }
                _ => return Err(format!("unknown key `{key}` in the input")),
            }
        }
        Ok(())
    }

    /// Hears what a text says: an analysis in short, and phrases.
    pub(crate) fn hear(&mut self, text: &str) -> Result<(), String> {
        let mut rest = without_remarks(text);
        if let Some((short, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            self.short(short)?;
            rest = after.to_owned();
        }
        let phrases = rest.split([',', ';']).map(str::trim).filter(|phrase| !phrase.is_empty());
        // A list of ticks is written with commas, too.
        let mut joined: Vec<String> = Vec::new();
        for phrase in phrases {
            match joined.last_mut() {
                Some(last) if phrase.starts_with(|first: char| first.is_ascii_digit()) => {
                    *last = format!("{last},{phrase}");
                }
                _ => joined.push(phrase.to_owned()),
            }
        }
        joined.iter().try_for_each(|phrase| self.phrase(phrase))
    }

    /// `stepWeight:10,stepWeights:[5,30],match`
    fn short(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = match rest.find('[').zip(rest.find(',')) {
                Some((bracket, comma)) if bracket < comma => rest.find(']').map_or(rest.len(), |end| end + 1),
                _ => rest.find(',').unwrap_or(rest.len()),
            };
            let (field, after) = rest.split_at(end);
            rest = after.trim_start_matches(',').trim_start();
            match field.split_once(':') {
                Some((name, value)) => {
                    let value = serde_json::from_str(value.trim())
                        .map_err(|_| format!("unknown value `{value}` of `{name}`"))?;
                    self.set(name.trim(), value)?;
                }
                None if field.trim() == "match" => {
                    let value = json!([{"headers": {"x-canary": {"exact": "insider"}}}]);
                    self.set("match", value)?;
                }
                None => return Err(format!("unknown key `{field}` in the input")),
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        if !ANALYSIS.contains(&name) {
            return Err(format!("unknown key `{name}` in the analysis"));
        }
        self.analysis.insert(name.to_owned(), value);
        Ok(())
    }

    fn phrase(&mut self, phrase: &str) -> Result<(), String> {
        let words: Vec<&str> = phrase.split_whitespace().collect();
        match words.as_slice() {
            ["all", "checks" | "metrics", "pass"] | ["nothing", "fails"] | ["primary", "ready"] => {}
            ["mesh", "provider"] | ["mesh"] => self.provider = Some("istio".into()),
            ["provider", name] | [name, "provider"] => self.provider = Some((*name).into()),
            [name] if PROVIDERS.contains(name) => self.provider = Some((*name).into()),
            ["all" | "every", "check" | "checks" | "metric" | "metrics", "fail" | "fails"] => {
                self.failing.push(1..=u32::MAX);
            }
            ["check" | "checks" | "metric" | "metrics", "fail" | "fails", when @ ..] => {
                // The first check is on the third tick: one finds the change, one sets the first weight.
                let check = |tick: u32| tick.saturating_sub(2).max(1);
                let ticks = ticks(when).ok_or_else(|| unknown(phrase))?;
                self.failing
                    .extend(ticks.into_iter().map(|ticks| check(*ticks.start())..=check(*ticks.end())));
            }
            ["phase", "Failed"] => self.begins = Begin::Failed,
            ["promotion", "failed"] => self.begins = Begin::PromotionFailed,
            ["target", "changes"] | ["fix", "pushed"] => {}
            ["target", "changes", "before", "tick", tick] => self.event(phrase, tick, Event::Changed)?,
            ["fix", "pushed", "before", "tick", tick, "while", "primary", ..] => {
                self.event(phrase, tick, Event::Changed)?;
            }
            ["target", "reverted", "to", "the", "promoted", "spec", "before", "tick", tick] => {
                self.event(phrase, tick, Event::Reverted)?;
            }
            ["skipAnalysis", "set", "before", "tick", tick] => {
                self.event(phrase, tick, Event::SkipAnalysis)?;
            }
            ["router", "reports", weights, "before", "tick", tick] => {
                let canary = weights.split_once('/').and_then(|(_, canary)| canary.parse().ok());
                let canary = canary.filter(|canary| *canary <= 100).ok_or_else(|| unknown(phrase))?;
                self.event(phrase, tick, Event::Meddled(canary))?;
            }
            ["gate", ..] | ["promotion", "gate", ..] => self.hook("confirm-promotion"),
            ["rollout", "gate", ..] => self.hook("confirm-rollout"),
            ["traffic", "gate", ..] => self.hook("confirm-traffic-increase"),
            [hook, "hook", ..] | [hook, "closed" | "open" | "fails" | "refuses", ..]
                if HOOKS.contains(hook) =>
            {
                self.hook(hook);
            }
            _ => return Err(unknown(phrase)),
        }
        Ok(())
    }

    fn event(&mut self, phrase: &str, tick: &str, event: Event) -> Result<(), String> {
        self.events.push((tick.parse().map_err(|_| unknown(phrase))?, event));
        Ok(())
    }

    fn hook(&mut self, kind: &str) {
        self.hooks.push(json!({"name": kind, "type": kind, "url": "http://gate/"}));
    }
}

/// A metric check in words.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) metric: Value,
    pub(crate) template: Option<Value>,
    pub(crate) answer: Option<f64>,
}

/// Hears of a metric: its parts, and what it answers.
pub(crate) fn measured(text: &str) -> Result<Measured, String> {
    let mut measured = Measured { metric: json!({"name": "custom"}), template: None, answer: None };
    let metric = &mut measured.metric;
    for phrase in text.split([',', ';', '+']).map(str::trim).filter(|phrase| !phrase.is_empty()) {
        let words: Vec<&str> = phrase.split_whitespace().collect();
        let number = |text: &str| text.parse::<f64>().map_err(|_| unknown(phrase));
        match words.as_slice() {
            ["metric", "with", "unknown", "name"] | ["no", "templateRef" | "query" | "thresholdRange"] => {}
            [name @ ("request-success-rate" | "request-duration")] => metric["name"] = (*name).into(),
            ["templateRef"] => {
                metric["templateRef"] = json!({"name": "custom"});
                measured.template.get_or_insert_with(|| template_of("sum(up)"));
            }
            ["templateVariables"] => {
                metric["templateVariables"] = json!({"first": "abc", "second": "def"});
                measured.template =
                    Some(template_of("sum(up{a=\"{{ variables.first }}\",b=\"{{ variables.second }}\"})"));
            }
            ["query"] => metric["query"] = "sum(up)".into(),
            ["range", range] => {
                let (min, max) = range.split_once("..").ok_or_else(|| unknown(phrase))?;
                metric["thresholdRange"] = json!({"min": number(min)?, "max": number(max)?});
            }
            [bound @ ("min" | "max"), value] => metric["thresholdRange"][bound] = number(value)?.into(),
            ["threshold", value] => metric["threshold"] = number(value)?.into(),
            ["value", value] => measured.answer = Some(number(value)?),
            _ => return Err(unknown(phrase)),
        }
    }
    Ok(measured)
}

pub(crate) fn template_of(query: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": {"name": "custom", "namespace": "default"},
        "spec": {"provider": {"type": "prometheus", "address": "http://prometheus:9090"}, "query": query},
    })
}

/// `on ticks 3,5,7 only`, `from tick 4`, `until tick 3`, `always`
fn ticks(words: &[&str]) -> Option<Vec<RangeInclusive<u32>>> {
    match words {
        ["always"] => Some(vec![1..=u32::MAX]),
        ["from", "tick", first] => Some(vec![first.parse().ok()?..=u32::MAX]),
        ["until", "tick", last] => Some(vec![1..=last.parse().ok()?]),
        ["on", "tick" | "ticks", list] | ["on", "tick" | "ticks", list, "only"] => {
            let one = |tick: &str| tick.parse().ok().map(|tick| tick..=tick);
            list.split(',').map(one).collect()
        }
        _ => None,
    }
}

fn unknown(phrase: &str) -> String {
    format!("unknown words `{phrase}` in the input")
}

fn without_remarks(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept.trim().to_owned()
}

const ANALYSIS: &[&str] = &[
    "interval",
    "threshold",
    "maxWeight",
    "stepWeight",
    "stepWeights",
    "stepWeightPromotion",
    "iterations",
    "match",
    "mirror",
    "mirrorWeight",
    "primaryReadyThreshold",
    "canaryReadyThreshold",
    "metrics",
];

const PROVIDERS: &[&str] = &[
    "istio",
    "linkerd",
    "appmesh",
    "contour",
    "gloo",
    "nginx",
    "skipper",
    "traefik",
    "osm",
    "kuma",
    "apisix",
    "knative",
    "kubernetes",
    "gatewayapi",
];

const HOOKS: &[&str] = &[
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
    "rollback",
    "event",
];
