//! Texts without a dictionary, each page by itself: their lengths in front, and of texts that resemble their neighbours
//! only what the neighbour does not have.

use super::delta::Deltas;

/// `DELTA_BYTE_ARRAY`: how much of its beginning a text has from the one before, and the rest.
#[derive(Debug, Default)]
pub(super) struct AlikeTexts {
    shared: Deltas<false>,
    own: PlainTexts,
    last: Vec<u8>,
}

impl AlikeTexts {
    pub(super) fn push(&mut self, text: &[u8]) {
        let shared = common_prefix(&self.last, text);
        let (_, own) = text.split_at(shared);
        self.shared.push(length(shared));
        self.own.push(own);
        self.last.truncate(shared);
        self.last.extend_from_slice(own);
    }

    pub(super) fn bytes(&self) -> usize {
        self.shared.bytes() + self.own.bytes()
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.shared.end(out);
        self.own.end(out);
        self.last.clear();
    }
}

/// `DELTA_LENGTH_BYTE_ARRAY`: all lengths, then all texts.
#[derive(Debug, Default)]
pub(super) struct PlainTexts {
    lengths: Deltas<false>,
    texts: Vec<u8>,
}

impl PlainTexts {
    pub(super) fn push(&mut self, text: &[u8]) {
        self.lengths.push(length(text.len()));
        self.texts.extend_from_slice(text);
    }

    pub(super) fn bytes(&self) -> usize {
        self.lengths.bytes() + self.texts.len()
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.lengths.end(out);
        out.append(&mut self.texts);
    }
}

/// An Arrow array of texts holds less than 2 GiB.
fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let mut same = 0;
    for (one, other) in one.as_chunks().0.iter().zip(other.as_chunks().0) {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return same + differ.trailing_zeros() as usize / 8;
        }
        same += size_of::<u64>();
    }
    let rest = one.iter().skip(same).zip(other.iter().skip(same));
    same + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_as_long_as_they_are() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        for (one, other) in (0..=text.len()).flat_map(|one| (0..=text.len()).map(move |other| (one, other))) {
            assert_eq!(common_prefix(&text.as_bytes()[..one], &text.as_bytes()[..other]), one.min(other));
            let differs = format!("{}-{}", &text[..one], &text[one..]);
            assert_eq!(common_prefix(text.as_bytes(), differs.as_bytes()), one);
        }
    }
}
