//! Answers the metrics of a plan.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serinus_core::{
    metric::{Query, Question, Sample},
    port::{MetricProvider, PortError, PortErrorKind},
};

use self::settings::Settings;
pub use self::{error::AskError, shape::Shape};
use crate::{
    builtin::{Builtin, Source, Variables},
    client::{BuildError, Client, ClientBuilder, Range, build::http_client},
};

mod arms;
mod error;
mod moment;
mod settings;
mod shape;
mod template;

/// Answers the questions of an engine from Prometheus: PromQL for the provider `prometheus`, and the metrics known
/// by name ([`Query::BUILTIN`]).
///
/// The settings a query may bring are listed in the documentation of this crate.
///
/// ```
/// use serinus_prom::{Client, PrometheusProvider, Source, Variables};
///
/// let mut variables = Variables::default();
/// variables.namespace = Some("shop".into());
/// variables.target = Some("cart".into());
/// let provider = PrometheusProvider::new(Client::new("http://prometheus:9090")?)
///     .source(Source::Istio)
///     .variables(variables);
/// # let _ = provider;
/// # Ok::<(), serinus_prom::BuildError>(())
/// ```
#[derive(Debug, Default)]
pub struct PrometheusProvider {
    client: Option<Client>,
    source: Option<Source>,
    variables: Variables,
    /// HTTP clients for addresses that queries bring, by whether they are insecure and whether they speak HTTPS.
    /// Kept, because a client holds its connections.
    others: Mutex<BTreeMap<(bool, bool), reqwest::Client>>,
}

impl PrometheusProvider {
    /// A provider that asks this client, unless a query brings an address of its own.
    pub fn new(client: Client) -> Self {
        Self { client: Some(client), ..Self::default() }
    }

    /// A provider for queries that all bring their own address.
    pub fn without_client() -> Self {
        Self::default()
    }

    /// Who counts the requests, for built-in metrics that do not say so.
    #[must_use = "the source is set on the provider that is returned"]
    pub const fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// What built-in metrics are about, unless their settings say otherwise. The candidate and the interval come
    /// with each question; the interval given here serves questions without a window.
    #[must_use = "the variables are set on the provider that is returned"]
    pub fn variables(mut self, variables: Variables) -> Self {
        self.variables = variables;
        self
    }

    async fn answer(&self, question: &Question) -> Result<Sample, AskError> {
        let query = &question.query;
        let settings = Settings::read(&query.settings)?;
        if (query.provider.as_str(), query.text.as_str()) == (Query::BUILTIN, Query::ARMS) {
            return self.arms(question, &settings).await;
        }
        let (text, shape) = match query.provider.as_str() {
            "prometheus" => {
                settings.refuse_variables()?;
                (template::fill(question)?, Shape::Argo)
            }
            Query::BUILTIN => (self.builtin(question, &settings)?, Shape::Flagger),
            other => return Err(AskError::Provider { name: other.to_owned() }),
        };
        let client = self.client_for(&settings)?;
        tracing::debug!(address = client.address(), query = %text, at = %question.at, "asks Prometheus");
        let answer = match &settings.range {
            None => client.query(&text, Some(question.at)).await?,
            Some(range) => {
                let start = moment::evaluate("range.start", &range.start, question.at)?;
                let end = match &range.end {
                    Some(end) => moment::evaluate("range.end", end, question.at)?,
                    None => question.at,
                };
                client.query_range(&text, Range { start, end, step: range.step }).await?
            }
        };
        for warning in &answer.warnings {
            tracing::warn!(address = client.address(), query = %text, warning, "Prometheus warns");
        }
        settings.shape.unwrap_or(shape).sample(answer.value)
    }

    fn builtin(&self, question: &Question, settings: &Settings) -> Result<String, AskError> {
        let metric: Builtin = question.query.text.parse()?;
        let source = settings.source.or(self.source).ok_or(AskError::NoSource { metric: metric.name() })?;
        Ok(metric.render(source, &self.variables_for(question, settings))?)
    }

    fn variables_for(&self, question: &Question, settings: &Settings) -> Variables {
        let mut variables = self.variables.clone();
        variables.candidate = Some(question.candidate.to_string());
        if let Some(window) = question.query.window {
            variables.interval = window;
        }
        let names = &settings.variables;
        for (given, variable) in [
            (&names.namespace, &mut variables.namespace),
            (&names.target, &mut variables.target),
            (&names.service, &mut variables.service),
            (&names.ingress, &mut variables.ingress),
            (&names.route, &mut variables.route),
        ] {
            if given.is_some() {
                variable.clone_from(given);
            }
        }
        variables
    }

    /// The client, changed the way the settings want it.
    fn client_for(&self, settings: &Settings) -> Result<Client, AskError> {
        let Some(address) = &settings.address else {
            let Some(client) = &self.client else { return Err(AskError::NoAddress) };
            if settings.insecure {
                return Err(AskError::InsecureWithoutAddress);
            }
            return Ok(client.adjusted(settings)?);
        };
        let builder = Client::builder(address.as_str()).insecure(settings.insecure);
        let https = address.starts_with("https:");
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let http = match others.get(&(settings.insecure, https)) {
            Some(http) => http.clone(),
            None if https && !cfg!(feature = "tls") => return Ok(builder.build()?),
            None => {
                let http = http_client(settings.insecure, https)?;
                others.insert((settings.insecure, https), http.clone());
                http
            }
        };
        drop(others);
        Ok(settings.apply(builder.http_client(http)).build()?)
    }
}

impl Settings {
    fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(method) = self.method {
            builder = builder.method(method);
        }
        self.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value))
    }
}

impl Client {
    /// The same client with the timeout, the method and the headers of a query.
    fn adjusted(&self, settings: &Settings) -> Result<Self, BuildError> {
        let builder = Self::builder(self.address()).http_client(self.http.clone()).timeout(self.timeout);
        let extra = settings.apply(builder.method(self.method)).build()?;
        let mut headers = self.headers.clone();
        headers.extend(extra.headers);
        let mut secrets = self.secrets.clone();
        secrets.extend(extra.secrets);
        Ok(Self { headers, secrets, timeout: extra.timeout, method: extra.method, ..self.clone() })
    }
}

#[async_trait]
impl MetricProvider for PrometheusProvider {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        self.answer(question).await.map_err(|error| match error {
            AskError::Query(error) => error.into(),
            other => PortError::new(PortErrorKind::Invalid, other),
        })
    }
}
