//! `Link` (RFC 8288): the examples, odd lines, and writing.

use callboard_core::fields::{Field, InvalidLink, Link, Links};

use super::support::headers;

fn links(line: &str) -> Vec<Link> {
    Links::parse([line.as_bytes()]).0
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 8288 §3.5.
    let found = links("<http://example.com/TheBook/chapter2>; rel=\"previous\"; title=\"previous chapter\"");
    assert_eq!(found[0].target(), "http://example.com/TheBook/chapter2");
    assert_eq!(found[0].title(), Some("previous chapter"));
    assert!(found[0].has_relation("Previous"));
    assert!(links("</>; rel=\"http://example.net/foo\"")[0].has_relation("http://example.net/foo"));
    let found = links("</terms>; rel=\"copyright\"; anchor=\"#foo\"");
    assert_eq!((found[0].anchor(), found[0].target()), (Some("#foo"), "/terms"));
    let found = links(
        "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, \
         </TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel",
    );
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].title(), Some("letztes Kapitel"));
    assert_eq!((found[1].title(), found[1].target()), (Some("n\u{e4}chstes Kapitel"), "/TheBook/chapter4"));
    let found = links("<http://example.org/>; rel=\"start http://example.net/relation/other\"");
    assert_eq!(found[0].relations().collect::<Vec<_>>(), ["start", "http://example.net/relation/other"]);
    let found = links("<https://example.org/>; rel=\"start\", <https://example.org/index>; rel=\"index\"");
    assert_eq!(
        found.iter().map(Link::target).collect::<Vec<_>>(),
        ["https://example.org/", "https://example.org/index"]
    );
}

#[test]
fn odd_lines() {
    // A line, and what is read of it as it would be written.
    let table = [
        ("", ""),
        (",, ,", ""),
        ("<>", "<>"),
        ("<a>", "<a>"),
        ("<a>;", "<a>"),
        ("<a>;;;rel=x", "<a>; rel=x"),
        ("<a> ; rel = x ;REV=\"y\"", "<a>; rel=x; rev=y"),
        ("<a>;rel=x,<b>;rel=y", "<a>; rel=x, <b>; rel=y"),
        ("<a,b;c>;rel=x", "<a,b;c>; rel=x"),
        ("<a>; title=\"x, y; <z>\"; rel=x, <b>", "<a>; title=\"x, y; <z>\"; rel=x, <b>"),
        (r#"<a>; title="\"q\" \\""#, r#"<a>; title="\"q\" \\""#),
        // The first counts.
        ("<a>; rel=x; rel=y", "<a>; rel=x"),
        ("<a>; title=x; title=y; type=a; type=b; media=m; media=n", "<a>; title=x; type=a; media=m"),
        ("<a>; hreflang=de; hreflang=en", "<a>; hreflang=de; hreflang=en"),
        // Parameters that are left out.
        ("<a>; =x; rel=y", "<a>; rel=y"),
        ("<a>; b@d=x; rel=y", "<a>; rel=y"),
        ("<a>; title*=junk; rel=y", "<a>; rel=y"),
        ("<a>; title*=UTF-8''%ff; rel=y", "<a>; rel=y"),
        ("<a>; title*=UTF-8''%c3%; rel=y", "<a>; rel=y"),
        ("<a>; title*=koi8-r''a; rel=y", "<a>; rel=y"),
        ("<a>; title*=iso-8859-1'en'%A3; rel=y", "<a>; title*=UTF-8''%C2%A3; rel=y"),
        ("<a>; flag; rel=y", "<a>; flag; rel=y"),
        ("<a>; empty=; rel=y", "<a>; empty=\"\"; rel=y"),
        ("<a>; type=text/html", "<a>; type=\"text/html\""),
        // Junk behind a quoted string is skipped, up to the next link.
        ("<a>; rel=\"x\"junk; title=t, <b>", "<a>; rel=x, <b>"),
        // What does not end.
        ("<a>; rel=\"x", "<a>; rel=x"),
        ("<a>; rel=\"x\\", "<a>; rel=x"),
        ("<a>; rel=x, <b", "<a>; rel=x"),
        // What is no link ends the line.
        ("junk, <a>", ""),
        ("<a>, junk, <b>", "<a>"),
    ];
    for (line, expected) in table {
        assert_eq!(Links(links(line)).to_string(), expected, "{line}");
        assert_eq!(links(expected), links(line), "{line}");
    }
    assert!(Links::parse([&b"<\xff>, <a>"[..]]).0.is_empty());
    assert_eq!(Links::parse([&b"<a>; title=\"\xff\"; rel=x"[..]]).to_string(), "<a>; rel=x");
    let several = headers(&[("Link", "<a>; rel=next"), ("link", "junk"), ("LINK", "<b>; rel=last")]);
    let found = Links::read(&several).unwrap();
    assert_eq!(found.relation("last").map(Link::target), Some("b"));
    assert_eq!(found.relation("first"), None);
    assert_eq!(links("<a>; title=plain; title*=UTF-8''star")[0].title(), Some("star"));
    assert_eq!(links("<a>; flag")[0].parameter("FLAG"), Some(""));
}

#[test]
fn written_links() {
    let link = Link::new("/a>b", "next prev").with("Title", "\u{20ac} \"rates\"").unwrap();
    let link = link.with("hreflang", "de").unwrap();
    let text = link.to_string();
    assert_eq!(text, "</a%3Eb>; rel=\"next prev\"; title*=UTF-8''%E2%82%AC%20%22rates%22; hreflang=de");
    assert_eq!(links(&text), [link]);
    // A line end in a title cannot leave the field; one in another place is refused when the field is written.
    assert!(!Link::new("a", "b").with("title*", "x\r\ny").unwrap().to_string().contains('\r'));
    assert!(Links(vec![Link::new("a\r\nb", "c")]).write(&mut headers(&[])).is_err());
}

/// RFC 9110 section 5.6.2: whatever is no token would end its parameter, begin another one, or even another link.
#[test]
fn names_of_parameters_are_tokens() {
    for byte in 0..=127_u8 {
        let name = format!("a{}", char::from(byte));
        let is_token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let link = Link::new("/a", "next").with(&name, "x");
        assert_eq!(link.clone().err(), (!is_token).then_some(InvalidLink::ParameterName), "{name:?}");
        if let Ok(link) = link {
            assert_eq!(links(&link.to_string()), [link], "{name:?}");
        }
    }
    for name in ["", "title; anchor", "x=\"\", </evil>; rel", "a\r\nb", "t\u{ef}tle", "title "] {
        assert_eq!(Link::new("/a", "next").with(name, "x"), Err(InvalidLink::ParameterName), "{name:?}");
    }
}
