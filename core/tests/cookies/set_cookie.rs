//! The `Set-Cookie` field, read and written, and beside an independent reader.

use core::time::Duration;

use callboard_core::Random;
use callboard_core::cookies::{CookieError, InvalidCookie, SameSite, SetCookie, cookie_date};
use callboard_core::date::http_date;

fn read(field: &str) -> SetCookie {
    SetCookie::parse(field.as_bytes()).unwrap_or_else(|refusal| panic!("{field}: {refusal}"))
}

#[test]
fn the_last_readable_attribute_of_a_kind_counts() {
    let long = format!("a=1; Path=/a; Path=/{}", "x".repeat(1024));
    let paths = [
        ("a=1; Path=/x; Path=/y", Some("/y")),
        ("a=1; Path=/x; Path=y", None),
        ("a=1; Path=/x; Path", None),
        ("a=1; Path=/x y", Some("/x y")),
        (&long, Some("/a")),
    ];
    for (field, path) in paths {
        assert_eq!(read(field).path(), path.map(str::as_bytes), "{field}");
    }
    let ages = [
        ("a=1; Max-Age=60; Max-Age=x", Some(60)),
        ("a=1; Max-Age=60; Max-Age=-", Some(60)),
        ("a=1; Max-Age=60; Max-Age=", Some(60)),
        ("a=1; Max-Age=60; Max-Age=+5", Some(60)),
        ("a=1; Max-Age=60; Max-Age=5.0", Some(60)),
        ("a=1; Max-Age=60; Max-Age=07", Some(7)),
        ("a=1; max-age=-07", Some(-7)),
        ("a=1; Max-Age=99999999999999999999", Some(i64::MAX)),
        ("a=1; Max-Age=-99999999999999999999", Some(-i64::MAX)),
        ("a=1", None),
    ];
    for (field, age) in ages {
        assert_eq!(read(field).max_age(), age, "{field}");
    }
    let sites = [
        ("a=1; SameSite=lAx", Some(SameSite::Lax)),
        ("a=1; SameSite=STRICT", Some(SameSite::Strict)),
        ("a=1; SameSite=None", Some(SameSite::None)),
        ("a=1; SameSite=Lax; SameSite=what", None),
        ("a=1; SameSite", None),
    ];
    for (field, site) in sites {
        assert_eq!(read(field).same_site(), site, "{field}");
    }
    let domains = [
        ("a=1; Domain=.Example.ORG", Some("example.org")),
        ("a=1; Domain=..example.org", Some(".example.org")),
        ("a=1; Domain=a; Domain=", None),
        ("a=1; Domain=a; Domain=.", None),
    ];
    for (field, domain) in domains {
        assert_eq!(read(field).domain(), domain.map(str::as_bytes), "{field}");
    }
    assert_eq!(read("a=1; Expires=Thu, 01 Jan 1700 00:00:00 GMT").expires(), Some(0));
    assert_eq!(read("a=1; Expires=1 Jan 1970 00:00:09; Expires=never").expires(), Some(9));
}

#[test]
fn what_is_no_cookie_is_named() {
    let at_limit = format!("{}={}", "n".repeat(96), "v".repeat(4000));
    assert_eq!(read(&at_limit).value().len(), 4000);
    let above = format!("{at_limit}v");
    let table = [
        ("", CookieError::Empty),
        ("=", CookieError::Empty),
        (" = ; Path=/", CookieError::Empty),
        ("; a=1", CookieError::Empty),
        ("a=1\0", CookieError::ControlCharacter),
        ("a=1; Path=/\x1f", CookieError::ControlCharacter),
        ("a=1; x\r\n", CookieError::ControlCharacter),
        ("a=\x7f", CookieError::ControlCharacter),
        (&above, CookieError::TooLong),
    ];
    for (field, refusal) in table {
        assert_eq!(SetCookie::parse(field.as_bytes()), Err(refusal), "{field}");
    }
    assert_eq!(read("a=1\t2; Path=/\tx").value(), b"1\t2");
}

