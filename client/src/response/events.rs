//! The body of a response as server-sent events.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use callboard_core::event_stream::{Event, EventLimits, EventReader};

use super::Response;
use crate::error::{Error, ErrorKind, Phase};

/// The events of a response: see [`Response::events`].
///
/// The stream ends with the body. To go on, send the request again with [`last_event_id`](Self::last_event_id) as
/// `Last-Event-ID`, after [`retry`](Self::retry).
///
/// ```no_run
/// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
/// use std::time::Duration;
///
/// let request = session.get("http://example.org/events").header("Accept", "text/event-stream");
/// let mut events = request.timeout(Duration::MAX).await?.error_for_status()?.events();
/// while let Some(event) = events.next().await {
///     let event = event?;
///     println!("{}: {}", event.name(), event.data());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Events {
    response: Response,
    reader: EventReader,
    input: Bytes,
    has_failed: bool,
}

impl Events {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, reader: EventReader::new(EventLimits::default()), input: Bytes::new(), has_failed: false }
    }

    /// What is accepted of one line and one event. Default 1 MiB and 4 MiB. For a stream of which nothing was read yet.
    pub fn limits(mut self, limits: EventLimits) -> Self {
        self.reader = EventReader::new(limits);
        self
    }

    /// The next event; `None` at the end of the stream. An event that the end cut off is not given. Cancel-safe: an
    /// event is never lost.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// The next event, for those who poll.
    pub fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Event, Error>>> {
        while !self.has_failed {
            if let Err(error) = self.reader.handle_input(&mut self.input) {
                self.has_failed = true;
                let error = self.response.error(Phase::Decode, ErrorKind::EventStream(error));
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(event) = self.reader.poll_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(self.response.poll_chunk(context)) {
                Some(Ok(part)) => self.input = part,
                Some(Err(error)) => {
                    self.has_failed = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => break,
            }
        }
        Poll::Ready(None)
    }

    /// The id of the last event that had one; empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.reader.last_event_id()
    }

    /// How long to wait before connecting again, if the server has said so.
    pub fn retry(&self) -> Option<Duration> {
        self.reader.retry()
    }

    /// The response, for its status and fields.
    pub fn response(&self) -> &Response {
        &self.response
    }
}

impl futures_lite::Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(context)
    }
}
