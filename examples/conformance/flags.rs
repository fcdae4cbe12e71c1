//! Evaluation of flags: the sections of a file of golden vectors that flagd's rules answer.

use serde_json::{Map, Value, json};
use serinus_flags::{
    Context, Evaluation, Flags, Format, Map as Object, Options,
    logic::{self, Generation, cbor},
};

/// One row of a section, by one generation of `fractional` where it holds for several.
pub(crate) struct Row {
    pub(crate) id: String,
    /// Nothing: as expected.
    pub(crate) difference: Option<String>,
}

/// Checks the rows of a section. `None`: it is not of flags, or of a form that is not known here.
pub(crate) fn check(section: &str, content: &Value) -> Option<Vec<Row>> {
    match section {
        "cbor_deterministic" => Some(rows(section, content.as_array()?, encoding)),
        "fractional" => Some(fractional(section, content.as_array()?)),
        "fractional_typed_v3" => typed(section, content["rows"].as_array()?),
        "testbed_fractional_rows" => Some(test_bed(section, content["rows"].as_array()?)),
        "targeting" => targeting(section, &content["document"], content["cases"].as_array()?),
        "jsonlogic_dialects" => {
            let (data, cases) = (&content["data"], content["cases"].as_array()?);
            Some(rows(section, cases, |case| dialect(data, case)))
        }
        _ => None,
    }
}

/// As expected; or what is otherwise, or why the row cannot be read.
type Checked = Result<(), String>;

fn rows(section: &str, of: &[Value], check: impl Fn(&Value) -> Checked) -> Vec<Row> {
    let number = |(number, row): (usize, &Value)| {
        let id = row["id"].as_str().map_or_else(|| format!("{section} {number}"), str::to_owned);
        Row { difference: check(row).err().map(|difference| format!("{row}: {difference}")), id }
    };
    of.iter().enumerate().map(number).collect()
}

fn encoding(row: &Value) -> Checked {
    // The text tells a float from an integer, and -0.0 from 0.
    let value = serde_json::from_str(text(row, "json")?).map_err(|error| error.to_string())?;
    let (encoded, expected) = (hexadecimal(&cbor::encode(&value)), text(row, "cbor")?);
    expect(encoded == expected, || encoded.clone())
}

fn fractional(section: &str, of: &[Value]) -> Vec<Row> {
    let mut checked = Vec::new();
    for (generation, expected) in [(Generation::V1, "v1"), (Generation::V2, "v2"), (Generation::V3, "v3")] {
        checked.extend(rows(section, of, |row| place(row, generation, expected)));
    }
    checked
}

fn place(row: &Value, generation: Generation, expected: &str) -> Checked {
    let key = text(row, "flagKey")?;
    let (names, weights) = (list(row, "names")?, list(row, "weights")?);
    expect(names.len() == weights.len(), || "as many names as weights are needed".to_owned())?;
    let mut arguments: Vec<_> = row.get("bucketBy").cloned().into_iter().collect();
    let mut variants = Map::new();
    for (name, weight) in names.iter().zip(weights) {
        let variant = name.as_str().ok_or("a name is no text")?;
        variants.insert(variant.to_owned(), name.clone());
        arguments.push(if weight.is_null() { json!([name]) } else { json!([name, weight]) });
    }
    variants.insert(NOBODY.to_owned(), NOBODY.into());
    let flag = flag(variants, NOBODY, &json!({ "fractional": arguments }));
    let context = match row.get("targetingKey") {
        Some(subject) => json!({ "targetingKey": subject }),
        None => json!({}),
    };
    let wanted = match row.get(expected) {
        Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.as_str()),
        _ => return Err(format!("\"{expected}\" has to be a text or null")),
    };
    let evaluated = evaluated(&json!({ "flags": { key: flag } }), generation, key, &context)?;
    let place = evaluated.1.as_deref().filter(|name| *name != NOBODY);
    expect(wanted == place, || format!("{expected}: {evaluated:?}"))
}

fn typed(section: &str, of: &[Value]) -> Option<Vec<Row>> {
    let flags = flags(&test_bed_document(), Generation::V3).ok()?;
    Some(rows(section, of, |row| {
        encoding(row)?;
        let value: serinus_flags::Value =
            serde_json::from_str(text(row, "json")?).map_err(|error| error.to_string())?;
        let context = Context::default().with("hashing_input", value);
        let snapshot = flags.snapshot();
        let variant = snapshot.evaluate("fractional-basic-flag", &context).variant;
        let expected = format!("bucket{}", row["bucket_of_25"]);
        expect(variant == Some(&expected), || format!("{variant:?}"))
    }))
}

