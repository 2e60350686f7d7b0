//! The port's `Listener` on Tokio, with what Tokio's own cannot set: backlog and `SO_REUSEPORT`.
//!
//! A Unix socket's file is removed before binding only if it is a socket on which nobody listens, and on drop only if
//! it is still ours. An accept error is given; one that will last (out of files) also makes the next accept wait.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::{Endpoint, ListenOptions, Listener, Stream, Timer};
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use crate::stream::SocketStream;
use crate::timer::{Epoch, TokioTimer};

/// How long the next accept waits after an error that will last.
const PAUSE: Duration = Duration::from_millis(50);

/// Binds and listens, on the reactor of that runtime.
pub(crate) fn listen(
    handle: Handle,
    epoch: Epoch,
    endpoint: Endpoint,
    options: &ListenOptions,
) -> io::Result<Box<dyn Listener>> {
    match endpoint {
        Endpoint::Tcp(address) => Ok(Box::new(listen_tcp(handle, epoch, address, options)?)),
        #[cfg(unix)]
        Endpoint::Unix(path) => {
            let pause = Pause::new(epoch, &handle);
            Ok(Box::new(unix::UnixAcceptor::new(handle, pause, path, options)?))
        }
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets")),
    }
}

fn listen_tcp(handle: Handle, epoch: Epoch, address: SocketAddr, options: &ListenOptions) -> io::Result<TcpAcceptor> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // On Windows this option would let two programs share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if options.reuse_port {
        reuse_port(&socket)?;
    }
    socket.bind(&address.into())?;
    listen_on(&socket, options)?;
    let socket = {
        let _entered = handle.enter();
        TcpListener::from_std(socket.into())?
    };
    let local = Endpoint::Tcp(socket.local_addr()?);
    let pause = Pause::new(epoch, &handle);
    Ok(TcpAcceptor { socket, local, no_delay: options.no_delay, handle, pause })
}

fn listen_on(socket: &Socket, options: &ListenOptions) -> io::Result<()> {
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)
}

#[cfg(unix)]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn reuse_port(_: &Socket) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no SO_REUSEPORT"))
}

/// Listens on TCP.
struct TcpAcceptor {
    socket: TcpListener,
    local: Endpoint,
    no_delay: bool,
    /// Accepting makes a socket, which needs the context.
    handle: Handle,
    pause: Pause,
}

impl TcpAcceptor {
    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SocketStream<TcpStream>>> {
        ready!(self.pause.poll(context));
        let accepted = {
            let _entered = self.handle.enter();
            ready!(self.socket.poll_accept(context))
        };
        let (socket, peer) = self.pause.note(accepted)?;
        if self.no_delay {
            // It fails only when the peer has gone, which reading will tell.
            let _ = socket.set_nodelay(true);
        }
        Poll::Ready(Ok(SocketStream::new(socket, Endpoint::Tcp(peer))))
    }
}

impl Listener for TcpAcceptor {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        self.poll_stream(context).map_ok(|stream| Box::new(stream) as Box<dyn Stream>)
    }

    fn local(&self) -> Endpoint {
        self.local.clone()
    }
}

/// The wait after an error that will last.
struct Pause {
    epoch: Epoch,
    until: Option<Instant>,
    timer: TokioTimer,
}

impl Pause {
    fn new(epoch: Epoch, handle: &Handle) -> Self {
        Self { epoch, until: None, timer: TokioTimer::new(epoch, Some(handle.clone())) }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = self.until {
            ready!(self.timer.poll_at(context, until));
            self.until = None;
        }
        Poll::Ready(())
    }

    /// Starts the wait if the error is not about one connection alone.
    fn note<T>(&mut self, accepted: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &accepted {
            let about_one = matches!(
                error.kind(),
                io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
            );
            if !about_one {
                self.until = Some(self.epoch.elapsed() + PAUSE);
            }
        }
        accepted
    }
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    use std::path::{Path, PathBuf};
    use std::task::{Context, Poll, ready};

