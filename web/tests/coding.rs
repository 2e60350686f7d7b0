//! Content codings in an app: requests read as if they were plain, responses encoded as they are asked for.
#![cfg(feature = "compression")]

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use callboard_core::coding::Encoder;
use callboard_core::fields::{Conditions, EntityTag, Representation};
use callboard_web::{
    App, Body, Bytes, Coding, Compress, DecodeLimits, Event, EventStream, Headers, Json, Level, Method, Request,
    Response, Status, get, post,
};
use futures_lite::future::block_on;
use futures_lite::{Stream, stream};

const LONG: &str = "callboard, the board where actors pick up their calls\n";

fn long() -> String {
    LONG.repeat(100)
}

fn coded(coding: Coding, body: &[u8]) -> Vec<u8> {
    let (mut encoder, mut coded) = (Encoder::new(coding, Level::Default), Vec::new());
    encoder.encode(body, &mut coded).unwrap();
    encoder.finish(&mut coded).unwrap();
    coded
}

/// What it was before it was coded.
fn plain(coding: &str, coded: &[u8]) -> Vec<u8> {
    let mut decoder =
        callboard_core::coding::Decoder::new(Coding::from_name(coding).unwrap(), &DecodeLimits::default());
    let (mut output, mut block, mut read) = (Vec::new(), [0; 4096], 0);
    loop {
        let progress = decoder.decode(&coded[read..], &mut block).unwrap();
        read += progress.read;
        output.extend_from_slice(&block[..progress.written]);
        if progress.written == 0 {
            decoder.finish().unwrap();
            return output;
        }
    }
}

fn send(app: App, request: Request) -> Response {
    let service = app.into_service().unwrap();
    block_on(service.call(request))
}

fn text(response: Response) -> String {
    String::from_utf8(block_on(response.bytes(1 << 24)).unwrap().into()).unwrap()
}

fn post_coded(app: App, coding: &str, body: impl Into<Body>) -> (u16, Headers, String) {
    let request = Request::new(Method::Post, "/").unwrap().with_header("Content-Encoding", coding).unwrap();
    let request = request.with_header("Content-Type", "application/json").unwrap().with_body(body);
    let response = send(app, request);
    (response.status().code(), response.headers().clone(), text(response))
}

fn echo() -> App {
    App::new().route("/", post(async |body: String| body)).body_limit(1000)
}

fn sum() -> App {
    App::new().route("/", post(async |Json(numbers): Json<Vec<u32>>| numbers.iter().sum::<u32>().to_string()))
}

#[test]
fn extractors_read_coded_bodies() {
    for &coding in Coding::ALL {
        let (status, _, body) = post_coded(sum(), coding.name(), coded(coding, b"[1, 2, 3]"));
        assert_eq!((status, body.as_str()), (200, "6"), "{coding}");
    }
    let twice = coded(Coding::Brotli, &coded(Coding::Gzip, b"hello"));
    assert_eq!(post_coded(echo(), "gzip, br", twice).2, "hello");
    assert_eq!(post_coded(echo(), "identity", "plain").2, "plain");
    assert_eq!(post_coded(echo(), "gzip", "").2, "");
    // In parts.
    let parts = coded(Coding::Gzip, b"hello").into_iter().map(|byte| Ok::<_, std::io::Error>(Bytes::from(vec![byte])));
    let parts = Body::stream(stream::iter(parts.collect::<Vec<_>>()));
    assert_eq!(post_coded(echo(), "gzip", parts).2, "hello");
}

#[test]
fn what_cannot_be_decoded_has_its_status() {
    let (status, headers, body) = post_coded(sum(), "compress", "x");
    assert_eq!((status, headers.text("Accept-Encoding")), (415, Some(Coding::ACCEPT)), "{body}");
    let (status, headers, _) = post_coded(echo(), "gzip, gzip, gzip, gzip", "x");
    assert_eq!((status, headers.text("Accept-Encoding")), (415, Some(Coding::ACCEPT)));
    let whole = coded(Coding::Gzip, b"hello");
    assert_eq!(post_coded(echo(), "gzip", whole[..whole.len() - 1].to_vec()).0, 400, "cut");
    assert_eq!(post_coded(echo(), "gzip", "hello").0, 400, "not coded");
    assert_eq!(post_coded(echo(), "gzip", [whole, b"x".to_vec()].concat()).0, 400, "something behind");
}

