//! Tokens that are fetched when they are needed: by whom, how often, for whom, and what follows a 401.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_client::{
    Body, Deadline, Delivery, ErrorKind, Phase, RetryPolicy, Session, SessionBuilder, Token, TokenError, TokenSource,
};
use callboard_runtime::{BoxFuture, Handle};
use futures_lite::future::{poll_once, zip};
use futures_lite::stream;

use crate::authentication::authorizations;
use crate::script::{Server, Step, answer, send, simulated};

const SECOND: Duration = Duration::from_secs(1);

/// Gives `t1`, `t2` and so on, each after a second.
#[derive(Clone, Debug)]
struct Counter {
    runtime: Handle,
    /// What each fetch was told of a token refused.
    fetches: Arc<Mutex<Vec<Option<String>>>>,
    dropped: Arc<AtomicUsize>,
    lifetime: Option<Duration>,
    /// Fetches that fail, from the first.
    failing: usize,
}

/// Counts itself if it is dropped before its end.
struct Early(Arc<AtomicUsize>, bool);

impl Drop for Early {
    fn drop(&mut self) {
        self.0.fetch_add(usize::from(!self.1), Ordering::Relaxed);
    }
}

impl Counter {
    fn new(runtime: &Handle) -> Self {
        let (fetches, dropped) = (Arc::default(), Arc::default());
        Self { runtime: runtime.clone(), fetches, dropped, lifetime: None, failing: 0 }
    }

    fn fetches(&self) -> Vec<Option<String>> {
        self.fetches.lock().unwrap().clone()
    }

    fn builder(&self, server: &Server) -> SessionBuilder {
        Session::builder(self.runtime.clone()).tokens(&server.origin, self.clone()).unwrap()
    }

    fn session(&self, server: &Server) -> Session {
        self.builder(server).build()
    }
}

impl TokenSource for Counter {
    fn fetch(&self, refused: Option<&Token>) -> BoxFuture<'static, Result<Token, TokenError>> {
        let number = {
            let mut fetches = self.fetches.lock().unwrap();
            fetches.push(refused.map(|token| token.secret().to_owned()));
            fetches.len()
        };
        let this = self.clone();
        Box::pin(async move {
            let mut early = Early(Arc::clone(&this.dropped), false);
            this.runtime.sleep(SECOND).await;
            early.1 = true;
            if number <= this.failing {
                return Err("no login".into());
            }
            let token = Token::bearer(&format!("t{number}"))?;
            Ok(match this.lifetime {
                Some(lifetime) => token.expires_in(lifetime),
                None => token,
            })
        })
    }
}

fn refusal() -> Step {
    send("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\nContent-Length: 2\r\n\r\nno")
}

fn script(answers: impl IntoIterator<Item = Step>) -> Vec<Vec<Step>> {
    vec![answers.into_iter().flat_map(|answer| [Step::Head, answer]).collect()]
}

fn bearers(server: &Server) -> Vec<Option<String>> {
    let value = |field: Option<String>| field.map(|field| field.strip_prefix("Bearer ").unwrap().to_owned());
    authorizations(&server.heads()).into_iter().map(value).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_token_is_fetched_once_and_kept() {
    simulated(|runtime| {
        Box::pin(async move {
            let (server, source) = (Server::start(&runtime, script(vec![answer("ok"); 3])), Counter::new(&runtime));
            let session = source.session(&server);
            for _ in 0..3 {
                assert_eq!(session.get(server.url("/")).await.unwrap().bytes().await.unwrap(), "ok");
            }
            assert_eq!((bearers(&server), source.fetches()), (some(&["t1", "t1", "t1"]), vec![None]));
        })
    });
}

#[test]
fn a_refusal_leads_to_one_more_attempt_with_another() {
    simulated(|runtime| {
        Box::pin(async move {
            let answers = [answer("ok"), refusal(), answer("ok"), answer("ok")];
            let (server, source) = (Server::start(&runtime, script(answers)), Counter::new(&runtime));
            let session = source.session(&server);
            for _ in 0..3 {
                let response = session.post(server.url("/")).await.unwrap();
                assert_eq!((response.status().code(), response.bytes().await.unwrap()), (200, "ok".into()));
            }
            assert_eq!(bearers(&server), some(&["t1", "t1", "t2", "t2"]));
            // The source is told why.
            assert_eq!(source.fetches(), [None, Some("t1".to_owned())]);
        })
    });
}

#[test]
fn a_server_that_refuses_all_is_asked_twice() {
    simulated(|runtime| {
        Box::pin(async move {
            let (server, source) = (Server::start(&runtime, script(vec![refusal(); 9])), Counter::new(&runtime));
            // A policy of retries changes nothing in that: a 401 is an answer.
            let session = source.builder(&server).retry(RetryPolicy::attempts(5)).build();
            let response = session.get(server.url("/")).await.unwrap();
            assert_eq!((response.status().code(), response.bytes().await.unwrap()), (401, "no".into()));
            assert_eq!((bearers(&server), source.fetches().len()), (some(&["t1", "t2"]), 2));
            // No token is blamed for the second: the next request begins with it.
            assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 401);
            assert_eq!((bearers(&server), source.fetches().len()), (some(&["t1", "t2", "t2", "t3"]), 3));
        })
    });
}

