//! Whatever comes: no panic, and every line is accounted for.

use proptest::prelude::*;

use crate::fixtures::fixture;
use crate::forms::HEADER;
use crate::rows::{check_both_ways, parse, rows};

/// How many rows there are to account for: every line behind the header that is not empty.
fn rows_in(csv: &[u8]) -> usize {
    let lines = csv.split(|byte| *byte == b'\n').skip(1);
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty()).count()
}

fn check(csv: &[u8]) {
    check_both_ways(csv);
    if let Ok(report) = parse(csv) {
        assert_eq!(report.credentials.num_rows() + report.quarantined.len(), rows_in(csv));
        let users = crate::rows::users(&report);
        assert!(users.is_sorted_by(|left, right| left < right), "{users:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn any_lines_below_a_header_are_accounted_for(
        lines in "([\\PC\r\"]{0,40}[\n,]|a,arn:aws:iam::111122223333:user/a,|N/A,|false,|2026-01-01T00:00:00Z,|\n){0,60}",
    ) {
        check(format!("{HEADER}\n{lines}").as_bytes());
        check(format!("{HEADER},additional_credentials_info\r\n{lines}\n").as_bytes());
    }

    #[test]
    fn a_row_that_is_broken_leaves_the_others_as_they_are(
        name in prop::sample::select(vec!["shape-2026.csv", "commas-quoted.csv", "commas-unquoted.csv"]),
        line in 1_usize..4,
        at in any::<prop::sample::Index>(),
        removed in 0_usize..3,
        inserted in prop::collection::vec(any::<u8>().prop_filter("one line", |byte| *byte != b'\n'), 0..3),
    ) {
        let csv = fixture(name);
        let mut lines: Vec<Vec<u8>> = csv.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let others: Vec<&[u8]> =
            lines.iter().enumerate().filter(|(index, _)| *index != line).map(|(_, text)| text.as_slice()).collect();
        let others = rows(&parse(others.join(&b'\n')).unwrap().credentials);
        let at = at.index(lines[line].len());
        let end = (at + removed).min(lines[line].len());
        lines[line].splice(at..end, inserted);
        let broken = lines.join(&b'\n');
        check(&broken);
        let found = rows(&parse(&broken).unwrap().credentials);
        for row in others {
            prop_assert!(found.contains(&row), "{:?}", row);
        }
    }
}
