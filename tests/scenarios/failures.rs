//! What cannot work, each as a typed error that says what and where; and redirections, which mostly can.

use callboard::client::{Delivery, Error, ErrorKind, Phase};
use callboard::core::redirect::RedirectError;
use callboard::web::{App, Body, Redirect, Request, Response, StartError, get, post};
use callboard::{Endpoint, Status, header};
use futures_lite::future::zip;

use crate::signal::bell;
use crate::world::{World, scenarios};

scenarios!(
    urls_that_name_nothing,
    nobody_listens,
    a_name_that_nobody_has,
    a_port_in_use,
    addresses_that_are_none,
    no_http_at_all,
    servers_that_go_away,
    a_reset_is_no_end,
    many_at_once,
    redirections_are_followed,
    redirections_that_go_nowhere,
    redirections_keep_secrets_at_home,
);

/// Checks phase and delivery, and that the text says all of `says`.
pub(crate) fn check(error: &Error, phase: Phase, delivery: Delivery, says: &[&str]) {
    assert_eq!((error.phase(), error.delivery()), (phase, delivery), "{error:?}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    for said in says {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
}

async fn urls_that_name_nothing(world: World) {
    let session = world.session();
    for (url, says) in [
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("/path", "no"),
        ("", "no"),
        ("http://a:99999/", "port"),
        ("ftp://a/", "ftp"),
        ("unix:/socket", "unix"),
        ("http://[::1/", "IPv6"),
    ] {
        let error = session.get(url).await.unwrap_err();
        check(&error, Phase::Url, Delivery::NeverSent, &["url: ", says]);
    }
    let error = session.get("http://a/").header("Bad name", "x").await.unwrap_err();
    check(&error, Phase::Build, Delivery::NeverSent, &["build: "]);
    let error = session.get("http://a/").header("X", "a\r\nInjected: b").await.unwrap_err();
    check(&error, Phase::Build, Delivery::NeverSent, &["build: "]);
}

async fn nobody_listens(world: World) {
    let listening = world.listen();
    let url = listening.url("/secret?token=1");
    drop(listening);
    let error = world.session().get(&url).await.unwrap_err();
    check(&error, Phase::Connect, Delivery::NeverSent, &["connect: ", "refused"]);
    let ErrorKind::Connect(tried) = error.kind() else { panic!("{error:?}") };
    assert_eq!(tried.len(), 1);
    assert_eq!(tried[0].1.kind(), std::io::ErrorKind::ConnectionRefused);
    let (text, port) = (error.to_string(), tried[0].0.tcp().unwrap().port());
    assert!(text.contains(&format!(":{port}")) && !text.contains("token"), "{text}");
    assert!(url.starts_with(error.host().unwrap()), "{error:?}");
}

async fn a_name_that_nobody_has(world: World) {
    // Too long for a label: no resolver asks the network for it.
    let name = "a".repeat(64);
    let error = world.session().get(format!("http://{name}/")).await.unwrap_err();
    check(&error, Phase::Dns, Delivery::NeverSent, &["dns: ", "look-up failed", &name]);
    assert!(matches!(error.kind(), ErrorKind::Resolve(_)), "{error:?}");
}

async fn a_port_in_use(world: World) {
    let served = world.serve(App::new()).await;
    let error = App::new().serve(world.server.clone(), served.endpoint.clone()).await.unwrap_err();
    let StartError::Listen { address, error: cause } = &error else { panic!("{error:?}") };
    assert_eq!((address, cause.kind()), (&served.endpoint, std::io::ErrorKind::AddrInUse));
    let port = served.endpoint.tcp().unwrap().port();
    assert!(error.to_string().contains(&format!(":{port}")), "{error}");
    served.end().await;
}

async fn addresses_that_are_none(world: World) {
    for address in ["127.0.0.1", "127.0.0.1:99999", "::1:80", "unix:", "", "a b:80", "host:"] {
        let error = App::new().serve(world.server.clone(), address).await.unwrap_err();
        assert!(matches!(error, StartError::InvalidAddress { .. }), "{address}: {error:?}");
        assert!(error.to_string().contains(&format!("{address:?}")), "{error}");
    }
    let name = format!("{}:80", "a".repeat(64));
    let error = App::new().serve(world.server.clone(), name.as_str()).await.unwrap_err();
    assert!(matches!(error, StartError::Resolve { .. }) && error.to_string().contains(&name), "{error:?}");
    // An address of somebody else (RFC 5737).
    let foreign = Endpoint::Tcp("192.0.2.1:80".parse().unwrap());
    let error = App::new().serve(world.server.clone(), foreign).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }) && error.to_string().contains("192.0.2.1:80"), "{error:?}");
}

