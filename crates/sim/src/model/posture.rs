//! What belongs to an account as a whole: root posture, password policy, contacts, alias, and the report that is there
//! before anybody asks.

use orgsweep_core::{ContactType, PasswordPolicy, Timestamp};

use super::names::{CONTACT_NAMES, CONTACT_TITLES};
use super::{DAY, FRESH, Model, before};
use crate::random::{Draw, Topic};

/// An alternate contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFacts {
    /// Who.
    pub name: String,
    /// Their title.
    pub title: String,
    /// Their e-mail address.
    pub email: String,
    /// Their telephone number.
    pub phone: String,
}

/// The root user's posture, as the account summary and the virtual MFA devices tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "six questions that AWS answers with yes or no, each by itself")]
pub struct RootFacts {
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether the account summary says so.
    pub password_is_said: bool,
    /// Whether there is MFA.
    pub has_mfa: bool,
    /// Whether it is a virtual device.
    pub has_virtual_mfa: bool,
    /// Whether there is an access key.
    pub has_access_key: bool,
    /// Whether there is a signing certificate.
    pub has_certificate: bool,
}

/// What belongs to an account as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posture {
    /// The alias.
    pub alias: Option<String>,
    /// The account's own password policy.
    pub password_policy: Option<PasswordPolicy>,
    /// The contacts, in the order of [`ContactType::ALL`].
    pub contacts: [Option<ContactFacts>; 3],
    /// The root user.
    pub root: RootFacts,
    /// Whether a virtual MFA device is left over that is nobody's.
    pub has_unassigned_mfa: bool,
}

/// A report from before the simulation is at least this much younger than four hours, so that it stays fresh for a
/// while after the start.
const FRESH_REPORT_SECONDS: (u64, u64) = (5 * 60, 200 * 60);

/// A report that is not fresh; AWS serves those of less than a day.
const OLD_REPORT_SECONDS: (u64, u64) = (6 * 3600, 30 * 3600);

impl Model {
    /// What belongs to the account as a whole.
    #[must_use]
    pub fn posture(&self, index: u32) -> Posture {
        let mut draw = self.draw(Topic::Posture, index, 0);
        let has_alias = draw.chance(self.mix.alias);
        let has_unassigned_mfa = draw.below(20) == 0;
        Posture {
            alias: has_alias.then(|| self.alias_name(index)),
            password_policy: self.password_policy(index),
            contacts: ContactType::ALL.map(|contact| self.contact(index, contact)),
            root: self.root_facts(index),
            has_unassigned_mfa,
        }
    }

    /// The account's own password policy.
    #[must_use]
    pub fn password_policy(&self, index: u32) -> Option<PasswordPolicy> {
        let mut draw = self.draw(Topic::Posture, index, 1);
        if draw.chance(self.mix.no_password_policy) {
            return None;
        }
        let max_password_age = draw.pick(&[None, None, None, Some(60), Some(90), Some(90), Some(180), Some(365)]);
        let mut strict = || draw.below(10) < 8;
        let (symbols, numbers, upper, lower) = (strict(), strict(), strict(), strict());
        Some(PasswordPolicy {
            minimum_password_length: Some(draw.pick(&[6, 8, 8, 10, 12, 14, 14, 14, 14, 14, 16, 20])),
            require_symbols: symbols,
            require_numbers: numbers,
            require_uppercase: upper,
            require_lowercase: lower,
            allow_users_to_change_password: draw.below(10) < 9,
            expire_passwords: max_password_age.is_some(),
            max_password_age,
            password_reuse_prevention: draw.pick(&[
                None,
                None,
                Some(1),
                Some(5),
                Some(12),
                Some(24),
                Some(24),
                Some(24),
            ]),
            hard_expiry: max_password_age.map(|_| draw.below(20) == 0),
        })
    }

    /// The contact of this type.
    #[must_use]
    pub fn contact(&self, index: u32, contact: ContactType) -> Option<ContactFacts> {
        let [billing, operations, security] = self.mix.contacts;
        let (item, rate, word) = match contact {
            ContactType::Billing => (0, billing, "billing"),
            ContactType::Operations => (1, operations, "operations"),
            ContactType::Security => (2, security, "security"),
        };
        let mut draw = self.draw(Topic::Contacts, index, item);
        draw.chance(rate).then(|| ContactFacts {
            name: draw.pick(&CONTACT_NAMES).to_owned(),
            title: draw.pick(&CONTACT_TITLES).to_owned(),
            email: format!("{word}{}@example.com", draw.below(20)),
            phone: format!("+1-202-555-{:04}", draw.below(10_000)),
        })
    }

