//! Bodies on the way: byte-exact both ways at once, back pressure, expectations, and ends before the end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use callboard::client::{Delivery, ErrorKind, Phase, Response, Session, Timeouts};
use callboard::web::{self, App, Body, BodyError, get, post};
use callboard::{Limits, Status, header};
use futures_lite::future::zip;
use futures_lite::stream::Stream;

use crate::signal::{Bell, bell};
use crate::world::{LONG, World, scenarios};

scenarios!(
    echo_both_ways_at_once,
    a_handler_that_does_not_read_stops_the_upload,
    a_client_that_does_not_read_stops_the_download,
    an_expectation_that_is_met,
    an_expectation_that_is_refused,
    an_expectation_that_nobody_answers,
    an_expectation_that_is_not_known,
    too_large_while_the_upload_goes_on,
    too_large_to_a_peer_that_insists,
    a_source_of_the_server_that_fails,
    a_source_of_the_client_that_fails,
);

const CHUNK: usize = 64 * 1024;
const MEBIBYTE: usize = 1024 * 1024;

/// Bytes that tell their position.
fn pattern(position: usize) -> u8 {
    u8::try_from((position ^ position >> 8 ^ position >> 16) & 0xff).unwrap()
}

/// So many bytes in chunks, and how many chunks were taken.
#[derive(Clone)]
struct Source {
    chunk: Bytes,
    left: usize,
    taken: Arc<AtomicUsize>,
    fails: bool,
}

impl Source {
    fn new(length: usize) -> Self {
        let chunk = Bytes::from((0..CHUNK).map(pattern).collect::<Vec<_>>());
        Self { chunk, left: length, taken: Arc::default(), fails: false }
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Stream for Source {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let length = self.left.min(CHUNK);
        if length == 0 {
            return Poll::Ready(self.fails.then(|| Err(io::Error::other("the source broke"))));
        }
        self.left -= length;
        self.taken.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(self.chunk.slice(..length))))
    }
}

/// Reads to the end. Each byte must be that of its position in its chunk.
async fn check(mut response: Response) -> usize {
    let mut count = 0;
    while let Some(part) = response.chunk().await {
        for byte in part.unwrap() {
            assert_eq!(byte, pattern(count % CHUNK), "at {count}");
            count += 1;
        }
    }
    count
}

async fn echo_both_ways_at_once(world: World) {
    let served = world.serve(App::new().route("/", post(async |body: Body| body))).await;
    let session = world.session();
    // An odd end, so that the last chunk is short.
    let length = world.choose(8 * MEBIBYTE, MEBIBYTE / 2) + 12_345;
    for announced in [None, Some(length as u64)] {
        let response = session.post(served.url("/")).body_stream(Source::new(length), announced).await.unwrap();
        assert_eq!(check(response).await, length);
    }
    drop(session);
    served.end().await;
}

/// What may lie between two ends that do not read: buffers of the system (in simulation, of the options) and ours.
fn room(world: &World) -> usize {
    world.choose(64 * MEBIBYTE, 8 * CHUNK) / CHUNK
}

async fn a_handler_that_does_not_read_stops_the_upload(world: World) {
    let (ring, open) = bell();
    let count = async move |mut body: Body| {
        open.heard().await;
        let mut count = 0;
        while let Some(chunk) = body.next().await {
            count += chunk.unwrap().len();
        }
        count.to_string()
    };
    let served = world.serve(App::new().route("/", post(count))).await;
    let length = 2 * room(&world) * CHUNK;
    let source = Source::new(length);
    let look = async {
        until_still(&world, &source).await;
        assert!(source.taken() < room(&world), "{} chunks were taken though nobody reads", source.taken());
        ring.ring();
    };
    let send = world.session().post(served.url("/")).body_stream(source.clone(), None).send();
    let (response, ()) = zip(send, look).await;
    assert_eq!(response.unwrap().text().await.unwrap(), length.to_string());
    served.end().await;
}

