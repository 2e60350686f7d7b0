//! Multipart responses, part by part: what is read, what goes wrong, and what becomes of the connection.

use std::time::Duration;

use callboard_client::{Delivery, Error, ErrorKind, MultipartLimits, PartError, Phase, Session};
use callboard_core::multipart::MultipartError;
use callboard_runtime::Handle;
use futures_lite::future::or;

use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

const RANGES: &str = "multipart/byteranges; boundary=B";

fn typed(media_type: &str, body: &str) -> Step {
    let length = body.len();
    send(&format!("HTTP/1.1 206 Partial\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n{body}"))
}

async fn fetch(session: &Session, server: &Server) -> callboard_client::MultipartReader {
    session.get(server.url("/")).await.unwrap().multipart().unwrap()
}

#[test]
fn parts_one_after_the_other_and_the_connection_is_kept() {
    everywhere(|runtime| {
        Box::pin(async move {
            let body = "preamble\r\n--B\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B\r\nX: skipped\r\n\r\nno\r\n\
                        --B\r\nContent-Type: text/plain; charset=latin1\r\n\r\nend\r\n--B--\r\nepilogue";
            let script = vec![Step::Head, typed(RANGES, body), Step::Head, answer("next")];
            let (session, server) = pair(&runtime, vec![script]);
            let mut multipart = fetch(&session, &server).await;
            assert_eq!(multipart.response().unwrap().status().code(), 206);
            let part = multipart.next_part().await.unwrap().unwrap();
            assert_eq!(part.headers().text("Content-Range"), Some("bytes 0-1/9"));
            assert_eq!(part.bytes().await.unwrap(), "ab");
            drop(multipart.next_part().await.unwrap().unwrap());
            assert_eq!(multipart.next_part().await.unwrap().unwrap().text().await.unwrap(), "end");
            assert!(multipart.next_part().await.unwrap().is_none());
            // It is not dropped yet.
            let next = session.get(server.url("/")).await.unwrap();
            assert!(next.is_reused());
            assert!(multipart.next_part().await.unwrap().is_none());
            assert_eq!(multipart.response().unwrap().bytes_received(), body.len() as u64);
        })
    });
}

#[test]
fn a_reader_that_is_dropped_or_has_too_much_behind_its_end_leaves_no_connection() {
    simulated(|runtime| {
        Box::pin(async move {
            let whole = "--B\r\n\r\nab\r\n--B--\r\n";
            let unfinished = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {RANGES}\r\nContent-Length: {}\r\n\r\n{whole}",
                whole.len() + 999_999
            );
            let rest = "e".repeat(256 * 1024);
            for (script, reads_all, is_reused) in [
                (vec![Step::Head, send(&unfinished)], false, false),
                // The rest of it never comes.
                (vec![Step::Head, send(&unfinished), send(&rest)], true, false),
                (vec![Step::Head, typed(RANGES, whole), Step::Head, answer("kept")], true, true),
            ] {
                let (session, server) = pair(&runtime, vec![script, vec![Step::Head, answer("fresh")]]);
                let mut multipart = fetch(&session, &server).await;
                assert_eq!(multipart.next_part().await.unwrap().unwrap().bytes().await.unwrap(), "ab");
                if reads_all {
                    assert!(multipart.next_part().await.unwrap().is_none());
                }
                drop(multipart);
                let next = session.get(server.url("/")).await.unwrap();
                assert_eq!(next.is_reused(), is_reused);
                assert_eq!(next.text().await.unwrap(), if is_reused { "kept" } else { "fresh" });
            }
        })
    });
}

#[test]
fn a_part_by_line_as_json_as_form_nested_or_within_a_limit() {
    simulated(|runtime| {
        Box::pin(async move {
            let mixed = "multipart/mixed; boundary=B";
            let parts = [
                "\r\n\r\none\r\ntwo",
                "\r\n\r\n[1,2]",
                "\r\n\r\n[1,",
                "\r\n\r\na=1&b=%41&a=",
                "\r\nContent-Type: multipart/mixed; boundary=I\r\n\r\n--I\r\n\r\ninner\r\n--I--",
                "\r\n\r\n12345",
                "\r\n\r\nend",
            ];
            let body = parts.iter().fold(String::new(), |body, part| body + "--B" + part + "\r\n") + "--B--";
            let (session, server) = pair(&runtime, vec![vec![Step::Head, typed(mixed, &body)]]);
            let mut multipart = fetch(&session, &server).await;
            let mut reader = multipart.next_part().await.unwrap().unwrap().reader();
            assert_eq!(reader.line(10).await.unwrap().unwrap(), "one");
            assert_eq!(reader.line(10).await.unwrap().unwrap(), "two");
            assert!(reader.line(10).await.unwrap().is_none());
            assert_eq!(multipart.next_part().await.unwrap().unwrap().json::<Vec<u8>>().await.unwrap(), [1, 2]);
            let error = multipart.next_part().await.unwrap().unwrap().json::<Vec<u8>>().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidJson(_)) && error.phase() == Phase::Decode, "{error}");
            let pairs = multipart.next_part().await.unwrap().unwrap().form().await.unwrap();
            let expected = [("a", "1"), ("b", "A"), ("a", "")];
            assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let mut inner = multipart.next_part().await.unwrap().unwrap().nested().await.unwrap();
            assert_eq!(inner.next_part().await.unwrap().unwrap().text().await.unwrap(), "inner");
            assert!(inner.next_part().await.unwrap().is_none());
            let error = multipart.next_part().await.unwrap().unwrap().bytes_within(4).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Part(PartError::TooLong { limit: 4 })), "{error}");
            assert_eq!(multipart.next_part().await.unwrap().unwrap().bytes_within(3).await.unwrap(), "end");
        })
    });
}

