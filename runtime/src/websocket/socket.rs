//! The WebSocket as its user has it: one type for both sides. Its half for sending can be cloned off.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use callboard_core::Headers;
use callboard_core::websocket::{CloseCode, Closure, Event, Message, SendError, Text};

use super::error::{TrySendError, WebSocketError};
use super::sender::{Closed, Flush, Sending, WebSocketSender};
use super::shared::Shared;
use super::state::Work;
use crate::StreamInfo;

/// A WebSocket (RFC 6455), on either side.
///
/// Everything that waits is cancel-safe: a [`next`](Self::next) that is dropped loses no message, a
/// [`send`](Self::send) that is dropped has sent the whole message or nothing of it.
///
/// Pings are answered, heartbeats sent and the close handshake kept whether or not anybody waits. While nobody reads,
/// messages are read ahead up to 64 KiB; beyond that the peer must wait, and its pings with it. A user who only sends
/// should therefore keep a [`sender`](Self::sender) and drop the socket, which then throws messages away.
///
/// When the socket and all its senders are dropped, the peer is told 1001 (going away), and the transport closes once
/// it has answered or the close timeout has passed.
///
/// ```
/// # async fn example(mut socket: callboard_runtime::WebSocket) -> Result<(), callboard_runtime::WebSocketError> {
/// socket.send("hello").await?;
/// while let Some(message) = socket.next().await? {
///     socket.send(message).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct WebSocket {
    sender: WebSocketSender,
    /// A reader that polls by hand has left its waker.
    is_resting: bool,
}

impl WebSocket {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { sender: WebSocketSender::first(shared), is_resting: false }
    }

    fn shared(&self) -> &Shared {
        self.sender.shared()
    }

    /// The next message. `None` after both sides have closed in order; an error, once, if it ended in another way.
    #[expect(
        clippy::should_implement_trait,
        reason = "it cannot be an iterator, and nobody would look for another name"
    )]
    pub fn next(&mut self) -> Next<'_> {
        Next { reading: Reading { socket: self, is_resting: false } }
    }

    /// The next event: messages, and what [`next`](Self::next) keeps to itself, pings (already answered), pongs and
    /// the peer's close frame (already answered).
    ///
    /// From its first call on, control frames wait like messages until they are taken.
    pub fn next_event(&mut self) -> NextEvent<'_> {
        self.shared().with(|work| work.state.shows_control = true);
        NextEvent { reading: Reading { socket: self, is_resting: false } }
    }

    /// The next message, for those who poll. See [`next`](Self::next).
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Message>, WebSocketError>> {
        let (polled, is_resting) = self.shared().with(|work| work.poll_message(context, false));
        self.is_resting = is_resting;
        polled
    }

    /// A handle to send with, for other tasks and actors.
    pub fn sender(&self) -> WebSocketSender {
        self.sender.clone()
    }

    /// Sends a message: see [`WebSocketSender::send`].
    pub fn send(&self, message: impl Into<Message>) -> Sending<'_> {
        self.sender.send(message)
    }

    /// Queues a message to be written with the next one, or by [`flush`](Self::flush).
    pub fn feed(&self, message: impl Into<Message>) -> Sending<'_> {
        self.sender.feed(message)
    }

    /// Waits until all that is queued is with the transport.
    pub fn flush(&self) -> Flush<'_> {
        self.sender.flush()
    }

    /// Sends a message if there is room for it: see [`WebSocketSender::try_send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.sender.try_send(message)
    }

    /// Sends a ping of up to 125 bytes. The pong is an event of [`next_event`](Self::next_event).
    pub fn ping(&self, payload: impl AsRef<[u8]>) -> Result<(), SendError> {
        self.sender.ping(payload)
    }

    /// Closes in order: says why, and waits for the peer's answer, for
    /// [`Settings::close_timeout`](callboard_core::websocket::Settings::close_timeout) at most. Messages that still
    /// come are thrown away. What it came to is in the [`Closure`]; a WebSocket that is closed already gives that of
    /// then.
    ///
    /// An error means that the code may not be sent or the reason is longer than 123 bytes, and nothing was done. The
    /// close goes on if this future is dropped.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Closure, SendError> {
        match self.sender.close(code, reason) {
            Ok(()) | Err(SendError::Closed) => {}
            Err(error) => return Err(error),
        }
        while let Ok(Some(_)) = self.next().await {}
        Ok(self.closed().await)
    }

    /// Waits for the end, which is known even if nobody reads, as long as no messages wait to be read.
    pub fn closed(&self) -> Closed<'_> {
        self.sender.closed()
    }

    /// How it ended, if it has.
    pub fn closure(&self) -> Option<Closure> {
        self.sender.closure()
    }

    /// Whether messages can still be sent.
    pub fn is_open(&self) -> bool {
        self.sender.is_open()
    }

    /// The subprotocol that was agreed on (RFC 6455 §1.9).
    pub fn protocol(&self) -> Option<&str> {
        self.sender.protocol()
    }

    /// Whether messages may be compressed (RFC 7692).
    pub fn is_compressed(&self) -> bool {
        self.shared().facts.is_compressed
    }

    /// The fields of the server's answer to the handshake; a server has none.
    pub fn headers(&self) -> Option<&Headers> {
        self.shared().facts.headers.as_deref()
    }

    /// Who is at the ends, while there is a transport.
    pub fn info(&self) -> Option<StreamInfo> {
        self.sender.info()
    }

    /// Bytes received and sent, while there is a transport: frames, not messages.
    pub fn bytes(&self) -> Option<(u64, u64)> {
        self.shared()
            .with(|work| work.state.live.as_ref().map(|live| (live.driver.bytes_in(), live.driver.bytes_out())))
    }

    fn rest_no_more(&mut self) {
        if let Some(pump) = self.shared().outside.wakes.leave() {
            pump.wake();
        }
    }

    /// Sends a value as JSON in a text message.
    pub async fn send_json<T: serde_core::Serialize + ?Sized>(&self, value: &T) -> Result<(), WebSocketError> {
        self.sender.send_json(value).await
    }

    /// The next message, text or bytes, as JSON.
    pub async fn next_json<T: serde_core::de::DeserializeOwned>(&mut self) -> Result<Option<T>, WebSocketError> {
        let Some(message) = self.next().await? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(message.as_bytes())?))
    }

    /// The next message, which must be text; bytes are an error and the message is dropped.
    pub async fn next_text(&mut self) -> Result<Option<Text>, WebSocketError> {
        match self.next().await? {
            Some(Message::Text(text)) => Ok(Some(text)),
            Some(Message::Binary(_)) => Err(WebSocketError::NotText),
            None => Ok(None),
        }
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        if self.is_resting {
            self.rest_no_more();
        }
        self.shared().with(|work| work.deafen());
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}

