//! What a finding is about: its type, its id, and the part of it that stays the same from run to run.

use std::fmt::Write as _;

use arrow_array::{Array, BooleanArray, Int32Array, StringArray, TimestampMillisecondArray};
use arrow_schema::ArrowError;
use orgsweep_core::Timestamp;
use sha2::{Digest, Sha256};

use crate::cell::{flags, integers, push_number, str_at, texts, times};
use crate::compile::Check;
use crate::facts::Facts;
use crate::judge::Found;
use crate::pack::push_hexadecimal;
use crate::{CheckTable, Resource};

/// The name of the root user in the credential report.
pub(crate) const ROOT_USER: &str = "<root_account>";

/// Bytes of the digest that a finding's id is made of.
const ID_BYTES: usize = 16;

/// The columns that resources are named by, looked up once for all findings.
pub(crate) struct Subjects<'a> {
    account_ids: &'a StringArray,
    account_arns: &'a StringArray,
    users: &'a StringArray,
    arns: &'a StringArray,
    roots: &'a BooleanArray,
    keys: Keys<'a>,
}

/// Those of access keys.
struct Keys<'a> {
    users: &'a StringArray,
    arns: &'a StringArray,
    slots: &'a Int32Array,
    rotated: &'a TimestampMillisecondArray,
}

/// What kind of thing a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceType {
    Account,
    User,
    Root,
    AccessKey,
}

impl ResourceType {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Account, Self::User, Self::Root, Self::AccessKey];

    /// The name in tables.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
            Self::Root => "root",
            Self::AccessKey => "access_key",
        }
    }
}

/// The resource of a finding.
pub(crate) struct Subject<'a> {
    pub(crate) resource_type: ResourceType,
    /// The user, where there is one.
    pub(crate) user: Option<&'a str>,
    name: Name<'a>,
}

/// What tells a resource from all others.
enum Name<'a> {
    Account {
        arn: Option<&'a str>,
        id: &'a str,
    },
    Root {
        partition: &'a str,
        account_id: &'a str,
    },
    User {
        arn: &'a str,
    },
    /// A key slot, and its row.
    Key {
        arn: &'a str,
        slot: i32,
        row: usize,
    },
}

impl<'a> Subjects<'a> {
    pub(crate) fn of(facts: &'a Facts<'_>) -> Result<Self, ArrowError> {
        let (accounts, credentials) = (&facts.accounts.batch, &facts.credentials.batch);
        let keys = &facts.access_keys.batch;
        Ok(Self {
            account_ids: texts(accounts, "account_id")?,
            account_arns: texts(accounts, "account_arn")?,
            users: texts(credentials, "user")?,
            arns: texts(credentials, "arn")?,
            roots: flags(credentials, "is_root")?,
            keys: Keys {
                users: texts(keys, "user")?,
                arns: texts(keys, "arn")?,
                slots: integers(keys, "slot")?,
                rotated: times(keys, "last_rotated")?,
            },
        })
    }

    /// The resource that was found.
    pub(crate) fn find(&self, check: &Check, found: Found) -> Subject<'a> {
        match (found.ground.row(), check.table, check.resource) {
            (None, ..) | (Some(_), CheckTable::Accounts, Resource::Account) => self.account(found.account),
            (Some(_), CheckTable::Accounts, Resource::Root) => self.root(found.account),
            (Some(row), CheckTable::Credentials, _) => self.user(row),
            (Some(row), CheckTable::AccessKeys, _) => self.access_key(row),
        }
    }

    fn account(&self, account: usize) -> Subject<'a> {
        let (arn, id) = (str_at(self.account_arns, account), self.account_ids.value(account));
        Subject { resource_type: ResourceType::Account, user: None, name: Name::Account { arn, id } }
    }

    fn root(&self, account: usize) -> Subject<'a> {
        let arn = str_at(self.account_arns, account);
        let partition = arn.and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
        let name = Name::Root { partition, account_id: self.account_ids.value(account) };
        Subject { resource_type: ResourceType::Root, user: Some(ROOT_USER), name }
    }

    fn user(&self, row: usize) -> Subject<'a> {
        let resource_type = if self.roots.value(row) { ResourceType::Root } else { ResourceType::User };
        Subject { resource_type, user: Some(self.users.value(row)), name: Name::User { arn: self.arns.value(row) } }
    }

    fn access_key(&self, row: usize) -> Subject<'a> {
        let Keys { users, arns, slots, .. } = &self.keys;
        let name = Name::Key { arn: arns.value(row), slot: slots.value(row), row };
        Subject { resource_type: ResourceType::AccessKey, user: Some(users.value(row)), name }
    }

    /// Writes the first 32 hexadecimal digits of a SHA-256 over account, check and resource. What is hashed is written into
    /// `hashed`, whatever is in it.
    pub(crate) fn push_finding_id(
        &self,
        (account_id, check_id): (&str, &str),
        subject: &Subject<'_>,
        hashed: &mut String,
        id: &mut String,
    ) {
        hashed.clear();
        // No part holds a NUL, so that no two triples read the same.
        for part in [account_id, "\0", check_id, "\0"] {
            hashed.push_str(part);
        }
        match &subject.name {
            Name::Account { .. } => hashed.push_str("account"),
            Name::Root { .. } => hashed.push_str("root"),
            Name::User { arn } => hashed.push_str(arn),
            Name::Key { arn, row, .. } => {
                hashed.push_str(arn);
                hashed.push('#');
                self.keys.push_identity(*row, hashed);
            }
        }
        hashed.push('\0');
        push_hexadecimal(Sha256::digest(hashed).get(..ID_BYTES).unwrap_or_default(), id);
    }
}

impl Subject<'_> {
    /// Writes an ARN, as far as one is known.
    pub(crate) fn push_resource_id(&self, text: &mut String) {
        // Writing into a text does not fail.
        let _ = match &self.name {
            Name::Account { arn, id } => text.write_str(arn.unwrap_or(id)),
            Name::Root { partition, account_id } => write!(text, "arn:{partition}:iam::{account_id}:root"),
            Name::User { arn } => text.write_str(arn),
            Name::Key { arn, slot, .. } => {
                text.push_str(arn);
                text.push_str("#access_key_");
                push_number(i64::from(*slot), text);
                Ok(())
            }
        };
    }
}

impl Keys<'_> {
    /// Writes what stays when two keys of a user swap their slots between two reports: when the key was last rotated. Two
    /// keys of the very same second cannot be told apart; the second of them says that it is the second.
    fn push_identity(&self, row: usize, text: &mut String) {
        let date = |row: usize| self.rotated.is_valid(row).then(|| Timestamp::from_millis(self.rotated.value(row)));
        let slot = self.slots.value(row);
        let is_second = row.checked_sub(1).is_some_and(|before| {
            slot == 2 && self.arns.value(before) == self.arns.value(row) && date(before) == date(row)
        });
        let _ = match date(row) {
            None => write!(text, "slot-{slot}"),
            Some(own) => {
                own.push_to(text);
                text.write_str(if is_second { "#2" } else { "" })
            }
        };
    }
}
