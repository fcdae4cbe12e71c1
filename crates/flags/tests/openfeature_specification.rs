//! The scenarios of the OpenFeature specification, as facts: all hold for clients of the SDK but those listed below,
//! most of which hold for the flags themselves.

#![cfg(feature = "open-feature")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use open_feature::{EvaluationContext, EvaluationErrorCode, EvaluationOptions, provider::FeatureProvider};
use serde_json::json;
use serinus_flags::{Context, Flags, openfeature::SerinusProvider};

use clients::{Record, Recorder, ask, at_once, context, context_of, served};
use facts::{
    Evaluation, Expected, HookLevel, Hooks, LEVELS, Merge, Provider, Seen, Specification, Status,
    TRANSACTION, Told,
};
use support::Answer;

#[path = "openfeature_specification/clients.rs"]
mod clients;
#[path = "openfeature_specification/facts.rs"]
mod facts;
mod support;

#[test]
fn every_scenario_holds_for_clients_but_those_that_are_listed_with_the_cause() {
    let specification = Specification::read();
    let mut told = BTreeMap::<&str, Count>::new();
    let mut listed = BTreeMap::<Gap, Vec<String>>::new();
    let mut failures = Vec::new();
    for Tried { feature, name, held } in specification.through_clients() {
        let count = told.entry(feature).or_default();
        match held {
            Ok(Held::Wholly) => count.wholly += 1,
            Ok(Held::But(gap)) => {
                count.but += 1;
                listed.entry(gap).or_default().push(format!("{feature}: {name}"));
            }
            Err(failure) => failures.push(format!("{feature}: {name}: {failure}")),
        }
    }
    println!("feature         wholly  listed");
    for (feature, Count { wholly, but }) in &told {
        println!("{feature:14}  {wholly:6}  {but:6}");
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));

    let counts: Vec<_> =
        told.into_iter().map(|(feature, count)| (feature, count.wholly, count.but)).collect();
    assert_eq!(
        counts,
        [
            ("contextMerging", 18, 11),
            ("evaluation", 11, 2),
            ("evaluation_v2", 50, 32),
            ("hooks", 1, 2),
            ("metadata", 5, 0)
        ]
    );
    let expected: BTreeMap<_, Vec<_>> = LISTED
        .into_iter()
        .map(|(gap, names)| (gap, names.iter().map(|name| (*name).to_owned()).collect()))
        .collect();
    assert_eq!(listed, expected);
}

/// Flags have no part in the order of hooks.
#[test]
fn every_scenario_holds_for_the_flags_themselves_but_the_two_that_want_a_cache() {
    let specification = Specification::read();
    let mut failures = Vec::new();
    let mut holding = 0;
    for Tried { feature, name, held } in specification.of_flags() {
        match held {
            Ok(()) => holding += 1,
            Err(failure) => failures.push(format!("{feature}: {name}: {failure}")),
        }
    }
    let of_caching =
        ["boolean", "string"].map(|name| format!("evaluation_v2: cached, {name}: the reason is STATIC"));
    assert_eq!(failures, of_caching);
    assert_eq!(holding, 129, "of 132 scenarios, one of which is about the order of hooks only");
}

#[test]
fn no_scenario_is_there_twice() {
    let specification = Specification::read();
    let tried: Vec<_> = specification.through_clients().collect();
    let names: BTreeSet<_> = tried.iter().map(|tried| (tried.feature, tried.name)).collect();
    assert_eq!((tried.len(), names.len()), (132, 132));
}

/// A scenario, and what came of it.
struct Tried<'a, H> {
    feature: &'a str,
    name: &'a str,
    held: Result<H, String>,
}

