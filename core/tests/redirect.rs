//! The redirect decision, as tables.
#![cfg(feature = "url")]

use callboard_core::redirect::{Decision, RedirectError, Redirection, decide, has_authority};
use callboard_core::{Method, Status};
use url::Url;

fn answer<'a>(status: u16, location: &'a [u8], method: &'a Method, from: &'a Url) -> Redirection<'a> {
    Redirection {
        status: Status::new(status).unwrap(),
        location: Some(location),
        method,
        from,
        followed: 0,
        limit: 10,
        replayable: true,
    }
}

fn from() -> Url {
    Url::parse("http://example.org/dir/start?q=1#old").unwrap()
}

#[test]
fn methods() {
    use Method::{Delete, Get, Head, Patch, Post, Put};
    // Status, method, next method; the body goes when the method changes.
    let rows = [
        (301, Get, Some(Get)),
        (301, Head, Some(Head)),
        (301, Post, Some(Get)),
        (301, Put, Some(Put)),
        (302, Post, Some(Get)),
        (302, Patch, Some(Patch)),
        (303, Get, Some(Get)),
        (303, Head, Some(Head)),
        (303, Post, Some(Get)),
        (303, Put, Some(Get)),
        (303, Delete, Some(Get)),
        (307, Post, Some(Post)),
        (307, Head, Some(Head)),
        (308, Post, Some(Post)),
        (308, Put, Some(Put)),
        (200, Get, None),
        (300, Get, None),
        (304, Get, None),
        (305, Get, None),
        (306, Get, None),
        (309, Get, None),
        (302, Method::Connect, None),
    ];
    let from = from();
    for (status, method, expected) in rows {
        match (decide(&answer(status, b"/end", &method, &from)).unwrap(), &expected) {
            (Decision::Stop, None) => {}
            (Decision::Follow { method: next, drop_body, .. }, Some(wanted)) => {
                assert_eq!((&next, drop_body), (wanted, next != method), "{status} {method}");
            }
            (seen, _) => panic!("{status} {method}: {seen:?}, wanted {expected:?}"),
        }
    }
}

#[test]
fn locations() {
    let rows: [(&[u8], Result<&str, RedirectError>); 32] = [
        (b"http://example.org/end", Ok("http://example.org/end#old")),
        (b"HTTP://Example.ORG:80/end", Ok("http://example.org/end#old")),
        (b"/end?x=1", Ok("http://example.org/end?x=1#old")),
        (b"end", Ok("http://example.org/dir/end#old")),
        (b"../end", Ok("http://example.org/end#old")),
        (b"./", Ok("http://example.org/dir/#old")),
        (b"?y", Ok("http://example.org/dir/start?y#old")),
        (b"", Ok("http://example.org/dir/start?q=1#old")),
        (b"#new", Ok("http://example.org/dir/start?q=1#new")),
        (b"/end#new", Ok("http://example.org/end#new")),
        (b"/end#", Ok("http://example.org/end#")),
        (b"//other.example/end", Ok("http://other.example/end#old")),
        (b"https://example.org/end", Ok("https://example.org/end#old")),
        (b"/a%2Fb%20c", Ok("http://example.org/a%2Fb%20c#old")),
        (b"/a b", Ok("http://example.org/a%20b#old")),
        (b"/\xc3\xa9", Ok("http://example.org/%C3%A9#old")),
        (b"/\xe9", Ok("http://example.org/%E9#old")),
        (b"http://[::1]:8080/", Ok("http://[::1]:8080/#old")),
        (b"http:///end", Err(RedirectError::BadLocation)),
        (b"https://", Err(RedirectError::BadLocation)),
        (b"http:end", Err(RedirectError::BadLocation)),
        (b"http://:80/", Err(RedirectError::BadLocation)),
        (b"http://@/", Err(RedirectError::BadLocation)),
        (b"///end", Err(RedirectError::BadLocation)),
        (b"http://example.org:99999/", Err(RedirectError::BadLocation)),
        (b"http://exa mple.org/", Err(RedirectError::BadLocation)),
        (b"/a\rX-Evil: 1", Err(RedirectError::BadLocation)),
        (b"/a\tb", Err(RedirectError::BadLocation)),
        (b"file:///etc/passwd", Err(RedirectError::SchemeNotAllowed)),
        (b"ftp://example.org/", Err(RedirectError::SchemeNotAllowed)),
        (b"javascript:alert(1)", Err(RedirectError::SchemeNotAllowed)),
        (b"data:text/plain,x", Err(RedirectError::SchemeNotAllowed)),
    ];
    let from = from();
    for (location, expected) in rows {
        let seen = decide(&answer(302, location, &Method::Get, &from)).map(|decision| match decision {
            Decision::Follow { url, .. } => url.to_string(),
            Decision::Stop => "stop".to_owned(),
        });
        assert_eq!(seen.as_deref().map_err(|error| *error), expected, "{}", String::from_utf8_lossy(location));
    }
}

#[test]
fn secrets_stay_with_their_origin() {
    let from = Url::parse("https://example.org/").unwrap();
    let rows = [
        ("/end", false),
        ("https://example.org:443/end", false),
        ("https://EXAMPLE.org/", false),
        ("https://example.org:444/", true),
        ("http://example.org/", true),
        ("http://example.org:443/", true),
        ("https://sub.example.org/", true),
        ("https://example.org.evil.example/", true),
        ("//example.com/", true),
    ];
    for (location, expected) in rows {
        let decision = decide(&answer(307, location.as_bytes(), &Method::Get, &from)).unwrap();
        assert!(
            matches!(decision, Decision::Follow { drop_origin_fields, .. } if drop_origin_fields == expected),
            "{location}: {decision:?}"
        );
    }
}

#[test]
fn limits_and_bodies() {
    let from = from();
    let base = answer(307, b"/end", &Method::Post, &from);
    assert_eq!(decide(&Redirection { location: None, ..base }), Ok(Decision::Stop));
    assert_eq!(decide(&Redirection { limit: 0, ..base }), Ok(Decision::Stop), "asked not to follow");
    assert!(matches!(decide(&Redirection { followed: 9, ..base }), Ok(Decision::Follow { .. })));
    assert_eq!(decide(&Redirection { followed: 10, ..base }), Err(RedirectError::TooMany));
    assert_eq!(decide(&Redirection { replayable: false, ..base }), Err(RedirectError::BodyIsGone));
    let gone = Redirection { replayable: false, status: Status::SEE_OTHER, ..base };
    assert!(matches!(decide(&gone), Ok(Decision::Follow { drop_body: true, .. })), "a GET needs no body");
}

#[test]
fn authority_is_never_guessed() {
    for good in ["http://a", "HTTPS://a/b", "//a", "/a", "a", "", "?a:b", "ftp:x", "a/http:b", "http://u@a"] {
        assert!(has_authority(good), "{good}");
    }
    for bad in ["http:", "http:a", "http:/a", "http://", "http:///a", "https://?a", "http://#", "//", "///a", "//\\a"] {
        assert!(!has_authority(bad), "{bad}");
    }
}
