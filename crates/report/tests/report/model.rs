//! Any report that the grammar allows, generated with what it means, parses to what it means.

use orgsweep_core::Timestamp;
use orgsweep_report::Parser;
use proptest::prelude::*;

use crate::forms::HEADER;
use crate::rows::{ACCOUNT, Row, check_both_ways, origin, parse, rows};

/// The column that live reports lack.
const INFO: &str = "additional_credentials_info";

/// How a report writes its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// As they are, commas and all.
    Never,
    /// Where RFC 4180 asks for it.
    Needed,
    /// Always.
    Always,
}

/// A report: for each row the fields in the order of the header, and what they mean.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<(Vec<String>, Row)>,
}

impl Report {
    /// Brings the columns into another order.
    pub(crate) fn reorder(&mut self, order: &[usize]) {
        self.columns = order.iter().map(|index| self.columns[*index]).collect();
        for (fields, _) in &mut self.rows {
            *fields = order.iter().map(|index| fields[*index].clone()).collect();
        }
    }

    /// Adds users like those that are there, until there are so many times as many.
    fn multiply(&mut self, times: usize) {
        let users: Vec<_> = self.rows.iter().filter(|(fields, _)| fields[0] != "<root_account>").cloned().collect();
        for round in 1..times {
            self.rows.extend(users.iter().filter(|(fields, _)| fields[0].len() < 60).map(|(fields, meaning)| {
                let (mut fields, mut meaning) = (fields.clone(), meaning.clone());
                let user = format!("{}{round}", fields[0]);
                let arn = format!("{}{user}", fields[1].strip_suffix(fields[0].as_str()).unwrap());
                (meaning[0], meaning[1]) = (format!("user: {user}"), format!("arn: {arn}"));
                (fields[0], fields[1]) = (user, arn);
                (fields, meaning)
            }));
        }
        self.sort();
    }

    /// Brings the rows into AWS's order, and leaves each user only once.
    fn sort(&mut self) {
        self.rows.sort_by(|left, right| left.0[0].to_lowercase().cmp(&right.0[0].to_lowercase()));
        self.rows.dedup_by(|left, right| left.0[0].eq_ignore_ascii_case(&right.0[0]));
    }

    /// Adds a column that nobody knows, the same text in every row.
    fn add_unknown(&mut self, name: &'static str, text: &str) {
        self.columns.push(name);
        self.rows.iter_mut().for_each(|(fields, _)| fields.push(text.to_owned()));
    }

    /// The columns that nobody knows.
    pub(crate) fn unknown(&self) -> Vec<&'static str> {
        let is_known = |column: &&str| HEADER.split(',').any(|name| name == *column) || *column == INFO;
        self.columns.iter().copied().filter(|column| !is_known(column)).collect()
    }

    /// The report as CSV.
    pub(crate) fn write(&self, quoting: Quoting, newline: &str) -> String {
        let header = self.columns.iter().map(|column| write_field(column, quoting)).collect::<Vec<_>>().join(",");
        let lines = self
            .rows
            .iter()
            .map(|(fields, _)| fields.iter().map(|field| write_field(field, quoting)).collect::<Vec<_>>().join(","));
        [header].into_iter().chain(lines).collect::<Vec<_>>().join(newline)
    }

    /// What the report means, in table order.
    pub(crate) fn meaning(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.rows.iter().map(|(_, row)| row.clone()).collect();
        rows.sort_by(|left, right| left[0].cmp(&right[0]));
        rows
    }
}

fn write_field(field: &str, quoting: Quoting) -> String {
    match quoting {
        Quoting::Never => field.to_owned(),
        Quoting::Needed if !field.contains([',', '"']) => field.to_owned(),
        Quoting::Needed | Quoting::Always => format!("\"{}\"", field.replace('"', "\"\"")),
    }
}

/// A field as the report has it, and the cells that it becomes.
type Field = (String, Vec<String>);

fn absence() -> BoxedStrategy<&'static str> {
    prop::sample::select(vec!["N/A", "no_information", "not_supported"]).boxed()
}

