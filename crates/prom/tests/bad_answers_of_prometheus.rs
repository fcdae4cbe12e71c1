//! Whatever the other side answers, the client says what it was, and never what it was not told to say.

#![expect(clippy::expect_used, reason = "the harness of tests may panic")]

use std::time::{Duration, Instant};

use serinus_core::port::PortErrorKind;
use serinus_prom::{Client, Method, QueryError, Range, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string_contains, header, method, path, query_param},
};

#[tokio::test]
async fn a_query_that_does_not_parse_is_reported_in_the_words_of_prometheus() {
    let error = error_for(ResponseTemplate::new(400).set_body_string(
        r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error: unexpected end of input"}"#,
    ))
    .await;
    let QueryError::Refused { status: 400, error_type, message, .. } = &error else { panic!("{error}") };
    assert_eq!(error_type, "bad_data");
    assert_eq!(message, "1:4: parse error: unexpected end of input");
    assert_eq!(error.kind(), PortErrorKind::Invalid);
}

#[tokio::test]
async fn a_status_says_whether_trying_again_could_help() {
    for (status, kind) in [
        (400, PortErrorKind::Invalid),
        (401, PortErrorKind::Denied),
        (403, PortErrorKind::Denied),
        (404, PortErrorKind::NotFound),
        (422, PortErrorKind::Invalid),
        (429, PortErrorKind::Transient),
        (500, PortErrorKind::Transient),
        (503, PortErrorKind::Transient),
    ] {
        let error = error_for(ResponseTemplate::new(status).set_body_string("no\n  luck")).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            matches!(&error, QueryError::Status { status: got, excerpt, .. } if *got == status && excerpt == "no luck"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let error = error_for(
        ResponseTemplate::new(200)
            .set_body_string(r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#),
    )
    .await;
    assert!(matches!(&error, QueryError::Refused { status: 200, .. }), "{error}");
}

#[tokio::test]
async fn a_login_page_is_shown_by_its_first_words() {
    let page = format!("<!doctype html>\n<title>Sign in</title>{}", "x".repeat(1000));
    let error = error_for(ResponseTemplate::new(200).set_body_string(page)).await;
    let QueryError::NotJson { excerpt, .. } = &error else { panic!("{error}") };
    assert!(excerpt.starts_with("<!doctype html> <title>Sign in</title>"), "{excerpt}");
    assert!(excerpt.chars().count() <= 201, "{excerpt}");
}

#[tokio::test]
async fn half_a_json_text_is_malformed() {
    let error =
        error_for(ResponseTemplate::new(200).set_body_string(r#"{"status":"success","data":{"#)).await;
    assert!(matches!(&error, QueryError::Malformed { .. }), "{error}");
    let error = error_for(ResponseTemplate::new(200).set_body_string("")).await;
    assert!(matches!(&error, QueryError::NotJson { .. }), "{error}");
}

#[tokio::test]
async fn success_without_data_or_with_a_result_of_another_kind_is_malformed() {
    for (body, reason) in [
        (r#"{"status":"success"}"#, "no `data`"),
        (r#"{"status":"success","data":{"resultType":"streams","result":[]}}"#, "streams"),
        (r#"{"status":"success","data":{"resultType":"scalar","result":[1,"ten"]}}"#, "`ten`"),
        (r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}"#, "no numbers"),
    ] {
        let error = error_for(ResponseTemplate::new(200).set_body_string(body)).await;
        assert!(matches!(&error, QueryError::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_too_early_breaks_the_answer_off() {
    let address = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"status\":", false).await;
    let error = Client::new(address).unwrap().query("up", None).await.unwrap_err();
    assert!(matches!(&error, QueryError::BrokenOff { received: 10, .. }), "{error}");
    assert_eq!(error.kind(), PortErrorKind::Transient);
}

#[tokio::test]
async fn silence_ends_at_the_timeout() {
    let before_anything = raw_server("", true).await;
    let in_the_middle = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", true).await;
    for address in [before_anything, in_the_middle] {
        let client = Client::builder(address).timeout(Duration::from_millis(200)).build().unwrap();
        let started = Instant::now();
        let error = client.query("up", None).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert!(matches!(&error, QueryError::Timeout { .. }), "{error}");
        assert!(error.to_string().contains("200ms"), "{error}");
        assert_eq!(error.kind(), PortErrorKind::Transient);
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_a_transport_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(address).unwrap().query("up", None).await.unwrap_err();
    assert!(matches!(&error, QueryError::Transport { .. }), "{error}");
    assert_eq!(error.kind(), PortErrorKind::Transient);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read_to_its_end() {
    let server = serve(ResponseTemplate::new(200).set_body_string("{".repeat(100_000))).await;
    let client = Client::builder(server.uri()).body_limit(50_000).build().unwrap();
    let error = client.query("up", None).await.unwrap_err();
    assert!(matches!(&error, QueryError::TooLarge { limit: 50_000, .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_is_reported_and_not_followed() {
    let other = serve(ResponseTemplate::new(200)).await;
    let error = error_for(ResponseTemplate::new(302).insert_header("location", other.uri())).await;
    assert!(matches!(&error, QueryError::Redirect { location, .. } if *location == other.uri()), "{error}");
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn numbers_that_are_none_and_warnings_arrive() {
    let server = serve(ResponseTemplate::new(200).set_body_string(
        r#"{"status":"success","warnings":["partial"],"data":{"resultType":"vector","result":[
            {"metric":{"i":"0"},"value":[1.5,"NaN"]},{"metric":{"i":"1"},"value":[1.5,"+Inf"]},
            {"metric":{"i":"2"},"value":[1.5,"-Inf"]},{"metric":{"i":"3"},"value":[1.5,"1e+06"]}]}}"#,
    ))
    .await;
    let answer = Client::new(server.uri()).unwrap().query("up", None).await.unwrap();
    assert_eq!(answer.warnings, ["partial"]);
    let Value::Vector(samples) = answer.value else { panic!("{:?}", answer.value) };
    let shown: Vec<_> = samples.iter().map(|sample| sample.point.value.to_string()).collect();
    assert_eq!(shown, ["NaN", "+Inf", "-Inf", "1000000"]);
    assert_eq!(samples[1].labels["i"], "1");
    assert_eq!(samples[1].point.at.as_millisecond(), 1500);
}

#[tokio::test]
async fn an_empty_vector_is_a_success() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    let server = serve(ResponseTemplate::new(200).set_body_string(body)).await;
    let answer = Client::new(server.uri()).unwrap().query("up", None).await.unwrap();
    assert_eq!(answer.value, Value::Vector(Vec::new()));
}

#[tokio::test]
async fn ten_thousand_series_are_read() {
    let series: Vec<_> = (0..10_000)
        .map(|index| {
            format!(
                r#"{{"metric":{{"pod":"cart-7d9f-{index:05}","namespace":"shop"}},"value":[1,"{index}"]}}"#
            )
        })
        .collect();
    let body =
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#, series.join(","));
    let server = serve(ResponseTemplate::new(200).set_body_string(body)).await;
    let answer = Client::new(server.uri()).unwrap().query("up", None).await.unwrap();
    let Value::Vector(samples) = answer.value else { panic!("not a vector") };
    assert_eq!(samples.len(), 10_000);
    let sum: f64 = samples.iter().map(|sample| sample.point.value.get()).sum();
    assert_eq!(sum, 49_995_000.0);
}

#[tokio::test]
async fn a_query_longer_than_a_get_allows_is_posted() {
    let server = MockServer::start().await;
    let yes = ResponseTemplate::new(200)
        .set_body_string(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#);
    Mock::given(method("GET")).and(path("/api/v1/query")).respond_with(yes.clone()).mount(&server).await;
    let no = ResponseTemplate::new(200)
        .set_body_string(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#);
    Mock::given(method("POST"))
        .and(path("/api/v1/query"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string_contains("pod%3D%7E%22a"))
        .respond_with(no)
        .mount(&server)
        .await;
    let short = r#"up{pod=~"a"}"#.to_owned();
    let long = format!(r#"up{{pod=~"a{}"}}"#, "|b".repeat(1000));
    let get = |text: String, chosen: Method| {
        let client = Client::builder(server.uri()).method(chosen).build().unwrap();
        async move {
            let Value::Scalar(point) = client.query(&text, None).await.unwrap().value else {
                panic!("{text}")
            };
            point.value.get()
        }
    };
    assert_eq!(get(short.clone(), Method::Auto).await, 1.0);
    assert_eq!(get(long.clone(), Method::Auto).await, 2.0);
    assert_eq!(get(long, Method::Get).await, 1.0);
    assert_eq!(get(short, Method::Post).await, 2.0);
}

#[tokio::test]
async fn a_path_in_the_address_credentials_and_the_tenant_are_sent() {
    let server = MockServer::start().await;
    Mock::given(path("/prometheus/api/v1/query_range"))
        .and(header("authorization", "Bearer hush-hush"))
        .and(header("x-scope-orgid", "shop"))
        .and(header("x-other", "thing"))
        .and(query_param("start", "1970-01-01T00:00:00Z"))
        .and(query_param("end", "1970-01-01T00:01:00.5Z"))
        .and(query_param("step", "0.5"))
        .respond_with(ResponseTemplate::new(200).set_body_string(
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"2"]]}]}}"#,
        ))
        .mount(&server)
        .await;
    let client = Client::builder(format!("{}/prometheus/", server.uri()))
        .bearer("hush-hush")
        .tenant("shop")
        .header("X-Other", "thing")
        .build()
        .unwrap();
    let range = Range {
        start: "1970-01-01T00:00:00Z".parse().unwrap(),
        end: "1970-01-01T00:01:00.5Z".parse().unwrap(),
        step: "500ms".parse().unwrap(),
    };
    let answer = client.query_range("up", range).await.unwrap();
    let Value::Matrix(series) = answer.value else { panic!("not a matrix") };
    assert_eq!(series[0].points.iter().map(|point| point.value.get()).collect::<Vec<_>>(), [1.0, 2.0]);
}

#[tokio::test]
async fn a_secret_that_is_sent_back_is_not_passed_on() {
    for status in [200, 400, 500] {
        for body in [
            "you sent hush-hush-token",
            r#"{"status":"error","errorType":"bad_data","error":"you sent hush-hush-token"}"#,
        ] {
            let server = serve(ResponseTemplate::new(status).set_body_string(body)).await;
            let client = Client::builder(server.uri()).bearer("hush-hush-token").build().unwrap();
            let error = client.query("up", None).await.unwrap_err();
            let shown = format!("{error} {error:?} {client:?}");
            assert!(!shown.contains("hush"), "{shown}");
            assert!(shown.contains("you sent *****"), "{shown}");
        }
    }
}

async fn serve(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/api/v1/query")).respond_with(answer).mount(&server).await;
    server
}

async fn error_for(answer: ResponseTemplate) -> QueryError {
    let server = serve(answer).await;
    Client::new(server.uri()).expect("an address").query("up", None).await.expect_err("a bad answer")
}

/// A server that reads one request, writes a text, and then closes the connection or keeps silent.
async fn raw_server(answer: &'static str, stays: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        stream.write_all(answer.as_bytes()).await.expect("somebody listens");
        if stays {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    });
    address
}
