//! Whose row it is, decided on whole words: what nearly all rows look like is recognized, and nothing is ever refused.
//!
//! A row that is not recognized is for [`crate::arn`] and [`crate::value`] to judge, by the same grammar.

use crate::arn::{MAX_PATH, Owner, is_path_byte};
use crate::text::{Span, narrow, wide};
use crate::value::{MAX_USER_NAME, ROOT_USER, is_user_name_byte};
use crate::window::window;

/// How many bytes of a name, and of a path, are looked at in one go; few are longer.
const WINDOW: usize = 32;

/// The beginning that the ARNs of all of an account's users share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    /// `arn:<partition>:iam::<account>:user/`, and zeros.
    text: [u8; 64],
    /// All bits of each byte of the text that is meant.
    filled: [u8; 64],
    length: u32,
}

impl Beginning {
    /// That of the account's ARNs, as far as they are known by now.
    pub(crate) fn of(owner: &Owner) -> Self {
        let (mut text, mut filled, mut length) = ([0; 64], [0; 64], 0);
        let bytes = owner.prefix().iter().chain(b"user/");
        for ((place, filled), byte) in text.iter_mut().zip(&mut filled).zip(bytes) {
            (*place, *filled) = (*byte, 0xff);
            length += 1;
        }
        Self { text, filled, length }
    }

    /// The first sixteen bytes of the user's name, if the name is one that IAM allows, or the root user's, and the ARN
    /// is this user's and of this account.
    #[inline(always)]
    pub(crate) fn recognize(&self, text: &[u8], user: Span, arn: Span) -> Option<u128> {
        let (user_length, arn_length) = (user.length(), arn.length());
        let name: [u8; WINDOW] = window(text, user.start);
        let named = self.length.wrapping_add(user_length);
        if user_length.wrapping_sub(1) >= narrow(WINDOW) || arn_length < named {
            return self.recognize_rare(text, user, arn);
        }
        let path_length = arn_length.wrapping_sub(named);
        if path_length > narrow(WINDOW) {
            return self.recognize_rare(text, user, arn);
        }
        let beginning: [u8; 64] = window(text, arn.start);
        let path: [u8; WINDOW] = window(text, arn.start.wrapping_add(self.length));
        let name_start = arn.end.wrapping_sub(user_length);
        let end: [u8; WINDOW] = window(text, name_start);
        // Without a path this is the slash behind `user`.
        let before_name = text.get(wide(name_start.wrapping_sub(1))).copied().unwrap_or_default();
        // All of it becomes one loop without branches on bytes alone, and so a few instructions.
        let (name_length, path_length) = (short(user_length), short(path_length));
        let mut bad = self.differing(&beginning);
        for ((bad, index), ((name, end), path)) in bad.iter_mut().zip(0_u8..).zip(name.iter().zip(&end).zip(&path)) {
            let is_other = (name ^ end) | u8::from(!is_user_name_byte(*name));
            *bad |= is_other & up_to(index, name_length) | u8::from(!is_path_byte(*path)) & up_to(index, path_length);
        }
        let is_good = is_zero(&bad) & (before_name == b'/');
        if is_good { Some(beginning_of(&name, user_length)) } else { self.recognize_rare(text, user, arn) }
    }

    /// What differs in the ARN's beginning from the one that is expected, both halves of it together.
    #[inline(always)]
    fn differing(&self, arn: &[u8; 2 * WINDOW]) -> [u8; WINDOW] {
        let mut all = [0; WINDOW];
        for ((arn, text), filled) in
            arn.as_chunks().0.iter().zip(self.text.as_chunks().0).zip(self.filled.as_chunks().0)
        {
            let fields: (&[u8; WINDOW], &[u8; WINDOW], &[u8; WINDOW]) = (arn, text, filled);
            for ((all, arn), (text, filled)) in all.iter_mut().zip(fields.0).zip(fields.1.iter().zip(fields.2)) {
                *all |= (arn ^ text) & filled;
            }
        }
        all
    }

    #[inline(never)]
    fn recognize_rare(&self, text: &[u8], user: Span, arn: Span) -> Option<u128> {
        let (user, arn) = (user.of(text), arn.of(text));
        let beginning = self.text.get(..wide(self.length)).unwrap_or_default();
        let is_good = if user == ROOT_USER {
            let prefix = beginning.strip_suffix(b"user/").unwrap_or_default();
            arn.strip_prefix(prefix) == Some(b"root")
        } else {
            let path = arn.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(user));
            let is_path = |path: &[u8]| {
                path.is_empty()
                    || (path.len() < MAX_PATH && path.ends_with(b"/") && path.iter().copied().all(is_path_byte))
            };
            (1..=MAX_USER_NAME).contains(&user.len())
                && user.iter().copied().all(is_user_name_byte)
                && path.is_some_and(is_path)
        };
        is_good.then(|| beginning_of(&window::<WINDOW>(user, 0), narrow(user.len())))
    }
}

/// A length within a window.
#[inline(always)]
fn short(length: u32) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// All bits of the bytes before `length`.
#[inline(always)]
fn up_to(index: u8, length: u8) -> u8 {
    if index < length { 0xff } else { 0 }
}

#[inline(always)]
fn is_zero(bytes: &[u8; WINDOW]) -> bool {
    bytes.as_chunks().0.iter().fold(0, |all, word| all | u64::from_le_bytes(*word)) == 0
}

/// The first sixteen bytes of a name of this length as a number that sorts as they do: zeros behind a shorter one.
#[inline(always)]
pub(crate) fn beginning_of(name: &[u8; WINDOW], length: u32) -> u128 {
    let first = name.first_chunk().map_or(0, |first| u128::from_be_bytes(*first));
    first & BEGINNINGS.get(wide(length.min(16))).copied().unwrap_or_default()
}

/// By the length of a name, the bits of its beginning.
const BEGINNINGS: [u128; 17] = {
    let bits = u128::MAX;
    let (one, two, three, four) = (bits << 120, bits << 112, bits << 104, bits << 96);
    let (five, six, seven, eight) = (bits << 88, bits << 80, bits << 72, bits << 64);
    let (nine, ten, eleven, twelve) = (bits << 56, bits << 48, bits << 40, bits << 32);
    let (thirteen, fourteen, fifteen) = (bits << 24, bits << 16, bits << 8);
    [0, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, bits]
};
