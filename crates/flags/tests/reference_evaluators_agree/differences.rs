//! Where the evaluators for other languages answer otherwise, and how to tell: one entry for each row of
//! `docs/differences.md`.

use serde_json::Value;

use crate::{
    generator::{Case, Questions},
    oracle::Oracle::{self, Node, PythonV2, PythonV3},
    shapes::{
        begins_or_ends_outside, fails_with, has_empty_variable, has_null_with_default, has_unusual_entry,
        has_value_around, has_variable_for_rule, is_all, is_compound, is_of_one_kind, is_plain_membership,
        is_plain_version, is_truth, is_zero, joins_white_space, leads_into_list_by_name, leads_into_text,
        looks_at_rule, looks_like_rule, names_unknown_operator, places_by,
    },
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

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "the code of a rule's failure",
        with: &[PythonV2, PythonV3],
        applies: |seen| fails_with(seen.ours, "PARSE_ERROR") && fails_with(seen.theirs, "GENERAL"),
        rule: r#"{"%": [1, 0]}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "the code of a rule's failure",
        with: &[Node],
        applies: |seen| fails_with(seen.ours, "PARSE_ERROR") && fails_with(seen.theirs, "GENERAL"),
        rule: r#"{"<": [{"*": [{"var": "o"}, 2]}, 1]}"#,
        context: r#"{"o": {"k": 1}}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "cat of what is missing",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.gives(&["cat"], Value::is_null),
        rule: r#"{"if": [{"==": [{"cat": ["x", {"var": "nothing"}]}, "x"]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "white space around what cat joins",
        applies: |seen| seen.uses(&["cat"], joins_white_space),
        rule: r#"{"if": [{"==": [{"cat": [" a", " "]}, "a"]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "cat of a truth, a list or an object",
        applies: |seen| seen.gives(&["cat"], |given| is_truth(given) || is_compound(given)),
        rule: r#"{"if": [{"cat": ["a", true]}, "a", "b"]}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "order of two kinds of values",
        with: &[Node],
        applies: |seen| seen.uses(ORDER, |site| !is_of_one_kind(site)),
        rule: r#"{"if": [{"<": ["abc", 1]}, "a", "b"]}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "order of two kinds of values",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.uses(ORDER, |site| !is_of_one_kind(site)),
        rule: r#"{"if": [{"<": ["", 1]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "a variable that leads into a text",
        applies: |seen| seen.uses(&["var", "missing", "missing_some"], leads_into_text),
        rule: r#"{"if": [{"var": "s.0"}, "a", "b"]}"#,
        context: r#"{"s": "xyz"}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "the default of a variable that is null",
        with: &[Node],
        applies: |seen| seen.uses(&["var"], has_null_with_default),
        rule: r#"{"var": ["n", "a"]}"#,
        context: r#"{"n": null}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "loose equality of two kinds of values, of lists or of objects",
        applies: |seen| seen.uses(&["==", "!="], |site| !is_of_one_kind(site)),
        rule: r#"{"if": [{"==": [null, 0]}, "a", "b"]}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "strict equality of lists or of objects",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.gives(&["===", "!=="], is_compound),
        rule: r#"{"if": [{"===": [[1], [1]]}, "a", "b"]}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "an object of the context that looks like a rule, where if chooses it or a condition looks at it",
        applies: |seen| fails_with(seen.ours, "PARSE_ERROR") && seen.gives(&["if"], looks_like_rule),
        rule: r#"{"if": [{"!==": [{"if": [{"var": "t"}, {"var": "o"}, "x"]}, "10"]}, "a", "b"]}"#,
        context: r#"{"o": {"k": 1}, "t": true}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "an object of the context that looks like a rule, where if chooses it or a condition looks at it",
        applies: |seen| fails_with(seen.ours, "PARSE_ERROR") && seen.uses(CONDITIONAL, looks_at_rule),
        rule: r#"{"all": [{"var": "l"}, {"!!": [{"var": "home"}]}]}"#,
        context: r#"{"l": [{"home": {"town": "x"}}]}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "a name that the context has too, or a default, in the condition of some, none or filter",
        applies: |seen| seen.uses(&["some", "none", "filter"], has_value_around),
        rule: r#"{"some": [{"var": "l"}, {"==": [{"var": "name"}, "a"]}]}"#,
        context: r#"{"name": "me", "l": [{"name": "a"}, {"name": "a"}]}"#,
        ours: "false",
        ..TEXT
    },
    Difference {
        name: "a name that the context has too, or a default, in the condition of some, none or filter",
        applies: |seen| seen.uses(&["none"], has_value_around),
        rule: r#"{"none": [{"var": "l"}, {"==": [{"var": "name"}, "a"]}]}"#,
        context: r#"{"name": "me", "l": [{"name": "a"}, {"name": "a"}]}"#,
        ours: "true",
        ..TEXT
    },
    Difference {
        name: "a name that the context has too, or a default, in the condition of some, none or filter",
        applies: |seen| seen.uses(&["filter"], has_value_around),
        rule: r#"{"!!": [{"filter": [{"var": "l"}, {"==": [{"var": ["name", "d"]}, "a"]}]}]}"#,
        context: r#"{"l": [{"name": "a"}, {"name": "a"}]}"#,
        ours: "false",
        ..TEXT
    },
    Difference {
        name: "a variable for the whole condition of all or some",
        applies: |seen| fails_with(seen.ours, "PARSE_ERROR") && seen.uses(CONDITIONAL, has_variable_for_rule),
        rule: r#"{"some": [{"var": "l"}, {"var": "ok"}]}"#,
        context: r#"{"l": [{"ok": true}]}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "a path into a list by what is no number",
        applies: |seen| seen.uses(&["var", "missing", "missing_some"], leads_into_list_by_name),
        rule: r#"{"if": [{"==": [{"var": "l.x"}, 1]}, "a", "b"]}"#,
        context: r#"{"l": [1, 2]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "a single operand, not in a list",
        applies: |seen| {
            seen.uses(LISTED, |site| site.is_bare && !site.given[0].as_ref().is_some_and(Value::is_array))
        },
        rule: r#"{"if": [{"max": 3}, "a", "b"]}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "missing_some of what is no list",
        applies: |seen| {
            seen.uses(&["missing_some"], |site| {
                !site.given.get(1).and_then(Option::as_ref).is_some_and(Value::is_array)
            })
        },
        rule: r#"{"if": [{"missing_some": [3, ""]}, "a", "b"]}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "abs, set, contains_all, contains_any and contains_none",
        applies: |seen| seen.uses(&["abs", "set", "contains_all", "contains_any", "contains_none"], |_| true),
        rule: r#"{"if": [{"set": [{"var": "o"}, "k", 1]}, "a", "b"]}"#,
        context: r#"{"o": {"k": 0, "l": 2}}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "in with two kinds of values",
        applies: |seen| seen.uses(&["in"], |site| !is_plain_membership(site)),
        rule: r#"{"if": [{"in": [1, ["1"]]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "in an empty text",
        with: &[Node],
        applies: |seen| seen.uses(&["in"], |site| site.given.last() == Some(&Some("".into()))),
        rule: r#"{"in": ["", ""]}"#,
        ours: "true",
        ..TEXT
    },
    Difference {
        name: "arithmetic with what is no number",
        applies: |seen| {
            seen.uses(&["+", "-", "*", "/", "%", "max", "min"], |site| !is_all(site, Value::is_number))
        },
        rule: r#"{"if": [{"==": [{"+": ["x", 1]}, 1]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "division by zero",
        applies: |seen| {
            seen.uses(&["/", "%"], |site| site.given.last().and_then(Option::as_ref).is_some_and(is_zero))
        },
        rule: r#"{"if": [{">": [{"/": [1, 0]}, 5]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "remainder of a negative number",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.gives(&["%"], |given| given.as_f64().is_some_and(|number| number < 0.0)),
        rule: r#"{"if": [{"==": [{"%": [-1, 3]}, -1]}, "a", "b"]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "going through what is no list",
        applies: |seen| {
            seen.uses(&["all", "some", "none", "filter", "map", "reduce", "merge"], |site| {
                !site.given.first().and_then(Option::as_ref).is_some_and(Value::is_array)
            })
        },
        rule: r#"{"if": [{"all": [{"var": "x"}, {"==": [{"var": ""}, 1]}]}, "a", "b"]}"#,
        context: r#"{"x": 7}"#,
        ours: "PARSE_ERROR",
        ..TEXT
    },
    Difference {
        name: "rules in a list that is written out, to be gone through",
        applies: |seen| {
            seen.uses(&["all", "some", "none", "filter", "map", "reduce"], |site| {
                site.written
                    .first()
                    .and_then(Value::as_array)
                    .is_some_and(|list| list.iter().any(is_compound))
            })
        },
        rule: r#"{"if": [{"some": [[{"var": "x"}], {"==": [{"var": ""}, "y"]}]}, "a", "b"]}"#,
        context: r#"{"x": "y"}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "missing of an empty text or of null",
        applies: |seen| seen.uses(&["missing", "missing_some"], has_empty_variable),
        rule: r#"{"if": [{"in": ["e", {"missing": ["e", "n"]}]}, "d", {"in": ["n", {"missing": ["e", "n"]}]}, "a", "b"]}"#,
        context: r#"{"e": "", "n": null}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "an operator that does not exist, in a branch not taken",
        with: &[Node],
        applies: |seen| names_unknown_operator(&seen.rule),
        rule: r#"{"if": [true, "a", {"nonsense": 1}]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "substr that begins outside of the text",
        applies: |seen| seen.uses(&["substr"], begins_or_ends_outside),
        rule: r#"{"substr": ["a", 5]}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "a weight that is a float, null or an expression without value, or an entry of three",
        applies: |seen| seen.uses(&["fractional"], has_unusual_entry),
        rule: r#"{"fractional": [["a", null]]}"#,
        context: r#"{"targetingKey": "u"}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "fractional by null",
        with: &[Node, PythonV2],
        applies: |seen| {
            seen.uses(&["fractional"], |site| matches!(site.given.first(), Some(Some(Value::Null))))
        },
        rule: r#"{"fractional": [{"var": "nothing"}, ["a", 1]]}"#,
        context: r#"{"targetingKey": "u"}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "fractional by a text that is empty",
        with: &[PythonV2],
        applies: |seen| seen.uses(&["fractional"], |site| site.given.first() == Some(&Some("".into()))),
        rule: r#"{"fractional": ["", ["a", 1]]}"#,
        context: r#"{"targetingKey": "u"}"#,
        ours: "a",
        ..TEXT
    },
    Difference {
        name: "fractional by a text beyond ASCII",
        with: &[Node],
        applies: |seen| seen.uses(&["fractional"], |site| !places_by(site).is_ascii()),
        rule: r#"{"fractional": ["用户1", ["a", 1], ["b", 1]]}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "fractional by a targeting key that is no text",
        with: &[Node],
        applies: |seen| {
            let key = &seen.context["targetingKey"];
            seen.uses(&["fractional"], |_| !key.is_string() && !key.is_null())
        },
        rule: r#"{"fractional": [["a", 1]]}"#,
        context: r#"{"targetingKey": 7}"#,
        ours: "d",
        ..TEXT
    },
    Difference {
        name: "a version that Go does not take for one",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.gives(&["sem_ver"], |given| !is_plain_version(given)),
        rule: r#"{"sem_ver": ["1.2-rc", "<", "1.2.0"]}"#,
        ours: "d",
        ..TEXT
    },
    Difference {
        name: "a version that Go does not take for one",
        with: &[Node],
        applies: |seen| seen.gives(&["sem_ver"], |given| !is_plain_version(given)),
        rule: r#"{"sem_ver": ["vv1.0.0", "=", "1.0.0"]}"#,
        ours: "d",
        ..TEXT
    },
    Difference {
        name: "a version that Go does not take for one",
        applies: |seen| seen.gives(&["sem_ver"], |given| !is_plain_version(given)),
        rule: r#"{"sem_ver": [1000000, "=", "1000000.0.0"]}"#,
        ours: "d",
        ..TEXT
    },
    Difference {
        name: "an empty object as a truth",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.gives(&["if", "!", "!!", "and", "or"], |given| *given == serde_json::json!({})),
        rule: r#"{"if": [{"var": "e"}, "a", "b"]}"#,
        context: r#"{"e": {}}"#,
        ours: "b",
        ..TEXT
    },
    Difference {
        name: "a whole number, written as a float, for the name of a variant",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.result.as_ref().is_some_and(Value::is_number),
        rule: r#"{"if": [true, 1.0]}"#,
        ours: "1",
        ..TEXT
    },
    Difference {
        name: "a list for the name of a variant",
        with: &[Node],
        applies: |seen| seen.result.as_ref().is_some_and(Value::is_array),
        rule: r#"{"if": [{"var": "l"}, {"var": "l"}]}"#,
        context: r#"{"l": [1]}"#,
        ours: "GENERAL",
        ..TEXT
    },
    Difference {
        name: "an integer asked of a whole number that is written as a float",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.asked == "integer" && fails_with(seen.theirs, "TYPE_MISMATCH"),
        asked: "integer",
        ours: "d",
        ..TEXT
    },
    Difference {
        name: "a number asked of a truth",
        with: &[PythonV2, PythonV3],
        applies: |seen| seen.asked == "float" && fails_with(seen.ours, "TYPE_MISMATCH"),
        asked: "float",
        ours: "TYPE_MISMATCH",
        ..TEXT
    },
    Difference {
        name: "an integer asked of a fraction",
        with: &[Node],
        applies: |seen| seen.asked == "integer" && fails_with(seen.ours, "TYPE_MISMATCH"),
        asked: "integer",
        rule: r#"{"if": [true, "fraction"]}"#,
        ours: "TYPE_MISMATCH",
        ..TEXT
    },
];

/// An example that asks for a text, of nobody.
const TEXT: Difference = Difference {
    name: "",
    with: &[Node, PythonV2, PythonV3],
    applies: |_| false,
    asked: "string",
    rule: "null",
    evaluators: "",
    context: "{}",
    ours: "",
};

const ORDER: &[&str] = &["<", "<=", ">", ">="];
/// The operators that run a condition for each element, and put values into it.
const CONDITIONAL: &[&str] = &["all", "some", "none", "filter"];
/// The operators that take their operands in a list only.
const LISTED: &[&str] = &[
    "==", "!=", "<", "<=", ">", ">=", "in", "substr", "-", "*", "/", "%", "max", "min", "cat", "and", "or",
    "if",
];
