//! Rule packs: rules by id, each once.

use serde::{Deserialize, Serialize};

use crate::parse::parse_file;
use crate::{Framework, Rule, RuleError, RuleProblem};

/// The rule files that orgsweep comes with. Each has its own line here; nothing else lists them.
const EMBEDDED: [(&str, &str); 7] = [
    ("config/checks/account.toml", include_str!("../../../config/checks/account.toml")),
    ("config/checks/contacts.toml", include_str!("../../../config/checks/contacts.toml")),
    ("config/checks/keys.toml", include_str!("../../../config/checks/keys.toml")),
    ("config/checks/password-policy.toml", include_str!("../../../config/checks/password-policy.toml")),
    ("config/checks/report.toml", include_str!("../../../config/checks/report.toml")),
    ("config/checks/root.toml", include_str!("../../../config/checks/root.toml")),
    ("config/checks/users.toml", include_str!("../../../config/checks/users.toml")),
];

/// A rule file, already read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// What errors call it: its path.
    pub name: String,
    /// The TOML.
    pub text: String,
}

/// Rules in order of their ids, each id once, in whatever order their files came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulePack {
    rules: Vec<Rule>,
}

impl RulePack {
    /// The rules that orgsweep comes with.
    ///
    /// # Errors
    /// One of its files is broken, which the tests rule out.
    pub fn embedded() -> Result<Self, RuleError> {
        let file = |(name, text): (&str, &str)| RuleFile { name: name.to_owned(), text: text.to_owned() };
        Self::parse(EMBEDDED.into_iter().map(file).collect())
    }

    /// Reads rule files. Predicates are looked at when the pack is compiled.
    ///
    /// # Errors
    /// No TOML, no check, an unknown or missing key, a value that cannot be, an unknown evidence column or control, an id
    /// twice.
    pub fn parse(files: Vec<RuleFile>) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for file in files {
            rules.extend(parse_file(&file)?);
        }
        let frameworks = Framework::embedded()?;
        for rule in &rules {
            let held = Framework::hold(&frameworks, rule);
            held.map_err(|problem| RuleError::in_check(&rule.file, &rule.id, problem))?;
        }
        Self::new(rules)
    }

    /// This pack and another together.
    ///
    /// # Errors
    /// Both have a rule of the same id.
    pub fn merge(self, other: Self) -> Result<Self, RuleError> {
        Self::new([self.rules, other.rules].concat())
    }

    fn new(mut rules: Vec<Rule>) -> Result<Self, RuleError> {
        rules.sort_by(|left, right| left.id.cmp(&right.id));
        for pair in rules.windows(2) {
            if let [first, second] = pair
                && first.id == second.id
            {
                let problem = RuleProblem::DuplicateId { other: first.file.clone() };
                return Err(RuleError::in_check(&second.file, &second.id, problem));
            }
        }
        Ok(Self { rules })
    }

    /// The rules, in order of their ids.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that are wanted.
    pub(crate) fn filtered(&self, is_wanted: impl Fn(&Rule) -> bool) -> Self {
        Self { rules: self.rules.iter().filter(|rule| is_wanted(rule)).cloned().collect() }
    }

    /// The rule of this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hexadecimal(bytes, &mut text);
    text
}

/// Writes each byte as two digits.
pub(crate) fn push_hexadecimal(bytes: &[u8], text: &mut String) {
    let digit = |value: u8| char::from(value + if value < 10 { b'0' } else { b'a' - 10 });
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(id: &str, title: &str) -> RulePack {
        let text = format!(
            "# A comment\n[[check]]\nid = \"{id}\"\ntitle = \"{title}\"\ntable = \"accounts\"\nseverity = \"low\"\n\
             fails_when = \"root_mfa_enabled\"\nevidence = []\nremediation = \"None.\"\n"
        );
        RulePack::parse(vec![RuleFile { name: format!("{id}.toml"), text }]).unwrap()
    }

    #[test]
    fn a_pack_is_the_same_in_whatever_order_its_files_came() {
        let one = pack("a", "A").merge(pack("b", "B")).unwrap();
        let other = pack("b", "B").merge(pack("a", "A")).unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn two_rules_of_one_id_are_an_error_that_names_both_files() {
        let mut other = pack("a", "A");
        other.rules[0].file = "mine.toml".to_owned();
        let error = pack("a", "A").merge(other).unwrap_err();
        assert_eq!(error.to_string(), "mine.toml: check a: another check in a.toml has the same id; ids are unique");
    }
}
