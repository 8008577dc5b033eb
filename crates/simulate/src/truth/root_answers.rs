//! What the sources together say of the root user, question by question.

use orgsweep_core::Source;
use orgsweep_sim::{MfaDevice, UserFacts};

use super::known::{Known, Report};

/// What was said to one question, by whom.
pub(super) struct Answer {
    pub(super) question: &'static str,
    said: Vec<(Source, bool)>,
}

impl Answer {
    /// What all say who say anything.
    pub(super) fn agreed(&self) -> Option<bool> {
        let (yes, no) = (self.said.iter().any(|it| it.1), self.said.iter().any(|it| !it.1));
        (yes != no).then_some(yes)
    }

    /// Who says so.
    pub(super) fn sources(&self) -> Option<String> {
        let names: Vec<_> = self.said.iter().map(|(source, _)| source.as_str()).collect();
        self.agreed().map(|_| names.join(", "))
    }

    /// Why there is no answer.
    pub(super) fn reason(&self) -> Option<&'static str> {
        let why = if self.said.is_empty() { "not said" } else { "contradicted" };
        self.agreed().is_none().then_some(why)
    }

    /// Who says what, where they do not say the same.
    pub(super) fn contradiction(&self) -> Option<String> {
        let said: Vec<_> = self.said.iter().map(|(source, answer)| format!("{answer} by {source}")).collect();
        (self.reason() == Some("contradicted")).then(|| format!("{}: {}", self.question, said.join(", ")))
    }
}

/// Every question, in the order of the table.
pub(super) struct Answers {
    pub(super) mfa: Answer,
    pub(super) virtual_mfa: Answer,
    pub(super) keys: Answer,
    pub(super) password: Answer,
    pub(super) certificates: Answer,
}

impl Answers {
    pub(super) fn of(known: &Known<'_>) -> Self {
        let report = known.report.as_ref();
        let (row, now, posture) = (report.and_then(Report::root), known.root.as_ref(), known.posture.root);
        let is_earlier = report.is_some_and(|report| report.is_earlier);
        let question = |question, said: [(Source, Option<bool>); 3]| {
            let read = said.into_iter().filter(|(source, _)| known.has_read(*source));
            Answer { question, said: read.filter_map(|(source, fact)| Some((source, fact?))).collect() }
        };
        // In the report, in the summary, and in the root session, which has a source for each question.
        let of_all = |name, in_report, in_summary, (source, in_session): (Source, fn(&UserFacts) -> bool)| {
            let said = [
                (Source::CredentialReport, in_report),
                (Source::AccountSummary, in_summary),
                (source, now.map(in_session)),
            ];
            question(name, said)
        };
        let said_password = posture.password_is_said.then_some(posture.has_password);
        Self {
            mfa: of_all(
                "root_mfa_enabled",
                row.map(|row| row.has_mfa_in_report(is_earlier)),
                Some(posture.has_mfa),
                (Source::RootMfaDevices, has_mfa),
            ),
            virtual_mfa: question(
                "root_virtual_mfa",
                [
                    (Source::VirtualMfaDevices, Some(posture.has_virtual_mfa)),
                    (Source::RootMfaDevices, now.map(|root| root.mfa == Some(MfaDevice::Virtual))),
                    (Source::CredentialReport, None),
                ],
            ),
            keys: of_all(
                "root_access_keys_present",
                row.map(has_key),
                Some(posture.has_access_key),
                (Source::RootAccessKeys, has_key),
            ),
            password: of_all(
                "root_password_present",
                row.map(has_password),
                said_password,
                (Source::RootLoginProfile, has_password),
            ),
            certificates: of_all(
                "root_signing_certificates_present",
                row.map(has_certificate),
                Some(posture.has_certificate),
                (Source::RootSigningCertificates, has_certificate),
            ),
        }
    }

    pub(super) fn all(&self) -> [&Answer; 5] {
        [&self.mfa, &self.virtual_mfa, &self.keys, &self.password, &self.certificates]
    }

    pub(super) fn contradictions(&self) -> Vec<String> {
        self.all().into_iter().filter_map(Answer::contradiction).collect()
    }
}

fn has_mfa(root: &UserFacts) -> bool {
    root.mfa.is_some()
}

fn has_password(root: &UserFacts) -> bool {
    root.password_enabled
}

fn has_key(root: &UserFacts) -> bool {
    root.keys.iter().any(Option::is_some)
}

fn has_certificate(root: &UserFacts) -> bool {
    root.certificates.iter().any(Option::is_some)
}