#[test]
fn what_user_agents_would_refuse_is_not_written() {
    let cookie = || SetCookie::new("a", "1");
    let host = || SetCookie::new("__HOST-a", "1").with_path("/");
    let table = [
        (SetCookie::new("", "1"), InvalidCookie::Name),
        (SetCookie::new("a b", "1"), InvalidCookie::Name),
        (SetCookie::new("a=", "1"), InvalidCookie::Name),
        (SetCookie::new("\u{e9}", "1"), InvalidCookie::Name),
        (SetCookie::new("a", "1; Secure"), InvalidCookie::Value),
        (SetCookie::new("a", "1\r\nX: y"), InvalidCookie::Value),
        (SetCookie::new("a", "\u{e9}"), InvalidCookie::Value),
        (SetCookie::new("a", "v".repeat(4096)), InvalidCookie::TooLong),
        (cookie().with_path("/".repeat(1025)), InvalidCookie::TooLong),
        (cookie().with_domain("a;b"), InvalidCookie::Domain),
        (cookie().with_domain(""), InvalidCookie::Domain),
        (cookie().with_domain("a..b"), InvalidCookie::Domain),
        (cookie().with_domain("a.b."), InvalidCookie::Domain),
        (cookie().with_domain("\u{e9}.fr"), InvalidCookie::Domain),
        (cookie().with_path("a"), InvalidCookie::Path),
        (cookie().with_path(""), InvalidCookie::Path),
        (cookie().with_path("/;x"), InvalidCookie::Path),
        (cookie().with_path("/\n"), InvalidCookie::Path),
        (cookie().with_path("/\u{e9}"), InvalidCookie::Path),
        (cookie().with_same_site(SameSite::None), InvalidCookie::SameSiteNone),
        (cookie().with_partitioned(), InvalidCookie::Partitioned),
        (SetCookie::new("__secure-a", "1"), InvalidCookie::SecurePrefix),
        (host(), InvalidCookie::HostPrefix),
        (host().with_secure().with_path("/a"), InvalidCookie::HostPrefix),
        (host().with_secure().with_domain("a.b"), InvalidCookie::HostPrefix),
    ];
    for (cookie, error) in table {
        assert_eq!(cookie.write(), Err(error), "{cookie:?}");
    }
    let full = SetCookie::new("__Secure-a", "\"1\"")
        .with_domain(".Example.org")
        .with_path("/a b")
        .with_max_age(Duration::from_millis(61_900))
        .with_expires(784_111_777)
        .with_secure()
        .with_http_only()
        .with_same_site(SameSite::None)
        .with_partitioned();
    let text = "__Secure-a=\"1\"; Domain=example.org; Path=/a b; Max-Age=61; Expires=Sun, 06 Nov 1994 08:49:37 GMT; \
                Secure; HttpOnly; SameSite=None; Partitioned";
    assert_eq!(full.write().unwrap(), text.as_bytes());
    assert_eq!(read(text), full);
}

#[test]
fn a_value_does_not_show_in_debug() {
    assert_eq!(format!("{:?}", SetCookie::new("id", "secret").with_path("/")), "\"id=...; Path=/\"");
}

/// Any of `choices`.
fn any<'a>(random: &mut Random, choices: &[&'a str]) -> &'a str {
    choices[usize::try_from(random.below(choices.len() as u64)).unwrap()]
}

