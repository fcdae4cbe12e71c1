//! Requests, drawn slice by slice.

use super::{
    draw::{Purpose, Stream},
    world::World,
};
use crate::{
    metric::{ArmCounts, Arms, Number},
    stats::special::normal_cdf,
};

/// Where the requests of users go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Split {
    /// Share of the users' requests that the candidate answers.
    pub(super) candidate: f64,
    /// Share of stable's requests that is copied to the candidate; no user sees the answers.
    pub(super) mirror: f64,
    /// Requests that come to the candidate at its preview address, as a share of those of users.
    pub(super) preview: f64,
}

/// What one arm did from the beginning on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) failures: u64,
    /// Requests by the time they took; all zero if nobody asks for times.
    latency: [u64; BUCKETS],
}

/// What the users met with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Toll {
    /// Requests of users, whoever answered.
    pub(super) requests: u64,
    /// Those of them that failed.
    pub(super) failures: u64,
    /// Requests of users that the candidate answered.
    pub(super) candidate: u64,
    /// Those of them that failed.
    pub(super) candidate_failures: u64,
    /// Failures that stable would not have had, on average.
    pub(super) excess: f64,
}

/// What somebody asks for besides requests and failures of both versions: it costs time to draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Times of answers.
    pub(super) latency: bool,
    /// A group of stable's instances, counted apart from the others, that takes as many requests as the candidate; at
    /// most half of stable's.
    pub(super) control: bool,
}

impl Drawn {
    /// What either asks for.
    pub(super) const fn and(self, other: Self) -> Self {
        Self { latency: self.latency || other.latency, control: self.control || other.control }
    }
}

/// The traffic of one rollout, from its beginning to now.
#[derive(Clone, Debug)]
pub(super) struct Traffic<'a> {
    world: &'a World,
    edges: &'a [i64],
    counts: Stream,
    latencies: Option<Stream>,
    with_control: bool,
    splits: Stream,
    /// What had happened when a slice ended; times rise.
    cuts: Vec<Cut>,
    pub(super) split: Split,
    pub(super) toll: Toll,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cut {
    /// Nanoseconds after the beginning.
    at: i64,
    stable: Tally,
    candidate: Tally,
    control: Tally,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(world: &'a World, edges: &'a [i64], (seed, rollout): (u64, u64), drawn: Drawn) -> Self {
        Self {
            world,
            edges,
            counts: Stream::new(seed, rollout, Purpose::Counts),
            latencies: drawn.latency.then(|| Stream::new(seed, rollout, Purpose::Latencies)),
            with_control: drawn.control,
            splits: Stream::new(seed, rollout, Purpose::Cuts),
            cuts: vec![Cut::default()],
            split: Split::default(),
            toll: Toll::default(),
        }
    }

    fn last(&self) -> Cut {
        self.cuts.last().copied().unwrap_or_default()
    }

    /// Lets requests come until `to`, split as it is set now. There is a cut at `to` afterwards.
    pub(super) fn advance(&mut self, to: i64) {
        let mut last = self.last();
        while last.at < to {
            let edge = self.edges.iter().find(|edge| **edge > last.at).copied().unwrap_or(i64::MAX);
            let end = last.at.saturating_add(LONGEST_SLICE).min(edge).min(to);
            last = self.slice(last, end);
            self.cuts.push(last);
        }
    }

    fn slice(&mut self, before: Cut, end: i64) -> Cut {
        let seconds = (end - before.at) as f64 / NANOS;
        let moment = self.world.at(before.at as f64 / NANOS + seconds / 2.0);
        let Split { candidate, mirror, preview } = self.split;
        let all = moment.requests_per_second * seconds;
        let of_stable = 1.0 - candidate;
        let controlled = if self.with_control { candidate.min(of_stable / 2.0) } else { 0.0 };
        let [stable, users, copies, control] =
            [of_stable - controlled, candidate, of_stable * mirror + preview, controlled]
                .map(|share| self.counts.poisson(all * share));
        let dispersion = self.world.dispersion;
        let mut failing = |requests, rate| self.counts.clumped(requests, rate, dispersion);
        let stable_failures = failing(stable, moment.stable);
        let failures = failing(users, moment.candidate);
        let failed_copies = failing(copies, moment.candidate);
        let control_failures = failing(control, moment.stable);
        self.toll.requests += stable + users + control;
        self.toll.failures += stable_failures + failures + control_failures;
        self.toll.candidate += users;
        self.toll.candidate_failures += failures;
        if moment.candidate > moment.stable {
            self.toll.excess += failures as f64 * (1.0 - moment.stable / moment.candidate);
        }
        let mut cut = Cut { at: end, ..before };
        cut.stable.add(stable, stable_failures);
        cut.candidate.add(users + copies, failures + failed_copies);
        cut.control.add(control, control_failures);
        if let Some(stream) = &mut self.latencies {
            let times = |candidate| self.world.times(&moment, candidate);
            scatter(stream, &mut cut.stable.latency, stable, &times(false));
            scatter(stream, &mut cut.candidate.latency, users + copies, &times(true));
            if control > 0 {
                scatter(stream, &mut cut.control.latency, control, &times(false));
            }
        }
        cut
    }

    /// What both arms did between two moments; what is later than now has not happened.
    pub(super) fn within(&mut self, from: i64, to: i64) -> Both {
        let (start, end) = (self.cut_at(from), self.cut_at(to));
        Both {
            stable: end.stable.since(&start.stable),
            candidate: end.candidate.since(&start.candidate),
            control: end.control.since(&start.control),
        }
    }

    /// What had happened at a moment. A slice that spans it is split: each of its requests came before or after, as
    /// chance has it, at any moment alike. That is exact, so that time need not be cut finely in advance.
    fn cut_at(&mut self, moment: i64) -> Cut {
        let index = self.cuts.partition_point(|cut| cut.at <= moment);
        let before = self.cuts[..index].last().copied().unwrap_or_default();
        let Some(after) = self.cuts.get(index).copied() else { return before };
        if moment - before.at <= NEAR {
            return before;
        }
        if after.at - moment <= NEAR {
            return after;
        }
        let share = (moment - before.at) as f64 / (after.at - before.at) as f64;
        let stream = &mut self.splits;
        let mut part = |before: &Tally, after: &Tally| before.plus(&after.since(before).part(share, stream));
        let cut = Cut {
            at: moment,
            stable: part(&before.stable, &after.stable),
            candidate: part(&before.candidate, &after.candidate),
            // Last, so that whoever has no control group splits the others alike.
            control: part(&before.control, &after.control),
        };
        self.cuts.insert(index, cut);
        cut
    }
}

