//! Request targets (RFC 9112 §3.2): parsed once, strictly, kept as received.
//!
//! A target is visible ASCII without `#`. Percent-encoding is not touched and not judged: what a path means is the
//! router's question. The form must suit the method: CONNECT names `host:port`, only OPTIONS may say `*`.

use core::fmt;
use core::ops::Range;

use bytes::Bytes;

use crate::Method;
use crate::syntax::{find, parse_decimal, table};

/// The four forms of a target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TargetForm {
    /// `/path?query`: the usual one.
    Origin,
    /// `http://host/path?query`: to a proxy.
    Absolute,
    /// `host:port`: CONNECT only.
    Authority,
    /// `*`: OPTIONS for the whole server.
    Asterisk,
}

/// The target of a request. Cloning is cheap.
///
/// ```
/// use callboard_core::{Method, Target, TargetForm};
///
/// let target = Target::origin("/search?q=rust")?;
/// assert_eq!((target.path(), target.query()), ("/search", Some("q=rust")));
///
/// let target = Target::parse("http://example.org?x".into(), &Method::Get)?;
/// assert_eq!(target.form(), TargetForm::Absolute);
/// assert_eq!((target.authority(), target.path(), target.query()), (Some("example.org"), "/", Some("x")));
/// # Ok::<(), callboard_core::InvalidTarget>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    raw: Bytes,
    form: TargetForm,
    /// Where the authority ends, and the path begins.
    path_start: u32,
    /// Where the path ends: at the `?`, or at the end.
    path_end: u32,
    /// Length of the scheme, or 0.
    scheme_length: u32,
}

impl Target {
    /// The target of a request with this method.
    pub fn parse(raw: Bytes, method: &Method) -> Result<Self, InvalidTarget> {
        if is_visible(&raw) { Self::of_visible(raw, method) } else { Err(InvalidTarget) }
    }

    /// The same, of what is known to be visible ASCII without `#`, and not empty.
    #[inline]
    pub(crate) fn of_visible(raw: Bytes, method: &Method) -> Result<Self, InvalidTarget> {
        let length = u32::try_from(raw.len()).map_err(|_| InvalidTarget)?;
        if *method == Method::Connect {
            if !is_host_and_port(&raw) {
                return Err(InvalidTarget);
            }
            let form = TargetForm::Authority;
            return Ok(Self { raw, form, path_start: length, path_end: length, scheme_length: 0 });
        }
        match &raw[..] {
            [b'/', ..] => {
                let path_end = path_end(&raw, 0);
                Ok(Self { raw, form: TargetForm::Origin, path_start: 0, path_end, scheme_length: 0 })
            }
            b"*" if *method == Method::Options => {
                Ok(Self { raw, form: TargetForm::Asterisk, path_start: 0, path_end: 1, scheme_length: 0 })
            }
            _ => Self::absolute(raw),
        }
    }

    /// A target in origin form, for a client: a path that starts with `/`, and maybe a query.
    pub fn origin(text: &str) -> Result<Self, InvalidTarget> {
        if text.starts_with('/') {
            Self::parse(Bytes::copy_from_slice(text.as_bytes()), &Method::Get)
        } else {
            Err(InvalidTarget)
        }
    }

    fn absolute(raw: Bytes) -> Result<Self, InvalidTarget> {
        let scheme_length = raw.iter().position(|&byte| byte == b':').ok_or(InvalidTarget)?;
        let (scheme, rest) = raw.split_at(scheme_length);
        if !is_scheme(scheme) || !rest.starts_with(b"://") {
            return Err(InvalidTarget);
        }
        let start = scheme_length + 3;
        let end = raw[start..].iter().position(|&byte| matches!(byte, b'/' | b'?')).map_or(raw.len(), |at| start + at);
        if !is_valid_host(&raw[start..end]) {
            return Err(InvalidTarget);
        }
        let path_end = path_end(&raw, end);
        let (scheme_length, path_start) = (offset(scheme_length), offset(end));
        Ok(Self { raw, form: TargetForm::Absolute, path_start, path_end, scheme_length })
    }

    /// The target as on the wire.
    pub fn as_str(&self) -> &str {
        self.part(0..self.raw.len())
    }

    /// Which of the four forms it has.
    #[inline]
    pub const fn form(&self) -> TargetForm {
        self.form
    }

    /// The path, still percent-encoded: `/` for an absolute form without one, `*` for the asterisk, and nothing for
    /// the authority form.
    #[inline]
    pub fn path(&self) -> &str {
        match self.part(self.path_start as usize..self.path_end as usize) {
            "" if self.form == TargetForm::Absolute => "/",
            path => path,
        }
    }

    /// What follows the first `?`, still percent-encoded.
    pub fn query(&self) -> Option<&str> {
        let start = self.path_end as usize + 1;
        (start <= self.raw.len()).then(|| self.part(start..self.raw.len()))
    }