/// Waits until a source that has begun gives no more.
async fn until_still(world: &World, source: &Source) {
    let mut seen = 0;
    loop {
        world.client.sleep(Duration::from_millis(50)).await;
        let taken = source.taken();
        if taken > 0 && taken == seen {
            return;
        }
        seen = taken;
    }
}

async fn a_client_that_does_not_read_stops_the_download(world: World) {
    let length = 2 * room(&world) * CHUNK;
    let source = Source::new(length);
    let given = source.clone();
    let served = world.serve(App::new().route("/", get(async move || Body::stream(given.clone())))).await;
    let response = world.session().get(served.url("/")).await.unwrap();
    until_still(&world, &source).await;
    assert!(source.taken() < room(&world), "{} chunks were taken though nobody reads", source.taken());
    assert_eq!(response.bytes().await.unwrap().len(), length);
    served.end().await;
}

fn patient(world: &World, expect: Duration) -> Session {
    Session::builder(world.client.clone()).timeouts(Timeouts { expect, ..Timeouts::default() }).build()
}

async fn an_expectation_that_is_met(world: World) {
    let source = Source::new(3 * CHUNK);
    let (given, (tell, told)) = (source.clone(), bell());
    let read = async move |body: Body| {
        tell.say(given.taken());
        body
    };
    let served = world.serve(App::new().route("/", post(read))).await;
    let session = patient(&world, LONG);
    let response = session.post(served.url("/")).expect_continue().body_stream(source, None).await.unwrap();
    assert_eq!(told.heard().await, 0, "the body came before it was asked for");
    assert_eq!(check(response).await, 3 * CHUNK);
    let next = session.post(served.url("/")).expect_continue().body("").await.unwrap();
    assert!(next.is_reused(), "a body that was sent leaves the connection as it was");
    drop((session, next));
    served.end().await;
}

async fn an_expectation_that_is_refused(world: World) {
    let served = world.serve(App::new().route("/", post(async || Status::FORBIDDEN))).await;
    let session = patient(&world, LONG);
    let source = Source::new(3 * CHUNK);
    let request = session.post(served.url("/")).expect_continue().body_stream(source.clone(), Some(3 * CHUNK as u64));
    let response = request.await.unwrap();
    assert_eq!((response.status(), source.taken()), (Status::FORBIDDEN, 0));
    drop(response);
    let next = session.post(served.url("/")).body("x").await.unwrap();
    assert!(!next.is_reused(), "the server still waits for a body there");
    drop((session, next));
    served.end().await;
}

async fn an_expectation_that_nobody_answers(world: World) {
    let mut listening = world.listen();
    let url = listening.base.clone();
    let serve = async {
        let mut peer = listening.accept().await;
        let head = peer.head().await;
        assert!(head.contains("\r\nExpect: 100-continue"), "{head}");
        assert_eq!(peer.exactly(5).await, b"hello");
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        peer
    };
    let session = patient(&world, Duration::from_millis(20));
    let (_peer, response) = zip(serve, session.post(url).expect_continue().body("hello").send()).await;
    assert_eq!(response.unwrap().status(), Status::OK);
}

async fn an_expectation_that_is_not_known(world: World) {
    let mut listening = world.listen();
    let url = listening.base.clone();
    let serve = async {
        let mut first = listening.accept().await;
        first.head().await;
        first.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        let mut second = listening.accept().await;
        let head = second.head().await;
        assert!(!head.contains("Expect"), "{head}");
        assert_eq!(second.exactly(5).await, b"hello");
        second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        (first, second)
    };
    let (_peers, response) = zip(serve, patient(&world, LONG).post(url).expect_continue().body("hello").send()).await;
    assert_eq!(response.unwrap().status(), Status::OK);
}

fn small(world: &World) -> App {
    let limits = Limits { linger_timeout: LONG, ..Limits::default() };
    let read = post(async |body: Bytes| body.len().to_string());
    App::new().route("/", read).body_limit(world.choose(MEBIBYTE, CHUNK)).limits(limits)
}

