//! Paths into a manifest, as `fieldRef.fieldPath` has them: `metadata.labels['app']`, `spec.replicas`.

use crate::place::Place;

/// The text, number or boolean at the end of a path.
pub(super) fn find(root: &Place<'_>, path: &str) -> Option<String> {
    let mut place = root.clone();
    let mut rest = path.trim_start_matches("{.").trim_end_matches('}');
    while !rest.is_empty() {
        if let Some(bracketed) = rest.strip_prefix('[') {
            let (inside, after) = bracketed.split_once(']')?;
            let unquoted = inside.trim_matches(|quote| quote == '\'' || quote == '"');
            place = match unquoted.parse::<usize>() {
                Ok(index) if unquoted == inside => place.elements().into_iter().nth(index)?,
                _ => place.get(unquoted)?,
            };
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            place = place.get(name)?;
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    place.printed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Node;

    #[test]
    fn paths_lead_to_scalars() {
        let text = "metadata: {name: shop, labels: {app.kubernetes.io/name: web}}\nspec: {replicas: 3, list: [{a: x}]}";
        let nodes = Node::parse("test", text).unwrap();
        let root = Place::root("test", &nodes[0]);
        for (path, value) in [
            ("metadata.name", Some("shop")),
            ("metadata.labels['app.kubernetes.io/name']", Some("web")),
            ("spec.replicas", Some("3")),
            ("spec.list[0].a", Some("x")),
            ("spec.list[1].a", None),
            ("spec", None),
            ("status.phase", None),
            ("metadata.labels['", None),
        ] {
            assert_eq!(find(&root, path).as_deref(), value, "{path}");
        }
    }
}
