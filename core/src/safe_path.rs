//! From the path of a request to the names of a path below a folder, for whoever serves files.
//!
//! A path is split at its slashes first and each name is decoded once, so nothing encoded can become a separator. The
//! answer is the same on every system: what one system gives a meaning to (devices, drives, streams, names that end in
//! a dot) is refused on all. Nothing is cleaned or guessed: one file has one path. What is no rule of text is not
//! judged here: a link that leads out of the folder has to be found by who opens it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::reasons::reasons;
use crate::safe_filename::{is_device, is_invisible};
use crate::syntax::hexadecimal;
use crate::{Status, percent};

/// The only hidden name that a site is asked for by its own (RFC 8615 §3).
const WELL_KNOWN: &str = ".well-known";

/// A path below a folder: names that no system takes for anything but names in that folder and in folders below it.
///
/// ```
/// use callboard_core::safe_path::{Hidden, PathRule, SafePath};
///
/// let path = SafePath::parse("/photos/by%20the%20sea.jpg", Hidden::Refused)?;
/// assert_eq!(path.names(), ["photos", "by the sea.jpg"]);
/// assert!(!path.is_folder());
///
/// let error = SafePath::parse("/photos/..%2Fsecrets", Hidden::Refused).unwrap_err();
/// assert_eq!((error.rule, error.at), (PathRule::Separator, 10));
/// assert_eq!(error.status().code(), 404);
/// # Ok::<(), callboard_core::safe_path::UnsafePath>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SafePath {
    names: Vec<String>,
    is_folder: bool,
}

/// Whether names that begin with a dot are served.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Hidden {
    /// None is: `.git`, `.env` and `.htpasswd` lie in many folders that are served.
    #[default]
    Refused,
    /// None but `.well-known` as the first name (RFC 8615 §3).
    WellKnown,
    /// All are.
    Served,
}

impl SafePath {
    /// Reads the path of a request, or what is left of it below a prefix: percent-encoded, without the query, with or
    /// without its first slash. Time and memory are linear in its length.
    pub fn parse(path: &str, hidden: Hidden) -> Result<Self, UnsafePath> {
        let start = usize::from(path.starts_with('/'));
        let mut safe = Self { names: Vec::new(), is_folder: true };
        if start == path.len() {
            return Ok(safe);
        }
        let mut at = start;
        for encoded in path[start..].split('/') {
            safe.is_folder = encoded.is_empty() && at == path.len();
            if !safe.is_folder {
                let is_first = safe.names.is_empty();
                let name = Name { encoded, at }.decode()?;
                check(&name, hidden, is_first).map_err(|rule| UnsafePath { rule, at })?;
                safe.names.push(name);
            }
            at += encoded.len() + 1;
        }
        Ok(safe)
    }

    /// The names from the folder on, decoded. None: it is the folder itself.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the path ends with a slash, or is empty: a folder is asked for, not a file.
    pub fn is_folder(&self) -> bool {
        self.is_folder
    }
}

/// The names with slashes between: relative, never empty names, no slash in front. For logs, and for systems that part
/// names by slashes; else join [`names`](SafePath::names) one by one.
impl fmt::Display for SafePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.names.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "/" })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// One name where it stands.
struct Name<'a> {
    encoded: &'a str,
    at: usize,
}

impl Name<'_> {
    /// Decodes it, and refuses what no name has anywhere.
    fn decode(&self) -> Result<String, UnsafePath> {
        let bytes = percent::decode_strictly(self.encoded.as_bytes())
            .ok_or_else(|| UnsafePath { rule: PathRule::Encoding, at: self.at + self.stray_percent() })?;
        let name = String::from_utf8(bytes).map_err(|error| UnsafePath {
            rule: PathRule::NotUtf8,
            at: self.place_of(error.utf8_error().valid_up_to()),
        })?;
        for (place, character) in name.char_indices() {
            let rule = match character {
                '/' | '\\' => PathRule::Separator,
                ':' => PathRule::Colon,
                _ if character.is_control() => PathRule::Control,
                _ if is_invisible(character) => PathRule::Invisible,
                _ => continue,
            };
            return Err(UnsafePath { rule, at: self.place_of(place) });
        }
        Ok(name)
    }

    /// Where in the path the byte stands that is decoded to the one at `place`.
    fn place_of(&self, place: usize) -> usize {
        let mut rest = self.encoded.as_bytes();
        for _ in 0..place {
            rest = rest.get(if rest.first() == Some(&b'%') { 3 } else { 1 }..).unwrap_or_default();
        }
        self.at + self.encoded.len() - rest.len()
    }

    /// Where the first `%` is that lacks its digits.
    fn stray_percent(&self) -> usize {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(|&byte| hexadecimal(byte).is_some());
        let bytes = self.encoded.as_bytes();
        let is_stray = |&place: &usize| {
            bytes[place] == b'%' && !(is_digit(bytes.get(place + 1)) && is_digit(bytes.get(place + 2)))
        };
        (0..bytes.len()).find(is_stray).unwrap_or_default()
    }
}

