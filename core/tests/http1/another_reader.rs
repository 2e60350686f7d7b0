//! Another reader's opinion, httparse's, of heads and chunk sizes, right and nearly right.
//!
//! What we take, it takes, and reads the same. What it takes and we do not, we refuse for a reason that it does not
//! look for: line feeds alone, what fields say of the body, the host, or a grammar that it has looser on purpose.

use std::sync::Arc;

use bytes::BytesMut;
use callboard_core::http1::{ClientConnection, ClientEvent, ReceiveError, Request, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Random, Version};

const NOW: Instant = Instant::from_nanos(1_000_000_000);

type Fields = Vec<(String, Vec<u8>)>;

/// A head as both readers show it: the three parts of its first line, its fields, and how long it is.
#[derive(Debug, PartialEq)]
struct Head {
    first: [String; 3],
    fields: Fields,
    length: usize,
}

/// What a reader makes of bytes. `None`: it waits for more.
type Opinion<E> = Result<Option<Head>, E>;

fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).unwrap()
}

fn any<'a>(random: &mut Random, choices: &[&'a str]) -> &'a str {
    choices[below(random, choices.len())]
}

/// Changes, doubles or drops a byte here and there, in some of the cases.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    if random.below(2) == 0 {
        return;
    }
    for _ in 0..=random.below(2) {
        let place = below(random, bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        match random.below(4) {
            0 => bytes.insert(place, *random_byte(random)),
            1 => drop(bytes.drain(place..=place)),
            2 => bytes[place] = *random_byte(random),
            _ => bytes.truncate(place),
        }
        if bytes.is_empty() {
            return;
        }
    }
}

fn random_byte(random: &mut Random) -> &'static u8 {
    const BYTES: &[u8] = b"\r\n \t:;,/HTP1.0ag\"\\{}()<>@#%\x00\x01\x1f\x7f\x80\xe9\xff";
    &BYTES[below(random, BYTES.len())]
}

fn add_fields(bytes: &mut Vec<u8>, random: &mut Random) {
    const NAMES: [&str; 9] = ["Accept", "x", "X-Y_z", "!#$%&'*+-.^_`|~09", "a b", "", "Cookie", "Via:", "Date "];
    const VALUES: [&str; 9] = ["", "1", " a b ", "\t\"x\\\"\"\t", "a, b;c=d", "\u{e9}", "::", "  ", "\u{7f}"];
    for _ in 0..random.below(5) {
        // The names and values that are wrong are in the rear half.
        let most = if random.below(8) == 0 { 9 } else { 4 };
        let (name, value) = (any(random, &NAMES[..most]), any(random, &VALUES[..most.max(7)]));
        bytes.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
}

fn request(random: &mut Random) -> Vec<u8> {
    let method = any(random, &["GET", "GET", "POST", "OPTIONS", "M-SEARCH", "get", "~"]);
    let target = any(random, &["/", "/a?b=c", "http://a/", "*", "/%41;x", "/\"<>", "/a#b", "/\u{e9}", "a"]);
    let version = any(random, &["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0"]);
    let mut bytes =
        format!("{}{method} {target} {version}\r\nHost: a\r\n", any(random, &["", "", "\r\n"])).into_bytes();
    add_fields(&mut bytes, random);
    damage(&mut bytes, random);
    bytes
}

fn response(random: &mut Random) -> Vec<u8> {
    let version = any(random, &["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.5"]);
    let status = any(random, &["200", "404", "304", "999", "600", "099", "20"]);
    let reason = any(random, &[" OK", " ", "", " Not \"Found\"", " \u{e9}", "  two"]);
    let mut bytes = format!("{version} {status}{reason}\r\n").into_bytes();
    add_fields(&mut bytes, random);
    damage(&mut bytes, random);
    bytes
}

fn fields_of(headers: &Headers) -> Fields {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

fn our_request(bytes: &[u8]) -> Opinion<ReceiveError> {
    let mut machine = ServerConnection::new(Arc::new(Limits::default()), NOW);
    let mut input = BytesMut::from(bytes);
    machine.handle_input(&mut input, NOW);
    match machine.poll_event() {
        None => Ok(None),
        Some(ServerEvent::Failed { error, .. }) => Err(error),
        Some(ServerEvent::Request { head, .. }) => Ok(Some(Head {
            first: [head.method.as_str().to_owned(), head.target.to_string(), version(head.version).to_owned()],
            fields: fields_of(&head.headers),
            length: bytes.len() - input.len(),
        })),
        Some(other) => panic!("{other:?}"),
    }
}

fn our_response(bytes: &[u8]) -> Opinion<ReceiveError> {
    let mut machine = asking();
    let mut input = BytesMut::from(bytes);
    machine.handle_input(&mut input, NOW);
    match machine.poll_event() {
        None => Ok(None),
        Some(ClientEvent::Failed { error }) => Err(error),
        Some(ClientEvent::Response { head, .. } | ClientEvent::Informational { head, .. }) => Ok(Some(Head {
            first: [
                version(head.version).to_owned(),
                head.status.code().to_string(),
                // It shows no reason beyond ASCII.
                String::from_utf8_lossy(if head.reason.is_ascii() { &head.reason } else { b"" }).into_owned(),
            ],
            fields: fields_of(&head.headers),
            length: bytes.len() - input.len(),
        })),
        Some(other) => panic!("{other:?}"),
    }
}

fn behind_empty_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\r\n") {
        bytes = rest;
    }
    bytes
}

