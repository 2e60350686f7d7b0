//! What one machine writes another reads: heads and bodies of requests, bodies of responses; and chunked bodies mean
//! what a plain reading of RFC 9112 section 7.1 says, at any cut.
#![no_main]

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{
    ClientConnection, ClientEvent, ReceiveError, Request, Response, ServerConnection, ServerEvent,
};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Random, Status, Version};
use libfuzzer_sys::fuzz_target;

const NOW: Instant = Instant::from_nanos(1_000_000_000);

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, bytes)) = bytes.split_last() else { return };
    let mut random = Random::from_seed(u64::from(control));
    match control % 4 {
        0 => there_and_back(control, bytes, &mut random),
        1 => ask(control, bytes, &mut random),
        _ => judge(bytes, &mut random),
    }
});

/// A request whose head comes from the input, a line each for method, target and fields: what is sent of it is read as
/// what it was, with the fields that the machine adds.
fn ask(control: u8, bytes: &[u8], random: &mut Random) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let (method, target) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let (Ok(method), Ok(target)) = (Method::from_bytes(method), std::str::from_utf8(target)) else { return };
    let mut headers = Headers::new();
    headers.append("Host", "a").unwrap();
    for line in lines.by_ref().take(20).take_while(|line| !line.is_empty()) {
        let place = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(place);
        let name = std::str::from_utf8(name).unwrap_or_default();
        // Framing is the machine's own, and an expectation is another story.
        if !["Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            let _ = headers.append(name, value.get(1..).unwrap_or_default().trim_ascii());
        }
    }
    let body = lines.next().unwrap_or_default();
    let is_chunked = control & 4 == 0;
    let length = if is_chunked { BodyLength::Unknown } else { BodyLength::Known(body.len() as u64) };
    let mut client = ClientConnection::new(Arc::new(Limits::default()), NOW);
    let request = Request { method: &method, target, version: Version::Http11, headers: &headers };
    let Ok(exchange) = client.send_request(&request, length, NOW) else { return };
    if method == Method::Connect {
        return;
    }
    client.send_data(exchange, Bytes::copy_from_slice(body), NOW).unwrap();
    client.finish(exchange, None, NOW).unwrap();
    let mut server = ServerConnection::new(Arc::new(Limits::default()), NOW);
    let (mut input, mut read, mut seen, mut has_ended) = (BytesMut::new(), Vec::new(), false, false);
    let queue = client.outgoing();
    let mut wire = queue.copy_to_bytes(queue.remaining());
    while !wire.is_empty() {
        input.extend_from_slice(&wire.split_to(1 + random.below(wire.len() as u64) as usize));
        loop {
            server.handle_input(&mut input, NOW);
            match server.poll_event() {
                None => break,
                Some(ServerEvent::Request { head, body: has_body, .. }) => {
                    assert_eq!((head.method.as_str(), &*head.target.to_string()), (method.as_str(), target));
                    let own = |name: &str| matches!(name, "Content-Length" | "Transfer-Encoding");
                    assert!(head.headers.iter().filter(|(name, _)| !own(name)).eq(headers.iter()));
                    (seen, has_ended) = (true, has_body == BodyLength::Empty || has_body == BodyLength::Known(0));
                }
                Some(ServerEvent::Data { data, .. }) => read.extend_from_slice(&data),
                Some(ServerEvent::End { .. }) => has_ended = true,
                // A target that no server takes is the host's to keep away from the machine.
                Some(ServerEvent::Failed { error: ReceiveError::TargetInvalid, .. }) => return,
                Some(other) => panic!("{other:?}"),
            }
        }
    }
    assert!(seen && has_ended && read == body, "{}", read.escape_ascii());
}

