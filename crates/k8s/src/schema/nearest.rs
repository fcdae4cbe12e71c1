//! What the author of an unknown field probably meant.

use super::{Field, Shape, field};
use crate::place::joined;

/// A sentence for an unknown field: where it belongs, what it is probably meant to be, or what is known here.
pub(super) fn advice(root: &[Field], here: &str, known: &[Field], name: &str) -> String {
    let path = joined(&general(here), name);
    if let Some((_, new)) = OTHER_SPELLINGS.iter().find(|(old, _)| *old == path) {
        return format!("write `{new}` instead");
    }
    if let Some(close) = nearest(known, name, 2).or_else(|| longer(known, name)) {
        return format!("did you mean `{close}`?");
    }
    let mut homes = Vec::new();
    collect(root, "", name, &mut homes);
    if let Some((home, instead)) = homes.iter().min_by_key(|(home, _)| distance_of_paths(&path, home)) {
        return match instead {
            Some(remedy) => format!("it belongs in `{home}`, which is not supported yet: {remedy}"),
            None => format!("it belongs in `{home}`; move it there"),
        };
    }
    if let Some(close) = nearest(known, name, name.len() / 3) {
        return format!("did you mean `{close}`?");
    }
    let names: Vec<_> = known.iter().map(|field| field.name).collect();
    format!("known here: {}", names.join(", "))
}

/// A sentence for a name that is none of those known.
pub(crate) fn meant(known: &[&'static str], name: &str) -> String {
    let known: Vec<_> = known.iter().map(|name| field(name, Shape::Any)).collect();
    advice(&[], "", &known, name)
}

/// The field whose name is at most `most` edits away.
fn nearest(known: &[Field], name: &str, most: usize) -> Option<&'static str> {
    let most = most.min(name.len() / 2);
    known
        .iter()
        .map(|field| (edits(&field.name.to_lowercase(), &name.to_lowercase()), field.name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// The field whose name ends with this one, as `setWeight` does with `weight`.
fn longer(known: &[Field], name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let mut longer =
        known.iter().map(|field| field.name).filter(|known| known.to_lowercase().ends_with(&name));
    longer.next().filter(|_| name.len() > 3)
}

/// Every path at which a field of this name is known.
fn collect(fields: &[Field], path: &str, name: &str, homes: &mut Vec<Home>) {
    for field in fields {
        let path = joined(path, field.name);
        if field.name == name && path.starts_with("spec.") {
            homes.push((path.clone(), field.instead));
        }
        descend(field.shape, path, name, homes);
    }
}

fn descend(shape: Shape, path: String, name: &str, homes: &mut Vec<Home>) {
    match shape {
        Shape::Object(fields) => collect(fields, &path, name, homes),
        Shape::List(of) => descend(*of, format!("{path}[]"), name, homes),
        Shape::MapOf(_)
        | Shape::Text
        | Shape::Integer
        | Shape::Number
        | Shape::Bool
        | Shape::IntegerOrText
        | Shape::Any => {}
    }
}

/// The path without the numbers of list elements.
fn general(path: &str) -> String {
    let mut general = String::with_capacity(path.len());
    let mut in_brackets = false;
    for letter in path.chars() {
        match letter {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ if in_brackets => continue,
            _ => {}
        }
        general.push(letter);
    }
    general
}

/// A path at which a field is known, and what to do instead if it is not supported.
type Home = (String, Option<&'static str>);

/// How many levels apart two paths are: up from the one, down to the other.
fn distance_of_paths(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('.').collect(), b.split('.').collect());
    let shared = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    a.len() + b.len() - 2 * shared
}

/// The edit distance of two names, by the rule of Levenshtein; long texts are not worth comparing.
fn edits(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > LONGEST || a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, left) in a.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Fields that older versions had, and those of a Deployment.
const OTHER_SPELLINGS: &[(&str, &str)] = &[
    ("spec.canaryAnalysis", "spec.analysis"),
    ("spec.strategy.rollingUpdate", "spec.strategy.canary"),
    ("spec.strategy.type", "canary` or `blueGreen"),
];
/// Names of fields are shorter.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "", 3), ("ab", "ba", 2)]
        {
            assert_eq!(edits(a, b), count, "{a} {b}");
        }
    }
}
