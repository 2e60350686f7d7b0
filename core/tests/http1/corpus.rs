//! The corpus: `core/tests/corpus/{server,client}/*.txt`, a case per file. Adding a case needs no code.
//!
//! A file has a title (what is tested, and the section of the RFC), then sections that begin with `---`:
//! `limits` (lines like `head 200`), `requests` (client only, see `client_run`), `input`, `events` and `sent`.
//! Input lines are joined without line ends; escapes are those of `text`. `@repeat 100 text` stands for as many
//! copies of it, `@end` for the end of the connection. The last two sections are what a listing prints; when a case
//! fails, the listing it should have is printed whole.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callboard_core::Limits;

use super::feed::Feed;
use super::text::escape;
use super::{client_run, server_run};

/// One case.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) limits: Arc<Limits>,
    pub(crate) requests: String,
    pub(crate) input: Vec<u8>,
    pub(crate) ends: bool,
    pub(crate) expected: String,
}

/// Which machine a case is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Server,
    Client,
}

impl Case {
    /// The listing, and the most bytes that waited in the input.
    pub(crate) fn run(&self, role: Role, feed: Feed) -> (String, usize) {
        match role {
            Role::Server => {
                let outcome = server_run::run(&self.input, self.ends, &self.limits, feed);
                (outcome.listing, outcome.waiting)
            }
            Role::Client => {
                let outcome = client_run::run(&self.requests, &self.input, self.ends, &self.limits, feed);
                (outcome.listing, outcome.waiting)
            }
        }
    }
}

/// All cases of a role, by name.
pub(crate) fn cases(role: Role) -> Vec<Case> {
    let folder = match role {
        Role::Server => "server",
        Role::Client => "client",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| parse(path)).collect()
}

fn parse(path: &Path) -> Case {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    assert!(!text.starts_with("---"), "{name}: the first line says what is tested");
    let mut case = Case {
        name,
        limits: Arc::new(Limits::default()),
        requests: "GET / HTTP/1.1; Host: a".to_owned(),
        input: Vec::new(),
        ends: false,
        expected: String::new(),
    };
    let (_, sections) = text.split_once("\n--- ").unwrap_or_else(|| panic!("{}: no section", case.name));
    for section in sections.split("\n--- ") {
        let (title, body) = section.split_once('\n').unwrap_or((section, ""));
        match title {
            "limits" => case.limits = Arc::new(parse_limits(body)),
            "requests" => case.requests = body.to_owned(),
            "input" => (case.input, case.ends) = parse_input(body),
            "events" => case.expected = format!("{}\n", body.trim_end()),
            "sent" => case.expected = format!("{}--- sent\n{}", case.expected, body.trim_end()),
            _ => panic!("{}: unknown section {title:?}", case.name),
        }
    }
    case
}

fn parse_input(body: &str) -> (Vec<u8>, bool) {
    let (mut input, mut ends) = (Vec::new(), false);
    for line in body.lines() {
        assert!(!ends, "input after @end");
        match line.strip_prefix('@').map(|command| command.split_once(' ').unwrap_or((command, ""))) {
            None => input.extend(unescape(line)),
            Some(("end", "")) => ends = true,
            Some(("repeat", arguments)) => {
                let (count, text) = arguments.split_once(' ').expect("@repeat COUNT TEXT");
                input.extend(unescape(text).repeat(count.parse().expect("@repeat COUNT TEXT")));
            }
            Some((command, _)) => panic!("unknown command @{command}"),
        }
    }
    (input, ends)
}

fn parse_limits(body: &str) -> Limits {
    let mut limits = Limits::default();
    for line in body.lines() {
        let (name, number) = line.split_once(' ').expect("NAME NUMBER");
        let number: u64 = number.parse().expect("a number");
        let size = usize::try_from(number).unwrap();
        match name {
            "start_line" => limits.start_line = size,
            "head" => limits.head = size,
            "header_count" => limits.header_count = size,
            "chunk_line" => limits.chunk_line = size,
            "chunk_extensions" => limits.chunk_extensions = size,
            "trailers" => limits.trailers = size,
            "informational" => limits.informational = size,
            "linger_bytes" => limits.linger_bytes = number,
            "discard_bytes" => limits.discard_bytes = number,
            "exchanges" => limits.exchanges = number,
            "linger_timeout" => limits.linger_timeout = Duration::from_secs(number),
            _ => panic!("unknown limit {name}"),
        }
    }
    limits
}

/// The bytes that `text` stands for.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.unwrap_or(b'?')));
                u8::from_str_radix(&String::from_iter(digits), 16)
                    .unwrap_or_else(|_| panic!("not two hexadecimal digits after \\x in {text:?}"))
            }
            Some(byte @ (b'\\' | b'"')) => byte,
            other => panic!("unknown escape {other:?} in {text:?}"),
        });
    }
    bytes
}

fn check(role: Role, minimum: usize) {
    let cases = cases(role);
    assert!(cases.len() >= minimum, "only {} cases", cases.len());
    let mut failures = String::new();
    for case in &cases {
        let (listing, _) = case.run(role, Feed::Whole);
        if listing.trim_end() != case.expected.trim_end() {
            write!(failures, "=== {}\n{listing}", case.name).unwrap();
        }
    }
    assert!(failures.is_empty(), "listings that differ from their files:\n{failures}");
}

#[test]
fn the_server_reports_what_the_corpus_says() {
    check(Role::Server, 80);
}

#[test]
fn the_client_reports_what_the_corpus_says() {
    check(Role::Client, 80);
}

#[test]
fn every_byte_survives_escaping() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(unescape(&escape(&bytes)), bytes);
}
