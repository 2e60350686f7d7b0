//! Bodies on the wire: what one machine writes another reads, and chunked bodies mean what a plain reading of
//! RFC 9112 section 7.1 says, at any cut.
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
    if control % 2 == 0 {
        there_and_back(control, bytes, &mut random);
    } else {
        judge(bytes, &mut random);
    }
});

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
