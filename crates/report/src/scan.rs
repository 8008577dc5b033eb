//! The text behind the header in one pass: where each field ends, and which lines have the fields they should.
//!
//! Knows separators, and nothing of what the fields mean.

use crate::blocks::{Masks, fetch, write_offsets};
use crate::machine::Machine;
use crate::text::{Line, Span, narrow, wide};

/// How many blocks are passed before the lines are looked at that ended there: of so many the text is still at hand.
const BLOCKS: usize = 64;

/// How many places must be left before they are passed: one for each of their bytes, and one for an end without newline.
const ROOM: usize = BLOCKS * 64 + 8;

/// How many bytes ahead memory is asked for. The machine does so by itself, but not beyond the end of a page.
const AHEAD: usize = 1024;

/// Where a row's fields are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where its line starts; of an odd row, the number of the careful path's row, or [`NO_ANSWER`].
    start: u32,
    /// The index in [`Scan::ends`] of the end of its first field; 0 for an odd row.
    first: u32,
    /// The line's number.
    pub(crate) line: u32,
}

/// What one pass over a report finds. The room is kept from report to report.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Ends of fields, row by row; beyond [`Scan::found`] there is nothing of use. It begins with the fields of a row
    /// that has only empty ones, at which the rows point that are read in another way.
    ends: Vec<u32>,
    found: usize,
    /// A place for each row, odd ones included, in the order of lines.
    places: Vec<Place>,
    /// Beyond [`Scan::lines`] there is nothing of use.
    newlines: Vec<Newline>,
    lines: usize,
    quotes: Vec<u32>,
    /// Lines that the careful path has to read, each with the index of its row.
    odd: Vec<(u32, Line)>,
    width: u32,
    is_ascii: bool,
}

/// Where a line ends.
#[derive(Debug, Clone, Copy, Default)]
struct Newline {
    at: u32,
    /// The index in [`Scan::ends`] behind the end of the line's last field.
    end: u32,
}

/// What is known of the line whose end comes next.
#[derive(Debug)]
struct Passing {
    number: u32,
    start: u32,
    first: u32,
    /// How many of the quotes are behind.
    quotes: usize,
}

impl Scan {
    /// Finds the rows of `text` from the offset `from`, which is where line 2 starts. Empty lines are no rows; lines
    /// with quotes, and those that do not have `width` fields, are odd.
    #[inline(always)]
    pub(crate) fn read(&mut self, text: &[u8], from: u32, width: u32, machine: &impl Machine) {
        self.places.clear();
        self.odd.clear();
        self.is_ascii = true;
        self.width = width;
        let expected = text.len() / 8 + 2 * wide(width);
        self.ends.resize(self.ends.len().max(expected), 0);
        for (end, index) in self.ends.iter_mut().zip(0..width) {
            *end = index;
        }
        self.found = wide(width);
        self.lines = 0;
        self.quotes.clear();
        let body = text.get(wide(from)..).unwrap_or_default();
        let (blocks, rest) = body.as_chunks::<64>();
        let mut at = from;
        let mut passing = Passing { number: 2, start: from, first: width, quotes: 0 };
        for blocks in blocks.chunks(BLOCKS) {
            at = self.pass(at, blocks, machine);
            self.end_lines(&mut passing, text);
        }
        let mut last = [0; 64];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        self.pass(at, &[last], machine);
        self.end_lines(&mut passing, text);
        if wide(passing.start) < text.len() {
            self.end_last_line(&mut passing, text);
        }
    }

