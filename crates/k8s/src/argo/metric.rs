//! One metric of a template.

use serinus_core::{
    analysis::{Condition, Judge, Metric},
    metric::Query,
    time::GoDuration,
};

use super::{
    Compiler,
    arguments::{Arguments, CANDIDATE, STABLE},
};
use crate::{fault::FaultKind, ledger::out_of_range, node::Value, place::Place};

impl Compiler<'_> {
    pub(super) fn metric(&mut self, place: &Place<'_>, arguments: &Arguments) -> Option<Metric> {
        let Some(name) = place.name_in("name") else {
            self.ledger.fault_in(place, "name", FaultKind::Missing, "add the name of the metric");
            return None;
        };
        // Everything is read before anything is given up, so that all faults come out at once.
        let (query, judge) = match place.find(&["provider", "kayenta"]) {
            Some(kayenta) => {
                (self.canary_analysis(&kayenta, arguments), self.score_thresholds(place, &kayenta))
            }
            None => (self.query(place, arguments), self.judge(place, arguments)),
        };
        let interval = self.length(place, "interval", arguments);
        let initial_delay = self.length(place, "initialDelay", arguments);
        let count = self.limit(place, "count", 0, arguments).flatten().filter(|count| *count > 0);
        let failure_limit = self.limit(place, "failureLimit", -1, arguments);
        let inconclusive_limit = self.limit(place, "inconclusiveLimit", 0, arguments).flatten();
        let error_limit = self.limit(place, "consecutiveErrorLimit", 0, arguments).flatten();
        let success_limit = self.limit(place, "consecutiveSuccessLimit", 0, arguments).flatten();
        if count.is_some_and(|count| count > 1) && !place.has("interval") {
            let message = "more than one measurement needs time between them: add `interval: 1m`";
            self.ledger.fault_in(place, "interval", FaultKind::Missing, message);
        }
        let ends = failure_limit.flatten().unwrap_or(0).saturating_add(success_limit.unwrap_or(0));
        if let Some(count) = count.filter(|count| *count < ends) {
            let message = format!(
                "`failureLimit` and `consecutiveSuccessLimit` come to {ends}, and only {count} are measured: use a \
                 `count` of {ends} or more, or lower limits"
            );
            self.ledger.fault_in(place, "count", FaultKind::Conflict, message);
        }
        if let (Some(count), Some(limit)) = (count, inconclusive_limit)
            && count < limit
        {
            let message = format!(
                "`inconclusiveLimit` is {limit}, and only {count} are measured: use a `count` of {limit} or more, or a \
                 lower limit"
            );
            self.ledger.fault_in(place, "count", FaultKind::Conflict, message);
        }
        let mut metric = Metric::new(name, query?, judge?);
        let timeout = place.find(&["provider", "prometheus"]);
        let timeout = timeout.and_then(|prometheus| self.ledger.seconds(&prometheus, "timeout"));
        metric.timeout = timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(metric.timeout);
        metric.interval = interval;
        metric.initial_delay = initial_delay.unwrap_or(GoDuration::ZERO);
        metric.count = count;
        metric.failure_limit = failure_limit.unwrap_or(metric.failure_limit);
        metric.inconclusive_limit = inconclusive_limit.unwrap_or(metric.inconclusive_limit);
        metric.consecutive_error_limit = error_limit.unwrap_or(metric.consecutive_error_limit);
        metric.consecutive_success_limit = success_limit.filter(|limit| *limit > 0);
        Some(metric)
    }

    fn query(&mut self, metric: &Place<'_>, arguments: &Arguments) -> Option<Query> {
        let provider = metric.get("provider");
        let Some(prometheus) = provider.as_ref().and_then(|provider| provider.get("prometheus")) else {
            // Another provider is at fault already, as not supported.
            if provider.is_none_or(|provider| provider.fields().is_empty()) {
                let message = "no provider: add `prometheus` with an `address` and a `query`";
                self.ledger.fault_in(metric, "provider", FaultKind::Missing, message);
            }
            return None;
        };
        let Some(text) = prometheus
            .get("query")
            .filter(|query| query.node.text().is_some_and(|text| !text.trim().is_empty()))
        else {
            self.ledger.fault_in(&prometheus, "query", FaultKind::Missing, "add the query, in PromQL");
            return None;
        };
        let text = self.text(&text, arguments)?;
        let mut query = Query::new("prometheus", text);
        query.settings.insert("shape".into(), "argo".into());
        let settings = [
            ("address", prometheus.get("address")),
            ("range.start", prometheus.find(&["rangeQuery", "start"])),
            ("range.end", prometheus.find(&["rangeQuery", "end"])),
            ("range.step", prometheus.find(&["rangeQuery", "step"])),
        ];
        for (name, field) in settings {
            let Some(field) = field else { continue };
            let value = self.text(&field, arguments)?;
            query.settings.insert(name.into(), value);
        }
        if let Some(range) = prometheus.get("rangeQuery") {
            self.check_range(&range, &query);
        }
        for header in prometheus.items("headers") {
            let (Some(name), Some(value)) = (header.name_in("key"), header.get("value")) else {
                self.ledger.fault(
                    &header,
                    FaultKind::Missing,
                    "a header has a `key` and a `value`: add both",
                );
                continue;
            };
            let value = self.text(&value, arguments)?;
            query.settings.insert(format!("header.{name}"), value);
        }
        if prometheus.is_set("insecure") {
            query.settings.insert("insecure".into(), "true".into());
        }
        if let Some(timeout) =
            self.ledger.seconds(&prometheus, "timeout").filter(|timeout| !timeout.is_zero())
        {
            query.settings.insert("timeout".into(), timeout.to_string());
        }
        Some(query)
    }

    fn check_range(&mut self, range: &Place<'_>, query: &Query) {
        for (name, example) in [("start", "now() - duration(\"5m\")"), ("step", "1m")] {
            if !range.has(name) {
                let message = format!("a range begins somewhere and has steps: add `{name}: {example}`");
                self.ledger.fault_in(range, name, FaultKind::Missing, message);
            }
        }
        if let (Some(step), Some(length)) = (range.get("step"), query.settings.get("range.step")) {
            self.ledger.duration(&step, length);
        }
    }

    fn judge(&mut self, metric: &Place<'_>, arguments: &Arguments) -> Option<Judge> {
        let success = self.condition(metric, "successCondition", arguments);
        let failure = self.condition(metric, "failureCondition", arguments);
        Some(Judge::Conditions { success: success?, failure: failure? })
    }

    /// `None` if it is at fault, `Some(None)` if there is none.
    fn condition(
        &mut self,
        metric: &Place<'_>,
        name: &str,
        arguments: &Arguments,
    ) -> Option<Option<Condition>> {
        let Some(field) = metric.get(name).filter(|field| field.node.text() != Some("")) else {
            return Some(None);
        };
        let text = self.text(&field, arguments)?;
        if text.contains(STABLE) || text.contains(CANDIDATE) {
            let message = "the hash of a revision is filled into queries only: compare with a value";
            self.ledger.fault(&field, FaultKind::Unsupported, message);
            return None;
        }
        match text.parse::<Condition>() {
            Ok(condition) => {
                self.check_shape(metric, &field, &text);
                Some(Some(condition))
            }
            Err(error) => {
                self.ledger.fault(&field, FaultKind::Invalid, error.to_string());
                None
            }
        }
    }

    /// A query over series answers with a list, even of one element; a list is not above or below a number.
    fn check_shape(&mut self, metric: &Place<'_>, field: &Place<'_>, condition: &str) {
        let query = metric.find(&["provider", "prometheus", "query"]);
        let query = query.as_ref().and_then(|query| query.node.text()).unwrap_or_default();
        let may_be_scalar = ["scalar", "time()", "pi()"].iter().any(|word| query.contains(word))
            || !query.contains(|letter: char| letter.is_alphabetic());
        let rest = condition.trim_start().strip_prefix("result").map(str::trim_start);
        let compares = rest.is_some_and(|rest| {
            let operand = rest.trim_start_matches(['<', '>', '=', '!']);
            operand.len() < rest.len()
                && operand.trim_start().starts_with(|letter: char| letter.is_ascii_digit())
        });
        if compares && !may_be_scalar {
            let message = "a query over series answers with a list, which cannot be compared with a number, so each \
                           measurement will be an error: write `result[0]` for `result`";
            self.ledger.warnings.push(field.fault(FaultKind::Warning, message));
        }
    }

    fn length(&mut self, metric: &Place<'_>, name: &str, arguments: &Arguments) -> Option<GoDuration> {
        let field = metric.get(name).filter(|field| field.node.text() != Some(""))?;
        let text = self.text(&field, arguments)?;
        self.ledger.duration(&field, &text)
    }

    /// A limit, as a number or as a text with one. `None` if it is not there or at fault; `Some(None)` for −1,
    /// which means none.
    fn limit(
        &mut self,
        metric: &Place<'_>,
        name: &str,
        least: i64,
        arguments: &Arguments,
    ) -> Option<Option<u32>> {
        let field = metric.get(name)?;
        let value = match &field.node.value {
            Value::Integer(value) => *value,
            Value::Text(_) => {
                let text = self.text(&field, arguments)?;
                match text.trim().parse() {
                    Ok(value) => value,
                    Err(_) => {
                        let message = format!("`{text}` is not a whole number: use one, such as 5");
                        self.ledger.fault(&field, FaultKind::Invalid, message);
                        return None;
                    }
                }
            }
            _ => return None,
        };
        let range = least..=i64::from(i32::MAX);
        if !range.contains(&value) {
            self.ledger.fault(&field, FaultKind::Invalid, out_of_range(value, &range));
            return None;
        }
        Some(u32::try_from(value).ok())
    }

    pub(super) fn text(&mut self, field: &Place<'_>, arguments: &Arguments) -> Option<String> {
        arguments.filled(field, field.node.text()?, &mut self.ledger)
    }
}
