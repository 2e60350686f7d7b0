//! A response whose connection goes on with another protocol.

use std::fmt;

use bytes::BytesMut;
use callboard_core::Status;
#[cfg(feature = "websocket")]
use callboard_core::http1::ResponseHead;
use callboard_runtime::Stream;

use super::Response;
use crate::error::{Error, ErrorKind, Phase};
use crate::exchange::Exchange;

impl Response {
    /// The stream and the bytes that follow the head, after `101 Switching Protocols` (RFC 9110 §15.2.2). The
    /// connection leaves the pool.
    pub fn upgrade(mut self) -> Result<Upgraded, Error> {
        let is_upgraded = self.status() == Status::SWITCHING_PROTOCOLS;
        let exchange = if is_upgraded { self.source.0.take() } else { None };
        match exchange.and_then(Exchange::into_lease).and_then(crate::connections::Lease::take) {
            Some(connection) => {
                let (stream, input) = connection.into_stream();
                Ok(Upgraded { stream, input })
            }
            None => Err(self.error(Phase::Head, ErrorKind::NoUpgrade)),
        }
    }

    /// The same as [`upgrade`](Self::upgrade), with the head, and with the connection's place in the pool.
    #[cfg(feature = "websocket")]
    pub(crate) fn detach(mut self) -> Result<Detached, Error> {
        let lease = self.source.0.take().and_then(Exchange::into_lease);
        let Some((connection, place)) = lease.and_then(crate::connections::Lease::detach) else {
            return Err(self.error(Phase::Head, ErrorKind::NoUpgrade));
        };
        let (stream, input) = connection.into_stream();
        Ok(Detached { head: self.head, stream, input, place })
    }
}

/// A stream that another protocol speaks from now on.
pub struct Upgraded {
    /// The stream.
    pub stream: Box<dyn Stream>,
    /// What the server sent right behind its head.
    pub input: BytesMut,
}

/// What is left of an exchange whose connection another protocol keeps.
#[cfg(feature = "websocket")]
pub(crate) struct Detached {
    pub(crate) head: Box<ResponseHead>,
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) input: BytesMut,
    /// Counts as a connection until it is dropped.
    pub(crate) place: crate::connections::Lease,
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").field("input", &self.input.len()).finish_non_exhaustive()
    }
}
