//! A document in the program.

use std::time::Duration;

use async_trait::async_trait;

use super::{Fetched, Source, SourceError};
use crate::document::Format;

/// A document that is part of the program, or given to it once: the flags to begin with, below a file or a server that
/// may be away.
#[derive(Clone, Debug)]
pub struct Text {
    name: String,
    text: Option<String>,
    format: Format,
}

impl Text {
    /// This document in JSON. Its name is `text`.
    pub fn json(text: impl Into<String>) -> Self {
        Self { name: "text".to_owned(), text: Some(text.into()), format: Format::Json }
    }

    /// This document in YAML. Its name is `text`.
    #[cfg(feature = "yaml")]
    pub fn yaml(text: impl Into<String>) -> Self {
        Self { format: Format::Yaml, ..Self::json(text) }
    }

    /// The same under another name.
    #[must_use = "the source is returned, not changed in place"]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

#[async_trait]
impl Source for Text {
    fn name(&self) -> &str {
        &self.name
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        let Some(text) = self.text.take() else { return Ok(Fetched::Unchanged) };
        Ok(Fetched::Document { bytes: text.into_bytes(), format: self.format })
    }

    fn pause(&self) -> Option<Duration> {
        None
    }
}
