//! Runs: one sweep of one organization, from its plan to its commit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountId, AccountState, OrganizationFeatures, Partition, PlannedAccounts, Reading, Sources, Timestamp,
};

/// The name of a run: letters, digits and dashes, sortable by time (`20261122T100000Z-7f3a9c`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RunId(String);

/// What stands in the id of a recheck between that of its sweep and its own.
const RECHECK: &str = "-recheck-";

/// What stands in the id of a run of saved reports between their time and their hash.
const INGEST: &str = "-ingest-";

/// How much of a hash an id shows.
const HASH_DIGITS: usize = 12;

/// The longest id.
const MOST_LETTERS: usize = 64;

/// A text that cannot name a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a run id: 1 to 64 letters, digits and dashes are expected")]
pub struct InvalidRunId {
    text: String,
}

/// A text that cannot name a new run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} cannot name a run: 1 to 43 letters, digits and dashes are expected, the first no dash, without \"-recheck-\" and \"-ingest-\", and not \"latest\""
)]
pub struct InvalidRunName {
    text: String,
}

impl RunId {
    /// The id of a run started at `time`; `salt` tells apart two runs of the same second.
    #[must_use]
    pub fn new(time: Timestamp, salt: u32) -> Self {
        Self(format!("{}-{:06x}", time.compact(), salt & 0x00ff_ffff))
    }

    /// The id of the run that judges the committed tables of `sweep` again; `of` names what it judges them by, so that
    /// the same recheck is the same run.
    #[must_use]
    pub fn recheck(sweep: &Self, of: &str) -> Self {
        let short = of.get(..HASH_DIGITS).unwrap_or(of);
        Self(format!("{sweep}{RECHECK}{short}"))
    }

    /// The id of the run that saved reports make, which stands among the sweeps where its `as_of` is; `of` names the
    /// reports and what judges them, so that the same reports are the same run.
    #[must_use]
    pub fn ingest(as_of: Timestamp, of: &str) -> Self {
        let short = of.get(..HASH_DIGITS).unwrap_or(of);
        Self(format!("{}{INGEST}{short}", as_of.compact()))
    }

    /// Whether it names a recheck, and not a sweep.
    #[must_use]
    pub fn is_recheck(&self) -> bool {
        self.0.contains(RECHECK)
    }

    /// When the run began, as ids made by [`RunId::new`] say; `None` where somebody named the run otherwise.
    #[must_use]
    pub fn began_at(&self) -> Option<Timestamp> {
        Timestamp::parse_compact(self.0.split_once('-')?.0)
    }

    /// Parses the name that somebody gives a run: an id that is free to be a sweep's, and short enough for those of its
    /// rechecks.
    ///
    /// # Errors
    /// As [`RunId::parse`]; and a name that says something else.
    pub fn parse_name(text: &str) -> Result<Self, InvalidRunName> {
        let is_short = text.len() + RECHECK.len() + HASH_DIGITS <= MOST_LETTERS;
        match Self::parse(text) {
            Ok(name)
                if is_short
                    && text != "latest"
                    && !text.starts_with('-')
                    && !name.is_recheck()
                    && !name.is_ingest() =>
            {
                Ok(name)
            }
            _ => Err(InvalidRunName { text: text.to_owned() }),
        }
    }

    /// Whether it names a run of saved reports, or a recheck of one.
    #[must_use]
    pub fn is_ingest(&self) -> bool {
        self.0.contains(INGEST)
    }

    /// Parses a run id, which is also safe as the name of a folder.
    ///
    /// # Errors
    /// An empty or overlong text, or one with anything but ASCII letters, digits and dashes.
    pub fn parse(text: &str) -> Result<Self, InvalidRunId> {
        let fits = (1..=MOST_LETTERS).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRunId { text: text.to_owned() })
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Who makes the calls, as `GetCallerIdentity` says; account 000000000000 without an ARN where no call is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The caller's account.
    pub account_id: AccountId,
    /// The caller's ARN.
    pub arn: String,
}

impl Caller {
    /// Who made the calls of a run that made none: no account, and no ARN.
    #[must_use]
    pub fn nobody() -> Self {
        Self { account_id: AccountId::from_number(0), arn: String::new() }
    }

    /// The partition that the caller's ARN names; `None` where it names none that is known.
    #[must_use]
    pub fn partition(&self) -> Option<Partition> {
        self.arn.split(':').nth(1).and_then(|partition| partition.parse().ok())
    }
}

/// The organization, as `DescribeOrganization` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `o-…`.
    pub id: String,
    /// The management account.
    pub management_account_id: AccountId,
}

