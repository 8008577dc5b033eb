//! Rule packs: rules by id, each once, and the hash that names them.

use sha2::{Digest, Sha256};

use crate::parse::parse_file;
use crate::{Rule, RuleError, RuleProblem};

/// The rule files that orgsweep comes with. Each has its own line here; nothing else lists them.
const EMBEDDED: [(&str, &str); 5] = [
    ("config/checks/contacts.toml", include_str!("../../../config/checks/contacts.toml")),
    ("config/checks/keys.toml", include_str!("../../../config/checks/keys.toml")),
    ("config/checks/password-policy.toml", include_str!("../../../config/checks/password-policy.toml")),
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
#[derive(Debug, Clone, PartialEq)]
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
    /// No TOML, an unknown or missing key, a value that cannot be, an unknown evidence column, an id twice.
    pub fn parse(files: Vec<RuleFile>) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for file in files {
            rules.extend(parse_file(&file)?);
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

    pub(crate) fn rules_mut(&mut self) -> &mut [Rule] {
        &mut self.rules
    }

    /// The rule of this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// SHA-256, in hexadecimal, over everything in the rules that can show in a table. File names, comments, layout
    /// and cases do not count.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for rule in &self.rules {
            absorb_rule(&mut hash, rule);
        }
        hexadecimal(&hash.finalize())
    }
}

/// Feeds one rule to the hash. Texts go in with their length, so that no two rules read the same.
fn absorb_rule(hash: &mut Sha256, rule: &Rule) {
    absorb(hash, &rule.id);
    absorb(hash, &rule.title);
    absorb(hash, rule.table.table().name);
    absorb(hash, if rule.resource == crate::Resource::Root { "root" } else { "account" });
    absorb(hash, rule.severity.as_str());
    absorb_all(hash, rule.applies_when.iter());
    absorb(hash, &rule.fails_when);
    let params = rule.params.iter().map(|(name, value)| format!("{name} = {value:?}"));
    absorb_all(hash, params.collect::<Vec<_>>().iter());
    absorb_all(hash, rule.evidence.iter());
    for (framework, controls) in &rule.frameworks {
        absorb(hash, framework);
        absorb_all(hash, controls.iter());
    }
    absorb_all(hash, rule.message.iter());
    absorb(hash, &rule.remediation);
    absorb_all(hash, rule.pass_note.iter().flat_map(|note| [&note.when, &note.text]));
}

fn absorb(hash: &mut Sha256, text: &str) {
    hash.update(text.len().to_string());
    hash.update(":");
    hash.update(text);
}

fn absorb_all<'a>(hash: &mut Sha256, texts: impl Iterator<Item = &'a String>) {
    let texts: Vec<&String> = texts.collect();
    hash.update(format!("[{}]", texts.len()));
    for text in texts {
        absorb(hash, text);
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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
        assert_eq!(one.sha256(), other.sha256());
        assert_eq!(one.sha256().len(), 64);
    }

    #[test]
    fn the_hash_changes_with_the_rule_and_not_with_comments_or_cases() {
        assert_ne!(pack("a", "A").sha256(), pack("a", "B").sha256());
        let mut with_case = pack("a", "A");
        with_case.rules[0].file = "elsewhere.toml".to_owned();
        assert_eq!(with_case.sha256(), pack("a", "A").sha256());
    }

    #[test]
    fn two_rules_of_one_id_are_an_error_that_names_both_files() {
        let mut other = pack("a", "A");
        other.rules[0].file = "mine.toml".to_owned();
        let error = pack("a", "A").merge(other).unwrap_err();
        assert_eq!(error.to_string(), "mine.toml: check a: another check in a.toml has the same id; ids are unique");
    }
}
