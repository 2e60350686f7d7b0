//! The decoders of content codings: where in its format each is, what may come there, and whether the body may end.

use std::io::Write as _;

use callboard_core::coding::{Coding, DecodeLimits, Decoder, Encoder, Level};

use crate::table::{Harness, Row, Situation, Step, Table, prepare, situations};

/// A decoder, and what it told since the last look.
struct Host {
    decoder: Decoder,
    heard: Vec<String>,
    has_failed: bool,
}

/// A stored block of "abc", the last one (RFC 1951 section 3.2.4).
const BLOCK: &[u8] = b"\x01\x03\0\xfc\xffabc";
/// CRC-32 and length of "abc" (RFC 1952 section 2.3.1).
const TRAILER: &[u8] = b"\xc2\x41\x24\x35\x03\0\0\0";
/// A header without options, and with all of them (RFC 1952 section 2.3).
const HEADER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";
const LONG_HEADER: &[u8] = b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff";

const GZIP: [Step<Host>; 14] = [
    ("gzip, nothing has come", |host| host.begin(Coding::Gzip)),
    ("gzip, inside the header", |host| host.begin_with(Coding::Gzip, &[b"\x1f\x8b"])),
    ("gzip, before the length of the extra field", |host| host.begin_with(Coding::Gzip, &[LONG_HEADER])),
    ("gzip, in the extra field", |host| host.begin_with(Coding::Gzip, &[LONG_HEADER, b"\x02\0"])),
    ("gzip, in the name", |host| host.begin_with(Coding::Gzip, &[LONG_HEADER, b"\x02\0xy"])),
    ("gzip, in the comment", |host| host.begin_with(Coding::Gzip, &[LONG_HEADER, b"\x02\0xyn\0"])),
    ("gzip, at the checksum of the header", |host| host.begin_with(Coding::Gzip, &[LONG_HEADER, b"\x02\0xyn\0c\0"])),
    ("gzip, before the data", |host| host.begin_with(Coding::Gzip, &[HEADER])),
    ("gzip, inside the data", |host| host.begin_with(Coding::Gzip, &[HEADER, &BLOCK[..6]])),
    ("gzip, after the data", |host| host.begin_with(Coding::Gzip, &[HEADER, BLOCK])),
    ("gzip, after a member", |host| host.begin_with(Coding::Gzip, &[HEADER, BLOCK, TRAILER])),
    ("gzip, after two members, the most that are accepted", |host| {
        host.begin_with(Coding::Gzip, &[HEADER, BLOCK, TRAILER, HEADER, BLOCK, TRAILER]);
    }),
    ("gzip, in padding", |host| host.begin_with(Coding::Gzip, &[HEADER, BLOCK, TRAILER, b"\0"])),
    ("gzip, failed", |host| host.begin_with(Coding::Gzip, &[b"x"])),
];

const OTHERS: [Step<Host>; 10] = [
    ("deflate, nothing has come", |host| host.begin(Coding::Deflate)),
    ("deflate, the first byte of a zlib header", |host| host.begin_with(Coding::Deflate, &[b"\x78"])),
    ("deflate, after a zlib header", |host| host.begin_with(Coding::Deflate, &[b"\x78\x9c"])),
    ("deflate, raw, inside the data", |host| host.begin_with(Coding::Deflate, &[&BLOCK[..6]])),
    ("deflate, raw, complete", |host| host.begin_with(Coding::Deflate, &[BLOCK])),
    ("br, nothing has come", |host| host.begin(Coding::Brotli)),
    ("br, inside the data", |host| host.begin_with(Coding::Brotli, &[b"\x0b\x02\x80h"])),
    ("br, complete", |host| host.begin_with(Coding::Brotli, &[b"\x0b\x02\x80hello\x03"])),
    ("gzip in deflate, nothing has come", |host| host.begin_chain()),
    ("gzip in deflate, the inner complete", |host| {
        host.begin_chain();
        let mut coded = Vec::new();
        let mut encoder = Encoder::new(Coding::Deflate, Level::Default);
        encoder.encode(&[HEADER, BLOCK, TRAILER].concat(), &mut coded).unwrap();
        encoder.flush(&mut coded).unwrap();
        host.give(&coded);
    }),
];

