//! Colours and signs, sparingly.

use serinus::rollout::{Plan, Rule};

/// Paints texts, if the terminal has colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) has_colours: bool,
}

impl Paint {
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.has_colours { format!("\x1b[{code}m{text}\x1b[22;39m") } else { text.to_owned() }
    }
}

/// One line of a rollout's history.
pub(crate) fn note(paint: Paint, elapsed: &str, rule: Rule, message: &str) -> String {
    let message = tidy(message);
    let sign = match rule {
        Rule::Measured if message.contains(": Successful") => paint.green("✓"),
        Rule::Measured if message.contains(": Failed") => paint.red("✗"),
        Rule::Measured => paint.yellow("?"),
        Rule::AnalysisEnded if message.ends_with("passed") => paint.green("✓"),
        Rule::Promoted => paint.green("★"),
        Rule::AbortStarted | Rule::Aborted => paint.red("↩"),
        Rule::AttemptStarted | Rule::StepStarted => paint.cyan("▸"),
        Rule::EffectFailed | Rule::DeadlineExceeded | Rule::Shortage | Rule::CommandIgnored => {
            paint.yellow("!")
        }
        _ => paint.dim("·"),
    };
    let message = match rule {
        Rule::Measured => format!("  {sign} {message}"),
        _ => format!("{sign} {message}"),
    };
    format!("{elapsed:>9}  {message}")
}

/// Analyses by name, which a step names by number.
pub(crate) fn with_names(message: &str, plan: &Plan) -> String {
    let Some((before, number)) = message.split_once("analyse #") else { return message.to_owned() };
    let analysis = number.parse::<usize>().ok().and_then(|index| plan.spec().analyses.get(index));
    analysis.map_or_else(|| message.to_owned(), |analysis| format!("{before}analyse `{}`", analysis.name))
}

/// Bookkeeping that everybody expects is left out for people.
pub(crate) const fn is_worth_a_line(rule: Rule) -> bool {
    !matches!(rule, Rule::StepDone | Rule::AnswerIgnored)
}

/// Numbers with at most three decimals.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut decimals: Option<usize> = None;
    let mut last = ' ';
    for letter in text.chars() {
        decimals = match (decimals, letter) {
            (None, '.') if last.is_ascii_digit() => Some(0),
            (Some(decimals), '0'..='9') => Some(decimals + 1),
            _ => None,
        };
        if decimals.is_none_or(|decimals| decimals <= 3) {
            tidied.push(letter);
        }
        last = letter;
    }
    tidied
}
