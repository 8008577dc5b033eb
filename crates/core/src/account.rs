//! Accounts of an organization: their ids, states and place in the tree of organizational units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An AWS account id: exactly twelve ASCII digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

/// A text that is not twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an AWS account id: twelve digits are expected")]
pub struct InvalidAccountId {
    text: String,
}

impl AccountId {
    /// Parses exactly twelve ASCII digits.
    ///
    /// # Errors
    /// Anything else, blanks and dashes included.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        match <[u8; 12]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(digits)),
            _ => Err(InvalidAccountId { text: text.to_owned() }),
        }
    }

    /// The account whose id is `number`, padded with zeros; numbers over twelve digits are cut to their last twelve.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        let mut digits = [b'0'; 12];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            // A remainder of ten fits a byte.
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        Self(digits)
    }

    /// The id as a number below 10¹².
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII digits since `parse` and `from_number` make no others.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for AccountId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An AWS partition: a closed world of regions. An organization never spans two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Partition {
    /// The commercial regions.
    #[serde(rename = "aws")]
    Aws,
    /// China.
    #[serde(rename = "aws-cn")]
    AwsCn,
    /// AWS `GovCloud` (US).
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
    /// The European Sovereign Cloud.
    #[serde(rename = "aws-eusc")]
    AwsEusc,
    /// The US isolated regions: iso, iso-b, iso-e and iso-f.
    #[serde(rename = "aws-iso")]
    AwsIso,
    /// See [`Partition::AwsIso`].
    #[serde(rename = "aws-iso-b")]
    AwsIsoB,
    /// See [`Partition::AwsIso`].
    #[serde(rename = "aws-iso-e")]
    AwsIsoE,
    /// See [`Partition::AwsIso`].
    #[serde(rename = "aws-iso-f")]
    AwsIsoF,
}

/// A text that names no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an AWS partition; known are {}", Partition::names())]
pub struct UnknownPartition {
    text: String,
}

impl Partition {
    /// Every partition, with the name it has in ARNs, and the region its global services sign for.
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Aws, "aws", "us-east-1"),
        (Self::AwsCn, "aws-cn", "cn-north-1"),
        (Self::AwsUsGov, "aws-us-gov", "us-gov-west-1"),
        (Self::AwsEusc, "aws-eusc", "eusc-de-east-1"),
        (Self::AwsIso, "aws-iso", "us-iso-east-1"),
        (Self::AwsIsoB, "aws-iso-b", "us-isob-east-1"),
        (Self::AwsIsoE, "aws-iso-e", "eu-isoe-west-1"),
        (Self::AwsIsoF, "aws-iso-f", "us-isof-south-1"),
    ];

    /// The name in ARNs: `aws`, `aws-cn`, ….
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// A region of the partition that is always there, for callers who named none.
    #[must_use]
    pub fn default_region(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, &'static str) {
        Self::ALL.into_iter().find(|row| row.0 == self).unwrap_or(Self::ALL[0])
    }

    fn names() -> String {
        Self::ALL.map(|row| row.1).join(", ")
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Partition {
    type Err = UnknownPartition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|row| row.1 == text);
        known.map(|row| row.0).ok_or_else(|| UnknownPartition { text: text.to_owned() })
    }
}

/// Where an account stands in its life, as AWS Organizations says (`State`, or the retired `Status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    /// Signed up for, never finished.
    PendingActivation,
    /// In use.
    Active,
    /// Restricted by AWS.
    Suspended,
    /// Asked to be closed; still usable.
    PendingClosure,
    /// Closed; listed for 90 days more.
    Closed,
    /// Neither `State` nor `Status` came, or a value orgsweep does not know. Asked like an active account.
    Unknown,
}

impl AccountState {
    /// Reads the wire value; anything unheard of is [`AccountState::Unknown`].
    #[must_use]
    pub fn from_wire(text: &str) -> Self {
        match text {
            "PENDING_ACTIVATION" => Self::PendingActivation,
            "ACTIVE" => Self::Active,
            "SUSPENDED" => Self::Suspended,
            "PENDING_CLOSURE" => Self::PendingClosure,
            "CLOSED" => Self::Closed,
            _ => Self::Unknown,
        }
    }

    /// The wire value, `UNKNOWN` for [`AccountState::Unknown`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether calls into the account can succeed.
    #[must_use]
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Active | Self::PendingClosure | Self::Unknown)
    }
}

/// An account's place in its organization: `o-…/r-…/ou-…/<account id>/`, as `Paths` of `ListAccounts` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgPath(String);

impl OrgPath {
    /// Takes the path as AWS sends it.
    #[must_use]
    pub fn new(path: String) -> Self {
        Self(path)
    }

    /// The path as AWS sends it, trailing slash and all.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The organizational units from the root down, without the root; empty for an account directly below it.
    pub fn ou_ids(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| part.starts_with("ou-"))
    }

    /// Whether the account is in this organizational unit, or in one below it; `unit` may be the root's id too.
    #[must_use]
    pub fn is_below(&self, unit: &str) -> bool {
        self.0.split('/').any(|part| part == unit && (part.starts_with("ou-") || part.starts_with("r-")))
    }
}

/// One account as AWS Organizations lists it. What AWS left out is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The twelve digits.
    pub id: AccountId,
    /// The ARN inside the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The root user's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where it stands in its life.
    pub state: AccountState,
    /// Its place in the tree of organizational units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<OrgPath>,
    /// `INVITED` or `CREATED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_method: Option<String>,
    /// When it joined the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits_and_nothing_else() {
        assert_eq!(AccountId::parse("012345678901").map(|id| id.to_string()), Ok("012345678901".to_owned()));
        for text in ["", "12345678901", "1234567890123", "1234-5678-901", "12345678901x", "１２３４"] {
            assert!(AccountId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_account_id_and_its_number_are_the_same_thing() {
        for number in [0, 7, 111_122_223_333, 999_999_999_999] {
            assert_eq!(AccountId::from_number(number).number(), number);
        }
        assert_eq!(AccountId::from_number(42).as_str(), "000000000042");
    }

    #[test]
    fn an_org_path_gives_its_organizational_units() {
        let path = OrgPath::new("o-aa111bb222/r-a1b2/ou-a1b2-1/ou-a1b2-2/123456789012/".to_owned());
        assert_eq!(path.ou_ids().collect::<Vec<_>>(), ["ou-a1b2-1", "ou-a1b2-2"]);
        assert!(path.is_below("ou-a1b2-1") && path.is_below("ou-a1b2-2") && path.is_below("r-a1b2"));
        assert!(!path.is_below("ou-a1b2") && !path.is_below("123456789012") && !path.is_below("o-aa111bb222"));
    }
}
