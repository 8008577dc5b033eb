//! The actions that can be allowed or denied inside an account.

/// One action inside an account that the simulation knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `iam:GenerateCredentialReport`.
    GenerateCredentialReport,
    /// `iam:GetCredentialReport`.
    GetCredentialReport,
    /// `iam:GetAccountSummary`.
    GetAccountSummary,
    /// `iam:GetAccountPasswordPolicy`.
    GetAccountPasswordPolicy,
    /// `iam:ListVirtualMFADevices`.
    ListVirtualMfaDevices,
    /// `iam:ListAccountAliases`.
    ListAccountAliases,
    /// `account:GetAlternateContact`.
    GetAlternateContact,
    /// `iam:ListUsers`, which orgsweep does not call.
    ListUsers,
    /// `iam:ListAccessKeys`.
    ListAccessKeys,
    /// `iam:GetUser`, which orgsweep does not call.
    GetUser,
    /// `iam:GetLoginProfile`.
    GetLoginProfile,
    /// `iam:ListMFADevices`.
    ListMfaDevices,
    /// `iam:ListSigningCertificates`.
    ListSigningCertificates,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 13] = [
        Self::GenerateCredentialReport,
        Self::GetCredentialReport,
        Self::GetAccountSummary,
        Self::GetAccountPasswordPolicy,
        Self::ListVirtualMfaDevices,
        Self::ListAccountAliases,
        Self::GetAlternateContact,
        Self::ListUsers,
        Self::ListAccessKeys,
        Self::GetUser,
        Self::GetLoginProfile,
        Self::ListMfaDevices,
        Self::ListSigningCertificates,
    ];

    /// The actions that the task policy `IAMAuditRootUserCredentials` leaves to a root session, as far as the
    /// simulation knows them.
    pub const OF_ROOT_AUDIT: [Self; 5] = [
        Self::GetUser,
        Self::GetLoginProfile,
        Self::ListAccessKeys,
        Self::ListMfaDevices,
        Self::ListSigningCertificates,
    ];

    /// The action that has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The name in policies: `iam:GetCredentialReport`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GenerateCredentialReport => "iam:GenerateCredentialReport",
            Self::GetCredentialReport => "iam:GetCredentialReport",
            Self::GetAccountSummary => "iam:GetAccountSummary",
            Self::GetAccountPasswordPolicy => "iam:GetAccountPasswordPolicy",
            Self::ListVirtualMfaDevices => "iam:ListVirtualMFADevices",
            Self::ListAccountAliases => "iam:ListAccountAliases",
            Self::GetAlternateContact => "account:GetAlternateContact",
            Self::ListUsers => "iam:ListUsers",
            Self::ListAccessKeys => "iam:ListAccessKeys",
            Self::GetUser => "iam:GetUser",
            Self::GetLoginProfile => "iam:GetLoginProfile",
            Self::ListMfaDevices => "iam:ListMFADevices",
            Self::ListSigningCertificates => "iam:ListSigningCertificates",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actions(u16);

impl Actions {
    /// None.
    pub const NONE: Self = Self(0);

    /// All that the simulation knows: what the scanner role allows, being one of those that read all of IAM.
    #[must_use]
    pub fn all() -> Self {
        Self::matching(|_| true)
    }

    /// Those of which `matches` holds.
    #[must_use]
    pub fn matching(matches: impl Fn(Action) -> bool) -> Self {
        Self(Action::ALL.into_iter().filter(|action| matches(*action)).fold(0, |bits, action| bits | action.bit()))
    }

    /// This action alone.
    #[must_use]
    pub fn only(action: Action) -> Self {
        Self(action.bit())
    }

    /// Whether the action is in the set.
    #[must_use]
    pub fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// The actions of the set, in the order of [`Action::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.contains(*action))
    }

    /// The actions in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The actions of this set that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The set as bits, for a session token.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set that has these bits.
    #[must_use]
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::Call;

    use super::*;

    #[test]
    fn every_call_that_orgsweep_makes_in_an_account_is_known() {
        for call in Call::IN_ACCOUNT.into_iter().chain(Call::AS_ROOT) {
            assert!(Action::from_name(call.action()).is_some(), "{call}");
        }
    }

    #[test]
    fn a_set_keeps_its_actions_through_its_bits() {
        let set = Actions::matching(|action| action.name().starts_with("iam:List"));
        assert_eq!(Actions::from_bits(set.bits()), set);
        assert!(set.contains(Action::ListUsers) && !set.contains(Action::GetAlternateContact));
        assert_eq!(set.union(Actions::all().without(set)), Actions::all());
    }
}
