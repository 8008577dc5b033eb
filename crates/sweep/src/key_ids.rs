//! The ids of access keys, which no credential report has: `ListAccessKeys` for each user whose row shows a key.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use orgsweep_cloud::{ApiError, Session};
use orgsweep_core::{Call, KeyIds};

use crate::session::OpenAccount;

/// The columns that show a key: an active one, or one that has a date.
const KEY_COLUMNS: [(&str, &str); 2] =
    [("access_key_1_active", "access_key_1_last_rotated"), ("access_key_2_active", "access_key_2_last_rotated")];

/// Asks for the keys of the report's users, for as many users as `most`, first in the order of their names.
///
/// # Errors
/// The first call that is not answered; what was answered before counts for nothing then.
pub(crate) async fn collect_key_ids(
    account: &OpenAccount<'_>,
    report: &RecordBatch,
    most: usize,
) -> Result<KeyIds, ApiError> {
    let cloud = account.cloud();
    let mut key_ids = KeyIds::default();
    for user in users_with_keys(report).into_iter().take(most) {
        let name = &user;
        let ask = |session: Session| async move { cloud.access_keys(&session, name).await };
        let keys = account.ask(Call::ListAccessKeys, "", ask).await?;
        key_ids.by_user.insert(user, keys);
    }
    Ok(key_ids)
}

/// The IAM users of a report who have a key, active or not, in order of their names.
fn users_with_keys(report: &RecordBatch) -> Vec<String> {
    let column = |name: &str| report.column_by_name(name);
    let Some(users) = column("user").and_then(|users| users.as_string_opt::<i32>()) else { return Vec::new() };
    let is_root = |row: usize| {
        let flags = column("is_root").and_then(|flags| flags.as_boolean_opt());
        flags.is_some_and(|flags| flags.value(row))
    };
    let has_key = |row: usize| {
        KEY_COLUMNS.iter().any(|(active, dated)| {
            let active = column(active).and_then(|flags| flags.as_boolean_opt());
            let is_active = active.is_some_and(|flags| flags.is_valid(row) && flags.value(row));
            is_active || column(dated).is_some_and(|times| times.is_valid(row))
        })
    };
    let rows = (0..report.num_rows()).filter(|row| !is_root(*row) && has_key(*row));
    let mut names: Vec<_> = rows.map(|row| users.value(row).to_owned()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{AccountId, Timestamp};
    use orgsweep_report::{Origin, parse_report};

    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
        password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
        access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
        access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
        cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

    #[test]
    fn users_with_a_key_active_or_not_are_asked_in_order_of_their_names() {
        let id = AccountId::from_number(1);
        let time = "2026-01-01T00:00:00Z";
        let row = |user: &str, first: &str, second: &str| {
            let arn = if user.starts_with('<') { "root".to_owned() } else { format!("user/{user}") };
            format!(
                "\n{user},arn:aws:iam::{id}:{arn},{time},false,N/A,N/A,N/A,false,{first},N/A,N/A,N/A,{second},N/A,N/A,N/A,false,N/A,false,N/A"
            )
        };
        let (none, active, inactive) = ("false,N/A", format!("true,{time}"), format!("false,{time}"));
        let csv = [
            HEADER.to_owned(),
            row("<root_account>", &active, none),
            row("zoe", none, &inactive),
            row("ann", &active, none),
            row("bob", none, none),
        ]
        .concat();
        let origin = Origin { account_id: id, account_name: None, generated_at: Timestamp::from_millis(0) };
        let report = parse_report(csv.as_bytes(), &origin).unwrap().credentials;
        assert_eq!(report.num_rows(), 4);
        assert_eq!(users_with_keys(&report), ["ann", "zoe"]);
    }
}
