//! Other values for the params of rules, as settings, overrides and cases give them.

use std::collections::BTreeMap;
use std::mem::discriminant;

use crate::error::nearest;
use crate::{Param, RuleError, RulePack, RuleProblem};

/// What errors call the place that the values come from.
const PLACE: &str = "checks.params";

/// Values of params, by name.
pub type ParamsByName = BTreeMap<String, Param>;

/// Values of params, by check and name.
pub type ParamsByCheck = BTreeMap<String, ParamsByName>;

/// These values, each in the type of its param.
///
/// # Errors
/// A check that the pack does not have, a param that the check does not have, or a value of another type.
pub(crate) fn fit(pack: &RulePack, params: &ParamsByCheck) -> Result<ParamsByCheck, RuleError> {
    let mut fitted = ParamsByCheck::new();
    for (check, values) in params {
        let Some(rule) = pack.rule(check) else {
            let near = nearest(check, pack.rules().iter().map(|rule| rule.id.as_str()));
            return Err(RuleError::in_file(PLACE, RuleProblem::UnknownCheck { check: check.clone(), nearest: near }));
        };
        let values = fit_values(&rule.params, values).map_err(|problem| RuleError::in_check(PLACE, check, problem))?;
        fitted.insert(check.clone(), values);
    }
    Ok(fitted)
}

/// These values for params of one rule, each in the type of its param.
pub(crate) fn fit_values(params: &ParamsByName, values: &ParamsByName) -> Result<ParamsByName, RuleProblem> {
    let mut changed = params.clone();
    for (name, value) in values {
        set(&mut changed, name, value)?;
    }
    changed.retain(|name, _| values.contains_key(name));
    Ok(changed)
}

/// These params with some of them changed.
pub(crate) fn changed(params: &ParamsByName, by: &ParamsByName) -> ParamsByName {
    params.iter().chain(by).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Refuses numbers below 0: params count days, characters and the like, and a negative one turns a check around.
pub(crate) fn hold_number(name: &str, value: &Param) -> Result<(), RuleProblem> {
    match value {
        Param::Integer(number) if *number < 0 => {
            Err(RuleProblem::value(format!("param {name} cannot be {number}: 0 or more is expected")))
        }
        _ => Ok(()),
    }
}

/// Gives one param another value of its type. A text for a list is divided at its commas: command lines know no lists.
pub(crate) fn set(params: &mut ParamsByName, name: &str, value: &Param) -> Result<(), RuleProblem> {
    let nearest = nearest(name, params.keys().map(String::as_str));
    let Some(current) = params.get_mut(name) else {
        return Err(RuleProblem::UnknownKey { key: name.to_owned(), nearest });
    };
    if let (Param::List(items), Param::Text(text)) = (&mut *current, value) {
        if text.trim_start().starts_with('[') {
            let reason = format!("param {name} cannot be {text}: a list is written a,b or [\"a\", \"b\"]");
            return Err(RuleProblem::Value { reason });
        }
        let given = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        *items = given.map(str::to_owned).collect();
        return Ok(());
    }
    if discriminant(current) != discriminant(value) {
        let reason = format!("param {name} cannot be {value}: its default is {current}, and its type stays");
        return Err(RuleProblem::Value { reason });
    }
    hold_number(name, value)?;
    current.clone_from(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(check: &str, param: &str, value: Param, expected: Result<(), &str>) {
        let params = BTreeMap::from([(check.to_owned(), BTreeMap::from([(param.to_owned(), value)]))]);
        let got = fit(&RulePack::embedded().unwrap(), &params).map(drop).map_err(|error| error.to_string());
        match (got, expected) {
            (Ok(()), Ok(())) => {}
            (Err(got), Err(expected)) => assert!(got.contains(expected), "{got}"),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_param_takes_another_value_of_its_type() {
        check("access-key-rotated", "max_age_days", Param::Integer(60), Ok(()));
        check("access-key-rotated", "max_age_days", Param::Text("x".to_owned()), Err("its type stays"));
    }

    #[test]
    fn a_number_below_0_is_refused() {
        check("access-key-rotated", "max_age_days", Param::Integer(0), Ok(()));
        check(
            "access-key-rotated",
            "max_age_days",
            Param::Integer(-5),
            Err("param max_age_days cannot be -5: 0 or more is expected"),
        );
    }

    #[test]
    fn a_list_of_something_else_is_refused_and_told_how_lists_are_written() {
        check(
            "access-key-region",
            "allowed_regions",
            Param::Text("[1,2]".to_owned()),
            Err("param allowed_regions cannot be [1,2]: a list is written a,b or [\"a\", \"b\"]"),
        );
    }

    #[test]
    fn a_list_may_be_given_as_a_text_with_commas() {
        let list = ParamsByName::from([("regions".to_owned(), Param::List(Vec::new()))]);
        let given = ParamsByName::from([("regions".to_owned(), Param::Text("eu-west-1, us-east-1,".to_owned()))]);
        let fitted = fit_values(&list, &given).unwrap();
        assert_eq!(fitted["regions"], Param::List(vec!["eu-west-1".to_owned(), "us-east-1".to_owned()]));
    }

    #[test]
    fn what_no_rule_has_is_named_with_the_nearest() {
        check("access-key-rotate", "max_age_days", Param::Integer(60), Err("access-key-rotated"));
        check("access-key-rotated", "max_age_day", Param::Integer(60), Err("max_age_days"));
    }
}
