//! The exact messages for manifests with mistakes: what a person sees who got something wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use serinus_core::analysis::Condition;
use serinus_k8s::{FaultKind, Mode, Source, read};

#[test]
fn a_value_of_the_wrong_type() {
    let spec =
        "replicas: three\n  strategy:\n    canary:\n      canaryService: 5\n      steps: {setWeight: 20}";
    assert_faults(
        &rollout(spec),
        &[
            "app.yaml:5:13: spec.replicas: expected a whole number; this is the text `three`",
            "app.yaml:8:22: spec.strategy.canary.canaryService: expected a text (put it in quotes); this is the \
             number 5",
            "app.yaml:9:14: spec.strategy.canary.steps: expected a list, each item of it after a dash; this is a map",
        ],
    );
}

#[test]
fn a_number_in_quotes_where_a_number_stands() {
    assert_faults(
        &canary_with("- setWeight: \"20%\""),
        &[
            "app.yaml:8:20: spec.strategy.canary.steps[0].setWeight: expected a whole number (without quotes, \
           without a percent sign); this is the text `20%`",
        ],
    );
}

#[test]
fn a_field_that_is_spelt_wrong() {
    assert_faults(
        &canary_with("- setWieght: 20\n      - pause: {durration: 5m}\n      - weight: 30"),
        &[
            "app.yaml:8:9: spec.strategy.canary.steps[0].setWieght: unknown field: did you mean `setWeight`?",
            "app.yaml:9:17: spec.strategy.canary.steps[1].pause.durration: unknown field: did you mean `duration`?",
            "app.yaml:10:9: spec.strategy.canary.steps[2].weight: unknown field: did you mean `setWeight`?",
        ],
    );
}

#[test]
fn a_field_at_the_wrong_level() {
    assert_faults(
        &rollout("steps: []\n  strategy:\n    canary: {}"),
        &[
            "app.yaml:5:3: spec.steps: unknown field: it belongs in `spec.strategy.canary.steps`; move it there",
        ],
    );
    assert_faults(
        &canary("stepWeight: 10\n    service: {port: 80}\n    colour: blue"),
        &[
            "app.yaml:8:5: spec.analysis.service: unknown field: it belongs in `spec.service`; move it there",
            "app.yaml:9:5: spec.analysis.colour: unknown field: known here: interval, threshold, maxWeight, \
             stepWeight, stepWeights, stepWeightPromotion, iterations, match, mirror, mirrorWeight, \
             sessionAffinity, primaryReadyThreshold, canaryReadyThreshold, metrics, webhooks, alerts",
        ],
    );
    assert_faults(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: app}\nspec:\n  targetRef: {name: app}\n  \
         canaryAnalysis: {stepWeight: 10}",
        &[
            "app.yaml:5:3: spec.analysis: no analysis: add it, with `interval`, `threshold`, `stepWeight` and \
             `metrics`",
            "app.yaml:6:3: spec.canaryAnalysis: unknown field: write `spec.analysis` instead",
        ],
    );
}

#[test]
fn a_weight_above_one_hundred() {
    assert_faults(
        &canary_with("- setWeight: 140\n      - setWeight: -1"),
        &[
            "app.yaml:8:20: spec.strategy.canary.steps[0].setWeight: 140 is out of range: use 0 to 100",
            "app.yaml:9:20: spec.strategy.canary.steps[1].setWeight: -1 is out of range: use 0 to 100",
        ],
    );
}

#[test]
fn a_weight_that_falls() {
    assert_faults(
        &canary_with("- setWeight: 40\n      - setWeight: 20"),
        &[
            "app.yaml:9:20: spec.strategy.canary.steps[1].setWeight: 20 is below the 40 of an earlier step, and within \
           an attempt a weight never falls: use 40 or more, or remove the step; abort to go back",
        ],
    );
    assert_faults(
        &canary("stepWeights: [10, 30, 20, 101]"),
        &[
            "app.yaml:7:27: spec.analysis.stepWeights[2]: 20 is not above the 30 before it, and a weight never \
             falls: use more than 30, or remove it",
            "app.yaml:7:31: spec.analysis.stepWeights[3]: 101 is out of range: use 1 to 100",
        ],
    );
}

