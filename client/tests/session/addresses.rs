//! Names with several addresses: raced, looked up once, remembered and forgotten. In virtual time.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_client::{CacheSettings, Deadline, ErrorKind, Phase, RaceSettings, Session, Timeouts};
use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};

use crate::script::{Server, Step, answer, simulated};

const SECOND: Duration = Duration::from_secs(1);
const PORT: u16 = 4_000;

/// What becomes of a connection to an address.
#[derive(Clone, Copy)]
pub(crate) enum Road {
    /// It arrives at the server.
    Open,
    /// It is refused after a while.
    Refuses(Duration),
    /// Nothing comes back.
    Hangs,
}

/// A runtime whose names and roads are as a test has them, and what was asked of it.
#[derive(Clone)]
pub(crate) struct Roads {
    inner: Handle,
    server: Endpoint,
    to: Arc<Vec<(SocketAddr, Road)>>,
    pub(crate) look_up_time: Duration,
    pub(crate) log: Arc<Mutex<Log>>,
}

#[derive(Default)]
pub(crate) struct Log {
    names: Vec<String>,
    /// Since the start, to which address.
    connects: Vec<(Duration, SocketAddr)>,
    /// From where each was to come.
    pub(crate) locals: Vec<Option<SocketAddr>>,
    /// Look-ups that were dropped before they ended.
    pub(crate) dropped: usize,
}

impl Roads {
    /// A server, and roads to it: the answer to every name, in order.
    pub(crate) fn new(inner: &Handle, roads: &[(&str, Road)]) -> (Self, Server) {
        let server = Server::start(inner, vec![[Step::Head, answer("here")].into_iter().cycle().take(20).collect()]);
        let endpoint = server.origin.strip_prefix("http://").unwrap().parse::<SocketAddr>().unwrap();
        let roads = roads.iter().map(|(address, road)| (SocketAddr::new(address.parse().unwrap(), PORT), *road));
        let roads = Self {
            inner: inner.clone(),
            server: Endpoint::Tcp(endpoint),
            to: Arc::new(roads.collect()),
            look_up_time: Duration::ZERO,
            log: Arc::default(),
        };
        (roads, server)
    }

    fn session(&self) -> Session {
        Session::new(Handle::from(self.clone()))
    }

    /// The last number of each address that was tried, with the milliseconds since the first.
    pub(crate) fn connects(&self) -> Vec<(u128, String)> {
        let log = self.log.lock().unwrap();
        let first = log.connects.first().map_or(Duration::ZERO, |(when, _)| *when);
        log.connects.iter().map(|(when, to)| (when.saturating_sub(first).as_millis(), to.ip().to_string())).collect()
    }

    pub(crate) fn look_ups(&self) -> usize {
        self.log.lock().unwrap().names.len()
    }
}

/// Counts itself if it is dropped early.
struct Counted(Arc<Mutex<Log>>, bool);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.lock().unwrap().dropped += usize::from(!self.1);
    }
}

