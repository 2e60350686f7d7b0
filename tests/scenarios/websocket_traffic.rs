//! What goes over an open WebSocket: compression counted on the wire, with and without windows that are kept; many
//! tasks that send at once; a reader who has much to read, who stays away, and who is cut off.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callboard::Handle;
use callboard::core::Random;
use callboard::core::websocket::handshake::accept_key;
use callboard::web::{App, WebSocketUpgrade, get};
use callboard::websocket::{
    CloseCode, Compression, Message, ReceiveError, Settings, WebSocket, WebSocketError, WebSocketFailure,
};
use futures_lite::future::zip;

use crate::peer::field;
use crate::websocket::{frame, lending, opening, raw, repeat};
use crate::world::{Served, World, scenarios};

scenarios!(
    compression_saves_bytes,
    a_window_is_kept_where_both_allow,
    one_side_alone_compresses_nothing,
    many_tasks_send,
    a_busy_reader_pauses,
    what_comes_with_a_message_is_answered,
    an_abort_cuts_off,
);

/// Bytes that no window helps to shorten, unless it holds them already.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::from_seed(seed);
    (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect()
}

fn compressing(our_takeover: bool, peer_takeover: bool) -> Arc<Settings> {
    let compression = Compression { our_takeover, peer_takeover, ..Compression::default() };
    Arc::new(Settings { compression: Some(compression), ping_interval: None, ..Settings::default() })
}

/// A server that echoes within these settings.
async fn echoing(world: &World, settings: &Arc<Settings>) -> Served {
    let settings = Arc::clone(settings);
    let handler = move |upgrade: WebSocketUpgrade| {
        let settings = Arc::clone(&settings);
        async move { upgrade.settings(settings).on(repeat) }
    };
    world.serve(App::new().route("/", get(handler))).await
}

/// Sends a message and has it back. What that took: bytes received, bytes sent.
async fn cost(socket: &mut WebSocket, message: &Message) -> (u64, u64) {
    let (received, sent) = socket.bytes().unwrap();
    socket.send(message.clone()).await.unwrap();
    let answer = socket.next().await.unwrap();
    assert!(answer.as_ref() == Some(message), "{:?} came for {}", answer.map(|answer| answer.len()), message.len());
    let after = socket.bytes().unwrap();
    (after.0 - received, after.1 - sent)
}

async fn compression_saves_bytes(world: World) {
    let settings = compressing(true, true);
    let served = echoing(&world, &settings).await;
    let mut socket = world.session().websocket(served.url("/")).settings(settings).await.unwrap();
    assert!(socket.is_compressed());
    let agreed = socket.headers().unwrap().text("Sec-WebSocket-Extensions").unwrap().to_owned();
    assert!(agreed.starts_with("permessage-deflate"), "{agreed}");
    // Far more than a buffer and more than a fragment, binary and text, and no bomb.
    let count: u32 = world.choose(400_000, 40_000);
    let text = (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join("\u{e9}");
    for message in [Message::from(text.clone().into_bytes()), text.into()] {
        let most = u64::try_from(message.len() / 2).unwrap();
        let (received, sent) = cost(&mut socket, &message).await;
        assert!(received < most && sent < most, "{received} and {sent} of {}", message.len());
    }
    assert_eq!(cost(&mut socket, &"short".into()).await, (7, 11));
    assert_eq!(cost(&mut socket, &"".into()).await, (2, 6));
    assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean);
    served.end().await;
}

/// Each direction by itself: its sender keeps the window if it wants to and the other allows.
async fn a_window_is_kept_where_both_allow(world: World) {
    for choice in 0..16 {
        let [client_keeps, client_allows, server_keeps, server_allows] = [1, 2, 4, 8].map(|bit| choice & bit != 0);
        let served = echoing(&world, &compressing(server_keeps, server_allows)).await;
        let settings = compressing(client_keeps, client_allows);
        let mut socket = world.session().websocket(served.url("/")).settings(settings).await.unwrap();
        assert!(socket.is_compressed());
        let message = Message::from(noise(choice, 1000));
        let first = cost(&mut socket, &message).await;
        assert!(first.0 >= 1000 && first.1 >= 1000, "{first:?}");
        for _ in 0..3 {
            let (received, sent) = cost(&mut socket, &message).await;
            let kept = (received < 100, sent < 100);
            let expected = (server_keeps && client_allows, client_keeps && server_allows);
            assert_eq!(kept, expected, "choice {choice:04b}: {received} and {sent} bytes");
            assert!(kept.0 || received >= 1000);
            assert!(kept.1 || sent >= 1000);
        }
        drop(socket);
        served.end().await;
    }
}

async fn one_side_alone_compresses_nothing(world: World) {
    let (with, without) = (compressing(true, true), Arc::new(Settings::default()));
    for (ours, theirs) in [(&with, &without), (&without, &with)] {
        let served = echoing(&world, theirs).await;
        let mut socket = world.session().websocket(served.url("/")).settings(Arc::clone(ours)).await.unwrap();
        assert!(!socket.is_compressed());
        assert!(!socket.headers().unwrap().contains("Sec-WebSocket-Extensions"));
        let (received, sent) = cost(&mut socket, &vec![b'a'; 1000].into()).await;
        assert!(received >= 1000 && sent >= 1000, "{received} and {sent}");
        drop(socket);
        served.end().await;
    }
}

