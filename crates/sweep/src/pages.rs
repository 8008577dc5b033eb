//! Reading a list page by page, and no page twice.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use orgsweep_cloud::ApiError;
use orgsweep_core::{Call, ErrorKind};

/// The code of a list that does not end.
pub(crate) const REPEATED_PAGE: &str = "RepeatedPage";

/// Where a list stands that a call reads.
pub(crate) struct Pages {
    call: Call,
    token: Option<String>,
    /// Hashes of the tokens so far: some tokens are hundreds of bytes long, and two of a few thousand never have the same.
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Pages {
    /// The beginning of the list.
    pub(crate) fn of(call: Call) -> Self {
        Self { call, token: None, seen: HashSet::new(), hasher: RandomState::new() }
    }

    /// Where the next page starts; `None` for the first.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Goes on to the page that the last one names; whether there is one.
    ///
    /// # Errors
    /// The page was read before, so that the list would never end.
    pub(crate) fn turn(&mut self, next: Option<String>) -> Result<bool, ApiError> {
        if let Some(next) = &next
            && !self.seen.insert(self.hasher.hash_one(next))
        {
            let message =
                "the answer names a page as the next one that was read before, so that the list would never end";
            return Err(ApiError::new(self.call, ErrorKind::Fatal, REPEATED_PAGE, message));
        }
        self.token = next;
        Ok(self.token.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_read_before_is_an_error_of_the_call() {
        let mut pages = Pages::of(Call::ListAccounts);
        let mut turn = |token: &str| pages.turn(Some(token.to_owned())).map_err(|error| error.code);
        assert_eq!([turn("a"), turn("b")], [Ok(true), Ok(true)]);
        assert_eq!([turn("b"), turn("a")], [const { REPEATED_PAGE }; 2].map(|code| Err(code.to_owned())));
        assert_eq!(pages.token(), Some("b"));
        assert_eq!(pages.turn(None), Ok(false));
    }
}