#[test]
fn a_pause_below_zero_or_in_no_unit_of_time() {
    assert_faults(
        &canary_with(
            "- pause: {duration: -5}\n      - pause: {duration: -5m}\n      - pause: {duration: 2d}",
        ),
        &[
            "app.yaml:8:27: spec.strategy.canary.steps[0].pause.duration: -5 is negative: use zero seconds or more, \
             or `pause: {}` to wait for a person",
            "app.yaml:9:27: spec.strategy.canary.steps[1].pause.duration: -5m is negative: use a length of zero or \
             more, such as 30s",
            "app.yaml:10:27: spec.strategy.canary.steps[2].pause.duration: `2d` is not a duration: expected one of \
             the units ns, us, ms, s, m, h (there is no unit for days); use 30s, 5m or 1h30m",
        ],
    );
}

#[test]
fn a_step_of_two_kinds() {
    assert_faults(
        &canary_with("- setWeight: 20\n        pause: {duration: 1m}"),
        &[
            "app.yaml:8:9: spec.strategy.canary.steps[0]: a step has one kind, and this has setWeight and pause: split \
           it into 2 steps, `- setWeight: …` and `- pause: …`",
        ],
    );
}

#[test]
fn a_step_of_no_kind() {
    assert_faults(
        &canary_with("- {}\n      - pause:"),
        &[
            "app.yaml:8:9: spec.strategy.canary.steps[0]: a step without a kind: write `pause: {}` to wait for a \
             person, or `setWeight: 20`",
            "app.yaml:9:9: spec.strategy.canary.steps[1]: a step without a kind: write `pause: {}` to wait for a \
             person, or `setWeight: 20`",
        ],
    );
}

#[test]
fn a_step_that_only_a_router_can_take() {
    assert_faults(
        &canary_with("- setCanaryScale: {replicas: 1}"),
        &["app.yaml:8:25: spec.strategy.canary.steps[0].setCanaryScale: only with a router: add \
           `spec.strategy.canary.trafficRouting`, or remove the step"],
    );
}

#[test]
fn a_template_that_is_not_there() {
    let text = canary_with("- analysis: {templates: [{templateName: latency}]}");
    assert_faults(
        &format!("{text}\n---\n{}", template("", "result[0] > 1")),
        &["app.yaml:8:47: spec.strategy.canary.steps[0].analysis.templates[0].templateName: there is no \
           AnalysisTemplate `latency` among these files: add the file it is in; there: `success`"],
    );
    let text = canary_with("- analysis: {templates: [{templateName: success, clusterScope: true}]}");
    assert_faults(
        &format!("{text}\n---\n{}", template("", "result[0] > 1")),
        &[
            "app.yaml:8:47: spec.strategy.canary.steps[0].analysis.templates[0].templateName: `success` is not \
           ClusterAnalysisTemplate but AnalysisTemplate: remove `clusterScope: true`",
        ],
    );
}

#[test]
fn an_argument_without_a_value() {
    let text = canary_with("- analysis: {templates: [{templateName: success}]}");
    assert_faults(
        &format!("{text}\n---\n{}", template("args: [{name: service}]", "result[0] > {{args.service}}")),
        &[
            "app.yaml:8:19: spec.strategy.canary.steps[0].analysis.args: argument `service` of template `success` has \
           no value: add `- name: service` with a `value` to `args`",
        ],
    );
    assert_faults(
        &format!("{text}\n---\n{}", template("", "result[0] > {{args.servce}}")),
        &["app.yaml:18:23: spec.metrics[0].successCondition: `{{args.servce}}` is not an argument: add \
           `- name: servce` to the template's `spec.args`"],
    );
}

#[test]
fn a_condition_that_does_not_parse() {
    let text = canary_with("- analysis: {templates: [{templateName: success}]}");
    for condition in ["result[0] >", "reslut[0] > 1"] {
        let reason = condition.parse::<Condition>().unwrap_err();
        assert_faults(
            &format!("{text}\n---\n{}", template("", condition)),
            &[&format!("app.yaml:18:23: spec.metrics[0].successCondition: {reason}")],
        );
    }
}

#[test]
fn an_analysis_that_would_never_end() {
    let text = canary_with("- analysis: {templates: [{templateName: success}]}");
    let endless = template("", "result[0] > 1").replace("count: 1", "interval: 1m");
    assert_faults(
        &format!("{text}\n---\n{endless}"),
        &[
            "app.yaml:16:5: spec.metrics[0].count: `success` is measured for ever, and a step of `app` waits for its \
           end: add `count: 5` beside `interval`, or name the template in `spec.strategy.canary.analysis`, which runs \
           beside the steps",
        ],
    );
}

