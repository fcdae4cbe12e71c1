//! Flags behind the SDK of OpenFeature: a provider, a hook that counts, and what the SDK has no place for.
//!
//! ```sh
//! cargo run --release --example openfeature
//! ```

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use open_feature::{
    EvaluationContext, EvaluationDetails, EvaluationError, Hook, HookContext, HookHints, OpenFeature,
    StructValue, Value,
};
use serinus_flags::{Document, Flags, openfeature::SerinusProvider};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::default();
    let mut events = flags.events();
    println!("loaded {}", flags.load(&Document::from_json(DOCUMENT)?));

    // Once, where the program begins.
    let counts = Counts::default();
    let mut api = OpenFeature::default();
    api.set_provider(SerinusProvider::new(flags.clone()).hook(counts.clone())).await;
    api.set_evaluation_context(EvaluationContext::default().with_custom_field("region", "eu")).await;

    // Wherever a flag is needed.
    let client = api.create_client();
    for (user, plan) in [("ada", "gold"), ("bob", "free")] {
        let company = StructValue::default().with_field("employees", 7);
        let context = EvaluationContext::default()
            .with_targeting_key(user)
            .with_custom_field("plan", plan)
            .with_custom_field("company", open_feature::EvaluationContextFieldValue::new_struct(company));
        let search = client.get_bool_details("search", Some(&context), None).await;
        let search = search.map_err(|error| format!("search: {}", error.code))?;
        println!("{user}: search is {} by {:?}, reason {:?}", search.value, search.variant, search.reason);
        let theme = client.get_struct_value::<StructValue>("theme", Some(&context), None).await;
        println!(
            "{user}: theme has the colour {:?}",
            theme.ok().and_then(|theme| theme.fields.get("colour").cloned())
        );
        // A disabled flag leaves the value to the program, and a call has no place for a default: it is an error.
        match client.get_int_value("limit", Some(&context), None).await {
            Ok(limit) => println!("{user}: limit {limit}"),
            Err(error) => println!("{user}: limit 25, our own default, because {}", error.code),
        }
    }

    // The SDK has neither events nor a status: both are with the flags.
    flags.load(&Document::from_json(&DOCUMENT.replace("\"black\"", "\"blue\""))?);
    while let Some(event) = events.try_next()? {
        println!("{}: changed {:?}", event.kind, event.flags_changed);
    }
    println!("status {}", flags.status());
    println!("counted {}", counts.told());
    Ok(())
}

/// Counts what every flag came to.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, u32>>>);

impl Counts {
    fn count(&self, what: String) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(what).or_default() += 1;
    }

    fn told(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(what, count)| format!("{what}: {count}")).collect::<Vec<_>>().join(", ")
    }
}

#[open_feature::async_trait]
impl Hook for Counts {
    async fn before<'a>(
        &self,
        _: &HookContext<'a>,
        _: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        Ok(None)
    }

    async fn after<'a>(
        &self,
        context: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        self.count(format!("{}={}", context.flag_key, details.variant.as_deref().unwrap_or("none")));
        Ok(())
    }

    async fn error<'a>(&self, context: &HookContext<'a>, error: &EvaluationError, _: Option<&'a HookHints>) {
        self.count(format!("{}: {}", context.flag_key, error.code));
    }

    async fn finally<'a>(&self, _: &HookContext<'a>, _: &EvaluationDetails<Value>, _: Option<&'a HookHints>) {
    }
}

const DOCUMENT: &str = r#"{
    "flags": {
        "search": {
            "state": "ENABLED",
            "variants": {"new": true, "old": false},
            "defaultVariant": "old",
            "targeting": {"if": [
                {"and": [{"==": [{"var": "plan"}, "gold"]}, {"==": [{"var": "region"}, "eu"]},
                    {"<": [{"var": "company.employees"}, 10]}]}, "new"
            ]}
        },
        "theme": {
            "state": "ENABLED",
            "variants": {"dark": {"colour": "black"}},
            "defaultVariant": "dark"
        },
        "limit": {
            "state": "DISABLED",
            "variants": {"low": 10},
            "defaultVariant": "low"
        }
    },
    "metadata": {"flagSetId": "shop"}
}"#;
