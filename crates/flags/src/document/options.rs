//! How documents are read.

use std::path::Path;

use crate::logic::Generation;

/// How documents are read.
///
/// ```
/// use serinus_flags::{Flags, Options, logic::Generation};
///
/// let flags = Flags::with_options(Options::default().generation(Generation::V2).split_reason(true));
/// # drop(flags);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until they read"]
pub struct Options {
    pub(crate) generation: Option<Generation>,
    pub(crate) split_reason: bool,
    pub(crate) max_bytes: usize,
}

impl Options {
    /// How `fractional` hashes where the document does not say: `metadata["serinus.fractional"]` (`v1`, `v2` or `v3`)
    /// overrules this. Without either it is the newest.
    ///
    /// Each generation puts users elsewhere. Name the one that the other programs have that read the same document,
    /// and do not change it under a running rollout.
    pub fn generation(mut self, generation: Generation) -> Self {
        self.generation = Some(generation);
        self
    }

    /// Whether a variant that a split chose has the reason [`Split`](crate::Reason::Split). flagd never says so, and
    /// neither is it the default here: it is [`TargetingMatch`](crate::Reason::TargetingMatch).
    pub fn split_reason(mut self, is_told: bool) -> Self {
        self.split_reason = is_told;
        self
    }

    /// How many bytes a document may have. The default is 16 MiB: four times what flagd sends in a message.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes.min(u32::MAX as usize);
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { generation: None, split_reason: false, max_bytes: MAX_BYTES }
    }
}

/// What a document is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// YAML; of which JSON is a part, but reading it as YAML takes longer.
    #[cfg(feature = "yaml")]
    Yaml,
}

impl Format {
    /// By the extension of a file: YAML for `yaml` and `yml`, otherwise JSON.
    pub fn of_path(path: impl AsRef<Path>) -> Self {
        match path.as_ref().extension().and_then(|extension| extension.to_str()) {
            #[cfg(feature = "yaml")]
            Some(extension) if ["yaml", "yml"].iter().any(|yaml| extension.eq_ignore_ascii_case(yaml)) => {
                Self::Yaml
            }
            _ => Self::Json,
        }
    }
}

const MAX_BYTES: usize = 16 << 20;
