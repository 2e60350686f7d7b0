//! The lines of a head: start lines and fields (RFC 9112 §3 to §5), and the facts about framing that fields carry.
//!
//! Nothing here decides: `framing` does, from the [`Facts`].

use crate::entries::Entries;
use crate::syntax::{find, is_field_value, is_token, is_word, parse_decimal, token_length, trim_ows};
use crate::{Status, Version};

use super::ReceiveError;

/// What the fields of one head say about framing and persistence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) content_length: Option<u64>,
    pub(super) coding: Coding,
    pub(super) hosts: u8,
    pub(super) host_invalid: bool,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    /// `Connection` lists `upgrade`.
    pub(super) connection_upgrade: bool,
    pub(super) upgrade: bool,
    pub(super) expect: Expect,
}

/// What `Transfer-Encoding` says, over all its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Coding {
    #[default]
    None,
    /// Only `chunked`, once.
    Chunked,
    /// Other codings, and no `chunked` yet.
    Other,
    /// Other codings, `chunked` last.
    OtherThenChunked,
    /// Not a list of tokens, or `chunked` is not last or is repeated: no later field mends it.
    Malformed,
}

/// What `Expect` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Expect {
    #[default]
    Nothing,
    Continue,
    Unknown,
}

/// A request line in parts: offsets into the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestLine {
    pub(super) method_end: usize,
    pub(super) target_start: usize,
    pub(super) target_end: usize,
    pub(super) version: Version,
    /// The target is known to be visible ASCII without `#`.
    pub(super) is_visible: bool,
}

/// A status line in parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusLine {
    pub(super) version: Version,
    pub(super) status: Status,
    pub(super) reason_start: usize,
    pub(super) reason_end: usize,
}

/// `method SP request-target SP HTTP-version`, single spaces (RFC 9112 §3).
pub(super) fn parse_request_line(line: &[u8]) -> Result<RequestLine, ReceiveError> {
    let method_end = token_length(line);
    match line.get(method_end) {
        Some(b' ') if method_end > 0 => {}
        Some(_) if method_end > 0 => return Err(ReceiveError::MethodInvalid),
        _ => return Err(ReceiveError::StartLineInvalid),
    }
    let target_start = method_end + 1;
    let Some(length) = find::<b' '>(&line[target_start..]) else {
        return Err(ReceiveError::StartLineInvalid);
    };
    let target_end = target_start + length;
    if length == 0 {
        return Err(ReceiveError::TargetInvalid);
    }
    let version = parse_version(&line[target_end + 1..])?;
    Ok(RequestLine { method_end, target_start, target_end, version, is_visible: false })
}

/// `HTTP-version SP status-code SP [reason-phrase]` (RFC 9112 §4). A missing last space is forgiven: some servers
/// leave it out with the reason, and nothing can be misread.
pub(super) fn parse_status_line(line: &[u8]) -> Result<StatusLine, ReceiveError> {
    let (version, rest) = line.split_at_checked(8).ok_or(ReceiveError::StartLineInvalid)?;
    let version = parse_version(version)?;
    let [b' ', digits @ ..] = rest else { return Err(ReceiveError::StartLineInvalid) };
    let (code, after) = digits.split_at_checked(3).ok_or(ReceiveError::StartLineInvalid)?;
    if !code.iter().all(u8::is_ascii_digit) {
        return Err(ReceiveError::StartLineInvalid);
    }
    let code = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let status = Status::new(code).map_err(|_| ReceiveError::StartLineInvalid)?;
    let reason_start = match after {
        [] => line.len(),
        [b' ', reason @ ..] if is_field_value(reason) => 13,
        _ => return Err(ReceiveError::StartLineInvalid),
    };
    Ok(StatusLine { version, status, reason_start, reason_end: line.len() })
}

/// `HTTP/1.0`, `HTTP/1.1`; later minors are read as 1.1 (RFC 9110 §2.5), other majors are refused.
fn parse_version(text: &[u8]) -> Result<Version, ReceiveError> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit() => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(ReceiveError::VersionUnsupported)
        }
        _ => Err(ReceiveError::StartLineInvalid),
    }
}