async fn no_http_at_all(world: World) {
    for (said, phase) in [
        ("SSH-2.0-OpenSSH_9.6\r\n", Phase::Head),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Phase::Head),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Phase::Body),
        ("HTTP/9.9 200 OK\r\n\r\n", Phase::Head),
    ] {
        let mut listening = world.listen();
        let url = listening.url("/");
        let serve = async {
            let mut peer = listening.accept().await;
            peer.head().await;
            peer.send(said).await;
            peer
        };
        let ask = async {
            let error = match world.session().get(&url).await {
                Ok(response) => response.bytes().await.unwrap_err(),
                Err(error) => error,
            };
            check(&error, phase, Delivery::Answered, &["(peer "]);
            assert!(matches!(error.kind(), ErrorKind::Receive(_)), "{error:?}");
        };
        zip(serve, ask).await;
    }
}

/// After a close the error is exact; a reset may also destroy what had come.
async fn servers_that_go_away(world: World) {
    for (said, phase, delivery) in [
        ("", Phase::Head, Delivery::MaybeSent),
        ("HTTP/1.1 200 OK\r\nX-Cut: a", Phase::Head, Delivery::Answered),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart", Phase::Body, Delivery::Answered),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", Phase::Body, Delivery::Answered),
    ] {
        for resets in [false, true] {
            let mut listening = world.listen();
            let (session, url) = (world.session(), listening.url("/"));
            let serve = async {
                let mut peer = listening.accept().await;
                peer.head().await;
                peer.send(said).await;
                if resets {
                    peer.reset();
                }
            };
            let ask = async {
                let error = match session.get(&url).await {
                    Ok(response) => response.bytes().await.unwrap_err(),
                    Err(error) => error,
                };
                if resets {
                    assert!(error.phase() >= Phase::Head && error.delivery() != Delivery::NeverSent, "{error:?}");
                    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
                } else {
                    check(&error, phase, delivery, &["connection ended", "(peer "]);
                }
                assert_eq!(session.snapshot().open(), 0);
            };
            zip(serve, ask).await;
        }
    }
}

/// A body that lasts until the connection ends is whole only if that end is one.
async fn a_reset_is_no_end(world: World) {
    for round in 0..world.choose(50, 5) {
        let mut listening = world.listen();
        let url = listening.url("/");
        let serve = async {
            let mut peer = listening.accept().await;
            peer.head().await;
            peer.send("HTTP/1.1 200 OK\r\n\r\nall there is").await;
            if round % 2 == 0 {
                peer.reset();
            }
        };
        let session = world.session();
        let ask = async { session.get(&url).await?.text().await };
        let ((), answer) = zip(serve, ask).await;
        if round % 2 == 0 {
            let error = answer.expect_err("a cut body passed for a whole one");
            assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
        } else {
            assert_eq!(answer.unwrap(), "all there is");
        }
    }
}

/// Sessions of several tasks, some of which give up, on one server.
async fn many_at_once(world: World) {
    let (tell, told) = bell();
    let served = world.serve(App::new().route("/", post(async |body: Body| body))).await;
    let session = world.session();
    for number in 0..world.choose(200, 40) {
        let (session, url, tell) = (session.clone(), served.url("/"), tell.clone());
        let task = async move {
            let text = number.to_string().repeat(number * 50);
            let request = session.post(url).body(text.clone()).send();
            if number % 3 == 0 {
                // Polled once, somewhere on its way; a server on another core may have answered already.
                let Some(answer) = futures_lite::future::poll_once(request).await else { return tell.say(true) };
                return tell.say(answer.unwrap().text().await.unwrap() == text);
            }
            tell.say(request.await.unwrap().text().await.unwrap() == text);
        };
        let worker = number % world.client.workers();
        world.client.spawn_on(worker, Box::new(move || Box::pin(task)));
    }
    for _ in 0..world.choose(200, 40) {
        assert!(told.heard().await, "an answer is not that of its request");
    }
    let snapshot = session.snapshot();
    assert_eq!((snapshot.waiting(), snapshot.open()), (0, snapshot.idle()));
    drop(session);
    served.end().await;
}

