//! The order of the table: users by the bytes of their names, each once.

use crate::text::{Span, Texts};

/// How rows as they were read become rows as the table holds them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Indexes of the rows to keep, in table order; `None` if all are kept as they stand.
    pub(crate) kept: Option<Vec<u32>>,
    /// Rows whose user already has a row: their index, and that of the first.
    pub(crate) repeated: Vec<(u32, u32)>,
}

impl Order {
    /// Orders rows by their users. AWS ignores case when it sorts, so most reports need moving.
    pub(crate) fn by_user(users: &[Span], texts: &Texts<'_>) -> Self {
        let in_order =
            users.iter().zip(users.iter().skip(1)).all(|(left, right)| texts.bytes(*left) < texts.bytes(*right));
        if in_order {
            return Self { kept: None, repeated: Vec::new() };
        }
        let mut keys: Vec<_> = users.iter().zip(0_u32..).map(|(user, index)| Key::new(*user, index, texts)).collect();
        // The sort is stable, so of two rows of one user the earlier comes first; and it is fast on long ordered runs.
        keys.sort_by(|left, right| left.compare(right, texts));
        let mut kept: Vec<u32> = Vec::with_capacity(keys.len());
        let mut repeated = Vec::new();
        let mut last: Option<Key> = None;
        for key in keys {
            match last {
                Some(first) if first.compare(&key, texts).is_eq() => repeated.push((key.index, first.index)),
                _ => {
                    kept.push(key.index);
                    last = Some(key);
                }
            }
        }
        Self { kept: Some(kept), repeated }
    }
}

/// A row while it is sorted.
#[derive(Debug, Clone, Copy)]
struct Key {
    /// The first eight bytes of the name, zeros behind a shorter one: nearly always enough to compare.
    beginning: u64,
    user: Span,
    index: u32,
}

impl Key {
    fn new(user: Span, index: u32, texts: &Texts<'_>) -> Self {
        let mut beginning = [0; 8];
        for (place, byte) in beginning.iter_mut().zip(texts.bytes(user)) {
            *place = *byte;
        }
        Self { beginning: u64::from_be_bytes(beginning), user, index }
    }

    fn compare(&self, other: &Self, texts: &Texts<'_>) -> std::cmp::Ordering {
        self.beginning.cmp(&other.beginning).then_with(|| texts.bytes(self.user).cmp(texts.bytes(other.user)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(users: &[String]) -> Order {
        let mut texts = Texts::new("");
        let spans: Vec<_> = users.iter().map(|user| texts.keep(user)).collect();
        Order::by_user(&spans, &texts)
    }

    fn check(users: &[&str], kept: Option<&[u32]>, repeated: &[(u32, u32)]) {
        let users: Vec<_> = users.iter().map(ToString::to_string).collect();
        let expected = Order { kept: kept.map(<[u32]>::to_vec), repeated: repeated.to_vec() };
        assert_eq!(order(&users), expected, "{users:?}");
    }

    #[test]
    fn rows_in_order_stay_where_they_are() {
        check(&[], None, &[]);
        check(&["a"], None, &[]);
        check(&["<root_account>", "Bob", "alice", "alice2"], None, &[]);
    }

    #[test]
    fn rows_out_of_order_are_moved_and_repeated_ones_named() {
        check(&["alice", "Bob"], Some(&[1, 0]), &[]);
        check(&["a", "b", "a", "a"], Some(&[0, 1]), &[(2, 0), (3, 0)]);
        check(&["longer-name-2", "longer-name-1", "longer-name"], Some(&[2, 1, 0]), &[]);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_names(users in prop::collection::vec("[A-Ca-c]{1,2}|prefix--[a-b]{0,2}", 0..40)) {
            let order = order(&users);
            let mut expected = users.clone();
            expected.sort();
            expected.dedup();
            let kept: Vec<String> = match &order.kept {
                Some(kept) => kept.iter().map(|index| users[*index as usize].clone()).collect(),
                None => users.clone(),
            };
            prop_assert_eq!(kept, expected);
            for (index, first) in order.repeated {
                prop_assert!(first < index);
                prop_assert_eq!(&users[index as usize], &users[first as usize]);
            }
        }
    }
}
