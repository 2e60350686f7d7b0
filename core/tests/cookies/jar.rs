//! What the jar takes, and whom it gives it: rules as tables, with the ordinary access of a program.

use callboard_core::cookies::{Access, CookieError, CookieJar, JarSettings, SetCookie, StoredCookie};
use url::Url;

pub(crate) const NOW: u64 = 1_000_000_000;
const DAY: u64 = 24 * 60 * 60;

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn set(jar: &mut CookieJar, from: &str, field: &str) -> Result<(), CookieError> {
    jar.set_field(field.as_bytes(), &url(from), Access::default(), NOW)
}

pub(crate) fn get(jar: &mut CookieJar, to: &str) -> String {
    let field = jar.cookie_field(&url(to), Access::default(), NOW).unwrap_or_default();
    String::from_utf8(field).expect("cookies of text")
}

/// A jar with these cookies in it.
fn jar(cookies: &[(&str, &str)]) -> CookieJar {
    let mut jar = CookieJar::default();
    for (from, field) in cookies {
        set(&mut jar, from, field).unwrap_or_else(|refusal| panic!("{from} {field}: {refusal}"));
    }
    jar
}

#[test]
fn refusals() {
    use CookieError::{
        ControlCharacter, DomainInvalid, DomainMismatch, HiddenPrefix, HostPrefix, NoHost, NotSecureOrigin,
        PublicSuffix, SameSiteNone, SecurePrefix,
    };
    let secure = "a=1; Secure; Path=/";
    let table = [
        ("http://example.org/", "a=1", None),
        ("http://example.org/", secure, Some(NotSecureOrigin)),
        ("ws://example.org/", secure, Some(NotSecureOrigin)),
        ("http://localhost/", secure, Some(NotSecureOrigin)),
        ("https://example.org/", secure, None),
        ("wss://example.org/", secure, None),
        ("file:///folder/x", "a=1", Some(NoHost)),
        ("data:,x", "a=1", Some(NoHost)),
        ("http://example.org/", "a=1; Domain=org", Some(PublicSuffix)),
        ("http://a.example.org/", "a=1; Domain=example.com", Some(DomainMismatch)),
        ("http://badexample.org/", "a=1; Domain=example.org", Some(DomainMismatch)),
        ("http://example.org/", "a=1; Domain=a.example.org", Some(DomainMismatch)),
        ("http://example.org/", "a=1; Domain=example.org.", Some(DomainInvalid)),
        ("http://example.org./", "a=1; Domain=example.org.", Some(DomainInvalid)),
        ("http://b\u{fc}cher.example.org/", "a=1; Domain=b\u{fc}cher.example.org", Some(DomainInvalid)),
        ("http://b\u{fc}cher.example.org/", "a=1; Domain=xn--bcher-kva.example.org", None),
        ("http://xn--55qx5d.cn/", "a=1; Domain=cn", Some(PublicSuffix)),
        ("http://a.xn--55qx5d.cn/", "a=1; Domain=xn--55qx5d.cn", Some(PublicSuffix)),
        ("http://a.\u{516c}\u{53f8}.cn/", "a=1; Domain=a.xn--55qx5d.cn", None),
        ("http://a.b.ck/", "a=1; Domain=b.ck", Some(PublicSuffix)),
        ("http://a.www.ck/", "a=1; Domain=www.ck", None),
        ("http://app.internal/", "a=1; Domain=internal", Some(PublicSuffix)),
        ("http://127.0.0.1/", "a=1; Domain=127.0.0.1", None),
        ("http://127.0.0.1/", "a=1; Domain=0.0.1", Some(DomainMismatch)),
        ("http://1.2.3.4/", "a=1; Domain=3.4", Some(DomainMismatch)),
        ("http://[::1]/", "a=1; Domain=[::1]", None),
        ("https://example.org/", "a=1; SameSite=None", Some(SameSiteNone)),
        ("https://example.org/", "a=1; SameSite=None; Secure", None),
        ("https://example.org/", "__Secure-a=1", Some(SecurePrefix)),
        ("https://example.org/", "__secure-a=1; Secure", None),
        ("https://example.org/", "__HOST-a=1; Secure", Some(HostPrefix)),
        ("https://example.org/", "__Host-a=1; Path=/", Some(HostPrefix)),
        ("https://example.org/", "__Host-a=1; Path=/; Secure; Domain=example.org", Some(HostPrefix)),
        ("https://example.org/", "__Host-a=1; Path=/; Secure; Domain=", None),
        ("https://example.org/", "=__Host-a=1; Path=/; Secure", Some(HiddenPrefix)),
        ("https://example.org/", "__secure-a; Secure", Some(HiddenPrefix)),
        ("https://example.org/", "a=1\0", Some(ControlCharacter)),
    ];
    for (from, field, refusal) in table {
        let mut jar = CookieJar::default();
        assert_eq!(set(&mut jar, from, field).err(), refusal, "{from} {field}");
        assert_eq!(jar.len(), usize::from(refusal.is_none()), "{from} {field}");
    }
}

