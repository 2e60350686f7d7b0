//! The limit: an epoll loop per thread with nothing between the socket and the bytes but httparse, a route and a date.
//!
//! It is the yardstick of `run.py`: real parsing, routing, a `Date` renewed once a second, small answers of one read
//! coalesced into one write, chunks gathered without a copy. A connection owns memory only while a message is
//! unfinished.

use std::mem::MaybeUninit;
use std::os::fd::IntoRawFd;

use measure::{CHUNK, CHUNK_LENGTH, CHUNKS, HELLO, listener, number, on_threads, port};

/// Bytes of `/stream`'s body on the wire: each chunk with its size line and line end, and the last chunk.
const STREAM: usize = CHUNKS * (6 + CHUNK_LENGTH + 2) + 5;
/// Parts of it in one write: 32 chunks. Of 1 to 64, those around this number were the quickest.
const GATHERED: usize = 96;

/// What one connection has unfinished.
#[derive(Default)]
struct Connection {
    /// A part of a head.
    input: Vec<u8>,
    /// Answers that the socket has not taken.
    output: Vec<u8>,
    /// Bytes of a request body that are still to be sent back.
    echo: usize,
    /// Bytes of `/stream`'s body that are still to be sent.
    stream: usize,
    waits_for_room: bool,
}

struct Date {
    second: i64,
    text: [u8; 29],
}

impl Date {
    /// Renews the text when the second has changed.
    fn renew(&mut self) {
        // SAFETY: the kernel and libc fill what they are pointed at.
        unsafe {
            let mut now: libc::timespec = std::mem::zeroed();
            libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut now);
            if now.tv_sec != self.second {
                self.second = now.tv_sec;
                let mut parts: libc::tm = std::mem::zeroed();
                libc::gmtime_r(&raw const now.tv_sec, &raw mut parts);
                let mut text = [0_u8; 30];
                let format = c"%a, %d %b %Y %H:%M:%S GMT";
                libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), &raw const parts);
                self.text.copy_from_slice(&text[..29]);
            }
        }
    }
}

/// Writes a head; without a length the body is chunked.
fn head(output: &mut Vec<u8>, date: &Date, kind: &str, length: Option<usize>) {
    output.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: ");
    output.extend_from_slice(kind.as_bytes());
    match length {
        Some(mut length) => {
            output.extend_from_slice(b"\r\ncontent-length: ");
            let mut digits = [0_u8; 20];
            let mut first = digits.len();
            loop {
                first -= 1;
                digits[first] = b'0' + (length % 10) as u8;
                length /= 10;
                if length == 0 {
                    break;
                }
            }
            output.extend_from_slice(&digits[first..]);
        }
        None => output.extend_from_slice(b"\r\ntransfer-encoding: chunked"),
    }
    output.extend_from_slice(b"\r\ndate: ");
    output.extend_from_slice(&date.text);
    output.extend_from_slice(b"\r\n\r\n");
}

