//! A Prometheus from this machine answers with exact numbers about series that were written into it.

#![expect(clippy::expect_used, clippy::panic, reason = "the harness of tests may panic")]

use serinus_core::{
    metric::{ArmCounts, Arms, ArmsError, Number, Query, Question, Sample, Window},
    port::{MetricProvider, PortErrorKind},
    time::{GoDuration, Timestamp},
};
use serinus_prom::{Builtin, Client, PrometheusProvider, QueryError, Range, Source, Value, Variables};

use self::{prometheus::Prometheus, remote_write::Counted};

#[path = "common/prometheus.rs"]
mod prometheus;
#[path = "common/remote_write.rs"]
mod remote_write;

#[tokio::test]
async fn scalars_vectors_matrices_and_texts_are_read() {
    let Some(prometheus) = start().await else { return };
    let now = this_second();
    push(&prometheus, &[Counted::new(&[("__name__", "a_total"), ("app", "cart")], 2.0, now)]).await;
    let client = client(&prometheus);

    let Value::Scalar(point) = client.query("1 + 1", Some(now)).await.unwrap().value else {
        panic!("scalar")
    };
    assert_eq!((point.at, point.value.get()), (now, 2.0));
    assert_eq!(client.query(r#""text""#, Some(now)).await.unwrap().value, Value::String("text".into()));
    let Value::Vector(samples) = client.query("rate(a_total[10s])", Some(now)).await.unwrap().value else {
        panic!("vector")
    };
    assert_eq!(samples.len(), 1);
    assert_eq!(samples[0].point.value.get(), 2.0);
    assert_eq!(samples[0].labels["app"], "cart");
    let start = GoDuration::from_secs(20).after(now);
    let range = Range {
        start: "-30s".parse::<GoDuration>().unwrap().after(now),
        end: now,
        step: GoDuration::from_secs(10),
    };
    let Value::Matrix(series) = client.query_range("rate(a_total[10s])", range).await.unwrap().value else {
        panic!("matrix")
    };
    assert_eq!(series[0].points.iter().map(|point| point.value.get()).collect::<Vec<_>>(), [2.0; 4]);
    let empty = Range { start, end: start, step: range.step };
    // A rate over ten seconds needs two samples in them, and the newest is twenty seconds old.
    let none = client.query_range("rate(a_total[10s])", empty).await.unwrap().value;
    assert_eq!(none, Value::Matrix(Vec::new()));
}

#[tokio::test]
async fn nothing_divided_by_nothing_and_nothing_at_all_are_different_answers() {
    let Some(prometheus) = start().await else { return };
    let now = this_second();
    push(&prometheus, &[Counted::new(&[("__name__", "quiet_total")], 0.0, now)]).await;
    let provider = PrometheusProvider::new(client(&prometheus));
    let ask = async |text: &str| provider.ask(&question(Query::new("prometheus", text), now)).await.unwrap();
    let ratio = "sum(rate(quiet_total[10s])) / sum(rate(quiet_total[10s]))";
    assert_eq!(ask(ratio).await, Sample::List(vec![Sample::number(f64::NAN)]));
    assert_eq!(ask("sum(rate(missing_total[10s]))").await, Sample::empty());
    assert_eq!(ask("1 / 0").await, Sample::number(f64::INFINITY));
    assert_eq!(ask("-1 / 0").await, Sample::number(f64::NEG_INFINITY));
}

#[tokio::test]
async fn a_query_that_does_not_parse_is_refused_in_the_words_of_prometheus() {
    let Some(prometheus) = start().await else { return };
    let error = client(&prometheus).query("sum(", None).await.unwrap_err();
    let QueryError::Refused { status: 400, error_type, message, .. } = &error else { panic!("{error}") };
    assert_eq!(error_type, "bad_data");
    assert!(message.contains("parse error"), "{message}");
    assert_eq!(error.kind(), PortErrorKind::Invalid);
    // Two series on the one side: found out only when the query runs.
    let error = client(&prometheus)
        .query(r#"vector(1) + on() (vector(1) or label_replace(vector(1), "a", "b", "", ""))"#, None)
        .await;
    let error = error.expect_err("many-to-one matching must be explicit");
    assert!(matches!(&error, QueryError::Refused { error_type, .. } if error_type == "execution"), "{error}");
}

#[tokio::test]
async fn a_query_of_one_hundred_thousand_bytes_is_answered() {
    let Some(prometheus) = start().await else { return };
    let long = "x".repeat(100_000);
    let answer = client(&prometheus).query(&format!("\"{long}\""), None).await.unwrap();
    assert_eq!(answer.value, Value::String(long));
}

#[tokio::test]
async fn the_data_plane_of_this_process_is_judged_exactly() {
    let Some(prometheus) = start().await else { return };
    let now = this_second();
    let requests = |revision: &'static str, status: &'static str, rate: f64| {
        let labels = [("__name__", "http_requests_total"), ("revision", revision), ("status", status)];
        Counted::new(&labels, rate, now)
    };
    let bucket = |bound: &'static str, rate: f64| {
        let labels =
            [("__name__", "http_request_duration_seconds_bucket"), ("le", bound), ("revision", "v2")];
        Counted::new(&labels, rate, now)
    };
    push(
        &prometheus,
        &[
            requests("v1", "200", 900.0),
            requests("v2", "200", 95.0),
            requests("v2", "404", 4.0),
            requests("v2", "503", 1.0),
            requests("v3", "500", 7.0),
            bucket("0.1", 98.0),
            bucket("0.2", 100.0),
            bucket("+Inf", 100.0),
        ],
    )
    .await;
    let provider = PrometheusProvider::new(client(&prometheus)).source(Source::Serinus);
    let ask = async |name: &str, candidate: &str| {
        let query = Query::builtin(name, GoDuration::from_secs(10));
        let question = Question { candidate: candidate.into(), ..question(query, now) };
        provider.ask(&question).await.unwrap()
    };
    assert_eq!(ask(Query::SUCCESS_RATE, "v2").await, Sample::number(99.0));
    assert_eq!(ask(Query::SUCCESS_RATE, "v3").await, Sample::number(0.0), "no request of v3 ever succeeded");
    assert_eq!(ask(Query::SUCCESS_RATE, "v4").await, Sample::empty(), "nobody ever asked v4");
    // The 99th of 100 requests is in the middle of the bucket from 100 ms to 200 ms.
    let Sample::Number(millis) = ask(Query::DURATION, "v2").await else { panic!("no number") };
    assert!((millis.get() - 150.0).abs() < 1e-6, "{millis}");
    assert_eq!(ask(Query::DURATION, "v3").await, Sample::empty());
}

#[tokio::test]
async fn the_requests_of_istio_are_judged_exactly() {
    let Some(prometheus) = start().await else { return };
    let now = this_second();
    let requests = |workload: &'static str, code: &'static str, rate: f64| {
        let labels = [
            ("__name__", "istio_requests_total"),
            ("destination_workload", workload),
            ("destination_workload_namespace", "shop"),
            ("reporter", "destination"),
            ("response_code", code),
        ];
        Counted::new(&labels, rate, now)
    };
    push(
        &prometheus,
        &[requests("cart", "200", 3.0), requests("cart", "500", 1.0), requests("cart-primary", "500", 9.0)],
    )
    .await;
    let mut variables = Variables::default();
    variables.namespace = Some("shop".into());
    variables.target = Some("cart".into());
    let provider = PrometheusProvider::new(client(&prometheus)).source(Source::Istio).variables(variables);
    let query = Query::builtin(Query::SUCCESS_RATE, GoDuration::from_secs(10));
    assert_eq!(provider.ask(&question(query, now)).await.unwrap(), Sample::number(75.0));
}

#[tokio::test]
async fn both_arms_are_counted_exactly_from_raw_samples() {
    let Some(prometheus) = start().await else { return };
    let now = this_second();
    let ago = |seconds: i64| Timestamp::from_second(now.as_second() - seconds).unwrap();
    let counter = |revision: &'static str, status: &'static str, samples: &[(i64, f64)]| {
        let labels = [
            ("__name__", "http_requests_total"),
            ("instance", revision),
            ("job", "shop"),
            ("revision", revision),
            ("status", status),
        ];
        Counted::sampled(&labels, samples.iter().map(|(before, value)| (ago(*before), *value)).collect())
    };
    let bucket = |revision: &'static str, edge: &'static str, samples: &[(i64, f64)]| {
        let labels = [
            ("__name__", "http_request_duration_seconds_bucket"),
            ("instance", revision),
            ("job", "shop"),
            ("le", edge),
            ("revision", revision),
        ];
        Counted::sampled(&labels, samples.iter().map(|(before, value)| (ago(*before), *value)).collect())
    };
    push(
        &prometheus,
        &[
            counter("v1", "200", &[(50, 1000.0), (35, 1100.0), (20, 1250.0), (5, 1300.0)]),
            counter("v1", "503", &[(50, 7.0), (35, 8.0), (20, 8.0), (5, 10.0)]),
            // The process began anew 20 s ago; its first error came then.
            counter("v2", "200", &[(50, 300.0), (35, 320.0), (20, 15.0), (5, 40.0)]),
            counter("v2", "503", &[(20, 2.0), (5, 3.0)]),
            bucket("v1", "0.1", &[(50, 900.0), (35, 990.0), (20, 1100.0), (5, 1150.0)]),
            bucket("v1", "+Inf", &[(50, 1007.0), (35, 1108.0), (20, 1258.0), (5, 1310.0)]),
            // Grown past its old value, where another bucket shows that it began anew.
            bucket("v2", "0.1", &[(50, 1.0), (35, 2.0), (20, 10.0), (5, 30.0)]),
            bucket("v2", "+Inf", &[(50, 300.0), (35, 320.0), (20, 17.0), (5, 43.0)]),
        ],
    )
    .await;
    let provider = PrometheusProvider::new(client(&prometheus)).source(Source::Serinus);
    let builtin = Query { window: None, ..Query::builtin(Query::ARMS, GoDuration::ZERO) };
    let ask = async |query: &Query, from: i64, to: i64| {
        let window = Some(Window { from: ago(from), to: ago(to) });
        let answer = provider.ask(&Question { window, ..question(query.clone(), ago(to)) }).await.unwrap();
        Arms::try_from(&answer)
    };
    let counts = |requests, failures, fast| ArmCounts {
        requests,
        failures,
        latency: vec![(Number::new(0.1), fast), (Number::new(f64::INFINITY), requests)],
    };
    // Between scrapes: from the last before the beginning to the last before the end.
    let early = ask(&builtin, 45, 30).await.unwrap();
    assert_eq!(early, Arms { stable: counts(101, 1, 90), candidate: counts(20, 0, 1), control: None });
    let late = ask(&builtin, 30, 0).await.unwrap();
    assert_eq!(late.stable, counts(202, 2, 160));
    assert_eq!(late.candidate, counts(43, 3, 30));
    // The same in two windows that follow one another, and nothing in an empty one.
    let (first, second) = (ask(&builtin, 30, 12).await.unwrap(), ask(&builtin, 12, 0).await.unwrap());
    assert_eq!(first.candidate.requests + second.candidate.requests, 43);
    assert_eq!(first.stable.requests + second.stable.requests, 202);
    assert_eq!(ask(&builtin, 12, 12).await.unwrap().stable.requests, 0);

    // The same counters by selectors of their own.
    let selector =
        |arm: &str, more: &str| format!(r#"http_requests_total{{revision="{{{{{arm}}}}}"{more}}}"#);
    let settings = ["candidate", "stable"].into_iter().flat_map(|arm| {
        let failed = selector(arm, r#",status=~"5..""#);
        [(format!("{arm}.requests"), selector(arm, "")), (format!("{arm}.failures"), failed)]
    });
    let own = Query { settings: settings.collect(), ..builtin.clone() };
    let by_selectors = ask(&own, 30, 0).await.unwrap();
    assert_eq!(by_selectors.candidate, ArmCounts { latency: Vec::new(), ..late.candidate });

    // A control group beside them, here of the same requests as the candidate's.
    let mut grouped = own.clone();
    grouped.settings.insert("control.requests".into(), selector("candidate", ""));
    let error = provider
        .ask(&Question { window: Some(Window { from: ago(30), to: now }), ..question(grouped.clone(), now) })
        .await
        .unwrap_err();
    assert!(error.chain().contains("no setting `control.failures`"), "{}", error.chain());
    grouped.settings.insert("control.failures".into(), selector("candidate", r#",status=~"5..""#));
    let with_control = ask(&grouped, 30, 0).await.unwrap();
    assert_eq!(
        (with_control.stable, with_control.control),
        (by_selectors.stable, Some(by_selectors.candidate))
    );

    // Both arms or neither.
    let window = Some(Window { from: ago(30), to: now });
    let alone = Question { candidate: "v9".into(), window, ..question(builtin.clone(), now) };
    let error = Arms::try_from(&provider.ask(&alone).await.unwrap()).unwrap_err();
    assert_eq!(error, ArmsError::Missing { arm: "candidate" });
    // Nothing that was extrapolated is taken for a count.
    let mut rate = own.clone();
    rate.settings.insert("stable.requests".into(), "sum(http_requests_total)".into());
    let error = provider.ask(&Question { window, ..question(rate, now) }).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Invalid, "{error}");
    let mut half = own;
    half.settings.remove("stable.failures");
    let error = provider.ask(&Question { window, ..question(half, now) }).await.unwrap_err();
    assert!(error.chain().contains("no setting `stable.failures`"), "{}", error.chain());
}

#[tokio::test]
async fn the_arms_of_every_source_are_selectors_that_prometheus_understands() {
    let Some(prometheus) = start().await else { return };
    let now = this_second();
    let mut variables = Variables::default();
    variables.namespace = Some("shop".into());
    variables.target = Some("cart.v2".into());
    for source in Source::ALL {
        let provider =
            PrometheusProvider::new(client(&prometheus)).source(source).variables(variables.clone());
        let query = Query { window: None, ..Query::builtin(Query::ARMS, GoDuration::ZERO) };
        let window = Some(Window { from: now, to: now });
        let answer = provider.ask(&Question { window, ..question(query, now) }).await;
        if source == Source::Apisix {
            let error = answer.expect_err("both arms are counted together").chain();
            assert!(error.contains("apisix does not count candidate and stable apart"), "{error}");
            continue;
        }
        let answer = answer.unwrap_or_else(|error| panic!("{source}: {}", error.chain()));
        assert_eq!(Arms::try_from(&answer).unwrap_err(), ArmsError::Missing { arm: "stable" }, "{source}");
    }
}

#[tokio::test]
async fn every_builtin_query_is_one_that_prometheus_understands() {
    let Some(prometheus) = start().await else { return };
    let client = client(&prometheus);
    let mut variables = Variables::new("1m30s".parse().unwrap());
    variables.namespace = Some("shop".into());
    variables.target = Some("cart.v2".into());
    variables.candidate = Some("v2+1".into());
    for source in Source::ALL {
        for metric in [Builtin::SuccessRate, Builtin::Duration] {
            let text = metric.render(source, &variables).unwrap();
            let answer = client.query(&text, None).await.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(answer.value, Value::Vector(Vec::new()), "{text}");
        }
    }
}

fn question(query: Query, at: Timestamp) -> Question {
    Question { query: query.into(), candidate: "v2".into(), stable: "v1".into(), at, window: None }
}

fn this_second() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).expect("the present")
}

async fn start() -> Option<Prometheus> {
    Prometheus::start("", client_on).await
}

async fn push(prometheus: &Prometheus, series: &[Counted]) {
    remote_write::push(prometheus.port, series).await;
}

fn client(prometheus: &Prometheus) -> Client {
    client_on(prometheus.port)
}

fn client_on(port: u16) -> Client {
    Client::new(format!("http://127.0.0.1:{port}")).expect("an address")
}
