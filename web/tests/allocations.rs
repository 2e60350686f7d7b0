//! What a keep-alive request costs after warm-up, counted on a runtime that is only data: no allocation, one read, one
//! write, for one request or sixteen; and an idle connection owns neither buffer nor slot.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Signals, Stream, StreamInfo, Task,
    Timer,
};
use callboard_web::{App, Data, Next, Path, Request, Response, get, post};
use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::future::block_on;

/// Both directions of one connection, in memory that is made once.
#[derive(Default)]
struct Wire {
    input: Vec<u8>,
    output: Vec<u8>,
    reads: usize,
    writes: usize,
}

/// A runtime that is only data: the test polls the tasks itself.
#[derive(Clone, Default)]
struct Still(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    tasks: Vec<Task>,
    incoming: VecDeque<Box<dyn Stream>>,
}

struct Wired(Arc<Mutex<Wire>>);

struct Never;

fn address() -> Endpoint {
    Endpoint::Tcp(SocketAddr::from(([127, 0, 0, 1], 80)))
}

fn unsupported<T: Send + 'static>() -> BoxFuture<'static, io::Result<T>> {
    Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
}

impl Runtime for Still {
    fn now(&self) -> Instant {
        Instant::from_nanos(1)
    }
    fn wall_clock(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn entropy(&self) -> u64 {
        0
    }
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().tasks.push(task);
    }
    fn timer(&self) -> Box<dyn Timer> {
        Box::new(Never)
    }
    fn connect(&self, _: Endpoint, _: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        unsupported()
    }
    fn listen(&self, _: Endpoint, _: ListenOptions) -> io::Result<Box<dyn Listener>> {
        Ok(Box::new(self.clone()))
    }
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        unsupported()
    }
    fn run_blocking(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        unsupported()
    }
    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn block_on(&self, _: BoxFuture<'_, ()>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Listener for Still {
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        self.0.lock().unwrap().incoming.pop_front().map_or(Poll::Pending, |stream| Poll::Ready(Ok(stream)))
    }
    fn local(&self) -> Endpoint {
        address()
    }
}

