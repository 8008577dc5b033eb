//! Times as the report writes them.
//!
//! The two forms that AWS has sent, `2026-09-11T13:14:52Z` and `2026-09-11T13:14:52+00:00`, are read by position and in
//! whole words. Whatever else RFC 3339 allows is left to [`Timestamp::parse`], which also has the last word on what is
//! not read here.

use orgsweep_core::Timestamp;

use crate::fields::{CHUNK, Chunk, Rows};
use crate::time_parts::Parts;

const MILLIS_PER_SECOND: u32 = 1000;
const MINUTES_PER_DAY: u32 = 1440;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// Milliseconds since the Unix epoch, if the field is an RFC 3339 time.
pub(crate) fn parse_millis(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?;
    Timestamp::parse(text).ok().map(Timestamp::millis)
}

/// How many times are read at once.
const LANES: usize = 8;

/// A number for each of the times that are read at once.
type Lanes<T> = [T; LANES];

/// The times of one column of a chunk that look like one of AWS's two forms, taken apart.
#[derive(Debug)]
pub(crate) struct Times {
    /// Each one's row.
    rows: Chunk<u8>,
    /// For each of the [`Parts`] all of them.
    parts: [Chunk<u32>; 4],
    /// Days since the Unix epoch, and milliseconds since the day began.
    days: Chunk<i32>,
    millis: Chunk<u32>,
}

impl Default for Times {
    fn default() -> Self {
        Self { rows: [0; CHUNK], parts: [[0; CHUNK]; 4], days: [0; CHUNK], millis: [0; CHUNK] }
    }
}

impl Times {
    /// Puts that of a row in its place; the first is 0.
    #[inline(always)]
    pub(crate) fn put(&mut self, place: usize, row: usize, parts: Parts) {
        let place = place % CHUNK;
        for (all, part) in self.parts.iter_mut().zip(parts) {
            put(all, place, part);
        }
        put(&mut self.rows, place, u8::try_from(row % CHUNK).unwrap_or_default());
    }

    /// Puts the milliseconds since the Unix epoch of the first `count` in their rows; returns the rows of those that are no
    /// times.
    #[inline(always)]
    pub(crate) fn read_into(&mut self, count: usize, values: &mut Chunk<i64>) -> Rows {
        let mut bad = [0; LANES];
        let [dates, days, clocks, seconds] = self.parts.each_ref().map(|parts| parts.as_chunks().0.iter());
        let parts = dates.zip(days).zip(clocks).zip(seconds).take(count.div_ceil(LANES));
        let places = self.days.as_chunks_mut().0.iter_mut().zip(self.millis.as_chunks_mut().0);
        for ((((dates, days), clocks), seconds), places) in parts.zip(places) {
            let bad_here;
            (*places.0, *places.1, bad_here) = read_lanes([dates, days, clocks, seconds]);
            for (bad, here) in bad.iter_mut().zip(bad_here) {
                *bad |= here;
            }
        }
        for ((row, days), millis) in self.rows.iter().zip(&self.days).zip(&self.millis).take(count) {
            put(values, usize::from(*row) % CHUNK, i64::from(*days) * MILLIS_PER_DAY + i64::from(*millis));
        }
        if bad == [0; LANES] { 0 } else { self.bad_rows(count) }
    }

    /// The rows of those that are no times.
    #[cold]
    fn bad_rows(&self, count: usize) -> Rows {
        let [dates, days, clocks, seconds] = &self.parts;
        let parts = dates.iter().zip(days).zip(clocks).zip(seconds);
        let mut odd = 0;
        for (row, (((date, day), clock), second)) in self.rows.iter().zip(parts).take(count) {
            let (_, _, is_bad) = read([*date, *day, *clock, *second]);
            odd |= u64::from(is_bad != 0) << (row % 64);
        }
        odd
    }
}

#[inline(always)]
fn put<T>(all: &mut [T], index: usize, value: T) {
    if let Some(place) = all.get_mut(index) {
        *place = value;
    }
}

/// [`read`] for each lane.
#[inline(always)]
fn read_lanes([dates, days, clocks, seconds]: [&Lanes<u32>; 4]) -> (Lanes<i32>, Lanes<u32>, Lanes<u32>) {
    let (mut since_epoch, mut millis, mut bad) = ([0; LANES], [0; LANES], [0; LANES]);
    for lane in 0..LANES {
        let at = |values: &Lanes<u32>| values.get(lane).copied().unwrap_or_default();
        let read = read([at(dates), at(days), at(clocks), at(seconds)]);
        put(&mut since_epoch, lane, read.0);
        put(&mut millis, lane, read.1);
        put(&mut bad, lane, read.2);
    }
    (since_epoch, millis, bad)
}

/// Days since the Unix epoch, milliseconds since the day began, and 0 if it is a time.
///
/// There is no branch and no table here, so that a few instructions read many.
#[inline(always)]
fn read([date, day, clock, second]: Parts) -> (i32, u32, u32) {
    let (days, is_no_day) = days_from_civil(date >> 7, date & 0x7f, day >> 6, day & 0x3f);
    let is_bad = is_no_day | u32::from(clock >= MINUTES_PER_DAY);
    (days, (clock * 60 + second) * MILLIS_PER_SECOND, is_bad)
}

