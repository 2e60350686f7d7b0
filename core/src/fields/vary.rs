//! `Vary` (RFC 9110 §12.5.5): which request fields had a part in choosing the answer.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Field, list};
use crate::{Headers, InvalidHeader, header};

/// What the answer depends on besides the target.
///
/// ```
/// use callboard_core::Headers;
/// use callboard_core::fields::Vary;
///
/// let mut headers = Headers::new();
/// headers.set("Vary", "Origin")?;
/// Vary::add(&mut headers, "Accept-Encoding")?;
/// Vary::add(&mut headers, "origin")?;
/// assert_eq!(headers.text("Vary"), Some("Origin, Accept-Encoding"));
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Vary {
    /// `*`: on more than the fields of the request. No other request can have the same answer from a cache.
    Any,
    /// On these fields, as spelled; each once.
    On(Vec<String>),
}

impl Vary {
    /// Adds the name of a request field to the `Vary` of a response, unless it says so already. All lines become one.
    pub fn add(headers: &mut Headers, name: &str) -> Result<(), InvalidHeader> {
        let vary = match Self::read(headers) {
            Some(Self::Any) => return Ok(()),
            Some(Self::On(names)) if names.iter().any(|known| known.eq_ignore_ascii_case(name)) => return Ok(()),
            Some(Self::On(mut names)) => {
                names.push(name.to_string());
                Self::On(names)
            }
            None => Self::On(Vec::from([name.to_string()])),
        };
        vary.write(headers)
    }

    /// Whether a stored answer to a request with the fields `stored` may serve one with the fields `new`
    /// (RFC 9111 §4.1): all that it varies on have the same values, or are absent in both.
    pub fn permits(&self, stored: &Headers, new: &Headers) -> bool {
        let is_same = |name: &String| {
            // Whitespace and the way a list is spread over lines make no difference.
            let values =
                |headers: &Headers| headers.get_all(name).flat_map(list::elements).map(Vec::from).collect::<Vec<_>>();
            stored.contains(name) == new.contains(name) && values(stored) == values(new)
        };
        match self {
            Self::Any => false,
            Self::On(names) => names.iter().all(is_same),
        }
    }
}

impl fmt::Display for Vary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::On(names) => list::write_joined(f, names, ", "),
        }
    }
}

/// A `*` anywhere is `*`; what is no name of a field is left out.
impl Field for Vary {
    const NAME: &'static str = header::VARY;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for element in values.flat_map(list::elements) {
            match element {
                b"*" => return Some(Self::Any),
                name => names.extend(list::token(name)),
            }
        }
        let mut known = alloc::collections::BTreeSet::new();
        names.retain(|name| known.insert(name.to_ascii_lowercase()));
        Some(Self::On(names))
    }
}
