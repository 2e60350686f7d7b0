//! Multipart bodies from a session: what is sent, how long it is, and that it can be sent again.

use bytes::Bytes;
use callboard_client::{Body, ErrorKind, Multipart, Phase, Session};
use callboard_core::multipart::{Boundary, InvalidPart};
use futures_lite::{StreamExt, stream};

use crate::script::{Step, answer, everywhere, pair, send, simulated};

fn boundary() -> Boundary {
    Boundary::new("B").unwrap()
}

fn pieces(texts: &'static [&'static str]) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    stream::iter(texts).map(|text| Ok(Bytes::from_static(text.as_bytes())))
}

const FIELD: &str = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
const FILE: &str = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"%22t%22.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\nhello\r\n--B--\r\n";

fn redirect(status: u16, location: &str) -> Step {
    send(&format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
}

#[test]
fn a_form_has_a_length_if_its_parts_have() {
    everywhere(|runtime| {
        Box::pin(async move {
            let length = FIELD.len() + FILE.len();
            let script = vec![
                Step::Head,
                Step::Body(length),
                answer("bytes"),
                Step::Head,
                Step::Body(length),
                answer("stream"),
                Step::Head,
                Step::Until("\r\n0\r\n\r\n"),
                answer("chunked"),
            ];
            let (session, server) = pair(&runtime, vec![script]);
            let contents: [Body; 3] = [
                "hello".into(),
                Body::stream(pieces(&["hel", "", "lo"]), Some(5)),
                Body::stream(pieces(&["hel", "lo"]), None),
            ];
            for (content, expected) in contents.into_iter().zip(["bytes", "stream", "chunked"]) {
                let form = Multipart::form().field("a", "1").file("f", "\"t\".txt", "text/plain", content);
                let response = session.post(server.url("/")).multipart(form.boundary(boundary())).await.unwrap();
                assert_eq!(response.text().await.unwrap(), expected);
            }
            let (heads, bodies) = (server.heads(), server.log(|log| log.bodies.clone()));
            for head in &heads {
                assert!(head.contains("\r\nContent-Type: multipart/form-data; boundary=B\r\n"), "{head}");
            }
            let whole = format!("{FIELD}{FILE}");
            assert_eq!(bodies[..2], [whole.clone(), whole]);
            assert!(heads[1].contains(&format!("\r\nContent-Length: {length}\r\n")), "{}", heads[1]);
            assert!(heads[2].contains("\r\nTransfer-Encoding: chunked\r\n"), "{}", heads[2]);
            assert!(bodies[2].contains("\r\n3\r\nhel\r\n2\r\nlo\r\n"), "{}", bodies[2]);
        })
    });
}

#[test]
fn what_can_be_made_again_follows_a_redirection() {
    simulated(|runtime| {
        Box::pin(async move {
            let form = |content: Body| {
                Multipart::form().field("a", "1").file("f", "\"t\".txt", "text/plain", content).boundary(boundary())
            };
            let length = FIELD.len() + FILE.len();
            let script = vec![
                Step::Head,
                Step::Body(length),
                redirect(307, "/second"),
                Step::Head,
                Step::Body(length),
                answer("end"),
            ];
            for content in [Body::from("hello"), Body::replayable(|| pieces(&["hel", "lo"]), Some(5))] {
                let (session, server) = pair(&runtime, vec![script.clone(), script[3..].to_vec()]);
                let response = session.post(server.url("/first")).multipart(form(content)).await.unwrap();
                assert_eq!(response.text().await.unwrap(), "end");
                assert_eq!(server.log(|log| log.bodies.clone()), [FIELD.to_owned() + FILE, FIELD.to_owned() + FILE]);
            }
            let (session, server) = pair(&runtime, vec![script.clone()]);
            let content = Body::stream(pieces(&["hello"]), Some(5));
            let error = session.post(server.url("/first")).multipart(form(content)).await.unwrap_err();
            assert_eq!(error.phase(), Phase::Redirect, "a stream is gone: {error}");
        })
    });
}

#[test]
fn a_replayable_body_alone_is_sent_again() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = vec![Step::Head, Step::Body(5), redirect(308, "/b"), Step::Head, Step::Body(5), answer("end")];
            let (session, server) = pair(&runtime, vec![script.clone(), script[3..].to_vec()]);
            let body = Body::replayable(|| pieces(&["hel", "lo"]), Some(5));
            let response = session.put(server.url("/a")).body(body).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "end");
            assert_eq!(server.log(|log| log.bodies.clone()), ["hello", "hello"]);
        })
    });
}

