//! Parquet's `DELTA_BINARY_PACKED`: whole numbers as what each adds to the one before, as few bits wide as a stretch of
//! them needs.

use super::hybrid::{pack, write_varint};

/// Deltas of one block, which share the least delta.
const BLOCK: usize = 256;

/// Stretches of a block, each of a width of its own.
const STRETCHES: usize = 4;

/// Deltas of a stretch.
const STRETCH: usize = BLOCK / STRETCHES;

/// The numbers of one page, growing. `WIDE` numbers have 64 bits, others 32, in which their deltas wrap.
#[derive(Debug, Default)]
pub(super) struct Deltas<const WIDE: bool> {
    /// How many numbers there are.
    count: u64,
    first: i64,
    last: i64,
    /// Deltas that no block holds yet.
    open: Vec<i64>,
    /// The blocks so far.
    blocks: Vec<u8>,
}

impl<const WIDE: bool> Deltas<WIDE> {
    #[inline]
    pub(super) fn push(&mut self, number: i64) {
        if self.count == 0 {
            self.first = number;
        } else {
            let delta = number.wrapping_sub(self.last);
            // Both fit into 32 bits, so the low 32 bits of their difference are what a narrow reader adds.
            self.open.push(if WIDE { delta } else { i64::from(low(delta).cast_signed()) });
            if self.open.len() == BLOCK {
                self.end_block();
            }
        }
        self.last = number;
        self.count += 1;
    }

    /// Bytes so far, about.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() + self.open.len()
    }

    /// Writes all numbers, and begins again.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if !self.open.is_empty() {
            self.end_block();
        }
        for number in [BLOCK as u64, STRETCHES as u64, self.count, zigzag(self.first)] {
            write_varint(number, out);
        }
        out.extend_from_slice(&self.blocks);
        self.blocks.clear();
        (self.count, self.first) = (0, 0);
    }

    fn end_block(&mut self) {
        let least = self.open.iter().copied().min().unwrap_or_default();
        write_varint(zigzag(least), &mut self.blocks);
        let beyond = |delta: &i64| {
            let beyond = delta.wrapping_sub(least);
            if WIDE { beyond.cast_unsigned() } else { u64::from(low(beyond)) }
        };
        let bits = |stretch: &[i64]| u64::BITS - stretch.iter().map(beyond).fold(0, |all, it| all | it).leading_zeros();
        let mut widths = [0; STRETCHES];
        for (width, stretch) in widths.iter_mut().zip(self.open.chunks(STRETCH)) {
            *width = u8::try_from(bits(stretch)).unwrap_or(u8::MAX);
        }
        self.blocks.extend(widths);
        for (width, stretch) in widths.into_iter().zip(self.open.chunks(STRETCH)) {
            let end = self.blocks.len() + STRETCH / 8 * usize::from(width);
            pack(stretch.iter().map(beyond), width, &mut self.blocks);
            self.blocks.resize(end, 0);
        }
        self.open.clear();
    }
}

/// The low 32 bits.
fn low(number: i64) -> u32 {
    let [one, two, three, four, ..] = number.to_le_bytes();
    u32::from_le_bytes([one, two, three, four])
}

/// Small numbers are small whatever their sign.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}