fn time(column: &'static str) -> BoxedStrategy<Field> {
    let seconds = prop_oneof![9 => 1_420_000_000_i64..1_800_000_000, 1 => -2_000_000_000_i64..9_000_000_000];
    let time = (seconds, any::<bool>()).prop_map(move |(seconds, is_old_form)| {
        let text = Timestamp::from_millis(seconds * 1000).to_string();
        let written = if is_old_form { text.replace('Z', "+00:00") } else { text.clone() };
        (written, vec![format!("{column}: {text}")])
    });
    time.boxed()
}

fn flag(column: &'static str) -> BoxedStrategy<Field> {
    let written = prop::sample::select(vec!["true", "false", "TRUE", "FALSE", "True", "False"]);
    written.prop_map(move |text| (text.to_owned(), vec![format!("{column}: {}", text.to_lowercase())])).boxed()
}

fn or_absent(column: &'static str, present: BoxedStrategy<Field>, has_reason: bool) -> BoxedStrategy<Field> {
    let absent = absence().prop_map(move |word| {
        let reason = has_reason.then(|| format!("{column}_reason: {word}"));
        (word.to_owned(), reason.into_iter().collect())
    });
    prop_oneof![present, absent].boxed()
}

fn word(column: &'static str) -> BoxedStrategy<Field> {
    let present = "[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,6}){0,3}";
    present.prop_map(move |text| (text.clone(), vec![format!("{column}: {text}")])).boxed()
}

fn free_text(column: &'static str) -> BoxedStrategy<Field> {
    // Text that starts with a quote and is not quoted cannot be told from text that is.
    let text = "|N/A|[!#-~][ -~äß漢]{0,40}";
    let field = text.prop_map(move |text| {
        let is_absent =
            text.is_empty() || ["n/a", "no_information", "not_supported"].contains(&text.to_lowercase().as_str());
        let cells = (!is_absent).then(|| format!("{column}: {text}"));
        (text, cells.into_iter().collect())
    });
    field.boxed()
}

fn field(column: &'static str) -> BoxedStrategy<Field> {
    match column {
        "password_enabled" => or_absent(column, flag(column), true),
        "user_creation_time" => time(column),
        INFO => free_text(column),
        _ if column.ends_with("_active") => flag(column),
        _ if column.ends_with("_region") || column.ends_with("_service") => or_absent(column, word(column), false),
        _ => or_absent(column, time(column), true),
    }
}

/// Users and ARNs, every legal character among them.
fn identity() -> BoxedStrategy<[String; 2]> {
    let path = prop_oneof![2 => Just(String::new()), 1 => "([a-z]{1,5}/){1,3}", 2 => "[!-~]{0,80}/"];
    let user = prop_oneof![
        5 => "[A-Za-z0-9_+=,.@-]{1,64}",
        5 => "[A-Ca-c,]{1,3}",
        1 => Just("x,arn".to_owned()),
    ];
    let user = (user, path, prop::sample::select(vec!["aws", "aws-cn", "aws-us-gov"]));
    let user = user.prop_map(|(user, path, partition)| {
        let arn = format!("arn:{partition}:iam::{ACCOUNT}:user/{path}{user}");
        [user, arn]
    });
    let root = Just(["<root_account>".to_owned(), format!("arn:aws:iam::{ACCOUNT}:root")]);
    prop_oneof![12 => user, 1 => root].boxed()
}

/// Reports of any length, with columns that nobody knows, in any order of columns that leaves the first two in place.
pub(crate) fn wide_report() -> BoxedStrategy<Report> {
    let unknown = prop::collection::vec(free_text("unknown"), 0..3);
    let order = Just((2..26).collect::<Vec<usize>>()).prop_shuffle();
    (report(), 1_usize..30, unknown, prop_oneof![Just(None), order.prop_map(Some)])
        .prop_map(|(mut report, times, unknown, order)| {
            report.multiply(times);
            for ((text, _), name) in unknown.into_iter().zip(["shoe_size", "cost_center", "additional"]) {
                report.add_unknown(name, &text.replace([',', '"'], ";"));
            }
            if let Some(order) = order {
                let count = report.columns.len();
                let order: Vec<usize> = [0, 1].into_iter().chain(order).filter(|index| *index < count).collect();
                report.reorder(&order);
            }
            report
        })
        .boxed()
}

