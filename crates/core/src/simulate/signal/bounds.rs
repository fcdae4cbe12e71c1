//! Between which values a metric is good.

use crate::analysis::Judge;

/// The numbers that a judge compares with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    /// Good is above these.
    pub(super) lower: Vec<f64>,
    /// Good is below these.
    pub(super) upper: Vec<f64>,
}

impl Bounds {
    pub(super) fn of(judge: &Judge) -> Self {
        let mut bounds = Self::default();
        #[cfg(feature = "expr")]
        if let Judge::Conditions { success, failure } = judge {
            if let Some(success) = success {
                bounds.read(success.as_str(), true);
            }
            if let Some(failure) = failure {
                bounds.read(failure.as_str(), false);
            }
        }
        if let Judge::Range { min, max } = judge {
            bounds.lower.extend(min.map(|min| min.get()));
            bounds.upper.extend(max.map(|max| max.get()));
        }
        bounds
    }

    /// Every bound there is.
    pub(super) fn all(&self) -> impl Iterator<Item = f64> {
        self.lower.iter().chain(&self.upper).copied()
    }

    /// Takes comparisons with a number on the right out of a condition; nothing else is understood.
    #[cfg(feature = "expr")]
    fn read(&mut self, condition: &str, is_good: bool) {
        let mut rest = condition;
        while let Some(index) = rest.find(['<', '>']) {
            let is_lower = rest[index..].starts_with('>') == is_good;
            rest = rest[index + 1..].trim_start_matches('=').trim_start();
            let end =
                rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(rest.len());
            if let Ok(bound) = rest[..end].parse() {
                if is_lower { self.lower.push(bound) } else { self.upper.push(bound) }
            }
        }
    }
}

#[cfg(all(test, feature = "expr"))]
mod tests {
    use super::*;

    #[test]
    fn a_failure_condition_bounds_the_other_way() {
        let judge = Judge::Conditions {
            success: Some("result[0] >= 0.95 && result[0] <= 1".parse().unwrap()),
            failure: Some("result[0] < 0.9".parse().unwrap()),
        };
        assert_eq!(Bounds::of(&judge), Bounds { lower: vec![0.95, 0.9], upper: vec![1.0] });
    }
}