/// What can come.
const EVENTS: [Step<Host>; 17] = [
    ("a zero", |host| host.give(b"\0")),
    ("two zeros", |host| host.give(b"\0\0")),
    ("an x", |host| host.give(b"x")),
    ("the first byte of gzip", |host| host.give(b"\x1f")),
    ("a gzip header", |host| host.give(HEADER)),
    ("a header with a reserved flag", |host| host.give(b"\x1f\x8b\x08\x20\0\0\0\0\0\xff")),
    ("a header with all options, and these", |host| host.give(&[LONG_HEADER, b"\x02\0xyn\0c\0"].concat())),
    ("a stored block, the last", |host| host.give(BLOCK)),
    ("a stored block and more to come", |host| host.give(b"\0\x03\0\xfc\xffabc")),
    ("a block of a type that does not exist", |host| host.give(b"\x07")),
    ("the right trailer", |host| host.give(TRAILER)),
    ("a trailer with another checksum", |host| host.give(b"\xc3\x41\x24\x35\x03\0\0\0")),
    ("a trailer with another length", |host| host.give(b"\xc2\x41\x24\x35\x04\0\0\0")),
    ("a gzip member", |host| host.give(&[HEADER, BLOCK, TRAILER].concat())),
    ("a zlib stream with a dictionary", |host| host.give(b"\x78\xbb\0\0\0\0")),
    ("a br stream", |host| host.give(b"\x0b\x02\x80hello\x03")),
    ("a large window of br", |host| host.give(b"\x11\0")),
];

impl Host {
    fn new() -> Self {
        let limits = DecodeLimits { members: 2, output: 20, ..DecodeLimits::default() };
        Self { decoder: Decoder::new(Coding::Gzip, &limits), heard: Vec::new(), has_failed: false }
    }

    fn begin(&mut self, coding: Coding) {
        let limits = DecodeLimits { members: 2, output: 20, ..DecodeLimits::default() };
        self.decoder = Decoder::new(coding, &limits);
    }

    fn begin_with(&mut self, coding: Coding, parts: &[&[u8]]) {
        self.begin(coding);
        self.give(&parts.concat());
    }

    /// What was gzipped, deflated.
    fn begin_chain(&mut self) {
        let mut headers = callboard_core::Headers::new();
        headers.append("Content-Encoding", "gzip, deflate").unwrap();
        let codings = callboard_core::coding::Codings::read(&headers).unwrap();
        self.decoder = Decoder::new(codings, &DecodeLimits::default());
    }

    fn give(&mut self, mut input: &[u8]) {
        let (mut block, mut text) = ([0; 64], Vec::new());
        loop {
            match self.decoder.decode(input, &mut block) {
                Ok(step) if step.written == 0 => {
                    input = &input[step.read..];
                    break;
                }
                Ok(step) => {
                    input = &input[step.read..];
                    text.write_all(&block[..step.written]).unwrap();
                }
                Err(error) => {
                    self.heard.push(format!("{error:?}, answer {}", error.status().code()));
                    self.has_failed = true;
                    break;
                }
            }
        }
        if !text.is_empty() {
            self.heard.insert(0, format!("gives {:?}", String::from_utf8_lossy(&text)));
        }
        assert!(input.is_empty() || self.has_failed, "{} bytes are left", input.len());
    }
}

impl Harness for Host {
    fn state(&self) -> String {
        if self.has_failed { "failed".to_owned() } else { self.decoder.states().join(", then ") }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn happen(&mut self, step: fn(&mut Self)) {
        step(self);
        if !self.has_failed && self.decoder.finish().is_ok() {
            self.heard.push("may end".to_owned());
        }
    }
}

/// The end of the body, which takes the decoder, and all else that can come.
fn situations_of(ways: &[Step<Host>]) -> Vec<Situation> {
    let mut situations = situations(Host::new, ways, &EVENTS);
    for (situation, (_, way)) in situations.iter_mut().zip(ways) {
        let what = match prepare(Host::new, *way).decoder.finish() {
            Ok(()) => "it is complete".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        situation.rows.insert(0, Row { event: "the end".to_owned(), next: situation.state.clone(), what });
    }
    situations
}

pub(crate) fn gzip() -> Table {
    Table {
        name: "coding_gzip",
        title: "The decoder of gzip (RFC 1952)",
        about: "Two members and 20 decoded bytes are accepted. All input is handed in at once, and the last steps are \
            taken until nothing more is written.",
        parts: &["The decoder"],
        situations: situations_of(&GZIP),
    }
}

pub(crate) fn others() -> Table {
    Table {
        name: "coding",
        title: "The decoders of deflate, br, and codings one over the other",
        about: "As for gzip. What wrapped what is undone from the outside in.",
        parts: &["The decoder"],
        situations: situations_of(&OTHERS),
    }
}
