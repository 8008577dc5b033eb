//! The texts that a column chunk has, each once, and the keys of a page's values.

use std::ops::Range;

use hashbrown::HashTable;

use super::bounds::{Bounds, Value};
use super::column::TextColumn;
use super::hybrid;

/// The dictionary of a column chunk, growing, and the keys of the page in the making.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// Keys by their text's print.
    keys: HashTable<u32>,
    /// By key.
    entries: Vec<Entry>,
    texts: Vec<u8>,
    /// The keys of the page's values.
    values: Vec<u32>,
    last: u32,
    /// The last one's follower.
    expected: u32,
}

#[derive(Debug)]
struct Entry {
    print: Print,
    hash: u64,
    /// Where its text begins among all texts.
    start: usize,
    /// What came behind it when it came last: columns repeat values, and lists whole rows of them.
    follower: u32,
}

/// A text's length and its ends: all of a text of sixteen bytes, and what tells longer ones apart most of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    length: usize,
    first: u64,
    last: u64,
}

impl Print {
    /// The print of the text that lies there.
    #[inline]
    fn of(data: &[u8], place: &Range<usize>) -> Self {
        let word = |at: usize| data.get(at..).and_then(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word));
        let length = place.len();
        if length >= size_of::<u64>() {
            let [first, last] = [place.start, place.end - size_of::<u64>()].map(|at| word(at).unwrap_or_default());
            return Self { length, first, last };
        }
        // What lies behind a short text is read with it and left out, which is faster than to read byte by byte.
        let first = match word(place.start) {
            Some(word) => word & ((1 << (8 * length)) - 1),
            None => text_at(data, place).iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)),
        };
        Self { length, first, last: 0 }
    }

    /// Whether texts of this print are the same.
    fn is_whole(self) -> bool {
        self.length <= 2 * size_of::<u64>()
    }

    /// The hash of a text of this print. Keys are given in the order in which texts come, so that it changes no byte.
    fn hash(self, text: &[u8]) -> u64 {
        /// Digits of the golden ratio, which leave no pattern of the input in the high bits.
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |mixed: u64, word: u64| (mixed.rotate_left(32) ^ word).wrapping_mul(MIX);
        let ends = mix((self.first ^ self.length as u64).wrapping_mul(MIX), self.last);
        // Addresses and names that are counted up have the same ends.
        let inside: &[[u8; 8]] = if self.is_whole() { &[] } else { text.as_chunks().0 };
        let mixed = inside.iter().fold(ends, |mixed, word| mix(mixed, u64::from_le_bytes(*word)));
        mixed ^ mixed >> 32
    }
}

/// Whether a chunk has met a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Before,
    Never,
}

impl Dictionary {
    /// Adds those of these rows that are not null; does something with each text that is new.
    pub(super) fn extend(&mut self, column: TextColumn<'_>, rows: Range<usize>, mut on_new: impl FnMut(&[u8])) {
        // Whole stretches say what the last value did.
        if let Some(count) = column.repeats(self.text(self.last), &rows) {
            self.values.resize(self.values.len() + count, self.last);
            return;
        }
        column.each(rows, |row| {
            let place = column.place(row);
            if self.push(column.data, &place) == Seen::Never {
                on_new(column.text(&place));
            }
        });
    }

    #[inline]
    fn push(&mut self, data: &[u8], place: &Range<usize>) -> Seen {
        let (print, text) = (Print::of(data, place), text_at(data, place));
        let is_expected = self.is(self.expected, print, text);
        if is_expected && self.expected == self.last {
            self.values.push(self.last);
            return Seen::Before;
        }
        let (key, seen) = if is_expected { (self.expected, Seen::Before) } else { self.look_up(print, text) };
        self.expected = self.entries.get(key as usize).map_or(key, |entry| entry.follower);
        self.last = key;
        self.values.push(key);
        seen
    }

    /// The key of a text, wherever it comes; does something with it if it is new.
    pub(super) fn key_of(&mut self, text: &[u8], on_new: impl FnOnce(&[u8])) -> u32 {
        let (key, seen) = self.find_or_insert(Print::of(text, &(0..text.len())), text);
        if seen == Seen::Never {
            on_new(text);
        }
        key
    }

    /// Adds values by their keys.
    #[inline]
    pub(super) fn extend_by_keys(&mut self, keys: impl IntoIterator<Item = u32>) {
        self.values.extend(keys);
    }

    #[inline]
    fn is(&self, key: u32, print: Print, text: &[u8]) -> bool {
        self.entries.get(key as usize).is_some_and(|entry| entry.print == print)
            && (print.is_whole() || self.text(key) == text)
    }

    /// The key of a text that does not come behind the one before it as it did before.
    #[inline(never)]
    fn look_up(&mut self, print: Print, text: &[u8]) -> (u32, Seen) {
        let (key, seen) = self.find_or_insert(print, text);
        if let Some(entry) = self.entries.get_mut(self.last as usize) {
            entry.follower = key;
        }
        (key, seen)
    }

