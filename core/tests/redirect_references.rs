//! How a `Location` is resolved: the examples of RFC 3986 section 5.4, all of them.
//!
//! An expectation is written as the RFC has it, but for an empty path, which the URL of a request has as `/`. What the
//! RFC resolves and this does not follow is an error that is declared.
#![cfg(feature = "url")]

use callboard_core::redirect::{Decision, RedirectError, Redirection, decide};
use callboard_core::{Method, Status};
use url::Url;

/// RFC 3986 section 5.4.
const BASE: &str = "http://a/b/c/d;p?q";

type Row = (&'static str, Result<&'static str, RedirectError>);

/// RFC 3986 section 5.4.1.
const NORMAL: [Row; 23] = [
    ("g:h", Err(RedirectError::SchemeNotAllowed)),
    ("g", Ok("http://a/b/c/g")),
    ("./g", Ok("http://a/b/c/g")),
    ("g/", Ok("http://a/b/c/g/")),
    ("/g", Ok("http://a/g")),
    ("//g", Ok("http://g/")),
    ("?y", Ok("http://a/b/c/d;p?y")),
    ("g?y", Ok("http://a/b/c/g?y")),
    ("#s", Ok("http://a/b/c/d;p?q#s")),
    ("g#s", Ok("http://a/b/c/g#s")),
    ("g?y#s", Ok("http://a/b/c/g?y#s")),
    (";x", Ok("http://a/b/c/;x")),
    ("g;x", Ok("http://a/b/c/g;x")),
    ("g;x?y#s", Ok("http://a/b/c/g;x?y#s")),
    ("", Ok("http://a/b/c/d;p?q")),
    (".", Ok("http://a/b/c/")),
    ("./", Ok("http://a/b/c/")),
    ("..", Ok("http://a/b/")),
    ("../", Ok("http://a/b/")),
    ("../g", Ok("http://a/b/g")),
    ("../..", Ok("http://a/")),
    ("../../", Ok("http://a/")),
    ("../../g", Ok("http://a/g")),
];

/// RFC 3986 section 5.4.2.
const ABNORMAL: [Row; 19] = [
    ("../../../g", Ok("http://a/g")),
    ("../../../../g", Ok("http://a/g")),
    ("/./g", Ok("http://a/g")),
    ("/../g", Ok("http://a/g")),
    ("g.", Ok("http://a/b/c/g.")),
    (".g", Ok("http://a/b/c/.g")),
    ("g..", Ok("http://a/b/c/g..")),
    ("..g", Ok("http://a/b/c/..g")),
    ("./../g", Ok("http://a/b/g")),
    ("./g/.", Ok("http://a/b/c/g/")),
    ("g/./h", Ok("http://a/b/c/g/h")),
    ("g/../h", Ok("http://a/b/c/h")),
    ("g;x=1/./y", Ok("http://a/b/c/g;x=1/y")),
    ("g;x=1/../y", Ok("http://a/b/c/y")),
    ("g?y/./x", Ok("http://a/b/c/g?y/./x")),
    ("g?y/../x", Ok("http://a/b/c/g?y/../x")),
    ("g#s/./x", Ok("http://a/b/c/g#s/./x")),
    ("g#s/../x", Ok("http://a/b/c/g#s/../x")),
    // A strict parser has "http:g", a URI without a host that nobody can ask; one for backward compatibility has
    // "http://a/b/c/g", as `url` does, since WHATWG's rules say so. Neither is what a server means by RFC 9110
    // section 4.2.1, so the text is refused before it is resolved.
    ("http:g", Err(RedirectError::BadLocation)),
];

fn resolve(reference: &str) -> Result<String, RedirectError> {
    let answer = Redirection {
        status: Status::FOUND,
        location: Some(reference.as_bytes()),
        method: &Method::Get,
        from: &Url::parse(BASE).unwrap(),
        followed: 0,
        limit: 1,
        replayable: true,
    };
    decide(&answer).map(|decision| match decision {
        Decision::Follow { url, .. } => url.into(),
        Decision::Stop => panic!("{reference:?} is not followed"),
    })
}

#[test]
fn a_reference_is_resolved_as_the_rfc_says() {
    for (reference, expected) in NORMAL.into_iter().chain(ABNORMAL) {
        assert_eq!(resolve(reference).as_deref().map_err(|error| *error), expected, "{reference:?}");
    }
}

/// What the refusal of `http:g` guards against: the crate that resolves would guess the host.
#[test]
fn a_scheme_without_a_host_would_be_resolved_as_browsers_do() {
    assert_eq!(Url::parse(BASE).unwrap().join("http:g").unwrap().as_str(), "http://a/b/c/g");
}