    /// The root user's posture.
    #[must_use]
    pub fn root_facts(&self, index: u32) -> RootFacts {
        let mix = &self.mix.root;
        let mut draw = self.draw(Topic::Root, index, 0);
        let password_rate = if self.origin(index).was_invited { mix.password_invited } else { mix.password_created };
        // Nobody gets far in AWS without the root user of the management account; the others may never have had one.
        let has_password = draw.chance(password_rate) || index == 0;
        let (lacks_mfa, has_mfa_anyway) = (draw.chance(mix.no_mfa), draw.chance(mix.mfa_without_password));
        let has_mfa = if has_password { !lacks_mfa } else { has_mfa_anyway };
        let is_hardware = draw.chance(mix.hardware_mfa);
        RootFacts {
            has_password,
            password_is_said: !draw.chance(mix.password_unsaid),
            has_mfa,
            has_virtual_mfa: has_mfa && !is_hardware,
            has_access_key: draw.chance(mix.access_key),
            has_certificate: draw.chance(mix.certificate),
        }
    }

    /// When the report was made that is there before anybody asks; `None` where there is none.
    #[must_use]
    pub fn earlier_report(&self, index: u32) -> Option<Timestamp> {
        let mut draw = self.draw(Topic::Report, index, 0);
        let (fresh, old) = (self.mix.fresh_report, self.mix.old_report);
        let (least, most) = if draw.chance(fresh) {
            FRESH_REPORT_SECONDS
        } else if draw.chance(old) {
            OLD_REPORT_SECONDS
        } else {
            return None;
        };
        Some(before(self.now, draw.between(least, most)))
    }

    /// When the report was made that AWS still serves instead of a new one; `None` where there is none.
    #[must_use]
    pub fn fresh_report(&self, index: u32) -> Option<Timestamp> {
        self.earlier_report(index).filter(|made_at| self.now.since(*made_at) < FRESH)
    }

    /// When the facts of an account's users end: nothing in a report is younger than the report.
    pub(super) fn facts_end(&self, index: u32) -> Timestamp {
        self.earlier_report(index).unwrap_or(self.now)
    }

    /// Ages that a draw may give to something that is `life` seconds old at most: recent, or before the last 50 days.
    pub(super) fn draw_use_age(draw: &mut Draw, life: u64, is_stale: bool) -> u64 {
        if is_stale && life > 50 * DAY { draw.between(50 * DAY, life) } else { draw.below(life.min(40 * DAY) + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimSettings;

    fn share(of: impl Fn(&Model, u32) -> bool) -> u32 {
        let model = Model::new(&SimSettings::default());
        (1..=10_000).filter(|index| of(&model, *index)).map(|_| 1).sum()
    }

    #[test]
    fn habits_are_as_common_as_the_mix_says() {
        let check = |expected: std::ops::Range<u32>, of: fn(&Model, u32) -> bool| {
            let found = share(of);
            assert!(expected.contains(&found), "{found} is not in {expected:?}");
        };
        check(1350..1650, |model, index| model.password_policy(index).is_none());
        check(3300..3700, |model, index| model.contact(index, ContactType::Security).is_some());
        check(100..200, |model, index| model.root_facts(index).has_access_key);
        check(700..900, |model, index| model.fresh_report(index).is_some());
        check(1900..2500, |model, index| model.root_facts(index).has_password);
        check(150..400, |model, index| model.root_facts(index).has_password && !model.root_facts(index).has_mfa);
    }

    #[test]
    fn a_policy_without_expiry_has_no_age() {
        let model = Model::new(&SimSettings::default());
        for policy in (0..500).filter_map(|index| model.password_policy(index)) {
            assert_eq!(policy.expire_passwords, policy.max_password_age.is_some());
            assert!(policy.minimum_password_length.is_some_and(|length| (6..=128).contains(&length)));
        }
    }
}
