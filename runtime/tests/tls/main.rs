//! TLS over a transport in memory: `handshake.rs` until it is done, `records.rs` after. `certificates.rs` has what
//! they show, `duplex.rs` is the transport.
#![cfg(feature = "tls")]

mod certificates;
mod duplex;
mod handshake;
mod records;

use callboard_runtime::Stream;
use callboard_runtime::tls::{AcceptFailure, TlsAcceptor, TlsConnector, TlsError};
use futures_lite::future::{block_on, zip};

use crate::certificates::{acceptor, connector};
use crate::duplex::duplex;

type Boxed = Box<dyn Stream>;

/// Room of the transport in one direction, bytes.
const ROOM: usize = 64 * 1024;

/// Both sides with the defaults.
fn pair() -> (TlsConnector, TlsAcceptor) {
    (connector().build().unwrap(), acceptor().build().unwrap())
}

/// Connects the two by a fresh transport.
fn meet(
    connector: &TlsConnector,
    acceptor: &TlsAcceptor,
    name: &str,
) -> (Result<Boxed, TlsError>, Result<Boxed, AcceptFailure>) {
    let (client, server) = duplex(ROOM, usize::MAX);
    block_on(zip(connector.connect(Box::new(client), name), acceptor.accept(Box::new(server))))
}

/// Both ends, after the handshake, over the given transport.
fn established(client: impl Stream, server: impl Stream) -> (Boxed, Boxed) {
    let (connector, acceptor) = pair();
    let ends = zip(connector.connect(Box::new(client), "example.test"), acceptor.accept(Box::new(server)));
    let (client, server) = block_on(ends);
    (client.unwrap(), server.unwrap())
}
