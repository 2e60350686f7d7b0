//! The connection's task in simulation: what goes over the wire, with cuts and delays of many seeds.

use std::time::Duration;

use crate::support::World;
use callboard_web::{App, Body, BodyError, Bytes, Limits, Method, Request, Response, Status, Upgrade, get, post};
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt};

const DATE: &str = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n";

async fn echo(body: Body) -> Body {
    body
}

async fn count(mut body: Body) -> Result<String, BodyError> {
    let mut count = 0;
    while let Some(chunk) = body.next().await {
        count += chunk?.len();
    }
    let last = body.trailers().and_then(|trailers| trailers.text("x-last").map(str::to_owned));
    Ok(format!("{count} {last:?}"))
}

fn app() -> App {
    App::new()
        .route("/", get(async || "Hello, World!"))
        .route("/echo", post(echo))
        .route("/count", post(count))
        .route("/bytes", post(async |bytes: Bytes| bytes.len().to_string()))
        .route("/ignore", post(async || "ignored"))
        .route("/panic", get(async || -> &'static str { panic!("as told") }).post(panicking))
        .route("/stream", get(stream))
        .route("/status/{code}", get(status))
        .body_limit(1_000)
}

async fn panicking(body: Bytes) -> &'static str {
    assert!(body.is_empty(), "as told");
    "fine"
}

async fn stream() -> Body {
    Body::stream(
        futures_lite::stream::iter(["one", "", "two"])
            .map(|part| Ok::<_, BodyError>(Bytes::from_static(part.as_bytes()))),
    )
}

async fn status(request: Request) -> Response {
    let code = request.param("code").unwrap().parse().unwrap();
    Response::new("body").with_status(Status::new(code).unwrap())
}

fn seeds() -> impl Iterator<Item = u64> {
    0..25
}

fn request(method: &str, path: &str, rest: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{rest}")
}

/// Runs each seed with a fresh world; the answer to one request must be this.
fn answers(request: &str, expected: &str) {
    for seed in seeds() {
        let world = World::new(seed, app());
        assert_eq!(world.ask(request), expected, "seed {seed}");
        world.check_empty();
    }
}

#[test]
fn a_request_is_answered() {
    let expected = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 13\r\n{DATE}\r\nHello, World!");
    answers(&request("GET", "/", "\r\n"), &expected);
}

#[test]
fn head_has_the_fields_of_get_and_no_body() {
    let expected = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 13\r\n{DATE}\r\n");
    answers(&request("HEAD", "/", "\r\n"), &expected);
    let expected = format!("HTTP/1.1 404 Not Found\r\n{TEXT}Content-Length: 13\r\n{DATE}\r\n");
    answers(&request("HEAD", "/nowhere", "\r\n"), &expected);
}

#[test]
fn other_methods_and_paths_are_refused_on_a_connection_that_goes_on() {
    let requests = [
        request("PUT", "/", "Content-Length: 5\r\n\r\nhello"),
        request("GET", "/nowhere", "\r\n"),
        request("OPTIONS", "*", "\r\n"),
        request("GET", "/", "\r\n"),
    ];
    let expected = [
        format!(
            "HTTP/1.1 405 Method Not Allowed\r\n{TEXT}Allow: GET, HEAD, OPTIONS\r\nContent-Length: 22\r\n{DATE}\r\n"
        ),
        "405 Method Not Allowed".to_owned(),
        format!("HTTP/1.1 404 Not Found\r\n{TEXT}Content-Length: 13\r\n{DATE}\r\n404 Not Found"),
        format!("HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, OPTIONS, POST\r\n{DATE}\r\n"),
        format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 13\r\n{DATE}\r\nHello, World!"),
    ];
    answers(&requests.concat(), &expected.concat());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut requests = String::new();
    let mut expected = String::new();
    for number in 0..40 {
        let body = "x".repeat(number * 7);
        requests += &request("POST", "/echo", &format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        expected +=
            &["HTTP/1.1 200 OK\r\nContent-Length: ", &body.len().to_string(), "\r\n", DATE, "\r\n", &body].concat();
    }
    answers(&requests, &expected);
}

#[test]
fn bodies_are_echoed_as_they_come() {
    let chunked = request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    for seed in seeds() {
        let answer = World::new(seed, app()).ask(&chunked);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Content-Length"), "{head}");
        let digits: String =
            body.split("\r\n").enumerate().filter(|(line, _)| line % 2 == 1).map(|(_, text)| text).collect();
        assert!(digits == "abc" && body.ends_with("\r\n0\r\n\r\n"), "{body}");
    }
}

#[test]
fn trailers_reach_the_handler() {
    let body = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-Last: yes\r\n\r\n";
    let expected = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 14\r\n{DATE}\r\n11 Some(\"yes\")");
    answers(&request("POST", "/count", body), &expected);
}

/// A byte that tells its place.
fn pattern(position: usize) -> u8 {
    u8::try_from(position % 251).unwrap()
}

#[test]
fn a_large_body_flows_with_back_pressure() {
    const LENGTH: usize = 3_000_000;
    for seed in 0..5 {
        let world = World::new(seed, app());
        world.run(async {
            let mut peer = world.connect().await;
            peer.send(request("POST", "/echo", &format!("Content-Length: {LENGTH}\r\n\r\n"))).await;
            let (mut sent, mut received) = (0, Vec::new());
            let mut buffer = [0; 8192];
            // A peer that reads slowly: the server must not run ahead of it by more than its buffers.
            while received.len() < LENGTH {
                while sent < LENGTH && sent < received.len() + 100_000 {
                    let end = (sent + 65_536).min(LENGTH);
                    let block: Vec<u8> = (sent..end).map(pattern).collect();
                    peer.send(&block).await;
                    sent = end;
                }
                if received.is_empty() {
                    peer.until("\r\n\r\n").await;
                    received = std::mem::take(&mut peer.received);
                }
                let count = peer.stream.read(&mut buffer).await.unwrap();
                received.extend_from_slice(&buffer[..count]);
            }
            assert!(received.iter().enumerate().all(|(position, &byte)| byte == pattern(position)), "seed {seed}");
        });
        world.check_empty();
    }
}

#[test]
fn streams_are_chunked_or_end_with_the_connection() {
    let expected =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{DATE}\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    answers(&request("GET", "/stream", "\r\n"), &expected);
    let expected = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{DATE}\r\nonetwo");
    answers("GET /stream HTTP/1.0\r\n\r\n", &expected);
}

#[test]
fn statuses_without_a_body_send_none() {
    for code in [204, 304] {
        for seed in seeds() {
            let answer = World::new(seed, app()).ask(&request("GET", &format!("/status/{code}"), "\r\n"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {code} ")) && answer.ends_with("\r\n\r\n"), "{answer}");
        }
    }
}

#[test]
fn a_status_that_cannot_be_sent_is_our_fault() {
    for code in [100, 101, 103] {
        let answer = World::new(1, app()).ask(&request("GET", &format!("/status/{code}"), "\r\n"));
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    }
}

#[test]
fn a_client_is_told_to_continue_when_the_body_is_wanted() {
    for seed in seeds() {
        let world = World::new(seed, app());
        world.run(async {
            let mut peer = world.connect().await;
            peer.send(request("POST", "/echo", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")).await;
            assert_eq!(peer.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
            peer.send("hello").await;
            peer.finish().await;
            let answer = peer.rest().await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\nhello"), "{answer}");
        });
        world.check_empty();
    }
}

#[test]
fn a_client_is_not_told_to_continue_when_the_body_is_not_wanted() {
    for path in ["/ignore", "/nowhere"] {
        for seed in seeds() {
            let world = World::new(seed, app());
            world.run(async {
                let mut peer = world.connect().await;
                peer.send(request("POST", path, "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")).await;
                let head = peer.until("\r\n\r\n").await;
                assert!(!head.contains("100 Continue") && head.contains("Connection: close"), "{head}");
                peer.finish().await;
                peer.rest().await.unwrap();
            });
            world.check_empty();
        }
    }
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_refusal_arrives() {
    for seed in seeds() {
        for framing in ["Content-Length: 400000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n61a80\r\n"] {
            let world = World::new(seed, app());
            world.run(async {
                let mut peer = world.connect().await;
                peer.send(request("POST", "/bytes", framing)).await;
                peer.send(vec![b'x'; 400_000]).await;
                if framing.contains("chunked") {
                    peer.send("\r\n0\r\n\r\n").await;
                }
                peer.finish().await;
                let answer = peer.rest().await.unwrap();
                assert!(answer.starts_with("HTTP/1.1 413 "), "seed {seed}: {answer}");
                assert!(answer.ends_with("the body is longer than 1000 bytes"), "{answer}");
            });
            world.check_empty();
        }
    }
}

#[test]
fn an_ignored_body_does_not_become_a_request() {
    let body = request("GET", "/smuggled", "\r\n");
    let first = request("POST", "/ignore", &format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let both = format!("{first}{}", request("GET", "/", "\r\n"));
    for seed in seeds() {
        let answer = World::new(seed, app()).ask(&both);
        let answers: Vec<_> = answer.matches("HTTP/1.1 ").collect();
        assert!(answers.len() == 2 && answer.ends_with("Hello, World!"), "seed {seed}: {answer}");
    }
}

#[test]
fn what_is_no_request_is_refused_by_name() {
    for (bytes, status, text) in [
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "the Host field is missing"),
        ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported", "the HTTP version is not supported"),
        (
            "\x16\x03\x01\x02\x00\x01\x00\x01\x00\x03\x03",
            "400 Bad Request",
            "the peer speaks TLS where plain HTTP is spoken",
        ),
    ] {
        for seed in seeds() {
            let answer = World::new(seed, app()).ask(bytes);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "seed {seed}: {answer}");
            assert!(answer.contains("Connection: close\r\n") && answer.contains("Date: "), "{answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{answer}");
        }
    }
}

#[test]
fn a_bad_chunk_is_answered_by_the_handler() {
    let bad = request("POST", "/count", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n");
    for seed in seeds() {
        let answer = World::new(seed, app()).ask(&bad);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("a chunk size is malformed"), "{answer}");
    }
}

#[test]
fn a_body_that_stays_away_is_answered_in_the_end() {
    let limits = Limits { body_timeout: Duration::from_secs(3), ..Limits::default() };
    let world = World::new(3, app().limits(limits));
    world.run(async {
        let mut peer = world.connect().await;
        peer.send(request("POST", "/count", "Content-Length: 5\r\n\r\nhel")).await;
        let answer = peer.rest().await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("the body did not arrive in time"), "{answer}");
    });
    world.check_empty();
}

#[test]
fn a_panic_ends_one_connection_only() {
    for (method, rest) in [("GET", "\r\n"), ("POST", "Content-Length: 1\r\n\r\nx")] {
        for seed in seeds() {
            let world = World::new(seed, app());
            let answer = world.ask(&format!("{}{}", request(method, "/panic", rest), request("GET", "/", "\r\n")));
            assert!(answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{answer}");
            assert!(
                answer.contains("Connection: close\r\n") && answer.ends_with("500 Internal Server Error"),
                "{answer}"
            );
            assert!(world.ask(&request("GET", "/", "\r\n")).ends_with("Hello, World!"));
            world.check_empty();
        }
    }
}

/// A stream of these parts: text, a failure, a panic.
fn parts(parts: &'static [&'static str]) -> impl futures_lite::Stream<Item = Result<Bytes, &'static str>> {
    futures_lite::stream::iter(parts).map(|part| match *part {
        "failure" => Err("lost"),
        "panic" => panic!("as told"),
        text => Ok(Bytes::from_static(text.as_bytes())),
    })
}

#[test]
fn a_stream_that_fails_is_a_cut() {
    let app = || {
        App::new()
            .route("/failing", get(async || Body::stream(parts(&["some", "failure"]))))
            .route("/panicking", get(async || Body::stream(parts(&["some", "panic"]))))
            .route("/short", get(async || Body::sized_stream(parts(&["some"]), 5)))
            .route("/long", get(async || Body::sized_stream(parts(&["some"]), 3)))
            .route("/none", get(async || Body::sized_stream(parts(&[]), 3)))
    };
    for path in ["/failing", "/panicking", "/short", "/long", "/none"] {
        for (seed, version) in seeds().zip(["1.0", "1.1"].into_iter().cycle()) {
            let world = World::new(seed, app());
            world.run(async {
                let mut peer = world.connect().await;
                peer.send(format!("GET {path} HTTP/{version}\r\nHost: a\r\n\r\n")).await;
                let error = peer.rest().await.expect_err("a clean end");
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{path}");
            });
            world.check_empty();
        }
    }
}

#[test]
fn a_stream_that_fails_at_once_is_answered() {
    let app = || {
        App::new()
            .route("/failing", get(async || Body::stream(parts(&["failure"]))))
            .route("/panicking", get(async || Body::stream(parts(&["panic"]))))
    };
    for path in ["/failing", "/panicking"] {
        let answer = World::new(1, app()).ask(&request("GET", path, "\r\n"));
        assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("500 Internal Server Error"), "{answer}");
    }
}

#[test]
fn an_upgrade_hands_over_the_stream_and_what_followed() {
    let shout = async |upgrade: Upgrade| {
        upgrade.on(async |mut stream, leftover| {
            stream.write_all(&leftover.to_ascii_uppercase()).await.unwrap();
            let mut buffer = [0; 100];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..count].to_ascii_uppercase()).await.unwrap();
            }
        })
    };
    for seed in seeds() {
        let world = World::new(seed, App::new().route("/shout", get(shout)).connect(shout));
        world.run(async {
            let mut peer = world.connect().await;
            peer.send(request("GET", "/shout", "Connection: Upgrade\r\nUpgrade: shout, other\r\n\r\nfirst ")).await;
            let head = peer.until("\r\n\r\n").await;
            assert!(
                head.starts_with("HTTP/1.1 101 Switching Protocols\r\n") && head.contains("Upgrade: shout\r\n"),
                "{head}"
            );
            peer.send("second").await;
            peer.until("SECOND").await;
            peer.finish().await;

            let mut peer = world.connect().await;
            peer.send("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\nhello").await;
            assert!(peer.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
            peer.until("HELLO").await;
        });
        assert!(world.ask(&request("GET", "/shout", "\r\n")).starts_with("HTTP/1.1 426 "));
        world.check_empty();
    }
}

#[test]
fn a_date_is_renewed_every_second() {
    let world = World::new(1, app());
    world.run(async {
        let mut peer = world.connect().await;
        for second in ["00:00:00", "00:00:02", "00:00:04"] {
            peer.send(request("GET", "/", "\r\n")).await;
            assert!(peer.until("World!").await.contains(&format!("2026 {second} GMT")));
            world.client.sleep(Duration::from_secs(2)).await;
        }
    });
}

#[test]
fn an_idle_connection_is_closed_in_time() {
    let world = World::new(1, app());
    world.run(async {
        let mut peer = world.connect().await;
        peer.send(request("GET", "/", "\r\n")).await;
        peer.until("World!").await;
        let before = world.simulation.now();
        assert_eq!(peer.rest().await.unwrap(), "");
        let waited = world.simulation.now() - before;
        assert!(waited >= Duration::from_secs(74) && waited <= Duration::from_secs(77), "{waited:?}");
    });
    world.check_empty();
}

#[test]
fn methods_reach_the_handler_as_sent() {
    let app = App::new().fallback(async |method: Method| method.to_string());
    let answer = World::new(1, app).ask(&request("BREW", "/pot", "\r\n"));
    assert!(answer.ends_with("\r\n\r\nBREW"), "{answer}");
}
