//! The row of `accounts` that an account must have.

use orgsweep_core::{ContactType, OrgPath, Source, Sources};
use orgsweep_sim::{KeyFacts, Moment};

use super::cell::{Cell, Row};
use super::known::{Known, Report};
use super::root_answers::Answers;

/// What a run says it did not read is no fact of the model: it is held against what may be missed.
pub(super) const IS_HELD_ELSEWHERE: [&str; 1] = ["unanswered"];

pub(super) fn expected(known: &Known<'_>) -> Row {
    let mut row = Row::default();
    identity(&mut row, known);
    coverage(&mut row, known);
    root(&mut row, known);
    root_row(&mut row, known.report.as_ref());
    password_policy(&mut row, known);
    contacts(&mut row, known);
    row
}

fn identity(row: &mut Row, known: &Known<'_>) {
    let (model, listed) = (known.model, &known.facts.listed);
    let features = model.features();
    let tags = known.from(Source::AccountTags, |known| {
        let tags = model.tags(known.index).into_iter().map(|tag| format!("{{key: {}, value: {}}}", tag.key, tag.value));
        shown(&tags.collect::<Vec<_>>())
    });
    row.set("account_id", listed.id.as_str());
    row.set("account_name", listed.name.clone());
    row.set("account_email", listed.email.clone());
    row.set("account_arn", listed.arn.clone());
    row.set("account_alias", known.from(Source::AccountAlias, |known| known.posture.alias.clone()));
    row.set("partition", model.partition().as_str());
    row.set("organization_id", model.organization().id);
    row.set("ou_path", listed.path.as_ref().map(OrgPath::as_str));
    row.set("ou_id", listed.path.as_ref().and_then(|path| path.ou_ids().last()));
    row.set("is_management", known.is_management());
    row.set("state", listed.state.as_str());
    row.set("joined_method", listed.joined_method.clone());
    row.set("joined_at", listed.joined_at);
    row.set("tags", tags);
    row.set("root_credentials_management", features.root_credentials_management);
    row.set("root_sessions", features.root_sessions);
}

fn coverage(row: &mut Row, known: &Known<'_>) {
    let report = known.report.as_ref();
    let iam_users = |known: &Known<'_>| {
        let users = known.model.users(known.index);
        users.iter().filter(|user| !user.is_root && user.is_there()).count()
    };
    row.set("outcome", outcome(known));
    row.set("skip_reason", (!known.is_asked()).then(|| format!("state is {}", known.facts.listed.state.as_str())));
    row.set("report_generated_at", report.map(|report| report.made_at));
    row.set("report_older_than_asked", report.map(|_| false));
    row.set("report_carried_from", report.and_then(|report| report.carried_from.clone()));
    row.set("report_rows", report.map(|report| report.users.len()));
    row.set("report_users", report.map(|report| report.iam_users().count()));
    row.set("quarantined_rows", shown(&[]));
    row.set("unknown_columns", shown(&[]));
    row.set("iam_users", known.from(Source::AccountSummary, iam_users));
}

fn outcome(known: &Known<'_>) -> &'static str {
    let missed = known.wanted.without(known.read);
    let but_the_role = known.wanted.without([Source::Role].into_iter().collect());
    match (known.is_asked(), missed) {
        (false, _) => "skipped",
        (true, Sources::NONE) => "swept",
        (true, missed) if but_the_role.is_within(missed) => "failed",
        (true, _) => "partial",
    }
}

fn root(row: &mut Row, known: &Known<'_>) {
    let answers = Answers::of(known);
    for answer in answers.all() {
        let question = answer.question;
        row.set(question, answer.agreed());
        row.set(format!("{question}_source"), answer.sources());
        row.set(format!("{question}_reason"), answer.reason().filter(|_| known.is_asked()));
    }
    let contradictions = answers.contradictions();
    row.set("root_contradictions", (!contradictions.is_empty()).then(|| contradictions.join("; ")));
    let keys = known.from(Source::RootAccessKeys, |known| {
        let root = known.root.as_ref();
        let slots = root.into_iter().flat_map(|root| (0..).zip(&root.keys).map(move |(slot, key)| (root, slot, key)));
        let there = slots.filter(|(_, _, key)| key.is_some());
        shown(&there.map(|(root, slot, _)| known.model.access_key_id(known.index, root, slot)).collect::<Vec<_>>())
    });
    row.set("root_access_key_ids", keys);
}

fn root_row(row: &mut Row, report: Option<&Report>) {
    let root = report.and_then(Report::root);
    let last_use = |slot: usize| root.map(|root| last_used(root.keys.get(slot).and_then(Option::as_ref)));
    for (column, moment) in [
        ("root_password_last_used", root.map(|root| root.password_last_used)),
        ("root_password_last_changed", root.map(|root| root.password_last_changed)),
        ("root_access_key_1_last_used_date", last_use(0)),
        ("root_access_key_2_last_used_date", last_use(1)),
    ] {
        set_moment(row, column, moment);
    }
}

/// Sets a time, and beside it the report's word for why there is none.
pub(super) fn set_moment(row: &mut Row, column: &str, moment: Option<Moment>) {
    row.set(column, moment.and_then(Moment::time));
    row.set(format!("{column}_reason"), moment.and_then(Moment::reason));
}

/// The last use of a key, as a report has it.
pub(super) fn last_used(key: Option<&KeyFacts>) -> Moment {
    key.and_then(|key| key.last_use.as_ref()).map_or(Moment::NotApplicable, |last_use| Moment::At(last_use.date))
}

fn password_policy(row: &mut Row, known: &Known<'_>) {
    let read = known.from(Source::PasswordPolicy, |known| known.posture.password_policy.clone());
    let policy = read.clone().flatten();
    let flag = |value: bool| policy.as_ref().map(|_| value);
    let own = policy.clone().unwrap_or_default();
    row.set("password_policy_set", read.map(|policy| policy.is_some()));
    row.set("minimum_password_length", own.minimum_password_length);
    row.set("require_symbols", flag(own.require_symbols));
    row.set("require_numbers", flag(own.require_numbers));
    row.set("require_uppercase_characters", flag(own.require_uppercase));
    row.set("require_lowercase_characters", flag(own.require_lowercase));
    row.set("allow_users_to_change_password", flag(own.allow_users_to_change_password));
    row.set("expire_passwords", flag(own.expire_passwords));
    row.set("max_password_age", own.max_password_age);
    row.set("password_reuse_prevention", own.password_reuse_prevention);
    row.set("hard_expiry", own.hard_expiry);
}

fn contacts(row: &mut Row, known: &Known<'_>) {
    for (contact, facts) in ContactType::ALL.into_iter().zip(&known.posture.contacts) {
        let source = Source::contact(contact);
        let read = known.from(source, |_| facts.as_ref());
        let facts = read.flatten();
        let name = source.as_str();
        row.set(format!("{name}_set"), read.map(|facts| facts.is_some()));
        row.set(format!("{name}_name"), facts.map(|facts| facts.name.clone()));
        row.set(format!("{name}_title"), facts.map(|facts| facts.title.clone()));
        row.set(format!("{name}_email"), facts.map(|facts| facts.email.clone()));
    }
}

/// A list as it is shown.
fn shown(items: &[String]) -> Cell {
    format!("[{}]", items.join(", ")).into()
}
