//! The fields of a plan of Serinus' own, `serinus.dev/v1alpha1`. What is below `strategy` and `plan` is known by the
//! types that are read from it.

use super::{Field, METADATA, any, object, text};

pub(crate) const DELIVERY: &[Field] = &[
    text("apiVersion"),
    text("kind"),
    METADATA,
    object("spec", &[any("strategy"), any("plan")]),
    any("status"),
];
