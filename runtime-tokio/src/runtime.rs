//! The port's `Runtime` on Tokio.
//!
//! Every operation first asks `here` for the runtime to use: the worker that calls, worker 0 from elsewhere, or the
//! caller's own. An operation that Tokio ends because its runtime was shut down is an `io::Error`.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};
use tokio::runtime::Handle;

use crate::context::in_context;
use crate::signals::TokioSignals;
use crate::timer::TokioTimer;
use crate::{Host, Tokio, listener, stream};

impl Tokio {
    /// The Tokio runtime that what is made here belongs to.
    fn here(&self) -> io::Result<Handle> {
        match &self.host {
            Host::Current(handle) => Ok(handle.clone()),
            Host::Workers(workers) => workers.here().cloned(),
            Host::Failed(error) => Err(failed(error)),
        }
    }

    /// Runs `make`'s future in the context of the runtime here.
    fn future<T, F>(&self, make: impl FnOnce() -> F) -> BoxFuture<'static, io::Result<T>>
    where
        T: Send + 'static,
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        match self.here() {
            Ok(handle) => in_context(handle, make()),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

impl Runtime for Tokio {
    fn now(&self) -> Instant {
        self.epoch.elapsed()
    }

    fn wall_clock(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// From the standard library's hash seeds: random per process and thread. Enough for jitter and for seeding what
    /// need not be secret; not for keys.
    fn entropy(&self) -> u64 {
        RandomState::new().hash_one(self.epoch.elapsed().as_nanos())
    }

    fn spawn(&self, task: Task) {
        if let Ok(handle) = self.here() {
            handle.spawn(task);
        }
    }

    fn workers(&self) -> usize {
        match &self.host {
            Host::Workers(workers) => workers.count(),
            Host::Current(_) | Host::Failed(_) => 1,
        }
    }

    fn spawn_on(&self, worker: usize, make: Box<dyn FnOnce() -> Task + Send>) {
        let handle = match &self.host {
            Host::Workers(workers) => workers.at(worker).cloned(),
            Host::Current(_) | Host::Failed(_) => self.here(),
        };
        if let Ok(handle) = handle {
            handle.spawn(async move { make().await });
        }
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(TokioTimer::new(self.epoch, self.here().ok()))
    }

    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        self.future(|| stream::connect(endpoint, options))
    }

    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>> {
        listener::listen(self.here()?, self.epoch, endpoint, &options)
    }

    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = literal.parse::<IpAddr>() {
            return Box::pin(std::future::ready(Ok(vec![SocketAddr::new(address, port)])));
        }
        let host = host.to_owned();
        self.future(move || look_up(host, port))
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        // Started at once: it runs even if nobody polls.
        let job = self.here().map(|handle| handle.spawn_blocking(work));
        Box::pin(async move {
            job?.await.map_err(|error| match error.try_into_panic() {
                Ok(panic) => io::Error::other(format!("the blocking work panicked: {}", panic_text(&*panic))),
                Err(_) => io::Error::other("the Tokio runtime was shut down before the blocking work ran"),
            })
        })
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Ok(Box::new(TokioSignals::new(&self.here()?)?))
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) -> io::Result<()> {
        if Handle::try_current().is_ok() {
            return Err(io::Error::other("block_on was called inside a Tokio runtime: await there instead"));
        }
        match &self.host {
            Host::Current(handle) => handle.block_on(future),
            Host::Workers(workers) => workers.block_on(future),
            Host::Failed(error) => return Err(failed(error)),
        }
        Ok(())
    }
}

async fn look_up(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let addresses: Vec<SocketAddr> = found
        .map_err(|error| io::Error::new(error.kind(), format!("cannot look up the host {host}: {error}")))?
        .collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("the host {host} has no address")));
    }
    Ok(addresses)
}

fn failed(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("no Tokio runtime could be built: {error}"))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("not a text")
}
