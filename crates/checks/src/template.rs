//! Texts with placeholders: messages and remediations that name the values they are about.
//!
//! `{column}` is the value as text, `{column:days}` the whole days from a point in time to `as_of`, `{column:date}`
//! its day, `{column:bracketed}` is ` (value)`, or nothing for null, `{column|otherwise}` says what stands there for
//! null, `{param}` is a parameter. `{{` is a brace.

use arrow_array::{Array, RecordBatch};
use orgsweep_core::Timestamp;

use crate::cell::{text_at, time_at};
use crate::params::ParamsByName;
use crate::parse::unknown_column;
use crate::planning::DAY_MILLIS;
use crate::{Rule, RuleProblem};

/// A text with placeholders for the columns of one table.
#[derive(Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    as_of: Timestamp,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Cell { column: usize, form: Form, otherwise: Option<String> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Days,
    Date,
    Bracketed,
}

impl Template {
    /// Reads `text`, which stands under the key `place` of `rule`, with these values of the rule's parameters.
    pub(crate) fn compile(
        (rule, params): (&Rule, &ParamsByName),
        place: &str,
        text: &str,
        as_of: Timestamp,
    ) -> Result<Self, RuleProblem> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(['{', '}']) {
            pieces.push(Piece::Text(before.to_owned()));
            let brace = &rest[before.len()..=before.len()];
            if let Some(behind) = after.strip_prefix(brace) {
                pieces.push(Piece::Text(brace.to_owned()));
                rest = behind;
            } else if let (true, Some((inside, behind))) = (brace == "{", after.split_once('}')) {
                pieces.push(placeholder((rule, params), place, inside)?);
                rest = behind;
            } else {
                let reason = format!("{place}: a brace stands alone in {text:?}; write it twice to mean itself");
                return Err(RuleProblem::value(reason));
            }
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self { pieces, as_of })
    }

    /// The text about one row.
    pub(crate) fn render(&self, batch: &RecordBatch, row: usize) -> String {
        self.pieces.iter().fold(String::new(), |mut text, piece| {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Cell { column, form, otherwise } => {
                    let value = self.cell(batch.column(*column), row, *form);
                    text.push_str(value.as_deref().or(otherwise.as_deref()).unwrap_or("null"));
                }
            }
            text
        })
    }

    fn cell(&self, column: &dyn Array, row: usize, form: Form) -> Option<String> {
        match form {
            Form::Plain => text_at(column, row),
            Form::Bracketed => Some(text_at(column, row).map_or_else(String::new, |text| format!(" ({text})"))),
            Form::Date => time_at(column, row).map(Timestamp::date),
            Form::Days => {
                let age = |time: Timestamp| self.as_of.millis().saturating_sub(time.millis()).div_euclid(DAY_MILLIS);
                time_at(column, row).map(|time| age(time).to_string())
            }
        }
    }
}

/// What stands between braces: `name`, `name:form`, `name|otherwise` or `name:form|otherwise`.
fn placeholder((rule, params): (&Rule, &ParamsByName), place: &str, inside: &str) -> Result<Piece, RuleProblem> {
    let (head, otherwise) = match inside.split_once('|') {
        Some((head, otherwise)) => (head, Some(otherwise.to_owned())),
        None => (inside, None),
    };
    let (name, form) = head.split_once(':').unwrap_or((head, ""));
    if let Some(param) = params.get(name) {
        return Ok(Piece::Text(param.to_string()));
    }
    let columns = &rule.table.table().columns;
    let Some(column) = columns.iter().position(|column| column.name == name) else {
        return Err(unknown_column(place, rule, name));
    };
    let form = match form {
        "" => Form::Plain,
        "days" => Form::Days,
        "date" => Form::Date,
        "bracketed" => Form::Bracketed,
        _ => {
            let reason = format!("{place}: {{{inside}}} has the form {form:?}; known are days, date and bracketed");
            return Err(RuleProblem::value(reason));
        }
    };
    Ok(Piece::Cell { column, form, otherwise })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::Param;
    use crate::fixture::{Organization, as_of, rule};

    fn check(template: &str, expected: &Expect) {
        let mut rule = rule("credentials", "mfa_active");
        rule.params.insert("max_days".to_owned(), Param::Integer(90));
        let users = "[[account]]\nusers = [{ user = \"ci\", password_last_used = \"-412d-5h\" }]";
        let rows = Organization::read(users).credentials;
        let text = match Template::compile((&rule, &rule.params), "message", template, as_of()) {
            Ok(template) => template.render(&rows, 0),
            Err(problem) => format!("error: {problem}"),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn a_placeholder_gives_the_value_of_its_column_or_parameter() {
        check("{user} after {max_days} days", &expect!["ci after 90 days"]);
        check(
            "{password_last_used}, {password_last_used:days} days, {password_last_used:date}",
            &expect!["2025-10-06T05:00:00Z, 412 days, 2025-10-06"],
        );
        check("{mfa_active}, {{braces}}", &expect!["false, {braces}"]);
    }

    #[test]
    fn null_is_said_as_the_template_says() {
        check("changed {password_last_changed:date|never}, {password_last_changed}", &expect!["changed never, null"]);
        check("key{access_key_1_id:bracketed} of{user:bracketed}", &expect!["key of (ci)"]);
    }

    #[test]
    fn a_placeholder_of_nothing_is_an_error() {
        check("{usr}", &expect![[r#"error: message: table credentials has no column "usr"; did you mean "user"?"#]]);
        check(
            "{password_last_used:weeks}",
            &expect![[
                r#"error: message: {password_last_used:weeks} has the form "weeks"; known are days, date and bracketed"#
            ]],
        );
        check("{user", &expect![[r#"error: message: a brace stands alone in "{user"; write it twice to mean itself"#]]);
        check("user}", &expect![[r#"error: message: a brace stands alone in "user}"; write it twice to mean itself"#]]);
    }
}
