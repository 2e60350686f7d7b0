//! Extractors: what they take, what they refuse, and with which status and text.

use std::collections::BTreeMap;

use callboard_web::{
    App, Body, Bytes, Data, Extensions, FromRequestParts, Headers, Json, Method, MethodRouter, Path, PeerAddress,
    PeerGone, Query, Request, RequestParts, StartError, Status, Target, Upgrade, Version, get, post,
};
use futures_lite::future::block_on;
use serde::{Deserialize, Serialize};

fn send(app: App, request: Request) -> (u16, String) {
    let service = app.into_service().unwrap();
    block_on(async {
        let response = service.call(request).await;
        let status = response.status().code();
        (status, String::from_utf8(response.bytes(1 << 24).await.unwrap().to_vec()).unwrap())
    })
}

fn get_from(path: &str, methods: MethodRouter, target: &str) -> (u16, String) {
    send(App::new().route(path, methods), Request::new(Method::Get, target).unwrap())
}

fn post_to(methods: MethodRouter, content_type: &str, body: impl Into<Body>) -> (u16, String) {
    let request = Request::new(Method::Post, "/").unwrap();
    let request = request.with_header("Content-Type", content_type).unwrap().with_body(body);
    send(App::new().route("/", methods).body_limit(100), request)
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
}

#[derive(Debug, Deserialize)]
struct Place {
    user: String,
    post: u32,
}

