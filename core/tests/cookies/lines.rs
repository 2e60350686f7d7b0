//! Saving and restoring.

use callboard_core::cookies::{Access, CookieError, CookieJar, JarSettings, Restored, SameSite, SetCookie};

use super::jar::{NOW, get, set, url};

#[test]
fn all_that_a_cookie_is_comes_back() {
    let mut jar = CookieJar::default();
    for (from, field) in [
        ("https://www.example.org/", "own=\"1\"; Path=/x; Secure; HttpOnly; SameSite=Strict"),
        ("https://www.example.org/", "wide=a=b, c\td; Domain=example.org; Max-Age=60; SameSite=None; Secure"),
        ("http://127.0.0.1/a;b/c", "address=1"),
        ("http://[::1]/", "six=1; Partitioned"),
        ("http://example.org/", "=nameless"),
        ("http://example.org/", "empty="),
        ("https://example.org/", "__Host-a=1; Path=/; Secure; SameSite=Lax"),
        ("http://github.io/", "suffix=1; Domain=github.io"),
    ] {
        set(&mut jar, from, field).unwrap();
    }
    jar.set_field(b"bytes=\xff\xe9", &url("http://b.example/"), Access::default(), NOW - 7).unwrap();
    jar.set_everywhere(SetCookie::new("all", "1").with_path("/deep"), NOW).unwrap();
    let text = jar.save(NOW);
    let mut other = CookieJar::default();
    assert_eq!(other.restore(&text, NOW), Restored { taken: 10, refused: vec![] });
    assert_eq!(other.save(NOW), text);
    let facts = |jar: &CookieJar| -> Vec<_> {
        let fact = |cookie: &callboard_core::cookies::StoredCookie| {
            let flags = [cookie.is_host_only(), cookie.is_secure(), cookie.is_http_only(), cookie.is_partitioned()];
            let words =
                [cookie.name().to_vec(), cookie.value().to_vec(), cookie.domain().into(), cookie.path().to_vec()];
            (words, flags, cookie.same_site(), cookie.expires(), cookie.created())
        };
        jar.iter().map(fact).collect()
    };
    assert_eq!(facts(&other), facts(&jar));
    assert!(facts(&jar).iter().any(|fact| fact.2 == Some(SameSite::Strict)));
    assert_eq!(get(&mut other, "http://example.org/"), "nameless; empty=");
}

#[test]
fn a_line_reads_as_what_set_it() {
    let mut jar = CookieJar::default();
    set(&mut jar, "https://www.example.org/a/b", "id=7; Domain=example.org; Max-Age=60; Secure").unwrap();
    let expected = "# cookies 1: created, host, path, Set-Cookie\n1000000000\texample.org\t/a\tid=7; \
                    Domain=example.org; Expires=Sun, 09 Sep 2001 01:47:40 GMT; Secure\n";
    assert_eq!(String::from_utf8(jar.save(NOW)).unwrap(), expected);
}

#[test]
fn deadlines_are_absolute() {
    let mut jar = CookieJar::default();
    set(&mut jar, "http://a.example/", "a=1; Max-Age=60").unwrap();
    let text = jar.save(NOW + 30);
    let mut other = CookieJar::default();
    assert_eq!(other.restore(&text, NOW + 59).taken, 1);
    assert!(other.cookie_field(&url("http://a.example/"), Access::default(), NOW + 59).is_some());
    assert!(other.cookie_field(&url("http://a.example/"), Access::default(), NOW + 60).is_none());
    let mut late = CookieJar::default();
    late.restore(&text, NOW + 60);
    assert!(late.is_empty());
    assert_eq!(jar.save(NOW + 60).split(|byte| *byte == b'\n').count(), 2, "the head, and nothing behind it");
}

