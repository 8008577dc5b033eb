//! How hostile the simulated AWS is: each fault, and how common it is. Plain data; what comes of it is decided in
//! `simulation::hostile`.

use std::str::FromStr;

use crate::mix::PerMille;

/// A fault of the simulated AWS or of the way to it, by the name it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostileFault {
    /// See [`Hostility::throttling_storms`].
    ThrottlingStorms,
    /// See [`Hostility::no_capacity`].
    NoCapacity,
    /// See [`Hostility::resets`].
    Resets,
    /// See [`Hostility::hangs`].
    Hangs,
    /// See [`Hostility::slow_bodies`].
    SlowBodies,
    /// See [`Hostility::server_errors`].
    ServerErrors,
    /// See [`Hostility::proxy_errors`].
    ProxyErrors,
    /// See [`Hostility::cut_bodies`].
    CutBodies,
    /// See [`Hostility::cut_reports`].
    CutReports,
    /// See [`Hostility::garbage`].
    Garbage,
    /// See [`Hostility::dying_sessions`].
    DyingSessions,
    /// See [`Hostility::never_comes`].
    NeverComes,
    /// See [`Hostility::expiring_reports`].
    ExpiringReports,
    /// See [`Hostility::closures`].
    Closures,
    /// See [`Hostility::late_roles`].
    LateRoles,
    /// See [`Hostility::clock_skew`].
    ClockSkew,
}

impl HostileFault {
    /// Every fault.
    pub const ALL: [Self; 16] = [
        Self::ThrottlingStorms,
        Self::NoCapacity,
        Self::Resets,
        Self::Hangs,
        Self::SlowBodies,
        Self::ServerErrors,
        Self::ProxyErrors,
        Self::CutBodies,
        Self::CutReports,
        Self::Garbage,
        Self::DyingSessions,
        Self::NeverComes,
        Self::ExpiringReports,
        Self::Closures,
        Self::LateRoles,
        Self::ClockSkew,
    ];

    /// The name, in kebab case.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.told().0
    }

    /// What it does, and what its share is a share of, in one phrase.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.told().1
    }

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::ThrottlingStorms => {
                ("throttling-storms", "spans of 5 s in which four of five requests are throttled")
            }
            Self::NoCapacity => {
                ("no-capacity", "spans of 3 min that hold up to 2 min without capacity for new reports")
            }
            Self::Resets => ("resets", "requests whose connection is reset when they were carried out"),
            Self::Hangs => ("hangs", "requests that are never answered"),
            Self::SlowBodies => ("slow-bodies", "requests whose answer takes 5 to 20 s to arrive"),
            Self::ServerErrors => ("server-errors", "requests answered with a 500 of AWS's"),
            Self::ProxyErrors => ("proxy-errors", "requests answered with a proxy's 503, in HTML"),
            Self::CutBodies => ("cut-bodies", "requests whose answer breaks off"),
            Self::CutReports => ("cut-reports", "reports served whole but for a last row that is cut"),
            Self::Garbage => ("garbage", "accounts in which one or two calls are always answered with garbage"),
            Self::DyingSessions => ("dying-sessions", "sessions that expire 0.2 to 3 s after they were opened"),
            Self::NeverComes => ("never-comes", "accounts whose report is in the making for ever"),
            Self::ExpiringReports => {
                ("expiring-reports", "accounts whose new report expires once before it is fetched")
            }
            Self::Closures => ("closures", "accounts that are closed within the first minute"),
            Self::LateRoles => ("late-roles", "accounts whose role appears within the first minute"),
            Self::ClockSkew => ("clock-skew", "of 4 min: the most that AWS's clock is ahead or behind"),
        }
    }
}

/// A text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no fault of the simulation; it has:\n{}", told_of_all())]
pub struct UnknownFault {
    text: String,
}

fn told_of_all() -> String {
    let told = |fault: HostileFault| format!("  {:<18} {}", fault.name(), fault.about());
    HostileFault::ALL.map(told).join("\n")
}

impl FromStr for HostileFault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|fault| fault.name() == text);
        named.ok_or_else(|| UnknownFault { text: text.to_owned() })
    }
}

