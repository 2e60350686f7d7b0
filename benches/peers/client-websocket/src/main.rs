//! The load of WebSocket echoes: one epoll loop, prepared frames, answers followed frame by frame and counted by their
//! last ones, since servers fragment differently.
//!
//! `--size` bytes a message, `--window` messages in each write, `--deflate 1` for compressed text, `--idle 1` to open
//! the connections, echo once on each, print `ready N` and wait. The number of messages is exact.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use measure::{Stopwatch, number, port, word};

/// Where a connection is in what it receives.
#[derive(Default)]
struct Place {
    head: [u8; 10],
    got: usize,
    left: usize,
}

impl Place {
    /// Takes what came; gives the number of messages that ended in it.
    fn take(&mut self, mut input: &[u8]) -> usize {
        let mut ended = 0;
        loop {
            let length = self.left.min(input.len());
            (self.left, input) = (self.left - length, &input[length..]);
            if self.left > 0 {
                return ended;
            }
            if self.got > 0 && self.got == self.wanted() {
                ended += usize::from(self.head[0] & 0x80 != 0);
                self.got = 0;
            }
            while self.got < 2 || self.got < self.wanted() {
                let Some((&byte, rest)) = input.split_first() else { return ended };
                self.head[self.got] = byte;
                (self.got, input) = (self.got + 1, rest);
            }
            assert!(
                matches!(self.head[0] & 0x0f, 0..=2) && self.head[1] & 0x80 == 0,
                "a data frame, not {:x?}",
                self.head
            );
            self.left = match self.head[1] {
                126 => usize::from(u16::from_be_bytes([self.head[2], self.head[3]])),
                127 => u64::from_be_bytes(self.head[2..].try_into().expect("eight bytes")) as usize,
                length => usize::from(length),
            };
        }
    }

    /// Bytes of the head, once two are there.
    fn wanted(&self) -> usize {
        match self.head[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        }
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
    batch: Vec<u8>,
    window: usize,
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
        self.left = self.left.saturating_sub(self.window);
        (self.connections[index].sent, self.connections[index].waiting) = (0, self.window);
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

/// A masked frame of a client.
fn frame(size: usize, is_compressed: bool) -> Vec<u8> {
    let mut payload: Vec<u8> = (0..size).map(|index| index as u8).collect();
    let mut first = 0x82;
    if is_compressed {
        let words = "The quick brown fox jumps over the lazy dog, and then once more. ";
        let text: String = words
            .chars()
            .cycle()
            .enumerate()
            .map(|(index, letter)| {
                // Not the same words for ever: every few letters a digit that does not repeat soon.
                if index % 11 == 10 { char::from(b'0' + (index * index / 7 % 10) as u8) } else { letter }
            })
            .take(size)
            .collect();
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.flush().expect("memory");
        payload = encoder.get_ref().clone();
        payload.truncate(payload.len() - 4);
        first = 0xc1;
    }
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let key = [0x37, 0xfa, 0x21, 0x3d];
    frame.extend_from_slice(&key);
    frame.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]));
    frame
}

fn connect(port: u16, path: &str, is_compressed: bool) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    stream.set_nodelay(true).expect("an option of a socket");
    let offer =
        if is_compressed { "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n" } else { "" };
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    )
    .expect("a server that reads");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).expect("an answer"), 1);
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert_eq!(head.contains("permessage-deflate"), is_compressed, "{head}");
    stream
}

/// Echoes once, and checks what comes back.
fn echo_once(stream: &mut TcpStream, frame: &[u8]) {
    stream.write_all(frame).expect("a server that reads");
    let (mut place, mut buffer, mut ended) = (Place::default(), vec![0; 256 * 1024], 0);
    while ended == 0 {
        let length = stream.read(&mut buffer).expect("an answer");
        assert!(length > 0, "the server closed");
        ended += place.take(&buffer[..length]);
        if place.left == 0 && place.got > 0 {
            ended += place.take(&[]);
        }
    }
}

fn main() {
    let (port, messages, window, size) = (port(), number("requests", 10_000), number("window", 1), number("size", 32));
    let (path, is_compressed) = (word("path", "/ws"), number("deflate", 0) == 1);
    let frame = frame(size, is_compressed);
    let mut streams: Vec<TcpStream> =
        (0..number("connections", 64)).map(|_| connect(port, &path, is_compressed)).collect();
    for stream in &mut streams {
        echo_once(stream, &frame);
    }
    if number("idle", 0) == 1 {
        println!("ready {}", streams.len());
        let _ = std::io::stdin().read(&mut [0]);
        return;
    }
    let connection = |stream: TcpStream| {
        stream.set_nonblocking(true).expect("an option of a socket");
        Connection { stream, sent: 0, waiting: 0, waits_for_room: false, place: Place::default() }
    };
    // SAFETY: a plain call.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    let connections = streams.into_iter().map(connection).collect();
    let mut load = Load { epoll, batch: frame.repeat(window), window, left: messages, connections };
    let stopwatch = Stopwatch::start();
    for index in 0..load.connections.len() {
        load.control(libc::EPOLL_CTL_ADD, index, libc::EPOLLIN);
        load.start(index);
    }
    let (mut answered, mut bytes) = (0, 0);
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; 1024];
    while answered < messages {
        // SAFETY: the pointer and the length describe the events.
        let ready = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), events.len() as i32, 20_000) };
        assert!(ready > 0, "stalled: {answered} of {messages}");
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
            let length = length.unwrap_or_else(|| panic!("closed: {answered} of {messages}"));
            bytes += length;
            let place = &mut connection.place;
            let mut ended = place.take(&buffer[..length]);
            if place.left == 0 && place.got > 0 && place.got == place.wanted() {
                ended += place.take(&[]);
            }
            connection.waiting -= ended;
            answered += ended;
            if ended > 0 && connection.waiting == 0 {
                load.start(index);
            }
        }
    }
    stopwatch.report(answered, bytes);
}
