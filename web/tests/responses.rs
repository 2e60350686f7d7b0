//! Responses and middlewares: what is made of what a handler returns, and what runs around it.

use std::sync::{Arc, Mutex};

use callboard_web::{
    App, Body, BodyError, Bytes, Headers, Html, IntoResponse, Json, Method, Next, Redirect, Request, Response, Status,
    get,
};
use futures_lite::future::block_on;
use futures_lite::io::Cursor;

fn seen(value: impl IntoResponse) -> (u16, Option<String>, String) {
    let response = value.into_response();
    let status = response.status().code();
    let content_type = response.headers().text("content-type").map(str::to_owned);
    let bytes = block_on(response.bytes(1 << 20)).unwrap();
    (status, content_type, String::from_utf8(bytes.to_vec()).unwrap())
}

fn is(status: u16, content_type: &str, body: &str) -> (u16, Option<String>, String) {
    (status, (!content_type.is_empty()).then(|| content_type.to_owned()), body.to_owned())
}

#[test]
fn what_handlers_return_becomes_a_response() {
    const TEXT: &str = "text/plain; charset=utf-8";
    const BINARY: &str = "application/octet-stream";
    assert_eq!(seen("a"), is(200, TEXT, "a"));
    assert_eq!(seen(String::from("a")), is(200, TEXT, "a"));
    assert_eq!(seen(Bytes::from_static(b"a")), is(200, BINARY, "a"));
    assert_eq!(seen(vec![b'a']), is(200, BINARY, "a"));
    assert_eq!(seen(&b"a"[..]), is(200, BINARY, "a"));
    assert_eq!(seen(()), is(200, "", ""));
    assert_eq!(seen(Status::NO_CONTENT), is(204, "", ""));
    assert_eq!(seen(Html("<p>")), is(200, "text/html; charset=utf-8", "<p>"));
    assert_eq!(seen(Json([1, 2])), is(200, "application/json", "[1,2]"));
    assert_eq!(seen((Status::CREATED, "a")), is(201, TEXT, "a"));
    assert_eq!(seen(Ok::<_, Status>("a")), is(200, TEXT, "a"));
    assert_eq!(seen(Err::<&str, _>(Status::CONFLICT)), is(409, "", ""));
    assert_eq!(seen(([("Content-Type", "text/csv")], "a")), is(200, "text/csv", "a"));
    assert_eq!(seen((Status::ACCEPTED, [("X-A", "b")], "a")), is(202, TEXT, "a"));
    assert_eq!(seen(Body::from("a")), is(200, "", "a"));
    let mut headers = Headers::new();
    headers.append("Content-Type", "text/csv").unwrap();
    headers.append("Set-Cookie", "a=1").unwrap();
    headers.append("Set-Cookie", "b=2").unwrap();
    let response = (Status::CREATED, headers, "a").into_response();
    assert_eq!(response.headers().get_all("set-cookie").count(), 2);
    assert_eq!(seen(response), is(201, "text/csv", "a"));
}

#[test]
fn redirects_name_their_place() {
    for (redirect, status) in
        [(Redirect::to("/new"), 303), (Redirect::temporary("/new"), 307), (Redirect::permanent("/new"), 308)]
    {
        let response = redirect.into_response();
        assert_eq!((response.status().code(), response.headers().text("Location")), (status, Some("/new")));
    }
}

#[test]
fn nothing_can_be_smuggled_into_a_field() {
    let response = Redirect::to("/new\r\nSet-Cookie: a=1").into_response();
    assert_eq!(response.status(), Status::INTERNAL_SERVER_ERROR);
    assert!(!response.headers().contains("Location") && !response.headers().contains("Set-Cookie"));
    let (status, _, text) = seen(Response::default().with_header("Bad Name", "x"));
    assert!(status == 500 && text.contains("Bad Name"), "{text}");
}

#[test]
fn json_that_cannot_be_written_is_our_fault() {
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(seen(Json(map)).0, 500);
}

#[test]
fn readers_and_streams_are_bodies() {
    let text = "x".repeat(50_000);
    assert_eq!(seen(Body::from_reader(Cursor::new(text.clone()))).2, text);
    let parts = ["a", "b", "c"].map(|part| Ok::<_, BodyError>(Bytes::from_static(part.as_bytes())));
    assert_eq!(seen(Body::stream(futures_lite::stream::iter(parts))).2, "abc");
    let mut body = Body::full("abc");
    assert_eq!(block_on(body.next()).unwrap().unwrap(), "abc");
    assert!(block_on(body.next()).is_none());
}

#[test]
fn a_body_is_collected_up_to_its_limit() {
    assert!(matches!(block_on(Body::full("abcd").collect(3)), Err(BodyError::TooLarge { limit: 3 })));
    assert_eq!(block_on(Body::full("abc").collect(3)).unwrap(), "abc");
    assert_eq!(block_on(Body::empty().collect(0)).unwrap(), "");
}

type Log = Arc<Mutex<Vec<String>>>;

fn note(log: &Log, text: impl Into<String>) {
    log.lock().unwrap().push(text.into());
}

fn logging(name: &'static str, log: &Log) -> impl Fn(Request, Next) -> futures_lite::future::Boxed<Response> + use<> {
    let log = Arc::clone(log);
    move |request, next| {
        let log = Arc::clone(&log);
        Box::pin(async move {
            note(&log, format!("{name} before {}", request.route().unwrap_or("none")));
            let response = next.run(request).await;
            note(&log, format!("{name} after {}", response.status().code()));
            response
        })
    }
}

#[test]
fn middlewares_run_around_each_other_and_for_every_answer() {
    let log = Log::default();
    let app = App::new()
        .route("/", get(async || "hello"))
        .middleware(logging("outer", &log))
        .middleware(logging("inner", &log));
    let service = app.into_service().unwrap();
    for (method, target) in [(Method::Get, "/"), (Method::Get, "/nowhere"), (Method::Post, "/")] {
        block_on(service.call(Request::new(method, target).unwrap()));
    }
    let expected = [
        "outer before /",
        "inner before /",
        "inner after 200",
        "outer after 200",
        "outer before none",
        "inner before none",
        "inner after 404",
        "outer after 404",
        "outer before /",
        "inner before /",
        "inner after 405",
        "outer after 405",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

async fn authenticate(mut request: Request, next: Next) -> Result<Response, (Status, &'static str)> {
    if request.headers().text("Authorization") != Some("open sesame") {
        return Err((Status::UNAUTHORIZED, "no"));
    }
    request.extensions_mut().insert(User("ali"));
    Ok(next.run(request).await.with_header("X-User", "ali"))
}

#[test]
fn a_middleware_may_answer_itself_or_leave_something_for_the_handler() {
    let greet = async |request: Request| format!("{:?}", request.extensions().get::<User>());
    let service = App::new().route("/", get(greet)).middleware(authenticate).into_service().unwrap();
    let refused = block_on(service.call(Request::new(Method::Get, "/").unwrap()));
    assert_eq!(refused.status(), Status::UNAUTHORIZED);
    let request = Request::new(Method::Get, "/").unwrap().with_header("Authorization", "open sesame").unwrap();
    let response = block_on(service.call(request));
    assert_eq!(response.headers().text("x-user"), Some("ali"));
    assert_eq!(seen(response).2, r#"Some(User("ali"))"#);
}
