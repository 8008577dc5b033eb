//! A column of texts that are written where they stay: whoever makes one writes behind the last, and then ends it.

use arrow_array::StringArray;
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::ArrowError;

/// The column, growing.
pub(crate) struct TextBuilder {
    text: String,
    /// Where each text ends, behind a zero.
    ends: Vec<usize>,
    there: Vec<bool>,
}

impl TextBuilder {
    /// An empty column, with room for so many texts of so many bytes each, about.
    pub(crate) fn with_capacity(texts: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(texts + 1);
        ends.push(0);
        Self { text: String::with_capacity(texts * bytes), ends, there: Vec::with_capacity(texts) }
    }

    /// Where the next text is written: behind what is there.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// What was written of the next text.
    pub(crate) fn open(&self) -> &str {
        self.text.get(self.end_of_last()..).unwrap_or_default()
    }

    /// Ends the text, or adds a null in its place.
    pub(crate) fn end_if(&mut self, is_there: bool) {
        if is_there {
            self.end();
        } else {
            self.end_null();
        }
    }

    /// Ends the text.
    pub(crate) fn end(&mut self) {
        self.ends.push(self.text.len());
        self.there.push(true);
    }

    /// Adds a null, in place of what was written.
    pub(crate) fn end_null(&mut self) {
        self.text.truncate(self.end_of_last());
        self.ends.push(self.text.len());
        self.there.push(false);
    }

    /// Adds a text as it is.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.end();
    }

    /// The texts.
    ///
    /// # Errors
    /// They are more than an Arrow array holds.
    pub(crate) fn finish(self) -> Result<StringArray, ArrowError> {
        let offset = |end: usize| i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end));
        let ends = self.ends.into_iter().map(offset).collect::<Result<Vec<_>, _>>()?;
        let nulls = Some(NullBuffer::from(self.there)).filter(|nulls| nulls.null_count() > 0);
        StringArray::try_new(OffsetBuffer::new(ends.into()), Buffer::from_vec(self.text.into_bytes()), nulls)
    }

    fn end_of_last(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_leaves_nothing_of_what_was_written() {
        let mut column = TextBuilder::with_capacity(4, 0);
        column.push("one");
        column.text().push_str("half");
        assert_eq!(column.open(), "half");
        column.end_null();
        column.end();
        column.push("two");
        let texts = column.finish().unwrap();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("one"), None, Some(""), Some("two")]);
    }
}
