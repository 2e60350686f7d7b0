//! Servers that follow a script, and the runtimes that the scenarios run on.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_client::Session;
use callboard_runtime::{BoxFuture, Endpoint, Handle, ListenOptions, Stream};
use callboard_sim::Simulation;
use callboard_smol::Smol;
use callboard_tokio::Tokio;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

/// What a server does on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads the head of a request.
    Head,
    /// Reads this many bytes of its body.
    Body(usize),
    /// Reads until these bytes have come.
    Until(&'static str),
    Send(String),
    /// Sends bytes that are no text.
    #[cfg(feature = "compression")]
    Bytes(Vec<u8>),
    Wait(Duration),
    /// Closes; otherwise the connection stays open until the client leaves.
    Close,
}

pub(crate) fn send(text: &str) -> Step {
    Step::Send(text.to_owned())
}

/// A response with this body, of known length.
pub(crate) fn answer(body: &str) -> Step {
    Step::Send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// The field by which a session asks for codings: with the feature `compression`.
pub(crate) fn asks_codings() -> String {
    #[cfg(feature = "compression")]
    let field = format!("Accept-Encoding: {}\r\n", callboard_core::coding::Coding::ACCEPT);
    #[cfg(not(feature = "compression"))]
    let field = String::new();
    field
}

/// What the server saw.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Connection and head of each request.
    pub(crate) heads: Vec<(usize, String)>,
    pub(crate) bodies: Vec<String>,
    pub(crate) connections: usize,
    /// Connections that the client has left.
    pub(crate) ended: usize,
}

/// A server at work.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) origin: String,
    log: Arc<Mutex<Log>>,
}

impl Server {
    /// Follows the script of each connection, in order of arrival; the last one serves further ones, too.
    pub(crate) fn start(runtime: &Handle, scripts: Vec<Vec<Step>>) -> Self {
        Self::start_at(runtime, Endpoint::Tcp("127.0.0.1:0".parse().unwrap()), scripts)
    }

    pub(crate) fn start_at(runtime: &Handle, endpoint: Endpoint, scripts: Vec<Vec<Step>>) -> Self {
        Self::listen(runtime, endpoint, "http", scripts, |stream| Box::pin(async { Some(stream) }))
    }

    #[cfg(feature = "tls")]
    pub(crate) fn start_secure(
        runtime: &Handle,
        acceptor: callboard_runtime::tls::TlsAcceptor,
        scripts: Vec<Vec<Step>>,
    ) -> Self {
        let endpoint = Endpoint::Tcp("127.0.0.1:0".parse().unwrap());
        Self::listen(runtime, endpoint, "https", scripts, move |stream| {
            let acceptor = acceptor.clone();
            Box::pin(async move { acceptor.accept(stream).await.ok() })
        })
    }

    /// `secure` makes the stream to speak on of the one accepted.
    fn listen(
        runtime: &Handle,
        endpoint: Endpoint,
        scheme: &str,
        scripts: Vec<Vec<Step>>,
        secure: impl Fn(Box<dyn Stream>) -> BoxFuture<'static, Option<Box<dyn Stream>>> + Send + 'static,
    ) -> Self {
        let mut listener = runtime.listen(endpoint, ListenOptions::default()).unwrap();
        let origin = format!("{scheme}://{}", listener.local());
        let server = Self { origin, log: Arc::default() };
        let (log, handle) = (Arc::clone(&server.log), runtime.clone());
        runtime.spawn(Box::pin(async move {
            for number in 0.. {
                let Ok(stream) = poll_fn(|context| listener.poll_accept(context)).await else { return };
                log.lock().unwrap().connections += 1;
                let script = scripts[number.min(scripts.len() - 1)].clone();
                let (stream, runtime, log) = (secure(stream), handle.clone(), Arc::clone(&log));
                handle.spawn(Box::pin(async move {
                    if let Some(stream) = stream.await {
                        follow(runtime, stream, number, script, log).await;
                    }
                }));
            }
        }));
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(crate) fn log<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.log.lock().unwrap())
    }

    /// The heads, without their connections.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.log(|log| log.heads.iter().map(|(_, head)| head.clone()).collect())
    }
}

async fn follow(runtime: Handle, mut stream: Box<dyn Stream>, number: usize, script: Vec<Step>, log: Arc<Mutex<Log>>) {
    let mut input = Vec::new();
    for step in script {
        match step {
            Step::Head => {
                let Some(head) = take_until(&mut stream, &mut input, "\r\n\r\n").await else { break };
                log.lock().unwrap().heads.push((number, head));
            }
            Step::Until(mark) => {
                let Some(body) = take_until(&mut stream, &mut input, mark).await else { break };
                log.lock().unwrap().bodies.push(body);
            }
            Step::Body(length) => {
                while input.len() < length && more(&mut stream, &mut input).await {}
                let body = input.drain(..length.min(input.len())).collect();
                log.lock().unwrap().bodies.push(String::from_utf8(body).unwrap());
            }
            Step::Send(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                    break;
                }
            }
            #[cfg(feature = "compression")]
            Step::Bytes(bytes) => {
                if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                    break;
                }
            }
            Step::Wait(duration) => runtime.sleep(duration).await,
            Step::Close => return,
        }
    }
    while more(&mut stream, &mut input).await {}
    log.lock().unwrap().ended += 1;
}

async fn more(stream: &mut Box<dyn Stream>, input: &mut Vec<u8>) -> bool {
    let mut part = [0; 4096];
    match stream.read(&mut part).await {
        Ok(count) => {
            input.extend_from_slice(&part[..count]);
            count > 0
        }
        Err(_) => false,
    }
}

async fn take_until(stream: &mut Box<dyn Stream>, input: &mut Vec<u8>, mark: &str) -> Option<String> {
    loop {
        if let Some(at) = input.windows(mark.len()).position(|window| window == mark.as_bytes()) {
            let taken = input.drain(..at + mark.len()).collect();
            return Some(String::from_utf8(taken).unwrap());
        }
        if !more(stream, input).await {
            return None;
        }
    }
}

/// Runs a scenario in simulation for some seeds.
pub(crate) fn simulated(scenario: impl Fn(Handle) -> BoxFuture<'static, ()>) {
    for seed in 0..12 {
        let simulation = Simulation::new(seed);
        let outcome = simulation.block_on(scenario(simulation.runtime().into()));
        assert!(outcome.is_ok(), "seed {seed}: {outcome:?}");
    }
}

/// Runs a scenario in simulation, on smol and on Tokio.
pub(crate) fn everywhere(scenario: impl Fn(Handle) -> BoxFuture<'static, ()>) {
    simulated(&scenario);
    for runtime in [Handle::from(Smol::new()), Smol::workers(1).into(), Tokio::workers(1).into()] {
        runtime.block_on(scenario(runtime.clone())).unwrap();
    }
}

/// A session and a server on one runtime.
pub(crate) fn pair(runtime: &Handle, scripts: Vec<Vec<Step>>) -> (Session, Server) {
    (Session::new(runtime.clone()), Server::start(runtime, scripts))
}
