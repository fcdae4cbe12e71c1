//! Flags of a file: load it, ask it, watch it change, and see what happens when it is broken or gone.
//!
//! ```sh
//! cargo run --release --example flags
//! cargo run --release --example flags -- --file flags.json --flag search
//! ```

use std::{error::Error, fs, path::PathBuf, time::Duration};

use clap::Parser;
use serinus_flags::{Context, Event, Events, Feed, Flags, source::File};
use tokio::time::timeout;

/// Flags of a file: load it, ask it, watch it change. Without a file it makes one, and changes it itself.
#[derive(Parser)]
struct Arguments {
    /// The file to follow, until Ctrl-C.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The flag to ask for.
    #[arg(long, default_value = "search")]
    flag: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    match &arguments.file {
        Some(file) => watch(file.clone(), &arguments.flag).await,
        None => tour(&arguments.flag).await,
    }
}

/// What happens to a file, one after the other.
async fn tour(flag: &str) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("flags.json");
    fs::write(&file, document(flag, 30))?;

    let flags = Flags::default();
    let mut events = flags.events();
    let source = File::new(&file).interval(Duration::from_millis(50)).named("flags.json");
    let _following = Feed::of(source).grace(Duration::from_secs(60)).follow(&flags).await?;
    tell(&next(&mut events).await?);
    ask(&flags, flag);

    say("Half of the users get it.");
    replace(&file, &document(flag, 50))?;
    tell(&next(&mut events).await?);
    ask(&flags, flag);

    say("Somebody saves half a document.");
    replace(&file, document(flag, 100).get(..60).unwrap_or_default())?;
    tell(&next(&mut events).await?);
    ask(&flags, flag);

    say("Somebody deletes it.");
    fs::remove_file(&file)?;
    tell(&next(&mut events).await?);
    ask(&flags, flag);

    say("It is back, and for everybody.");
    replace(&file, &document(flag, 100))?;
    tell(&next(&mut events).await?);
    tell(&next(&mut events).await?);
    ask(&flags, flag);
    Ok(())
}

/// What happens to a file of somebody else.
async fn watch(file: PathBuf, flag: &str) -> Result<(), Box<dyn Error>> {
    let flags = Flags::default();
    let _following = Feed::of(File::new(file).interval(Duration::from_secs(1))).follow(&flags).await?;
    let mut events = flags.events();
    loop {
        let event = tokio::select! {
            event = events.next() => event?,
            ended = tokio::signal::ctrl_c() => return Ok(ended?),
        };
        tell(&event);
        for fault in flags.snapshot().document().faults() {
            println!("  {fault}");
        }
        ask(&flags, flag);
    }
}

/// For ten users; and why, for the first of them.
fn ask(flags: &Flags, flag: &str) {
    let users = (0..10).map(|number| Context::new(format!("user-{number}")));
    let answers: Vec<_> = users
        .map(|user| match flags.bool(flag, &user) {
            Ok(true) => "on",
            Ok(false) => "off",
            // The default of the program.
            Err(_) => "off (our default)",
        })
        .collect();
    println!("  user-0 to user-9: {}", answers.join(" "));
    let user = Context::new("user-0");
    let details = flags.bool_details(flag, &user);
    match details.error() {
        Some(error) => println!("  user-0: {error}"),
        None => {
            println!(
                "  user-0: variant {}, reason {}",
                details.variant().unwrap_or("none"),
                details.reason()
            );
        }
    }
}

fn tell(event: &Event) {
    println!("{}: {}", event.kind, event.message.as_deref().unwrap_or("nothing more is known"));
    for key in &event.flags_changed {
        println!("  changed: {key}");
    }
}

fn say(text: &str) {
    println!("\n{text}");
}

async fn next(events: &mut Events) -> Result<Event, Box<dyn Error>> {
    Ok(timeout(Duration::from_secs(30), events.next()).await??)
}

/// By renaming, so that nobody reads half of it; unless half is what there is.
fn replace(file: &PathBuf, text: &str) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, text)?;
    fs::rename(beside, file)
}

fn document(flag: &str, percent: u32) -> String {
    serde_json::json!({
        "flags": {
            flag: {
                "state": "ENABLED",
                "variants": {"on": true, "off": false},
                "defaultVariant": "off",
                "targeting": {"fractional": [["on", percent], ["off", 100 - percent]]},
            },
        },
        "metadata": {"serinus.fractional": "v3"},
    })
    .to_string()
}
