//! The load generator, and the limit of a client: one epoll loop, one prepared request, answers counted by their bytes.
//!
//! An answer with a length is as long as the first one was; a chunked one is followed chunk by chunk, since servers cut
//! differently. `--pipeline N` sends N requests in one write. The number of requests is exact.

use std::io::Read;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use measure::{Stopwatch, number, port, word};

/// How the end of an answer is found.
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

/// Where a connection is in what it receives.
#[derive(Default)]
struct Place {
    /// Bytes of an answer of known length that have come.
    received: usize,
    /// Chunked: inside the head, a size line or the data.
    part: Part,
    line: Vec<u8>,
    data: usize,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Part {
    #[default]
    Head,
    Size,
    Data,
    End,
}

impl Place {
    /// Takes what came; gives the number of answers that ended in it.
    fn take(&mut self, input: &[u8], framing: Framing) -> usize {
        match framing {
            Framing::Length(length) => {
                self.received += input.len();
                let ended = self.received / length;
                self.received %= length;
                ended
            }
            Framing::Chunked => self.follow(input),
        }
    }

    fn follow(&mut self, mut input: &[u8]) -> usize {
        let mut ended = 0;
        while !input.is_empty() {
            if self.part == Part::Data {
                let length = self.data.min(input.len());
                (self.data, input) = (self.data - length, &input[length..]);
                if self.data == 0 {
                    self.part = Part::Size;
                }
                continue;
            }
            let length = input.iter().position(|&byte| byte == b'\n').map_or(input.len(), |position| position + 1);
            self.line.extend_from_slice(&input[..length]);
            input = &input[length..];
            if !self.line.ends_with(b"\n") {
                continue;
            }
            let line = std::str::from_utf8(&self.line).expect("ASCII").trim_end();
            match self.part {
                Part::Head if line.is_empty() => self.part = Part::Size,
                Part::Size => {
                    let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
                    let size = size.unwrap_or_else(|_| panic!("a chunk size, not {line:?}"));
                    (self.part, self.data) = if size == 0 { (Part::End, 0) } else { (Part::Data, size + 2) };
                }
                Part::End if line.is_empty() => (self.part, ended) = (Part::Head, ended + 1),
                _ => {}
            }
            self.line.clear();
        }
        ended
    }
}

struct Connection {
    stream: TcpStream,
    sent: usize,
    waiting: usize,
    waits_for_room: bool,
    place: Place,
}

struct Load {
    epoll: i32,
    /// All that is sent at once: one request, or as many as are pipelined.
    batch: Vec<u8>,
    pipeline: usize,
    left: usize,
    connections: Vec<Connection>,
}

impl Load {
    fn control(&self, operation: i32, index: usize, interest: i32) {
        let mut event = libc::epoll_event { events: interest as u32, u64: index as u64 };
        let socket = self.connections[index].stream.as_raw_fd();
        // SAFETY: the event outlives the call.
        unsafe { libc::epoll_ctl(self.epoll, operation, socket, &raw mut event) };
    }

    /// Starts the next batch on a connection, if any is left.
    fn start(&mut self, index: usize) {
        if self.left == 0 {
            return;
        }
        self.left = self.left.saturating_sub(self.pipeline);
        (self.connections[index].sent, self.connections[index].waiting) = (0, self.pipeline);
        self.send(index);
    }

    fn send(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        while connection.sent < self.batch.len() {
            let rest = &self.batch[connection.sent..];
            let socket = connection.stream.as_raw_fd();
            // SAFETY: the pointer and the length describe the rest.
            let length = unsafe { libc::send(socket, rest.as_ptr().cast(), rest.len(), libc::MSG_NOSIGNAL) };
            let Ok(length) = usize::try_from(length) else { break };
            connection.sent += length;
        }
        let waits = connection.sent < self.batch.len();
        if waits != connection.waits_for_room {
            connection.waits_for_room = waits;
            self.control(libc::EPOLL_CTL_MOD, index, libc::EPOLLIN | if waits { libc::EPOLLOUT } else { 0 });
        }
    }
}

/// Sends one request alone, to learn how its answer is framed.
fn learn(port: u16, request: &[u8]) -> Framing {
    use std::io::Write;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    stream.write_all(request).expect("a server that reads");
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        let length = stream.read(&mut buffer).expect("an answer");
        assert!(length > 0, "the server closed");
        answer.extend_from_slice(&buffer[..length]);
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    match head.split("content-length:").nth(1).and_then(|rest| rest.lines().next()) {
        Some(length) => Framing::Length(end + length.trim().parse::<usize>().expect("a length")),
        None => Framing::Chunked,
    }
}

fn main() {
    let (port, requests, pipeline, post) =
        (port(), number("requests", 10_000), number("pipeline", 1), number("post", 0));
    let path = word("path", "/");
    let mut request = if post == 0 {
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n")
    } else {
        format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {post}\r\n\r\n")
    }
    .into_bytes();
    request.resize(request.len() + post, b'x');
    let framing = learn(port, &request);
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
        stream.set_nodelay(true).expect("an option of a socket");
        stream.set_nonblocking(true).expect("an option of a socket");
        Connection { stream, sent: 0, waiting: 0, waits_for_room: false, place: Place::default() }
    };
    // SAFETY: a plain call.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    let connections: Vec<Connection> = (0..number("connections", 64)).map(|_| connect()).collect();
    let batch = request.repeat(pipeline);
    let mut load = Load { epoll, batch, pipeline, left: requests, connections };
    let stopwatch = Stopwatch::start();
    for index in 0..load.connections.len() {
        load.control(libc::EPOLL_CTL_ADD, index, libc::EPOLLIN);
        load.start(index);
    }
    let (mut answered, mut bytes) = (0, 0);
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; 1024];
    while answered < requests {
        // SAFETY: the pointer and the length describe the events.
        let ready = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), events.len() as i32, 20_000) };
        assert!(ready > 0, "stalled: {answered} of {requests}");
        for event in &events[..ready as usize] {
            let (index, kinds) = (event.u64 as usize, event.events);
            if kinds & libc::EPOLLOUT as u32 != 0 {
                load.send(index);
            }
            if kinds & !(libc::EPOLLOUT as u32) == 0 {
                continue;
            }
            let connection = &mut load.connections[index];
            let socket = connection.stream.as_raw_fd();
            // SAFETY: the pointer and the length describe the buffer.
            let length = unsafe { libc::recv(socket, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
            let length = usize::try_from(length).ok().filter(|length| *length > 0);
            let length = length.unwrap_or_else(|| panic!("closed: {answered} of {requests}"));
            bytes += length;
            let ended = connection.place.take(&buffer[..length], framing);
            connection.waiting -= ended;
            answered += ended;
            if ended > 0 && connection.waiting == 0 {
                load.start(index);
            }
        }
    }
    stopwatch.report(answered, bytes);
}
