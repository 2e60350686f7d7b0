//! The core on poll(2): HTTP/1.1 for many connections on one thread, no async and no runtime.
//!
//! `--port P` listens there (default 8080). `--once` serves a hundred connections of its own and ends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::{env, thread, time};

use bytes::{Buf, Bytes, BytesMut};
use callboard::core::http1::{Response, ServerConnection, ServerEvent};
use callboard::core::{BodyLength, Protocol, date::http_date};
use callboard::{Headers, Instant, Method, Status};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Connections that `--once` serves.
const VISITS: usize = 100;

/// One connection. An idle one owns no buffer.
struct Connection {
    machine: ServerConnection,
    stream: TcpStream,
    input: BytesMut,
}

impl Connection {
    /// What to wait for. Nothing more is read while the peer does not take what is queued.
    fn interest(&mut self) -> PollFd<'_> {
        let is_writing = self.machine.outgoing().has_remaining();
        let reading = if self.machine.wants_input() { PollFlags::IN } else { PollFlags::empty() };
        PollFd::new(&self.stream, if is_writing { PollFlags::OUT } else { reading })
    }

    /// One turn: read, deadline, then events and writes until nothing moves. False when the connection is over.
    fn turn(&mut self, ready: PollFlags, buffer: &mut [u8], now: Instant) -> callboard::Result<bool> {
        if ready.contains(PollFlags::IN) {
            match self.stream.read(buffer) {
                Ok(0) => self.machine.handle_end_of_input(now),
                Ok(count) => self.input.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        } else if ready.intersects(PollFlags::ERR | PollFlags::HUP) {
            return Ok(false);
        }
        self.machine.handle_timeout(now);
        while self.write()? {
            self.machine.handle_input(&mut self.input, now);
            match self.machine.poll_event() {
                Some(event) => self.answer(event, now)?,
                None if self.machine.outgoing().has_remaining() => {}
                None => break,
            }
        }
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        let (is_sent, is_over) = (!self.machine.outgoing().has_remaining(), self.machine.is_finished());
        if is_sent && !is_over && self.machine.wants_half_close() {
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(!(is_sent && is_over))
    }

    /// Writes what is queued. False: the peer does not take it now.
    fn write(&mut self) -> io::Result<bool> {
        let outgoing = self.machine.outgoing();
        while outgoing.has_remaining() {
            match self.stream.write(outgoing.chunk()) {
                Ok(sent) => outgoing.advance(sent),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// A greeting, and an echo of what is posted.
    fn answer(&mut self, event: ServerEvent, now: Instant) -> callboard::Result {
        let (machine, headers) = (&mut self.machine, Headers::new());
        let date = http_date(time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs());
        let head = |status| Response { status, headers: &headers, date: Some(&date) };
        match event {
            ServerEvent::Request { exchange, head: request, body, .. } if request.method == Method::Post => {
                machine.inform(exchange, Status::CONTINUE, &headers, now)?; // sent only to those who wait for it
                machine.respond(exchange, &head(Status::OK), body, now)?;
            }
            ServerEvent::Request { exchange, .. } => {
                machine.respond(exchange, &head(Status::OK), BodyLength::Known(7), now)?;
                machine.send_data(exchange, Bytes::from("Hello!\n"), now)?;
                machine.finish(exchange, None, now)?;
            }
            ServerEvent::Data { exchange, data } => machine.send_data(exchange, data, now)?,
            ServerEvent::End { exchange, .. } => machine.finish(exchange, None, now)?,
            ServerEvent::Failed { exchange, error, answerable: true } => {
                machine.respond(exchange, &head(error.status()), BodyLength::Known(0), now)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Opens all connections, then greets on each.
fn visit(address: SocketAddr) -> io::Result<()> {
    let streams: io::Result<Vec<TcpStream>> = (0..VISITS).map(|_| TcpStream::connect(address)).collect();
    for mut stream in streams? {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let answer = io::read_to_string(stream)?;
        assert!(answer.ends_with("Hello!\n"), "{answer}");
    }
    Ok(())
}

fn main() -> callboard::Result {
    let once = env::args().any(|argument| argument == "--once");
    let port = env::args().skip_while(|argument| argument != "--port").nth(1);
    let port = port.map_or(Ok(if once { 0 } else { 8080 }), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    println!("http://{address}");
    let visitor = thread::spawn(move || if once { visit(address) } else { Ok(()) });

    let (start, mut buffer, mut served) = (time::Instant::now(), vec![0; 16 * 1024], 0);
    let mut connections: Vec<Connection> = Vec::new();
    while !once || served < VISITS {
        let deadline = connections.iter().filter_map(|connection| connection.machine.poll_timeout()).min();
        let now = Instant::EPOCH + start.elapsed();
        let timeout = deadline.map(|deadline| Timespec::try_from(deadline - now)).transpose()?;
        let mut files = vec![PollFd::new(&listener, PollFlags::IN)];
        files.extend(connections.iter_mut().map(Connection::interest));
        poll(&mut files, timeout.as_ref())?;
        // poll(2) looks at every connection, and so do we.
        let ready: Vec<PollFlags> = files.iter().skip(1).map(PollFd::revents).collect();
        let (now, before, mut ready) = (Instant::EPOCH + start.elapsed(), connections.len(), ready.into_iter());
        connections.retain_mut(|connection| {
            let turn = connection.turn(ready.next().unwrap_or(PollFlags::empty()), &mut buffer, now);
            turn.inspect_err(|error| eprintln!("a connection failed: {error}")).unwrap_or(false)
        });
        served += before - connections.len();
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true)?;
            let machine = ServerConnection::new(Arc::default(), now);
            connections.push(Connection { machine, stream, input: BytesMut::new() });
        }
    }
    Ok(visitor.join().map_err(|_| "a visit failed")??)
}
