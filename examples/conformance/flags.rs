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
        "fractional" => fractional(section, content.as_array()?),
        "fractional_typed_v3" => typed(section, content["rows"].as_array()?),
        "testbed_fractional_rows" => test_bed(section, content["rows"].as_array()?),
        "targeting" => targeting(section, &content["document"], content["cases"].as_array()?),
        "jsonlogic_dialects" => {
            let (data, cases) = (&content["data"], content["cases"].as_array()?);
            Some(rows(section, cases, |case| dialect(data, case)))
        }
        _ => None,
    }
}

fn rows(section: &str, of: &[Value], difference: impl Fn(&Value) -> Option<String>) -> Vec<Row> {
    let number = |(number, row): (usize, &Value)| {
        let id = row["id"].as_str().map_or_else(|| format!("{section} {number}"), str::to_owned);
        Row { difference: difference(row).map(|difference| format!("{row}: {difference}")), id }
    };
    of.iter().enumerate().map(number).collect()
}

fn encoding(row: &Value) -> Option<String> {
    // The text tells a float from an integer, and -0.0 from 0.
    let value = serde_json::from_str(row["json"].as_str().unwrap_or_default());
    let encoded = value.map(|value| hexadecimal(&cbor::encode(&value)));
    match encoded {
        Ok(encoded) => (row["cbor"] != encoded).then_some(encoded),
        Err(error) => Some(error.to_string()),
    }
}

fn fractional(section: &str, of: &[Value]) -> Option<Vec<Row>> {
    let mut checked = Vec::new();
    for (generation, expected) in [(Generation::V1, "v1"), (Generation::V2, "v2"), (Generation::V3, "v3")] {
        checked.extend(rows(section, of, |row| {
            let key = row["flagKey"].as_str().unwrap_or_default();
            let mut arguments: Vec<_> = row.get("bucketBy").cloned().into_iter().collect();
            let mut variants = Map::new();
            let entries = row["names"].as_array().into_iter().flatten().zip(row["weights"].as_array()?);
            for (name, weight) in entries {
                variants.insert(name.as_str()?.to_owned(), name.clone());
                arguments.push(if weight.is_null() { json!([name]) } else { json!([name, weight]) });
            }
            variants.insert(NOBODY.to_owned(), NOBODY.into());
            let flag = flag(variants, NOBODY, &json!({ "fractional": arguments }));
            let context = match row.get("targetingKey") {
                Some(subject) => json!({ "targetingKey": subject }),
                None => json!({}),
            };
            let evaluated = evaluated(&json!({ "flags": { key: flag } }), generation, key, &context);
            let place = evaluated.as_ref().ok().and_then(|evaluated| evaluated.1.clone());
            let place = place.filter(|name| name != NOBODY);
            (row[expected].as_str() != place.as_deref()).then(|| format!("{expected}: {evaluated:?}"))
        }));
    }
    Some(checked)
}

fn typed(section: &str, of: &[Value]) -> Option<Vec<Row>> {
    let flags = flags(&test_bed_document(), Generation::V3).ok()?;
    Some(rows(section, of, |row| {
        let encoded = encoding(row);
        if encoded.is_some() {
            return encoded;
        }
        let value: serinus_flags::Value = serde_json::from_str(row["json"].as_str()?).ok()?;
        let context = Context::default().with("hashing_input", value);
        let snapshot = flags.snapshot();
        let variant = snapshot.evaluate("fractional-basic-flag", &context).variant;
        let expected = format!("bucket{}", row["bucket_of_25"]);
        (variant != Some(&expected)).then(|| format!("{variant:?}"))
    }))
}

fn test_bed(section: &str, of: &[Value]) -> Option<Vec<Row>> {
    let document = test_bed_document();
    Some(rows(section, of, |row| {
        let generation: Generation = serde_json::from_value(row["generation"].clone()).unwrap_or_default();
        let key = row["flagKey"].as_str().unwrap_or_default();
        match evaluated(&document, generation, key, &row["context"]) {
            Ok((reason, _, value, _)) => {
                let wrong =
                    value != row["value"] || row["reason"].as_str().is_some_and(|wanted| wanted != reason);
                wrong.then(|| format!("{reason}: {value}"))
            }
            Err(error) => Some(error),
        }
    }))
}

/// Expected of the second generation, and of the third where nothing else is said.
fn targeting(section: &str, document: &Value, of: &[Value]) -> Option<Vec<Row>> {
    let mut checked = Vec::new();
    for generation in [Generation::V2, Generation::V3] {
        let flags = flags(document, generation).ok()?;
        checked.extend(rows(section, of, |row| {
            let expected = match row.get("expect_v3") {
                Some(newer) if generation == Generation::V3 => newer,
                _ => &row["expect"],
            };
            let key = row["flagKey"].as_str().unwrap_or_default();
            let context: Context = serde_json::from_value(row["context"].clone()).ok()?;
            let snapshot = flags.snapshot();
            let evaluation =
                of_type(snapshot.evaluate(key, &context), row["type"].as_str().unwrap_or_default());
            let answer = match &evaluation.error {
                Some(error) => json!(["error", error.code().as_str()]),
                None => json!([evaluation.reason.as_str(), evaluation.variant]),
            };
            let metadata = json_of(evaluation.metadata.iter());
            let has_metadata = row.get("metadata").is_none_or(|expected| *expected == metadata);
            (answer != *expected || !has_metadata).then(|| format!("{generation:?}: {answer} {metadata}"))
        }));
    }
    Some(checked)
}

fn dialect(data: &Value, case: &Value) -> Option<String> {
    let (rule, data) = (case["rule"].clone().into(), data.clone().into());
    let answer = logic::apply(&rule, &data, Generation::default());
    let expected = case["go"].as_str().unwrap_or_default();
    match (&answer, serde_json::from_str::<serinus_flags::Value>(expected)) {
        (Err(_), Err(_)) if expected == "ERR" => None,
        (Ok(answer), Ok(expected)) if *answer == expected => None,
        _ => Some(format!("{answer:?}")),
    }
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

fn of_type<'a>(evaluation: Evaluation<'a>, asked: &str) -> Evaluation<'a> {
    match asked {
        "boolean" => evaluation.of_type::<bool>(),
        "integer" => evaluation.of_type::<i64>(),
        "float" => evaluation.of_type::<f64>(),
        "string" => evaluation.of_type::<str>(),
        "object" => evaluation.of_type::<Object>(),
        _ => evaluation,
    }
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
fn test_bed_document() -> Value {
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
