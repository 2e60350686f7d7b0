//! A server in simulation and raw peers that talk to it: bytes in, bytes out, on virtual time.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use callboard_runtime::{ConnectOptions, Endpoint, Handle, Stream};
use callboard_sim::Simulation;
use callboard_web::{App, Server};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

/// Longer than any deadline of a connection: a peer that waits so long waits in vain.
const PATIENCE: Duration = Duration::from_secs(300);

/// One server and its world.
pub(crate) struct World {
    pub(crate) simulation: Simulation,
    pub(crate) server: Server,
    pub(crate) client: Handle,
    address: SocketAddr,
}

impl World {
    /// Serves `app` on the host `server`.
    pub(crate) fn new(seed: u64, app: App) -> Self {
        Self::build(seed, |_| app)
    }

    /// The same with an app that needs the server's runtime.
    pub(crate) fn build(seed: u64, app: impl FnOnce(Handle) -> App) -> Self {
        let simulation = Simulation::new(seed);
        let host = simulation.host("server");
        let address = SocketAddr::new(host.address(), 80);
        let server = simulation.block_on(app(host.runtime().into()).serve(host.runtime(), ":80")).unwrap().unwrap();
        let client = simulation.host("client").runtime().into();
        Self { simulation, server, client, address }
    }

    /// Runs `future` to its end.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.simulation.block_on(future).unwrap()
    }

    pub(crate) async fn connect(&self) -> Peer {
        Peer::connect(&self.client, Endpoint::Tcp(self.address)).await
    }

    /// Sends `request` on a connection of its own, half-closes, and gives all that comes back.
    pub(crate) fn ask(&self, request: &str) -> String {
        self.run(async {
            let mut peer = self.connect().await;
            peer.send(request).await;
            peer.finish().await;
            peer.rest().await.unwrap()
        })
    }

    /// Nothing may be left when the server has ended.
    pub(crate) fn check_empty(self) {
        let report = self.simulation.block_on(self.server.drain(Duration::from_secs(60))).unwrap();
        assert_eq!(report.aborted, 0);
        drop(self.server);
        self.simulation.run_for(Duration::from_secs(1)).unwrap();
        let census = self.simulation.census();
        assert!(census.is_empty(), "left over: {census}");
    }
}

/// A raw peer.
pub(crate) struct Peer {
    pub(crate) stream: Box<dyn Stream>,
    runtime: Handle,
    /// What has come and was not asked for yet.
    pub(crate) received: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(runtime: &Handle, endpoint: Endpoint) -> Self {
        let stream = runtime.connect(endpoint, ConnectOptions::default()).await.unwrap();
        Self { stream, runtime: runtime.clone(), received: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Half-closes.
    pub(crate) async fn finish(&mut self) {
        self.stream.close().await.unwrap();
    }

    /// Waits until `text` has come; gives all up to its end and forgets it.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let found = self.received.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(place) = found {
                let rest = self.received.split_off(place + text.len());
                return String::from_utf8_lossy(&std::mem::replace(&mut self.received, rest)).into_owned();
            }
            let got = self.read().await;
            let so_far = String::from_utf8_lossy(&self.received);
            assert!(matches!(got, Ok(1..)), "no {text:?} but {got:?} after {so_far:?}");
        }
    }

    /// All until the peer closes; an error is a reset.
    pub(crate) async fn rest(&mut self) -> io::Result<String> {
        while self.read().await? > 0 {}
        Ok(String::from_utf8_lossy(&std::mem::take(&mut self.received)).into_owned())
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let count =
            within(&self.runtime, PATIENCE, self.stream.read(&mut buffer)).await.expect("the peer waits in vain")?;
        self.received.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// `None` if it takes longer than `limit` of virtual time.
pub(crate) async fn within<T>(runtime: &Handle, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut sleep = pin!(runtime.sleep(limit));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
    })
    .await
}
