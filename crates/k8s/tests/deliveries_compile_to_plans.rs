//! Plans in the words of Serinus itself, read as strictly as those of others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serinus_core::{
    analysis::{Analysis, Compared, Comparison, Judge, Metric},
    capacity::Amount,
    metric::{Number, Query},
    rollout::{PlanSpec, Step},
    strategy::{
        BlueGreen, Canary, Cohort, Experiment, Measure, Promotion, Recreate, RollingUpdate, Shadow, Stop,
    },
    time::GoDuration,
    traffic::Weight,
};
use serinus_k8s::{FaultKind, Faults, Kind, Mode, Source, Strategy, explain, read};

#[test]
fn the_builder_and_its_yaml_form_give_the_same_plan() {
    let at_least_99 = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let query = Query::builtin(Query::SUCCESS_RATE, GoDuration::from_mins(1));
    let healthy = Analysis::of("healthy", [Metric::new("success-rate", query, at_least_99)]);
    let ladder = Canary::new(4)
        .weight(Weight::percent(0.5))
        .hold(GoDuration::from_mins(10))
        .analyse(healthy.clone())
        .weight(Weight::percent(50.0))
        .hold_until_resumed()
        .gate("release");
    assert_eq!(
        plan_of(
            r#"
  strategy:
    canary:
      capacity: {routed: {replicas: 4}}
      steps:
      - weight: 0.5%
      - hold: 10m
      - analyse:
          name: healthy
          metrics:
          - name: success-rate
            query: {provider: builtin, text: request-success-rate, window: 1m}
            judge: {range: {min: 99}}
      - weight: 50%
      - hold:
      - gate: release"#
        ),
        (Strategy::Canary, ladder.into())
    );
    let switch = BlueGreen::new(2)
        .promotion(Promotion::After(GoDuration::from_mins(5)))
        .analyse_before(healthy)
        .keep_old(GoDuration::from_mins(30));
    assert_eq!(
        plan_of(
            r#"
  strategy:
    blueGreen:
      replicas: 2
      before:
        name: healthy
        metrics:
        - name: success-rate
          query: {provider: builtin, text: request-success-rate, window: 1m}
          judge: {range: {min: "99"}}
      promotion: {after: 5m}
      keepOld: 30m"#
        ),
        (Strategy::BlueGreen, switch.into())
    );
    let rolling = RollingUpdate::new(10).max_surge(Amount::Percent(20)).max_unavailable(Amount::Count(0));
    let written = "rollingUpdate: {replicas: 10, maxSurge: {percent: 20}, maxUnavailable: {count: 0}}";
    assert_eq!(plan_of(&format!("\n  strategy: {{{written}}}")), (Strategy::RollingUpdate, rolling.into()));
    assert_eq!(
        plan_of("\n  strategy: {recreate: {replicas: 3}}"),
        (Strategy::Recreate, Recreate::new(3).into())
    );
    let steps = vec![Step::Weight(Weight::percent(10.0)), Step::Hold(Some(GoDuration::from_mins(1)))];
    assert_eq!(
        plan_of("\n  plan: {steps: [{weight: 10%}, {hold: 1m}]}"),
        (Strategy::Plan, PlanSpec { steps, ..PlanSpec::default() })
    );
}

#[test]
fn experiments_and_shadows_are_written_like_any_other_strategy() {
    let orders =
        Measure::new("orders", Comparison::of(Compared::Successes)).asking(Query::new("shop", "orders"));
    let cohort = Cohort::Subjects(Weight::percent(50.0));
    let experiment = Experiment::new(4, cohort, orders).stop(Stop::Horizon(GoDuration::from_mins(60)));
    assert_eq!(
        plan_of(
            r#"
  strategy:
    experiment:
      capacity: {routed: {replicas: 4}}
      cohort: {subjects: 50%}
      primary:
        name: orders
        compare: {of: successes}
        query: {provider: shop, text: orders}
      stop: {horizon: 1h}"#
        ),
        (Strategy::Experiment, experiment.into())
    );
    let canary = Canary::new(2).weight(Weight::percent(10.0)).hold(GoDuration::from_mins(1));
    let shadow = Shadow::new(2, Weight::percent(5.0), GoDuration::from_mins(10))
        .agreement(Number::new(99.0))
        .then(canary);
    assert_eq!(
        plan_of(
            r#"
  strategy:
    shadow:
      share: 5%
      lasting: 10m
      agreement: {atLeast: 99}
      then:
        canary:
          capacity: {routed: {replicas: 2}}
          steps:
          - weight: 10%
          - hold: 1m"#
        ),
        (Strategy::Shadow, shadow.into())
    );
}

