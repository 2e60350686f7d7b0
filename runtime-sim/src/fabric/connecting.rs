//! Attempts to connect: a request travels there, an answer travels back.
//!
//! An attempt and the connection it leads to have the same number. The connection exists from the moment the request
//! is taken, so the server may send before the client knows.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::task::{Poll, Waker};
use std::time::Duration;

use callboard_runtime::Endpoint;

use crate::clockwork::Clockwork;
use crate::event::{End, Side, TraceEvent};
use crate::queue::{Due, DueKey};
use crate::trace::HostId;

use super::connection::{Connection, Half};
use super::listening::Door;
use super::{Fabric, Hosts};

/// When a request is made again that met a full backlog.
const AGAIN: Duration = Duration::from_secs(1);

/// An attempt to connect.
#[derive(Debug)]
pub(crate) struct Attempt {
    client: HostId,
    server: HostId,
    local: Endpoint,
    to: Endpoint,
    stage: Stage,
    key: Option<DueKey>,
    waker: Option<Waker>,
}

#[derive(Debug)]
enum Stage {
    /// A black hole took the request.
    Swallowed,
    Requesting,
    Answering(Result<(), io::ErrorKind>),
    Answered(Result<(), io::ErrorKind>),
}

impl Fabric {
    /// Sends a request to connect: its number. `from`: the address that is asked for, of the family of `to`.
    pub(crate) fn connect(
        &mut self,
        clock: &mut Clockwork,
        client: HostId,
        to: Endpoint,
        from: Option<SocketAddr>,
    ) -> io::Result<u64> {
        let (server, local, to) = match to {
            Endpoint::Tcp(address) => {
                let (server, from, to) = self.plan(client, address, from)?;
                (server, Endpoint::Tcp(from), Endpoint::Tcp(to))
            }
            unix @ Endpoint::Unix(_) => {
                if !self.is_listening(client, &unix) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                (Some(client), Endpoint::Unix(PathBuf::new()), unix)
            }
        };
        self.last_connection += 1;
        let connection = self.last_connection;
        clock.record(client, TraceEvent::Connecting { connection, to: to.clone() });
        // An address of nobody is answered by a router on the way, if there is one; ours is as far as any host.
        let stage = match server {
            None => Stage::Answering(Err(io::ErrorKind::HostUnreachable)),
            Some(server) if self.conditions.is_black_hole(client, server) => Stage::Swallowed,
            Some(_) => Stage::Requesting,
        };
        let server = server.unwrap_or(HostId::TEST);
        self.attempts.insert(connection, Attempt { client, server, local, to, stage, key: None, waker: None });
        self.send_attempt(clock, connection);
        Ok(connection)
    }

