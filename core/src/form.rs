//! `application/x-www-form-urlencoded`, read and written (URL standard §5).
//!
//! Pairs stand between `&`; an empty one is none, and one without `=` has an empty value; `+` is a space; a percent
//! sign without two digits stands for itself. [`pairs`] takes what is there whole; [`FormReader`] takes it in pieces,
//! holds no more than one pair, and counts. Both give the same pairs.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::reasons::reasons;
use crate::{Status, percent};

/// The media type of such a body.
pub const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The pairs of a query or a body that is there whole. What is no UTF-8 becomes U+FFFD.
///
/// ```
/// use callboard_core::form;
///
/// let pairs: Vec<_> = form::pairs(b"name=Ada+L.&tag=100%25&tag=&x").collect();
/// assert_eq!(pairs[0], ("name".into(), "Ada L.".into()));
/// assert_eq!(pairs[1], ("tag".into(), "100%".into()));
/// assert_eq!(pairs[3], ("x".into(), "".into()));
/// ```
pub fn pairs(input: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    raw_pairs(input).map(|(name, value)| (lossy(decode(name)), lossy(decode(value))))
}

/// The same, as bytes still encoded.
fn raw_pairs(input: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    input.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(split)
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    (&pair[..end], pair.get(end + 1..).unwrap_or_default())
}

/// Decodes one name or value: `+` and percent-encoding.
pub fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    percent::decode_form(text)
}

fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
    }
}

/// Writes pairs.
///
/// ```
/// use callboard_core::form;
///
/// assert_eq!(form::write([("name", "Ada L."), ("tag", "100%")]), "name=Ada+L.&tag=100%25");
/// ```
pub fn write<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut output = String::new();
    for (name, value) in pairs {
        append(&mut output, name.as_ref(), value.as_ref());
    }
    output
}

/// Adds a pair to `output`, after an `&` if there is something before it.
pub fn append(output: &mut String, name: &str, value: &str) {
    if !output.is_empty() {
        output.push('&');
    }
    encode(output, name);
    output.push('=');
    encode(output, value);
}

/// Adds one name or value, encoded: all but letters, digits and `*-._`; a space as `+`.
pub fn encode(output: &mut String, text: &str) {
    output.reserve(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => output.push('+'),
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => output.push(char::from(byte)),
            _ => {
                // A string takes all that is written.
                let _ = percent::write_byte(output, byte);
            }
        }
    }
}

/// What bounds a form that comes from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormLimits {
    /// Pairs. Default 1024.
    pub pairs: usize,
    /// Bytes of a name as it is encoded. Default 1 KiB.
    pub name: usize,
    /// Bytes of a value as it is encoded. Default 1 MiB.
    pub value: usize,
    /// Whether what is no UTF-8 is an error, rather than U+FFFD. Default false.
    pub is_strict: bool,
}

impl Default for FormLimits {
    fn default() -> Self {
        Self { pairs: 1024, name: 1024, value: 1024 * 1024, is_strict: false }
    }
}

/// Reads a form that comes in pieces, one pair at a time.
///
/// ```
/// use callboard_core::form::{FormLimits, FormReader};
///
/// let mut reader = FormReader::new(FormLimits::default());
/// let mut pairs = Vec::new();
/// for mut piece in [&b"a=1&b"[..], b"b=%4", b"1"] {
///     while let Some(pair) = reader.read(&mut piece)? {
///         pairs.push(pair);
///     }
/// }
/// pairs.extend(reader.finish()?);
/// assert_eq!(pairs, [("a".into(), "1".into()), ("bb".into(), "A".into())]);
/// # Ok::<(), callboard_core::form::FormError>(())
/// ```
#[derive(Debug)]
pub struct FormReader {
    limits: FormLimits,
    /// What there is of the pair that is not complete.
    held: Vec<u8>,
    /// Where its `=` is.
    equals: Option<usize>,
    count: usize,
    error: Option<FormError>,
}

impl FormReader {
    /// A reader of one form.
    pub const fn new(limits: FormLimits) -> Self {
        Self { limits, held: Vec::new(), equals: None, count: 0, error: None }
    }

    /// The next pair, taken from the front of `input`; or none, and all of `input` is taken. An error is final.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<(String, String)>, FormError> {
        while !input.is_empty() {
            let end = memchr::memchr(b'&', input);
            let (piece, rest) = input.split_at(end.unwrap_or(input.len()));
            *input = rest.get(1..).unwrap_or_default();
            self.hold(piece)?;
            if end.is_some()
                && let Some(pair) = self.take()?
            {
                return Ok(Some(pair));
            }
        }
        Ok(None)
    }

    /// The last pair, if there is one: the form is over.
    pub fn finish(&mut self) -> Result<Option<(String, String)>, FormError> {
        self.take()
    }

    fn hold(&mut self, piece: &[u8]) -> Result<(), FormError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.held.is_empty() && !piece.is_empty() && self.count == self.limits.pairs {
            return self.fail(FormError::TooManyPairs);
        }
        // No more than is allowed is looked at, so that memory and the error are the same however the input is cut.
        let held = self.held.len();
        let equals = self.equals.or_else(|| memchr::memchr(b'=', piece).map(|place| held + place));
        let name = equals.unwrap_or(held + piece.len());
        if name > self.limits.name {
            return self.fail(FormError::NameTooLong);
        }
        if equals.is_some_and(|equals| held + piece.len() - equals - 1 > self.limits.value) {
            return self.fail(FormError::ValueTooLong);
        }
        self.equals = equals;
        self.held.extend_from_slice(piece);
        Ok(())
    }

    fn take(&mut self) -> Result<Option<(String, String)>, FormError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.held.is_empty() {
            return Ok(None);
        }
        self.count += 1;
        let held = core::mem::take(&mut self.held);
        self.equals = None;
        let (name, value) = split(&held);
        let is_strict = self.limits.is_strict;
        let text = |bytes| match lossy_or_strict(decode(bytes), is_strict) {
            Some(text) => Ok(text),
            None => Err(FormError::NotUtf8),
        };
        match text(name).and_then(|name| Ok((name, text(value)?))) {
            Ok(pair) => Ok(Some(pair)),
            Err(error) => self.fail(error).map(|()| None),
        }
    }

    fn fail(&mut self, error: FormError) -> Result<(), FormError> {
        self.error = Some(error);
        self.held = Vec::new();
        Err(error)
    }
}

fn lossy_or_strict(bytes: Cow<'_, [u8]>, is_strict: bool) -> Option<String> {
    if is_strict { String::from_utf8(bytes.into_owned()).ok() } else { Some(lossy(bytes).into_owned()) }
}

reasons! {
    /// Why a form was not read to its end.
    FormError {
        /// More than [`FormLimits::pairs`].
        TooManyPairs => "the form has too many fields",
        /// More than [`FormLimits::name`].
        NameTooLong => "the name of a form field is too long",
        /// More than [`FormLimits::value`].
        ValueTooLong => "the value of a form field is too long",
        /// A name or value is no UTF-8, and that is asked for (URL standard §5.1).
        NotUtf8 => "a form field is not UTF-8",
    }
}

impl FormError {
    /// The status to answer with: 413 past a limit, else 400.
    pub const fn status(self) -> Status {
        match self {
            Self::TooManyPairs | Self::NameTooLong | Self::ValueTooLong => Status::CONTENT_TOO_LARGE,
            Self::NotUtf8 => Status::BAD_REQUEST,
        }
    }
}
