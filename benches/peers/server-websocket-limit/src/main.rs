//! The limit of WebSocket echoes: an epoll loop per thread, frames unmasked where they lie and sent back from there.
//!
//! Small answers of one read are coalesced into one write; a large one is written from the buffer it was read into,
//! which the connection keeps. The handshake answers the one key that the load sends. No checks, no fragments.

use std::os::fd::IntoRawFd;

use measure::{listener, number, on_threads, port};

const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// Answers above this length are not copied.
const COPIED: usize = 16 * 1024;

#[derive(Default)]
struct Connection {
    is_open: bool,
    /// Kept only while a message is unfinished, or is being sent back.
    input: Vec<u8>,
    filled: usize,
    /// The part of `input` that the socket has not taken.
    sending: std::ops::Range<usize>,
    /// Small answers that the socket has not taken.
    output: Vec<u8>,
    waits_for_room: bool,
}

impl Connection {
    fn is_waiting(&self) -> bool {
        !self.sending.is_empty() || !self.output.is_empty()
    }
}

fn unmask(payload: &mut [u8], key: [u8; 4]) {
    let wide = u64::from(u32::from_ne_bytes(key));
    let wide = (wide << 32) | wide;
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    rest.iter_mut().zip(key.into_iter().cycle()).for_each(|(byte, key)| *byte ^= key);
}

struct Loop {
    epoll: i32,
    connections: Vec<Option<Connection>>,
    /// Lent to the connection that is served.
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Loop {
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
        let is_readable = events & (libc::EPOLLIN | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0;
        let is_alive = (!connection.is_waiting() || flush(socket, &mut connection))
            && (!is_readable || connection.is_waiting() || self.receive(socket, &mut connection));
        if !is_alive {
            if self.input.is_empty() {
                self.input = connection.input;
            }
            // SAFETY: the loop owns the socket, and forgets it here.
            unsafe { libc::close(socket) };
            return;
        }
        if connection.is_waiting() != connection.waits_for_room {
            connection.waits_for_room = connection.is_waiting();
            let interest = if connection.waits_for_room { libc::EPOLLOUT } else { libc::EPOLLIN };
            self.control(libc::EPOLL_CTL_MOD, socket, interest);
        }
        self.connections[socket as usize] = Some(connection);
    }

    fn receive(&mut self, socket: i32, connection: &mut Connection) -> bool {
        if connection.input.is_empty() {
            connection.input = std::mem::take(&mut self.input);
            if connection.input.is_empty() {
                connection.input = vec![0; 64 * 1024];
            }
        }
        let room = &mut connection.input[connection.filled..];
        // SAFETY: the pointer and the length describe the room.
        let length = unsafe { libc::recv(socket, room.as_mut_ptr().cast(), room.len(), 0) };
        let Some(length) = usize::try_from(length).ok().filter(|length| *length > 0) else {
            return length < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN);
        };
        connection.filled += length;
        let mut used = 0;
        if !connection.is_open {
            let head = connection.input[..connection.filled].windows(4).position(|window| window == b"\r\n\r\n");
            let Some(head) = head else { return true };
            (connection.is_open, used) = (true, head + 4);
            self.output.extend_from_slice(SWITCHING);
        }
        while let Some(size) = echo(connection, used, &mut self.output) {
            used += size;
            if !connection.sending.is_empty() {
                break;
            }
        }
        let is_large = !connection.sending.is_empty();
        let is_alive = send(socket, &mut self.output, connection) && flush(socket, connection);
        if is_large {
            // The input is moved up when the answer is written.
            return is_alive;
        }
        let filled = connection.filled;
        connection.input.copy_within(used..filled, 0);
        connection.filled -= used;
        if connection.filled == 0 && self.input.is_empty() {
            self.input = std::mem::take(&mut connection.input);
        }
        is_alive
    }
}

/// Answers one frame from a place in the input, if all of it is there; gives its size.
fn echo(connection: &mut Connection, start: usize, output: &mut Vec<u8>) -> Option<usize> {
    let bytes = &mut connection.input[start..connection.filled];
    let short = usize::from(*bytes.get(1)? & 127);
    let (head, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        length => (2, length),
    };
    let size = head + 4 + length;
    if bytes.len() < size {
        if connection.input.len() < start + size {
            connection.input.resize(start + size, 0);
        }
        return None;
    }
    let key = *bytes[head..].first_chunk()?;
    unmask(&mut bytes[head + 4..size], key);
    // The head of the answer fits in front of the payload, where the key was.
    bytes.copy_within(0..head, 4);
    bytes[5] &= 127;
    if size <= COPIED {
        output.extend_from_slice(&bytes[4..size]);
    } else {
        connection.sending = start + 4..start + size;
    }
    Some(size)
}

/// Writes small answers; what the socket does not take is kept.
fn send(socket: i32, output: &mut Vec<u8>, connection: &mut Connection) -> bool {
    if output.is_empty() {
        return true;
    }
    let Some(sent) = taken(socket, output) else { return false };
    connection.output.extend_from_slice(&output[sent..]);
    output.clear();
    true
}

/// Writes what was kept, then the large answer.
fn flush(socket: i32, connection: &mut Connection) -> bool {
    if !connection.output.is_empty() {
        let Some(sent) = taken(socket, &connection.output) else { return false };
        connection.output.drain(..sent);
    }
    while connection.output.is_empty() && !connection.sending.is_empty() {
        let Some(sent) = taken(socket, &connection.input[connection.sending.clone()]) else { return false };
        if sent == 0 {
            break;
        }
        connection.sending.start += sent;
        if connection.sending.is_empty() {
            let (used, filled) = (connection.sending.end, connection.filled);
            connection.input.copy_within(used..filled, 0);
            connection.filled -= used;
            connection.sending = 0..0;
        }
    }
    true
}

/// Writes as much as the socket takes; nothing if it is gone.
fn taken(socket: i32, bytes: &[u8]) -> Option<usize> {
    // SAFETY: the pointer and the length describe the bytes.
    let result = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    let would_block = || std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN);
    usize::try_from(result).ok().or_else(|| would_block().then_some(0))
}

fn serve(port: u16) {
    let listener = listener(port).into_raw_fd();
    // SAFETY: plain calls; the events outlive each wait.
    unsafe {
        let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        let (input, output) = (vec![0; 64 * 1024], Vec::with_capacity(64 * 1024));
        let mut this = Loop { epoll, connections: Vec::new(), input, output };
        this.control(libc::EPOLL_CTL_ADD, listener, libc::EPOLLIN);
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; 1024];
        loop {
            let ready = libc::epoll_wait(epoll, events.as_mut_ptr(), events.len() as i32, -1);
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