#[test]
fn a_public_suffix_may_keep_cookies_for_itself() {
    for host in ["github.io", "localhost", "com"] {
        let from = format!("http://{host}/");
        let mut jar = jar(&[(&from, &format!("a=1; Domain={host}"))]);
        assert!(jar.iter().all(StoredCookie::is_host_only));
        assert_eq!(get(&mut jar, &from), "a=1");
        assert_eq!(get(&mut jar, &format!("http://other.{host}/")), "");
    }
}

#[test]
fn a_cookie_goes_to_its_hosts() {
    let own = ("http://www.example.org/", "own=1");
    let wide = ("http://www.example.org/", "wide=1; Domain=example.org");
    let table = [
        ("http://www.example.org/", "own=1; wide=1"),
        ("https://WWW.EXAMPLE.org:444/x", "own=1; wide=1"),
        ("http://example.org/", "wide=1"),
        ("http://a.www.example.org/", "wide=1"),
        ("http://notexample.org/", ""),
        ("http://example.org.evil.example/", ""),
        ("http://www.example.org./", ""),
        ("http://org/", ""),
    ];
    for (to, expected) in table {
        assert_eq!(get(&mut jar(&[own, wide]), to), expected, "{to}");
    }
    let mut addresses = jar(&[
        ("http://10.0.0.1/", "a=1"),
        ("http://[::1]:80/", "b=1"),
        ("http://1/", "c=1"), // 0.0.0.1
    ]);
    for (to, expected) in [
        ("http://10.0.0.1:9/", "a=1"),
        ("http://0xa.1/", "a=1"),
        ("http://110.0.0.1/", ""),
        ("http://a.10.0.0.1.example/", ""),
        ("http://[0::1]/", "b=1"),
        ("http://0.0.0.1/", "c=1"),
    ] {
        assert_eq!(get(&mut addresses, to), expected, "{to}");
    }
}

#[test]
fn a_cookie_goes_to_its_paths() {
    let table = [
        ("/", "", "/", true),
        ("/a/b", "", "/a", true),
        ("/a/b", "", "/a/c", true),
        ("/a/b", "", "/ab", false),
        ("/a/b/", "", "/a/b", true),
        ("/a/b/", "", "/a", false),
        ("/a?x=/b/c", "", "/z", true),
        ("/a;b/c", "", "/a;b/d", true),
        ("/x", "; Path=/a", "/a", true),
        ("/x", "; Path=/a", "/a/", true),
        ("/x", "; Path=/a", "/a?b", true),
        ("/x", "; Path=/a/", "/a", false),
        ("/x", "; Path=/a/", "/a/b", true),
        ("/x", "; Path=/a", "/A", false),
        ("/x", "; Path=/a", "/%61", false),
        ("/y/x", "; Path=a", "/y", true),
    ];
    for (from, attribute, to, fits) in table {
        let mut jar = jar(&[(&format!("http://a.example{from}"), &format!("a=1{attribute}"))]);
        let saw = get(&mut jar, &format!("http://a.example{to}"));
        assert_eq!(saw == "a=1", fits, "from {from} with {attribute:?} to {to}");
    }
}

#[test]
fn the_order_is_by_length_of_path_then_by_age() {
    let from = "http://a.example.org/x/y";
    let mut jar = jar(&[
        (from, "n=1; Path=/"),
        (from, "n=2; Path=/x/y"),
        (from, "n=3; Path=/; Domain=example.org"),
        (from, "n=4; Path=/x"),
        (from, "m=5; Path=/"),
        (from, "n=6; Path=/"),
    ]);
    // The last one took the place of the first, and its age.
    assert_eq!(get(&mut jar, from), "n=2; n=4; n=6; n=3; m=5");
    assert_eq!(jar.len(), 5);
    let looked: Vec<_> = jar.get(&url(from), Access::default(), NOW).iter().map(|cookie| cookie.value()).collect();
    assert_eq!(looked.concat(), b"24635");
}

