//! Parquet's hybrid of run lengths and bit packing, for levels and for keys of dictionaries.
//!
//! Values are looked at in groups of eight, which is what is packed together. Groups of one value are a run where there are
//! enough of them; all others are packed.

use std::ops::Range;

/// Values that are packed together.
const GROUP: usize = 8;

/// Writes keys that take `width` bits each at most.
pub(super) fn write(keys: &[u32], width: u8, out: &mut Vec<u8>) {
    let (groups, _) = keys.as_chunks::<GROUP>();
    let run = |at: usize| {
        let [first, others @ ..] = groups.get(at)?;
        (others.iter().fold(0, |differ, other| differ | (other ^ first)) == 0).then_some(*first)
    };
    let pack = |own: Range<usize>, out: &mut Vec<u8>| {
        let end = out.len() + own.len() * usize::from(width);
        let own = keys.get(own.start * GROUP..keys.len().min(own.end * GROUP)).unwrap_or_default();
        pack(own.iter().map(|key| u64::from(*key)), width, out);
        out.resize(end, 0);
    };
    write_groups(keys.len(), width, run, pack, out);
}

/// Writes single bits, of which `bytes` holds `len` and no others.
pub(super) fn write_bits(bytes: &[u8], len: usize, out: &mut Vec<u8>) {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    write_groups(len, 1, |at| uniform(byte(at)), |groups, out| out.extend(groups.map(byte)), out);
}

/// Writes values of two bits, which lie apart: the low bits of `len` of them, and the high ones.
pub(super) fn write_pairs(low: &[u8], high: &[u8], len: usize, out: &mut Vec<u8>) {
    let bytes = |at: usize| (low.get(at).copied().unwrap_or_default(), high.get(at).copied().unwrap_or_default());
    let run = |at: usize| {
        let (low, high) = bytes(at);
        Some(uniform(low)? | uniform(high)? << 1)
    };
    let pack = |groups: Range<usize>, out: &mut Vec<u8>| {
        for (low, high) in groups.map(bytes) {
            out.extend((spread(low) | spread(high) << 1).to_le_bytes());
        }
    };
    write_groups(len, 2, run, pack, out);
}

/// Writes `len` values of this width, group by group: `run` says which value all of a group are, if they are one, and `pack`
/// writes groups side by side.
fn write_groups(
    len: usize,
    width: u8,
    run: impl Fn(usize) -> Option<u32>,
    pack: impl Fn(Range<usize>, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    /// Bytes from which on groups take more room than a run, and what comes behind it, whatever its length.
    const LEAST_BYTES: usize = 8;
    let least_run = LEAST_BYTES.div_ceil(usize::from(width));
    let whole = len / GROUP;
    let pack = |groups: Range<usize>, out: &mut Vec<u8>| {
        if !groups.is_empty() {
            write_varint(groups.len() as u64 * 2 + 1, out);
            pack(groups, out);
        }
    };
    // Where what is not written begins, and which of its groups is looked at.
    let (mut open, mut at) = (0, 0);
    while at < whole {
        let Some(value) = run(at) else {
            at += 1;
            continue;
        };
        let end = (at..whole).find(|group| run(*group) != Some(value)).unwrap_or(whole);
        if end - at >= least_run {
            pack(open..at, out);
            write_run((end - at) * GROUP, value, width, out);
            open = end;
        }
        at = end;
    }
    pack(open..len.div_ceil(GROUP), out);
}

/// The bit that all of them are.
fn uniform(bits: u8) -> Option<u32> {
    matches!(bits, 0 | 0xff).then_some(u32::from(bits & 1))
}

/// Bits with a gap behind each.
fn spread(bits: u8) -> u16 {
    let bits = u16::from(bits);
    let bits = (bits | bits << 4) & 0x0f0f;
    let bits = (bits | bits << 2) & 0x3333;
    (bits | bits << 1) & 0x5555
}

fn write_run(length: usize, value: u32, width: u8, out: &mut Vec<u8>) {
    write_varint(length as u64 * 2, out);
    out.extend(value.to_le_bytes().iter().take(usize::from(width.div_ceil(8))));
}

/// Puts values side by side, from the lowest bit on, each `width` bits wide at most; the last byte is filled up.
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let width = u32::from(width);
    if width == 0 {
        return;
    }
    let (mut word, mut filled) = (0_u64, 0);
    for value in values {
        word |= value << filled;
        filled += width;
        if filled >= u64::BITS {
            out.extend_from_slice(&word.to_le_bytes());
            filled -= u64::BITS;
            word = if filled == 0 { 0 } else { value >> (width - filled) };
        }
    }
    out.extend(word.to_le_bytes().iter().take(filled.div_ceil(8) as usize));
}