#[test]
fn a_body_that_is_gone_leaves_the_answer_to_the_caller() {
    simulated(|runtime| {
        Box::pin(async move {
            let taken = vec![Step::Head, Step::Until("0\r\n\r\n"), refusal(), Step::Head, Step::Body(4), answer("ok")];
            let (server, source) = (Server::start(&runtime, vec![taken]), Counter::new(&runtime));
            let session = source.session(&server);
            let parts = stream::iter([Ok::<_, io::Error>("part".into())]);
            let response = session.post(server.url("/")).body(Body::stream(parts, None)).await.unwrap();
            assert_eq!((response.status().code(), response.bytes().await.unwrap()), (401, "no".into()));
            // The token is known to be bad all the same.
            let response = session.post(server.url("/")).body("body").await.unwrap();
            assert_eq!(response.status().code(), 200);
            assert_eq!(bearers(&server), some(&["t1", "t2"]));
        })
    });
}

#[test]
fn what_can_be_made_again_is_sent_again() {
    simulated(|runtime| {
        Box::pin(async move {
            let twice = [Step::Body(4), refusal(), Step::Head, Step::Body(4), answer("ok")];
            let script = [Step::Head].into_iter().chain(twice).collect();
            let (server, source) = (Server::start(&runtime, vec![script]), Counter::new(&runtime));
            let make = || stream::iter([Ok::<_, io::Error>("body".into())]);
            let request = source.session(&server).post(server.url("/")).body(Body::replayable(make, Some(4)));
            assert_eq!(request.await.unwrap().status().code(), 200);
            assert_eq!(server.log(|log| log.bodies.clone()), ["body", "body"]);
        })
    });
}

#[test]
fn a_token_that_expires_is_not_sent() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, script(vec![answer("ok"); 9]));
            let source = Counter { lifetime: Some(10 * SECOND), ..Counter::new(&runtime) };
            let session = source.session(&server);
            for pause in [9, 2] {
                session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
                runtime.sleep(pause * SECOND).await;
            }
            session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
            assert_eq!((bearers(&server), source.fetches()), (some(&["t1", "t1", "t2"]), vec![None, None]));
            // One that has no life at all serves who waited for it.
            let brief = Counter { lifetime: Some(Duration::ZERO), ..Counter::new(&runtime) };
            let session = brief.session(&server);
            session.get(server.url("/")).await.unwrap();
            session.get(server.url("/")).await.unwrap();
            assert_eq!(brief.fetches().len(), 2);
        })
    });
}

