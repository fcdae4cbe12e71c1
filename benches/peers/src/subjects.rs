//! Who asks for flags.

/// A key and three attributes.
pub(crate) struct Subject {
    pub(crate) key: String,
    pub(crate) email: String,
    pub(crate) plan: &'static str,
    pub(crate) country: &'static str,
}

/// The same subjects for everybody. A power of two, so that taking one costs next to nothing.
pub(crate) fn subjects() -> Vec<Subject> {
    (0..COUNT)
        .map(|number| Subject {
            key: format!("user-{:011}", number * 7_919),
            email: format!("user{number}@example.com"),
            plan: if number % 2 == 0 { "gold" } else { "free" },
            country: ["DE", "FR", "US", "JP"][number % 4],
        })
        .collect()
}

/// The names of the flags beside those that are measured.
pub(crate) fn other_flags() -> impl Iterator<Item = String> {
    (0..FLAGS - 3).map(|number| format!("feature-number-{number:03}"))
}

pub(crate) const COUNT: usize = 1_024;
const FLAGS: usize = 100;
/// The names of the flags that are measured.
pub(crate) const STATIC: &str = "checkout-page-static-ok";
pub(crate) const RULE: &str = "checkout-page-rule-flag";
pub(crate) const SPLIT: &str = "checkout-page-50-50-ab";
