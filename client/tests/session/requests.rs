//! What goes out on the wire.

use callboard_client::{Phase, Session};
use callboard_core::{Headers, Method, Version};
use callboard_runtime::Handle;

use crate::script::{Server, Step, answer, asks_codings, everywhere, pair, send, simulated};

/// One connection that answers each of `count` bodiless requests.
fn replies(count: usize) -> Vec<Vec<Step>> {
    vec![(0..count).flat_map(|_| [Step::Head, answer("ok")]).collect()]
}

#[test]
fn a_get_has_host_first_and_says_who_asks() {
    everywhere(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, replies(1));
            let response = session.get(server.url("/path?a=b#part")).await.unwrap();
            assert_eq!((response.status().code(), response.content_length()), (200, Some(2)));
            assert_eq!(response.url().fragment(), Some("part"));
            assert_eq!(response.text().await.unwrap(), "ok");
            let host = server.origin.strip_prefix("http://").unwrap();
            let version = env!("CARGO_PKG_VERSION");
            let expected = format!(
                "GET /path?a=b HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n{}User-Agent: callboard/{version}\r\n\r\n",
                asks_codings()
            );
            assert_eq!(server.heads(), [expected]);
        })
    });
}

#[test]
fn each_verb_is_sent_with_its_name() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, replies(7));
            let url = server.url("/");
            let custom = session.request("PURGE".parse().unwrap(), &url);
            let all = [session.get(&url), session.options(&url), session.post(&url), session.put(&url)];
            for request in all.into_iter().chain([session.patch(&url), session.delete(&url), custom]) {
                assert_eq!(request.await.unwrap().bytes().await.unwrap(), "ok");
            }
            let heads = server.heads();
            let names: Vec<_> = heads.iter().map(|head| head.split(' ').next().unwrap()).collect();
            assert_eq!(names, ["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE"]);
            let says_empty: Vec<_> = heads.iter().map(|head| head.contains("Content-Length: 0\r\n")).collect();
            assert_eq!(says_empty, [false, false, true, true, true, false, false]);
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn bodies_say_what_they_are() {
    simulated(|runtime| {
        Box::pin(async move {
            let bodies = [("text/plain; charset=utf-8", "a=\u{e9}"), ("application/octet-stream", "\x01\x02")];
            let bodies = bodies.into_iter().chain([
                ("application/json", "{\"n\":1}"),
                ("application/x-www-form-urlencoded", "k=v+w&x=%26"),
                ("text/csv", "a,b"),
            ]);
            let bodies: Vec<_> = bodies.collect();
            let script = bodies.iter().flat_map(|(_, body)| [Step::Head, Step::Body(body.len()), answer("ok")]);
            let (session, server) = pair(&runtime, vec![script.collect()]);
            let post = || session.post(server.url("/"));
            let requests = [
                post().body("a=\u{e9}"),
                post().body(vec![1, 2]),
                post().json(&std::collections::BTreeMap::from([("n", 1)])),
                post().form(&[("k", "v w"), ("x", "&")]),
                post().body("a,b").header("content-type", "text/csv"),
            ];
            for request in requests {
                request.await.unwrap().bytes().await.unwrap();
            }
            let sent: Vec<_> = bodies.iter().map(|(_, body)| (*body).to_owned()).collect();
            assert_eq!(server.log(|log| log.bodies.clone()), sent);
            for (head, (media_type, body)) in server.heads().iter().zip(bodies) {
                let head = head.to_ascii_lowercase();
                assert!(head.contains(&format!("\r\ncontent-type: {media_type}\r\n")), "{head}");
                assert_eq!(head.matches("content-type").count(), 1, "{head}");
                assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
            }
        })
    });
}