    /// Finds the separators of at most [`BLOCKS`] blocks; returns where the next one starts.
    #[inline(always)]
    fn pass(&mut self, mut at: u32, blocks: &[[u8; 64]], machine: &impl Machine) -> u32 {
        let (mut found, mut lines) = (self.found, 0);
        if self.ends.len() < found.saturating_add(ROOM) {
            self.ends.resize(self.ends.len() * 2 + ROOM, 0);
        }
        self.newlines.resize(BLOCKS * 64 + 1, Newline::default());
        for block in blocks {
            fetch(block, AHEAD);
            let Masks { separators, mut newlines, rare } = machine.masks(block);
            if let Some(room) = self.ends.get_mut(found..).and_then(<[u32]>::first_chunk_mut) {
                write_offsets(separators, at, room);
            }
            // Of most blocks it is not to be foreseen whether there is a newline, so that one is written in any case.
            loop {
                let up_to = newlines ^ newlines.wrapping_sub(1);
                let end = narrow(found).wrapping_add((separators & up_to).count_ones());
                if let Some(place) = self.newlines.get_mut(lines) {
                    *place = Newline { at: at.wrapping_add(newlines.trailing_zeros()), end };
                }
                lines += usize::from(newlines != 0);
                newlines &= newlines.wrapping_sub(1);
                if newlines == 0 {
                    break;
                }
            }
            if rare != 0 {
                self.pass_rare(at, block);
            }
            found = found.saturating_add(wide(separators.count_ones()));
            at = at.wrapping_add(64);
        }
        (self.found, self.lines) = (found, lines);
        at
    }

    /// Notes quotes, and whether there are bytes that are not ASCII.
    #[cold]
    fn pass_rare(&mut self, at: u32, block: &[u8; 64]) {
        for (byte, index) in block.iter().zip(0..) {
            match byte {
                b'"' => self.quotes.push(at.wrapping_add(index)),
                _ => self.is_ascii &= byte.is_ascii(),
            }
        }
    }

    /// Makes a row of each line that ended since the last time and is not empty.
    #[inline(always)]
    fn end_lines(&mut self, passing: &mut Passing, text: &[u8]) {
        let newlines = std::mem::take(&mut self.newlines);
        for newline in newlines.iter().take(self.lines) {
            self.end_line(passing, *newline, text);
        }
        self.newlines = newlines;
        self.lines = 0;
    }

    #[inline(always)]
    fn end_line(&mut self, passing: &mut Passing, line: Newline, text: &[u8]) {
        let (newline, end) = (line.at, line.end);
        let (number, start, first, quotes) = (passing.number, passing.start, passing.first, passing.quotes);
        while self.quotes.get(passing.quotes).is_some_and(|quote| *quote < newline) {
            passing.quotes += 1;
        }
        let has_quotes = passing.quotes != quotes;
        passing.number = number.wrapping_add(1);
        passing.start = newline.wrapping_add(1);
        passing.first = end;
        let before = newline.wrapping_sub(1);
        let has_return = newline > start && text.get(wide(before)) == Some(&b'\r');
        let stop = if has_return { before } else { newline };
        if stop == start {
            return;
        }
        if has_return && let Some(place) = self.ends.get_mut(wide(end.wrapping_sub(1))) {
            *place = stop;
        }
        let row = narrow(self.places.len());
        if end.wrapping_sub(first) == self.width && !has_quotes {
            self.places.push(Place { start, first, line: number });
        } else {
            self.places.push(Place::odd(number));
            self.odd.push((row, Line { number, span: Span { start, end: stop }, terminated: true }));
        }
    }

    /// Ends a line that has no newline, as if it had one.
    fn end_last_line(&mut self, passing: &mut Passing, text: &[u8]) {
        let end = narrow(text.len());
        if let Some(place) = self.ends.get_mut(self.found) {
            *place = end;
        }
        self.found = self.found.saturating_add(1);
        let odd = self.odd.len();
        self.end_line(passing, Newline { at: end, end: narrow(self.found) }, text);
        if let Some((_, line)) = self.odd.get_mut(odd) {
            line.terminated = false;
        }
    }

    /// Whether all of it is ASCII.
    pub(crate) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// How many rows there are, odd ones included.
    pub(crate) fn rows(&self) -> u32 {
        narrow(self.places.len())
    }

