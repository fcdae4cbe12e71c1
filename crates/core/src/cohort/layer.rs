use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    CohortError, Salt, Share, Slot, Split,
    split::one_of,
    written::{Room, WrittenExperiment, WrittenLayer},
};
use crate::traffic::Weight;

/// Experiments that exclude each other: each holds slots of the layer, no place is in two.
///
/// Layers with different salts are independent: who is in which experiment of one says nothing about the other.
///
/// ```
/// use serinus_core::{
///     cohort::{Experiment, Layer, Split},
///     traffic::Weight,
/// };
///
/// let halves = || Split::of([("old", Weight::percent(50.0)), ("new", Weight::percent(50.0))]);
/// let mut search = Layer::new("search");
/// search.add(Experiment::new("ranking", halves()?), Weight::percent(30.0))?;
/// search.add(Experiment::new("suggestions", halves()?), Weight::percent(30.0))?;
///
/// let user = "user-9";
/// let experiment = search.experiment_of(user).expect("this one is in the first 60 %");
/// assert_eq!(experiment.name(), "suggestions");
/// assert_eq!(experiment.variant_of(user), Some("new"));
/// # Ok::<(), serinus_core::cohort::CohortError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenLayer", into = "WrittenLayer")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "WrittenLayer"))]
pub struct Layer {
    salt: Salt,
    /// A share for each experiment, by its name and in the same order.
    held: Split,
    experiments: Vec<Experiment>,
}

impl Layer {
    /// A layer without experiments; its salt is its name.
    pub fn new(salt: impl Into<Salt>) -> Self {
        Self { salt: salt.into(), held: Split::default(), experiments: Vec::new() }
    }

    /// Adds an experiment, which takes the lowest free places.
    ///
    /// # Errors
    ///
    /// If the name is empty or taken, the salt is that of the layer or of another experiment in it, or too little is
    /// free.
    pub fn add(&mut self, experiment: Experiment, weight: Weight) -> Result<(), CohortError> {
        self.check(&experiment)?;
        self.held.add(experiment.name.clone(), weight)?;
        self.experiments.push(experiment);
        Ok(())
    }

    /// Adds an experiment with the places it is to have.
    ///
    /// # Errors
    ///
    /// If the name is empty or taken, the salt is that of the layer or of another experiment in it, or another
    /// experiment holds one of the places.
    pub fn add_at(
        &mut self,
        experiment: Experiment,
        slots: impl IntoIterator<Item = Slot>,
    ) -> Result<(), CohortError> {
        self.check(&experiment)?;
        self.held.add_at(experiment.name.clone(), slots)?;
        self.experiments.push(experiment);
        Ok(())
    }

    /// Raises or lowers the share of an experiment, as [`Split::resize`] does. Nobody who is in an experiment gets
    /// another variant by it, or another experiment.
    ///
    /// # Errors
    ///
    /// If there is no such experiment, or too little is free.
    pub fn resize(&mut self, experiment: &str, to: Weight) -> Result<(), CohortError> {
        self.held.resize(experiment, to)
    }

    /// Ends an experiment. Whoever takes its places next meets subjects who have been in it: leave them free for as
    /// long as its effects may last.
    ///
    /// # Errors
    ///
    /// If there is no such experiment.
    pub fn remove(&mut self, experiment: &str) -> Result<Experiment, CohortError> {
        let index = self.held.index_of(experiment)?;
        self.held.remove(experiment)?;
        Ok(self.experiments.remove(index))
    }

    /// The experiment that a subject belongs to; none if nobody holds its place. Holdouts are not asked: see
    /// [`Layers`](super::Layers).
    pub fn experiment_of(&self, subject: impl AsRef<[u8]>) -> Option<&Experiment> {
        let index = self.held.index_at(self.salt.place(subject))?;
        self.experiments.get(index)
    }

    /// The salt.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The experiments, in the order in which they were added.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// The places of each experiment, under its name.
    pub fn shares(&self) -> &[Share] {
        self.held.shares()
    }

    /// What no experiment holds.
    pub fn free(&self) -> Weight {
        self.held.free()
    }