/// A client that has asked for something that has no body, so that nothing is taken behind the head.
fn asking() -> ClientConnection {
    let mut machine = ClientConnection::new(Arc::new(Limits::default()), NOW);
    let headers = Headers::new();
    let request = Request { method: &Method::Head, target: "/", version: Version::Http11, headers: &headers };
    machine.send_request(&request, BodyLength::Empty, NOW).unwrap();
    machine
}

const fn version(version: Version) -> &'static str {
    match version {
        Version::Http10 => "0",
        Version::Http11 => "1",
    }
}

fn their_fields(headers: &[httparse::Header<'_>]) -> Fields {
    headers.iter().map(|header| (header.name.to_owned(), unfold(header.value))).collect()
}

/// A line end in a folded value stands for spaces (RFC 9112 section 5.2).
fn unfold(value: &[u8]) -> Vec<u8> {
    value.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }).collect()
}

fn their_request(bytes: &[u8]) -> Opinion<httparse::Error> {
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut slots);
    Ok(match request.parse(bytes)? {
        httparse::Status::Partial => None,
        httparse::Status::Complete(length) => Some(Head {
            first: [
                request.method.unwrap().to_owned(),
                request.path.unwrap().to_owned(),
                request.version.unwrap().to_string(),
            ],
            fields: their_fields(request.headers),
            length,
        }),
    })
}

fn their_response(bytes: &[u8]) -> Opinion<httparse::Error> {
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut slots);
    let mut settings = httparse::ParserConfig::default();
    settings.allow_obsolete_multiline_headers_in_responses(true);
    Ok(match settings.parse_response(&mut response, bytes)? {
        httparse::Status::Partial => None,
        httparse::Status::Complete(length) => Some(Head {
            first: [
                response.version.unwrap().to_string(),
                response.code.unwrap().to_string(),
                response.reason.unwrap().to_owned(),
            ],
            fields: their_fields(response.headers),
            length,
        }),
    })
}

/// How often each pair of opinions came up.
#[derive(Debug, Default)]
struct Count {
    both: u32,
    only_they: u32,
    neither: u32,
    waiting: u32,
}

/// Compares two opinions. `is_ours_alone` says what we are known to be stricter about.
fn compare(
    bytes: &[u8],
    ours: Opinion<ReceiveError>,
    theirs: Opinion<httparse::Error>,
    count: &mut Count,
    is_ours_alone: impl Fn(ReceiveError) -> bool,
) {
    match (ours, theirs) {
        (Ok(Some(ours)), Ok(Some(theirs))) => {
            count.both += 1;
            assert_eq!(ours, theirs, "{}", bytes.escape_ascii());
        }
        (Ok(None), Ok(None)) => count.waiting += 1,
        // Lines are judged as they are whole, by us; a byte that can never be right is refused at once, by both.
        (Err(_), Err(_) | Ok(None)) | (Ok(None), Err(_)) => count.neither += 1,
        (Err(error), Ok(Some(_))) if is_ours_alone(error) => count.only_they += 1,
        // Later minor versions are read as 1.1 (RFC 9110 section 2.5).
        (Ok(Some(ours)), Err(httparse::Error::Version)) if ours.first.iter().any(|part| part == "1") => {}
        (ours, theirs) => panic!("{}\nours: {ours:?}\ntheirs: {theirs:?}", bytes.escape_ascii()),
    }
}

#[test]
fn requests_are_read_as_httparse_reads_them() {
    use ReceiveError::{
        ContentLengthInvalid, HostInvalid, HostMissing, HostRepeated, LineEndInvalid, StartLineInvalid, TargetInvalid,
    };
    let mut count = Count::default();
    for seed in 0..40_000 {
        let bytes = request(&mut Random::from_seed(seed));
        let is_ours_alone = |error| {
            matches!(error, HostMissing | HostInvalid | HostRepeated | LineEndInvalid | TargetInvalid)
                || error == ContentLengthInvalid
                // It forgives any number of empty lines, and takes a line feed for one.
                || error == StartLineInvalid && behind_empty_lines(&bytes).starts_with(b"\n")
        };
        compare(&bytes, our_request(&bytes), their_request(&bytes), &mut count, is_ours_alone);
    }
    assert!(count.both > 6_000 && count.neither > 8_000 && count.waiting > 500, "the cases are too poor: {count:?}");
}

