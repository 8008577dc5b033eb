//! How an answer gets to whoever asked: mostly whole and at once.

use std::time::Duration;

/// How an answer is delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Whole, at once.
    #[default]
    Whole,
    /// Whole, its body taking this long.
    Late(Duration),
    /// Not at all, though the connection stays.
    Never,
    /// Not at all: the connection is reset.
    Reset,
    /// Its head, and half of its body; then the connection is closed.
    CutOff,
    /// In its place, [`PROXY_PAGE`] with this HTTP status.
    Html(u16),
    /// In place of its body, [`GARBAGE`].
    Garbage,
}

/// What a proxy says when it does not reach the server behind it.
pub const PROXY_PAGE: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n\
    <center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n";

/// A body that no protocol reads: compressed, with nothing to say so, as from a proxy that loses the header.
pub const GARBAGE: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xb3\xc9\x28\xc9\xcd\xb1\xb3\x49\xca\x4f\xa9\xb4\xb3\xc9\x30\xb4\x0b\xcf";
