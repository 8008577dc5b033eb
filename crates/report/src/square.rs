//! Rows of numbers into columns, eight times eight at once.
//!
//! Knows numbers, and nothing of what they stand for.

#![allow(unsafe_code, reason = "registers are loaded and stored by address alone")]

/// How many rows, and how many columns, are turned at once.
pub(crate) const SIDE: usize = 8;

/// As many numbers each way.
pub(crate) type Square = [[u32; SIDE]; SIDE];

/// The same, row by row, wherever the rows are.
pub(crate) type Rows<'r> = [&'r [u32; SIDE]; SIDE];

/// The columns of rows.
#[inline(always)]
pub(crate) fn transposed(rows: &Rows<'_>) -> Square {
    let mut columns = [[0; SIDE]; SIDE];
    for (row, index) in rows.iter().zip(0..) {
        for (column, number) in columns.iter_mut().zip(*row) {
            if let Some(place) = column.get_mut(index) {
                *place = *number;
            }
        }
    }
    columns
}

/// [`transposed`] on machines with wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn transposed_by_avx2(rows: &Rows<'_>) -> Square {
    let mut columns = [[0; SIDE]; SIDE];
    let (left, right) = columns.split_at_mut(SIDE / 2);
    turn_half_by_avx2(rows.map(|row| row.first_chunk().unwrap_or(&[0; 4])), left);
    turn_half_by_avx2(rows.map(|row| row.last_chunk().unwrap_or(&[0; 4])), right);
    columns
}

/// Turns half of each row.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn turn_half_by_avx2(rows: [&[u32; 4]; SIDE], columns: &mut [[u32; SIDE]]) {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm256_set_m128i, _mm256_storeu_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
        _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    };

    // SAFETY: the address is that of sixteen bytes that are borrowed.
    let load = |half: &[u32; 4]| unsafe { _mm_loadu_si128(std::ptr::from_ref(half).cast()) };
    // What follows is done in both halves of a register alike, so that they hold rows that lie four apart.
    let [first, second, third, fourth, below @ ..] = rows.map(load);
    let [first_below, second_below, third_below, fourth_below] = below;
    let first = _mm256_set_m128i(first_below, first);
    let second = _mm256_set_m128i(second_below, second);
    let third = _mm256_set_m128i(third_below, third);
    let fourth = _mm256_set_m128i(fourth_below, fourth);
    let (left_of_two, right_of_two) = (_mm256_unpacklo_epi32(first, second), _mm256_unpackhi_epi32(first, second));
    let (left_of_others, right_of_others) =
        (_mm256_unpacklo_epi32(third, fourth), _mm256_unpackhi_epi32(third, fourth));
    let turned = [
        _mm256_unpacklo_epi64(left_of_two, left_of_others),
        _mm256_unpackhi_epi64(left_of_two, left_of_others),
        _mm256_unpacklo_epi64(right_of_two, right_of_others),
        _mm256_unpackhi_epi64(right_of_two, right_of_others),
    ];
    for (column, turned) in columns.iter_mut().zip(turned) {
        // SAFETY: the address is that of thirty-two bytes that are borrowed for writing.
        unsafe { _mm256_storeu_si256(std::ptr::from_mut(column).cast(), turned) };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_finds_its_place(rows in any::<Square>()) {
            let columns: Square = std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]));
            prop_assert_eq!(transposed(&rows.each_ref()), columns);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the machine has just been asked.
                prop_assert_eq!(unsafe { transposed_by_avx2(&rows.each_ref()) }, columns);
            }
        }
    }
}
