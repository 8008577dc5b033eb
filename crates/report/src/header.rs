//! The header: where each column stands.
//!
//! Columns are found by name, since AWS promises no order and adds columns without notice.

use std::collections::HashMap;

use memchr::memchr;

use crate::ReportError;
use crate::defect::excerpt;
use crate::split::split_quoted;
use crate::text::Line;

/// Times that AWS may leave out, as the report orders them; the table keeps a reason beside each.
pub(crate) const TIMES: [&str; 9] = [
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "cert_1_last_rotated",
    "cert_2_last_rotated",
];

/// Booleans that are always there.
pub(crate) const FLAGS: [&str; 5] =
    ["mfa_active", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active"];

/// Regions and services.
pub(crate) const WORDS: [&str; 4] = [
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
];

/// The columns of every live report, in the order in which AWS sends them.
const REQUIRED: [&str; 22] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];

/// A column that the user guide documents and live reports lack: free text on keys and certificates beyond two each.
const OPTIONAL: &str = "additional_credentials_info";

/// Where each column stands in a row, counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) user: usize,
    pub(crate) arn: usize,
    pub(crate) user_creation_time: usize,
    pub(crate) password_enabled: usize,
    /// In the order of [`TIMES`].
    pub(crate) times: [usize; 9],
    /// In the order of [`FLAGS`].
    pub(crate) flags: [usize; 5],
    /// In the order of [`WORDS`].
    pub(crate) words: [usize; 4],
    pub(crate) additional_info: Option<usize>,
    /// How many columns there are, unknown ones included.
    pub(crate) width: usize,
    /// The names of unknown columns, in their order.
    pub(crate) unknown: Vec<String>,
}

impl Layout {
    /// Reads the header from the report's first line.
    pub(crate) fn parse(line: Line, header: &str) -> Result<Self, ReportError> {
        let not_a_report = || ReportError::NotAReport { start: excerpt(header.as_bytes()) };
        let cut_off = || ReportError::CutOff { line: line.number, reason: "the header is the last line".to_owned() };
        let Some(names) = split_header(header) else {
            // A quote that is cut off in the header leaves no names to look at.
            let is_header = !line.terminated && header.contains("user_creation_time");
            return Err(if is_header { cut_off() } else { not_a_report() });
        };
        if !names.iter().any(|name| REQUIRED.contains(&name.as_ref())) {
            return Err(not_a_report());
        }
        if !line.terminated {
            // Even an account without users has a root user, and so its report a second line.
            return Err(cut_off());
        }
        let mut positions = HashMap::with_capacity(names.len());
        for (position, name) in names.iter().enumerate() {
            if positions.insert(name.as_ref(), position).is_some() {
                return Err(ReportError::DuplicateColumn { column: excerpt(name.as_bytes()) });
            }
        }
        if let Some(column) = REQUIRED.into_iter().find(|name| !positions.contains_key(name)) {
            return Err(ReportError::MissingColumn { column });
        }
        let is_unknown = |name: &&str| !REQUIRED.contains(name) && *name != OPTIONAL;
        let unknown = names.iter().map(AsRef::as_ref).filter(is_unknown).map(|name| excerpt(name.as_bytes())).collect();
        Self::from_positions(&positions, unknown)
    }

    fn from_positions(positions: &HashMap<&str, usize>, unknown: Vec<String>) -> Result<Self, ReportError> {
        let find = |column: &'static str| positions.get(column).copied().ok_or(ReportError::MissingColumn { column });
        Ok(Self {
            user: find("user")?,
            arn: find("arn")?,
            user_creation_time: find("user_creation_time")?,
            password_enabled: find("password_enabled")?,
            times: find_all(TIMES, find)?,
            flags: find_all(FLAGS, find)?,
            words: find_all(WORDS, find)?,
            additional_info: positions.get(OPTIONAL).copied(),
            width: positions.len(),
            unknown,
        })
    }

