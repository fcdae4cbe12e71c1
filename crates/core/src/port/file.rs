//! A state store in a file.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    cohort::murmur3,
    port::{PortError, PortErrorKind, Saved, StateStore, Version},
};

/// A [`StateStore`] in one file, for programs that run on one machine.
///
/// # Guarantees
///
/// - A reader sees the old text or the new one, never a mixture: a save writes `PATH.tmp` beside the file, flushes
///   it to the disk and renames it over the file. A temporary file left by a crash is ignored and overwritten.
/// - Of two processes or threads that save after the same version one succeeds, and the other gets
///   [`PortErrorKind::Conflict`]: the comparison happens under an exclusive lock of `PATH.lock`, which the
///   operating system drops with the process.
/// - A file that was cut short or changed by hand gives [`PortErrorKind::Invalid`]; it is never taken for an empty
///   store, and never overwritten.
///
/// # Caveats
///
/// The file operations block the thread; they are short, but a save waits for the disk. Locks on network file
/// systems are only as good as those file systems. Removing the file starts a new store, with versions from 1:
/// stop every process that uses it first. `PATH.lock` is empty and stays; do not remove it while the store is in
/// use.
///
/// ```
/// use futures_util::FutureExt as _;
/// use serinus_core::port::{StateStore as _, file::FileStore};
///
/// let folder = tempfile::tempdir()?;
/// let store = FileStore::new(folder.path().join("rollout.state"));
/// let saved = store.save("one", None).now_or_never().expect("it does not wait")?;
/// let loaded = store.load().now_or_never().expect("it does not wait")?.expect("something was saved");
/// assert_eq!((loaded.document.as_str(), loaded.version), ("one", saved));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// The store in the file at `path`, which need not exist; its folder must by the first save.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> Result<Option<Saved>, PortError> {
        match fs::read(&self.path) {
            Ok(bytes) => parse(&bytes).map(Some).map_err(|fault| self.garbled(fault)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &self.path, error)),
        }
    }

    fn replace(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        let lock_path = self.beside(".lock");
        // The lock ends when the file is closed, on every way out of this function.
        let lock = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|error| failed("open", &lock_path, error))?;
        lock.lock().map_err(|error| failed("lock", &lock_path, error))?;
        let found = self.read()?.map(|saved| saved.version);
        if found != seen {
            return Err(self.conflict(found, seen));
        }
        let version = Version(found.map_or(0, |Version(number)| number).saturating_add(1));
        let text = render(document, version)
            .map_err(|error| failed("write the first line of", &self.path, error.into()))?;
        let temporary = self.beside(".tmp");
        write_through(&temporary, text.as_bytes()).map_err(|error| failed("write", &temporary, error))?;
        fs::rename(&temporary, &self.path).map_err(|error| failed("replace", &self.path, error))?;
        flush_folder_of(&self.path);
        Ok(version)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    fn garbled(&self, fault: &'static str) -> PortError {
        PortError::new(
            PortErrorKind::Invalid,
            format!(
                "state file `{}` {fault}: restore it from a backup, or move it away to start anew",
                self.path.display()
            ),
        )
    }

    fn conflict(&self, found: Option<Version>, seen: Option<Version>) -> PortError {
        let name = |version: Option<Version>| {
            version.map_or_else(|| "nothing".to_owned(), |Version(number)| format!("version {number}"))
        };
        PortError::new(
            PortErrorKind::Conflict,
            format!(
                "state file `{}` holds {} where {} was expected: load again",
                self.path.display(),
                name(found),
                name(seen)
            ),
        )
    }
}

#[async_trait]
impl StateStore for FileStore {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.read()
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        self.replace(document, seen)
    }
}

/// The first line of the file; the document follows it as it is.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// The number of this layout.
    serinus: u32,
    version: Version,
    bytes: usize,
    checksum: u32,
}

fn render(document: &str, version: Version) -> Result<String, serde_json::Error> {
    let header = Header {
        serinus: LAYOUT,
        version,
        bytes: document.len(),
        checksum: checksum(document.as_bytes(), version),
    };
    Ok(format!("{}\n{document}", serde_json::to_string(&header)?))
}

fn parse(bytes: &[u8]) -> Result<Saved, &'static str> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("lacks its first line")?;
    let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
    let header: Header = serde_json::from_slice(line).map_err(|_| "has a first line of another kind")?;
    if header.serinus != LAYOUT {
        return Err("is from a newer program");
    }
    if rest.len() != header.bytes {
        return Err("was cut short or added to");
    }
    if checksum(rest, header.version) != header.checksum {
        return Err("was changed by hand or damaged");
    }
    let document = String::from_utf8(rest.to_vec()).map_err(|_| "is not UTF-8")?;
    Ok(Saved { document, version: header.version })
}

/// Covers the version, too, so that no other version is read out of a damaged first line.
fn checksum(bytes: &[u8], Version(version): Version) -> u32 {
    murmur3::hash(bytes, (version ^ (version >> 32)) as u32)
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the rename itself survive a power failure, where the system can: the text is in place either way.
fn flush_folder_of(path: &Path) {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let flushed = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        if let Err(error) = flushed {
            tracing::debug!(path = %path.display(), %error, "the folder was not flushed to the disk");
        }
    }
}

fn failed(verb: &str, path: &Path, error: io::Error) -> PortError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => PortErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => PortErrorKind::Denied,
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidFilename => PortErrorKind::Invalid,
        _ => PortErrorKind::Transient,
    };
    PortError::new(kind, FileError { action: format!("cannot {verb} `{}`", path.display()), source: error })
}

/// What could not be done with which file.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
struct FileError {
    action: String,
    source: io::Error,
}

const LAYOUT: u32 = 1;