#[test]
fn a_file_brings_in_nothing_that_a_server_could_not() {
    let text = "0\texample.org\t/\ta=1\n\
                # a remark\n\
                \n\
                0\texample.org\t/\tb=1; Domain=org\n\
                0\texample.org\t/\tc=1; Domain=other.example\n\
                0\texample.org\t/\t__Secure-d=1\n\
                0\texample.org\t/x\t__Host-e=1; Secure\n\
                0\t*\t/\t__Host-f=1; Secure; Path=/\n\
                0\texample.org\t/\tg=1; SameSite=None\n\
                0\texample.org\tno\th=1\n\
                0\texample.org\t/\n\
                x\texample.org\t/\ti=1\n\
                0\texample.org/path\t/\tj=1\n\
                0\tuser@example.org\t/\tk=1\n\
                0\tEXAMPLE.org\t/\tl=1\n\
                0\t\t/\tm=1\n\
                0\ta b\t/\tn=1\n\
                0\t127.1\t/\to=1\n\
                0\texample.org\t/\tp\x01=1\n\
                garbage";
    let mut jar = CookieJar::default();
    let Restored { taken, refused } = jar.restore(text.as_bytes(), NOW);
    let expected = [
        (4, CookieError::PublicSuffix),
        (5, CookieError::DomainMismatch),
        (6, CookieError::SecurePrefix),
        (7, CookieError::HostPrefix),
        (8, CookieError::HostPrefix),
        (9, CookieError::SameSiteNone),
        (10, CookieError::Line),
        (11, CookieError::Line),
        (12, CookieError::Line),
        (13, CookieError::Line),
        (14, CookieError::Line),
        (15, CookieError::Line),
        (16, CookieError::NoHost),
        (17, CookieError::NoHost),
        (18, CookieError::Line),
        (19, CookieError::ControlCharacter),
        (20, CookieError::Line),
    ];
    assert_eq!((taken, refused), (1, expected.to_vec()));
    assert_eq!(get(&mut jar, "http://example.org/"), "a=1");
    let mut strict = CookieJar::new(JarSettings { accepts_addresses: false, ..JarSettings::default() });
    assert_eq!(strict.restore(b"0\t127.0.0.1\t/\ta=1", NOW).refused, [(1, CookieError::AddressHost)]);
}

/// A cookie made by hand, of what a user has typed, say: it must not bring in others, where it is sent or saved.
#[test]
fn what_no_field_could_bring_is_not_taken_from_a_program_either() {
    let plain = || SetCookie::new("a", "1");
    let rows = [
        SetCookie::new("a", "1; b=2"),
        SetCookie::new("a", "1\n5\texample.org\t/\tb=2"),
        SetCookie::new("a", "\0"),
        SetCookie::new("a", " 1"),
        SetCookie::new("a=b", "1"),
        SetCookie::new("a;b", "1"),
        SetCookie::new("", ""),
        SetCookie::new("a", "x".repeat(4096)),
        plain().with_path("/;Domain=b"),
        plain().with_path("/\n5\texample.org\t/\tb=2"),
        plain().with_path("no-slash"),
        plain().with_domain("org; Secure"),
    ];
    let at = url("https://example.org/");
    for cookie in rows {
        let mut jar = CookieJar::default();
        let refused = [jar.set(cookie.clone(), &at, Access::default(), 5), jar.set_everywhere(cookie.clone(), 5)];
        assert!(refused.iter().all(|refused| *refused == Err(CookieError::Unwritable)), "{cookie:?}: {refused:?}");
        assert!(jar.is_empty());
    }
    let mut jar = CookieJar::default();
    for cookie in [plain(), SetCookie::new("", "token"), SetCookie::new("", "a=b"), plain().with_path("/x")] {
        jar.set(cookie.clone(), &at, Access::default(), 5).unwrap();
        jar.set_everywhere(cookie, 5).unwrap();
    }
    let mut other = CookieJar::default();
    assert_eq!(other.restore(&jar.save(5), 5).taken, 6, "the two without a name are one");
}
