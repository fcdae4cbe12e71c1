//! From a flag and a context to a variant.

use std::borrow::Cow;

#[cfg(feature = "open-feature")]
use crate::logic::Attributes;
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
    }

    /// The same where only the attributes matter, and only as plain values; nothing if it takes more than that.
    #[cfg(feature = "open-feature")]
    #[inline]
    pub(crate) fn decide_simply(&self, attributes: &impl Attributes) -> Option<Decision<'_>> {
        let mut is_simple = true;
        let decision = self.decide_by(|rule| {
            let outcome = rule.run_simply(attributes);
            is_simple = outcome.is_some();
            Ok(outcome.unwrap_or(Outcome { variant: None, split: false }))
        });
        is_simple.then_some(decision)
    }

    #[inline]
    fn decide_by<'a>(
        &'a self,
        run: impl FnOnce(&'a Rule) -> Result<Outcome<'a>, LogicError>,
    ) -> Decision<'a> {
        let Some(body) = &self.body else { return Decision::Failed(Failure::Broken) };
        if !body.is_enabled {
            return Decision::Nothing(Reason::Disabled);
        }
        let Some(rule) = &body.rule else { return body.default_variant(Reason::Static) };
        match run(rule) {
            Ok(outcome) => match outcome.variant {
                None => body.default_variant(Reason::Default),
                Some(name) => match body.variant(&name) {
                    Some(variant) if outcome.split && self.split_reason => {
                        Decision::Variant(variant, Reason::Split)
                    }
                    Some(variant) => Decision::Variant(variant, Reason::TargetingMatch),
                    None => Decision::Failed(Failure::UnknownVariant(name)),
                },
            },
            Err(error) => Decision::Failed(Failure::Rule(error)),
        }
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
        let reads_it = |rule: &Rule| {
            rule.reads().is_none_or(|names| names.iter().any(|name| enrichment.get(name).is_some()))
        };
        let Some(body) = self.body.as_ref().filter(|body| body.rule.as_ref().is_some_and(reads_it)) else {
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
                Failure::NotFound => Failure::NotFound,
                // Which type is asked for, nobody has looked at yet.
                Failure::Broken | Failure::WrongType { .. } => Failure::Broken,
            }),
        }
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