/// Messages as a stream, which ends after an error.
impl futures_lite::Stream for WebSocket {
    type Item = Result<Message, WebSocketError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_next(context).map(Result::transpose)
    }
}

/// A read under way.
struct Reading<'a> {
    socket: &'a mut WebSocket,
    is_resting: bool,
}

impl Reading<'_> {
    /// A read that was polled for another reason and found something is still in the list of those to be woken: it
    /// must not take a wake-up for the next message that is the pump's, if nobody comes to read it.
    fn note<T>(&mut self, (polled, is_resting): (Poll<T>, bool)) -> Poll<T> {
        if std::mem::replace(&mut self.is_resting, is_resting) && !is_resting {
            self.socket.rest_no_more();
        }
        polled
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if self.is_resting {
            self.socket.rest_no_more();
        }
    }
}

/// The future of [`WebSocket::next`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Next<'a> {
    reading: Reading<'a>,
}

impl Future for Next<'_> {
    type Output = Result<Option<Message>, WebSocketError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let reading = &mut self.get_mut().reading;
        let polled = reading.socket.shared().with(|work| work.poll_message(context, true));
        reading.note(polled)
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

/// The future of [`WebSocket::next_event`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct NextEvent<'a> {
    reading: Reading<'a>,
}

impl Future for NextEvent<'_> {
    type Output = Result<Option<Event>, WebSocketError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let reading = &mut self.get_mut().reading;
        let polled = reading.socket.shared().with(|work| {
            let polled = work.poll_read(context, true, Work::event);
            let is_resting = work.is_listed(polled.is_pending());
            (polled, is_resting)
        });
        reading.note(polled)
    }
}

impl fmt::Debug for NextEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NextEvent")
    }
}
