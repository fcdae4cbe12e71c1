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

/// What was probably not meant in a rule. Prints the doubt, without the place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleWarning {
    /// Where, from the rule on: `.if[1].fractional[0][1]`.
    pub path: String,
    /// What is doubtful.
    pub doubt: Doubt,
}

impl std::fmt::Display for RuleWarning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.doubt.fmt(formatter)
    }
}

/// What can be doubtful in a rule that can be compiled. Its display says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// Implementations of flagd do not agree.
    #[error("implementations of flagd do not agree: \"{operator}\": {dispute}")]
    Disputed {
        /// The operator in question.
        operator: &'static str,
        /// What each takes it for.
        dispute: &'static str,
    },
    /// There is no such operator.
    #[error("there is no operator \"{name}\", and the rule fails where it is reached: correct the name")]
    UnknownOperator {
        /// What is written.
        name: String,
    },
    /// There is no such shared rule.
    #[error(
        "there is no shared rule \"{name}\", and the rule fails where it is reached: correct the name, or add the rule \
         to $evaluators"
    )]
    UnknownReference {
        /// What is written.
        name: String,
    },
    /// The flag has no such variant.
    #[error("the flag has no variant \"{name}\", and fails for whom the rule comes to it: correct the name")]
    UnknownVariant {
        /// What is written.
        name: String,
    },
    /// A weight with which a split gives nobody anything, or this entry to nobody.
    #[error("the weight {weight} never counts: write a whole number from 0 to 2147483647")]
    Weight {
        /// What is written.
        weight: String,
    },
    /// A split by a text that stands in the rule.
    #[error(
        "the split is by the text \"{text}\" itself, the same for everybody, so that all get one variant: write \
         {{\"var\": \"{text}\"}} for the attribute of that name, or take it out"
    )]
    OneBucket {
        /// What is written.
        text: String,
    },
    /// An operator with a wrong number of arguments.
    #[error(
        "\"{operator}\" takes {expected} arguments and has {found}, so that it is never true: write {expected}"
    )]
    ArgumentCount {
        /// The operator.
        operator: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many are written.
        found: usize,
    },
    /// A comparison of versions that does not exist.
    #[error("\"{found}\" compares no versions, so that it is never true: write =, !=, <, <=, >, >=, ^ or ~")]
    UnknownComparison {
        /// What is written.
        found: String,
    },
    /// `$flagd` has nothing of this name.
    #[error("nothing is ever at \"{name}\": write \"$flagd.flagKey\" or \"$flagd.timestamp\"")]
    UnknownOfFlagd {
        /// What is written.
        name: String,
    },
}
