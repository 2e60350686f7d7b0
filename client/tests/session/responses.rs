//! What comes back, and how it is read.

use callboard_client::{ErrorKind, Phase, ReadError, Session};
use callboard_core::Status;
use futures_lite::{AsyncReadExt, StreamExt};

use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

#[test]
fn a_chunked_body_is_read_part_by_part_with_its_trailers() {
    everywhere(|runtime| {
        Box::pin(async move {
            let head = send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n");
            let rest = send("6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n");
            let (session, server) = pair(&runtime, vec![vec![Step::Head, head, Step::Until("go"), rest]]);
            let parts = futures_lite::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
            let parts = futures_lite::stream::once(Ok("go".into())).chain(parts);
            let mut response = session.post(server.url("/")).body_stream(parts, Some(10)).await.unwrap();
            assert_eq!((response.content_length(), response.trailers()), (None, None));
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await {
                body.extend_from_slice(&part.unwrap());
            }
            assert_eq!(body, b"hello world");
            assert_eq!(response.trailers().unwrap().text("x-sum"), Some("11"));
            assert_eq!(response.headers().text("x-sum"), None);
            assert!(response.chunk().await.is_none(), "it stays at its end");
        })
    });
}

#[test]
fn a_body_is_read_by_line_by_count_and_to_its_end() {
    everywhere(|runtime| {
        Box::pin(async move {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let body = send(&format!("{head}2\r\non\r\n6\r\ne\r\ntwo\r\n9\r\n\nfourrest\r\n0\r\n\r\n"));
            let (session, server) = pair(&runtime, vec![vec![Step::Head, body, Step::Head, answer("next")]]);
            let mut reader = session.get(server.url("/")).await.unwrap().reader();
            assert_eq!(reader.line(5).await.unwrap().unwrap(), "one");
            assert!(matches!(reader.line(3).await, Err(ReadError::TooLong { limit: 3 })));
            assert_eq!(reader.line(4).await.unwrap().unwrap(), "two");
            assert_eq!(reader.exactly(4).await.unwrap(), "four");
            assert!(matches!(reader.exactly(5).await, Err(ReadError::Ended { part }) if part == "rest"));
            assert_eq!(reader.source().bytes_given(), 17);
            let mut text = String::new();
            session.get(server.url("/")).await.unwrap().reader().read_to_string(&mut text).await.unwrap();
            assert_eq!((text.as_str(), server.log(|log| log.connections)), ("next", 1));
        })
    });
}

#[test]
fn bodies_are_decoded() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct User {
        name: String,
    }
    simulated(|runtime| {
        Box::pin(async move {
            let latin = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\
                Content-Type: text/plain; charset=x-odd\r\n\r\n!";
            let script = vec![
                Step::Head,
                answer("{\"name\":\"Ada\"}"),
                Step::Head,
                answer("{\"name\":1}"),
                Step::Head,
                send(latin),
            ];
            let (session, server) = pair(&runtime, vec![script]);
            let get = || session.get(server.url("/"));
            assert_eq!(get().await.unwrap().json::<User>().await.unwrap(), User { name: "Ada".into() });
            let error = get().await.unwrap().json::<User>().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidJson(_)) && error.phase() == Phase::Decode, "{error}");
            let error = get().await.unwrap().text().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Charset(name) if **name == *"x-odd"), "{error}");
            assert_eq!(server.log(|log| log.connections), 1, "a decoding error costs no connection");
        })
    });
}

#[test]
fn a_status_can_be_made_an_error() {
    simulated(|runtime| {
        Box::pin(async move {
            let missing = send("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
            let (session, server) = pair(&runtime, vec![vec![Step::Head, missing.clone(), Step::Head, missing]]);
            let response = session.get(server.url("/")).await.unwrap();
            assert_eq!((response.status(), response.reason()), (Status::NOT_FOUND, &b"Not Found"[..]));
            assert_eq!(response.text().await.unwrap(), "gone");
            let error = session.get(server.url("/?token=hush")).await.unwrap().error_for_status().unwrap_err();
            assert_eq!(error.status(), Some(Status::NOT_FOUND));
            assert!(error.to_string().contains("404 Not Found") && !error.to_string().contains("hush"), "{error}");
        })
    });
}

#[test]
fn collecting_has_a_limit_and_reading_has_not() {
    simulated(|runtime| {
        Box::pin(async move {
            let chunked =
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n6\r\n678901\r\n0\r\n\r\n";
            let scripts = vec![vec![Step::Head, answer("0123456789a")], vec![Step::Head, send(chunked)]];
            let server = Server::start(&runtime, scripts);
            let session = Session::builder(runtime).body_limit(10).build();
            for _ in 0..2 {
                let error = session.get(server.url("/")).header("Connection", "close").await.unwrap();
                let error = error.bytes().await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::BodyTooLarge(10)), "{error}");
            }
            let response = session.get(server.url("/")).await.unwrap();
            let length = response.fold(0, |sum, part| sum + part.unwrap().len()).await;
            assert_eq!(length, 12);
        })
    });
}

#[test]
fn an_upgrade_hands_the_stream_over_with_what_follows_the_head() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    everywhere(|runtime| {
        Box::pin(async move {
            let switch = send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chess\r\n\r\ne4");
            let script = vec![Step::Head, switch, Step::Until("e5"), send("Nf3"), Step::Close];
            let (session, server) = pair(&runtime, vec![script]);
            let request = session.get(server.url("/")).header("Connection", "upgrade").header("Upgrade", "chess");
            let mut upgraded = request.await.unwrap().upgrade().unwrap();
            upgraded.stream.write_all(b"e5").await.unwrap();
            let mut moves = upgraded.input.to_vec();
            upgraded.stream.read_to_end(&mut moves).await.unwrap();
            assert_eq!(moves, b"e4Nf3");
            assert!(session.snapshot().hosts.is_empty(), "it left the pool");
        })
    });
}

#[test]
fn no_upgrade_is_an_error() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head, answer("no")]]);
            let error = session.get(server.url("/")).await.unwrap().upgrade().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NoUpgrade), "{error}");
            assert_eq!(session.snapshot().idle(), 1);
        })
    });
}
