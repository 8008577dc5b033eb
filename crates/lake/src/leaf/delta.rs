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
    /// Numbers that no block holds yet, behind the last one that some block does.
    open: Vec<i64>,
    /// The blocks so far.
    blocks: Vec<u8>,
}

impl<const WIDE: bool> Deltas<WIDE> {
    /// Adds numbers.
    pub(super) fn extend(&mut self, mut numbers: &[i64]) {
        if self.count == 0 {
            self.first = numbers.first().copied().unwrap_or_default();
        }
        self.count += numbers.len() as u64;
        while !numbers.is_empty() {
            let (own, rest) = numbers.split_at(numbers.len().min(BLOCK + 1 - self.open.len()));
            self.open.extend_from_slice(own);
            if self.open.len() > BLOCK {
                self.end_block();
            }
            numbers = rest;
        }
    }

    /// Bytes so far, about.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() + self.open.len()
    }

    /// Writes all numbers, and begins again.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if self.open.len() > 1 {
            self.end_block();
        }
        for number in [BLOCK as u64, STRETCHES as u64, self.count, zigzag(self.first)] {
            write_varint(number, out);
        }
        out.extend_from_slice(&self.blocks);
        self.blocks.clear();
        self.open.clear();
        (self.count, self.first) = (0, 0);
    }

    fn end_block(&mut self) {
        let count = self.open.len() - 1;
        let deltas = self.open.iter().zip(self.open.iter().skip(1)).map(|(one, next)| next.wrapping_sub(*one));
        if WIDE {
            let mut wide = [0_i64; BLOCK];
            for (to, delta) in wide.iter_mut().zip(deltas) {
                *to = delta;
            }
            let (own, _) = wide.split_at_mut(count);
            let least = own.iter().copied().min().unwrap_or_default();
            for delta in own {
                *delta = delta.wrapping_sub(least);
            }
            write_block(least, &wide, count, i64::cast_unsigned, &mut self.blocks);
        } else {
            // All numbers fit into 32 bits, so the low 32 bits of a difference are what a reader adds.
            let mut narrow = [0_i32; BLOCK];
            for (to, delta) in narrow.iter_mut().zip(deltas) {
                *to = low(delta);
            }
            let (own, _) = narrow.split_at_mut(count);
            let least = own.iter().copied().min().unwrap_or_default();
            for delta in own {
                *delta = delta.wrapping_sub(least);
            }
            write_block(i64::from(least), &narrow, count, |delta| u64::from(delta.cast_unsigned()), &mut self.blocks);
        }
        self.open.drain(..count);
    }
}

/// Writes a block of `count` deltas, each without the least of them; those behind them are zero.
fn write_block<T: Copy>(
    least: i64,
    deltas: &[T; BLOCK],
    count: usize,
    bits: impl Fn(T) -> u64 + Copy,
    out: &mut Vec<u8>,
) {
    write_varint(zigzag(least), out);
    let width = |stretch: &[T]| u64::BITS - stretch.iter().fold(0, |all, it| all | bits(*it)).leading_zeros();
    let mut widths = [0; STRETCHES];
    for (to, stretch) in widths.iter_mut().zip(deltas.chunks(STRETCH)) {
        *to = u8::try_from(width(stretch)).unwrap_or(u8::MAX);
    }
    out.extend(widths);
    // Stretches without numbers are left out; those with some are written whole.
    for (width, stretch) in widths.into_iter().zip(deltas.chunks(STRETCH)).take(count.div_ceil(STRETCH)) {
        pack(stretch.iter().map(|delta| bits(*delta)), width, out);
    }
}

/// The low 32 bits.
fn low(number: i64) -> i32 {
    let [one, two, three, four, ..] = number.to_le_bytes();
    i32::from_le_bytes([one, two, three, four])
}

/// Small numbers are small whatever their sign.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}