#[test]
fn the_limit_of_a_body_is_that_of_the_decoded_one() {
    let body = |length: usize| coded(Coding::Brotli, "a".repeat(length).as_bytes());
    assert!(body(1001).len() < 100);
    assert_eq!(post_coded(echo(), "br", body(1000)).0, 200);
    assert_eq!(post_coded(echo(), "br", body(1001)).0, 413);
    assert_eq!(post_coded(echo(), "br", body(100 << 20)).0, 413);
    // A body that is streamed has the limits of decoding.
    let count = async |mut body: Body| -> Result<String, callboard_web::BodyError> {
        let mut total = 0;
        while let Some(chunk) = body.next().await {
            total += chunk?.len();
        }
        Ok(total.to_string())
    };
    let app = || App::new().route("/", post(count));
    assert_eq!(post_coded(app(), "br", body(2 << 20)).2, (2 << 20).to_string());
    let limits = DecodeLimits { output: 1 << 20, ..DecodeLimits::default() };
    assert_eq!(post_coded(app().decode(limits), "br", body(2 << 20)).0, 413);
    assert_eq!(post_coded(app(), "br", body(64 << 20)).0, 413, "the ratio");
}

#[test]
fn fields_tell_of_the_body_as_it_is_read() {
    let seen = async |request: Request| {
        let coding = request.headers().text("Content-Encoding").unwrap_or("-").to_owned();
        let length = request.headers().text("Content-Length").unwrap_or("-").to_owned();
        let body = request.into_body().collect(1000).await.unwrap();
        format!("{coding} {length} {}", body.len())
    };
    let request = |coding: &str| {
        let request = Request::new(Method::Post, "/").unwrap().with_header("Content-Encoding", coding).unwrap();
        request.with_header("Content-Length", "25").unwrap().with_body(coded(Coding::Gzip, b"hello"))
    };
    assert_eq!(text(send(App::new().route("/", post(seen)), request("gzip"))), "- - 5");
    assert_eq!(text(send(App::new().route("/", post(seen)).decode(None), request("gzip"))), "gzip 25 25");
    assert_eq!(text(send(App::new().route("/", post(seen)).decode(None), request("aws-chunked"))), "aws-chunked 25 25");
}

#[test]
fn a_handler_that_reads_no_body_is_not_concerned() {
    let app = App::new().route("/", post(async |_: Request| "unread"));
    assert_eq!(post_coded(app, "compress", "x").2, "unread");
}

/// The answer to a GET that takes these codings.
fn ask(app: App, accept: &str) -> Response {
    send(app, Request::new(Method::Get, "/").unwrap().with_header("Accept-Encoding", accept).unwrap())
}

fn coding_of(response: &Response) -> Option<String> {
    response.headers().text("Content-Encoding").map(str::to_owned)
}

