//! Clients of OpenFeature's SDK get from the provider what the flags say, and nothing else.

#![cfg(feature = "open-feature")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::sync::{Arc, Mutex};

use open_feature::{
    Client, EvaluationContext, EvaluationContextFieldValue, EvaluationDetails, EvaluationError,
    EvaluationErrorCode, EvaluationReason, FlagMetadataValue, Hook, HookContext, HookHints, OpenFeature,
    StructValue, Value,
    provider::{FeatureProvider, ProviderStatus},
};
use serde_json::json;
use serinus_core::{strategy::Canary, traffic::Weight};
use serinus_flags::{
    Context, Deciding, Document, ErrorCode, EventKind, Flags, Trouble,
    openfeature::{CodeDefault, SerinusProvider},
};

const DOCUMENT: &str = r#"{
    "metadata": {"flagSetId": "shop", "version": 3},
    "flags": {
        "search": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on",
            "metadata": {"owner": "web", "risk": 0.5, "is-new": true}},
        "limit": {"state": "ENABLED", "variants": {"ten": 10, "all": 1000}, "defaultVariant": "ten"},
        "share": {"state": "ENABLED", "variants": {"half": 0.5, "all": 1.5}, "defaultVariant": "half"},
        "title": {"state": "ENABLED", "variants": {"plain": "Hello"}, "defaultVariant": "plain"},
        "theme": {"state": "ENABLED", "variants": {"dark": {"colour": "black", "size": 2, "ratio": 1.5, "none": null,
            "more": {"list": [1, "two", true]}}}, "defaultVariant": "dark"},
        "holes": {"state": "ENABLED", "variants": {"one": {"list": [null]}}, "defaultVariant": "one"},
        "gold": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "on"]}},
        "who": {"state": "ENABLED", "variants": {"me": true, "you": false}, "defaultVariant": "you",
            "targeting": {"if": [{"==": [{"var": "targetingKey"}, "user-42"]}, "me"]}},
        "when": {"state": "ENABLED", "variants": {"then": true, "else": false}, "defaultVariant": "else",
            "targeting": {"if": [{"==": [{"var": "at"}, "2026-03-01T12:30:05.25+02:00"]}, "then"]}},
        "deep": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "company.employees"}, 7]}, "on"]}},
        "off": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"},
        "open": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": null},
        "broken": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "gone"},
        "astray": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
            "targeting": {"if": [true, "nowhere"]}}
    }
}"#;

#[tokio::test]
async fn all_five_types_come_with_variant_reason_and_metadata() {
    let (_, client) = client(|provider| provider).await;
    let search = client.get_bool_details("search", None, None).await.unwrap();
    assert!(search.value);
    assert_eq!(search.variant.as_deref(), Some("on"));
    assert_eq!(search.reason, Some(EvaluationReason::Static));
    let metadata = &search.flag_metadata.values;
    assert_eq!(metadata.get("flagSetId"), Some(&FlagMetadataValue::String("shop".to_owned())));
    assert_eq!(metadata.get("version"), Some(&FlagMetadataValue::Int(3)));
    assert_eq!(metadata.get("risk"), Some(&FlagMetadataValue::Float(0.5)));
    assert_eq!(metadata.get("is-new"), Some(&FlagMetadataValue::Bool(true)));
    assert_eq!(client.get_int_value("limit", None, None).await, Ok(10));
    assert_eq!(client.get_float_value("share", None, None).await, Ok(0.5));
    assert_eq!(client.get_float_value("limit", None, None).await, Ok(10.0));
    assert_eq!(client.get_string_value("title", None, None).await.as_deref(), Ok("Hello"));
    let theme = client.get_struct_value::<StructValue>("theme", None, None).await.unwrap();
    let more = StructValue::default().with_field(
        "list",
        Value::Array(vec![Value::Int(1), Value::String("two".to_owned()), Value::Bool(true)]),
    );
    let expected = StructValue::default()
        .with_field("colour", "black")
        .with_field("size", 2)
        .with_field("ratio", 1.5)
        .with_field("more", more);
    assert_eq!(theme, expected, "a field that is null is left out");
}

