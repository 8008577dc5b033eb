//! One row: its fields read by the grammar of their columns, and the first that does not fit named.
//!
//! Knows columns and values, and nothing of how the row was split.

use crate::arn::Owner;
use crate::defect::Defect;
use crate::header::{FLAGS, Layout, TIMES, WORDS};
use crate::text::{Span, Texts};
use crate::timestamp::parse_millis;
use crate::value::{
    Absence, Known, ROOT_USER, is_user_name, parse_flag, parse_known_flag, parse_known_time, parse_known_word,
};

/// A row in which every value is understood. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) user: Span,
    pub(crate) arn: Span,
    pub(crate) is_root: bool,
    pub(crate) user_creation_time: i64,
    pub(crate) password_enabled: Known<bool>,
    /// In the order of [`TIMES`].
    pub(crate) times: [Known<i64>; 9],
    /// In the order of [`FLAGS`].
    pub(crate) flags: [bool; 5],
    /// In the order of [`WORDS`].
    pub(crate) words: [Option<Span>; 4],
    pub(crate) additional_info: Option<Span>,
}

const A_TIME: &str = "a time like 2026-11-22T10:00:00Z";
const A_TIME_OR_ABSENCE: &str = "a time like 2026-11-22T10:00:00Z, N/A, no_information or not_supported";
const A_FLAG: &str = "true or false";
const A_FLAG_OR_ABSENCE: &str = "true, false or not_supported";
const A_WORD: &str = "a region or service, N/A, no_information or not_supported";
const A_USER: &str = "the name of an IAM user or <root_account>";
const AN_ARN: &str = "the ARN of the row's user";

impl Row {
    /// Reads a row whose fields lie within `bounds`, one for each column of the header.
    ///
    /// # Errors
    /// The first value outside its column's grammar; an ARN of another account only if all else is well.
    #[inline]
    pub(crate) fn parse(
        texts: &Texts<'_>,
        bounds: &[Span],
        layout: &Layout,
        owner: &mut Owner,
    ) -> Result<Self, Defect> {
        let span = |position: usize| bounds.get(position).copied().unwrap_or_default();
        let field = |position: usize| texts.bytes(span(position));
        let (user, arn) = (field(layout.user), field(layout.arn));
        if !is_user_name(user) && user != ROOT_USER {
            return Err(Defect::value("user", user, A_USER));
        }
        let identity = owner.identify(user, arn).ok_or_else(|| Defect::value("arn", arn, AN_ARN))?;
        let created = field(layout.user_creation_time);
        let password = field(layout.password_enabled);
        let row = Self {
            user: span(layout.user),
            arn: span(layout.arn),
            is_root: identity.is_root,
            user_creation_time: parse_millis(created)
                .ok_or_else(|| Defect::value("user_creation_time", created, A_TIME))?,
            password_enabled: parse_known_flag(password)
                .ok_or_else(|| Defect::value("password_enabled", password, A_FLAG_OR_ABSENCE))?,
            times: parse_times(&layout.times, field)?,
            flags: parse_flags(&layout.flags, field)?,
            words: parse_words(&layout.words, texts, span)?,
            additional_info: layout.additional_info.map(span).filter(|info| is_info(texts.bytes(*info))),
        };
        if identity.in_account { Ok(row) } else { Err(Defect::other_account(arn, owner.account().as_str())) }
    }
}

#[inline]
fn parse_times<'t>(positions: &[usize; 9], field: impl Fn(usize) -> &'t [u8]) -> Result<[Known<i64>; 9], Defect> {
    let mut times = [Err(Absence::NotApplicable); 9];
    for ((time, position), column) in times.iter_mut().zip(positions).zip(TIMES) {
        let text = field(*position);
        *time = parse_known_time(text).ok_or_else(|| Defect::value(column, text, A_TIME_OR_ABSENCE))?;
    }
    Ok(times)
}

#[inline]
fn parse_flags<'t>(positions: &[usize; 5], field: impl Fn(usize) -> &'t [u8]) -> Result<[bool; 5], Defect> {
    let mut flags = [false; 5];
    for ((flag, position), column) in flags.iter_mut().zip(positions).zip(FLAGS) {
        let text = field(*position);
        *flag = parse_flag(text).ok_or_else(|| Defect::value(column, text, A_FLAG))?;
    }
    Ok(flags)
}

#[inline]
fn parse_words(
    positions: &[usize; 4],
    texts: &Texts<'_>,
    span: impl Fn(usize) -> Span,
) -> Result<[Option<Span>; 4], Defect> {
    let mut words = [None; 4];
    for ((word, position), column) in words.iter_mut().zip(positions).zip(WORDS) {
        let span = span(*position);
        let text = texts.bytes(span);
        let known = parse_known_word(text).ok_or_else(|| Defect::value(column, text, A_WORD))?;
        *word = known.is_ok().then_some(span);
    }
    Ok(words)
}

/// Whether the free text says anything.
pub(crate) fn is_info(text: &[u8]) -> bool {
    !text.is_empty() && Absence::parse(text).is_none()
}
