//! A client and a server machine joined by two pipes, on virtual time. No sockets, no clock: what a test does not
//! ask for does not happen, and a seed cuts the bytes in flight differently in every run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{
    ClientConnection, ClientEvent, Request, RequestHead, Response, ResponseHead, ServerConnection, ServerEvent,
};
use callboard_core::{BodyLength, ExchangeId, Headers, Instant, Limits, Method, Protocol, Random, Status, Version};

/// One direction of the connection.
#[derive(Default)]
struct Pipe {
    in_flight: BytesMut,
    /// The writer has half-closed.
    closed: bool,
    /// The reader was told.
    told: bool,
    /// Nothing is delivered.
    stalled: bool,
}

/// The two machines, and what they have reported.
pub(crate) struct Pair {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
    pub(crate) now: Instant,
    pub(crate) client_events: VecDeque<ClientEvent>,
    pub(crate) server_events: VecDeque<ServerEvent>,
    pub(crate) client_input: BytesMut,
    pub(crate) server_input: BytesMut,
    /// The server's host does not poll events.
    pub(crate) is_host_slow: bool,
    /// The client's host does not poll events.
    pub(crate) is_caller_slow: bool,
    /// The test plays the client: the client machine is left out.
    is_client_played: bool,
    /// The test plays the server: the server machine is left out.
    is_server_played: bool,
    to_server: Pipe,
    to_client: Pipe,
    random: Random,
}

/// Runs a scenario with many cuts of the bytes in flight.
pub(crate) fn seeds(limits: &Limits, scenario: impl Fn(&mut Pair)) {
    for seed in 0..30 {
        scenario(&mut Pair::new(limits, seed));
    }
}

/// Fields from pairs.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in pairs {
        headers.append(name, value).unwrap();
    }
    headers
}

impl Pair {
    pub(crate) fn new(limits: &Limits, seed: u64) -> Self {
        let (limits, now) = (Arc::new(limits.clone()), Instant::from_nanos(7));
        Self {
            client: ClientConnection::new(Arc::clone(&limits), now),
            server: ServerConnection::new(limits, now),
            now,
            client_events: VecDeque::new(),
            server_events: VecDeque::new(),
            client_input: BytesMut::new(),
            server_input: BytesMut::new(),
            is_host_slow: false,
            is_caller_slow: false,
            is_client_played: false,
            is_server_played: false,
            to_server: Pipe::default(),
            to_client: Pipe::default(),
            random: Random::from_seed(seed),
        }
    }

    /// Sends a request from the client.
    pub(crate) fn send(&mut self, method: &Method, target: &str, headers: &Headers, body: BodyLength) -> ExchangeId {
        let request = Request { method, target, version: Version::Http11, headers };
        self.client.send_request(&request, body, self.now).unwrap()
    }

    /// A GET, brought to the server.
    pub(crate) fn get(&mut self) -> ExchangeId {
        self.send(&Method::Get, "/", &fields(&[("Host", "a")]), BodyLength::Empty);
        self.run();
        self.request().0
    }

    /// Answers from the server; a body is sent whole.
    pub(crate) fn respond(&mut self, exchange: ExchangeId, status: Status, headers: &Headers, body: &[u8]) {
        let response = Response { status, headers, date: None };
        let length = BodyLength::Known(body.len() as u64);
        self.server.respond(exchange, &response, length, self.now).unwrap();
        self.server.send_data(exchange, Bytes::copy_from_slice(body), self.now).unwrap();
        self.server.finish(exchange, None, self.now).unwrap();
    }

    /// The test plays the client: nothing comes from the client machine, and what the server sends is thrown away.
    pub(crate) fn play_client(&mut self) {
        self.is_client_played = true;
    }

    /// The test plays the server.
    pub(crate) fn play_server(&mut self) {
        self.is_server_played = true;
    }

    /// Puts bytes on the way to the server, as a client of another make would.
    pub(crate) fn inject(&mut self, bytes: &[u8]) {
        self.to_server.in_flight.extend_from_slice(bytes);
        self.run();
    }

    /// Puts bytes on the way to the client.
    pub(crate) fn inject_to_client(&mut self, bytes: &[u8]) {
        self.to_client.in_flight.extend_from_slice(bytes);
        self.run();
    }

    /// The client is gone: nothing more comes from it.
    pub(crate) fn close_client(&mut self) {
        self.to_server.closed = true;
        self.run();
    }

    /// The server is gone.
    pub(crate) fn close_server(&mut self) {
        self.to_client.closed = true;
        self.run();
    }

    /// The client takes nothing from the network any more.
    pub(crate) fn stall_client(&mut self) {
        self.to_client.stalled = true;
    }

    /// The client takes this much from the network, once.
    pub(crate) fn take_at_client(&mut self, count: usize) {
        self.server.outgoing().advance(count);
    }

    /// The server takes nothing from the network any more.
    pub(crate) fn stall_server(&mut self) {
        self.to_server.stalled = true;
    }

