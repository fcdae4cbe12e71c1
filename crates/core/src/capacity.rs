//! Replica arithmetic: how many instances of each revision a weight needs.

use serde::{Deserialize, Serialize};

/// A number of instances, or a share of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes knows these two and no other")]
pub enum Amount {
    /// This many.
    Count(u32),
    /// This many of a hundred.
    Percent(u32),
}
