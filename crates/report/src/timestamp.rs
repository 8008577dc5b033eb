//! Times as the report writes them, read by position.
//!
//! The two forms that AWS has sent, `2026-09-11T13:14:52Z` and `2026-09-11T13:14:52+00:00`, are read without a search;
//! whatever else RFC 3339 allows is left to [`Timestamp::parse`], which also has the last word on what is refused here.

use orgsweep_core::Timestamp;

const MILLIS_PER_SECOND: i64 = 1000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Milliseconds since the Unix epoch, if the field is an RFC 3339 time.
#[inline]
pub(crate) fn parse_millis(field: &[u8]) -> Option<i64> {
    let clock = match field.len() {
        20 => field.strip_suffix(b"Z"),
        25 => field.strip_suffix(b"+00:00"),
        _ => None,
    };
    let fixed = clock.and_then(|clock| <&[u8; 19]>::try_from(clock).ok()).and_then(parse_fixed);
    fixed.or_else(|| parse_any(field))
}

#[cold]
fn parse_any(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?;
    Timestamp::parse(text).ok().map(Timestamp::millis)
}

/// Reads `YYYY-MM-DDTHH:MM:SS` as UTC.
#[inline]
fn parse_fixed(text: &[u8; 19]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *text else {
        return None;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2].map(|byte| byte.wrapping_sub(b'0'));
    // The greatest is found without a branch for each of the fourteen.
    if digits.iter().fold(0, |greatest, digit| (*digit).max(greatest)) > 9 {
        return None;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2] = digits.map(i32::from);
    let (year, month, day) = (y1 * 1000 + y2 * 100 + y3 * 10 + y4, m1 * 10 + m2, d1 * 10 + d2);
    let (hour, minute, second) = (h1 * 10 + h2, n1 * 10 + n2, s1 * 10 + s2);
    let is_real = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_real {
        return None;
    }
    let seconds =
        i64::from(days_from_civil(year, month, day)) * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * MILLIS_PER_SECOND)
}

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is a year's last; 153 days make every five months from there,
/// 146,097 every 400 years, and 719,468 lie between 0000-03-01 and 1970-01-01.
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) {
        let expected = Timestamp::parse(text).ok().map(Timestamp::millis);
        assert_eq!(parse_millis(text.as_bytes()), expected, "{text:?}");
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
            assert_eq!(parse_millis(text.as_bytes()), None, "{text:?}");
        }
        for whole in ["2026-09-11T13:14:52Z", "2026-09-11T13:14:52+00:00"] {
            for end in 0..whole.len() {
                assert_eq!(parse_millis(whole.as_bytes().get(..end).unwrap()), None, "{end}");
            }
        }
        assert_eq!(parse_millis(b"2026-09-11T13:14:5\xc3Z"), None);
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
