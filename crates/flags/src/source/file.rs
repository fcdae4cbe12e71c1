//! A file that is looked at again and again.

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;

#[cfg(feature = "tokio")]
use super::single::Single;
use super::{Fetched, Print, Source, SourceError};
use crate::document::Format;

/// A file that is looked at again and again, every five seconds unless told otherwise.
///
/// It is read each time: what counts is the content and never the time of the last change, which two writes within one
/// tick of the clock of a file system share. Links are followed, so a directory that Kubernetes swaps below a link is
/// seen. A file that is deleted is trouble until it is there again.
///
/// Replace a file by renaming another one to it. One that is written in place may be read half written: then the flags
/// stay as they were, and are stale until the next look.
///
/// A look that hangs, as on a mount whose server is gone, is given up after a while ([`Source::silence`]). It holds one
/// thread for blocking work until the system lets go of it, and there is no other look meanwhile.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    name: String,
    format: Format,
    interval: Duration,
    max_bytes: usize,
    seen: Option<Print>,
    #[cfg(feature = "tokio")]
    reading: Single<io::Result<Vec<u8>>>,
}

impl File {
    /// The file at this path: YAML if it ends in `.yaml` or `.yml`, otherwise JSON. The path is its name.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            format: Format::of_path(&path),
            path,
            interval: INTERVAL,
            max_bytes: MAX_BYTES,
            seen: None,
            #[cfg(feature = "tokio")]
            reading: Single::default(),
        }
    }

    /// In what it is written, whatever its name ends in.
    #[must_use = "the source is returned, not changed in place"]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// How long to wait between two looks; at least a millisecond.
    #[must_use = "the source is returned, not changed in place"]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(SHORTEST, LONGEST);
        self
    }

    /// How many bytes the file may have; 16 MiB unless told otherwise.
    #[must_use = "the source is returned, not changed in place"]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Under another name.
    #[must_use = "the source is returned, not changed in place"]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Reads where waiting for a disk holds nobody up, if there is such a place.
    async fn read(&mut self) -> io::Result<Vec<u8>> {
        #[cfg(feature = "tokio")]
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (path, max_bytes) = (self.path.clone(), self.max_bytes);
            let reading = self.reading.run(&runtime, move || read(&path, max_bytes));
            return reading.await.map_err(io::Error::other)?;
        }
        read(&self.path, self.max_bytes)
    }
}

#[async_trait]
impl Source for File {
    fn name(&self) -> &str {
        &self.name
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        let read = self.read().await;
        let bytes = read.map_err(|source| SourceError::File { path: self.path.clone(), source })?;
        if bytes.len() > self.max_bytes {
            return Err(SourceError::TooLarge { name: self.name.clone(), limit: self.max_bytes });
        }
        let print = Print::of(&bytes);
        if self.seen.replace(print) == Some(print) {
            return Ok(Fetched::Unchanged);
        }
        Ok(Fetched::Document { bytes, format: self.format })
    }

    fn pause(&self) -> Option<Duration> {
        Some(self.interval)
    }
}

/// One byte more than the limit at most, which tells that it is too large.
fn read(path: &Path, max_bytes: usize) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    // A pipe or a device may never end, or never begin.
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file: name one that is"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As flagd has it.
const INTERVAL: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(86_400);
const MAX_BYTES: usize = 16 << 20;
