//! What a response carries that hands its connection to another protocol.

use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use callboard_runtime::{BoxFuture, Stream};

type Callback = Box<dyn FnOnce(Box<dyn Stream>, BytesMut) -> BoxFuture<'static, ()> + Send>;

/// Who takes the stream over. The mutex is never locked: it makes a response shareable.
pub(crate) struct Takeover(Mutex<Callback>);

impl Takeover {
    pub(crate) fn new(
        callback: impl FnOnce(Box<dyn Stream>, BytesMut) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Self {
        Self(Mutex::new(Box::new(callback)))
    }

    pub(crate) fn begin(self, stream: Box<dyn Stream>, leftover: BytesMut) -> BoxFuture<'static, ()> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)(stream, leftover)
    }
}