    /// Moves bytes and drains events until nothing moves.
    pub(crate) fn run(&mut self) {
        while self.move_to_server() | self.move_to_client() {}
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.run();
            let server = (!self.is_server_played).then(|| self.server.poll_timeout()).flatten();
            let client = (!self.is_client_played).then(|| self.client.poll_timeout()).flatten();
            let due = server.into_iter().chain(client).min();
            let next = due.map_or(end, |due| due.clamp(self.now, end));
            let is_last = next == end;
            // A deadline that is passed and stays is a loop without end.
            assert!(is_last || next > self.now || self.now == Instant::from_nanos(7), "a deadline does not move");
            self.now = next;
            if !self.is_server_played {
                self.server.handle_timeout(self.now);
            }
            if !self.is_client_played {
                self.client.handle_timeout(self.now);
            }
            if is_last {
                return self.run();
            }
        }
    }

    fn move_to_server(&mut self) -> bool {
        let pipe = &mut self.to_server;
        let mut moved = !self.is_client_played && push(self.client.outgoing(), pipe, &mut self.random);
        let closes = self.client.is_finished() || self.client.wants_half_close();
        if closes && !self.is_client_played && self.client.outgoing().is_empty() {
            pipe.closed = true;
        }
        if self.is_server_played {
            pipe.in_flight.clear();
            return moved;
        }
        if self.server.wants_input() {
            moved |= pull(pipe, &mut self.server_input, &mut self.random);
        }
        if self.server.is_finished() {
            pipe.in_flight.clear();
        }
        self.server.handle_input(&mut self.server_input, self.now);
        if pipe.closed && pipe.in_flight.is_empty() && !pipe.told {
            (pipe.told, moved) = (true, true);
            self.server.handle_end_of_input(self.now);
        }
        while let Some(event) = (!self.is_host_slow).then(|| self.server.poll_event()).flatten() {
            self.server_events.push_back(event);
            self.server.handle_input(&mut self.server_input, self.now);
            moved = true;
        }
        moved
    }

    fn move_to_client(&mut self) -> bool {
        let pipe = &mut self.to_client;
        let mut moved = !self.is_server_played && push(self.server.outgoing(), pipe, &mut self.random);
        let closes = self.server.is_finished() || self.server.wants_half_close();
        if closes && !self.is_server_played && self.server.outgoing().is_empty() {
            pipe.closed = true;
        }
        if self.is_client_played {
            pipe.in_flight.clear();
            return moved;
        }
        if self.client.wants_input() {
            moved |= pull(pipe, &mut self.client_input, &mut self.random);
        }
        if self.client.is_finished() {
            pipe.in_flight.clear();
        }
        self.client.handle_input(&mut self.client_input, self.now);
        if pipe.closed && pipe.in_flight.is_empty() && !pipe.told {
            (pipe.told, moved) = (true, true);
            self.client.handle_end_of_input(self.now);
        }
        while let Some(event) = (!self.is_caller_slow).then(|| self.client.poll_event()).flatten() {
            self.client_events.push_back(event);
            self.client.handle_input(&mut self.client_input, self.now);
            moved = true;
        }
        moved
    }

    /// The next event at the server, which must be a request.
    pub(crate) fn request(&mut self) -> (ExchangeId, RequestHead, BodyLength, bool) {
        match self.server_events.pop_front() {
            Some(ServerEvent::Request { exchange, head, body, expects_continue }) => {
                (exchange, head, body, expects_continue)
            }
            other => panic!("no request but {other:?}"),
        }
    }

    /// The next event at the client, which must be a final response.
    pub(crate) fn response(&mut self) -> (ResponseHead, BodyLength) {
        match self.client_events.pop_front() {
            Some(ClientEvent::Response { head, body, .. }) => (head, body),
            other => panic!("no response but {other:?}"),
        }
    }

    /// The request's body, which must be complete, and its trailers.
    pub(crate) fn request_body(&mut self) -> (Vec<u8>, Option<Headers>) {
        let mut bytes = Vec::new();
        loop {
            match self.server_events.pop_front() {
                Some(ServerEvent::Data { data, .. }) => bytes.extend_from_slice(&data),
                Some(ServerEvent::End { trailers, .. }) => return (bytes, trailers.map(|trailers| *trailers)),
                other => panic!("after {} bytes of a body: {other:?}", bytes.len()),
            }
        }
    }

    /// The response's body, which must be complete, and its trailers.
    pub(crate) fn response_body(&mut self) -> (Vec<u8>, Option<Headers>) {
        let mut bytes = Vec::new();
        loop {
            match self.client_events.pop_front() {
                Some(ClientEvent::Data { data, .. }) => bytes.extend_from_slice(&data),
                Some(ClientEvent::End { trailers, .. }) => return (bytes, trailers.map(|trailers| *trailers)),
                other => panic!("after {} bytes of a body: {other:?}", bytes.len()),
            }
        }
    }

    /// Nothing was reported that the test has not looked at.
    pub(crate) fn assert_quiet(&self) {
        assert_eq!((&self.client_events, &self.server_events), (&VecDeque::new(), &VecDeque::new()));
    }
}

/// A random part of what is queued goes on its way.
fn push(queue: &mut callboard_core::SendQueue, pipe: &mut Pipe, random: &mut Random) -> bool {
    if queue.is_empty() || pipe.stalled {
        return false;
    }
    let count = piece(queue.len(), random);
    pipe.in_flight.extend_from_slice(&queue.copy_to_bytes(count));
    true
}

/// A random part of what is on its way arrives.
fn pull(pipe: &mut Pipe, input: &mut BytesMut, random: &mut Random) -> bool {
    if pipe.in_flight.is_empty() || pipe.stalled {
        return false;
    }
    let count = piece(pipe.in_flight.len(), random);
    input.extend_from_slice(&pipe.in_flight.split_to(count));
    true
}

fn piece(most: usize, random: &mut Random) -> usize {
    let largest = [3, 40, 100_000][usize::try_from(random.below(3)).unwrap()];
    most.min(1 + usize::try_from(random.below(largest)).unwrap())
}
