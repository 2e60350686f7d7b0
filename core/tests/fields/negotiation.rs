//! Negotiation (RFC 9110 §12, RFC 4647): weights, specificity, and what is not acceptable.

use callboard_core::Headers;
use callboard_core::fields::{
    Accept, AcceptCharset, AcceptEncoding, AcceptLanguage, Allow, ContentLanguage, Field, Vary,
};

use super::support::headers;

fn accept(line: &str) -> Accept {
    Accept::parse([line.as_bytes()])
}

fn thousandths(line: &str, media_type: &str) -> u16 {
    accept(line).quality(media_type).thousandths()
}

#[test]
fn media_types_of_the_rfc() {
    // RFC 9110 §12.5.1.
    let audio = "audio/*; q=0.2, audio/basic";
    assert_eq!((thousandths(audio, "audio/basic"), thousandths(audio, "audio/ogg")), (1000, 200));
    let text = "text/plain; q=0.5, text/html,\ttext/x-dvi; q=0.8, text/x-c";
    assert_eq!(accept(text).choose(&["text/plain", "text/x-dvi", "text/x-c", "text/html"]), Some(2));
    assert_eq!(accept(text).choose(&["text/plain", "text/x-dvi"]), Some(1));
    assert_eq!(accept(text).choose(&["image/png"]), None);
    let table = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
    for (media_type, expected) in [
        ("text/plain;format=flowed", 1000),
        ("text/plain", 700),
        ("text/html", 300),
        ("image/jpeg", 500),
        ("text/plain;format=fixed", 400),
        ("text/plain;format=other", 700),
        ("TEXT/Plain; Format=\"Flowed\"", 1000),
        ("text/plain; charset=utf-8; format=fixed", 400),
    ] {
        assert_eq!(thousandths(table, media_type), expected, "{media_type}");
    }
    // The more specific precedes, in whatever order they stand.
    for line in ["*/*;q=0.1, a/*;q=0.2, a/b;q=0.3, a/b;c=d;q=0.4", "a/b;c=d;q=0.4, a/b;q=0.3, a/*;q=0.2, */*;q=0.1"] {
        for (media_type, expected) in [("x/y", 100), ("a/y", 200), ("a/b", 300), ("a/b;c=d", 400), ("a/b;c=e", 300)] {
            assert_eq!(thousandths(line, media_type), expected, "{line} {media_type}");
        }
    }
}

#[test]
fn odd_media_ranges() {
    let table = [
        // Excluded by the more specific.
        ("text/html;q=0, */*", "text/html", 0),
        ("text/html;q=0, */*", "text/css", 1000),
        // The weight may stand anywhere, in any case.
        ("text/html;q=0.5;level=1", "text/html;level=1", 500),
        ("text/html;Q=0.5", "text/html", 500),
        // What old clients send.
        ("text/html, *; q=.2, */*; q=.2", "image/png", 200),
        ("*", "image/png", 1000),
        // Malformed ones are left out, and the rest counts.
        ("text/html;q=x, text/css", "text/html", 0),
        ("text/html;q=2, text/css", "text/css", 1000),
        ("text, text/css", "text/css", 1000),
        ("text/html; q", "text/html", 1000),
        ("*/html", "text/html", 1000),
        ("text/;q=0, /html, text/html/x", "text/html", 1000),
        (",, ,text/html,,", "text/html", 1000),
        ("text/html;;q=0.5;", "text/html", 500),
        // A comma and a semicolon in quotes.
        ("a/b;c=\"x,y;z\";q=0.5, */*;q=0.1", "a/b;c=\"x,y;z\"", 500),
        // What is asked for is malformed.
        ("*/*", "text", 0),
        ("*/*", "", 0),
        // Nothing in it: everything will do.
        ("", "text/html", 1000),
    ];
    for (line, media_type, expected) in table {
        assert_eq!(thousandths(line, media_type), expected, "{line:?} {media_type:?}");
    }
    assert_eq!(accept("a/b;q=0.5, c/d;q=0.5").choose(&["c/d", "a/b"]), Some(0), "the order is the server's");
    assert_eq!(accept("*/*").choose(&[]), None);
    let several = headers(&[("Accept", "a/b;q=0.1"), ("accept", "c/d")]);
    assert_eq!(Accept::read(&several).unwrap().choose(&["a/b", "c/d"]), Some(1));
    assert_eq!(accept("A/B; C=\"d e\" ;q=0.50, */*").to_string(), "a/b;c=\"d e\";q=0.5, */*");
}

