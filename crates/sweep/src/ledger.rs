//! How the calls of one account went: one record for each, however many requests it took.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orgsweep_cloud::{Answer, Answered, ApiError};
use orgsweep_core::{Call, CallRecord};

/// What one call has cost so far.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    /// Requests sent.
    pub(crate) attempts: u32,
    /// How many of them were throttled.
    pub(crate) throttled: u32,
    /// How many of them failed in passing.
    pub(crate) failed: u32,
    /// How many of those were lost on the way to AWS or back.
    pub(crate) unreached: u32,
    /// Time spent waiting before and between them.
    pub(crate) waited: Duration,
}

/// The records.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    records: Mutex<Vec<CallRecord>>,
}

impl Ledger {
    /// A call ended. `about` tells apart calls of one action.
    pub(crate) fn record<T>(&self, call: Call, about: &str, result: &Answered<T>, cost: &Cost) {
        let mut record = blank(call, about);
        record.attempts = cost.attempts;
        record.throttled = cost.throttled;
        record.retried = cost.attempts.saturating_sub(1);
        record.waited = cost.waited;
        match result {
            Ok(Answer { request_id, .. }) => {
                "answered".clone_into(&mut record.outcome);
                record.request_id.clone_from(request_id);
            }
            Err(error) => {
                tell(&mut record, error);
                record.request_id.clone_from(&error.request_id);
            }
        }
        self.merge(record);
    }

    /// Time was spent waiting on behalf of a call.
    pub(crate) fn waited(&self, call: Call, time: Duration) {
        self.merge(CallRecord { waited: time, ..blank(call, "") });
    }

    /// What was answered, or was not even asked, counts as this error: the call's record says so, and keeps the id of the
    /// last request.
    pub(crate) fn note(&self, error: &ApiError) {
        let mut records = self.lock();
        let name = error.call.action();
        if let Some(record) = records.iter_mut().find(|record| record.call == name) {
            return tell(record, error);
        }
        let mut record = blank(error.call, "");
        tell(&mut record, error);
        records.push(record);
    }

    /// Every record so far, leaving none behind. A call that was only waited for, and then not made, has none.
    pub(crate) fn take(&self) -> Vec<CallRecord> {
        let mut records = std::mem::take(&mut *self.lock());
        records.retain(|record| !record.outcome.is_empty());
        records
    }

    /// One record for each call: attempts and waits add up, the last outcome stands.
    fn merge(&self, new: CallRecord) {
        let mut records = self.lock();
        let Some(old) = records.iter_mut().find(|old| old.call == new.call) else {
            records.push(new);
            return;
        };
        let attempts = old.attempts + new.attempts;
        let throttled = old.throttled + new.throttled;
        let retried = old.retried + new.retried;
        let waited = old.waited + new.waited;
        if !new.outcome.is_empty() {
            *old = new;
        }
        (old.attempts, old.throttled, old.retried, old.waited) = (attempts, throttled, retried, waited);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CallRecord>> {
        // The records are whole after every statement, so a panic elsewhere cannot have broken them.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(record: &mut CallRecord, error: &ApiError) {
    error.kind.as_str().clone_into(&mut record.outcome);
    record.code = Some(error.code.clone());
    record.message = Some(error.message.clone()).filter(|message| !message.is_empty());
}

fn blank(call: Call, about: &str) -> CallRecord {
    let call = if about.is_empty() { call.action().to_owned() } else { format!("{} {about}", call.action()) };
    CallRecord {
        call,
        outcome: String::new(),
        code: None,
        message: None,
        request_id: None,
        attempts: 0,
        throttled: 0,
        retried: 0,
        waited: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::ErrorKind;

    use super::*;

    const CALL: Call = Call::GetCredentialReport;

    #[test]
    fn requests_and_waits_of_a_call_add_up_and_its_last_outcome_stands() {
        let ledger = Ledger::default();
        let cost = Cost { attempts: 2, throttled: 1, waited: Duration::from_secs(1), ..Cost::default() };
        let broken: Answered<()> = Err(ApiError::new(CALL, ErrorKind::Transient, "Code", "broke"));
        ledger.record(CALL, "", &broken, &cost);
        ledger.waited(CALL, Duration::from_secs(3));
        ledger.record(CALL, "", &Ok(Answer { value: (), request_id: Some("id".to_owned()) }), &cost);
        let [record] = ledger.take().try_into().unwrap();
        assert_eq!((record.attempts, record.throttled, record.retried), (4, 2, 2));
        assert_eq!(record.waited, Duration::from_secs(5));
        assert_eq!((record.outcome.as_str(), record.code, record.message), ("answered", None, None));
    }

    #[test]
    fn an_answer_that_nobody_can_use_is_no_answer_and_keeps_its_request() {
        let ledger = Ledger::default();
        let answered = Ok(Answer { value: (), request_id: Some("id".to_owned()) });
        ledger.record(CALL, "", &answered, &Cost { attempts: 1, ..Cost::default() });
        ledger.note(&ApiError::new(CALL, ErrorKind::Fatal, "ReportNotRecognized", "it starts with <html>"));
        let [record] = ledger.take().try_into().unwrap();
        assert_eq!((record.outcome.as_str(), record.code.as_deref()), ("fatal", Some("ReportNotRecognized")));
        assert_eq!(record.message.as_deref(), Some("it starts with <html>"));
        assert_eq!((record.attempts, record.request_id.as_deref()), (1, Some("id")));
    }
}