    fn check(&self, experiment: &Experiment) -> Result<(), CohortError> {
        self.check_alone(experiment)?;
        match self.experiments.iter().find(|other| other.is_drawn_as(experiment)) {
            Some(other) => Err(same_salt(&experiment.salt, other.called(), experiment.called())),
            None => Ok(()),
        }
    }

    fn check_alone(&self, experiment: &Experiment) -> Result<(), CohortError> {
        if experiment.name.is_empty() {
            return Err(CohortError::Nameless { what: "an experiment" });
        }
        if self.salt == experiment.salt {
            let layer = format!("the layer `{}`", self.salt);
            return Err(same_salt(&self.salt, layer, experiment.called()));
        }
        Ok(())
    }

    /// As [`Layer::check`] for each, but for all at once: a document may have many.
    fn check_all(&self) -> Result<(), CohortError> {
        let mut drawn: HashMap<&str, &Experiment> = HashMap::with_capacity(self.experiments.len());
        for experiment in &self.experiments {
            self.check_alone(experiment)?;
            match drawn.insert(experiment.salt.as_str(), experiment) {
                Some(other) if other.is_drawn_as(experiment) => {
                    return Err(same_salt(&experiment.salt, other.called(), experiment.called()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// An experiment: variants, drawn under a salt of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    name: Arc<str>,
    salt: Salt,
    variants: Split,
}

impl Experiment {
    /// An experiment whose salt is its name.
    pub fn new(name: impl Into<Arc<str>>, variants: Split) -> Self {
        let name = name.into();
        Self { salt: Salt::new(name.clone()), name, variants }
    }

    /// Draws its subjects under another salt: that of an earlier run, to give everybody what they had, or a new one, to
    /// draw anew.
    #[must_use = "the salt is in the value returned"]
    pub fn salt(mut self, salt: impl Into<Salt>) -> Self {
        self.salt = salt.into();
        self
    }

    /// The variant of a subject who is in the experiment; none if no variant holds its place.
    pub fn variant_of(&self, subject: impl AsRef<[u8]>) -> Option<&str> {
        self.variants.at(self.salt.place(subject))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The salt that its variants are drawn under.
    pub fn drawn_under(&self) -> &Salt {
        &self.salt
    }

    /// Its variants.
    pub fn variants(&self) -> &Split {
        &self.variants
    }

    /// Whether another experiment has the same salt. A name that stands twice is told as that.
    fn is_drawn_as(&self, other: &Self) -> bool {
        self.salt == other.salt && self.name != other.name
    }

    pub(super) fn called(&self) -> String {
        format!("the experiment `{}`", self.name)
    }
}

pub(super) fn same_salt(salt: &Salt, first: String, second: String) -> CohortError {
    CohortError::SameSalt { salt: salt.clone().into(), first, second }
}

pub(super) fn unknown_layer<'a>(name: &str, layers: impl Iterator<Item = &'a Layer>) -> CohortError {
    CohortError::Unknown { name: name.into(), expected: one_of(layers.map(|layer| layer.salt.as_str())) }
}

impl TryFrom<WrittenLayer> for Layer {
    type Error = CohortError;

    fn try_from(WrittenLayer { salt, experiments }: WrittenLayer) -> Result<Self, CohortError> {
        let mut layer = Self::new(salt);
        let mut rooms = Vec::with_capacity(experiments.len());
        for WrittenExperiment { name, salt, weight, slots, variants } in experiments {
            rooms.push((name.clone(), Room::read(&name, weight, slots)?));
            let salt = salt.unwrap_or_else(|| Salt::new(name.clone()));
            layer.experiments.push(Experiment { name, salt, variants });
        }
        layer.check_all()?;
        layer.held = Split::with_rooms(rooms)?;
        Ok(layer)
    }
}

impl From<Layer> for WrittenLayer {
    fn from(Layer { salt, held, experiments }: Layer) -> Self {
        let shares = held.shares().iter().map(|share| share.slots().to_vec());
        let experiments = experiments.into_iter().zip(shares).map(|(experiment, slots)| {
            let Experiment { name, salt, variants } = experiment;
            let salt = (*name != *salt.as_str()).then_some(salt);
            WrittenExperiment { name, salt, weight: None, slots: Some(slots), variants }
        });
        Self { salt, experiments: experiments.collect() }
    }
}
