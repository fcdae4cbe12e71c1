//! Somebody who sends requests.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full};
use serde::{Deserialize, Serialize};
use serinus::{
    rollout::{PlanSpec, Step},
    traffic::{Match, Pattern},
};
use tokio::{task::JoinHandle, time::MissedTickBehavior};

use crate::{beat::Beat, server};

/// What is sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Mix {
    /// Requests per second.
    pub(crate) rate: u32,
    /// Headers that one request of five carries, so that a route that matches them has some.
    pub(crate) marked: Vec<(String, String)>,
    /// The path of the requests that carry them.
    pub(crate) marked_path: Option<String>,
    /// Whether one request of ten goes to the preview address.
    pub(crate) preview: bool,
}

impl Mix {
    /// Requests that exercise everything in a plan.
    pub(crate) fn for_plan(plan: &PlanSpec, rate: u32) -> Self {
        let mut mix = Self { rate, preview: plan.preview, ..Self::default() };
        let first = plan.steps.iter().find_map(|step| match step {
            Step::Match(matches) => matches.first(),
            _ => None,
        });
        if let Some(Match { headers, cookies, path }) = first {
            mix.marked.extend(headers.iter().map(|header| (header.name.clone(), sample(&header.value))));
            mix.marked.extend(
                cookies.iter().map(|cookie| {
                    ("cookie".to_owned(), format!("{}={}", cookie.name, sample(&cookie.value)))
                }),
            );
            mix.marked_path = path.as_ref().map(sample);
        }
        mix
    }
}

/// The time of a sender that waits where it cannot send, and where answers do not come.
pub(crate) fn beat() -> Beat {
    Beat::of_traffic(TICK * 2)
}

/// Somebody who sends requests, until this value is dropped.
#[derive(Debug)]
pub(crate) struct Sender(JoinHandle<()>);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends requests to `front`, at a constant rate of this time. Where it can wait, it does so while more requests are
/// under way than is explained by `slowest`, how long a service takes to answer at most, beside what is usual. Where it
/// cannot, or where that would be more than [`MOST_UNDER_WAY`], requests beyond these are left out.
pub(crate) fn start(front: SocketAddr, mix: Mix, beat: Beat, slowest: Duration) -> Sender {
    let client = server::client();
    let explained = (f64::from(mix.rate) * (slowest + USUAL).as_secs_f64()).ceil() + 1.0;
    let most = explained.min(f64::from(MOST_UNDER_WAY)) as u32;
    let waits = beat.waits() && most < MOST_UNDER_WAY;
    let under_way = Arc::new(AtomicU32::new(0));
    Sender(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut owed, mut number) = (0.0, 0_u64);
        loop {
            ticks.tick().await;
            while waits && under_way.load(Ordering::Relaxed) >= most {
                tokio::time::sleep(MOMENT).await;
            }
            owed += f64::from(mix.rate) * beat.tick().unwrap_or(TICK).as_secs_f64();
            while owed >= 1.0 {
                owed -= 1.0;
                number += 1;
                if under_way.load(Ordering::Relaxed) >= MOST_UNDER_WAY {
                    continue;
                }
                let Some(request) = request(front, &mix, number) else { continue };
                under_way.fetch_add(1, Ordering::Relaxed);
                let (client, under_way) = (client.clone(), Arc::clone(&under_way));
                tokio::spawn(async move {
                    if let Ok(response) = client.request(request).await {
                        // Read to its end, so that the connection can be used again.
                        let _ = response.into_body().collect().await;
                    }
                    under_way.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }
    }))
}

fn request(front: SocketAddr, mix: &Mix, number: u64) -> Option<Request<Full<Bytes>>> {
    let is_marked =
        number.is_multiple_of(ONE_MARKED_OF) && !(mix.marked.is_empty() && mix.marked_path.is_none());
    let path = mix.marked_path.as_deref().filter(|_| is_marked).unwrap_or("/");
    let mut request = Request::get(format!("http://{front}{path}")).body(Full::default()).ok()?;
    let headers = request.headers_mut();
    if is_marked {
        for (name, value) in &mix.marked {
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        }
    }
    if mix.preview && number % ONE_PREVIEWED_OF == 1 {
        headers.insert(header::HOST, HeaderValue::from_static(PREVIEW_HOST));
    }
    Some(request)
}

/// A text that fits a pattern; of a regular expression, the letters that it is made of.
fn sample(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(text) | Pattern::Prefix(text) => text.clone(),
        Pattern::Regex(regex) => {
            let mut text = regex.replace("(.*?;)?", "").replace("(;.*)?", "").replace(".*", "");
            text.retain(|letter| !"^$()\\?".contains(letter));
            text
        }
        _ => String::new(),
    }
}

/// The host by which requests reach the preview address.
pub(crate) const PREVIEW_HOST: &str = "preview";
/// The share of the requests that carry the headers a route matches.
pub(crate) const MARKED: f64 = 1.0 / ONE_MARKED_OF as f64;
/// The share of the requests that go to the preview address.
pub(crate) const PREVIEWED: f64 = 1.0 / ONE_PREVIEWED_OF as f64;
const ONE_MARKED_OF: u64 = 5;
const ONE_PREVIEWED_OF: u64 = 10;
const TICK: Duration = Duration::from_millis(20);
/// How long a request may be under way where nothing is wrong with a service.
const USUAL: Duration = Duration::from_millis(50);
const MOMENT: Duration = Duration::from_millis(1);
const MOST_UNDER_WAY: u32 = 512;
