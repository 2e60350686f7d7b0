//! Half a megabyte of what is worst for each reader. All are linear, so this ends at once; one that looked at the rest
//! again for each element would take many minutes, and whoever runs the tests would see which.
//!
//! A head is bounded by 64 KiB, so this is more than a peer can send in one.

use bytes::Bytes;
use callboard_core::authentication::{Credentials, Parameters, parse_challenges};
use callboard_core::disposition::{Disposition, safe_filename};
use callboard_core::event_stream::{EventLimits, EventReader};
use callboard_core::fields::forwarded::{Convention, Proxies, Trust};
use callboard_core::fields::{
    Accept, AcceptEncoding, AcceptLanguage, CacheControl, Conditions, EntityTag, Field, Forwarded, Links, Range,
    Representation, Vary, list,
};
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{MultipartError, MultipartLimits, Reader};
use callboard_core::safe_path::{Hidden, SafePath};
use callboard_core::{Headers, Method, form};

const LENGTH: usize = 1 << 19;

/// `start`, and then `piece` again and again.
fn long(start: &str, piece: &str) -> Vec<u8> {
    let mut text = start.as_bytes().to_vec();
    while text.len() < LENGTH {
        text.extend_from_slice(piece.as_bytes());
    }
    text
}

/// The same, and as many spaces before the end.
fn spaced(start: &str, piece: &str) -> Vec<u8> {
    let mut text = long(start, piece);
    text.resize(2 * LENGTH, b' ');
    text
}

fn headers(name: &str, value: &[u8]) -> Headers {
    let mut headers = Headers::new();
    headers.append(name, value).unwrap();
    headers
}

fn reads<F: Field>(pieces: &[&str]) {
    for piece in pieces.iter().chain(&[",", ";", "\"", "\\\"", "a=\"b\",", "a;", "<"]) {
        drop(F::read(&headers(F::NAME, &long("", piece))).map(|field| field.to_string()));
    }
}

#[test]
fn fields() {
    reads::<Accept>(&["a/b;c=d,", "a/b;", ";q=0"]);
    reads::<AcceptEncoding>(&["gzip;q=0.5,", "*,"]);
    reads::<CacheControl>(&["max-age=1,", "private=\"a\",", "private=a,"]);
    reads::<Forwarded>(&["for=_a,", "for=_a;", "a=b;"]);
    reads::<Links>(&["<>;rel=a,", ";rel=a", "<>;title*=UTF-8''%41,"]);
    reads::<Range>(&["0-1,", "-1,"]);
    reads::<Vary>(&["a,", "*"]);
    for piece in [",", "\"", "a=\"b\",", "a,b;", "a b,"] {
        assert!(list::elements(&long("", piece)).count() <= LENGTH);
    }
}

#[test]
fn languages_that_all_end_at_an_excluded_one() {
    for piece in ["en-a,", "en-a-b,", "en,", "en;q=0,"] {
        let accept = AcceptLanguage::parse([&long("en;q=0,", piece)[..]]);
        assert_eq!((accept.lookup(&["en", "de"]), accept.filter(&["en", "de"])), (None, vec![]), "{piece}");
    }
    let accept = AcceptLanguage::parse([&long("a", "-a")[..]]);
    assert_eq!(accept.lookup(&["en", "a"]), Some(1));
}

#[test]
fn conditions_and_proxies() {
    let tag = EntityTag::strong("now").unwrap();
    let known = Representation { entity_tag: Some(&tag), last_modified: Some(1), length: Some(10) };
    for piece in ["\"old\",", "W/\"now\",", "\"", ",", "\"\" "] {
        for name in ["If-Match", "If-None-Match", "If-Range"] {
            let mut headers = headers(name, &long("", piece));
            headers.append("Range", "bytes=0-1").unwrap();
            assert_ne!(Conditions::new(&Method::Get, &headers, 9).decide(Some(&known)).status().code(), 416);
        }
    }
    for piece in ["for=_a,", "192.0.2.1,", ",", "for=\"", "a=b;"] {
        for (name, convention) in [("Forwarded", Convention::Forwarded), ("X-Forwarded-For", Convention::XForwarded)] {
            let headers = headers(name, &long("", piece));
            let client = Proxies { trust: Trust::Hops(usize::MAX), convention }.client(None, &headers);
            assert!(client.hops > 0 && client.hops < LENGTH);
        }
    }
}