    fn find_or_insert(&mut self, print: Print, text: &[u8]) -> (u32, Seen) {
        let hash = print.hash(text);
        match self.keys.find(hash, |key| self.is(*key, print, text)).copied() {
            Some(key) => (key, Seen::Before),
            None => (self.insert((print, hash), text), Seen::Never),
        }
    }

    fn insert(&mut self, (print, hash): (Print, u64), text: &[u8]) -> u32 {
        let key = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { print, hash, start: self.texts.len(), follower: key });
        self.texts.extend_from_slice(text);
        let entries = &self.entries;
        self.keys.insert_unique(hash, key, |key| entries.get(*key as usize).map_or(0, |entry| entry.hash));
        key
    }

    fn text(&self, key: u32) -> &[u8] {
        let entry = self.entries.get(key as usize);
        entry.and_then(|entry| self.texts.get(entry.start..entry.start + entry.print.length)).unwrap_or_default()
    }

    /// Bytes of the page so far, at most.
    pub(super) fn page_bytes(&self) -> usize {
        self.values.len() * size_of::<u32>()
    }

    /// Bytes that the dictionary takes as a page.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len() + self.len() * size_of::<u32>()
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes the keys of the page's values, and begins the next page; returns between which texts they lie, if that is asked.
    pub(super) fn end_page(&mut self, has_bounds: bool, out: &mut Vec<u8>) -> Option<Bounds> {
        let most = u32::try_from(self.len()).unwrap_or(u32::MAX).saturating_sub(1);
        // Not every reader takes keys without bits.
        let width = u8::try_from(u32::BITS - most.leading_zeros()).unwrap_or(u8::MAX).max(1);
        out.push(width);
        hybrid::write(&self.values, width, out);
        let bounds = if has_bounds { self.bounds() } else { None };
        self.values.clear();
        bounds
    }

    /// Between which texts those of the page lie.
    fn bounds(&self) -> Option<Bounds> {
        let mut is_in_page = vec![false; self.len()];
        for key in &self.values {
            if let Some(is_in_page) = is_in_page.get_mut(*key as usize) {
                *is_in_page = true;
            }
        }
        let texts = || (0..).zip(&is_in_page).filter(|(_, is)| **is).map(|(key, _)| self.text(key));
        let value = |text: &[u8]| Value::Text(text.to_vec());
        Some(Bounds { least: value(texts().min()?), greatest: value(texts().max()?) })
    }

    /// The texts by their keys, each with its length in front.
    pub(super) fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.bytes());
        for key in (0..).take(self.len()) {
            let text = self.text(key);
            plain.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            plain.extend_from_slice(text);
        }
        plain
    }
}

#[inline]
fn text_at<'a>(data: &'a [u8], place: &Range<usize>) -> &'a [u8] {
    data.get(place.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses that differ in their middle: were it not hashed, each would be held against all others.
    #[test]
    fn texts_with_the_same_ends_have_hashes_of_their_own() {
        let texts = (0..20_000).map(|number| format!("aws+{number:012}@corp.example").into_bytes());
        let hashes: std::collections::HashSet<u64> =
            texts.map(|text| Print::of(&text, &(0..text.len())).hash(&text)).collect();
        assert_eq!(hashes.len(), 20_000);
    }

    /// What lies around a text is no part of it.
    #[test]
    fn a_text_has_the_same_print_wherever_it_lies() {
        let text = b"us-east-1, and elsewhere";
        for length in 0..text.len() {
            let alone = Print::of(&text[..length], &(0..length));
            let around = [b"xyz", &text[..length], b"0123456789"].concat();
            assert_eq!(Print::of(&around, &(3..3 + length)), alone);
            assert_eq!(Print::of(&around[..3 + length], &(3..3 + length)), alone);
        }
    }

    /// Texts whose lengths and ends are the same, and texts whose bytes are, are told apart.
    #[test]
    fn every_text_has_one_key() {
        let mut texts: Vec<Vec<u8>> = (0..40).map(|length| vec![0; length]).collect();
        texts.extend((0..24).map(|place| (0..24).map(|at| u8::from(at == place)).collect()));
        let mut dictionary = Dictionary::default();
        for round in 0..3 {
            let seen: Vec<Seen> = texts.iter().map(|text| dictionary.push(text, &(0..text.len()))).collect();
            let expected = if round == 0 { Seen::Never } else { Seen::Before };
            assert!(seen.iter().all(|seen| *seen == expected));
        }
        assert_eq!(dictionary.len(), texts.len());
        let keys: Vec<u32> = (0..3).flat_map(|_| 0..u32::try_from(texts.len()).unwrap()).collect();
        assert_eq!(dictionary.values, keys);
        assert!(texts.iter().zip(0..).all(|(text, key)| dictionary.text(key) == text));
    }
}
