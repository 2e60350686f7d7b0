//! What a keep-alive request costs on a real runtime, from the reactor through router and handler to the socket:
//! counted on the thread that serves, while a raw client on another thread asks.
//!
//! Each count is taken for two numbers of requests: what the longer run costs more is what requests cost. The text
//! parameter and the JSON show that the count sees what there is to see.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use callboard::web::{App, Data, Json, Path, get};
use callboard::{Handle, Smol, Tokio};

/// Requests of the shorter run and of the longer.
const SHORT: usize = 200;
const LONG: usize = 1_200;

/// Says across threads that something is done, and allocates nothing when it is waited for.
#[derive(Clone, Default)]
struct Done(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Done {
    fn tell(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        if let Some(waker) = self.0.1.lock().unwrap().take() {
            waker.wake();
        }
    }
}

impl Future for Done {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        *self.0.1.lock().unwrap() = Some(context.waker().clone());
        if self.0.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Starts a client on a thread of its own: it sends `requests` so often, and each time waits for their answers.
fn start_client(address: SocketAddr, requests: String, answers: usize, rounds: usize) -> Done {
    let done = Done::default();
    let told = done.clone();
    thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        for _ in 0..rounds {
            stream.write_all(requests.as_bytes()).unwrap();
            read_answers(&mut stream, answers);
        }
        told.tell();
    });
    done
}

/// Reads so many responses of known length. A wrong one fails the test: the client's thread ends, and nobody answers.
fn read_answers(stream: &mut TcpStream, answers: usize) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    for _ in 0..answers {
        loop {
            if let Some(length) = whole_response(&received) {
                received.drain(..length);
                break;
            }
            let count = stream.read(&mut part).unwrap();
            assert_ne!(count, 0, "the server closed");
            received.extend_from_slice(&part[..count]);
        }
    }
    assert!(received.is_empty(), "more answers than requests");
}

/// The length of the response in front, if it is whole.
fn whole_response(received: &[u8]) -> Option<usize> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&received[..end]).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    let whole = end + length.parse::<usize>().unwrap();
    (received.len() >= whole).then_some(whole)
}

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

async fn hello(text: Data<&'static str>) -> &'static str {
    &text
}

fn app() -> App {
    App::new()
        .route("/", get(async || "Hello, World!"))
        .route("/data", get(hello))
        .route("/number/{id}", get(async |Path(id): Path<u64>| if id == 7 { "seven" } else { "another" }))
        .route("/user/{id}", get(async |Path(id): Path<String>| id))
        .route("/json", get(async || Json(Message { message: "Hello, World!" })))
        .data("from the data")
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nAccept: */*\r\nCookie: a=1; b=2\r\n\r\n")
}

/// Allocations of a whole run on the calling thread, on which all tasks of a fresh runtime run while it blocks.
fn count(runtime: &Handle, path: &str, pipelined: usize, rounds: usize) -> u64 {
    let requests = request(path).repeat(pipelined);
    let run = async {
        let server = app().serve(runtime.clone(), "127.0.0.1:0").await.unwrap();
        start_client(server.local().tcp().unwrap(), requests, pipelined, rounds).await;
        let report = server.drain(Duration::from_secs(60)).await;
        assert_eq!(report.aborted, 0);
    };
    allocation_counter::measure(|| runtime.block_on(Box::pin(run)).unwrap()).count_total
}

/// What `LONG - SHORT` requests cost, or rounds of pipelined ones.
fn cost(make: fn() -> Handle, path: &str, pipelined: usize) -> u64 {
    // The thread's pools and caches fill at first.
    count(&make(), path, pipelined, SHORT);
    let [short, long] = [SHORT, LONG].map(|rounds| count(&make(), path, pipelined, rounds));
    println!("{path}: {short} allocations in {SHORT} rounds, {long} in {LONG}");
    long.saturating_sub(short)
}

/// Checks what each request costs. Starting and ending differ by a few, as the threads meet.
fn check(make: fn() -> Handle, path: &str, pipelined: usize, each: u64) {
    let rounds = u64::try_from(LONG - SHORT).unwrap();
    let cost = cost(make, path, pipelined);
    assert!(cost.abs_diff(each * rounds) < rounds / 50, "{path}: {cost} for {rounds}, not {each} each");
}

fn check_all(make: fn() -> Handle) {
    for path in ["/", "/data", "/number/7"] {
        check(make, path, 1, 0);
    }
    check(make, "/", 16, 0);
    // The text; the JSON, and where its bytes are shared from.
    check(make, "/user/17", 1, 1);
    check(make, "/json", 1, 2);
}

#[test]
fn on_smol_workers() {
    check_all(|| Smol::workers(1).into());
}

#[test]
fn on_tokio_workers() {
    check_all(|| Tokio::workers(1).into());
}

/// Each turn of async-io's reactor allocates twice: the list of whom to wake, and the split of its timers.
#[test]
fn on_stock_smol() {
    let rounds = u64::try_from(LONG - SHORT).unwrap();
    for path in ["/", "/number/7"] {
        let cost = cost(|| Smol::new().into(), path, 1);
        assert!(cost <= 3 * rounds, "{path}: {cost} for {rounds}");
    }
}
