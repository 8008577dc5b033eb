//! Frameworks: the controls that standards ask for, as far as they concern what orgsweep reads. Which check covers which
//! control is said by the rules.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{nearest, suggestion};
use crate::parse::{line_at, one_line};
use crate::{Rule, RuleError, RuleProblem, Severity};

/// The framework files that orgsweep comes with, in the order in which they are listed.
const EMBEDDED: [(&str, &str); 12] = [
    ("config/frameworks/cis-1.2.toml", include_str!("../../../config/frameworks/cis-1.2.toml")),
    ("config/frameworks/cis-1.4.toml", include_str!("../../../config/frameworks/cis-1.4.toml")),
    ("config/frameworks/cis-1.5.toml", include_str!("../../../config/frameworks/cis-1.5.toml")),
    ("config/frameworks/cis-2.0.toml", include_str!("../../../config/frameworks/cis-2.0.toml")),
    ("config/frameworks/cis-3.0.toml", include_str!("../../../config/frameworks/cis-3.0.toml")),
    ("config/frameworks/cis-4.0.toml", include_str!("../../../config/frameworks/cis-4.0.toml")),
    ("config/frameworks/cis-5.0.toml", include_str!("../../../config/frameworks/cis-5.0.toml")),
    ("config/frameworks/cis-6.0.toml", include_str!("../../../config/frameworks/cis-6.0.toml")),
    ("config/frameworks/cis-7.0.toml", include_str!("../../../config/frameworks/cis-7.0.toml")),
    ("config/frameworks/fsbp.toml", include_str!("../../../config/frameworks/fsbp.toml")),
    ("config/frameworks/nist-800-53r5.toml", include_str!("../../../config/frameworks/nist-800-53r5.toml")),
    ("config/frameworks/pci-dss-4.0.1.toml", include_str!("../../../config/frameworks/pci-dss-4.0.1.toml")),
];

/// A standard, as far as it concerns what orgsweep reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// What rules call it: `cis-5.0`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Which part of it is listed.
    pub scope: String,
    /// Where it is published.
    pub source: String,
    /// What a pass leaves open, where a control asks for more than an account can show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
    /// The controls, in their order.
    #[serde(rename = "control")]
    pub controls: Vec<Control>,
}

/// One control of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its id, which is a text even where it looks like a number.
    pub id: String,
    /// What should hold, in our own words.
    pub title: String,
    /// The profile level of a CIS benchmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Security Hub's severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether a Security Hub control is part of the FSBP standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fsbp: Option<bool>,
    /// Why orgsweep cannot decide it; `None` where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
}

/// A framework that orgsweep does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no framework {id:?}{}; there are {}", suggestion(nearest.as_deref()), known.join(", "))]
pub struct UnknownFramework {
    /// The id.
    pub id: String,
    /// The one nearest to it.
    pub nearest: Option<String>,
    /// Those there are.
    pub known: Vec<String>,
}

impl Framework {
    /// Every framework that orgsweep comes with.
    ///
    /// # Errors
    /// One of its files is broken, which the tests rule out.
    pub fn embedded() -> Result<Vec<Self>, RuleError> {
        EMBEDDED.into_iter().map(|(name, text)| Self::parse(name, text)).collect()
    }

    /// The framework of this id among those there are.
    ///
    /// # Errors
    /// There is none.
    pub fn find(all: Vec<Self>, id: &str) -> Result<Self, UnknownFramework> {
        let known: Vec<String> = all.iter().map(|framework| framework.id.clone()).collect();
        all.into_iter().find(|framework| framework.id == id).ok_or_else(|| UnknownFramework {
            id: id.to_owned(),
            nearest: nearest(id, known.iter().map(String::as_str)),
            known,
        })
    }

