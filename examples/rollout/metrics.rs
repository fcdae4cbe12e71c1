//! Who answers the questions of a rollout here.

use std::sync::Arc;

use async_trait::async_trait;
use serinus::{
    analysis::kayenta::{CanaryAnalysis, KayentaProvider},
    metric::{Question, Sample, Window},
    port::{MetricProvider, PortError, PortErrorKind},
    time::{GoDuration, Timestamp},
};
use serinus_prom::{Client, PrometheusProvider};

use crate::{
    clock::ScaledClock,
    problem::{Because as _, Problem},
    promql,
    stage::{Plane, Stage},
};

/// A Prometheus, or the data plane itself.
#[derive(Debug)]
pub(crate) struct LocalMetrics {
    plane: Plane,
    prometheus: Option<PrometheusProvider>,
    clock: Arc<ScaledClock>,
}

impl LocalMetrics {
    pub(crate) fn new(stage: &Stage, clock: Arc<ScaledClock>) -> Result<Self, Problem> {
        let client = |address: &String| Client::new(address).because("cannot ask Prometheus");
        let prometheus = stage.prometheus.as_ref().map(client).transpose()?.map(PrometheusProvider::new);
        Ok(Self { plane: stage.plane.clone(), prometheus, clock })
    }
}

#[async_trait]
impl MetricProvider for LocalMetrics {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        if question.query.provider == CanaryAnalysis::PROVIDER {
            return KayentaProvider::new(ScopesOf(self)).ask(question).await;
        }
        match (&self.prometheus, &self.plane) {
            (Some(prometheus), _) => {
                // Prometheus knows the moment by its real time.
                let at = self.clock.real(question.at);
                let real = |window: Window| Window {
                    from: self.clock.real(window.from),
                    to: self.clock.real(window.to),
                };
                let window = question.window.map(real);
                prometheus.ask(&Question { at, window, ..question.clone() }).await
            }
            (None, Plane::Embedded(handle)) => handle.ask(question).await,
            (None, Plane::Envoy(_)) => {
                Err(PortError::new(PortErrorKind::NotFound, "Envoy is asked through a Prometheus: add one"))
            }
        }
    }
}

/// Both scopes of a canary analysis, whose range and windows are those of the rollout's time.
#[derive(Debug)]
struct ScopesOf<'a>(&'a LocalMetrics);

#[async_trait]
impl MetricProvider for ScopesOf<'_> {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        let LocalMetrics { clock, .. } = self.0;
        let mut question = question.clone();
        let query = Arc::make_mut(&mut question.query);
        query.text = promql::with_scaled_windows(&query.text, clock.speed());
        for key in ["range.start", "range.end"] {
            if let Some(Ok(moment)) = query.settings.get(key).map(|moment| moment.parse::<Timestamp>()) {
                query.settings.insert(key.to_owned(), clock.real(moment).to_string());
            }
        }
        if let Some(Ok(step)) = query.settings.get("range.step").map(|step| step.parse::<GoDuration>()) {
            let real =
                GoDuration::from_millis((step.as_nanos() as f64 / clock.speed() / 1e6).max(1.0) as u64);
            query.settings.insert("range.step".to_owned(), real.to_string());
        }
        self.0.ask(&question).await
    }
}
