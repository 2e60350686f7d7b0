//! The half for sending: cloneable, for other tasks and for actors.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use callboard_core::Instant;
use callboard_core::websocket::{Close, CloseCode, Closure, Connection, Message, SendError, Text};

use super::error::{TrySendError, WebSocketError};
use super::shared::Shared;
use super::state::Work;
use super::waiting::Ticket;
use crate::StreamInfo;

/// Sends on a WebSocket. Clones share it; the order of messages is that in which they were taken.
///
/// A peer who reads more slowly than it is written to is met where the message is given: `send` waits until less than
/// [`Settings::send_buffer`](callboard_core::websocket::Settings::send_buffer) waits to be sent, first come first
/// served, and [`try_send`](Self::try_send) gives the message back or, with [`disconnecting`](Self::disconnecting),
/// ends the WebSocket. The peer has `Settings::write_timeout` to take anything at all.
pub struct WebSocketSender {
    shared: Arc<Shared>,
    /// With what to end a WebSocket whose peer reads too slowly. Boxed, because most senders have none.
    overflow: Option<Box<Close>>,
}

impl WebSocketSender {
    /// The first handle, which is counted already.
    pub(super) fn first(shared: Arc<Shared>) -> Self {
        Self { shared, overflow: None }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The same sender, which ends the WebSocket when [`try_send`](Self::try_send) finds no room: for rooms where one
    /// slow member must not hold up the others. [`CloseCode::POLICY`] and [`CloseCode::TRY_AGAIN`] are usual.
    pub fn disconnecting(mut self, code: CloseCode, reason: impl Into<Text>) -> Self {
        self.overflow = Some(Box::new(Close::new(code, reason)));
        self
    }

    /// Sends a message, and waits for room if there is none. Ready when it is taken, not when it has arrived.
    ///
    /// A server writes it with the next turn of its task, together with others; a client at once.
    pub fn send(&self, message: impl Into<Message>) -> Sending<'_> {
        self.sending(message.into(), true)
    }

    /// Queues a message, waiting for room, to be written with the next one that is sent or by [`flush`](Self::flush).
    pub fn feed(&self, message: impl Into<Message>) -> Sending<'_> {
        self.sending(message.into(), false)
    }

    fn sending(&self, message: Message, writes: bool) -> Sending<'_> {
        Sending { sender: self, message: Some(message), ticket: None, writes }
    }

    /// Waits until all that is queued is with the transport.
    pub fn flush(&self) -> Flush<'_> {
        Flush { shared: &self.shared, ticket: None }
    }

    /// Sends a message if there is room for it and nobody waits for room: for actors, which do not wait.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let message = message.into();
        self.shared.with(|work| {
            if !work.is_open() {
                return Err(TrySendError::Closed(message));
            }
            if !work.has_room() || !work.state.senders.is_empty() {
                if let Some(close) = &self.overflow {
                    // It fails only where it is closing already.
                    let _ = work.close(Close::clone(close));
                } else if work.state.due {
                    // What fills the buffer may have been fed, and nobody be about to write it.
                    work.call_pump();
                }
                return Err(TrySendError::Full(message));
            }
            let kept = message.clone();
            work.send(message).map_err(|_| TrySendError::Closed(kept))?;
            work.call_pump();
            Ok(())
        })
    }

    /// Sends a ping of up to 125 bytes.
    pub fn ping(&self, payload: impl AsRef<[u8]>) -> Result<(), SendError> {
        self.control(payload.as_ref(), Connection::ping)
    }

    /// Sends a pong of up to 125 bytes that nobody asked for (RFC 6455 §5.5.3). Pings are answered without this.
    pub fn pong(&self, payload: impl AsRef<[u8]>) -> Result<(), SendError> {
        self.control(payload.as_ref(), Connection::pong)
    }

    fn control(
        &self,
        payload: &[u8],
        queue: impl FnOnce(&mut Connection, Bytes, Instant) -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        self.shared.with(|work| {
            work.queue(|machine, now| queue(machine, Bytes::copy_from_slice(payload), now))?;
            work.write_through();
            Ok(())
        })
    }

    /// Starts to close, behind what waits to be sent. From now on nothing more is sent, and messages that still come
    /// are thrown away; a `next` that waits ends with the WebSocket. [`closed`](Self::closed) waits for that.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.shared.with(|work| work.close(Close::new(code, reason)))
    }

    /// Waits for the end, however it comes.
    pub fn closed(&self) -> Closed<'_> {
        Closed { shared: &self.shared, ticket: None }
    }

    /// How it ended, if it has.
    pub fn closure(&self) -> Option<Closure> {
        self.shared.with(|work| work.state.end.as_deref().cloned())
    }

    /// Whether messages can still be sent.
    pub fn is_open(&self) -> bool {
        self.shared.with(|work| work.is_open())
    }

    /// Whether it is closing or closed.
    pub fn is_closed(&self) -> bool {
        !self.is_open()
    }

    /// Bytes that wait to be sent.
    pub fn queued(&self) -> usize {
        self.shared.with(|work| work.state.live.as_ref().map_or(0, |live| live.driver.machine_ref().queued()))
    }

    /// The subprotocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.shared.facts.protocol.as_deref()
    }

    /// Who is at the ends, while there is a transport.
    pub fn info(&self) -> Option<StreamInfo> {
        self.shared.with(|work| work.state.live.as_ref().map(|live| live.driver.info()))
    }

    /// Sends a value as JSON in a text message.
    pub async fn send_json<T: serde_core::Serialize + ?Sized>(&self, value: &T) -> Result<(), WebSocketError> {
        let json = serde_json::to_string(value)?;
        self.send(json).await
    }
}

