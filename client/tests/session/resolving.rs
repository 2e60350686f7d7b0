//! A resolver of the user's own: asked through the cache, and its failures told.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_client::{CacheSettings, Delivery, ErrorKind, Phase, Resolver, Session};
use callboard_runtime::{BoxFuture, Handle};
use futures_lite::future::zip;

use crate::script::{Server, Step, answer, simulated};

/// Knows where one server is, and what it was asked.
#[derive(Clone, Debug)]
struct Directory {
    server: SocketAddr,
    runtime: Handle,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
    /// What the name `indirect` is looked up with.
    session: Arc<Mutex<Option<Session>>>,
}

impl Directory {
    fn new(runtime: &Handle) -> (Self, Server) {
        let script = (0..20).flat_map(|_| [Step::Head, answer("here")]).collect();
        let server = Server::start(runtime, vec![script]);
        let address = server.origin.strip_prefix("http://").unwrap().parse().unwrap();
        let (asked, session) = (Arc::default(), Arc::default());
        (Self { server: address, runtime: runtime.clone(), asked, session }, server)
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Resolver for Directory {
    fn resolve(&self, name: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.asked.lock().unwrap().push((name.to_owned(), port));
        let (this, name) = (self.clone(), name.to_owned());
        Box::pin(async move {
            this.runtime.sleep(Duration::from_millis(10)).await;
            match name.as_str() {
                "nowhere" => Ok(Vec::new()),
                "unknown" => Err(io::Error::new(io::ErrorKind::NotFound, "not in the directory")),
                "address" => Ok(vec![SocketAddr::new(this.server.ip(), 0)]),
                "panics" => panic!("on purpose"),
                "indirect" | "circle" => {
                    let session = this.session.lock().unwrap().take().unwrap();
                    let name = if name == "circle" { "circle" } else { "server" };
                    let answer = session.get(format!("http://{name}/")).await.map_err(io::Error::other)?;
                    assert_eq!(answer.text().await.map_err(io::Error::other)?, "here");
                    Ok(vec![this.server])
                }
                _ => Ok(vec![this.server]),
            }
        })
    }
}

async fn fetch(session: &Session, url: &str) -> String {
    session.get(url).await.unwrap().text().await.unwrap()
}

#[test]
fn it_is_asked_in_place_of_the_runtime_and_once_for_all() {
    simulated(|runtime| {
        Box::pin(async move {
            let (directory, server) = Directory::new(&runtime);
            let session = Session::builder(runtime.clone()).resolver(directory.clone()).build();
            let pair = zip(fetch(&session, "http://Server/"), fetch(&session, "http://server/b")).await;
            assert_eq!((pair.0.as_str(), pair.1.as_str()), ("here", "here"));
            // It says the port, unless that is 0; it is asked for each port.
            assert_eq!(fetch(&session, "http://server:81/").await, "here");
            assert_eq!(fetch(&session, &format!("http://address:{}/", directory.server.port())).await, "here");
            let asked = [("server", 80), ("server", 81), ("address", directory.server.port())];
            let asked = asked.map(|(name, port)| (name.to_owned(), port));
            assert_eq!(*directory.asked.lock().unwrap(), asked);
            // An address is not looked up.
            assert_eq!(fetch(&session, &server.url("/")).await, "here");
            session.close_idle();
            assert_eq!((fetch(&session, "http://server/").await.as_str(), directory.asked()), ("here", 3));
            session.close_idle();
            session.forget_names(Some("SERVER"));
            assert_eq!((fetch(&session, "http://server/").await.as_str(), directory.asked()), ("here", 4));
        })
    });
}

#[test]
fn the_settings_of_the_cache_are_in_force() {
    simulated(|runtime| {
        Box::pin(async move {
            let cache = CacheSettings { ttl: Some(Duration::ZERO), ..CacheSettings::default() };
            for is_first in [true, false] {
                let (directory, _server) = Directory::new(&runtime);
                let builder = Session::builder(runtime.clone()).idle_timeout(Duration::ZERO);
                let builder = if is_first {
                    builder.resolver(directory.clone()).resolver_cache(cache)
                } else {
                    builder.resolver_cache(cache).resolver(directory.clone())
                };
                let session = builder.build();
                fetch(&session, "http://server/").await;
                fetch(&session, "http://server/").await;
                assert_eq!(directory.asked(), 2);
            }
        })
    });
}

#[test]
fn what_it_does_not_know_is_an_error_for_all_who_ask() {
    simulated(|runtime| {
        Box::pin(async move {
            let (directory, _server) = Directory::new(&runtime);
            let session = Session::builder(runtime.clone()).resolver(directory.clone()).build();
            for name in ["nowhere", "unknown"] {
                let ask = || session.get(format!("http://{name}/")).send();
                let (first, second) = zip(ask(), ask()).await;
                for error in [first.unwrap_err(), second.unwrap_err()] {
                    assert_eq!((error.phase(), error.delivery()), (Phase::Dns, Delivery::NeverSent));
                    match error.kind() {
                        ErrorKind::NoAddress => assert_eq!(name, "nowhere"),
                        ErrorKind::Resolve(cause) => assert_eq!(cause.to_string(), "not in the directory"),
                        _ => panic!("{error}"),
                    }
                }
            }
            assert_eq!((directory.asked(), session.snapshot().open()), (2, 0));
        })
    });
}

#[test]
fn one_that_panics_fails_those_who_wait_and_is_asked_anew() {
    simulated(|runtime| {
        Box::pin(async move {
            let (directory, _server) = Directory::new(&runtime);
            let session = Session::builder(runtime.clone()).resolver(directory.clone()).build();
            let ask = || {
                use futures_lite::FutureExt as _;
                std::panic::AssertUnwindSafe(session.get("http://panics/").send()).catch_unwind()
            };
            let outcomes = zip(ask(), ask()).await;
            let outcomes = [outcomes.0, outcomes.1];
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1, "who polled it");
            let told = outcomes.into_iter().flatten().next().unwrap().unwrap_err();
            assert!(matches!(told.kind(), ErrorKind::Resolve(_)), "{told}");
            assert!(ask().await.is_err());
            assert_eq!((directory.asked(), session.snapshot().open()), (2, 0));
        })
    });
}

#[test]
fn it_may_use_the_session_for_another_name() {
    simulated(|runtime| {
        Box::pin(async move {
            let (directory, _server) = Directory::new(&runtime);
            let session = Session::builder(runtime.clone()).resolver(directory.clone()).build();
            *directory.session.lock().unwrap() = Some(session.clone());
            assert_eq!(fetch(&session, "http://indirect/").await, "here");
            assert_eq!(directory.asked(), 2);
            *directory.session.lock().unwrap() = Some(session.clone());
            let error = session.get("http://circle/").await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Resolve(_)), "{error}");
            assert!(error.to_string().contains("waits for itself"), "{error}");
            assert_eq!((directory.asked(), session.snapshot().open()), (3, session.snapshot().idle()));
        })
    });
}
