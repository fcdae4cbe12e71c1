//! What must not be seen in messages.

/// Texts that must not be seen.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: String) {
        self.0.push(secret);
    }

    /// How a text of the other side begins, in one line, without what must not be seen.
    pub(crate) fn excerpt(&self, text: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(text).into_owned();
        for secret in self.0.iter().filter(|secret| secret.len() >= SHORTEST) {
            text = text.replace(secret.as_str(), "…");
        }
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(EXCERPT).collect()
    }
}

/// An address that may be anything, without what stands before its last `@` and after its first `?`.
pub(crate) fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let Some((before, host)) = text.rsplit_once('@') else { return text.to_owned() };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{host}"),
        None => host.to_owned(),
    }
}

/// Replacing shorter ones would garble every text, and would show which they are.
const SHORTEST: usize = 4;
const EXCERPT: usize = 120;
