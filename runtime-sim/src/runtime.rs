//! The port, on the simulated world.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};

use crate::chooser::ChoiceKind;
use crate::event::{End, TraceEvent};
use crate::executor;
use crate::fabric::Hosts;
use crate::listener::SimListener;
use crate::signals::SimSignals;
use crate::stream::SimStream;
use crate::timer::SimTimer;
use crate::trace::HostId;
use crate::world::Shared;

/// The runtime of one simulated host. Cheap to clone; turns into a [`Handle`](callboard_runtime::Handle).
#[derive(Clone)]
pub struct SimRuntime {
    shared: Arc<Shared>,
    host: HostId,
}

impl SimRuntime {
    pub(crate) fn new(shared: Arc<Shared>, host: HostId) -> Self {
        Self { shared, host }
    }
}

impl fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.shared.with(|world| world.clock.trace.host_name(self.host));
        f.debug_tuple("SimRuntime").field(&host).finish()
    }
}

impl Runtime for SimRuntime {
    fn now(&self) -> Instant {
        self.shared.now()
    }

    fn wall_clock(&self) -> Duration {
        self.shared.with(|world| world.clock.options.epoch + (world.clock.now - Instant::EPOCH))
    }

    fn entropy(&self) -> u64 {
        self.shared.with(|world| world.clock.chooser.bits())
    }

    fn spawn(&self, task: Task) {
        self.shared.spawn(self.host, task);
    }

    fn workers(&self) -> usize {
        self.shared.with(|world| world.clock.options.workers)
    }

    fn spawn_on(&self, _: usize, make: Box<dyn FnOnce() -> Task + Send>) {
        // All workers are this thread; but `make` runs as a worker's would, when its turn comes.
        self.spawn(Box::pin(async move { make().await }));
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(SimTimer::new(self.shared.clone(), self.host))
    }

    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let (shared, host) = (self.shared.clone(), self.host);
        Box::pin(async move {
            options.check(&endpoint)?;
            let local = options.local;
            let connection = shared.with(|world| world.fabric.connect(&mut world.clock, host, endpoint, local))?;
            let attempt = Attempt { shared, connection };
            let end = poll_fn(|context| attempt.poll(context.waker())).await?;
            let stream = SimStream::new(attempt.shared.clone(), end)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>> {
        Ok(Box::new(SimListener::new(self.shared.clone(), self.host, endpoint, &options)?))
    }

    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = literal.parse::<IpAddr>() {
            return Box::pin(async move { Ok(vec![SocketAddr::new(address, port)]) });
        }
        let (runtime, name) = (self.clone(), host.to_owned());
        Box::pin(async move {
            runtime.delay(ChoiceKind::Latency).await;
            let addresses = runtime.look_up(&name);
            let found = !addresses.is_empty();
            runtime.shared.record(runtime.host, TraceEvent::Resolved { name: name.clone(), found });
            if !found {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("no host is named \"{name}\"")));
            }
            Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
        })
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        let outcome = Arc::new(Outcome::default());
        let (runtime, done) = (self.clone(), outcome.clone());
        self.spawn(Box::pin(async move {
            runtime.delay(ChoiceKind::Blocking).await;
            let result = catch_unwind(AssertUnwindSafe(work));
            done.set(result.map_err(|panic| io::Error::other(executor::panic_message(&*panic))));
        }));
        Box::pin(poll_fn(move |context| outcome.poll(context.waker())))
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Ok(Box::new(SimSignals::new(self.shared.clone(), self.host)))
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) -> io::Result<()> {
        Ok(executor::block_on(&self.shared, pin!(future))?)
    }
}

impl SimRuntime {
    /// Waits as long as a message travels, or blocking work takes.
    fn delay(&self, kind: ChoiceKind) -> impl Future<Output = ()> + use<> {
        let deadline = self.shared.with(|world| {
            let options = &world.clock.options;
            let range = if kind == ChoiceKind::Blocking { &options.blocking } else { &options.latency }.clone();
            world.clock.now + world.clock.draw(kind, &range)
        });
        let mut timer = self.timer();
        poll_fn(move |context| timer.poll_at(context, deadline))
    }

    /// The addresses of a name, in the resolver's order.
    fn look_up(&self, name: &str) -> Vec<IpAddr> {
        self.shared.with(|world| {
            if name.eq_ignore_ascii_case("localhost") {
                return vec![Ipv4Addr::LOCALHOST.into()];
            }
            let Some(host) = world.fabric.hosts.find(name) else { return Vec::new() };
            let mut addresses = vec![Hosts::address_v4(host).into()];
            if world.clock.options.dual_stack {
                let position = world.clock.chooser.index(ChoiceKind::AddressOrder, 2);
                addresses.insert(position, Hosts::address_v6(host).into());
            }
            addresses
        })
    }
}

/// An attempt to connect; its drop gives up.
struct Attempt {
    shared: Arc<Shared>,
    connection: u64,
}

impl Attempt {
    fn poll(&self, waker: &Waker) -> Poll<io::Result<End>> {
        self.shared.with(|world| world.fabric.poll_connect(&mut world.clock, self.connection, waker))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.shared.with(|world| world.fabric.abandon(&mut world.clock, self.connection));
    }
}

/// Where blocking work leaves word that it is done.
#[derive(Default)]
struct Outcome(Mutex<(Option<io::Result<()>>, Option<Waker>)>);

impl Outcome {
    fn set(&self, result: io::Result<()>) {
        let waker = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inner.0 = Some(result);
            inner.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = inner.0.take() {
            return Poll::Ready(result);
        }
        let replaced = inner.1.replace(waker.clone());
        drop(inner);
        drop(replaced);
        Poll::Pending
    }
}
