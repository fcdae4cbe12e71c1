//! Feature flags: flagd's documents evaluated exactly and fast, and flags that roll themselves out.
//!
//! A document says which flags there are and what they are for whom; [`Flags`] answers from it, in the calling thread,
//! in tens of nanoseconds.
//!
//! ```
//! use serinus_flags::{Context, Document, Flags, Reason};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let document = Document::from_json(
//!     r#"{
//!         "flags": {
//!             "search": {
//!                 "state": "ENABLED",
//!                 "variants": {"new": true, "old": false},
//!                 "defaultVariant": "old",
//!                 "targeting": {"if": [
//!                     {"ends_with": [{"var": "email"}, "@example.com"]}, "new",
//!                     {"fractional": [["new", 10], ["old", 90]]}
//!                 ]}
//!             },
//!             "greeting": {
//!                 "state": "ENABLED",
//!                 "variants": {"short": "Hi", "long": "Good morning"},
//!                 "defaultVariant": "short"
//!             }
//!         },
//!         "metadata": {"flagSetId": "shop", "serinus.fractional": "v3"}
//!     }"#,
//! )?;
//! let flags = Flags::default();
//! let report = flags.load(&document);
//! assert!(report.faults().is_empty());
//! assert_eq!(report.change().added.len(), 2);
//!
//! let user = Context::new("user-42").with("email", "ada@example.com");
//! if flags.bool("search", &user).unwrap_or(false) {
//!     println!("{}, this is the new search", flags.string("greeting", &user)?);
//! }
//!
//! // Why?
//! let details = flags.bool_details("search", &user);
//! assert_eq!(details.variant(), Some("new"));
//! assert_eq!(details.reason(), Reason::TargetingMatch);
//!
//! // Where one flag is asked for often:
//! let search = flags.handle("search");
//! assert_eq!(search.bool(&user), Ok(true));
//!
//! // The next document takes the place of this one as a whole; one that cannot be read changes nothing.
//! assert!(flags.update(b"<html>503</html>", Default::default()).is_err());
//! assert_eq!(search.bool(&user), Ok(true));
//! # Ok(())
//! # }
//! ```
//!
//! # Contract
//!
//! - Asking for a flag waits for nobody, takes no lock and counts nothing that threads share; it allocates only where a
//!   rule itself makes texts or lists, where it may look at attributes that a source gives for everybody, and to say what
//!   failed in the details of a failure. Reading is not slowed down by a document that is being loaded.
//! - There is a value, or a [`NoValue`] that says why the program's own default counts: `.unwrap_or(…)`. Being disabled
//!   and having no default variant are no failures.
//! - Documents are read strictly. A flag that is at fault is that flag's fault: it fails with
//!   [`ErrorCode::ParseError`], every other flag loads, and [`Document::faults`] says what is wrong, where, and what to
//!   do. A document that cannot be read at all is a [`DocumentError`], and the flags stay as they were.
//! - What is evaluated, in which order and with which reason is that of flagd's reference implementation; numbers are
//!   converted only without loss. `$flagd` is what the evaluation says of itself, whatever the context has of that name.
//! - How `fractional` places users differs between generations of flagd. The document chooses by
//!   `metadata["serinus.fractional"]`, else the program by [`Options::generation`], else it is the newest;
//!   [`Report`] says which, and why.
//! - No document, rule or context makes it panic, or takes it time or memory out of proportion to its size. Keys are
//!   hashed fast rather than against attackers: documents are from people who decide what the program does.
//!
//! # Sources
//!
//! A [`source`] is a text, a file, an address, the stream of a flagd, or what implements [`source::Source`]. With the
//! feature `tokio`, `Feed` follows one or several, merged by priority, or what the environment variables of flagd's
//! providers name, and keeps the flags up to date; a source that is down, slow or full of nonsense harms nothing.
//! [`Flags::status`] says how far the flags can be relied on, [`Flags::events`] what happens to them, shaped as OpenFeature
//! has it.
//!
//! # Guarded flags
//!
//! A [`Guard`] gives a variant to a growing share of those whom a flag leaves at its default, compares them with a
//! concurrent control of the same size, and takes the variant back by itself if it does harm. Before anybody is promoted
//! by what was counted, the counts must be fit for it: both arms of the same size, by an e-process on subjects
//! (Lindon and Malek 2022), before and after what may get lost in between; hardly anybody in both; and something to
//! judge. [`Guard`] has the formulas, [`Guard::health`] the numbers. Who decides is said, never guessed: this process,
//! whoever has the [`Lease`], or another process ([`Deciding`]). A plan is of the crate `serinus-core`, which is
//! to be depended on, too; or of `serinus`, which has both.
//!
//! # Features
//!
//! | Feature | |
//! |---|---|
//! | `yaml` | documents in YAML; on by default |
//! | `tokio` | `Feed`: following sources, on tokio; and `SystemClock`, for guards |
//! | `grpc` | `source::Grpc`: following the stream of a flagd (`flagd.sync.v1`), without `protoc` or a build script; brings `tokio` |
//! | `http` | `source::Http`: following a document at an address; brings `tokio` |
//! | `ofrep` | `remote`: asking a server for values |
//! | `open-feature` | `openfeature`: a provider for the SDK of OpenFeature |
//! | `tls-ring`, `tls-aws-lc-rs` | TLS for `grpc`, `http` and `ofrep`, with ring or AWS-LC unless the process installed a default provider |
//! | `tls` | the same with the provider that the process installed; without one no client can be built |
//!
//! Without `tokio` no runtime is needed, and without `grpc`, `http` and `ofrep` no client is built. This crate never installs
//! a default provider for TLS. With none of the features for TLS, a program that turns on reqwest's `rustls-no-provider`
//! itself must install a provider or hand in a ready client, because reqwest insists on one as soon as it has TLS.
//!
//! The crate `open-feature` builds `mockall` into every program that uses it, because it does not compile otherwise.
//!
//! The minimum supported Rust version is 1.89.

