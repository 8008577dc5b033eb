//! Other values for the params of rules, as settings give them.

use std::collections::BTreeMap;
use std::mem::discriminant;

use crate::error::nearest;
use crate::{Param, RuleError, RulePack, RuleProblem};

/// What errors call the place that the values come from.
const PLACE: &str = "checks.params";

impl RulePack {
    /// This pack with other values for some params, by check and param.
    ///
    /// # Errors
    /// A check that the pack does not have, a param that the check does not have, or a value of another type.
    pub fn with_params(mut self, params: &BTreeMap<String, BTreeMap<String, Param>>) -> Result<Self, RuleError> {
        for (check, values) in params {
            let ids: Vec<String> = self.rules().iter().map(|rule| rule.id.clone()).collect();
            let Some(rule) = self.rules_mut().iter_mut().find(|rule| rule.id == *check) else {
                let nearest = nearest(check, ids.iter().map(String::as_str));
                return Err(RuleError::in_file(PLACE, RuleProblem::UnknownKey { key: check.clone(), nearest }));
            };
            for (name, value) in values {
                set(&mut rule.params, name, value).map_err(|problem| RuleError::in_check(PLACE, check, problem))?;
            }
        }
        Ok(self)
    }
}

fn set(params: &mut BTreeMap<String, Param>, name: &str, value: &Param) -> Result<(), RuleProblem> {
    let nearest = nearest(name, params.keys().map(String::as_str));
    let Some(current) = params.get_mut(name) else {
        return Err(RuleProblem::UnknownKey { key: name.to_owned(), nearest });
    };
    if discriminant(current) != discriminant(value) {
        let reason = format!("param {name} cannot be {value}: its default is {current}, and its type stays");
        return Err(RuleProblem::Value { reason });
    }
    current.clone_from(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(check: &str, param: &str, value: Param, expected: Result<Param, &str>) {
        let params = BTreeMap::from([(check.to_owned(), BTreeMap::from([(param.to_owned(), value)]))]);
        let pack = RulePack::embedded().unwrap().with_params(&params).map_err(|error| error.to_string());
        let got = pack.map(|pack| pack.rule(check).unwrap().params[param].clone());
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(got), Err(expected)) => assert!(got.contains(expected), "{got}"),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_param_takes_another_value_of_its_type() {
        check("access-key-rotated", "max_age_days", Param::Integer(60), Ok(Param::Integer(60)));
        check("access-key-rotated", "max_age_days", Param::Text("x".to_owned()), Err("its type stays"));
    }

    #[test]
    fn what_no_rule_has_is_named_with_the_nearest() {
        check("access-key-rotate", "max_age_days", Param::Integer(60), Err("access-key-rotated"));
        check("access-key-rotated", "max_age_day", Param::Integer(60), Err("max_age_days"));
    }
}
