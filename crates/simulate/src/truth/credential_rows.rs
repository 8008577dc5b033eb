//! The rows of `credentials` that an account must have: its report, user by user in order of their names.

use orgsweep_core::Source;
use orgsweep_sim::{CertificateFacts, KeyFacts, Moment, UserFacts};

use super::account_row::{last_used, set_moment};
use super::cell::Row;
use super::known::{Known, Report};

pub(super) fn expected(known: &Known<'_>) -> Vec<Row> {
    let Some(report) = &known.report else { return Vec::new() };
    report.users.iter().map(|user| user_row(known, report, user)).collect()
}

fn user_row(known: &Known<'_>, report: &Report, user: &UserFacts) -> Row {
    let mut row = Row::default();
    let listed = &known.facts.listed;
    row.set("account_id", listed.id.as_str());
    row.set("account_name", listed.name.clone());
    row.set("user", user.name.as_str());
    row.set("arn", user.arn.as_str());
    row.set("is_root", user.is_root);
    row.set("user_creation_time", user.created_at);
    row.set("password_enabled", user.password_enabled);
    row.set("password_enabled_reason", None::<String>);
    set_moment(&mut row, "password_last_used", Some(user.password_last_used));
    set_moment(&mut row, "password_last_changed", Some(user.password_last_changed));
    set_moment(&mut row, "password_next_rotation", Some(user.password_next_rotation));
    row.set("mfa_active", user.has_mfa_in_report(report.is_earlier));
    for (number, key) in (1..).zip(&user.keys) {
        set_key(&mut row, number, key.as_ref());
    }
    for (number, certificate) in (1..).zip(&user.certificates) {
        set_certificate(&mut row, number, certificate.as_ref());
    }
    row.set("additional_credentials_info", None::<String>);
    row.set("report_generated_at", report.made_at);
    set_key_ids(&mut row, known, user);
    row.set("carried_from", report.carried_from.clone());
    row
}

fn set_key(row: &mut Row, number: u32, key: Option<&KeyFacts>) {
    let column = |name: &str| format!("access_key_{number}_{name}");
    let last_use = key.and_then(|key| key.last_use.as_ref());
    row.set(column("active"), key.is_some_and(|key| key.active));
    set_moment(row, &column("last_rotated"), Some(made_at(key.map(|key| key.last_rotated))));
    set_moment(row, &column("last_used_date"), Some(last_used(key)));
    row.set(column("last_used_region"), last_use.and_then(|last_use| last_use.region.as_deref()));
    row.set(column("last_used_service"), last_use.map(|last_use| last_use.service));
}

fn set_certificate(row: &mut Row, number: u32, certificate: Option<&CertificateFacts>) {
    row.set(format!("cert_{number}_active"), certificate.is_some_and(|certificate| certificate.active));
    let made = made_at(certificate.map(|certificate| certificate.last_rotated));
    set_moment(row, &format!("cert_{number}_last_rotated"), Some(made));
}

fn made_at(time: Option<orgsweep_core::Timestamp>) -> Moment {
    time.map_or(Moment::NotApplicable, Moment::At)
}

/// The ids of a user's keys. Those of a user who was deleted since the report are gone; two keys that were made in the
/// same second, and are both active or both not, cannot be told apart.
fn set_key_ids(row: &mut Row, known: &Known<'_>, user: &UserFacts) {
    let is_asked = known.has_read(Source::AccessKeyIds) && !user.is_root;
    let alike = |key: &Option<KeyFacts>| key.as_ref().map(|key| (key.last_rotated, key.active));
    let [first, second] = &user.keys;
    let is_ambiguous = first.is_some() && alike(first) == alike(second);
    for (slot, key) in (0..).zip(&user.keys) {
        let id = match (key, user.is_there(), is_ambiguous) {
            (None, ..) => None,
            (Some(_), false, _) => Some(Err("gone")),
            (Some(_), true, true) => Some(Err("ambiguous")),
            (Some(_), true, false) => Some(Ok(known.model.access_key_id(known.index, user, slot))),
        };
        let id = id.filter(|_| is_asked);
        let column = format!("access_key_{}_id", slot + 1);
        row.set(format!("{column}_reason"), id.as_ref().and_then(|id| id.as_ref().err().copied()));
        row.set(column, id.and_then(Result::ok));
    }
}
