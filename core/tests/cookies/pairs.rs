//! The `Cookie` field.

use callboard_core::Random;
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

/// Another reader's opinion of a `Cookie` field. It calls a part without `=` an error, which is a nameless cookie here.
#[test]
fn an_independent_reader_sees_the_same_pairs() {
    const PARTS: [&str; 10] = ["a=1", "b=", "c=x=y", "d = 4 ", "", " ", "\"e\"=\"5\"", "f=\u{e9}", "alone", "=6"];
    let (mut named, mut nameless) = (0, 0);
    for seed in 0..5_000 {
        let random = &mut Random::from_seed(seed);
        let mut field = String::new();
        for _ in 0..random.below(6) {
            field.push_str(PARTS[usize::try_from(random.below(10)).unwrap()]);
            field.push_str([";", "; ", " ;\t"][usize::try_from(random.below(3)).unwrap()]);
        }
        let mut ours = read_cookies(field.as_bytes());
        for theirs in cookie::Cookie::split_parse(field.as_str()) {
            let Ok(theirs) = theirs else {
                let (name, value) = ours.next().unwrap();
                assert!(name.is_empty() && !value.is_empty(), "{field}");
                nameless += 1;
                continue;
            };
            assert_eq!(ours.next(), Some((theirs.name().as_bytes(), theirs.value().as_bytes())), "{field}");
            named += 1;
        }
        assert_eq!(ours.next(), None, "{field}");
    }
    assert!(named > 5_000 && nameless > 1_000, "{named} and {nameless}: the cases are too poor");
}
