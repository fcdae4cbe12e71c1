//! Why a question has no answer.

use crate::{
    builtin::BuiltinError,
    client::{BuildError, QueryError},
};

/// Why a question has no answer. Travels as the cause of a [`PortError`](serinus_core::port::PortError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The question is for another provider.
    #[error("the provider `{name}` is not served here: expected prometheus or builtin")]
    Provider {
        /// The provider asked for.
        name: String,
    },
    /// A setting nobody knows.
    #[error(
        "there is no setting `{key}`: expected one of address, timeout, insecure, header.<Name>, method, \
         range.start, range.end, range.step, shape, source, namespace, target, service, ingress, route, candidate.requests, \
         candidate.failures, candidate.buckets, stable.requests, stable.failures, stable.buckets, \
         control.requests, control.failures, control.buckets, buckets.unit"
    )]
    UnknownSetting {
        /// Its key.
        key: String,
    },
    /// A setting whose value cannot be used. The value of a header is never shown.
    #[error("the setting `{key}` is `{value}`: expected {expected}")]
    Setting {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A setting that only built-in metrics have.
    #[error("the setting `{key}` is for built-in metrics: write its value into the query")]
    OnlyBuiltin {
        /// Its key.
        key: &'static str,
    },
    /// A setting that a question about both arms needs, and has not.
    #[error(
        "the question about both arms has no setting `{key}`: give {{candidate,stable}}.{{requests,failures}} as selectors, \
         or none of them and a `source`"
    )]
    NoSelector {
        /// What is missing.
        key: &'static str,
    },
    /// A question about both arms without a window.
    #[error("a question about both arms needs a window: ask it by a metric that compares")]
    NoWindow,
    /// A window that ends before it begins.
    #[error("the window ends before it begins")]
    BadWindow,
    /// An answer that holds no raw counters.
    #[error(
        "the selector `{selector}` gives a {found}: expected raw counters, so give a selector without functions"
    )]
    NotRaw {
        /// The selector.
        selector: String,
        /// The type of the answer.
        found: &'static str,
    },
    /// Counters that cannot be counted with.
    #[error(transparent)]
    Counter(#[from] serinus_core::stats::counters::CounterError),
    /// A range without all its parts.
    #[error("the range has no `{key}`: give range.start and range.step, or none of range.*")]
    Range {
        /// What is missing.
        key: &'static str,
    },
    /// A placeholder nobody knows.
    #[error(
        "the query has `{placeholder}` at byte {position}: expected {{{{candidate}}}}, {{{{stable}}}} or, with a \
         window, {{{{interval}}}}"
    )]
    Placeholder {
        /// The text from its opening braces on.
        placeholder: String,
        /// Where it starts, in bytes from the start of the query.
        position: usize,
    },
    /// A revision whose name would change the query.
    #[error("the revision `{revision}` cannot stand in a query: it has a quote, a backslash or a line end")]
    Revision {
        /// Its name.
        revision: String,
    },
    /// No client and no address.
    #[error("no address to ask: give the setting `address`, or the provider a client")]
    NoAddress,
    /// The client of the provider verifies certificates, and a query cannot make it stop.
    #[error("the setting `insecure` needs the setting `address`: the provider's own client stays as it is")]
    InsecureWithoutAddress,
    /// A built-in metric, and nobody said who counts.
    #[error("{metric} needs a source: give the setting `source`, such as istio, or the provider a source")]
    NoSource {
        /// The metric.
        metric: &'static str,
    },
    /// A built-in metric that cannot be written.
    #[error(transparent)]
    Builtin(#[from] BuiltinError),
    /// The client could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Prometheus did not answer, or not well.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// An answer of a type the shape has no place for.
    #[error("the result is a {found}, and the shape {shape} has no value for it: {remedy}")]
    Result {
        /// The type of the result.
        found: &'static str,
        /// The shape asked for.
        shape: &'static str,
        /// What to do.
        remedy: &'static str,
    },
}