    /// Asks for the first `bytes` of the row at `index`, if there is one, so that they are at hand when they are read.
    #[inline(always)]
    pub(crate) fn fetch(&self, text: &[u8], index: u32, bytes: usize) {
        let start = wide(self.place(index).start());
        for at in (0..bytes).step_by(64) {
            fetch(text, start.wrapping_add(at));
        }
    }

    /// Where the row at `index` is.
    #[inline]
    pub(crate) fn place(&self, index: u32) -> Place {
        self.places.get(wide(index)).copied().unwrap_or_default()
    }

    /// Where the fields of a row end.
    #[inline(always)]
    pub(crate) fn ends(&self, place: Place, width: usize) -> &[u32] {
        let first = wide(place.first);
        self.ends.get(first..first.wrapping_add(width)).unwrap_or_default()
    }

    /// The line of the row at `index`, which counts as set aside from now on, until there is an [answer](Self::answer).
    pub(crate) fn take(&mut self, index: u32, text: &[u8]) -> Option<Line> {
        let place = self.place(index);
        if place.is_odd() {
            let found = self.odd.binary_search_by_key(&index, |(row, _)| *row).ok()?;
            return self.odd.get(found).map(|(_, line)| *line);
        }
        let span = self.span(index)?;
        if let Some(place) = self.places.get_mut(wide(index)) {
            *place = Place::odd(place.line);
        }
        Some(Line { number: place.line, span, terminated: is_terminated(text, span.end) })
    }

    /// Names the row of the careful path that stands for the row at `index`.
    pub(crate) fn answer(&mut self, index: u32, number: u32) {
        if let Some(place) = self.places.get_mut(wide(index)) {
            place.start = number;
        }
    }

    /// Whether the row at `index` was taken, and there was no answer.
    pub(crate) fn is_set_aside(&self, index: u32) -> bool {
        let place = self.place(index);
        place.is_odd() && place.answer().is_none()
    }

    /// The line of the row at `index`, unless it is odd.
    pub(crate) fn span(&self, index: u32) -> Option<Span> {
        let place = self.places.get(wide(index)).filter(|place| !place.is_odd())?;
        let last = place.first.wrapping_add(self.width).wrapping_sub(1);
        Some(Span { start: place.start, end: self.ends.get(wide(last)).copied()? })
    }
}

/// What an odd row has for a start while there is no answer for it.
const NO_ANSWER: u32 = u32::MAX;

impl Place {
    fn odd(line: u32) -> Self {
        Self { start: NO_ANSWER, first: 0, line }
    }

    /// The number of the careful path's row that stands for this odd one.
    pub(crate) fn answer(self) -> Option<u32> {
        Some(self.start).filter(|start| self.is_odd() && *start != NO_ANSWER)
    }

    /// Where the row's first field starts; of an odd row, where its other fields are empty, anything.
    #[inline(always)]
    pub(crate) fn start(self) -> u32 {
        self.start
    }

    /// Whether the careful path answers for the row, so that its fields here are all empty.
    #[inline]
    pub(crate) fn is_odd(self) -> bool {
        self.first == 0
    }

    /// The field at `position` of this row.
    #[inline(always)]
    pub(crate) fn field(self, scan: &Scan, position: usize) -> Span {
        let first = wide(self.first);
        match position.checked_sub(1) {
            None => Span { start: self.start, end: scan.ends.get(first).copied().unwrap_or_default() },
            Some(before) => match scan.ends.get(first + before..first + before + 2) {
                Some([before, end]) => Span { start: before.wrapping_add(1), end: *end },
                _ => Span::default(),
            },
        }
    }
}

/// Whether the line whose content stops at `end` has a newline.
fn is_terminated(text: &[u8], end: u32) -> bool {
    text.get(wide(end)..).is_some_and(|behind| behind.starts_with(b"\n") || behind.starts_with(b"\r\n"))
}