impl Connection {
    /// Answers what it can of the input; gives how much of it is used up, or nothing for a bad request.
    fn answer(&mut self, input: &[u8], output: &mut Vec<u8>, date: &Date) -> Option<usize> {
        let mut used = 0;
        while used < input.len() && self.stream == 0 {
            if self.echo > 0 {
                let length = self.echo.min(input.len() - used);
                output.extend_from_slice(&input[used..used + length]);
                (self.echo, used) = (self.echo - length, used + length);
                continue;
            }
            let mut headers = [const { MaybeUninit::uninit() }; 32];
            let mut request = httparse::Request::new(&mut []);
            match request.parse_with_uninit_headers(&input[used..], &mut headers) {
                Ok(httparse::Status::Complete(length)) => used += length,
                Ok(httparse::Status::Partial) => break,
                Err(_) => return None,
            }
            match (request.method?, request.path?) {
                ("GET", "/") => {
                    head(output, date, "text/plain", Some(HELLO.len()));
                    output.extend_from_slice(HELLO);
                }
                ("GET", "/json") => {
                    let body = br#"{"message":"Hello, World!"}"#;
                    head(output, date, "application/json", Some(body.len()));
                    output.extend_from_slice(body);
                }
                ("GET", "/stream") => {
                    head(output, date, "application/octet-stream", None);
                    self.stream = STREAM;
                }
                ("GET", path) if path.starts_with("/user/") => {
                    let id = &path.as_bytes()["/user/".len()..];
                    head(output, date, "text/plain", Some(id.len()));
                    output.extend_from_slice(id);
                }
                ("POST", "/echo") => {
                    let length =
                        request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
                    self.echo = std::str::from_utf8(length.value).ok()?.parse().ok()?;
                    head(output, date, "application/octet-stream", Some(self.echo));
                }
                _ => output.extend_from_slice(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
            }
        }
        Some(used)
    }

    fn is_waiting(&self) -> bool {
        !self.output.is_empty() || self.stream > 0
    }
}

struct Loop {
    epoll: i32,
    date: Date,
    connections: Vec<Option<Connection>>,
    /// Shared by all connections: one is served at a time.
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Loop {
    /// Asks epoll for `interest`, by `operation`.
    fn control(&self, operation: i32, socket: i32, interest: i32) {
        let mut event = libc::epoll_event { events: interest as u32, u64: socket as u64 };
        // SAFETY: the event outlives the call.
        unsafe { libc::epoll_ctl(self.epoll, operation, socket, &raw mut event) };
    }

    fn accept(&mut self, listener: i32) {
        loop {
            let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
            // SAFETY: no address is asked for.
            let socket = unsafe { libc::accept4(listener, std::ptr::null_mut(), std::ptr::null_mut(), flags) };
            let Ok(place) = usize::try_from(socket) else { return };
            measure::set(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY);
            if self.connections.len() <= place {
                self.connections.resize_with(place + 1, || None);
            }
            self.connections[place] = Some(Connection::default());
            self.control(libc::EPOLL_CTL_ADD, socket, libc::EPOLLIN);
        }
    }

    fn turn(&mut self, socket: i32, events: u32) {
        let Some(mut connection) = self.connections.get_mut(socket as usize).and_then(Option::take) else { return };
        let readable = events & (libc::EPOLLIN | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0;
        let is_alive = (!readable || connection.is_waiting() || self.receive(socket, &mut connection))
            && self.send(socket, &mut connection);
        if is_alive {
            self.connections[socket as usize] = Some(connection);
        } else {
            self.output.clear();
            // SAFETY: the loop owns the socket, and forgets it here.
            unsafe { libc::close(socket) };
        }
    }

    fn receive(&mut self, socket: i32, connection: &mut Connection) -> bool {
        // SAFETY: the pointer and the length describe the buffer.
        let length = unsafe { libc::recv(socket, self.input.as_mut_ptr().cast(), self.input.len(), 0) };
        let Some(length) = usize::try_from(length).ok().filter(|length| *length > 0) else {
            return length < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN);
        };
        let mut kept = std::mem::take(&mut connection.input);
        let received = &self.input[..length];
        let input = if kept.is_empty() {
            received
        } else {
            kept.extend_from_slice(received);
            &kept
        };
        let Some(used) = connection.answer(input, &mut self.output, &self.date) else { return false };
        if used < input.len() {
            connection.input = input[used..].to_vec();
        }
        true
    }

    fn send(&mut self, socket: i32, connection: &mut Connection) -> bool {
        if connection.output.is_empty() {
            let Some(sent) = send_bytes(socket, &self.output) else { return false };
            connection.output.extend_from_slice(&self.output[sent..]);
        } else {
            connection.output.extend_from_slice(&self.output);
            let Some(sent) = send_bytes(socket, &connection.output) else { return false };
            connection.output.drain(..sent);
        }
        self.output.clear();
        while connection.stream > 0 && connection.output.is_empty() {
            let Some(sent) = send_stream(socket, STREAM - connection.stream) else { return false };
            connection.stream -= sent;
            if sent == 0 {
                break;
            }
        }
        if connection.output.is_empty() && connection.output.capacity() > 0 {
            connection.output = Vec::new();
        }
        if connection.is_waiting() != connection.waits_for_room {
            connection.waits_for_room = connection.is_waiting();
            let room = if connection.waits_for_room { libc::EPOLLOUT } else { 0 };
            self.control(libc::EPOLL_CTL_MOD, socket, libc::EPOLLIN | room);
        }
        true
    }
}

/// Writes as much as the socket takes; nothing if it is gone.
fn send_bytes(socket: i32, bytes: &[u8]) -> Option<usize> {
    if bytes.is_empty() {
        return Some(0);
    }
    // SAFETY: the pointer and the length describe the bytes.
    taken(unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) })
}

/// Writes on at a place in `/stream`'s body: many chunks in one call, none copied.
fn send_stream(socket: i32, start: usize) -> Option<usize> {
    let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; GATHERED];
    let (mut count, mut skipped) = (0, start);
    let frames = std::iter::repeat_n([&b"4000\r\n"[..], &CHUNK, b"\r\n"], CHUNKS).flatten();
    for part in frames.chain([&b"0\r\n\r\n"[..]]) {
        let passed = skipped.min(part.len());
        let part = &part[passed..];
        skipped -= passed;
        if !part.is_empty() && count < GATHERED {
            vectors[count] = libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() };
            count += 1;
        }
    }
    // SAFETY: the first `count` vectors describe statics.
    taken(unsafe { libc::writev(socket, vectors.as_ptr(), count as i32) })
}

fn taken(result: isize) -> Option<usize> {
    let would_block = || std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN);
    usize::try_from(result).ok().or_else(|| would_block().then_some(0))
}

fn serve(port: u16) {
    let listener = listener(port).into_raw_fd();
    // SAFETY: plain calls; the events outlive each wait.
    unsafe {
        let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        let date = Date { second: 0, text: [b' '; 29] };
        let (connections, input, output) = (Vec::new(), vec![0; 256 * 1024], Vec::with_capacity(64 * 1024));
        let mut this = Loop { epoll, date, connections, input, output };
        this.control(libc::EPOLL_CTL_ADD, listener, libc::EPOLLIN);
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; 1024];
        loop {
            let ready = libc::epoll_wait(epoll, events.as_mut_ptr(), events.len() as i32, -1);
            this.date.renew();
            for event in &events[..usize::try_from(ready).unwrap_or(0)] {
                match event.u64 as i32 {
                    socket if socket == listener => this.accept(listener),
                    socket => this.turn(socket, event.events),
                }
            }
        }
    }
}

fn main() {
    let port = port();
    on_threads(number("threads", 1), move || serve(port));
}
