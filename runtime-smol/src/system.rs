//! Sockets as the system gives them, all non-blocking and closed on exec.
//!
//! Knows no runtime and no readiness: each function makes its calls and returns. `Endpoint` comes in and goes out; a
//! Unix path that begins with a NUL byte is a name in Linux's abstract namespace.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use callboard_runtime::{ConnectOptions, Endpoint, ListenOptions};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SendFlags, SocketAddrAny, SocketAddrUnix, SocketType, sockopt};

/// How to send: a peer that went away is an error, not a signal.
#[cfg(not(target_vendor = "apple"))]
pub(crate) const SEND: SendFlags = SendFlags::NOSIGNAL;
/// How to send. Rust programs ignore SIGPIPE from their start.
#[cfg(target_vendor = "apple")]
pub(crate) const SEND: SendFlags = SendFlags::empty();

/// How far a connect came at once.
pub(crate) enum Connecting {
    /// It is made.
    Done,
    /// Wait until the socket is writable, then ask [`finish_connect`].
    Underway,
    /// A Unix listener's queue is full, and the system tells nobody when it has room.
    Full(PathBuf),
}

/// The file that a Unix listener made; removed when this is dropped, if it is still ours.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

#[cfg(not(target_vendor = "apple"))]
fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK;
    Ok(net::socket_with(family, SocketType::STREAM, flags, None)?)
}

#[cfg(not(target_vendor = "apple"))]
fn accept_prepared(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let flags = net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK;
    Ok(net::acceptfrom_with(listener, flags)?)
}

#[cfg(target_vendor = "apple")]
fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    prepare(net::socket(family, SocketType::STREAM, None)?)
}

#[cfg(target_vendor = "apple")]
fn accept_prepared(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let (file, peer) = net::acceptfrom(listener)?;
    Ok((prepare(file)?, peer))
}

#[cfg(target_vendor = "apple")]
fn prepare(file: OwnedFd) -> io::Result<OwnedFd> {
    rustix::io::ioctl_fionbio(&file, true)?;
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::CLOEXEC)?;
    Ok(file)
}

/// Accepts one connection: it and its peer.
pub(crate) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Endpoint)> {
    let (file, peer) = accept_prepared(listener)?;
    Ok((file, peer.map_or_else(|| Endpoint::Unix(PathBuf::new()), endpoint)))
}

/// Starts to connect.
pub(crate) fn connect(to: &Endpoint, options: &ConnectOptions) -> io::Result<(OwnedFd, Connecting)> {
    options.check(to)?;
    let address = address(to)?;
    let file = socket(address.address_family())?;
    if let Some(local) = options.local {
        net::bind(&file, &SocketAddrAny::from(local))?;
    }
    match (net::connect(&file, &address), to) {
        (Ok(()), _) => Ok((file, Connecting::Done)),
        (Err(Errno::INPROGRESS | Errno::INTR), _) => Ok((file, Connecting::Underway)),
        (Err(Errno::AGAIN), Endpoint::Unix(path)) => Ok((file, Connecting::Full(path.clone()))),
        (Err(error), _) => Err(error.into()),
    }
}

/// Whether a connect under way has ended: true if it is made, false if it goes on.
pub(crate) fn finish_connect(file: impl AsFd) -> io::Result<bool> {
    sockopt::socket_error(&file)??;
    match net::getpeername(&file) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Listens; with a Unix path, the file that this made.
pub(crate) fn listen(at: &Endpoint, options: &ListenOptions) -> io::Result<(OwnedFd, Option<SocketFile>)> {
    let address = address(at)?;
    let file = socket(address.address_family())?;
    let made = match at {
        Endpoint::Tcp(_) => {
            sockopt::set_socket_reuseaddr(&file, true)?;
            if options.reuse_port {
                sockopt::set_socket_reuseport(&file, true)?;
            }
            net::bind(&file, &address)?;
            None
        }
        Endpoint::Unix(path) => bind_unix(&file, &address, path)?,
    };
    net::listen(&file, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok((file, made))
}

fn bind_unix(file: &OwnedFd, address: &SocketAddrAny, path: &Path) -> io::Result<Option<SocketFile>> {
    match net::bind(file, address) {
        Err(Errno::ADDRINUSE) if is_left_over(path, address) => {
            fs::remove_file(path)?;
            net::bind(file, address)?;
        }
        result => result?,
    }
    if is_abstract(path) {
        return Ok(None);
    }
    let identity = identity(path)?;
    Ok(Some(SocketFile { path: path.to_owned(), identity }))
}

/// Whether `path` is a socket on which nobody listens any more.
fn is_left_over(path: &Path, address: &SocketAddrAny) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket
        && socket(AddressFamily::UNIX)
            .is_ok_and(|probe| matches!(net::connect(probe, address), Err(Errno::CONNREFUSED)))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another program may have replaced it; then it is no longer ours to remove.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Our end.
pub(crate) fn local(file: impl AsFd) -> io::Result<Endpoint> {
    Ok(endpoint(net::getsockname(file)?))
}

/// Sends the end of our side.
pub(crate) fn half_close(file: impl AsFd) -> io::Result<()> {
    match net::shutdown(file, net::Shutdown::Write) {
        // The peer has reset the connection meanwhile: there is no side left to end.
        Ok(()) | Err(Errno::NOTCONN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `TCP_NODELAY`. Not worth an error: without it a connection is slower, not wrong.
pub(crate) fn send_without_delay(file: impl AsFd) {
    let _ = sockopt::set_tcp_nodelay(file, true);
}

/// Makes the close a reset: `SO_LINGER` with no time. Unix sockets have none, and ignore it.
pub(crate) fn reset_on_close(file: impl AsFd) {
    let _ = sockopt::set_socket_linger(file, Some(Duration::ZERO));
}

fn is_abstract(path: &Path) -> bool {
    path.as_os_str().as_bytes().first() == Some(&0)
}

fn address(endpoint: &Endpoint) -> io::Result<SocketAddrAny> {
    match endpoint {
        Endpoint::Tcp(address) => Ok((*address).into()),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Endpoint::Unix(path) if is_abstract(path) => {
            Ok(SocketAddrUnix::new_abstract_name(&path.as_os_str().as_bytes()[1..])?.into())
        }
        Endpoint::Unix(path) => Ok(SocketAddrUnix::new(path.as_path())?.into()),
    }
}

fn endpoint(address: SocketAddrAny) -> Endpoint {
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return Endpoint::Tcp(address);
    }
    let Ok(address) = SocketAddrUnix::try_from(address) else { return Endpoint::Unix(PathBuf::new()) };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.abstract_name() {
        let path = [&[0], name].concat();
        return Endpoint::Unix(OsStr::from_bytes(&path).into());
    }
    Endpoint::Unix(OsStr::from_bytes(address.path_bytes().unwrap_or_default()).into())
}
