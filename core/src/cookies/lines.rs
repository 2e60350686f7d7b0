//! A jar as lines, for a file: one cookie a line, as the field that would set it again.
//!
//! A line is: second of creation, host (`*`: every host), path, `Set-Cookie`; tabs between. Bytes above 127 stay as
//! they are. Restoring goes through the same rules as setting, so that a file can bring in nothing a server could not.

use alloc::format;
use alloc::vec::Vec;

use url::Url;

use super::error::CookieError;
use super::jar::CookieJar;
use super::set_cookie::SetCookie;
use super::site::Access;
use super::stored::StoredCookie;
use crate::syntax::parse_decimal;

const FIRST_LINE: &[u8] = b"# cookies 1: created, host, path, Set-Cookie\n";

/// What became of the lines of a saved jar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Cookies that were taken; one that has expired meanwhile counts, and is gone.
    pub taken: usize,
    /// The lines that were not, from 1, and why.
    pub refused: Vec<(usize, CookieError)>,
}

impl CookieJar {
    /// All cookies that have not expired at `unix_seconds`, as text for [`restore`](Self::restore). It holds secrets:
    /// a file with it should be its owner's alone. Use [`retain`](Self::retain) on a clone to leave some out.
    pub fn save(&self, unix_seconds: u64) -> Vec<u8> {
        let mut text = FIRST_LINE.to_vec();
        let mut cookies: Vec<_> = self.iter().filter(|cookie| is_saved(cookie, unix_seconds)).collect();
        cookies.sort_by_key(|cookie| cookie.order);
        for cookie in cookies {
            let host = if cookie.domain.is_empty() { "*" } else { &cookie.domain };
            text.extend_from_slice(format!("{}\t{host}\t", cookie.created).as_bytes());
            text.extend_from_slice(&cookie.path);
            text.push(b'\t');
            text.extend_from_slice(&cookie.to_set_cookie().render());
            text.push(b'\n');
        }
        text
    }

    /// Puts in what [`save`](Self::save) wrote, beside what is there; [`clear`](Self::clear) first to replace it.
    /// Deadlines are absolute. Lines that begin with `#` are passed over.
    ///
    /// ```
    /// use callboard_core::cookies::{Access, CookieJar};
    ///
    /// let url = url::Url::parse("http://example.org/").unwrap();
    /// let mut jar = CookieJar::default();
    /// jar.set_field(b"a=1", &url, Access::default(), 0).unwrap();
    /// let mut other = CookieJar::default();
    /// assert_eq!(other.restore(&jar.save(5), 5).taken, 1);
    /// assert_eq!(other.cookie_field(&url, Access::default(), 5).unwrap(), b"a=1");
    /// ```
    pub fn restore(&mut self, text: &[u8], unix_seconds: u64) -> Restored {
        let mut restored = Restored::default();
        for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match self.restore_line(line, unix_seconds) {
                Ok(()) => restored.taken += 1,
                Err(refusal) => restored.refused.push((number, refusal)),
            }
        }
        restored
    }

    fn restore_line(&mut self, line: &[u8], unix_seconds: u64) -> Result<(), CookieError> {
        let mut parts = line.splitn(4, |&byte| byte == b'\t');
        let mut part = || parts.next().ok_or(CookieError::Line);
        let created = parse_decimal(part()?).ok_or(CookieError::Line)?;
        let host = core::str::from_utf8(part()?).map_err(|_| CookieError::Line)?;
        let path = part()?;
        let mut cookie = SetCookie::parse(part()?)?;
        if !path.starts_with(b"/") || path.iter().any(u8::is_ascii_control) {
            return Err(CookieError::Line);
        }
        cookie.path = Some(path.into());
        let cookie = if host == "*" {
            self.judge_everywhere(cookie, unix_seconds)?
        } else {
            let url = Url::parse(&format!("https://{host}/")).map_err(|_| CookieError::NoHost)?;
            if url.host_str() != Some(host) {
                return Err(CookieError::Line);
            }
            self.judge(cookie, &url, Access::default(), unix_seconds)?
        };
        self.put(StoredCookie { created, ..cookie }, Access::default(), unix_seconds)
    }
}

/// No URL has a tab in its path, so a cookie with one is never sent.
fn is_saved(cookie: &StoredCookie, unix_seconds: u64) -> bool {
    !cookie.is_expired(unix_seconds) && !cookie.path.contains(&b'\t')
}
