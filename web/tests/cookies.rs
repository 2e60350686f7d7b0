//! Cookies of requests and responses.

use callboard_web::{App, Cookies, Method, Request, Response, SameSite, SetCookie, Status, get};
use futures_lite::future::block_on;

fn call(app: App, cookies: &[&str]) -> Response {
    let mut request = Request::new(Method::Get, "/").unwrap();
    for cookie in cookies {
        request.headers_mut().append("Cookie", cookie).unwrap();
    }
    block_on(app.into_service().unwrap().call(request))
}

fn set_cookies(response: &Response) -> Vec<String> {
    response.headers().get_all("Set-Cookie").map(|field| String::from_utf8(field.to_vec()).unwrap()).collect()
}

#[test]
fn a_request_brings_its_cookies() {
    let app = App::new().route(
        "/",
        get(async |cookies: Cookies| {
            assert_eq!((cookies.len(), cookies.is_empty()), (6, false));
            assert_eq!((cookies.get("a"), cookies.get("b"), cookies.get("B")), (Some("1"), Some("\"x\\073 y\""), None));
            assert_eq!(cookies.unquoted("b").as_deref(), Some("x; y"));
            assert_eq!(cookies.unquoted("a").as_deref(), Some("1"));
            assert_eq!((cookies.get("path"), cookies.get("")), (Some("/"), Some("lonely")));
            assert_eq!((cookies.get("raw"), cookies.bytes("raw")), (None, Some(&b"\xff"[..])));
            let names: Vec<_> = cookies.iter().map(|(name, _)| name.to_vec()).collect();
            assert_eq!(names.concat(), b"abpathrawa");
            assert_eq!(format!("{cookies:?}"), r#"["a", "b", "path", "", "raw", "a"]"#);
            "seen"
        }),
    );
    let mut request = Request::new(Method::Get, "/").unwrap();
    request.headers_mut().append("Cookie", "a=1; b=\"x\\073 y\"; path=/; lonely").unwrap();
    request.headers_mut().append("cookie", b"raw=\xff;; a=2").unwrap();
    assert_eq!(block_on(app.into_service().unwrap().call(request)).status(), Status::OK);
    let empty = App::new().route("/", get(async |cookies: Cookies| cookies.len().to_string()));
    assert_eq!(block_on(call(empty, &[]).bytes(9)).unwrap(), "0");
}

#[test]
fn a_response_sets_each_of_its_cookies() {
    let handler = async || {
        let id = SetCookie::new("__Host-id", "7").with_path("/").with_secure().with_same_site(SameSite::Strict);
        Response::new("").with_cookie(&id).with_cookie(&SetCookie::new("theme", "dark")).remove_cookie("old")
    };
    let response = call(App::new().route("/", get(handler)), &[]);
    let expected = [
        "__Host-id=7; Path=/; Secure; SameSite=Strict",
        "theme=dark",
        "old=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ];
    assert_eq!(set_cookies(&response), expected);
    let removal = Response::new("").remove_cookie("__Host-id");
    let expected = "__Host-id=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure";
    assert_eq!(set_cookies(&removal), [expected]);
}

#[test]
fn a_cookie_that_would_be_misread_is_a_500_that_says_why() {
    for (cookie, why) in [
        (SetCookie::new("a", "1; Domain=org"), "value"),
        (SetCookie::new("a b", "1"), "name"),
        (SetCookie::new("__Secure-a", "1"), "Secure"),
        (SetCookie::new("a", "1").with_path("/\r\nX: y"), "path"),
    ] {
        let response = Response::new("fine").with_cookie(&cookie);
        assert_eq!((response.status(), set_cookies(&response).len()), (Status::INTERNAL_SERVER_ERROR, 0));
        let text = block_on(response.bytes(200)).unwrap();
        assert!(String::from_utf8_lossy(&text).contains(why), "{why}: {}", text.escape_ascii());
    }
}