    /// Whether the header starts as AWS's does, so that a row with stray commas can be taken apart.
    pub(crate) fn starts_with_user_and_arn(&self) -> bool {
        self.user == 0 && self.arn == 1
    }
}

fn find_all<const N: usize>(
    columns: [&'static str; N],
    find: impl Fn(&'static str) -> Result<usize, ReportError>,
) -> Result<[usize; N], ReportError> {
    let mut positions = [0; N];
    for (position, column) in positions.iter_mut().zip(columns) {
        *position = find(column)?;
    }
    Ok(positions)
}

fn split_header(header: &str) -> Option<Vec<std::borrow::Cow<'_, str>>> {
    match memchr(b'"', header.as_bytes()) {
        Some(_) => split_quoted(header),
        None => Some(header.split(',').map(Into::into).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lines;

    fn parse(header: &str) -> Result<Layout, ReportError> {
        let line = Lines::new(header.as_bytes()).next().unwrap();
        Layout::parse(line, header.trim_end_matches(['\r', '\n']))
    }

    fn check_error(header: &str, expected: &str) {
        assert_eq!(parse(header).unwrap_err().to_string(), expected);
    }

    #[test]
    fn the_live_header_and_the_documented_one_are_read() {
        let live = parse(&(REQUIRED.join(",") + "\n")).unwrap();
        assert_eq!((live.user, live.arn, live.additional_info, live.width), (0, 1, None, 22));
        assert_eq!(live.times, [4, 5, 6, 9, 10, 14, 15, 19, 21]);
        assert_eq!(live.flags, [7, 8, 13, 18, 20]);
        assert_eq!(live.words, [11, 12, 16, 17]);
        let documented = parse(&format!("{},{OPTIONAL}\r\n", REQUIRED.join(","))).unwrap();
        assert_eq!((documented.additional_info, documented.unknown), (Some(22), Vec::new()));
    }

    #[test]
    fn names_may_be_quoted_and_in_any_order_and_unknown_ones_are_told() {
        let mut names = REQUIRED.map(|name| format!("\"{name}\"")).to_vec();
        names.reverse();
        names.insert(3, "\"cost, in \"\"USD\"\"\"".to_owned());
        let layout = parse(&(names.join(",") + "\n")).unwrap();
        assert_eq!((layout.user, layout.arn, layout.width), (22, 21, 23));
        assert_eq!(layout.unknown, ["cost, in \"USD\""]);
        assert!(!layout.starts_with_user_and_arn());
    }

    #[test]
    fn each_missing_column_is_named() {
        for missing in REQUIRED {
            let names: Vec<_> = REQUIRED.into_iter().filter(|name| *name != missing).collect();
            let message = format!("the credential report's header has no column {missing:?}");
            check_error(&(names.join(",") + "\n"), &message);
        }
        let message = "the credential report's header has no column \"user\"";
        check_error(&(REQUIRED.join(",").replacen("user", " user", 1) + "\n"), message);
    }

    #[test]
    fn a_column_named_twice_is_an_error() {
        let message = "the credential report's header names the column \"arn\" twice";
        check_error(&(REQUIRED.join(",") + ",arn\n"), message);
        let message = "the credential report's header names the column \"other\" twice";
        check_error(&(REQUIRED.join(",") + ",other,other\n"), message);
    }

    #[test]
    fn another_text_is_told_from_a_report() {
        check_error(
            "<html><head>\n",
            "this is not a credential report: it starts with \"<html><head>\" where the names of the columns are expected",
        );
        for text in ["", "{\"a\": 1}", "\"user", "user name\n", "hello"] {
            assert_eq!(parse(&(text.to_owned() + "\n")).unwrap_err().code(), "ReportNotRecognized", "{text:?}");
        }
    }

    #[test]
    fn a_header_without_its_newline_is_a_report_cut_off() {
        let whole = REQUIRED.join(",");
        for end in "user,".len()..=whole.len() {
            assert_eq!(parse(whole.get(..end).unwrap()).unwrap_err().code(), "ReportCutOff", "{end}");
        }
    }
}
