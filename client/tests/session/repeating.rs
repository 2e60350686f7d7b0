//! Requests that are sent again, and the record of deadlines that a request may bring along. What is repeated and when
//! is decided, and tested, in the core.

use std::time::Duration;

use bytes::Bytes;
use callboard_client::{BudgetLimits, Deadline, Delivery, ErrorKind, Jitter, Phase, RetryPolicy, Session, Timeouts};
use callboard_core::deadlines::InvalidTimeouts;
use callboard_core::http1::ReceiveError;
use callboard_core::redirect::RedirectError;
use callboard_runtime::Handle;

use crate::script::{Server, Step, answer, pair, send, simulated};

const SECOND: Duration = Duration::from_secs(1);

/// Waits of 1 s, then 2 s, then 4 s.
fn plain(attempts: u32) -> RetryPolicy {
    RetryPolicy { jitter: Jitter::None, first_delay: SECOND, ..RetryPolicy::attempts(attempts) }
}

fn busy(fields: &str) -> Vec<Step> {
    vec![
        Step::Head,
        send(&format!("HTTP/1.1 503 Busy\r\n{fields}Connection: close\r\nContent-Length: 0\r\n\r\n")),
        Step::Close,
    ]
}

fn cut() -> Vec<Step> {
    vec![Step::Head, Step::Close]
}

fn good() -> Vec<Step> {
    vec![Step::Head, answer("good")]
}

fn start(runtime: &Handle, policy: RetryPolicy, scripts: Vec<Vec<Step>>) -> (Session, Server) {
    (Session::builder(runtime.clone()).retry(policy).build(), Server::start(runtime, scripts))
}

#[test]
fn a_request_is_repeated_until_it_is_answered() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = start(&runtime, plain(4), vec![busy(""), cut(), busy(""), good()]);
            let begun = runtime.now();
            let response = session.get(server.url("/")).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "good");
            assert_eq!(server.heads().len(), 4);
            let waited = runtime.now() - begun;
            assert!(waited >= 7 * SECOND && waited < 8 * SECOND, "{waited:?}");
        })
    });
}

#[test]
fn the_last_failure_is_told_when_the_attempts_are_used_up() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = start(&runtime, plain(2), vec![cut(), cut(), good()]);
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Receive(ReceiveError::NoResponse)), "{error}");
            assert_eq!(server.heads().len(), 2);
            let (session, server) = start(&runtime, plain(2), vec![busy(""), busy(""), good()]);
            assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 503, "an answer is no error");
            assert_eq!(server.heads().len(), 2);
        })
    });
}

#[test]
fn nothing_is_repeated_by_default_nor_what_must_not_be() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![busy(""), good()]);
            assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 503);
            assert_eq!(server.heads().len(), 1, "without a policy");

            let (session, server) = start(&runtime, plain(3), vec![cut(), good()]);
            let error = session.post(server.url("/")).await.unwrap_err();
            assert_eq!((error.delivery(), server.heads().len()), (Delivery::MaybeSent, 1), "a POST may have arrived");

            let (session, server) = start(&runtime, plain(3), vec![busy(""), good()]);
            let stream = futures_lite::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]);
            let response = session.put(server.url("/")).body_stream(stream, Some(1)).await.unwrap();
            assert_eq!((response.status().code(), server.heads().len()), (503, 1), "the stream is gone");
        })
    });
}

#[test]
fn what_was_never_sent_is_repeated_whatever_it_is() {
    simulated(|runtime| {
        Box::pin(async move {
            let session = Session::builder(runtime.clone()).retry(plain(3)).build();
            let begun = runtime.now();
            let error = session.post("http://127.0.0.1:9/").body("x").await.unwrap_err();
            assert_eq!((error.delivery(), error.phase()), (Delivery::NeverSent, Phase::Connect));
            assert!(runtime.now() - begun >= 3 * SECOND, "two waits");
            let other = session.post("http://127.0.0.1:9/").retry(RetryPolicy::default()).await.unwrap_err();
            assert_eq!(other.delivery(), Delivery::NeverSent);
            assert!(runtime.now() - begun < 4 * SECOND, "a request may bring its own policy");
        })
    });
}

#[test]
fn retry_after_and_the_total_are_kept() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = start(&runtime, plain(2), vec![busy("Retry-After: 20\r\n"), good()]);
            let begun = runtime.now();
            assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 200);
            assert!(runtime.now() - begun >= 21 * SECOND);

            let (session, server) = start(&runtime, plain(2), vec![busy("Retry-After: 20\r\n"), good()]);
            let begun = runtime.now();
            let response = session.get(server.url("/")).timeout(10 * SECOND).await.unwrap();
            assert_eq!((response.status().code(), server.heads().len()), (503, 1), "no time is left for another");
            assert!(runtime.now() - begun < SECOND, "nothing was waited for");
        })
    });
}

