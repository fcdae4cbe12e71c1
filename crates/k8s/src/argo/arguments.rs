//! The arguments of an analysis, and texts filled with them.

use std::collections::BTreeMap;

use super::field_path;
use crate::{
    fault::FaultKind,
    ledger::Ledger,
    manifests::Document,
    place::Place,
    placeholder::{Unfilled, fill},
};

/// What stands for the stable revision in a query.
pub(super) const STABLE: &str = "{{stable}}";
/// What stands for the candidate in a query.
pub(super) const CANDIDATE: &str = "{{candidate}}";

/// Values by the name of their argument; `None` for one whose value was found at fault already.
#[derive(Debug, Default)]
pub(super) struct Arguments(BTreeMap<String, Option<String>>);

impl Arguments {
    /// The arguments that the templates have, with the values that the rollout gives, else their own.
    pub(super) fn collect(
        rollout: &Place<'_>,
        written: &Place<'_>,
        templates: &[&Document],
        ledger: &mut Ledger,
    ) -> Self {
        let given: Vec<_> = written
            .items("args")
            .into_iter()
            .filter_map(|argument| Some((named(&argument, ledger)?, argument)))
            .collect();
        let mut arguments: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut unset: Vec<(String, &Document)> = Vec::new();
        for template in templates {
            let declared = template.place().get("spec").map(|spec| spec.items("args")).unwrap_or_default();
            for argument in declared {
                let Some(name) = named(&argument, ledger) else { continue };
                if let Some((_, given)) = given.iter().rev().find(|(given, _)| *given == name) {
                    arguments.entry(name).or_insert_with(|| value(rollout, given, ledger));
                    continue;
                }
                if !argument.has("value") && !argument.has("valueFrom") {
                    unset.push((name, template));
                    continue;
                }
                let own = value(rollout, &argument, ledger);
                if let (Some(Some(first)), Some(second)) = (arguments.get(&name), &own)
                    && first != second
                {
                    let message = format!(
                        "`{name}` is `{second}` here and `{first}` in another template: rename one, or set it in \
                         the `args` of the Rollout"
                    );
                    ledger.fault(&argument, FaultKind::Conflict, message);
                }
                arguments.entry(name).or_insert(own);
            }
        }
        for (name, template) in unset {
            if arguments.contains_key(&name) {
                continue;
            }
            let message = format!(
                "argument `{name}` of template `{}` has no value: add `- name: {name}` with a `value` to `args`",
                template.name
            );
            ledger.fault_in(written, "args", FaultKind::Missing, message);
            arguments.insert(name, None);
        }
        Self(arguments)
    }

    /// The arguments that a template has, all without a value.
    pub(super) fn unset(spec: &Place<'_>) -> Self {
        let names =
            spec.items("args").into_iter().filter_map(|argument| Some(argument.name_in("name")?.to_owned()));
        Self(names.map(|name| (name, None)).collect())
    }

    /// The text in a field with the arguments in it; `None` if one has no value or is not known.
    pub(super) fn filled(&self, field: &Place<'_>, text: &str, ledger: &mut Ledger) -> Option<String> {
        let lookup = |inside: &str| match inside.strip_prefix("args.").map(|name| self.0.get(name)) {
            Some(Some(Some(value))) => Ok(value.as_str()),
            Some(Some(None)) => Err(None),
            Some(None) | None => Err(Some(inside.to_owned())),
        };
        let message = match fill(text, lookup) {
            Ok(filled) => return Some(filled),
            Err(Unfilled::Unknown(None)) => return None,
            Err(Unfilled::Open) => "`{{` without `}}`: close it, as in `{{args.name}}`".to_owned(),
            Err(Unfilled::Unknown(Some(inside))) => match inside.strip_prefix("args.") {
                Some(name) => {
                    format!(
                        "`{{{{{inside}}}}}` is not an argument: add `- name: {name}` to the template's `spec.args`"
                    )
                }
                None => format!("`{{{{{inside}}}}}` is not known: only `{{{{args.NAME}}}}` is filled in"),
            },
        };
        ledger.fault(field, FaultKind::Missing, message);
        None
    }
}

fn named(argument: &Place<'_>, ledger: &mut Ledger) -> Option<String> {
    let name = argument.name_in("name");
    if name.is_none() {
        ledger.fault_in(argument, "name", FaultKind::Missing, "add the name of the argument");
    }
    name.map(str::to_owned)
}

/// The value that an argument has by itself.
fn value(rollout: &Place<'_>, argument: &Place<'_>, ledger: &mut Ledger) -> Option<String> {
    if let Some(written) = argument.get("value") {
        return written.node.text().map(str::to_owned);
    }
    if let Some(role) = argument.get("valueFrom").and_then(|from| from.get("podTemplateHashValue")) {
        return match role.node.text()? {
            "Stable" => Some(STABLE.to_owned()),
            "Latest" => Some(CANDIDATE.to_owned()),
            other => {
                let message = format!("`{other}` is not a revision: use Stable or Latest");
                ledger.fault(&role, FaultKind::Invalid, message);
                None
            }
        };
    }
    if let Some(path) = argument.find(&["valueFrom", "fieldRef", "fieldPath"]) {
        let written = path.node.text()?;
        let found = field_path::find(rollout, written);
        if found.is_none() {
            let message = format!(
                "`{written}` is not a text or number of this Rollout's manifest: name a field that it has, or give \
                 a `value`"
            );
            ledger.fault(&path, FaultKind::Missing, message);
        }
        return found;
    }
    // A secret is at fault already, as not supported.
    if argument.find(&["valueFrom", "secretKeyRef"]).is_none() {
        let message = "has neither a `value` nor a `valueFrom`: add `value`";
        ledger.fault(argument, FaultKind::Missing, message);
    }
    None
}
