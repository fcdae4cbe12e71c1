//! Where the evaluators for other languages answer otherwise, and how to tell: one entry for each row of
//! `docs/differences.md`.

use serde_json::Value;

use crate::{
    generator::{Case, Questions},
    oracle::Oracle::{self, Node, PythonV2, PythonV3},
    sites::{self, Site},
    support::Answer,
};

/// A documented difference, with an example that shows it.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) with: &'static [Oracle],
    pub(crate) applies: fn(&Seen) -> bool,
    /// What the flag of the example is asked for as.
    pub(crate) asked: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) evaluators: &'static str,
    pub(crate) context: &'static str,
    /// Our answer: the variant, the reason where there is none, or the code of the error.
    pub(crate) ours: &'static str,
}

impl Difference {
    pub(crate) fn is_with(&self, oracle: Oracle) -> bool {
        self.with.contains(&oracle)
    }
}

/// A case in which the answers differ.
pub(crate) struct Seen<'a> {
    pub(crate) document: &'a Value,
    pub(crate) flag: &'a Value,
    pub(crate) asked: &'a str,
    pub(crate) ours: &'a Answer,
    pub(crate) theirs: &'a Answer,
    pub(crate) context: &'a Value,
    pub(crate) rule: Value,
    sites: Vec<Site>,
    /// What the rule comes to with us.
    pub(crate) result: Option<Value>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(
        oracle: Oracle,
        questions: &'a Questions,
        case: &'a Case,
        ours: &'a Answer,
        theirs: &'a Answer,
    ) -> Self {
        let flag = &questions.document["flags"][&case.key];
        let rule = sites::with_shared(&flag["targeting"], &questions.document["$evaluators"]);
        let mut data = case.context.clone();
        data["$flagd"] = serde_json::json!({ "flagKey": case.key, "timestamp": 1_800_000_000 });
        Self {
            document: &questions.document,
            flag,
            asked: case.asked,
            ours,
            theirs,
            context: &case.context,
            sites: sites::sites(&rule, &data, oracle.generation()),
            result: sites::value_of(&rule, &data, oracle.generation()),
            rule,
        }
    }

    /// Whether one of these operators is used so.
    fn uses(&self, operators: &[&str], so: impl Fn(&Site) -> bool) -> bool {
        self.sites.iter().any(|site| operators.contains(&site.operator.as_str()) && so(site))
    }

    /// Whether one of these operators is given such a value.
    fn gives(&self, operators: &[&str], such: impl Fn(&Value) -> bool) -> bool {
        self.uses(operators, |site| site.given.iter().flatten().any(&such))
    }
}

pub(crate) const DIFFERENCES: &[Difference] = &[];