    /// Holds the controls that a rule names against those there are. A framework that orgsweep does not have is the
    /// user's own, with whatever controls its rules name.
    pub(crate) fn hold(all: &[Self], rule: &Rule) -> Result<(), RuleProblem> {
        for (id, controls) in &rule.frameworks {
            let framework = all.iter().find(|framework| framework.id == *id);
            if framework.is_none() && !is_framework_id(id) {
                let near = suggestion(nearest(&id.to_lowercase(), all.iter().map(|it| it.id.as_str())).as_deref());
                let reason = format!("{id:?} is no id of a framework, like cis-5.0 or our-house{near}");
                return Err(RuleProblem::value(reason));
            }
            if controls.is_empty() {
                return Err(RuleProblem::value(format!("frameworks.{id} names no control")));
            }
            let mut seen = BTreeSet::new();
            for control in controls {
                if !seen.insert(control) {
                    return Err(RuleProblem::value(format!("frameworks.{id} names {control:?} twice")));
                }
                framework.map_or_else(|| hold_own(id, control), |framework| framework.hold_control(control))?;
            }
        }
        Ok(())
    }

    fn hold_control(&self, control: &str) -> Result<(), RuleProblem> {
        let known = || self.controls.iter().map(|known| known.id.as_str());
        if known().any(|known| known == control) {
            return Ok(());
        }
        let near = nearest(control, known());
        Err(RuleProblem::UnknownControl { framework: self.id.clone(), control: control.to_owned(), nearest: near })
    }

    fn parse(name: &str, text: &str) -> Result<Self, RuleError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            RuleError::in_file(name, RuleProblem::Syntax { line, reason: one_line(error.message()) })
        })
    }

    /// The checks that cover each control, in the order of the controls; undecided ones have none.
    #[must_use]
    pub fn checks_by_control<'a>(&self, rules: &'a [Rule]) -> Vec<(&Control, Vec<&'a Rule>)> {
        let mut checks: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for rule in rules {
            for control in rule.frameworks.get(&self.id).into_iter().flatten() {
                checks.entry(control).or_default().push(rule);
            }
        }
        let of = |control: &Control| checks.get(control.id.as_str()).cloned().unwrap_or_default();
        self.controls.iter().map(|control| (control, of(control))).collect()
    }
}

/// Whether a text can name a framework: words of small letters, digits and dots, joined by dashes.
fn is_framework_id(id: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.';
    id.split('-').all(|word| !word.is_empty() && word.bytes().all(is_letter))
}

/// A control of a framework that only its user knows.
fn hold_own(framework: &str, control: &str) -> Result<(), RuleProblem> {
    if !control.is_empty() && control.trim() == control {
        return Ok(());
    }
    Err(RuleProblem::value(format!("frameworks.{framework} names {control:?}: blanks around an id are none of it")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RulePack;

    #[test]
    fn every_control_is_listed_once_and_is_decided_by_a_check_or_says_why_not() {
        let pack = RulePack::embedded().unwrap();
        for framework in Framework::embedded().unwrap() {
            let ids: BTreeSet<&str> = framework.controls.iter().map(|control| control.id.as_str()).collect();
            assert_eq!(ids.len(), framework.controls.len(), "{}", framework.id);
            for (control, checks) in framework.checks_by_control(pack.rules()) {
                assert_ne!(control.undecided.is_some(), !checks.is_empty(), "{} {}", framework.id, control.id);
            }
        }
    }

    #[test]
    fn rules_name_frameworks_and_controls_that_there_are() {
        let frameworks = Framework::embedded().unwrap();
        for rule in RulePack::embedded().unwrap().rules() {
            for (framework, controls) in &rule.frameworks {
                let known = frameworks.iter().find(|known| known.id == *framework).unwrap();
                for control in controls {
                    let known = known.controls.iter().any(|known| known.id == *control);
                    assert!(known, "{}: {framework} {control}", rule.id);
                }
            }
        }
    }

    #[test]
    fn an_unknown_framework_is_answered_with_those_there_are() {
        let told = Framework::find(Framework::embedded().unwrap(), "cis-5").unwrap_err().to_string();
        let expected = "there is no framework \"cis-5\"; did you mean \"cis-5.0\"?; there are cis-1.2, cis-1.4,";
        assert!(told.starts_with(expected), "{told}");
    }
}
