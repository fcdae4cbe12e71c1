//! The functions of the language, and how a condition is evaluated.

use std::sync::LazyLock;

use expr::{Context, ContextProvider, Environment, Program, Value};

use crate::metric::Sample;

/// Whether there is a function of this name.
pub(super) fn knows(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

/// The value of a program for an answer, which must be true or false.
pub(super) fn evaluate(program: &Program, result: &Sample) -> Result<bool, String> {
    match ENVIRONMENT.run(program, &Scope { result: value(result) }) {
        Ok(Value::Bool(holds)) => Ok(holds),
        Ok(other) => Err(format!("expected bool, but got {}", type_name(&other))),
        Err(error) => Err(error.to_string()),
    }
}

/// All that a condition can see.
struct Scope {
    result: Value,
}

impl ContextProvider for Scope {
    fn get(&self, key: &str) -> Option<&Value> {
        (key == RESULT).then_some(&self.result)
    }

    fn to_context(&self) -> Context {
        let mut context = Context::default();
        context.insert(RESULT, self.result.clone());
        context
    }
}

fn value(sample: &Sample) -> Value {
    match sample {
        Sample::Null => Value::Nil,
        Sample::Bool(value) => Value::Bool(*value),
        Sample::Number(number) => Value::Float(number.get()),
        Sample::Text(text) => Value::String(text.clone()),
        Sample::List(items) => Value::Array(items.iter().map(value).collect()),
        Sample::Map(items) => {
            Value::Map(items.iter().map(|(key, item)| (key.clone(), value(item))).collect())
        }
        Sample::Arms(_) => {
            let items = sample.clone().into_map().unwrap_or_default();
            Value::Map(items.into_iter().map(|(key, item)| (key, value(&item))).collect())
        }
    }
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.add_function("asInt", |call| as_int(only(&call.args)?).map(Value::Integer));
    environment.add_function("asFloat", |call| as_float(only(&call.args)?).map(Value::Float));
    environment.add_function("isNaN", |call| Ok(Value::Bool(float(only(&call.args)?)?.is_nan())));
    environment.add_function("isInf", |call| Ok(Value::Bool(float(only(&call.args)?)?.is_infinite())));
    // These two look at the whole result and not at their argument: argo, evaluate, isNilFunc and defaultFunc.
    environment.add_function("isNil", |call| {
        only(&call.args)?;
        Ok(Value::Bool(matches!(call.ctx.get(RESULT), None | Some(Value::Nil))))
    });
    environment.add_function("default", |call| {
        let [_, otherwise] = call.args.as_slice() else { return Err(wrong_arguments(2, call.args.len())) };
        Ok(match call.ctx.get(RESULT) {
            None | Some(Value::Nil) => otherwise.clone(),
            Some(result) => result.clone(),
        })
    });
    environment.add_function("$element", |call| element(&call.args));
    environment.add_function("$slice", |call| slice(&call.args));
    environment.add_function("repeat", |call| {
        let [Value::String(text), Value::Integer(times)] = call.args.as_slice() else {
            return Err(fault("repeat needs a text and a whole number"));
        };
        usize::try_from(*times)
            .ok()
            .filter(|times| text.len().checked_mul(*times).is_some_and(|length| length <= MAX_TEXT))
            .map(|times| Value::String(text.repeat(times)))
            .ok_or_else(|| {
                fault(format!("repeat makes at most {MAX_TEXT} bytes, and not {times} of {}", text.len()))
            })
    });
    environment
});

fn only(arguments: &[Value]) -> Result<&Value, expr::Error> {
    match arguments {
        [argument] => Ok(argument),
        _ => Err(wrong_arguments(1, arguments.len())),
    }
}

fn wrong_arguments(expected: usize, got: usize) -> expr::Error {
    fault(format!("invalid number of arguments (expected {expected}, got {got})"))
}

fn fault(message: impl Into<String>) -> expr::Error {
    expr::Error::ExprError(message.into())
}

/// Go converts a float by cutting its fraction, and refuses a text that is not a whole number.
fn as_int(argument: &Value) -> Result<i64, expr::Error> {
    match argument {
        Value::Integer(number) => Ok(*number),
        Value::Float(number) if number.abs() < 9.2e18 => Ok(*number as i64),
        Value::String(text) => {
            text.parse().map_err(|_| fault(format!("asInt: parsing {text:?}: expected a whole number")))
        }
        other => Err(fault(format!("asInt: {} is not a whole number", shown(other)))),
    }
}

