//! The credential report as AWS writes it: CSV with 22 columns, LF, no newline at the end, the root user first.

use orgsweep_core::Timestamp;

use crate::calendar::push_time;
use crate::model::{CertificateFacts, KeyFacts, Model, Moment, UserFacts};
use crate::random::{Draw, Topic};

/// The header of the report, as it was seen in September 2026.
pub const REPORT_HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,\
access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// A generous guess at a row, in bytes.
const ROW_BYTES: usize = 400;

/// Appends the credential report that was made at this time of the account with this index. What happened since a
/// report was made does not stand in it.
///
/// How AWS writes a name with a comma in it is not known, so half of the accounts quote such names by RFC 4180 and the
/// other half write them as they are.
pub fn write_report(model: &Model, index: u32, made_at: Timestamp, out: &mut Vec<u8>) {
    let is_earlier = model.earlier_report(index) == Some(made_at);
    let mut users = model.users(index);
    users.retain(|user| is_earlier || user.is_there());
    let is_quoted = Draw::new(model.seed(), Topic::Report, index, 1).below(2) == 0;
    out.reserve(REPORT_HEADER.len() + users.len() * ROW_BYTES);
    out.extend_from_slice(REPORT_HEADER.as_bytes());
    for user in &users {
        out.push(b'\n');
        push_row(out, user, is_quoted, user.has_mfa_in_report(is_earlier));
    }
}

fn push_row(out: &mut Vec<u8>, user: &UserFacts, is_quoted: bool, has_mfa: bool) {
    push_text(out, &user.name, is_quoted);
    out.push(b',');
    push_text(out, &user.arn, is_quoted);
    out.push(b',');
    push_time(out, user.created_at);
    push_flag(out, user.password_enabled);
    for moment in [user.password_last_used, user.password_last_changed, user.password_next_rotation] {
        push_moment(out, moment);
    }
    push_flag(out, has_mfa);
    for key in &user.keys {
        push_key(out, key.as_ref());
    }
    for certificate in &user.certificates {
        push_certificate(out, certificate.as_ref());
    }
}

fn push_text(out: &mut Vec<u8>, text: &str, is_quoted: bool) {
    if !is_quoted || !text.contains([',', '"']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn push_flag(out: &mut Vec<u8>, flag: bool) {
    out.extend_from_slice(if flag { b",true" } else { b",false" });
}

fn push_moment(out: &mut Vec<u8>, moment: Moment) {
    out.push(b',');
    match moment {
        Moment::At(time) => push_time(out, time),
        Moment::NotApplicable | Moment::NoInformation | Moment::NotSupported => {
            out.extend_from_slice(moment.reason().unwrap_or_default().as_bytes());
        }
    }
}

fn push_key(out: &mut Vec<u8>, key: Option<&KeyFacts>) {
    let Some(key) = key else {
        out.extend_from_slice(b",false,N/A,N/A,N/A,N/A");
        return;
    };
    push_flag(out, key.active);
    push_moment(out, Moment::At(key.last_rotated));
    let Some(last_use) = &key.last_use else {
        out.extend_from_slice(b",N/A,N/A,N/A");
        return;
    };
    push_moment(out, Moment::At(last_use.date));
    for word in [last_use.region.as_deref().unwrap_or("N/A"), last_use.service] {
        out.push(b',');
        out.extend_from_slice(word.as_bytes());
    }
}

fn push_certificate(out: &mut Vec<u8>, certificate: Option<&CertificateFacts>) {
    match certificate {
        Some(certificate) => {
            push_flag(out, certificate.active);
            push_moment(out, Moment::At(certificate.last_rotated));
        }
        None => out.extend_from_slice(b",false,N/A"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimSettings;

    fn report(model: &Model, index: u32) -> String {
        let mut out = Vec::new();
        let made_at = model.earlier_report(index).unwrap_or(model.now());
        write_report(model, index, made_at, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_report_has_22_columns_the_root_user_first_and_no_newline_at_the_end() {
        let model = Model::new(&SimSettings::default());
        assert_eq!(REPORT_HEADER.split(',').count(), 22);
        for index in 0..50 {
            let text = report(&model, index);
            let lines: Vec<&str> = text.split('\n').collect();
            assert_eq!((lines[0], lines.len()), (REPORT_HEADER, 27));
            assert!(lines[1].starts_with("<root_account>,arn:aws:iam::"), "{}", lines[1]);
            assert!(!text.contains('\r') && !text.ends_with('\n'));
            for line in lines[1..].iter().filter(|line| !line.contains('"') && !line.contains(",y/")) {
                let commas_in_name = line.split(",arn:").next().unwrap().matches(',').count();
                assert_eq!(line.matches(',').count(), 21 + 2 * commas_in_name, "{line}");
            }
        }
    }

    #[test]
    fn what_happened_since_an_earlier_report_stands_only_in_a_later_one() {
        let settings = SimSettings { accounts: 3000, users_per_account: 3, ..SimSettings::default() };
        let model = Model::new(&settings);
        let (mut deleted, mut with_mfa) = (0, 0);
        for index in 0..=3000 {
            let Some(change) = model.users(index).into_iter().find(|user| user.since_report.is_some()) else {
                continue;
            };
            let earlier = report(&model, index);
            let mut later = Vec::new();
            write_report(&model, index, model.now(), &mut later);
            let later = String::from_utf8(later).unwrap();
            if change.is_there() {
                assert!(change.is_root && earlier.lines().count() == later.lines().count() && earlier != later);
                with_mfa += 1;
            } else {
                assert_eq!(earlier.lines().count(), later.lines().count() + 1);
                deleted += 1;
            }
        }
        assert!(deleted > 0 && with_mfa > 0, "{deleted} {with_mfa}");
    }

    #[test]
    fn commas_come_quoted_from_some_accounts_and_bare_from_others() {
        let model = Model::new(&SimSettings::default());
        let lines: Vec<String> = (0..300)
            .flat_map(|index| report(&model, index).lines().map(str::to_owned).collect::<Vec<_>>())
            .filter(|line| line.contains("@example.com,contractor") || line.contains(",contractor"))
            .collect();
        assert!(lines.iter().any(|line| line.starts_with('"')));
        assert!(lines.iter().any(|line| !line.starts_with('"')));
    }

    #[test]
    fn a_row_tells_an_inactive_key_from_none() {
        let time = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let key = KeyFacts { active: false, last_rotated: time, last_use: None };
        let mut out = Vec::new();
        push_key(&mut out, Some(&key));
        push_key(&mut out, None);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, ",false,2026-01-01T00:00:00Z,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A");
    }
}
