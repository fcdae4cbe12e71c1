//! What can be wrong with a rule.

/// Why a rule cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFault {
    /// A shared rule needs itself.
    #[error("the shared rule \"{name}\" refers to itself: {path}; take one of the `$ref`s out")]
    Cycle {
        /// The shared rule.
        name: String,
        /// The way around, as `a -> b -> a`.
        path: String,
    },
    /// Too many levels.
    #[error("the rule has more than {limit} levels, its shared rules included; write it with fewer")]
    TooDeep {
        /// How many levels are allowed.
        limit: usize,
    },
    /// Too many parts.
    #[error(
        "the rule has more than {limit} parts, its shared rules put in; use fewer `$ref`s or shorter lists"
    )]
    TooLarge {
        /// How many operators and values are allowed.
        limit: usize,
    },
    /// Too much is copied from shared rules.
    #[error(
        "the flags up to this one copy more than {limit} parts of shared rules, because a shared rule with a \
         `fractional` or `$flagd.flagKey` is copied into each flag; keep those out of large shared rules, or split the \
         document"
    )]
    CopiedTooOften {
        /// How many parts the flags of a document may copy.
        limit: usize,
    },
}

/// Why a rule could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogicError {
    /// There is no such operator.
    #[error("there is no operator \"{name}\"; a `$ref` needs a shared rule of its name under `$evaluators`")]
    UnknownOperator {
        /// Its name.
        name: String,
    },
    /// An operator got what it cannot work with.
    #[error("\"{operator}\" {problem}")]
    Argument {
        /// The operator.
        operator: &'static str,
        /// What is wrong, and what it takes.
        problem: &'static str,
    },
    /// A number that JSON does not have.
    #[error("the result is {result}, which is not a number that JSON has; look for a division by zero")]
    NotFinite {
        /// `inf`, `-inf` or `NaN`.
        result: String,
    },
    /// It takes too long, or makes too much.
    #[error(
        "the rule takes more than {limit} steps for this context; nest fewer lists in one another, or make shorter texts"
    )]
    TooLong {
        /// How many steps are allowed: nodes worked out, elements looked at, eight bytes of text made.
        limit: usize,
    },
    /// An attribute of the context looks like a rule, and stands where a rule's result is evaluated once more.
    #[error("the context has an object where the rule needs a value: {{\"{name}\": ...}}")]
    RuleInContext {
        /// The object's only name.
        name: String,
    },
}

/// Where implementations of flagd would not agree about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleWarning {
    /// The operator in question.
    pub operator: &'static str,
    /// What each takes it for.
    pub dispute: &'static str,
}

impl std::fmt::Display for RuleWarning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "\"{}\": {}", self.operator, self.dispute)
    }
}