/// Reports with or without the 23rd column, each user once.
pub(crate) fn report() -> BoxedStrategy<Report> {
    any::<bool>()
        .prop_flat_map(|with_info| {
            let mut columns: Vec<&'static str> = HEADER.split(',').collect();
            columns.extend(with_info.then_some(INFO));
            let values: Vec<_> = columns.iter().skip(2).map(|column| field(column)).collect();
            let row = (identity(), values).prop_map(|([user, arn], values)| {
                let is_root = user == "<root_account>";
                let mut meaning = vec![format!("user: {user}"), format!("arn: {arn}"), format!("is_root: {is_root}")];
                let mut fields = vec![user, arn];
                for (field, cells) in values {
                    fields.push(field);
                    meaning.extend(cells);
                }
                (fields, meaning)
            });
            let columns = Just(columns);
            (columns, prop::collection::vec(row, 0..12)).prop_map(|(columns, rows)| {
                let mut report = Report { columns, rows };
                report.sort();
                report
            })
        })
        .boxed()
}

fn check(report: &Report, csv: &str) -> Result<(), TestCaseError> {
    let parsed = parse(csv).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&parsed.quarantined, &vec![]);
    prop_assert_eq!(rows(&parsed.credentials), report.meaning());
    prop_assert_eq!(parsed.unknown_columns, report.unknown());
    check_both_ways(csv);
    Ok(())
}

proptest! {
    #[test]
    fn any_report_parses_to_what_it_means(
        report in report(),
        quoting in prop::sample::select(vec![Quoting::Never, Quoting::Needed, Quoting::Always]),
        newline in prop::sample::select(vec!["\n", "\r\n"]),
        is_ended in any::<bool>(),
        is_marked in any::<bool>(),
    ) {
        let mark = if is_marked { "\u{feff}" } else { "" };
        let end = if is_ended || report.rows.is_empty() { newline } else { "" };
        check(&report, &format!("{mark}{}{end}", report.write(quoting, newline)))?;
    }

    #[test]
    fn any_report_with_quotes_may_have_its_columns_in_any_order(
        mut report in report(),
        order in Just((0..23).collect::<Vec<usize>>()).prop_shuffle(),
        quoting in prop::sample::select(vec![Quoting::Needed, Quoting::Always]),
    ) {
        let order: Vec<usize> = order.into_iter().filter(|index| *index < report.columns.len()).collect();
        report.reorder(&order);
        check(&report, &(report.write(quoting, "\n") + "\n"))?;
    }
}

proptest! {
    // Long reports take long to make.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_long_report_with_unknown_columns_parses_to_what_it_means(
        report in wide_report(),
        quoting in prop::sample::select(vec![Quoting::Needed, Quoting::Always]),
        newline in prop::sample::select(vec!["\n", "\r\n"]),
        is_ended in any::<bool>(),
    ) {
        let end = if is_ended || report.rows.is_empty() { newline } else { "" };
        check(&report, &format!("{}{end}", report.write(quoting, newline)))?;
    }

    #[test]
    fn what_a_parser_read_before_changes_nothing(
        reports in prop::collection::vec((wide_report(), any::<bool>(), any::<bool>()), 1..4),
    ) {
        let mut parser = Parser::new();
        let mut expected = Vec::new();
        for (report, is_quoted, is_broken) in &reports {
            let quoting = if *is_quoted { Quoting::Always } else { Quoting::Needed };
            let csv = report.write(quoting, "\n") + if *is_broken { "\nbroken" } else { "\n" };
            let before = parser.rows();
            match (parser.read(csv.as_bytes(), &origin(ACCOUNT)), parse(&csv)) {
                (Ok(read), Ok(parsed)) => {
                    prop_assert_eq!(read.rows, parsed.credentials.num_rows());
                    prop_assert_eq!(parser.rows(), before + read.rows);
                    prop_assert_eq!((read.quarantined, read.unknown_columns), (parsed.quarantined, parsed.unknown_columns));
                    expected.extend(rows(&parsed.credentials));
                }
                (Err(read), Err(parsed)) => {
                    prop_assert_eq!(parser.rows(), before);
                    prop_assert_eq!(read.to_string(), parsed.to_string());
                }
                (read, parsed) => prop_assert!(false, "{:?} {:?}", read, parsed),
            }
        }
        prop_assert_eq!(rows(&parser.finish().unwrap()), expected);
        prop_assert_eq!(parser.rows(), 0);
    }
}
