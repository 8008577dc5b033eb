//! What the sources together say of the root user, question by question.

use orgsweep_core::Source;
use orgsweep_sim::MfaDevice;

use super::known::Known;

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
        let row = report.and_then(|report| report.root());
        let row_mfa = row.map(|root| root.has_mfa_in_report(report.is_some_and(|report| report.is_earlier)));
        let now = known.root.as_ref();
        let summary = |fact: bool| Some(fact).filter(|_| known.has_read(Source::AccountSummary));
        let posture = known.posture.root;
        let answer = |question, said: [(Source, Option<bool>); 3]| Answer {
            question,
            said: said
                .into_iter()
                .filter_map(|(source, fact)| Some((source, fact.filter(|_| known.has_read(source))?)))
                .collect(),
        };
        let report = Source::CredentialReport;
        let account = Source::AccountSummary;
        Self {
            mfa: answer(
                "root_mfa_enabled",
                [
                    (report, row_mfa),
                    (account, summary(posture.has_mfa)),
                    (Source::RootMfaDevices, now.map(|it| it.mfa.is_some())),
                ],
            ),
            virtual_mfa: answer(
                "root_virtual_mfa",
                [
                    (Source::VirtualMfaDevices, Some(posture.has_virtual_mfa)),
                    (Source::RootMfaDevices, now.map(|it| it.mfa == Some(MfaDevice::Virtual))),
                    (report, None),
                ],
            ),
            keys: answer(
                "root_access_keys_present",
                [
                    (report, row.map(|it| it.keys.iter().any(Option::is_some))),
                    (account, summary(posture.has_access_key)),
                    (Source::RootAccessKeys, now.map(|it| it.keys.iter().any(Option::is_some))),
                ],
            ),
            password: answer(
                "root_password_present",
                [
                    (report, row.map(|it| it.password_enabled)),
                    (account, Some(posture.has_password).filter(|_| posture.password_is_said)),
                    (Source::RootLoginProfile, now.map(|it| it.password_enabled)),
                ],
            ),
            certificates: answer(
                "root_signing_certificates_present",
                [
                    (report, row.map(|it| it.certificates.iter().any(Option::is_some))),
                    (account, summary(posture.has_certificate)),
                    (Source::RootSigningCertificates, now.map(|it| it.certificates.iter().any(Option::is_some))),
                ],
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
