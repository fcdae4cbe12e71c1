//! Windows in which everything is counted between the same two moments.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Window;
use crate::time::Timestamp;

/// Remembers what counters held when a window ended, and when the traffic was shifted.
///
/// A moment is known by the time that whoever asks has for it, and is what the counters held when that time was first
/// heard of: so windows that follow one another neither overlap nor leave a gap, whatever the clocks say.
#[derive(Debug)]
pub struct Windows<R> {
    marks: Mutex<VecDeque<Mark<R>>>,
}

#[derive(Debug)]
struct Mark<R> {
    /// None where the traffic was shifted.
    at: Option<Timestamp>,
    reading: R,
}

impl<R: Clone> Windows<R> {
    /// The traffic is shifted: no window goes on across this moment. `read` is what the counters hold now.
    pub fn cut(&self, read: impl FnOnce() -> R) {
        let mut marks = self.marks();
        let reading = read();
        push(&mut marks, Mark { at: None, reading });
    }

    /// What the counters held at both ends of a window, the beginning first; the same again for a window that was asked
    /// for before. None if its beginning was never the end of another one: the next can begin where this one ends.
    pub fn ends_of(&self, window: Window, read: impl FnOnce() -> R) -> Option<(R, R)> {
        let mut marks = self.marks();
        let place = |marks: &VecDeque<Mark<R>>, at| marks.iter().position(|mark| mark.at == Some(at));
        if place(&marks, window.to).is_none() {
            let reading = read();
            push(&mut marks, Mark { at: Some(window.to), reading });
        }
        let (start, end) = (place(&marks, window.from)?, place(&marks, window.to)?);
        // Whoever asked before the traffic was shifted, and is answered after, is told of the time before.
        let end = (start..end).find(|place| *place > start && marks[*place].at.is_none()).unwrap_or(end);
        Some((marks[start].reading.clone(), marks[end].reading.clone()))
    }

    fn marks(&self) -> MutexGuard<'_, VecDeque<Mark<R>>> {
        // Every holder leaves the list whole.
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Default for Windows<R> {
    fn default() -> Self {
        Self { marks: Mutex::default() }
    }
}

fn push<R>(marks: &mut VecDeque<Mark<R>>, mark: Mark<R>) {
    if marks.len() >= MOST_MARKS {
        marks.pop_front();
    }
    marks.push_back(mark);
}

/// A window of hours beside windows of a quarter of a minute: what a window began with must still be there when it
/// ends.
const MOST_MARKS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn windows_follow_one_another_and_none_goes_on_across_a_shift() {
        let windows = Windows::default();
        let ask = |from, to, held: u64| {
            let window = Window { from: at(from), to: at(to) };
            windows.ends_of(window, || held).map(|(start, end)| end - start)
        };
        assert_eq!(ask(0, 10, 100), None, "nobody counted at its beginning");
        assert_eq!(ask(10, 20, 130), Some(30));
        assert_eq!(ask(10, 20, 999), Some(30), "asked again");
        windows.cut(|| 150);
        assert_eq!(ask(20, 30, 170), Some(20), "only what was before the shift");
        assert_eq!(ask(30, 40, 200), Some(30));
    }
}