#[test]
fn other_origins_and_own_credentials_know_nothing_of_it() {
    simulated(|runtime| {
        Box::pin(async move {
            let (source, second) = (Counter::new(&runtime), Counter::new(&runtime));
            let (other, third) = (
                Server::start(&runtime, script(vec![answer("ok"); 9])),
                Server::start(&runtime, script([answer("ok")])),
            );
            let moved = |to: &Server| {
                send(&format!("HTTP/1.1 307 X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", to.url("/")))
            };
            let answers = [answer("ok"), refusal(), moved(&other), moved(&third), answer("ok")];
            let server = Server::start(&runtime, script(answers));
            let session = source.builder(&server).tokens(&third.origin, second.clone()).unwrap().build();
            // Credentials of its own: neither is a token fetched, nor does a 401 change anything.
            let with_user = server.url("/").replace("http://", "http://u:p@");
            assert_eq!(session.get(with_user).await.unwrap().status().code(), 200);
            assert_eq!(session.get(server.url("/")).basic_auth("u", "p").await.unwrap().status().code(), 401);
            assert_eq!((session.get(other.url("/")).await.unwrap().status().code(), source.fetches().len()), (200, 0));
            // Led elsewhere, it stays behind; another origin has its own.
            session.get(server.url("/")).await.unwrap();
            session.get(server.url("/")).await.unwrap();
            assert_eq!(authorizations(&other.heads()), [None, None]);
            assert_eq!((bearers(&third), second.fetches().len(), source.fetches().len()), (some(&["t1"]), 1, 1));
            assert_eq!(authorizations(&server.heads())[2..], some(&["Bearer t1", "Bearer t1"]));
        })
    });
}

#[test]
fn many_requests_share_each_fetch() {
    simulated(|runtime| {
        Box::pin(async move {
            // Each connection refuses the first request on it, whatever it brings.
            let refuses_first = vec![Step::Head, refusal(), Step::Head, answer("ok"), Step::Head, answer("ok")];
            let (server, source) = (Server::start(&runtime, vec![refuses_first]), Counter::new(&runtime));
            let session = source.session(&server);
            let mut all: Vec<_> = (0..12).map(|_| Box::pin(session.get(server.url("/")).send())).collect();
            let mut statuses = Vec::new();
            poll_fn(|context| {
                all.retain_mut(|request| match request.as_mut().poll(context) {
                    std::task::Poll::Ready(response) => {
                        statuses.push(response.unwrap().status().code());
                        false
                    }
                    std::task::Poll::Pending => true,
                });
                if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            assert_eq!(statuses.len(), 12);
            // Twelve refusals of one token: one fetch. (A request whose connection had closed met another refusal.)
            let sent = bearers(&server);
            assert_eq!(sent.iter().filter(|token| token.as_deref() == Some("t1")).count(), 12, "{sent:?}");
            assert_eq!(source.fetches(), [None, Some("t1".to_owned())]);
        })
    });
}

#[test]
fn a_fetch_that_fails_fails_all_who_wait_and_is_not_remembered() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, script([answer("ok"), refusal(), answer("ok")]));
            let source = Counter { failing: 1, ..Counter::new(&runtime) };
            let session = source.session(&server);
            let (first, second) = zip(session.get(server.url("/")).send(), session.get(server.url("/")).send()).await;
            for error in [first.unwrap_err(), second.unwrap_err()] {
                assert!(matches!(error.kind(), ErrorKind::Token(cause) if cause.to_string() == "no login"), "{error}");
                assert_eq!((error.phase(), error.delivery()), (Phase::Build, Delivery::NeverSent));
                assert!(std::error::Error::source(&error).is_some());
            }
            assert_eq!((source.fetches().len(), server.heads().len(), session.snapshot().open()), (1, 0, 0));
            assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 200);
            assert_eq!(bearers(&server), some(&["t2"]));

            // After a 401 it is the request with another token that was never sent.
            let failing = Counter { failing: 9, ..Counter::new(&runtime) };
            let server = Server::start(&runtime, script([refusal()]));
            let session =
                Session::builder(runtime.clone()).tokens(&server.origin, Once(failing, Arc::default())).unwrap();
            let error = session.build().get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Token(_)), "{error}");
            assert_eq!((error.delivery(), server.heads().len()), (Delivery::NeverSent, 1));
        })
    });
}

/// Has one token, and then what another source says.
#[derive(Debug)]
struct Once(Counter, Arc<AtomicUsize>);

