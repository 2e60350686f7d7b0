//! The edges between HTTP and a WebSocket: what comes right behind the 101, its cookies, HTTP/1.0, pages of other
//! origins, and fields of the handshake that are not the user's to set.

use callboard::core::websocket::handshake::accept_key;
use callboard::web::websocket::WebSocketRejection;
use callboard::web::{App, Cookies, Response, SetCookie, WebSocketUpgrade, get};
use callboard::websocket::CloseCode;
use futures_lite::future::zip;

use crate::peer::field;
use crate::websocket::{echoing, handshake, opening, quiet, repeat};
use crate::world::{World, scenarios};

scenarios!(
    what_comes_right_behind_the_101,
    cookies_go_both_ways,
    an_older_http_opens_nothing,
    pages_of_other_origins,
    the_handshakes_fields_are_not_the_users,
    a_declined_client_keeps_its_connection,
);

/// A server that speaks first, in the packet of its answer, is heard; and a ping there is answered though nobody reads.
async fn what_comes_right_behind_the_101(world: World) {
    let mut listening = world.listen();
    let url = listening.url("/");
    let serving = async {
        let mut peer = listening.accept().await;
        let head = peer.head().await;
        let accept = accept_key(field(&head, "Sec-WebSocket-Key").unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let frames = b"\x89\x02hi\x81\x03one\x01\x02tw\x80\x01o\x88\x02\x03\xe8";
        peer.send([answer.as_bytes(), frames].concat()).await;
        peer
    };
    let (mut peer, mut socket) = zip(serving, async { opening(&world, url).await.unwrap() }).await;
    let pong = peer.exactly(8).await;
    assert_eq!((pong[0], pong[6] ^ pong[2], pong[7] ^ pong[3]), (0x8a, b'h', b'i'));
    assert_eq!(peer.exactly(8).await[0], 0x88);
    drop(peer);
    assert_eq!(socket.next().await.unwrap(), Some("one".into()));
    assert_eq!(socket.next().await.unwrap(), Some("two".into()));
    assert_eq!(socket.next().await.unwrap(), None);
    assert!(socket.closed().await.is_clean);
}

async fn cookies_go_both_ways(world: World) {
    let handler = async |cookies: Cookies, upgrade: WebSocketUpgrade| {
        let sent = cookies.get("a").map(str::to_owned);
        let cookie = SetCookie::new("a", "1").with_path("/");
        let response = upgrade.settings(quiet()).on(async move |socket| {
            socket.send(sent.unwrap_or_default()).await?;
            Ok(())
        });
        response.with_cookie(&cookie)
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let session = world.session();
    for expected in ["", "1"] {
        let mut socket = session.websocket(served.url("/")).settings(quiet()).await.unwrap();
        assert_eq!(socket.next_text().await.unwrap().as_deref(), Some(expected));
        assert_eq!(socket.next().await.unwrap(), None);
    }
    drop(session);
    served.end().await;
}

/// RFC 9110 §7.8: `Upgrade` in HTTP/1.0 is not there. A page may stand in its place.
async fn an_older_http_opens_nothing(world: World) {
    let page = async |upgrade: Option<WebSocketUpgrade>| match upgrade {
        Some(upgrade) => upgrade.on(repeat),
        None => Response::new("a page"),
    };
    let strict = async |upgrade: Result<WebSocketUpgrade, WebSocketRejection>| match upgrade {
        Ok(upgrade) => upgrade.on(repeat),
        Err(rejection) if rejection.is_ordinary() => Response::new("a page"),
        Err(rejection) => callboard::web::IntoResponse::into_response(rejection),
    };
    let served = world.serve(echoing().route("/page", get(page)).route("/strict", get(strict))).await;
    let rows = [
        ("/echo", "", "426"),
        ("/page", "", "200"),
        ("/strict", "", "200"),
        ("/strict", "Sec-WebSocket-Version: 13\r\n", "426"),
        ("/strict", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "400"),
    ];
    for (path, twice, status) in rows {
        let mut peer = served.connect().await;
        let request = handshake(path);
        let request = if twice.is_empty() {
            request.replace("HTTP/1.1", "HTTP/1.0")
        } else {
            request.replace("\r\n\r\n", &format!("\r\n{twice}\r\n"))
        };
        peer.send(request).await;
        let (head, _) = peer.response().await;
        assert!(head.split(' ').nth(1) == Some(status), "{path} {twice}: {head}");
    }
    served.end().await;
}

async fn pages_of_other_origins(world: World) {
    let own = async |upgrade: WebSocketUpgrade| upgrade.same_origin().on(repeat);
    let listed = async |upgrade: WebSocketUpgrade| {
        upgrade.check_origin(|origin| matches!(origin, Some("https://a" | "https://b"))).on(repeat)
    };
    let both = async |upgrade: WebSocketUpgrade| {
        // What was refused once stays refused.
        upgrade.check_origin(|_| false).check_origin(|_| true).on(repeat)
    };
    let app = App::new().route("/own", get(own)).route("/listed", get(listed)).route("/both", get(both));
    let served = world.serve(app).await;
    let rows: [(&str, &str, &[&str], bool); 20] = [
        ("/own", "a", &[], true),
        ("/own", "a", &["http://a"], true),
        ("/own", "A:80", &["http://a"], true),
        ("/own", "a:8080", &["http://a:8080"], true),
        ("/own", "a", &["https://A"], true),
        ("/own", "a:443", &["https://a"], true),
        ("/own", "[::1]:80", &["http://[::1]"], true),
        ("/own", "a:8080", &["http://a"], false),
        ("/own", "a", &["http://a:8080"], false),
        ("/own", "a", &["http://b"], false),
        ("/own", "a", &["http://a.b"], false),
        ("/own", "b.a", &["http://a"], false),
        ("/own", "a", &["http://a@b"], false),
        ("/own", "a", &["null"], false),
        ("/own", "a", &[""], false),
        ("/own", "a", &["http://a", "http://b"], false),
        ("/listed", "a", &["https://b"], true),
        ("/listed", "a", &["https://c"], false),
        ("/listed", "a", &[], false),
        ("/both", "a", &["https://a"], false),
    ];
    for (path, host, origins, is_allowed) in rows {
        let fields = origins.iter().fold(String::new(), |fields, origin| fields + "Origin: " + origin + "\r\n");
        let mut peer = served.connect().await;
        peer.send(handshake(path).replace("Host: a\r\n", &format!("Host: {host}\r\n{fields}"))).await;
        let head = peer.head().await;
        let status = if is_allowed { "101" } else { "403" };
        assert!(head.split(' ').nth(1) == Some(status), "{path} {host} {origins:?}: {head}");
    }
    served.end().await;
}

/// What is asked for is what is checked: a field of the handshake that a user sets is not sent beside ours.
async fn the_handshakes_fields_are_not_the_users(world: World) {
    let handler = async |request: callboard::web::Request| {
        let names = ["Upgrade", "Connection", "Key", "Version", "Protocol", "Extensions"];
        let count = |name: &str| {
            let long = format!("Sec-WebSocket-{name}");
            request.headers().get_all(name).chain(request.headers().get_all(&long)).count().to_string()
        };
        names.map(count).concat()
    };
    let served = world.serve(App::new().route("/", get(handler))).await;
    let session = world.session();
    for (offered, counts) in [(&[][..], "111100"), (&["v1"][..], "111110")] {
        let request = session.websocket(served.url("/")).protocols(offered);
        let request = request.header("Sec-WebSocket-Protocol", "mine").header("Sec-WebSocket-Extensions", "mine");
        let request = request.header("Sec-WebSocket-Key", "mine").header("Upgrade", "mine");
        let request = request.header("Connection", "close").header("Sec-WebSocket-Version", "8");
        let refused = request.await.unwrap_err();
        assert_eq!(refused.into_response().unwrap().text().await.unwrap(), counts);
    }
    drop(session);
    served.end().await;
}

/// The client's side of a declined upgrade: the answer can be read, and its connection serves the next request, which
/// may open a WebSocket after all.
async fn a_declined_client_keeps_its_connection(world: World) {
    let served = world.serve(echoing().route("/no", get(async || "not here"))).await;
    let session = world.session();
    let refused = session.websocket(served.url("/no")).await.unwrap_err();
    assert_eq!(refused.into_response().unwrap().text().await.unwrap(), "not here");
    let response = session.get(served.url("/no")).await.unwrap();
    assert!(response.is_reused());
    drop(response.text().await.unwrap());
    let mut socket = session.websocket(served.url("/echo")).settings(quiet()).await.unwrap();
    assert_eq!(served.server.connections(), 1, "the same connection");
    socket.send("after all").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Some("after all".into()));
    assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean);
    drop((socket, session));
    served.end().await;
}
