//! What a response carries that hands its connection to another protocol.

use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
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
pub(crate) struct Begun {
    pub(crate) future: BoxFuture<'static, ()>,
    /// Tells it that the server drains.
    pub(crate) on_drain: Option<Box<dyn FnOnce() + Send>>,
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