/// Whether the long form of a time ends as those do that are in UTC.
#[inline(always)]
pub(crate) fn is_utc(window: &[u8; 32]) -> bool {
    window.get(20..25) == Some(b"00:00")
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, and not 0 if there is no such day.
///
/// Years are counted from March, so that the leap day is a year's last; 153 days make every five months from there,
/// 146,097 days every 400 years, and 719,468 lie between 0000-03-01 and 1970-01-01.
#[inline(always)]
fn days_from_civil(century: u32, year: u32, month: u32, day: u32) -> (i32, u32) {
    let is_early = u32::from(month < 3);
    let leap_count = if year == 0 { century } else { year };
    let is_february = u32::from(month == 2);
    let is_leap = u32::from(leap_count.is_multiple_of(4));
    // From January to July the odd months are long, from August on the even ones.
    let length = 30 + ((month ^ month >> 3) & 1) - is_february * 2 + (is_february & is_leap);
    let is_no_day = u32::from(month.wrapping_sub(1) > 11) | u32::from(day.wrapping_sub(1) >= length);
    // 400 years more keep the year before 0000-03-01 from being negative.
    let years = century * 100 + year + 400 - is_early;
    let centuries = century + 4 - (is_early & u32::from(year == 0));
    let month = month + is_early * 12;
    // This is (153 * (month - 3) + 2) / 5 for each of the twelve.
    let day_of_year = (month * 979 - 2919) >> 5;
    let days = years * 365 + (years >> 2) - centuries + (centuries >> 2) + day_of_year + day;
    (days.cast_signed() - 1 - 719_468 - 146_097, is_no_day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time_parts::parts;
    use crate::window::window;

    fn fixed(text: &[u8]) -> Option<i64> {
        followed(text, text.len())
    }

    fn followed(text: &[u8], length: usize) -> Option<i64> {
        if length != 20 && length != 25 {
            return None;
        }
        let window = &window(text, 0);
        let is_long = length == 25;
        let (parts, is_bad) = parts(window, if is_long { b'+' } else { b'Z' });
        let (mut times, mut values) = (Times::default(), [0; CHUNK]);
        times.put(0, length, parts);
        let odd = times.read_into(1, &mut values);
        assert!(odd == 0 || odd == 1 << length);
        (odd == 0 && !is_bad && (!is_long || is_utc(window))).then_some(values[length])
    }

    /// A time of AWS's two forms is read by position as the calendar has it; nothing else is.
    fn check(text: &str) {
        let expected = Timestamp::parse(text).ok().map(Timestamp::millis);
        assert_eq!(parse_millis(text.as_bytes()), expected, "{text:?}");
        let is_leap_second = text.get(17..19) == Some("60");
        let is_fixed =
            text.get(10..11) == Some("T") && !is_leap_second && matches!(text.get(19..), Some("Z" | "+00:00"));
        assert_eq!(fixed(text.as_bytes()), expected.filter(|_| is_fixed), "{text:?}");
        let row = format!("{text},false,N/A,false,N/A");
        assert_eq!(followed(row.as_bytes(), text.len()), expected.filter(|_| is_fixed), "{row:?}");
    }

    #[test]
    fn every_day_of_eight_centuries_and_of_the_first_is_the_calendars() {
        for year in (0..=100).chain(1600..=2400) {
            for month in 1..=12 {
                for day in [1, 28, 29, 30, 31, 32] {
                    check(&format!("{year:04}-{month:02}-{day:02}T23:59:59Z"));
                }
            }
        }
    }

    #[test]
    fn impossible_and_unfinished_times_are_refused() {
        for text in ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-01T24:00:00Z"] {
            assert_eq!((parse_millis(text.as_bytes()), fixed(text.as_bytes())), (None, None), "{text:?}");
        }
        for whole in ["2026-09-11T13:14:52Z", "2026-09-11T13:14:52+00:00"] {
            for end in 0..whole.len() {
                let beginning = whole.as_bytes().get(..end).unwrap();
                assert_eq!((parse_millis(beginning), fixed(beginning)), (None, None), "{end}");
            }
        }
        let odd = b"2026-09-11T13:14:5\xc3Z";
        assert_eq!((parse_millis(odd), fixed(odd)), (None, None));
    }

    #[test]
    fn other_forms_of_rfc_3339_are_read_too() {
        for text in ["2026-09-11T13:14:52.5Z", "2026-09-11T15:14:52+02:00", "2026-12-31T23:59:60Z"] {
            assert!(parse_millis(text.as_bytes()).is_some(), "{text:?}");
            check(text);
        }
    }

    proptest! {
        #[test]
        fn positions_and_calendar_agree_on_whatever_looks_like_a_time(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|z|\\+00:00|-00:00|[+-][0-2][0-9]:[0-6][0-9]|\\.[0-9]{1,9}Z|)"
        ) {
            check(&text);
        }

        #[test]
        fn one_wrong_byte_is_judged_alike(at in 0_usize..25, byte in 0x20_u8..0x7f) {
            for whole in ["2026-09-11T13:14:52Z", "2026-09-11T13:14:52+00:00"] {
                let mut bytes = whole.as_bytes().to_vec();
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = byte;
                }
                check(std::str::from_utf8(&bytes).unwrap());
            }
        }
    }
}
