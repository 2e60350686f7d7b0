//! The shared syntax: lists, parameters, quoted strings, entity tags, quality values.

use callboard_core::fields::list::{Parameter, elements, unquote, write_value};
use callboard_core::fields::{EntityTag, EntityTags, Field, InvalidEntityTag, Quality};

use super::support::headers;

fn listed(line: &str) -> Vec<String> {
    elements(line.as_bytes()).map(|element| String::from_utf8(element.to_vec()).unwrap()).collect()
}

#[test]
fn lists_skip_empty_elements_and_respect_quotes() {
    // RFC 9110 §5.6.1.2.
    assert_eq!(listed("foo,bar"), ["foo", "bar"]);
    assert_eq!(listed("foo ,bar,"), ["foo", "bar"]);
    assert_eq!(listed("foo , ,bar,charlie"), ["foo", "bar", "charlie"]);
    assert!(listed("").is_empty());
    assert!(listed(",").is_empty());
    assert!(listed(",   ,").is_empty());
    // RFC 9110 §5.5.
    let urls = r#""http://example.com/a.html,foo", "http://without-a-comma.example.com/""#;
    assert_eq!(listed(urls).len(), 2);
    let dates = r#""Sat, 04 May 1996", "Wed, 14 Sep 2005""#;
    assert_eq!(listed(dates), [r#""Sat, 04 May 1996""#, r#""Wed, 14 Sep 2005""#]);
    assert_eq!(listed(r#"a="x\",y" , b"#), [r#"a="x\",y""#, "b"]);
    assert_eq!(listed(r#"a="\\", b"#), [r#"a="\\""#, "b"]);
    assert_eq!(listed(r#"a, "b, c"#), ["a", r#""b, c"#]);
    assert_eq!(listed(r"a\, b"), [r"a\", "b"]);
    assert_eq!(listed("\ta b\t,\t"), ["a b"]);
}

#[test]
fn parameters_are_tokens_or_quoted_strings() {
    type Read<'a> = Option<(&'a str, Option<&'a str>)>;
    let table: &[(&str, Read<'_>)] = &[
        ("a=b", Some(("a", Some("b")))),
        ("a", Some(("a", None))),
        ("a = b", Some(("a", Some("b")))),
        (r#"a="b c""#, Some(("a", Some("b c")))),
        (r#"a="""#, Some(("a", Some("")))),
        (r#"a="\"\\\q""#, Some(("a", Some(r#""\q"#)))),
        ("a=", None),
        ("=b", None),
        ("a=b c", None),
        (r#"a="b"#, None),
        (r#"a=""#, None),
        (r#"a="b\""#, None),
        (r#"a="b"c"#, None),
        (r#"a="b"c""#, None),
        ("a b=c", None),
        ("", None),
    ];
    for (text, expected) in table {
        let parameter = Parameter::parse(text.as_bytes());
        let found =
            parameter.as_ref().map(|parameter| (std::str::from_utf8(parameter.name).unwrap(), parameter.text()));
        assert_eq!(found, *expected, "{text}");
    }
    assert_eq!(unquote(b"plain"), None);
}

#[test]
fn values_are_quoted_when_they_must_be() {
    for (value, expected) in [("a", "a"), ("", r#""""#), ("a b", r#""a b""#), (r#"a"\"#, r#""a\"\\""#)] {
        let mut written = String::new();
        write_value(&mut written, value).unwrap();
        assert_eq!(written, expected);
    }
}

#[test]
fn quality_values_are_exact_thousandths() {
    let table: &[(&str, Option<u16>)] = &[
        ("1", Some(1000)),
        ("1.", Some(1000)),
        ("1.000", Some(1000)),
        ("1.001", None),
        ("1.0001", None),
        ("1.1", None),
        ("2", None),
        ("10", None),
        ("0", Some(0)),
        ("0.", Some(0)),
        ("0.0", Some(0)),
        ("0.000", Some(0)),
        ("0.001", Some(1)),
        ("0.333", Some(333)),
        ("0.29", Some(290)),
        ("0.7", Some(700)),
        ("0.999", Some(999)),
        // Beyond the grammar, as clients send it.
        (".2", Some(200)),
        ("0.3333", Some(333)),
        ("0.9999", Some(999)),
        ("0.0001", Some(1)),
        ("0.00000", Some(0)),
        ("", None),
        (".", None),
        ("-0.5", None),
        ("+0.5", None),
        ("0,5", None),
        ("0.5.5", None),
        ("0.5x", None),
        ("00.5", None),
        ("1e0", None),
        ("nan", None),
        ("\u{661}", None),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse().ok().map(Quality::thousandths), *expected, "{text:?}");
    }
    for thousandths in 0..=1000 {
        let quality = Quality::from_thousandths(thousandths);
        assert_eq!(quality.to_string().parse(), Ok(quality));
    }
    assert_eq!(Quality::from_thousandths(u16::MAX), Quality::ONE);
}

#[test]
fn entity_tags_compare_as_the_table_of_the_rfc() {
    // RFC 9110 §8.8.3.2.
    let table = [
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
    ];
    for (left, right, strong, weak) in table {
        let [left, right] = [left, right].map(|text| EntityTag::parse(text.as_bytes()).unwrap());
        assert_eq!((left.strongly_equals(&right), left.weakly_equals(&right)), (strong, weak), "{left} {right}");
        assert_eq!((right.strongly_equals(&left), right.weakly_equals(&left)), (strong, weak), "{left} {right}");
    }
}

#[test]
fn odd_entity_tags() {
    // The first three are examples of RFC 9110 §8.8.3.
    for good in ["\"xyzzy\"", "W/\"xyzzy\"", "\"\"", "\"a,b\"", r#""a\""#, "\"W/\"", "\"\u{fc}\""] {
        assert_eq!(EntityTag::parse(good.as_bytes()).unwrap().to_string(), good);
    }
    for bad in [
        "xyzzy",
        "w/\"xyzzy\"",
        "W/xyzzy",
        "W/ \"a\"",
        "\"a",
        "a\"",
        "\"a b\"",
        "\"a\"b",
        "\"a\"\"b\"",
        "*",
        "",
        "\"",
        "W/",
        "'a'",
    ] {
        assert_eq!(EntityTag::parse(bad.as_bytes()), None, "{bad}");
    }
    assert_eq!(EntityTag::parse(b"\"\xff\""), None);
    for bad in ["a\"b", "a b", "a\nb", "\u{7f}"] {
        assert_eq!(EntityTag::strong(bad), Err(InvalidEntityTag));
        assert_eq!(EntityTag::weak(bad), Err(InvalidEntityTag));
    }
    assert_eq!(EntityTag::read(&headers(&[("ETag", "\"a\""), ("etag", "\"a\"")])), None);
    assert_eq!(EntityTag::read(&headers(&[])), None);
    assert_eq!(EntityTag::read(&headers(&[("ETag", "\"a\"")])).unwrap().opaque(), "a");
}

#[test]
fn odd_lists_of_entity_tags() {
    // The first three are examples of RFC 9110 §13.1.1 and §13.1.2.
    let table: &[(&[&str], Option<&str>)] = &[
        (&["\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\""], Some("\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"")),
        (&["W/\"xyzzy\", W/\"r2d2xxxx\", W/\"c3piozzzz\""], Some("W/\"xyzzy\", W/\"r2d2xxxx\", W/\"c3piozzzz\"")),
        (&["*"], Some("*")),
        (&[" * "], Some("*")),
        (&["\"a\"", "W/\"b\""], Some("\"a\", W/\"b\"")),
        (&[",, \"a\" ,,\"b\","], Some("\"a\", \"b\"")),
        (&["\"a,\",\",b\""], Some("\"a,\", \",b\"")),
        (&[r#""a\", "b""#], Some(r#""a\", "b""#)),
        (&["*, \"a\""], None),
        (&["\"a\", *"], None),
        (&["*", "*"], None),
        (&["*", "\"a\""], None),
        (&["\"a\"", "*"], None),
        (&["\"a\" \"b\""], None),
        (&["\"a\", b"], None),
        (&["\"a\", \"b"], None),
        (&[""], None),
        (&[","], None),
    ];
    for (lines, expected) in table {
        let tags = EntityTags::parse(lines.iter().map(|line| line.as_bytes()));
        assert_eq!(tags.map(|tags| tags.to_string()).as_deref(), *expected, "{lines:?}");
    }
}
