//! HTTP dates (RFC 9110 §5.6.7): the three forms, what is refused, and agreement with another reader.

use callboard_core::Random;
use callboard_core::date::{http_date, parse_http_date};

use super::support::{NOW, pick};

/// The last second of 9999.
const LAST: u64 = 253_402_300_799;

fn read(text: &str) -> Option<u64> {
    parse_http_date(text.as_bytes(), NOW)
}

#[test]
fn the_three_forms_of_the_rfc_name_the_same_second() {
    assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    assert_eq!(read("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
    assert_eq!(read("Sun Nov  6 08:49:37 1994"), Some(784_111_777));
    assert_eq!(read("Sun Nov 16 08:49:37 1994"), Some(784_975_777));
}

#[test]
fn odd_dates() {
    let table: &[(&str, Option<u64>)] = &[
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(LAST)),
        ("Fri, 31 Dec 9999 23:59:60 GMT", Some(LAST)),
        ("Wed, 31 Dec 1969 23:59:59 GMT", None),
        ("Thu, 01 Jan 0000 00:00:00 GMT", None),
        // The calendar.
        ("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400)),
        ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
        ("Wed, 29 Feb 2023 12:00:00 GMT", None),
        ("Mon, 29 Feb 2100 12:00:00 GMT", None),
        ("Sun, 31 Apr 2023 12:00:00 GMT", None),
        ("Sun, 00 Nov 1994 08:49:37 GMT", None),
        ("Sun, 32 Dec 1994 08:49:37 GMT", None),
        // The clock.
        ("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_800)),
        ("Sat, 31 Dec 2016 23:58:60 GMT", None),
        ("Sat, 31 Dec 2016 23:59:61 GMT", None),
        ("Sat, 31 Dec 2016 24:00:00 GMT", None),
        ("Sat, 31 Dec 2016 12:60:00 GMT", None),
        ("Sat, 31 Dec 2016 12-00-00 GMT", None),
        // The name of the day is one, and need not be the right one. Case makes no difference.
        ("Mon, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
        ("sun, 06 NOV 1994 08:49:37 gmt", Some(784_111_777)),
        ("Xyz, 06 Nov 1994 08:49:37 GMT", None),
        ("Sunny, 06-Nov-94 08:49:37 GMT", None),
        ("Sunday, 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06-Nov-94 08:49:37 GMT", None),
        // Zones, spaces and digits.
        ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sun, 06 Nov 1994 08:49:37 +0000", None),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT ", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT\u{0}", None),
        ("Sun,06 Nov 1994 08:49:37 GMT", None),
        ("Sun,  6 Nov 1994 08:49:37 GMT", None),
        ("Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("Sun, +6 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 19\u{664} 08:49:37 GMT", None),
        ("Sun, \u{b2}\u{664}Nov 1994 08:49:37 GMT", None),
        ("Sun Nov 6 08:49:37 1994", None),
        ("Sun Nov 06 08:49:37 1994", Some(784_111_777)),
        ("Sun Nov  0 08:49:37 1994", None),
        ("Sun Nov    08:49:37 1994", None),
        ("Sun, 06 November 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 94 08:49:37 GMT", None),
        ("", None),
        ("0", None),
        ("-1", None),
        ("Thu", None),
        ("Thu,", None),
        ("Thursday", None),
        ("784111777", None),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), *expected, "{text:?}");
    }
}

#[test]
fn years_of_two_digits_are_at_most_fifty_years_ahead() {
    let at = |text: &str| read(text).unwrap();
    let table = [
        // The time, the date as read, and the same in full.
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Tuesday, 06-Nov-44 08:49:36 GMT", "Sun, 06 Nov 2044 08:49:36 GMT"),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-44 08:49:37 GMT", "Sun, 06 Nov 2044 08:49:37 GMT"),
        ("Tue, 14 Nov 2023 22:13:20 GMT", "Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT"),
        ("Tue, 14 Nov 2023 22:13:20 GMT", "Monday, 14-Nov-73 22:13:20 GMT", "Tue, 14 Nov 2073 22:13:20 GMT"),
        ("Tue, 14 Nov 2023 22:13:20 GMT", "Monday, 14-Nov-73 22:13:21 GMT", "Wed, 14 Nov 1973 22:13:21 GMT"),
        ("Tue, 14 Nov 2023 22:13:20 GMT", "Monday, 15-Nov-73 00:00:00 GMT", "Thu, 15 Nov 1973 00:00:00 GMT"),
        ("Tue, 14 Nov 2023 22:13:20 GMT", "Tuesday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT"),
        ("Thu, 31 Dec 2099 00:00:00 GMT", "Friday, 01-Jan-01 00:00:00 GMT", "Sat, 01 Jan 2101 00:00:00 GMT"),
        ("Thu, 31 Dec 2099 00:00:00 GMT", "Friday, 01-Jan-99 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ];
    for (now, text, full) in table {
        assert_eq!(parse_http_date(text.as_bytes(), at(now)), Some(at(full)), "{text} at {now}");
    }
    // Fifty years ahead it would be 2033, and 1969 is before the beginning.
    assert_eq!(parse_http_date(b"Friday, 01-Jan-60 00:00:00 GMT", 0), None);
    assert_eq!(parse_http_date(b"Friday, 31-Dec-99 23:59:59 GMT", u64::MAX), Some(LAST));
    assert_eq!(parse_http_date(b"Friday, 31-Dec-00 23:59:59 GMT", u64::MAX), None);
    assert_eq!(
        parse_http_date(b"Tuesday, 29-Feb-60 00:00:00 GMT", 4_294_967_296),
        Some(at("Fri, 29 Feb 2060 00:00:00 GMT"))
    );
}

#[test]
fn what_is_written_is_read_back() {
    let mut random = Random::from_seed(1);
    let chosen = [0, 1, 59, 86_399, 86_400, 951_782_399, 951_782_400, 4_107_542_399, LAST];
    for seconds in chosen.into_iter().chain((0..20_000).map(|_| random.below(LAST + 1))) {
        assert_eq!(parse_http_date(&http_date(seconds), 0), Some(seconds));
    }
    assert_eq!(http_date(u64::MAX), http_date(LAST));
}

#[test]
fn another_reader_agrees() {
    // What it reads for two digits is fixed: 1970 to 2069. That is what the rule says at the end of 2019.
    let now = 1_577_836_799;
    let names = ["Sun", "Mon", "Sunday", "Wednesday", "Fri", "Saturday"];
    let months = ["Jan", "Feb", "Mar", "Jun", "Nov", "Dec"];
    let (mut read, mut random) = (0, Random::from_seed(2));
    for _ in 0..60_000 {
        let name = pick(&mut random, &names);
        let (day, month) = (1 + random.below(31), pick(&mut random, &months));
        let year = 1965 + random.below(200);
        let time = format!("{:02}:{:02}:{:02}", random.below(25), random.below(60), random.below(60));
        let mut text = match random.below(3) {
            0 => format!("{name}, {day:02} {month} {year} {time} GMT"),
            1 => format!("{name}, {day:02}-{month}-{:02} {time} GMT", year % 100),
            _ => format!("{name} {month} {day:2} {time} {year}"),
        }
        .into_bytes();
        if random.below(4) == 0 {
            let place = usize::try_from(random.below(text.len() as u64)).unwrap();
            text[place] = b" 0159:-,aNT"[usize::try_from(random.below(11)).unwrap()];
        }
        let text = String::from_utf8(text).unwrap();
        // It does not look at the space before the time of the form of RFC 850.
        if text.ends_with("GMT") && text.as_bytes()[text.len() - 13] != b' ' {
            continue;
        }
        let ours = parse_http_date(text.as_bytes(), now);
        if let Ok(theirs) = httpdate::parse_http_date(&text) {
            let theirs = theirs.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            assert_eq!(ours, Some(theirs), "{text:?}");
            read += 1;
        } else if let Some(seconds) = ours {
            // It wants the right name of the day, and exact case: with these it reads the same.
            let plain = String::from_utf8(http_date(seconds).to_vec()).unwrap();
            let theirs = httpdate::parse_http_date(&plain).unwrap();
            assert_eq!(theirs.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), seconds);
            assert!(plain[17..25] == text[text.find(':').unwrap() - 2..][..8], "{text:?}");
        }
    }
    assert!(read > 1_000, "{read} were valid");
}
