//! The rules as they are in force: a pack, the values of its params, and what holds for some accounts or users alone.
//!
//! A run keeps its rule set, so that whoever reads the run later judges by the same one.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::params::{ParamsByCheck, ParamsByName, changed, fit};
use crate::{Exception, Override, Rule, RuleError, RulePack, RuleProblem};

/// The rules as they are in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleSet {
    rules: RulePack,
    #[serde(default)]
    params: ParamsByCheck,
    #[serde(default)]
    overrides: Vec<Override>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

impl From<RulePack> for RuleSet {
    fn from(rules: RulePack) -> Self {
        Self { rules, params: ParamsByCheck::new(), overrides: Vec::new(), exceptions: Vec::new() }
    }
}

impl RuleSet {
    /// The pack with other values for some params, everywhere.
    ///
    /// # Errors
    /// A check that the pack does not have, a param that the check does not have, or a value of another type.
    pub fn with_params(mut self, params: &ParamsByCheck) -> Result<Self, RuleError> {
        for (check, values) in fit(&self.rules, params)? {
            self.params.entry(check).or_default().extend(values);
        }
        Ok(self)
    }

    /// These overrides and exceptions in place of those it has.
    #[must_use]
    pub fn with_scoped(self, overrides: Vec<Override>, exceptions: Vec<Exception>) -> Self {
        Self { overrides, exceptions, ..self }
    }

    /// The rules of some checks, with the params that their files give them, everywhere: how a framework wants them.
    /// Exceptions stay, as they change no verdict.
    #[must_use]
    pub fn by_default(&self, is_wanted: impl Fn(&Rule) -> bool) -> Self {
        let rules = self.rules.filtered(&is_wanted);
        let exceptions = self.exceptions.iter().filter(|it| rules.rule(&it.check).is_some()).cloned().collect();
        Self { exceptions, ..Self::from(rules) }
    }

    /// Reads a rule set that [`RuleSet::to_json`] wrote.
    ///
    /// # Errors
    /// No such text.
    pub fn from_json(json: &str) -> Result<Self, RuleError> {
        let read: Result<Self, serde_json::Error> = serde_json::from_str(json);
        read.map_err(|error| RuleError::in_file("rules.json", RuleProblem::value(error.to_string())))
    }

    /// Everything in it that can show in a table, as JSON; without the rules' own cases and the names of their files.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers alone always have a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// SHA-256, in hexadecimal, over everything in it that can show in a table.
    #[must_use]
    pub fn sha256(&self) -> String {
        crate::pack::hexadecimal(&Sha256::digest(self.to_json()))
    }

    /// The rules, in order of their ids.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.rules.rules()
    }

    /// The pack.
    #[must_use]
    pub fn pack(&self) -> &RulePack {
        &self.rules
    }

    /// The params of a rule, as they are in force where no override holds.
    #[must_use]
    pub fn params_of(&self, rule: &Rule) -> ParamsByName {
        self.params.get(&rule.id).map_or_else(|| rule.params.clone(), |values| changed(&rule.params, values))
    }

    /// The overrides, in their order.
    #[must_use]
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The exceptions, in their order.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// Whether the tags of accounts decide anything.
    #[must_use]
    pub fn needs_tags(&self) -> bool {
        let scopes = self.overrides.iter().map(|it| &it.scope).chain(self.exceptions.iter().map(|it| &it.scope));
        scopes.into_iter().any(|scope| !scope.tags.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use orgsweep_core::Timestamp;

    use super::*;
    use crate::Param;
    use crate::scope::Scope;

    fn whole() -> RuleSet {
        let params = BTreeMap::from([("max_age_days".to_owned(), Param::Integer(60))]);
        let params = BTreeMap::from([("access-key-rotated".to_owned(), params)]);
        let exception = Exception {
            check: "root-mfa".to_owned(),
            scope: Scope { ous: vec!["ou-a-b".to_owned()], ..Scope::default() },
            owner: "ann".to_owned(),
            reason: "so".to_owned(),
            expires_at: Timestamp::from_millis(0),
        };
        RuleSet::from(RulePack::embedded().unwrap())
            .with_params(&params)
            .unwrap()
            .with_scoped(Vec::new(), vec![exception])
    }

    #[test]
    fn a_rule_set_reads_back_from_its_json() {
        let set = whole();
        let again = RuleSet::from_json(&set.to_json()).unwrap();
        assert_eq!((again.sha256(), again.rules().len()), (set.sha256(), set.rules().len()));
        let rule = again.pack().rule("access-key-rotated").unwrap();
        assert_eq!(again.params_of(rule)["max_age_days"], Param::Integer(60));
        assert_eq!(rule.params["max_age_days"], Param::Integer(90));
    }

    #[test]
    fn the_hash_changes_with_params_and_exceptions_and_not_with_cases() {
        let plain = RuleSet::from(RulePack::embedded().unwrap());
        assert_ne!(plain.sha256(), whole().sha256());
        assert_ne!(whole().with_scoped(Vec::new(), Vec::new()).sha256(), whole().sha256());
        assert_eq!(plain.sha256().len(), 64);
    }

    #[test]
    fn a_framework_judges_by_the_params_of_the_rule_files() {
        let standard = whole().by_default(|rule| rule.frameworks.contains_key("cis-5.0"));
        let rule = standard.pack().rule("access-key-rotated").unwrap();
        assert_eq!(standard.params_of(rule)["max_age_days"], Param::Integer(90));
        assert!(standard.rules().len() < whole().rules().len());
        assert_eq!(standard.exceptions().len(), 1);
    }
}
