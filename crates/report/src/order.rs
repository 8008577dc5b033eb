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
    /// Orders rows, which come in the order of their lines, by their users, whose whole names are known to `name`.
    pub(crate) fn sort<'n>(&mut self, keys: impl IntoIterator<Item = Key>, name: impl Fn(u32) -> &'n [u8]) {
        let by_user = |left: &Key, right: &Key| {
            left.beginning.cmp(&right.beginning).then_with(|| name(left.row).cmp(name(right.row)))
        };
        self.kept.clear();
        self.repeated.clear();
        self.ascending.clear();
        self.strewn.clear();
        for key in keys {
            match self.ascending.last() {
                Some(last) if by_user(last, &key) != Ordering::Less => self.strewn.push(key),
                _ => self.ascending.push(key),
            }
        }
        if self.strewn.is_empty() {
            self.kept.extend(self.ascending.iter().map(|key| key.row));
            return;
        }
        // Of two rows of one user the earlier comes first.
        let by_user_and_line = |left: &Key, right: &Key| by_user(left, right).then(left.row.cmp(&right.row));
        self.strewn.sort_unstable_by(by_user_and_line);
        let (mut ascending, mut strewn) = (self.ascending.iter().peekable(), self.strewn.iter().peekable());
        let mut last: Option<Key> = None;
        loop {
            let next = match (ascending.peek(), strewn.peek()) {
                (Some(left), Some(right)) if by_user_and_line(left, right).is_lt() => ascending.next(),
                (Some(_), None) => ascending.next(),
                _ => strewn.next(),
            };
            let Some(key) = next else {
                return;
            };
            match last {
                Some(first) if by_user(&first, key).is_eq() => self.repeated.push((key.row, first.row)),
                _ => {
                    self.kept.push(key.row);
                    last = Some(*key);
                }
            }
        }
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
        order.sort(users.iter().zip(0..).map(key), |row| users[row as usize].as_bytes());
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
