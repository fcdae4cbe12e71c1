use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::{Faults, lock, wire::Wire};
use crate::{
    metric::{Question, Sample},
    port::{MetricProvider, PortError, PortErrorKind},
};

/// A metrics source that answers as a script says.
///
/// For each text of a query: first the answers queued for it, one per question; then its function; then the
/// function for every query. Without any of them the answer is [`PortErrorKind::NotFound`].
#[derive(Debug, Default)]
pub struct MemoryMetrics {
    wire: Wire<()>,
    script: Mutex<Script>,
}

impl MemoryMetrics {
    /// A source that knows no metric yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ways in which it misbehaves.
    pub const fn faults(&self) -> &Faults {
        &self.wire.faults
    }

    /// Answers every question with this text alike.
    pub fn always(&self, text: impl Into<String>, answer: impl Into<Sample>) {
        let answer = answer.into();
        self.answer_with(text, move |_| Ok(answer.clone()));
    }

    /// Queues an answer for one question with this text, after those queued already.
    pub fn next(&self, text: impl Into<String>, answer: Result<Sample, PortError>) {
        lock(&self.script).queues.entry(text.into()).or_default().push_back(answer);
    }

    /// Answers every question with this text by a function.
    pub fn answer_with(
        &self,
        text: impl Into<String>,
        answer: impl Fn(&Question) -> Result<Sample, PortError> + Send + Sync + 'static,
    ) {
        lock(&self.script).functions.insert(text.into(), Function(Arc::new(answer)));
    }

    /// Answers every question that nothing else answers by a function.
    pub fn answer_all_with(
        &self,
        answer: impl Fn(&Question) -> Result<Sample, PortError> + Send + Sync + 'static,
    ) {
        lock(&self.script).fallback = Some(Function(Arc::new(answer)));
    }

    /// Every question that was asked, oldest first.
    pub fn asked(&self) -> Vec<Question> {
        lock(&self.script).asked.clone()
    }

    fn look_up(&self, question: &Question) -> Result<Sample, PortError> {
        let text = &question.query.text;
        let function = {
            let mut script = lock(&self.script);
            if let Some(answer) = script.queues.get_mut(text).and_then(VecDeque::pop_front) {
                return answer;
            }
            script.functions.get(text).or(script.fallback.as_ref()).cloned()
        };
        match function {
            Some(Function(answer)) => answer(question),
            None => Err(PortError::new(
                PortErrorKind::NotFound,
                format!("no answer is scripted for the query `{text}`: add one"),
            )),
        }
    }
}

#[async_trait]
impl MetricProvider for MemoryMetrics {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        lock(&self.script).asked.push(question.clone());
        self.wire.read(|| self.look_up(question)).await
    }
}

#[derive(Debug, Default)]
struct Script {
    queues: BTreeMap<String, VecDeque<Result<Sample, PortError>>>,
    functions: BTreeMap<String, Function>,
    fallback: Option<Function>,
    asked: Vec<Question>,
}

#[derive(Clone)]
struct Function(Arc<dyn Answer>);

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

/// What a scripted function is.
trait Answer: Fn(&Question) -> Result<Sample, PortError> + Send + Sync {}

impl<F: Fn(&Question) -> Result<Sample, PortError> + Send + Sync> Answer for F {}
