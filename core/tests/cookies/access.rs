//! `SameSite` and `HttpOnly`: who asks.

use callboard_core::Method;
use callboard_core::cookies::{Access, CookieError, CookieJar, Site, is_same_site, registrable_domain};

use super::jar::{NOW, url};

const HTTPS: &str = "https://www.example.org/";

#[test]
fn sites() {
    let table = [
        ("https://a.example.org/", "https://b.example.org:444/", true),
        ("https://a.example.org/", "http://a.example.org/", false),
        ("wss://a.example.org/", "https://b.example.org/", true),
        ("ws://a.example.org/", "http://b.example.org/", true),
        ("https://a.github.io/", "https://b.github.io/", false),
        ("https://a.github.io/", "https://x.a.github.io/", true),
        ("https://github.io/", "https://github.io/", true),
        ("https://localhost/", "https://localhost:9/", true),
        ("https://a.xn--55qx5d.cn/", "https://b.xn--55qx5d.cn/", false),
        ("https://1.2.3.4/", "https://1.2.3.4:5/", true),
        ("https://1.2.3.4/", "https://2.2.3.4/", false),
        ("https://[::1]/", "https://[::1]/", true),
        ("data:,a", "data:,a", false),
    ];
    for (one, other, same) in table {
        assert_eq!(is_same_site(&url(one), &url(other)), same, "{one} {other}");
        assert_eq!(is_same_site(&url(other), &url(one)), same, "{other} {one}");
    }
    assert_eq!(registrable_domain("a.b.example.co.uk"), Some("example.co.uk"));
    assert_eq!(registrable_domain("co.uk"), None);
}

#[test]
fn the_relation_of_a_request_to_its_page() {
    let (here, near, far) = (url(HTTPS), url("https://example.org/"), url("https://other.example/"));
    assert_eq!(Site::of(&here, Some(&near), Some(&Method::Post)), Site::Same);
    assert_eq!(Site::of(&here, Some(&far), Some(&Method::Head)), Site::Navigation);
    assert_eq!(Site::of(&here, Some(&far), Some(&Method::Post)), Site::UnsafeNavigation);
    assert_eq!(Site::of(&here, Some(&far), None), Site::Cross);
    assert_eq!(Site::of(&here, None, None), Site::Cross);
}

#[test]
fn same_site_decides_what_is_sent_and_what_is_set() {
    const SAME: u8 = 1;
    const NAVIGATION: u8 = 2;
    const UNSAFE: u8 = 4;
    const CROSS: u8 = 8;
    // Attribute, from where it is sent to, from where it may be set.
    let table = [
        ("", SAME | NAVIGATION, SAME | NAVIGATION | UNSAFE),
        ("; SameSite=Lax", SAME | NAVIGATION, SAME | NAVIGATION | UNSAFE),
        ("; SameSite=Strict", SAME, SAME | NAVIGATION | UNSAFE),
        ("; SameSite=None", SAME | NAVIGATION | UNSAFE | CROSS, SAME | NAVIGATION | UNSAFE | CROSS),
        ("; SameSite=Odd", SAME | NAVIGATION, SAME | NAVIGATION | UNSAFE),
    ];
    let sites =
        [(Site::Same, SAME), (Site::Navigation, NAVIGATION), (Site::UnsafeNavigation, UNSAFE), (Site::Cross, CROSS)];
    for (attribute, sent, taken) in table {
        let field = format!("a=1; Secure{attribute}");
        for (site, bit) in sites {
            let access = Access::from_site(site);
            let mut jar = CookieJar::default();
            let expected = if taken & bit == 0 { Err(CookieError::CrossSite) } else { Ok(()) };
            assert_eq!(jar.set_field(field.as_bytes(), &url(HTTPS), access, NOW), expected, "{field} from {site:?}");
            let mut jar = CookieJar::default();
            jar.set_field(field.as_bytes(), &url(HTTPS), Access::default(), NOW).unwrap();
            let is_sent = jar.cookie_field(&url(HTTPS), access, NOW).is_some();
            assert_eq!(is_sent, sent & bit != 0, "{field} to {site:?}");
        }
    }
}

#[test]
fn scripts_of_another_site_get_no_lax_cookie() {
    let mut jar = CookieJar::default();
    jar.set_field(b"a=1", &url(HTTPS), Access::default(), NOW).unwrap();
    let script = Access { site: Site::Navigation, is_script: true };
    assert_eq!(jar.cookie_field(&url(HTTPS), script, NOW), None);
    assert_eq!(jar.set_field(b"b=1", &url(HTTPS), script, NOW), Err(CookieError::CrossSite));
}

#[test]
fn http_only_cookies_are_not_for_scripts() {
    let (script, http) = (Access::SCRIPT, Access::default());
    let mut jar = CookieJar::default();
    assert_eq!(jar.set_field(b"a=1; HttpOnly", &url(HTTPS), script, NOW), Err(CookieError::HttpOnly));
    jar.set_field(b"a=1; HttpOnly; Max-Age=5", &url(HTTPS), http, NOW).unwrap();
    jar.set_field(b"b=2", &url(HTTPS), script, NOW).unwrap();
    assert_eq!(jar.cookie_field(&url(HTTPS), script, NOW).unwrap(), b"b=2");
    // It cannot be replaced or removed, and stays where it was.
    for field in ["a=3", "a=; Max-Age=0"] {
        assert_eq!(jar.set_field(field.as_bytes(), &url(HTTPS), script, NOW), Err(CookieError::HttpOnly));
    }
    assert_eq!(jar.cookie_field(&url(HTTPS), http, NOW).unwrap(), b"a=1; b=2");
    assert_eq!(jar.len(), 2);
    // Once expired it is no longer there.
    jar.set_field(b"a=3", &url(HTTPS), script, NOW + 5).unwrap();
    assert_eq!(jar.cookie_field(&url(HTTPS), script, NOW + 5).unwrap(), b"b=2; a=3");
}