/// `field-name ":" OWS field-value OWS` (RFC 9112 §5). `start` is where the line begins in its block.
#[inline]
pub(super) fn parse_field(
    line: &[u8],
    start: usize,
    facts: &mut Facts,
    entries: &mut Entries,
) -> Result<(), ReceiveError> {
    let name_length = token_length(line);
    let (name, rest) = line.split_at(name_length);
    let [b':', rest @ ..] = rest else { return Err(ReceiveError::FieldNameInvalid) };
    if name.is_empty() {
        return Err(ReceiveError::FieldNameInvalid);
    }
    let mut value = rest;
    while let [b' ' | b'\t', shorter @ ..] = value {
        value = shorter;
    }
    let value_start = start + line.len() - value.len();
    while let [shorter @ .., b' ' | b'\t'] = value {
        value = shorter;
    }
    if !is_field_value(value) {
        return Err(ReceiveError::FieldValueInvalid);
    }
    facts.note(name, value)?;
    if entries.push_at(start, name_length, value_start, value_start + value.len()) {
        Ok(())
    } else {
        Err(ReceiveError::HeadTooLong)
    }
}

impl Facts {
    /// Whether a field of this name bears on framing or persistence.
    pub(super) fn is_framing(name: &[u8]) -> bool {
        ["host", "expect", "upgrade", "connection", "content-length", "transfer-encoding"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }

    /// Whether a field of this name may bear on framing: a length and a first letter that nearly all others lack.
    #[inline]
    pub(super) fn may_be_framing(name: &[u8]) -> bool {
        let first = name.first().map_or(0, |first| first | 0x20);
        matches!((name.len(), first), (4, b'h') | (6, b'e') | (7, b'u') | (10 | 14, b'c') | (17, b't'))
    }

    /// Notes a field if it bears on framing. Dispatch is on the length of the name first.
    pub(super) fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), ReceiveError> {
        match name.len() {
            4 if is_word(name, b"host") => {
                self.hosts = self.hosts.saturating_add(1);
                self.host_invalid |= !crate::target::is_valid_host(value);
            }
            6 if is_word(name, b"expect") => {
                let is_continue = self.expect != Expect::Unknown && value.eq_ignore_ascii_case(b"100-continue");
                self.expect = if is_continue { Expect::Continue } else { Expect::Unknown };
            }
            7 if is_word(name, b"upgrade") => self.upgrade = true,
            10 if is_word(name, b"connection") => self.note_connection(value),
            14 if is_word(name, b"content-length") => {
                if self.content_length.is_some() {
                    return Err(ReceiveError::ContentLengthRepeated);
                }
                self.content_length = Some(parse_decimal(value).ok_or(ReceiveError::ContentLengthInvalid)?);
            }
            17 if is_word(name, b"transfer-encoding") => self.note_coding(value),
            _ => {}
        }
        Ok(())
    }

    fn note_connection(&mut self, value: &[u8]) {
        if is_word(value, b"keep-alive") {
            self.keep_alive = true;
            return;
        }
        for option in value.split(|&byte| byte == b',') {
            let option = trim_ows(option);
            match option.len() {
                5 => self.close |= is_word(option, b"close"),
                7 => self.connection_upgrade |= is_word(option, b"upgrade"),
                10 => self.keep_alive |= is_word(option, b"keep-alive"),
                _ => {}
            }
        }
    }

    /// Fields are joined as one list. Empty elements are refused: RFC 9110 §5.6.1 lets a recipient ignore them, and
    /// two parsers that differ here are how requests are smuggled.
    fn note_coding(&mut self, value: &[u8]) {
        for coding in value.split(|&byte| byte == b',') {
            let coding = trim_ows(coding);
            let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.coding = match self.coding {
                Coding::None if is_chunked => Coding::Chunked,
                Coding::Other if is_chunked => Coding::OtherThenChunked,
                Coding::None | Coding::Other if is_token(coding) => Coding::Other,
                _ => Coding::Malformed,
            };
        }
    }
}