/// What both arms did in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Both {
    pub(super) stable: Tally,
    pub(super) candidate: Tally,
    pub(super) control: Tally,
}

impl Both {
    pub(super) fn arms(&self, Drawn { latency, control }: Drawn) -> Arms {
        Arms {
            stable: self.stable.counts(latency),
            candidate: self.candidate.counts(latency),
            control: control.then(|| self.control.counts(latency)),
        }
    }
}

impl Tally {
    const fn add(&mut self, requests: u64, failures: u64) {
        self.requests += requests;
        self.failures += failures;
    }

    fn since(&self, earlier: &Self) -> Self {
        let mut latency = self.latency;
        for (count, before) in latency.iter_mut().zip(earlier.latency) {
            *count = count.saturating_sub(before);
        }
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            failures: self.failures.saturating_sub(earlier.failures),
            latency,
        }
    }

    fn plus(&self, more: &Self) -> Self {
        let mut latency = self.latency;
        for (count, more) in latency.iter_mut().zip(more.latency) {
            *count += more;
        }
        Self { requests: self.requests + more.requests, failures: self.failures + more.failures, latency }
    }

    /// Each request of this with this probability.
    fn part(&self, share: f64, stream: &mut Stream) -> Self {
        let failures = stream.binomial(self.failures, share);
        let requests = failures + stream.binomial(self.requests.saturating_sub(self.failures), share);
        let mut latency = [0; BUCKETS];
        let (mut all, mut left) = (self.latency.iter().sum::<u64>(), requests);
        for (part, count) in latency.iter_mut().zip(self.latency) {
            if all == 0 {
                break;
            }
            *part = stream.hypergeometric(all, count, left);
            all -= count;
            left -= *part;
        }
        Self { requests, failures, latency }
    }

    fn counts(&self, with_latency: bool) -> ArmCounts {
        let mut below = 0;
        let latency = if with_latency {
            let edges = EDGES.into_iter().chain([f64::INFINITY]);
            edges
                .zip(self.latency)
                .map(|(edge, count)| {
                    below += count;
                    (Number::new(edge), below)
                })
                .collect()
        } else {
            Vec::new()
        };
        ArmCounts { requests: self.requests, failures: self.failures, latency }
    }

    /// Share of the requests that failed, NaN without any.
    pub(super) fn failure_rate(&self) -> f64 {
        self.failures as f64 / self.requests as f64
    }

    /// The time in seconds that this share of the requests took at most, NaN without any: as PromQL's
    /// `histogram_quantile` finds it.
    pub(super) fn quantile(&self, quantile: f64) -> f64 {
        shown_quantile(&self.latency.map(|count| count as f64), quantile)
    }
}

