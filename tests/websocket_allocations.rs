//! What a WebSocket message costs on a real runtime: counted on the thread that serves an echo, while a raw client on
//! another thread sends.
//!
//! Each count is taken for two numbers of rounds: what the longer run costs more is what messages cost.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use callboard::web::{App, Response, WebSocketUpgrade, get};
use callboard::{Handle, Smol, Tokio};

/// Rounds of the shorter run and of the longer.
const SHORT: usize = 200;
const LONG: usize = 2_200;

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

/// Exchanges messages from a thread of its own: so many at once, so often.
fn start_client(address: SocketAddr, payload: usize, at_once: usize, rounds: usize) -> Done {
    let done = Done::default();
    let told = done.clone();
    thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            received.push(byte[0]);
        }
        assert!(received.starts_with(b"HTTP/1.1 101 "));
        let length = u8::try_from(payload).unwrap();
        let key = [1, 2, 3, 4];
        let mut frame = vec![0x81, 0x80 | length];
        frame.extend(key);
        frame.extend((0..payload).map(|place| b'a' ^ key[place % 4]));
        let frames = frame.repeat(at_once);
        let echo = [vec![0x81, length], vec![b'a'; payload]].concat().repeat(at_once);
        let mut answer = vec![0; echo.len()];
        for _ in 0..rounds {
            stream.write_all(&frames).unwrap();
            stream.read_exact(&mut answer).unwrap();
            assert!(answer == echo, "not an echo");
        }
        drop(stream);
        told.tell();
    });
    done
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on(async |mut socket| {
        while let Some(message) = socket.next().await? {
            socket.send(message).await?;
        }
        Ok(())
    })
}

/// Allocations of a whole run on the calling thread, on which all tasks of a fresh runtime run while it blocks.
fn count(runtime: &Handle, payload: usize, at_once: usize, rounds: usize) -> u64 {
    let run = async {
        let app = App::new().route("/", get(echo));
        let server = app.serve(runtime.clone(), "127.0.0.1:0").await.unwrap();
        start_client(server.local().tcp().unwrap(), payload, at_once, rounds).await;
        let report = server.drain(Duration::from_secs(60)).await;
        assert_eq!(report.aborted, 0);
    };
    allocation_counter::measure(|| runtime.block_on(Box::pin(run)).unwrap()).count_total
}

/// What `LONG - SHORT` rounds cost.
fn cost(make: fn() -> Handle, payload: usize, at_once: usize) -> u64 {
    // The thread's pools and caches fill at first.
    count(&make(), payload, at_once, SHORT);
    let [short, long] = [SHORT, LONG].map(|rounds| count(&make(), payload, at_once, rounds));
    println!("{at_once} of {payload} bytes: {short} allocations in {SHORT} rounds, {long} in {LONG}");
    long.saturating_sub(short)
}

/// A read buffer of which a message is still held when the next is read is replaced now and then; a message costs
/// nothing.
fn check(make: fn() -> Handle) {
    for (payload, at_once) in [(0, 1), (32, 1), (125, 1), (32, 16)] {
        let cost = cost(make, payload, at_once);
        let rounds = u64::try_from(LONG - SHORT).unwrap();
        assert!(cost < rounds / 50, "{at_once} messages of {payload} bytes: {cost} allocations in {rounds} rounds");
    }
}

#[test]
fn on_smol_workers() {
    check(|| Smol::workers(1).into());
}

#[test]
fn on_tokio_workers() {
    check(|| Tokio::workers(1).into());
}
