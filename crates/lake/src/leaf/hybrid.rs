//! Parquet's hybrid of run lengths and bit packing, for levels and for keys of dictionaries.
//!
//! Eight values and more that are the same are a run. All others are packed in groups of eight, so a run of values of
//! which some complete the group before it begins behind them.

/// Values that are packed together.
const GROUP: usize = 8;

/// Writes values that take `width` bits each at most.
pub(super) fn write<T: Copy + PartialEq + Into<u32>>(values: &[T], width: u8, out: &mut Vec<u8>) {
    // What is not written yet, and how much of that is no run.
    let (mut rest, mut packed) = (values, 0);
    while packed < rest.len() {
        let run = run_length(rest.get(packed..).unwrap_or_default());
        // Values of the run that complete the last packed group are packed with it.
        let completing = packed.next_multiple_of(GROUP) - packed;
        if run < completing + GROUP {
            packed += run;
            continue;
        }
        let (before, behind) = rest.split_at(packed + completing);
        write_packed(before, width, out);
        let (same, behind) = behind.split_at(run - completing);
        if let Some(value) = same.first() {
            write_run(same.len(), (*value).into(), width, out);
        }
        (rest, packed) = (behind, 0);
    }
    write_packed(rest, width, out);
}

/// Writes single bits, of which `bytes` holds `len` and no others.
pub(super) fn write_bits(bytes: &[u8], len: usize, out: &mut Vec<u8>) {
    /// Whole bytes from which on a run takes less room than they do, whatever its length.
    const LEAST_RUN: usize = 8;
    let whole = len / GROUP;
    // What is not written yet, and how much of that is no run.
    let (mut rest, mut packed) = (bytes, 0);
    let mut at = 0;
    while at < whole {
        let ahead = rest.get(packed..packed + whole - at).unwrap_or_default();
        let run = ahead.first().filter(|byte| matches!(byte, 0 | 0xff)).map_or(1, |_| run_length(ahead));
        at += run;
        if run < LEAST_RUN {
            packed += run;
            continue;
        }
        let (before, behind) = rest.split_at(packed);
        write_packed_bits(before, out);
        let (same, behind) = behind.split_at(run);
        let value = same.first().copied().unwrap_or_default();
        // Bits behind the last whole byte belong to the run where it goes on.
        let more =
            if at == whole { behind.first().map_or(0, |last| rest_of_run(*last, len % GROUP, value)) } else { 0 };
        write_run(run * GROUP + more, u32::from(value & 1), 1, out);
        (rest, packed) = (if more > 0 { &[] } else { behind }, 0);
    }
    write_packed_bits(rest, out);
}

/// The `count` lowest bits of the last byte, if all of them go on with the run of `value`.
fn rest_of_run(last: u8, count: usize, value: u8) -> usize {
    let mask = (1_u8 << count) - 1;
    if last & mask == value & mask { count } else { 0 }
}

fn run_length<T: Copy + PartialEq>(values: &[T]) -> usize {
    values.first().map_or(0, |first| values.iter().position(|value| value != first).unwrap_or(values.len()))
}

fn write_run(length: usize, value: u32, width: u8, out: &mut Vec<u8>) {
    write_varint(length as u64 * 2, out);
    out.extend(value.to_le_bytes().iter().take(usize::from(width.div_ceil(8))));
}

fn write_packed<T: Copy + Into<u32>>(values: &[T], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(GROUP);
    write_varint(groups as u64 * 2 + 1, out);
    let end = out.len() + groups * usize::from(width);
    pack(values.iter().map(|value| u64::from((*value).into())), width, out);
    out.resize(end, 0);
}

fn write_packed_bits(bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        write_varint(bytes.len() as u64 * 2 + 1, out);
        out.extend_from_slice(bytes);
    }
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
