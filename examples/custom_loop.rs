//! The core in a loop of your own: HTTP/1.1 on blocking sockets, both sides, no async and no runtime.
//!
//! `--port P` listens there (default 8080), a thread per connection. `--once` visits itself twice and ends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::{env, thread, time};

use bytes::{Buf, Bytes, BytesMut};
use callboard::core::http1::{ClientConnection, ClientEvent, Request, Response, ServerConnection, ServerEvent};
use callboard::core::{BodyLength, Protocol, date::http_date};
use callboard::{Headers, Instant, Limits, Method, Status, Version, header};

/// A machine on a blocking socket: the loop, for the server and the client alike.
struct Wire<P> {
    machine: P,
    stream: TcpStream,
    input: BytesMut,
    start: time::Instant,
}

impl<P: Protocol> Wire<P> {
    fn new(stream: TcpStream, machine: fn(Arc<Limits>, Instant) -> P) -> Self {
        let machine = machine(Arc::default(), Instant::EPOCH);
        Self { machine, stream, input: BytesMut::new(), start: time::Instant::now() }
    }

    /// Time counts from the start of the connection.
    fn now(&self) -> Instant {
        Instant::EPOCH + self.start.elapsed()
    }

    /// The next event. `None`: the connection is over.
    fn next_event(&mut self) -> io::Result<Option<P::Event>> {
        loop {
            let now = self.now();
            self.machine.handle_input(&mut self.input, now);
            if let Some(event) = self.machine.poll_event() {
                return Ok(Some(event));
            }
            let moved = if self.machine.outgoing().has_remaining() {
                self.write()
            } else if self.machine.is_finished() || !self.machine.wants_input() {
                return Ok(None);
            } else {
                self.read()
            };
            match moved.as_ref().map_err(io::Error::kind) {
                Err(ErrorKind::WouldBlock | ErrorKind::TimedOut) => self.machine.handle_timeout(self.now()),
                _ => moved?,
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.stream.set_write_timeout(self.patience())?;
        let outgoing = self.machine.outgoing();
        outgoing.advance(self.stream.write(outgoing.chunk())?);
        Ok(())
    }

    fn read(&mut self) -> io::Result<()> {
        if self.machine.wants_half_close() {
            self.stream.shutdown(Shutdown::Write)?;
        }
        self.stream.set_read_timeout(self.patience())?;
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => self.machine.handle_end_of_input(self.now()),
            count => self.input.extend_from_slice(&buffer[..count]),
        }
        Ok(())
    }

    /// How long the socket may block: to the machine's deadline, and not zero, which sockets refuse.
    fn patience(&self) -> Option<time::Duration> {
        self.machine.poll_timeout().map(|deadline| (deadline - self.now()).max(time::Duration::from_millis(1)))
    }
}

/// Serves one connection: a greeting, and an echo of what is posted.
fn serve(stream: TcpStream) -> callboard::Result {
    let mut wire = Wire::new(stream, ServerConnection::new);
    let headers = Headers::new();
    while let Some(event) = wire.next_event()? {
        let (now, date) = (wire.now(), http_date(time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs()));
        let head = |status| Response { status, headers: &headers, date: Some(&date) };
        let machine = &mut wire.machine;
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
    }
    Ok(())
}

/// One exchange of a client, printed.
fn post(wire: &mut Wire<ClientConnection>, body: &'static str) -> callboard::Result {
    let now = wire.now();
    let mut headers = Headers::new();
    headers.append(header::HOST, "localhost")?;
    let request = Request { method: &Method::Post, target: "/", version: Version::Http11, headers: &headers };
    let exchange = wire.machine.send_request(&request, BodyLength::Known(body.len() as u64), now)?;
    wire.machine.send_data(exchange, Bytes::from(body), now)?;
    wire.machine.finish(exchange, None, now)?;
    loop {
        match wire.next_event()?.ok_or("the server closed before its answer was complete")? {
            ClientEvent::Response { head, .. } => print!("{}: ", head.status),
            ClientEvent::Data { data, .. } => io::stdout().write_all(&data)?,
            ClientEvent::End { .. } => return Ok(()),
            ClientEvent::Failed { error } => return Err(error.into()),
            ClientEvent::Informational { .. } | ClientEvent::Upgraded { .. } => {}
        }
    }
}

fn main() -> callboard::Result {
    let once = env::args().any(|argument| argument == "--once");
    let port = env::args().skip_while(|argument| argument != "--port").nth(1);
    let port = port.map_or(Ok(if once { 0 } else { 8080 }), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("http://{}", listener.local_addr()?);
    if once {
        let mut wire = Wire::new(TcpStream::connect(listener.local_addr()?)?, ClientConnection::new);
        thread::spawn(move || serve(listener.accept()?.0));
        post(&mut wire, "An echo.\n")?;
        return post(&mut wire, "Another, on the same connection.\n");
    }
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || serve(stream).inspect_err(|error| eprintln!("a connection failed: {error}")));
    }
    Ok(())
}
