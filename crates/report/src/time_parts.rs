//! A time's digits as numbers: of `2026-09-11T13:14:52Z` its century, year, month and so on, two digits at a time.
//!
//! Knows where the digits stand, and nothing of calendars and clocks.

/// A time's numbers: the century by 128 and the year in it, the month by 64 and the day, the hour by 60 and the minute,
/// the second.
pub(crate) type Parts = [u32; 4];

/// The first twenty bytes of a time with `0` for each digit, and the greatest that each byte may be, as far as a single
/// one can say.
const PATTERN: &[u8; 19] = b"0000-00-00T00:00:00";
const GREATEST: &[u8; 19] = b"9999-19-39T29:59:59";

/// The high bit of every byte.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The numbers of a time of which the byte at 19 is `end`, and whether it is none.
#[inline(always)]
pub(crate) fn parts(time: &[u8; 32], end: u8) -> (Parts, bool) {
    let (date, date_is_bad) = pairs(word(time, 0), word(PATTERN, 0), word(GREATEST, 0));
    let (day, day_is_bad) = pairs(word(time, 8), word(PATTERN, 8), word(GREATEST, 8));
    let (second, second_is_bad) = pairs(word(time, 11), word(PATTERN, 11), word(GREATEST, 11));
    let at = |pairs: u64, byte: u32| u32::from(pairs.to_le_bytes().get(byte as usize).copied().unwrap_or_default());
    let parts =
        [at(date, 0) << 7 | at(date, 2), at(date, 5) << 6 | at(day, 0), at(day, 3) * 60 + at(day, 6), at(second, 6)];
    let is_bad = date_is_bad | day_is_bad | second_is_bad != 0 || time.get(19) != Some(&end);
    (parts, is_bad)
}

/// The eight bytes from `start`.
#[inline(always)]
const fn word(bytes: &[u8], start: usize) -> u64 {
    match bytes.split_at(start).1.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => 0,
    }
}

/// At each digit, ten times that digit and the one behind it; and not 0 if a byte is not between `pattern` and `greatest`.
#[inline(always)]
fn pairs(text: u64, pattern: u64, greatest: u64) -> (u64, u64) {
    // With the pattern taken away a digit is 0 to 9, and any other byte is 0. Adding to them what they lack to 127
    // brings every byte to 128 or more that is greater; those that were so before are seen without.
    let limits = !HIGH_BITS - (greatest ^ pattern);
    let values = text ^ pattern;
    let sums = (values & !HIGH_BITS).wrapping_add(limits);
    let tens = (values << 3).wrapping_add(values << 1);
    (tens.wrapping_add(values >> 8), (values | sums) & HIGH_BITS)
}

/// [`parts`] on machines with wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn parts_by_avx2(time: &[u8; 32], end: u8) -> (Parts, bool) {
    use std::arch::x86_64::{
        _mm_cvtsi128_si64, _mm_extract_epi64, _mm_madd_epi16, _mm_or_si128, _mm_set_epi16, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_maddubs_epi16, _mm256_set_epi64x, _mm256_set1_epi16, _mm256_shuffle_epi8,
        _mm256_sub_epi8, _mm256_subs_epu8, _mm256_testz_si256, _mm256_xor_si256,
    };

    // The lower half has the year, the upper one what is behind it.
    let halves = |bytes: [u64; 4]| {
        let [first, second, third, fourth] = bytes.map(u64::cast_signed);
        _mm256_set_epi64x(fourth, third, second, first)
    };
    let of = |bytes: &[u8], last: u64| halves([word(bytes, 0), word(bytes, 8), word(bytes, 4), last]);
    let behind = |bytes: &[u8; 19], last: u8| word(bytes, 11) >> 8 | u64::from(last) << 56;
    let text = of(time, word(time, 12));
    let values = _mm256_xor_si256(text, of(PATTERN, behind(PATTERN, end)));
    let greatest = _mm256_xor_si256(of(GREATEST, behind(GREATEST, 0)), of(PATTERN, behind(PATTERN, 0)));
    let beyond = _mm256_subs_epu8(values, greatest);
    // Whatever is there, nothing can overflow from here on.
    let values = _mm256_sub_epi8(values, beyond);
    let digits = _mm256_shuffle_epi8(values, halves(PLACES));
    let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(i16::from_le_bytes([10, 1])));
    let pairs = _mm_or_si128(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256::<1>(pairs));
    let parts = _mm_madd_epi16(pairs, _mm_set_epi16(0, 1, 1, 60, 1, 64, 1, 128));
    let (low, high) = (_mm_cvtsi128_si64(parts).cast_unsigned(), _mm_extract_epi64::<1>(parts).cast_unsigned());
    let half = |both: u64| u32::try_from(both & 0xffff_ffff).unwrap_or_default();
    ([half(low), half(low >> 32), half(high), half(high >> 32)], _mm256_testz_si256(beyond, beyond) == 0)
}

/// Where the digits of each half stand in it; with the high bit nowhere, so that it becomes 0.
#[cfg(target_arch = "x86_64")]
const PLACES: [u64; 4] = [
    u64::from_le_bytes([0, 1, 2, 3, 0x80, 0x80, 0x80, 0x80]),
    HIGH_BITS,
    u64::from_le_bytes([0x80, 0x80, 0x80, 0x80, 1, 2, 4, 5]),
    u64::from_le_bytes([7, 8, 10, 11, 13, 14, 0x80, 0x80]),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(time: [u8; 32], expected: Option<Parts>) {
        let found = |(parts, is_bad): (Parts, bool)| (!is_bad).then_some(parts);
        assert_eq!(found(parts(&time, b'Z')), expected, "{time:?}");
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has just been asked.
            #[allow(unsafe_code, reason = "the machine is asked here, which the compiler does not know")]
            let by_avx2 = unsafe { parts_by_avx2(&time, b'Z') };
            assert_eq!(found(by_avx2), expected, "{time:?}");
        }
    }

    fn window(time: &str) -> [u8; 32] {
        let mut window = [b','; 32];
        window.iter_mut().zip(time.bytes()).for_each(|(place, byte)| *place = byte);
        window
    }

    #[test]
    fn every_number_stands_where_it_belongs() {
        check(window("2026-09-11T13:14:52Z"), Some([20 * 128 + 26, 9 * 64 + 11, 13 * 60 + 14, 52]));
        check(window("9999-19-39T29:59:59Z"), Some([99 * 128 + 99, 19 * 64 + 39, 29 * 60 + 59, 59]));
        check(window("2026-09-11T13:14:52+00:00"), None);
        check(window("2026-09-11T13:14:60Z"), None);
        check(window("2026-09-11T13:14:5"), None);
    }

    proptest! {
        #[test]
        fn each_byte_is_looked_at(at in 0_usize..20, byte in any::<u8>()) {
            let mut time = window("2026-09-11T13:14:52Z");
            time[at] = byte;
            let (least, greatest) = (*PATTERN.get(at).unwrap_or(&b'Z'), *GREATEST.get(at).unwrap_or(&b'Z'));
            let (parts, _) = parts(&time, b'Z');
            check(time, (least..=greatest).contains(&byte).then_some(parts));
        }
    }
}
