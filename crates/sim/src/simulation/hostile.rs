//! The gate between the quota and the latency: what goes wrong with a request in passing. What goes wrong with an
//! account for good is in [`lasting`], and is told where AWS tells it.

pub(super) mod lasting;

use std::time::Duration;

use tokio::time::Instant;

use super::principal::Principal;
use super::{Outcome, Simulation};
use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::mix::PerMille;
use crate::random::{Draw, Topic};
use crate::request::{Operation, Output, Service};

/// How long one storm lasts, in seconds, and how long there is none in its place.
const STORM_SPAN: u64 = 5;

/// How many requests a storm strikes.
const IN_A_STORM: PerMille = PerMille(800);

/// The span that holds at most one time without capacity.
const CAPACITY_SPAN: Duration = Duration::from_mins(3);

/// How short and how long a time without capacity is, in milliseconds; the longest leaves a minute of its span, so
/// that no order is refused for ever.
const NO_CAPACITY: (u64, u64) = (30_000, 120_000);

/// How long a slow body takes, in milliseconds: longer than anybody likes, and less than callers put up with.
const SLOW_BODY: (u64, u64) = (5_000, 20_000);

/// The status of a proxy that does not reach the server behind it.
const UNAVAILABLE: u16 = 503;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Disturbance {
    /// It is refused with this, and not carried out.
    pub(super) refusal: Option<Fault>,
    /// How its answer gets to whoever asked.
    pub(super) delivery: Delivery,
    /// A report in its answer is cut off, here or there as this says.
    report_cut: Option<u64>,
}

impl Disturbance {
    fn refused(fault: Fault) -> Self {
        Self { refusal: Some(fault), ..Self::default() }
    }

    fn delivered(delivery: Delivery) -> Self {
        Self { delivery, ..Self::default() }
    }

    /// Does to an outcome what is to be done to it.
    pub(super) fn strike(&self, outcome: Outcome) -> Outcome {
        match (outcome, self.report_cut) {
            (Ok(Output::Report(mut content, generated_at)), Some(place)) => {
                content.truncate(cut_within_a_row(&content, place));
                Ok(Output::Report(content, generated_at))
            }
            (outcome, _) => outcome,
        }
    }
}

impl Simulation {
    /// What goes wrong with the request of this number.
    pub(super) fn disturbance(&self, number: u64, principal: &Principal, operation: &Operation) -> Disturbance {
        let hostility = &self.profile.hostility;
        if hostility.is_none() {
            return Disturbance::default();
        }
        let elapsed = self.clock.elapsed(Instant::now());
        let (index, service) = (principal.index(), operation.service());
        let mut draw = Draw::new(self.model.seed() ^ number.rotate_left(32), Topic::Passing, 0, 0);
        if draw.chance(IN_A_STORM) && self.is_storm(service, index, elapsed) {
            return Disturbance::refused(Fault::throttled(service));
        }
        if *operation == Operation::GenerateCredentialReport && self.is_out_of_capacity(elapsed) {
            return Disturbance::refused(Fault::no_capacity());
        }
        if draw.chance(hostility.server_errors) {
            return Disturbance::refused(Fault::broken(service, draw.below(2) == 0));
        }
        if draw.chance(hostility.proxy_errors) {
            let unavailable = Fault::new(UNAVAILABLE, "ServiceUnavailable", "Service Temporarily Unavailable");
            return Disturbance { delivery: Delivery::Html(UNAVAILABLE), ..Disturbance::refused(unavailable) };
        }
        if let Some(delivery) = self.lossy_delivery(&mut draw) {
            return Disturbance::delivered(delivery);
        }
        if self.is_garbled(index, operation, elapsed) {
            return Disturbance::delivered(Delivery::Garbage);
        }
        let report_cut = draw.chance(hostility.cut_reports).then(|| draw.bits());
        Disturbance { report_cut, ..Disturbance::default() }
    }

    /// How an answer is lost or late, if it is.
    fn lossy_delivery(&self, draw: &mut Draw) -> Option<Delivery> {
        let hostility = &self.profile.hostility;
        if draw.chance(hostility.resets) {
            Some(Delivery::Reset)
        } else if draw.chance(hostility.hangs) {
            Some(Delivery::Never)
        } else if draw.chance(hostility.cut_bodies) {
            Some(Delivery::CutOff)
        } else if draw.chance(hostility.slow_bodies) {
            Some(Delivery::Late(Duration::from_millis(draw.between(SLOW_BODY.0, SLOW_BODY.1))))
        } else {
            None
        }
    }

    /// Whether a throttling storm is on in a service of an account. Organizations has its own narrow quota instead.
    fn is_storm(&self, service: Service, index: u32, elapsed: Duration) -> bool {
        let scope = match service {
            Service::Organizations => return false,
            Service::Sts => 0,
            Service::Iam => 1,
            Service::Account => 2,
        };
        let span = elapsed.as_secs() / STORM_SPAN;
        let item = u32::try_from(span.saturating_mul(4) + scope).unwrap_or(u32::MAX);
        Draw::new(self.model.seed(), Topic::Storm, index, item).chance(self.profile.hostility.throttling_storms)
    }

    /// Whether AWS has no capacity to make another report.
    fn is_out_of_capacity(&self, elapsed: Duration) -> bool {
        let span = elapsed.as_secs() / CAPACITY_SPAN.as_secs();
        let within = elapsed.saturating_sub(CAPACITY_SPAN.saturating_mul(u32::try_from(span).unwrap_or(u32::MAX)));
        let item = u32::try_from(span).unwrap_or(u32::MAX);
        let mut draw = Draw::new(self.model.seed(), Topic::NoCapacity, 0, item);
        if !draw.chance(self.profile.hostility.no_capacity) {
            return false;
        }
        let length = Duration::from_millis(draw.between(NO_CAPACITY.0, NO_CAPACITY.1));
        let start = CAPACITY_SPAN.saturating_sub(length).mul_f64(draw.fraction());
        (start..start + length).contains(&within)
    }
}

/// A place in the first half of one of a report's rows. A cut between two rows leaves no trace; the header is no row.
fn cut_within_a_row(report: &[u8], place: u64) -> usize {
    let line_ends = || report.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end);
    let rows = u64::try_from(line_ends().count()).unwrap_or_default().max(1);
    let row = usize::try_from(place % rows).unwrap_or_default();
    let Some(start) = line_ends().nth(row).map(|end| end + 1) else { return report.len() };
    let end = line_ends().nth(row + 1).unwrap_or(report.len());
    let half = u64::try_from(end.saturating_sub(start) / 2).unwrap_or_default().max(1);
    start + 1 + usize::try_from((place >> 32) % half).unwrap_or_default()
}
