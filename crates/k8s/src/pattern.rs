//! String matches, which both kinds of rollouts write the same way.

use serinus_core::traffic::Pattern;

use crate::place::Place;

/// The one pattern in a string match, if there is exactly one.
pub(crate) fn pattern(place: &Place<'_>) -> Option<Pattern> {
    let text = |name| place.text(name).map(str::to_owned);
    match (text("exact"), text("prefix"), text("regex")) {
        (Some(exact), None, None) => Some(Pattern::Exact(exact)),
        (None, Some(prefix), None) => Some(Pattern::Prefix(prefix)),
        (None, None, Some(regex)) => Some(Pattern::Regex(regex)),
        _ => None,
    }
}