/// As PromQL's `histogram_quantile`: evenly spread within a bucket, the greatest edge beyond it.
pub(super) fn shown_quantile(buckets: &[f64; BUCKETS], quantile: f64) -> f64 {
    let all: f64 = buckets.iter().sum();
    if all <= 0.0 {
        return f64::NAN;
    }
    let rank = quantile * all;
    let (mut below, mut lower) = (0.0, 0.0);
    for (inside, upper) in buckets.iter().zip(EDGES) {
        if *inside > 0.0 && below + inside >= rank {
            return lower + (upper - lower) * (rank - below) / inside;
        }
        below += inside;
        lower = upper;
    }
    lower
}

/// How long answers of one version take at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    /// Of those that are not late, in seconds.
    pub(super) median: f64,
    pub(super) sigma: f64,
    /// Share of those that are late.
    pub(super) late: f64,
    /// By how much, in seconds.
    pub(super) by: f64,
}

impl Times {
    /// Share of the answers in each bucket.
    pub(super) fn buckets(&self) -> [f64; BUCKETS] {
        let mut buckets = [0.0; BUCKETS];
        let mut below = 0.0;
        for (bucket, edge) in buckets.iter_mut().zip(EDGES) {
            let at_most = self.at_most(edge);
            *bucket = at_most - below;
            below = at_most;
        }
        buckets[BUCKETS - 1] = 1.0 - below;
        buckets
    }

    fn at_most(&self, edge: f64) -> f64 {
        let usual = |time: f64| {
            if time > 0.0 { normal_cdf(libm::log(time / self.median) / self.sigma) } else { 0.0 }
        };
        if self.late > 0.0 {
            (1.0 - self.late) * usual(edge) + self.late * usual(edge - self.by)
        } else {
            usual(edge)
        }
    }
}

/// Puts requests into buckets, at random.
fn scatter(stream: &mut Stream, counts: &mut [u64; BUCKETS], requests: u64, times: &Times) {
    let (mut left, mut below) = (requests, 0.0);
    for (count, edge) in counts.iter_mut().zip(EDGES) {
        if left == 0 {
            return;
        }
        let at_most = times.at_most(edge);
        let rest = 1.0 - below;
        let drawn = if rest > 0.0 { stream.binomial(left, (at_most - below).max(0.0) / rest) } else { 0 };
        *count += drawn;
        left -= drawn;
        below = at_most;
    }
    counts[BUCKETS - 1] += left;
}

