//! Text that is known to be UTF-8, over shared bytes.

use alloc::string::String;
use core::fmt;
use core::ops::Deref;
use core::str::Utf8Error;

use bytes::Bytes;

/// Immutable UTF-8 text. A clone shares the bytes.
///
/// ```
/// use bytes::Bytes;
/// use callboard_core::websocket::Text;
///
/// let text = Text::try_from(Bytes::from_static("na\u{ef}ve".as_bytes())).unwrap();
/// assert_eq!(&*text, "na\u{ef}ve");
/// assert!(Text::try_from(Bytes::from_static(b"\xff")).is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(Bytes);

impl Text {
    /// No text.
    pub const fn new() -> Self {
        Self(Bytes::new())
    }

    /// Text that costs nothing to make.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Bytes that were checked while they arrived.
    pub(super) const fn from_checked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// As a string slice.
    pub fn as_str(&self) -> &str {
        // Without unsafe code the check is made again; it runs at tens of gigabytes per second.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes, shared.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// The bytes.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text.into_bytes()))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<Bytes> for Text {
    type Error = Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Utf8Error> {
        str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