#[test]
fn a_comparison_can_stand_beside_other_analyses() {
    let canary = "canary: {capacity: {routed: {replicas: 4}}, steps: [{weight: 10%}, {analyse: {name: healthy, \
                  metrics: [{name: m, query: {provider: p, text: q}, judge: {range: {min: 99}}}]}}]";
    let compared = |written: &str| {
        let (_, spec) = plan_of(&format!("\n  strategy: {{{canary}{written}}}}}"));
        let metrics = spec.analyses.iter().flat_map(|analysis| &analysis.metrics);
        metrics.filter(|metric| metric.comparison().is_some()).count()
    };
    assert_eq!(compared(""), 0);
    assert_eq!(compared(", compare: false"), 0);
    assert_eq!(compared(", compare: true"), Comparison::defaults().len());
}

#[test]
fn whatever_is_a_strategy_can_be_written() {
    let canary = Canary::new(3)
        .weight(Weight::percent(1.0))
        .analyse_beside(Analysis::comparison("against stable").without_end())
        .hold(GoDuration::from_mins(1));
    // JSON is YAML; only its bare numbers of weights are for machines.
    let written = serde_json::to_string(&canary).unwrap().replace("{\"weight\":1000}", "{\"weight\":\"1%\"}");
    assert_eq!(
        plan_of(&format!("\n  strategy: {{\"canary\": {written}}}")),
        (Strategy::Canary, canary.into())
    );
}

#[test]
fn a_canary_that_names_no_analysis_compares() {
    let text = include_str!("../../../examples/manifests/checkout-delivery.yaml");
    let compiled = read(&[Source::new("checkout.yaml", text)], Mode::Strict).unwrap().compile_only().unwrap();
    assert_eq!(compiled.kind, Kind::Delivery);
    assert_eq!(
        explain(&compiled),
        "\
Delivery `checkout`: canary, traffic split by a router, 4 replicas
   1. send 10% of the traffic to the new revision
   2. wait 1m0s
   3. send 50% of the traffic to the new revision
   4. wait 3m0s
   5. promote: the new revision becomes stable
beside steps 1 to 4: `comparison with stable`
`comparison with stable` measures
      failures: compared with stable's; bad on evidence for more than 1.1 times as many, good on evidence for less than \
1.5 times, every 15s
      latency: compared with stable's; bad on evidence for more than 1.1 times as many, good on evidence for less than \
1.5 times, every 15s
"
    );
    let metrics = &compiled.plan.spec().analyses[0].metrics;
    assert!(metrics.iter().all(|metric| metric.comparison().is_some()));
    assert_eq!(metrics.len(), Comparison::defaults().len());
}

