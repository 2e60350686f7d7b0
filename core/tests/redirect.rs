//! The redirect decision, as tables.
#![cfg(feature = "url")]

use callboard_core::redirect::{
    BODY_FIELDS, Decision, ORIGIN_FIELDS, RedirectError, Redirection, decide, has_authority, is_same_origin, location,
};
use callboard_core::{Headers, Method, Status};
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
    use Method::{Delete, Get, Head, Options, Patch, Post, Put};
    // Status, method, next method; the body goes when the method changes, and with every 303.
    let rows = [
        (301, Get, Some(Get)),
        (301, Head, Some(Head)),
        (301, Post, Some(Get)),
        (301, Put, Some(Put)),
        (301, Patch, Some(Patch)),
        (301, Delete, Some(Delete)),
        (301, Options, Some(Options)),
        (302, Get, Some(Get)),
        (302, Head, Some(Head)),
        (302, Put, Some(Put)),
        (302, Delete, Some(Delete)),
        (302, Post, Some(Get)),
        (302, Patch, Some(Patch)),
        (303, Get, Some(Get)),
        (303, Head, Some(Head)),
        (303, Post, Some(Get)),
        (303, Put, Some(Get)),
        (303, Delete, Some(Get)),
        (303, Patch, Some(Get)),
        (303, Options, Some(Get)),
        (307, Get, Some(Get)),
        (307, Post, Some(Post)),
        (307, Put, Some(Put)),
        (307, Delete, Some(Delete)),
        (307, Head, Some(Head)),
        (308, Get, Some(Get)),
        (308, Head, Some(Head)),
        (308, Post, Some(Post)),
        (308, Put, Some(Put)),
        (200, Get, None),
        (300, Get, None),
        (304, Get, None),
        (305, Get, None),
        (306, Get, None),
        (309, Get, None),
        (302, Method::Connect, None),
        (308, Method::Connect, None),
    ];
    let from = from();
    for (status, method, expected) in rows {
        match (decide(&answer(status, b"/end", &method, &from)).unwrap(), &expected) {
            (Decision::Stop, None) => {}
            (Decision::Follow { method: next, drop_body, .. }, Some(wanted)) => {
                assert_eq!((&next, drop_body), (wanted, next != method || status == 303), "{status} {method}");
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
    for good in [
        "http://a",
        "HTTPS://a/b",
        "//a",
        "/a",
        "a",
        "",
        "?a:b",
        "ftp:x",
        "a/http:b",
        "http://u@a",
        "http://:p@a",
        "http://@a:1/",
    ] {
        assert!(has_authority(good), "{good}");
    }
    for bad in [
        "http:",
        "http:a",
        "http:/a",
        "http://",
        "http:///a",
        "https://?a",
        "http://#",
        "//",
        "///a",
        "//\\a",
        "http://u@/a",
        "//:1",
        "//u@:1",
    ] {
        assert!(!has_authority(bad), "{bad}");
    }
}

#[test]
fn the_limit_is_a_number_of_hops() {
    let from = from();
    // Limit, hops before this one, what follows.
    let rows = [
        (0, 0, Ok(false)),
        (1, 0, Ok(true)),
        (1, 1, Err(RedirectError::TooMany)),
        (10, 9, Ok(true)),
        (10, 10, Err(RedirectError::TooMany)),
        (10, 11, Err(RedirectError::TooMany)),
        (u32::MAX, 1_000_000, Ok(true)),
    ];
    for (limit, followed, expected) in rows {
        let base = answer(302, b"/end", &Method::Get, &from);
        let seen = decide(&Redirection { limit, followed, ..base });
        let seen = seen.map(|decision| matches!(decision, Decision::Follow { .. }));
        assert_eq!(seen, expected, "limit {limit}, {followed} followed");
    }
}

#[test]
fn a_body_that_is_gone_matters_only_if_it_is_to_be_repeated() {
    use Method::{Get, Head, Post, Put};
    let from = from();
    let rows = [
        (301, Post, true),
        (302, Post, true),
        (303, Post, true),
        (303, Put, true),
        (303, Get, true),
        (303, Head, true),
        (307, Post, false),
        (308, Put, false),
        (301, Put, false),
        (302, Get, false),
    ];
    for (status, method, is_followed) in rows {
        let gone = Redirection { replayable: false, ..answer(status, b"/end", &method, &from) };
        match decide(&gone) {
            Ok(Decision::Follow { drop_body: true, .. }) if is_followed => {}
            Err(RedirectError::BodyIsGone) if !is_followed => {}
            other => panic!("{status} {method}: {other:?}"),
        }
    }
}

/// RFC 9110 section 10.2.2: the examples of it, and what RFC 3986 section 5.2 adds.
#[test]
fn fragments_are_inherited() {
    let rows = [
        ("http://www.example.org/~tim", "/People.html#tim", "http://www.example.org/People.html#tim"),
        (
            "http://www.example.org/index.html#larry",
            "http://www.example.net/index.html",
            "http://www.example.net/index.html#larry",
        ),
        ("http://a/#old", "/b#new", "http://a/b#new"),
        ("http://a/#old", "/b#", "http://a/b#"),
        ("http://a/#", "/b", "http://a/b#"),
        ("http://a/", "/b", "http://a/b"),
        ("http://a/x#%41", "?q", "http://a/x?q#%41"),
    ];
    for (from, to, expected) in rows {
        let from = Url::parse(from).unwrap();
        let Ok(Decision::Follow { url, .. }) = decide(&answer(302, to.as_bytes(), &Method::Get, &from)) else {
            panic!("{to} is not followed")
        };
        assert_eq!(url.as_str(), expected);
    }
}

#[test]
fn credentials_of_a_target_are_its_own() {
    let from = Url::parse("https://example.org/").unwrap();
    let rows = [
        ("https://user:secret@example.org/", "user", Some("secret"), false),
        ("https://user@other.example/", "user", None, true),
        ("//user:@example.org/", "user", None, false),
        ("/end", "", None, false),
    ];
    for (to, user, password, is_other) in rows {
        let Ok(Decision::Follow { url, drop_origin_fields, .. }) =
            decide(&answer(302, to.as_bytes(), &Method::Get, &from))
        else {
            panic!("{to} is not followed")
        };
        assert_eq!((url.username(), url.password(), drop_origin_fields), (user, password, is_other), "{to}");
    }
}

type Fields<'a> = &'a [(&'a str, &'a str)];

#[test]
fn where_an_answer_points_to() {
    let fields = |pairs: &[(&str, &str)]| {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.append(name, value).unwrap();
        }
        headers
    };
    let rows: [(Fields<'_>, Result<Option<&str>, RedirectError>); 8] = [
        (&[], Ok(None)),
        (&[("Location", "/a")], Ok(Some("/a"))),
        (&[("location", "")], Ok(Some(""))),
        (&[("URI", "/b")], Ok(Some("/b"))),
        (&[("URI", "/b"), ("Location", "/a")], Ok(Some("/a"))),
        (&[("Location", "/a"), ("Location", "/a")], Ok(Some("/a"))),
        (&[("Location", "/a"), ("X", "y"), ("Location", "/A")], Err(RedirectError::SeveralLocations)),
        (&[("URI", "/a"), ("URI", "/b")], Err(RedirectError::SeveralLocations)),
    ];
    for (pairs, expected) in rows {
        assert_eq!(location(&fields(pairs)), expected.map(|value| value.map(str::as_bytes)), "{pairs:?}");
    }
}

#[test]
fn what_is_dropped_is_dropped_in_every_repeat_and_spelling() {
    let mut headers = Headers::new();
    for name in BODY_FIELDS.iter().chain(&ORIGIN_FIELDS) {
        headers.append(name, "1").unwrap();
        headers.append(&name.to_ascii_lowercase(), "2").unwrap();
        headers.append(&name.to_ascii_uppercase(), "3").unwrap();
    }
    headers.append("X-Own", "kept").unwrap();
    for name in BODY_FIELDS.iter().chain(&ORIGIN_FIELDS) {
        headers.remove(name);
    }
    assert_eq!((headers.len(), headers.text("x-own")), (1, Some("kept")));
    for name in ["Authorization", "Proxy-Authorization", "Cookie", "Host"] {
        assert!(ORIGIN_FIELDS.contains(&name), "{name} goes along to another origin");
    }
    for name in ["Content-Type", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Expect"] {
        assert!(BODY_FIELDS.contains(&name), "{name} stays without its body");
    }
}

#[test]
fn origins_are_compared_as_a_whole() {
    let parse = |text: &str| Url::parse(text).unwrap();
    let rows = [
        ("http://a/", "http://a:80/x?y#z", true),
        ("http://A/", "http://a/", true),
        ("http://xn--bcher-kva.example/", "http://b\u{fc}cher.example/", true),
        ("http://user:password@a/", "http://a/", true),
        ("http://a/", "https://a/", false),
        ("http://a/", "http://a./", false),
        ("http://127.0.0.1/", "http://127.1/", true),
        ("http://127.0.0.1/", "http://localhost/", false),
        ("http://[::1]/", "http://[0:0::1]/", true),
        ("http://a/", "http://a:81/", false),
    ];
    for (one, other, expected) in rows {
        assert_eq!(is_same_origin(&parse(one), &parse(other)), expected, "{one} {other}");
        assert_eq!(is_same_origin(&parse(other), &parse(one)), expected, "{other} {one}");
    }
}
