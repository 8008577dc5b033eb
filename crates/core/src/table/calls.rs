//! `calls`: how the asking went. It differs between two sweeps of the same facts, so it lies beside the manifests.

use super::{Table, count, key, text};

pub(super) fn table() -> Table {
    let columns = vec![
        key("account_id", "The account that was asked, twelve digits."),
        key("call", "The IAM action, and the contact type where there is one."),
        key("outcome", "`answered`, or the kind of the last error."),
        text("code", "The code of the last error: AWS's, or orgsweep's own."),
        text("message", "The last error in full."),
        text("request_id", "AWS's id of the last request."),
        count("attempts", "Requests sent."),
        count("throttled", "Requests that were throttled."),
        count("retried", "Requests that were sent again, since the one before had failed."),
        count(
            "waited_ms",
            "Milliseconds spent waiting before and between the requests: for quotas, places and room, and for AWS.",
        ),
    ];
    Table::new("calls", "One call of one account, with all its attempts.", columns)
}
