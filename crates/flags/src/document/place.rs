//! From offsets in a text to lines and columns.

/// Counts lines and columns. Asked for ascending offsets, it reads the text once in all.
pub(crate) struct Places<'t> {
    text: &'t str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    /// Line and column, both counted from 1, where `part` begins; `part` is a slice of the text.
    pub(crate) fn start_of(&mut self, part: &str) -> (u32, u32) {
        self.at((part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize))
    }

    fn at(&mut self, offset: usize) -> (u32, u32) {
        if offset < self.offset {
            *self = Self::of(self.text);
        }
        let between = self.text.get(self.offset..offset).unwrap_or_default();
        let breaks = between.bytes().filter(|byte| *byte == b'\n').count();
        let last = between.rfind('\n').map_or(between, |at| between.get(at + 1..).unwrap_or_default());
        let columns = saturated(last.chars().count());
        self.column =
            if breaks > 0 { columns.saturating_add(1) } else { self.column.saturating_add(columns) };
        self.line = self.line.saturating_add(saturated(breaks));
        self.offset = offset;
        (self.line, self.column)
    }
}

/// Where the place `inner` of a part is in the whole, if the part begins at `outer`.
pub(crate) fn within(outer: (u32, u32), inner: (u32, u32)) -> (u32, u32) {
    let (line, column) = inner;
    if line <= 1 {
        return (outer.0, outer.1.saturating_add(column.saturating_sub(1)));
    }
    (outer.0.saturating_add(line - 1), column.max(1))
}

pub(crate) fn saturated(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters_from_one() {
        let text = "ä\nüb\n\nc";
        let mut places = Places::of(text);
        let mut place = |of: &str| places.start_of(&text[text.find(of).unwrap()..]);
        assert_eq!(place("ä"), (1, 1));
        assert_eq!(place("b"), (2, 2));
        assert_eq!(place("c"), (4, 1));
        assert_eq!(place("ü"), (2, 1));
    }
}
