//! Texts for people, which most of the time nobody reads.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    panic::UnwindSafe,
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is put together when it is first read, if it was not known before.
///
/// Whatever is measured or decided is explained in a sentence, and nearly all of these sentences are superseded before
/// anybody looks at them. A text can therefore hold what it is about instead, and tell it when asked: for its letters, to
/// be printed, compared, hashed or serialised. It is told once. In every other respect it is a string that does not
/// change; cloning one that is not yet told clones no letters.
///
/// ```
/// use serinus_core::text::Text;
///
/// let (failed, of) = (3, 200);
/// let text = Text::lazily(move || format!("{failed} of {of} failed"));
/// assert!(text.starts_with("3 of 200"));
/// assert_eq!(text, Text::from("3 of 200 failed"));
/// ```
#[derive(Clone)]
pub struct Text(Form);

#[derive(Clone)]
enum Form {
    Fixed(&'static str),
    Written(String),
    Lazy(Arc<Lazy>),
}

type Lazy = LazyLock<String, Box<dyn FnOnce() -> String + Send + UnwindSafe>>;

impl Text {
    /// The empty text.
    pub const EMPTY: Self = Self(Form::Fixed(""));

    /// The text that `tell` gives, which is called when it is first read, if ever. It must give the same whenever that
    /// is.
    pub fn lazily(tell: impl FnOnce() -> String + Send + UnwindSafe + 'static) -> Self {
        Self(Form::Lazy(Arc::new(LazyLock::new(Box::new(tell)))))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Fixed(text) => text,
            Form::Written(text) => text,
            Form::Lazy(text) => text,
        }
    }

    /// A long text, cut between two letters to at most this many bytes; at least three.
    pub(crate) fn cut(mut text: String, most: usize) -> String {
        if text.len() > most {
            let mut end = most.saturating_sub('…'.len_utf8());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
        }
        text
    }

    /// Whether it costs nothing to read, as nobody has to tell it first.
    pub(crate) const fn is_written(&self) -> bool {
        matches!(self.0, Form::Fixed(_) | Form::Written(_))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Form::Fixed(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Form::Written(text))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        match text.0 {
            Form::Written(text) => text,
            Form::Fixed(_) | Form::Lazy(_) => text.as_str().to_owned(),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Lazy(one), Form::Lazy(two)) if Arc::ptr_eq(one, two) => true,
            _ => self.as_str() == other.as_str(),
        }
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    #[test]
    fn a_text_is_told_once_however_often_it_is_read_and_cloned() {
        let told = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&told);
        let text = Text::lazily(move || format!("told {}", count.fetch_add(1, Relaxed)));
        let clone = text.clone();
        assert_eq!(told.load(Relaxed), 0);
        assert_eq!(
            (clone.as_str(), text.as_str(), text.to_string()),
            ("told 0", "told 0", "told 0".to_owned())
        );
        assert_eq!(told.load(Relaxed), 1);
    }

    #[test]
    fn a_lazy_text_is_stored_read_back_and_compared_as_any_other() {
        let text = Text::lazily(|| "3 \"of\" 200".to_owned());
        let stored = serde_json::to_string(&text).unwrap();
        assert_eq!(stored, r#""3 \"of\" 200""#);
        assert_eq!(serde_json::from_str::<Text>(&stored).unwrap(), text);
        assert_eq!(format!("{text:?}"), stored);
        let before = Text::from("3");
        assert!(before < text && text != Text::EMPTY);
    }
}
