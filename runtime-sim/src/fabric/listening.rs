//! Listeners: who may listen where, and the backlog.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};

use callboard_runtime::{Endpoint, ListenOptions};

use crate::chooser::ChoiceKind;
use crate::clockwork::Clockwork;
use crate::event::{End, Side, TraceEvent};
use crate::trace::HostId;

use super::{Fabric, Hosts};

/// A listener.
#[derive(Debug)]
pub(crate) struct Listening {
    host: HostId,
    endpoint: Endpoint,
    reuse_port: bool,
    room: usize,
    backlog: VecDeque<u64>,
    waker: Option<Waker>,
}

/// What a request to connect meets.
pub(super) enum Door {
    /// Nobody listens.
    Shut,
    /// The backlog is full.
    Crowded,
    /// This listener takes it.
    Open(u64),
}

impl Fabric {
    /// Opens a listener: its number and where it is.
    pub(crate) fn listen(
        &mut self,
        clock: &mut Clockwork,
        host: HostId,
        endpoint: Endpoint,
        options: &ListenOptions,
    ) -> io::Result<(u64, Endpoint)> {
        let endpoint = match endpoint {
            Endpoint::Tcp(address) => Endpoint::Tcp(self.bind(host, address)?),
            Endpoint::Unix(path) if path.as_os_str().is_empty() => return Err(io::ErrorKind::InvalidInput.into()),
            unix @ Endpoint::Unix(_) => unix,
        };
        let taken = self.listeners.values().filter(|other| other.host == host);
        if taken.into_iter().any(|other| {
            overlaps(&other.endpoint, &endpoint)
                && !(other.reuse_port && options.reuse_port && endpoint.tcp().is_some())
        }) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.last_listener += 1;
        let id = self.last_listener;
        let room = usize::try_from(options.backlog).unwrap_or(usize::MAX).max(1);
        let listening = Listening {
            host,
            endpoint: endpoint.clone(),
            reuse_port: options.reuse_port,
            room,
            backlog: VecDeque::new(),
            waker: None,
        };
        self.listeners.insert(id, listening);
        clock.record(host, TraceEvent::Listening { listener: id, endpoint: endpoint.clone() });
        Ok((id, endpoint))
    }

    /// Checks that an address can be listened on and fills in the port.
    fn bind(&mut self, host: HostId, mut address: SocketAddr) -> io::Result<SocketAddr> {
        if !address.ip().is_unspecified() && !Hosts::is_own(host, address.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        if address.port() == 0 {
            address.set_port(self.free_port(host)?);
        }
        Ok(address)
    }

    /// A port of `host` that nobody listens on.
    pub(super) fn free_port(&mut self, host: HostId) -> io::Result<u16> {
        let listeners = self.listeners.values().filter(|other| other.host == host);
        let taken: Vec<u16> =
            listeners.filter_map(|other| other.endpoint.tcp()).map(|address| address.port()).collect();
        let port = self.hosts.dynamic_port(host, |port| taken.contains(&port));
        port.ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    /// Whether anybody on the host listens on a port.
    pub(super) fn is_port_open(&self, host: HostId, port: u16) -> bool {
        let on_host = self.listeners.values().filter(|other| other.host == host);
        on_host.filter_map(|other| other.endpoint.tcp()).any(|address| address.port() == port)
    }

    /// Whether a Unix socket has this path.
    pub(super) fn is_listening(&self, host: HostId, endpoint: &Endpoint) -> bool {
        self.listeners.values().any(|listener| listener.host == host && leads_to(endpoint, &listener.endpoint))
    }

    /// Who answers a request that has arrived. One of several listeners on the port is the seed's choice.
    pub(super) fn door(&self, clock: &mut Clockwork, host: HostId, to: &Endpoint) -> Door {
        if to.tcp().is_some_and(|address| self.conditions.is_refused(host, address.port())) {
            return Door::Shut;
        }
        let listeners: Vec<(u64, bool)> = self
            .listeners
            .iter()
            .filter(|(_, listener)| listener.host == host && leads_to(to, &listener.endpoint))
            .map(|(&id, listener)| (id, listener.backlog.len() < listener.room))
            .collect();
        if listeners.is_empty() {
            return Door::Shut;
        }
        match listeners[clock.chooser.index(ChoiceKind::Listener, listeners.len())] {
            (id, true) => Door::Open(id),
            (_, false) => Door::Crowded,
        }
    }

    /// Puts a connection into the backlog.
    pub(super) fn enqueue(&mut self, clock: &mut Clockwork, listener: u64, connection: u64) {
        if let Some(listening) = self.listeners.get_mut(&listener) {
            listening.backlog.push_back(connection);
            clock.effects.wake(&mut listening.waker);
        }
    }

    /// The next connection of the backlog.
    pub(crate) fn poll_accept(&mut self, clock: &mut Clockwork, listener: u64, waker: &Waker) -> Poll<io::Result<End>> {
        let Some(listening) = self.listeners.get_mut(&listener) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let Some(connection) = listening.backlog.pop_front() else {
            clock.effects.register(&mut listening.waker, waker);
            return Poll::Pending;
        };
        clock.record(listening.host, TraceEvent::Accepted { connection });
        Poll::Ready(Ok(End { connection, side: Side::Server }))
    }

    /// Closes a listener and resets whatever waits in its backlog.
    pub(crate) fn unlisten(&mut self, clock: &mut Clockwork, listener: u64) {
        let Some(listening) = self.listeners.remove(&listener) else { return };
        clock.effects.discard(listening.waker);
        clock.record(listening.host, TraceEvent::Unlistened { listener });
        for connection in listening.backlog {
            let end = End { connection, side: Side::Server };
            self.abort_on_drop(end);
            self.drop_end(clock, end);
        }
    }
}

/// Whether two listeners would get the same connections.
fn overlaps(one: &Endpoint, other: &Endpoint) -> bool {
    leads_to(one, other) || leads_to(other, one)
}

/// Whether a connect to `to` is one for a listener at `listener`. `[::]` listens on both families, as Linux does.
fn leads_to(to: &Endpoint, listener: &Endpoint) -> bool {
    match (to, listener) {
        (Endpoint::Unix(to), Endpoint::Unix(listener)) => to == listener,
        (Endpoint::Tcp(to), Endpoint::Tcp(listener)) if to.port() == listener.port() => match listener.ip() {
            IpAddr::V6(address) if address.is_unspecified() => true,
            IpAddr::V4(address) if address.is_unspecified() => to.is_ipv4(),
            address => address == to.ip(),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{leads_to, overlaps};
    use callboard_runtime::Endpoint;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::Tcp(text.parse().expect("an address"))
    }

    #[test]
    fn wildcards_take_their_family() {
        for (to, listener, expected) in [
            ("10.0.0.1:80", "0.0.0.0:80", true),
            ("10.0.0.1:80", "[::]:80", true),
            ("[fd00::1]:80", "[::]:80", true),
            ("[fd00::1]:80", "0.0.0.0:80", false),
            ("10.0.0.1:80", "127.0.0.1:80", false),
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
        ] {
            assert_eq!(leads_to(&endpoint(to), &endpoint(listener)), expected, "{to} {listener}");
        }
        assert!(overlaps(&endpoint("0.0.0.0:80"), &endpoint("127.0.0.1:80")));
        assert!(overlaps(&endpoint("[::]:80"), &endpoint("0.0.0.0:80")));
        assert!(!overlaps(&endpoint("10.0.0.1:80"), &endpoint("127.0.0.1:80")));
        assert!(!overlaps(&endpoint("10.0.0.1:80"), &Endpoint::Unix("80".into())));
    }
}
