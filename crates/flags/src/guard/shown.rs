//! Which variant the control was shown when.

use std::sync::{Mutex, PoisonError};

use super::counters::ArmReading;

/// The counts of the control by the variant that it was shown: a document may have another default at any time.
#[derive(Debug, Default)]
pub(crate) struct Shown(Mutex<Vec<Of>>);

/// What is counted of one variant.
#[derive(Debug)]
struct Of {
    variant: Box<str>,
    counted: Counted,
}

#[derive(Debug)]
enum Counted {
    /// What there was before this variant was shown; it is shown still.
    Since(ArmReading),
    /// Another one is shown now.
    UpTo(ArmReading),
}

impl Shown {
    /// From now on it is this variant, everything up to now having been counted of the one before.
    pub(crate) fn switch_to(&self, variant: &str, now: impl FnOnce() -> ArmReading) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|of| *of.variant == *variant && matches!(of.counted, Counted::Since(_))) {
            return;
        }
        let now = now();
        for of in &mut *all {
            if let Counted::Since(before) = &of.counted {
                of.counted = Counted::UpTo(now.since(before));
            }
        }
        match all.iter_mut().find(|of| *of.variant == *variant) {
            // As if only what there was beside it had been there before.
            Some(of) => {
                if let Counted::UpTo(counted) = &of.counted {
                    of.counted = Counted::Since(now.since(counted));
                }
            }
            None => {
                let before = if all.is_empty() { ArmReading::default() } else { now };
                all.push(Of { variant: variant.into(), counted: Counted::Since(before) });
            }
        }
    }

    /// The counts up to now, by variant.
    pub(crate) fn split(&self, now: &ArmReading) -> Vec<(Box<str>, ArmReading)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = all.iter().map(|of| {
            let counted = match &of.counted {
                Counted::Since(before) => now.since(before),
                Counted::UpTo(counted) => counted.clone(),
            };
            (of.variant.clone(), counted)
        });
        counts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(errors: u64) -> ArmReading {
        ArmReading { errors, ..ArmReading::default() }
    }

    #[test]
    fn what_is_counted_stays_with_the_variant_that_was_shown() {
        let shown = Shown::default();
        shown.switch_to("old", || counted(0));
        shown.switch_to("old", || unreachable!("it is shown already"));
        shown.switch_to("new", || counted(7));
        shown.switch_to("old", || counted(10));
        let split = shown.split(&counted(30));
        let errors: Vec<_> = split.iter().map(|(variant, counted)| (&**variant, counted.errors)).collect();
        assert_eq!(errors, [("old", 27), ("new", 3)]);
    }
}