/// Why an account of the organization is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its state lets no call through.
    State(AccountState),
    /// `--accounts` names others.
    NotSelected,
    /// `--exclude-accounts` names it.
    Excluded,
    /// It is below none of the organizational units that `--ou` names.
    NotInUnits,
    /// It is below one of the organizational units that `--exclude-ou` names.
    InExcludedUnit,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "state is {}", state.as_str()),
            Self::NotSelected => f.write_str("not among --accounts"),
            Self::Excluded => f.write_str("among --exclude-accounts"),
            Self::NotInUnits => f.write_str("below no --ou"),
            Self::InExcludedUnit => f.write_str("below an --exclude-ou"),
        }
    }
}

/// What the plan says about one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is swept.
    Ask,
    /// It is not, for this reason.
    Skip(SkipReason),
}

/// One account of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAccount {
    /// The account as AWS Organizations lists it.
    #[serde(flatten)]
    pub account: Account,
    /// Whether it is asked.
    pub decision: Decision,
}

/// Every account that a run must cover, in order of account id, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Who asked.
    pub caller: Caller,
    /// Of which organization; `None` where the caller may not describe it.
    pub organization: Option<Organization>,
    /// What of centralized root access is on in the organization.
    pub features: Reading<OrganizationFeatures>,
    /// The accounts.
    pub accounts: PlannedAccounts,
}

impl Plan {
    /// Brings accounts into plan order, each once; of two listings of one account, the first stays.
    #[must_use]
    pub fn new(
        caller: Caller,
        organization: Option<Organization>,
        features: Reading<OrganizationFeatures>,
        mut accounts: Vec<PlannedAccount>,
    ) -> Self {
        accounts.sort_by_key(|planned| planned.account.id);
        accounts.dedup_by_key(|planned| planned.account.id);
        Self { caller, organization, features, accounts: accounts.into_iter().collect() }
    }

    /// The accounts that are asked.
    pub fn asked(&self) -> impl Iterator<Item = Account> {
        self.accounts.iter().filter(|planned| planned.decision == Decision::Ask).map(|planned| planned.account)
    }
}

/// What a run is, fixed before any account is asked: `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The run's name.
    pub run_id: RunId,
    /// The time against which every age is judged; its day is the tables' `dt`.
    pub as_of: Timestamp,
    /// When the run was started.
    pub started_at: Timestamp,
    /// Who started it.
    pub caller: Caller,
    /// Of which organization; `None` where the caller may not describe it.
    pub organization: Option<Organization>,
    /// The version of orgsweep that started it.
    pub orgsweep_version: String,
    /// SHA-256 of the rule pack as it is in force, in hexadecimal: `rules.json` holds it.
    pub rule_pack_sha256: String,
    /// The sources that no account is asked: optional ones, and in a run of saved reports all but the report.
    #[serde(default)]
    pub unasked: Sources,
    /// The run whose committed tables this one judges again; `None` for a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recheck_of: Option<RunId>,
    /// The committed run whose reports are carried over where AWS cannot have replaced them; `None` where all are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_from: Option<RunId>,
    /// The settings that decide what is asked and what is written.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_cannot_leave_its_folder() {
        for text in ["", "..", "a/b", "a b", "run_1", &"x".repeat(65)] {
            assert!(RunId::parse(text).is_err(), "{text}");
        }
        let time = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let sweep = RunId::new(time, 0x0123_4567);
        assert_eq!(sweep.as_str(), "20261122T100000Z-234567");
        let recheck = RunId::recheck(&sweep, "0123456789abcdef");
        assert_eq!(recheck.as_str(), "20261122T100000Z-234567-recheck-0123456789ab");
        assert_eq!(RunId::parse(recheck.as_str()), Ok(recheck.clone()));
        assert!(recheck.is_recheck() && !sweep.is_recheck());
        let ingest = RunId::ingest(time, "0123456789abcdef");
        assert_eq!(ingest.as_str(), "20261122T100000Z-ingest-0123456789ab");
        assert!(ingest.is_ingest() && !ingest.is_recheck() && !sweep.is_ingest());
        assert_eq!(
            RunId::parse(RunId::recheck(&ingest, "0123456789abcdef").as_str()).map(|id| id.is_ingest()),
            Ok(true)
        );
        assert_eq!((sweep.began_at(), RunId("nightly-1".to_owned()).began_at()), (Some(time), None));
    }

    #[test]
    fn a_name_leaves_room_for_rechecks_and_is_not_taken_for_anything_else() {
        let longest = "x".repeat(43);
        for name in ["nightly", "20261122T100000Z-batch", &longest] {
            let name = RunId::parse_name(name).unwrap();
            let recheck = RunId::recheck(&name, "0123456789abcdef");
            assert_eq!(RunId::parse(recheck.as_str()), Ok(recheck));
        }
        for text in ["", "latest", "-x", "a-recheck-b", "a-ingest-b", "a/b", &"x".repeat(44)] {
            assert!(RunId::parse_name(text).is_err(), "{text}");
        }
    }
}
