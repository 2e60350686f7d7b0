//! Server-sent events as a response.
//!
//! Events come from a stream or from the other end of a channel, and leave as they come: those that are ready together
//! in one write. A comment goes out when nothing else has for a while, so that no proxy ends a silent connection, and
//! so that a peer that has gone is noticed.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use callboard_core::event_stream::{self, Event};
use callboard_core::{Instant, header};
use callboard_runtime::{Handle, Timer};
use futures_lite::{Stream, StreamExt};

use super::{IntoResponse, Response};
use crate::{Body, BodyError};

/// Bytes of events that leave together, about.
const TOGETHER: usize = 16 * 1024;

type Source = Pin<Box<dyn Stream<Item = Result<Event, BodyError>> + Send>>;

/// A response that is a stream of events (`text/event-stream`), for `EventSource` in browsers or
/// `Response::events` of the client.
///
/// Where to go on after a break is what the request says in `Last-Event-ID`.
///
/// ```
/// use callboard_web::{App, Event, EventStream, get};
///
/// async fn count() -> EventStream {
///     let numbers = futures_lite::stream::iter(1..=3);
///     EventStream::new(futures_lite::StreamExt::map(numbers, |number| Event::new(number.to_string())))
/// }
///
/// let app = App::new().route("/count", get(count));
/// # drop(app);
/// ```
#[must_use = "a response is sent when it is returned"]
pub struct EventStream {
    source: Source,
    keep_alive: Option<KeepAlive>,
}

struct KeepAlive {
    runtime: Handle,
    timer: Box<dyn Timer>,
    interval: Duration,
    /// None: something has just left.
    due: Option<Instant>,
}

impl EventStream {
    /// The events of a stream. It is polled only while the peer takes what it gives.
    pub fn new(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self { source: Box::pin(events.map(Ok)), keep_alive: None }
    }

    /// The events of a stream that may fail: an error cuts the connection, so that the peer connects again.
    pub fn fallible<E>(events: impl Stream<Item = Result<Event, E>> + Send + 'static) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let events = events.map(|event| event.map_err(|error| BodyError::Source(error.into())));
        Self { source: Box::pin(events), keep_alive: None }
    }

    /// A stream and its sender, which holds up to `capacity` events (at least 1) that the peer has not taken. The
    /// stream ends when the last clone of the sender is dropped.
    ///
    /// ```
    /// use callboard_web::{Event, EventStream, IntoResponse};
    ///
    /// # futures_lite::future::block_on(async {
    /// let (sender, stream) = EventStream::channel(16);
    /// sender.send(Event::new("hello")).await?;
    /// drop(sender);
    /// assert_eq!(stream.into_response().bytes(100).await.unwrap(), "data: hello\n\n");
    /// # Ok::<(), callboard_web::EventsGone>(())
    /// # }).unwrap();
    /// ```
    pub fn channel(capacity: usize) -> (EventSender, Self) {
        let (sender, receiver) = async_channel::bounded(capacity.max(1));
        (EventSender(sender), Self::new(receiver))
    }

    /// Sends a comment whenever nothing was sent for `interval`: 15 s serve most proxies. Default: never.
    pub fn keep_alive(mut self, runtime: &Handle, interval: Duration) -> Self {
        let (runtime, timer) = (runtime.clone(), runtime.timer());
        self.keep_alive = Some(KeepAlive { runtime, timer, interval, due: None });
        self
    }

    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let mut part = Vec::new();
        while part.len() < TOGETHER {
            match self.source.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(event))) => event.write(&mut part),
                // The end, or the failure, is told in its turn.
                Poll::Ready(end) if part.is_empty() => {
                    return Poll::Ready(end.map(|event| event.map(|_| Bytes::new())));
                }
                Poll::Ready(end) => {
                    self.source = Box::pin(futures_lite::stream::iter(end));
                    break;
                }
                Poll::Pending if part.is_empty() => return self.poll_silence(context),
                Poll::Pending => break,
            }
        }
        if let Some(keep_alive) = &mut self.keep_alive {
            keep_alive.due = None;
        }
        Poll::Ready(Some(Ok(part.into())))
    }

    /// A comment if it is due.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(keep_alive) = &mut self.keep_alive else { return Poll::Pending };
        let due = *keep_alive.due.get_or_insert_with(|| keep_alive.runtime.now() + keep_alive.interval);
        if keep_alive.timer.poll_at(context, due).is_pending() {
            return Poll::Pending;
        }
        keep_alive.due = None;
        Poll::Ready(Some(Ok(event_stream::comment("").into())))
    }
}

impl Stream for EventStream {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_part(context)
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        Response::new(Body::stream(self))
            .with_header(header::CONTENT_TYPE, event_stream::MEDIA_TYPE)
            .with_header(header::CACHE_CONTROL, "no-store")
            // nginx gathers answers unless it is told not to.
            .with_header("X-Accel-Buffering", "no")
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interval = self.keep_alive.as_ref().map(|keep_alive| keep_alive.interval);
        f.debug_struct("EventStream").field("keep_alive", &interval).finish_non_exhaustive()
    }
}

/// Sends events to an [`EventStream`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventSender(async_channel::Sender<Event>);

impl EventSender {
    /// Sends one, when there is room.
    pub async fn send(&self, event: Event) -> Result<(), EventsGone> {
        self.0.send(event).await.map_err(|_| EventsGone)
    }

    /// Sends one if there is room now; gives it back if not.
    pub fn try_send(&self, event: Event) -> Result<Option<Event>, EventsGone> {
        match self.0.try_send(event) {
            Ok(()) => Ok(None),
            Err(async_channel::TrySendError::Full(event)) => Ok(Some(event)),
            Err(async_channel::TrySendError::Closed(_)) => Err(EventsGone),
        }
    }

    /// Whether nobody listens any more.
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }

    /// Ready when nobody listens any more.
    pub async fn gone(&self) {
        self.0.closed().await;
    }
}

/// Nobody listens to these events any more: the response was sent, or its connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsGone;

impl fmt::Display for EventsGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody listens to these events any more")
    }
}

impl std::error::Error for EventsGone {}
