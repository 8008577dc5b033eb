//! Where credential reports are made and kept: at most one for each account, made anew every four hours at most.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use orgsweep_core::Timestamp;
use tokio::time::Instant;

/// A report of less than this is not made anew.
const FRESH_FOR: Duration = Duration::from_hours(4);

/// A report of more than this is not served. AWS does not publish the figure; a day is what scanners rely on.
const SERVED_FOR: Duration = Duration::from_hours(24);

/// What `GenerateCredentialReport` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Started,
    InProgress,
    Complete,
    /// Too many are being made.
    NoCapacity,
}

/// What `GetCredentialReport` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Ready(Timestamp),
    InProgress,
    Expired,
    Empty,
}

/// When an order is taken, and how long its report would be in the making.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    /// The time that reports go by.
    pub(super) time: Timestamp,
}

/// The desk. It remembers the accounts whose report was ordered here; of all others the model knows.
#[derive(Debug, Default)]
pub(super) struct ReportDesk {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ordered: HashMap<u32, Ordered>,
    /// When the reports that are being made will be ready, the next one first.
    making: BinaryHeap<Reverse<Instant>>,
}

#[derive(Debug, Clone, Copy)]
struct Ordered {
    ready: Instant,
    generated_at: Timestamp,
    expiry: Expiry,
}

/// Whether a report was thrown away before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    /// It was not.
    NotYet,
    /// It was, and no other was ordered since.
    Now,
    /// The one before it was.
    Before,
}

/// How a report would be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making {
    pub(super) takes: Duration,
    /// When it will say that it was made.
    pub(super) generated_at: Timestamp,
    pub(super) capacity: Option<usize>,
}

impl ReportDesk {
    /// Takes an order. `earlier` is the report that is there without any order.
    pub(super) fn order(&self, account: u32, earlier: Option<Timestamp>, now: Moment, making: Making) -> Order {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let ordered = inner.ordered.get(&account).copied();
        if ordered.is_some_and(|ordered| now.instant < ordered.ready) {
            return Order::InProgress;
        }
        let has_expired = ordered.is_some_and(|ordered| ordered.expiry != Expiry::NotYet);
        let latest = match ordered {
            Some(ordered) => Some(ordered.generated_at).filter(|_| ordered.expiry != Expiry::Now),
            None => earlier,
        };
        if latest.is_some_and(|generated_at| now.time.since(generated_at) < FRESH_FOR) {
            return Order::Complete;
        }
        inner.clear_finished(now.instant);
        if making.capacity.is_some_and(|capacity| inner.making.len() >= capacity) {
            return Order::NoCapacity;
        }
        let ready = now.instant + making.takes;
        inner.making.push(Reverse(ready));
        let expiry = if has_expired { Expiry::Before } else { Expiry::NotYet };
        inner.ordered.insert(account, Ordered { ready, generated_at: making.generated_at, expiry });
        Order::Started
    }

    /// What lies ready for an account. `earlier` is the report that is there without any order.
    pub(super) fn look(&self, account: u32, earlier: Option<Timestamp>, now: Moment) -> Shelf {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = match inner.ordered.get(&account) {
            Some(ordered) if now.instant < ordered.ready => return Shelf::InProgress,
            Some(ordered) if ordered.expiry == Expiry::Now => return Shelf::Expired,
            Some(ordered) => Some(ordered.generated_at),
            None => earlier,
        };
        match latest {
            Some(generated_at) if now.time.since(generated_at) > SERVED_FOR => Shelf::Expired,
            Some(generated_at) => Shelf::Ready(generated_at),
            None => Shelf::Empty,
        }
    }

    /// Throws away the report that was made for an account, but never a second one. A report from before any order
    /// stays, since the one that would follow it would tell other facts.
    pub(super) fn expire_once(&self, account: u32, now: Instant) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ordered) = inner.ordered.get_mut(&account)
            && ordered.expiry == Expiry::NotYet
            && ordered.ready <= now
        {
            ordered.expiry = Expiry::Now;
        }
    }
}

