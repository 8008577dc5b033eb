//! Small changes to an input, of the kinds that mean something to a parser of reports.

use std::ops::Range;

use fastrand::Rng;

/// What may turn up in a report, or is nearly that.
const PIECES: [&[u8]; 36] = [
    b",",
    b"\"",
    b"\"\"",
    b"\",\"",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc3",
    "ä漢".as_bytes(),
    b"\xef\xbb\xbf",
    b" ",
    b"/",
    b",arn:",
    b"N/A",
    b"n/a",
    b"no_information",
    b"not_supported",
    b"NOT_SUPPORTED",
    b"true",
    b"FALSE",
    b"tru",
    b"2026-09-11T13:14:52Z",
    b"2026-02-29T13:14:52Z",
    b"2015-04-16T15:14:00+00:00",
    b"2015-04-16T15:14:00-00:00",
    b"2026-12-31T23:59:60Z",
    b"2026-09-11T13:14:52.123456Z",
    b"us-gov-east-1",
    b"ap-southeast-1",
    b"a-service-whose-name-has-more-than-32-bytes",
    b"<root_account>",
    b"arn:aws:iam::111122223333:user/",
    b"arn:aws-us-gov:iam::999999999999:user/p/",
    b"additional_credentials_info",
];

/// Changes the input once; `others` are there to take from.
pub(crate) fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Rng) {
    match random.u8(..12) {
        0 if !input.is_empty() => {
            let at = random.usize(..input.len());
            input[at] ^= 1 << random.u8(..8);
        }
        1 => insert(input, &[random.u8(..)], random),
        2 | 3 => insert(input, PIECES[random.usize(..PIECES.len())], random),
        4 => replace_field(input, PIECES[random.usize(..PIECES.len())], random),
        5 => {
            let other = &others[random.usize(..others.len())];
            let piece = other[some_field(other, random)].to_vec();
            replace_field(input, &piece, random);
        }
        6 => {
            let start = random.usize(..=input.len());
            let end = (start + random.usize(..20)).min(input.len());
            input.drain(start..end);
        }
        7 => input.truncate(random.usize(..=input.len())),
        8 => repeat_line(input, random),
        9 => swap_lines(input, random),
        10 => move_column(input, random),
        _ => {
            let other = &others[random.usize(..others.len())];
            let line = lines(other)[random.usize(..lines(other).len())].to_vec();
            input.push(b'\n');
            input.extend_from_slice(&line);
        }
    }
}

fn insert(input: &mut Vec<u8>, piece: &[u8], random: &mut Rng) {
    let at = random.usize(..=input.len());
    input.splice(at..at, piece.iter().copied());
}

fn some_field(input: &[u8], random: &mut Rng) -> Range<usize> {
    let at = random.usize(..=input.len());
    let is_separator = |byte: &u8| matches!(byte, b',' | b'\n');
    let start = input[..at].iter().rposition(is_separator).map_or(0, |before| before + 1);
    let end = input[at..].iter().position(is_separator).map_or(input.len(), |behind| at + behind);
    start..end
}

fn replace_field(input: &mut Vec<u8>, piece: &[u8], random: &mut Rng) {
    let field = some_field(input, random);
    input.splice(field, piece.iter().copied());
}

fn lines(input: &[u8]) -> Vec<&[u8]> {
    input.split(|byte| *byte == b'\n').collect()
}

/// Repeats a line with other names, so that there are more rows than are read together.
fn repeat_line(input: &mut Vec<u8>, random: &mut Rng) {
    let line = lines(input)[random.usize(..lines(input).len())].to_vec();
    let text = String::from_utf8_lossy(&line).into_owned();
    let user = text.split(',').next().unwrap_or_default().to_owned();
    for _ in 0..random.u8(..100) {
        let name = format!("{user}{}", random.alphanumeric());
        let row = if user.is_empty() { text.clone() } else { text.replace(&user, &name) };
        input.push(b'\n');
        input.extend_from_slice(row.as_bytes());
    }
}

fn swap_lines(input: &mut Vec<u8>, random: &mut Rng) {
    let mut lines = lines(input);
    let (left, right) = (random.usize(..lines.len()), random.usize(..lines.len()));
    lines.swap(left, right);
    *input = lines.join(&b'\n');
}

/// Moves a column to another place in every line that has it.
fn move_column(input: &mut Vec<u8>, random: &mut Rng) {
    let (from, to) = (random.usize(..24), random.usize(..24));
    let moved = lines(input).into_iter().map(|line| {
        let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b',').collect();
        if from < fields.len() && to < fields.len() {
            let field = fields.remove(from);
            fields.insert(to, field);
        }
        fields.join(&b',')
    });
    *input = moved.collect::<Vec<_>>().join(&b'\n');
}