/// Tasks that each send numbers of their own.
fn crowd(runtime: &Handle, socket: &WebSocket, tasks: usize, count: usize) {
    for task in 0..tasks {
        let sender = socket.sender();
        runtime.spawn(Box::pin(async move {
            for number in 0..count {
                let message = format!("{task} {number} {}", "x".repeat(number % 7 * 100));
                if number % 3 == 0 { sender.feed(message).await.unwrap() } else { sender.send(message).await.unwrap() }
            }
            sender.flush().await.unwrap();
        }));
    }
}

/// Hears the whole crowd: nothing is lost, twice there, or out of its task's order.
async fn hear(socket: &mut WebSocket, tasks: usize, count: usize) -> Result<(), WebSocketFailure> {
    let mut next = vec![0; tasks];
    for _ in 0..tasks * count {
        let text = socket.next_text().await?.ok_or("closed too early")?;
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap().parse::<usize>().unwrap();
        let (task, number) = (word(), word());
        assert_eq!(number, next[task], "task {task}");
        assert_eq!(words.next().map(str::len), Some(number % 7 * 100));
        next[task] += 1;
    }
    Ok(())
}

async fn many_tasks_send(world: World) {
    let (tasks, count) = world.choose((20, 300), (8, 30));
    // Room for few: nearly all have to wait, and be woken in turn. No heartbeat helps along.
    let settings = Arc::new(Settings { send_buffer: 1500, ping_interval: None, ..Settings::default() });
    let (runtime, bounds) = (world.server.clone(), Arc::clone(&settings));
    let handler = move |upgrade: WebSocketUpgrade| {
        let (runtime, bounds) = (runtime.clone(), Arc::clone(&bounds));
        async move {
            upgrade.settings(bounds).on(async move |mut socket| {
                crowd(&runtime, &socket, tasks, count);
                hear(&mut socket, tasks, count).await
            })
        }
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let mut socket = world.session().websocket(served.url("/")).settings(settings).await.unwrap();
    crowd(&world.client, &socket, tasks, count);
    hear(&mut socket, tasks, count).await.unwrap();
    // The server's last word comes when its last sender is gone, and not before it heard all.
    assert_eq!(socket.next().await.unwrap(), None);
    assert_eq!(socket.closure().unwrap().code(), CloseCode::NORMAL);
    served.end().await;
}

/// However much has come: a reader's task lets others have their turn between.
async fn a_busy_reader_pauses(world: World) {
    let (app, lent) = lending();
    let served = world.serve(app).await;
    let mut peer = raw(&served, "/").await;
    let mut socket = lent.heard().await;
    peer.send(frame(0x82, b"x").repeat(1500)).await;
    // Until all is there.
    world.client.sleep(Duration::from_millis(50)).await;
    let (mut in_a_row, mut longest) = (0, 0);
    for _ in 0..1500 {
        let mut next = pin!(socket.next());
        let message = poll_fn(|context| {
            let polled = next.as_mut().poll(context);
            in_a_row = if polled.is_ready() { in_a_row + 1 } else { 0 };
            longest = longest.max(in_a_row);
            polled
        });
        assert_eq!(message.await.unwrap(), Some(vec![b'x'].into()));
    }
    assert!(longest > 1 && longest <= 256, "{longest} in a row");
    drop((peer, socket));
    served.end().await;
}

/// A ping right behind a message does not wait until its reader comes back.
async fn what_comes_with_a_message_is_answered(world: World) {
    let mut listening = world.listen();
    let url = listening.url("/");
    let serving = async {
        let mut peer = listening.accept().await;
        let head = peer.head().await;
        let accept = accept_key(field(&head, "Sec-WebSocket-Key").unwrap().as_bytes());
        let fields = "Connection: upgrade\r\nUpgrade: websocket";
        let answer = format!("HTTP/1.1 101 x\r\n{fields}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        peer.send(answer).await;
        peer
    };
    let (mut peer, mut socket) = zip(serving, async { opening(&world, url).await.unwrap() }).await;
    for _ in 0..5 {
        peer.send(b"\x82\x01x\x89\x02hi").await;
        assert_eq!(socket.next().await.unwrap(), Some(vec![b'x'].into()));
        let pong = peer.exactly(8).await;
        assert_eq!((pong[0], pong[6] ^ pong[2], pong[7] ^ pong[3]), (0x8a, b'h', b'i'));
    }
    // So it is with the end.
    peer.send(b"\x82\x01x\x88\x00").await;
    assert_eq!(socket.next().await.unwrap(), Some(vec![b'x'].into()));
    assert_eq!(peer.exactly(6).await[0], 0x88);
    drop(peer);
    assert!(socket.closed().await.is_clean);
}

/// Whoever holds a WebSocket that its server cuts off learns of it, wherever it was taken to.
async fn an_abort_cuts_off(world: World) {
    let (app, lent) = lending();
    let served = world.serve(app).await;
    let mut client = opening(&world, served.url("/")).await.unwrap();
    let mut remote = lent.heard().await;
    let sender = remote.sender();
    served.server.abort();
    let report = served.server.wait().await;
    assert_eq!((report.aborted, served.server.connections()), (1, 0));
    let error = remote.next().await.unwrap_err();
    assert!(matches!(error, WebSocketError::Receive(ReceiveError::ConnectionLost)), "{error}");
    assert!(!sender.closed().await.is_clean && sender.send("x").await.is_err());
    assert!(remote.info().is_none(), "the transport is gone");
    client.next().await.unwrap_err();
}
