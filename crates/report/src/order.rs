//! The order of the table: users by the bytes of their names, each once.
//!
//! AWS sorts without regard to case, so a report is an ordered sequence with some rows strewn in that belong elsewhere.
//! Those are taken out, sorted by themselves and merged in again, which costs little more than looking at each row once.

use std::cmp::Ordering;

/// A row while it is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// The first sixteen bytes of the user's name, zeros behind a shorter one: nearly always enough to compare.
    pub(crate) beginning: u128,
    /// The row's index.
    pub(crate) row: u32,
}

/// How rows as they were read become rows as the table holds them. The room is kept from report to report.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Indexes of the rows to keep, in table order.
    pub(crate) kept: Vec<u32>,
    /// Rows whose user already has a row: their index, and that of the first.
    pub(crate) repeated: Vec<(u32, u32)>,
    ascending: Vec<Key>,
    strewn: Vec<Key>,
}

impl Order {
    /// Begins with no rows.
    pub(crate) fn clear(&mut self) {
        self.ascending.clear();
        self.strewn.clear();
    }

    /// Takes in the row of the next line. Whole names are known to `name`.
    #[inline(always)]
    pub(crate) fn push<'n>(&mut self, key: Key, name: impl Fn(u32) -> &'n [u8]) {
        match self.ascending.last() {
            Some(last) if last.beginning >= key.beginning && last.compare(&key, name).is_ge() => self.strewn.push(key),
            _ => self.ascending.push(key),
        }
    }

    /// Leaves out all rows that are not wanted.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(u32) -> bool) {
        self.ascending.retain(|key| is_wanted(key.row));
        self.strewn.retain(|key| is_wanted(key.row));
    }

    /// Orders the rows by their users.
    pub(crate) fn sort<'n>(&mut self, name: impl Fn(u32) -> &'n [u8]) {
        self.kept.clear();
        self.repeated.clear();
        // Of two rows of one user the earlier comes first.
        let by_user_and_line = |left: &Key, right: &Key| left.compare(right, &name).then(left.row.cmp(&right.row));
        self.strewn.sort_unstable_by(by_user_and_line);
        let (mut ascending, mut last) = (self.ascending.as_slice(), None::<Key>);
        for strewn in &self.strewn {
            let before = ascending.iter().take_while(|key| by_user_and_line(key, strewn).is_lt()).count();
            let (run, rest) = ascending.split_at_checked(before).unwrap_or_default();
            self.kept.extend(run.iter().map(|key| key.row));
            (ascending, last) = (rest, run.last().copied().or(last));
            if let Some(first) = last.filter(|last| last.compare(strewn, &name).is_eq()) {
                self.repeated.push((strewn.row, first.row));
            } else {
                self.kept.push(strewn.row);
                last = Some(*strewn);
            }
        }
        self.kept.extend(ascending.iter().map(|key| key.row));
    }
}

impl Key {
    fn compare<'n>(&self, other: &Self, name: impl Fn(u32) -> &'n [u8]) -> Ordering {
        self.beginning.cmp(&other.beginning).then_with(|| name(self.row).cmp(name(other.row)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::beginning_of;
    use crate::text::narrow;
    use crate::window::window;

    fn order(users: &[String]) -> Order {
        let mut order = Order::default();
        let key = |(user, row): (&String, u32)| Key {
            beginning: beginning_of(&window(user.as_bytes(), 0), narrow(user.len())),
            row,
        };
        let name = |row: u32| users[row as usize].as_bytes();
        users.iter().zip(0..).map(key).for_each(|key| order.push(key, name));
        order.sort(name);
        order
    }

    fn check(users: &[&str], kept: &[u32], repeated: &[(u32, u32)]) {
        let users: Vec<_> = users.iter().map(ToString::to_string).collect();
        let order = order(&users);
        assert_eq!((order.kept.as_slice(), order.repeated.as_slice()), (kept, repeated), "{users:?}");
    }

    #[test]
    fn rows_in_order_stay_where_they_are() {
        check(&[], &[], &[]);
        check(&["a"], &[0], &[]);
        check(&["<root_account>", "Bob", "alice", "alice2"], &[0, 1, 2, 3], &[]);
    }

    #[test]
    fn rows_out_of_order_are_moved_and_repeated_ones_named() {
        check(&["alice", "Bob"], &[1, 0], &[]);
        check(&["a", "b", "a", "a"], &[0, 1], &[(2, 0), (3, 0)]);
        check(&["longer-names-begin-2", "longer-names-begin-1", "longer-names-begin"], &[2, 1, 0], &[]);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_names(users in prop::collection::vec("[A-Ca-c]{1,2}|a-name-with-such-a-prefix--[a-b]{0,2}", 0..40)) {
            let order = order(&users);
            let mut expected = users.clone();
            expected.sort();
            expected.dedup();
            let kept: Vec<String> = order.kept.iter().map(|index| users[*index as usize].clone()).collect();
            prop_assert_eq!(kept, expected);
            prop_assert_eq!(order.kept.len() + order.repeated.len(), users.len());
            for (index, first) in order.repeated {
                prop_assert!(first < index);
                prop_assert_eq!(&users[index as usize], &users[first as usize]);
            }
        }
    }
}
