//! The users of an account: the root user, and people and services with their habits.

use std::sync::Arc;
use std::time::Duration;

use orgsweep_core::{AccountId, Timestamp};

use super::names::{Naming, Style};
use super::{
    CertificateFacts, DAY, KeyFacts, KeyUse, MfaDevice, Model, Moment, RootFacts, SinceReport, UserFacts, before,
};
use crate::environment::{CALLER_ACCESS_KEY_ID, CALLER_USER_NAME};
use crate::random::{Draw, Topic};

/// Services that are used in the settings' region. STS and IAM are used in the partition's first one.
const REGIONAL: [&str; 6] = ["ec2", "lambda", "dynamodb", "sqs", "kms", "logs"];

/// Paths that are legal and troublesome: IAM allows any printable ASCII in them.
const ODD_PATHS: [&str; 3] = ["/odd,\"path/", "/a;b/<c>&d/", "/x,y/"];

/// What the users of one account have in common.
struct Household<'a> {
    model: &'a Model,
    index: u32,
    account: AccountId,
    /// Nothing is younger than this.
    end: Timestamp,
    /// How long the account has been there, in seconds.
    age: u64,
    max_password_age: Option<u64>,
    naming: Naming,
}

/// A user's password, as the report tells it.
struct Password {
    enabled: bool,
    last_used: Moment,
    last_changed: Moment,
    next_rotation: Moment,
}

impl Password {
    const NONE: Self = Self {
        enabled: false,
        last_used: Moment::NotApplicable,
        last_changed: Moment::NotApplicable,
        next_rotation: Moment::NotApplicable,
    };
}

impl Model {
    /// The root user, and then every IAM user in case-insensitive order of names: the order of the credential report.
    #[must_use]
    pub fn users(&self, index: u32) -> Vec<UserFacts> {
        let household = self.household(index);
        let mut users = Vec::with_capacity(usize::try_from(self.users_per_account).unwrap_or_default() + 1);
        users.push(household.root(self.root_facts(index)));
        users.extend((0..self.users_per_account).map(|ordinal| household.user(ordinal)));
        if let Some((place, change)) = self.change_since_report(index)
            && let Some(user) = users.get_mut(place)
        {
            user.since_report = Some(change);
        }
        if let Some(iam_users) = users.get_mut(1..) {
            iam_users.sort_unstable_by(|one, other| lower_case(&one.name).cmp(lower_case(&other.name)));
        }
        users
    }

    /// What changed since the fresh report of the account was made, and for which of its users: 0 is the root user, 1
    /// the first IAM user. The caller is not deleted.
    fn change_since_report(&self, index: u32) -> Option<(usize, SinceReport)> {
        self.fresh_report(index)?;
        let mut draw = self.draw(Topic::Report, index, 2);
        if !draw.chance(self.mix.changed_since_report) {
            return None;
        }
        let root = self.root_facts(index);
        let deletable = u64::from(self.users_per_account.saturating_sub(1));
        match draw.below(2) {
            0 if root.has_mfa => Some((0, SinceReport::MfaAdded)),
            _ if deletable > 0 => Some((usize::try_from(draw.below(deletable)).ok()? + 2, SinceReport::Deleted)),
            _ => None,
        }
    }

    /// A user's unique id, `AIDA…`; the account's id for the root user.
    #[must_use]
    pub fn user_id(&self, index: u32, user: &UserFacts) -> String {
        if user.is_root { self.account_id(index).to_string() } else { self.unique_id("AIDA", index, user.ordinal) }
    }

    /// The id of the key in a user's slot, 0 or 1, which the report does not tell.
    #[must_use]
    pub fn access_key_id(&self, index: u32, user: &UserFacts, slot: u32) -> String {
        if index == 0 && user.name == CALLER_USER_NAME {
            return CALLER_ACCESS_KEY_ID.to_owned();
        }
        self.unique_id("AKIA", index, user.ordinal.saturating_mul(2).saturating_add(slot))
    }

    fn household(&self, index: u32) -> Household<'_> {
        let end = self.facts_end(index);
        let max_password_age = self.password_policy(index).and_then(|policy| policy.max_password_age);
        Household {
            model: self,
            index,
            account: self.account_id(index),
            end,
            age: end.since(self.origin(index).created_at).as_secs(),
            max_password_age: max_password_age.and_then(|days| u64::try_from(days).ok()).map(|days| days * DAY),
            naming: Naming::new(&mut self.draw(Topic::Naming, index, 0)),
        }
    }
}