#[test]
fn numbers_of_a_metric_that_contradict_each_other() {
    let metric = |numbers: &str| template("", "result[0] > 1").replace("count: 1", numbers);
    for (numbers, fault) in [
        (
            "{count: 1, failureLimit: 2}",
            "count: `failureLimit` and `consecutiveSuccessLimit` come to 2, and only 1 are measured: use a `count` \
             of 2 or more, or lower limits",
        ),
        ("{count: 2}", "interval: more than one measurement needs time between them: add `interval: 1m`"),
        ("{failureLimit: -2}", "failureLimit: -2 is out of range: use -1 or more"),
        ("{consecutiveSuccessLimit: -1}", "consecutiveSuccessLimit: -1 is out of range: use 0 or more"),
        ("{count: many}", "count: `many` is not a whole number: use one, such as 5"),
        (
            "{interval: 1 minute}",
            "interval: `1 minute` is not a duration: expected one of the units ns, us, ms, s, \
          m, h (there is no unit for days); use 30s, 5m or 1h30m",
        ),
    ] {
        let numbers = numbers.trim_matches(['{', '}']).replace(", ", "\n    ");
        let manifests = read(&[Source::new("app.yaml", metric(&numbers))], Mode::Strict).unwrap();
        let faults = manifests.compile_all().unwrap_err().to_string();
        assert!(faults.ends_with(&format!(": spec.metrics[0].{fault}")), "{faults}");
    }
}

#[test]
fn what_is_known_and_not_supported_yet() {
    assert_faults(
        &canary_with("- experiment: {templates: []}\n      - plugin: {name: x}"),
        &[
            "app.yaml:8:21: spec.strategy.canary.steps[0].experiment: not supported yet: remove this step; compare \
             the two revisions in an `analysis` step",
            "app.yaml:9:17: spec.strategy.canary.steps[1].plugin: not supported yet: remove this step; step plugins \
             are programs of another process",
        ],
    );
    let fault =
        read(&[Source::new("a", "apiVersion: argoproj.io/v1alpha1\nkind: Experiment")], Mode::Lenient)
            .unwrap_err();
    assert_eq!(fault.as_slice()[0].kind, FaultKind::Unsupported);
    assert_faults(
        "apiVersion: flagger.app/v1alpha3\nkind: Canary\nmetadata: {name: x}",
        &[
            "app.yaml:1:13: apiVersion: `flagger.app/v1alpha3` is not read: write `flagger.app/v1beta1`, and its \
           fields",
        ],
    );
}

#[test]
fn a_ladder_without_rungs() {
    assert_faults(
        &canary("stepWeight: 0"),
        &["app.yaml:7:17: spec.analysis.stepWeight: the weight would never grow: add `stepWeight: 10`, or \
           `stepWeights`, or `iterations` to move all traffic at once"],
    );
}

#[test]
fn a_metric_that_asks_nothing() {
    assert_faults(
        &canary(
            "stepWeight: 10\n    metrics:\n    - name: latency\n    - name: errors\n      templateRef: {name: x}",
        ),
        &[
            "app.yaml:9:13: spec.analysis.metrics[0].name: nothing to measure: name it `request-success-rate` or \
             `request-duration`, or add `templateRef` or `query`",
            "app.yaml:11:27: spec.analysis.metrics[1].templateRef.name: there is no MetricTemplate `x` among these \
             files: add the file it is in; there: none",
        ],
    );
}

#[test]
fn a_document_that_is_no_manifest() {
    assert_faults(
        "a: 1",
        &["app.yaml:1:1: this document has no `kind`: add it, so that it is clear what the document is"],
    );
    assert_faults(
        "- a",
        &["app.yaml:1:1: expected a manifest, a map with `apiVersion` and `kind`; this is a list"],
    );
    assert_faults(
        "a: 1\na: 2",
        &["app.yaml:2:1: duplicate field `a`: it stands here a second time; keep one of the two"],
    );
    assert_faults(
        "value: {{args.name}}",
        &[
            "app.yaml:1:9: a map or list stands where the name of a field should: put a text that begins with `{` or \
           `[`, such as `\"{{args.name}}\"`, in quotes",
        ],
    );
}

#[test]
fn faults_of_all_files_and_sorts_come_at_once() {
    let first = canary_with("- setWieght: 20\n      - setWeight: 140");
    let second = canary("stepWeight: 200").replace("name: app", "name: other");
    let sources =
        [Source::new("1.yaml", first), Source::new("2.yaml", "a: ["), Source::new("3.yaml", second)];
    let faults = read(&sources, Mode::Strict).unwrap_err();
    let files: Vec<_> = faults.as_slice().iter().map(|fault| (fault.file.as_str(), fault.line)).collect();
    assert_eq!(files, [("1.yaml", 8), ("1.yaml", 9), ("2.yaml", 1), ("3.yaml", 7)]);
}

