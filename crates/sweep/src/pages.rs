//! Reading a list page by page: no page twice, and to an end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use orgsweep_cloud::ApiError;
use orgsweep_core::{Call, ErrorKind};

/// The code of a list that comes round to where it was.
pub(crate) const REPEATED_PAGE: &str = "RepeatedPage";

/// The code of a list whose pages are always new.
pub(crate) const ENDLESS_LIST: &str = "EndlessList";

/// Pages of one list: four times those of 50,000 accounts at twenty a page, the longest list that AWS is asked for, since it
/// may return fewer on a page or none. How long that takes is not counted, as listing waits while accounts are visited.
const MOST_PAGES: usize = 10_000;

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
    /// The page was read before, or so many were that the list seems to have no end.
    pub(crate) fn turn(&mut self, next: Option<String>) -> Result<bool, ApiError> {
        let fatal = |code, message| Err(ApiError::new(self.call, ErrorKind::Fatal, code, message));
        if let Some(next) = &next {
            if !self.seen.insert(self.hasher.hash_one(next)) {
                let message =
                    "the answer names a page as the next one that was read before, so that the list would never end";
                return fatal(REPEATED_PAGE, message.to_owned());
            }
            if self.seen.len() >= MOST_PAGES {
                let message = format!("after {MOST_PAGES} pages the answer still names another one");
                return fatal(ENDLESS_LIST, message);
            }
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

    #[test]
    fn a_list_whose_pages_are_always_new_is_an_error_of_the_call() {
        let mut pages = Pages::of(Call::ListAccounts);
        let mut turn = |page: usize| pages.turn(Some(page.to_string()));
        assert!((1..MOST_PAGES).all(|page| turn(page) == Ok(true)));
        let error = turn(MOST_PAGES).unwrap_err();
        assert_eq!((error.call, error.kind, &*error.code), (Call::ListAccounts, ErrorKind::Fatal, ENDLESS_LIST));
        assert_eq!(pages.turn(None), Ok(false), "the last page may be the last");
    }
}