impl Timer for Never {
    fn poll_at(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

impl Stream for Wired {
    fn poll_fill(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        if wire.input.is_empty() {
            return Poll::Pending;
        }
        let count = wire.input.len().min(buffer.capacity() - buffer.len());
        buffer.extend_from_slice(&wire.input[..count]);
        wire.input.drain(..count);
        wire.reads += 1;
        Poll::Ready(Ok(count))
    }
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.lock().unwrap().input.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
    fn info(&self) -> StreamInfo {
        StreamInfo { local: address(), peer: address(), tls: None }
    }
}

impl AsyncRead for Wired {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl AsyncWrite for Wired {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        wire.output.extend_from_slice(bytes);
        wire.writes += 1;
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        for part in parts {
            wire.output.extend_from_slice(part);
        }
        wire.writes += 1;
        Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A connection whose task is in the test's hands.
struct Connection {
    task: Task,
    wire: Arc<Mutex<Wire>>,
}

/// Connections of a server that runs `app`.
fn connections(app: App, count: usize) -> Vec<Connection> {
    connections_on(app, wires(count, 8192))
}

fn wires(count: usize, room: usize) -> Vec<Arc<Mutex<Wire>>> {
    let wire = || Wire { input: Vec::with_capacity(room), output: Vec::with_capacity(room), ..Wire::default() };
    std::iter::repeat_with(|| Arc::new(Mutex::new(wire()))).take(count).collect()
}

fn connections_on(app: App, wires: Vec<Arc<Mutex<Wire>>>) -> Vec<Connection> {
    let still = Still::default();
    let server = block_on(app.serve(Handle::from(still.clone()), "127.0.0.1:80")).unwrap();
    // The accept loop holds the server's state; the handle would end it.
    std::mem::forget(server);
    let mut accept = still.0.lock().unwrap().tasks.pop().unwrap();
    let mut connections = Vec::new();
    for wire in wires {
        still.0.lock().unwrap().incoming.push_back(Box::new(Wired(Arc::clone(&wire))));
        assert!(accept.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let task = still.0.lock().unwrap().tasks.pop().unwrap();
        connections.push(Connection { task, wire });
    }
    connections
}

impl Connection {
    /// Puts requests on the wire and polls the task once. The wire must then hold so many answers.
    fn exchange(&mut self, requests: &str, answers: usize) {
        {
            let mut wire = self.wire.lock().unwrap();
            wire.input.extend_from_slice(requests.as_bytes());
            wire.output.clear();
            (wire.reads, wire.writes) = (0, 0);
        }
        assert!(self.task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let wire = self.wire.lock().unwrap();
        let found = wire.output.windows(15).filter(|window| window == b"HTTP/1.1 200 OK").count();
        assert_eq!((found, wire.reads, wire.writes), (answers, 1, 1));
    }

    fn allocations(&mut self, requests: &str, answers: usize) -> u64 {
        for _ in 0..3 {
            self.exchange(requests, answers);
        }
        allocation_counter::measure(|| self.exchange(requests, answers)).count_total
    }
}

struct Greeting(&'static str);

async fn greeting(greeting: Data<Greeting>) -> &'static str {
    greeting.0.0
}

fn app() -> App {
    App::new()
        .route("/", get(async || "Hello, World!"))
        .route("/greeting", get(greeting))
        .route("/user/{id}", get(async |Path(id): Path<u64>| if id == 7 { "seven" } else { "other" }))
        .route("/echo", post(async |request: Request| request.into_body()))
        .data(Greeting("hello"))
}

/// As a browser asks.
fn request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
         Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\n\
         Connection: keep-alive\r\nCookie: a=1; b=2\r\nSec-Fetch-Mode: navigate\r\n\r\n"
    )
}

#[test]
fn a_keep_alive_request_allocates_nothing() {
    let mut connection = connections(app(), 1).remove(0);
    for path in ["/", "/greeting", "/user/7"] {
        assert_eq!(connection.allocations(&request(path), 1), 0, "{path}");
    }
}

#[test]
fn routes_that_take_turns_allocate_nothing() {
    let mut connections = connections(app(), 8);
    let paths = ["/", "/greeting", "/user/1", "/user/7"].map(request);
    for connection in &mut connections {
        for path in &paths {
            connection.exchange(path, 1);
        }
    }
    let counted = allocation_counter::measure(|| {
        for (connection, path) in connections.iter_mut().zip(paths.iter().cycle()) {
            connection.exchange(path, 1);
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn sixteen_pipelined_requests_are_one_write_and_allocate_nothing() {
    let mut connection = connections(app(), 1).remove(0);
    assert_eq!(connection.allocations(&request("/").repeat(16), 16), 0);
}

async fn pass(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[test]
fn middlewares_allocate_nothing() {
    let mut connection = connections(app().middleware(pass).middleware(pass), 1).remove(0);
    assert_eq!(connection.allocations(&request("/"), 1), 0);
}

#[test]
fn a_body_costs_its_slot() {
    let mut connection = connections(app(), 1).remove(0);
    let request = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let count = connection.allocations(request, 1);
    assert!(count <= 2, "{count}");
}

#[test]
fn an_idle_connection_owns_little() {
    // So many that the thread's pools do not count.
    const COUNT: usize = 2_000;
    let (mut kept, wires) = (Vec::new(), wires(COUNT, 1024));
    let counted = allocation_counter::measure(|| {
        kept = connections_on(app(), wires);
        for connection in &mut kept {
            connection.exchange(&request("/"), 1);
        }
    });
    // The task with its machine and driver, the link, the timer; no buffer and no slot.
    let each = counted.bytes_current / i64::try_from(COUNT).unwrap();
    assert!(each < 1280, "{each} bytes each");
}
