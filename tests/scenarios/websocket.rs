//! A WebSocket of a session to a server: messages, the ways to end, and what slow, silent and broken peers meet.

use std::time::Duration;

use bytes::Bytes;
use callboard::client::{ConnectError, IntoUrl, WebSocketBuilder};
use callboard::web::{App, Path, Response, Status, WebSocketUpgrade, get};
use callboard::websocket::{
    CloseCode, Closure, Event, Message, ReceiveError, SendError, Settings, TrySendError, WebSocket, WebSocketError,
    WebSocketFailure,
};
use futures_lite::StreamExt;
use futures_lite::future::{or, zip};

use crate::peer::Peer;
use crate::signal::{Bell, Ear, bell};
use crate::world::{LONG, World, scenarios};

scenarios!(
    messages_of_all_sizes,
    many_messages_under_way,
    what_the_handshake_agrees_on,
    requests_that_open_nothing,
    a_declined_upgrade_goes_on_as_http,
    a_redirection_to_a_websocket,
    an_open_websocket_counts_in_the_pool,
    the_client_closes,
    the_server_closes,
    both_close_at_once,
    a_socket_that_is_dropped_says_so,
    what_a_handler_gives_is_the_last_word,
    a_drain_says_goodbye,
    senders_outlive_the_handler,
    a_failure_does_not_wait_for_senders,
    a_handler_goes_on_behind_the_end,
    a_closed_sender_ends_a_read,
    an_end_without_a_close_frame,
    a_broken_peer_is_told_why,
    a_slow_reader_is_bounded,
    control_frames_pass_a_huge_message,
    pings_are_answered_while_nobody_reads,
    json_and_text,
    control_frames_are_events,
    feeding_and_flushing,
);

pub(crate) async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.settings(quiet()).on(repeat)
}

/// Without heartbeats, which would hide that somebody was not woken.
pub(crate) fn quiet() -> Settings {
    Settings { ping_interval: None, ..Settings::default() }
}

/// A WebSocket in the making, without heartbeats.
pub(crate) fn opening(world: &World, url: impl IntoUrl) -> WebSocketBuilder {
    world.session().websocket(url).settings(quiet())
}

pub(crate) async fn repeat(mut socket: WebSocket) -> Result<(), WebSocketFailure> {
    while let Some(message) = socket.next().await? {
        socket.send(message).await?;
    }
    Ok(())
}

pub(crate) fn echoing() -> App {
    App::new().route("/echo", get(echo))
}

/// A message that says how long it is and what is where.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| u8::try_from((place / 251 + place) % 256).unwrap()).collect()
}

/// An app whose handler gives its socket to the scenario, and holds on until told.
pub(crate) fn lending() -> (App, Ear<WebSocket>) {
    let (give, lent) = bell();
    let hold = move |upgrade: WebSocketUpgrade| {
        let give: Bell<WebSocket> = give.clone();
        async move {
            upgrade.settings(quiet()).on(async move |socket| {
                let sender = socket.sender();
                give.say(socket);
                sender.closed().await;
                Ok(())
            })
        }
    };
    (App::new().route("/", get(hold)), lent)
}

/// Both ends of one WebSocket, and the server that it is on.
async fn pair(world: &World) -> (crate::world::Served, WebSocket, WebSocket) {
    let (app, lent) = lending();
    let served = world.serve(app).await;
    let client = opening(world, served.url("/")).await.unwrap();
    let remote = lent.heard().await;
    (served, client, remote)
}

/// A raw client whose handshake is done.
pub(crate) async fn raw(served: &crate::world::Served, path: &str) -> Peer {
    let mut peer = served.connect().await;
    peer.send(handshake(path)).await;
    assert!(peer.head().await.starts_with("HTTP/1.1 101 "));
    peer
}

pub(crate) fn handshake(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A frame of a client, masked with zeros.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

fn codes(closure: &Closure) -> (Option<u16>, Option<u16>, bool) {
    let code = |close: &Option<callboard::websocket::Close>| close.as_ref().map(|close| close.code.code());
    (code(&closure.ours), code(&closure.theirs), closure.is_clean)
}

async fn messages_of_all_sizes(world: World) {
    let served = world.serve(echoing()).await;
    let mut socket = opening(&world, served.url("/echo")).await.unwrap();
    for length in [0, 1, 125, 126, 4096, 4097, 65_535, 65_536, world.choose(3_000_000, 300_000)] {
        socket.send(pattern(length)).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), Some(Message::from(pattern(length))), "{length}");
    }
    socket.send("na\u{ef}ve").await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().text(), Some("na\u{ef}ve"));
    let closure = socket.close(CloseCode::NORMAL, "done").await.unwrap();
    assert_eq!(codes(&closure), (Some(1000), Some(1000), true));
    assert_eq!(socket.next().await.unwrap(), None);
    served.end().await;
}

