//! The root user by all that tell of it: the report's root row, the account summary, the virtual MFA devices and,
//! where there was one, the root session. What they say is brought together question by question.
//!
//! The sources tell of different moments, since AWS serves a report for up to four hours, so none outranks another:
//! an answer stands if all that answer agree. Where they contradict each other there is no answer, and the
//! contradiction is kept. So one more source can make an answer doubtful but never turn it round.

use crate::{RootAudit, Snapshot, Source};

/// What the root row of a credential report answers. `None` where the report does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RootRow {
    /// Whether there is a password.
    pub has_password: Option<bool>,
    /// Whether there is MFA.
    pub has_mfa: Option<bool>,
    /// Whether there is an access key, active or not.
    pub has_access_keys: Option<bool>,
    /// Whether there is a signing certificate, active or not.
    pub has_signing_certificates: Option<bool>,
}

/// What the sources together say to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootAnswer {
    question: &'static str,
    said: Vec<(Source, bool)>,
}

/// The answers to every question about the root user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootPosture {
    /// Whether there is MFA.
    pub mfa_enabled: RootAnswer,
    /// Whether an MFA device is a virtual one.
    pub virtual_mfa: RootAnswer,
    /// Whether there is an access key, active or not.
    pub access_keys_present: RootAnswer,
    /// Whether there is a password.
    pub password_present: RootAnswer,
    /// Whether there is a signing certificate, active or not.
    pub signing_certificates_present: RootAnswer,
}

impl RootAnswer {
    /// The sources that can answer `root_mfa_enabled`; and so on below.
    pub const MFA_ENABLED: [Source; 3] = [Source::CredentialReport, Source::AccountSummary, Source::RootMfaDevices];
    /// See [`RootAnswer::MFA_ENABLED`].
    pub const VIRTUAL_MFA: [Source; 2] = [Source::VirtualMfaDevices, Source::RootMfaDevices];
    /// See [`RootAnswer::MFA_ENABLED`].
    pub const ACCESS_KEYS: [Source; 3] = [Source::CredentialReport, Source::AccountSummary, Source::RootAccessKeys];
    /// See [`RootAnswer::MFA_ENABLED`].
    pub const PASSWORD: [Source; 3] = [Source::CredentialReport, Source::AccountSummary, Source::RootLoginProfile];
    /// See [`RootAnswer::MFA_ENABLED`].
    pub const SIGNING_CERTIFICATES: [Source; 3] =
        [Source::CredentialReport, Source::AccountSummary, Source::RootSigningCertificates];

    fn new<const N: usize>(question: &'static str, sources: [Source; N], answers: [Option<bool>; N]) -> Self {
        let said = sources.into_iter().zip(answers).filter_map(|(source, answer)| Some((source, answer?)));
        Self { question, said: said.collect() }
    }

    /// The answer that all give who give one; `None` where nobody does, or they contradict each other.
    #[must_use]
    pub fn value(&self) -> Option<bool> {
        let (_, first) = *self.said.first()?;
        self.said.iter().all(|(_, answer)| *answer == first).then_some(first)
    }

    /// Who gives the answer: the names of the sources, with commas. `None` without an answer.
    #[must_use]
    pub fn source(&self) -> Option<String> {
        let names = self.said.iter().map(|(source, _)| source.as_str());
        self.value().map(|_| names.collect::<Vec<_>>().join(", "))
    }

    /// Why there is no answer: `not said`, or `contradicted`.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match (self.value(), self.said.is_empty()) {
            (Some(_), _) => None,
            (None, true) => Some("not said"),
            (None, false) => Some("contradicted"),
        }
    }

    /// Who says what, where they contradict each other: `root_mfa_enabled: true by account_summary, false by …`.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        let contradicted = self.value().is_none() && !self.said.is_empty();
        let said = self.said.iter().map(|(source, answer)| format!("{answer} by {source}"));
        contradicted.then(|| format!("{}: {}", self.question, said.collect::<Vec<_>>().join(", ")))
    }
}

