//! Work away from the reactor: blocking jobs and look-ups of names, on the `blocking` crate's threads.

use std::any::Any;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use callboard_runtime::BoxFuture;

/// A job that goes on when nobody waits for it any more.
struct Job(Option<async_executor::Task<io::Result<()>>>);

impl Future for Job {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(task) => Pin::new(task).poll(context),
            None => Poll::Pending,
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

/// Starts `work` now. A panic in it becomes an error.
pub(crate) fn run_blocking(work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
    let task = blocking::unblock(|| catch_unwind(AssertUnwindSafe(work)).map_err(|panic| describe(&*panic)));
    Box::pin(Job(Some(task)))
}

fn describe(panic: &(dyn Any + Send)) -> io::Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    io::Error::other(format!("the blocking job panicked: {}", text.unwrap_or("with a value that is no text")))
}

/// Looks `host` up; an address literal (IPv6 with or without brackets) is taken as it is.
pub(crate) fn resolve(host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = literal.parse::<IpAddr>() {
        return Box::pin(std::future::ready(Ok(vec![SocketAddr::new(address, port)])));
    }
    let host = host.to_owned();
    Box::pin(async move {
        let name = host.clone();
        match blocking::unblock(move || look_up(&name, port)).await {
            Ok(found) if found.is_empty() => {
                Err(io::Error::new(io::ErrorKind::NotFound, format!("the host {host} has no address")))
            }
            Ok(found) => Ok(found),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot look up the host {host}: {error}"))),
        }
    })
}

fn look_up(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((name, port).to_socket_addrs()?.collect())
}
