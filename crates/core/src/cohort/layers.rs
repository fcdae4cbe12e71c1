use serde::{Deserialize, Serialize};

use super::{
    CohortError, Experiment, Layer, Salt,
    layer::{same_salt, unknown_layer},
    written::WrittenLayers,
};
use crate::traffic::Weight;

/// All layers of a product, and the subjects who are held out of all of them.
///
/// Every salt is used once: for one holdout, one layer or one experiment. So all draws are independent.
///
/// ```
/// use serinus_core::cohort::{Assignment, Layers};
///
/// // As JSON, or as YAML with the reader of your choice.
/// let layers: Layers = serde_json::from_str(
///     r#"{
///         "holdouts": [{ "salt": "holdout-2026", "share": "5%" }],
///         "layers": [{
///             "salt": "search",
///             "experiments": [{
///                 "name": "ranking",
///                 "weight": "50%",
///                 "variants": [{ "name": "old", "weight": "50%" }, { "name": "new", "weight": "50%" }]
///             }]
///         }]
///     }"#,
/// )?;
/// match layers.assign("search", "user-8")? {
///     Assignment::Enrolled { experiment, variant } => {
///         assert_eq!((experiment.name(), variant), ("ranking", Some("old")));
///     }
///     Assignment::HeldOut(_) | Assignment::Free => unreachable!("this one is in"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenLayers", into = "WrittenLayers")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "WrittenLayers"))]
pub struct Layers {
    holdouts: Vec<Holdout>,
    layers: Vec<Layer>,
}

/// A share of all subjects who are in no experiment of any layer, so that the effect of all experiments together can be
/// measured against them.
///
/// It takes places from the low end: raising the share lets nobody back in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holdout {
    salt: Salt,
    share: Weight,
}

/// What a layer means for a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must handle every case; a new one is a breaking change"
)]
pub enum Assignment<'a> {
    /// The subject is in no experiment at all.
    HeldOut(&'a Holdout),
    /// No experiment of the layer holds the subject's place.
    Free,
    /// The subject is in an experiment.
    Enrolled {
        /// The experiment.
        experiment: &'a Experiment,
        /// Its variant; none if the variants leave places free and the subject is in one of these.
        variant: Option<&'a str>,
    },
}

impl Holdout {
    /// A holdout; its salt is its name.
    pub fn new(salt: impl Into<Salt>, share: Weight) -> Self {
        Self { salt: salt.into(), share }
    }

    /// Whether a subject is held out.
    pub fn holds(&self, subject: impl AsRef<[u8]>) -> bool {
        self.salt.place(subject).is_below(self.share)
    }

    /// The salt.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The share of all subjects.
    pub fn share(&self) -> Weight {
        self.share
    }
}

impl Layers {
    /// These layers, with these holdouts.
    ///
    /// # Errors
    ///
    /// If two of all the holdouts, layers and experiments have the same salt.
    pub fn new(
        holdouts: impl IntoIterator<Item = Holdout>,
        layers: impl IntoIterator<Item = Layer>,
    ) -> Result<Self, CohortError> {
        let layers = Self { holdouts: holdouts.into_iter().collect(), layers: layers.into_iter().collect() };
        layers.check_salts()?;
        Ok(layers)
    }

    /// What a layer means for a subject.
    ///
    /// # Errors
    ///
    /// If no layer has this salt.
    pub fn assign(&self, layer: &str, subject: impl AsRef<[u8]>) -> Result<Assignment<'_>, CohortError> {
        let subject = subject.as_ref();
        let found = self.layers.iter().find(|found| found.salt().as_str() == layer);
        let layer = found.ok_or_else(|| unknown_layer(layer, self.layers.iter()))?;
        if let Some(holdout) = self.held_out(subject) {
            return Ok(Assignment::HeldOut(holdout));
        }
        Ok(layer.experiment_of(subject).map_or(Assignment::Free, |experiment| Assignment::Enrolled {
            experiment,
            variant: experiment.variant_of(subject),
        }))
    }

    /// The first holdout that holds a subject.
    pub fn held_out(&self, subject: impl AsRef<[u8]>) -> Option<&Holdout> {
        let subject = subject.as_ref();
        self.holdouts.iter().find(|holdout| holdout.holds(subject))
    }

    /// The holdouts.
    pub fn holdouts(&self) -> &[Holdout] {
        &self.holdouts
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    fn check_salts(&self) -> Result<(), CohortError> {
        let holdouts =
            self.holdouts.iter().map(|holdout| (&holdout.salt, format!("the holdout `{}`", holdout.salt)));
        let layers = self.layers.iter().flat_map(|layer| {
            let experiments = layer.experiments().iter();
            let experiments = experiments.map(|experiment| (experiment.drawn_under(), experiment.called()));
            experiments.chain([(layer.salt(), format!("the layer `{}`", layer.salt()))])
        });
        let mut salts: Vec<_> = holdouts.chain(layers).collect();
        salts.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        for pair in salts.windows(2) {
            if let [(salt, first), (other, second)] = pair
                && salt == other
            {
                return Err(same_salt(salt, first.clone(), second.clone()));
            }
        }
        Ok(())
    }
}

impl TryFrom<WrittenLayers> for Layers {
    type Error = CohortError;

    fn try_from(WrittenLayers { holdouts, layers }: WrittenLayers) -> Result<Self, CohortError> {
        Self::new(holdouts, layers)
    }
}

impl From<Layers> for WrittenLayers {
    fn from(Layers { holdouts, layers }: Layers) -> Self {
        Self { holdouts, layers }
    }
}