/// Writes a number in groups of seven bits, the lowest first.
pub(super) fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader makes of it, by the format's own words.
    fn read(mut bytes: &[u8], width: u8, len: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < len {
            let header = read_varint(&mut bytes);
            if header & 1 == 0 {
                let mut value = [0; 4];
                let (own, rest) = bytes.split_at(usize::from(width.div_ceil(8)));
                value[..own.len()].copy_from_slice(own);
                bytes = rest;
                values.extend(std::iter::repeat_n(u32::from_le_bytes(value), usize::try_from(header >> 1).unwrap()));
            } else {
                let groups = usize::try_from(header >> 1).unwrap();
                let (own, rest) = bytes.split_at(groups * usize::from(width));
                bytes = rest;
                let bit = |at: usize| u32::from(own[at / 8] >> (at % 8) & 1);
                let value = |at: usize| {
                    (0..width).map(|place| bit(at * usize::from(width) + usize::from(place)) << place).sum::<u32>()
                };
                values.extend((0..groups * 8).map(value));
            }
        }
        assert!(bytes.is_empty());
        values.truncate(len);
        values
    }

    fn read_varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for place in 0.. {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            number |= u64::from(first & 0x7f) << (7 * place);
            if first & 0x80 == 0 {
                break;
            }
        }
        number
    }

    /// Runs of all lengths, one behind the other.
    fn runs(most: u32) -> impl Strategy<Value = Vec<u32>> {
        let run = (0..=most, 1..40_usize).prop_map(|(value, length)| vec![value; length]);
        prop::collection::vec(run, 0..20).prop_map(|runs| runs.concat())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read((width, values) in (1..=20_u8).prop_flat_map(|width| (Just(width), runs((1 << width) - 1)))) {
            let mut written = Vec::new();
            write(&values, width, &mut written);
            prop_assert_eq!(read(&written, width, values.len()), values);
        }

        #[test]
        fn bits_are_read_as_they_were(values in runs(1)) {
            let mut bytes = Vec::new();
            pack(values.iter().map(|value| u64::from(*value)), 1, &mut bytes);
            let mut written = Vec::new();
            write_bits(&bytes, values.len(), &mut written);
            prop_assert_eq!(read(&written, 1, values.len()), values);
        }

        #[test]
        fn pairs_are_read_as_they_were(values in runs(3)) {
            let [low, high] = [0, 1].map(|place| {
                let mut bytes = Vec::new();
                pack(values.iter().map(|value| u64::from(value >> place & 1)), 1, &mut bytes);
                bytes
            });
            let mut written = Vec::new();
            write_pairs(&low, &high, values.len(), &mut written);
            prop_assert_eq!(read(&written, 2, values.len()), values);
        }
    }

    #[test]
    fn a_run_takes_the_space_of_one_value() {
        let mut written = Vec::new();
        write(&vec![5_u32; 20_000], 3, &mut written);
        assert_eq!(written.len(), 4);
        written.clear();
        write_bits(&[0xff; 2500], 20_000, &mut written);
        assert_eq!(written.len(), 4);
    }
}
