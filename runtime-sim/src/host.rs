//! A simulated host, from outside: what a test does with it.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use callboard_runtime::SignalKind;

use crate::event::TraceEvent;
use crate::executor;
use crate::fabric::Hosts;
use crate::runtime::SimRuntime;
use crate::trace::HostId;
use crate::world::Shared;

/// A host with a name, addresses, ports and tasks. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
    id: HostId,
}

impl Host {
    pub(crate) fn new(shared: Arc<Shared>, name: &str) -> Self {
        let id = shared.with(|world| world.host(name));
        Self { shared, id }
    }

    /// The name, by which other hosts find it.
    pub fn name(&self) -> Arc<str> {
        self.shared.with(|world| world.clock.trace.host_name(self.id))
    }

    /// The IPv4 address: 10.0.0.1 for the first host of a simulation, and so on.
    pub fn address(&self) -> IpAddr {
        Hosts::address_v4(self.id).into()
    }

    /// The IPv6 address: `fd00::1` for the first host, and so on. Names resolve to it only with
    /// [`Options::dual_stack`](crate::Options::dual_stack).
    pub fn address_v6(&self) -> IpAddr {
        Hosts::address_v6(self.id).into()
    }

    /// The runtime of programs on this host.
    pub fn runtime(&self) -> SimRuntime {
        SimRuntime::new(self.shared.clone(), self.id)
    }

    /// Starts a task on this host.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.shared.spawn(self.id, Box::pin(future));
    }

    /// Sends a signal to the programs on this host: to all that asked for signals before.
    pub fn signal(&self, signal: SignalKind) {
        self.shared.with(|world| {
            world.clock.record(self.id, TraceEvent::Signalled(signal));
            let listening = world.subscribers.list.values_mut().filter(|subscriber| subscriber.host == self.id);
            for subscriber in listening {
                subscriber.signals.push_back(signal);
                world.clock.effects.wake(&mut subscriber.waker);
            }
        });
    }

    /// Drops all tasks of this host, as a killed process does: its connections end, or are reset where bytes were left
    /// unread. The host itself stays, and may start tasks again.
    pub fn kill(&self) {
        self.note("killed");
        executor::cancel(&self.shared, Some(self.id));
    }

    /// Writes a remark into the trace.
    pub fn note(&self, text: impl Into<String>) {
        self.shared.record(self.id, TraceEvent::Note(text.into()));
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.name()).finish()
    }
}
