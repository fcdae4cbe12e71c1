//! What the provider makes of queries, their settings, and the results.

#![expect(clippy::expect_used, reason = "the harness of tests may panic")]

use serinus_core::{
    metric::{Query, Question, Sample},
    port::{MetricProvider, PortErrorKind},
    time::GoDuration,
};
use serinus_prom::{Client, PrometheusProvider, Source, Variables};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path};

const NOTHING: &str = r#"{"resultType":"vector","result":[]}"#;
const TWO: &str = r#"{"resultType":"vector","result":[
    {"metric":{"a":"1"},"value":[1,"10"]},{"metric":{"a":"2"},"value":[1,"11"]}]}"#;
const ENDS_IN_NAN: &str = r#"{"resultType":"vector","result":[
    {"metric":{"a":"1"},"value":[1,"10"]},{"metric":{"a":"2"},"value":[1,"NaN"]}]}"#;
const SCALAR: &str = r#"{"resultType":"scalar","result":[1,"3.5"]}"#;
const TEXT: &str = r#"{"resultType":"string","result":[1,"ten"]}"#;
const MATRIX: &str = r#"{"resultType":"matrix","result":[
    {"metric":{"a":"1"},"values":[[1,"1"],[2,"2"]]},{"metric":{"a":"2"},"values":[[1,"3"]]}]}"#;

#[tokio::test]
async fn the_shape_of_argo_keeps_every_number() {
    for (data, expected) in
        [(NOTHING, "[]"), (TWO, "[10,11]"), (ENDS_IN_NAN, "[10,NaN]"), (SCALAR, "3.5"), (MATRIX, "[1,2,3]")]
    {
        let answer = ask(data, Query::new("prometheus", "up")).await.unwrap();
        assert_eq!(answer.to_string(), expected);
    }
    let (kind, message) = ask(TEXT, Query::new("prometheus", "up")).await.unwrap_err();
    assert_eq!(kind, PortErrorKind::Invalid);
    assert!(message.contains("is a string"), "{message}");
}

#[tokio::test]
async fn the_shape_of_flagger_takes_the_last_series() {
    let query = || with(Query::new("prometheus", "up"), &[("shape", "flagger")]);
    assert_eq!(ask(TWO, query()).await, Ok(Sample::number(11.0)));
    assert_eq!(ask(NOTHING, query()).await, Ok(Sample::empty()));
    assert_eq!(ask(ENDS_IN_NAN, query()).await, Ok(Sample::empty()));
    let (kind, message) = ask(MATRIX, query()).await.unwrap_err();
    assert_eq!(kind, PortErrorKind::Invalid);
    assert!(message.contains("multiple values"), "{message}");
    assert!(ask(SCALAR, query()).await.is_err());
}

#[tokio::test]
async fn a_query_is_asked_for_the_moment_of_the_question_with_the_revisions_in_it() {
    let (server, provider) = start(NOTHING).await;
    let text = r#"sum(a{r="{{candidate}}"}) / sum(a{r="{{ stable }}"})"#;
    provider.ask(&question(Query::new("prometheus", text))).await.unwrap();
    let sent = sent(&server).await;
    assert_eq!(parameter(&sent[0], "query"), r#"sum(a{r="v2"}) / sum(a{r="v1"})"#);
    assert_eq!(parameter(&sent[0], "time"), "2026-01-31T12:00:00Z");
}

#[tokio::test]
async fn a_range_is_reckoned_from_the_moment_of_the_question() {
    let (server, provider) = start(MATRIX).await;
    let settings = [("range.start", "now() - duration(\"1h\")"), ("range.step", "1m")];
    provider.ask(&question(with(Query::new("prometheus", "up"), &settings))).await.unwrap();
    let sent = sent(&server).await;
    assert_eq!(sent[0].url.path(), "/api/v1/query_range");
    assert_eq!(parameter(&sent[0], "start"), "2026-01-31T11:00:00Z");
    assert_eq!(parameter(&sent[0], "end"), "2026-01-31T12:00:00Z");
    assert_eq!(parameter(&sent[0], "step"), "60");
}

#[tokio::test]
async fn settings_nobody_knows_or_nobody_can_use_are_named() {
    for (settings, word) in [
        (vec![("adress", "http://host")], "`adress`"),
        (vec![("header.", "x")], "`header.`"),
        (vec![("timeout", "-1s")], "`-1s`"),
        (vec![("timeout", "soon")], "`soon`"),
        (vec![("insecure", "yes")], "`yes`"),
        (vec![("insecure", "true")], "`address`"),
        (vec![("method", "PUT")], "`PUT`"),
        (vec![("shape", "list")], "`list`"),
        (vec![("source", "consul")], "`consul`"),
        (vec![("namespace", "shop")], "`namespace`"),
        (vec![("range.start", "now()")], "range.step"),
        (vec![("range.end", "now()")], "range.start"),
        (vec![("range.start", "yesterday"), ("range.step", "1m")], "`yesterday`"),
        (vec![("address", "host:9090")], "http://prometheus:9090"),
    ] {
        let (kind, message) =
            ask(NOTHING, with(Query::new("prometheus", "up"), &settings)).await.unwrap_err();
        assert_eq!(kind, PortErrorKind::Invalid, "{message}");
        assert!(message.contains(word), "{settings:?}: {message}");
    }
    let (_, message) =
        ask(NOTHING, with(Query::new("prometheus", "up"), &[("adress", "x")])).await.unwrap_err();
    assert!(message.contains("address, timeout"), "{message}");
}

#[tokio::test]
async fn a_query_for_another_provider_is_refused() {
    let (kind, message) = ask(NOTHING, Query::new("datadog", "up")).await.unwrap_err();
    assert_eq!(kind, PortErrorKind::Invalid);
    assert!(message.contains("`datadog`"), "{message}");
}

#[tokio::test]
async fn a_query_with_its_own_address_gets_none_of_the_credentials_of_the_client() {
    let (home, _) = start(NOTHING).await;
    let (away, _) = start(SCALAR).await;
    let client = Client::builder(home.uri()).bearer("hush-hush").tenant("shop").build().unwrap();
    let provider = PrometheusProvider::new(client);
    let address = away.uri();
    let query = with(
        Query::new("prometheus", "up"),
        &[("address", address.as_str()), ("header.X-Own", "mine"), ("method", "POST"), ("timeout", "5s")],
    );
    assert_eq!(provider.ask(&question(query)).await.unwrap(), Sample::number(3.5));
    let request = &sent(&away).await[0];
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.headers["x-own"], "mine");
    assert!(!request.headers.contains_key("authorization"));
    assert!(!request.headers.contains_key("x-scope-orgid"));
    assert!(sent(&home).await.is_empty());
}

