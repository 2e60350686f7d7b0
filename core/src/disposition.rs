//! Content-Disposition, read and written (RFC 6266, RFC 7578 §4.2; names by RFC 8187 and RFC 2231).
//!
//! Of a name in several forms the extended one counts (`filename*`), then one in pieces (`filename*0`), then the plain
//! one. A parameter that cannot be read (no charset, a charset that is not known, bytes that are no text of it) is
//! left out; one that is given twice makes the field an error, because two readers would see two names.
//! A name that a peer gives is hostile: save under [`Disposition::safe_filename`] only.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::parameters::{self, Escapes, MOST, Parameter};
use crate::reasons::reasons;
pub use crate::safe_filename::safe_filename;
use crate::syntax::{is_field_value, is_token};
use crate::{extended, percent};

/// A disposition with its parameters.
///
/// ```
/// use callboard_core::disposition::Disposition;
///
/// let field = "attachment; filename=\"EURO rates\"; filename*=UTF-8''%e2%82%ac%20rates";
/// let disposition = Disposition::parse(field.as_bytes())?;
/// assert!(disposition.is_attachment());
/// assert_eq!(disposition.filename(), Some("\u{20ac} rates"));
///
/// let written = Disposition::attachment().with_filename("na\u{ef}ve.txt")?;
/// assert_eq!(written.to_string(), "attachment; filename=\"na?ve.txt\"; filename*=UTF-8''na%C3%AFve.txt");
/// # Ok::<(), callboard_core::disposition::InvalidDisposition>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Disposition {
    /// In lower case.
    kind: String,
    /// Names in lower case, without the marks of their form.
    parameters: Vec<(String, String)>,
}

impl Disposition {
    /// Reads the value of a `Content-Disposition` field of a message, or of a part that is not of a form.
    pub fn parse(value: &[u8]) -> Result<Self, InvalidDisposition> {
        Self::read(value, Escapes::Any)
    }

    /// Reads the field of a part of `multipart/form-data` as browsers write it: `%22`, `%0D` and `%0A` in a name stand
    /// for a quote and line ends, and a backslash escapes nothing but a quote and itself.
    pub fn parse_form_data(value: &[u8]) -> Result<Self, InvalidDisposition> {
        Self::read(value, Escapes::Form)
    }

    fn read(value: &[u8], escapes: Escapes) -> Result<Self, InvalidDisposition> {
        if !is_field_value(value) {
            return Err(InvalidDisposition::ControlByte);
        }
        let (kind, list) = parameters::split(value);
        if !is_token(kind) {
            return Err(InvalidDisposition::Kind);
        }
        let kind = core::str::from_utf8(kind).unwrap_or_default().to_ascii_lowercase();
        let mut pieces = Vec::new();
        for parameter in list {
            if pieces.len() == MOST {
                return Err(InvalidDisposition::TooManyParameters);
            }
            pieces.push(Piece::new(&parameter, escapes));
        }
        // Pieces of one name stand together then, the extended form first, the plain one last.
        pieces.sort_by(|one, other| (&one.name, &one.form).cmp(&(&other.name, &other.form)));
        let is_repeated = |pair: &[Piece]| pair[0].name == pair[1].name && pair[0].form.is_same(&pair[1].form);
        if pieces.windows(2).any(is_repeated) {
            return Err(InvalidDisposition::ParameterRepeated);
        }
        let groups = pieces.chunk_by(|one, other| one.name == other.name);
        let parameters = groups.filter_map(|group| Some((group[0].name.clone(), value_of(group, escapes)?))).collect();
        Ok(Self { kind, parameters })
    }

    /// A disposition of that kind, without parameters.
    pub fn new(kind: &str) -> Result<Self, InvalidDisposition> {
        if !is_token(kind.as_bytes()) {
            return Err(InvalidDisposition::Kind);
        }
        Ok(Self { kind: kind.to_ascii_lowercase(), parameters: Vec::new() })
    }

    /// `attachment`: to be saved.
    pub fn attachment() -> Self {
        Self { kind: "attachment".to_owned(), parameters: Vec::new() }
    }

    /// `inline`: to be shown.
    pub fn inline() -> Self {
        Self { kind: "inline".to_owned(), parameters: Vec::new() }
    }

    /// `form-data; name="…"`: a field of a form (RFC 7578 §4.2).
    pub fn form_data(name: &str) -> Result<Self, InvalidDisposition> {
        Self { kind: "form-data".to_owned(), parameters: Vec::new() }.with_parameter("name", name)
    }