    /// The scheme of an absolute form, as spelled.
    pub fn scheme(&self) -> Option<&str> {
        (self.scheme_length > 0).then(|| self.part(0..self.scheme_length as usize))
    }

    /// The `host` or `host:port` of an absolute or authority form.
    pub fn authority(&self) -> Option<&str> {
        match self.form {
            TargetForm::Absolute => Some(self.part(self.scheme_length as usize + 3..self.path_start as usize)),
            TargetForm::Authority => Some(self.as_str()),
            TargetForm::Origin | TargetForm::Asterisk => None,
        }
    }

    #[inline]
    fn part(&self, range: Range<usize>) -> &str {
        // Only visible ASCII gets past `parse`.
        self.raw.get(range).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({:?})", self.as_str())
    }
}

/// The bytes are no target, or not one for this method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidTarget;

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a request target for this method")
    }
}

impl core::error::Error for InvalidTarget {}

/// Where the path that starts at `start` ends.
fn path_end(raw: &[u8], start: usize) -> u32 {
    offset(find::<b'?'>(&raw[start..]).map_or(raw.len(), |at| start + at))
}

/// An offset into a target, whose length `parse` found to fit.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Visible ASCII without `#`, and not empty. Without branches, so that it vectorises.
fn is_visible(raw: &[u8]) -> bool {
    let faults = raw
        .iter()
        .fold(0_u8, |faults, &byte| faults | u8::from(byte <= b' ') | u8::from(byte >= 0x7f) | u8::from(byte == b'#'));
    faults == 0 && !raw.is_empty()
}

/// `scheme` of RFC 3986 §3.1: a letter, then letters, digits, `+`, `-`, `.`.
fn is_scheme(bytes: &[u8]) -> bool {
    matches!(bytes, [first, rest @ ..] if first.is_ascii_alphabetic()
        && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
}

/// What CONNECT names: a valid host with a port that is not empty.
fn is_host_and_port(bytes: &[u8]) -> bool {
    let port = bytes.rsplit(|&byte| byte == b':').next().unwrap_or_default();
    port.len() < bytes.len() && !port.is_empty() && !port.ends_with(b"]") && is_valid_host(bytes)
}

/// What plain host names consist of.
const PLAIN_HOST: [bool; 256] = table(b".-");

/// `unreserved` and `sub-delims` of RFC 3986 §2.
const HOST: [bool; 256] = table(b"-._~!$&'()*+,;=");

/// Whether `bytes` is a host with an optional port (RFC 3986 §3.2.2, §3.2.3), as in `Host` and in targets: a name, an
/// IPv4 address or an address in brackets; no user information; a port of at most 65535. Empty is not valid.
pub(crate) fn is_valid_host(bytes: &[u8]) -> bool {
    // Most are letters, digits, dots and hyphens, then perhaps a colon and digits.
    let name = bytes.iter().position(|&byte| !PLAIN_HOST[usize::from(byte)]).unwrap_or(bytes.len());
    match bytes.get(name) {
        None => return name > 0,
        Some(b':') if name > 0 => return is_port(&bytes[name + 1..]),
        _ => {}
    }
    let (host_is_valid, rest) = if let [b'[', literal @ ..] = bytes {
        let Some(end) = literal.iter().position(|&byte| byte == b']') else { return false };
        (is_ip_literal(&literal[..end]), &literal[end + 1..])
    } else {
        let end = bytes.iter().position(|&byte| byte == b':').unwrap_or(bytes.len());
        (is_registered_name(&bytes[..end]), &bytes[end..])
    };
    let port_is_valid = match rest {
        [] => true,
        [b':', port @ ..] => is_port(port),
        _ => false,
    };
    host_is_valid && port_is_valid
}

/// What may follow the colon: nothing, or a number of at most 65535.
fn is_port(bytes: &[u8]) -> bool {
    // Up to five digits compare as text.
    if bytes.len() <= 5 {
        return bytes.iter().all(u8::is_ascii_digit) && (bytes.len() < 5 || bytes <= b"65535".as_slice());
    }
    parse_decimal(bytes).is_some_and(|port| port <= 65_535)
}

fn is_registered_name(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return !bytes.is_empty(),
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            [byte, rest @ ..] if HOST[usize::from(*byte)] => rest,
            _ => return false,
        };
    }
}

/// What may stand between brackets: an IPv6 address without a zone, or `v1.anything` of later versions.
fn is_ip_literal(bytes: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = bytes {
        let mut parts = rest.splitn(2, |&byte| byte == b'.');
        let version = parts.next().unwrap_or_default();
        let address = parts.next().unwrap_or_default();
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && address.iter().all(|&byte| byte == b':' || HOST[usize::from(byte)]);
    }
    core::str::from_utf8(bytes).is_ok_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok())
}
