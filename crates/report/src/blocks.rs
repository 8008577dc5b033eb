//! Sixty-four bytes at a time: one bit for each byte that is a comma or a newline.
//!
//! Knows bytes, and nothing of lines or fields. On x86-64 this is SSE2, which every such machine has, so that nothing
//! needs to be asked at run time; elsewhere whole words do.

#![allow(unsafe_code, reason = "the compiler does not take for granted what every machine of the target has")]

/// Which bytes of a block are which, the first byte in the lowest bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Commas and newlines.
    pub(crate) separators: u64,
    pub(crate) newlines: u64,
    /// Not 0 if any byte is a quote or not ASCII.
    pub(crate) rare: u64,
}

/// Finds the separators of a block.
#[inline(always)]
pub(crate) fn masks(block: &[u8; 64]) -> Masks {
    let [commas, newlines, quotes] = find(block, *b",\n\"");
    Masks { separators: commas | newlines, newlines, rare: if block.is_ascii() { quotes } else { u64::MAX } }
}

/// [`masks`] on machines with wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn masks_by_avx2(block: &[u8; 64]) -> Masks {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
    };

    let halves = halves(block).map(|[first, second, third, fourth]| _mm256_set_epi64x(fourth, third, second, first));
    let find = |byte: u8| halves.map(|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte.cast_signed())));
    let either = |[low, high]: [__m256i; 2], [or_low, or_high]: [__m256i; 2]| {
        [_mm256_or_si256(low, or_low), _mm256_or_si256(high, or_high)]
    };
    let mask = |bytes: [__m256i; 2]| {
        let [low, high] = bytes.map(|half| u64::from(_mm256_movemask_epi8(half).cast_unsigned()));
        low | high << 32
    };
    let newlines = find(b'\n');
    // The high bit of each byte counts, which no ASCII has.
    let [low, high] = either(find(b'"'), halves);
    Masks {
        separators: mask(either(find(b','), newlines)),
        newlines: mask(newlines),
        rare: u64::from(_mm256_movemask_epi8(_mm256_or_si256(low, high)).cast_unsigned()),
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn halves(block: &[u8; 64]) -> [[i64; 4]; 2] {
    let mut halves = [[0; 4]; 2];
    for (word, bytes) in halves.iter_mut().flatten().zip(block.as_chunks().0) {
        *word = i64::from_le_bytes(*bytes);
    }
    halves
}

/// Asks for the memory at this offset, if there is any, so that it is at hand when it is read.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn fetch(text: &[u8], offset: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: this is a hint, for which any address will do.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(text.as_ptr().wrapping_add(offset).cast()) };
}

/// Elsewhere what the machine does by itself has to do.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn fetch(_: &[u8], _: usize) {}

/// Writes the offset of each bit, in order. What lies behind the last one among sixteen is of no use.
#[inline(always)]
pub(crate) fn write_offsets(mut bits: u64, at: u32, room: &mut [u32; 64]) {
    for group in room.as_chunks_mut::<16>().0 {
        for place in group {
            *place = at.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            return;
        }
    }
}

/// A bit for each byte that is zero.
#[inline(always)]
pub(crate) fn zeros(block: &[u8; 64]) -> u64 {
    let [zeros] = find(block, [0]);
    zeros
}

/// For each of the `wanted` bytes, where in the block it stands.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn find<const N: usize>(block: &[u8; 64], wanted: [u8; N]) -> [u64; N] {
    // SAFETY: SSE2 is part of x86-64, so that every machine that runs this has it.
    unsafe { find_by_sse2(block, wanted) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn find_by_sse2<const N: usize>(block: &[u8; 64], wanted: [u8; N]) -> [u64; N] {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};

    let mut found = [0; N];
    for (quarter, shift) in block.as_chunks::<16>().0.iter().zip([0, 16, 32, 48]) {
        let [low, high] = quarter.as_chunks().0 else {
            continue;
        };
        let bytes = _mm_set_epi64x(i64::from_le_bytes(*high), i64::from_le_bytes(*low));
        for (mask, byte) in found.iter_mut().zip(wanted) {
            let equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
            *mask |= u64::from(_mm_movemask_epi8(equal).cast_unsigned()) << shift;
        }
    }
    found
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn find<const N: usize>(block: &[u8; 64], wanted: [u8; N]) -> [u64; N] {
    find_in_words(block, wanted)
}

/// [`find`] in eight words. The high bit of a byte that is there is brought together by a multiplication, which moves
/// the bit of byte `i` to bit `56 + i`.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn find_in_words<const N: usize>(block: &[u8; 64], wanted: [u8; N]) -> [u64; N] {
    const LOW_BITS: u64 = u64::from_le_bytes([0x7f; 8]);
    const TOGETHER: u64 = 0x0102_0408_1020_4080;
    let mut found = [0; N];
    for (bytes, shift) in block.as_chunks().0.iter().zip([0, 8, 16, 24, 32, 40, 48, 56]) {
        for (mask, byte) in found.iter_mut().zip(wanted) {
            // A byte that is wanted becomes zero. Adding 0x7f to the low seven bits carries into the high bit of every
            // byte that is not zero and never beyond, so the answer is exact.
            let differing = u64::from_le_bytes(*bytes) ^ u64::from_le_bytes([byte; 8]);
            let highs = !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS);
            *mask |= ((highs >> 7).wrapping_mul(TOGETHER) >> 56) << shift;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plainly(block: &[u8; 64], wanted: u8) -> u64 {
        block.iter().zip(0..).fold(0, |mask, (byte, index)| mask | (u64::from(*byte == wanted) << index))
    }

    proptest! {
        #[test]
        fn every_way_finds_the_same(
            block in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b",-+\n\"\0\x01\x80\xac".to_vec())], 64),
        ) {
            let block: &[u8; 64] = block.as_slice().try_into().unwrap();
            let [commas, newlines, quotes] = [plainly(block, b','), plainly(block, b'\n'), plainly(block, b'"')];
            let check = |masks: Masks| {
                prop_assert_eq!([masks.separators, masks.newlines], [commas | newlines, newlines]);
                prop_assert_eq!(masks.rare == 0, quotes == 0 && block.is_ascii());
                Ok(())
            };
            check(masks(block))?;
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the machine has just been asked.
                check(unsafe { masks_by_avx2(block) })?;
            }
            prop_assert_eq!(zeros(block), plainly(block, 0));
            prop_assert_eq!(find_in_words(block, *b",\n\""), [commas, newlines, quotes]);
        }
    }
}
