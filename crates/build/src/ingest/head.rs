//! Whose report it is: the account and the partition, found at the beginning of its CSV.
//!
//! Bytes in, an account out. It knows no files, and judges no row: that is the parser's business.

use memchr::{memchr, memmem};
use orgsweep_core::{AccountId, Partition, Timestamp};
use orgsweep_report::{Origin, ReportError, parse_report};

/// How much of a report is looked at: AWS sends the root user's row first, and a row has 4,096 bytes at most.
pub(super) const HEAD_BYTES: usize = 16 << 10;

/// Whose report it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) account_id: AccountId,
    pub(super) partition: Partition,
}

/// Why nobody can say whose report it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadError {
    #[error("{0}")]
    Header(#[from] ReportError),
    #[error("it has no row with the ARN of a user, so that nobody knows whose report it is")]
    NoArn,
}

/// Looks at the heads of reports, one after another.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// A header that is a report's: nearly all have the same.
    header: Vec<u8>,
}

impl Heads {
    /// The owner of the report that begins like this: the account of its root user's ARN, or else of its first one.
    ///
    /// # Errors
    /// It is no report, or no row tells.
    pub(super) fn owner_of(&mut self, head: &[u8]) -> Result<Owner, HeadError> {
        let end = memchr(b'\n', head).map_or(head.len(), |newline| newline + 1);
        let (header, rows) = head.split_at(end);
        if header != self.header {
            hold_header(header)?;
            header.clone_into(&mut self.header);
        }
        let mut first = None;
        for at in memmem::find_iter(rows, b"arn:") {
            let Some((owner, resource)) = rows.get(at..).and_then(parse_arn) else { continue };
            if resource.starts_with(b"root") && resource.get(4).is_none_or(|byte| b",\"\r\n".contains(byte)) {
                return Ok(owner);
            }
            first.get_or_insert(owner);
        }
        first.ok_or(HeadError::NoArn)
    }
}

/// Holds a header to what a report's must have.
fn hold_header(header: &[u8]) -> Result<(), ReportError> {
    // The parser is the one that knows headers; a report without rows costs it little.
    let nobody =
        Origin { account_id: AccountId::from_number(0), account_name: None, generated_at: Timestamp::from_millis(0) };
    parse_report(header, &nobody).map(drop)
}

/// The owner that an IAM ARN names, and the resource behind it.
fn parse_arn(text: &[u8]) -> Option<(Owner, &[u8])> {
    let rest = text.strip_prefix(b"arn:")?;
    let (partition, rest) = rest.split_at_checked(memchr(b':', rest)?)?;
    let partition = std::str::from_utf8(partition).ok()?.parse().ok()?;
    let (account_id, resource) = rest.strip_prefix(b":iam::")?.split_at_checked(12)?;
    let account_id = AccountId::parse(std::str::from_utf8(account_id).ok()?).ok()?;
    Some((Owner { account_id, partition }, resource.strip_prefix(b":")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::HEADER;

    fn check(rows: &str, expected: &str) {
        let told = match Heads::default().owner_of(format!("{HEADER}\n{rows}").as_bytes()) {
            Ok(Owner { account_id, partition }) => format!("{account_id} in {partition}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn the_root_user_tells_whose_report_it_is_and_else_the_first_user() {
        let ann = "ann,arn:aws:iam::444455556666:user/ann,2020";
        check(&format!("<root_account>,arn:aws:iam::111122223333:root,2020\n{ann}"), "111122223333 in aws");
        check(&format!("{ann}\n<root_account>,arn:aws:iam::111122223333:root,2020"), "111122223333 in aws");
        check(&format!("arn,arn:aws-cn:iam::777788889999:user/rooted/arn,2020\n{ann}"), "777788889999 in aws-cn");
        check("\"a,b\",\"arn:aws-us-gov:iam::111122223333:user/a,b\",2020", "111122223333 in aws-us-gov");
    }

    #[test]
    fn what_tells_nothing_is_refused() {
        let told = "it has no row with the ARN of a user, so that nobody knows whose report it is";
        for rows in
            ["", "ann,arn:aws:s3:::bucket,2020", "ann,arn:moon:iam::111122223333:user/ann", "x,arn:aws:iam::1:root"]
        {
            check(rows, told);
        }
        assert!(
            Heads::default()
                .owner_of(b"<html>\n")
                .unwrap_err()
                .to_string()
                .starts_with("this is not a credential report")
        );
        let lacking = HEADER.replace("mfa_active,", "");
        let error = Heads::default().owner_of(format!("{lacking}\n").as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the credential report's header has no column \"mfa_active\"");
    }
}