#[tokio::test]
async fn contexts_are_merged_by_the_sdk_and_rules_see_the_whole() {
    let flags = Flags::default();
    flags.load(&Document::from_json(DOCUMENT).unwrap());
    let mut api = OpenFeature::default();
    api.set_provider(SerinusProvider::new(flags)).await;
    api.set_evaluation_context(EvaluationContext::default().with_custom_field("plan", "gold")).await;
    let mut client = api.create_client();
    client.set_evaluation_context(EvaluationContext::default().with_targeting_key("user-42"));
    let gold = client.get_bool_details("gold", None, None).await.unwrap();
    assert_eq!((gold.value, gold.reason), (true, Some(EvaluationReason::TargetingMatch)));
    assert_eq!(client.get_bool_value("who", None, None).await, Ok(true));
    let poor = EvaluationContext::default().with_custom_field("plan", "none").with_targeting_key("user-7");
    let gold = client.get_bool_details("gold", Some(&poor), None).await.unwrap();
    assert_eq!((gold.value, gold.reason), (false, Some(EvaluationReason::Default)));
    assert_eq!(client.get_bool_value("who", Some(&poor), None).await, Ok(false));
}

#[tokio::test]
async fn the_targeting_key_counts_over_a_field_of_its_name() {
    let (_, client) = client(|provider| provider).await;
    let context = EvaluationContext::default()
        .with_targeting_key("user-42")
        .with_custom_field("targetingKey", "somebody else");
    assert_eq!(client.get_bool_value("who", Some(&context), None).await, Ok(true));
}

#[tokio::test]
async fn a_time_is_seen_as_rfc_3339_has_it() {
    let (_, client) = client(|provider| provider).await;
    let offset = time::UtcOffset::from_hms(2, 0, 0).unwrap();
    let at = time::Date::from_calendar_date(2026, time::Month::March, 1)
        .unwrap()
        .with_hms_milli(12, 30, 5, 250)
        .unwrap()
        .assume_offset(offset);
    let context = EvaluationContext::default().with_custom_field("at", at);
    assert_eq!(client.get_bool_value("when", Some(&context), None).await, Ok(true));
}

