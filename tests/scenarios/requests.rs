//! Requests of each kind, and connections that carry many of them.

use std::fmt::Write as _;

use callboard::web::{App, Json, Path, PeerAddress, Query, Request, get, on, post};
use callboard::{Method, Status, Version, header};

use crate::peer::field;
use crate::world::{World, scenarios};

scenarios!(
    verbs,
    what_is_refused,
    values_round_trip,
    one_connection_for_a_hundred,
    http_1_0,
    pipelining,
    trailers_to_the_server,
    trailers_to_the_client,
);

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct Search {
    text: String,
    page: Option<u32>,
}

fn notes() -> App {
    let note = get(async |Path(id): Path<u32>| format!("note {id}"))
        .post(async |Path(id): Path<u32>, text: String| (Status::CREATED, format!("{id} + {text}")))
        .put(async |Path(id): Path<u32>, text: String| format!("{id} = {text}"))
        .patch(async |Path(id): Path<u32>, text: String| format!("{id} ~ {text}"))
        .delete(async || Status::NO_CONTENT);
    App::new()
        .route("/notes/{id}", note)
        .route("/lookup", on(Method::from_bytes(b"LOOKUP").unwrap(), async || "looked up"))
        .route("/head", get(async || "body of GET").head(async || ([("X-Own", "yes")], "")))
}

async fn verbs(world: World) {
    let served = world.serve(notes()).await;
    let session = world.session();
    let url = served.url("/notes/7");
    let answered = [
        (session.get(&url), Status::OK, "note 7"),
        (session.post(&url).body("a"), Status::CREATED, "7 + a"),
        (session.put(&url).body("b"), Status::OK, "7 = b"),
        (session.patch(&url).body("c"), Status::OK, "7 ~ c"),
        (session.delete(&url), Status::NO_CONTENT, ""),
        (session.request(Method::from_bytes(b"LOOKUP").unwrap(), served.url("/lookup")), Status::OK, "looked up"),
    ];
    for (request, status, body) in answered {
        let response = request.await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.text().await.unwrap(), body);
    }
    let head = session.head(&url).await.unwrap();
    assert_eq!((head.status(), head.headers().text(header::CONTENT_LENGTH)), (Status::OK, Some("6")));
    assert_eq!(head.text().await.unwrap(), "");
    let own = session.head(served.url("/head")).await.unwrap();
    assert_eq!((own.headers().text("X-Own"), own.headers().text(header::CONTENT_LENGTH)), (Some("yes"), Some("0")));
    let options = session.options(&url).await.unwrap();
    assert_eq!(options.status(), Status::NO_CONTENT);
    let allowed = options.headers().text(header::ALLOW).unwrap().to_owned();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert!(options.headers().has_token(header::ALLOW, method), "{method} is not in {allowed}");
    }
    drop((session, options));
    served.end().await;
}

async fn what_is_refused(world: World) {
    let served = world.serve(notes()).await;
    let session = world.session();
    let missing = session.get(served.url("/nothing")).await.unwrap();
    assert_eq!(missing.status(), Status::NOT_FOUND);
    let error = missing.error_for_status().unwrap_err();
    assert_eq!(error.status(), Some(Status::NOT_FOUND));
    let wrong = session.post(served.url("/head")).body("x").await.unwrap();
    assert_eq!(wrong.status(), Status::METHOD_NOT_ALLOWED);
    assert!(wrong.headers().has_token(header::ALLOW, "GET") && !wrong.headers().has_token(header::ALLOW, "POST"));
    let parameter = session.get(served.url("/notes/seven")).await.unwrap();
    assert_eq!(parameter.status(), Status::BAD_REQUEST);
    drop((session, wrong, parameter));
    served.end().await;
}

async fn values_round_trip(world: World) {
    let app = App::new()
        .route("/search", get(async |Query(search): Query<Search>| Json(search)))
        .route("/json", post(async |Json(search): Json<Search>| Json(search)))
        .route("/{first}/{*rest}", get(async |Path((first, rest)): Path<(String, String)>| format!("{first}|{rest}")))
        .route("/raw", get(async |request: Request| request.target().to_string()));
    let served = world.serve(app).await;
    let session = world.session();
    let search = Search { text: "\u{fc}n\u{ef} & code=100% +?#".to_owned(), page: Some(2) };
    let request = session.get(served.url("/search")).query("text", &search.text).query("page", 2);
    assert_eq!(request.await.unwrap().json::<Search>().await.unwrap(), search);
    let response = session.post(served.url("/json")).json(&search).await.unwrap();
    assert_eq!(response.headers().text(header::CONTENT_TYPE), Some("application/json"));
    assert_eq!(response.json::<Search>().await.unwrap(), search);
    let path = session.get(served.url("/a%2Fb%20c/d/e%25")).await.unwrap();
    assert_eq!(path.text().await.unwrap(), "a/b c|d/e%");
    let raw = session.get(served.url("/raw?a=b&c=%20#fragment")).await.unwrap();
    assert_eq!(raw.text().await.unwrap(), "/raw?a=b&c=%20");
    let wrong = session.post(served.url("/json")).body("{").await.unwrap();
    assert!(wrong.status().is_client_error(), "{}", wrong.status());
    drop((session, wrong));
    served.end().await;
}

