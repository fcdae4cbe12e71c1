//! A flag that rolls itself out, in an axum service with two code paths behind it.
//!
//! The first try of the express checkout fails too often: it is taken back, and a sync of the same document does not
//! bring it back. The mended one goes out to everybody.
//!
//! ```sh
//! cargo run --release --example guarded_flag
//! ```

use std::{
    error::Error,
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serinus::{
    port::Clock,
    rollout::{self, Note, Rule},
    strategy::Canary,
    time::{GoDuration, Timestamp},
    traffic::Weight,
};
use serinus_flags::{ArmTotals, Balance, Context, Deciding, Finding, Flags, Format, Guard, Health, Outcome};
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

use crate::clock::ScaledClock;

#[expect(dead_code, reason = "shared by several examples")]
#[path = "rollout/clock.rs"]
mod clock;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::default();
    flags.update(document("first try").as_bytes(), Format::Json)?;
    let clock: Arc<dyn Clock> = Arc::new(ScaledClock::starting_at(Timestamp::UNIX_EPOCH, SPEED));
    let plan = Canary::between_variants()
        .ladder([5.0, 20.0, 50.0].map(Weight::percent), GoDuration::from_mins(4))
        .plan()?;
    let guard = flags
        .guard("checkout")
        .candidate("express")
        .plan(plan)
        .deciding(Deciding::here())
        .on_note(tell)
        .build()?;
    let address = serve(Shop { flags: flags.clone(), guard: guard.clone() }).await?;
    visitors(&format!("http://{address}/checkout"));
    println!(
        "A shop at http://{address}: /checkout/NAME and /metrics. Each second is {SPEED} s of the rollout.\n"
    );
    let live = show(guard.clone());

    println!("The express checkout, first try:");
    let first = guard.finish(Arc::clone(&clock)).await?;
    relied_on(&guard);
    flags.update(document("first try").as_bytes(), Format::Json)?;
    let again = guard.finish(Arc::clone(&clock)).await?;
    line(&format!("The same document, loaded again: {}.", share(&guard)));

    line("\nThe express checkout, mended:");
    flags.update(document("mended").as_bytes(), Format::Json)?;
    let mended = guard.finish(clock).await?;
    live.abort();
    relied_on(&guard);
    line("");
    for metric in flags.metrics().lines().filter(|line| line.starts_with("feature_flag_outcomes_total")) {
        println!("{metric}");
    }
    let is_as_told = first == again
        && matches!(first, rollout::Outcome::Aborted(_))
        && mended == rollout::Outcome::Promoted;
    println!(
        "\nFirst try: {}. Mended: {}.",
        if matches!(first, rollout::Outcome::Aborted(_)) { "taken back" } else { "out" },
        if mended == rollout::Outcome::Promoted { "everybody has it" } else { "taken back" }
    );
    if is_as_told { Ok(()) } else { Err("it went otherwise than it should".into()) }
}

/// Everybody gets the classic checkout, and employees the express one.
fn document(express: &str) -> String {
    format!(
        r#"{{"flags": {{"checkout": {{
            "state": "ENABLED",
            "variants": {{"classic": "classic", "express": "{express}"}},
            "defaultVariant": "classic",
            "targeting": {{"if": [{{"==": [{{"var": "role"}}, "employee"]}}, "express", null]}}
        }}}}}}"#
    )
}

#[derive(Clone)]
struct Shop {
    flags: Flags,
    guard: Guard,
}

async fn serve(shop: Shop) -> Result<std::net::SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/checkout/{visitor}", get(checkout))
        .route("/metrics", get(async |State(shop): State<Shop>| shop.flags.metrics()))
        .with_state(shop);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Two code paths behind a flag. Those who record what came of it need not know which cohort a visitor is in.
async fn checkout(State(shop): State<Shop>, Path(visitor): Path<String>) -> StatusCode {
    let (context, began) = (Context::new(visitor), Instant::now());
    // The value is let go before anything is awaited: it keeps the snapshot that it is from.
    let failures = match shop.flags.string("checkout", &context).as_deref() {
        Ok("first try") => 120,
        Ok("mended") => 25,
        _ => 30,
    };
    let done = pay(failures).await;
    let (status, outcome) = match done {
        Ok(()) => (StatusCode::OK, Outcome::Success),
        Err(()) => (StatusCode::BAD_GATEWAY, Outcome::Error),
    };
    shop.guard.record(&context, outcome.after(began.elapsed()));
    status
}