fn lower_case(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

impl Household<'_> {
    fn ago(&self, age: u64) -> Timestamp {
        before(self.end, age)
    }

    fn root(&self, facts: RootFacts) -> UserFacts {
        let mut draw = self.model.draw(Topic::Root, self.index, 1);
        let last_used = match (facts.has_password, draw.below(10)) {
            (false, _) => Moment::NotApplicable,
            (true, 0..5) => Moment::NoInformation,
            (true, place) => Moment::At(self.ago(Model::draw_use_age(&mut draw, self.age, place < 9))),
        };
        let changed = self.ago(draw.below(self.age + 1));
        let device = if facts.has_virtual_mfa { MfaDevice::Virtual } else { MfaDevice::Hardware };
        let certificate = CertificateFacts { active: draw.below(2) == 0, last_rotated: self.ago(self.age / 2) };
        UserFacts {
            name: "<root_account>".to_owned(),
            path: "",
            arn: format!("arn:{}:iam::{}:root", self.model.partition, self.account),
            ordinal: 0,
            is_root: true,
            created_at: self.ago(self.age),
            password_enabled: facts.has_password,
            password_last_used: last_used,
            password_last_changed: if facts.has_password { Moment::At(changed) } else { Moment::NotApplicable },
            password_next_rotation: Moment::NotSupported,
            mfa: facts.has_mfa.then_some(device),
            keys: [facts.has_access_key.then(|| self.key(&mut draw, self.age)), None],
            certificates: [facts.has_certificate.then_some(certificate), None],
            since_report: None,
        }
    }

    fn user(&self, ordinal: u32) -> UserFacts {
        if self.index == 0 && ordinal == 0 {
            return self.caller();
        }
        let mix = &self.model.mix.users;
        let mut draw = self.model.draw(Topic::User, self.index, ordinal);
        let is_person = draw.chance(mix.people);
        let is_odd = draw.chance(mix.odd_name);
        let life = draw.between(DAY, self.age.clamp(DAY, 1800 * DAY));
        let (password, mfa) = if is_person { self.person_sign_in(&mut draw, life) } else { (Password::NONE, None) };
        let first_key = draw.chance(mix.person_key) || !is_person && draw.below(20) > 0;
        let second_key = first_key && !is_person && draw.chance(mix.second_key);
        let mut keys = [first_key.then(|| self.key(&mut draw, life)), second_key.then(|| self.key(&mut draw, life))];
        if password.enabled && first_key {
            self.make_with_user(&mut keys, ordinal, self.ago(life));
        }
        let certificates = if is_person { [None, None] } else { self.certificates(&mut draw, life) };
        let (name, path) = self.name(&mut draw, ordinal, is_person, is_odd);
        UserFacts {
            arn: format!("arn:{}:iam::{}:user{path}{name}", self.model.partition, self.account),
            name,
            path,
            ordinal,
            is_root: false,
            created_at: self.ago(life),
            password_enabled: password.enabled,
            password_last_used: password.last_used,
            password_last_changed: password.last_changed,
            password_next_rotation: password.next_rotation,
            mfa,
            keys,
            certificates,
            since_report: None,
        }
    }

    /// The user whose credentials sweep the organization.
    fn caller(&self) -> UserFacts {
        let last_use =
            KeyUse { date: self.ago(DAY / 2), region: Some(Arc::clone(&self.model.home_region)), service: "sts" };
        let key = KeyFacts { active: true, last_rotated: self.ago(20 * DAY), last_use: Some(last_use) };
        UserFacts {
            name: CALLER_USER_NAME.to_owned(),
            path: "/",
            arn: format!("arn:{}:iam::{}:user/{CALLER_USER_NAME}", self.model.partition, self.account),
            ordinal: 0,
            is_root: false,
            created_at: self.ago(200 * DAY),
            password_enabled: false,
            password_last_used: Moment::NotApplicable,
            password_last_changed: Moment::NotApplicable,
            password_next_rotation: Moment::NotApplicable,
            mfa: None,
            keys: [Some(key), None],
            certificates: [None, None],
            since_report: None,
        }
    }

    fn name(&self, draw: &mut Draw, ordinal: u32, is_person: bool, is_odd: bool) -> (String, &'static str) {
        let paths = if is_person { ["/", "/", "/", "/people/"] } else { ["/", "/", "/service/", "/ci/build/"] };
        let path = if is_odd && draw.below(2) == 0 { draw.pick(&ODD_PATHS) } else { draw.pick(&paths) };
        if !is_person {
            return (self.naming.service(ordinal), if is_odd { draw.pick(&ODD_PATHS) } else { path });
        }
        let style = match (is_odd, draw.below(10)) {
            (true, 0..5) => Style::Comma,
            (true, 5..8) => Style::CommaAfter,
            (true, _) => Style::Formula,
            (false, 0) => Style::Capital,
            (false, 1) => Style::Mail,
            (false, _) => Style::Plain,
        };
        (self.naming.person(ordinal, style), path)
    }

    fn person_sign_in(&self, draw: &mut Draw, life: u64) -> (Password, Option<MfaDevice>) {
        let mix = &self.model.mix.users;
        let (has_password, was_deleted) = (draw.chance(mix.console), draw.chance(mix.password_deleted));
        let (is_unused, is_stale) = (draw.chance(mix.password_unused), draw.chance(mix.password_stale));
        let last_used = if is_unused {
            Moment::NoInformation
        } else {
            Moment::At(self.ago(Model::draw_use_age(draw, life, is_stale || was_deleted)))
        };
        if was_deleted {
            return (Password { last_used, ..Password::NONE }, None);
        }
        if !has_password {
            return (Password::NONE, None);
        }
        // One in ten has let the password expire, where passwords expire.
        let newest = self.max_password_age.filter(|_| draw.below(10) > 0).unwrap_or(u64::MAX);
        let newest = if mix.renewed_passwords { newest.min(80 * DAY) } else { newest };
        let last_changed = self.ago(draw.below(life.min(newest) + 1));
        let expiry = self.max_password_age.map(|age| last_changed.plus(Duration::from_secs(age)));
        let next_rotation = expiry.map_or(Moment::NotApplicable, Moment::At);
        let (lacks_mfa, is_hardware) = (draw.chance(mix.no_mfa), draw.chance(mix.hardware_mfa));
        let device = if is_hardware { MfaDevice::Hardware } else { MfaDevice::Virtual };
        let password = Password { enabled: true, last_used, last_changed: Moment::At(last_changed), next_rotation };
        (password, (!lacks_mfa).then_some(device))
    }

    fn key(&self, draw: &mut Draw, life: u64) -> KeyFacts {
        let mix = &self.model.mix.users;
        let is_old = draw.chance(mix.old_key) && life > 95 * DAY;
        let age = if is_old { draw.between(95 * DAY, life) } else { draw.below(life.min(85 * DAY) + 1) };
        let (is_unused, is_stale) = (draw.chance(mix.key_unused), draw.chance(mix.key_stale));
        let used_age = Model::draw_use_age(draw, age, is_stale);
        let (service, region) = match draw.below(10) {
            0..3 => ("s3", None),
            3 => ("sts", Some(Arc::clone(&self.model.home_region))),
            4 => ("iam", Some(Arc::clone(&self.model.home_region))),
            _ => (draw.pick(&REGIONAL), Some(Arc::clone(&self.model.region))),
        };
        let last_use = KeyUse { date: self.ago(used_age), region, service };
        KeyFacts {
            active: !draw.chance(mix.inactive_key),
            last_rotated: self.ago(age),
            last_use: (!is_unused).then_some(last_use),
        }
    }

    /// Lets the first key be one that came with its user and was never used, now and then. Drawn by itself, so that all
    /// else about the user stays as it is.
    fn make_with_user(&self, keys: &mut [Option<KeyFacts>; 2], ordinal: u32, created_at: Timestamp) {
        let mut draw = self.model.draw(Topic::KeyAtCreation, self.index, ordinal);
        if draw.chance(self.model.mix.users.key_at_creation) {
            let last_rotated = created_at.plus(Duration::from_secs(draw.below(240)));
            keys[0] = Some(KeyFacts { active: true, last_rotated, last_use: None });
        }
    }

    fn certificates(&self, draw: &mut Draw, life: u64) -> [Option<CertificateFacts>; 2] {
        if !draw.chance(self.model.mix.users.certificate) {
            return [None, None];
        }
        let mut certificate = |active| CertificateFacts { active, last_rotated: self.ago(draw.below(life + 1)) };
        let (first, second) = (certificate(true), certificate(false));
        [Some(first), life.is_multiple_of(2).then_some(second)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimSettings;

    fn model(users_per_account: u32) -> Model {
        Model::new(&SimSettings { users_per_account, ..SimSettings::default() })
    }

    #[test]
    fn an_account_has_exactly_as_many_users_as_asked_with_root_first_and_names_in_order() {
        for (users, index) in [(0, 1), (1, 0), (25, 3), (5000, 4)] {
            let found = model(users).users(index);
            assert_eq!(found.len(), usize::try_from(users).unwrap() + 1);
            assert!(found[0].is_root && found[1..].iter().all(|user| !user.is_root));
            let names: Vec<String> = found[1..].iter().map(|user| user.name.to_lowercase()).collect();
            assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "sorted, and no name twice");
        }
    }

    #[test]
    fn nothing_happens_before_its_cause_or_after_the_report() {
        let model = model(25);
        for index in 0..400 {
            let end = model.facts_end(index);
            for user in model.users(index) {
                let mut times = vec![user.created_at];
                times.extend(user.password_last_used.time());
                times.extend(user.password_last_changed.time());
                assert!(times.iter().all(|time| (user.created_at..=end).contains(time)), "{user:?}");
                for key in user.keys.iter().flatten() {
                    let used = key.last_use.as_ref().map_or(key.last_rotated, |used| used.date);
                    assert!(user.created_at <= key.last_rotated && key.last_rotated <= used && used <= end, "{key:?}");
                }
                for certificate in user.certificates.iter().flatten() {
                    assert!((user.created_at..=end).contains(&certificate.last_rotated), "{user:?}");
                }
                assert!(user.keys[0].is_some() || user.keys[1].is_none(), "the first slot is taken first");
            }
        }
    }

    #[test]
    fn the_root_user_agrees_with_the_accounts_posture() {
        let model = model(2);
        for index in 0..2000 {
            let (root, facts) = (model.users(index).swap_remove(0), model.root_facts(index));
            assert_eq!((root.password_enabled, root.mfa.is_some()), (facts.has_password, facts.has_mfa));
            assert_eq!(root.mfa == Some(MfaDevice::Virtual), facts.has_virtual_mfa);
            assert_eq!(root.keys[0].is_some(), facts.has_access_key);
            assert_eq!(root.created_at, model.account(index).created_at);
        }
    }

    #[test]
    fn every_bad_habit_is_to_be_found() {
        let model = model(25);
        let users: Vec<UserFacts> = (1..400).flat_map(|index| model.users(index).split_off(1)).collect();
        let some = |name: &str, habit: fn(&UserFacts) -> bool| {
            let count = users.iter().filter(|user| habit(user)).count();
            assert!(count > 0 && count < users.len() / 2, "{name}: {count} of {}", users.len());
        };
        some("console without MFA", |user| user.password_enabled && user.mfa.is_none());
        some("password never used", |user| user.password_enabled && user.password_last_used == Moment::NoInformation);
        some("deleted password", |user| !user.password_enabled && user.password_last_used.time().is_some());
        some("expiring password", |user| user.password_next_rotation.time().is_some());
        some("two keys", |user| user.keys.iter().flatten().filter(|key| key.active).count() == 2);
        some("inactive key", |user| user.keys.iter().flatten().any(|key| !key.active));
        some("unused key", |user| user.keys.iter().flatten().any(|key| key.last_use.is_none()));
        some("certificate", |user| user.certificates[0].is_some());
        some("comma in the name", |user| user.name.contains(','));
        some("quote in the path", |user| user.path.contains('"'));
    }

    #[test]
    fn the_caller_is_one_of_the_management_accounts_users() {
        let model = model(25);
        let users = model.users(0);
        let caller = users.iter().find(|user| user.name == CALLER_USER_NAME).unwrap();
        assert!(caller.keys[0].as_ref().is_some_and(|key| key.active));
        assert_eq!(model.access_key_id(0, caller, 0), CALLER_ACCESS_KEY_ID);
        assert_eq!(users.len(), 26);
    }
}