enum Held {
    Wholly,
    /// As far as the gap allows, and no further.
    But(Gap),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    /// No default value is given to a call: an error comes back, with the code of the specification, for the program
    /// to put its default in the place of.
    DefaultValues,
    /// Details have no code of an error, and the zero of the type for the default: the code is told to the hooks for
    /// errors only.
    ErrorsInDetails,
    /// Clients have no status: the provider has one.
    StatusOfClients,
    /// Neither has the provider one that is fatal: it says that there is an error, and the flags say which.
    FatalStatus,
    /// Contexts have no level for a transaction: the entries of the other levels are there.
    Transactions,
    /// No gap of the SDK: a value is computed anew for each call, and none comes from a cache.
    Caches,
}

#[derive(Default)]
struct Count {
    wholly: usize,
    but: usize,
}

impl Specification {
    fn through_clients(&self) -> impl Iterator<Item = Tried<'_, Held>> {
        let evaluations = self.evaluations.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.through_a_client(self.flags(scenario.provider)),
        });
        let hooks = self.hooks.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.through_a_client(self.flags(Provider::Stable)),
        });
        let contexts = self.contexts.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.through_a_client(),
        });
        let statuses = self.statuses.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.of_the_provider(self.flags(scenario.provider)),
        });
        evaluations.chain(hooks).chain(contexts).chain(statuses)
    }

    fn of_flags(&self) -> impl Iterator<Item = Tried<'_, ()>> {
        let evaluations = self.evaluations.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.of_flags(&self.flags(scenario.provider)),
        });
        let hooks = self.hooks.iter().filter(|scenario| !scenario.told.is_empty()).map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.of_flags(&self.flags(Provider::Stable)),
        });
        let contexts = self.contexts.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.of_flags(),
        });
        let statuses = self.statuses.iter().map(|scenario| Tried {
            feature: &scenario.feature,
            name: &scenario.name,
            held: scenario.of_flags(&self.flags(scenario.provider)),
        });
        evaluations.chain(hooks).chain(contexts).chain(statuses)
    }
}

impl Evaluation {
    /// Twice, for an answer to leave nothing behind: neither in the flags nor in the context.
    fn through_a_client(&self, flags: Flags) -> Result<Held, String> {
        let (_api, client) = served(flags);
        let context = context(&self.context);
        let before = format!("{context:?}");
        let options = EvaluationOptions::default();
        let ask = |context| ask(&client, &self.flag, &self.asked, context, &options);
        let answer = ask(&context);
        demand(answer == ask(&context), || "asked again, another answer comes".to_owned())?;
        demand(before == format!("{context:?}"), || "the context is altered".to_owned())?;
        if let Some(expected) = &self.without_context {
            let seen = ask(&EvaluationContext::default()).map_err(|error| format!("{error:?}"))?;
            expected.failure(&seen).map_or(Ok(()), Err)?;
        }
        match answer {
            Ok(seen) if self.expect.reason.as_deref() == Some("CACHED") => {
                demand(seen.reason == "STATIC", || format!("the reason is {}", seen.reason))?;
                Ok(Held::But(Gap::Caches))
            }
            Ok(seen) => {
                demand(seen.flag == self.flag, || format!("the flag is {}", seen.flag))?;
                self.expect.failure(&seen).map_or(Ok(Held::Wholly), Err)
            }
            Err(error) => {
                let code = error.code.to_string();
                let (reason, error) = match error.code {
                    EvaluationErrorCode::General(reason) if reason == "DISABLED" => (reason, None),
                    _ => ("ERROR".to_owned(), Some(code)),
                };
                let seen = Seen {
                    flag: self.flag.clone(),
                    value: self.default.clone(),
                    reason,
                    variant: None,
                    error,
                    metadata: BTreeMap::new(),
                };
                self.expect.failure(&seen).map_or(Ok(Held::But(Gap::DefaultValues)), Err)
            }
        }
    }

    fn of_flags(&self, flags: &Flags) -> Result<(), String> {
        let of_flags = |expected: &Expected, context: &Context| {
            let seen = seen(flags, &self.flag, &self.asked, &self.default, context);
            expected.failure(&seen).map_or(Ok(()), Err)
        };
        of_flags(&self.expect, &support::context(&self.context))?;
        self.without_context.as_ref().map_or(Ok(()), |expected| of_flags(expected, &Context::default()))
    }
}