impl Runtime for Roads {
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.log.lock().unwrap().names.push(host.to_owned());
        let (roads, fails) = (self.clone(), host.starts_with("missing"));
        Box::pin(async move {
            let mut counted = Counted(Arc::clone(&roads.log), false);
            roads.inner.sleep(roads.look_up_time).await;
            counted.1 = true;
            if fails {
                return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
            }
            Ok(roads.to.iter().map(|(address, _)| SocketAddr::new(address.ip(), port)).collect())
        })
    }

    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let address = endpoint.tcp().unwrap();
        self.log.lock().unwrap().locals.push(options.local);
        self.log.lock().unwrap().connects.push((self.inner.now() - Instant::EPOCH, address));
        let road = self.to.iter().find(|(other, _)| other.ip() == address.ip()).map(|(_, road)| *road);
        let (inner, server) = (self.inner.clone(), self.server.clone());
        Box::pin(async move {
            match road.unwrap() {
                Road::Open => inner.connect(server, ConnectOptions::default()).await,
                Road::Refuses(after) => {
                    inner.sleep(after).await;
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
                Road::Hangs => pending().await,
            }
        })
    }

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

    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>> {
        self.inner.listen(endpoint, options)
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

pub(crate) fn tried(expected: &[(u128, &str)]) -> Vec<(u128, String)> {
    expected.iter().map(|(when, to)| (*when, (*to).to_owned())).collect()
}

pub(crate) async fn fetch(session: &Session, url: &str) -> String {
    session.get(url).await.unwrap().text().await.unwrap()
}

#[test]
fn an_address_that_hangs_costs_a_quarter_of_a_second() {
    simulated(|runtime| {
        Box::pin(async move {
            let roads = [("fd00::1", Road::Hangs), ("fd00::2", Road::Open), ("10.9.0.1", Road::Open)];
            let (roads, _server) = Roads::new(&runtime, &roads);
            assert_eq!(fetch(&roads.session(), "http://name:4000/").await, "here");
            // The other family is next.
            assert_eq!(roads.connects(), tried(&[(0, "fd00::1"), (250, "10.9.0.1")]));
        })
    });
}

#[test]
fn a_refusal_starts_the_next_at_once_and_slow_ones_may_still_win() {
    simulated(|runtime| {
        Box::pin(async move {
            let refuses = Road::Refuses(Duration::from_millis(100));
            let (roads, _server) =
                Roads::new(&runtime, &[("fd00::1", refuses), ("10.9.0.1", Road::Hangs), ("fd00::2", Road::Open)]);
            assert_eq!(fetch(&roads.session(), "http://name:4000/").await, "here");
            assert_eq!(roads.connects(), tried(&[(0, "fd00::1"), (100, "10.9.0.1"), (350, "fd00::2")]));
        })
    });
}

#[test]
fn the_settings_of_a_race_are_in_force() {
    simulated(|runtime| {
        Box::pin(async move {
            let all = [("fd00::1", Road::Hangs), ("fd00::2", Road::Hangs), ("10.9.0.1", Road::Open)];
            let (roads, _server) = Roads::new(&runtime, &all);
            let delay = Some(SECOND);
            let race = RaceSettings { attempt_delay: delay, first_family: 2, ..RaceSettings::default() };
            let session = Session::builder(Handle::from(roads.clone())).happy_eyeballs(race).build();
            assert_eq!(fetch(&session, "http://name:4000/").await, "here");
            assert_eq!(roads.connects(), tried(&[(0, "fd00::1"), (1000, "fd00::2"), (2000, "10.9.0.1")]));

            // One after the other: each hanging one takes its whole deadline.
            let (roads, _server) = Roads::new(&runtime, &all);
            let race = RaceSettings { attempt_delay: None, ..RaceSettings::default() };
            let session = Session::builder(Handle::from(roads.clone())).happy_eyeballs(race);
            let timeouts = Timeouts { connect: 3 * SECOND, ..Timeouts::default() };
            assert_eq!(fetch(&session.timeouts(timeouts).build(), "http://name:4000/").await, "here");
            assert_eq!(roads.connects(), tried(&[(0, "fd00::1"), (3000, "10.9.0.1")]));
        })
    });
}

#[test]
fn when_all_fail_each_is_told_with_its_error() {
    simulated(|runtime| {
        Box::pin(async move {
            let refuses = Road::Refuses(Duration::from_secs(4));
            let (roads, _server) = Roads::new(&runtime, &[("fd00::1", Road::Hangs), ("10.9.0.1", refuses)]);
            let timeouts = Timeouts { connect: 3 * SECOND, ..Timeouts::default() };
            let session = Session::builder(Handle::from(roads.clone())).timeouts(timeouts).build();
            let began = runtime.now();
            let error = session.get("http://name:4000/").await.unwrap_err();
            // Each address had its own three seconds.
            assert_eq!((runtime.now() - began).as_millis(), 3250, "{error}");
            let ErrorKind::Connect(all) = error.kind() else { panic!("{error}") };
            let kinds: Vec<_> =
                all.iter().map(|(to, error)| (to.tcp().unwrap().ip().to_string(), error.kind())).collect();
            let late = io::ErrorKind::TimedOut;
            assert_eq!(kinds, [("fd00::1".to_owned(), late), ("10.9.0.1".to_owned(), late)]);
            assert!(error.is_timeout() && error.phase() == Phase::Connect);
            assert_eq!(session.snapshot().open(), 0);

            // The total deadline ends the race as a whole.
            let error = session.get("http://name:4000/").timeout(SECOND).await.unwrap_err();
            let ErrorKind::TimedOut { deadline: Deadline::Total, .. } = error.kind() else { panic!("{error}") };
            assert_eq!(session.snapshot().open(), 0);
        })
    });
}

#[test]
fn a_name_is_looked_up_once_for_all_who_ask() {
    simulated(|runtime| {
        Box::pin(async move {
            let (mut roads, _server) = Roads::new(&runtime, &[("10.9.0.1", Road::Open), ("10.9.0.2", Road::Open)]);
            roads.look_up_time = SECOND;
            let session = roads.session();
            let asks = || session.get("http://name:4000/").send();
            let (mut first, second, third) = (asks(), asks(), session.get("http://NAME:5000/").send());
            // Whoever asked first stops waiting in the middle: the others go on.
            let poll = std::future::poll_fn(|context| {
                assert!(std::pin::Pin::new(&mut first).poll(context).is_pending());
                std::task::Poll::Ready(())
            });
            poll.await;
            let others = futures_lite::future::zip(second, third);
            let half = async {
                runtime.sleep(SECOND / 2).await;
                drop(first);
            };
            let ((second, third), ()) = futures_lite::future::zip(others, half).await;
            assert_eq!(
                (second.unwrap().text().await.unwrap(), third.unwrap().text().await.unwrap().len()),
                ("here".into(), 4)
            );
            assert_eq!((roads.look_ups(), roads.log.lock().unwrap().dropped), (1, 0));
            // The port of each is its own; the addresses take turns.
            let ports: Vec<_> = roads.log.lock().unwrap().connects.iter().map(|(_, to)| to.port()).collect();
            assert_eq!(ports, [4000, 5000]);
            assert_eq!(roads.connects().into_iter().map(|(_, to)| to).collect::<Vec<_>>(), ["10.9.0.1", "10.9.0.2"]);
        })
    });
}

#[test]
fn a_look_up_that_nobody_waits_for_is_dropped() {
    simulated(|runtime| {
        Box::pin(async move {
            let (mut roads, _server) = Roads::new(&runtime, &[("10.9.0.1", Road::Open)]);
            roads.look_up_time = 30 * SECOND;
            let session = roads.session();
            let error = session.get("http://name:4000/").await.unwrap_err();
            assert_eq!(error.phase(), Phase::Dns);
            assert!(matches!(error.kind(), ErrorKind::TimedOut { deadline: Deadline::Connect, .. }), "{error}");
            assert_eq!((roads.look_ups(), roads.log.lock().unwrap().dropped), (1, 1));
            // Who asks then gets a look-up of its own.
            session.get("http://name:4000/").timeout(SECOND).await.unwrap_err();
            assert_eq!((roads.look_ups(), roads.log.lock().unwrap().dropped), (2, 2));
        })
    });
}

#[test]
fn a_failed_look_up_fails_all_who_wait_and_is_not_remembered() {
    simulated(|runtime| {
        Box::pin(async move {
            let (mut roads, _server) = Roads::new(&runtime, &[("10.9.0.1", Road::Open)]);
            roads.look_up_time = SECOND;
            let session = roads.session();
            let asks = || session.get("http://missing:4000/").send();
            let (first, second) = futures_lite::future::zip(asks(), asks()).await;
            for error in [first.unwrap_err(), second.unwrap_err()] {
                let ErrorKind::Resolve(cause) = error.kind() else { panic!("{error}") };
                assert_eq!((cause.kind(), cause.to_string().as_str()), (io::ErrorKind::NotFound, "no such name"));
            }
            assert_eq!(roads.look_ups(), 1);
            asks().await.unwrap_err();
            assert_eq!(roads.look_ups(), 2);
        })
    });
}

#[test]
fn what_was_looked_up_is_known_for_its_time_and_can_be_forgotten() {
    simulated(|runtime| {
        Box::pin(async move {
            let (roads, _server) = Roads::new(&runtime, &[("10.9.0.1", Road::Open)]);
            let build = |ttl| {
                let cache = CacheSettings { ttl, ..CacheSettings::default() };
                let builder = Session::builder(Handle::from(roads.clone())).idle_timeout(Duration::ZERO);
                builder.resolver_cache(cache).build()
            };
            // Settings, pause before the second request, look-ups.
            let table = [
                (Some(3 * SECOND), 2 * SECOND, 1),
                (Some(3 * SECOND), 4 * SECOND, 2),
                (Some(Duration::ZERO), Duration::ZERO, 2),
                (None, 9 * SECOND, 1),
            ];
            for (ttl, pause, expected) in table {
                let (session, before) = (build(ttl), roads.look_ups());
                fetch(&session, "http://name:4000/").await;
                runtime.sleep(pause).await;
                fetch(&session, "http://name:4000/").await;
                assert_eq!(roads.look_ups() - before, expected, "{ttl:?}, {pause:?}");
            }
            let (session, before) = (build(None), roads.look_ups());
            for (forgets, expected) in [(Some("other"), 1), (Some("Name"), 2), (None, 3)] {
                fetch(&session, "http://name:4000/").await;
                session.forget_names(forgets);
                fetch(&session, "http://name:4000/").await;
                assert_eq!(roads.look_ups() - before, expected, "{forgets:?}");
            }
            // An address needs none.
            fetch(&session, "http://10.9.0.1:4000/").await;
            assert_eq!(roads.look_ups() - before, 3);
        })
    });
}
