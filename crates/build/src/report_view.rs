//! What the accounts' own rows need of a report: its root row, and how many users it has.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch};
use orgsweep_core::{RootRow, Timestamp};

/// A time of a report row, or the report's word for why there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) time: Option<Timestamp>,
    pub(crate) reason: Option<String>,
}

/// The root row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootReport {
    pub(crate) row: RootRow,
    pub(crate) password_last_used: Moment,
    pub(crate) password_last_changed: Moment,
    pub(crate) key_1_last_used: Moment,
    pub(crate) key_2_last_used: Moment,
}

/// A report, as far as the row of `accounts` is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportView {
    pub(crate) root: Option<RootReport>,
    /// Rows that are IAM users.
    pub(crate) users: usize,
}

impl ReportView {
    /// Looks at a report's rows.
    pub(crate) fn of(report: &RecordBatch) -> Self {
        let root = (0..report.num_rows()).find(|row| flag(report, "is_root", *row) == Some(true));
        let roots = (0..report.num_rows()).filter(|row| flag(report, "is_root", *row) == Some(true)).count();
        Self { root: root.map(|row| root_report(report, row)), users: report.num_rows() - roots }
    }
}

fn root_report(report: &RecordBatch, row: usize) -> RootReport {
    let key = |slot: u8| is_there(report, &format!("access_key_{slot}"), row);
    let certificate = |slot: u8| is_there(report, &format!("cert_{slot}"), row);
    RootReport {
        row: RootRow {
            has_password: flag(report, "password_enabled", row),
            has_mfa: flag(report, "mfa_active", row),
            has_access_keys: either(key(1), key(2)),
            has_signing_certificates: either(certificate(1), certificate(2)),
        },
        password_last_used: moment(report, "password_last_used", row),
        password_last_changed: moment(report, "password_last_changed", row),
        key_1_last_used: moment(report, "access_key_1_last_used_date", row),
        key_2_last_used: moment(report, "access_key_2_last_used_date", row),
    }
}

/// Whether there is a key, or a certificate, active or not: an inactive one keeps its date, and an absent one has `N/A`
/// there. Any other word leaves it open.
fn is_there(report: &RecordBatch, what: &str, row: usize) -> Option<bool> {
    let dated = moment(report, &format!("{what}_last_rotated"), row);
    match (flag(report, &format!("{what}_active"), row)?, dated) {
        (true, _) | (false, Moment { time: Some(_), .. }) => Some(true),
        (false, Moment { reason, .. }) => (reason.as_deref() == Some("N/A")).then_some(false),
    }
}

fn either(first: Option<bool>, second: Option<bool>) -> Option<bool> {
    match (first, second) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn flag(report: &RecordBatch, name: &str, row: usize) -> Option<bool> {
    let flags = report.column_by_name(name)?.as_boolean_opt()?;
    flags.is_valid(row).then(|| flags.value(row))
}

fn moment(report: &RecordBatch, name: &str, row: usize) -> Moment {
    let times = report.column_by_name(name).and_then(|times| times.as_primitive_opt::<TimestampMillisecondType>());
    let words = report.column_by_name(&format!("{name}_reason")).and_then(|words| words.as_string_opt::<i32>());
    Moment {
        time: times.filter(|times| times.is_valid(row)).map(|times| Timestamp::from_millis(times.value(row))),
        reason: words.filter(|words| words.is_valid(row)).map(|words| words.value(row).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::parsed;

    const ROOT: &str = "<root_account>,arn:aws:iam::000000000001:root,2020-01-01T00:00:00Z";

    fn root(rest: &str) -> RootReport {
        ReportView::of(&parsed(&format!("{ROOT},{rest}"))).root.unwrap()
    }

    #[test]
    fn an_inactive_key_or_certificate_is_there_and_an_absent_one_is_not() {
        let time = "2026-01-01T00:00:00Z";
        let none = "false,N/A,N/A,N/A,N/A";
        let row = |key: &str, cert: &str| {
            root(&format!("true,no_information,{time},not_supported,false,{none},{key},false,N/A,{cert}")).row
        };
        let nothing = row(none, "false,N/A");
        assert_eq!((nothing.has_password, nothing.has_mfa), (Some(true), Some(false)));
        assert_eq!((nothing.has_access_keys, nothing.has_signing_certificates), (Some(false), Some(false)));
        let inactive = row(&format!("false,{time},N/A,N/A,N/A"), &format!("false,{time}"));
        assert_eq!((inactive.has_access_keys, inactive.has_signing_certificates), (Some(true), Some(true)));
        let odd = row("false,not_supported,N/A,N/A,N/A", "false,no_information");
        assert_eq!((odd.has_access_keys, odd.has_signing_certificates), (None, None));
    }

    #[test]
    fn an_older_report_does_not_say_whether_root_has_a_password() {
        let none = "false,N/A,N/A,N/A,N/A";
        let report =
            root(&format!("not_supported,N/A,not_supported,not_supported,true,{none},{none},false,N/A,false,N/A"));
        assert_eq!((report.row.has_password, report.row.has_mfa), (None, Some(true)));
        assert_eq!(report.password_last_changed.reason.as_deref(), Some("not_supported"));
    }

    #[test]
    fn users_are_counted_without_the_root_user() {
        let none = "false,N/A,N/A,N/A,N/A";
        let rest = format!("false,N/A,N/A,N/A,false,{none},{none},false,N/A,false,N/A");
        let ann = format!("ann,arn:aws:iam::000000000001:user/ann,2020-01-01T00:00:00Z,{rest}");
        let view = ReportView::of(&parsed(&format!("{ROOT},{rest}\n{ann}")));
        assert_eq!((view.users, view.root.is_some()), (1, true));
        let view = ReportView::of(&parsed(&ann));
        assert_eq!((view.users, view.root.is_some()), (1, false));
    }
}