impl Hooks {
    fn through_a_client(&self, flags: Flags) -> Result<Held, String> {
        let record = Arc::new(Mutex::new(Record::default()));
        let (_api, mut client) = served(flags);
        let mut options = EvaluationOptions::default();
        for name in &self.hooks {
            let hook = Recorder { name: name.clone(), record: Arc::clone(&record), adds: None };
            match self.level {
                HookLevel::Client => client = client.with_hook(hook),
                HookLevel::Invocation => options = options.with_hook(hook),
            }
        }
        let answer = ask(&client, &self.flag, &self.asked, &EvaluationContext::default(), &options);
        let Record { calls, details, codes } = &*record.lock().unwrap();
        demand(*calls == self.calls, || format!("the calls are {calls:?}"))?;
        let mut held = Held::Wholly;
        for (stage, expected) in &self.told {
            let told = details.iter().find(|(told, _)| told == stage);
            let (_, told) = told.ok_or_else(|| format!("{stage} is told nothing"))?;
            demand(told.flag == self.flag, || format!("{stage} is told of {}", told.flag))?;
            let mut told = Told::of(told);
            if expected.error.is_some() {
                let zero = if self.asked == "boolean" { json!(false) } else { json!("") };
                demand(told.value == zero && told.error.is_none(), || "details have an error".to_owned())?;
                demand(answer.is_err(), || "an answer comes in spite of an error".to_owned())?;
                told = Told { value: self.default.clone(), error: codes.first().cloned(), ..told };
                held = Held::But(Gap::ErrorsInDetails);
            }
            demand(told.is(expected), || format!("{stage} is told {details:?}, codes {codes:?}"))?;
        }
        Ok(held)
    }

    fn of_flags(&self, flags: &Flags) -> Result<(), String> {
        let seen = seen(flags, &self.flag, &self.asked, &self.default, &Context::default());
        demand(self.told.values().all(|expected| Told::of(&seen).is(expected)), || format!("{seen:?}"))
    }
}

impl Merge {
    fn through_a_client(&self) -> Result<Held, String> {
        let (mut api, mut client) = served(self.flags());
        let options = EvaluationOptions::default();
        let is_there = |client: &_, name: &str, given: &_| {
            let seen = ask(client, name, "boolean", given, &options).map_err(|error| format!("{error:?}"));
            Ok::<_, String>(seen?.value == true)
        };
        for name in self.merged.keys() {
            let found = is_there(&client, name, &EvaluationContext::default())?;
            demand(!found, || format!("{name} is there before it is added"))?;
        }
        let of_level = |level| context_of(self.levels.get(level));
        at_once(api.set_evaluation_context(of_level("API")));
        client.set_evaluation_context(of_level("Client"));
        let client =
            client.with_hook(Recorder { adds: Some(of_level("Before Hooks")), ..Recorder::default() });
        for name in self.merged.keys() {
            let found = is_there(&client, name, &of_level("Invocation"))?;
            let expected = self.decisive_level(name) != TRANSACTION;
            demand(found == expected, || format!("{name} is there: {found}"))?;
        }
        let is_missing = self.levels.contains_key(TRANSACTION);
        Ok(if is_missing { Held::But(Gap::Transactions) } else { Held::Wholly })
    }

    fn of_flags(&self) -> Result<(), String> {
        let mut merged = Context::default();
        for entries in LEVELS.iter().filter_map(|level| self.levels.get(*level)) {
            let added = |context: Context, (name, value): (&String, &String)| {
                context.with(name.clone(), value.as_str())
            };
            merged.merge(&entries.iter().fold(Context::default(), added));
        }
        let flags = self.flags();
        let is_there = |name: &String| flags.bool(name, &merged) == Ok(true);
        let is_all = merged.attributes().len() == self.merged.len();
        demand(is_all && self.merged.keys().all(is_there), || format!("the merged context is {merged:?}"))
    }
}