fn test_bed(section: &str, of: &[Value]) -> Vec<Row> {
    let document = test_bed_document();
    rows(section, of, |row| {
        let generation = match row.get("generation") {
            None => Generation::default(),
            Some(generation) => {
                serde_json::from_value(generation.clone()).map_err(|error| error.to_string())?
            }
        };
        let (reason, _, value, _) = evaluated(&document, generation, text(row, "flagKey")?, &row["context"])?;
        let expected = row.get("value").ok_or("\"value\" is missing")?;
        let as_expected =
            value == *expected && row["reason"].as_str().is_none_or(|expected| expected == reason);
        expect(as_expected, || format!("{reason}: {value}"))
    })
}

/// Expected of the second generation, and of the third where nothing else is said.
fn targeting(section: &str, document: &Value, of: &[Value]) -> Option<Vec<Row>> {
    let mut checked = Vec::new();
    for generation in [Generation::V2, Generation::V3] {
        let flags = flags(document, generation).ok()?;
        checked.extend(rows(section, of, |row| answer(&flags, generation, row)));
    }
    Some(checked)
}

fn answer(flags: &Flags, generation: Generation, row: &Value) -> Checked {
    let expected = match row.get("expect_v3") {
        Some(newer) if generation == Generation::V3 => newer,
        _ => row.get("expect").ok_or("\"expect\" is missing")?,
    };
    let context: Context =
        serde_json::from_value(row["context"].clone()).map_err(|error| format!("the context: {error}"))?;
    let snapshot = flags.snapshot();
    let evaluation = of_type(snapshot.evaluate(text(row, "flagKey")?, &context), text(row, "type")?)?;
    let answer = match &evaluation.error {
        Some(error) => json!(["error", error.code().as_str()]),
        None => json!([evaluation.reason.as_str(), evaluation.variant]),
    };
    let metadata = json_of(evaluation.metadata.iter());
    let has_metadata = row.get("metadata").is_none_or(|expected| *expected == metadata);
    expect(answer == *expected && has_metadata, || format!("{generation:?}: {answer} {metadata}"))
}

fn dialect(data: &Value, case: &Value) -> Checked {
    let rule = case.get("rule").ok_or("\"rule\" is missing")?;
    let answer = logic::apply(&rule.clone().into(), &data.clone().into(), Generation::default());
    let as_expected = match (&answer, text(case, "go")?) {
        (answer, "ERR") => answer.is_err(),
        (Ok(answer), expected) => {
            serde_json::from_str::<serinus_flags::Value>(expected).is_ok_and(|expected| *answer == expected)
        }
        (Err(_), _) => false,
    };
    expect(as_expected, || format!("{answer:?}"))
}

fn expect(as_expected: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if as_expected { Ok(()) } else { Err(otherwise()) }
}

fn text<'r>(row: &'r Value, name: &str) -> Result<&'r str, String> {
    row[name].as_str().ok_or_else(|| format!("\"{name}\" has to be a text"))
}

fn list<'r>(row: &'r Value, name: &str) -> Result<&'r Vec<Value>, String> {
    row[name].as_array().ok_or_else(|| format!("\"{name}\" has to be a list"))
}

/// What came of a flag: reason, variant, value, metadata; or the code of the error.
type Evaluated = (String, Option<String>, Value, Value);

fn evaluated(
    document: &Value,
    generation: Generation,
    key: &str,
    context: &Value,
) -> Result<Evaluated, String> {
    let flags = flags(document, generation)?;
    let context: Context = serde_json::from_value(context.clone()).map_err(|error| error.to_string())?;
    let snapshot = flags.snapshot();
    let evaluation = snapshot.evaluate(key, &context);
    match &evaluation.error {
        Some(error) => Err(error.to_string()),
        None => Ok((
            evaluation.reason.to_string(),
            evaluation.variant.map(str::to_owned),
            serde_json::to_value(evaluation.value).map_err(|error| error.to_string())?,
            json_of(evaluation.metadata.iter()),
        )),
    }
}

fn of_type<'a>(evaluation: Evaluation<'a>, asked: &str) -> Result<Evaluation<'a>, String> {
    Ok(match asked {
        "boolean" => evaluation.of_type::<bool>(),
        "integer" => evaluation.of_type::<i64>(),
        "float" => evaluation.of_type::<f64>(),
        "string" => evaluation.of_type::<str>(),
        "object" => evaluation.of_type::<Object>(),
        "any" => evaluation,
        _ => return Err(format!("there is no type \"{asked}\"")),
    })
}

