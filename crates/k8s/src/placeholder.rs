//! `{{ name }}` in texts: plain substitution, for Argo's arguments and Flagger's variables alike.

/// Replaces each `{{ name }}` by what `value` has for the name.
///
/// # Errors
///
/// The first placeholder without an end or without a value.
pub(crate) fn fill<'v, E>(
    text: &str,
    mut value: impl FnMut(&str) -> Result<&'v str, E>,
) -> Result<String, Unfilled<E>> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let (inside, after) = after.split_once("}}").ok_or(Unfilled::Open)?;
        filled.push_str(value(inside.trim()).map_err(Unfilled::Unknown)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Why a text could not be filled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfilled<E> {
    /// `{{` without `}}`.
    Open,
    /// A placeholder without a value.
    Unknown(E),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_placeholder_is_replaced() {
        let value = |name: &str| if name == "a" { Ok("1") } else { Err(name.to_owned()) };
        assert_eq!(fill("x{{a}}y{{ a }}z", value), Ok("x1y1z".into()));
        assert_eq!(fill("{a}", value), Ok("{a}".into()));
        assert_eq!(fill("{{a", value), Err(Unfilled::Open));
        assert_eq!(fill("{{b}}", value), Err(Unfilled::Unknown("b".into())));
    }
}
