//! Session tokens that carry all there is to know of a session, sealed with a key, so that sessions cost no memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orgsweep_core::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::action::Actions;
use crate::random::{Draw, Topic, UPPER};

/// What a session may do, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The account that the session is in.
    pub(crate) index: u32,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// Whether it is a root session; else it is one of the scanner role.
    pub(crate) is_root: bool,
    /// What its role and its session policy leave, or its task policy.
    pub(crate) allowed: Actions,
    /// Tells apart the sessions of one second.
    pub(crate) serial: u64,
    /// Its name.
    pub(crate) session_name: String,
}

/// The key that tokens are sealed with. It comes from the seed, so a token outlives the process that gave it.
#[derive(Debug)]
pub(crate) struct TokenKey([u8; 32]);

const SEAL_BYTES: usize = 16;
const FIXED_BYTES: usize = 4 + 8 + 1 + 2 + 8;

impl TokenKey {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed, Topic::TokenKey, 0, 0);
        let mut key = [0; 32];
        for part in key.chunks_exact_mut(8) {
            part.copy_from_slice(&draw.bits().to_be_bytes());
        }
        Self(key)
    }

    /// Seals claims into an access key id and a session token.
    pub(crate) fn seal(&self, claims: &Claims) -> (String, String) {
        let mut bytes = Vec::with_capacity(SEAL_BYTES + FIXED_BYTES + claims.session_name.len());
        bytes.extend_from_slice(&claims.index.to_be_bytes());
        bytes.extend_from_slice(&claims.expires_at.millis().to_be_bytes());
        bytes.push(u8::from(claims.is_root));
        bytes.extend_from_slice(&claims.allowed.bits().to_be_bytes());
        bytes.extend_from_slice(&claims.serial.to_be_bytes());
        bytes.extend_from_slice(claims.session_name.as_bytes());
        let seal = self.seal_of(&bytes);
        bytes.splice(0..0, seal);
        (access_key_id(seal), STANDARD.encode(&bytes))
    }

    /// The claims of a token, if it is one of ours and belongs to the access key id.
    pub(crate) fn open(&self, access_key: &str, token: &str) -> Option<Claims> {
        let bytes = STANDARD.decode(token).ok()?;
        let (seal, rest) = bytes.split_first_chunk::<SEAL_BYTES>()?;
        if *seal != self.seal_of(rest) || access_key != access_key_id(*seal) {
            return None;
        }
        let (index, rest) = rest.split_first_chunk()?;
        let (expires_at, rest) = rest.split_first_chunk()?;
        let ([is_root], rest) = rest.split_first_chunk()?;
        let (allowed, rest) = rest.split_first_chunk()?;
        let (serial, session_name) = rest.split_first_chunk()?;
        Some(Claims {
            index: u32::from_be_bytes(*index),
            expires_at: Timestamp::from_millis(i64::from_be_bytes(*expires_at)),
            is_root: *is_root == 1,
            allowed: Actions::from_bits(u16::from_be_bytes(*allowed)),
            serial: u64::from_be_bytes(*serial),
            session_name: String::from_utf8(session_name.to_vec()).ok()?,
        })
    }

    /// A keyed hash, cut to the seal's length: since the key stands first and the hash is cut, nobody can go on from
    /// one seal to that of a longer text.
    fn seal_of(&self, bytes: &[u8]) -> [u8; SEAL_BYTES] {
        let hash = Sha256::new().chain_update(self.0).chain_update(bytes).finalize();
        let mut seal = [0; SEAL_BYTES];
        seal.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        seal
    }
}

/// `ASIA…`, made from the seal, so that it belongs to one token.
fn access_key_id(seal: [u8; SEAL_BYTES]) -> String {
    let letter = |byte: u8| UPPER.get(usize::from(byte) % UPPER.len()).copied().unwrap_or(b'A');
    "ASIA".chars().chain(seal.into_iter().map(|byte| char::from(letter(byte)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            index: 7,
            expires_at: Timestamp::from_millis(1_800_000_000_000),
            is_root: false,
            allowed: Actions::all(),
            serial: 3,
            session_name: "orgsweep".to_owned(),
        }
    }

    #[test]
    fn what_is_sealed_is_what_is_opened() {
        let key = TokenKey::new(7);
        let (access_key, token) = key.seal(&claims());
        assert_eq!(access_key.len(), 20);
        assert_eq!(key.open(&access_key, &token), Some(claims()));
    }

    #[test]
    fn a_token_that_was_changed_or_belongs_to_another_key_opens_nothing() {
        let key = TokenKey::new(7);
        let (access_key, token) = key.seal(&claims());
        let (other_access_key, other_token) = key.seal(&Claims { serial: 4, ..claims() });
        assert_eq!(key.open(&other_access_key, &token), None);
        assert_eq!(key.open(&access_key, &other_token), None);
        assert_eq!(TokenKey::new(8).open(&access_key, &token), None);
        for place in 0..token.len() {
            let mut letters = token.clone().into_bytes();
            letters[place] = if letters[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(letters).unwrap();
            // The last letter carries two bits that mean nothing; a strict decoder refuses them all the same.
            assert_eq!(key.open(&access_key, &changed), None, "{place}");
        }
        for nonsense in ["", "====", "AAAA", "not base64"] {
            assert_eq!(key.open(&access_key, nonsense), None, "{nonsense}");
        }
    }
}
