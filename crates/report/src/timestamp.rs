//! Times as the report writes them.
//!
//! The two forms that AWS has sent, `2026-09-11T13:14:52Z` and `2026-09-11T13:14:52+00:00`, are read by position and in
//! whole words. Whatever else RFC 3339 allows is left to [`Timestamp::parse`], which also has the last word on what is
//! not read here.

use orgsweep_core::Timestamp;

const MILLIS_PER_SECOND: i64 = 1000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Milliseconds since the Unix epoch, if the field is an RFC 3339 time.
pub(crate) fn parse_millis(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?;
    Timestamp::parse(text).ok().map(Timestamp::millis)
}

/// How many times are read at once.
pub(crate) const LANES: usize = 8;

/// A number for each of the times that are read at once.
pub(crate) type Lanes = [u64; LANES];

/// Times in one of AWS's two forms, or what may be such.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    /// `YYYY-MM-`
    dates: Lanes,
    /// `DDTHH:MM`
    days: Lanes,
    /// `:SSZ`, in either form.
    seconds: Lanes,
}

/// The words of a time with `0` for each digit.
const DATE: u64 = u64::from_le_bytes(*b"0000-00-");
const DAY: u64 = u64::from_le_bytes(*b"00T00:00");
const SECOND: u64 = u64::from_le_bytes(*b":00Z\0\0\0\0");

/// The high bit of every byte.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

impl Times {
    /// Puts a field of 20 or 25 bytes, with what follows it, in one of the lanes.
    #[inline(always)]
    pub(crate) fn put(&mut self, lane: usize, window: &[u8; 32], length: u32) {
        let [date, day, second, _] = window.as_chunks::<8>().0 else {
            return;
        };
        let second = u64::from_le_bytes(*second) & 0xffff_ffff;
        let is_other_form = length == 25;
        let second = if is_other_form { with_letter(second, window) } else { second };
        put(&mut self.dates, lane, u64::from_le_bytes(*date));
        put(&mut self.days, lane, u64::from_le_bytes(*day));
        put(&mut self.seconds, lane, second);
    }

    /// Milliseconds since the Unix epoch for each lane, and 0 beside each that is a time of the two forms.
    ///
    /// There is no branch and no table here, so that a few instructions read all lanes.
    #[inline(always)]
    pub(crate) fn read(&self) -> ([i64; LANES], Lanes) {
        let (mut millis, mut bad) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            let at = |values: &Lanes| values.get(lane).copied().unwrap_or_default();
            let (date, date_is_bad) = pairs(at(&self.dates), DATE);
            let (day, day_is_bad) = pairs(at(&self.days), DAY);
            let (second, second_is_bad) = pairs(at(&self.seconds), SECOND);
            let (century, year, month) = (date & 0xff, date >> 16 & 0xff, date >> 40 & 0xff);
            let (day, hour, minute) = (day & 0xff, day >> 24 & 0xff, day >> 48 & 0xff);
            let second = second >> 8 & 0xff;
            let (days, is_no_day) = days_from_civil(century, year, month, day);
            let is_no_clock = u64::from(hour > 23) | u64::from(minute > 59) | u64::from(second > 59);
            let is_bad = date_is_bad | day_is_bad | second_is_bad | is_no_day | is_no_clock;
            let time =
                days * SECONDS_PER_DAY + hour.cast_signed() * 3600 + minute.cast_signed() * 60 + second.cast_signed();
            put(&mut millis, lane, time * MILLIS_PER_SECOND);
            put(&mut bad, lane, is_bad);
        }
        (millis, bad)
    }
}

/// The seconds' word of a time with an offset, as one with a letter has it; 0, which no time has, if it is not UTC.
fn with_letter(second: u64, window: &[u8; 32]) -> u64 {
    let is_utc = window.get(19..25) == Some(b"+00:00");
    if is_utc { second & 0x00ff_ffff | SECOND & 0xff00_0000 } else { 0 }
}

#[inline(always)]
fn put<T>(lanes: &mut [T; LANES], lane: usize, value: T) {
    if let Some(place) = lanes.get_mut(lane % LANES) {
        *place = value;
    }
}

/// At each digit, ten times that digit and the one behind it; and not 0 if a byte is not as in `pattern`.
#[inline(always)]
fn pairs(text: u64, pattern: u64) -> (u64, u64) {
    // With the pattern taken away a digit is 0 to 9, and any other byte is 0. Adding to them what they lack to 127
    // brings every byte to 128 or more that is greater; those that were so before are seen without.
    let limits = u64::from_le_bytes(pattern.to_le_bytes().map(|byte| if byte == b'0' { 0x7f - 9 } else { 0x7f }));
    let values = text ^ pattern;
    let sums = (values & !HIGH_BITS).wrapping_add(limits);
    let tens = (values << 3).wrapping_add(values << 1);
    (tens.wrapping_add(values >> 8), (values | sums) & HIGH_BITS)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, and not 0 if there is no such day.
///
/// Years are counted from March, so that the leap day is a year's last; 153 days make every five months from there,
/// 146,097 days every 400 years, and 719,468 lie between 0000-03-01 and 1970-01-01.
#[inline(always)]
fn days_from_civil(century: u64, year: u64, month: u64, day: u64) -> (i64, u64) {
    let is_early = u64::from(month < 3);
    let leap_count = if year == 0 { century } else { year };
    let is_february = u64::from(month == 2);
    let is_leap = u64::from(leap_count.is_multiple_of(4));
    // From January to July the odd months are long, from August on the even ones.
    let length = 30 + ((month ^ month >> 3) & 1) - is_february * 2 + (is_february & is_leap);
    let is_no_day = u64::from(month.wrapping_sub(1) > 11) | u64::from(day.wrapping_sub(1) >= length);
    // 400 years more keep the year before 0000-03-01 from being negative.
    let years = century * 100 + year + 400 - is_early;
    let centuries = century + 4 - (is_early & u64::from(year == 0));
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
    use crate::text::narrow;
    use crate::window::window;

    fn fixed(text: &[u8]) -> Option<i64> {
        followed(text, text.len())
    }

    fn followed(text: &[u8], length: usize) -> Option<i64> {
        if length != 20 && length != 25 {
            return None;
        }
        let mut times = Times::default();
        let lane = length % LANES;
        times.put(lane, &window(text, 0), narrow(length));
        let (millis, bad) = times.read();
        (bad[lane] == 0).then_some(millis[lane])
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
