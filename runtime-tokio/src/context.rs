//! Entering a Tokio context: Tokio panics where sockets and timers are made outside of one.
//!
//! Rules: whatever makes a socket or asks the blocking pool runs inside [`in_context`] or under `Handle::enter`, at
//! creation and at every poll. Sockets that exist need no context.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::time::Duration;

use callboard_runtime::BoxFuture;
use tokio::runtime::Handle;

/// Boxes `future` so that every poll of it happens in the context of `handle`.
pub(crate) fn in_context<T>(handle: Handle, future: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
    Box::pin(async move {
        let mut future = pin!(future);
        poll_fn(move |context| {
            let _entered = handle.enter();
            future.as_mut().poll(context)
        })
        .await
    })
}

/// Whether the runtime has the drivers that the port needs. Tokio tells only by panicking, so this tries once; the
/// message that a panic hook prints then says which driver is missing.
pub(crate) fn is_usable(handle: &Handle) -> bool {
    catch_unwind(AssertUnwindSafe(|| {
        let _entered = handle.enter();
        drop(tokio::time::sleep(Duration::ZERO));
        try_io();
    }))
    .is_ok()
}

/// Registers a socket that needs no network. An error (out of files) is not about the driver.
#[cfg(unix)]
fn try_io() {
    drop(tokio::net::UnixDatagram::unbound());
}

#[cfg(not(unix))]
fn try_io() {
    if let Ok(socket) = std::net::UdpSocket::bind("127.0.0.1:0") {
        let _ = socket.set_nonblocking(true);
        drop(tokio::net::UdpSocket::from_std(socket));
    }
}
