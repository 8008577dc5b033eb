//! The forms in which the same facts may come, and single rows that cannot be understood.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::fixtures::fixture;
use crate::rows::{parse, rows, users};

/// The live header.
pub(crate) const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// What stands behind the ARN in a row of a user with nothing.
const NOTHING: &str =
    "2021-05-04T10:00:00Z,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";

fn row(user: &str) -> String {
    format!("{user},arn:aws:iam::111122223333:user/{user},{NOTHING}")
}

#[test]
fn newlines_and_byte_order_marks_change_nothing() {
    let lines = fixture("shape-2026.csv");
    let expected = parse(&lines).unwrap();
    let crlf = String::from_utf8(lines.clone()).unwrap().replace('\n', "\r\n");
    let marked = [b"\xef\xbb\xbf".as_slice(), &lines].concat();
    for csv in [crlf.clone(), crlf.clone() + "\r\n", crlf + "\r"] {
        assert_eq!(parse(csv).unwrap(), expected);
    }
    assert_eq!(parse(marked).unwrap(), expected);
    for end in ["\n", "\n\n", "\n\r\n"] {
        assert_eq!(parse([&lines, end.as_bytes()].concat()).unwrap(), expected);
    }
}

#[test]
fn columns_may_come_in_any_order_and_unknown_ones_stay_out() {
    let text = String::from_utf8(fixture("shape-2026.csv")).unwrap();
    let turned: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(line, text)| {
            let extra = if line == 0 { "shoe_size" } else { "42" };
            let mut fields: Vec<&str> = text.split(',').chain([extra]).collect();
            fields.rotate_left(7);
            fields.reverse();
            fields.join(",")
        })
        .collect();
    let report = parse(turned.join("\n")).unwrap();
    assert_eq!(report.credentials, parse(&text).unwrap().credentials);
    assert_eq!(report.unknown_columns, ["shoe_size"]);
}

#[test]
fn a_header_alone_is_an_account_without_rows() {
    assert_eq!(parse(format!("{HEADER}\n")).unwrap().credentials.num_rows(), 0);
}

#[test]
fn commas_quotes_and_free_text_are_recovered_together() {
    let header = format!("{HEADER},additional_credentials_info");
    let bare = format!("a,b,arn:aws:iam::111122223333:user/p,\"q/a,b,{NOTHING},1 more key, see \"keys\"");
    let quoted =
        format!("\"a,b\",\"arn:aws:iam::111122223333:user/p,\"\"q/a,b\",{NOTHING},\"1 more key, see \"\"keys\"\"\"");
    let bare = parse(format!("{header}\n{bare}\n")).unwrap();
    assert_eq!(bare, parse(format!("{header}\n{quoted}\n")).unwrap());
    let [row] = rows(&bare.credentials).try_into().unwrap();
    assert_eq!(row.last().unwrap(), "additional_credentials_info: 1 more key, see \"keys\"");
}

#[test]
fn free_text_in_the_middle_takes_what_the_columns_around_it_leave() {
    let header = HEADER.replace(",mfa_active", ",additional_credentials_info,mfa_active");
    let line = row("a,b").replace(",N/A,false,false,N/A", ",N/A,x, y, z,false,false,N/A");
    let report = parse(format!("{header}\n{line}\n")).unwrap();
    let [row] = rows(&report.credentials).try_into().unwrap();
    assert!(row.contains(&"additional_credentials_info: x, y, z".to_owned()), "{report:?}");
}

/// Holds the reasons for which rows are set aside, and that the row of `bob` beside them is not.
fn check(header: &str, bad: &[String], expected: &Expect) {
    let report = parse(format!("{header}\n{}\n{}\n", bad.join("\n"), row("bob"))).unwrap();
    assert_eq!(users(&report), ["bob"]);
    let mut reasons = String::new();
    for (row, (text, line)) in report.quarantined.iter().zip(bad.iter().zip(2..)) {
        assert_eq!((row.line, &row.text), (line, text));
        writeln!(reasons, "{}", row.reason).unwrap();
    }
    assert_eq!(report.quarantined.len(), bad.len());
    expected.assert_eq(&reasons);
}

