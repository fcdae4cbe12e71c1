//! Following what the environment says, as flagd's providers do.

use std::{env, ffi::OsString, time::Duration};

use super::Feed;
use crate::source::File;

#[cfg(feature = "grpc")]
mod stream;

impl Feed {
    /// What the variables of flagd's providers say is to be followed.
    ///
    /// | variable | says | if it is not there, or empty |
    /// |---|---|---|
    /// | `FLAGD_RESOLVER` | `in-process` for the stream of a server, `file` for a file | `in-process` |
    /// | `FLAGD_OFFLINE_FLAG_SOURCE_PATH` | the file; it takes the place of a server | a server is followed |
    /// | `FLAGD_OFFLINE_POLL_MS` | how often the file is looked at | 5000 |
    /// | `FLAGD_HOST`, `FLAGD_SYNC_PORT` or `FLAGD_PORT` | the server | `localhost`, 8015 |
    /// | `FLAGD_TARGET_URI` | the server, as `Grpc::builder` takes it; over the host | |
    /// | `FLAGD_SOCKET_PATH` | its socket in the file system; over both | |
    /// | `FLAGD_TLS` | `true` for TLS | `false`, unless the address says otherwise |
    /// | `FLAGD_SERVER_CERT_PATH` | a file with root certificates, which are believed alone | those of the system |
    /// | `FLAGD_PROVIDER_ID`, `FLAGD_SOURCE_SELECTOR` | who asks a server for what; of a file everything is taken | nobody, everything |
    /// | `FLAGD_DEADLINE_MS` | how long the first answer may take | 5000 |
    /// | `FLAGD_STREAM_DEADLINE_MS` | how long a stream lasts before it is renewed, 0 for ever | 600000 |
    /// | `FLAGD_RETRY_BACKOFF_MS`, `FLAGD_RETRY_BACKOFF_MAX_MS` | the first and the longest pause | 1000, 12000 |
    /// | `FLAGD_RETRY_GRACE_PERIOD` | how many seconds flags may be stale before that is an error | 5 |
    /// | `FLAGD_KEEP_ALIVE_TIME_MS` | how often it is asked whether a connection is alive, 0 for never | 0 |
    /// | `FLAGD_FATAL_STATUS_CODES` | after which codes at the beginning nobody calls again, with commas | none |
    ///
    /// A server needs the feature `grpc`. `FLAGD_CACHE` and `FLAGD_MAX_CACHE_SIZE` mean nothing here: they are for those
    /// who ask a server for each value.
    ///
    /// # Errors
    ///
    /// If a variable says what cannot be done; the error names it.
    pub fn from_env() -> Result<Self, EnvironmentError> {
        Self::from_os_variables(&|name| env::var_os(name))
    }

    /// The same from elsewhere than the environment of the process.
    ///
    /// ```
    /// use serinus_flags::Feed;
    ///
    /// let variables = |name: &str| match name {
    ///     "FLAGD_OFFLINE_FLAG_SOURCE_PATH" => Some("flags.json".to_owned()),
    ///     _ => None,
    /// };
    /// let feed = Feed::from_variables(variables)?;
    /// assert!(format!("{feed:?}").contains("flags.json"));
    ///
    /// let error = Feed::from_variables(|name| (name == "FLAGD_RESOLVER").then(|| "rpc".to_owned())).unwrap_err();
    /// assert!(error.to_string().starts_with("FLAGD_RESOLVER is `rpc`: write in-process or file"));
    /// # Ok::<(), serinus_flags::EnvironmentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Feed::from_env`].
    pub fn from_variables(variables: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        Self::from_os_variables(&|name| variables(name).map(OsString::from))
    }

    fn from_os_variables(read: Read<'_>) -> Result<Self, EnvironmentError> {
        let variables = Variables(read);
        let path = variables.text(PATH)?;
        let is_file = match variables.text(RESOLVER)? {
            None => path.is_some(),
            Some(name) if name.eq_ignore_ascii_case("file") => true,
            Some(name) if name.eq_ignore_ascii_case("in-process") => path.is_some(),
            Some(found) => {
                let expected = "in-process or file; to ask a server for each value there is OFREP";
                return Err(EnvironmentError::Value { variable: RESOLVER, found, expected });
            }
        };
        let feed = match (is_file, path) {
            (true, Some(path)) => {
                let interval = variables.milliseconds("FLAGD_OFFLINE_POLL_MS")?;
                let file = File::new(path);
                Self::of(match interval {
                    Some(interval) => file.interval(interval),
                    None => file,
                })
            }
            (true, None) => {
                return Err(EnvironmentError::Missing { variable: PATH, wanted_by: "FLAGD_RESOLVER" });
            }
            #[cfg(feature = "grpc")]
            (false, _) => Self::of(stream::source(&variables)?),
            #[cfg(not(feature = "grpc"))]
            (false, _) => return Err(EnvironmentError::NoGrpc),
        };
        let feed = match variables.positive(DEADLINE)? {
            Some(deadline) => feed.deadline(deadline),
            None => feed,
        };
        let grace = variables.number("FLAGD_RETRY_GRACE_PERIOD", "a number of seconds")?;
        Ok(match grace {
            Some(seconds) => feed.grace(Duration::from_secs(seconds)),
            None => feed,
        })
    }
}

