//! The `Cookie` field.

use callboard_core::cookies::{is_cookie_value, read_cookies, unquote, write_cookies};

#[test]
fn a_malformed_part_loses_none_of_its_neighbours() {
    let table: [(&str, &[(&str, &str)]); 17] = [
        ("a=1", &[("a", "1")]),
        ("a=1; b=2", &[("a", "1"), ("b", "2")]),
        ("a=1;b=2 ;\tc = 3 ", &[("a", "1"), ("b", "2"), ("c", "3")]),
        ("a=\"1; b=2", &[("a", "\"1"), ("b", "2")]),
        ("a=\"x;y\"; b=2", &[("a", "\"x"), ("", "y\""), ("b", "2")]),
        ("a=\"\\073\"; b=2", &[("a", "\"\\073\""), ("b", "2")]),
        ("a[0]=1; b/c=2; (d)=3; e:f=4; @=5", &[("a[0]", "1"), ("b/c", "2"), ("(d)", "3"), ("e:f", "4"), ("@", "5")]),
        ("a=\x01; b=2", &[("a", "\x01"), ("b", "2")]),
        ("a; b=2", &[("", "a"), ("b", "2")]),
        ("=a; b=2", &[("", "a"), ("b", "2")]),
        ("=a=1; b=2", &[("", "a=1"), ("b", "2")]),
        ("a=; b=2", &[("a", ""), ("b", "2")]),
        (";;=; ;b=2;", &[("b", "2")]),
        (
            "path=/; expires=x; secure; domain=a; $Version=1",
            &[("path", "/"), ("expires", "x"), ("", "secure"), ("domain", "a"), ("$Version", "1")],
        ),
        ("a=b=c, d=e; f=g", &[("a", "b=c, d=e"), ("f", "g")]),
        ("a=1; a=2", &[("a", "1"), ("a", "2")]),
        ("", &[]),
    ];
    for (field, expected) in table {
        let saw: Vec<_> = read_cookies(field.as_bytes()).collect();
        let expected: Vec<_> = expected.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(saw, expected, "{field}");
        assert_eq!(read_cookies(&write_cookies(saw)).collect::<Vec<_>>(), expected, "{field}, written");
    }
}

#[test]
fn quotes_and_escapes_come_off_together() {
    let table = [
        (r#""a b""#, "a b"),
        (r#""""#, ""),
        (r#""""""#, "\"\""),
        (r#""a\"b\\c""#, "a\"b\\c"),
        (r#""a\073b\054""#, "a;b,"),
        // No octal bytes: the backslash stands for the next character.
        (r#""\400\08\7""#, "400087"),
        (r#""a\""#, "a\\"),
        (r#""a"#, "\"a"),
        (r#"a""#, "a\""),
        (r#"""#, "\""),
        (r"a\073", r"a\073"),
        ("", ""),
    ];
    for (value, expected) in table {
        assert_eq!(&*unquote(value.as_bytes()), expected.as_bytes(), "{value}");
    }
    assert_eq!(&*unquote(br#""\377\000""#), [0xff, 0]);
}

#[test]
fn values_that_all_agree_on() {
    for value in ["", "a", "\"a\"", "\"\"", "a=b", "!#$%&'()*+-./:<=>?@[]^_`{|}~"] {
        assert!(is_cookie_value(value.as_bytes()), "{value}");
    }
    for value in ["\"", "a\"", "\"a", "a\"b", "a b", "a,b", "a;b", "a\\b", "a\tb", "a\r\nb", "\u{e9}", "\x7f", "\0"] {
        assert!(!is_cookie_value(value.as_bytes()), "{value}");
    }
}
