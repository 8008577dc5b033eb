//! What must have been read of an account before a check can say anything of it.

use orgsweep_core::table::Origin;
use orgsweep_core::{Source, Sources};

/// The sources that a check reads, and how it depends on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Each of these must have been read.
    pub all: Sources,
    /// Each of these must have been read where it was asked at all, and two of them must have been asked.
    pub compared: Sources,
    /// Of each of these sets, one source must have been read.
    pub any: Vec<Sources>,
}

impl Needs {
    /// The needs of whoever reads columns of these origins.
    pub(crate) fn of(origins: impl IntoIterator<Item = Origin>) -> Self {
        let mut needs = Self::default();
        for origin in origins {
            match origin {
                Origin::Plan => {}
                Origin::Source(source) => needs.all.insert(source),
                Origin::AllOf(_) => needs.compared = needs.compared.union(origin.sources()),
                Origin::AnyOf(_) if needs.any.contains(&origin.sources()) => {}
                Origin::AnyOf(_) => needs.any.push(origin.sources()),
            }
        }
        needs
    }

    /// Every source that has a part in it.
    #[must_use]
    pub fn sources(&self) -> Sources {
        self.any.iter().fold(self.all.union(self.compared), |sources, one| sources.union(*one))
    }

    /// Whether it needs this source, or may use it.
    pub(crate) fn names(&self, source: Source) -> bool {
        self.sources().contains(source)
    }

    /// Whether they are not met where these sources were asked and not read, and those were not asked at all.
    pub(crate) fn lack(&self, unread: Sources, unasked: Sources) -> bool {
        let missing = unread.union(unasked);
        let incomparable = self.compared.meets(unread) || self.lacks_two(unasked);
        self.all.meets(missing) || incomparable || self.any.iter().any(|one| one.is_within(missing))
    }

    /// Whether fewer than two sources are left to be compared: one always agrees with itself.
    fn lacks_two(&self, unasked: Sources) -> bool {
        !self.compared.is_empty() && self.compared.without(unasked).iter().nth(1).is_none()
    }

    /// The sources of which it would be told that they are missing, and which are.
    pub(crate) fn lacking(&self, unread: Sources, unasked: Sources) -> Sources {
        let missing = unread.union(unasked);
        let told = |sources: Sources| missing.without(missing.without(sources));
        let any = self.any.iter().filter(|one| one.is_within(missing)).fold(Sources::NONE, |sum, one| {
            // Of several sources that would do, those that were asked are the ones to tell of.
            let asked = told(*one).without(unasked);
            sum.union(if asked.is_empty() { told(*one) } else { asked })
        });
        let both = |sources: Sources| self.compared.without(self.compared.without(sources));
        let compared = if self.lacks_two(unasked) { both(unread.union(unasked)) } else { both(unread) };
        told(self.all).union(compared).union(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EITHER: [Source; 2] = [Source::AccountSummary, Source::RootAccessKeys];

    fn set(sources: &[Source]) -> Sources {
        sources.iter().copied().collect()
    }

    #[test]
    fn of_several_sources_that_would_do_one_is_enough() {
        let needs = Needs::of([Origin::AnyOf(&EITHER), Origin::AnyOf(&EITHER)]);
        assert_eq!(needs.any.len(), 1);
        let unasked = set(&[Source::RootAccessKeys]);
        assert!(!needs.lack(Sources::NONE, unasked));
        assert!(!needs.lack(set(&[Source::AccountSummary]), Sources::NONE));
        assert!(needs.lack(set(&[Source::AccountSummary]), unasked));
        assert_eq!(needs.lacking(set(&[Source::AccountSummary]), unasked), set(&[Source::AccountSummary]));
        assert_eq!(needs.lacking(Sources::NONE, set(&EITHER)), set(&EITHER));
    }

    #[test]
    fn a_comparison_needs_what_was_asked() {
        const THREE: [Source; 3] = [Source::CredentialReport, Source::AccountSummary, Source::RootAccessKeys];
        let needs = Needs::of([Origin::AllOf(&THREE)]);
        assert!(!needs.lack(Sources::NONE, set(&[Source::RootAccessKeys])));
        assert!(needs.lack(set(&[Source::RootAccessKeys]), Sources::NONE));
        assert_eq!(needs.lacking(set(&[Source::RootAccessKeys]), Sources::NONE), set(&[Source::RootAccessKeys]));
    }

    #[test]
    fn one_source_alone_agrees_with_nobody() {
        let needs = Needs::of([Origin::AllOf(&EITHER)]);
        let unasked = set(&[Source::RootAccessKeys]);
        assert!(!needs.lack(Sources::NONE, Sources::NONE) && needs.lack(Sources::NONE, unasked));
        assert_eq!(needs.lacking(Sources::NONE, unasked), unasked);
    }

    #[test]
    fn a_column_of_one_source_needs_it() {
        let needs = Needs::of([Origin::Plan, Origin::Source(Source::PasswordPolicy)]);
        assert!(needs.lack(set(&[Source::PasswordPolicy]), Sources::NONE));
        assert!(needs.lack(Sources::NONE, set(&[Source::PasswordPolicy])));
        assert!(!needs.lack(set(&[Source::AccountAlias]), Sources::NONE));
        assert!(needs.names(Source::PasswordPolicy) && !needs.names(Source::AccountAlias));
    }
}