async fn many_messages_under_way(world: World) {
    let served = world.serve(echoing()).await;
    let mut socket = opening(&world, served.url("/echo")).await.unwrap();
    let sender = socket.sender();
    let count = world.choose(2_000, 200);
    let sending = async {
        for number in 0..count {
            sender.send(format!("{number}")).await.unwrap();
        }
    };
    let receiving = async {
        for number in 0..count {
            let message = socket.next().await.unwrap().unwrap();
            assert_eq!(message.text(), Some(&*number.to_string()));
        }
    };
    zip(sending, receiving).await;
    drop((socket, sender));
    served.end().await;
}

async fn what_the_handshake_agrees_on(world: World) {
    let handler = async |upgrade: WebSocketUpgrade| {
        let offered: Vec<String> = upgrade.offered().map(str::to_owned).collect();
        assert_eq!((offered.join(" "), upgrade.origin()), ("v9 v2 v1".to_owned(), Some("http://page")));
        let upgrade = upgrade.settings(quiet()).protocols(&["v1", "v2"]).header("X-Answer", "42").unwrap();
        upgrade.on(async |socket| {
            let protocol = socket.protocol().unwrap().to_owned();
            socket.send(protocol).await?;
            Ok(())
        })
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let url = served.url("/").replace("http://", "ws://");
    let session = world.session();
    let request = session.websocket(url).protocols(&["v9", "v2", "v1"]).origin("http://page");
    let mut socket = request.query("page", 2).header("X-More", "x").await.unwrap();
    assert_eq!(socket.protocol(), Some("v2"));
    assert_eq!(socket.headers().unwrap().text("X-Answer"), Some("42"));
    assert_eq!(socket.next_text().await.unwrap().as_deref(), Some("v2"));
    assert_eq!(socket.next().await.unwrap(), None);
    assert_eq!(codes(&socket.closure().unwrap()), (Some(1000), Some(1000), true));
    served.end().await;
}

async fn requests_that_open_nothing(world: World) {
    let page = async |upgrade: Option<WebSocketUpgrade>| match upgrade {
        Some(upgrade) => upgrade.on(repeat),
        None => Response::new("a page"),
    };
    let strict = async |upgrade: WebSocketUpgrade| upgrade.same_origin().on(repeat);
    let app =
        echoing().route("/both", get(page)).route("/strict", get(strict)).route("/any", callboard::web::any(echo));
    let served = world.serve(app).await;
    let session = world.session();
    let answer = session.get(served.url("/echo")).await.unwrap();
    assert_eq!(answer.status(), Status::UPGRADE_REQUIRED);
    assert_eq!(answer.headers().text("Sec-WebSocket-Version"), Some("13"));
    let mut peer = served.connect().await;
    let rows = [
        (handshake("/any").replace("GET", "POST"), "405"),
        (handshake("/any").replace("Version: 13", "Version: 8"), "426"),
        (handshake("/any").replace("dGhlIHNh", "!"), "400"),
        (handshake("/strict").replace("Host: a", "Host: a\r\nOrigin: https://b"), "403"),
        (handshake("/none"), "404"),
    ];
    for (request, status) in rows {
        peer.send(request).await;
        let (head, _) = peer.response().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
    drop(peer);
    assert_eq!(session.get(served.url("/both")).await.unwrap().text().await.unwrap(), "a page");
    drop(session.websocket(served.url("/both")).await.unwrap());
    let host = served.base.clone();
    drop(session.websocket(served.url("/strict")).origin(&host).await.unwrap());
    let refused = session.websocket(served.url("/strict")).origin("http://elsewhere").await.unwrap_err();
    assert_eq!(refused.status(), Some(Status::FORBIDDEN));
    let text = refused.into_response().unwrap().text().await.unwrap();
    assert!(text.contains("origin"), "{text}");
    let nowhere = session.websocket("ftp://a/").await.unwrap_err();
    assert!(matches!(nowhere, ConnectError::Request(_)), "{nowhere}");
    served.end().await;
}

/// What is pipelined behind a request that might have been upgraded is HTTP, if it was not.
async fn a_declined_upgrade_goes_on_as_http(world: World) {
    let decline = async |upgrade: WebSocketUpgrade| {
        drop(upgrade);
        "not today"
    };
    let served = world.serve(App::new().route("/", get(decline)).route("/next", get(async || "next"))).await;
    let mut peer = served.connect().await;
    peer.send(handshake("/") + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(peer.response().await.1, "not today");
    assert_eq!(peer.response().await.1, "next");
    peer.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(peer.response().await.1, "next");
    drop(peer);
    served.end().await;
}

async fn a_redirection_to_a_websocket(world: World) {
    let elsewhere = world.serve(echoing()).await;
    let target = elsewhere.url("/echo").replace("http://", "WS://");
    let redirect = async move || {
        Response::default().with_status(Status::TEMPORARY_REDIRECT).with_header("Location", target.clone())
    };
    let served = world.serve(App::new().route("/", get(redirect))).await;
    let session = world.session();
    let mut socket = session.websocket(served.url("/")).await.unwrap();
    socket.send("there").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Some("there".into()));
    // An ordinary request does not follow it.
    assert!(session.get(served.url("/")).await.is_err());
    let stopped = session.websocket(served.url("/")).redirects(0).await.unwrap_err();
    assert_eq!(stopped.status(), Some(Status::TEMPORARY_REDIRECT));
    drop((socket, stopped, session));
    served.end().await;
    elsewhere.end().await;
}

async fn an_open_websocket_counts_in_the_pool(world: World) {
    let served = world.serve(echoing()).await;
    let session = callboard::client::Session::builder(world.client.clone()).connections(1).build();
    let mut first = session.websocket(served.url("/echo")).await.unwrap();
    assert_eq!(session.snapshot().open(), 1);
    let second = async { session.websocket(served.url("/echo")).await.unwrap() };
    let ending = async {
        world.client.sleep(Duration::from_millis(5)).await;
        assert_eq!(session.snapshot().waiting(), 1);
        first.close(CloseCode::NORMAL, "").await.unwrap();
    };
    let (second, ()) = zip(second, ending).await;
    drop((first, second));
    served.end().await;
}

async fn the_client_closes(world: World) {
    let (served, mut client, mut remote) = pair(&world).await;
    client.send("one").await.unwrap();
    let closing = async {
        // What the server says meanwhile is thrown away.
        let closure = client.close(CloseCode::new(4000), "bye").await.unwrap();
        assert_eq!(codes(&closure), (Some(4000), Some(4000), true));
        assert_eq!(client.close(CloseCode::NORMAL, "").await.unwrap(), closure);
        assert!(matches!(client.send("x").await, Err(WebSocketError::Send(SendError::Closed))));
    };
    let serving = async {
        // It may be too late for this.
        let _ = remote.send("unheard").await;
        assert_eq!(remote.next().await.unwrap(), Some("one".into()));
        assert_eq!(remote.next().await.unwrap(), None);
        let theirs = remote.closure().unwrap().theirs.unwrap();
        assert_eq!((theirs.code, &*theirs.reason), (CloseCode::new(4000), "bye"));
    };
    zip(closing, serving).await;
    served.end().await;
}

async fn the_server_closes(world: World) {
    let (served, mut client, mut remote) = pair(&world).await;
    assert_eq!(remote.close(CloseCode::NO_STATUS, "").await.unwrap_err(), SendError::CodeInvalid);
    assert_eq!(remote.close(CloseCode::NORMAL, &"x".repeat(124)).await.unwrap_err(), SendError::ReasonTooLong);
    remote.send("last").await.unwrap();
    let (closure, ()) = zip(remote.close(CloseCode::RESTART, "later"), async {
        assert_eq!(client.next().await.unwrap(), Some("last".into()));
        assert_eq!(client.next().await.unwrap(), None);
    })
    .await;
    assert_eq!(codes(&closure.unwrap()), (Some(1012), Some(1012), true));
    assert_eq!(&*client.closure().unwrap().theirs.unwrap().reason, "later");
    served.end().await;
}

async fn both_close_at_once(world: World) {
    let (served, mut client, mut remote) = pair(&world).await;
    let (ours, theirs) = zip(client.close(CloseCode::NORMAL, ""), remote.close(CloseCode::GOING_AWAY, "")).await;
    assert!(ours.unwrap().is_clean && theirs.unwrap().is_clean);
    served.end().await;
}

async fn a_socket_that_is_dropped_says_so(world: World) {
    let (served, client, mut remote) = pair(&world).await;
    drop(client);
    assert_eq!(remote.next().await.unwrap(), None);
    assert_eq!(codes(&remote.closure().unwrap()), (Some(1001), Some(1001), true));
    served.end().await;
}

async fn what_a_handler_gives_is_the_last_word(world: World) {
    let handler = async |Path(how): Path<String>, upgrade: WebSocketUpgrade| {
        upgrade.settings(quiet()).on(async move |mut socket| {
            socket.next().await?;
            match &*how {
                "fails" => Err("of its own making".into()),
                "panics" => panic!("of its own making"),
                _ => Ok(()),
            }
        })
    };
    let served = world.serve(App::new().route("/{how}", get(handler))).await;
    for (path, code) in [("/ends", 1000), ("/fails", 1011), ("/panics", 1011)] {
        let mut socket = opening(&world, served.url(path)).await.unwrap();
        socket.send("go").await.unwrap();
        assert_eq!(socket.next().await.unwrap(), None);
        assert_eq!(socket.closure().unwrap().code().code(), code, "{path}");
    }
    served.end().await;
}

async fn a_drain_says_goodbye(world: World) {
    let served = world.serve(echoing()).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(opening(&world, served.url("/echo")).await.unwrap());
    }
    let raw = raw(&served, "/echo").await;
    let listening = async {
        for socket in &mut sockets {
            assert_eq!(socket.next().await.unwrap(), None);
            assert_eq!(socket.closure().unwrap().code(), CloseCode::GOING_AWAY);
        }
    };
    // The raw peer does not answer, and is given up after the close timeout.
    let (report, ()) = zip(served.server.drain(LONG), listening).await;
    assert_eq!((report.aborted, served.server.connections()), (0, 0));
    drop(raw);
}

async fn senders_outlive_the_handler(world: World) {
    let (give, lent) = bell();
    let handler = move |upgrade: WebSocketUpgrade| {
        let give = give.clone();
        async move {
            upgrade.settings(quiet()).on(async move |socket| {
                give.say(socket.sender());
                Ok(())
            })
        }
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let mut socket = opening(&world, served.url("/")).await.unwrap();
    let sender = lent.heard().await;
    // Nobody reads there: what comes is thrown away.
    for _ in 0..10 {
        socket.send("unheard").await.unwrap();
    }
    sender.send("pushed").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Some("pushed".into()));
    sender.try_send("pushed").unwrap();
    assert_eq!(socket.next().await.unwrap(), Some("pushed".into()));
    let other = sender.clone();
    drop(sender);
    assert!(other.is_open());
    drop(other);
    assert_eq!(socket.next().await.unwrap(), None);
    assert_eq!(socket.closure().unwrap().code(), CloseCode::NORMAL);
    served.end().await;
}

async fn a_failure_does_not_wait_for_senders(world: World) {
    let (give, lent) = bell();
    let handler = move |upgrade: WebSocketUpgrade| {
        let give = give.clone();
        async move {
            upgrade.settings(quiet()).on(async move |socket| {
                give.say(socket.sender());
                Err("of its own making".into())
            })
        }
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let mut socket = opening(&world, served.url("/")).await.unwrap();
    let sender = lent.heard().await;
    assert_eq!(socket.next().await.unwrap(), None);
    assert_eq!(socket.closure().unwrap().code(), CloseCode::INTERNAL);
    assert!(sender.closed().await.is_clean);
    drop((socket, sender));
    served.end().await;
}

/// What a handler does after the last message is done to its end, and the server waits for it.
async fn a_handler_goes_on_behind_the_end(world: World) {
    let (say, done) = bell();
    let runtime = world.server.clone();
    let handler = move |upgrade: WebSocketUpgrade| {
        let (say, runtime) = (say.clone(), runtime.clone());
        async move {
            upgrade.settings(quiet()).on(async move |mut socket| {
                assert_eq!(socket.next().await?, None);
                drop(socket);
                runtime.sleep(Duration::from_millis(20)).await;
                say.ring();
                Ok(())
            })
        }
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let mut socket = opening(&world, served.url("/")).await.unwrap();
    assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean);
    let report = served.end().await;
    assert_eq!((report.finished, done.take()), (1, Some(())));
}

async fn a_closed_sender_ends_a_read(world: World) {
    let (served, mut client, mut remote) = pair(&world).await;
    let sender = client.sender();
    let closing = async {
        world.client.sleep(Duration::from_millis(5)).await;
        sender.close(CloseCode::NORMAL, "").unwrap();
        assert!(sender.close(CloseCode::NORMAL, "").is_err());
        assert!(sender.closed().await.is_clean);
        assert!(sender.is_closed());
    };
    let (read, ((), heard)) = zip(client.next(), zip(closing, remote.next())).await;
    assert_eq!((read.unwrap(), heard.unwrap()), (None, None));
    served.end().await;
}

async fn an_end_without_a_close_frame(world: World) {
    let (app, lent) = lending();
    let served = world.serve(app).await;
    let mut peer = raw(&served, "/").await;
    peer.send(frame(0x81, b"one")).await;
    peer.finish().await;
    let mut socket = lent.heard().await;
    assert_eq!(socket.next().await.unwrap(), Some("one".into()));
    let error = socket.next().await.unwrap_err();
    assert!(matches!(error, WebSocketError::Receive(ReceiveError::ConnectionLost)), "{error}");
    assert_eq!(socket.closure().unwrap().code(), CloseCode::ABNORMAL);
    // Told once.
    assert_eq!(socket.next().await.unwrap(), None);
    let peer = raw(&served, "/").await;
    let mut socket = lent.heard().await;
    peer.reset();
    let error = socket.next().await.unwrap_err();
    assert!(error.is_closed(), "{error}");
    drop(socket);
    served.end().await;
}

async fn a_broken_peer_is_told_why(world: World) {
    let served = world.serve(echoing()).await;
    for (bytes, code) in [(frame(0x83, b""), 1002), (frame(0x81, b"\xff"), 1007)] {
        let mut peer = raw(&served, "/echo").await;
        // Its first message is answered all the same.
        peer.send([frame(0x82, b"fine"), bytes].concat()).await;
        assert_eq!(peer.exactly(6).await, b"\x82\x04fine");
        let head = peer.exactly(4).await;
        assert_eq!((head[0], u16::from_be_bytes([head[2], head[3]])), (0x88, code));
    }
    served.end().await;
}

async fn a_slow_reader_is_bounded(world: World) {
    let handler = async |upgrade: WebSocketUpgrade| {
        upgrade.settings(Settings { send_buffer: 10_000, ..quiet() }).on(async |mut socket| {
            let part = Bytes::from(vec![7; 1000]);
            let mut taken = 0_u32;
            // The transport has room, then we have; then nobody has.
            loop {
                match socket.try_send(part.clone()) {
                    Ok(()) => taken += 1,
                    Err(TrySendError::Full(message)) => {
                        assert_eq!(message.len(), 1000);
                        if socket.sender().queued() > 10_000 && taken > 10_000 {
                            break;
                        }
                        let waiting = async { socket.send(part.clone()).await.map(|()| true) };
                        let patience = async {
                            // Cancelled, it has sent nothing.
                            futures_lite::future::yield_now().await;
                            futures_lite::future::yield_now().await;
                            Ok(false)
                        };
                        if or(waiting, patience).await? {
                            taken += 1;
                        } else {
                            break;
                        }
                    }
                    Err(TrySendError::Closed(_)) => panic!("closed"),
                }
            }
            assert!(socket.sender().queued() <= 10_000 + 1010, "{}", socket.sender().queued());
            assert!(socket.is_open());
            socket.send(taken.to_string()).await?;
            let closing = socket.sender().disconnecting(CloseCode::TRY_AGAIN, "too slow");
            while socket.is_open() {
                let _ = closing.try_send(part.clone());
            }
            while let Ok(Some(_)) = socket.next().await {}
            Ok(())
        })
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let mut socket = opening(&world, served.url("/")).await.unwrap();
    world.client.sleep(Duration::from_millis(50)).await;
    let mut count = 0;
    loop {
        match socket.next().await.unwrap() {
            Some(Message::Binary(part)) => {
                assert!(part.len() == 1000 && part.iter().all(|byte| *byte == 7));
                count += 1;
            }
            Some(Message::Text(text)) => {
                assert_eq!(text.parse::<u32>().unwrap(), count);
                break;
            }
            None => panic!("closed"),
        }
    }
    while let Some(message) = socket.next().await.unwrap() {
        assert_eq!(message.len(), 1000);
    }
    assert_eq!(socket.closure().unwrap().code(), CloseCode::TRY_AGAIN);
    served.end().await;
}

/// One message in fragments, far more than any buffer on the way holds, does not hold up the answer to a ping.
async fn control_frames_pass_a_huge_message(world: World) {
    let (app, lent) = lending();
    let served = world.serve(app).await;
    let mut peer = raw(&served, "/").await;
    let remote = lent.heard().await;
    let huge = world.choose(40_000_000, 3_000_000);
    remote.send(vec![7; huge]).await.unwrap();
    peer.until_readable().await;
    peer.send(frame(0x89, b"in between")).await;
    let (mut received, mut is_answered) = (0, false);
    while received < huge {
        let head = peer.exactly(2).await;
        let length = match head[1] {
            127 => peer.exactly(8).await.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
            126 => peer.exactly(2).await.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
            length => usize::from(length),
        };
        let payload = peer.exactly(length).await;
        if head[0] == 0x8a {
            assert_eq!(payload, b"in between");
            is_answered = true;
        } else {
            assert!(payload.iter().all(|byte| *byte == 7));
            received += length;
        }
    }
    assert_eq!((received, is_answered), (huge, true), "the pong came behind the message");
    drop((peer, remote));
    served.end().await;
}

async fn pings_are_answered_while_nobody_reads(world: World) {
    let (app, lent) = lending();
    let served = world.serve(app).await;
    let mut peer = raw(&served, "/").await;
    let socket = lent.heard().await;
    peer.send(frame(0x89, b"1")).await;
    assert_eq!(peer.exactly(3).await, b"\x8a\x011");
    // A message that waits to be read does not hold up the next ping.
    peer.send([frame(0x82, b"x"), frame(0x89, b"2")].concat()).await;
    assert_eq!(peer.exactly(3).await, b"\x8a\x012");
    peer.send(frame(0x88, b"")).await;
    assert_eq!(peer.exactly(2).await, b"\x88\x00");
    assert_eq!(peer.rest().await.unwrap(), "");
    drop(peer);
    let closure = socket.closed().await;
    assert_eq!((closure.is_clean, closure.code()), (true, CloseCode::NO_STATUS));
    drop(socket);
    served.end().await;
}

async fn json_and_text(world: World) {
    let served = world.serve(echoing()).await;
    let mut socket = opening(&world, served.url("/echo")).await.unwrap();
    socket.send_json(&vec![1, 2, 3]).await.unwrap();
    assert_eq!(socket.next_json::<Vec<u8>>().await.unwrap(), Some(vec![1, 2, 3]));
    socket.send("{").await.unwrap();
    assert!(matches!(socket.next_json::<u8>().await, Err(WebSocketError::Json(_))));
    socket.send(vec![1]).await.unwrap();
    assert!(matches!(socket.next_text().await, Err(WebSocketError::NotText)));
    socket.send("still open").await.unwrap();
    assert_eq!(socket.next_text().await.unwrap().as_deref(), Some("still open"));
    socket.send("as a stream").await.unwrap();
    let mut stream = socket;
    assert_eq!(StreamExt::next(&mut stream).await.unwrap().unwrap().text(), Some("as a stream"));
    drop(stream);
    served.end().await;
}

async fn control_frames_are_events(world: World) {
    let (served, mut client, mut remote) = pair(&world).await;
    let (pinging, closing) = (client.sender(), remote.sender());
    let asking = async { pinging.ping("are you there?").unwrap() };
    let (answer, (question, ())) = zip(client.next_event(), zip(remote.next_event(), asking)).await;
    assert_eq!(question.unwrap(), Some(Event::Ping(Bytes::from_static(b"are you there?"))));
    assert_eq!(answer.unwrap(), Some(Event::Pong(Bytes::from_static(b"are you there?"))));
    assert_eq!(pinging.ping([0; 126]), Err(SendError::ControlTooLong));
    closing.close(CloseCode::NORMAL, "bye").unwrap();
    let Some(Event::Closing(Some(close))) = client.next_event().await.unwrap() else { panic!("no close frame") };
    assert_eq!((close.code, &*close.reason), (CloseCode::NORMAL, "bye"));
    assert_eq!(client.next_event().await.unwrap(), None);
    served.end().await;
}

async fn feeding_and_flushing(world: World) {
    let (served, client, mut remote) = pair(&world).await;
    for number in 0..10 {
        client.feed(number.to_string()).await.unwrap();
    }
    client.flush().await.unwrap();
    assert_eq!(client.sender().queued(), 0);
    for number in 0..10 {
        assert_eq!(remote.next().await.unwrap().unwrap().text(), Some(&*number.to_string()));
    }
    drop((client, remote));
    served.end().await;
}