fn flags(document: &Value, generation: Generation) -> Result<Flags, String> {
    let options = Options::default().generation(generation);
    let document = options.read(document.to_string().as_bytes(), Format::Json, None);
    let flags = Flags::default();
    flags.load(&document.map_err(|error| error.to_string())?);
    Ok(flags)
}

fn json_of<'a>(values: impl Iterator<Item = (&'a str, &'a serinus_flags::Value)>) -> Value {
    values.map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap_or_default())).collect()
}

/// The flags that the rows of the test bed ask for.
pub(crate) fn test_bed_document() -> Value {
    let suits = ["clubs", "diamonds", "hearts", "spades"];
    let quarters = |prefix: &str, by: Value| {
        let mut variants: Map<_, _> =
            suits.iter().map(|suit| ((*suit).to_owned(), format!("{prefix}{suit}").into())).collect();
        variants.insert("wild".to_owned(), "wild".into());
        let entries = suits.iter().map(|suit| json!([suit, 25]));
        let arguments: Vec<_> =
            [json!({ "cat": [by, { "var": "user.name" }] })].into_iter().chain(entries).collect();
        flag(variants, "wild", &json!({ "fractional": arguments }))
    };
    // The last one is the default.
    let of = |names: &[&str], rule: Value| {
        let variants = names.iter().map(|name| ((*name).to_owned(), (*name).into())).collect();
        flag(variants, names.last().copied().unwrap_or_default(), &rule)
    };
    let one_or_two = |by: &Value, [one, two]: [i32; 2]| {
        of(&["one", "two", "fallback"], json!({ "fractional": [by, ["one", one], ["two", two]] }))
    };
    let condition = |[no, yes]: [i32; 2]| {
        let is_big = json!({ "fractional": [[false, no], [true, yes]] });
        let variants = [("big", "hundreds"), ("small", "ones"), ("fallback", "zero")];
        let variants = variants.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
        flag(variants, "fallback", &json!({ "if": [is_big, "big", "small"] }))
    };
    let key = json!({ "var": "targetingKey" });
    let is_premium = json!({ "==": [{ "var": "tier" }, "premium"] });
    let buckets: Vec<_> = (1..=25).map(|number| format!("bucket{number}")).collect();
    let entries = buckets.iter().map(|name| json!([name, 4]));
    let basic: Vec<_> = [json!({ "var": "hashing_input" })].into_iter().chain(entries).collect();
    let tier = json!({ "if": [is_premium, "premium", "standard"] });
    let weight = json!({ "if": [is_premium, 100, 0] });
    json!({ "flags": {
        "fractional-flag": quarters("", json!({ "var": "$flagd.flagKey" })),
        "fractional-flag-A-shared-seed": quarters("", "shared-seed".into()),
        "fractional-flag-B-shared-seed": quarters("ace-of-", "shared-seed".into()),
        "fractional-flag-shorthand": of(&["heads", "tails", "draw"], json!({ "fractional": [["heads"], ["tails", 1]] })),
        "fractional-single-entry-flag": of(&["single", "fallback"], json!({ "fractional": [["single", 1]] })),
        "fractional-hash-edge-flag":
            of(&["upper", "lower"], json!({ "fractional": [key, ["lower", 50], ["upper", 50]] })),
        "fractional-basic-flag": of(
            &buckets.iter().map(String::as_str).chain(["fallback"]).collect::<Vec<_>>(),
            json!({ "fractional": basic }),
        ),
        "fractional-nested-if-flag":
            of(&["premium", "standard", "fallback"], json!({ "fractional": [key, [tier, 50], ["standard", 50]] })),
        "fractional-nested-var-flag":
            of(&["red", "green", "blue", "fallback"], json!({ "fractional": [key, [{ "var": "color" }, 50], ["blue", 50]] })),
        "fractional-nested-weight-flag":
            of(&["red", "blue", "fallback"], json!({ "fractional": [key, ["red", weight], ["blue", 10]] })),
        "fractional-as-condition-flag": condition([0, 100]),
        "fractional-as-condition-false-flag": condition([100, 0]),
        "fractional-null-bucket-key-flag": one_or_two(&json!({ "var": "missing_key" }), [50, 50]),
        "fractional-zero-weights-flag": one_or_two(&key, [0, 0]),
        "fractional-negative-weight-flag": one_or_two(&key, [-50, 100]),
    } })
}

fn flag(variants: Map<String, Value>, default: &str, rule: &Value) -> Value {
    json!({ "state": "ENABLED", "variants": variants, "defaultVariant": default, "targeting": rule })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The variant of whom `fractional` places nowhere.
const NOBODY: &str = "nobody at all";
