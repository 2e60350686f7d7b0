//! The reader of `Link`: the algorithm of RFC 8288, appendix B.
//!
//! A link whose head is malformed ends the reading of its line, and what came before it counts. Of `rel`, `anchor`,
//! `media`, `title`, `title*` and `type` the first counts (§3.2 to §3.4.1). A `*` value that cannot be decoded is left
//! out. Links without a relation are kept, as there is something to see; they relate to nothing.

use alloc::string::String;
use alloc::vec::Vec;

use super::Field;
use super::link::{Link, Links};
use crate::syntax::is_token;
use crate::{extended, header};

/// Parameters of which a link has one.
const SINGLE: [&str; 6] = ["rel", "anchor", "media", "title", "title*", "type"];

impl Links {
    /// Reads all lines of the field.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut found = Vec::new();
        for line in lines {
            let mut reader = Reader(line);
            while let Some(link) = reader.link() {
                found.push(link);
            }
        }
        Self(found)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        self.take_while(is_skipped);
    }

    fn skip_space(&mut self) {
        self.skip(is_space);
    }

    fn take_while(&mut self, is_taken: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().position(|&byte| !is_taken(byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((&first, rest)) if first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn link(&mut self) -> Option<Link> {
        self.skip(|byte| is_space(byte) || byte == b',');
        if !self.take(b'<') {
            return None;
        }
        let target = self.take_while(|byte| byte != b'>');
        if !self.take(b'>') {
            return None;
        }
        let target = core::str::from_utf8(target).ok().map(String::from);
        let mut parameters: Vec<(String, Option<String>)> = Vec::new();
        let mut seen = [false; SINGLE.len()];
        loop {
            self.skip_space();
            if !self.take(b';') {
                break;
            }
            if let Some((name, value)) = self.parameter() {
                let place = SINGLE.iter().position(|single| *single == name);
                let is_repeated = place.is_some_and(|place| core::mem::replace(&mut seen[place], true));
                if !is_repeated {
                    parameters.push((name, value));
                }
            }
        }
        // Whatever stands before the next comma belongs to no parameter.
        self.skip(|byte| byte != b',');
        Some(Link { target: target?, parameters })
    }

    /// A parameter after its semicolon; `None` for one that is left out.
    fn parameter(&mut self) -> Option<(String, Option<String>)> {
        self.skip_space();
        let name = self.take_while(|byte| !is_space(byte) && !matches!(byte, b'=' | b';' | b','));
        self.skip_space();
        let value = if self.take(b'=') {
            self.skip_space();
            Some(if self.take(b'"') { self.quoted() } else { self.plain() })
        } else {
            None
        };
        let name = core::str::from_utf8(name).ok().filter(|name| is_token(name.as_bytes()))?.to_ascii_lowercase();
        let value = match value {
            Some(value) => Some(String::from_utf8(value).ok()?),
            None => None,
        };
        if name.ends_with('*') {
            let value = extended::decode(value?.as_bytes())?;
            return Some((name, Some(value)));
        }
        Some((name, value))
    }

    fn plain(&mut self) -> Vec<u8> {
        let value = self.take_while(|byte| !matches!(byte, b';' | b','));
        value.trim_ascii_end().to_vec()
    }

    /// The rest of a quoted string after its first quote. One that does not end runs to the end of the line.
    fn quoted(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        let mut is_escaped = false;
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => {
                    is_escaped = true;
                    continue;
                }
                b'"' => break,
                _ => {}
            }
            value.push(byte);
        }
        value
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl Field for Links {
    const NAME: &'static str = header::LINK;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self::parse(values))
    }
}
