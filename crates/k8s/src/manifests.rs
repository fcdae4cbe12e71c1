//! The manifests that were read, and the way from them to plans.

use std::collections::BTreeSet;

use crate::{
    argo,
    compiled::Compiled,
    fault::{Fault, FaultKind, Faults},
    flagger,
    kind::Kind,
    native,
    node::Node,
    place::Place,
    read::Source,
};

/// Manifests that go together, checked against their schemas. Made by [`read`](crate::read).
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    pub(crate) documents: Vec<Document>,
    pub(crate) dropped: Vec<Fault>,
    pub(crate) others: Vec<Other>,
    /// The names of the sources, in order; those without a document, too.
    sources: Vec<String>,
    /// Workloads, for their number of replicas.
    workloads: Vec<Workload>,
    /// ConfigMaps, for the canary configs in them.
    configs: Vec<Config>,
}

impl Manifests {
    /// The rollouts, canaries and deliveries, in the order of the texts.
    pub fn rollouts(&self) -> impl Iterator<Item = Named<'_>> {
        self.documents.iter().filter(|document| document.kind.is_rollout()).map(|document| Named {
            kind: document.kind,
            name: &document.name,
            namespace: document.namespace.as_deref(),
        })
    }

    /// Unknown fields that were left out; always empty in [`Mode::Strict`](crate::Mode::Strict).
    pub fn dropped(&self) -> &[Fault] {
        &self.dropped
    }

    /// Documents of other kinds, which play no part.
    pub fn ignored(&self) -> &[Other] {
        &self.others
    }

    /// Compiles the rollout or canary of this name: `checkout`, or `shop/checkout` with its namespace.
    ///
    /// # Errors
    ///
    /// Everything in it, and in the templates it names, that keeps it from being a plan; or that there is no such
    /// rollout, or more than one.
    pub fn compile(&self, name: &str) -> Result<Compiled, Faults> {
        let (namespace, bare) = match name.split_once('/') {
            Some((namespace, bare)) => (Some(namespace), bare),
            None => (None, name),
        };
        let mut found = self.documents.iter().filter(|document| {
            document.kind.is_rollout()
                && document.name == bare
                && (namespace.is_none() || document.namespace.as_deref() == namespace)
        });
        match (found.next(), found.next()) {
            (Some(document), None) => self.compile_document(document),
            (None, _) if self.rollouts().next().is_none() => Err(self.nothing(format!(
                "there is no Rollout, Canary or Delivery `{name}` in these files: {}; add it, as these alone do nothing",
                self.found()
            ))),
            (None, _) => {
                Err(self
                    .nothing(format!("there is no Rollout, Canary or Delivery `{name}`: choose {}", self.choice())))
            }
            (Some(_), Some(_)) => Err(self.nothing(format!(
                "`{name}` is the name of more than one: write it as `namespace/name`; choose {}",
                self.choice()
            ))),
        }
    }

    /// Compiles the only rollout or canary.
    ///
    /// # Errors
    ///
    /// As [`Manifests::compile`]; or that there is none, or more than one.
    pub fn compile_only(&self) -> Result<Compiled, Faults> {
        let mut rollouts = self.documents.iter().filter(|document| document.kind.is_rollout());
        match (rollouts.next(), rollouts.next()) {
            (Some(document), None) => self.compile_document(document),
            (None, _) => Err(self.nothing(format!(
                "there is no Rollout, Canary or Delivery in these files: {}; add one, as these alone do nothing",
                self.found()
            ))),
            (Some(_), Some(_)) => {
                Err(self.nothing(format!("there is more than one rollout: choose {}", self.choice())))
            }
        }
    }

    /// Compiles every rollout and canary. Templates alone give no plan, and are checked as far as that goes without
    /// their arguments.
    ///
    /// # Errors
    ///
    /// Everything that keeps any of them from being a plan.
    pub fn compile_all(&self) -> Result<Vec<Compiled>, Faults> {
        let mut compiled = Vec::new();
        let mut faults = Vec::new();
        if self.rollouts().next().is_none() {
            faults.extend(self.documents.iter().flat_map(|template| argo::check_template(self, template)));
        }
        for document in self.documents.iter().filter(|document| document.kind.is_rollout()) {
            match self.compile_document(document) {
                Ok(one) => compiled.push(one),
                Err(more) => faults.extend(more),
            }
        }
        Faults::check(faults).map(|()| compiled)
    }

    /// The document of this kind and name that a document of this namespace names. A namespace that is not written
    /// is whichever the file is applied to, so it fits every other.
    pub(crate) fn find(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Option<&Document> {
        let named =
            || self.documents.iter().filter(|document| document.kind == kind && document.name == name);
        if kind == Kind::ClusterAnalysisTemplate {
            return named().next();
        }
        let exact = named().find(|document| document.namespace.as_deref() == namespace);
        exact.or_else(|| named().find(|document| document.namespace.is_none() || namespace.is_none()))
    }

    /// The names of all documents of a kind, for messages.
    pub(crate) fn names_of(&self, kind: Kind) -> String {
        let names: Vec<_> = self
            .documents
            .iter()
            .filter(|document| document.kind == kind)
            .map(|document| format!("`{}`", document.name))
            .collect();
        if names.is_empty() { "none".into() } else { names.join(", ") }
    }

    /// How many replicas the workload of this name has, if its manifest is among these and says.
    pub(crate) fn replicas_of(&self, namespace: Option<&str>, kind: &str, name: &str) -> Option<u32> {
        let fits = |workload: &&Workload| {
            workload.kind == kind
                && workload.name == name
                && (workload.namespace.is_none()
                    || namespace.is_none()
                    || workload.namespace.as_deref() == namespace)
        };
        self.workloads.iter().find(fits).map(|workload| workload.replicas)
    }

    /// The first entry of this key in the `data` of a ConfigMap of this namespace.
    pub(crate) fn config_entry(&self, namespace: Option<&str>, key: &str) -> Option<Place<'_>> {
        let fits = |config: &&Config| {
            config.namespace.is_none() || namespace.is_none() || config.namespace.as_deref() == namespace
        };
        self.configs
            .iter()
            .filter(fits)
            .find_map(|config| Place::root(&config.file, &config.node).find(&["data", key]))
    }

    /// None yet, of these sources.
    pub(crate) fn of(sources: &[Source]) -> Self {
        Self { sources: sources.iter().map(|source| source.name.clone()).collect(), ..Self::default() }
    }

    pub(crate) fn keep_other(&mut self, other: Other, source: &Source, node: Node) {
        let place = Place::root(&source.name, &node);
        let namespace = place.find(&["metadata"]).and_then(|metadata| metadata.name_in("namespace"));
        let namespace = namespace.map(str::to_owned);
        let replicas = place.get("spec").and_then(|spec| spec.integer("replicas"));
        if let Some(replicas) = replicas.and_then(|replicas| u32::try_from(replicas).ok()) {
            self.workloads.push(Workload {
                kind: other.kind.clone(),
                name: other.name.clone(),
                namespace: namespace.clone(),
                replicas,
            });
        }
        if other.kind == "ConfigMap" {
            self.configs.push(Config { namespace, file: source.name.clone(), node });
        }
        self.others.push(other);
    }

    fn compile_document(&self, document: &Document) -> Result<Compiled, Faults> {
        match document.kind {
            Kind::Rollout => argo::compile(self, document),
            Kind::Delivery => native::compile(document),
            Kind::Canary | Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate | Kind::MetricTemplate => {
                flagger::compile(self, document)
            }
        }
    }

    /// The names of all rollouts, canaries and deliveries, for messages.
    fn choice(&self) -> String {
        let names: Vec<_> = self
            .rollouts()
            .map(|named| match named.namespace {
                Some(namespace) => format!("`{namespace}/{}`", named.name),
                None => format!("`{}`", named.name),
            })
            .collect();
        names.join(" or ")
    }

    /// What is in each source, for messages.
    fn found(&self) -> String {
        let found = self.sources.iter().map(|source| {
            let documents = self.documents.iter().filter(|document| document.file == *source);
            let kinds = documents.map(|document| document.kind.to_string());
            let others = self.others.iter().filter(|other| other.file == *source);
            let kinds: BTreeSet<_> = kinds.chain(others.map(|other| other.kind.clone())).collect();
            if kinds.is_empty() {
                format!("`{source}` holds no document")
            } else {
                format!("`{source}` holds {}", Vec::from_iter(kinds).join(", "))
            }
        });
        let found: Vec<_> = found.collect();
        if found.is_empty() { "no file was given".into() } else { found.join("; ") }
    }

    fn nothing(&self, message: String) -> Faults {
        let mistaken = self.others.iter().find_map(|other| {
            let kinds = [Kind::Rollout, Kind::Canary, Kind::Delivery];
            let meant = kinds.into_iter().find(|kind| other.kind.eq_ignore_ascii_case(&kind.to_string()))?;
            Some((other, meant))
        });
        let (file, line, message) = match mistaken {
            Some((other, meant)) => {
                let reason = if other.kind == meant.to_string() {
                    format!("`apiVersion` is `{}` and not `{}`", other.api_version, meant.api_version())
                } else {
                    format!("`kind` is not written `{meant}`")
                };
                let message =
                    format!("{message} (ignored: {} `{}`, because its {reason})", other.kind, other.name);
                (other.file.clone(), other.line, message)
            }
            None => {
                let file = self.sources.first().map_or("manifests", String::as_str);
                (file.to_owned(), 0, message)
            }
        };
        let (column, field, kind) = (line.min(1), String::new(), FaultKind::Missing);
        Faults::from(Fault { file, line, column, field, kind, message })
    }
}

/// A rollout or canary, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named<'a> {
    /// What it is.
    pub kind: Kind,
    /// `metadata.name`.
    pub name: &'a str,
    /// `metadata.namespace`, if written.
    pub namespace: Option<&'a str>,
}

/// A document of a kind that plays no part in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Other {
    /// The name of the source.
    pub file: String,
    /// The line it begins at.
    pub line: u32,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// Its `metadata.name`; empty if it has none.
    pub name: String,
}

/// A document of one of the kinds that are read.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) file: String,
    pub(crate) node: Node,
}

impl Document {
    pub(crate) fn place(&self) -> Place<'_> {
        Place::root(&self.file, &self.node)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.name, &self.namespace) == (other.kind, &other.name, &other.namespace)
    }
}

#[derive(Clone, Debug)]
struct Config {
    namespace: Option<String>,
    file: String,
    node: Node,
}

#[derive(Clone, Debug)]
struct Workload {
    kind: String,
    name: String,
    namespace: Option<String>,
    replicas: u32,
}