/// What a name may not be as a whole.
fn check(name: &str, hidden: Hidden, is_first: bool) -> Result<(), PathRule> {
    let is_served = match hidden {
        Hidden::Refused => false,
        Hidden::WellKnown => is_first && name == WELL_KNOWN,
        Hidden::Served => true,
    };
    match name {
        "" => Err(PathRule::Empty),
        "." => Err(PathRule::Current),
        ".." => Err(PathRule::Parent),
        _ if name.starts_with(has_no_width) => Err(PathRule::Invisible),
        _ if name.ends_with(['.', ' ']) => Err(PathRule::TrailingDotOrSpace),
        _ if name.starts_with('.') && !is_served => Err(PathRule::Hidden),
        _ if is_device(name) => Err(PathRule::Device),
        _ if is_short_name(name) => Err(PathRule::ShortName),
        _ => Ok(()),
    }
}

/// Characters that some file systems leave out, so that a name that begins with one may begin with a dot. Inside of
/// names they belong to the writing of several languages.
const fn has_no_width(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}')
}

/// Whether Windows could have made the name for another: `HTPASS~1` opens `.htpasswd`. Up to eight characters that end
/// in a tilde and digits, then an extension of up to three.
fn is_short_name(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let Some((start, digits)) = stem.rsplit_once('~') else { return false };
    !start.is_empty()
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && stem.chars().count() <= 8
        && extension.chars().count() <= 3
}

reasons! {
    /// The rule that a path breaks.
    PathRule {
        /// A `%` without two hexadecimal digits (RFC 3986 §2.1).
        Encoding => "a percent sign of the path has no two digits after it",
        /// A name that is not UTF-8 when it is decoded.
        NotUtf8 => "a name of the path is not UTF-8",
        /// Two slashes, one after the other: the same file has a path with one.
        Empty => "the path has an empty name",
        /// `.`, in any spelling: the same file has a path without it (RFC 3986 §5.2.4).
        Current => "the path has the name `.`",
        /// `..`, in any spelling: it leads out of a folder (RFC 3986 §5.2.4).
        Parent => "the path has the name `..`",
        /// A slash that is encoded, or a backslash, which parts names on Windows (RFC 9110 §17.3).
        Separator => "a name of the path has a slash or a backslash in it",
        /// NUL or another control character: NUL ends a name for some systems.
        Control => "a name of the path has a control character",
        /// A character that turns the direction of writing or ends a line; or one without width in front of a name,
        /// which some file systems leave out: `.git` hides so.
        Invisible => "a name of the path has a character that is not shown",
        /// A colon: on Windows a drive (`C:`) or another stream of a file (`index.html::$DATA`).
        Colon => "a name of the path has a colon",
        /// A device of Windows, whatever its extension: `con`, `nul.txt`, `com1`.
        Device => "a name of the path is that of a device",
        /// A dot or a space at the end of a name, which Windows leaves out: `.htaccess.` would be `.htaccess`.
        TrailingDotOrSpace => "a name of the path ends in a dot or a space",
        /// A short name that Windows makes for a long one: `HTPASS~1`.
        ShortName => "a name of the path is a short name of another",
        /// A name that begins with a dot, and such are not served: see [`Hidden`].
        Hidden => "a name of the path is hidden",
    }
}

/// Why a path is not safe, and where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UnsafePath {
    /// The rule.
    pub rule: PathRule,
    /// Bytes of the path before what breaks it: a character, or a whole name.
    pub at: usize,
}

impl UnsafePath {
    /// The status to answer with: 400 if the path is not well encoded, else 404, which says nothing of what is there.
    pub const fn status(&self) -> Status {
        match self.rule {
            PathRule::Encoding | PathRule::NotUtf8 => Status::BAD_REQUEST,
            _ => Status::NOT_FOUND,
        }
    }
}

impl fmt::Display for UnsafePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.rule, self.at)
    }
}

impl core::error::Error for UnsafePath {}
