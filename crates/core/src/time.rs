//! Points in time, in the precision the tables keep: milliseconds since the Unix epoch, UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A point in time in whole milliseconds, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a timestamp like 2026-11-22T10:00:00Z")]
pub struct InvalidTimestamp {
    text: String,
}

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The wall clock, now.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_millis())
    }

    /// Parses RFC 3339, with `Z` or a numeric offset; fractions finer than a millisecond are cut. The year in UTC has four
    /// digits, as RFC 3339 has no others, so that what is read can be written.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
        let time = time.filter(|time| (0..10_000).contains(&time.year()));
        time.map(|time| Self(time.timestamp_millis())).ok_or_else(|| InvalidTimestamp { text: text.to_owned() })
    }

    /// This time with anything below a second cut away.
    #[must_use]
    pub const fn whole_seconds(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// The calendar day in UTC, `2026-11-22`.
    #[must_use]
    pub fn date(self) -> String {
        let mut day = String::new();
        self.push_date_to(&mut day);
        day
    }

    /// Writes the time behind what is there, as it is displayed.
    pub fn push_to(self, text: &mut String) {
        match self.seconds_text().filter(|_| self.0.rem_euclid(1000) == 0) {
            Some(seconds) => text.push_str(as_text(&seconds)),
            None => text.push_str(&self.to_string()),
        }
    }

    /// Writes the day of [`Timestamp::date`] behind what is there.
    pub fn push_date_to(self, text: &mut String) {
        if let Some(day) = self.seconds_text().as_ref().and_then(|text| text.first_chunk::<10>()) {
            text.push_str(as_text(day));
        } else {
            let day = self.chrono().map_or_else(|| self.0.to_string(), |time| time.date_naive().to_string());
            text.push_str(&day);
        }
    }

    /// The time without separators, `20261122T100000Z`, as it stands in run ids.
    #[must_use]
    pub fn compact(self) -> String {
        self.chrono().map_or_else(|| self.0.to_string(), |time| time.format("%Y%m%dT%H%M%SZ").to_string())
    }

    /// Parses what [`Timestamp::compact`] writes.
    #[must_use]
    pub fn parse_compact(text: &str) -> Option<Self> {
        let time = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
        Some(Self(time.and_utc().timestamp_millis()))
    }

    /// This time and `duration` more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This time, `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }

    fn chrono(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// `2026-11-22T10:00:00Z`, which millions of findings say, without a formatter; `None` outside the years of four
    /// digits.
    fn seconds_text(self) -> Option<[u8; 20]> {
        let seconds = self.0.div_euclid(1000);
        let (year, month, day) = civil_date(seconds.div_euclid(DAY_SECONDS))?;
        let of_day = u32::try_from(seconds.rem_euclid(DAY_SECONDS)).ok()?;
        let numbers = [year / 100, year % 100, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60];
        let mut text = *b"0000-00-00T00:00:00Z";
        for (place, number) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(numbers) {
            if let Some(digits) = text.get_mut(place..place + 2) {
                digits.copy_from_slice(&two_digits(number));
            }
        }
        Some(text)
    }
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Year, month and day so many days after the beginning of 1970; `None` outside the years of four digits.
///
/// Years begin in March here, so that a leap day is the last of its year, and months before it take turns at 31 and 30
/// days: 153 in five of them.
fn civil_date(days: i64) -> Option<(u32, u32, u32)> {
    /// From the first of March of the year 0 to the beginning of 1970.
    const BEFORE_1970: i64 = 719_468;
    const DAYS_OF_400_YEARS: u32 = 146_097;
    let days = u32::try_from(days.checked_add(BEFORE_1970)?).ok()?;
    let (era, of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    // Leap days of the era so far do not count towards whole years of 365 days.
    let leap_days = of_era / 1460 - of_era / 36_524 + of_era / (DAYS_OF_400_YEARS - 1);
    let of_century = (of_era - leap_days) / 365;
    let of_year = of_era - (365 * of_century + of_century / 4 - of_century / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 400 * era + of_century + u32::from(month <= 2);
    (1000..10_000).contains(&year).then_some((year, month, day))
}

fn two_digits(number: u32) -> [u8; 2] {
    let digit = |digit: u32| b'0' + u8::try_from(digit % 10).unwrap_or_default();
    [digit(number / 10), digit(number)]
}

/// Digits and their separators are text.
fn as_text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with `Z`; milliseconds only where they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_whole = self.0.rem_euclid(1000) == 0;
        if let Some(text) = self.seconds_text().filter(|_| is_whole) {
            return f.write_str(as_text(&text));
        }
        let format = if is_whole { SecondsFormat::Secs } else { SecondsFormat::Millis };
        match self.chrono() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(format, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn years_of_more_than_four_digits_are_refused_where_they_are_read() {
        for text in ["9999-12-31T23:30:00-01:00", "0000-01-01T00:30:00+01:00"] {
            assert_eq!(Timestamp::parse(text).unwrap_err().text, text);
        }
        for text in ["0000-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"]
        {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn both_forms_of_utc_are_the_same_time() {
        let time = Timestamp::parse("2026-09-11T13:14:52Z").unwrap();
        assert_eq!(Timestamp::parse("2026-09-11T13:14:52+00:00"), Ok(time));
        assert_eq!(Timestamp::parse("2026-09-11T15:14:52.000+02:00"), Ok(time));
        assert_eq!(time.to_string(), "2026-09-11T13:14:52Z");
        assert_eq!(Timestamp::from_millis(time.millis() + 7).to_string(), "2026-09-11T13:14:52.007Z");
        assert_eq!((time.date().as_str(), time.compact().as_str()), ("2026-09-11", "20260911T131452Z"));
        let mut text = "at ".to_owned();
        Timestamp::from_millis(-1000).push_to(&mut text);
        assert_eq!(text, "at 1969-12-31T23:59:59Z");
    }

    #[test]
    fn every_day_of_four_digits_has_the_date_of_the_calendar() {
        // From the year 1000 to the end of the year 9999.
        let mut date = NaiveDate::from_ymd_opt(1000, 1, 1).unwrap();
        for day in -354_285..=2_932_896 {
            let (year, month, of_month) = civil_date(day).unwrap();
            assert_eq!((i64::from(year), month, of_month), (i64::from(date.year()), date.month(), date.day()));
            date = date.succ_opt().unwrap();
        }
        assert_eq!(date.year(), 10_000);
        assert_eq!([-354_286, 2_932_897, i64::MIN, i64::MAX].map(civil_date), [None; 4]);
    }

    #[test]
    fn what_is_no_timestamp_is_named() {
        let error = Timestamp::parse("yesterday").unwrap_err();
        assert_eq!(error.to_string(), r#""yesterday" is not a timestamp like 2026-11-22T10:00:00Z"#);
    }
}
