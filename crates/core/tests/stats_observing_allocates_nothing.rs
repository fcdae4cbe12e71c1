//! Adding a window to evidence takes no memory.

use serinus_core::stats::{
    betting::{Betting, EmpiricalBernstein, Hoeffding},
    counters::Counter,
    exceedance::{BucketWindow, ExceedanceHistogram},
    grid::{Arm, CounterGrid, RateRatio, RatioGrid, ScoreMixture, Window},
    mixture::{AsymptoticMean, NormalRatio},
    sample_ratio::SampleRatio,
};

#[test]
fn neither_of_a_counter_nor_of_latency_nor_of_a_split_nor_of_a_mean() {
    let mut harm = CounterGrid::new(RatioGrid::harm(1.1).unwrap());
    let mut safety = CounterGrid::new(RatioGrid::safety(1.5).unwrap());
    let mut ratio = RateRatio::new();
    let mut score = ScoreMixture::new(10.0, 0.01).unwrap();
    let edges = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
    let mut latency = ExceedanceHistogram::new(RatioGrid::harm(1.1).unwrap(), &edges).unwrap();
    let mut split = SampleRatio::new(&[0.9, 0.1], 100.0).unwrap();
    let mut counter = Counter::new();
    let mut bernstein = EmpiricalBernstein::new(0.05).unwrap();
    let mut hoeffding = Hoeffding::new(0.05).unwrap();
    let mut betting = Betting::new(0.01, 0.05).unwrap();
    let mut mean = AsymptoticMean::new();
    let mut normal = NormalRatio::new(0.0, 1.0, 0.1).unwrap();
    let used = allocation_counter::measure(|| {
        for id in 1..=1000 {
            let window = Window { id, control: Arm::new(900, 9), candidate: Arm::new(100, id % 4) };
            let _ = harm.observe(&window).unwrap();
            let _ = safety.observe(&window).unwrap();
            let _ = ratio.observe(&window).unwrap();
            let _ = score.observe(&window).unwrap();
            let (control, candidate) =
                ([70, 80, 90, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1], [7, 8, 9, 0, id, 0, 0, 1, 0, 0, 0, 0, 1]);
            let _ = latency.observe(&BucketWindow { id, control: &control, candidate: &candidate }).unwrap();
            let _ = split.observe(id, &[900 + id, 100]).unwrap();
            counter.advance(id as f64 * 3.0).unwrap();
            let value = (id % 10) as f64 / 10.0;
            bernstein.observe(value).unwrap();
            hoeffding.observe(value).unwrap();
            betting.observe(value).unwrap();
            mean.observe(value).unwrap();
            normal.observe(value).unwrap();
        }
    });
    assert_eq!((used.count_total, used.bytes_total), (0, 0));
    assert_eq!(harm.windows(), 1000);
}

#[test]
fn nor_does_the_look_at_it() {
    use serinus_core::stats::evidence::EProcess as _;
    let mut harm = CounterGrid::new(RatioGrid::harm(1.1).unwrap());
    let mut ratio = RateRatio::new();
    for id in 0..10 {
        let window = Window { id, control: Arm::new(900, 9), candidate: Arm::new(100, 5) };
        let _ = (harm.observe(&window).unwrap(), ratio.observe(&window).unwrap());
    }
    let used = allocation_counter::measure(|| {
        assert!(harm.rejects(0.01).unwrap() && harm.p_value() < 0.01);
        assert!(ratio.interval(0.05).unwrap().contains(ratio.estimate().unwrap()));
    });
    assert_eq!(used.count_total, 0);
}