#![doc(test(attr(deny(warnings))))]

#[cfg(all(feature = "tls", any(feature = "grpc", feature = "http", feature = "ofrep")))]
pub use self::tls::TlsError;
pub use self::{
    context::Context,
    details::{ErrorCode, Reason},
    document::{Chosen, Document, DocumentError, Fault, Format, Options, Problem},
    flags::{Change, Details, Flags, Handle, Held, NoValue, ObjectRef, Report, Text},
    guard::{
        ArmTotals, Balance, Deciding, Finding, Guard, GuardBuilder, GuardError, Health, Lease, LeftOut,
        Outcome, Portion, Preconditions, Rate, Recorded, Subject, Totals,
    },
    lifecycle::{Event, EventKind, Events, EventsError, Status, Trouble},
    metadata::Metadata,
    snapshot::{Evaluation, EvaluationError, Snapshot, typed::FlagType},
    value::{Kind, Map, Number, Value},
};
#[cfg(feature = "tokio")]
pub use self::{
    feed::{EnvironmentError, Feed, FeedError, Following},
    system_clock::SystemClock,
};

mod context;
mod details;
mod document;
#[cfg(feature = "tokio")]
mod feed;
mod flags;
mod guard;
#[cfg(any(feature = "http", feature = "ofrep"))]
pub mod http;
mod lifecycle;
pub mod logic;
mod metadata;
#[cfg(feature = "open-feature")]
pub mod openfeature;
#[cfg(feature = "ofrep")]
pub mod remote;
#[cfg(any(feature = "grpc", feature = "http", feature = "ofrep"))]
mod secrets;
mod snapshot;
pub mod source;
#[cfg(feature = "tokio")]
mod system_clock;
#[cfg(all(feature = "tls", any(feature = "grpc", feature = "http", feature = "ofrep")))]
mod tls;
mod value;