#[test]
fn parameters() {
    for piece in [";a", ";a=b", ";a=\"", ";a=\"b\"c", ";a=b\"", ";", ";a=\"b\"", ";=", ";a*0=b", "\\"] {
        for value in [long("text/plain", piece), spaced("text/plain", piece)] {
            drop(MediaType::parse(&value));
            drop(Disposition::parse(&value[5..]));
            drop(Disposition::parse_form_data(&value[5..]));
        }
    }
    for piece in ["a b=c,", "a=b,", "a ", "a==,", ",", "a=\"b\",", "a=\"", "=,"] {
        for value in [long("Digest ", piece), spaced("Digest ", piece)] {
            drop(parse_challenges(&value));
            drop(Credentials::parse(&value));
            drop(Parameters::parse(&value[7..]));
        }
    }
}

#[test]
fn forms_and_paths() {
    for piece in ["&", "a&", "a=b&", "%41", "%", "+", "="] {
        assert!(form::pairs(&long("", piece)).count() <= LENGTH);
    }
    for piece in ["/", "a/", "%2e", "%41", "%", "a~1", "\u{200c}", ".a/", "../"] {
        let text = String::from_utf8(long("/", piece)).unwrap();
        drop(SafePath::parse(&text, Hidden::Served));
        drop(safe_filename(&text));
    }
    let path = SafePath::parse(std::str::from_utf8(&long("", "a/")).unwrap(), Hidden::Refused).unwrap();
    assert_eq!(path.names().len(), LENGTH / 2);
    assert!(SafePath::parse(std::str::from_utf8(&long("/", "%41%2f")).unwrap(), Hidden::Refused).is_err());
}

#[test]
fn events() {
    for piece in ["data\n\n", "data:\n", "id: 1\n\n", ":\n", "\r", "\r\n", "a"] {
        for cut in [7, LENGTH] {
            let stream = long("id: first\n", piece);
            let mut reader = EventReader::new(EventLimits::default());
            for mut piece in stream.chunks(cut) {
                while reader.handle_input(&mut piece).is_ok() && reader.poll_event().is_some() {}
            }
        }
    }
}

/// What is almost the boundary, again and again; parts without end; heads without end.
#[test]
fn multipart_bodies() {
    let boundary = "a".repeat(69) + "b";
    let media_type: MediaType = format!("multipart/mixed; boundary={boundary}").parse().unwrap();
    let limits = MultipartLimits {
        parts: LENGTH,
        header_line: LENGTH,
        head: 2 * LENGTH,
        header_count: LENGTH,
        ..MultipartLimits::default()
    };
    let part = format!("--{boundary}\r\n\r\n");
    let almost = format!("\r\n--{}", "a".repeat(69));
    let head = format!("--{boundary}\r\nA: b");
    let rows: &[(&str, &str)] = &[
        ("", &almost),
        (&part, &almost),
        (&part, "\r\n--"),
        (&part, "\r"),
        (&part, "a"),
        ("", &format!("\r\n{part}")),
        (&head, " "),
        (&head, "\r\n c"),
        (&head, "\r\nA: b"),
    ];
    for (start, piece) in rows {
        let body = Bytes::from(long(start, piece));
        for cut in [61, body.len()] {
            let mut reader = Reader::new(&media_type, limits.clone()).unwrap();
            let error = (0..body.len()).step_by(cut).find_map(|place| {
                reader.handle_input(body.slice(place..body.len().min(place + cut)));
                loop {
                    match reader.poll_event() {
                        Ok(Some(_)) => {}
                        Ok(None) => return None,
                        Err(error) => return Some(error),
                    }
                }
            });
            assert!(matches!(error, None | Some(MultipartError::FieldLineTooLong)), "{error:?}");
        }
    }
}