#[test]
fn codings() {
    let all: &[&str] = &["br", "gzip", "deflate"];
    let table: &[(&str, &[&str], Option<&str>)] = &[
        // RFC 9110 §12.5.3.
        ("compress, gzip", all, Some("gzip")),
        ("", all, Some("identity")),
        ("*", all, Some("br")),
        ("compress;q=0.5, gzip;q=1.0", &["compress", "gzip"], Some("gzip")),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", all, Some("gzip")),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", &["br"], Some("identity")),
        // Weights, and the order of the server between equals.
        ("gzip;q=0.5, br;q=0.8", all, Some("br")),
        ("gzip, br", &["gzip", "br"], Some("gzip")),
        ("gzip;q=0.001", all, Some("gzip")),
        ("identity, gzip;q=0.5", all, Some("identity")),
        ("identity, gzip", all, Some("gzip")),
        ("identity;q=0.5, gzip;q=0.4, br;q=0.3", all, Some("identity")),
        ("*;q=0.5, br;q=0.1", all, Some("gzip")),
        ("gzip;q=0, *", &["gzip"], Some("identity")),
        ("gzip;q=0, *;q=0.001", &["gzip", "br"], Some("br")),
        // What is not acceptable.
        ("gzip;q=0", all, Some("identity")),
        ("*;q=0", all, None),
        ("identity;q=0", all, None),
        ("zstd, identity;q=0", all, None),
        ("gzip, identity;q=0", all, Some("gzip")),
        ("identity;q=0, *", all, Some("br")),
        ("identity;q=0, *;q=0.5", &[], None),
        ("identity;q=0.1, *;q=0", all, Some("identity")),
        ("zstd", all, Some("identity")),
        // Names, and odd elements.
        ("GZIP", &["gzip"], Some("gzip")),
        ("x-gzip", all, Some("gzip")),
        ("X-GZIP;q=0", &["gzip"], Some("identity")),
        ("gzip", &["x-gzip"], Some("x-gzip")),
        ("x-br", all, Some("identity")),
        ("gzipx", &["gzip"], Some("identity")),
        ("gzip;Q=0", &["gzip"], Some("identity")),
        (", ,gzip,,", all, Some("gzip")),
        ("gzip;q=x", &["gzip"], Some("identity")),
        ("gzip;q=5", &["gzip"], Some("identity")),
        ("gzip;q=0, gzip", &["gzip"], Some("identity")),
        ("gzip ; q = 0.5", &["gzip"], Some("gzip")),
        ("gz ip, br", all, Some("br")),
    ];
    for (line, available, expected) in table {
        assert_eq!(AcceptEncoding::parse([line.as_bytes()]).choose(available), *expected, "{line:?} of {available:?}");
    }
    assert_eq!(AcceptEncoding::read(&Headers::new()), None);
    let several = headers(&[("Accept-Encoding", "gzip;q=0"), ("Accept-Encoding", "br, gzip")]);
    assert_eq!(AcceptEncoding::read(&several).unwrap().choose(&["gzip", "br"]), Some("br"));
    assert_eq!(AcceptEncoding::parse([&b"gzip;q=0.80,*"[..]]).to_string(), "gzip;q=0.8, *");
}

#[test]
fn charsets() {
    let quality = |line: &str, charset| AcceptCharset::parse([line.as_bytes()]).quality(charset).thousandths();
    // RFC 9110 §12.5.2.
    let line = "iso-8859-5, unicode-1-1;q=0.8";
    assert_eq!((quality(line, "ISO-8859-5"), quality(line, "unicode-1-1"), quality(line, "utf-8")), (1000, 800, 0));
    assert_eq!((quality("*;q=0.1, utf-8", "utf-8"), quality("*;q=0.1, utf-8", "koi8-r")), (1000, 100));
    assert_eq!(quality("", "utf-8"), 1000);
}

fn languages(line: &str) -> AcceptLanguage {
    AcceptLanguage::parse([line.as_bytes()])
}

#[test]
fn languages_by_basic_filtering() {
    // RFC 9110 §12.5.4.
    let accept = languages("da, en-gb;q=0.8, en;q=0.7");
    for (tag, expected) in
        [("da", 1000), ("en-GB", 800), ("en", 700), ("en-US", 700), ("de", 0), ("da-DK", 1000), ("dan", 0)]
    {
        assert_eq!(accept.quality(tag).thousandths(), expected, "{tag}");
    }
    assert_eq!(accept.filter(&["en-US", "de", "en-gb-oxendict", "da"]), [3, 2, 0]);
    // RFC 4647 §3.3.1.
    let accept = languages("de-de");
    for (tag, is_matched) in [
        ("de-DE", true),
        ("de-DE-1996", true),
        ("de-Deva", false),
        ("de-Latn-DE", false),
        ("de", false),
        ("de-DEX", false),
    ] {
        assert_eq!(!accept.quality(tag).is_zero(), is_matched, "{tag}");
    }
    assert_eq!(languages("*;q=0.5, fr").filter(&["de", "fr"]), [1, 0]);
    assert_eq!(languages("en, en-US;q=0").filter(&["en", "en-US", "en-US-x-a", "en-GB"]), [0, 3]);
    assert_eq!(languages("en;q=0, en-US, *;q=0.1").filter(&["en", "en-US", "fr"]), [1, 2]);
    assert_eq!(languages("").filter(&["de", "en"]), [0, 1]);
    assert_eq!(languages("e\u{f6}, en-, -en, 1en, abcdefghi, a b, fr;q=x").ranges().count(), 0);
    assert_eq!(languages("EN ;q=0.50, *").to_string(), "EN;q=0.5, *");
}

