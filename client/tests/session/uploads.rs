//! Bodies on their way to the server: back pressure, early answers, `100 Continue`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use callboard_client::{Delivery, ErrorKind, Phase, Session, Timeouts};
use futures_lite::{Stream, StreamExt, stream};

use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

const SECOND: Duration = Duration::from_secs(1);

/// `count` parts of 16 KiB, and how many were asked for.
fn parts(count: usize) -> (impl Stream<Item = Result<Bytes, std::io::Error>> + Send, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let parts = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::from_static(&[b'p'; 16 * 1024]))
    });
    (parts.take(count), asked)
}

#[test]
fn a_stream_goes_out_chunked_or_by_its_length() {
    everywhere(|runtime| {
        Box::pin(async move {
            let script =
                vec![Step::Head, Step::Until("\r\n0\r\n\r\n"), answer("a"), Step::Head, Step::Body(6), answer("b")];
            let (session, server) = pair(&runtime, vec![script]);
            let parts = || stream::iter(["abc", "", "def"]).map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
            let response = session.post(server.url("/")).body_stream(parts(), None).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "a");
            let response = session.put(server.url("/")).body_stream(parts(), Some(6)).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "b");
            assert_eq!(server.log(|log| log.bodies.clone()), ["3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef"]);
            let heads = server.heads();
            assert!(heads[0].contains("\r\nTransfer-Encoding: chunked\r\n"), "{}", heads[0]);
            assert!(heads[1].contains("\r\nContent-Length: 6\r\n"), "{}", heads[1]);
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn a_stream_is_asked_for_no_more_than_the_server_takes() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = vec![Step::Head, Step::Wait(9 * SECOND), Step::Body(400 * 16 * 1024), answer("all")];
            let (session, server) = pair(&runtime, vec![script]);
            let (parts, asked) = parts(400);
            let mut sending = Box::pin(session.post(server.url("/")).body_stream(parts, Some(400 * 16 * 1024)).send());
            let early = futures_lite::future::or(async { Some((&mut sending).await) }, async {
                runtime.sleep(8 * SECOND).await;
                None
            });
            assert!(early.await.is_none());
            let asked_early = asked.load(Ordering::Relaxed);
            assert!((1..100).contains(&asked_early), "{asked_early} parts were asked for");
            assert_eq!(sending.await.unwrap().text().await.unwrap(), "all");
            assert_eq!(asked.load(Ordering::Relaxed), 400);
        })
    });
}

#[test]
fn an_early_refusal_ends_the_upload_and_arrives() {
    everywhere(|runtime| {
        Box::pin(async move {
            let refusal = send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo long");
            let script = vec![Step::Head, Step::Body(10), refusal, Step::Wait(Duration::from_millis(50)), Step::Close];
            let (session, server) = pair(&runtime, vec![script, vec![Step::Head, answer("next")]]);
            let (parts, asked) = parts(100_000);
            let response = session.post(server.url("/")).body_stream(parts, None).await.unwrap();
            assert_eq!(response.status().code(), 413);
            assert_eq!(response.text().await.unwrap(), "too long");
            assert!(asked.load(Ordering::Relaxed) < 100_000);
            let next = session.get(server.url("/")).await.unwrap();
            assert!(!next.is_reused(), "a request cut short leaves no connection to use again");
        })
    });
}

#[test]
fn an_echo_answers_while_the_body_is_still_being_sent() {
    everywhere(|runtime| {
        Box::pin(async move {
            let mut script = vec![Step::Head, send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")];
            script.extend((0..10).flat_map(|_| [Step::Body(16 * 1024), send("1\r\n.\r\n")]));
            script.push(send("0\r\n\r\n"));
            script.extend([Step::Head, answer("next")]);
            let (session, server) = pair(&runtime, vec![script]);
            let (parts, _) = parts(10);
            let response = session.post(server.url("/")).body_stream(parts, Some(160 * 1024)).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "..........");
            let next = session.get(server.url("/")).await.unwrap();
            assert!(next.is_reused(), "both sides had finished");
        })
    });
}