#[test]
fn the_boundary_is_random_or_that_of_the_header() {
    simulated(|runtime| {
        Box::pin(async move {
            let script =
                vec![Step::Head, Step::Until("--\r\n"), answer("x"), Step::Head, Step::Until("--\r\n"), answer("y")];
            let (session, server) = pair(&runtime, vec![script]);
            let form = || Multipart::form().field("a", "1");
            session.post(server.url("/")).multipart(form()).await.unwrap().bytes().await.unwrap();
            let request = session.post(server.url("/")).header("Content-Type", "multipart/form-data; boundary=own");
            request.multipart(form()).await.unwrap();
            let (heads, bodies) = (server.heads(), server.log(|log| log.bodies.clone()));
            let start = heads[0].find("boundary=").unwrap() + "boundary=".len();
            let random = heads[0][start..].lines().next().unwrap();
            assert!(random.len() > 40 && bodies[0].starts_with(&format!("--{random}\r\n")), "{random} {}", bodies[0]);
            assert_eq!(heads[1].matches("Content-Type").count(), 1);
            assert!(bodies[1].starts_with("--own\r\n"), "{}", bodies[1]);
        })
    });
}

/// CVE-2026-34514 of a neighbour: a content type of a form's field that brings lines of its own.
#[test]
fn what_is_wrong_with_a_part_is_the_error_of_the_request() {
    simulated(|runtime| {
        Box::pin(async move {
            let session = Session::new(runtime);
            for (form, expected) in [
                (Multipart::form().file("f", "t", "text/plain\r\nX: y", ""), InvalidPart::MediaType),
                (Multipart::form().file("f", "t\0", "text/plain", ""), InvalidPart::Name),
                (Multipart::form().field("a\u{1b}", "1"), InvalidPart::Name),
                (Multipart::form().part(&[("X", "a\nb")], ""), InvalidPart::Field),
                (Multipart::form().part(&[("X", "a")], ""), InvalidPart::NameMissing),
                (Multipart::of("mixed\r\n"), InvalidPart::MediaType),
                (Multipart::form().field("a", "--B").boundary(boundary()), InvalidPart::BoundaryInContent),
            ] {
                let error = session.post("http://localhost:1/").multipart(form).await.unwrap_err();
                assert_eq!(error.phase(), Phase::Build);
                assert!(matches!(error.kind(), ErrorKind::Multipart(found) if *found == expected), "{error:?}");
            }
        })
    });
}

#[test]
fn a_part_that_is_not_as_long_as_it_says_fails_the_request() {
    simulated(|runtime| {
        Box::pin(async move {
            for (first, second) in [(4, 6), (6, 4)] {
                let (session, server) = pair(&runtime, vec![vec![Step::Head, Step::Body(10_000), answer("x")]]);
                // The lengths of both together are right.
                let form = Multipart::of("mixed")
                    .part(&[], Body::stream(pieces(&["12345"]), Some(first)))
                    .part(&[], Body::stream(pieces(&["12345"]), Some(second)));
                let error = session.post(server.url("/")).multipart(form).await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::BodySource(_)), "{error:?}");
            }
        })
    });
}

#[test]
fn parts_of_json_and_of_form_fields() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head, Step::Until("--B--\r\n"), answer("x")]]);
            let form = Multipart::form().boundary(boundary()).json_field("a", &[1, 2]).json_part(
                &[("Content-Disposition", "form-data; name=b"), ("Content-Type", "application/problem+json")],
                &"x",
            );
            let fields = [("Content-Disposition", "form-data; name=c")];
            session.post(server.url("/")).multipart(form.form_part(&fields, &[("k", "v w")])).await.unwrap();
            let expected = "--B\r\nContent-Type: application/json\r\n\
                Content-Disposition: form-data; name=\"a\"\r\n\r\n\
                [1,2]\r\n--B\r\nContent-Type: application/problem+json\r\n\
                Content-Disposition: form-data; name=b\r\n\r\n\
                \"x\"\r\n--B\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Disposition: form-data; name=c\r\n\r\nk=v+w\r\n--B--\r\n";
            assert_eq!(server.log(|log| log.bodies.clone()), [expected]);
            let unserialisable = std::collections::BTreeMap::from([([1], 2)]);
            let error =
                session.post("http://localhost:1/").multipart(Multipart::form().json_field("a", &unserialisable));
            assert!(matches!(error.await.unwrap_err().kind(), ErrorKind::Json(_)));
        })
    });
}

/// A part that is compressed is bytes already coded: its length is that of these.
#[test]
fn the_closing_delimiter_can_be_left_out_and_parts_may_be_coded() {
    simulated(|runtime| {
        Box::pin(async move {
            let expected = "--B\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc\r\n";
            let (session, server) = pair(&runtime, vec![vec![Step::Head, Step::Body(expected.len()), answer("x")]]);
            let parts = Multipart::of("x-mixed-replace").without_close().boundary(boundary());
            let parts = parts.part(&[("Content-Encoding", "gzip")], "abc");
            session.post(server.url("/")).multipart(parts).await.unwrap();
            assert_eq!(server.log(|log| log.bodies.clone()), [expected]);
            assert!(server.heads()[0].contains(&format!("\r\nContent-Length: {}\r\n", expected.len())));
        })
    });
}