    /// Sets `filename`.
    pub fn with_filename(self, filename: &str) -> Result<Self, InvalidDisposition> {
        self.with_parameter("filename", filename)
    }

    /// Sets a parameter in place of that of the same name. Only in `form-data` a value may have line ends (they are
    /// percent-encoded); no other control character is ever taken.
    pub fn with_parameter(mut self, name: &str, value: &str) -> Result<Self, InvalidDisposition> {
        let is_form = self.is_form_data();
        if !is_token(name.as_bytes()) || name.contains('*') {
            return Err(InvalidDisposition::ParameterName);
        }
        let is_wrong = |character: char| character.is_control() && !(is_form && matches!(character, '\r' | '\n'));
        if value.contains(is_wrong) {
            return Err(InvalidDisposition::ControlByte);
        }
        self.parameters.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        if self.parameters.len() == MOST {
            return Err(InvalidDisposition::TooManyParameters);
        }
        self.parameters.push((name.to_ascii_lowercase(), value.to_owned()));
        Ok(self)
    }

    /// The kind in lower case: `inline`, `attachment`, `form-data` …
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether the content is to be saved: any kind but `inline` and `form-data` means so (RFC 6266 §4.2).
    pub fn is_attachment(&self) -> bool {
        self.kind != "inline" && !self.is_form_data()
    }

    /// Whether this is a field of a form.
    pub fn is_form_data(&self) -> bool {
        self.kind == "form-data"
    }

    /// The name of a form's field.
    pub fn name(&self) -> Option<&str> {
        self.parameter("name")
    }

    /// The name of the file as the peer gives it: hostile. It may be a path, be empty, have any character.
    pub fn filename(&self) -> Option<&str> {
        self.parameter("filename")
    }

    /// A name under which the content can be saved: see [`safe_filename`].
    pub fn safe_filename(&self) -> Option<String> {
        safe_filename(self.filename()?)
    }

    /// The value of the parameter of that name, whichever form it came in.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The parameters: names in lower case, and values. Of a field that was read, in the order of names.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The field of a form's part with `filename*` beside a `filename` that is not ASCII. RFC 7578 §4.2 forbids it and
    /// browsers do not write it, but some old servers read nothing else.
    pub fn to_extended_form_data(&self) -> String {
        let mut field = self.form_field();
        if let Some(filename) = self.filename().filter(|filename| !filename.is_ascii()) {
            let _ = write_extended(&mut field, "filename", filename);
        }
        field
    }

    /// Text in UTF-8, in which only quotes and line ends are encoded: as browsers do it (HTML, "multipart form data").
    fn form_field(&self) -> String {
        let mut field = self.kind.clone();
        for (name, value) in self.parameters() {
            let _ = write!(field, "; {name}=\"");
            for character in value.chars() {
                match character {
                    '"' => field.push_str("%22"),
                    '\r' => field.push_str("%0D"),
                    '\n' => field.push_str("%0A"),
                    _ => field.push(character),
                }
            }
            field.push('"');
        }
        field
    }
}

/// As a field value. In `form-data` it is UTF-8 as browsers write it; in all others ASCII, where a value that is not
/// ASCII, or that came with control characters in its extended form, gets a second, extended one (RFC 6266 §5, appendix
/// D).
impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_form_data() {
            return f.write_str(&self.form_field());
        }
        f.write_str(&self.kind)?;
        for (name, value) in self.parameters() {
            // What looks percent-encoded is decoded by some readers in the plain form, but by none twice.
            let is_shown = |character: char| character.is_ascii() && !character.is_ascii_control();
            let is_plain = value.chars().all(is_shown) && !has_triplet(value);
            let fallback = |character: char| if is_shown(character) { character } else { '?' };
            let plain: String = value.chars().map(fallback).collect();
            parameters::write(f, name, &plain)?;
            if !is_plain {
                write_extended(f, name, value)?;
            }
        }
        Ok(())
    }
}

fn has_triplet(value: &str) -> bool {
    let digits = |bytes: &[u8]| bytes[0] == b'%' && bytes[1].is_ascii_hexdigit() && bytes[2].is_ascii_hexdigit();
    value.as_bytes().windows(3).any(digits)
}

/// Adds `; name*=UTF-8''…` (RFC 8187 §3.2).
fn write_extended(f: &mut impl fmt::Write, name: &str, value: &str) -> fmt::Result {
    write!(f, "; {name}*=")?;
    extended::write(f, value)
}