#[test]
fn an_independent_reader_sees_the_same() {
    for seed in 0..3_000 {
        let random = &mut Random::from_seed(seed);
        let mut field =
            format!("{}={}", any(random, &["a", "SID", "x-y"]), any(random, &["", "1", "a=b", "\"q\"", "\u{e9}"]));
        for _ in 0..random.below(7) {
            let date = http_date(random.below(4_000_000_000));
            let age = format!("Max-Age={}", random.below(1_000_000));
            let expires = format!("Expires={}", String::from_utf8_lossy(&date));
            let attributes = [
                "Secure",
                "HttpOnly",
                "httponly",
                "Path=/a/b",
                "path=/",
                "Domain=example.org",
                "DOMAIN=.Example.Org",
                "SameSite=Lax",
                "samesite=strict",
                "Unknown=1",
                "Partitioned",
                &age,
                &expires,
            ];
            field.push_str(any(random, &["; ", ";", " ; "]));
            field.push_str(any(random, &attributes));
        }
        let (ours, other) = (read(&field), cookie::Cookie::parse(field.as_str()).unwrap());
        assert_eq!((ours.name(), ours.value()), (other.name().as_bytes(), other.value().as_bytes()), "{field}");
        assert_eq!(ours.path(), other.path().map(str::as_bytes), "{field}");
        let domain = other.domain().map(str::to_ascii_lowercase);
        assert_eq!(ours.domain(), domain.as_deref().map(str::as_bytes), "{field}");
        assert_eq!(ours.max_age(), other.max_age().map(cookie::time::Duration::whole_seconds), "{field}");
        let expires = other.expires_datetime().map(|time| u64::try_from(time.unix_timestamp()).unwrap());
        assert_eq!(ours.expires(), expires, "{field}");
        assert_eq!(ours.is_secure(), other.secure().unwrap_or(false), "{field}");
        assert_eq!(ours.is_http_only(), other.http_only().unwrap_or(false), "{field}");
        assert_eq!(ours.is_partitioned(), other.partitioned().unwrap_or(false), "{field}");
        let site = ours.same_site().map(SameSite::as_str);
        assert_eq!(site, other.same_site().map(|site| site.to_string()).as_deref(), "{field}");
    }
}

/// The other way round: what we write it reads, and what it writes we read.
#[test]
fn an_independent_reader_and_writer_understand_us() {
    for seed in 0..3_000 {
        let random = &mut Random::from_seed(seed);
        let (name, value) = (any(random, &["a", "SID", "x-y"]), any(random, &["", "1", "a=b", "\"q\""]));
        let mut ours = SetCookie::new(name, value);
        let mut theirs = cookie::Cookie::new(name, value);
        if random.below(2) == 0 {
            ours = ours.with_path("/a b");
            theirs.set_path("/a b");
        }
        if random.below(2) == 0 {
            ours = ours.with_domain("example.org");
            theirs.set_domain("example.org");
        }
        if random.below(2) == 0 {
            let age = random.below(100_000);
            ours = ours.with_max_age(Duration::from_secs(age));
            theirs.set_max_age(cookie::time::Duration::seconds(i64::try_from(age).unwrap()));
        }
        if random.below(2) == 0 {
            let date = random.below(4_000_000_000);
            ours = ours.with_expires(date);
            let date = cookie::time::OffsetDateTime::from_unix_timestamp(i64::try_from(date).unwrap());
            theirs.set_expires(date.unwrap());
        }
        if random.below(2) == 0 {
            ours = ours.with_http_only();
            theirs.set_http_only(true);
        }
        if random.below(2) == 0 {
            ours = ours.with_secure().with_same_site(SameSite::None);
            theirs.set_secure(true);
            theirs.set_same_site(cookie::SameSite::None);
        }
        let written = String::from_utf8(ours.write().unwrap()).unwrap();
        assert_eq!(cookie::Cookie::parse(written.as_str()).unwrap(), theirs, "{written}");
        assert_eq!(read(&theirs.to_string()), ours, "{theirs}");
    }
}

#[test]
fn dates_as_they_are_written_are_read_back() {
    for seed in 0..5_000 {
        let random = &mut Random::from_seed(seed);
        let second = random.below(253_402_300_800);
        let date = http_date(second);
        assert_eq!(cookie_date(&date), Some(i64::try_from(second).unwrap()), "{}", date.escape_ascii());
        // Day, month, year and time in whatever order, whatever is between them.
        let text = core::str::from_utf8(&date).unwrap();
        let mut parts: Vec<&str> = text[5..].trim_end_matches(" GMT").split(' ').collect();
        // A day that stands after the year would be taken for nothing else, but a year before the day may be the day.
        let time = parts.pop().unwrap();
        parts.insert(usize::try_from(random.below(4)).unwrap(), time);
        let text = parts.join(any(random, &[" ", "-", ", ", "  ", "/"]));
        assert_eq!(cookie_date(text.as_bytes()), Some(i64::try_from(second).unwrap()), "{text}");
    }
}
