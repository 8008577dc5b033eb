//! Texts without a dictionary, each page by itself: their lengths in front, and of texts that resemble their neighbours
//! only what the neighbour does not have.

use std::cmp::Ordering;
use std::ops::Range;

use super::bounds::{Bounds, Value};
use super::column::TextColumn;
use super::delta::Deltas;

/// `DELTA_BYTE_ARRAY`: how much of its beginning a text has from the one before, and the rest.
#[derive(Debug, Default)]
pub(super) struct AlikeTexts {
    shared: Deltas<false>,
    /// Those of a stretch of texts, before they are deltas.
    shared_lengths: Vec<i64>,
    own: PlainTexts,
    last: Vec<u8>,
    /// The least and the greatest text, if they are asked.
    ends: Option<[End; 2]>,
}

/// The least or the greatest text of a page.
#[derive(Debug, Default)]
enum End {
    /// There is no text yet.
    #[default]
    None,
    /// The last one, which is not copied as long as it is: where texts are sorted, each is the greatest in turn.
    Last,
    /// One before the last.
    Before(Vec<u8>),
}

impl AlikeTexts {
    /// None yet; whether it is asked between which they lie.
    pub(super) fn new(has_bounds: bool) -> Self {
        Self { ends: has_bounds.then(Default::default), ..Self::default() }
    }

    /// Adds those of these rows that are not null.
    pub(super) fn extend(&mut self, column: TextColumn<'_>, rows: Range<usize>) {
        let carried = std::mem::take(&mut self.last);
        let mut last = Placed { data: &carried, place: 0..carried.len() };
        self.shared_lengths.clear();
        column.each(rows, |row| {
            let next = Placed { data: column.data, place: column.place(row) };
            let shared = last.shares_with(&next);
            if let Some([least, greatest]) = &mut self.ends {
                let (last, text) = (last.text(), next.text());
                // The first byte that they do not share, or the end of one, tells them apart.
                let order = text.get(shared).cmp(&last.get(shared));
                least.see(order.reverse(), last, |least| text < least);
                greatest.see(order, last, |greatest| text > greatest);
            }
            self.shared_lengths.push(length(shared));
            self.own.push(column.data, &(next.place.start + shared..next.place.end));
            last = next;
        });
        self.shared.extend(&self.shared_lengths);
        self.own.end_stretch();
        self.last = last.text().to_vec();
    }

    pub(super) fn bytes(&self) -> usize {
        self.shared.bytes() + self.own.bytes()
    }

    /// Writes all texts and begins again; returns between which they lie, if that is asked.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Option<Bounds> {
        self.shared.end(out);
        self.own.end(out);
        let ends = self.ends.as_mut().map(|ends| ends.each_mut().map(|end| std::mem::take(end).text(&self.last)));
        self.last.clear();
        let [least, greatest] = ends?;
        Some(Bounds { least: Value::Text(least?), greatest: Value::Text(greatest?) })
    }
}

impl End {
    /// Sees the next text, which lies beyond the last one if `order` says `Greater`.
    fn see(&mut self, order: Ordering, last: &[u8], is_beyond: impl Fn(&[u8]) -> bool) {
        match self {
            Self::None => *self = Self::Last,
            Self::Last if order == Ordering::Less => *self = Self::Before(last.to_vec()),
            Self::Before(end) if order == Ordering::Greater && is_beyond(end) => *self = Self::Last,
            Self::Last | Self::Before(_) => {}
        }
    }

    fn text(self, last: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::None => None,
            Self::Last => Some(last.to_vec()),
            Self::Before(text) => Some(text),
        }
    }
}

/// `DELTA_LENGTH_BYTE_ARRAY`: all lengths, then all texts.
#[derive(Debug, Default)]
pub(super) struct PlainTexts {
    lengths: Deltas<false>,
    /// Those of a stretch of texts, before they are deltas.
    open_lengths: Vec<i64>,
    texts: Vec<u8>,
}

impl PlainTexts {
    /// Adds those of these rows that are not null.
    pub(super) fn extend(&mut self, column: TextColumn<'_>, rows: Range<usize>) {
        column.each(rows, |row| self.push(column.data, &column.place(row)));
        self.end_stretch();
    }