/// One parameter as given, its name without the mark of its form.
struct Piece {
    name: String,
    form: Form,
    value: Vec<u8>,
}

/// In the order of precedence.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// `name*`: charset, language, percent-encoded bytes (RFC 8187).
    Extended,
    /// `name*0`, `name*1*`: a piece, and whether it is percent-encoded (RFC 2231 §3, §4.1).
    Continued(u32, bool),
    /// `name`.
    Plain,
}

impl Form {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Continued(one, _), Self::Continued(other, _)) => one == other,
            _ => self == other,
        }
    }
}

impl Piece {
    fn new(parameter: &Parameter<'_>, escapes: Escapes) -> Self {
        let whole = parameter.name;
        // What has nothing before its `*` is no form of any name.
        let (name, form) = match whole.split_once('*').filter(|(name, _)| !name.is_empty()) {
            Some((name, "")) => (name, Form::Extended),
            Some((name, section)) => match continuation(section) {
                Some((number, is_encoded)) => (name, Form::Continued(number, is_encoded)),
                None => (whole, Form::Plain),
            },
            None => (whole, Form::Plain),
        };
        Self { name: name.to_ascii_lowercase(), form, value: parameter.value.unescaped(escapes) }
    }
}

/// The number of a piece, without leading zeros, and whether it is percent-encoded.
fn continuation(section: &str) -> Option<(u32, bool)> {
    let (digits, is_encoded) = match section.strip_suffix('*') {
        Some(digits) => (digits, true),
        None => (section, false),
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let number = digits.parse().ok().filter(|_| is_number)?;
    Some((number, is_encoded))
}

/// The value of the best form that can be read. All pieces are of one name, in the order of precedence.
fn value_of(pieces: &[Piece], escapes: Escapes) -> Option<String> {
    if let [Piece { form: Form::Extended, value, .. }, ..] = pieces
        && let Some(value) = extended::decode(value)
    {
        return Some(value);
    }
    if let Some(value) = continued(pieces) {
        return Some(value);
    }
    let [.., Piece { name, form: Form::Plain, value }] = pieces else { return None };
    let text = parameters::text(value.clone());
    // Only here: the other forms are percent-decoded already.
    let is_form_name = escapes == Escapes::Form && matches!(&**name, "name" | "filename");
    Some(if is_form_name { unescape_form_name(&text) } else { text })
}

/// RFC 2231 §3: the pieces from 0 on, as far as no number is missing.
fn continued(pieces: &[Piece]) -> Option<String> {
    let mut charset = None;
    let mut bytes = Vec::new();
    let mut wanted = 0;
    for piece in pieces {
        let Form::Continued(number, is_encoded) = piece.form else { continue };
        if number != wanted {
            break;
        }
        let mut value = &piece.value[..];
        if number == 0 && is_encoded {
            let (named, rest) = extended::charset(value)?;
            (charset, value) = (Some(named), rest);
        }
        if is_encoded {
            bytes.extend_from_slice(&percent::decode_strictly(value)?);
        } else {
            bytes.extend_from_slice(value);
        }
        wanted += 1;
    }
    match charset {
        _ if wanted == 0 => None,
        Some(charset) => Some(charset.decode(&bytes)?.into_owned()),
        None => Some(parameters::text(bytes)),
    }
}

fn unescape_form_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(place) = rest.find('%') {
        text.push_str(&rest[..place]);
        let triplet = rest.get(place..place + 3).unwrap_or_default();
        let (decoded, length) = match triplet {
            "%22" => ('"', 3),
            "%0D" | "%0d" => ('\r', 3),
            "%0A" | "%0a" => ('\n', 3),
            _ => ('%', 1),
        };
        text.push(decoded);
        rest = &rest[place + length..];
    }
    text.push_str(rest);
    text
}

reasons! {
    /// Why bytes are no disposition, or a disposition cannot be written.
    InvalidDisposition {
        /// The kind is no token (RFC 6266 §4.1).
        Kind => "not a disposition: it must begin with a token",
        /// A parameter is given twice (RFC 6266 §4.1).
        ParameterRepeated => "a parameter of the disposition is given twice",
        /// The name of a parameter is no token (RFC 9110 §5.6.6), or has a `*`.
        ParameterName => "the name of a parameter must be a token without `*`",
        /// A control character (RFC 9110 §5.5).
        ControlByte => "a control character in a disposition",
        /// More than 64 parameters.
        TooManyParameters => "a disposition with too many parameters",
    }
}
