//! What a response carries that hands its connection to another protocol.

#[cfg(feature = "websocket")]
use std::future::Future;
#[cfg(feature = "websocket")]
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::BytesMut;
#[cfg(feature = "websocket")]
use callboard_runtime::websocket::{Attended, CloseCode};
use callboard_runtime::{BoxFuture, Handle, Stream};

type Callback = Box<dyn FnOnce(Freed) -> Begun + Send>;

/// A connection that HTTP has let go of.
pub(crate) struct Freed {
    pub(crate) stream: Box<dyn Stream>,
    /// What came behind the request.
    pub(crate) leftover: BytesMut,
    #[cfg_attr(not(feature = "websocket"), expect(dead_code, reason = "a raw stream brings its own"))]
    pub(crate) runtime: Handle,
}

/// Another protocol at work.
pub(crate) enum Begun {
    /// One that is not told of a drain.
    Raw(BoxFuture<'static, ()>),
    #[cfg(feature = "websocket")]
    WebSocket(Attended),
}

impl Begun {
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Raw(future) => future.as_mut().poll(context),
            #[cfg(feature = "websocket")]
            Self::WebSocket(attended) => Pin::new(attended).poll(context),
        }
    }

    /// The server drains.
    pub(crate) fn drain(&self) {
        match self {
            Self::Raw(_) => {}
            #[cfg(feature = "websocket")]
            Self::WebSocket(attended) => attended.close(CloseCode::GOING_AWAY),
        }
    }
}

/// Who takes the stream over. The mutex is never locked: it makes a response shareable.
pub(crate) struct Takeover(Mutex<Callback>);

impl Takeover {
    pub(crate) fn new(callback: impl FnOnce(Freed) -> Begun + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(callback)))
    }

    pub(crate) fn begin(self, freed: Freed) -> Begun {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)(freed)
    }
}