impl Status {
    fn of_the_provider(&self, flags: Flags) -> Result<Held, String> {
        let status = clients::status(&SerinusProvider::new(flags).status());
        if self.status == "FATAL" {
            demand(status == "ERROR", || format!("the status is {status}"))?;
            return Ok(Held::But(Gap::FatalStatus));
        }
        demand(status == self.status, || format!("the status is {status}"))?;
        Ok(Held::But(Gap::StatusOfClients))
    }

    fn of_flags(&self, flags: &Flags) -> Result<(), String> {
        let status = flags.status();
        demand(status.as_str() == self.status, || format!("the status is {status}"))
    }
}

fn seen(flags: &Flags, flag: &str, asked: &str, default: &serde_json::Value, context: &Context) -> Seen {
    let (reason, variant, error, value) = match support::ask(flags, flag, asked, default, context) {
        Answer::Resolved { reason, variant, value } => (reason, variant, None, value),
        Answer::Failed(code) => ("ERROR".to_owned(), None, Some(code), default.clone()),
    };
    let snapshot = flags.snapshot();
    let metadata = snapshot.evaluate(flag, context).metadata;
    let metadata = metadata
        .iter()
        .map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap()))
        .collect();
    Seen { flag: flag.to_owned(), value, reason, variant, error, metadata }
}

fn demand(condition: bool, failure: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(failure()) }
}

/// The scenarios that hold only in part for clients, in the order of the facts.
const LISTED: [(Gap, &[&str]); 6] = [
    (
        Gap::DefaultValues,
        &[
            "evaluation: missing flag",
            "evaluation: wrong type",
            "evaluation_v2: missing flag, boolean",
            "evaluation_v2: missing flag, string",
            "evaluation_v2: missing flag, integer",
            "evaluation_v2: missing flag, float",
            "evaluation_v2: missing flag, object",
            "evaluation_v2: wrong type, boolean",
            "evaluation_v2: wrong type, string",
            "evaluation_v2: wrong type, integer",
            "evaluation_v2: wrong type, float",
            "evaluation_v2: wrong type, object",
            "evaluation_v2: not ready, boolean",
            "evaluation_v2: not ready, string",
            "evaluation_v2: not ready, integer",
            "evaluation_v2: not ready, float",
            "evaluation_v2: not ready, object",
            "evaluation_v2: fatal, boolean",
            "evaluation_v2: fatal, string",
            "evaluation_v2: fatal, integer",
            "evaluation_v2: fatal, float",
            "evaluation_v2: fatal, object",
            "evaluation_v2: disabled, boolean",
            "evaluation_v2: disabled, string",
            "evaluation_v2: disabled, integer",
            "evaluation_v2: disabled, float",
            "evaluation_v2: disabled, object",
        ],
    ),
    (Gap::ErrorsInDetails, &["hooks: missing flag", "hooks: wrong type"]),
    (
        Gap::StatusOfClients,
        &[
            "evaluation_v2: status READY",
            "evaluation_v2: status NOT_READY",
            "evaluation_v2: status ERROR",
            "evaluation_v2: status STALE",
        ],
    ),
    (Gap::FatalStatus, &["evaluation_v2: status FATAL"]),
    (
        Gap::Transactions,
        &[
            "contextMerging: one entry of a transaction, Transaction",
            "contextMerging: one entry of both, Transaction",
            "contextMerging: an entry for each level of a transaction",
            "contextMerging: an entry for each level of both",
            "contextMerging: the same entry of a transaction, up to Transaction",
            "contextMerging: the same entry of a transaction, up to Client",
            "contextMerging: the same entry of a transaction, up to Invocation",
            "contextMerging: the same entry of both, up to Transaction",
            "contextMerging: the same entry of both, up to Client",
            "contextMerging: the same entry of both, up to Invocation",
            "contextMerging: the same entry of both, up to Before Hooks",
        ],
    ),
    (Gap::Caches, &["evaluation_v2: cached, boolean", "evaluation_v2: cached, string"]),
];
