//! What keeps a WebSocket going while its user does something else, and owns its end.
//!
//! On a server it shares a task with the user's future; on a client it has one of its own, which sleeps while the user
//! reads or writes.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use callboard_core::Headers;
use callboard_core::websocket::{Agreement, Close, CloseCode, Connection, Role, Settings};

use super::attendance::Visit;
use super::shared::{Facts, Shared};
use super::socket::WebSocket;
use crate::{BoxFuture, Driver, Handle, Stream};

/// An error of the user's future, of any type.
pub type WebSocketFailure = Box<dyn std::error::Error + Send + Sync>;

/// What a handshake has left, ready to be a WebSocket.
pub struct Opening {
    /// Which side this is.
    pub role: Role,
    /// What bounds it.
    pub settings: Arc<Settings>,
    /// What was agreed on.
    pub agreement: Agreement,
    /// The fields of the server's answer, for a client.
    pub headers: Option<Box<Headers>>,
    /// The transport.
    pub stream: Box<dyn Stream>,
    /// What was read of it behind the handshake.
    pub input: BytesMut,
    /// Where it lives.
    pub runtime: Handle,
}

impl Opening {
    /// The WebSocket, and the future that keeps it going: it must be polled until it is ready, by a task of its own or
    /// by [`attend`](Pump::attend). Dropping it cuts the WebSocket off.
    pub fn open(self) -> (WebSocket, Pump) {
        let Self { role, settings, agreement, headers, stream, input, runtime } = self;
        let now = runtime.now();
        let seed = [runtime.entropy(), runtime.entropy()];
        let machine = Connection::new(role, settings, &agreement, seed, now);
        let driver = Driver::with_input(machine, stream, runtime, input);
        let facts = Facts { is_compressed: agreement.is_compressed(), protocol: agreement.protocol, headers };
        let shared = Shared::new(driver, role == Role::Client, facts);
        (WebSocket::new(Arc::clone(&shared)), Pump { shared, registered: None })
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("role", &self.role).field("agreement", &self.agreement).finish_non_exhaustive()
    }
}

/// Keeps a WebSocket going. Ready once it has ended and the transport is closed.
#[must_use = "a WebSocket stands still without its pump"]
pub struct Pump {
    shared: Arc<Shared>,
    /// The waker that stands for it.
    registered: Option<Waker>,
}

impl Pump {
    /// Runs the user's future in the same task.
    ///
    /// The WebSocket outlives it as long as there are senders; then 1000 is said. After an error or a panic 1011 is
    /// said at once.
    pub fn attend(self, user: BoxFuture<'static, Result<(), WebSocketFailure>>) -> Attended {
        Attended { pump: self, user: Some(user), is_over: false }
    }

    /// `is_shared`: the user's future is in this task.
    fn register(&mut self, waker: &Waker, is_shared: bool) {
        if !self.registered.as_ref().is_some_and(|registered| registered.will_wake(waker)) {
            self.shared.outside.wakes.set_pump(Some(waker.clone()));
            self.shared.with(|work| work.state.home = is_shared.then(|| waker.clone()));
            self.registered = Some(waker.clone());
        }
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.register(context.waker(), false);
        this.shared.with(|work| work.poll_pump(context))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.shared.with(|work| work.cut());
        self.shared.outside.wakes.set_pump(None);
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pump")
    }
}

/// A WebSocket with its user's future in one task. Ready when both have ended.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Attended {
    pump: Pump,
    user: Option<BoxFuture<'static, Result<(), WebSocketFailure>>>,
    is_over: bool,
}

impl Attended {
    /// Starts to close, if it is not closing already: for a server that drains.
    pub fn close(&self, code: CloseCode) {
        // It fails only where it is closing already.
        let _ = self.pump.shared.with(|work| work.close(code.into()));
    }

    /// Polls the user's future, and settles what follows from its end.
    fn poll_user(&mut self, context: &mut Context<'_>) {
        let Some(user) = &mut self.user else { return };
        let shared = &self.pump.shared;
        let polled = catch_unwind(AssertUnwindSafe(|| user.as_mut().poll(context)));
        let code = match polled {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(Ok(()))) => CloseCode::NORMAL,
            Ok(Poll::Ready(Err(_))) | Err(_) => CloseCode::INTERNAL,
        };
        shared.with(|work| {
            work.state.last_word = code;
            if code == CloseCode::INTERNAL {
                // It fails only where it is closing already.
                let _ = work.close(Close::from(code));
            }
        });
        // A destructor of the user's may panic as well.
        let user = self.user.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(user)));
    }
}

impl Future for Attended {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.pump.register(context.waker(), true);
        let visit = (!this.is_over).then(|| this.pump.shared.outside.attendance.begin());
        this.poll_user(context);
        let is_settled = visit.is_none_or(Visit::end);
        if !is_settled {
            this.is_over = this.pump.shared.with(|work| work.poll_pump(context)).is_ready();
        }
        if this.is_over && this.user.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for Attended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attended").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}
