//! What can be asked of the program.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Parser;
use serinus::{time::GoDuration, traffic::Weight};

/// Rolls a new version of a small HTTP service out, and back if it is faulty, on this machine.
///
/// Two versions of a service are started on loopback, a data plane before them, and somebody who sends requests.
/// Then a manifest is run, faster than real time: first with a healthy candidate, then with a faulty one. Without any
/// argument, two more runs show a candidate that is too good for a threshold and yet worse than stable: a Canary of
/// Flagger promotes it, a plan that compares the two takes it back.
///
/// While it runs, these words and Enter are commands: promote, full (promote, leaving out all steps), pause, resume,
/// skip, abort. Ctrl-C aborts: traffic goes back to stable, then the program ends.
///
/// Exit status: 0 if each run ended as it is to; with one run only, 0 if it was promoted and 1 if it was rolled back; 2
/// if there was nothing to run; 130 after Ctrl-C. With --replay: 0 if every decision was the same. With --what-if: 0 if
/// the other plan would have promoted every candidate, 1 if not.
#[derive(Clone, Debug, Parser)]
#[command(name = "rollout", verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// A manifest of Argo Rollouts, Flagger or Serinus; again for each file with templates. Without it: a Canary of Flagger.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Vec<PathBuf>,
    /// Which rollout, if the manifests hold several.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// One run, with this fault in the candidate: `error-rate=5%` or `latency=300ms`.
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Option<Fault>,
    /// One run, with a healthy candidate.
    #[arg(long, conflicts_with = "fault")]
    pub(crate) healthy: bool,
    /// What is always wrong with stable, such as `error-rate=1%`; a healthy candidate has nothing wrong with it.
    #[arg(long, value_name = "FAULT")]
    pub(crate) stable_fault: Option<Fault>,
    /// How much faster than real time. 30 by default, 15 with Prometheus; less if windows would hold too few requests.
    /// Where the data plane itself is asked, time stands still while the machine is too busy to send the requests.
    #[arg(long, value_name = "N", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// Requests per second.
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_REQUESTS)))]
    pub(crate) requests: u32,
    /// Judge by a Prometheus: its address, or `auto` to start the `prometheus` on the PATH.
    #[arg(long, value_name = "URL|auto")]
    pub(crate) prometheus: Option<String>,
    /// Let an Envoy carry the traffic: `auto` starts the one that SERINUS_ENVOY names, or the one on the PATH.
    /// Prometheus then scrapes Envoy; `--prometheus auto` is implied.
    #[arg(long, value_name = "auto", value_parser = ["auto"])]
    pub(crate) envoy: Option<String>,
    /// Keep the state in this file: a process that was killed goes on where it was.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Write everything that is heard and decided to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Decide what such a file holds again, without any network, and compare.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifest", "record", "state", "envoy", "prometheus"])]
    pub(crate) replay: Option<PathBuf>,
    /// With --replay: run what was measured then through this manifest instead, and tell what it would have done. Again
    /// for each file with templates.
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub(crate) what_if: Vec<PathBuf>,
    /// The port at which a Prometheus that runs already can scrape the data plane; 0: any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) metrics_port: u16,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Promote by itself whenever the rollout has waited for a person this long, in the rollout's time.
    #[arg(long, value_name = "DURATION", value_parser = length)]
    pub(crate) promote_after: Option<GoDuration>,
    /// Be the surroundings of a rollout in another process, and keep their addresses in this folder.
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub(crate) stage: Option<PathBuf>,
}

impl Arguments {
    /// How much faster than real time.
    pub(crate) fn speed(&self) -> f64 {
        self.speed.unwrap_or(if self.uses_prometheus() { SPEED_WITH_PROMETHEUS } else { SPEED })
    }

    /// Whether a Prometheus answers.
    pub(crate) const fn uses_prometheus(&self) -> bool {
        self.prometheus.is_some() || self.envoy.is_some()
    }

    /// Whether nothing in particular was asked for, so that the whole of the demonstration is shown.
    pub(crate) fn shows_all(&self) -> bool {
        self.manifest.is_empty()
            && self.fault.is_none()
            && self.stable_fault.is_none()
            && !self.healthy
            && self.state.is_none()
            && !self.uses_prometheus()
    }

    /// The same for runs whose candidate is a little worse than stable, which takes many requests to see.
    pub(crate) fn for_comparing(&self) -> Self {
        Self {
            stable_fault: Some(Fault::ErrorRate(Weight::percent(1.0))),
            fault: Some(Fault::ErrorRate(Weight::percent(1.5))),
            requests: self.requests.max(REQUESTS_FOR_COMPARING),
            // What a window holds, and when the plan gives up, is in its own time.
            speed: Some(self.speed().min(SPEED_FOR_COMPARING)),
            ..self.clone()
        }
    }

    /// The runs that are asked for, each with the candidate's fault.
    pub(crate) fn runs(&self) -> Vec<Option<Fault>> {
        match self.fault {
            Some(fault) => vec![Some(fault)],
            // A state belongs to one rollout.
            None if self.healthy || self.state.is_some() => vec![None],
            None => vec![None, Some(Fault::ErrorRate(Weight::percent(5.0)))],
        }
    }
}

/// What is wrong with the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This share of the requests is answered with 503.
    ErrorRate(Weight),
    /// Every request takes this much longer.
    Latency(Duration),
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("error-rate", share)) => share
                .parse()
                .map(Self::ErrorRate)
                .map_err(|error: serinus::traffic::WeightError| error.to_string()),
            Some(("latency", text)) => length(text).map(|length| Self::Latency(length.to_std())),
            _ => Err("expected `error-rate=5%` or `latency=300ms`".to_owned()),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ErrorRate(share) => write!(f, "error-rate={share}"),
            Self::Latency(length) => write!(f, "latency={}", GoDuration::from(*length)),
        }
    }
}

/// A length of time that can pass: Go has negative ones, too.
fn length(text: &str) -> Result<GoDuration, String> {
    match text.parse::<GoDuration>() {
        Ok(length) if length.is_negative() => Err(format!("`{text}` is negative: expected 0s or more")),
        length => length.map_err(|error| error.to_string()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (SLOWEST..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number from 0.1 to 10000".to_owned()),
    }
}

/// The most requests per second.
pub(crate) const MOST_REQUESTS: u32 = 5000;
/// The smallest speed.
pub(crate) const SLOWEST: f64 = 0.1;
const SPEED: f64 = 30.0;
/// So that half a minute holds enough of them. A build without optimisation serves fewer.
const REQUESTS_FOR_COMPARING: u32 = if cfg!(debug_assertions) { 1000 } else { 3000 };
/// So that the hour after which a comparison gives up is long enough for them.
const SPEED_FOR_COMPARING: f64 = if cfg!(debug_assertions) { 10.0 } else { 30.0 };
const SPEED_WITH_PROMETHEUS: f64 = 15.0;