#[test]
fn the_budget_is_that_of_the_session() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![busy("")]);
            let limits = BudgetLimits { reserve: 2, percent: 0, per_second: 0 };
            let session = Session::builder(runtime.clone()).retry(plain(9)).retry_budget(limits).build();
            for expected in [3, 4, 5] {
                assert_eq!(session.get(server.url("/")).await.unwrap().status().code(), 503);
                assert_eq!(server.heads().len(), expected, "two retries for all requests together");
            }
        })
    });
}

#[test]
fn a_request_may_bring_its_own_record_of_deadlines() {
    simulated(|runtime| {
        Box::pin(async move {
            let silent = vec![Step::Head, Step::Wait(9 * SECOND), answer("late")];
            let slow_body = vec![
                Step::Head,
                send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"),
                Step::Wait(9 * SECOND),
                send("cd"),
                Step::Head,
                Step::Wait(9 * SECOND),
                answer("late"),
            ];
            let (session, server) = pair(&runtime, vec![silent, slow_body.clone(), slow_body]);
            let impatient = Timeouts { read: 3 * SECOND, ..Timeouts::default() };
            let error = session.get(server.url("/")).timeouts(impatient).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Receive(ReceiveError::HeadTimedOut)), "{error}");
            assert!(error.is_timeout());
            let response = session.get(server.url("/")).timeouts(impatient).await.unwrap();
            let error = response.bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Receive(ReceiveError::BodyTimedOut)), "{error}");
            // The session's own record holds for the others, on a connection that was kept from an impatient one too.
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "abcd");
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "late");
        })
    });
}

#[test]
fn a_kept_connection_forgets_the_patience_of_the_request_before() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = vec![Step::Head, answer("soon"), Step::Head, Step::Wait(9 * SECOND), answer("late")];
            let (session, server) = pair(&runtime, vec![script]);
            let impatient = Timeouts { read: 3 * SECOND, ..Timeouts::default() };
            let first = session.get(server.url("/")).timeouts(impatient).await.unwrap();
            assert_eq!(first.text().await.unwrap(), "soon");
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "late");
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn timeouts_of_zero_are_refused() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![good()]);
            let error = session.get(server.url("/")).timeout(Duration::ZERO).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidTimeouts(InvalidTimeouts::TotalIsZero)), "{error}");
            assert_eq!((error.phase(), error.delivery()), (Phase::Build, Delivery::NeverSent));
            let timeouts = Timeouts { connect: Duration::ZERO, ..Timeouts::default() };
            let session = Session::builder(runtime.clone()).timeouts(timeouts).build();
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidTimeouts(InvalidTimeouts::ConnectIsZero)), "{error}");
            assert_eq!(server.log(|log| log.connections), 0);
        })
    });
}

#[test]
fn the_way_to_a_connection_has_a_deadline_of_its_own() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = vec![Step::Head, Step::Wait(60 * SECOND), answer("late")];
            let server = Server::start(&runtime, vec![script]);
            let session = Session::builder(runtime.clone()).connections(1).build();
            let timeouts = Timeouts { acquire: 5 * SECOND, ..Timeouts::default() };
            let first = session.get(server.url("/"));
            let second = session.get(server.url("/")).timeouts(timeouts);
            let (first, second) = futures_lite::future::zip(first.into_future(), second.into_future()).await;
            assert_eq!(first.unwrap().text().await.unwrap(), "late");
            let error = second.unwrap_err();
            let is_acquire = |kind: &_| matches!(kind, ErrorKind::TimedOut { deadline: Deadline::Acquire, .. });
            assert!(is_acquire(error.kind()) && error.phase() == Phase::Queue, "{error}");
        })
    });
}

#[test]
fn an_error_knows_the_redirections_before_it() {
    simulated(|runtime| {
        Box::pin(async move {
            let moved = |to: &str| send(&format!("HTTP/1.1 302 Found\r\n{to}Content-Length: 0\r\n\r\n"));
            let script = vec![
                Step::Head,
                moved("Location: /a\r\n"),
                Step::Head,
                moved("URI: /b\r\n"),
                Step::Head,
                moved("Location: /c\r\nLocation: /d\r\n"),
            ];
            let (session, server) = pair(&runtime, vec![script]);
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Redirect(RedirectError::SeveralLocations)), "{error}");
            let urls: Vec<_> = error.history().iter().map(|hop| hop.url.path()).collect();
            assert_eq!(urls, ["/", "/a"]);
        })
    });
}
