//! Faults and warnings as they are found, and the reading of values that can be at fault.

use std::ops::RangeInclusive;

use serinus_core::time::GoDuration;

use crate::{
    fault::{Fault, FaultKind, put_in_order},
    place::Place,
};

/// Faults and warnings, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
}

impl Ledger {
    /// The warnings, in the order of the text.
    pub(crate) fn into_warnings(mut self) -> Vec<Fault> {
        put_in_order(&mut self.warnings);
        self.warnings
    }

    pub(crate) fn fault(&mut self, place: &Place<'_>, kind: FaultKind, message: impl Into<String>) {
        self.faults.push(place.fault(kind, message));
    }

    /// A fault in a field that may not be there.
    pub(crate) fn fault_in(
        &mut self,
        place: &Place<'_>,
        name: &str,
        kind: FaultKind,
        message: impl Into<String>,
    ) {
        self.faults.push(place.fault_in(name, kind, message));
    }

    pub(crate) fn warn(&mut self, place: &Place<'_>, name: &str, message: impl Into<String>) {
        self.warnings.push(place.fault_in(name, FaultKind::Warning, message));
    }

    /// An integer of a range; `None` if it is not there or at fault.
    pub(crate) fn integer(
        &mut self,
        place: &Place<'_>,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Option<u32> {
        let value = place.integer(name)?;
        if !range.contains(&value) {
            let message = out_of_range(value, &range);
            self.fault_in(place, name, FaultKind::Invalid, message);
            return None;
        }
        u32::try_from(value).ok()
    }

    /// Any count from zero on.
    pub(crate) fn count(&mut self, place: &Place<'_>, name: &str) -> Option<u32> {
        self.integer(place, name, 0..=i64::from(i32::MAX))
    }

    /// A length in whole seconds.
    pub(crate) fn seconds(&mut self, place: &Place<'_>, name: &str) -> Option<GoDuration> {
        self.count(place, name).map(|seconds| GoDuration::from_secs(seconds.into()))
    }

    /// `progressDeadlineSeconds`, for which both kinds of rollouts have the same default.
    pub(crate) fn deadline(&mut self, spec: &Place<'_>) -> GoDuration {
        let written = self.integer(spec, "progressDeadlineSeconds", 1..=i64::from(i32::MAX));
        GoDuration::from_secs(written.map_or(DEFAULT_DEADLINE, u64::from))
    }

    /// A length in Go's notation, above or equal to zero.
    pub(crate) fn duration(&mut self, place: &Place<'_>, text: &str) -> Option<GoDuration> {
        match text.parse::<GoDuration>() {
            Ok(length) if length.is_negative() => {
                let message = format!("{text} is negative: use a length of zero or more, such as 30s");
                self.fault(place, FaultKind::Invalid, message);
                None
            }
            Ok(length) => Some(length),
            Err(error) => {
                self.fault(place, FaultKind::Invalid, format!("{error}; use 30s, 5m or 1h30m"));
                None
            }
        }
    }
}

pub(crate) fn out_of_range(value: i64, range: &RangeInclusive<i64>) -> String {
    let (least, most) = (range.start(), range.end());
    if *most >= i64::from(i32::MAX) {
        format!("{value} is out of range: use {least} or more")
    } else {
        format!("{value} is out of range: use {least} to {most}")
    }
}

/// In seconds.
const DEFAULT_DEADLINE: u64 = 600;
