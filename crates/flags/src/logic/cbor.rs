//! Deterministic CBOR (RFC 8949, 4.2.1), as the third generation of `fractional` hashes it.
//!
//! Integers in their shortest form, and numbers without a fraction as integers if they lie between -2⁶³ and 2⁶⁴ - 1;
//! other floats in the shortest of half, single and double that keeps the value; the fields of an object ordered by
//! their encoded names, that is by length and then by bytes.

use serinus_core::cohort::murmur3::Hasher;

use super::given::Given;
use crate::value::{Map, Number, Value};

/// The encoding of a value.
///
/// ```
/// use serinus_flags::{Value, logic::cbor};
///
/// assert_eq!(cbor::encode(&Value::from("ab")), b"\x62ab");
/// assert_eq!(cbor::encode(&Value::from(1.0)), cbor::encode(&Value::from(1)));
/// ```
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&Given::from(value), &mut bytes);
    bytes
}

/// Where an encoding goes.
pub(super) trait Sink {
    fn push(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn push(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for Hasher {
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }
}

/// Encodes a value of a running rule. A number that JSON does not have is encoded as null.
#[inline]
pub(super) fn write(value: &Given<'_>, sink: &mut impl Sink) {
    match value {
        Given::Text(text) => {
            head(TEXT, text.len() as u64, sink);
            sink.push(text.as_bytes());
        }
        Given::Null => sink.push(&[NULL]),
        Given::Bool(false) => sink.push(&[FALSE]),
        Given::Bool(true) => sink.push(&[TRUE]),
        Given::Number(number) => write_number(*number, sink),
        Given::Float(number) => match Number::from_f64(*number) {
            Some(number) => write_number(number, sink),
            None => sink.push(&[NULL]),
        },
        Given::List(values) => {
            head(LIST, values.len() as u64, sink);
            values.iter().for_each(|value| write(&Given::from(value), sink));
        }
        Given::Made(values) => {
            head(LIST, values.len() as u64, sink);
            values.iter().for_each(|value| write(value, sink));
        }
        Given::Object(map) => write_object(map, sink),
    }
}

/// The head of a text of this length.
#[inline]
pub(super) fn text_head(length: usize, sink: &mut impl Sink) {
    head(TEXT, length as u64, sink);
}

/// The head of a list of this length.
pub(super) fn list_head(length: usize, sink: &mut impl Sink) {
    head(LIST, length as u64, sink);
}

fn write_object(map: &Map, sink: &mut impl Sink) {
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_by_key(|(name, _)| (name.len(), *name));
    head(OBJECT, fields.len() as u64, sink);
    for (name, value) in fields {
        write(&Given::text(name), sink);
        write(&Given::from(value), sink);
    }
}

fn write_number(number: Number, sink: &mut impl Sink) {
    if let Some(number) = number.as_u64() {
        head(UNSIGNED, number, sink);
    } else if let Some(number) = number.as_i64() {
        // -1 - number, without overflow.
        head(NEGATIVE, !number.cast_unsigned(), sink);
    } else {
        write_float(number.as_f64(), sink);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "what is lost is looked for")]
fn write_float(number: f64, sink: &mut impl Sink) {
    let single = number as f32;
    if f64::from(single) != number {
        sink.push(&[DOUBLE]);
        sink.push(&number.to_be_bytes());
    } else if let Some(half) = half(single) {
        sink.push(&[HALF]);
        sink.push(&half.to_be_bytes());
    } else {
        sink.push(&[SINGLE]);
        sink.push(&single.to_be_bytes());
    }
}

/// The bits of the same number in half precision, if it has it.
fn half(number: f32) -> Option<u16> {
    let bits = number.to_bits();
    let sign = u16::try_from(bits >> 31).ok()? << 15;
    let exponent = i32::try_from(bits >> 23 & 0xff).ok()? - 127;
    let fraction = bits & 0x007f_ffff;
    match exponent {
        -14..=15 if fraction.trailing_zeros() >= 13 => {
            let exponent = u16::try_from(exponent + 15).ok()? << 10;
            Some(sign | exponent | u16::try_from(fraction >> 13).ok()?)
        }
        // Below the smallest normal number the leading one is written out.
        -24..=-15 => {
            let fraction = fraction | 0x0080_0000;
            let shift = 13 + u32::try_from(-14 - exponent).ok()?;
            (fraction.trailing_zeros() >= shift)
                .then(|| u16::try_from(fraction >> shift).ok().map(|low| sign | low))?
        }
        _ => None,
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "each width is checked")]
fn head(kind: u8, argument: u64, sink: &mut impl Sink) {
    match argument {
        0..=23 => sink.push(&[kind | argument as u8]),
        24..=0xff => sink.push(&[kind | 24, argument as u8]),
        0x100..=0xffff => {
            sink.push(&[kind | 25]);
            sink.push(&(argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            sink.push(&[kind | 26]);
            sink.push(&(argument as u32).to_be_bytes());
        }
        _ => {
            sink.push(&[kind | 27]);
            sink.push(&argument.to_be_bytes());
        }
    }
}

const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const TEXT: u8 = 3 << 5;
const LIST: u8 = 4 << 5;
const OBJECT: u8 = 5 << 5;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;
const HALF: u8 = 0xf9;
const SINGLE: u8 = 0xfa;
const DOUBLE: u8 = 0xfb;
