//! Up to sixty-four rows on their way into the columns: read column by column, and those that were not understood put
//! right, one by one, before they go on.

use crate::blocks::zeros;
use crate::fields::{Absences, CHUNK, Chunk, Fields, ReadTimes, Rows, read_flags, read_known_flags, read_words, up_to};
use crate::header::Layout;
use crate::machine::Machine;
use crate::row::{Row, is_info};
use crate::scan::Scan;
use crate::text::{Span, wide};
use crate::timestamp::Times;
use crate::value::Absence;

/// The rows of a chunk. What lies beyond [`Staged::rows`] is left from earlier ones.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) rows: usize,
    /// Those of them that were read carefully.
    pub(crate) odd: Rows,
    starts: Chunk<u32>,
    /// For each column of the report, where its fields end.
    ends: Vec<Chunk<u32>>,
    pub(crate) users: Fields,
    pub(crate) arns: Fields,
    pub(crate) are_root: Chunk<u8>,
    pub(crate) user_creation_times: Chunk<i64>,
    pub(crate) passwords_enabled: Chunk<u8>,
    pub(crate) password_absences: Absences,
    /// In the order of [`crate::header::TIMES`], as are their absences.
    pub(crate) times: [Chunk<i64>; 9],
    pub(crate) time_absences: [Absences; 9],
    /// In the order of [`crate::header::FLAGS`].
    pub(crate) flags: [Chunk<u8>; 5],
    /// In the order of [`crate::header::WORDS`]; empty where there is none.
    pub(crate) words: [Fields; 4],
    pub(crate) have_words: [Chunk<u8>; 4],
    /// Empty where there is none.
    pub(crate) infos: Fields,
    pub(crate) have_infos: Chunk<u8>,
    /// Those of one column while they are read.
    read_times: Times,
}

impl Default for Staged {
    fn default() -> Self {
        let (no_fields, no_times, no_bytes) = (Fields::default(), [0; CHUNK], [0; CHUNK]);
        Self {
            rows: 0,
            odd: 0,
            starts: [0; CHUNK],
            ends: Vec::new(),
            users: no_fields,
            arns: no_fields,
            are_root: no_bytes,
            user_creation_times: no_times,
            passwords_enabled: no_bytes,
            password_absences: no_bytes,
            times: [no_times; 9],
            time_absences: [no_bytes; 9],
            flags: [no_bytes; 5],
            words: [no_fields; 4],
            have_words: [no_bytes; 4],
            infos: no_fields,
            have_infos: no_bytes,
            read_times: Times::default(),
        }
    }
}

impl Staged {
    /// Begins with the rows at these indexes, of which there are at most [`CHUNK`], and turns them into columns: where each
    /// field ends.
    #[inline(always)]
    pub(crate) fn turn(&mut self, scan: &Scan, rows: &[u32], width: usize) {
        self.rows = rows.len().min(CHUNK);
        self.odd = 0;
        self.ends.resize(width, [0; CHUNK]);
        for ((row, start), index) in rows.iter().zip(&mut self.starts).zip(0..CHUNK) {
            let place = scan.place(*row);
            *start = place.start();
            self.odd |= u64::from(place.is_odd()) << index;
            for (column, end) in self.ends.iter_mut().zip(scan.ends(place, width)) {
                put(column, index, *end);
            }
        }
    }