/// Says what came: method, path and body.
async fn report(mut request: Request) -> String {
    let body = request.body_mut().next().await.map_or(0, |chunk| chunk.unwrap().len());
    let authorization = request.headers().text(header::AUTHORIZATION).unwrap_or("none").to_owned();
    format!("{} {} {body} {authorization}", request.method(), request.target())
}

fn moved(status: Status, to: &str) -> Response {
    Response::default().with_status(status).with_header(header::LOCATION, to)
}

async fn redirections_are_followed(world: World) {
    let app = App::new()
        .route("/end", get(report).post(report).put(report))
        .route("/see-other", post(async || Redirect::to("/end?see")))
        .route("/temporary", post(async || Redirect::temporary("end?temporary")))
        .route(
            "/permanent",
            get(async || Redirect::permanent("./temporary/../end")).put(async || Redirect::permanent("/end")),
        )
        .route("/chain", get(async || moved(Status::MOVED_PERMANENTLY, "/permanent")));
    let served = world.serve(app).await;
    let session = world.session();
    for (request, arrived, hops) in [
        (session.post(served.url("/see-other")).body("four"), "GET /end?see 0 none", 1),
        (session.post(served.url("/temporary")).body("four"), "POST /end?temporary 4 none", 1),
        (session.put(served.url("/permanent")).body("four"), "PUT /end 4 none", 1),
        (session.get(served.url("/chain#part")), "GET /end 0 none", 2),
    ] {
        let response = request.await.unwrap();
        assert_eq!(response.history().len(), hops);
        assert_eq!(response.url().path(), "/end");
        assert_eq!(response.text().await.unwrap(), arrived);
    }
    let fragment = session.get(served.url("/chain#part")).await.unwrap();
    assert_eq!(fragment.url().fragment(), Some("part"));
    let none = session.get(served.url("/chain")).redirects(0).await.unwrap();
    assert_eq!((none.status(), none.history().len()), (Status::MOVED_PERMANENTLY, 0));
    drop((session, fragment, none));
    served.end().await;
}

async fn redirections_that_go_nowhere(world: World) {
    let app = App::new()
        .route("/loop", get(async || Redirect::to("/loop")))
        .route("/scheme", get(async || moved(Status::FOUND, "file:///etc/passwd")))
        .route("/upload", post(async || Redirect::temporary("/loop")));
    let served = world.serve(app).await;
    let session = world.session();
    let error = session.get(served.url("/loop")).redirects(3).await.unwrap_err();
    check(&error, Phase::Redirect, Delivery::Answered, &["redirect: "]);
    assert!(matches!(error.kind(), ErrorKind::Redirect(RedirectError::TooMany)), "{error:?}");
    let error = session.get(served.url("/scheme")).await.unwrap_err();
    check(&error, Phase::Redirect, Delivery::Answered, &["redirect: "]);
    let parts = futures_lite::stream::iter([Ok::<_, std::io::Error>("part".into())]);
    let error = session.post(served.url("/upload")).body_stream(parts, None).await;
    match error {
        Err(error) => check(&error, Phase::Redirect, Delivery::Answered, &["redirect: "]),
        Ok(response) => panic!("a stream was sent twice: {response:?}"),
    }
    drop(session);
    served.end().await;
}

async fn redirections_keep_secrets_at_home(world: World) {
    let away = world.serve(App::new().route("/end", get(report))).await;
    let (here, there) = ("/end".to_owned(), away.url("/end"));
    let app = App::new()
        .route("/end", get(report))
        .route("/here", get(async move || moved(Status::FOUND, &here)))
        .route("/there", get(async move || moved(Status::FOUND, &there)));
    let served = world.serve(app).await;
    let session = world.session();
    for (path, arrived) in [("/here", "GET /end 0 secret"), ("/there", "GET /end 0 none")] {
        let response = session.get(served.url(path)).header(header::AUTHORIZATION, "secret").await.unwrap();
        assert_eq!(response.text().await.unwrap(), arrived);
    }
    drop(session);
    served.end().await;
    away.end().await;
}
