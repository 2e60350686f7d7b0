//! The port's `Stream` on Tokio's TCP and Unix sockets.
//!
//! Tokio registers a socket once, edge-triggered; a short read clears readiness, so a drained socket costs one system
//! call. Reads go into the buffer's spare room as it is: nothing is zeroed or copied.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use callboard_runtime::{ConnectOptions, Endpoint, Stream, StreamInfo};
use futures_io::{AsyncRead, AsyncWrite};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

/// Room made for a caller who left none, bytes.
const ROOM: usize = 16 * 1024;

/// Connects. Call in a Tokio context.
pub(crate) async fn connect(endpoint: Endpoint, options: ConnectOptions) -> io::Result<Box<dyn Stream>> {
    options.check(&endpoint)?;
    match endpoint {
        Endpoint::Tcp(address) => Ok(Box::new(connect_tcp(address, &options).await?)),
        #[cfg(unix)]
        Endpoint::Unix(ref path) => {
            let socket = tokio::net::UnixStream::connect(path).await?;
            Ok(Box::new(SocketStream::new(socket, endpoint)))
        }
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets")),
    }
}

pub(crate) async fn connect_tcp(address: SocketAddr, options: &ConnectOptions) -> io::Result<SocketStream<TcpStream>> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = options.local {
        socket.bind(local)?;
    }
    let socket = socket.connect(address).await?;
    if options.no_delay {
        socket.set_nodelay(true)?;
    }
    Ok(SocketStream::new(socket, Endpoint::Tcp(address)))
}

/// What TCP and Unix sockets do differently.
pub(crate) trait Socket: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static {
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn local(&self) -> Endpoint;
    fn abort_on_drop(&self);
}

impl Socket for TcpStream {
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(context)
    }

    fn local(&self) -> Endpoint {
        Endpoint::Tcp(self.local_addr().unwrap_or_else(|_| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))
    }

    fn abort_on_drop(&self) {
        // An error means that the socket is gone already.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

#[cfg(unix)]
impl Socket for tokio::net::UnixStream {
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(context)
    }

    fn local(&self) -> Endpoint {
        unix_endpoint(self.local_addr())
    }

    fn abort_on_drop(&self) {}
}

/// The path of an address; empty if it has none.
#[cfg(unix)]
pub(crate) fn unix_endpoint(address: io::Result<tokio::net::unix::SocketAddr>) -> Endpoint {
    let path = address.ok().and_then(|address| address.as_pathname().map(std::path::Path::to_owned));
    Endpoint::Unix(path.unwrap_or_default())
}

/// A connected socket.
pub(crate) struct SocketStream<S> {
    socket: S,
    peer: Endpoint,
}

impl<S: Socket> SocketStream<S> {
    pub(crate) fn new(socket: S, peer: Endpoint) -> Self {
        Self { socket, peer }
    }

    #[cfg(test)]
    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }
}

impl<S: Socket> Stream for SocketStream<S> {
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        if buffer.len() == buffer.capacity() {
            buffer.reserve(ROOM);
        }
        // Polled once and dropped: it holds nothing that a second poll would need.
        pin!(self.socket.read_buf(buffer)).poll(context)
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_readable(context)
    }

    fn holds_back(&self) -> bool {
        false
    }

    fn info(&self) -> StreamInfo {
        // The system keeps it; a connection asks once.
        StreamInfo { local: self.socket.local(), peer: self.peer.clone(), tls: None }
    }

    fn abort_on_drop(&mut self) {
        self.socket.abort_on_drop();
    }
}

impl<S: Socket> AsyncRead for SocketStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<S: Socket> AsyncWrite for SocketStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, parts)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
