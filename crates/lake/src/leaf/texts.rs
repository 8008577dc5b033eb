//! Texts without a dictionary, each page by itself: their lengths in front, and of texts that resemble their neighbours
//! only what the neighbour does not have.

use std::cmp::Ordering;

use super::bounds::{Bounds, Value};
use super::delta::Deltas;

/// `DELTA_BYTE_ARRAY`: how much of its beginning a text has from the one before, and the rest.
#[derive(Debug, Default)]
pub(super) struct AlikeTexts {
    shared: Deltas<false>,
    own: PlainTexts,
    last: Vec<u8>,
    least: End,
    greatest: End,
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
    pub(super) fn push(&mut self, text: &[u8]) {
        let shared = common_prefix(&self.last, text);
        let (_, own) = text.split_at(shared);
        // The first byte that they do not share, or the end of one, tells them apart.
        let order = own.first().cmp(&self.last.get(shared));
        self.least.see(order.reverse(), &self.last, |least| text < least);
        self.greatest.see(order, &self.last, |greatest| text > greatest);
        self.shared.push(length(shared));
        self.own.push(own);
        self.last.truncate(shared);
        self.last.extend_from_slice(own);
    }

    pub(super) fn bytes(&self) -> usize {
        self.shared.bytes() + self.own.bytes()
    }

    /// Writes all texts and begins again; returns between which they lie.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Option<Bounds> {
        self.shared.end(out);
        self.own.end(out);
        let ends = [&mut self.least, &mut self.greatest].map(|end| std::mem::take(end).text(&self.last));
        self.last.clear();
        let [least, greatest] = ends;
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
    texts: Vec<u8>,
}

impl PlainTexts {
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        self.lengths.push(length(text.len()));
        self.texts.extend_from_slice(text);
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

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let mut same = 0;
    for (one, other) in one.as_chunks().0.iter().zip(other.as_chunks().0) {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return same + differ.trailing_zeros() as usize / 8;
        }
        same += size_of::<u64>();
    }
    let rest = one.iter().skip(same).zip(other.iter().skip(same));
    same + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_as_long_as_they_are() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        for (one, other) in (0..=text.len()).flat_map(|one| (0..=text.len()).map(move |other| (one, other))) {
            assert_eq!(common_prefix(&text.as_bytes()[..one], &text.as_bytes()[..other]), one.min(other));
            let differs = format!("{}-{}", &text[..one], &text[one..]);
            assert_eq!(common_prefix(text.as_bytes(), differs.as_bytes()), one);
        }
    }

    #[test]
    fn the_least_and_the_greatest_are_found_in_any_order() {
        let words = ["b", "", "ba", "a", "bab", "c", "ca", "b"];
        for from in 0..words.len() {
            for to in from + 1..=words.len() {
                let mut texts = AlikeTexts::default();
                words[from..to].iter().for_each(|word| texts.push(word.as_bytes()));
                let bounds = texts.end(&mut Vec::new()).unwrap();
                let text = |word: Option<&&str>| Value::Text(word.unwrap().as_bytes().to_vec());
                let own = &words[from..to];
                assert_eq!((bounds.least, bounds.greatest), (text(own.iter().min()), text(own.iter().max())));
                assert_eq!(texts.end(&mut Vec::new()), None);
            }
        }
    }
}
