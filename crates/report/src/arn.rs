//! Whose row it is: the ARN held against the user name beside it and against the account that was asked.

use orgsweep_core::AccountId;

use crate::value::ROOT_USER;

/// The longest path of an IAM user, in bytes, both slashes included.
pub(crate) const MAX_PATH: usize = 512;

/// The longest ARN that a report can hold, in bytes: `arn:<partition>:iam::<account>:user`, a path and a name.
pub(crate) const MAX_ARN: usize = 1024;

/// What a row's ARN says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Whether it is the root user's.
    pub(crate) is_root: bool,
    /// Whether it lies in the account that was asked.
    pub(crate) in_account: bool,
}

/// The account that was asked.
#[derive(Debug)]
pub(crate) struct Owner {
    account: AccountId,
    /// `arn:<partition>:iam::<account>:` as the last good row had it, and before that in the partition `aws`. All rows
    /// share it, so it is compared before an ARN is taken apart.
    prefix: Vec<u8>,
}

impl Owner {
    pub(crate) fn new(account: AccountId) -> Self {
        Self { account, prefix: [b"arn:aws:iam::", account.as_str().as_bytes(), b":"].concat() }
    }

    /// The account.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// How the ARNs of this account's users begin.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Reads the ARN of the user's row; `None` if it is none, or another user's.
    #[inline]
    pub(crate) fn identify(&mut self, user: &[u8], arn: &[u8]) -> Option<Identity> {
        if let Some(resource) = arn.strip_prefix(self.prefix.as_slice()) {
            return names(resource, user).then_some(Identity { is_root: user == ROOT_USER, in_account: true });
        }
        self.identify_by_parts(user, arn)
    }

    #[cold]
    fn identify_by_parts(&mut self, user: &[u8], arn: &[u8]) -> Option<Identity> {
        let mut parts = arn.splitn(6, |byte| *byte == b':');
        let mut next = || parts.next();
        let (scheme, partition, service, region) = (next()?, next()?, next()?, next()?);
        let (account, resource) = (next()?, next()?);
        let is_iam = scheme == b"arn" && is_partition(partition) && service == b"iam" && region.is_empty();
        let is_account = account.len() == 12 && account.iter().all(u8::is_ascii_digit);
        if !(is_iam && is_account && names(resource, user)) {
            return None;
        }
        let is_own = account == self.account.as_str().as_bytes();
        if is_own {
            self.prefix = arn.strip_suffix(resource).unwrap_or_default().to_vec();
        }
        Some(Identity { is_root: user == ROOT_USER, in_account: is_own })
    }
}

/// Whether the last part of an ARN names this user: `root`, or `user`, a path and the name.
#[inline]
fn names(resource: &[u8], user: &[u8]) -> bool {
    if user == ROOT_USER {
        return resource == b"root";
    }
    let Some(path) = resource.strip_prefix(b"user/").and_then(|rest| rest.strip_suffix(user)) else {
        return false;
    };
    path.is_empty() || is_path(path)
}

/// Whether IAM allows the path, whose first slash is left out here: `\u0021` to `\u007E`, and a slash at the end.
fn is_path(path: &[u8]) -> bool {
    path.len() < MAX_PATH && path.ends_with(b"/") && path.iter().copied().all(is_path_byte)
}

/// Whether a path may hold this byte.
#[inline]
pub(crate) fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

fn is_partition(text: &[u8]) -> bool {
    let is_legal = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    text.len() <= 32 && text.starts_with(b"aws") && text.iter().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Option<Identity> = Some(Identity { is_root: false, in_account: true });

    fn check(user: &str, arn: &str, expected: Option<Identity>) {
        let mut owner = Owner::new(AccountId::from_number(111_122_223_333));
        assert_eq!(owner.identify(user.as_bytes(), arn.as_bytes()), expected, "first row: {user:?} {arn:?}");
        owner.identify(b"x", b"arn:aws-cn:iam::111122223333:user/x");
        assert_eq!(owner.prefix(), b"arn:aws-cn:iam::111122223333:");
        assert_eq!(owner.identify(user.as_bytes(), arn.as_bytes()), expected, "later row: {user:?} {arn:?}");
    }

    #[test]
    fn a_user_is_known_by_the_end_of_the_arn() {
        check("bob", "arn:aws:iam::111122223333:user/bob", GOOD);
        check("bob", "arn:aws-us-gov:iam::111122223333:user/a/b/bob", GOOD);
        check("bob", "arn:aws:iam::111122223333:user/odd,\":path//bob", GOOD);
        check("bob", "arn:aws:iam::111122223333:user/bobob", None);
        check("bob", "arn:aws:iam::111122223333:user/rob", None);
        check("bob", "arn:aws:iam::111122223333:user/b ob/bob", None);
        check("bob", "arn:aws:iam::111122223333:user/ä/bob", None);
        check("bob", "arn:aws:iam::111122223333:root", None);
        check("bob", &format!("arn:aws:iam::111122223333:user/{}/bob", "p".repeat(511)), None);
        check("bob", &format!("arn:aws:iam::111122223333:user/{}/bob", "p".repeat(510)), GOOD);
    }

    #[test]
    fn the_root_user_is_known_by_its_own_name() {
        let root = Some(Identity { is_root: true, in_account: true });
        check("<root_account>", "arn:aws-cn:iam::111122223333:root", root);
        check("<root_account>", "arn:aws:iam::111122223333:user/<root_account>", None);
    }

    #[test]
    fn an_arn_of_another_account_is_an_arn_all_the_same() {
        check("bob", "arn:aws:iam::999999999999:user/bob", Some(Identity { is_root: false, in_account: false }));
    }

    #[test]
    fn what_is_no_iam_arn_is_refused() {
        for arn in [
            "",
            "N/A",
            "arn:aws:iam::111122223333",
            "arn:aws:sts::111122223333:user/bob",
            "arn:gcp:iam::111122223333:user/bob",
            "arn:aws:iam:us-east-1:111122223333:user/bob",
            "arn:aws:iam::11112222333:user/bob",
            "arn:aws:iam::111122223333:role/bob",
        ] {
            check("bob", arn, None);
        }
    }
}