/// Rules that compare attributes and split subjects look into the context of the SDK where it is; others get a copy.
#[tokio::test]
async fn a_context_that_is_not_converted_gives_what_a_converted_one_does() {
    let literals = ["null", "true", "false", "0", "7", "7.5", r#""""#, r#""7""#, r#""gold""#];
    let conditions = literals.iter().flat_map(|literal| {
        let compared = ["==", "!=", "===", "!==", "<", "<=", ">", ">="]
            .map(|operator| format!(r#"{{"{operator}": [{{"var": "x"}}, {literal}]}}"#));
        let of_path = format!(r#"{{"==": [{{"var": "x.y"}}, {literal}]}}"#);
        compared.into_iter().chain([of_path])
    });
    let others = [
        r#"{"var": "x"}"#,
        r#"{"!": [{"var": "x"}]}"#,
        r#"{"in": [{"var": "x"}, ["gold", "7", "0"]]}"#,
        r#"{"starts_with": [{"var": "x"}, "go"]}"#,
        r#"{"ends_with": [{"var": "x"}, "ld"]}"#,
        r#"{"==": [{"var": ""}, "gold"]}"#,
        r#"{"==": [{"var": "$flagd.flagKey"}, "7"]}"#,
        r#"{"and": [{"==": [{"var": "targetingKey"}, "gold"]}, {"!=": [{"var": "x"}, null]}]}"#,
    ];
    let conditions: Vec<_> = conditions.chain(others.map(str::to_owned)).collect();
    let rules = conditions
        .iter()
        .map(|condition| format!(r#"{{"if": [{condition}, "on", "off"]}}"#))
        .chain([
        r#"{"fractional": [["on", 50], ["off", 50]]}"#.to_owned(),
        r#"{"fractional": [{"var": "x"}, ["on", 50], ["off", 50]]}"#.to_owned(),
        r#"{"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "x"}]}, ["on", 50], ["off", 50]]}"#
            .to_owned(),
    ]);
    let flags: Vec<_> = rules
        .enumerate()
        .map(|(number, rule)| {
            format!(
                r#""{number}": {{"state": "ENABLED", "variants": {{"on": true, "off": false}}, "defaultVariant": "off", "targeting": {rule}}}"#
            )
        })
        .collect();
    let flags_of = |text: String| {
        let flags = Flags::default();
        flags.load(&Document::from_json(&text).unwrap());
        flags
    };
    let direct = flags_of(format!(r#"{{"flags": {{{}}}}}"#, flags.join(", ")));
    let mut api = OpenFeature::default();
    api.set_provider(SerinusProvider::new(direct.clone())).await;
    let client = api.create_client();

    let time = time::Date::from_calendar_date(2026, time::Month::March, 1).unwrap().midnight().assume_utc();
    let values: [(EvaluationContextFieldValue, serde_json::Value); 12] = [
        (true.into(), json!(true)),
        (false.into(), json!(false)),
        (0.into(), json!(0)),
        (7.into(), json!(7)),
        (i64::MAX.into(), json!(i64::MAX)),
        (7.5.into(), json!(7.5)),
        ((-0.0).into(), json!(-0.0)),
        ("".into(), json!("")),
        ("7".into(), json!("7")),
        ("gold".into(), json!("gold")),
        (time.into(), json!("2026-03-01T00:00:00Z")),
        (EvaluationContextFieldValue::new_struct(json!({"y": 7})), json!({"y": 7})),
    ];
    for (field, value) in &values {
        let fields = [&["x"][..], &["targetingKey"], &["x", "targetingKey"]];
        let keys = [None, Some(""), Some("user-42"), Some("gold")];
        for (named, key) in fields.iter().flat_map(|named| keys.map(|key| (*named, key))) {
            let (mut given, mut own) = (EvaluationContext::default(), Context::default());
            for name in named {
                given.custom_fields.insert((*name).to_owned(), field.clone());
                own.set(*name, serinus_flags::Value::from(value.clone()));
            }
            if let Some(key) = key {
                given.targeting_key = Some(key.to_owned());
                own.set_targeting_key(key);
            }
            for (number, flag) in flags.iter().enumerate() {
                let name = number.to_string();
                let through = match client.get_bool_details(&name, Some(&given), None).await {
                    Ok(details) => (
                        Some(details.value),
                        details.variant,
                        details.reason.map(|reason| reason.to_string()),
                    ),
                    Err(error) => (None, error.message, None),
                };
                let details = direct.details::<bool>(&name, &own);
                let expected = match details.error() {
                    None => (
                        details.value().ok(),
                        details.variant().map(str::to_owned),
                        Some(details.reason().as_str().to_owned()),
                    ),
                    Some(error) => (None, Some(error.to_string()), None),
                };
                assert_eq!(through, expected, "{value} as {named:?}, key {key:?}: {flag}");
            }
        }
    }
}

#[tokio::test]
async fn structures_are_read_if_they_are_of_a_known_type_and_refused_otherwise() {
    let (_, client) = client(|provider| provider).await;
    let structure = StructValue::default().with_field("employees", 7);
    for known in [
        EvaluationContextFieldValue::new_struct(structure.clone()),
        EvaluationContextFieldValue::new_struct(Value::Struct(structure)),
        EvaluationContextFieldValue::new_struct(serde_json::json!({"employees": 7})),
    ] {
        let context = EvaluationContext::default().with_custom_field("company", known);
        assert_eq!(client.get_bool_value("deep", Some(&context), None).await, Ok(true));
    }
    struct Company;
    for unknown in
        [EvaluationContextFieldValue::new_struct(Company), EvaluationContextFieldValue::Float(f64::NAN)]
    {
        let context = EvaluationContext::default().with_custom_field("company", unknown);
        let error = client.get_bool_value("deep", Some(&context), None).await.unwrap_err();
        assert_eq!(error.code, EvaluationErrorCode::InvalidContext);
        assert!(error.message.unwrap().contains("company"));
        // Who does not look at an attribute has no quarrel with it.
        assert_eq!(client.get_bool_value("search", Some(&context), None).await, Ok(true));
        assert_eq!(client.get_bool_value("gold", Some(&context), None).await, Ok(false));
    }
}

#[tokio::test]
async fn a_guard_of_one_flag_and_sampling_trouble_no_other_flag() {
    let mut flags = Flags::default();
    let (_, client) = client(|provider| {
        flags = provider.flags().clone();
        provider
    })
    .await;
    let plan = Canary::between_variants().weight(Weight::percent(50.0)).plan().unwrap();
    let _guard = flags
        .guard("search")
        .candidate("off")
        .plan(plan)
        .deciding(Deciding::here())
        .identity("device")
        .build()
        .unwrap();
    flags.sample_evaluations(2);
    let strange = EvaluationContextFieldValue::Float(f64::NAN);
    let context =
        EvaluationContext::default().with_targeting_key("user-42").with_custom_field("height", strange);
    assert_eq!(client.get_bool_value("who", Some(&context), None).await, Ok(true));
    assert_eq!(client.get_bool_value("gold", Some(&context), None).await, Ok(false));
    assert!(client.get_bool_value("search", Some(&context), None).await.is_ok());
    let strange = EvaluationContextFieldValue::Float(f64::NAN);
    let context = context.with_custom_field("device", strange);
    assert_eq!(client.get_bool_value("who", Some(&context), None).await, Ok(true));
}

/// Whether a rule gets as far as an attribute depends on the others; whether an attribute is valid does not, nor on what
/// else is rolled out.
#[tokio::test]
async fn an_invalid_attribute_of_a_rule_is_one_wherever_the_rule_goes() {
    let flags = Flags::default();
    flags.load(
        &Document::from_json(
            r#"{"flags": {
        "score": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "on", {">": [{"var": "score"}, 0.5]}, "on", "off"]}},
        "other": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}
    }}"#,
        )
        .unwrap(),
    );
    let mut api = OpenFeature::default();
    api.set_provider(SerinusProvider::new(flags.clone())).await;
    let client = api.create_client();
    struct Company;
    let check = async || {
        for plan in ["gold", "free"] {
            let context =
                EvaluationContext::default().with_targeting_key("user-42").with_custom_field("plan", plan);
            for strange in [
                EvaluationContextFieldValue::Float(f64::NAN),
                EvaluationContextFieldValue::new_struct(Company),
            ] {
                let context = context.clone().with_custom_field("score", strange);
                let error = client.get_bool_value("score", Some(&context), None).await.unwrap_err();
                assert_eq!(error.code, EvaluationErrorCode::InvalidContext, "{plan}");
            }
            let context = context.with_custom_field("score", 0.7);
            assert_eq!(client.get_bool_value("score", Some(&context), None).await, Ok(true), "{plan}");
        }
    };
    check().await;
    let plan = Canary::between_variants().weight(Weight::percent(50.0)).plan().unwrap();
    let guard = flags.guard("other").candidate("on").plan(plan.clone()).deciding(Deciding::here()).build();
    check().await;
    drop(guard);
    let _guard = flags.guard("score").candidate("on").plan(plan).deciding(Deciding::here()).build().unwrap();
    flags.sample_evaluations(1);
    check().await;
}

#[tokio::test]
async fn failures_have_the_code_of_the_specification_and_a_message_that_helps() {
    let (_, client) = client(|provider| provider).await;
    let code = async |key: &str| {
        let error = client.get_bool_value(key, None, None).await.unwrap_err();
        assert!(error.message.unwrap().contains(key));
        error.code
    };
    assert_eq!(code("missing").await, EvaluationErrorCode::FlagNotFound);
    assert_eq!(code("title").await, EvaluationErrorCode::TypeMismatch);
    assert_eq!(code("broken").await, EvaluationErrorCode::ParseError);
    assert_eq!(code("astray").await, EvaluationErrorCode::General("GENERAL".to_owned()));
    let holes = client.get_struct_value::<StructValue>("holes", None, None).await.unwrap_err();
    assert_eq!(holes.code, EvaluationErrorCode::TypeMismatch);
    assert!(holes.message.unwrap().contains("null"));

    let mut api = OpenFeature::default();
    api.set_provider(SerinusProvider::new(Flags::default())).await;
    let error = api.create_client().get_bool_value("search", None, None).await.unwrap_err();
    assert_eq!(error.code, EvaluationErrorCode::ProviderNotReady);
}

#[tokio::test]
async fn where_the_program_decides_that_is_an_error_with_a_code_of_its_own_or_zero_as_chosen() {
    let (_, strict) = client(|provider| provider).await;
    for (key, code) in [("off", "DISABLED"), ("open", "DEFAULT")] {
        let error = strict.get_bool_value(key, None, None).await.unwrap_err();
        assert_eq!(error.code, EvaluationErrorCode::General(code.to_owned()));
        assert!(error.message.unwrap().contains("the program's own default counts"));
        assert!(strict.get_bool_value(key, None, None).await.unwrap_or(true));
    }
    let (_, lenient) = client(|provider| provider.code_default(CodeDefault::IsZero)).await;
    for (key, reason) in [("off", EvaluationReason::Disabled), ("open", EvaluationReason::Default)] {
        let details = lenient.get_bool_details(key, None, None).await.unwrap();
        assert_eq!((details.value, details.variant, details.reason), (false, None, Some(reason)));
    }
    assert!(lenient.get_bool_value("missing", None, None).await.is_err(), "a failure stays one");
}

#[tokio::test]
async fn hooks_of_the_provider_of_the_api_and_of_the_client_run_around_the_evaluation() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = |name: &'static str| Recorder { name, told: Arc::clone(&told) };
    let flags = Flags::default();
    flags.load(&Document::from_json(DOCUMENT).unwrap());
    let mut api = OpenFeature::default();
    api.set_provider(SerinusProvider::new(flags).named("shop-flags").hook(hook("provider"))).await;
    api.add_hook(hook("api")).await;
    let client = api.create_client().with_hook(hook("client"));
    // The hook of the client puts the plan into the context.
    assert_eq!(client.get_bool_value("gold", None, None).await, Ok(true));
    let expected = [
        "api before gold of shop-flags",
        "client before gold of shop-flags",
        "provider before gold of shop-flags",
        "provider after Some(\"on\") Some(TargetingMatch)",
        "client after Some(\"on\") Some(TargetingMatch)",
        "api after Some(\"on\") Some(TargetingMatch)",
        "provider finally",
        "client finally",
        "api finally",
    ];
    assert_eq!(std::mem::take(&mut *told.lock().unwrap()), expected);

    client.get_bool_value("missing", None, None).await.unwrap_err();
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert!(told.contains(&"provider error FLAG_NOT_FOUND".to_owned()), "{told:?}");
    assert!(told.contains(&"provider finally".to_owned()), "{told:?}");
}

#[tokio::test]
async fn the_status_is_true_and_events_come_on_a_channel_of_our_own() {
    let flags = Flags::default();
    let provider = SerinusProvider::new(flags.clone());
    assert_eq!(provider.metadata().name, "serinus");
    assert_eq!(provider.status(), ProviderStatus::NotReady);
    let mut events = provider.flags().events();
    flags.load(&Document::from_json(DOCUMENT).unwrap());
    assert_eq!(provider.status(), ProviderStatus::Ready);
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);

    flags.lose(Trouble::new(ErrorCode::General, "the cable is cut"));
    assert_eq!(provider.status(), ProviderStatus::STALE);
    assert_eq!(events.next().await.unwrap().kind, EventKind::Stale);
    let mut api = OpenFeature::default();
    api.set_provider(provider.clone()).await;
    let details = api.create_client().get_bool_details("search", None, None).await.unwrap();
    assert_eq!((details.value, details.reason), (true, Some(EvaluationReason::Other("STALE".to_owned()))));

    flags.fail(Trouble::new(ErrorCode::General, "the cable is cut"));
    assert_eq!(provider.status(), ProviderStatus::Error);
    flags.give_up(Trouble::new(ErrorCode::General, "nobody pays for the cable"));
    assert_eq!(provider.status(), ProviderStatus::Error);
    let (error, fatal) = (events.next().await.unwrap(), events.next().await.unwrap());
    assert_eq!(error.error_code, Some(ErrorCode::General));
    assert_eq!((fatal.kind, fatal.error_code), (EventKind::Error, Some(ErrorCode::ProviderFatal)));

    let off = DOCUMENT.replace(r#""defaultVariant": "ten""#, r#""defaultVariant": "all""#);
    flags.load(&Document::from_json(&off).unwrap());
    assert_eq!(provider.status(), ProviderStatus::Ready);
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    let changed = events.next().await.unwrap();
    assert_eq!((changed.kind, &*changed.flags_changed[0]), (EventKind::ConfigurationChanged, "limit"));
}

#[tokio::test]
async fn evaluating_awaits_nothing() {
    let flags = Flags::default();
    flags.load(&Document::from_json(DOCUMENT).unwrap());
    let provider = SerinusProvider::new(flags);
    let context = EvaluationContext::default();
    let mut resolving = provider.resolve_bool_value("gold", &context);
    let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(resolving.as_mut().poll(&mut waker).is_ready());
}

async fn client(with: impl FnOnce(SerinusProvider) -> SerinusProvider) -> (OpenFeature, Client) {
    let flags = Flags::default();
    flags.load(&Document::from_json(DOCUMENT).unwrap());
    let mut api = OpenFeature::default();
    api.set_provider(with(SerinusProvider::new(flags))).await;
    let client = api.create_client();
    (api, client)
}

struct Recorder {
    name: &'static str,
    told: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(format!("{} {what}", self.name));
    }
}

#[open_feature::async_trait]
impl Hook for Recorder {
    async fn before<'a>(
        &self,
        context: &HookContext<'a>,
        _: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        self.tell(format!("before {} of {}", context.flag_key, context.provider_metadata.name));
        let plan = || EvaluationContext::default().with_custom_field("plan", "gold");
        Ok((self.name == "client").then(plan))
    }

    async fn after<'a>(
        &self,
        _: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        self.tell(format!("after {:?} {:?}", details.variant, details.reason));
        Ok(())
    }

    async fn error<'a>(&self, _: &HookContext<'a>, error: &EvaluationError, _: Option<&'a HookHints>) {
        self.tell(format!("error {}", error.code));
    }

    async fn finally<'a>(&self, _: &HookContext<'a>, _: &EvaluationDetails<Value>, _: Option<&'a HookHints>) {
        self.tell("finally".to_owned());
    }
}
