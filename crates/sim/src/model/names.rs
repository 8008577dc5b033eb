//! Names: of accounts, users and contacts. All made up.

use std::fmt::Write as _;

use crate::random::Draw;

const TEAMS: [&str; 40] = [
    "payments",
    "checkout",
    "orders",
    "catalog",
    "search",
    "pricing",
    "loyalty",
    "identity",
    "billing",
    "ledger",
    "fraud",
    "risk",
    "claims",
    "lending",
    "treasury",
    "reporting",
    "analytics",
    "datalake",
    "streaming",
    "media",
    "mobile",
    "web",
    "partner",
    "shipping",
    "returns",
    "inventory",
    "supply",
    "fleet",
    "support",
    "crm",
    "marketing",
    "messaging",
    "hr",
    "legal",
    "observability",
    "build",
    "registry",
    "gateway",
    "edge",
    "research",
];

const FIRST: [&str; 40] = [
    "ana", "ben", "carla", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas", "kaya", "leo", "mara", "nils",
    "olga", "pavel", "quinn", "rosa", "samir", "tara", "umar", "vera", "wim", "xenia", "yusuf", "zoe", "anton",
    "bianca", "cyrus", "dora", "emil", "fatima", "goran", "hanna", "ivo", "judit", "kofi", "lena", "milan", "noor",
];

const LAST: [&str; 40] = [
    "silva", "okafor", "novak", "tanaka", "meyer", "haddad", "larsen", "rossi", "kowalski", "duarte", "fischer",
    "ibrahim", "jansen", "keller", "lopez", "moreau", "nagy", "olsen", "petrov", "quist", "ramos", "schulz", "toth",
    "ueda", "varga", "weber", "yilmaz", "zeman", "adeyemi", "bauer", "costa", "dubois", "eriksen", "farkas", "gruber",
    "horvat", "ivanova", "kimura", "lang", "mensah",
];

const SERVICES: [&str; 24] = [
    "deploy",
    "backup",
    "terraform",
    "jenkins",
    "gitlab",
    "metrics",
    "logs",
    "mailer",
    "billing",
    "export",
    "import",
    "sync",
    "scanner",
    "registry",
    "cache",
    "etl",
    "airflow",
    "spark",
    "crawler",
    "cdn",
    "dns",
    "vpn",
    "audit",
    "webhook",
];

const TASKS: [&str; 24] = [
    "bot",
    "runner",
    "agent",
    "writer",
    "reader",
    "prod",
    "stage",
    "nightly",
    "legacy",
    "upload",
    "publish",
    "s3",
    "ses",
    "push",
    "pull",
    "worker",
    "cron",
    "job",
    "svc",
    "api",
    "edge",
    "core",
    "tmp",
    "migration",
];

/// Steps through the pairs of two lists that share no factor with their number, so that every pair comes once.
const STEPS: [usize; 6] = [631, 757, 941, 389, 1039, 269];

/// The name of the member account with this index; no two members share one.
pub(super) fn account_name(index: u32, offset: u64, stage: &str) -> String {
    let teams = u64::try_from(TEAMS.len()).unwrap_or(1);
    let place = u64::from(index.saturating_sub(1));
    // 17 shares no factor with 40, so that each round of 40 accounts has every team once.
    let team = usize::try_from((place * 17 + offset) % teams).ok().and_then(|team| TEAMS.get(team));
    format!("{}-{stage}-{:02}", team.copied().unwrap_or_default(), place / teams + 1)
}

/// How an account names its users: users of different ordinals never share a name, whatever their case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Naming {
    offset: usize,
    step: usize,
}

/// The ways in which people's names are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// `ana.silva`
    #[default]
    Plain,
    /// `Ana.Silva`
    Capital,
    /// `ana.silva@example.com`
    Mail,
    /// `silva,ana`
    Comma,
    /// `ana.silva,contractor`
    CommaAfter,
    /// `=ana.silva`, which a spreadsheet takes for a formula.
    Formula,
}

impl Naming {
    pub(super) fn new(draw: &mut Draw) -> Self {
        let offset = usize::try_from(draw.below(10_000)).unwrap_or_default();
        Self { offset, step: draw.pick(&STEPS).max(1) }
    }

    /// The name of a person: all have a dot or a comma in them.
    pub(super) fn person(self, ordinal: u32, style: Style) -> String {
        let (first, last, round) = self.pair(ordinal, &FIRST, &LAST);
        let again = if round == 0 { String::new() } else { (round + 1).to_string() };
        match style {
            Style::Plain => format!("{first}.{last}{again}"),
            Style::Capital => format!("{}.{}{again}", capital(first), capital(last)),
            Style::Mail => format!("{first}.{last}{again}@example.com"),
            Style::Comma => format!("{last},{first}{again}"),
            Style::CommaAfter => format!("{first}.{last}{again},contractor"),
            Style::Formula => format!("={first}.{last}{again}"),
        }
    }

    /// The name of a service: all have a dash and neither dot nor comma.
    pub(super) fn service(self, ordinal: u32) -> String {
        let (service, task, round) = self.pair(ordinal, &SERVICES, &TASKS);
        let mut name = format!("{service}-{task}");
        if round > 0 {
            // Writing to a string cannot fail.
            let _ = write!(name, "-{}", round + 1);
        }
        name
    }

    fn pair(self, ordinal: u32, left: &[&'static str], right: &[&'static str]) -> (&'static str, &'static str, usize) {
        let pairs = left.len() * right.len();
        let ordinal = usize::try_from(ordinal).unwrap_or_default();
        let place = (self.offset + ordinal % pairs * self.step) % pairs;
        let at = |list: &[&'static str], place: usize| list.get(place).copied().unwrap_or_default();
        (at(left, place % left.len()), at(right, place / left.len()), ordinal / pairs)
    }
}

/// The names and titles of contacts, some of them beyond ASCII.
pub(super) const CONTACT_NAMES: [&str; 8] = [
    "Zoë Müller",
    "Security Operations",
    "Tara O'Neil",
    "Joß & Partners",
    "Cloud Desk",
    "Aiko 田中",
    "Noor Haddad",
    "Finance Team",
];

/// See [`CONTACT_NAMES`].
pub(super) const CONTACT_TITLES: [&str; 6] =
    ["CISO", "Head of Platform", "Duty officer", "Controller", "Engineer on call", "Director, \"Cloud\""];

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::random::Topic;

    #[test]
    fn no_two_users_of_an_account_share_a_name() {
        for account in 0..20 {
            let naming = Naming::new(&mut Draw::new(7, Topic::Naming, account, 0));
            let mut names = HashSet::new();
            for ordinal in 0..5000 {
                for name in [naming.person(ordinal, Style::Plain), naming.service(ordinal)] {
                    assert!(name.len() <= 64 && names.insert(name.to_lowercase()), "{name}");
                }
            }
        }
    }

    #[test]
    fn names_have_only_the_characters_that_iam_allows() {
        let naming = Naming::new(&mut Draw::new(7, Topic::Naming, 0, 0));
        let styles = [Style::Capital, Style::Mail, Style::Comma, Style::CommaAfter, Style::Formula];
        for name in styles.map(|style| naming.person(1700, style)) {
            assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)), "{name}");
        }
    }

    #[test]
    fn no_two_members_share_a_name() {
        let names: HashSet<String> = (1..5000).map(|index| account_name(index, 3, "prod")).collect();
        assert_eq!(names.len(), 4999);
        assert!(names.contains("payments-prod-07"));
    }
}
