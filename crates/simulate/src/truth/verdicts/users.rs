//! The checks that look at each IAM user, and at each access key.

use std::time::Duration;

use orgsweep_core::Timestamp;
use orgsweep_sim::{KeyFacts, Moment, UserFacts};

use super::{Status, days_ago};

/// A check, and what it says of a user. A report that was made before anybody asked may not know of MFA yet.
type UserCheck = (&'static str, fn(&UserFacts, bool) -> Status);

/// A check, and what it says of a user's key.
type KeyCheck = (&'static str, fn(&UserFacts, &KeyFacts) -> Status);

pub(super) const OF_USERS: [UserCheck; 9] = [
    ("user-console-mfa", |user, is_earlier| {
        where_it_applies(user.password_enabled, !user.has_mfa_in_report(is_earlier))
    }),
    ("user-mfa", |user, is_earlier| {
        where_it_applies(can_sign_in(user) || has_certificate(user), !user.has_mfa_in_report(is_earlier))
    }),
    ("credentials-unused", |user, _| where_it_applies(can_sign_in(user), any_unused_since(user, days_ago(45)))),
    ("credentials-long-unused", |user, _| where_it_applies(can_sign_in(user), any_unused_since(user, days_ago(90)))),
    ("user-one-active-key", |user, _| where_it_applies(active_keys(user) > 0, active_keys(user) > 1)),
    ("user-password-age", |user, _| {
        let is_old = user.password_last_changed.time().is_some_and(|changed| changed < days_ago(90));
        where_it_applies(user.password_enabled, is_old)
    }),
    ("user-password-never-used", |user, _| {
        let is_old = user.password_last_changed.time().is_some_and(|changed| changed < days_ago(7));
        where_it_applies(user.password_enabled, user.password_last_used == Moment::NoInformation && is_old)
    }),
    ("user-signing-certificate", |user, _| where_it_applies(true, has_certificate(user))),
    ("user-dormant", |user, _| where_it_applies(can_sign_in(user), last_uses(user).all(|used| used <= days_ago(180)))),
];

pub(super) const OF_KEYS: [KeyCheck; 5] = [
    ("access-key-rotated", |_, key| where_it_applies(key.active, key.last_rotated < days_ago(90))),
    ("access-key-inactive", |_, key| where_it_applies(true, !key.active)),
    ("access-key-at-creation", |user, key| {
        let apart = key.last_rotated.since(user.created_at).max(user.created_at.since(key.last_rotated));
        let came_with_user = key.last_use.is_none() && apart <= Duration::from_mins(5);
        where_it_applies(key.active && user.password_enabled, came_with_user)
    }),
    // Nobody has said yet which regions and services are allowed.
    ("access-key-region", |_, _| Status::NotApplicable),
    ("access-key-service", |_, _| Status::NotApplicable),
];

fn where_it_applies(applies: bool, fails: bool) -> Status {
    if applies { Status::of(Some(fails)) } else { Status::NotApplicable }
}

fn active_keys(user: &UserFacts) -> usize {
    user.keys.iter().flatten().filter(|key| key.active).count()
}

fn has_certificate(user: &UserFacts) -> bool {
    user.certificates.iter().flatten().any(|certificate| certificate.active)
}

fn can_sign_in(user: &UserFacts) -> bool {
    user.password_enabled || active_keys(user) > 0
}

fn any_unused_since(user: &UserFacts, time: Timestamp) -> bool {
    last_uses(user).any(|used| used <= time)
}

/// When each credential that is active was last used; one that never was counts from when it was made.
fn last_uses(user: &UserFacts) -> impl Iterator<Item = Timestamp> {
    let password = user.password_last_used.time().or(user.password_last_changed.time());
    let keys = user.keys.iter().flatten().filter(|key| key.active);
    let keys = keys.map(|key| key.last_use.as_ref().map_or(key.last_rotated, |last_use| last_use.date));
    password.filter(|_| user.password_enabled).into_iter().chain(keys)
}