async fn one_connection_for_a_hundred(world: World) {
    let served = world.serve(App::new().route("/", get(async |peer: PeerAddress| peer.to_string()))).await;
    let session = world.session();
    let mut first = None;
    for number in 0..100 {
        let response = session.get(served.url("/")).await.unwrap();
        assert_eq!(response.is_reused(), number > 0, "request {number}");
        let seen = response.text().await.unwrap();
        assert_eq!(*first.get_or_insert(seen.clone()), seen, "request {number} came on another connection");
        assert_eq!(served.server.connections(), 1);
    }
    assert_eq!((session.snapshot().open(), session.snapshot().idle()), (1, 1));
    session.close_idle();
    served.until_open(0).await;
    served.end().await;
}

async fn http_1_0(world: World) {
    let served = world.serve(App::new().route("/", get(async || "old"))).await;
    let mut kept = served.connect().await;
    for _ in 0..3 {
        kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
        let (head, body) = kept.response().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!((field(&head, "Connection"), body.as_str()), (Some("keep-alive"), "old"));
    }
    kept.send("GET / HTTP/1.0\r\n\r\n").await;
    let rest = kept.rest().await.unwrap();
    assert!(rest.ends_with("\r\n\r\nold") && rest.contains("Connection: close"), "{rest}");
    drop(kept);
    let session = world.session();
    for number in 0..2 {
        let response = session.get(served.url("/")).version(Version::Http10).await.unwrap();
        assert_eq!(response.is_reused(), number > 0);
        assert_eq!(response.text().await.unwrap(), "old");
    }
    drop(session);
    served.end().await;
}

async fn pipelining(world: World) {
    const COUNT: usize = 50;
    let runtime = world.server.clone();
    let answer = async move |Path(number): Path<u32>| {
        // Some wait: the order must not be that of their ends.
        if number % 7 == 0 {
            runtime.sleep(std::time::Duration::from_millis(1)).await;
        }
        number.to_string()
    };
    let served = world.serve(App::new().route("/{number}", get(answer).post(async |body: String| body))).await;
    let mut peer = served.connect().await;
    let mut requests = String::new();
    for number in 0..COUNT {
        if number % 5 == 4 {
            write!(requests, "POST /0 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n{number:04}").unwrap();
        } else {
            write!(requests, "GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        }
    }
    peer.send(requests).await;
    for number in 0..COUNT {
        let (head, body) = peer.response().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!(body.parse(), Ok(number));
    }
    assert_eq!(served.server.connections(), 1);
    peer.finish().await;
    assert_eq!(peer.rest().await.unwrap(), "");
    served.until_open(0).await;
    served.end().await;
}

async fn trailers_to_the_server(world: World) {
    let sum = async |mut request: Request| {
        assert!(request.body().trailers().is_none());
        while let Some(chunk) = request.body_mut().next().await {
            chunk.unwrap();
        }
        let trailers = request.body().trailers().unwrap();
        assert!(!request.headers().contains("Checksum"), "trailers must not mix with the head");
        trailers.text("Checksum").unwrap().to_owned()
    };
    let served = world.serve(App::new().route("/", post(sum))).await;
    let mut peer = served.connect().await;
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n").await;
    peer.send("Checksum: 17\r\n\r\n").await;
    assert_eq!(peer.response().await.1, "17");
    drop(peer);
    served.end().await;
}

async fn trailers_to_the_client(world: World) {
    let mut listening = world.listen();
    let (session, url) = (world.session(), listening.url("/"));
    let serve = async {
        let mut peer = listening.accept().await;
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nChecksum: 17\r\n\r\n").await;
        peer
    };
    let ask = async {
        let mut response = session.get(&url).await.unwrap();
        while let Some(chunk) = response.chunk().await {
            chunk.unwrap();
        }
        response.trailers().unwrap().text("Checksum").unwrap().to_owned()
    };
    let (_peer, checksum) = futures_lite::future::zip(serve, ask).await;
    assert_eq!(checksum, "17");
}
