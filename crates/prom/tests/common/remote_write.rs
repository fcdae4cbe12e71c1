//! Series for a Prometheus, pushed by its remote-write protocol.

use serinus_core::time::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Writes series into the Prometheus on a port of this machine.
pub(crate) async fn push(port: u16, series: &[Counted]) {
    let mut message = Vec::new();
    for counted in series {
        field(&mut message, 1, &counted.encoded());
    }
    let body = snappy(&message);
    let head = format!(
        "POST /api/v1/write HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Length: {}\r\nContent-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n\
         X-Prometheus-Remote-Write-Version: 0.1.0\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("somebody listens");
    stream.write_all(&body).await.expect("somebody listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}

/// A counter that grew steadily for the last minute, with a sample every second.
pub(crate) struct Counted {
    labels: Vec<(&'static str, &'static str)>,
    samples: Vec<(Timestamp, f64)>,
}

impl Counted {
    pub(crate) fn new(labels: &[(&'static str, &'static str)], rate: f64, until: Timestamp) -> Self {
        // Far from zero, where the extrapolation of `rate` would stop.
        let sample = |second: i64| {
            let at =
                Timestamp::from_millisecond(until.as_millisecond() - (60 - second) * 1000).expect("a time");
            (at, 1e6 + rate * second as f64)
        };
        Self::sampled(labels, (0..=60).map(sample).collect())
    }

    /// A counter with these samples.
    pub(crate) fn sampled(labels: &[(&'static str, &'static str)], samples: Vec<(Timestamp, f64)>) -> Self {
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        Self { labels, samples }
    }

    /// A `TimeSeries`: labels (1) of name (1) and value (2), samples (2) of value (1) and milliseconds (2).
    fn encoded(&self) -> Vec<u8> {
        let mut series = Vec::new();
        for (name, value) in &self.labels {
            let mut label = Vec::new();
            field(&mut label, 1, name.as_bytes());
            field(&mut label, 2, value.as_bytes());
            field(&mut series, 1, &label);
        }
        for (at, value) in &self.samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend(value.to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, u64::try_from(at.as_millisecond()).expect("after 1970"));
            field(&mut series, 2, &sample);
        }
        series
    }
}

fn field(message: &mut Vec<u8>, number: u8, content: &[u8]) {
    message.push(number << 3 | 2);
    varint(message, content.len() as u64);
    message.extend_from_slice(content);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

/// Snappy's block format with nothing compressed.
fn snappy(raw: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    varint(&mut block, raw.len() as u64);
    for piece in raw.chunks(60_000) {
        block.push(0xF4);
        let length = u16::try_from(piece.len() - 1).expect("at most 60 000");
        block.extend(length.to_le_bytes());
        block.extend_from_slice(piece);
    }
    block
}