impl TokenSource for Once {
    fn fetch(&self, refused: Option<&Token>) -> BoxFuture<'static, Result<Token, TokenError>> {
        match self.1.fetch_add(1, Ordering::Relaxed) {
            0 => Box::pin(async { Ok(Token::bearer("first")?) }),
            _ => self.0.fetch(refused),
        }
    }
}

#[test]
fn who_stops_waiting_takes_it_from_nobody() {
    simulated(|runtime| {
        Box::pin(async move {
            let (server, source) = (Server::start(&runtime, script(vec![answer("ok"); 2])), Counter::new(&runtime));
            let session = source.session(&server);
            {
                let mut first = pin!(session.get(server.url("/")).send());
                assert!(poll_once(first.as_mut()).await.is_none());
                let second = session.get(server.url("/")).send();
                let mut second = Box::pin(second);
                assert!(poll_once(second.as_mut()).await.is_none());
                drop(second);
                assert_eq!(first.await.unwrap().status().code(), 200);
            }
            assert_eq!((source.fetches().len(), source.dropped.load(Ordering::Relaxed)), (1, 0));
            // One that nobody waits for is dropped, and the next begins anew.
            let lonely = Counter::new(&runtime);
            let session = lonely.session(&server);
            let error = session.get(server.url("/")).timeout(SECOND / 2).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::TimedOut { deadline: Deadline::Total, .. }), "{error}");
            assert_eq!((error.phase(), error.delivery()), (Phase::Build, Delivery::NeverSent));
            assert_eq!((lonely.fetches().len(), lonely.dropped.load(Ordering::Relaxed)), (1, 1));
            assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 200);
            assert_eq!((lonely.fetches().len(), lonely.dropped.load(Ordering::Relaxed)), (2, 1));
            // So does the end of the session.
            let ended = lonely.session(&server);
            let mut waiting = pin!(ended.get(server.url("/")).send());
            assert!(poll_once(waiting.as_mut()).await.is_none());
            ended.close();
            let error = waiting.await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::SessionClosed) && error.phase() == Phase::Build, "{error}");
            assert_eq!(lonely.dropped.load(Ordering::Relaxed), 2);
        })
    });
}

/// Gets its tokens by the session that it serves.
#[derive(Clone, Debug, Default)]
struct Login {
    session: Arc<Mutex<Option<Session>>>,
    url: String,
    /// Whether it says who it is.
    has_password: bool,
}

impl TokenSource for Login {
    fn fetch(&self, _: Option<&Token>) -> BoxFuture<'static, Result<Token, TokenError>> {
        let request = self.session.lock().unwrap().as_ref().unwrap().post(&self.url);
        let request = if self.has_password { request.basic_auth("u", "p") } else { request };
        Box::pin(async move { Ok(Token::bearer(&request.await?.text().await?)?) })
    }
}

#[test]
fn a_source_may_use_its_session() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, script([answer("token"), answer("ok")]));
            for has_password in [true, false] {
                let login = Login { url: server.url("/login"), has_password, ..Login::default() };
                // One connection is enough: none is held while a token is fetched.
                let builder = Session::builder(runtime.clone()).connections(1);
                let session = builder.tokens(&server.origin, login.clone()).unwrap().build();
                *login.session.lock().unwrap() = Some(session.clone());
                let outcome = session.get(server.url("/")).await;
                login.session.lock().unwrap().take();
                if has_password {
                    assert_eq!(outcome.unwrap().bytes().await.unwrap(), "ok");
                } else {
                    // It would wait for itself.
                    let error = outcome.unwrap_err();
                    assert!(error.to_string().contains("waits for itself"), "{error}");
                    assert!(matches!(error.kind(), ErrorKind::Token(_)), "{error}");
                }
            }
            let fields = ["Basic dTpw", "Bearer token"].map(|field| Some(field.to_owned()));
            assert_eq!(authorizations(&server.heads()), fields);
        })
    });
}

#[test]
fn what_cannot_be_asked_for_has_no_tokens() {
    simulated(|runtime| {
        Box::pin(async move {
            let source = Counter::new(&runtime);
            let error = Session::builder(runtime.clone()).tokens("no url", source).unwrap_err();
            assert_eq!(error.phase(), Phase::Url);
        })
    });
}