#[test]
fn languages_by_lookup() {
    // RFC 4647 §3.4: the range is cut until something fits, and a single character goes with what follows it.
    let accept = languages("zh-Hant-CN-x-private1-private2");
    for tag in ["zh-Hant-CN-x-private1-private2", "zh-Hant-CN-x-private1", "zh-Hant-CN", "zh-Hant", "zh"] {
        assert_eq!(accept.lookup(&["zh-Hant-CN-x", "zh-Hans", tag]), Some(2), "{tag}");
    }
    assert_eq!(accept.lookup(&["zh-Hant-CN-x", "zh-Hans", "zh-Hant-CN-x-private1-private2-more"]), None);
    assert_eq!(accept.lookup(&["zh", "zh-hant"]), Some(1));
    let table: &[(&str, &[&str], Option<usize>)] = &[
        ("fr, en", &["en", "fr"], Some(1)),
        ("fr;q=0.5, en", &["fr", "en"], Some(1)),
        // All of the first range comes before the second.
        ("fr-CA, en", &["en", "fr"], Some(1)),
        ("en-GB", &["en-US"], None),
        ("*", &["en"], None),
        ("*, fr", &["en", "fr"], Some(1)),
        ("de;q=0", &["de"], None),
        ("de-CH, de;q=0", &["de"], None),
        ("de-CH, *;q=0", &["de"], Some(0)),
        ("", &["de"], None),
        ("de", &[], None),
    ];
    for (line, available, expected) in table {
        assert_eq!(languages(line).lookup(available), *expected, "{line:?}");
    }
}

#[test]
fn vary_is_merged_and_decides_reuse() {
    let table: &[(&[&str], &str, &str)] = &[
        (&[], "Accept", "Accept"),
        (&["Origin"], "Accept", "Origin, Accept"),
        (&["accept"], "Accept", "accept"),
        (&["a, ,b", "c"], "D", "a, b, c, D"),
        (&["a, A, b"], "C", "a, b, C"),
        (&["a, *"], "Accept", "a, *"),
        (&["bad name, a"], "b", "a, b"),
        (&[""], "b", "b"),
    ];
    for (lines, added, expected) in table {
        let mut fields = headers(&lines.iter().map(|line| ("Vary", *line)).collect::<Vec<_>>());
        Vary::add(&mut fields, added).unwrap();
        assert_eq!(fields.text("Vary"), Some(*expected), "{lines:?}");
    }
    assert!(Vary::add(&mut Headers::new(), "bad name\n").is_err());
    let vary = Vary::read(&headers(&[("Vary", "Accept-Encoding, accept-language")])).unwrap();
    let stored = headers(&[("Accept-Encoding", "gzip, br"), ("User-Agent", "a")]);
    assert!(vary.permits(&stored, &headers(&[("accept-encoding", "gzip"), ("accept-encoding", "br")])));
    assert!(!vary.permits(&stored, &headers(&[("Accept-Encoding", "gzip")])));
    assert!(!vary.permits(&stored, &headers(&[("Accept-Encoding", "gzip, br"), ("Accept-Language", "")])));
    assert!(!Vary::Any.permits(&stored, &stored));
}

#[test]
fn plain_lists() {
    let allow = |line: &str| Allow::read(&headers(&[("Allow", line)])).unwrap().to_string();
    // RFC 9110 §10.2.1.
    assert_eq!(allow("GET, HEAD, PUT"), "GET, HEAD, PUT");
    assert_eq!(allow(""), "");
    assert_eq!(allow("get,, P\u{fc}T, PROPFIND"), "get, PROPFIND");
    let languages = |line: &str| ContentLanguage::read(&headers(&[("Content-Language", line)])).unwrap().0;
    // RFC 9110 §8.5.
    assert_eq!(languages("mi, en"), ["mi", "en"]);
    assert_eq!(languages("de-Latn-CH-1996, *, en us"), ["de-Latn-CH-1996"]);
}
