//! `Cache-Control` (RFC 9111 §5.2) and `Retry-After` (RFC 9110 §10.2.3).

use std::time::Duration;

use callboard_core::fields::{CacheControl, Field, MaxStale, RetryAfter, Scope};

use super::support::{NOW, headers};

fn control(line: &str) -> CacheControl {
    CacheControl::parse([line.as_bytes()])
}

#[test]
fn directives_of_the_rfc() {
    assert_eq!(control("max-age=5").max_age, Some(5));
    assert_eq!(control("max-stale=10").max_stale, Some(MaxStale::Seconds(10)));
    assert_eq!(control("max-stale").max_stale, Some(MaxStale::Any));
    assert_eq!(control("min-fresh=20").min_fresh, Some(20));
    assert_eq!(control("private, community=\"UCI\"").extensions, [("community".into(), Some("UCI".into()))]);
    let stale = control("max-age=600, stale-while-revalidate=30, stale-if-error=1200");
    assert_eq!((stale.stale_while_revalidate, stale.stale_if_error), (Some(30), Some(1_200)));
    assert_eq!(control("no-cache").no_cache, Scope::All);
    assert_eq!(control("no-cache=\"set-cookie, a\"").no_cache, Scope::Fields(vec!["set-cookie".into(), "a".into()]));
    assert_eq!(control("private=authorization").private, Scope::Fields(vec!["authorization".into()]));
    let both = control("max-age=3600, s-maxage=\"7200\"");
    assert_eq!((both.lifetime(true), both.lifetime(false)), (Some(7_200), Some(3_600)));
    assert_eq!(control("max-age=1").lifetime(true), Some(1));
    assert_eq!(control("s-maxage=1").lifetime(false), None);
    let names = "no-store, no-cache, no-transform, public, private, must-revalidate, proxy-revalidate, \
                 must-understand, immutable, only-if-cached, max-age=1, s-maxage=2, max-stale, min-fresh=3, \
                 stale-while-revalidate=4, stale-if-error=5, other, more=\"a b\"";
    assert_eq!(control(names).to_string(), names);
    assert_eq!(control(&names.replace(", ", " ,,\t").to_uppercase()).to_string(), names.replace("a b", "A B"));
    assert_eq!(control("").to_string(), "");
}

#[test]
fn odd_numbers_of_seconds() {
    let table = [
        ("max-age=0", Some(0)),
        ("max-age=\"60\"", Some(60)),
        ("max-age=2147483648", Some(1 << 31)),
        ("max-age=4294967296", Some(1 << 31)),
        ("max-age=99999999999999999999999999", Some(1 << 31)),
        // Not a number: taken for stale.
        ("max-age", Some(0)),
        ("max-age=abc", Some(0)),
        ("max-age=-1", Some(0)),
        ("max-age=1.5", Some(0)),
        ("max-age=\"\"", Some(0)),
        // The first counts.
        ("max-age=1, max-age=2", Some(1)),
        ("max-age=x, max-age=2", Some(0)),
        // Malformed as a directive: as if it was not there.
        ("max-age=1 2", None),
        ("max-age=\"1", None),
        ("max age=1", None),
        ("max-age:1", None),
        ("community=\"max-age=1, x\"", None),
        ("max-age=", None),
        (" MAX-AGE = 7 ", Some(7)),
    ];
    for (line, expected) in table {
        assert_eq!(control(line).max_age, expected, "{line:?}");
        assert_eq!(control(&line.to_lowercase().replace("max-age", "s-maxage")).shared_max_age, expected, "{line:?}");
    }
    // What would make stale answers usable is left out if it is no number.
    let odd = control("max-stale=x, min-fresh=x, stale-if-error=x, stale-while-revalidate");
    assert_eq!(odd, CacheControl::default());
}

#[test]
fn what_keeps_an_answer_private_holds_whatever_its_argument_is() {
    for argument in ["=", "=\"set-cookie", "=\"a\"b", " x", "=a b", ";x"] {
        assert!(control(&format!("max-age=1, No-Store{argument}")).no_store, "{argument}");
        assert_eq!(control(&format!("no-cache{argument}")).no_cache, Scope::All, "{argument}");
        assert_eq!(control(&format!("private=\"a\", private{argument}")).private, Scope::All, "{argument}");
        assert_eq!(control(&format!("public{argument}, no-storage{argument}")), CacheControl::default(), "{argument}");
    }
}

#[test]
fn scopes_only_grow() {
    for line in ["private, private=\"a\"", "private=\"a\", private"] {
        assert_eq!(control(line).private, Scope::All, "{line}");
    }
    assert_eq!(control("no-cache=\"a\", no-cache=\"b\"").no_cache, Scope::Fields(vec!["a".into(), "b".into()]));
    let lines = headers(&[("Cache-Control", "private"), ("cache-control", "max-age=1")]);
    assert_eq!(CacheControl::read(&lines).unwrap().to_string(), "private, max-age=1");
}

#[test]
fn when_to_come_back() {
    let read = |value: &str| RetryAfter::read(&headers(&[("Retry-After", value)]), NOW);
    // RFC 9110 §10.2.3.
    assert_eq!(read("Fri, 31 Dec 1999 23:59:59 GMT"), Some(RetryAfter::At(946_684_799)));
    assert_eq!(read("120"), Some(RetryAfter::Seconds(120)));
    assert_eq!(read("Friday, 31-Dec-99 23:59:59 GMT"), Some(RetryAfter::At(946_684_799)));
    assert_eq!(read("99999999999999999999"), Some(RetryAfter::Seconds(u64::MAX)));
    for bad in ["", "-1", "1.5", "+1", "soon", "1 s", "0x10", "\u{661}"] {
        assert_eq!(read(bad), None, "{bad}");
    }
    assert_eq!(RetryAfter::read(&headers(&[("Retry-After", "1"), ("Retry-After", "2")]), NOW), None);
    assert_eq!(RetryAfter::At(NOW - 1).delay(NOW), Duration::ZERO);
    assert_eq!(RetryAfter::At(NOW + 9).delay(NOW), Duration::from_secs(9));
    let mut fields = headers(&[]);
    RetryAfter::At(946_684_799).write(&mut fields).unwrap();
    assert_eq!(fields.text("Retry-After"), Some("Fri, 31 Dec 1999 23:59:59 GMT"));
}
