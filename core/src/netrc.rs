//! Credentials from a netrc file, as ftp, curl and Python read it. The core opens no file: its text is an argument.
//!
//! Words in any layout: `machine NAME` or `default` begins an entry, `login`, `account` and `password` fill it. A macro
//! (`macdef`) lasts until an empty line and is skipped. A `#` where a keyword may stand begins a comment. A word may
//! stand in quotes, in which a backslash escapes. The first entry of a machine counts, and `default` fits what none
//! fits.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::reasons::reasons;

/// Bytes of a file that are read.
const MOST_BYTES: usize = 1024 * 1024;
/// Entries of a file that are kept.
const MOST_ENTRIES: usize = 4096;

reasons! {
    /// What is wrong with a netrc file.
    NetrcProblem {
        /// The file is longer than 1 MiB or has more than 4096 entries.
        TooLong => "the file is too long",
        /// A word stands where a keyword is expected.
        UnknownWord => "a word that is no keyword",
        /// `login`, `account` or `password` comes before any entry.
        EntryMissing => "a keyword that belongs to an entry comes before any",
        /// The file ends behind a keyword that wants a value.
        ValueMissing => "a keyword without its value",
        /// A quoted word does not end on its line.
        QuoteMissing => "a quoted word does not end",
    }
}

/// A netrc file that cannot be read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetrcError {
    /// What is wrong.
    pub problem: NetrcProblem,
    /// In which line, from 1.
    pub line: usize,
}

impl fmt::Display for NetrcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "netrc, line {}: {}", self.line, self.problem)
    }
}

impl core::error::Error for NetrcError {}

/// What one entry says.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct NetrcEntry {
    /// The host; None for `default`.
    machine: Option<String>,
    login: Option<String>,
    account: Option<String>,
    password: Option<String>,
}

impl NetrcEntry {
    /// The user name: the login, or else the account; empty if the entry has neither.
    pub fn user(&self) -> &str {
        self.login.as_deref().or(self.account.as_deref()).unwrap_or_default()
    }

    /// The login, if it is there.
    pub fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    /// The account, if it is there.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The password; empty if the entry has none.
    pub fn password(&self) -> &str {
        self.password.as_deref().unwrap_or_default()
    }
}

/// Without the password.
impl fmt::Debug for NetrcEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetrcEntry").field("machine", &self.machine).field("user", &self.user()).finish_non_exhaustive()
    }
}

/// The entries of a netrc file.
///
/// ```
/// use callboard_core::netrc::Netrc;
///
/// let netrc = Netrc::parse("machine example.org login me password \"a b\"\ndefault login anonymous")?;
/// let entry = netrc.look_up("EXAMPLE.org").unwrap();
/// assert_eq!((entry.user(), entry.password()), ("me", "a b"));
/// assert_eq!(netrc.look_up("other.example").unwrap().user(), "anonymous");
/// # Ok::<(), callboard_core::netrc::NetrcError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Netrc {
    entries: Vec<NetrcEntry>,
}

impl Netrc {
    /// Reads a file of at most 1 MiB.
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut words = Words { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
        if text.len() > MOST_BYTES {
            return Err(words.error(NetrcProblem::TooLong));
        }
        let mut entries: Vec<NetrcEntry> = Vec::new();
        while let Some(keyword) = words.keyword()? {
            match &*keyword {
                "machine" => {
                    entries.push(NetrcEntry { machine: Some(words.value()?), ..NetrcEntry::default() });
                }
                "default" => entries.push(NetrcEntry::default()),
                "macdef" => words.skip_macro(),
                "login" | "user" | "account" | "password" => {
                    let value = words.value()?;
                    let Some(entry) = entries.last_mut() else { return Err(words.error(NetrcProblem::EntryMissing)) };
                    match &*keyword {
                        "account" => entry.account = Some(value),
                        "password" => entry.password = Some(value),
                        _ => entry.login = Some(value),
                    }
                }
                _ => return Err(words.error(NetrcProblem::UnknownWord)),
            }
            if entries.len() > MOST_ENTRIES {
                return Err(words.error(NetrcProblem::TooLong));
            }
        }
        Ok(Self { entries })
    }

    /// The entry for a host, or the default one. Names compare without case; an IPv6 address has no brackets.
    pub fn look_up(&self, host: &str) -> Option<&NetrcEntry> {
        self.find(host, |_| true)
    }

    /// The entry that names the host: the default one is left out.
    pub fn look_up_machine(&self, host: &str) -> Option<&NetrcEntry> {
        self.look_up(host).filter(|entry| entry.machine.is_some())
    }

    /// The entry for a user of a host, or the default one if it is for that user.
    pub fn look_up_user(&self, host: &str, user: &str) -> Option<&NetrcEntry> {
        self.find(host, |entry| entry.user() == user)
    }

    fn find(&self, host: &str, fits: impl Fn(&NetrcEntry) -> bool) -> Option<&NetrcEntry> {
        let is_of = |entry: &NetrcEntry| entry.machine.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(host));
        let own = self.entries.iter().find(|entry| is_of(entry) && fits(entry));
        own.or_else(|| self.entries.iter().find(|entry| entry.machine.is_none() && fits(entry)))
    }
}

/// The words of a file.
struct Words<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Words<'a> {
    const fn error(&self, problem: NetrcProblem) -> NetrcError {
        NetrcError { problem, line: self.line }
    }

    /// Skips white space.
    fn skip_space(&mut self) {
        let rest = self.rest.trim_start();
        self.line += lines(&self.rest[..self.rest.len() - rest.len()]);
        self.rest = rest;
    }

    /// The next word where a comment may stand, or None at the end of the file.
    fn keyword(&mut self) -> Result<Option<Cow<'a, str>>, NetrcError> {
        loop {
            self.skip_space();
            if !self.rest.starts_with('#') {
                return self.word();
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        }
    }

    /// The value of a keyword.
    fn value(&mut self) -> Result<String, NetrcError> {
        self.skip_space();
        self.word()?.map(Cow::into_owned).ok_or_else(|| self.error(NetrcProblem::ValueMissing))
    }

    fn word(&mut self) -> Result<Option<Cow<'a, str>>, NetrcError> {
        if let Some(rest) = self.rest.strip_prefix('"') {
            return self.quoted(rest).map(|word| Some(Cow::Owned(word)));
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok((!word.is_empty()).then_some(Cow::Borrowed(word)))
    }

    /// A word that began with a quote.
    fn quoted(&mut self, rest: &'a str) -> Result<String, NetrcError> {
        let mut word = String::new();
        let mut characters = rest.char_indices();
        while let Some((place, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &rest[place + 1..];
                    return Ok(word);
                }
                '\n' => break,
                '\\' => match characters.next() {
                    Some((_, 'n')) => word.push('\n'),
                    Some((_, 'r')) => word.push('\r'),
                    Some((_, 't')) => word.push('\t'),
                    Some((_, '\n')) | None => break,
                    Some((_, escaped)) => word.push(escaped),
                },
                _ => word.push(character),
            }
        }
        Err(self.error(NetrcProblem::QuoteMissing))
    }

    /// Skips the rest of a macro: its name, and lines up to an empty one.
    fn skip_macro(&mut self) {
        let mut is_first = true;
        while !self.rest.is_empty() {
            let end = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
            let (line, rest) = self.rest.split_at(end);
            self.line += lines(line);
            self.rest = rest;
            if !is_first && line.trim().is_empty() {
                return;
            }
            is_first = false;
        }
    }
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}
