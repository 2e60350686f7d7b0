//! Media types: what is read, what is written.

use callboard_core::media_type::{Charset, InvalidMediaType, MediaType, of_filename};

#[test]
fn parts_of_a_media_type() {
    for (text, kind, subtype, suffix) in [
        ("text/plain", "text", "plain", None),
        ("Text/HTML", "text", "html", None),
        ("  text/plain  ", "text", "plain", None),
        ("application/problem+JSON; a=b", "application", "problem+json", Some("json")),
        ("image/svg+xml", "image", "svg+xml", Some("xml")),
        ("application/a+b+c", "application", "a+b+c", Some("c")),
        ("application/a+", "application", "a+", None),
        ("*/*", "*", "*", None),
    ] {
        let media_type: MediaType = text.parse().expect(text);
        assert_eq!((media_type.kind(), media_type.subtype(), media_type.suffix()), (kind, subtype, suffix), "{text}");
        assert!(media_type.is(&format!("{kind}/{}", subtype.to_uppercase())));
    }
    for (text, expected) in
        [("application/json", true), ("a/b+json;x=y", true), ("application/jsonp", false), ("text/json", false)]
    {
        assert_eq!(text.parse::<MediaType>().unwrap().is_json(), expected, "{text}");
    }
}

/// RFC 9110 §8.3.1: all of these are the same; and the example of §8.3.3.
#[test]
fn the_examples_of_rfc_9110() {
    for text in [
        "text/html;charset=utf-8",
        "Text/HTML;Charset=\"utf-8\"",
        "text/html; charset=\"utf-8\"",
        "text/html;charset=UTF-8",
    ] {
        let media_type: MediaType = text.parse().unwrap();
        assert_eq!(
            (media_type.essence(), media_type.charset().and_then(Charset::of)),
            ("text/html", Some(Charset::Utf8))
        );
        assert_eq!(media_type.to_string().to_lowercase(), "text/html; charset=utf-8");
    }
    let ranges: MediaType = "multipart/byteranges; boundary=THIS_STRING_SEPARATES".parse().unwrap();
    assert_eq!(ranges.boundary(), Some("THIS_STRING_SEPARATES"));
}

#[test]
fn what_is_no_media_type() {
    use InvalidMediaType::{ControlByte, Essence, TooManyParameters};
    for (text, error) in [
        ("", Essence),
        ("text", Essence),
        ("/plain", Essence),
        ("text/", Essence),
        ("text/plain/x", Essence),
        ("text /plain", Essence),
        ("te xt/plain", Essence),
        ("text/plain, text/html", Essence),
        ("; charset=utf-8", Essence),
        ("text/plain\r\nX: y", ControlByte),
        ("text/plain; a=\"\0\"", ControlByte),
    ] {
        assert_eq!(text.parse::<MediaType>(), Err(error), "{text:?}");
    }
    let many = |count| "a/b".to_owned() + &";c=d".repeat(count);
    assert!(many(64).parse::<MediaType>().is_ok());
    assert_eq!(many(65).parse::<MediaType>(), Err(TooManyParameters));
}

#[test]
fn parameters() {
    let media_type: MediaType = "a/b; Charset=\"UTF-8\"; x=\"y;\\\"z\"; charset=latin1; bad".parse().unwrap();
    assert_eq!(media_type.charset(), Some("UTF-8"), "the first counts");
    assert_eq!(media_type.parameter("X"), Some("y;\"z"));
    assert_eq!(media_type.parameters().count(), 3);
    let changed = media_type.with_parameter("CHARSET", "us-ascii").unwrap();
    assert_eq!(changed.to_string(), "a/b; x=\"y;\\\"z\"; charset=us-ascii");
    assert_eq!(changed.to_string().parse(), Ok(changed.clone()));
    assert_eq!(changed.clone().with_parameter("a b", "c"), Err(InvalidMediaType::ParameterName));
    assert_eq!(changed.with_parameter("a", "b\r\nc"), Err(InvalidMediaType::ControlByte));
}

#[test]
fn charsets() {
    for (label, expected) in [
        ("utf-8", Some(Charset::Utf8)),
        (" UTF8 ", Some(Charset::Utf8)),
        ("US-ASCII", Some(Charset::Ascii)),
        ("ISO-8859-1", Some(Charset::Latin1)),
        ("koi8-r", None),
        ("", None),
    ] {
        assert_eq!(Charset::of(label), expected, "{label:?}");
    }
    assert_eq!(Charset::Latin1.decode(b"\xe9\x80").as_deref(), Some("\u{e9}\u{80}"));
    assert_eq!(Charset::Utf8.decode("\u{e9}".as_bytes()).as_deref(), Some("\u{e9}"));
    assert_eq!((Charset::Utf8.decode(b"\xe9"), Charset::Ascii.decode(b"\xe9")), (None, None));
}

#[test]
fn names_of_files_suggest_types() {
    for (name, expected) in [
        ("a.png", Some("image/png")),
        ("a.zip", Some("application/zip")),
        ("a.avif", Some("image/avif")),
        ("A.Txt", Some("text/plain")),
        (".html", Some("text/html")),
        ("png", None),
        ("a.", None),
        ("a.png.unknown", None),
        ("", None),
    ] {
        assert_eq!(of_filename(name), expected, "{name}");
    }
}