#[test]
fn path_parameters_are_values_tuples_structs_or_maps() {
    let number = || get(async |Path(id): Path<u32>| format!("{id}"));
    assert_eq!(get_from("/{id}", number(), "/42"), ok("42"));
    let text = || get(async |Path(id): Path<String>| id);
    assert_eq!(get_from("/{id}", text(), "/a%2Fb"), ok("a/b"));
    let color = || get(async |Path(color): Path<Color>| format!("{color:?}"));
    assert_eq!(get_from("/{id}", color(), "/green"), ok("Green"));
    let pair = || get(async |Path((user, post)): Path<(String, u32)>| format!("{user} {post}"));
    assert_eq!(get_from("/{user}/{post}", pair(), "/ann/3"), ok("ann 3"));
    let place = || get(async |Path(place): Path<Place>| format!("{} {}", place.user, place.post));
    assert_eq!(get_from("/{post}/of/{user}", place(), "/3/of/ann"), ok("ann 3"));
    let map = || get(async |Path(map): Path<BTreeMap<String, String>>| format!("{map:?}"));
    assert_eq!(get_from("/{b}/{a}", map(), "/1/2"), ok(r#"{"a": "2", "b": "1"}"#));
    let list = || get(async |Path(list): Path<Vec<u8>>| format!("{list:?}"));
    assert_eq!(get_from("/{b}/{a}", list(), "/1/2"), ok("[1, 2]"));
    let option = || get(async |Path(id): Path<Option<u8>>| format!("{id:?}"));
    assert_eq!(get_from("/{id}", option(), "/1"), ok("Some(1)"));
    let flag = || get(async |Path((flag, sign)): Path<(bool, char)>| format!("{flag} {sign}"));
    assert_eq!(get_from("/{flag}/{sign}", flag(), "/true/x"), ok("true x"));
}

#[test]
fn path_parameters_that_do_not_parse_are_the_peers_fault() {
    let number = || get(async |Path(id): Path<u8>| format!("{id}"));
    let expected = r#"path parameter `id`: "300" is not an integer of 8 bits without sign"#;
    assert_eq!(get_from("/{id}", number(), "/300"), (400, expected.to_owned()));
    let place = || get(async |Path(place): Path<Place>| format!("{} {}", place.user, place.post));
    let (status, text) = get_from("/{user}/{post}", place(), "/ann/x");
    assert!(status == 400 && text.contains("`post`"), "{text}");
    let color = || get(async |Path(color): Path<Color>| format!("{color:?}"));
    assert_eq!(get_from("/{id}", color(), "/blue").0, 400);
}

#[test]
fn types_that_do_not_suit_the_route_are_our_fault() {
    let pair = || get(async |Path((user, post)): Path<(String, u32)>| format!("{user} {post}"));
    let expected = "the handler wants 2 path parameters, the route has 1";
    assert_eq!(get_from("/{user}", pair(), "/ann"), (500, expected.to_owned()));
    let number = || get(async |Path(id): Path<u8>| format!("{id}"));
    assert_eq!(get_from("/{a}/{b}", number(), "/1/2").0, 500);
    assert_eq!(get_from("/", number(), "/").0, 500);
    let place = || get(async |Path(place): Path<Place>| format!("{} {}", place.user, place.post));
    assert_eq!(get_from("/{other}", place(), "/ann").0, 500);
}

#[derive(Debug, Deserialize)]
struct Search {
    text: String,
    page: Option<u32>,
    #[serde(default)]
    tag: Vec<String>,
    #[serde(default)]
    exact: bool,
    color: Option<Color>,
}

fn search() -> MethodRouter {
    get(async |Query(search): Query<Search>| {
        format!("{} {:?} {:?} {} {:?}", search.text, search.page, search.tag, search.exact, search.color)
    })
}

#[test]
fn query_fields_are_taken_by_name() {
    assert_eq!(get_from("/", search(), "/?text=a+b%26"), ok("a b& None [] false None"));
    let target = "/?tag=x&text=a&page=2&exact=true&tag=y&color=red&unknown=1&unknown=2";
    assert_eq!(get_from("/", search(), target), ok(r#"a Some(2) ["x", "y"] true Some(Red)"#));
    assert_eq!(get_from("/", search(), "/?text=&page="), ok(" None [] false None"));
    let pairs = || get(async |Query(pairs): Query<BTreeMap<String, Vec<String>>>| format!("{pairs:?}"));
    assert_eq!(get_from("/", pairs(), "/?b=1&a=2&b=3"), ok(r#"{"a": ["2"], "b": ["1", "3"]}"#));
    assert_eq!(get_from("/", pairs(), "/"), ok("{}"));
}

#[test]
fn queries_that_do_not_fit_are_refused() {
    for (target, expected) in [
        ("/", "query: missing field `text`"),
        ("/?text=a&text=b", "query: key `text`: given 2 times where one value is wanted"),
        ("/?text=a&page=x", r#"query: key `page`: "x" is not an integer of 32 bits without sign"#),
        ("/?text=a&exact=1", r#"query: key `exact`: "1" is not true or false"#),
    ] {
        assert_eq!(get_from("/", search(), target), (400, expected.to_owned()));
    }
    let (status, text) = get_from("/", search(), "/?text=a&color=blue");
    assert!(status == 400 && text.contains("`blue`") && text.contains("`red`"), "{text}");
}

#[derive(Deserialize, Serialize)]
struct Point {
    x: i32,
    y: i32,
}

#[test]
fn json_is_checked_in_steps() {
    let mirror = || post(async |Json(point): Json<Point>| Json(Point { x: point.y, y: point.x }));
    assert_eq!(post_to(mirror(), "application/json", r#"{"x":1,"y":2}"#), ok(r#"{"x":2,"y":1}"#));
    assert_eq!(post_to(mirror(), "application/geo+json; charset=utf-8", r#"{"x":1,"y":2}"#).0, 200);
    assert_eq!(post_to(mirror(), "text/plain", r#"{"x":1,"y":2}"#).0, 415);
    let (status, text) = post_to(mirror(), "application/json", "{\n\"x\": 1,,");
    assert!(status == 400 && text.contains("line 2 column 8"), "{text}");
    let (status, text) = post_to(mirror(), "application/json", r#"{"x":1}"#);
    assert!(status == 422 && text.contains("missing field `y`"), "{text}");
    assert_eq!(post_to(mirror(), "application/json", "").0, 400);
    let (status, text) = post_to(mirror(), "application/json", vec![b' '; 101]);
    assert_eq!((status, text.as_str()), (413, "the body is longer than 100 bytes"));
}

#[test]
fn bodies_are_collected_within_the_limit() {
    let bytes = || post(async |bytes: Bytes| bytes);
    let text = || post(async |text: String| text);
    assert_eq!(post_to(bytes(), "x/y", "hello"), ok("hello"));
    assert_eq!(post_to(text(), "x/y", "hello"), ok("hello"));
    assert_eq!(post_to(text(), "x/y", vec![0xff]), (400, "the body is not UTF-8".to_owned()));
    assert_eq!(post_to(bytes(), "x/y", vec![0; 100]).0, 200);
    assert_eq!(post_to(bytes(), "x/y", vec![0; 101]).0, 413);
    let chunks = |count: usize| {
        Body::stream(futures_lite::stream::iter(
            (0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"ten bytes!"))),
        ))
    };
    assert_eq!(post_to(bytes(), "x/y", chunks(10)).1.len(), 100);
    assert_eq!(post_to(bytes(), "x/y", chunks(11)).0, 413);
    // A stream is not limited but by its reader.
    let count = || {
        post(async |mut body: Body| {
            let mut count = 0;
            while let Some(chunk) = body.next().await {
                count += chunk.unwrap().len();
            }
            count.to_string()
        })
    };
    assert_eq!(post_to(count(), "x/y", chunks(1_000)), ok("10000"));
}

#[test]
fn a_body_that_fails_is_answered_by_its_status() {
    let failing = Body::stream(futures_lite::stream::once(Err::<Bytes, _>(std::io::Error::other("lost"))));
    assert_eq!(
        post_to(post(async |bytes: Bytes| bytes), "x/y", failing),
        (500, "500 Internal Server Error".to_owned())
    );
}

#[test]
fn parts_of_the_head_are_extractors() {
    let parts = get(async |method: Method, target: Target, version: Version, headers: Headers| {
        format!("{method} {target} {version} {:?}", headers.text("accept"))
    });
    let request = Request::new(Method::Get, "/?a").unwrap().with_header("Accept", "x/y").unwrap();
    assert_eq!(send(App::new().route("/", parts), request), ok("GET /?a HTTP/1.1 Some(\"x/y\")"));
}

#[test]
fn what_needs_a_connection_says_so() {
    let peer = get(async |peer: PeerAddress| peer.to_string());
    assert_eq!(get_from("/", peer, "/").0, 500);
    assert_eq!(get_from("/", get(async |peer: Option<PeerAddress>| format!("{peer:?}")), "/"), ok("None"));
    assert_eq!(get_from("/", get(async |gone: PeerGone| gone.is_gone().to_string()), "/"), ok("false"));
    assert_eq!(get_from("/", get(async |_: Upgrade| "upgraded"), "/").0, 426);
}

#[test]
fn rejections_can_be_had_instead() {
    let option = || get(async |number: Option<Path<u8>>| format!("{:?}", number.map(|Path(number)| number)));
    assert_eq!(get_from("/{id}", option(), "/7"), ok("Some(7)"));
    assert_eq!(get_from("/{id}", option(), "/x"), ok("None"));
    let result = || {
        post(async |json: Result<Json<u8>, _>| match json {
            Ok(Json(number)) => number.to_string(),
            Err(rejection) => {
                let rejection: callboard_web::extract::JsonRejection = rejection;
                format!("not JSON: {}", rejection.status())
            }
        })
    };
    assert_eq!(post_to(result(), "application/json", "7"), ok("7"));
    assert_eq!(post_to(result(), "text/plain", "7"), ok("not JSON: 415 Unsupported Media Type"));
    let body = || post(async |text: Option<String>| format!("{text:?}"));
    assert_eq!(post_to(body(), "x/y", vec![0xff]), ok("None"));
}

struct Counter(u32);

#[test]
fn data_is_checked_at_the_start() {
    let count = async |counter: Data<Counter>, _: Option<Data<String>>| counter.0.0.to_string();
    let app = || App::new().route("/", post(count)).route("/free", get(async || ""));
    let Err(StartError::MissingData { route, type_name }) = app().into_service() else { panic!("it started") };
    assert_eq!(route, "POST /");
    assert!(type_name.ends_with("Counter"), "{type_name}");
    let request = Request::new(Method::Post, "/").unwrap();
    assert_eq!(send(app().data(Counter(1)).data(Counter(2)), request), ok("2"));
    let Err(error) = App::new().fallback(count).into_service() else { panic!("it started") };
    assert!(error.to_string().starts_with("the fallback needs data of type"), "{error}");
    let Err(error) = App::new().connect(count).into_service() else { panic!("it started") };
    assert!(error.to_string().contains("CONNECT"), "{error}");
}

#[derive(Debug)]
struct Agent(String);

impl FromRequestParts for Agent {
    type Rejection = (Status, &'static str);

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.text("User-Agent").ok_or((Status::FORBIDDEN, "who are you?"))?;
        Ok(Self(agent.to_owned()))
    }
}

#[test]
fn extractors_can_be_written() {
    let app = || App::new().route("/", get(async |Agent(agent): Agent| agent));
    let request = Request::new(Method::Get, "/").unwrap();
    assert_eq!(send(app(), request), (403, "who are you?".to_owned()));
    let request = Request::new(Method::Get, "/").unwrap().with_header("User-Agent", "me").unwrap();
    assert_eq!(send(app(), request), ok("me"));
}

#[test]
fn twelve_extractors_are_accepted() {
    #[expect(clippy::too_many_arguments, reason = "the most there can be")]
    async fn handler(
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        _: Method,
        Path(id): Path<u8>,
        text: String,
    ) -> String {
        format!("{id} {text}")
    }
    let request = Request::new(Method::Post, "/1").unwrap().with_body("two");
    assert_eq!(send(App::new().route("/{id}", post(handler)), request), ok("1 two"));
}

#[test]
fn extensions_hold_one_value_per_type() {
    let mut extensions = Extensions::default();
    assert_eq!(extensions.insert(1_u8), None);
    assert_eq!(extensions.insert(2_u8), Some(1));
    extensions.insert("text");
    *extensions.get_mut::<u8>().unwrap() += 1;
    assert_eq!((extensions.get::<u8>(), extensions.get::<&str>()), (Some(&3), Some(&"text")));
    assert_eq!((extensions.remove::<u8>(), extensions.get::<u8>()), (Some(3), None));
}