impl RootPosture {
    /// Brings together what a snapshot and its report's root row say; `None` for a report without a root row, or none.
    #[must_use]
    pub fn of(snapshot: &Snapshot, row: Option<RootRow>) -> Self {
        let row = row.unwrap_or_default();
        let summary = snapshot.summary.value().cloned().unwrap_or_default();
        let audit = &snapshot.root_audit;
        Self {
            mfa_enabled: RootAnswer::new(
                "root_mfa_enabled",
                RootAnswer::MFA_ENABLED,
                [row.has_mfa, summary.root_mfa_enabled, audit.has_mfa()],
            ),
            virtual_mfa: RootAnswer::new(
                "root_virtual_mfa",
                RootAnswer::VIRTUAL_MFA,
                [snapshot.root_virtual_mfa.value().copied(), audit.has_virtual_mfa()],
            ),
            access_keys_present: RootAnswer::new(
                "root_access_keys_present",
                RootAnswer::ACCESS_KEYS,
                [row.has_access_keys, summary.root_access_keys_present, audit.has_access_keys()],
            ),
            password_present: RootAnswer::new(
                "root_password_present",
                RootAnswer::PASSWORD,
                [row.has_password, summary.root_password_present, audit.has_password.value().copied()],
            ),
            signing_certificates_present: RootAnswer::new(
                "root_signing_certificates_present",
                RootAnswer::SIGNING_CERTIFICATES,
                [
                    row.has_signing_certificates,
                    summary.root_signing_certificates_present,
                    audit.signing_certificates.value().map(|count| *count > 0),
                ],
            ),
        }
    }

    /// Every contradiction, with semicolons; `None` where there is none.
    #[must_use]
    pub fn contradictions(&self) -> Option<String> {
        let answers = [
            &self.mfa_enabled,
            &self.virtual_mfa,
            &self.access_keys_present,
            &self.password_present,
            &self.signing_certificates_present,
        ];
        let found: Vec<_> = answers.into_iter().filter_map(RootAnswer::contradiction).collect();
        (!found.is_empty()).then(|| found.join("; "))
    }
}

impl RootAudit {
    fn has_mfa(&self) -> Option<bool> {
        self.mfa_devices.value().map(|devices| !devices.is_empty())
    }

    /// Virtual devices have ARNs with `:mfa/`; those of passkeys have `:u2f/`, and hardware tokens have no ARN.
    fn has_virtual_mfa(&self) -> Option<bool> {
        self.mfa_devices.value().map(|devices| devices.iter().any(|serial| serial.contains(":mfa/")))
    }

    fn has_access_keys(&self) -> Option<bool> {
        self.access_keys.value().map(|keys| !keys.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: [Source; 3] = RootAnswer::MFA_ENABLED;

    fn answer(answers: [Option<bool>; 3]) -> RootAnswer {
        RootAnswer::new("root_mfa_enabled", SOURCES, answers)
    }

    #[test]
    fn those_who_answer_must_agree() {
        let check = |answers, value, source: Option<&str>, reason| {
            let answer = answer(answers);
            assert_eq!((answer.value(), answer.source().as_deref(), answer.reason()), (value, source, reason));
        };
        check([None, None, None], None, None, Some("not said"));
        check([None, Some(true), None], Some(true), Some("account_summary"), None);
        check([Some(false), Some(false), None], Some(false), Some("credential_report, account_summary"), None);
        check([Some(false), Some(true), None], None, None, Some("contradicted"));
        let told = answer([Some(false), Some(true), Some(true)]).contradiction();
        let expected =
            "root_mfa_enabled: false by credential_report, true by account_summary, true by root_mfa_devices";
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn a_source_less_never_turns_an_answer_round() {
        let values = [None, Some(false), Some(true)];
        for first in values {
            for second in values {
                for third in values {
                    let all = [first, second, third];
                    for index in 0..3 {
                        let mut fewer = all;
                        fewer[index] = None;
                        let (with, without) = (answer(all).value(), answer(fewer).value());
                        assert!(with.is_none() || without.is_none() || with == without, "{all:?}");
                    }
                }
            }
        }
    }
}
