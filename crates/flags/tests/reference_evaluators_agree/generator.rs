//! Documents, contexts and rules as people write them, and a little worse.

use serde_json::{Map, Value, json};

/// One flag of a document, and who asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) key: String,
    /// As OpenFeature names it, in lower case.
    pub(crate) asked: &'static str,
    pub(crate) default: Value,
    pub(crate) context: Value,
}

/// A document and the questions about it.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    pub(crate) document: Value,
    pub(crate) cases: Vec<Case>,
}

/// Documents of this many flags; each flag is asked for once.
pub(crate) fn documents(seed: u64, documents: usize, flags: usize) -> Vec<Questions> {
    let mut generator = Generator { random: Random(seed), depth: 0 };
    (0..documents).map(|_| generator.questions(flags)).collect()
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

struct Generator {
    random: Random,
    /// How deep the rule is at this place.
    depth: usize,
}

impl Generator {
    fn questions(&mut self, count: usize) -> Questions {
        let mut evaluators = Map::new();
        for name in SHARED {
            evaluators.insert((*name).to_owned(), self.shared());
        }
        let (mut flags, mut cases) = (Map::new(), Vec::new());
        for number in 0..count {
            let key = format!("{}-{number}", self.random.pick(FLAG_NAMES));
            let (asked, default, variants) = self.variants();
            let mut flag = json!({ "state": "ENABLED", "variants": variants });
            if self.random.once_in(40) {
                flag["state"] = "DISABLED".into();
            }
            match self.random.below(12) {
                0 => {}
                1 => flag["defaultVariant"] = Value::Null,
                _ => flag["defaultVariant"] = self.random.pick(NAMES).into(),
            }
            match self.random.below(20) {
                0 => {}
                1 => flag["targeting"] = json!({}),
                _ => flag["targeting"] = self.targeting(),
            }
            flags.insert(key.clone(), flag);
            let missing = self.random.once_in(60);
            let key = if missing { format!("{key}-missing") } else { key };
            cases.push(Case { key, asked, default, context: self.context() });
        }
        Questions { document: json!({ "flags": flags, "$evaluators": evaluators }), cases }
    }

    /// What is asked for, the caller's default, and the variants; seldom of another type than what is asked for.
    fn variants(&mut self) -> (&'static str, Value, Value) {
        let (asked, default, values): (_, _, [Value; 4]) = match self.random.below(9) {
            0 => ("boolean", json!(false), [json!(true), json!(false), json!(true), json!(false)]),
            1 => ("integer", json!(7), [json!(0), json!(1), json!(-20), json!(9_007_199_254_740_991_i64)]),
            2 => ("float", json!(7.5), [json!(0.5), json!(1.25), json!(-3.5), json!(1e-3)]),
            3 => (
                "object",
                json!({}),
                [json!({}), json!({"a": 1}), json!({"b": [1, "x"]}), json!({"c": null})],
            ),
            _ => ("string", json!("code"), [json!("1st"), json!(""), json!("drei"), json!("四")]),
        };
        let mut variants = Map::new();
        for (name, value) in NAMES.iter().zip(values.iter().cycle()) {
            variants.insert((*name).to_owned(), value.clone());
        }
        let asked = if self.random.once_in(50) { self.random.pick(TYPES) } else { asked };
        let default = match asked {
            "boolean" => json!(false),
            "integer" => json!(7),
            "float" => json!(7.5),
            "object" => json!({}),
            "string" => json!("code"),
            _ => default,
        };
        (asked, default, Value::Object(variants))
    }

    fn context(&mut self) -> Value {
        let mut context = Map::new();
        for (name, values) in ATTRIBUTES {
            match self.random.below(14) {
                0 => {}
                1 => {
                    let strange: Value = serde_json::from_str(self.random.pick(STRANGE)).unwrap();
                    context.insert((*name).to_owned(), strange);
                }
                _ => {
                    let value: Value = serde_json::from_str(self.random.pick(values)).unwrap();
                    context.insert((*name).to_owned(), value);
                }
            }
        }
        if !self.random.once_in(12) {
            let mut key = format!("{}{}", self.random.pick(SUBJECTS), self.random.below(100_000));
            if self.random.once_in(20) {
                key.clear();
            }
            context.insert("targetingKey".to_owned(), key.into());
        }
        if self.random.once_in(20) {
            context.insert("$flagd".to_owned(), json!({"flagKey": "mine", "timestamp": 1}));
        }
        Value::Object(context)
    }

    /// A rule that comes to the name of a variant, mostly.
    fn targeting(&mut self) -> Value {
        self.depth = 0;
        match self.random.below(8) {
            0 => self.fractional(),
            1 => self.truth(),
            2 => json!({"if": [self.truth(), self.variant(), self.truth(), self.variant(), self.variant()]}),
            3 => json!({"if": [self.truth(), self.variant()]}),
            _ => json!({"if": [self.truth(), self.variant(), self.variant()]}),
        }
    }

    fn variant(&mut self) -> Value {
        if self.is_deep() {
            return self.random.pick(NAMES).into();
        }
        match self.random.below(12) {
            0 | 1 => self.fractional(),
            2 => Value::Null,
            3 => json!({"if": [self.truth(), self.variant(), self.variant()]}),
            4 => json!({"var": ["plan", self.random.pick(NAMES)]}),
            5 if self.random.once_in(3) => "nobody".into(),
            6 if self.random.once_in(2) => json!(self.random.below(3)),
            7 if self.random.once_in(2) => json!({"+": [0, self.random.below(3)]}),
            8 => self.truth(),
            9 if self.random.once_in(2) => self.text(),
            _ => self.random.pick(NAMES).into(),
        }
    }

    fn fractional(&mut self) -> Value {
        self.depth += 2;
        let mut arguments = Vec::new();
        match self.random.below(8) {
            0..=2 => {}
            3 => arguments.push(json!({"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]})),
            4 => arguments.push(json!({"cat": [self.text(), {"var": "targetingKey"}]})),
            5 => arguments.push(self.number()),
            6 => arguments
                .push(json!({"var": self.random.pick(&["geo", "beta", "age", "score", "tags.0", "name"])})),
            _ => arguments.push(self.text()),
        }
        for _ in 0..=self.random.below(4) {
            let name = if self.random.once_in(5) { self.variant() } else { self.random.pick(NAMES).into() };
            arguments.push(match self.random.below(24) {
                0 => json!([name]),
                1 => json!([name, {"-": [{"var": "age"}, self.random.below(60)]}]),
                2 => json!([name, {"if": [self.truth(), self.random.below(100), 0]}]),
                3 => json!([name, 0]),
                4 => json!([name, 1_000_000_000]),
                5 if self.random.once_in(6) => json!([name, 50.0]),
                6 if self.random.once_in(6) => json!([name, 12.5]),
                7 if self.random.once_in(6) => json!([name, "50"]),
                8 if self.random.once_in(6) => json!([name, null]),
                9 if self.random.once_in(6) => json!([name, 1, 2]),
                10 if self.random.once_in(6) => name,
                _ => json!([name, self.random.below(101)]),
            });
        }
        self.depth -= 2;
        json!({ "fractional": arguments })
    }

    fn truth(&mut self) -> Value {
        self.depth += 1;
        let truth = if self.is_deep() { self.simple_truth() } else { self.any_truth() };
        self.depth -= 1;
        truth
    }

    fn simple_truth(&mut self) -> Value {
        match self.random.below(6) {
            0 => json!({"var": "beta"}),
            1 => json!({"==": [{"var": "plan"}, self.random.pick(PLANS)]}),
            2 => json!({">=": [{"var": "age"}, self.random.below(80)]}),
            3 => json!({"$ref": self.random.pick(SHARED)}),
            4 => json!({"in": [{"var": "geo.country"}, ["DE", "FR", "IT"]]}),
            _ => json!({"!!": [{"var": self.random.pick(PATHS)}]}),
        }
    }

    fn any_truth(&mut self) -> Value {
        match self.random.below(24) {
            0 => json!({"and": [self.truth(), self.truth()]}),
            1 => json!({"or": [self.truth(), self.truth(), self.truth()]}),
            2 => json!({"!": [self.truth()]}),
            3 => json!({self.random.pick(&["==", "!=", "===", "!=="]): [self.text(), self.text()]}),
            4 => json!({self.random.pick(&["==", "!=", "===", "!=="]): [self.number(), self.number()]}),
            5 => json!({self.random.pick(&["<", "<=", ">", ">="]): [self.number(), self.number()]}),
            6 => json!({self.random.pick(&["<", "<="]): [self.number(), self.number(), self.number()]}),
            7 => json!({self.random.pick(&["<", "<=", ">", ">="]): [self.text(), self.text()]}),
            8 => json!({"in": [self.text(), self.list()]}),
            9 => json!({"in": [self.text(), self.text()]}),
            10 => json!({"starts_with": [self.text(), self.prefix()]}),
            11 => json!({"ends_with": [self.text(), self.prefix()]}),
            12 | 13 => self.semantic_version(),
            14 => {
                let over = self.random.pick(&["some", "all", "none"]);
                json!({over: [self.list(), {"==": [{"var": ""}, self.random.pick(PLANS)]}]})
            }
            15 => {
                let over = self.random.pick(&["some", "all", "none"]);
                json!({over: [{"var": "numbers"}, {">": [{"var": ""}, self.random.below(9)]}]})
            }
            16 => json!({"!": [{"missing": [self.random.pick(PATHS), self.random.pick(PATHS)]}]}),
            17 => json!({"!!": [{"missing_some": [1, [self.random.pick(PATHS), self.random.pick(PATHS)]]}]}),
            18 => {
                json!({"<": [{"var": "$flagd.timestamp"}, self.random.pick(&[&1_600_000_000_i64, &32_000_000_000])]})
            }
            // The members have names that the context has, too.
            22 | 23 => {
                let over = self.random.pick(&["some", "all", "none", "all", "filter"]);
                let name = self.random.pick(&["plan", "age", "role", "role", "geo.country"]);
                let condition = match self.random.below(4) {
                    0 => json!({">=": [{"var": name}, self.random.below(60)]}),
                    1 if self.random.once_in(4) => json!({"var": name}),
                    2 => json!({"in": [{"var": name}, PLANS]}),
                    _ => json!({"==": [{"var": name}, self.random.pick(PLANS)]}),
                };
                json!({"!!": [{over: [{"var": "members"}, condition]}]})
            }
            19 if self.random.once_in(4) => json!({"==": [self.any(), self.any()]}),
            20 if self.random.once_in(6) => json!({"nonsense": [1]}),
            _ => self.simple_truth(),
        }
    }

    fn semantic_version(&mut self) -> Value {
        let operator = self.random.pick(&["=", "!=", "<", "<=", ">", ">=", "^", "~"]);
        let operator = if self.random.once_in(40) { "=>" } else { operator };
        let mut arguments =
            vec![json!({"var": "version"}), operator.into(), self.random.pick(VERSIONS).into()];
        if self.random.once_in(40) {
            arguments.pop();
        }
        json!({ "sem_ver": arguments })
    }

    fn text(&mut self) -> Value {
        self.depth += 1;
        let text = match self.random.below(if self.is_deep() { 4 } else { 10 }) {
            0 => self.random.pick(TEXTS).into(),
            1 => json!({"var": ["name", "somebody"]}),
            2 => {
                json!({"var": self.random.pick(&["plan", "email", "name", "geo.country", "geo.city", "tags.0"])})
            }
            3 => json!({"var": "$flagd.flagKey"}),
            4 => json!({"cat": [self.text(), self.text()]}),
            5 => json!({"cat": [self.text(), "-", self.number()]}),
            6 => json!({"substr": [self.text(), self.place()]}),
            7 => json!({"substr": [self.text(), self.place(), self.place()]}),
            8 => json!({"if": [self.truth(), self.text(), self.text()]}),
            _ if self.random.once_in(8) => self.any(),
            _ => self.random.pick(TEXTS).into(),
        };
        self.depth -= 1;
        text
    }

    fn number(&mut self) -> Value {
        self.depth += 1;
        let number = match self.random.below(if self.is_deep() { 4 } else { 13 }) {
            0 => self.whole(),
            1 => serde_json::from_str(self.random.pick(NUMBERS)).unwrap(),
            2 => json!({"var": self.random.pick(&["age", "score", "numbers.1"])}),
            3 => json!({"var": ["age", 18]}),
            4 if self.random.once_in(8) => {
                json!({self.random.pick(&["+", "-", "max", "min"]): self.number()})
            }
            4 => json!({"+": [self.number(), self.number()]}),
            5 => json!({"-": [self.number(), self.number()]}),
            6 => json!({"*": [self.number(), self.whole()]}),
            7 => json!({"/": [self.number(), self.whole()]}),
            8 => json!({"%": [self.number(), self.whole()]}),
            9 => json!({self.random.pick(&["max", "min"]): [self.number(), self.number(), self.number()]}),
            10 => json!({"reduce": [
                {"var": "numbers"},
                {"+": [{"var": "current"}, {"var": "accumulator"}]},
                self.whole(),
            ]}),
            11 => json!({"if": [self.truth(), self.number(), self.number()]}),
            _ if self.random.once_in(8) => self.any(),
            _ => self.whole(),
        };
        self.depth -= 1;
        number
    }

    fn list(&mut self) -> Value {
        self.depth += 1;
        let list = match self.random.below(if self.is_deep() { 2 } else { 6 }) {
            0 => json!({"var": "tags"}),
            1 => json!(PLANS),
            2 => json!({"merge": [{"var": "tags"}, [self.text()]]}),
            3 => json!({"filter": [{"var": "tags"}, {"!==": [{"var": ""}, self.random.pick(PLANS)]}]}),
            4 => json!({"map": [{"var": "tags"}, {"cat": [{"var": ""}, "!"]}]}),
            _ => json!([self.text(), self.text()]),
        };
        self.depth -= 1;
        list
    }

    /// A value of any kind: what a rule was not written for.
    fn any(&mut self) -> Value {
        match self.random.below(4) {
            0 => serde_json::from_str(self.random.pick(STRANGE)).unwrap(),
            1 => self.number(),
            2 => self.text(),
            _ => json!({"var": self.random.pick(PATHS)}),
        }
    }

    fn prefix(&mut self) -> Value {
        if self.random.once_in(15) { self.any() } else { self.random.pick(AFFIXES).into() }
    }

    fn whole(&mut self) -> Value {
        json!(i64::try_from(self.random.below(40)).unwrap() - 6)
    }

    /// Within most texts, or a little outside.
    fn place(&mut self) -> Value {
        json!(i64::try_from(self.random.below(5)).unwrap() - i64::from(self.random.once_in(4)))
    }

    /// A rule that stands under `$evaluators`.
    fn shared(&mut self) -> Value {
        match self.random.below(4) {
            0 => json!({"ends_with": [{"var": "email"}, "@example.com"]}),
            1 => json!({"in": [{"var": "geo.country"}, ["DE", "AT", "CH"]]}),
            2 => {
                json!({"and": [{"==": [{"var": "plan"}, "gold"]}, {">": [{"var": "age"}, self.random.below(60)]}]})
            }
            _ => json!({"==": [{"var": "beta"}, true]}),
        }
    }

    fn is_deep(&self) -> bool {
        self.depth > DEEPEST
    }
}

const DEEPEST: usize = 4;
const TYPES: &[&str] = &["boolean", "string", "integer", "float", "object"];
const FLAG_NAMES: &[&str] = &["checkout", "new-search", "dark.mode", "größe", "旗", "a"];
const NAMES: &[&str] = &["on", "off", "gold", "free", "true", "false", "1", "2"];
const SHARED: &[&str] = &["staff", "nearby", "early adopters"];
const PLANS: &[&str] = &["gold", "free", "silver"];
const PATHS: &[&str] = &[
    "plan",
    "age",
    "beta",
    "geo",
    "geo.city",
    "geo.nowhere",
    "tags",
    "tags.1",
    "tags.first",
    "version",
    "nothing",
    "score",
];
const TEXTS: &[&str] =
    &["", "a", "gold", "Zürich", "dev@example.com", "10", "9", "東京", "x y", "user-7", "éa"];
const AFFIXES: &[&str] = &["", "a", "dev@", "@example.com", "ü", "Z", "gold", "東"];
const NUMBERS: &[&str] = &["0.5", "1.0", "-2.25", "0.1", "18", "100", "3.0", "1e3", "65504"];
const SUBJECTS: &[&str] = &["user-", "u", "b7a1-", "søren", "用户", "anne marie "];
const VERSIONS: &[&str] = &[
    "1.2.3",
    "1.2.4",
    "2.0.0",
    "1.2.3-rc.1",
    "1.2",
    "1",
    "v1.2.3",
    "V2",
    "1.2.3+build.5",
    "1.10.0",
    "1.2.3-rc.2",
];
const STRANGE: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "\"\"",
    "\"7\"",
    "[]",
    "{}",
    "[1]",
    "\"true\"",
    "{\"k\": 1}",
    "-1.5",
];
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("plan", &["\"gold\"", "\"free\"", "\"silver\"", "\"on\""]),
    ("age", &["3", "18", "37", "64", "20.0"]),
    ("score", &["0.25", "0.1", "12.75", "-3.5", "99", "4.0"]),
    ("beta", &["true", "false"]),
    ("email", &["\"dev@example.com\"", "\"anna@example.org\"", "\"jürgen@bücher.de\"", "\"李@例え.jp\""]),
    ("name", &["\"Anna\"", "\"Zoë\"", "\"Łukasz\"", "\"なおみ\"", "\"o'neil\""]),
    (
        "version",
        &[
            "\"1.2.3\"",
            "\"v1.2.3\"",
            "\"2.0.0-rc.1\"",
            "\"1.3\"",
            "2",
            "1.2",
            "\"1.2.3+x\"",
            "\"1.2.3-rc.10\"",
            "\"x\"",
        ],
    ),
    (
        "geo",
        &[
            "{\"country\": \"DE\", \"city\": \"Köln\"}",
            "{\"country\": \"CH\", \"city\": \"Zürich\", \"zip\": 8001}",
            "{\"country\": \"US\"}",
        ],
    ),
    (
        "tags",
        &[
            "[\"gold\", \"beta\"]",
            "[\"free\"]",
            "[]",
            "[\"gold\", \"gold\", \"gold\"]",
            "[\"silver\", \"ünï\"]",
        ],
    ),
    (
        "members",
        &[
            "[{\"plan\": \"gold\", \"age\": 30, \"role\": \"free\"}, {\"plan\": \"gold\", \"age\": 50, \"role\": \"gold\"}]",
            "[{\"plan\": \"free\", \"role\": \"gold\", \"geo\": {\"country\": \"gold\"}}]",
            "[{\"age\": 20, \"role\": \"silver\"}, {\"plan\": \"silver\", \"age\": 1, \"role\": \"silver\"}]",
            "[]",
        ],
    ),
    ("numbers", &["[1, 2, 3]", "[5]", "[]", "[0.5, 8]", "[9, 9]"]),
];
