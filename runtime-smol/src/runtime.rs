//! `Smol` as a [`Runtime`]: each call goes to async-io and the executor, or to the workers.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};

use crate::listener::SmolListener;
use crate::resolve;
use crate::signals::SmolSignals;
use crate::socket::Home;
use crate::stream;
use crate::threads::unblock;
use crate::timer::{StockTimer, WorkerTimer};
use crate::{Kind, Smol};

impl Smol {
    pub(crate) fn home(&self) -> Home {
        match &self.0.kind {
            Kind::Stock(_) => Home::Stock,
            Kind::Workers(workers) => Home::Worker(workers.here()),
        }
    }
}

impl Runtime for Smol {
    fn now(&self) -> Instant {
        Instant::EPOCH + self.0.epoch.elapsed()
    }

    #[inline]
    fn coarse_now(&self) -> Instant {
        match &self.0.kind {
            Kind::Stock(_) => self.now(),
            Kind::Workers(workers) => workers.turn().map_or_else(|| self.now(), Instant::from_nanos),
        }
    }

    fn wall_clock(&self) -> Duration {
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }

    /// `SipHash` under a key from the system's random numbers, over a count and the time. Unpredictable from its
    /// outputs, as hash tables rely on; not meant for key material.
    fn entropy(&self) -> u64 {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        RandomState::new().hash_one((COUNT.fetch_add(1, Ordering::Relaxed), self.0.epoch.elapsed()))
    }

    fn spawn(&self, task: Task) {
        match &self.0.kind {
            Kind::Stock(executor) => executor.spawn(task),
            Kind::Workers(workers) => workers.spawn(task),
        }
    }

    fn workers(&self) -> usize {
        match &self.0.kind {
            Kind::Stock(_) => 1,
            Kind::Workers(workers) => workers.count(),
        }
    }

    fn spawn_on(&self, worker: usize, make: Box<dyn FnOnce() -> Task + Send>) {
        match &self.0.kind {
            Kind::Stock(executor) => executor.spawn(make()),
            Kind::Workers(workers) => workers.spawn_on(worker, make),
        }
    }

    fn timer(&self) -> Box<dyn Timer> {
        match &self.0.kind {
            Kind::Stock(_) => Box::new(StockTimer::new(self.0.epoch)),
            Kind::Workers(workers) => Box::new(WorkerTimer::new(workers.here())),
        }
    }

    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let connecting = stream::connect(self.home(), endpoint, options);
        Box::pin(async { Ok(Box::new(connecting.await?) as Box<dyn Stream>) })
    }

    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>> {
        Ok(Box::new(SmolListener::new(self.home(), &endpoint, &options)?))
    }

    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        resolve::resolve(host, port)
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        Box::pin(unblock(work))
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Ok(Box::new(SmolSignals::new()?))
    }

    fn block_on(&self, mut future: BoxFuture<'_, ()>) -> io::Result<()> {
        match &self.0.kind {
            Kind::Stock(executor) => {
                executor.block_on(future.as_mut());
                Ok(())
            }
            Kind::Workers(workers) => workers.block_on(future.as_mut()),
        }
    }
}