fn as_float(argument: &Value) -> Result<f64, expr::Error> {
    match argument {
        Value::Integer(number) => Ok(*number as f64),
        Value::Float(number) => Ok(*number),
        Value::String(text) => {
            text.parse().map_err(|_| fault(format!("asFloat: parsing {text:?}: expected a number")))
        }
        other => Err(fault(format!("asFloat: {} is not a number", shown(other)))),
    }
}

fn float(argument: &Value) -> Result<f64, expr::Error> {
    match argument {
        Value::Float(number) => Ok(*number),
        Value::Integer(number) => Ok(*number as f64),
        other => Err(fault(format!("cannot use {} as float64", type_name(other)))),
    }
}

fn element(arguments: &[Value]) -> Result<Value, expr::Error> {
    let [container, index] = arguments else { return Err(wrong_arguments(2, arguments.len())) };
    match (container, index) {
        (Value::Array(items), Value::Integer(index)) => {
            let from_end = if *index < 0 { items.len() as i64 } else { 0 };
            usize::try_from(index.saturating_add(from_end))
                .ok()
                .and_then(|index| items.get(index))
                .cloned()
                .ok_or_else(|| {
                    fault(format!("index out of range: {index} (there are {} elements)", items.len()))
                })
        }
        (Value::Map(items), Value::String(key)) => Ok(items.get(key).cloned().unwrap_or(Value::Nil)),
        (Value::KeyedMap(items), key) => {
            Ok(items.iter().find(|(own, _)| own == key).map_or(Value::Nil, |(_, item)| item.clone()))
        }
        (other, index) => Err(fault(format!("cannot fetch {} from {}", shown(index), type_name(other)))),
    }
}

fn slice(arguments: &[Value]) -> Result<Value, expr::Error> {
    let [container, first, last] = arguments else { return Err(wrong_arguments(3, arguments.len())) };
    let bound = |bound: &Value, absent: usize, length: usize| match bound {
        Value::Nil => Ok(absent),
        Value::Integer(at) => {
            let from_end = if *at < 0 { length as i64 } else { 0 };
            Ok(usize::try_from(at.saturating_add(from_end)).unwrap_or(0).min(length))
        }
        other => Err(fault(format!("cannot slice at {}", shown(other)))),
    };
    match container {
        Value::Array(items) => {
            let (first, last) = (bound(first, 0, items.len())?, bound(last, items.len(), items.len())?);
            Ok(Value::Array(items.get(first..last).unwrap_or_default().to_vec()))
        }
        Value::String(text) => {
            let (first, last) = (bound(first, 0, text.len())?, bound(last, text.len(), text.len())?);
            let bytes = text.as_bytes().get(first..last).unwrap_or_default();
            Ok(Value::String(String::from_utf8_lossy(bytes).into_owned()))
        }
        other => Err(fault(format!("cannot slice {}", type_name(other)))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        other => type_name(other).to_owned(),
    }
}

/// The type, as Go names it.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "int",
        Value::Bool(_) => "bool",
        Value::Float(_) => "float64",
        Value::Nil => "nil",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Bytes(_) => "[]uint8",
        Value::Map(_) | Value::KeyedMap(_) => "map[string]interface {}",
        #[expect(unreachable_patterns, reason = "more kinds exist if another crate turns on their feature")]
        _ => "another type",
    }
}

const RESULT: &str = "result";

/// The longest text that `repeat` makes, in bytes.
const MAX_TEXT: usize = 1 << 16;

#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "asInt", "asFloat", "isNaN", "isInf", "isNil", "default",
    "all", "any", "none", "one", "filter", "map", "count", "find", "findIndex", "findLast", "findLastIndex",
    "groupBy", "sortBy", "reduce", "sum", "mean", "median", "min", "max", "len", "abs", "ceil", "floor", "round",
    "int", "float", "string", "type", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "splitAfter",
    "replace", "repeat", "join", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "toJSON", "fromJSON",
    "toBase64", "fromBase64", "first", "last", "get", "take", "keys", "values", "toPairs", "fromPairs", "concat",
    "flatten", "uniq", "reverse", "sort", "bitand", "bitor", "bitxor", "bitnand", "bitnot", "bitshl", "bitshr",
    "bitushr",
];