#[tokio::test]
async fn headers_of_a_query_join_and_replace_those_of_the_client() {
    let (home, _) = start(NOTHING).await;
    let client = Client::builder(home.uri()).bearer("hush-hush").tenant("shop").build().unwrap();
    let query =
        with(Query::new("prometheus", "up"), &[("header.X-Own", "mine"), ("header.X-Scope-OrgID", "bank")]);
    PrometheusProvider::new(client).ask(&question(query)).await.unwrap();
    let request = &sent(&home).await[0];
    assert_eq!(request.headers["x-own"], "mine");
    assert_eq!(request.headers["authorization"], "Bearer hush-hush");
    assert_eq!(request.headers.get_all("x-scope-orgid").iter().collect::<Vec<_>>(), ["bank"]);
}

#[tokio::test]
async fn without_a_client_and_an_address_nobody_is_asked() {
    let provider = PrometheusProvider::without_client();
    let error = provider.ask(&question(Query::new("prometheus", "up"))).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Invalid);
    assert!(error.chain().contains("`address`"), "{}", error.chain());
}

#[tokio::test]
async fn a_builtin_metric_takes_its_names_from_the_provider_and_from_the_query() {
    let (server, provider) = start(TWO).await;
    let mut variables = Variables::default();
    variables.namespace = Some("shop".into());
    variables.target = Some("cart".into());
    let provider = provider.source(Source::Istio).variables(variables);
    let minute = GoDuration::from_mins(1);
    let query = with(Query::builtin(Query::SUCCESS_RATE, minute), &[("target", "till")]);
    assert_eq!(provider.ask(&question(query)).await.unwrap(), Sample::number(11.0));
    let query = with(Query::builtin(Query::DURATION, minute), &[("source", "serinus")]);
    provider.ask(&question(query)).await.unwrap();
    let sent = sent(&server).await;
    let text = parameter(&sent[0], "query");
    assert!(text.contains(r#"destination_workload_namespace="shop",destination_workload="till""#), "{text}");
    let text = parameter(&sent[1], "query");
    assert!(text.contains(r#"http_request_duration_seconds_bucket{revision="v2"}[60s]"#), "{text}");
}

#[tokio::test]
async fn a_builtin_metric_without_a_source_or_a_name_is_refused() {
    let minute = GoDuration::from_mins(1);
    let (_, message) = ask(NOTHING, Query::builtin(Query::SUCCESS_RATE, minute)).await.unwrap_err();
    assert!(message.contains("`source`"), "{message}");
    let (_, message) = ask(NOTHING, Query::builtin("request-rate", minute)).await.unwrap_err();
    assert!(message.contains("`request-rate`"), "{message}");
    let query = with(Query::builtin(Query::SUCCESS_RATE, minute), &[("source", "istio")]);
    let (_, message) = ask(NOTHING, query).await.unwrap_err();
    assert!(message.contains("`namespace`"), "{message}");
    let query = with(Query::builtin(Query::SUCCESS_RATE, GoDuration::ZERO), &[("source", "serinus")]);
    let (_, message) = ask(NOTHING, query).await.unwrap_err();
    assert!(message.contains("window"), "{message}");
}

#[tokio::test]
async fn a_refusal_of_prometheus_reaches_the_engine_with_its_kind_and_its_words() {
    let server = MockServer::start().await;
    let refusal = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    Mock::given(path("/api/v1/query"))
        .respond_with(ResponseTemplate::new(503).set_body_string(refusal))
        .mount(&server)
        .await;
    let provider = PrometheusProvider::new(Client::new(server.uri()).unwrap());
    let error = provider.ask(&question(Query::new("prometheus", "up"))).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Transient);
    assert!(error.chain().contains("query timed out"), "{}", error.chain());
}

async fn start(data: &str) -> (MockServer, PrometheusProvider) {
    let server = MockServer::start().await;
    let body = format!(r#"{{"status":"success","data":{data}}}"#);
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(200).set_body_string(body))
        .mount(&server)
        .await;
    let provider = PrometheusProvider::new(Client::new(server.uri()).expect("an address"));
    (server, provider)
}

async fn ask(data: &str, query: Query) -> Result<Sample, (PortErrorKind, String)> {
    let (_server, provider) = start(data).await;
    provider.ask(&question(query)).await.map_err(|error| (error.kind(), error.chain()))
}

fn question(query: Query) -> Question {
    Question {
        query: query.into(),
        candidate: "v2".into(),
        stable: "v1".into(),
        at: "2026-01-31T12:00:00Z".parse().expect("a time"),
        window: None,
    }
}

fn with(mut query: Query, settings: &[(&str, &str)]) -> Query {
    query.settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    query
}

async fn sent(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("requests are recorded")
}

fn parameter(request: &Request, name: &str) -> String {
    let found = request.url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}
