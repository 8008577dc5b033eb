//! How an answer goes over the wire, when it does not go whole and at once.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::delivery::{Delivery, GARBAGE, PROXY_PAGE};

/// How many pieces a slow body comes in.
const PIECES: u32 = 8;

/// How long a connection stays open behind half an answer, so that the half is on its way.
const BEFORE_THE_BREAK: Duration = Duration::from_millis(20);

/// How long a request is left without an answer before its connection is given up: longer than any client waits, and
/// not so long that forgotten ones pile up.
const NEVER: Duration = Duration::from_mins(15);

/// The body of an answer: at once, or piece by piece.
pub(super) type AnswerBody = Either<Full<Bytes>, Dribble>;

/// The connection is to be reset instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset")]
pub(super) struct ConnectionReset;

/// The body ends before its length.
#[derive(Debug, thiserror::Error)]
#[error("the body breaks off")]
pub(super) struct BrokenOff;

/// Delivers a whole answer as it is to be delivered.
///
/// # Errors
/// Where there is no answer and the connection goes with it.
pub(super) async fn deliver(
    whole: Response<Bytes>,
    delivery: Delivery,
) -> Result<Response<AnswerBody>, ConnectionReset> {
    let (mut head, body) = whole.into_parts();
    let at_once = |body: Bytes| Either::Left(Full::new(body));
    let body = match delivery {
        Delivery::Whole => at_once(body),
        Delivery::Reset => return Err(ConnectionReset),
        Delivery::Never => {
            sleep(NEVER).await;
            return Err(ConnectionReset);
        }
        Delivery::Garbage => {
            head.status = StatusCode::OK;
            at_once(Bytes::from_static(GARBAGE))
        }
        Delivery::Html(status) => {
            head.status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            head.headers.clear();
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            at_once(Bytes::from_static(PROXY_PAGE.as_bytes()))
        }
        Delivery::Late(time) => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            Either::Right(Dribble::late(&body, time))
        }
        Delivery::CutOff => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            Either::Right(Dribble::cut_off(&body))
        }
    };
    Ok(Response::from_parts(head, body))
}

/// A body that comes piece by piece, whole or not.
pub(super) struct Dribble {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    /// When the next piece comes, or the break.
    next: Pin<Box<Sleep>>,
    is_whole: bool,
}

impl Dribble {
    fn late(body: &Bytes, time: Duration) -> Self {
        let pause = time / PIECES;
        let piece = body.len().div_ceil(usize::try_from(PIECES).unwrap_or(1)).max(1);
        let pieces = body.chunks(piece).map(|piece| body.slice_ref(piece)).collect();
        Self { pieces, pause, next: Box::pin(sleep(pause)), is_whole: true }
    }

    fn cut_off(body: &Bytes) -> Self {
        let half = body.slice(..body.len() / 2);
        let next = Box::pin(sleep(Duration::ZERO));
        Self { pieces: VecDeque::from([half]), pause: BEFORE_THE_BREAK, next, is_whole: false }
    }
}

impl Body for Dribble {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.pieces.is_empty() && self.is_whole {
            return Poll::Ready(None);
        }
        ready!(self.next.as_mut().poll(context));
        self.next = Box::pin(sleep_until(Instant::now() + self.pause));
        Poll::Ready(Some(self.pieces.pop_front().map(Frame::data).ok_or(BrokenOff)))
    }
}
