//! A cookie of one request, beside those that the session keeps.

use std::fmt;

/// A cookie of one request.
#[derive(Clone)]
pub(crate) struct OwnCookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
}

impl OwnCookie {
    /// None: no field can hold it. The value is sent as it is.
    pub(crate) fn new(name: &str, value: &[u8]) -> Option<Self> {
        // What is split or trimmed off in reading would arrive as another cookie.
        let in_name = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b';' | b',');
        let in_value = |byte: &u8| !byte.is_ascii_control() && *byte != b';';
        let arrives = !name.is_empty()
            && name.bytes().all(in_name)
            && value.iter().all(in_value)
            && value.trim_ascii().len() == value.len();
        arrives.then(|| Self { name: name.as_bytes().into(), value: value.into() })
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }

    pub(crate) fn has_name_of(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The name alone: the value may be a secret.
impl fmt::Debug for OwnCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name.escape_ascii())
    }
}
