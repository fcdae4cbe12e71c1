//! From texts to manifests.

use crate::{
    fault::{Fault, FaultKind, Faults},
    kind::Kind,
    manifests::{Document, Manifests, Other},
    native,
    node::{Node, Value},
    place::Place,
    schema::check::check,
};

/// A text with the name that faults call it by, usually that of the file it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The name.
    pub name: String,
    /// YAML, of one or several documents, or JSON.
    pub text: String,
}

impl Source {
    /// A text and its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// What happens to fields that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an unknown field is refused or dropped; there is no third way")]
pub enum Mode {
    /// They are faults, which say what was probably meant.
    #[default]
    Strict,
    /// They are dropped, as an API server drops them, and listed in [`Manifests::dropped`].
    Lenient,
}

/// Reads manifests that go together: rollouts or canaries with the templates they name.
///
/// All texts together may be 1 MiB long; a document may be 64 levels deep and unfold, through aliases, to 150 000
/// values.
///
/// # Errors
///
/// Everything that is wrong, in all texts at once: what is not YAML or JSON, values of the wrong type, fields that
/// are known and not supported yet, in [`Mode::Strict`] fields that are not known; and then also whatever
/// [`Manifests::compile_all`] would find, so that one look shows all there is to mend.
pub fn read(sources: &[Source], mode: Mode) -> Result<Manifests, Faults> {
    let mut faults = Vec::new();
    let mut manifests = Manifests::of(sources);
    let size: usize = sources.iter().map(|source| source.text.len()).sum();
    if size > MAX_BYTES {
        let file = sources.iter().max_by_key(|source| source.text.len()).map_or("", |source| &source.name);
        let message =
            format!("{size} bytes of manifests are more than the {MAX_BYTES} that are read: split them");
        faults.push(whole_file(file, FaultKind::Syntax, message));
        return Faults::check(faults).map(|()| manifests);
    }
    for source in sources {
        match Node::parse(&source.name, &source.text) {
            Ok(documents) => documents
                .into_iter()
                .for_each(|document| accept(source, document, mode, &mut manifests, &mut faults)),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        let found = |faults: &[Fault], new: &Fault| {
            faults.iter().any(|old| (&old.file, old.line, old.column) == (&new.file, new.line, new.column))
        };
        // A file that is not read may well hold what seems to be missing.
        let is_partial = faults.iter().any(|fault| fault.kind == FaultKind::Syntax);
        let more = manifests.compile_all().err().into_iter().flatten();
        let more = more.filter(|new| !(is_partial && new.kind == FaultKind::Missing));
        let more: Vec<_> = more.filter(|new| !found(&faults, new)).collect();
        faults.extend(more);
    }
    Faults::check(faults).map(|()| manifests)
}

fn accept(source: &Source, node: Node, mode: Mode, manifests: &mut Manifests, faults: &mut Vec<Fault>) {
    let place = Place::root(&source.name, &node);
    match &node.value {
        Value::Null => return,
        Value::Map(_) => {}
        _ => {
            let message = format!(
                "expected a manifest, a map with `apiVersion` and `kind`; this is {}",
                node.described()
            );
            return faults.push(place.fault(FaultKind::WrongType, message));
        }
    }
    let (Some(version), Some(kind)) = (place.name_in("apiVersion"), place.name_in("kind")) else {
        let missing = if place.name_in("kind").is_some() { "apiVersion" } else { "kind" };
        let message =
            format!("this document has no `{missing}`: add it, so that it is clear what the document is");
        return faults.push(place.fault(FaultKind::Missing, message));
    };
    let other = |name: Option<&str>| Other {
        file: source.name.clone(),
        line: node.line,
        api_version: version.to_owned(),
        kind: kind.to_owned(),
        name: name.unwrap_or_default().to_owned(),
    };
    let name = place.find(&["metadata"]).and_then(|metadata| metadata.name_in("name"));
    let kind = match (version.split('/').next(), kind) {
        (Some("v1"), "List") => {
            for item in place.items("items") {
                accept(source, item.node.clone(), mode, manifests, faults);
            }
            return;
        }
        (Some("argoproj.io"), "Experiment") => {
            let message = "an Experiment is not supported yet: leave the document out; compare revisions in an \
                           `analysis` step of a Rollout";
            return faults.push(place.fault(FaultKind::Unsupported, message));
        }
        (Some("argoproj.io"), "AnalysisRun") => {
            let message = "an AnalysisRun is the record of a run, not a manifest: write an AnalysisTemplate";
            return faults.push(place.fault(FaultKind::Unsupported, message));
        }
        (Some(group), kind) => match Kind::of(group, kind) {
            Some(kind) => kind,
            None => {
                let other = other(name);
                return manifests.keep_other(other, source, node);
            }
        },
        (None, _) => return manifests.others.push(other(name)),
    };
    let expected = kind.api_version();
    if version != expected {
        let message = format!("`{version}` is not read: write `{expected}`, and its fields");
        return faults.push(place.fault_in("apiVersion", FaultKind::Unsupported, message));
    }
    let Some(name) = name else {
        let message = format!("this {kind} has no name: add `metadata.name`");
        return faults.push(place.fault(FaultKind::Missing, message));
    };
    let mut findings = check(&place, kind.fields());
    if kind == Kind::Delivery {
        findings.unknown.extend(native::unknown(&place));
    }
    faults.extend(findings.faults);
    match mode {
        Mode::Strict => faults.extend(findings.unknown),
        Mode::Lenient => manifests.dropped.extend(findings.unknown),
    }
    let namespace = place.find(&["metadata"]).and_then(|metadata| metadata.name_in("namespace"));
    let document = Document {
        kind,
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        file: source.name.clone(),
        node,
    };
    if let Some(first) = manifests.documents.iter().find(|first| first.is_same(&document)) {
        let message = format!(
            "a second {kind} `{}`; the first is in {}, line {}: rename one",
            document.name, first.file, first.node.line
        );
        let fault = document.place().fault(FaultKind::Conflict, message);
        return faults.push(fault);
    }
    manifests.documents.push(document);
}

fn whole_file(file: &str, kind: FaultKind, message: String) -> Fault {
    Fault { file: file.to_owned(), line: 0, column: 0, field: String::new(), kind, message }
}

/// As much as an API server takes in one request, roughly; a hundred times what people write.
const MAX_BYTES: usize = 1024 * 1024;