/// Why nothing can be followed that the environment says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A variable says what cannot be done.
    #[error("{variable} is `{found}`: write {expected}")]
    Value {
        /// The variable.
        variable: &'static str,
        /// What it says.
        found: String,
        /// What it can say.
        expected: &'static str,
    },
    /// A variable is no text.
    #[error("{variable} is not Unicode: correct it")]
    NotUnicode {
        /// The variable.
        variable: &'static str,
    },
    /// A variable is not there.
    #[error("{variable} is missing, which {wanted_by} makes necessary: set it")]
    Missing {
        /// The variable.
        variable: &'static str,
        /// The variable that makes it necessary.
        wanted_by: &'static str,
    },
    /// The stream of a server needs the feature `grpc`.
    #[cfg(not(feature = "grpc"))]
    #[error("following a server needs the feature grpc: turn it on, or set FLAGD_OFFLINE_FLAG_SOURCE_PATH")]
    NoGrpc,
    /// A server cannot be called as a variable says.
    #[cfg(feature = "grpc")]
    #[error("what {variable} says cannot be done")]
    Grpc {
        /// The variable.
        variable: &'static str,
        /// Why.
        source: crate::source::GrpcBuildError,
    },
}

type Read<'a> = &'a dyn Fn(&str) -> Option<OsString>;

struct Variables<'a>(Read<'a>);

impl Variables<'_> {
    /// What a variable says, if it says anything.
    fn text(&self, variable: &'static str) -> Result<Option<String>, EnvironmentError> {
        let Some(text) = (self.0)(variable).filter(|text| !text.is_empty()) else { return Ok(None) };
        text.into_string().map(Some).map_err(|_| EnvironmentError::NotUnicode { variable })
    }

    fn number(
        &self,
        variable: &'static str,
        expected: &'static str,
    ) -> Result<Option<u64>, EnvironmentError> {
        let Some(found) = self.text(variable)? else { return Ok(None) };
        match found.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(EnvironmentError::Value { variable, found, expected }),
        }
    }

    fn milliseconds(&self, variable: &'static str) -> Result<Option<Duration>, EnvironmentError> {
        let number = self.number(variable, "a number of milliseconds")?;
        Ok(number.map(Duration::from_millis))
    }

    fn positive(&self, variable: &'static str) -> Result<Option<Duration>, EnvironmentError> {
        match self.milliseconds(variable)? {
            Some(Duration::ZERO) => {
                let expected = "a number of milliseconds above zero";
                Err(EnvironmentError::Value { variable, found: "0".to_owned(), expected })
            }
            other => Ok(other),
        }
    }
}

const RESOLVER: &str = "FLAGD_RESOLVER";
const PATH: &str = "FLAGD_OFFLINE_FLAG_SOURCE_PATH";
const DEADLINE: &str = "FLAGD_DEADLINE_MS";

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(variables: &[(&str, &str)]) -> Result<Feed, EnvironmentError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Feed::from_variables(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_file_is_followed_if_a_path_says_so() {
        for resolver in ["", "file", "FILE", "in-process", "IN-PROCESS"] {
            let feed = feed(&[
                (RESOLVER, resolver),
                (PATH, "some-path"),
                ("FLAGD_OFFLINE_POLL_MS", "1000"),
                ("FLAGD_DEADLINE_MS", "123"),
                ("FLAGD_RETRY_GRACE_PERIOD", "10"),
            ])
            .unwrap();
            let shown = format!("{feed:?}");
            assert_eq!(feed.sources[0].pause(), Some(Duration::from_secs(1)));
            assert!(
                shown.contains(r#"["some-path"]"#) && shown.contains("deadline: 123ms, grace: 10s"),
                "{shown}"
            );
        }
    }

    #[test]
    fn errors_name_the_variable() {
        for (variables, expected) in [
            (&[(RESOLVER, "file")][..], "FLAGD_OFFLINE_FLAG_SOURCE_PATH is missing, which FLAGD_RESOLVER"),
            (&[(RESOLVER, "rpc")], "FLAGD_RESOLVER is `rpc`: write in-process or file"),
            (
                &[(PATH, "a"), ("FLAGD_OFFLINE_POLL_MS", "5s")],
                "FLAGD_OFFLINE_POLL_MS is `5s`: write a number",
            ),
            (
                &[(PATH, "a"), (DEADLINE, "0")],
                "FLAGD_DEADLINE_MS is `0`: write a number of milliseconds above",
            ),
            (&[(PATH, "a"), ("FLAGD_RETRY_GRACE_PERIOD", "-1")], "FLAGD_RETRY_GRACE_PERIOD is `-1`"),
        ] {
            let error = feed(variables).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;

        let error = Feed::from_os_variables(&|_| Some(OsString::from_vec(vec![0xff]))).unwrap_err();
        assert!(matches!(error, EnvironmentError::NotUnicode { variable: PATH }));
    }
}