    /// Adds the text that lies there.
    #[inline]
    fn push(&mut self, data: &[u8], place: &Range<usize>) {
        /// What is copied of a short text, whatever lies behind it: to copy that many bytes takes no call.
        const SHORT: usize = 16;
        self.open_lengths.push(length(place.len()));
        match data.get(place.start..).and_then(<[u8]>::first_chunk::<SHORT>) {
            Some(text) if place.len() <= SHORT => {
                let end = self.texts.len() + place.len();
                self.texts.extend_from_slice(text);
                self.texts.truncate(end);
            }
            _ => self.texts.extend_from_slice(data.get(place.clone()).unwrap_or_default()),
        }
    }

    fn end_stretch(&mut self) {
        self.lengths.extend(&self.open_lengths);
        self.open_lengths.clear();
    }

    pub(super) fn bytes(&self) -> usize {
        self.lengths.bytes() + self.texts.len()
    }

    /// Writes all texts and begins again.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.lengths.end(out);
        out.extend_from_slice(&self.texts);
        self.texts.clear();
    }
}

/// An Arrow array of texts holds less than 2 GiB.
fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Bytes that are compared at once where texts share many.
const CHUNK: usize = 32;

/// A text, and what lies around it.
struct Placed<'a> {
    data: &'a [u8],
    place: Range<usize>,
}

impl<'a> Placed<'a> {
    fn text(&self) -> &'a [u8] {
        self.data.get(self.place.clone()).unwrap_or_default()
    }

    /// Eight bytes from here on, whatever lies behind the text.
    #[inline]
    fn word(&self, at: usize) -> Option<u64> {
        self.data.get(self.place.start + at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
    }

    /// How many bytes both begin with.
    #[inline]
    fn shares_with(&self, other: &Self) -> usize {
        let most = self.place.len().min(other.place.len());
        let chunks = self.text().as_chunks::<CHUNK>().0.iter().zip(other.text().as_chunks().0);
        let mut same = chunks.take_while(|(own, others)| own == others).count() * CHUNK;
        while same < most {
            let Some((own, others)) = self.word(same).zip(other.word(same)) else {
                let rest = self.text().iter().zip(other.text()).skip(same);
                return same + rest.take_while(|(own, others)| own == others).count();
            };
            if own != others {
                // What differs may lie behind the end of one of them.
                return most.min(same + (own ^ others).trailing_zeros() as usize / 8);
            }
            same += size_of::<u64>();
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;

    use super::*;

    #[test]
    fn texts_share_their_beginning_whatever_lies_behind_them() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        let shared = |one: &str, other: &str| {
            let placed = |data: &'static str, text: &str, behind: &str| {
                let data = [data, text, behind].concat().into_bytes();
                (data, 3..3 + text.len())
            };
            let shared = ["", "abcdefghij", "xyzxyzxyzxyz"].map(|behind| {
                let [(one, first), (other, second)] = [placed("012", one, behind), placed("345", other, "abcdefghij")];
                Placed { data: &one, place: first }.shares_with(&Placed { data: &other, place: second })
            });
            assert!(shared.iter().all(|it| *it == shared[0]), "{one} {other}");
            shared[0]
        };
        for (one, other) in (0..=text.len()).flat_map(|one| (0..=text.len()).map(move |other| (one, other))) {
            assert_eq!(shared(&text[..one], &text[..other]), one.min(other));
            let differs = format!("{}-{}", &text[..one], &text[one..]);
            assert_eq!(shared(text, &differs), one);
        }
    }

    #[test]
    fn the_least_and_the_greatest_are_found_in_any_order() {
        let words = ["b", "", "ba", "a", "bab", "c", "ca", "b"];
        for from in 0..words.len() {
            for to in from + 1..=words.len() {
                let mut texts = AlikeTexts::new(true);
                let column = StringArray::from_iter_values(&words[from..to]);
                texts.extend(TextColumn::of(&column), 0..to - from);
                let bounds = texts.end(&mut Vec::new()).unwrap();
                let text = |word: Option<&&str>| Value::Text(word.unwrap().as_bytes().to_vec());
                let own = &words[from..to];
                assert_eq!((bounds.least, bounds.greatest), (text(own.iter().min()), text(own.iter().max())));
                assert_eq!(texts.end(&mut Vec::new()), None);
            }
        }
    }
}