/// What a client hears of a response: its body, and how it ended.
fn read(wire: &[u8], mut cut: impl FnMut(usize) -> usize) -> (Vec<u8>, Option<Result<Option<Headers>, ReceiveError>>) {
    let mut client = ClientConnection::new(Arc::new(Limits::default()), NOW);
    let headers = Headers::new();
    let request = Request { method: &Method::Get, target: "/", version: Version::Http11, headers: &headers };
    client.send_request(&request, BodyLength::Empty, NOW).unwrap();
    let (mut input, mut rest, mut body, mut end) = (BytesMut::new(), wire, Vec::new(), None);
    while !rest.is_empty() && end.is_none() {
        let piece;
        (piece, rest) = rest.split_at(cut(rest.len()));
        input.extend_from_slice(piece);
        loop {
            client.handle_input(&mut input, NOW);
            match client.poll_event() {
                None => break,
                Some(ClientEvent::Data { data, .. }) => body.extend_from_slice(&data),
                Some(ClientEvent::End { trailers, .. }) => end = Some(Ok(trailers.map(|trailers| *trailers))),
                Some(ClientEvent::Failed { error }) => end = Some(Err(error)),
                Some(_) => {}
            }
        }
    }
    (body, end)
}

fn there_and_back(control: u8, bytes: &[u8], random: &mut Random) {
    let mut server = ServerConnection::new(Arc::new(Limits::default()), NOW);
    server.handle_input(&mut BytesMut::from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), NOW);
    let Some(ServerEvent::Request { exchange, .. }) = server.poll_event() else { panic!("no request") };
    let is_chunked = control & 2 == 0;
    let length = if is_chunked { BodyLength::Unknown } else { BodyLength::Known(bytes.len() as u64) };
    let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
    server.respond(exchange, &response, length, NOW).unwrap();
    let mut rest = bytes;
    while !rest.is_empty() {
        let part;
        (part, rest) = rest.split_at(1 + random.below(rest.len() as u64) as usize);
        server.send_data(exchange, Bytes::copy_from_slice(part), NOW).unwrap();
    }
    let mut trailers = Headers::new();
    trailers.append("Checked", control.to_string()).unwrap();
    let trailers = (is_chunked && control & 4 == 0).then_some(trailers);
    server.finish(exchange, trailers.as_ref(), NOW).unwrap();
    let queue = server.outgoing();
    let wire = queue.copy_to_bytes(queue.remaining());
    let (body, end) = read(&wire, |most| 1 + random.below(most as u64) as usize);
    assert_eq!(body, bytes);
    let expected = if !is_chunked && bytes.is_empty() { None } else { Some(Ok(trailers)) };
    assert_eq!(end, expected);
}

fn judge(bytes: &[u8], random: &mut Random) {
    let wire = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes].concat();
    let whole = read(&wire, |most| most);
    assert_eq!(read(&wire, |_| 1), whole);
    assert_eq!(read(&wire, |most| 1 + random.below(most.min(40) as u64) as usize), whole);
    let mut body = Vec::new();
    let verdict = plain(bytes, &mut body);
    if verdict == Verdict::Unjudged {
        return;
    }
    assert!(whole.0.starts_with(&body) && (verdict == Verdict::Bad || whole.0 == body), "{whole:?}");
    match (verdict, &whole.1) {
        (Verdict::Whole, Some(Ok(None))) | (Verdict::Part, None) | (Verdict::Bad, Some(Err(_))) => {}
        _ => panic!("{verdict:?}, but {whole:?}"),
    }
}

/// What bytes are, as the start of a body in the chunked coding.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Whole,
    Part,
    Bad,
    /// With extensions, trailers, or a line that is not complete enough to tell.
    Unjudged,
}

/// Reads chunks as the RFC's own words go, one after another.
fn plain(mut rest: &[u8], body: &mut Vec<u8>) -> Verdict {
    loop {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, after) = rest.split_at(digits);
        match after {
            [] => return if digits > 15 { Verdict::Unjudged } else { Verdict::Part },
            _ if size.is_empty() => return Verdict::Bad,
            [b'\r', b'\n', data @ ..] if digits <= 15 => rest = data,
            _ => return Verdict::Unjudged,
        }
        let size = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).unwrap();
        if size > 0 {
            let (data, after) = rest.split_at(size.min(rest.len()));
            body.extend_from_slice(data);
            rest = after;
        }
        match rest {
            [] | b"\r" => return Verdict::Part,
            [b'\r', b'\n', next @ ..] if size > 0 => rest = next,
            [b'\r', b'\n', ..] => return Verdict::Whole,
            _ if size > 0 => return Verdict::Bad,
            _ => return Verdict::Unjudged,
        }
    }
}