#[test]
fn a_source_that_fails_or_lies_is_named() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head]]);
            let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(std::io::Error::other("disk on fire"))]);
            let error = session.post(server.url("/")).body_stream(broken, None).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::BodySource(_)) && error.phase() == Phase::Write, "{error}");
            assert!(error.to_string().contains("disk on fire"));
            for length in [1, 9] {
                let parts = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"abc"))]);
                let error = session.post(server.url("/")).body_stream(parts, Some(length)).await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Send(_)) && error.phase() == Phase::Write, "{error}");
            }
            assert_eq!(session.snapshot().open(), 0);
        })
    });
}

#[test]
fn a_body_waits_for_100_continue() {
    simulated(|runtime| {
        Box::pin(async move {
            let proceed = send("HTTP/1.1 100 Continue\r\n\r\n");
            let script = vec![Step::Head, Step::Wait(SECOND / 2), proceed, Step::Body(4), answer("done")];
            let (session, server) = pair(&runtime, vec![script]);
            let start = runtime.now();
            let response = session.post(server.url("/")).body("body").expect_continue().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "done");
            assert!(server.heads()[0].contains("\r\nExpect: 100-continue\r\n"));
            assert!(runtime.now() - start < SECOND, "the patience of a second was not needed");
        })
    });
}

#[test]
fn an_expectation_set_by_hand_counts_too() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head, Step::Body(4), answer("done")]]);
            let start = runtime.now();
            let response = session.post(server.url("/")).body("body").header("expect", "100-Continue").await.unwrap();
            assert_eq!(response.text().await.unwrap(), "done");
            assert_eq!((runtime.now() - start).as_secs(), 1, "it waited as long as the default says");
            assert_eq!(server.heads()[0].to_lowercase().matches("expect:").count(), 1);
        })
    });
}

#[test]
fn a_server_that_says_nothing_gets_the_body_anyway() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![vec![Step::Head, Step::Body(4), answer("done")]]);
            let timeouts = Timeouts { expect: 3 * SECOND, ..Timeouts::default() };
            let session = Session::builder(runtime.clone()).timeouts(timeouts).build();
            let start = runtime.now();
            let response = session.post(server.url("/")).body("body").expect_continue().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "done");
            assert_eq!((runtime.now() - start).as_secs(), 3);
        })
    });
}

#[test]
fn a_final_answer_instead_of_100_is_the_answer() {
    simulated(|runtime| {
        Box::pin(async move {
            let denied = send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
            let (session, server) = pair(&runtime, vec![vec![Step::Head, denied, Step::Until("body")]]);
            let response = session.post(server.url("/")).body("body").expect_continue().await.unwrap();
            assert_eq!((response.status().code(), response.text().await.unwrap().as_str()), (403, "no"));
            runtime.sleep(5 * SECOND).await;
            assert_eq!(server.log(|log| log.bodies.len()), 0, "the body was not sent");
            assert_eq!(session.snapshot().open(), 0, "the head promised a body");
        })
    });
}

#[test]
fn a_refused_expectation_is_dropped() {
    simulated(|runtime| {
        Box::pin(async move {
            let refusal = send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
            let scripts = vec![vec![Step::Head, refusal], vec![Step::Head, Step::Body(4), answer("done")]];
            let (session, server) = pair(&runtime, scripts);
            let body = stream::once(Ok::<_, std::io::Error>(Bytes::from_static(b"body")));
            let response = session.post(server.url("/")).body_stream(body, Some(4)).expect_continue().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "done");
            let heads = server.heads();
            assert!(heads[0].contains("Expect") && !heads[1].contains("Expect"));
        })
    });
}

#[test]
fn a_connection_that_dies_during_the_upload() {
    everywhere(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head, Step::Body(1), Step::Close]]);
            let (parts, _) = parts(100_000);
            let error = session.post(server.url("/")).body_stream(parts, None).await.unwrap_err();
            assert_eq!(error.delivery(), Delivery::MaybeSent, "{error}");
            assert!(matches!(error.phase(), Phase::Write | Phase::Head), "{error}");
            assert_eq!(session.snapshot().open(), 0);
        })
    });
}
