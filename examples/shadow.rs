//! A new model in the shadow of the old one: every request is answered by both, and only the old answer is seen.
//!
//! ```sh
//! cargo run --release --example shadow
//! cargo run --release --example shadow -- --model worse
//! ```

use std::error::Error;

use clap::{Parser, ValueEnum};
use serinus::{
    analysis::{Analysis, Comparison},
    metric::Number,
    rollout::Outcome,
    strategy::{Canary, Measure, Shadow},
    time::GoDuration,
    traffic::{Revision, Weight},
};
use serinus_tower::{Compare, Split};

use crate::stage::{Upstream, chance, service};

#[path = "side_by_side/stage.rs"]
mod stage;

/// A new model in the shadow of the old one, and then, if their predictions agree, with users of its own. Ten minutes
/// take ten seconds.
#[derive(Parser)]
struct Arguments {
    /// How good the new model is.
    #[arg(long, value_enum, default_value = "good")]
    model: Model,
}

#[derive(Clone, Copy, ValueEnum)]
enum Model {
    /// Another prediction for one request in a thousand.
    Good,
    /// Another prediction for one request in ten.
    Worse,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { model } = Arguments::parse();
    let differs = if matches!(model, Model::Good) { 1_000 } else { 10 };
    let (split, handle) = Split::builder()
        .revision("v1", predicts("v1", None))
        .revision("v2", predicts("v2", Some(differs)))
        .stable("v1")
        .mirror(256, |copy| drop(tokio::spawn(copy)))
        .compare(Compare::<String>::answers(1_024, |live, mirrored| {
            // How certain a model is may differ; what counts is the prediction.
            prediction(live.body()) == prediction(mirrored.body())
        }))
        .speed(SPEED)
        .build()?;
    // Only failures: how long answers take within one process says more about the machine than about the models.
    let failures = Analysis::of("failures", [Comparison::default().metric("failures")]).without_end();
    let canary = Canary::between_variants()
        .analyse_beside(failures)
        .ladder([20.0, 50.0].map(Weight::percent), GoDuration::from_mins(2));
    let plan = Shadow::between_variants(Weight::FULL, GoDuration::from_mins(4))
        .comparisons([Measure::new("failures", Comparison::default())])
        .agreement(Number::new(99.0))
        .then(canary)
        .plan()?;
    stage::visitors(&split);
    let outcome = stage::run(plan, handle.clone(), handle.clone(), SPEED).await?;
    let (v1, v2) = (Revision::from("v1"), Revision::from("v2"));
    let pairs = handle.pair_totals(&v1, &v2);
    println!(
        "\nOf {} pairs compared, {} agreed and {} differed; {} lacked an answer.",
        pairs.compared(),
        pairs.agreed,
        pairs.differed,
        pairs.missing
    );
    match outcome {
        Outcome::Promoted => println!("v2 is promoted."),
        Outcome::Aborted(reason) => println!("Taken back before any user saw v2: {reason}."),
        other => println!("{other:?}"),
    }
    Ok(())
}

/// A model that says how certain it is, and predicts something else for one visitor in `differs`.
fn predicts(revision: &'static str, differs: Option<u64>) -> Upstream {
    service(move |visitor| {
        let label = ["cat", "dog", "bird"][(chance(visitor, 4) % 3) as usize];
        let is_other = differs.is_some_and(|differs| chance(visitor, 5).is_multiple_of(differs));
        let label = if is_other { "fish" } else { label };
        format!("{label} {:.2} {revision}", 0.5 + (chance(visitor, 6) % 50) as f64 / 100.0)
    })
}

fn prediction(answer: &[u8]) -> Option<&[u8]> {
    answer.split(|byte| *byte == b' ').next()
}

/// Seconds of the rollout in a second.
const SPEED: f64 = 60.0;