impl Inner {
    fn clear_finished(&mut self, now: Instant) {
        while self.making.peek().is_some_and(|Reverse(ready)| *ready <= now) {
            self.making.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKES: Duration = Duration::from_secs(2);

    struct Office {
        desk: ReportDesk,
        start: Instant,
        earlier: Option<Timestamp>,
        capacity: Option<usize>,
    }

    impl Office {
        fn new(earlier_hours: Option<u64>, capacity: Option<usize>) -> Self {
            let earlier = earlier_hours.map(|hours| day().minus(Duration::from_secs(hours * 3600)));
            Self { desk: ReportDesk::default(), start: Instant::now(), earlier, capacity }
        }

        fn at(&self, seconds: u64) -> Moment {
            let after = Duration::from_secs(seconds);
            Moment { instant: self.start + after, time: day().plus(after) }
        }

        fn order(&self, account: u32, seconds: u64) -> Order {
            let now = self.at(seconds);
            let making = Making { takes: TAKES, generated_at: now.time.plus(TAKES), capacity: self.capacity };
            self.desk.order(account, self.earlier, now, making)
        }

        fn look(&self, account: u32, seconds: u64) -> Shelf {
            self.desk.look(account, self.earlier, self.at(seconds))
        }
    }

    fn day() -> Timestamp {
        Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
    }

    #[test]
    fn a_report_goes_through_its_states_and_holds_for_four_hours() {
        let office = Office::new(None, None);
        assert_eq!(office.look(1, 0), Shelf::Empty);
        assert_eq!(office.order(1, 0), Order::Started);
        assert_eq!((office.look(1, 1), office.order(1, 1)), (Shelf::InProgress, Order::InProgress));
        let made = day().plus(TAKES);
        assert_eq!((office.order(1, 2), office.look(1, 2)), (Order::Complete, Shelf::Ready(made)));
        assert_eq!(office.order(1, 4 * 3600 + 1), Order::Complete);
        assert_eq!(office.order(1, 4 * 3600 + 2), Order::Started);
        assert_eq!(office.look(1, 4 * 3600 + 5), Shelf::Ready(day().plus(Duration::from_secs(4 * 3600 + 4))));
    }

    #[test]
    fn an_earlier_report_is_served_for_a_day_and_made_anew_after_four_hours() {
        let fresh = Office::new(Some(1), None);
        assert_eq!((fresh.order(1, 0), fresh.look(1, 0)), (Order::Complete, Shelf::Ready(fresh.earlier.unwrap())));
        let old = Office::new(Some(6), None);
        assert_eq!((old.look(1, 0), old.order(1, 0)), (Shelf::Ready(old.earlier.unwrap()), Order::Started));
        let expired = Office::new(Some(25), None);
        assert_eq!((expired.look(1, 0), expired.order(1, 0)), (Shelf::Expired, Order::Started));
    }

    #[test]
    fn a_report_that_expired_before_its_time_is_made_once_more_and_then_stays() {
        let office = Office::new(None, None);
        let expire = |seconds| office.desk.expire_once(1, office.at(seconds).instant);
        office.order(1, 0);
        expire(1);
        assert_eq!(office.look(1, 1), Shelf::InProgress, "what is being made cannot expire");
        expire(2);
        assert_eq!((office.look(1, 2), office.order(1, 2)), (Shelf::Expired, Order::Started));
        expire(4);
        assert_eq!((office.order(1, 4), office.look(1, 4)), (Order::Complete, Shelf::Ready(day().plus(2 * TAKES))));
        let earlier = Office::new(Some(1), None);
        earlier.desk.expire_once(1, earlier.start);
        assert_eq!(earlier.look(1, 0), Shelf::Ready(earlier.earlier.unwrap()));
    }

    #[test]
    fn beyond_the_capacity_orders_are_refused_until_a_report_is_ready() {
        let office = Office::new(None, Some(2));
        assert_eq!((office.order(1, 0), office.order(2, 1)), (Order::Started, Order::Started));
        assert_eq!(office.order(3, 1), Order::NoCapacity);
        assert_eq!(office.look(3, 1), Shelf::Empty);
        assert_eq!(office.order(3, 2), Order::Started);
    }
}
