//! The messages of `flagd.sync.v1`, as far as they are needed: no compiler of protocols has to be there.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

use crate::{
    context::Context,
    value::{Map, Value as Ours},
};

/// What is asked for.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SyncFlagsRequest {
    #[prost(string, tag = "1")]
    pub(super) provider_id: String,
    #[prost(string, tag = "2")]
    pub(super) selector: String,
}

/// All flags that there are.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SyncFlagsResponse {
    #[prost(string, tag = "1")]
    pub(super) flag_configuration: String,
    #[prost(message, optional, tag = "2")]
    pub(super) sync_context: Option<Struct>,
}

/// `google.protobuf.Struct`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    fields: BTreeMap<String, Value>,
}

/// `google.protobuf.Value`. How deep they may be nested is limited by who decodes them, to a hundred levels.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(int32, tag = "1")]
    Null(i32),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(message, tag = "5")]
    Object(Struct),
    #[prost(message, tag = "6")]
    List(List),
}

#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

impl Struct {
    pub(super) fn into_context(self) -> Context {
        Context::from(self.into_map())
    }

    fn into_map(self) -> Map {
        self.fields.into_iter().map(|(name, value)| (name, value.into_ours())).collect()
    }
}

impl Value {
    fn into_ours(self) -> Ours {
        match self.kind {
            None | Some(Kind::Null(_)) => Ours::Null,
            // Here every number is a float; one without a fraction is meant as it would be written in JSON.
            Some(Kind::Number(number)) => Ours::from(number),
            Some(Kind::Text(text)) => Ours::String(text),
            Some(Kind::Bool(truth)) => Ours::Bool(truth),
            Some(Kind::Object(fields)) => Ours::Object(fields.into_map()),
            Some(Kind::List(list)) => Ours::List(list.values.into_iter().map(Self::into_ours).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_wire_is_what_the_protocol_says() {
        let request = SyncFlagsRequest { provider_id: "me".to_owned(), selector: "source=a".to_owned() };
        assert_eq!(request.encode_to_vec(), b"\x0a\x02me\x12\x08source=a");

        // sync_context: {a: [null, 1.5, "x", true, {}]}
        let values: &[&[u8]] =
            &[b"\x08\0", b"\x11\0\0\0\0\0\0\xf8\x3f", b"\x1a\x01x", b"\x20\x01", b"\x2a\0"];
        let delimited = |tag: u8, bytes: &[u8]| {
            let length = u8::try_from(bytes.len()).unwrap();
            [&[tag, length], bytes].concat()
        };
        let list = values.iter().flat_map(|value| delimited(0x0a, value)).collect::<Vec<_>>();
        let entry = [&b"\x0a\x01a"[..], &delimited(0x12, &delimited(0x32, &list))].concat();
        let response = [&b"\x0a\x02{}"[..], &delimited(0x12, &delimited(0x0a, &entry))].concat();
        let response = SyncFlagsResponse::decode(response.as_slice()).unwrap();
        assert_eq!(response.flag_configuration, "{}");
        let context = response.sync_context.unwrap().into_context();
        assert_eq!(context.get("a").unwrap().to_string(), r#"[null,1.5,"x",true,{}]"#);
    }

    #[test]
    fn what_is_nested_beyond_reason_is_no_message() {
        let mut value = Value { kind: Some(Kind::Bool(true)) };
        for _ in 0..200 {
            value = Value { kind: Some(Kind::List(List { values: vec![value] })) };
        }
        let fields = BTreeMap::from([("deep".to_owned(), value)]);
        let response = SyncFlagsResponse { sync_context: Some(Struct { fields }), ..Default::default() };
        assert!(SyncFlagsResponse::decode(response.encode_to_vec().as_slice()).is_err());
    }
}