/// What a body gives before it goes wrong, and how.
async fn failure(session: &Session, server: &Server, limits: MultipartLimits) -> (usize, Error) {
    let response = session.get(server.url("/")).await.unwrap();
    let mut multipart = match response.multipart() {
        Ok(multipart) => multipart.limits(limits),
        Err(error) => return (0, error),
    };
    for parts in 0.. {
        match multipart.next_part().await {
            Ok(part) => drop(part.expect("an error before the end")),
            Err(error) => return (parts, error),
        }
    }
    unreachable!("a body has an end")
}

#[test]
fn what_is_wrong_is_named() {
    simulated(|runtime| {
        Box::pin(async move {
            use MultipartError as E;

            let limits = MultipartLimits { parts: 2, ..MultipartLimits::default() };
            let part = "--B\r\n\r\nx\r\n";
            for (media_type, body, parts, expected) in [
                ("text/plain", part.to_owned(), 0, E::NotMultipart),
                ("", part.to_owned(), 0, E::NotMultipart),
                ("multipart/mixed", part.to_owned(), 0, E::BoundaryMissing),
                (RANGES, part.to_owned(), 1, E::CutInPart),
                (RANGES, part.to_owned() + "--B\r\nA:", 1, E::CutInHead),
                (RANGES, "--B\r\n\r\nx".to_owned(), 1, E::CutInPart),
                (RANGES, part.repeat(3), 2, E::TooManyParts),
            ] {
                let (session, server) = pair(&runtime, vec![vec![Step::Head, typed(media_type, &body)]]);
                let (found, error) = failure(&session, &server, limits.clone()).await;
                assert!(
                    matches!(error.kind(), ErrorKind::Part(PartError::Multipart(kind)) if *kind == expected),
                    "{error}"
                );
                assert_eq!((found, error.phase(), error.delivery()), (parts, Phase::Decode, Delivery::Answered));
                assert!(error.peer().is_some() && error.host() == Some(&server.origin), "{error:?}");
            }
            // The transport's failure is not taken for one of the format.
            let cut = send(&format!("HTTP/1.1 200 OK\r\nContent-Type: {RANGES}\r\nContent-Length: 99\r\n\r\n{part}"));
            let (session, server) = pair(&runtime, vec![vec![Step::Head, cut, Step::Close]]);
            let (found, error) = failure(&session, &server, limits).await;
            assert!(matches!(error.kind(), ErrorKind::Receive(_)), "{error}");
            assert_eq!((found, error.phase()), (1, Phase::Body));
        })
    });
}

async fn patience<T>(runtime: &Handle) -> Option<T> {
    runtime.sleep(Duration::from_millis(7)).await;
    None
}

/// Whoever waits for a part or for data may give up at any point and ask again.
#[test]
fn a_future_that_is_dropped_loses_nothing() {
    simulated(|runtime| {
        Box::pin(async move {
            let body = "--B\r\nA: b\r\n\r\nhello\r\n--B\r\n\r\nx\r\n--B--\r\n";
            let pause = Duration::from_millis(10);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {RANGES}\r\nContent-Length: {}\r\n\r\n", body.len());
            let mut script = vec![Step::Head, send(&head)];
            script.extend(body.chars().flat_map(|letter| [Step::Wait(pause), send(&letter.to_string())]));
            script.extend([Step::Head, answer("next")]);
            let (session, server) = pair(&runtime, vec![script]);
            let mut multipart = fetch(&session, &server).await;
            let (mut found, mut given_up) = (String::new(), 0);
            loop {
                let part = or(async { Some(multipart.next_part().await.unwrap()) }, patience(&runtime)).await;
                match part {
                    None => given_up += 1,
                    Some(None) => break,
                    Some(Some(mut part)) => loop {
                        match or(async { Some(part.chunk().await.unwrap()) }, patience(&runtime)).await {
                            None => given_up += 1,
                            Some(None) => break found.push('|'),
                            Some(Some(data)) => found.push_str(std::str::from_utf8(&data).unwrap()),
                        }
                    },
                }
            }
            assert_eq!(found, "hello|x|");
            assert!(given_up > 20, "only {given_up} times");
            assert!(session.get(server.url("/")).await.unwrap().is_reused());
        })
    });
}

#[cfg(feature = "compression")]
#[test]
fn codings_of_parts_are_undone_unless_they_are_wanted() {
    use callboard_core::coding::{Coding, DecodeError, DecodeLimits, Level};
    use callboard_core::multipart::{Boundary, Part, Writer};

    simulated(|runtime| {
        Box::pin(async move {
            let mut writer: Writer = Writer::mixed(Boundary::new("B").unwrap());
            let part = Part::bytes("text".repeat(1000)).with_content_coding(Coding::Gzip, Level::Default).unwrap();
            writer.add(part).unwrap();
            let body = writer.into_bytes();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=B\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let script = [Step::Head, send(&head), Step::Bytes(body)];
            let (session, server) = pair(&runtime, vec![script.iter().cloned().cycle().take(9).collect()]);
            let mut multipart = fetch(&session, &server).await;
            let text = multipart.next_part().await.unwrap().unwrap().text().await.unwrap();
            assert_eq!(text, "text".repeat(1000));
            drop(multipart);
            let limits = DecodeLimits { output: 3_999, ..DecodeLimits::default() };
            let mut multipart = fetch(&session, &server).await.decode(limits);
            let error = multipart.next_part().await.unwrap().unwrap().bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Part(PartError::Decoding(DecodeError::TooLarge))), "{error}");
            let mut multipart = fetch(&session, &server).await.decode(None);
            let raw = multipart.next_part().await.unwrap().unwrap().bytes().await.unwrap();
            assert_eq!(raw[..2], [0x1f, 0x8b]);
        })
    });
}
