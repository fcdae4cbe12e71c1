//! The forms in which people write cohorts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CohortError, Holdout, Layer, Salt, Slot, Split};
use crate::traffic::Weight;

/// A share of a split, with what it is to hold.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WrittenShare {
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    name: Arc<str>,
    /// How much it gets, of the lowest places that are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight: Option<Weight>,
    /// The places it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slots: Option<Vec<Slot>>,
}

/// An experiment of a layer, with what it is to hold.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WrittenExperiment {
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(super) name: Arc<str>,
    /// The name, if it is not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<Salt>,
    /// How much of the layer it gets, of the lowest places that are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<Weight>,
    /// The places of the layer it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) slots: Option<Vec<Slot>>,
    pub(super) variants: Split,
}

/// A layer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WrittenLayer {
    pub(super) salt: Salt,
    #[serde(default)]
    pub(super) experiments: Vec<WrittenExperiment>,
}

/// Holdouts and layers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WrittenLayers {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) holdouts: Vec<Holdout>,
    #[serde(default)]
    pub(super) layers: Vec<Layer>,
}

/// What a share is to hold.
pub(super) enum Room {
    Weight(Weight),
    Slots(Vec<Slot>),
}

impl WrittenShare {
    pub(super) fn new(name: Arc<str>, slots: Vec<Slot>) -> Self {
        Self { name, weight: None, slots: Some(slots) }
    }

    pub(super) fn read(self) -> Result<(Arc<str>, Room), CohortError> {
        let room = Room::read(&self.name, self.weight, self.slots)?;
        Ok((self.name, room))
    }
}

impl Room {
    pub(super) fn read(
        name: &Arc<str>,
        weight: Option<Weight>,
        slots: Option<Vec<Slot>>,
    ) -> Result<Self, CohortError> {
        match (weight, slots) {
            (Some(weight), None) => Ok(Self::Weight(weight)),
            (None, Some(slots)) => Ok(Self::Slots(slots)),
            (Some(_), Some(_)) => Err(CohortError::EitherWeightOrSlots { name: name.clone(), found: "both" }),
            (None, None) => Err(CohortError::EitherWeightOrSlots { name: name.clone(), found: "neither" }),
        }
    }
}
