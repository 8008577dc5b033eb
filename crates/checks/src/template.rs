//! Texts with placeholders: messages, remediations and commands that name the values they are about.
//!
//! `{column}` is the value as text, `{column:days}` the whole days from a point in time to `as_of`, `{column:date}`
//! its day, `{column:bracketed}` is ` (value)`, or nothing for null, `{column|otherwise}` says what stands there for
//! null, `{param}` is a parameter. `{column:at_least param}` and `{column:at_most param}` are the stricter of two whole
//! numbers. `{if predicate}…{else}…{end}` says one thing or the other, row by row. `{{` is a brace.

use arrow_schema::DataType;
use orgsweep_core::Timestamp;

use crate::params::ParamsByName;
use crate::parse::unknown_column;
use crate::planning::PredicateCompiler;
use crate::predicate::Predicate;
use crate::{Param, Rule, RuleProblem};

/// A text with placeholders for the columns of one table.
#[derive(Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    as_of: Timestamp,
}

/// A part of a template.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(String),
    Cell { column: usize, form: Form, otherwise: Option<String> },
    Choice { when: Predicate, then: Vec<Piece>, otherwise: Vec<Piece> },
}

/// How a value is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Days,
    Date,
    Bracketed,
    AtLeast(i64),
    AtMost(i64),
}

impl Template {
    /// Reads `text`, which stands under the key `place` of `rule`, with these values of the rule's parameters.
    pub(crate) fn compile(
        compiler: &PredicateCompiler,
        (rule, params): (&Rule, &ParamsByName),
        place: &'static str,
        text: &str,
    ) -> Result<Self, RuleProblem> {
        let mut reader = Reader { compiler, rule, params, place, text, rest: text };
        match reader.pieces()? {
            (pieces, None) => Ok(Self { pieces, as_of: compiler.as_of() }),
            (_, Some(closing)) => Err(reader.refused(&format!("{{{closing}}} has no {{if …}} before it"))),
        }
    }

    /// What it is made of.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The moment that days are counted to.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.as_of
    }
}