#[test]
fn the_users_fields_replace_those_of_the_session_and_the_generated_ones() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, replies(2));
            let builder = Session::builder(runtime).header("X-Team", "blue").unwrap().header("X-All", "1").unwrap();
            let session = builder.user_agent("tester/1").unwrap().build();
            let mut more = Headers::new();
            more.append("X-Extra", "a").unwrap();
            more.append("X-Extra", "b").unwrap();
            let request = session.get(server.url("/")).header("x-team", "red").header("Host", "own.example");
            request.headers(&more).header("accept", "text/html").version(Version::Http10).await.unwrap();
            session.get(server.url("/")).await.unwrap();
            let heads = server.heads();
            let expected = format!(
                "GET / HTTP/1.0\r\nHost: own.example\r\nx-team: red\r\nX-Extra: a\r\nX-Extra: b\r\n\
                accept: text/html\r\nX-All: 1\r\n{}User-Agent: tester/1\r\nConnection: keep-alive\r\n\r\n",
                asks_codings()
            );
            assert_eq!(heads[0], expected);
            assert!(heads[1].contains("\r\nX-Team: blue\r\nX-All: 1\r\nAccept: */*\r\n"), "{}", heads[1]);
        })
    });
}

#[test]
fn parameters_join_the_query() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, replies(2));
            session.get(server.url("/?a=1")).query("page", 2).query("q", "x y&z").await.unwrap();
            session.get(server.url("")).query("\u{fc}", true).await.unwrap();
            let heads = server.heads();
            assert!(heads[0].starts_with("GET /?a=1&page=2&q=x+y%26z HTTP/1.1\r\n"), "{}", heads[0]);
            assert!(heads[1].starts_with("GET /?%C3%BC=true HTTP/1.1\r\n"), "{}", heads[1]);
        })
    });
}

#[test]
fn a_password_in_the_url_is_sent_as_basic_and_shown_nowhere() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, replies(2));
            let url = server.url("/").replace("http://", "http://user:hush@");
            let request = session.get(&url);
            assert!(!format!("{request:?}").contains("hush"));
            let response = request.await.unwrap();
            assert!(!format!("{response:?} {}", response.url()).contains("hush"));
            assert!(server.heads()[0].contains("\r\nAuthorization: Basic dXNlcjpodXNo\r\n"));
            // A field set by hand wins.
            session.get(&url).header("authorization", "Bearer token").await.unwrap();
            let head = server.heads().pop().unwrap();
            assert!(head.contains("Bearer token") && !head.contains("Basic"), "{head}");
        })
    });
}

#[test]
fn what_cannot_be_sent_is_an_error_before_anything_is() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, replies(1));
            let url = server.url("/");
            let rows = [
                (session.get("http://"), Phase::Url),
                (session.get("/path").query("a", 1), Phase::Url),
                (session.get("ftp://example.org/"), Phase::Url),
                (session.get(&url).header("Bad Name", "x"), Phase::Build),
                (session.get(&url).header("X-Split", "a\r\nX-Evil: 1"), Phase::Build),
                (session.request(Method::Connect, &url), Phase::Build),
                (session.post(&url).version(Version::Http10).body_stream(parts(), None), Phase::Build),
            ];
            for (request, phase) in rows {
                let error = request.await.unwrap_err();
                assert_eq!(error.phase(), phase, "{error}");
                assert!(!error.to_string().contains('\n'), "{error}");
            }
            assert_eq!(server.log(|log| log.heads.len()), 0);
        })
    });
}

fn parts() -> impl futures_lite::Stream<Item = Result<bytes::Bytes, std::io::Error>> {
    futures_lite::stream::iter([Ok(bytes::Bytes::from_static(b"part"))])
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_without_tls_names_the_feature() {
    simulated(|runtime| {
        Box::pin(async move {
            let error = Session::new(runtime).get("https://example.org/secret").await.unwrap_err();
            assert!(matches!(error.kind(), callboard_client::ErrorKind::TlsFeatureMissing));
            assert!(error.to_string().contains("`tls`") && !error.to_string().contains("secret"), "{error}");
        })
    });
}

#[test]
fn head_brings_no_body() {
    simulated(|runtime| {
        Box::pin(async move {
            let reply = send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            let script = vec![Step::Head, reply, Step::Head, answer("ok")];
            let (session, server) = pair(&runtime, vec![script]);
            let response = session.head(server.url("/")).await.unwrap();
            assert_eq!((response.headers().text("content-length"), response.content_length()), (Some("1000"), Some(0)));
            assert_eq!(response.bytes().await.unwrap(), "");
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "ok");
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn a_session_is_shared_between_threads() {
    fn is_shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    let runtime = Handle::from(callboard_smol::Smol::new());
    is_shareable(&Session::new(runtime));
}