#[test]
fn faults_name_the_place_and_the_remedy() {
    for (spec, expected) in [
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: [{weigth: 5%}]}}",
            "5:53: spec.strategy.canary.steps[0].weigth: `weigth` is not known here: did you mean `weight`?",
        ),
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: [{weight: 5}]}}",
            "5:61: spec.strategy.canary.steps[0].weight: 5 has no unit: write the share with its sign, such as `5%`",
        ),
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: [{weight: 500%}]}}",
            "5:61: spec.strategy.canary.steps[0].weight: a weight of 500% is out of range: expected 0% to 100%",
        ),
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: [{weight: 5%, hold: 1m}]}}",
            "5:65: spec.strategy.canary.steps[0].hold: this has `weight` too, and only one of them can be here: in a \
             list, write each after a dash of its own",
        ),
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: [{hold: 90}]}}",
            "5:59: spec.strategy.canary.steps[0].hold: expected a text; this is the number 90",
        ),
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: {weight: 5%}}}",
            "5:51: spec.strategy.canary.steps: expected a list, each item of it after a dash; this is a map",
        ),
        (
            "\n  strategy: {canary: {capacity: unmanaged, steps: [{weight: 9%}, {weight: 5%}]}}",
            "5:13: spec.strategy: ",
        ),
        (
            "\n  strategy: {canary: {steps: []}}",
            "5:22: spec.strategy.canary.capacity: `capacity` is missing: add it",
        ),
        (
            "\n  strategy: {recreate: {replicas: -3}}",
            "5:35: spec.strategy.recreate.replicas: -3 is out of range: use a whole number from 0 to 4294967295",
        ),
        (
            "\n  strategy: {blueGren: {replicas: 3}}",
            "5:14: spec.strategy.blueGren: `blueGren` is not known here: did you mean `blueGreen`?",
        ),
        (
            "\n  strategy: {recreate: {replicas: 3, replica: 4}}",
            "5:38: spec.strategy.recreate.replica: unknown field: did you mean `replicas`?",
        ),
        ("\n  stratgy: {}", "5:3: spec.stratgy: unknown field: did you mean `strategy`?"),
        (
            " {}",
            "4:7: spec.strategy: no strategy: write `canary`, `blueGreen`, `rollingUpdate`, `recreate`, \
             `experiment` or `shadow` in it, or the steps of a `plan`",
        ),
        (
            "\n  strategy: {recreate: {replicas: 3}}\n  plan: {steps: []}",
            "6:9: spec.plan: there is a `strategy` too, and each gives the steps: remove one of the two",
        ),
        (
            "\n  plan: {analyses: [{name: a, metrics: [{name: m, query: {provider: builtin, text: arms}, judge: \
             {compare: {margin: tenth}}}]}], steps: []}",
            "5:117: spec.plan.analyses[0].metrics[0].judge.compare.margin: `tenth` is not a number",
        ),
    ] {
        let faults = faults(spec, Mode::Strict);
        let found = faults.to_string();
        let first = found.lines().next().unwrap();
        assert!(first.starts_with(&format!("app.yaml:{expected}")), "{spec}\n  {found}\n  {expected}");
    }
}

#[test]
fn every_step_at_fault_is_named_at_once() {
    let faults = faults(
        "\n  strategy: {canary: {capacity: unmanaged, steps: [{weight: 5}, {hold: soon}, {wieght: 9%}], kepOld: 1m}}",
        Mode::Strict,
    );
    let fields: Vec<_> = faults.as_slice().iter().map(|fault| fault.field.as_str()).collect();
    let steps = "spec.strategy.canary.steps";
    let expected = [
        format!("{steps}[0].weight"),
        format!("{steps}[1].hold"),
        format!("{steps}[2].wieght"),
        "spec.strategy.canary.kepOld".to_owned(),
    ];
    for field in &expected[..3] {
        assert!(fields.contains(&field.as_str()), "{faults}");
    }
}

#[test]
fn unknown_fields_are_dropped_where_that_is_asked_for() {
    let spec = "\n  strategy: {recreate: {replicas: 3, replica: 4}}";
    let manifests = read(&[Source::new("app.yaml", delivery(spec))], Mode::Lenient).unwrap();
    let dropped: Vec<_> =
        manifests.dropped().iter().map(|fault| (fault.kind, fault.field.as_str())).collect();
    assert_eq!(dropped, [(FaultKind::UnknownField, "spec.strategy.recreate.replica")]);
    assert_eq!(manifests.compile("app").unwrap().plan.spec(), &PlanSpec::from(Recreate::new(3)));
    // A step that nobody knows is not left out: the plan would be another.
    let spec = "\n  strategy: {canary: {capacity: unmanaged, steps: [{wieght: 5%}]}}";
    assert_eq!(faults(spec, Mode::Lenient).as_slice().len(), 1);
}

fn plan_of(spec: &str) -> (Strategy, PlanSpec) {
    let manifests = read(&[Source::new("app.yaml", delivery(spec))], Mode::Strict);
    let compiled = manifests.and_then(|manifests| manifests.compile("app"));
    let compiled = compiled.unwrap_or_else(|faults| panic!("{spec}\n{faults}"));
    (compiled.strategy, compiled.plan.into())
}

fn faults(spec: &str, mode: Mode) -> Faults {
    match read(&[Source::new("app.yaml", delivery(spec))], mode) {
        Ok(manifests) => manifests.compile_all().unwrap_err(),
        Err(faults) => faults,
    }
}

fn delivery(spec: &str) -> String {
    format!("apiVersion: serinus.dev/v1alpha1\nkind: Delivery\nmetadata: {{name: app}}\nspec:{spec}")
}
