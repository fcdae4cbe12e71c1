//! From a flag and a context to a variant.

use std::borrow::Cow;

#[cfg(feature = "open-feature")]
use crate::logic::{Attributes, NotSimple};
use crate::{
    context::Context,
    details::{ErrorCode, Reason},
    document::{Body, Flag, Variant},
    logic::{Clock, LogicError, Outcome, Rule},
    value::Kind,
};

/// What a flag comes to.
pub(crate) enum Decision<'a> {
    /// This variant.
    Variant(&'a Variant, Reason),
    /// No variant: the caller's own default counts.
    Nothing(Reason),
    Failed(Failure<'a>),
}

/// Why it comes to nothing. Made without allocating.
pub(crate) enum Failure<'a> {
    NotReady,
    GivenUp,
    NotFound,
    Broken,
    Rule(LogicError),
    UnknownVariant(Cow<'a, str>),
    WrongType { variant: &'a str, expected: &'static str, found: Kind },
}

impl Failure<'_> {
    #[inline]
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::NotReady => ErrorCode::ProviderNotReady,
            Self::GivenUp => ErrorCode::ProviderFatal,
            Self::NotFound => ErrorCode::FlagNotFound,
            Self::Broken | Self::Rule(_) => ErrorCode::ParseError,
            Self::UnknownVariant(_) => ErrorCode::General,
            Self::WrongType { .. } => ErrorCode::TypeMismatch,
        }
    }
}

impl Flag {
    #[inline]
    pub(crate) fn decide<'a>(&'a self, context: &'a Context, clock: Clock) -> Decision<'a> {
        self.decide_by(|rule| rule.run(context, clock))
            .unwrap_or_else(|error| Decision::Failed(Failure::Rule(error)))
    }

    /// The same where only the attributes matter, and only as plain values; nothing if it takes more than that.
    #[cfg(feature = "open-feature")]
    #[inline]
    pub(crate) fn decide_simply<A: Attributes>(
        &self,
        attributes: impl FnOnce() -> Option<A>,
    ) -> Result<Decision<'_>, NotSimple> {
        self.decide_by(|rule| rule.run_simply(&attributes().ok_or(NotSimple)?))
    }

    #[inline]
    fn decide_by<'a, E>(
        &'a self,
        run: impl FnOnce(&'a Rule) -> Result<Outcome<'a>, E>,
    ) -> Result<Decision<'a>, E> {
        let Some(body) = &self.body else { return Ok(Decision::Failed(Failure::Broken)) };
        if !body.is_enabled {
            return Ok(Decision::Nothing(Reason::Disabled));
        }
        let Some(rule) = &body.rule else { return Ok(body.default_variant(Reason::Static)) };
        let outcome = run(rule)?;
        Ok(match outcome.variant {
            None => body.default_variant(Reason::Default),
            Some(name) => match body.variant(&name) {
                Some(variant) if outcome.split && self.split_reason => {
                    Decision::Variant(variant, Reason::Split)
                }
                Some(variant) => Decision::Variant(variant, Reason::TargetingMatch),
                None => Decision::Failed(Failure::UnknownVariant(name)),
            },
        })
    }
}

impl Flag {
    /// The same in a context that has these attributes too. If the rule may look at one of them, a context is made for
    /// the call; only then.
    #[inline(never)]
    pub(crate) fn decide_enriched<'a>(
        &'a self,
        enrichment: &Context,
        context: &'a Context,
        clock: Clock,
    ) -> Decision<'a> {
        let Some(body) = self.body.as_ref().filter(|_| self.reads_of(enrichment)) else {
            return self.decide(context, clock);
        };
        let enriched = context.enriched_by(enrichment);
        match self.decide(&enriched, clock) {
            // The same variant, borrowed for as long as the flag lives.
            Decision::Variant(variant, reason) => match body.variants.get(variant.index as usize) {
                Some(variant) => Decision::Variant(variant, reason),
                None => Decision::Nothing(reason),
            },
            Decision::Nothing(reason) => Decision::Nothing(reason),
            Decision::Failed(failure) => Decision::Failed(match failure {
                Failure::UnknownVariant(name) => Failure::UnknownVariant(Cow::Owned(name.into_owned())),
                Failure::Rule(error) => Failure::Rule(error),
                Failure::NotReady => Failure::NotReady,
                Failure::GivenUp => Failure::GivenUp,
                Failure::NotFound => Failure::NotFound,
                // Which type is asked for, nobody has looked at yet.
                Failure::Broken | Failure::WrongType { .. } => Failure::Broken,
            }),
        }
    }
}

impl Flag {
    /// Whether its rule may look at one of these attributes.
    pub(crate) fn reads_of(&self, attributes: &Context) -> bool {
        self.body.as_ref().and_then(|body| body.rule.as_ref()).is_some_and(|rule| {
            rule.reads().is_none_or(|names| names.iter().any(|name| attributes.get(name).is_some()))
        })
    }
}

impl Body {
    /// The default variant for this reason; without one the caller's own default counts.
    #[inline]
    fn default_variant(&self, reason: Reason) -> Decision<'_> {
        match self.default.and_then(|index| self.variants.get(index as usize)) {
            Some(variant) => Decision::Variant(variant, reason),
            None => Decision::Nothing(Reason::Default),
        }
    }

    #[inline]
    fn variant(&self, name: &str) -> Option<&Variant> {
        if self.variants.len() <= LINEAR {
            return self.variants.iter().find(|variant| *variant.name == *name);
        }
        let at = self.variants.binary_search_by(|variant| (*variant.name).cmp(name)).ok()?;
        self.variants.get(at)
    }
}

/// Up to this many names are compared one by one.
const LINEAR: usize = 8;
