//! Which fields the kinds have, of which type, and which of them are not supported yet.

pub(crate) mod argo;
pub(crate) mod check;
pub(crate) mod flagger;
pub(crate) mod native;
mod nearest;

pub(crate) use self::nearest::meant;

/// A field of a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What to do instead, if Serinus cannot do yet what the field asks for.
    pub(crate) instead: Option<&'static str>,
}

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Text,
    Integer,
    Number,
    Bool,
    /// What Kubernetes calls `IntOrString`.
    IntegerOrText,
    /// Kept as it is, whatever it is.
    Any,
    Object(&'static [Field]),
    List(&'static Shape),
    /// A map whose keys are free.
    MapOf(&'static Shape),
}

impl Field {
    /// Marks the field as known and not supported yet.
    const fn instead(mut self, remedy: &'static str) -> Self {
        self.instead = Some(remedy);
        self
    }
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, instead: None }
}

const fn text(name: &'static str) -> Field {
    field(name, Shape::Text)
}

const fn integer(name: &'static str) -> Field {
    field(name, Shape::Integer)
}

const fn number(name: &'static str) -> Field {
    field(name, Shape::Number)
}

const fn boolean(name: &'static str) -> Field {
    field(name, Shape::Bool)
}

const fn integer_or_text(name: &'static str) -> Field {
    field(name, Shape::IntegerOrText)
}

const fn any(name: &'static str) -> Field {
    field(name, Shape::Any)
}

const fn object(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Shape::Object(fields))
}

const fn list(name: &'static str, of: &'static Shape) -> Field {
    field(name, Shape::List(of))
}

const fn texts(name: &'static str) -> Field {
    field(name, Shape::List(&Shape::Text))
}

const fn labels(name: &'static str) -> Field {
    field(name, Shape::MapOf(&Shape::Text))
}

const METADATA: Field = object(
    "metadata",
    &[
        text("name"),
        text("generateName"),
        text("namespace"),
        labels("labels"),
        labels("annotations"),
        text("uid"),
        text("resourceVersion"),
        integer("generation"),
        any("creationTimestamp"),
        any("deletionTimestamp"),
        integer("deletionGracePeriodSeconds"),
        any("ownerReferences"),
        any("finalizers"),
        any("managedFields"),
        text("selfLink"),
    ],
);

/// Labels and annotations that a controller puts on objects it makes.
const fn metadata_of(name: &'static str) -> Field {
    object(name, LABELS_AND_ANNOTATIONS)
}

const LABELS_AND_ANNOTATIONS: &[Field] = &[labels("labels"), labels("annotations")];
