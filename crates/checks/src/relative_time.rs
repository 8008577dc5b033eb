//! Points in time as cases write them: RFC 3339, or relative to `as_of` like `-90d-1s` and `+0s`.

use orgsweep_core::Timestamp;

/// Reads a point in time; relative ones are a sum of signed numbers of `d`, `h`, `m` and `s`.
pub(crate) fn parse_time(text: &str, as_of: Timestamp) -> Result<Timestamp, String> {
    let is_relative = text.starts_with(['+', '-']);
    let relative = || {
        let millis = offset_millis(text).and_then(|offset| as_of.millis().checked_add(offset));
        millis.map(Timestamp::from_millis).ok_or_else(|| format!("{text:?} is not a time like -90d-1s"))
    };
    if is_relative { relative() } else { Timestamp::parse(text).map_err(|error| error.to_string()) }
}

fn offset_millis(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0i64;
    while !rest.is_empty() {
        let end = rest.find(['d', 'h', 'm', 's'])?;
        let (number, unit) = rest.split_at(end);
        // Without its sign a number would read on from the one before it: `-1d2h`.
        let signed = number.starts_with(['+', '-']).then_some(number)?;
        let seconds = match unit.get(..1)? {
            "d" => 24 * 60 * 60,
            "h" => 60 * 60,
            "m" => 60,
            _ => 1,
        };
        sum = signed.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(1000)?.checked_add(sum)?;
        rest = unit.get(1..)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_time_is_a_sum_counted_from_as_of() {
        let as_of = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let check = |text, expected: &str| assert_eq!(parse_time(text, as_of).unwrap().to_string(), expected);
        check("+0s", "2026-11-22T10:00:00Z");
        check("-1d", "2026-11-21T10:00:00Z");
        check("-1d-1s", "2026-11-21T09:59:59Z");
        check("-1d+2h+3m", "2026-11-21T12:03:00Z");
        check("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "-", "-1", "-d", "-1d2h", "-1w", "-99999999999999999d"] {
            assert!(parse_time(text, Timestamp::from_millis(0)).is_err(), "{text}");
        }
    }
}
