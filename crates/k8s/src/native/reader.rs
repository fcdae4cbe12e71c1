//! Reads values by serde from the places where they stand, so that each fault names its place.

use std::{cell::RefCell, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, Expected, IntoDeserializer as _, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use crate::{
    fault::{Fault, FaultKind},
    node::{Entry, Value},
    place::{Place, joined},
    schema::meant,
};

/// Fields that no type knows, as they are found. They are left out.
pub(super) type Unknown = RefCell<Vec<Fault>>;

/// A place, read by whatever type it is to be.
#[derive(Clone)]
pub(super) struct Reader<'a, 'u> {
    place: Place<'a>,
    unknown: &'u Unknown,
}

/// What is wrong with a value; where, as soon as that is known.
#[derive(Debug)]
pub(super) struct ReadError {
    kind: FaultKind,
    message: String,
    /// What was expected instead of the value that is there.
    expected: Option<String>,
    /// The field that is not there.
    missing: Option<&'static str>,
    fault: Option<Box<Fault>>,
}

impl ReadError {
    /// As a fault of this place, unless it is already known to be that of another one below.
    pub(super) fn into_fault(self, place: &Place<'_>) -> Fault {
        if let Some(fault) = self.fault {
            return *fault;
        }
        match (self.expected, self.missing) {
            (Some(expected), _) => {
                let message = format!("expected {expected}; this is {}", place.node.described());
                place.fault(FaultKind::WrongType, message)
            }
            (None, Some(field)) => place.fault_in(field, self.kind, self.message),
            (None, None) => place.fault(self.kind, self.message),
        }
    }

    fn at(self, place: &Place<'_>) -> Self {
        let fault = self.into_fault(place);
        Self { fault: Some(Box::new(fault)), ..Self::of(FaultKind::Invalid, String::new()) }
    }

    const fn of(kind: FaultKind, message: String) -> Self {
        Self { kind, message, expected: None, missing: None, fault: None }
    }
}

impl<'a, 'u> Reader<'a, 'u> {
    pub(super) const fn new(place: Place<'a>, unknown: &'u Unknown) -> Self {
        Self { place, unknown }
    }

    fn below(&self, entry: &'a Entry) -> Self {
        let path = joined(&self.place.path, &entry.name);
        Self::new(Place { file: self.place.file, path, node: &entry.node }, self.unknown)
    }

    /// A fault at the name of a field.
    fn fault_at(&self, entry: &Entry, kind: FaultKind, message: String) -> Fault {
        Fault {
            file: self.place.file.to_owned(),
            line: entry.line,
            column: entry.column,
            field: joined(&self.place.path, &entry.name),
            kind,
            message,
        }
    }

    fn wrong_type(&self, expected: &str) -> ReadError {
        let error = ReadError {
            expected: Some(expected.to_owned()),
            ..ReadError::of(FaultKind::WrongType, String::new())
        };
        error.at(&self.place)
    }

    fn entries(&self) -> Result<&'a [Entry], ReadError> {
        match &self.place.node.value {
            Value::Map(entries) => Ok(entries),
            // To an API server null is the same as no field at all.
            Value::Null => Ok(&[]),
            _ => Err(self.wrong_type("a map")),
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let read = match &self.place.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Value::Number(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(_) => {
                let items = self.place.elements().into_iter();
                visitor.visit_seq(Items { items, unknown: self.unknown })
            }
            Value::Map(entries) => {
                visitor.visit_map(Fields { reader: &self, entries: entries.iter(), value: None })
            }
        };
        read.map_err(|error| error.at(&self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.place.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let place = self.place.clone();
        // In JSON a bare number is in hundred-thousandths, which nobody would guess here.
        if let ("Weight", Value::Integer(_) | Value::Number(_)) = (name, &place.node.value) {
            let number = place.printed().unwrap_or_default();
            let message = format!("{number} has no unit: write the share with its sign, such as `{number}%`");
            return Err(ReadError::of(FaultKind::Invalid, message).at(&place));
        }
        visitor.visit_newtype_struct(self).map_err(|error| error.at(&place))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let (known, other): (Vec<_>, Vec<_>) =
            self.entries()?.iter().partition(|entry| fields.contains(&entry.name.as_str()));
        for entry in other {
            let message = format!("unknown field: {}", meant(fields, &entry.name));
            self.unknown.borrow_mut().push(self.fault_at(entry, FaultKind::UnknownField, message));
        }
        let known = known.into_iter().filter(|entry| !matches!(entry.node.value, Value::Null));
        let read = visitor.visit_map(Fields { reader: &self, entries: known, value: None });
        read.map_err(|error| error.at(&self.place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let names = || variants.join(", ");
        let read = match &self.place.node.value {
            Value::Text(name) => visitor.visit_enum(StrDeserializer::<ReadError>::new(name)),
            Value::Map(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(Variant { reader: &self, entry }),
                [] => return Err(self.wrong_type(&format!("one of {}", names()))),
                [first, second, ..] => {
                    let message = format!(
                        "this has `{}` too, and only one of them can be here: in a list, write each after a dash of \
                         its own",
                        first.name
                    );
                    let fault = self.fault_at(second, FaultKind::Conflict, message);
                    return Err(ReadError {
                        fault: Some(Box::new(fault)),
                        ..ReadError::of(FaultKind::Conflict, String::new())
                    });
                }
            },
            _ => return Err(self.wrong_type(&format!("one of {}", names()))),
        };
        read.map_err(|error| error.at(&self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'a, 'u> {
    items: std::vec::IntoIter<Place<'a>>,
    unknown: &'u Unknown,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.items.next().map(|place| seed.deserialize(Reader::new(place, self.unknown))).transpose()
    }
}

struct Fields<'r, 'a, 'u, I> {
    reader: &'r Reader<'a, 'u>,
    entries: I,
    value: Option<&'a Entry>,
}

impl<'de, 'a, I: Iterator<Item = &'a Entry>> MapAccess<'de> for Fields<'_, 'a, '_, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        seed.deserialize(entry.name.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let entry = self.value.take().ok_or_else(|| ReadError::custom("a value without a name"))?;
        let below = self.reader.below(entry);
        let place = below.place.clone();
        seed.deserialize(below).map_err(|error| error.at(&place))
    }
}

struct Variant<'r, 'a, 'u> {
    reader: &'r Reader<'a, 'u>,
    entry: &'a Entry,
}

impl<'de, 'a, 'u> EnumAccess<'de> for Variant<'_, 'a, 'u> {
    type Error = ReadError;
    type Variant = Reader<'a, 'u>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), ReadError> {
        let name: StrDeserializer<'_, ReadError> = self.entry.name.as_str().into_deserializer();
        let value = seed.deserialize(name).map_err(|error| {
            let fault = self.reader.fault_at(self.entry, error.kind, error.message);
            ReadError {
                fault: Some(Box::new(fault)),
                ..ReadError::of(FaultKind::UnknownField, String::new())
            }
        })?;
        Ok((value, self.reader.below(self.entry)))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_, '_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.place.node.value {
            Value::Null => Ok(()),
            _ => Err(self.wrong_type("no value behind it")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        let place = self.place.clone();
        seed.deserialize(self).map_err(|error| error.at(&place))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_struct("", fields, visitor)
    }
}

impl Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        if message.starts_with("data did not match any variant") {
            // The only values that can be of two types are numbers, which may be written as texts.
            return Self { expected: Some("a number".to_owned()), ..Self::of(FaultKind::WrongType, message) };
        }
        Self::of(FaultKind::Invalid, message)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let expected = match expected.as_str() {
            "a string" | "string" => "a text".to_owned(),
            "a sequence" => "a list, each item of it after a dash".to_owned(),
            "a boolean" => "true or false".to_owned(),
            "u32" | "u64" | "usize" => "a whole number, zero or more".to_owned(),
            "f64" => "a number".to_owned(),
            text if text.starts_with("struct ") || text == "a map" => "a map".to_owned(),
            _ => expected,
        };
        Self { expected: Some(expected), ..Self::of(FaultKind::WrongType, String::new()) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let expected = match expected.as_str() {
            "u32" => "a whole number from 0 to 4294967295",
            "u64" | "usize" => "a whole number, zero or more",
            other => other,
        };
        let found = match found {
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            Unexpected::Str(text) => format!("`{text}`"),
            other => other.to_string(),
        };
        Self::of(FaultKind::Invalid, format!("{found} is out of range: use {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("`{variant}` is not known here: {}", meant(expected, variant));
        Self::of(FaultKind::UnknownField, message)
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), ..Self::of(FaultKind::Missing, format!("`{field}` is missing: add it")) }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Some(fault) => fault.fmt(f),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ReadError {}
