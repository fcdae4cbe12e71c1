//! Latencies: the share of requests above each of a few edges.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{Comparison, ComparisonError, Findings, findings::Doubt, standing::Standing};
use crate::{
    metric::{ArmCounts, Arms, Number},
    stats::{
        evidence::{EProcess as _, EvidenceError},
        exceedance::{BucketWindow, ExceedanceHistogram},
        grid::{Arm, RateRatio, RatioGrid, Window},
    },
};

/// Evidence about latencies: first the edges are chosen from windows that count for nothing else, then the shares of
/// requests above them are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Latency {
    harm: RatioGrid,
    safety: RatioGrid,
    /// What stable did while edges are chosen: edges and cumulative counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "rising")]
    warm_up: Vec<(Number, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<Chosen>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, try_from = "Stored")]
struct Chosen {
    harm: ExceedanceHistogram,
    /// Over those edges that enough requests exceed for a pass to be possible.
    safety: ExceedanceHistogram,
    /// Of the last edge of `safety`; as `harm`, over all runs.
    ratio: RateRatio,
}

impl Latency {
    pub(super) const fn new(harm: RatioGrid, safety: RatioGrid) -> Self {
        Self { harm, safety, warm_up: Vec::new(), chosen: None }
    }

    pub(super) fn forget_safety(&mut self) {
        if let Some(chosen) = &mut self.chosen {
            let edges: Vec<f64> = chosen.safety.edges().collect();
            // The edges were good for one before.
            if let Ok(fresh) = ExceedanceHistogram::new(self.safety.clone(), &edges) {
                chosen.safety = fresh;
            }
        }
    }

    pub(super) fn harm(&self) -> f64 {
        self.chosen.as_ref().map_or(0.0, |chosen| chosen.harm.peak())
    }

    /// The least evidence among the edges: safe is only what is safe at each of them, in one of two ways.
    pub(super) fn safety(&self) -> f64 {
        self.standings().map(|edge| edge.log_safety.max(edge.log_rare())).reduce(f64::min).unwrap_or(0.0)
    }

    /// The edges that a pass depends on.
    pub(super) fn standings(&self) -> impl Iterator<Item = Standing> {
        self.by_edge().map(|(_, standing)| standing)
    }

    /// The first edge that is safe only because so few of the candidate's requests are above it.
    pub(super) fn rarely_above(&self, needed: f64) -> Option<f64> {
        self.by_edge()
            .find(|(_, edge)| edge.log_safety < needed && edge.log_rare() >= needed)
            .map(|(at, _)| at)
    }

    fn by_edge(&self) -> impl Iterator<Item = (f64, Standing)> {
        let edges = self.chosen.iter().flat_map(|chosen| chosen.safety.by_edge());
        edges.map(|(at, stable, candidate, log_safety)| {
            (at, Standing { stable, candidate, log_safety, rare: Comparison::RARELY_SLOW })
        })
    }

    /// The least evidence of the comparison alone.
    fn compared(&self) -> f64 {
        self.standings().map(|edge| edge.log_safety).reduce(f64::min).unwrap_or(0.0)
    }

    /// The candidate's requests in this run, since edges were chosen.
    pub(super) fn requests(&self) -> u64 {
        let edge = self.chosen.as_ref().and_then(|chosen| chosen.safety.by_edge().last());
        edge.map_or(0, |(_, _, candidate, _)| candidate.exposure)
    }

    /// About the edge where latency has moved most, if it speaks against the candidate; else the last one a pass
    /// depends on.
    pub(super) fn findings(&self, doubt: Option<Doubt>) -> Option<Findings> {
        let Chosen { harm, safety, ratio } = self.chosen.as_ref()?;
        let last = safety.edges().last()?;
        let logs = (self.harm(), self.compared());
        // Those of all runs, as the ratio is.
        let at = |edge: f64| harm.by_edge().find(|(at, ..)| *at == edge);
        if let Some(moved) = harm.strongest_edge().filter(|moved| *moved != last && self.harm() > 0.0)
            && let Some((edge, control, candidate, log_e)) = at(moved)
            && log_e > 0.0
        {
            let rate = |arm: Arm| arm.failures as f64 / arm.exposure as f64;
            let estimate = Some(rate(candidate) / rate(control)).filter(|ratio| !ratio.is_nan());
            let interval = doubt
                .and_then(|Doubt { alpha, dispersion }| harm.ratio_interval(moved, alpha, dispersion).ok());
            return Some(Findings {
                ratio: estimate,
                interval: interval.map_or((0.0, f64::INFINITY), |it| (it.lower, it.upper)),
                ..Findings::of(control, candidate, Some(edge), logs, ratio, None)
            });
        }
        let (edge, control, candidate, _) = at(last)?;
        Some(Findings::of(control, candidate, Some(edge), logs, ratio, doubt))
    }

    /// Both groups by the lowest edge, which the most requests exceed and whose counts scatter most; none before there are
    /// edges.
    pub(super) fn alike(
        &self,
        stable: &ArmCounts,
        control: &ArmCounts,
    ) -> Result<Option<[Arm; 2]>, ComparisonError> {
        let Some(edge) = self.chosen.as_ref().and_then(|chosen| chosen.harm.edges().next()) else {
            return Ok(None);
        };
        if stable.latency.is_empty() || control.latency.is_empty() {
            return Ok(None);
        }
        let arm = |name, counts: &ArmCounts| {
            let buckets = buckets(name, counts, &[edge])?;
            let above = buckets.last().copied().unwrap_or(0);
            Ok::<_, ComparisonError>(Arm::new(buckets.iter().sum(), above))
        };
        Ok(Some([arm("stable", stable)?, arm("control", control)?]))
    }

