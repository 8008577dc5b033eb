//! Fixed numbers of bytes from anywhere in a text, so that a field is looked at in whole words and not byte by byte.
//!
//! Knows offsets, and nothing of what stands there. A window may reach beyond its field, and beyond the text.

use crate::text::wide;

/// The `N` bytes from `start`; zeros where the text has ended.
#[inline(always)]
pub(crate) fn window<const N: usize>(text: &[u8], start: u32) -> [u8; N] {
    let start = wide(start);
    match text.get(start..start.wrapping_add(N)).and_then(<[u8]>::first_chunk) {
        Some(window) => *window,
        None => window_at_end(text, start),
    }
}

/// [`window`] where it stands, so that only what is used of it is loaded; it is made in `spare` where the text has ended.
#[inline(always)]
pub(crate) fn window_in<'t, const N: usize>(text: &'t [u8], start: u32, spare: &'t mut [u8; N]) -> &'t [u8; N] {
    let start = wide(start);
    if let Some(window) = text.get(start..start.wrapping_add(N)).and_then(<[u8]>::first_chunk) {
        return window;
    }
    *spare = window_at_end(text, start);
    spare
}

#[cold]
#[inline(never)]
fn window_at_end<const N: usize>(text: &[u8], start: usize) -> [u8; N] {
    let mut window = [0; N];
    for (place, byte) in window.iter_mut().zip(text.get(start..).unwrap_or_default()) {
        *place = *byte;
    }
    window
}

/// Whether all of the first `length` bytes are `legal`. Bytes behind them do not matter.
#[inline(always)]
pub(crate) fn all<const N: usize>(window: &[u8; N], length: u32, legal: impl Fn(u8) -> bool) -> bool {
    // Without a branch and on one type, this becomes a few instructions on all bytes at once.
    let mut bad = 0_u8;
    for (byte, index) in window.iter().zip(0_u8..) {
        bad |= u8::from(!legal(*byte)) & u8::from(u32::from(index) < length);
    }
    bad == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_filled_up_with_zeros() {
        assert_eq!(window(b"abcdef", 2), *b"cdef");
        assert_eq!(window(b"abcdef", 4), *b"ef\0\0");
        assert_eq!(window(b"abcdef", 6), [0; 4]);
        assert_eq!(window(b"abcdef", u32::MAX), [0; 4]);
    }

    #[test]
    fn only_the_bytes_of_the_field_count() {
        for length in 0..=4 {
            assert_eq!(all(b"aaXa", length, |byte| byte == b'a'), length < 3, "{length}");
        }
    }
}
