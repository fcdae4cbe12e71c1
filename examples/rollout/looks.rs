//! Which looks of a comparison are worth a line: it looks every few seconds, and most looks decide nothing.

use std::collections::BTreeMap;

/// How often each metric was looked at in a row without a decision.
#[derive(Debug, Default)]
pub(crate) struct Looks(BTreeMap<String, u32>);

impl Looks {
    /// Whether a reader wants to see this measurement, `NAME: OUTCOME, …`: every one that decides something, and of
    /// those that do not the first, the second, the fourth and so on, as what they say moves ever more slowly. With
    /// how many there were since the line before, if there were any.
    pub(crate) fn is_worth_a_line(&mut self, message: &str) -> Option<u32> {
        let (metric, result) = message.split_once(": ").unwrap_or_default();
        let looks = self.0.entry(metric.to_owned()).or_default();
        if !result.starts_with("Undecided") {
            *looks = 0;
            return Some(0);
        }
        *looks += 1;
        looks.is_power_of_two().then_some((*looks / 2).saturating_sub(1))
    }
}
