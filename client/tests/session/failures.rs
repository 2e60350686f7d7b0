//! Errors say what happened: phase, peer, delivery; and what is sent again, and what is not.

use callboard_client::{Delivery, ErrorKind, Phase, Session};
use callboard_core::http1::ReceiveError;
use callboard_runtime::Handle;
use callboard_sim::Simulation;

use crate::script::{Step, answer, everywhere, pair, send, simulated};

#[test]
fn a_refused_connection_never_sent_anything() {
    everywhere(|runtime| {
        Box::pin(async move {
            let listener = runtime.listen(
                callboard_runtime::Endpoint::Tcp("127.0.0.1:0".parse().unwrap()),
                callboard_runtime::ListenOptions::default(),
            );
            let endpoint = listener.unwrap().local();
            let session = Session::new(runtime);
            let error = session.post(format!("http://{endpoint}/?secret=hush")).body("x").await.unwrap_err();
            assert_eq!((error.phase(), error.delivery()), (Phase::Connect, Delivery::NeverSent));
            assert_eq!(error.peer(), Some(&endpoint));
            assert!(matches!(error.kind(), ErrorKind::Connect(tried) if tried.len() == 1), "{error:?}");
            let text = error.to_string();
            assert!(text.starts_with("connect: ") && text.contains(&endpoint.to_string()), "{text}");
            assert!(!text.contains("hush"), "{text}");
            assert!(std::error::Error::source(&error).is_some());
        })
    });
}

#[test]
fn a_name_that_nobody_knows() {
    simulated(|runtime| {
        Box::pin(async move {
            let error = Session::new(runtime).get("http://nowhere.example/").await.unwrap_err();
            assert_eq!((error.phase(), error.delivery()), (Phase::Dns, Delivery::NeverSent), "{error}");
            assert_eq!(error.host(), Some("http://nowhere.example"));
        })
    });
}

/// What the server does after the head of a POST came, and what the client says of it.
#[test]
fn a_server_that_fails_on_a_fresh_connection() {
    let rows = [
        (vec![], Phase::Head, Delivery::MaybeSent, ReceiveError::NoResponse),
        (vec![send("HTTP/1.1 200 OK\r\nConte")], Phase::Head, Delivery::Answered, ReceiveError::HeadCut),
        (vec![send("SSH-2.0-server\r\n")], Phase::Head, Delivery::Answered, ReceiveError::StartLineInvalid),
    ];
    for (script, phase, delivery, expected) in rows {
        simulated(|runtime| {
            let mut steps = vec![Step::Head, Step::Body(1)];
            steps.extend(script.clone());
            steps.push(Step::Close);
            Box::pin(async move {
                let (session, server) = pair(&runtime, vec![steps]);
                let error = session.post(server.url("/")).body("x").await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Receive(seen) if *seen == expected), "{error}");
                assert_eq!((error.phase(), error.delivery(), error.reused()), (phase, delivery, false), "{error}");
                assert_eq!((server.log(|log| log.connections), session.snapshot().open()), (1, 0));
            })
        });
    }
}

#[test]
fn a_body_that_is_cut() {
    everywhere(|runtime| {
        Box::pin(async move {
            let half = send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
            let (session, server) = pair(&runtime, vec![vec![Step::Head, half, Step::Close]]);
            let mut response = session.get(server.url("/")).await.unwrap();
            let mut seen = Vec::new();
            let error = loop {
                match response.chunk().await.expect("an error before the end") {
                    Ok(part) => seen.extend_from_slice(&part),
                    Err(error) => break error,
                }
            };
            assert_eq!(seen, b"hello");
            assert!(matches!(error.kind(), ErrorKind::Receive(ReceiveError::BodyCut)), "{error}");
            assert_eq!((error.phase(), error.delivery()), (Phase::Body, Delivery::Answered));
            let error = response.bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::BodyGone), "half a body is never taken for a whole one");
        })
    });
}

#[test]
fn a_body_that_is_broken_from_the_start() {
    simulated(|runtime| {
        Box::pin(async move {
            let broken = send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
            let (session, server) = pair(&runtime, vec![vec![Step::Head, broken]]);
            let response = session.get(server.url("/")).await.unwrap();
            assert_eq!(response.status().code(), 200);
            let error = response.bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Receive(ReceiveError::ChunkSizeInvalid)), "{error}");
            assert_eq!(session.snapshot().open(), 0);
        })
    });
}

/// A server that keeps a connection, takes the next request from it, and closes.
fn stale() -> Vec<Step> {
    vec![Step::Head, answer("first"), Step::Head, Step::Close]
}

#[test]
fn a_stale_connection_is_replaced_once_for_what_can_be_repeated() {
    everywhere(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![stale(), vec![Step::Head, answer("second")]]);
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "first");
            let response = session.delete(server.url("/x")).await.unwrap();
            assert!(!response.is_reused());
            assert_eq!(response.text().await.unwrap(), "second");
            assert_eq!(server.heads().len(), 3);
        })
    });
}

#[test]
fn a_second_stale_connection_is_not_replaced() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![stale(), vec![Step::Head, Step::Close]]);
            session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
            let error = session.get(server.url("/")).await.unwrap_err();
            assert_eq!((error.delivery(), error.reused()), (Delivery::MaybeSent, false), "{error}");
            assert_eq!(server.log(|log| log.connections), 2);
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(!error.reused());
            assert_eq!(server.log(|log| log.connections), 3, "a fresh connection is never replaced");
        })
    });
}

#[test]
fn what_may_have_had_an_effect_is_not_repeated() {
    everywhere(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![stale(), vec![Step::Head, answer("twice")]]);
            session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
            let error = session.post(server.url("/")).body("pay").await.unwrap_err();
            assert_eq!((error.delivery(), error.reused()), (Delivery::MaybeSent, true), "{error}");
            assert!(error.to_string().contains("reused connection, maybe sent"), "{error}");
            assert_eq!(server.heads().len(), 2);
        })
    });
}

#[test]
fn a_stream_that_was_asked_for_is_not_repeated() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![stale(), vec![Step::Head, answer("twice")]]);
            session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
            let parts = futures_lite::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"x"))]);
            let error = session.put(server.url("/")).body_stream(parts, None).await.unwrap_err();
            assert_eq!((error.delivery(), error.reused()), (Delivery::MaybeSent, true), "{error}");
            assert_eq!(server.heads().len(), 2);
        })
    });
}

#[test]
fn a_server_that_vanishes_while_a_response_is_read() {
    for seed in 0..12 {
        let simulation = Simulation::new(seed);
        let (client, server) = (simulation.host("client"), simulation.host("server"));
        let runtime = Handle::from(server.runtime());
        let half = send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        let endpoint = callboard_runtime::Endpoint::Tcp("0.0.0.0:80".parse().unwrap());
        let _script = crate::script::Server::start_at(&runtime, endpoint, vec![vec![Step::Head, half]]);
        let outcome = simulation.block_on(async {
            let session = Session::new(client.runtime());
            let mut response = session.get("http://server/").await.unwrap();
            simulation.network().reset_all("server");
            let error = loop {
                match response.chunk().await.expect("an error before the end") {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert_eq!((error.phase(), error.delivery()), (Phase::Body, Delivery::Answered), "{error}");
            assert_eq!(session.snapshot().open(), 0);
        });
        assert!(outcome.is_ok(), "seed {seed}: {outcome:?}");
    }
}
