//! Manifests for Serinus: those of Argo Rollouts and Flagger, and its own, compiled to plans.
//!
//! Manifests that people have are read as they are and compiled to a [`Plan`](serinus_core::rollout::Plan), which
//! the engine of `serinus-core` runs, in a cluster or anywhere else. Read are, in YAML of one or several documents
//! or in JSON:
//!
//! | group | kinds |
//! |---|---|
//! | `argoproj.io/v1alpha1` | `Rollout` (`canary` and `blueGreen`), `AnalysisTemplate`, `ClusterAnalysisTemplate` |
//! | `flagger.app/v1beta1` | `Canary` (weighted, blue/green, A/B, mirrored), `MetricTemplate` |
//! | `serinus.dev/v1alpha1` | `Delivery`: a strategy of `serinus-core` (`canary`, `blueGreen`, `rollingUpdate`, `recreate`) or a `plan`, in the form that serde gives it, with weights as percentages |
//!
//! ```
//! use serinus_core::{rollout::Step, time::GoDuration, traffic::Weight};
//! use serinus_k8s::{Mode, Source, explain, read};
//!
//! let text = r#"
//! apiVersion: argoproj.io/v1alpha1
//! kind: Rollout
//! metadata: {name: checkout}
//! spec:
//!   replicas: 5
//!   strategy:
//!     canary:
//!       steps:
//!       - setWeight: 20
//!       - pause: {duration: 5m}
//! "#;
//! let manifests = read(&[Source::new("checkout.yaml", text)], Mode::Strict)?;
//! let compiled = manifests.compile("checkout")?;
//! assert_eq!(
//!     compiled.plan.steps(),
//!     [Step::Weight(Weight::percent(20.0)), Step::Hold(Some(GoDuration::from_mins(5)))]
//! );
//! println!("{}", explain(&compiled));
//!
//! // Whatever is wrong is said at once, each with its place and what to do.
//! let faults = read(&[Source::new("checkout.yaml", text.replace("20", "200"))], Mode::Strict)?
//!     .compile("checkout")
//!     .unwrap_err();
//! assert_eq!(
//!     faults.to_string(),
//!     "checkout.yaml:10:20: spec.strategy.canary.steps[0].setWeight: 200 is out of range: use 0 to 100"
//! );
//! # Ok::<(), serinus_k8s::Faults>(())
//! ```
//!
//! # Comparing with stable
//!
//! A manifest of Argo Rollouts or Flagger decides as it is written. The annotation `serinus.dev/compare` on a Rollout
//! or a Canary adds a comparison of candidate and stable ([`Comparison`](serinus_core::analysis::Comparison)) beside the
//! steps in which both take traffic: `failures`, `latency`, `failures,latency`, or `default`, which is both. What it
//! adds is among the [`Compiled::warnings`].
//!
//! # Kayenta
//!
//! A metric of the provider `kayenta` is judged here, by Kayenta's judge
//! ([`analysis::kayenta`](serinus_core::analysis::kayenta)) and without its service. It needs the canary config, the JSON
//! that Kayenta gives, under the key `NAME.json` in the `data` of a ConfigMap among the manifests, as
//! `kubectl create configmap canary-configs --from-file=NAME.json --dry-run=client -o yaml` writes it; `NAME` is the
//! `canaryConfigName`. `start` and `end` of a scope are times, or reckoned from the moment of the measurement:
//! `now() - duration("10m")`. The plan asks the provider `kayenta`: put a
//! [`KayentaProvider`](serinus_core::analysis::kayenta::KayentaProvider) around the one that asks Prometheus.
//!
//! # What is refused
//!
//! - A field that the resource definition does not know, in [`Mode::Strict`]: with the field that was probably
//!   meant, or the place it belongs to. [`Mode::Lenient`] drops it, as an API server does, and lists it.
//! - A field that is known and that a plan cannot express yet: by name, with what to do instead. In both modes.
//! - Values out of range, steps of two kinds, templates that are not there, arguments without a value, conditions
//!   that do not parse.
//!
//! Fields that matter in a cluster only (selectors, pod templates, the names of services, ingresses and meshes) are
//! taken as they are: in a local run the data plane stands in for whatever router the manifest names. What a
//! cluster would refuse in them is in [`Compiled::warnings`].
//!
//! # Limits
//!
//! All texts together: 1 MiB. One document: 64 levels, 150 000 values with its aliases unfolded. One text: 1024
//! documents. Beyond them is a fault, not a panic and not a full memory.

mod argo;
mod compare;
mod compiled;
mod explain;
mod fault;
mod flagger;
mod kind;
mod ledger;
mod manifests;
mod native;
mod node;
mod pattern;
mod place;
mod placeholder;
mod read;
mod schema;

pub use self::{
    compiled::{Compiled, Names, Strategy},
    explain::explain,
    fault::{Fault, FaultKind, Faults},
    kind::Kind,
    manifests::{Manifests, Named, Other},
    read::{Mode, Source, read},
};