#[test]
fn a_value_outside_its_columns_grammar_sets_its_row_aside() {
    let change = |from: &str, to: &str| row("eve").replacen(from, to, 1);
    let bad = [
        change("eve,", ","),
        change("eve,", "e ve,"),
        change("/eve", "/steve"),
        change("arn:aws:iam::111122223333:user/eve", "N/A"),
        change("2021-05-04", "2021-02-30"),
        change("2021-05-04T10:00:00Z", "N/A"),
        change("false,N/A", "maybe,N/A"),
        change("false,N/A", ",N/A"),
        change("N/A", "never"),
        change("N/A", ""),
        change("N/A,false", "N/A,not_supported"),
        change("N/A,false,N/A,N/A", "N/A,false,N/A,\"N/A"),
        change("false,N/A,N/A,N/A,N/A", "false,N/A,N/A,north pole,N/A"),
        row("eve") + " ",
        HEADER.to_owned(),
    ];
    check(
        HEADER,
        &bad,
        &expect![[r#"
        user is "", not the name of an IAM user or <root_account>
        user is "e ve", not the name of an IAM user or <root_account>
        arn is "arn:aws:iam::111122223333:user/steve", not the ARN of the row's user
        arn is "N/A", not the ARN of the row's user
        user_creation_time is "2021-02-30T10:00:00Z", not a time like 2026-11-22T10:00:00Z
        user_creation_time is "N/A", not a time like 2026-11-22T10:00:00Z
        password_enabled is "maybe", not true, false or not_supported
        password_enabled is "", not true, false or not_supported
        password_last_used is "never", not a time like 2026-11-22T10:00:00Z, N/A, no_information or not_supported
        password_last_used is "", not a time like 2026-11-22T10:00:00Z, N/A, no_information or not_supported
        mfa_active is "not_supported", not true or false
        access_key_2_last_used_date is "\"N/A", not a time like 2026-11-22T10:00:00Z, N/A, no_information or not_supported
        access_key_1_last_used_region is "north pole", not a region or service, N/A, no_information or not_supported
        cert_2_last_rotated is "N/A ", not a time like 2026-11-22T10:00:00Z, N/A, no_information or not_supported
        arn is "arn", not the ARN of the row's user
    "#]],
    );
}

#[test]
fn a_row_whose_fields_cannot_be_told_apart_is_set_aside() {
    let bad = [
        "eve".to_owned(),
        " ".to_owned(),
        row("eve") + ",N/A",
        row("eve").replacen(",false", "", 1),
        row("eve").replacen("eve,", "\"eve,", 1),
        row("eve").replacen("eve,", "\"eve\"x,", 1),
        row("a,b").replacen("/a,b", "/a;b", 1),
    ];
    check(
        HEADER,
        &bad,
        &expect![[r"
        the number of fields is 1, where the header names 22 columns
        the number of fields is 1, where the header names 22 columns
        the number of fields is 23, where the header names 22 columns
        the number of fields is 21, where the header names 22 columns
        a quoted field is not closed, or goes on behind its closing quote
        a quoted field is not closed, or goes on behind its closing quote
        the number of fields is 23, where the header names 22 columns
    "]],
    );
}

#[test]
fn a_row_that_can_be_read_in_two_ways_is_set_aside() {
    let twice = format!("eve,arn:aws:iam::111122223333:user/eve,{NOTHING},x/eve,{NOTHING},y");
    let header = format!("{HEADER},additional_credentials_info");
    let report = parse(format!("{header}\n{twice}\n")).unwrap();
    assert_eq!(report.quarantined.len(), 1);
    expect!["the commas in it can be read in more than one way"].assert_eq(&report.quarantined[0].reason);
}

#[test]
fn stray_commas_are_not_guessed_at_where_the_header_is_in_another_order() {
    let header = HEADER.replacen("user,arn", "arn,user", 1);
    let line = format!("arn:aws:iam::111122223333:user/a,b,a,b,{NOTHING}");
    let report = parse(format!("{header}\n{line}\n")).unwrap();
    assert_eq!((report.credentials.num_rows(), report.quarantined.len()), (0, 1));
}

#[test]
fn rows_of_another_account_and_second_rows_of_a_user_are_set_aside() {
    let foreign = row("eve").replace("111122223333", "999999999999");
    let csv = format!("{HEADER}\n{}\n{foreign}\n{}\n{}", row("bob"), row("Al"), row("bob"));
    let report = parse(csv).unwrap();
    assert_eq!(users(&report), ["Al", "bob"]);
    let reasons: Vec<_> = report.quarantined.iter().map(|row| format!("{}: {}", row.line, row.reason)).collect();
    expect![[r#"
        3: arn is "arn:aws:iam::999999999999:user/eve", which is not in account 111122223333
        5: user "bob" is already on line 2"#]]
    .assert_eq(&reasons.join("\n"));
}

#[test]
fn a_second_row_of_a_user_that_is_bad_besides_is_set_aside_for_that() {
    let bad = row("bob").replace("2021-05-04T", "2021-05-04 at ");
    let report = parse(format!("{HEADER}\n{}\n{bad}\n{}", row("bob"), row("cid"))).unwrap();
    assert_eq!(users(&report), ["bob", "cid"]);
    assert!(report.quarantined[0].reason.starts_with("user_creation_time is"), "{report:?}");
    let error = parse(format!("{HEADER}\n{}\n{bad}", row("bob"))).unwrap_err();
    assert_eq!(error.code(), "ReportCutOff");
}

#[test]
fn a_row_that_is_no_text_is_set_aside_alone() {
    let csv = [HEADER.as_bytes(), b"\ne\xffve,x\n", row("bob").as_bytes(), b"\n", row("Al").as_bytes()].concat();
    let report = parse(csv).unwrap();
    assert_eq!(users(&report), ["Al", "bob"]);
    assert_eq!((report.quarantined[0].line, report.quarantined[0].text.as_str()), (2, "e\u{fffd}ve,x"));
}
