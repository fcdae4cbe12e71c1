//! Who answers the questions of a rollout here.

use std::sync::Arc;

use async_trait::async_trait;
use serinus::{
    metric::{Question, Sample, Window},
    port::{MetricProvider, PortError, PortErrorKind},
};
use serinus_prom::{Client, PrometheusProvider};

use crate::{
    clock::ScaledClock,
    problem::{Because as _, Problem},
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
