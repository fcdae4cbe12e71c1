//! The flags of a document, from the entries of its text.

use std::{collections::hash_map, mem, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Contents, Document,
    fault::{Finding, Problem, step},
    flag::Flag,
    outline::{FLAGS, Part},
    place::saturated,
};

impl Contents {
    pub(super) fn take_flags(&mut self, parts: Vec<Part<'_>>, previous: Option<&Document>) {
        let mut entries: Vec<Entry> = Vec::with_capacity(parts.len());
        // In a list one key may stand once in each set.
        let mut known: FxHashMap<(Arc<str>, Box<str>), usize> = FxHashMap::default();
        known.reserve(parts.len());
        for part in parts {
            let place = (part.line, part.column);
            let is_converted = part.is_converted();
            let path = part.element.map_or_else(String::new, |index| format!("{FLAGS}[{index}]"));
            let flag = self.read_flag(&part, previous);
            let set = if self.common.is_list { flag.set().into() } else { Box::default() };
            match known.entry((Arc::clone(&flag.key), set)) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(entries.len());
                    entries.push(Entry { flag, place, path, is_converted });
                }
                hash_map::Entry::Occupied(entry) => {
                    let Some(first) = entries.get_mut(*entry.get()) else { continue };
                    let (line, column) = first.place;
                    let finding = Finding::new(Problem::FlagTwice { line, column });
                    let broken = Flag::broken(Arc::clone(&flag.key), finding, &self.common);
                    let flag = Arc::new(Flag { metadata: flag.metadata.clone(), ..broken });
                    *first = Entry { flag, place, path, is_converted };
                }
            }
        }
        for Entry { flag, place, path, is_converted } in &entries {
            let path = || if path.is_empty() { format!("{FLAGS}{}", step(&flag.key)) } else { path.clone() };
            let fault = |finding: &Finding| {
                let finding = finding.clone().if_converted(*is_converted);
                finding.into_fault(Some(&flag.key), &path(), *place)
            };
            self.faults.extend(flag.faults.iter().map(fault));
            self.warnings.extend(flag.warnings.iter().map(fault));
        }
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        self.warnings.sort_by_key(|fault| (fault.line, fault.column));
        self.flags.reserve(entries.len());
        self.index.reserve(entries.len());
        for Entry { flag, .. } in entries {
            match self.index.get(&flag.key).and_then(|at| self.flags.get_mut(*at as usize)) {
                // The last one counts where no set is asked for.
                Some(slot) => self.others.push(mem::replace(slot, flag)),
                None => {
                    self.index.insert(Arc::clone(&flag.key), saturated(self.flags.len()));
                    self.flags.push(flag);
                }
            }
        }
    }

    fn read_flag(&self, part: &Part<'_>, previous: Option<&Document>) -> Arc<Flag> {
        let before = previous.and_then(|previous| Some((previous, previous.flag(&part.name)?)));
        match (&part.text, before) {
            (Ok(text), Some((previous, flag)))
                if flag.is_written(text, &previous.0.common, &self.common)
                    && self.common.evaluators.copy(flag.copied()).is_ok() =>
            {
                Arc::clone(flag)
            }
            (Ok(text), before) => {
                let key = before.map_or_else(|| part.name.as_str().into(), |(_, flag)| Arc::clone(&flag.key));
                Arc::new(Flag::read(key, text, &self.common))
            }
            (Err(finding), _) => {
                let key = part.name.as_str().into();
                Arc::new(Flag::broken(key, Finding::clone(finding), &self.common))
            }
        }
    }
}

/// A flag as it stands in the text.
struct Entry {
    flag: Arc<Flag>,
    place: (u32, u32),
    /// If it is an element of a list.
    path: String,
    is_converted: bool,
}