#[test]
fn a_response_is_encoded_by_the_coding_that_is_wanted_most() {
    let app = || App::new().route("/", get(async || long())).compress(Compress::new());
    let rows = [
        ("gzip", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("x-gzip", Some("gzip")),
        ("deflate", Some("deflate")),
        ("gzip, deflate, br", Some("br")),
        ("br;q=0.5, gzip;q=0.8", Some("gzip")),
        ("gzip;q=0", None),
        ("identity", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("compress", None),
        ("", None),
        ("identity;q=0, compress", None),
    ];
    for (accept, expected) in rows {
        let response = ask(app(), accept);
        assert_eq!(coding_of(&response).as_deref(), expected, "{accept}");
        assert_eq!(response.headers().text("Vary"), Some("Accept-Encoding"), "{accept}");
        let body = block_on(response.bytes(1 << 20)).unwrap();
        let body = expected.map_or_else(|| body.to_vec(), |coding| plain(coding, &body));
        assert!(body == long().as_bytes(), "{accept}");
    }
    assert_eq!(coding_of(&ask(app(), "*")).as_deref(), Some(Coding::ALL[0].name()));
    let without = send(app(), Request::new(Method::Get, "/").unwrap());
    assert_eq!((coding_of(&without), without.headers().text("Vary")), (None, Some("Accept-Encoding")));
    let narrow = App::new().route("/", get(async || long())).compress(Compress::new().codings(&[Coding::Deflate]));
    assert_eq!(coding_of(&ask(narrow, "br, gzip, deflate")).as_deref(), Some("deflate"));
}

#[test]
fn responses_that_must_stay_as_they_are_do() {
    type Change = fn(Response) -> Response;
    let rows: &[(&str, Change)] = &[
        ("short", |response| response.with_body("a".repeat(1023))),
        ("empty", |response| response.with_body(Body::empty())),
        ("encoded already", |response| response.with_header("Content-Encoding", "br")),
        ("a range", |response| response.with_header("Content-Range", "bytes 0-9/10")),
        ("partial", |response| response.with_status(Status::PARTIAL_CONTENT)),
        ("no-transform", |response| response.with_header("Cache-Control", "private, No-Transform")),
        ("a digest", |response| response.with_header("Content-Digest", "sha-256=:x:")),
        ("an image", |response| response.with_header("Content-Type", "image/png")),
        ("octets", |response| response.with_header("Content-Type", "application/octet-stream")),
        ("204", |response| response.with_status(Status::NO_CONTENT)),
    ];
    for &(name, change) in rows {
        let app = App::new()
            .route("/", get(async move || change(Response::new(long()).with_header("Content-Type", "text/plain"))));
        let response = ask(app.compress(Compress::new()), "gzip");
        let before = change(Response::default()).headers().text("Content-Encoding").map(str::to_owned);
        assert_eq!(coding_of(&response), before, "{name}");
        assert_eq!(response.headers().text("Vary"), None, "{name}");
    }
    // Noise does not shrink: it is sent plain, but another coding might have.
    let mut noise = vec![0; 5000];
    callboard_core::Random::from_seed(1).fill(&mut noise);
    let app = App::new().route("/", get(async move || ([("Content-Type", "text/plain")], noise.clone())));
    let response = ask(app.compress(Compress::new()), "gzip");
    assert_eq!((coding_of(&response), response.headers().text("Vary")), (None, Some("Accept-Encoding")));
    assert_eq!(block_on(response.bytes(1 << 20)).unwrap().len(), 5000);
}

#[test]
fn fields_of_an_encoded_response_tell_of_it() {
    let handler = async || {
        let response = Response::new(long()).with_header("Content-Type", "application/problem+json; charset=utf-8");
        let response = response.with_header("ETag", "\"17\"").with_header("Vary", "Origin");
        response.with_header("Accept-Ranges", "bytes").with_header("Content-Length", long().len().to_string())
    };
    let app = || App::new().route("/", get(handler)).compress(Compress::new().minimum(1).level(Level::Best));
    let response = ask(app(), "gzip");
    let headers = response.headers();
    assert_eq!(headers.text("ETag"), Some("W/\"17\""));
    assert_eq!(headers.text("Vary"), Some("Origin, Accept-Encoding"));
    assert_eq!((headers.text("Accept-Ranges"), headers.text("Content-Length")), (None, None));
    // Encoded at once: its length is known.
    let length = response.body().length();
    let body = block_on(response.bytes(1 << 20)).unwrap();
    assert_eq!(length, callboard_core::BodyLength::Known(body.len() as u64));
    // Not encoded: a strong tag stays so.
    assert_eq!(ask(app(), "identity").headers().text("ETag"), Some("\"17\""));
}

/// RFC 9110 §15.4.5: it has the `ETag` and the `Vary` of the answer that it stands for.
#[test]
fn an_answer_that_nothing_has_changed_tells_of_the_one_before() {
    let handler = async |request: Request| {
        let tag = EntityTag::strong("17").unwrap();
        let known = Representation { entity_tag: Some(&tag), ..Representation::default() };
        let decision = Conditions::new(request.method(), request.headers(), 0).decide(Some(&known));
        let body = if decision.status() == Status::OK { Body::from(long()) } else { Body::empty() };
        let response = Response::new(body).with_status(decision.status()).with_header("ETag", tag.to_string());
        response.with_header("Content-Type", "text/plain")
    };
    let app = || App::new().route("/", get(handler)).compress(Compress::new());
    let ask = |known: &str| {
        let request = Request::new(Method::Get, "/").unwrap().with_header("Accept-Encoding", "br").unwrap();
        let response = send(app(), request.with_header("If-None-Match", known).unwrap());
        let text = |name: &str| response.headers().text(name).map(str::to_owned);
        (response.status().code(), text("ETag").unwrap(), text("Vary"), text("Content-Encoding"))
    };
    let vary = || Some("Accept-Encoding".to_owned());
    for (known, status, tag) in [
        ("\"16\"", 200, "W/\"17\""),
        ("W/\"17\"", 304, "W/\"17\""),
        ("\"17\"", 304, "\"17\""),
        ("W/\"16\", W/\"17\"", 304, "W/\"17\""),
        ("W/\"17\", \"17\"", 304, "\"17\""),
        ("*", 304, "\"17\""),
    ] {
        let coding = (status == 200).then(|| "br".to_owned());
        assert_eq!(ask(known), (status, tag.to_owned(), vary(), coding), "{known}");
    }
}

#[test]
fn long_bodies_and_streams_are_encoded_as_they_are_sent() {
    let long = LONG.repeat(10_000);
    let whole = long.clone();
    let app = App::new().route("/", get(async move || whole.clone())).compress(Compress::new());
    let response = ask(app, "gzip");
    assert_eq!(response.body().length(), callboard_core::BodyLength::Unknown);
    assert!(plain("gzip", &block_on(response.bytes(1 << 24)).unwrap()) == long.as_bytes());

    let streamed = async || {
        let parts = (0..1000).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(LONG.as_bytes())));
        Response::new(Body::stream(stream::iter(parts))).with_header("Content-Type", "text/csv")
    };
    for &coding in Coding::ALL {
        let response = ask(App::new().route("/", get(streamed)).compress(Compress::new()), coding.name());
        let body = block_on(response.bytes(1 << 24)).unwrap();
        assert!(body.len() < 5000, "{coding}: parts that come at once are not flushed: {}", body.len());
        assert!(plain(coding.name(), &body) == LONG.repeat(1000).as_bytes(), "{coding}");
    }
}