    pub(super) fn observe(&mut self, id: u64, arms: &Arms) -> Result<(), ComparisonError> {
        for (arm, counts) in [("stable", &arms.stable), ("candidate", &arms.candidate)] {
            if counts.latency.is_empty() && counts.requests > 0 {
                return Err(ComparisonError::NoLatencies { arm });
            }
        }
        if arms.stable.latency.is_empty() || arms.candidate.latency.is_empty() {
            return Ok(());
        }
        let Some(chosen) = &mut self.chosen else { return self.choose(arms) };
        let Chosen { harm, safety, ratio } = chosen;
        let edges: Vec<f64> = harm.edges().collect();
        let control = buckets("stable", &arms.stable, &edges)?;
        let candidate = buckets("candidate", &arms.candidate, &edges)?;
        let harm = harm.observe(&BucketWindow { id, control: &control, candidate: &candidate });
        let edges: Vec<f64> = safety.edges().collect();
        let control = buckets("stable", &arms.stable, &edges)?;
        let candidate = buckets("candidate", &arms.candidate, &edges)?;
        let observed = safety.observe(&BucketWindow { id, control: &control, candidate: &candidate });
        let arm = |buckets: &[u64]| {
            let all = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(*bucket));
            Arm::new(all, buckets.last().copied().unwrap_or(0))
        };
        let ratio = ratio.observe(&Window { id, control: arm(&control), candidate: arm(&candidate) });
        let _ = harm.and(observed).and(ratio)?;
        Ok(())
    }

    /// Collects what stable does until there is enough to choose edges by: those above stable's median.
    fn choose(&mut self, arms: &Arms) -> Result<(), ComparisonError> {
        let in_both = |edge: &Number| arms.candidate.latency.iter().any(|(candidate, _)| candidate == edge);
        let common: Vec<_> = arms.stable.latency.iter().copied().filter(|(edge, _)| in_both(edge)).collect();
        if common.len() < 2 {
            return Err(ComparisonError::NoCommonBuckets);
        }
        let same = self.warm_up.len() == common.len()
            && self.warm_up.iter().zip(&common).all(|(before, now)| before.0 == now.0);
        if same {
            for (before, now) in self.warm_up.iter_mut().zip(&common) {
                before.1 = before.1.saturating_add(now.1);
            }
        } else {
            self.warm_up = common;
        }
        let Some((_, all)) = self.warm_up.last().copied() else { return Ok(()) };
        if all < TO_CHOOSE_BY {
            return Ok(());
        }
        let above = |count: u64| (all.saturating_sub(count)) as f64 / all as f64;
        let finite = &self.warm_up[..self.warm_up.len() - 1];
        let mut edges: Vec<(f64, f64)> = finite
            .iter()
            .map(|(edge, count)| (edge.get(), above(*count)))
            .filter(|(_, above)| *above <= 0.5)
            .collect();
        if edges.is_empty() {
            edges.extend(finite.last().map(|(edge, count)| (edge.get(), above(*count))));
        }
        edges.truncate(MOST_EDGES);
        let often: Vec<f64> = edges
            .iter()
            .filter(|(_, above)| *above >= Comparison::RARELY_SLOW)
            .map(|(edge, _)| *edge)
            .collect();
        let edges: Vec<f64> = edges.iter().map(|(edge, _)| *edge).collect();
        let often = if often.is_empty() { edges[..1].to_vec() } else { often };
        self.chosen = Some(Chosen {
            harm: ExceedanceHistogram::new(self.harm.clone(), &edges)?,
            safety: ExceedanceHistogram::new(self.safety.clone(), &often)?,
            ratio: RateRatio::new(),
        });
        self.warm_up = Vec::new();
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    harm: ExceedanceHistogram,
    safety: ExceedanceHistogram,
    ratio: RateRatio,
}

impl TryFrom<Stored> for Chosen {
    type Error = EvidenceError;

    fn try_from(Stored { harm, safety, ratio }: Stored) -> Result<Self, EvidenceError> {
        if !safety.edges().all(|edge| harm.edges().any(|known| known == edge)) {
            return Err(EvidenceError::Damaged { what: "a pass depends on an edge that is none" });
        }
        Ok(Self { harm, safety, ratio })
    }
}

fn rising<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Number, u64)>, D::Error> {
    let read: Vec<(Number, u64)> = Deserialize::deserialize(deserializer)?;
    let rises = read.windows(2).all(|pair| pair[0].0.get() < pair[1].0.get() && pair[0].1 <= pair[1].1);
    let damaged = EvidenceError::Damaged { what: "the edges it is to choose from do not rise" };
    if rises { Ok(read) } else { Err(D::Error::custom(damaged)) }
}

/// How many requests lie between the edges: one number for each edge, and one for what is above the last.
fn buckets(arm: &'static str, counts: &ArmCounts, edges: &[f64]) -> Result<Vec<u64>, ComparisonError> {
    let mut before = 0;
    let mut buckets = Vec::with_capacity(edges.len() + 1);
    for edge in edges.iter().copied().chain([f64::INFINITY]) {
        let found = counts.latency.iter().find(|(at, _)| at.get() == edge);
        let (_, count) = found.ok_or(ComparisonError::BucketsChanged { arm, edge })?;
        buckets.push(count.saturating_sub(before));
        before = *count;
    }
    Ok(buckets)
}

/// Of stable, before edges are chosen.
const TO_CHOOSE_BY: u64 = 100;
const MOST_EDGES: usize = 12;