/// Thinks for two to four milliseconds, and fails so many times in a thousand.
async fn pay(failures: u64) -> Result<(), ()> {
    let drawn = next_chance();
    sleep(Duration::from_micros(2_000 + drawn % 2_000)).await;
    if (drawn >> 32) % 1_000 < failures { Err(()) } else { Ok(()) }
}

/// Visitors who come without a pause, thirty thousand of them again and again.
fn visitors(url: &str) {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    for _ in 0..VISITORS_AT_ONCE {
        let (client, url) = (client.clone(), url.to_owned());
        tokio::spawn(async move {
            loop {
                let Ok(url) = format!("{url}/visitor-{}", next_chance() % 30_000).parse() else { return };
                if let Ok(answer) = client.get(url).await {
                    // Whatever a visitor gets, the next one comes.
                    drop(answer.into_body().collect().await);
                }
            }
        });
    }
}

fn next_chance() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut mixed = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// One line for what was decided.
fn tell(at: Timestamp, note: &Note) {
    if TOLD.contains(&note.rule) {
        let passed = GoDuration::between(Timestamp::UNIX_EPOCH, at).as_secs_f64() / 60.0;
        line(&format!("{passed:>6.1} min  {note}"));
    }
}

/// Whether the verdict can be relied on: what has to hold before anybody is promoted, and the numbers.
fn relied_on(guard: &Guard) {
    let Health { exposed, heard, crossed, silent_candidate, silent_control, findings, .. } = &guard.health();
    let is = |finding| if findings.contains(&finding) { "VIOLATED" } else { "holds" };
    let p = |balance: &Balance| format!("{balance}, p {:.2}", balance.p_value());
    line("Preconditions:");
    line(&format!("    {:<8} as many are shown either one: {}", is(Finding::SampleRatio), p(exposed)));
    line(&format!("    {:<8} of as many is told what came of it: {}", is(Finding::LostOutcomes), p(heard)));
    line(&format!("    {:<8} hardly anybody sees both: {crossed} do", is(Finding::MultipleExposure)));
    line(&format!(
        "    {:<8} no silence: nothing is known of {silent_candidate} and {silent_control}",
        is(Finding::Silent)
    ));
}

/// A line above the one that changes.
fn line(text: &str) {
    println!("{}{text}", if io::stdout().is_terminal() { "\r\x1b[K" } else { "" });
}

/// In a terminal, a line that changes: the share of the candidate, and how often both checkouts fail.
fn show(guard: Guard) -> JoinHandle<()> {
    tokio::spawn(async move {
        while io::stdout().is_terminal() {
            draw(&guard);
            sleep(Duration::from_millis(100)).await;
        }
    })
}

fn draw(guard: &Guard) {
    let totals = guard.totals();
    let filled = (guard.trial().candidate().as_percent() / 5.0) as usize;
    let mut out = io::stdout().lock();
    // A terminal that is gone has nobody who looks.
    let _ = write!(
        out,
        "\r\x1b[K            [{:<20}] {:<18} fails: express {}, classic {}",
        "#".repeat(filled),
        share(guard),
        rate(&totals.candidate),
        rate(&totals.control)
    );
    let _ = out.flush();
}

fn share(guard: &Guard) -> String {
    match guard.outcome() {
        Some(rollout::Outcome::Promoted) => "everybody gets it".to_owned(),
        Some(_) => "nobody gets it".to_owned(),
        None => format!("{} get it", guard.trial().candidate()),
    }
}

fn rate(arm: &ArmTotals) -> String {
    let all = arm.errors + arm.successes;
    if all == 0 { "–".to_owned() } else { format!("{:.1}%", 100.0 * arm.errors as f64 / all as f64) }
}

/// Seconds of the rollout in a second.
const SPEED: f64 = 120.0;
const VISITORS_AT_ONCE: usize = 24;
const TOLD: [Rule; 8] = [
    Rule::AttemptStarted,
    Rule::StepStarted,
    Rule::AnalysisEnded,
    Rule::Paused,
    Rule::AbortStarted,
    Rule::Aborted,
    Rule::Promoted,
    Rule::Resumed,
];