#[test]
fn life_and_death() {
    let url = url("http://a.example/");
    // Set at NOW; the last second of its life, if that is not the session's.
    let table = [
        ("a=1", None),
        ("a=1; Max-Age=60", Some(NOW + 59)),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(NOW + 59)),
        ("a=1; Expires=Sun, 09 Sep 2001 01:46:41 GMT", Some(NOW)),
        ("a=1; Expires=Sun, 09 Sep 2001 01:46:40 GMT", Some(NOW - 1)),
        ("a=1; Max-Age=0", Some(NOW - 1)),
        ("a=1; Max-Age=-1; Expires=Sun, 09 Sep 2030 01:46:41 GMT", Some(NOW - 1)),
        ("a=1; Max-Age=99999999999999999999", Some(NOW + 400 * DAY - 1)),
        ("a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", Some(NOW + 400 * DAY - 1)),
        ("a=1; Max-Age=x; Expires=y", None),
    ];
    for (field, last) in table {
        let mut jar = CookieJar::default();
        jar.set_field(field.as_bytes(), &url, Access::default(), NOW).unwrap();
        let lives = |jar: &mut CookieJar, now| jar.cookie_field(&url, Access::default(), now).is_some();
        assert_eq!(lives(&mut jar, NOW), last.is_none_or(|last| last >= NOW), "{field}");
        assert_eq!(lives(&mut jar, last.unwrap_or(u64::MAX)), last.is_none_or(|last| last >= NOW), "{field}");
        assert!(!lives(&mut jar, last.map_or(u64::MAX, |last| last + 1)) || last.is_none(), "{field}");
        let session = jar.iter().next().is_some_and(|cookie| cookie.expires().is_none());
        assert_eq!(session, last.is_none(), "{field}");
    }
    let mut eternal = CookieJar::new(JarSettings { lifetime: None, ..JarSettings::default() });
    eternal.set_field(b"a=1; Max-Age=99999999999999999999", &url, Access::default(), NOW).unwrap();
    assert!(eternal.cookie_field(&url, Access::default(), 1 << 60).is_some());
}

#[test]
fn an_expired_cookie_removes_what_it_replaces_and_nothing_else() {
    let from = "http://a.example.org/";
    let mut jar = jar(&[(from, "a=1"), (from, "a=2; Domain=a.example.org"), (from, "a=3; Path=/x"), (from, "b=4")]);
    set(&mut jar, from, "a=; Max-Age=0").unwrap();
    assert_eq!(get(&mut jar, "http://a.example.org/x"), "a=3; a=2; b=4");
    set(&mut jar, from, "c=; Max-Age=0").unwrap();
    assert_eq!(jar.len(), 3);
}

#[test]
fn values_come_back_as_they_came() {
    for field in
        ["a=\"1\"", "a=\"1", "a=\\\"", "a=b=c", "a=1, 2", "a= ", "\"a\"=\"", "a=\u{e9}\u{fffd}", "a=x\ty", "a", "=a=1"]
    {
        let mut jar = jar(&[("http://a.example/", field)]);
        let expected = if field == "a= " { "a=" } else { field };
        assert_eq!(get(&mut jar, "http://a.example/"), expected);
    }
    let mut jar = CookieJar::default();
    jar.set_field(b"a=\xe9\xff", &url("http://a.example/"), Access::default(), NOW).unwrap();
    assert_eq!(jar.cookie_field(&url("http://a.example/"), Access::default(), NOW).unwrap(), b"a=\xe9\xff");
}

#[test]
fn settings_are_in_force() {
    let with = |settings| CookieJar::new(settings);
    let base = JarSettings::default;
    let mut no_addresses = with(JarSettings { accepts_addresses: false, ..base() });
    for host in ["127.0.0.1", "[::1]"] {
        assert_eq!(set(&mut no_addresses, &format!("http://{host}/"), "a=1"), Err(CookieError::AddressHost));
    }
    set(&mut no_addresses, "http://localhost/", "a=1").unwrap();

    let mut any_suffix = with(JarSettings { rejects_public_suffixes: false, ..base() });
    set(&mut any_suffix, "http://app.internal/", "a=1; Domain=internal").unwrap();
    assert_eq!(get(&mut any_suffix, "http://other.internal/"), "a=1");

    let mut loopback = with(JarSettings { trusts_loopback: true, ..base() });
    for host in ["localhost", "a.localhost", "localhost.", "127.9.9.9", "[::1]"] {
        let from = format!("http://{host}:8080/");
        set(&mut loopback, &from, "a=1; Secure").unwrap_or_else(|refusal| panic!("{host}: {refusal}"));
        assert_eq!(get(&mut loopback, &from), "a=1", "{host}");
    }
    for host in ["notlocalhost", "localhost.example", "128.0.0.1", "[::2]"] {
        assert_eq!(set(&mut loopback, &format!("http://{host}/"), "a=1; Secure"), Err(CookieError::NotSecureOrigin));
    }

    let origins = vec![url("http://dev.example:8080/ignored")];
    let mut origin = with(JarSettings { secure_origins: origins, ..base() });
    set(&mut origin, "http://dev.example:8080/", "a=1; Secure").unwrap();
    assert_eq!(get(&mut origin, "http://dev.example:8080/x"), "a=1");
    assert_eq!(get(&mut origin, "http://dev.example/"), "");
    assert_eq!(set(&mut origin, "http://dev.example/", "b=1; Secure"), Err(CookieError::NotSecureOrigin));
}

