//! Cookies between a session and an app: kept, sent, merged, and kept from other origins.

use callboard::Status;
use callboard::client::{CookieJar, CookieStore, Session, SharedJar, Url};
use callboard::core::cookies::Access;
use callboard::web::{App, Cookies, Path, Redirect, Response, SetCookie, get};

use crate::world::{World, scenarios};

scenarios!(kept_and_sent, along_redirections, of_one_request, to_other_origins, another_store);

/// `/show` answers with the `Cookie` field; `/set/NAME/VALUE` sets and leads there; `/expire/NAME` removes.
fn app() -> App {
    let show = get(async |cookies: Cookies| {
        let pair = |(name, value)| format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        cookies.iter().map(pair).collect::<Vec<_>>().join("; ")
    });
    let set = get(async |Path((name, value)): Path<(String, String)>| {
        let cookie = SetCookie::new(name, value).with_path("/");
        callboard::web::IntoResponse::into_response(Redirect::to("/show")).with_cookie(&cookie)
    });
    let expire = get(async |Path(name): Path<String>| Response::new("").remove_cookie(&name));
    App::new().route("/show", show).route("/set/{name}/{value}", set).route("/expire/{name}", expire)
}

async fn text(request: callboard::client::RequestBuilder) -> String {
    let response = request.await.unwrap();
    assert_eq!(response.status(), Status::OK);
    response.text().await.unwrap()
}

async fn kept_and_sent(world: World) {
    let served = world.serve(app()).await;
    let session = world.session();
    assert_eq!(text(session.get(served.url("/show"))).await, "");
    text(session.get(served.url("/set/a/1"))).await;
    text(session.get(served.url("/set/b/2"))).await;
    assert_eq!(text(session.clone().get(served.url("/show"))).await, "a=1; b=2");
    text(session.get(served.url("/expire/a"))).await;
    assert_eq!(text(session.get(served.url("/show"))).await, "b=2");
    let jar = session.cookie_jar().unwrap();
    assert_eq!(jar.with(|jar| jar.len()), 1);
    // Another session that is given the jar has its cookies; one without a store has none.
    let friend = Session::builder(world.client.clone()).cookie_jar(jar.clone()).build();
    assert_eq!(text(friend.get(served.url("/show"))).await, "b=2");
    let plain = Session::builder(world.client.clone()).no_cookies().build();
    assert!(plain.cookie_jar().is_none());
    text(plain.get(served.url("/set/c/3"))).await;
    assert_eq!(text(plain.get(served.url("/show"))).await, "");
    jar.with(CookieJar::clear);
    assert_eq!(text(session.get(served.url("/show"))).await, "");
    drop((session, friend, plain));
    served.end().await;
}

async fn along_redirections(world: World) {
    let served = world.serve(app()).await;
    let session = world.session();
    // The cookie of the first answer goes with the second request.
    assert_eq!(text(session.get(served.url("/set/a/1"))).await, "a=1");
    assert_eq!(text(session.get(served.url("/set/a/2"))).await, "a=2");
    drop(session);
    served.end().await;
}

async fn of_one_request(world: World) {
    let served = world.serve(app()).await;
    let session = world.session();
    text(session.get(served.url("/set/kept/1"))).await;
    let show = || session.get(served.url("/show"));
    // On top of what is kept, in place of what has its name, and not kept.
    assert_eq!(text(show().cookie("own", "\"2\"")).await, "kept=1; own=\"2\"");
    assert_eq!(text(show().cookie("kept", "3").cookie("kept", "4")).await, "kept=4");
    assert_eq!(text(show().header("Cookie", "given=5; kept=6")).await, "given=5; kept=1");
    assert_eq!(text(show().header("Cookie", "given=5").cookie("given", "7")).await, "kept=1; given=7");
    assert_eq!(text(show()).await, "kept=1");
    // A redirection within the origin keeps them.
    assert_eq!(text(session.get(served.url("/set/kept/8")).cookie("own", "9")).await, "kept=8; own=9");
    // With nothing kept they are sent all the same, and so is a field set by hand.
    let plain = Session::builder(world.client.clone()).no_cookies().build();
    assert_eq!(text(plain.get(served.url("/show")).cookie("own", "1")).await, "own=1");
    assert_eq!(text(plain.get(served.url("/show")).header("Cookie", "given=1")).await, "given=1");
    for (name, value) in [("", "1"), ("a b", "1"), ("a=", "1"), ("a", "1;2"), ("a", " 1"), ("a", "1\r\nX: y")] {
        let error = show().cookie(name, value).await.unwrap_err();
        assert_eq!(error.phase(), callboard::client::Phase::Build, "{name}={value}: {error}");
    }
    drop((session, plain));
    served.end().await;
}

async fn to_other_origins(world: World) {
    let other = world.serve(app()).await;
    let target = other.url("/show");
    let away = get(async move || Redirect::to(&target));
    let served = world.serve(app().route("/away", away)).await;
    // Of its own host, whichever the port, the jar's cookies go; those of one request and a field set by hand do not.
    let session = world.session();
    text(session.get(served.url("/set/kept/1"))).await;
    let request = session.get(served.url("/away")).cookie("own", "2").header("Cookie", "given=3");
    assert_eq!(text(request).await, "kept=1");
    drop(session);
    served.end().await;
    other.end().await;
}

/// Counts, and sends what it likes.
#[derive(Debug, Default)]
struct Counting(SharedJar, std::sync::atomic::AtomicUsize);

impl CookieStore for Counting {
    fn store(&self, url: &Url, fields: &mut dyn Iterator<Item = &[u8]>, unix_seconds: u64) {
        for field in fields {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.0.with(|jar| jar.set_field(field, url, Access::default(), unix_seconds)).unwrap();
        }
    }

    fn cookies(&self, _: &Url, _: u64) -> Option<Vec<u8>> {
        let count = self.1.load(std::sync::atomic::Ordering::Relaxed);
        (count > 0).then(|| format!("count={count}").into_bytes())
    }
}

async fn another_store(world: World) {
    let served = world.serve(app()).await;
    let session = Session::builder(world.client.clone()).cookie_store(Counting::default()).build();
    assert!(session.cookie_jar().is_none());
    assert_eq!(text(session.get(served.url("/show"))).await, "");
    assert_eq!(text(session.get(served.url("/set/a/1"))).await, "count=1");
    assert_eq!(text(session.get(served.url("/set/a/1"))).await, "count=2");
    drop(session);
    served.end().await;
}
