//! Methods, statuses, dates and random numbers: tables, and dates against a calendar that counts days one by one.

use callboard_core::date::http_date;
use callboard_core::{InvalidMethod, InvalidStatus, Method, Random, Status, header};

#[test]
fn methods_are_read_and_written_and_case_matters() {
    let table = [
        ("GET", Method::Get, true, true),
        ("HEAD", Method::Head, true, true),
        ("POST", Method::Post, false, false),
        ("PUT", Method::Put, false, true),
        ("DELETE", Method::Delete, false, true),
        ("CONNECT", Method::Connect, false, false),
        ("OPTIONS", Method::Options, true, true),
        ("TRACE", Method::Trace, true, true),
        ("PATCH", Method::Patch, false, false),
    ];
    for (name, method, safe, idempotent) in table {
        assert_eq!(Method::from_bytes(name.as_bytes()), Ok(method.clone()));
        assert_eq!((method.as_str(), method.to_string().as_str()), (name, name));
        assert_eq!((method.is_safe(), method.is_idempotent()), (safe, idempotent), "{name}");
        let lower = Method::from_bytes(name.to_lowercase().as_bytes()).unwrap();
        assert!(matches!(&lower, Method::Extension(extension) if extension.as_str() == name.to_lowercase()));
        assert_eq!((lower.is_safe(), lower.is_idempotent()), (false, false));
    }
    for name in ["PROPFIND", "M-SEARCH", "A", "GETS", "GE", "!#$%&'*+-.^_`|~"] {
        assert_eq!(name.parse::<Method>().unwrap().as_str(), name);
    }
    for name in [&b""[..], b"GE T", b" GET", b"GET ", b"G\xc3\x89T", b"GET\r", b"G:T", b"\0"] {
        assert_eq!(Method::from_bytes(name), Err(InvalidMethod), "{name:?}");
    }
}

#[test]
fn statuses_have_codes_classes_and_reasons() {
    for code in 0..=u16::MAX {
        let Ok(status) = Status::new(code) else {
            assert!(!(100..=999).contains(&code));
            assert_eq!(Status::try_from(code), Err(InvalidStatus));
            continue;
        };
        assert!((100..=999).contains(&code));
        assert_eq!((status.code(), u16::from(status)), (code, code));
        assert_eq!(status.digits(), code.to_string().as_bytes());
        let classes = [
            status.is_informational(),
            status.is_success(),
            status.is_redirection(),
            status.is_client_error(),
            status.is_server_error(),
        ];
        for (class, is) in (1..).zip(classes) {
            assert_eq!(is, code / 100 == class, "{code}");
        }
        assert_eq!(status.forbids_body(), code < 200 || code == 204 || code == 304, "{code}");
        let text = if status.reason().is_empty() { format!("{code}") } else { format!("{code} {}", status.reason()) };
        assert_eq!(status.to_string(), text);
    }
    assert_eq!((100..=999).filter(|&code| !Status::new(code).unwrap().reason().is_empty()).count(), 61);
    assert_eq!(Status::NOT_FOUND.to_string(), "404 Not Found");
    assert_eq!(Status::IM_USED, 226);
    assert_eq!(Status::default(), Status::OK);
    assert_eq!(format!("{:?}", Status::OK), "Status(200)");
}

#[test]
fn known_dates_are_written_as_in_rfc_9110() {
    let table: [(u64, &str); 11] = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (seconds, text) in table {
        assert_eq!(std::str::from_utf8(&http_date(seconds)), Ok(text));
    }
}

#[test]
fn every_day_until_9999_follows_the_one_before() {
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut random = Random::from_seed(3);
    let mut days = 0;
    for year in 1970..=9999_u32 {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, length) in months.iter().zip(lengths) {
            for day in 1..=length {
                let second = random.below(86_400);
                let name = names[usize::try_from(days % 7).unwrap()];
                let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
                let text = format!("{name}, {day:02} {month} {year} {hours:02}:{minutes:02}:{seconds:02} GMT");
                assert_eq!(http_date(days * 86_400 + second), text.as_bytes());
                days += 1;
            }
        }
    }
}

#[test]
fn random_numbers_repeat_by_seed_and_cover_their_range_evenly() {
    let (mut first, mut second) = (Random::from_seed(42), Random::from_seed(42));
    assert!((0..1000).all(|_| first.next_u64() == second.next_u64()));
    assert_eq!(first.clone().next_u64(), second.next_u64());
    assert_ne!(Random::from_seed(0).next_u64(), Random::from_seed(1).next_u64());
    let mut fork = first.fork();
    assert_ne!(fork.next_u64(), first.next_u64());
    for bound in [1, 2, 3, 7, 10] {
        let mut counts = vec![0_u32; usize::try_from(bound).unwrap()];
        (0..10_000 * bound).for_each(|_| counts[usize::try_from(first.below(bound)).unwrap()] += 1);
        assert!(counts.iter().all(|&count| (9_500..10_500).contains(&count)), "{counts:?}");
    }
    let large = (1 << 63) + 1;
    assert!((0..1000).all(|_| first.below(large) < large));
    assert!((0..1000).any(|_| first.below(large) > 1 << 62));
    for length in [0, 1, 7, 8, 9, 100] {
        let (mut bytes, mut zeros) = (vec![0_u8; length], 0);
        for _ in 0..8 {
            first.fill(&mut bytes);
            zeros += bytes.iter().map(|&byte| usize::from(byte == 0)).sum::<usize>();
        }
        assert!(zeros <= length, "bytes are left out: {zeros} zeros of {}", 8 * length);
    }
}

#[test]
fn names_of_fields_are_spelled_as_usual() {
    assert_eq!(header::CONTENT_TYPE, "Content-Type");
    assert_eq!(header::ETAG, "ETag");
    assert_eq!(header::WWW_AUTHENTICATE, "WWW-Authenticate");
    assert_eq!(header::SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key");
}