#[test]
fn what_is_not_secure_leaves_secure_cookies_alone() {
    let secure = ("https://www.example.org/x/y", "a=1; Secure; Path=/x");
    let table = [
        ("http://www.example.org/", "a=2; Path=/x", Err(CookieError::HidesSecure)),
        ("http://www.example.org/", "a=2; Path=/x/y", Err(CookieError::HidesSecure)),
        ("http://www.example.org/", "a=2; Path=/x; Domain=example.org", Err(CookieError::HidesSecure)),
        ("http://b.www.example.org/", "a=2; Path=/x", Err(CookieError::HidesSecure)),
        ("http://www.example.org/", "a=; Path=/x; Max-Age=0", Err(CookieError::HidesSecure)),
        ("http://www.example.org/", "a=2; Path=/", Ok(())),
        ("http://www.example.org/", "a=2; Path=/xy", Ok(())),
        ("http://www.example.org/", "b=2; Path=/x", Ok(())),
        ("http://other.example.org/", "a=2; Path=/x", Ok(())),
        ("https://www.example.org/", "a=2; Path=/x", Ok(())),
    ];
    for (from, field, expected) in table {
        assert_eq!(set(&mut jar(&[secure]), from, field), expected, "{from} {field}");
    }
    let mut expired = jar(&[("https://www.example.org/", "a=1; Secure; Max-Age=5")]);
    let later = expired.set_field(b"a=2", &url("http://www.example.org/"), Access::default(), NOW + 5);
    assert_eq!((later, expired.len()), (Ok(()), 1));
}

#[test]
fn clearing() {
    let all = [
        ("http://example.org/", "a=1"),
        ("http://www.example.org/", "b=1"),
        ("http://www.example.org/", "c=1; Domain=example.org"),
        ("http://notexample.org/", "d=1; Max-Age=5"),
    ];
    let names = |jar: &CookieJar| {
        let mut names: Vec<u8> = jar.iter().flat_map(|cookie| cookie.name().to_vec()).collect();
        names.sort_unstable();
        String::from_utf8(names).unwrap()
    };
    let cleared = |clear: &dyn Fn(&mut CookieJar)| {
        let mut jar = jar(&all);
        jar.set_everywhere(SetCookie::new("e", "1"), NOW).unwrap();
        clear(&mut jar);
        assert_eq!((jar.len(), jar.is_empty()), (jar.iter().count(), jar.iter().next().is_none()));
        names(&jar)
    };
    assert_eq!(cleared(&|_| ()), "abcde");
    assert_eq!(cleared(&|jar| jar.clear()), "");
    assert_eq!(cleared(&|jar| jar.clear_domain("Example.org")), "de");
    assert_eq!(cleared(&|jar| jar.clear_domain("www.example.org")), "acde");
    assert_eq!(cleared(&|jar| jar.retain(StoredCookie::is_host_only)), "abd");
    assert_eq!(cleared(&|jar| jar.purge(NOW + 4)), "abcde");
    assert_eq!(cleared(&|jar| jar.purge(NOW + 5)), "abce");
}

#[test]
fn a_cookie_for_every_host_goes_to_every_host() {
    let mut jar = jar(&[("http://a.example/", "own=1")]);
    jar.set_everywhere(SetCookie::new("all", "1"), NOW).unwrap();
    jar.set_everywhere(SetCookie::new("deep", "1").with_path("/x").with_secure(), NOW).unwrap();
    assert_eq!(jar.set_everywhere(SetCookie::new("__Host-a", "1"), NOW), Err(CookieError::HostPrefix));
    for (to, expected) in [
        ("http://a.example/", "own=1; all=1"),
        ("http://b.example/x", "all=1"),
        ("https://b.example/x", "deep=1; all=1"),
        ("http://127.0.0.1/", "all=1"),
        ("http://a.b.c.d.e./", "all=1"),
    ] {
        assert_eq!(get(&mut jar, to), expected, "{to}");
    }
}

#[test]
fn a_stored_cookie_is_data() {
    let jar =
        jar(&[("https://www.example.org/a/b", "n=v; Domain=.Example.org; Max-Age=9; Secure; HttpOnly; Partitioned")]);
    let cookie = jar.iter().next().unwrap();
    assert_eq!((cookie.name(), cookie.value(), cookie.domain()), (&b"n"[..], &b"v"[..], "example.org"));
    assert_eq!((cookie.path(), cookie.is_host_only(), cookie.same_site()), (&b"/a"[..], false, None));
    assert_eq!((cookie.created(), cookie.expires()), (NOW, Some(NOW + 9)));
    assert!(cookie.is_secure() && cookie.is_http_only() && cookie.is_partitioned());
    assert!(!format!("{jar:?}").contains("n=v"), "a value shows");
}