/// A stream that gives these and pauses after each.
fn pausing(events: Vec<&'static str>) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    // Once is when it is flushed, again is when there is nothing more.
    let (mut events, mut turn) = (events.into_iter(), 0);
    stream::poll_fn(move |context| {
        turn += 1;
        if turn % 3 == 1 {
            return Poll::Ready(events.next().map(|event| Ok(Bytes::from_static(event.as_bytes()))));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

#[test]
fn what_was_streamed_is_decodable_whenever_the_source_pauses() {
    for content_type in ["text/event-stream", "text/plain"] {
        for &coding in Coding::ALL {
            let handler = async move || {
                let body = Body::stream(pausing(vec!["data: 1\n\n", "data: 2\n\n"]));
                Response::new(body).with_header("Content-Type", content_type)
            };
            let response = ask(App::new().route("/", get(handler)).compress(Compress::new()), coding.name());
            let mut body = response.into_body();
            let mut decoder = callboard_core::coding::Decoder::new(coding, &DecodeLimits::default());
            let (mut seen, mut moments) = (Vec::new(), Vec::new());
            block_on(poll_fn(|context| {
                loop {
                    match Pin::new(&mut body).poll_next(context) {
                        Poll::Ready(Some(Ok(part))) => {
                            let mut block = [0; 100];
                            let progress = decoder.decode(&part, &mut block).unwrap();
                            assert_eq!(progress.read, part.len());
                            seen.extend_from_slice(&block[..progress.written]);
                        }
                        Poll::Ready(Some(Err(error))) => panic!("{error}"),
                        Poll::Ready(None) => return Poll::Ready(()),
                        Poll::Pending => {
                            moments.push(String::from_utf8(seen.clone()).unwrap());
                            moments.dedup();
                            return Poll::Pending;
                        }
                    }
                }
            }));
            decoder.finish().unwrap();
            assert_eq!(moments, ["data: 1\n\n", "data: 1\n\ndata: 2\n\n"], "{content_type} {coding}");
        }
    }
}

#[test]
fn events_are_flushed_even_if_the_source_does_not_pause() {
    let handler = async || {
        let events =
            stream::iter(["data: 1\n\n", "data: 2\n\n"].map(|event| Ok::<_, std::io::Error>(Bytes::from(event))));
        Response::new(Body::stream(events)).with_header("Content-Type", "text/event-stream; charset=utf-8")
    };
    let mut body = ask(App::new().route("/", get(handler)).compress(Compress::new()), "gzip").into_body();
    let first = block_on(body.next()).unwrap().unwrap();
    let mut block = [0; 100];
    let mut decoder = callboard_core::coding::Decoder::new(Coding::Gzip, &DecodeLimits::default());
    let progress = decoder.decode(&first, &mut block).unwrap();
    assert_eq!(&block[..progress.written], b"data: 1\n\n");
}

/// Event streams stay open, many at a time. What zstd holds is not counted here.
#[test]
fn an_open_event_stream_holds_little() {
    for coding in [Coding::Brotli, Coding::Gzip, Coding::Deflate] {
        let (sender, events) = EventStream::channel(1);
        let (slot, app) = (std::sync::Arc::new(std::sync::Mutex::new(Some(events))), App::new());
        let handler = move || {
            let events = slot.lock().unwrap().take();
            async move { events.ok_or(Status::GONE) }
        };
        let mut body = ask(app.route("/", get(handler)).compress(Compress::new()), coding.name()).into_body();
        let memory = allocation_counter::measure(|| {
            for number in 0..200 {
                block_on(sender.send(Event::new(format!("{number} {LONG}")))).unwrap();
                assert!(!block_on(body.next()).unwrap().unwrap().is_empty());
            }
        });
        assert!(memory.bytes_max < 512 * 1024, "{coding}: {} bytes", memory.bytes_max);
    }
}

#[test]
fn an_error_of_the_source_is_an_error_of_the_encoded_body() {
    let handler = async || {
        let parts = stream::iter([Ok(Bytes::from_static(b"part")), Err(std::io::Error::other("lost"))]);
        Response::new(Body::stream(parts)).with_header("Content-Type", "text/plain")
    };
    let response = ask(App::new().route("/", get(handler)).compress(Compress::new()), "gzip");
    assert_eq!(block_on(response.bytes(1000)).unwrap_err().to_string(), "lost");
}

#[test]
fn the_answer_to_head_says_what_get_would_bring() {
    let app = App::new().route("/", get(async || long())).compress(Compress::new());
    let request = Request::new(Method::Head, "/").unwrap().with_header("Accept-Encoding", "gzip").unwrap();
    let response = send(app, request);
    assert_eq!(coding_of(&response).as_deref(), Some("gzip"));
    assert_eq!(response.headers().text("Vary"), Some("Accept-Encoding"));
    assert_eq!(response.body().length(), callboard_core::BodyLength::Unknown);
}