impl Clone for WebSocketSender {
    fn clone(&self) -> Self {
        self.shared.adopt();
        Self { shared: Arc::clone(&self.shared), overflow: self.overflow.clone() }
    }
}

impl Drop for WebSocketSender {
    fn drop(&mut self) {
        self.shared.release();
    }
}

impl fmt::Debug for WebSocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketSender")
            .field("is_open", &self.is_open())
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}

/// The future of [`WebSocketSender::send`]. Dropped before it is ready, it has sent nothing.
#[must_use = "a message is sent when this is awaited"]
pub struct Sending<'a> {
    sender: &'a WebSocketSender,
    message: Option<Message>,
    ticket: Option<Ticket>,
    writes: bool,
}

impl Future for Sending<'_> {
    type Output = Result<(), WebSocketError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { sender, message, ticket, writes } = self.get_mut();
        sender.shared.with(|work| {
            let is_first = work.state.senders.is_first(*ticket);
            if !is_first || !work.has_room() {
                let has_room = is_first && work.is_open() && work.write_until(Work::has_room);
                if !work.is_open() {
                    return Poll::Ready(Err(SendError::Closed.into()));
                }
                if !has_room {
                    work.state.senders.wait(ticket, context.waker());
                    return Poll::Pending;
                }
            }
            let Some(message) = message.take() else { return Poll::Ready(Ok(())) };
            let sent = work.send(message);
            if ticket.is_some() {
                work.state.senders.leave(ticket);
                work.pass_on_room();
            }
            // Those who wait for room rely on what was queued being written.
            if *writes || !work.state.senders.is_empty() {
                work.write_through();
            }
            Poll::Ready(sent.map_err(WebSocketError::from))
        })
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.sender.shared.with(|work| {
                work.state.senders.leave(&mut self.ticket);
                // It may have been this one that was woken.
                work.pass_on_room();
            });
        }
    }
}

impl fmt::Debug for Sending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("message", &self.message).finish_non_exhaustive()
    }
}

/// The future of [`WebSocketSender::flush`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Flush<'a> {
    shared: &'a Shared,
    ticket: Option<Ticket>,
}

impl Future for Flush<'_> {
    type Output = Result<(), WebSocketError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, ticket } = self.get_mut();
        shared.with(|work| {
            let is_flushed = work.write_until(Work::is_flushed);
            if work.state.failure.is_some() || work.state.end.as_ref().is_some_and(|end| !end.is_clean) {
                return Poll::Ready(Err(SendError::Closed.into()));
            }
            if is_flushed {
                return Poll::Ready(Ok(()));
            }
            work.state.watchers.wait(ticket, context.waker());
            Poll::Pending
        })
    }
}

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.shared.with(|work| work.state.watchers.leave(&mut self.ticket));
        }
    }
}

impl fmt::Debug for Flush<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flush")
    }
}

/// The future of [`WebSocketSender::closed`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Closed<'a> {
    shared: &'a Shared,
    ticket: Option<Ticket>,
}

impl Future for Closed<'_> {
    type Output = Closure;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Closure> {
        let Self { shared, ticket } = self.get_mut();
        shared.with(|work| {
            if let Some(closure) = work.state.end.as_deref() {
                return Poll::Ready(closure.clone());
            }
            work.state.watchers.wait(ticket, context.waker());
            Poll::Pending
        })
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.shared.with(|work| work.state.watchers.leave(&mut self.ticket));
        }
    }
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed")
    }
}
