//! Which listed access key is in which slot of a report row. The report has no ids and the list no slots, so what both
//! have decides: when a key was made, and whether it is active. Where that leaves two keys to choose from, nobody
//! chooses.

use orgsweep_core::{ListedKey, Timestamp};

/// A key slot of a report row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) active: bool,
    /// `last_rotated`: when the key was made or last changed.
    pub(crate) rotated: Option<Timestamp>,
}

impl Slot {
    /// Whether there is a key in it: of an absent one the report gives no date.
    pub(crate) fn is_taken(&self) -> bool {
        self.active || self.rotated.is_some()
    }
}

/// The id of a slot's key, or why there is none.
pub(crate) type Match<'a> = Result<&'a str, &'static str>;

/// Two keys would fit.
pub(crate) const AMBIGUOUS: &str = "ambiguous";

/// The key, or its user, was deleted since the report was made.
pub(crate) const GONE: &str = "gone";

/// The ids of the keys in the slots of one user, by the keys that are listed now; `None` for an empty slot.
pub(crate) fn match_keys(slots: [Slot; 2], listed: &[ListedKey], report: Timestamp) -> [Option<Match<'_>>; 2] {
    // A key that was made after the report cannot be in it.
    let known: Vec<&ListedKey> =
        listed.iter().filter(|key| key.created_at.is_none_or(|made| made.whole_seconds() <= report)).collect();
    let fitting = slots.map(|slot| fitting(slot, &known));
    let [first, second] = &fitting;
    let [first, second] = [(first, second), (second, first)].map(|(own, other)| choose(own, other, known.len()));
    let [in_first, in_second] = slots.map(|slot| slot.is_taken());
    [in_first.then_some(first), in_second.then_some(second)]
}

/// The listed keys that could be in a slot: of its date if there are such, else of any; and then of its activity if
/// there are such.
fn fitting<'a>(slot: Slot, known: &[&'a ListedKey]) -> Fit<'a> {
    if !slot.is_taken() {
        return Fit { keys: Vec::new(), by_date: false };
    }
    let is_of_date =
        |key: &&&ListedKey| key.created_at.map(Timestamp::whole_seconds) == slot.rotated.map(Timestamp::whole_seconds);
    let dated: Vec<&ListedKey> = known.iter().filter(is_of_date).copied().collect();
    let by_date = !dated.is_empty();
    let of_date = if by_date { dated } else { known.to_vec() };
    let alike: Vec<&ListedKey> = of_date.iter().filter(|key| key.is_active() == slot.active).copied().collect();
    Fit { keys: if alike.is_empty() { of_date } else { alike }, by_date }
}

struct Fit<'a> {
    keys: Vec<&'a ListedKey>,
    by_date: bool,
}

/// The key of a slot, given what fits it and what fits the other one.
fn choose<'a>(own: &Fit<'a>, other: &Fit<'a>, known: usize) -> Match<'a> {
    // A key that fits the other slot alone, and by its date, is not to be had here.
    let taken: Vec<&str> = match other.keys.as_slice() {
        [key] if other.by_date && !own.by_date => vec![key.id.as_str()],
        _ => Vec::new(),
    };
    let left: Vec<&str> = own.keys.iter().map(|key| key.id.as_str()).filter(|id| !taken.contains(id)).collect();
    match left.as_slice() {
        [] => Err(GONE),
        [id] if own.by_date || !fits_both(id, other, known) => Ok(id),
        _ => Err(AMBIGUOUS),
    }
}

/// Whether the only key that fits a slot, and not by its date, fits the other slot as well.
fn fits_both(id: &str, other: &Fit<'_>, known: usize) -> bool {
    known < 2 && other.keys.iter().any(|key| key.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: i64 = 1_000_000;

    fn slot(active: bool, rotated: i64) -> Slot {
        Slot { active, rotated: Some(Timestamp::from_millis(rotated * 1000)) }
    }

    const EMPTY: Slot = Slot { active: false, rotated: None };

    fn key(id: &str, active: bool, made: i64) -> ListedKey {
        let status = if active { "Active" } else { "Inactive" };
        ListedKey {
            id: id.to_owned(),
            status: status.to_owned(),
            created_at: Some(Timestamp::from_millis(made * 1000)),
        }
    }

    #[track_caller]
    fn check(slots: [Slot; 2], listed: &[ListedKey], expected: [Option<Match<'_>>; 2]) {
        assert_eq!(match_keys(slots, listed, Timestamp::from_millis(REPORT * 1000)), expected);
    }

    #[test]
    fn a_key_is_known_by_when_it_was_made_whatever_the_order() {
        let (a, b) = (key("A", true, 10), key("B", true, 20));
        check([slot(true, 10), slot(true, 20)], &[a.clone(), b.clone()], [Some(Ok("A")), Some(Ok("B"))]);
        check([slot(true, 20), slot(true, 10)], &[a.clone(), b], [Some(Ok("B")), Some(Ok("A"))]);
        check([EMPTY, slot(true, 10)], &[a], [None, Some(Ok("A"))]);
    }

    #[test]
    fn two_keys_of_one_second_are_told_apart_by_activity_or_not_at_all() {
        let both = [key("A", true, 10), key("B", false, 10)];
        check([slot(false, 10), slot(true, 10)], &both, [Some(Ok("B")), Some(Ok("A"))]);
        let alike = [key("A", true, 10), key("B", true, 10)];
        check([slot(true, 10), slot(true, 10)], &alike, [Some(Err(AMBIGUOUS)), Some(Err(AMBIGUOUS))]);
    }

    #[test]
    fn a_key_that_was_deleted_or_replaced_since_the_report_is_gone() {
        check([slot(true, 10), EMPTY], &[], [Some(Err(GONE)), None]);
        check([slot(true, 10), EMPTY], &[key("N", true, REPORT + 5)], [Some(Err(GONE)), None]);
        let left = [key("B", true, 20)];
        check([slot(true, 10), slot(true, 20)], &left, [Some(Err(GONE)), Some(Ok("B"))]);
    }

    #[test]
    fn a_changed_date_leaves_the_only_key_there_is() {
        check([slot(false, 99), EMPTY], &[key("A", false, 10)], [Some(Ok("A")), None]);
        let both = [key("A", true, 10), key("B", false, 20)];
        check([slot(true, 10), slot(false, 99)], &both, [Some(Ok("A")), Some(Ok("B"))]);
        check([slot(false, 98), slot(true, 99)], &both, [Some(Ok("B")), Some(Ok("A"))]);
        let alike = [key("A", true, 10), key("B", true, 20)];
        check([slot(true, 98), slot(true, 99)], &alike, [Some(Err(AMBIGUOUS)), Some(Err(AMBIGUOUS))]);
    }

    #[test]
    fn one_key_for_two_slots_of_other_dates_is_nobodys() {
        check([slot(true, 98), slot(true, 99)], &[key("A", true, 10)], [Some(Err(AMBIGUOUS)), Some(Err(AMBIGUOUS))]);
    }
}
