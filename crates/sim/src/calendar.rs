//! Timestamps as text, fast: a report of 5,000 users has tens of thousands of them.

use orgsweep_core::Timestamp;

const SECONDS_PER_DAY: i64 = 86_400;

/// Appends the time as `2026-11-22T10:00:00Z`, anything below a second cut away. Years have four digits, from 0 to
/// 9999; a time outside of them is written as the nearest end.
pub(crate) fn push_time(out: &mut Vec<u8>, time: Timestamp) {
    // 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970.
    let seconds = time.millis().div_euclid(1000).clamp(-62_167_219_200, 253_402_300_799);
    let (year, month, day) = civil_date(seconds.div_euclid(SECONDS_PER_DAY));
    let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    push_two(out, year / 100);
    push_two(out, year % 100);
    for (mark, number) in [
        (b'-', month),
        (b'-', day),
        (b'T', second_of_day / 3600),
        (b':', second_of_day / 60 % 60),
        (b':', second_of_day % 60),
    ] {
        out.push(mark);
        push_two(out, number);
    }
    out.push(b'Z');
}

/// Appends a number below 100 as two digits.
fn push_two(out: &mut Vec<u8>, number: i64) {
    let digit = |value: i64| b'0' + u8::try_from(value % 10).unwrap_or_default();
    out.push(digit(number / 10));
    out.push(digit(number));
}

/// Year, month and day of a day counted from 1970-01-01, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>): eras of 400 years, and years that start in March.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time_text(time: Timestamp) -> String {
        let mut out = Vec::new();
        push_time(&mut out, time);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_day_is_written_as_the_calendar_says() {
        for day in (-100_000..200_000).step_by(7) {
            let time = Timestamp::from_millis((day * SECONDS_PER_DAY + day.rem_euclid(SECONDS_PER_DAY)) * 1000);
            assert_eq!(time_text(time), time.to_string());
        }
        let leap = Timestamp::parse("2028-02-29T23:59:59Z").unwrap();
        assert_eq!(time_text(Timestamp::from_millis(leap.millis() + 999)), "2028-02-29T23:59:59Z");
    }

    #[test]
    fn a_time_outside_the_calendar_does_not_break_the_text() {
        assert_eq!(time_text(Timestamp::from_millis(i64::MAX)), "9999-12-31T23:59:59Z");
        assert_eq!(time_text(Timestamp::from_millis(i64::MIN)), "0000-01-01T00:00:00Z");
    }
}
