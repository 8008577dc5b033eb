//! The texts that a column chunk has, each once, and the keys of a page's values.

use ahash::RandomState;
use hashbrown::HashTable;

use super::hybrid;

/// The dictionary of a column chunk, growing, and the keys of the page in the making.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Keys by their text's hash.
    keys: HashTable<u32>,
    hasher: RandomState,
    texts: Vec<u8>,
    /// Where the text of each key ends.
    ends: Vec<usize>,
    /// Pages that have ended before the one that has each key's text last.
    pages: Vec<u32>,
    page: u32,
    /// The keys of the page's values.
    values: Vec<u32>,
    /// The key that came behind each key when it came last: columns repeat values, and lists whole rows of them.
    followers: Vec<u32>,
    last: u32,
}

/// How a text stands in its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The page has it already.
    InPage,
    /// The page did not have it yet.
    InChunk,
    /// Nor did the chunk.
    Never,
}

impl Dictionary {
    pub(super) fn new() -> Self {
        Self {
            keys: HashTable::new(),
            // Keys are given in the order in which their texts come, so the seeds change no byte.
            hasher: RandomState::with_seeds(1, 2, 3, 4),
            texts: Vec::new(),
            ends: Vec::new(),
            pages: Vec::new(),
            page: 0,
            values: Vec::new(),
            followers: Vec::new(),
            last: 0,
        }
    }

    pub(super) fn push(&mut self, text: &[u8]) -> Seen {
        let follower = self.followers.get_mut(self.last as usize);
        let (key, seen) = match follower {
            Some(follower) if text_of(&self.texts, &self.ends, *follower) == text => {
                let key = *follower;
                (key, self.see(key))
            }
            _ => self.look_up(text),
        };
        self.last = key;
        self.values.push(key);
        seen
    }

    /// The key of a text that does not come behind the one before it as it did before.
    fn look_up(&mut self, text: &[u8]) -> (u32, Seen) {
        let hash = self.hasher.hash_one(text);
        let (key, seen) = match self.keys.find(hash, |key| text_of(&self.texts, &self.ends, *key) == text).copied() {
            Some(key) => (key, self.see(key)),
            None => (self.insert(hash, text), Seen::Never),
        };
        if let Some(follower) = self.followers.get_mut(self.last as usize) {
            *follower = key;
        }
        (key, seen)
    }

    fn insert(&mut self, hash: u64, text: &[u8]) -> u32 {
        let key = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len());
        self.pages.push(self.page);
        self.followers.push(key);
        let Self { keys, hasher, texts, ends, .. } = self;
        keys.insert_unique(hash, key, |key| hasher.hash_one(text_of(texts, ends, *key)));
        key
    }

    /// Notes that the page has the text of this key.
    fn see(&mut self, key: u32) -> Seen {
        match self.pages.get_mut(key as usize) {
            Some(page) if *page != self.page => {
                *page = self.page;
                Seen::InChunk
            }
            _ => Seen::InPage,
        }
    }

    fn text(&self, key: u32) -> &[u8] {
        text_of(&self.texts, &self.ends, key)
    }

    /// Bytes of the page so far, at most.
    pub(super) fn page_bytes(&self) -> usize {
        self.values.len() * size_of::<u32>()
    }

    /// Bytes that the dictionary takes as a page.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len() + self.ends.len() * size_of::<u32>()
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Writes the keys of the page's values, and begins the next page.
    pub(super) fn end_page(&mut self, out: &mut Vec<u8>) {
        let most = u32::try_from(self.ends.len()).unwrap_or(u32::MAX).saturating_sub(1);
        // Not every reader takes keys without bits.
        let width = u8::try_from(u32::BITS - most.leading_zeros()).unwrap_or(u8::MAX).max(1);
        out.push(width);
        hybrid::write(&self.values, width, out);
        self.values.clear();
        self.page += 1;
    }

    /// The texts by their keys, each with its length in front.
    pub(super) fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.bytes());
        for key in (0..).take(self.len()) {
            let text = self.text(key);
            plain.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            plain.extend_from_slice(text);
        }
        plain
    }
}

fn text_of<'a>(texts: &'a [u8], ends: &[usize], key: u32) -> &'a [u8] {
    let key = key as usize;
    let start = key.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or_default();
    let end = ends.get(key).copied().unwrap_or_default();
    texts.get(start..end).unwrap_or_default()
}
