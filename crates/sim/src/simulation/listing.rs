//! Pages: where one starts, and the opaque texts that say where the next one does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::request::PageRequest;

/// IAM's page, where nobody says otherwise.
const DEFAULT_ITEMS: u32 = 100;

/// The largest page of IAM.
const MOST_ITEMS: u32 = 1000;

/// Where a page starts, and whether an empty page was served there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageStart {
    pub(super) index: u32,
    pub(super) is_behind_empty_page: bool,
}

impl PageStart {
    pub(super) const FIRST: Self = Self { index: 0, is_behind_empty_page: false };

    /// The opaque text that stands for this place.
    pub(super) fn token(self) -> String {
        let mut bytes = *b"page\0\0\0\0\0";
        let place = self.index.to_be_bytes().into_iter().chain([u8::from(self.is_behind_empty_page)]);
        bytes.iter_mut().skip(4).zip(place).for_each(|(to, from)| *to = from);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a text stands for; `None` for a text that [`PageStart::token`] did not make.
    pub(super) fn parse(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (index, rest) = bytes.strip_prefix(b"page")?.split_first_chunk()?;
        let is_behind_empty_page = match rest {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        Some(Self { index: u32::from_be_bytes(*index), is_behind_empty_page })
    }
}

/// One page of a list as IAM cuts it, and the marker of the next page; `Err` says what is wrong with the request.
pub(super) fn cut_page<T>(items: Vec<T>, page: &PageRequest) -> Result<(Vec<T>, Option<String>), String> {
    let most = page.max_items.unwrap_or(DEFAULT_ITEMS);
    if !(1..=MOST_ITEMS).contains(&most) {
        return Err(format!("Value {most} at 'maxItems' failed to satisfy constraint: between 1 and {MOST_ITEMS}"));
    }
    let start = match page.marker.as_deref() {
        None => PageStart::FIRST,
        Some(marker) => PageStart::parse(marker).ok_or_else(|| format!("Invalid Marker: {marker}"))?,
    };
    let end = start.index.saturating_add(most);
    let has_more = usize::try_from(end).is_ok_and(|end| end < items.len());
    let wanted = usize::try_from(most).unwrap_or(usize::MAX);
    let items = items.into_iter().skip(usize::try_from(start.index).unwrap_or(usize::MAX)).take(wanted).collect();
    let marker = has_more.then(|| PageStart { index: end, is_behind_empty_page: false }.token());
    Ok((items, marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_for_its_place_and_nothing_else_does() {
        for (index, is_behind_empty_page) in [(0, false), (20, true), (u32::MAX, false)] {
            let start = PageStart { index, is_behind_empty_page };
            assert_eq!(PageStart::parse(&start.token()), Some(start));
        }
        for token in ["", "20", "cGFnZQ", "cGFnZQAAAAAC"] {
            assert_eq!(PageStart::parse(token), None, "{token}");
        }
    }

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let mut page = PageRequest { marker: None, max_items: Some(3) };
        let mut seen = Vec::new();
        loop {
            let (items, marker) = cut_page((0..7).collect(), &page).unwrap();
            seen.push(items);
            page.marker = marker;
            if page.marker.is_none() {
                break;
            }
        }
        assert_eq!(seen, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
        assert!(cut_page(vec![0], &PageRequest { marker: None, max_items: Some(0) }).is_err());
        assert!(cut_page(vec![0], &PageRequest { marker: Some("x".to_owned()), max_items: None }).is_err());
    }
}
