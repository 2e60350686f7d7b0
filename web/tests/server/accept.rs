//! Accept errors: the loop neither ends nor spins.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::support::Peer;
use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};
use callboard_sim::{SimRuntime, Simulation};
use callboard_web::{App, get};

/// A runtime whose listeners fail so before they accept.
struct Failing {
    inner: SimRuntime,
    errors: Vec<io::ErrorKind>,
    asked: Arc<AtomicUsize>,
}

struct FailingListener {
    inner: Box<dyn Listener>,
    errors: Mutex<VecDeque<io::ErrorKind>>,
    asked: Arc<AtomicUsize>,
}

impl Listener for FailingListener {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.errors.get_mut().unwrap().pop_front() {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => self.inner.poll_accept(context),
        }
    }
    fn local(&self) -> Endpoint {
        self.inner.local()
    }
}

impl Runtime for Failing {
    fn now(&self) -> Instant {
        self.inner.now()
    }
    fn wall_clock(&self) -> Duration {
        self.inner.wall_clock()
    }
    fn entropy(&self) -> u64 {
        self.inner.entropy()
    }
    fn spawn(&self, task: Task) {
        self.inner.spawn(task);
    }
    fn timer(&self) -> Box<dyn Timer> {
        self.inner.timer()
    }
    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        self.inner.connect(endpoint, options)
    }
    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>> {
        let errors = Mutex::new(self.errors.iter().copied().collect());
        Ok(Box::new(FailingListener {
            inner: self.inner.listen(endpoint, options)?,
            errors,
            asked: self.asked.clone(),
        }))
    }
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.inner.resolve(host, port)
    }
    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        self.inner.run_blocking(work)
    }
    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        self.inner.signals()
    }
    fn block_on(&self, future: BoxFuture<'_, ()>) -> io::Result<()> {
        self.inner.block_on(future)
    }
}

/// How long a server with these errors took to answer, and how often it asked for a connection.
fn answered_after(errors: &[io::ErrorKind]) -> (Duration, usize) {
    let simulation = Simulation::new(3);
    let (host, client) = (simulation.host("server"), Handle::from(simulation.host("client").runtime()));
    let asked = Arc::new(AtomicUsize::new(0));
    let runtime = Failing { inner: host.runtime(), errors: errors.to_vec(), asked: Arc::clone(&asked) };
    let app = App::new().route("/", get(async || "Hello, World!"));
    simulation
        .block_on(async {
            let server = app.serve(runtime, ":80").await.unwrap();
            let mut peer = Peer::connect(&client, Endpoint::Tcp(SocketAddr::new(host.address(), 80))).await;
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            peer.until("Hello, World!").await;
            let after = simulation.now() - Instant::EPOCH;
            server.drain(Duration::from_secs(1)).await;
            (after, asked.load(Ordering::SeqCst))
        })
        .unwrap()
}

#[test]
fn errors_of_one_connection_are_passed_over() {
    let errors = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    let (after, asked) = answered_after(&errors);
    assert!(after < Duration::from_millis(100), "{after:?}");
    assert!(asked <= 8, "{asked}");
}

#[test]
fn errors_of_the_process_are_waited_out() {
    // 10, 20, 40 and 80 ms.
    let (after, asked) = answered_after(&[io::ErrorKind::Other; 4]);
    assert!(after >= Duration::from_millis(150), "{after:?}");
    assert!(asked <= 8, "it spins: {asked}");
}

#[test]
fn many_errors_do_not_starve_others() {
    // More than one poll may take in a row; the client's own task has to run to end this.
    let (_, asked) = answered_after(&[io::ErrorKind::ConnectionAborted; 1_000]);
    assert!(asked >= 1_000);
}