    /// Reads the rows. Users and ARNs have been looked at before. The rows that are [odd](Staged::odd) then are to be
    /// [put](Staged::put) instead.
    #[inline(always)]
    pub(crate) fn read(&mut self, text: &[u8], layout: &Layout, machine: &impl Machine) {
        let rows = self.rows;
        let fields = &mut Fields::default();
        column(&self.starts, &self.ends, layout.user, &mut self.users);
        column(&self.starts, &self.ends, layout.arn, &mut self.arns);
        for (is_root, start) in self.are_root.iter_mut().zip(&self.users.starts).take(rows) {
            // No IAM user's name starts like this.
            *is_root = u8::from(text.get(wide(*start)) == Some(&b'<'));
        }
        let absences = &mut [0; CHUNK];
        let mut reader = ReadTimes { text, rows, read: &mut self.read_times, machine };
        column(&self.starts, &self.ends, layout.user_creation_time, fields);
        let mut odd = self.odd | reader.read(fields, &mut self.user_creation_times, absences);
        // There is no user who was never made.
        odd |= !zeros(absences) & up_to(rows);
        column(&self.starts, &self.ends, layout.password_enabled, fields);
        odd |= read_known_flags(text, fields, rows, &mut self.passwords_enabled, &mut self.password_absences);
        for ((values, absences), position) in self.times.iter_mut().zip(&mut self.time_absences).zip(layout.times) {
            column(&self.starts, &self.ends, position, fields);
            odd |= reader.read(fields, values, absences);
        }
        for (flags, position) in self.flags.iter_mut().zip(layout.flags) {
            column(&self.starts, &self.ends, position, fields);
            odd |= read_flags(text, fields, rows, flags);
        }
        for ((words, have), position) in self.words.iter_mut().zip(&mut self.have_words).zip(layout.words) {
            column(&self.starts, &self.ends, position, words);
            odd |= read_words(text, words, rows, have);
        }
        self.odd = odd;
        self.read_infos(text, layout);
    }

    fn read_infos(&mut self, text: &[u8], layout: &Layout) {
        let Some(position) = layout.additional_info else {
            self.infos.lengths = [0; CHUNK];
            self.have_infos = [0; CHUNK];
            return;
        };
        let infos = &mut self.infos;
        column(&self.starts, &self.ends, position, infos);
        for ((start, length), have) in
            infos.starts.iter().zip(&mut infos.lengths).zip(&mut self.have_infos).take(self.rows)
        {
            let is_there = is_info(Span { start: *start, end: start.wrapping_add(*length) }.of(text));
            *have = u8::from(is_there);
            *length = if is_there { *length } else { 0 };
        }
    }

    /// Puts a row that was read carefully in the place at `index`.
    pub(crate) fn put(&mut self, index: usize, row: &Row) {
        self.users.put(index, row.user);
        self.arns.put(index, row.arn);
        put(&mut self.are_root, index, u8::from(row.is_root));
        put(&mut self.user_creation_times, index, row.user_creation_time);
        put(&mut self.passwords_enabled, index, u8::from(row.password_enabled.unwrap_or_default()));
        put(&mut self.password_absences, index, code(row.password_enabled.err()));
        for ((times, absences), time) in self.times.iter_mut().zip(&mut self.time_absences).zip(row.times) {
            put(times, index, time.unwrap_or_default());
            put(absences, index, code(time.err()));
        }
        for (flags, flag) in self.flags.iter_mut().zip(row.flags) {
            put(flags, index, u8::from(flag));
        }
        for ((words, have), word) in self.words.iter_mut().zip(&mut self.have_words).zip(row.words) {
            words.put(index, word.unwrap_or_default());
            put(have, index, u8::from(word.is_some()));
        }
        self.infos.put(index, row.additional_info.unwrap_or_default());
        put(&mut self.have_infos, index, u8::from(row.additional_info.is_some()));
    }
}

/// The fields of the column at this position.
#[inline(always)]
fn column(starts: &Chunk<u32>, ends: &[Chunk<u32>], position: usize, fields: &mut Fields) {
    let Some(ends_here) = ends.get(position) else {
        return;
    };
    // Behind each field but a line's last there is one separator.
    let (before, separator) = match position.checked_sub(1).and_then(|before| ends.get(before)) {
        Some(before) => (before, 1),
        None => (starts, 0),
    };
    let places = fields.starts.iter_mut().zip(&mut fields.lengths);
    for ((start, length), (before, end)) in places.zip(before.iter().zip(ends_here)) {
        *start = before.wrapping_add(separator);
        *length = end.wrapping_sub(*start);
    }
}

#[inline(always)]
fn put<T>(values: &mut Chunk<T>, index: usize, value: T) {
    if let Some(place) = values.get_mut(index) {
        *place = value;
    }
}

fn code(absence: Option<Absence>) -> u8 {
    absence.map_or(0, Absence::code)
}