/// How hostile the simulated AWS is: a share for each fault. All of it is drawn from the seed; what strikes single
/// requests also from their number, so that a run in one thread meets the same faults again.
///
/// Three faults last: [`garbage`](Self::garbage), [`never_comes`](Self::never_comes) and [`closures`](Self::closures)
/// lose facts of an account for good, and [`late_roles`](Self::late_roles) loses it for whoever does not come back;
/// [`Simulation::lasting`](crate::Simulation::lasting) tells which account has which. The others pass, and whoever asks
/// again is told all. The management account is spared from those that last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hostility {
    /// Spans of five seconds in which four of five requests are throttled: of STS in the caller's account, and in each
    /// account by itself of IAM and Account Management.
    pub throttling_storms: PerMille,
    /// Spans of three minutes within which, for half a minute to two, `GenerateCredentialReport` answers
    /// `LimitExceeded` to everybody.
    pub no_capacity: PerMille,
    /// Requests that are carried out, and whose connection is then reset without an answer.
    pub resets: PerMille,
    /// Requests that are carried out and never answered.
    pub hangs: PerMille,
    /// Requests whose answer arrives whole, and takes many seconds over it.
    pub slow_bodies: PerMille,
    /// Requests that AWS answers with a fault of its own, and does not carry out.
    pub server_errors: PerMille,
    /// Requests that a proxy answers with a 503 and a page of HTML.
    pub proxy_errors: PerMille,
    /// Requests whose answer ends before the length that its head tells.
    pub cut_bodies: PerMille,
    /// Reports that are served in a whole answer, and are cut off within a row.
    pub cut_reports: PerMille,
    /// Accounts in which one or two calls are always answered with a 200 that nobody can read.
    pub garbage: PerMille,
    /// Sessions that expire soon after they were opened, though they were promised longer.
    pub dying_sessions: PerMille,
    /// Accounts whose report is always in the making.
    pub never_comes: PerMille,
    /// Accounts whose report, made on demand, has expired when it is first fetched, and has to be made once more.
    pub expiring_reports: PerMille,
    /// Accounts that are closed at a moment within the first minute of the simulation: from then on all is refused.
    /// The listing goes on to call them active, so that plans do not depend on when they were made.
    pub closures: PerMille,
    /// Accounts whose scanner role appears at a moment within the first minute of the simulation: until then it is
    /// refused.
    pub late_roles: PerMille,
    /// How far AWS's clock may be ahead of ours or behind it, as a share of four minutes, in what it says of the
    /// expiry of sessions. Facts and the times of reports go by our clock.
    pub clock_skew: PerMille,
}

impl Hostility {
    /// No faults.
    pub const NONE: Self = Self {
        throttling_storms: PerMille(0),
        no_capacity: PerMille(0),
        resets: PerMille(0),
        hangs: PerMille(0),
        slow_bodies: PerMille(0),
        server_errors: PerMille(0),
        proxy_errors: PerMille(0),
        cut_bodies: PerMille(0),
        cut_reports: PerMille(0),
        garbage: PerMille(0),
        dying_sessions: PerMille(0),
        never_comes: PerMille(0),
        expiring_reports: PerMille(0),
        closures: PerMille(0),
        late_roles: PerMille(0),
        clock_skew: PerMille(0),
    };

    /// Everything at once: about a tenth of all calls fail in passing, and each lasting fault holds in one or two
    /// accounts of a hundred.
    #[must_use]
    pub fn hostile() -> Self {
        Self {
            throttling_storms: PerMille(30),
            no_capacity: PerMille(200),
            resets: PerMille(20),
            hangs: PerMille(3),
            slow_bodies: PerMille(5),
            server_errors: PerMille(20),
            proxy_errors: PerMille(10),
            cut_bodies: PerMille(15),
            cut_reports: PerMille(20),
            garbage: PerMille(20),
            dying_sessions: PerMille(50),
            never_comes: PerMille(15),
            expiring_reports: PerMille(50),
            closures: PerMille(15),
            late_roles: PerMille(20),
            clock_skew: PerMille(1000),
        }
    }

    /// Whether there are no faults at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// How common a fault is.
    #[must_use]
    pub fn share(&self, fault: HostileFault) -> PerMille {
        // A copy of a few bytes is cheaper than the same table of fields written twice.
        *self.clone().share_mut(fault)
    }

    /// The same with one fault as common as said.
    #[must_use]
    pub fn with(mut self, fault: HostileFault, share: PerMille) -> Self {
        *self.share_mut(fault) = share;
        self
    }

    fn share_mut(&mut self, fault: HostileFault) -> &mut PerMille {
        match fault {
            HostileFault::ThrottlingStorms => &mut self.throttling_storms,
            HostileFault::NoCapacity => &mut self.no_capacity,
            HostileFault::Resets => &mut self.resets,
            HostileFault::Hangs => &mut self.hangs,
            HostileFault::SlowBodies => &mut self.slow_bodies,
            HostileFault::ServerErrors => &mut self.server_errors,
            HostileFault::ProxyErrors => &mut self.proxy_errors,
            HostileFault::CutBodies => &mut self.cut_bodies,
            HostileFault::CutReports => &mut self.cut_reports,
            HostileFault::Garbage => &mut self.garbage,
            HostileFault::DyingSessions => &mut self.dying_sessions,
            HostileFault::NeverComes => &mut self.never_comes,
            HostileFault::ExpiringReports => &mut self.expiring_reports,
            HostileFault::Closures => &mut self.closures,
            HostileFault::LateRoles => &mut self.late_roles,
            HostileFault::ClockSkew => &mut self.clock_skew,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_and_a_share_of_its_own() {
        for fault in HostileFault::ALL {
            assert_eq!(fault.name().parse(), Ok(fault));
            let alone = Hostility::NONE.with(fault, PerMille(7));
            let struck = HostileFault::ALL.into_iter().filter(|other| alone.share(*other) == PerMille(7));
            assert_eq!(struck.collect::<Vec<_>>(), [fault]);
            assert!(Hostility::hostile().share(fault) > PerMille(0), "{}", fault.name());
        }
        assert!(Hostility::default().is_none() && !Hostility::hostile().is_none());
    }

    #[test]
    fn a_name_that_is_none_is_told_all_that_are() {
        let error = "help".parse::<HostileFault>().unwrap_err().to_string();
        assert!(
            error.starts_with("\"help\" is no fault of the simulation; it has:\n  throttling-storms  spans"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1 + HostileFault::ALL.len());
    }
}
