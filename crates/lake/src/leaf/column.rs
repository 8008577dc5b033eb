//! The texts of an Arrow array, as the encodings read them: where each lies among all of its bytes.

use std::ops::Range;

use arrow_array::{Array, StringArray};
use arrow_buffer::NullBuffer;

/// The texts of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextColumn<'a> {
    /// All texts, one behind the other.
    pub(super) data: &'a [u8],
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> TextColumn<'a> {
    pub(super) fn of(texts: &'a StringArray) -> Self {
        Self { data: texts.value_data(), offsets: texts.value_offsets(), nulls: texts.nulls() }
    }

    fn offset(self, row: usize) -> usize {
        self.offsets.get(row).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default()
    }

    /// Where the text of a row lies.
    #[inline]
    pub(super) fn place(self, row: usize) -> Range<usize> {
        self.offset(row)..self.offset(row + 1)
    }

    /// The text that lies there.
    #[inline]
    pub(super) fn text(self, place: &Range<usize>) -> &'a [u8] {
        self.data.get(place.clone()).unwrap_or_default()
    }

    /// Does something for each of these rows that is not null.
    #[inline]
    pub(super) fn each(self, rows: Range<usize>, act: impl FnMut(usize)) {
        each_valid(self.nulls, rows, act);
    }

    /// How many of these rows are not null, if all of those say this text and no other.
    pub(super) fn repeats(self, text: &[u8], rows: &Range<usize>) -> Option<usize> {
        let nulls = self.nulls.map(|nulls| nulls.slice(rows.start, rows.len()));
        let there = rows.len() - nulls.as_ref().map_or(0, NullBuffer::null_count);
        let own = self.text(&(self.offset(rows.start)..self.offset(rows.end)));
        if text.is_empty() || own.len() != there * text.len() {
            return None;
        }
        let length = i32::try_from(text.len()).ok()?;
        let offsets = self.offsets.get(rows.start..=rows.end)?;
        let lengths = offsets.iter().zip(offsets.iter().skip(1)).map(|(start, end)| end - start);
        // Bits in which a length is not what it should be, of all lengths together, so that none is a branch.
        let wrong = match &nulls {
            None => lengths.fold(0, |wrong, own| wrong | (own ^ length)),
            Some(nulls) => {
                let mut lengths = lengths;
                nulls.inner().bit_chunks().iter_padded().fold(0, |wrong, mut there| {
                    lengths.by_ref().take(64).fold(wrong, |wrong, own| {
                        let expected = if there & 1 == 1 { length } else { 0 };
                        there >>= 1;
                        wrong | (own ^ expected)
                    })
                })
            }
        };
        // Bytes that are those of one text before, and begin with the text, are nothing else.
        let before = own.get(..own.len().saturating_sub(text.len()))?;
        (wrong == 0 && (there == 0 || own.starts_with(text)) && own.ends_with(before)).then_some(there)
    }
}

/// Does something for each of these rows that is not null.
#[inline]
pub(super) fn each_valid(nulls: Option<&NullBuffer>, rows: Range<usize>, mut act: impl FnMut(usize)) {
    match nulls {
        None => rows.for_each(act),
        Some(nulls) => {
            let there = nulls.inner().slice(rows.start, rows.len());
            there.set_indices().for_each(|row| act(rows.start + row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_repeats_a_text_if_every_row_says_it_or_nothing() {
        let repeats = |rows: &[Option<&str>], text: &str| {
            let texts = StringArray::from([&[Some("before")], rows, &[Some("behind")]].concat());
            TextColumn::of(&texts).repeats(text.as_bytes(), &(1..rows.len() + 1))
        };
        assert_eq!(repeats(&[Some("N/A"), None, Some("N/A"), None], "N/A"), Some(2));
        assert_eq!(repeats(&[Some("N/A"); 70], "N/A"), Some(70));
        assert_eq!(repeats(&[None, None], "N/A"), Some(0));
        assert_eq!(repeats(&[Some("N/A"), Some("N/B")], "N/A"), None);
        assert_eq!(repeats(&[Some("N/B"), Some("N/B")], "N/A"), None);
        assert_eq!(repeats(&[Some("N/A"), Some("N/AN/A"), Some("")], "N/A"), None);
        assert_eq!(repeats(&[Some("a"), Some("aa"), None], "a"), None);
        assert_eq!(repeats(&[Some(""), Some("")], ""), None);
    }
}