    /// Whom a TCP address leads to, from which address, to which.
    fn plan(
        &mut self,
        client: HostId,
        mut to: SocketAddr,
        wanted: Option<SocketAddr>,
    ) -> io::Result<(Option<HostId>, SocketAddr, SocketAddr)> {
        if to.port() == 0 {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        if to.ip().is_unspecified() {
            to.set_ip(if to.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        let server = self.hosts.route(client, to.ip());
        let usual: IpAddr = match to.ip() {
            loopback if loopback.is_loopback() => loopback,
            IpAddr::V4(_) => Hosts::address_v4(client).into(),
            IpAddr::V6(_) => Hosts::address_v6(client).into(),
        };
        let from = wanted.map(|wanted| wanted.ip()).filter(|wanted| !wanted.is_unspecified()).unwrap_or(usual);
        if !Hosts::is_own(client, from) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        // Nobody could answer to the loopback of another host.
        if from.is_loopback() && server != Some(client) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let port = match wanted.map(|wanted| wanted.port()) {
            None | Some(0) => self.free_port(client)?,
            Some(port) if self.is_taken(client, port) => return Err(io::ErrorKind::AddrInUse.into()),
            Some(port) => port,
        };
        Ok((server, SocketAddr::new(from, port), to))
    }

    /// Whether somebody on the host listens on the port, or is connected from it.
    fn is_taken(&self, host: HostId, port: u16) -> bool {
        let is_at = |endpoint: &Endpoint| endpoint.tcp().is_some_and(|address| address.port() == port);
        let connects = |attempt: &Attempt| attempt.client == host && is_at(&attempt.local);
        let has = |half: &Half| half.host == host && is_at(&half.local);
        self.is_port_open(host, port)
            || self.attempts.values().any(connects)
            || self.connections.values().any(|connection| connection.halves.iter().any(has))
    }

    /// Sends the message that an attempt is at on its way.
    fn send_attempt(&mut self, clock: &mut Clockwork, connection: u64) {
        let Some(attempt) = self.attempts.get_mut(&connection) else { return };
        let due = match attempt.stage {
            Stage::Requesting => Due::Request(connection),
            Stage::Answering(_) => Due::Answer(connection),
            Stage::Swallowed | Stage::Answered(_) => return,
        };
        let at = clock.now + self.conditions.latency(clock, attempt.client, attempt.server);
        attempt.key = Some(clock.schedule(at, due));
    }

    /// A request would arrive now.
    pub(crate) fn handle_request(&mut self, clock: &mut Clockwork, connection: u64) {
        let Some(attempt) = self.attempts.get_mut(&connection) else { return };
        attempt.key = None;
        let (client, server, to) = (attempt.client, attempt.server, attempt.to.clone());
        if self.conditions.is_partitioned(client, server) {
            return;
        }
        let answer = match self.door(clock, server, &to) {
            Door::Shut => Err(io::ErrorKind::ConnectionRefused),
            Door::Crowded => {
                clock.record(server, TraceEvent::Postponed { connection });
                let key = clock.schedule(clock.now + AGAIN, Due::Request(connection));
                if let Some(attempt) = self.attempts.get_mut(&connection) {
                    attempt.key = Some(key);
                }
                return;
            }
            Door::Open(listener) => {
                let Some(attempt) = self.attempts.get(&connection) else { return };
                let halves = [Half::new(client, attempt.local.clone()), Half::new(server, to)];
                self.connections.insert(connection, Connection { halves });
                self.enqueue(clock, listener, connection);
                Ok(())
            }
        };
        if let Some(attempt) = self.attempts.get_mut(&connection) {
            attempt.stage = Stage::Answering(answer);
        }
        self.send_attempt(clock, connection);
        let answered_at = self.attempts.get(&connection).and_then(|attempt| attempt.key).map(|key| key.0);
        if let (Some(at), Some(connection)) = (answered_at, self.connections.get_mut(&connection)) {
            connection.half(Side::Server).not_before = at;
        }
    }

    /// An answer would arrive now.
    pub(crate) fn handle_answer(&mut self, clock: &mut Clockwork, connection: u64) {
        let Some(attempt) = self.attempts.get_mut(&connection) else { return };
        attempt.key = None;
        let Stage::Answering(answer) = attempt.stage else { return };
        if self.conditions.is_partitioned(attempt.client, attempt.server) {
            return;
        }
        let event = match answer {
            Ok(()) => TraceEvent::Connected { connection },
            Err(_) => TraceEvent::Refused { connection },
        };
        clock.record(attempt.client, event);
        attempt.stage = Stage::Answered(answer);
        clock.effects.wake(&mut attempt.waker);
    }

    /// The outcome of an attempt, once.
    pub(crate) fn poll_connect(
        &mut self,
        clock: &mut Clockwork,
        connection: u64,
        waker: &Waker,
    ) -> Poll<io::Result<End>> {
        let Some(attempt) = self.attempts.get_mut(&connection) else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let Stage::Answered(answer) = attempt.stage else {
            clock.effects.register(&mut attempt.waker, waker);
            return Poll::Pending;
        };
        self.attempts.remove(&connection);
        Poll::Ready(answer.map(|()| End { connection, side: Side::Client }).map_err(io::Error::from))
    }

    /// The client gives up. If the connection exists already, it is reset.
    pub(crate) fn abandon(&mut self, clock: &mut Clockwork, connection: u64) {
        let Some(mut attempt) = self.attempts.remove(&connection) else { return };
        clock.cancel(&mut attempt.key);
        clock.effects.discard(attempt.waker.take());
        clock.record(attempt.client, TraceEvent::Abandoned { connection });
        let end = End { connection, side: Side::Client };
        self.abort_on_drop(end);
        self.drop_end(clock, end);
    }

    /// Sends on what a partition between two hosts stopped.
    pub(super) fn resume_attempts(&mut self, clock: &mut Clockwork, a: HostId, b: HostId) {
        let stopped: Vec<u64> = self
            .attempts
            .iter()
            .filter(|(_, attempt)| attempt.key.is_none())
            .filter(|(_, attempt)| [(a, b), (b, a)].contains(&(attempt.client, attempt.server)))
            .map(|(&id, _)| id)
            .collect();
        for connection in stopped {
            self.send_attempt(clock, connection);
        }
    }
}