async fn too_large_while_the_upload_goes_on(world: World) {
    let served = world.serve(small(&world)).await;
    let session = world.session();
    let length = world.choose(64 * MEBIBYTE, 2 * MEBIBYTE);
    for announced in [None, Some(length as u64)] {
        let source = Source::new(length);
        let request = session.post(served.url("/")).body_stream(source.clone(), announced);
        let response = request.await.unwrap();
        assert_eq!(response.status(), Status::CONTENT_TOO_LARGE);
        assert!(source.taken() < length / CHUNK, "the upload went on to its end");
        let refusal = response.text().await.unwrap();
        assert!(refusal.contains("bytes"), "{refusal}");
    }
    let next = session.post(served.url("/")).body("small").await.unwrap();
    assert!(!next.is_reused(), "a connection with half a request on it was used again");
    assert_eq!(next.text().await.unwrap(), "5");
    drop(session);
    served.end().await;
}

async fn too_large_to_a_peer_that_insists(world: World) {
    let served = world.serve(small(&world)).await;
    let length = world.choose(60 * MEBIBYTE, 2 * MEBIBYTE);
    let mut peer = served.connect().await;
    peer.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")).await;
    let part = vec![b'x'; CHUNK];
    for _ in 0..length / CHUNK {
        peer.send(&part).await;
    }
    let (head, _) = peer.response().await;
    assert!(head.starts_with("HTTP/1.1 413 ") && head.contains("\r\nConnection: close"), "{head}");
    assert_eq!(peer.rest().await.unwrap(), "");
    drop(peer);
    served.end().await;
}

async fn a_source_of_the_server_that_fails(world: World) {
    let given = Source { fails: true, ..Source::new(3 * CHUNK) };
    let announced = given.clone();
    let app = App::new()
        .route("/chunked", get(async move || Body::stream(given.clone())))
        .route("/known", get(async move || Body::sized_stream(announced.clone(), 4 * CHUNK as u64)))
        .route("/", get(async || "fine"));
    let served = world.serve(app).await;
    let session = world.session();
    for path in ["/chunked", "/known"] {
        let response = session.get(served.url(path)).await.unwrap();
        assert_eq!(response.status(), Status::OK);
        let error = response.bytes().await.expect_err("a cut body must not look whole");
        assert_eq!((error.phase(), error.delivery()), (Phase::Body, Delivery::Answered), "{error}");
        assert_eq!(session.get(served.url("/")).await.unwrap().text().await.unwrap(), "fine");
    }
    drop(session);
    served.end().await;
}

async fn a_source_of_the_client_that_fails(world: World) {
    let (tell, told): (Bell<String>, _) = bell();
    let read = async move |mut body: Body| -> web::Response {
        loop {
            match body.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    assert!(matches!(error, BodyError::Cut), "{error:?}");
                    tell.say(error.to_string());
                    return web::Response::default().with_status(error.status());
                }
                None => {
                    tell.say("whole".to_owned());
                    return web::Response::default();
                }
            }
        }
    };
    let served = world.serve(App::new().route("/", post(read))).await;
    let session = world.session();
    // More than is queued before the first write, so that the server has seen a part of it.
    for announced in [None, Some(33 * CHUNK as u64)] {
        let source = Source { fails: true, ..Source::new(32 * CHUNK) };
        let error = session.post(served.url("/")).body_stream(source, announced).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BodySource(_)), "{error:?}");
        assert_eq!((error.phase(), error.delivery()), (Phase::Write, Delivery::MaybeSent), "{error}");
        assert!(error.to_string().contains("the source broke"), "{error}");
        assert_eq!(told.heard().await, "the connection ended inside the body");
    }
    let declared = session.post(served.url("/")).header(header::CONTENT_LENGTH, "3").body("four").await;
    assert_eq!(declared.unwrap().status(), Status::OK, "framing fields follow from the body");
    drop(session);
    served.end().await;
}