const NANOS: f64 = 1e9;
/// So that what drifts is followed.
const LONGEST_SLICE: i64 = 60_000_000_000;
/// Moments that count as one, in nanoseconds.
const NEAR: i64 = 1_000;
/// The edges that clients of Prometheus take by default, in seconds.
const EDGES: [f64; BUCKETS - 1] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
pub(super) const BUCKETS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        simulate::world::{Behaviour, Latency},
        time::GoDuration,
    };

    const MINUTE: i64 = 60_000_000_000;
    const WITH_LATENCY: Drawn = Drawn { latency: true, control: false };

    #[test]
    fn windows_that_follow_one_another_add_up() {
        let world = World { dispersion: 3.0, ..World::default() };
        let mut traffic = Traffic::new(&world, &[], (1, 0), WITH_LATENCY);
        traffic.split = Split { candidate: 0.2, mirror: 0.1, preview: 0.0 };
        traffic.advance(3 * MINUTE);
        traffic.split.candidate = 0.5;
        traffic.advance(10 * MINUTE);
        let whole = traffic.within(0, 10 * MINUTE);
        let second = MINUTE / 60;
        let parts = [(0, 61), (61, 180), (180, 187), (187, 190), (190, 555), (555, 600)]
            .map(|(from, to)| traffic.within(from * second, to * second));
        for part in &parts {
            part.arms(WITH_LATENCY).check().unwrap();
        }
        for of in [|both: &Both| both.stable, |both: &Both| both.candidate] {
            let sum = |count: fn(&Tally) -> u64| parts.iter().map(|part| count(&of(part))).sum::<u64>();
            assert_eq!(sum(|tally| tally.requests), of(&whole).requests);
            assert_eq!(sum(|tally| tally.failures), of(&whole).failures);
            assert_eq!(of(&whole).latency.iter().sum::<u64>(), of(&whole).requests);
        }
        whole.arms(WITH_LATENCY).check().unwrap();
        let Toll { requests, candidate, .. } = traffic.toll;
        assert_eq!(whole.stable.requests + candidate, requests);
        assert!(whole.candidate.requests > candidate, "copies reach the candidate, too");
    }

    #[test]
    fn a_window_within_a_slice_has_its_share_and_stays_as_it_is() {
        let world = World { failure_rate: 0.2, ..World::default() };
        let (mut requests, mut failures) = (0, 0);
        for rollout in 0..200 {
            let mut traffic = Traffic::new(&world, &[], (1, rollout), WITH_LATENCY);
            traffic.advance(MINUTE);
            let part = traffic.within(MINUTE / 4, MINUTE / 2);
            assert_eq!(part, traffic.within(MINUTE / 4, MINUTE / 2));
            assert_eq!(part.stable.latency.iter().sum::<u64>(), part.stable.requests);
            requests += part.stable.requests;
            failures += part.stable.failures;
        }
        assert!((requests as f64 / 300_000.0 - 1.0).abs() < 0.01, "{requests}");
        assert!((failures as f64 / 60_000.0 - 1.0).abs() < 0.02, "{failures}");
    }

    #[test]
    fn rates_are_those_of_the_world() {
        let behaviour = Behaviour { failure_ratio: 3.0, latency_factor: 2.0, ..Behaviour::default() };
        let world = World { failure_rate: 0.02, ..World::default() }.with_candidate(behaviour);
        let mut traffic = Traffic::new(&world, &[], (5, 0), WITH_LATENCY);
        traffic.split.candidate = 0.5;
        traffic.advance(600 * MINUTE);
        let Both { stable, candidate, .. } = traffic.within(0, 600 * MINUTE);
        for (tally, rate, p99) in [(stable, 0.02, 0.320), (candidate, 0.06, 0.640)] {
            assert!((tally.requests as f64 / 1.8e6 - 1.0).abs() < 0.01, "{}", tally.requests);
            assert!((tally.failure_rate() / rate - 1.0).abs() < 0.03, "{}", tally.failure_rate());
            // Buckets are coarse.
            assert!((tally.quantile(0.99) / p99 - 1.0).abs() < 0.45, "{}", tally.quantile(0.99));
        }
        let expected = 1.8e6 * 0.04;
        assert!((traffic.toll.excess / expected - 1.0).abs() < 0.03, "{}", traffic.toll.excess);
    }

    #[test]
    fn a_control_group_is_a_part_of_stable_as_large_as_the_candidate() {
        let world = World { failure_rate: 0.02, ..World::default() };
        let drawn = Drawn { latency: true, control: true };
        let mut traffic = Traffic::new(&world, &[], (5, 0), drawn);
        traffic.split.candidate = 0.2;
        traffic.advance(60 * MINUTE);
        let both = traffic.within(0, 60 * MINUTE);
        for (tally, share) in [(both.stable, 0.6), (both.candidate, 0.2), (both.control, 0.2)] {
            assert!((tally.requests as f64 / 360_000.0 - share).abs() < 0.005, "{}", tally.requests);
            assert!((tally.failure_rate() / 0.02 - 1.0).abs() < 0.1, "{}", tally.failure_rate());
        }
        assert!(both.arms(drawn).control.is_some_and(|control| control.requests == both.control.requests));
        both.arms(drawn).check().unwrap();
        let all = both.stable.requests + both.candidate.requests + both.control.requests;
        assert_eq!(traffic.toll.requests, all);
    }

    #[test]
    fn late_answers_lengthen_the_tail_and_drift_moves_all() {
        let late = Behaviour { late_share: 0.02, late_by: GoDuration::from_secs(1), ..Behaviour::default() };
        let latency = Latency { sigma: 0.8, drift_per_hour: 1.0, ..Latency::default() };
        let world = World { latency, ..World::default() }.with_candidate(late);
        let above = |of: Times| 1.0 - of.at_most(1.0);
        let start = world.at(0.0);
        let (stable, candidate) = (world.times(&start, false), world.times(&start, true));
        assert!(above(stable) < 0.003 && (above(candidate) - above(stable) - 0.02).abs() < 0.001);
        assert_eq!(world.times(&world.at(3600.0), false).median, 2.0 * stable.median);
        assert!((stable.buckets().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((candidate.buckets().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn without_requests_nothing_is_known() {
        assert!(Tally::default().quantile(0.99).is_nan());
        assert!(Tally::default().failure_rate().is_nan());
    }
}