#[test]
fn responses_are_read_as_httparse_reads_them() {
    use ReceiveError::{LineEndInvalid, ObsoleteFold, StartLineInvalid, UpgradeUnasked};
    let mut count = Count::default();
    for seed in 0..40_000 {
        let bytes = response(&mut Random::from_seed(seed));
        // A status below 100 is none (RFC 9110 section 15).
        let is_ours_alone = |error| {
            matches!(error, LineEndInvalid | ObsoleteFold | UpgradeUnasked)
                || error == StartLineInvalid && bytes.get(9..12).is_some_and(|code| *code < b"100"[..])
        };
        compare(&bytes, our_response(&bytes), their_response(&bytes), &mut count, is_ours_alone);
    }
    assert!(count.both > 6_000 && count.neither > 8_000 && count.waiting > 500, "the cases are too poor: {count:?}");
}

/// What our client makes of the first line of a chunked body: the size, or `None` if it waits.
fn our_size(line: &[u8]) -> Result<Option<u64>, ReceiveError> {
    let mut machine = ClientConnection::new(Arc::new(Limits::default()), NOW);
    let headers = Headers::new();
    let request = Request { method: &Method::Get, target: "/", version: Version::Http11, headers: &headers };
    machine.send_request(&request, BodyLength::Empty, NOW).unwrap();
    let mut input = BytesMut::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    machine.handle_input(&mut input, NOW);
    assert!(matches!(machine.poll_event(), Some(ClientEvent::Response { .. })));
    input.extend_from_slice(line);
    machine.handle_input(&mut input, NOW);
    if let Some(ClientEvent::Failed { error }) = machine.poll_event() {
        return Err(error);
    }
    if !input.is_empty() || line.is_empty() {
        return Ok(None);
    }
    // The size shows in how many bytes of a flood are data.
    input.extend_from_slice(&[b'x'; 5_000]);
    let mut size = 0;
    loop {
        machine.handle_input(&mut input, NOW);
        match machine.poll_event() {
            Some(ClientEvent::Data { data, .. }) => size += data.len() as u64,
            _ => return Ok(Some(size)),
        }
    }
}

#[test]
fn chunk_sizes_are_read_as_httparse_reads_them() {
    let (mut both, mut only_they, mut neither) = (0, 0, 0);
    for seed in 0..40_000 {
        let random = &mut Random::from_seed(seed);
        let size = any(random, &["0", "1", "a", "F", "1f", "00010", "fff", "1000", "0", "10000000000000000", "", "g"]);
        let extension = any(random, &["", "", "", ";", ";a", ";a=b", ";a=\"b c\"", " ;a", " ", "x", ";\u{1}"]);
        let mut line = format!("{size}{extension}\r\n").into_bytes();
        damage(&mut line, random);
        // What follows the first line is data.
        let end = line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |place| place + 1);
        line.truncate(end);
        match (our_size(&line), httparse::parse_chunk_size(&line)) {
            (Ok(Some(ours)), Ok(httparse::Status::Complete((length, theirs)))) => {
                both += 1;
                assert_eq!((ours, end), (theirs.min(5_000), length), "{}", line.escape_ascii());
            }
            // It takes an extension alone for a size of 0, white space after the size, and any byte in an extension.
            (Err(ReceiveError::ChunkSizeInvalid | ReceiveError::ChunkExtensionInvalid), Ok(_)) => {
                only_they += 1;
                let is_odd = |byte: &u8| matches!(byte, 0..=0x20 | 0x7f);
                let text = line.strip_suffix(b"\r\n").unwrap_or(&line);
                let is_sized = text.first().is_some_and(u8::is_ascii_hexdigit);
                assert!(!is_sized || text.iter().any(is_odd), "{}", line.escape_ascii());
            }
            // It takes no more than 16 digits, zeros in front included.
            (Ok(Some(_)), Err(_)) if line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() > 16 => {}
            (Err(_) | Ok(None), Err(_)) | (Ok(None), Ok(httparse::Status::Partial)) => neither += 1,
            (ours, theirs) => panic!("{}\nours: {ours:?}\ntheirs: {theirs:?}", line.escape_ascii()),
        }
    }
    assert!(both > 10_000 && only_they > 500 && neither > 2_000, "too poor: {both} {only_they} {neither}");
}
