//! A template over the rows of one batch: what it chooses is decided for all rows at once, and each text is written into
//! the caller's.

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use orgsweep_core::Timestamp;

use crate::cell::{Cells, push_number};
use crate::planning::DAY_MILLIS;
use crate::row_masks::holding;
use crate::template::{Form, Piece, Template};

/// A template's texts, row by row.
pub(crate) struct Rendering<'a> {
    parts: Vec<Part<'a>>,
    as_of: Timestamp,
}

enum Part<'a> {
    Text(&'a str),
    Cell { cells: Cells<'a>, form: Form, otherwise: Option<&'a str> },
    Choice { holds: BooleanBuffer, then: Vec<Part<'a>>, otherwise: Vec<Part<'a>> },
}

impl<'a> Rendering<'a> {
    /// Brings a template together with the rows of its table; of rows that are not told of it may say anything.
    pub(crate) fn of(template: &'a Template, batch: &'a RecordBatch, told: Option<&BooleanBuffer>) -> Self {
        Self { parts: parts(template.pieces(), batch, told), as_of: template.as_of() }
    }

    /// The text about one row.
    pub(crate) fn at(&self, row: usize) -> String {
        let mut text = String::new();
        self.write(row, &mut text);
        text
    }

    /// Writes the text about one row behind what is there.
    pub(crate) fn write(&self, row: usize, text: &mut String) {
        self.push(&self.parts, row, text);
    }

    fn push(&self, parts: &[Part<'_>], row: usize, text: &mut String) {
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Cell { cells, form, otherwise } => {
                    if !self.push_cell(*cells, row, (*form, *otherwise), text) {
                        text.push_str(otherwise.unwrap_or("null"));
                    }
                }
                Part::Choice { holds, then, otherwise } => {
                    let chosen = if holds.value(row) { then } else { otherwise };
                    self.push(chosen, row, text);
                }
            }
        }
    }

    /// Writes a value in its form; false where there is none to write.
    fn push_cell(
        &self,
        cells: Cells<'_>,
        row: usize,
        (form, otherwise): (Form, Option<&str>),
        text: &mut String,
    ) -> bool {
        let number = || cells.number(row).or_else(|| otherwise?.parse().ok()).filter(|number| *number > 0);
        let written = match form {
            Form::Plain => return cells.push_text(row, text),
            Form::Bracketed => {
                let end = text.len();
                text.push_str(" (");
                if cells.push_text(row, text) {
                    text.push(')');
                } else {
                    text.truncate(end);
                }
                return true;
            }
            Form::Date => return cells.time(row).map(|time| time.push_date_to(text)).is_some(),
            Form::Days => {
                let age = |time: Timestamp| self.as_of.millis().saturating_sub(time.millis()).div_euclid(DAY_MILLIS);
                cells.time(row).map(age)
            }
            Form::AtLeast(limit) => Some(number().map_or(limit, |number| number.max(limit))),
            // A limit of nothing is none.
            Form::AtMost(limit) if limit <= 0 => number(),
            Form::AtMost(limit) => Some(number().map_or(limit, |number| number.min(limit))),
        };
        written.map(|number| push_number(number, text)).is_some()
    }
}

fn parts<'a>(pieces: &'a [Piece], batch: &'a RecordBatch, told: Option<&BooleanBuffer>) -> Vec<Part<'a>> {
    let part = |piece: &'a Piece| match piece {
        Piece::Text(text) => Part::Text(text),
        Piece::Cell { column, form, otherwise } => {
            Part::Cell { cells: Cells::of(batch.column(*column)), form: *form, otherwise: otherwise.as_deref() }
        }
        Piece::Choice { when, then, otherwise } => {
            let holds = holding(&when.evaluate(batch, told));
            let (chosen, others) = match told {
                Some(told) => (told & &holds, told & &!&holds),
                None => (holds.clone(), !&holds),
            };
            let (then, otherwise) = (parts(then, batch, Some(&chosen)), parts(otherwise, batch, Some(&others)));
            Part::Choice { holds, then, otherwise }
        }
    };
    pieces.iter().map(part).collect()
}
