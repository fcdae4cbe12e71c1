//! Numbers that may be given as a percentage.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::share::{Share, clamp};

/// A number of instances, or a share of the whole.
///
/// Parsed from `3`, `25%`, and also printed that way.
///
/// ```
/// use serinus_core::capacity::Amount;
///
/// let surge: Amount = "25%".parse()?;
/// assert_eq!((surge.up(10), surge.down(10)), (3, 2));
/// # Ok::<(), serinus_core::capacity::AmountError>(())
/// ```
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

impl Amount {
    /// The number of instances, rounded up: for a surge.
    pub const fn up(self, replicas: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => clamp(Share::of(percent as u64, 100).up(replicas as u64)),
        }
    }

    /// The number of instances, rounded down: for an unavailability.
    pub const fn down(self, replicas: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => clamp(Share::of(percent as u64, 100).down(replicas as u64)),
        }
    }

    /// Surge and unavailability of `replicas` instances, as numbers. If both are zero nothing could ever move, so one
    /// instance may then be unavailable.
    pub const fn limits(surge: Self, unavailable: Self, replicas: u32) -> (u32, u32) {
        match (surge.up(replicas), unavailable.down(replicas)) {
            (0, 0) => (0, 1),
            limits => limits,
        }
    }

    /// Whether `ready` instances are enough, this amount of `desired` being needed: all of them if the amount is more
    /// than there are.
    pub const fn is_met(self, ready: u32, desired: u32) -> bool {
        let needed = self.up(desired);
        ready >= if needed < desired { needed } else { desired }
    }

    /// The amount in a text of Argo Rollouts: as [`Amount::from_str`], except that a bare number in a text, `"25"`, is a
    /// percentage there.
    ///
    /// # Errors
    ///
    /// If the text is neither.
    pub fn from_argo_text(text: &str) -> Result<Self, AmountError> {
        Ok(match text.parse()? {
            Self::Count(number) | Self::Percent(number) => Self::Percent(number),
        })
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let number = |digits: &str| {
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                digits.parse::<u32>().ok()
            } else {
                None
            }
        };
        let amount = match text.strip_suffix('%') {
            Some(percent) => number(percent).map(Self::Percent),
            None => number(text).map(Self::Count),
        };
        amount.ok_or_else(|| AmountError { text: text.to_owned() })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount: expected a whole number such as 3, or a percentage such as 25%")]
pub struct AmountError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_prints_what_it_parses() {
        for text in ["0", "3", "25%", "0%", "4294967295"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        for text in ["", "%", "-1", "+1", "1.5", "25 %", "4294967296", "a"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert_eq!(Amount::from_argo_text("25"), Ok(Amount::Percent(25)));
        assert_eq!(Amount::from_argo_text("25%"), Ok(Amount::Percent(25)));
    }

    #[test]
    fn one_instance_may_move_if_none_is_allowed_to() {
        assert_eq!(Amount::limits(Amount::Percent(0), Amount::Count(0), 10), (0, 1));
        assert_eq!(Amount::limits(Amount::Percent(25), Amount::Percent(25), 10), (3, 2));
        assert_eq!(Amount::limits(Amount::Count(0), Amount::Percent(25), 1), (0, 1));
    }

    #[test]
    fn a_threshold_never_asks_for_more_than_there_is() {
        assert!(Amount::Percent(90).is_met(9, 10) && !Amount::Percent(90).is_met(8, 10));
        assert!(Amount::Percent(90).is_met(0, 0));
        assert!(Amount::Count(20).is_met(10, 10) && !Amount::Count(20).is_met(9, 10));
    }
}
