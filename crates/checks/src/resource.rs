//! What a finding is about: its type, its id, and the part of it that stays the same from run to run.

use arrow_array::Array;
use arrow_schema::ArrowError;
use sha2::{Digest, Sha256};

use crate::cell::{flags, integers, str_at, text_at, texts};
use crate::compile::Check;
use crate::facts::Facts;
use crate::judge::Found;
use crate::pack::hexadecimal;
use crate::{CheckTable, Resource};

/// The name of the root user in the credential report.
pub(crate) const ROOT_USER: &str = "<root_account>";

/// The resource of a finding.
pub(crate) struct Subject {
    /// `account`, `user`, `root` or `access_key`.
    pub(crate) resource_type: &'static str,
    /// An ARN, as far as one is known.
    pub(crate) resource_id: String,
    /// The user, where there is one.
    pub(crate) user: Option<String>,
    /// Tells the resource from others of its account, in this run and the next.
    identity: String,
}

impl Subject {
    /// The resource that was found.
    pub(crate) fn of(check: &Check, facts: &Facts<'_>, found: Found) -> Result<Self, ArrowError> {
        match (found.ground.row(), check.table) {
            (None, _) => Self::account(facts, found.account),
            (Some(_), CheckTable::Accounts) => match check.resource {
                Resource::Account => Self::account(facts, found.account),
                Resource::Root => Self::root(facts, found.account),
            },
            (Some(row), CheckTable::Credentials) => Self::user(facts, row),
            (Some(row), CheckTable::AccessKeys) => Self::access_key(facts, row),
        }
    }

    fn account(facts: &Facts<'_>, account: usize) -> Result<Self, ArrowError> {
        let accounts = &facts.accounts.batch;
        let arn = str_at(texts(accounts, "account_arn")?, account);
        let id = texts(accounts, "account_id")?.value(account);
        Ok(Self {
            resource_type: "account",
            resource_id: arn.unwrap_or(id).to_owned(),
            user: None,
            identity: "account".to_owned(),
        })
    }

    fn root(facts: &Facts<'_>, account: usize) -> Result<Self, ArrowError> {
        let accounts = &facts.accounts.batch;
        let arn = str_at(texts(accounts, "account_arn")?, account);
        let partition = arn.and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
        let id = texts(accounts, "account_id")?.value(account);
        Ok(Self {
            resource_type: "root",
            resource_id: format!("arn:{partition}:iam::{id}:root"),
            user: Some(ROOT_USER.to_owned()),
            identity: "root".to_owned(),
        })
    }

    fn user(facts: &Facts<'_>, row: usize) -> Result<Self, ArrowError> {
        let credentials = &facts.credentials.batch;
        let arn = texts(credentials, "arn")?.value(row);
        let is_root = flags(credentials, "is_root")?.value(row);
        Ok(Self {
            resource_type: if is_root { "root" } else { "user" },
            resource_id: arn.to_owned(),
            user: Some(texts(credentials, "user")?.value(row).to_owned()),
            identity: arn.to_owned(),
        })
    }

    fn access_key(facts: &Facts<'_>, row: usize) -> Result<Self, ArrowError> {
        let keys = &facts.access_keys.batch;
        let arn = texts(keys, "arn")?.value(row);
        let slot = integers(keys, "slot")?.value(row);
        Ok(Self {
            resource_type: "access_key",
            resource_id: format!("{arn}#access_key_{slot}"),
            user: Some(texts(keys, "user")?.value(row).to_owned()),
            identity: format!("{arn}#{}", key_identity(facts, row)?),
        })
    }

    /// The first 32 hexadecimal digits of a SHA-256 over account, check and resource.
    pub(crate) fn finding_id(&self, account_id: &str, check_id: &str) -> String {
        let mut hash = Sha256::new();
        for part in [account_id, check_id, &self.identity] {
            hash.update(part);
            // No part holds a NUL, so that no two triples read the same.
            hash.update([0]);
        }
        let mut digits = hexadecimal(&hash.finalize());
        digits.truncate(32);
        digits
    }
}

/// What stays when two keys of a user swap their slots between two reports: when the key was last rotated. Two keys
/// of the very same second cannot be told apart; the second of them says that it is the second.
fn key_identity(facts: &Facts<'_>, row: usize) -> Result<String, ArrowError> {
    let keys = &facts.access_keys.batch;
    let (slots, arns) = (integers(keys, "slot")?, texts(keys, "arn")?);
    let rotated = keys.column_by_name("last_rotated").map(AsRef::as_ref);
    let date = |row: usize| rotated.and_then(|column: &dyn Array| text_at(column, row));
    let Some(own) = date(row) else { return Ok(format!("slot-{}", slots.value(row))) };
    let is_second = row.checked_sub(1).is_some_and(|before| {
        slots.value(row) == 2 && arns.value(before) == arns.value(row) && date(before).as_ref() == Some(&own)
    });
    Ok(if is_second { format!("{own}#2") } else { own })
}