    use callboard_runtime::{Endpoint, ListenOptions, Listener, Stream};
    use socket2::{Domain, SockAddr, Socket, Type};
    use tokio::net::UnixListener;
    use tokio::runtime::Handle;

    use super::{Pause, listen_on};
    use crate::stream::{SocketStream, unix_endpoint};

    /// Listens on a Unix socket. `reuse_port` and `no_delay` mean nothing here.
    pub(super) struct UnixAcceptor {
        socket: UnixListener,
        file: SocketFile,
        handle: Handle,
        pause: Pause,
    }

    impl UnixAcceptor {
        pub(super) fn new(handle: Handle, pause: Pause, path: PathBuf, options: &ListenOptions) -> io::Result<Self> {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            let address = SockAddr::unix(&path)?;
            match socket.bind(&address) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(&path, &address) => {
                    fs::remove_file(&path)?;
                    socket.bind(&address)?;
                }
                bound => bound?,
            }
            let file = SocketFile::new(path)?;
            listen_on(&socket, options)?;
            let socket = {
                let _entered = handle.enter();
                UnixListener::from_std(socket.into())?
            };
            Ok(Self { socket, file, handle, pause })
        }
    }

    impl Listener for UnixAcceptor {
        fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
            ready!(self.pause.poll(context));
            let accepted = {
                let _entered = self.handle.enter();
                ready!(self.socket.poll_accept(context))
            };
            let (socket, peer) = self.pause.note(accepted)?;
            Poll::Ready(Ok(Box::new(SocketStream::new(socket, unix_endpoint(Ok(peer))))))
        }

        fn local(&self) -> Endpoint {
            Endpoint::Unix(self.file.path.clone())
        }
    }

    /// Whether the file is a socket that refuses connections. The try does not wait: a full queue is a listener.
    fn is_stale(path: &Path, address: &SockAddr) -> bool {
        let is_socket = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
        let refuses = || -> io::Result<bool> {
            let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            probe.set_nonblocking(true)?;
            Ok(probe.connect(address).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
        };
        is_socket && refuses().unwrap_or(false)
    }

    /// The file that binding made: removed on drop, unless another took its place.
    struct SocketFile {
        path: PathBuf,
        device: u64,
        inode: u64,
    }

    impl SocketFile {
        fn new(path: PathBuf) -> io::Result<Self> {
            let metadata = fs::symlink_metadata(&path)?;
            Ok(Self { path, device: metadata.dev(), inode: metadata.ino() })
        }
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            let is_ours = fs::symlink_metadata(&self.path)
                .is_ok_and(|metadata| metadata.dev() == self.device && metadata.ino() == self.inode);
            if is_ours {
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use callboard_runtime::{ConnectOptions, Runtime};
    use futures_lite::future::zip;

    use super::*;
    use crate::Tokio;
    use crate::stream;

    /// `TCP_NODELAY` of both ends, as the system says.
    async fn no_delay(is_wanted: bool) -> [bool; 2] {
        let options = ListenOptions { no_delay: is_wanted, ..ListenOptions::default() };
        let (handle, epoch) = (Handle::current(), Epoch::now());
        let mut listener = listen_tcp(handle, epoch, ([127, 0, 0, 1], 0).into(), &options).unwrap();
        let options = ConnectOptions { no_delay: is_wanted, ..ConnectOptions::default() };
        let connect = stream::connect_tcp(listener.local().tcp().unwrap(), &options);
        let (client, server) = zip(connect, poll_fn(|context| listener.poll_stream(context))).await;
        [client, server].map(|stream| stream.unwrap().socket().nodelay().unwrap())
    }

    fn check(runtime: &Tokio) {
        let mut seen = Vec::new();
        let work = async { seen.extend([no_delay(true).await, no_delay(false).await]) };
        runtime.block_on(Box::pin(work)).unwrap();
        assert_eq!(seen, [[true, true], [false, false]]);
    }

    #[test]
    fn small_writes_are_not_held_back_on_either_side() {
        check(&Tokio::workers(1));
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let current = {
            let _entered = tokio.enter();
            Tokio::current()
        };
        check(&current);
    }
}