#[test]
fn a_template_in_a_file_that_cannot_be_read_is_not_missed_as_well() {
    let rollout = canary_with("- analysis: {templates: [{templateName: success}]}");
    let sources = [Source::new("1.yaml", rollout), Source::new("2.yaml", "a: [")];
    let faults = read(&sources, Mode::Strict).unwrap_err();
    assert_eq!(faults.as_slice().len(), 1, "{faults}");
}

#[test]
fn a_rollout_of_another_group_is_pointed_out() {
    let text = "apiVersion: apps/v1\nkind: Rollout\nmetadata: {name: app}";
    let manifests = read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap();
    assert_eq!(
        manifests.compile_only().unwrap_err().to_string(),
        "app.yaml:1:1: there is no Rollout, Canary or Delivery in these files: `app.yaml` holds Rollout; add one, as these \
         alone do nothing (ignored: Rollout `app`, because its `apiVersion` is `apps/v1` and not `argoproj.io/v1alpha1`)"
    );
}

#[test]
fn files_without_a_rollout_are_named_with_what_is_in_them() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: app}";
    let found = |sources: &[(&str, &str)]| {
        let sources: Vec<_> = sources.iter().map(|(name, text)| Source::new(*name, *text)).collect();
        let manifests = read(&sources, Mode::Strict).unwrap();
        (manifests.compile_only().unwrap_err().to_string(), manifests.compile("app").unwrap_err().to_string())
    };
    let (only, named) = found(&[("empty.yaml", "# nothing\n")]);
    assert_eq!(
        only,
        "empty.yaml: there is no Rollout, Canary or Delivery in these files: `empty.yaml` holds no document; add one, as \
         these alone do nothing"
    );
    assert_eq!(
        named,
        "empty.yaml: there is no Rollout, Canary or Delivery `app` in these files: `empty.yaml` holds no document; add it, \
         as these alone do nothing"
    );
    let both = format!("{service}\n---\n{deployment}\n---\n{service}");
    let templates = template("args: []", "result > 0");
    let (only, named) = found(&[("app.yaml", &both), ("empty.yaml", ""), ("templates.yaml", &templates)]);
    assert_eq!(
        only,
        "app.yaml: there is no Rollout, Canary or Delivery in these files: `app.yaml` holds Deployment, Service; \
         `empty.yaml` holds no document; `templates.yaml` holds AnalysisTemplate; add one, as these alone do nothing"
    );
    assert_eq!(named, only.replace("Delivery in", "Delivery `app` in").replace("add one", "add it"));
    assert_eq!(
        found(&[]).0,
        "manifests: there is no Rollout, Canary or Delivery in these files: no file was given; add one, as these alone do \
         nothing"
    );
}

#[test]
fn a_rollout_that_is_not_there() {
    let manifests = read(&[Source::new("app.yaml", canary_with("- setWeight: 20"))], Mode::Strict).unwrap();
    assert_eq!(
        manifests.compile("shop").unwrap_err().to_string(),
        "app.yaml: there is no Rollout, Canary or Delivery `shop`: choose `app`"
    );
    assert!(manifests.compile("app").is_ok() && manifests.compile_only().is_ok());
}

/// What a reader sees, whichever step finds it.
fn assert_faults(text: &str, expected: &[&str]) {
    let faults = match read(&[Source::new("app.yaml", text)], Mode::Strict) {
        Ok(manifests) => manifests.compile_all().unwrap_err(),
        Err(faults) => faults,
    };
    let found: Vec<_> = faults.to_string().lines().map(str::to_owned).collect();
    assert_eq!(found, expected);
}

fn rollout(spec: &str) -> String {
    format!("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: app}}\nspec:\n  {spec}")
}

fn canary_with(steps: &str) -> String {
    rollout(&format!("strategy:\n    canary:\n      steps:\n      {steps}"))
}

fn canary(analysis: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: app}}\nspec:\n  targetRef: {{name: app}}\n  \
         analysis:\n    {analysis}"
    )
}

fn template(args: &str, condition: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {{name: success}}\nspec:\n  {args}\n  \
         metrics:\n  - name: success\n    count: 1\n    successCondition: {condition}\n    provider: {{prometheus: \
         {{query: up}}}}"
    )
}
