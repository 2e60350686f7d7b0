//! Streams: TCP and Unix, accepted or connected.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use callboard_runtime::{ConnectOptions, Endpoint, Stream, StreamInfo};
use futures_io::{AsyncRead, AsyncWrite};
use rustix::net::{RecvFlags, SendAncillaryBuffer};

use crate::reactor::Direction;
use crate::receive::receive;
use crate::socket::{Home, Socket};
use crate::system::{self, Connecting, SEND};
use crate::threads::unblock;

/// Room made in a buffer that has none, bytes.
const ROOM: usize = 16 * 1024;
/// Parts that one system call takes at most.
const PARTS: usize = 1024;

/// A connected socket.
pub(crate) struct SmolStream {
    socket: Socket,
    peer: Endpoint,
    /// Asked of the system when somebody wants to know.
    local: OnceCell<Endpoint>,
}

impl SmolStream {
    /// Registers a connected socket.
    pub(crate) fn new(home: &Home, file: OwnedFd, peer: Endpoint) -> io::Result<Self> {
        Ok(Self { socket: Socket::new(home, file, true)?, peer, local: OnceCell::new() })
    }
}

/// Connects. Dropping the future gives up.
pub(crate) async fn connect(home: Home, endpoint: Endpoint, options: ConnectOptions) -> io::Result<SmolStream> {
    let (file, connecting) = system::connect(&endpoint, &options)?;
    if options.no_delay && matches!(endpoint, Endpoint::Tcp(_)) {
        system::send_without_delay(&file);
    }
    let socket = match connecting {
        Connecting::Done => Socket::new(&home, file, true)?,
        Connecting::Underway => finish(Socket::new(&home, file, false)?).await?,
        Connecting::Full(path) => Socket::new(&home, queue_up(path).await?, true)?,
    };
    Ok(SmolStream { socket, peer: endpoint, local: OnceCell::new() })
}

/// Waits for the end of a connect.
async fn finish(mut socket: Socket) -> io::Result<Socket> {
    loop {
        let seen = poll_fn(|context| socket.poll_ready(Direction::Write, context)).await?;
        if system::finish_connect(&socket)? {
            return Ok(socket);
        }
        socket.clear(Direction::Write, seen);
    }
}

/// Waits for room in the queue of a Unix listener: only a blocking connect can.
async fn queue_up(path: PathBuf) -> io::Result<OwnedFd> {
    unblock(move || {
        let stream = UnixStream::connect(path)?;
        stream.set_nonblocking(true)?;
        Ok(stream.into())
    })
    .await?
}

impl Stream for SmolStream {
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        if buffer.capacity() == buffer.len() {
            buffer.reserve(ROOM);
        }
        let room = buffer.capacity() - buffer.len();
        self.socket.poll_receive(context, room, |file| receive(file, buffer))
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_ready(Direction::Read, context).map_ok(|_| ())
    }

    fn recheck(&mut self) {
        self.socket.recheck();
    }

    fn holds_back(&self) -> bool {
        false
    }

    fn info(&self) -> StreamInfo {
        let local = self.local.get_or_init(|| {
            // A socket that we own has a local end, whatever became of the peer.
            system::local(self.socket.as_fd()).unwrap_or_else(|_| Endpoint::Unix(PathBuf::new()))
        });
        StreamInfo { local: local.clone(), peer: self.peer.clone(), tls: None }
    }

    fn abort_on_drop(&mut self) {
        system::reset_on_close(&self.socket);
    }
}

impl AsyncRead for SmolStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_receive(context, buffer.len(), |file| {
            Ok(rustix::net::recv(file, &mut *buffer, RecvFlags::empty())?.0)
        })
    }
}

impl AsyncWrite for SmolStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_send(context, bytes.len(), |file| Ok(rustix::net::send(file, bytes, SEND)?))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let parts = &parts[..parts.len().min(PARTS)];
        let length = parts.iter().map(|part| part.len()).sum();
        self.socket.poll_send(context, length, |file| {
            Ok(rustix::net::sendmsg(file, parts, &mut SendAncillaryBuffer::default(), SEND)?)
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Half-closes: reading goes on.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(system::half_close(&self.socket))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use callboard_runtime::{ListenOptions, Runtime};
    use futures_lite::future::zip;
    use rustix::net::sockopt;

    use super::*;
    use crate::Smol;
    use crate::listener::SmolListener;

    /// `TCP_NODELAY` of both ends, as the system says.
    async fn no_delay(home: Home, is_wanted: bool) -> [bool; 2] {
        let listen = ListenOptions { no_delay: is_wanted, ..ListenOptions::default() };
        let mut listener =
            SmolListener::new(home.clone(), &Endpoint::Tcp(([127, 0, 0, 1], 0).into()), &listen).unwrap();
        let options = ConnectOptions { no_delay: is_wanted, ..ConnectOptions::default() };
        let connect = connect(home, callboard_runtime::Listener::local(&listener), options);
        let (client, server) = zip(connect, poll_fn(|context| listener.poll_stream(context))).await;
        [client, server].map(|stream| sockopt::tcp_nodelay(stream.unwrap().socket.as_fd()).unwrap())
    }

    #[test]
    fn small_writes_are_not_held_back_on_either_side() {
        for runtime in [Smol::new(), Smol::workers(1)] {
            let mut seen = Vec::new();
            let work =
                async { seen.extend([no_delay(runtime.home(), true).await, no_delay(runtime.home(), false).await]) };
            runtime.block_on(Box::pin(work)).unwrap();
            assert_eq!(seen, [[true, true], [false, false]], "{runtime:?}");
        }
    }
}