/// Reads a text from its beginning to its end.
struct Reader<'a> {
    compiler: &'a PredicateCompiler,
    rule: &'a Rule,
    params: &'a ParamsByName,
    place: &'static str,
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The pieces up to the `else` or `end` that is told, or to the end of the text.
    fn pieces(&mut self) -> Result<(Vec<Piece>, Option<&'static str>), RuleProblem> {
        let mut pieces = Vec::new();
        while let Some((before, after)) = self.rest.split_once(['{', '}']) {
            pieces.push(Piece::Text(before.to_owned()));
            let brace = if self.rest.as_bytes().get(before.len()) == Some(&b'{') { "{" } else { "}" };
            if let Some(behind) = after.strip_prefix(brace) {
                pieces.push(Piece::Text(brace.to_owned()));
                self.rest = behind;
                continue;
            }
            let (true, Some((inside, behind))) = (brace == "{", after.split_once('}')) else {
                return Err(
                    self.refused(&format!("a brace stands alone in {:?}; write it twice to mean itself", self.text))
                );
            };
            self.rest = behind;
            match inside {
                "else" => return Ok((pieces, Some("else"))),
                "end" => return Ok((pieces, Some("end"))),
                inside => pieces.push(match inside.strip_prefix("if ") {
                    Some(predicate) => self.choice(predicate)?,
                    None => self.placeholder(inside)?,
                }),
            }
        }
        pieces.push(Piece::Text(self.rest.to_owned()));
        Ok((pieces, None))
    }

    fn choice(&mut self, predicate: &str) -> Result<Piece, RuleProblem> {
        let read = self.compiler.read(self.rule, self.place, predicate)?;
        let when = self.compiler.compile(self.rule, self.place, read, self.params)?;
        let (then, closing) = self.pieces()?;
        let (otherwise, closing) = match closing {
            Some("else") => self.pieces()?,
            closing => (Vec::new(), closing),
        };
        match closing {
            Some("end") => Ok(Piece::Choice { when, then, otherwise }),
            _ => Err(self.refused(&format!("{{if {predicate}}} has no {{end}}"))),
        }
    }

    /// What stands between braces: `name`, `name:form`, `name|otherwise` or `name:form|otherwise`.
    fn placeholder(&self, inside: &'a str) -> Result<Piece, RuleProblem> {
        let (head, otherwise) = match inside.split_once('|') {
            Some((head, otherwise)) => (head, Some(otherwise.to_owned())),
            None => (inside, None),
        };
        let (name, form) = head.split_once(':').unwrap_or((head, ""));
        if let Some(param) = self.params.get(name) {
            return Ok(Piece::Text(param.to_string()));
        }
        let columns = &self.rule.table.table().columns;
        let found = columns.iter().enumerate().find(|(_, column)| column.name == name);
        let (index, column) = found.ok_or_else(|| unknown_column(self.place, self.rule, name))?;
        let form = self.form(inside, form)?;
        let (fits, wanted) = match form {
            Form::Plain | Form::Bracketed => (true, ""),
            Form::Days | Form::Date => (matches!(column.data_type, DataType::Timestamp(..)), "points in time"),
            Form::AtLeast(_) | Form::AtMost(_) => {
                (matches!(column.data_type, DataType::Int32 | DataType::Int64), "whole numbers")
            }
        };
        if !fits {
            return Err(self.refused(&format!("{{{inside}}} has a form for {wanted}, and column {name} holds none")));
        }
        Ok(Piece::Cell { column: index, form, otherwise })
    }

    fn form(&self, inside: &str, form: &str) -> Result<Form, RuleProblem> {
        match form.split_once(' ') {
            None if form.is_empty() => Ok(Form::Plain),
            None if form == "days" => Ok(Form::Days),
            None if form == "date" => Ok(Form::Date),
            None if form == "bracketed" => Ok(Form::Bracketed),
            Some(("at_least", param)) => Ok(Form::AtLeast(self.limit(inside, param)?)),
            Some(("at_most", param)) => Ok(Form::AtMost(self.limit(inside, param)?)),
            _ => Err(self.refused(&format!(
                "{{{inside}}} has the form {form:?}; known are days, date, bracketed, at_least PARAM and at_most PARAM"
            ))),
        }
    }

    fn limit(&self, inside: &str, param: &str) -> Result<i64, RuleProblem> {
        match self.params.get(param) {
            Some(Param::Integer(limit)) => Ok(*limit),
            _ => Err(self.refused(&format!("{{{inside}}} names {param:?}, which is no param that is a whole number"))),
        }
    }

    fn refused(&self, reason: &str) -> RuleProblem {
        RuleProblem::value(format!("{}: {reason}", self.place))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Organization, as_of, rule};
    use crate::rendering::Rendering;

    fn check(template: &str, expected: &Expect) {
        let mut rule = rule("credentials", "mfa_active");
        rule.params.insert("max_days".to_owned(), Param::Integer(90));
        let users = "[[account]]\nusers = [{ user = \"ci\", password_last_used = \"-412d-5h\" }]";
        let rows = Organization::read(users).credentials;
        rule.params.insert("name".to_owned(), Param::Text("x".to_owned()));
        let compiler = PredicateCompiler::new(as_of());
        let text = match Template::compile(&compiler, (&rule, &rule.params), "message", template) {
            Ok(template) => Rendering::of(&template, &rows, None).at(0),
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
                r#"error: message: {password_last_used:weeks} has the form "weeks"; known are days, date, bracketed, at_least PARAM and at_most PARAM"#
            ]],
        );
        check("{user", &expect![[r#"error: message: a brace stands alone in "{user"; write it twice to mean itself"#]]);
        check("user}", &expect![[r#"error: message: a brace stands alone in "user}"; write it twice to mean itself"#]]);
    }

    #[test]
    fn a_form_on_a_column_that_cannot_have_it_is_an_error() {
        check(
            "{user:days}",
            &expect!["error: message: {user:days} has a form for points in time, and column user holds none"],
        );
        check(
            "{mfa_active:date}",
            &expect![
                "error: message: {mfa_active:date} has a form for points in time, and column mfa_active holds none"
            ],
        );
        check(
            "{user:at_least max_days}",
            &expect![
                "error: message: {user:at_least max_days} has a form for whole numbers, and column user holds none"
            ],
        );
        check(
            "{user:at_least name}",
            &expect![[
                r#"error: message: {user:at_least name} names "name", which is no param that is a whole number"#
            ]],
        );
    }

    #[test]
    fn a_choice_says_one_thing_or_the_other_and_else_where_nothing_holds() {
        check("{if \"user\" = 'ci'}yes{else}no{end}.", &expect!["yes."]);
        check("{if is_root}yes{else}no{end}.", &expect!["no."]);
        check("{if mfa_active is null}yes{end}.", &expect!["."]);
        check("{if password_last_changed < days_ago(max_days)}yes{else}no{end}.", &expect!["no."]);
        check("{if not is_root}a {if is_root}b{else}c {user}{end} d{end}.", &expect!["a c ci d."]);
    }

    #[test]
    fn a_choice_that_is_none_is_an_error() {
        check(
            "{if is_rot}yes{end}",
            &expect![[r#"error: message: table credentials has no column "is_rot"; did you mean "is_root"?"#]],
        );
        check("{if is_root}yes", &expect!["error: message: {if is_root} has no {end}"]);
        check("{if is_root}yes{else}no{else}no{end}", &expect!["error: message: {if is_root} has no {end}"]);
        check("yes{end}", &expect!["error: message: {end} has no {if …} before it"]);
    }

    #[test]
    fn of_two_numbers_the_stricter_one_is_said() {
        let mut rule = rule("accounts", "password_policy_set");
        rule.params.insert("wanted".to_owned(), Param::Integer(14));
        rule.params.insert("none".to_owned(), Param::Integer(0));
        let compiler = PredicateCompiler::new(as_of());
        let check = |cell: &str, template: &str, expected: &str| {
            let rows = Organization::read(&format!("[[account]]\nrow = {{ {cell} }}")).accounts;
            let template = Template::compile(&compiler, (&rule, &rule.params), "command", template).unwrap();
            assert_eq!(Rendering::of(&template, &rows, None).at(0), expected);
        };
        for (age, least, most) in [
            ("max_password_age = 8", "14", "8"),
            ("max_password_age = 20", "20", "14"),
            ("", "14", "14"),
            ("max_password_age = 0", "14", "14"),
        ] {
            check(age, "{max_password_age:at_least wanted}", least);
            check(age, "{max_password_age:at_most wanted}", most);
        }
        check("max_password_age = 20", "{max_password_age:at_most none}", "20");
        check("", "{max_password_age:at_most none|no}", "no");
        check("", "{max_password_age:at_least wanted|20}", "20");
        check("", "{max_password_age:at_least wanted|8}", "14");
    }
}
