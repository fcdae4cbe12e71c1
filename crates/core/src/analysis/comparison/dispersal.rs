//! By how much evidence is divided, where counts scatter more than chance makes them.

use serde::{Deserialize, Serialize};

use crate::{metric::Number, stats::dispersion::Dispersion};

/// How many times more the counts vary within a window than independent requests would
/// ([`stats::dispersion`](crate::stats::dispersion)). Written as a number, or as `windows: 30`.
///
/// It grows with the requests in a window: what was found with windows of one length, traffic and number of instances
/// holds for those alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Dispersal {
    /// This many times, at least 1.
    Fixed(Number),
    /// As many times as stable and a control group of its own instances ([`Arms::control`](crate::metric::Arms::control))
    /// show in the first windows in which something fails (of latencies, is slow). Until then there is not enough data
    /// for anything, harm included.
    Calibrated {
        /// How many windows; at least [`Dispersion::LEAST_WINDOWS`].
        windows: u32,
    },
}

impl Dispersal {
    /// Whether the numbers are in range.
    pub(super) fn is_usable(self) -> bool {
        match self {
            Self::Fixed(times) => times.get().is_finite() && times.get() >= 1.0,
            Self::Calibrated { windows } => u64::from(windows) >= Dispersion::LEAST_WINDOWS,
        }
    }
}

impl Default for Dispersal {
    /// That of independent requests.
    fn default() -> Self {
        Self::Fixed(Number::new(1.0))
    }
}

impl From<Number> for Dispersal {
    fn from(times: Number) -> Self {
        Self::Fixed(times)
    }
}

impl std::fmt::Display for Dispersal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(times) => times.fmt(f),
            Self::Calibrated { windows } => write!(f, "calibrated in {windows} windows"),
        }
    }
}
