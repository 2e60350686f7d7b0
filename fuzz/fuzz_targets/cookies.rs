//! Any bytes into a jar: as fields of a server, as a `Cookie` field, as a saved file, as a date.
//!
//! Each line is one input; its first two bytes pick who sets it and when. Nothing panics; the jar stays within its
//! limits and holds nothing that its rules refuse; what is saved is restored as it was; what can be written reads back.
//! Run it with `cargo +nightly fuzz run cookies -- -dict=fuzz/cookies.dict`.
#![no_main]

use callboard_core::cookies::{
    Access, CookieJar, JarSettings, SetCookie, Site, cookie_date, read_cookies, unquote, write_cookies,
};
use libfuzzer_sys::fuzz_target;
use url::Url;

const URLS: [&str; 8] = [
    "http://example.org/",
    "https://www.example.org/a/b",
    "https://a.www.example.org/a",
    "http://me.github.io/;x",
    "http://localhost:8080/",
    "https://127.0.0.1/a/",
    "http://[::1]/",
    "https://xn--bcher-kva.example/",
];
const SITES: [Site; 4] = [Site::Same, Site::Navigation, Site::UnsafeNavigation, Site::Cross];

/// The longest date that is kept: 400 days.
const LIFETIME: u64 = 400 * 86_400;

fn check_grammar(line: &[u8]) {
    if let Some(seconds) = cookie_date(line) {
        // From the year 1601 to the year 9999.
        assert!((-11_644_473_600..253_402_300_800).contains(&seconds));
    }
    let pairs: Vec<_> = read_cookies(line).collect();
    let text = write_cookies(pairs.iter().copied());
    assert!(text.len() <= line.len() * 2 && read_cookies(&text).eq(pairs.iter().copied()));
    for (_, value) in pairs {
        assert!(unquote(value).len() <= value.len());
    }
    if let Ok(cookie) = SetCookie::parse(line)
        && let Ok(field) = cookie.write()
    {
        assert_eq!(SetCookie::parse(&field), Ok(cookie));
    }
}

/// Any name, value and path of a program: what the jar takes is sent and saved as the one cookie that it is.
fn set_by_hand(bytes: &[u8], url: &Url, now: u64) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'|');
    let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut cookie = SetCookie::new(name, value).with_secure();
    if let Some(path) = parts.next() {
        cookie = cookie.with_path(path);
    }
    let mut jar = CookieJar::default();
    if jar.set(cookie.clone(), url, Access::default(), now).is_ok() {
        if let Some(field) = jar.cookie_field(url, Access::default(), now) {
            assert!(read_cookies(&field).eq([(name, value)]), "{}", field.escape_ascii());
        }
        assert_eq!(jar.save(now).iter().filter(|byte| **byte == b'\n').count(), 2);
    }
    if jar.set_everywhere(cookie, now).is_ok() {
        assert_eq!(CookieJar::default().restore(&jar.save(now), now).taken, jar.len());
    }
}

fn check_jar(jar: &CookieJar, now: u64) {
    assert!(jar.len() <= jar.settings().total && jar.len() == jar.iter().count());
    for cookie in jar.iter() {
        assert!(cookie.name().len() + cookie.value().len() <= 4096 && cookie.path().starts_with(b"/"));
        assert!(cookie.expires().is_none_or(|expires| expires <= now + LIFETIME));
        assert!(!cookie.name().to_ascii_lowercase().starts_with(b"__secure-") || cookie.is_secure());
    }
    let text = jar.save(now);
    let mut other = CookieJar::new(jar.settings().clone());
    let restored = other.restore(&text, now);
    assert!(restored.refused.is_empty(), "{restored:?}");
    assert_eq!(other.save(now), text);
    for url in URLS.map(|url| Url::parse(url).expect("a URL")) {
        assert_eq!(other.get(&url, Access::default(), now).len(), jar.get(&url, Access::default(), now).len());
    }
}

fuzz_target!(|input: &[u8]| {
    let mut jar = CookieJar::new(JarSettings { per_domain: 4, total: 10, ..JarSettings::default() });
    let mut now = 1_000_000_000;
    for line in input.split(|byte| *byte == b'\n').take(64) {
        let [who, when, field @ ..] = line else { continue };
        check_grammar(field);
        now += u64::from(*when);
        let url = Url::parse(URLS[usize::from(who & 7)]).expect("a URL");
        let access = Access { site: SITES[usize::from(who >> 3 & 3)], is_script: who & 32 != 0 };
        let before = jar.clone();
        if jar.set_field(field, &url, access, now).is_err() {
            assert!(jar.iter().eq(before.iter()), "a refused cookie changed the jar");
        }
        let given = jar.get(&url, access, now).len();
        let sent = jar.cookie_field(&url, access, now);
        assert_eq!(sent.is_some(), given > 0);
        set_by_hand(field, &url, now);
    }
    check_jar(&jar, now);
    let mut restored = CookieJar::new(JarSettings { per_domain: 4, total: 10, ..JarSettings::default() });
    restored.restore(input, now);
    check_jar(&restored, now);
});
