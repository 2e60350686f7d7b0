//! Lists of plain names: `Allow` (RFC 9110 §10.2.1) and `Content-Language` (§8.5).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Field, list};
use crate::{Method, header};

/// The methods that a resource takes: in a 405, and in an answer to OPTIONS. May be empty.
///
/// ```
/// use callboard_core::fields::{Allow, Field};
/// use callboard_core::{Headers, Method};
///
/// let mut headers = Headers::new();
/// Allow(vec![Method::Get, Method::Head]).write(&mut headers)?;
/// assert_eq!(headers.text("Allow"), Some("GET, HEAD"));
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allow(pub Vec<Method>);

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list::write_joined(f, self.0.iter().map(Method::as_str), ", ")
    }
}

/// What is no method is left out.
impl Field for Allow {
    const NAME: &'static str = header::ALLOW;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let methods = values.flat_map(list::elements).filter_map(|element| Method::from_bytes(element).ok());
        Some(Self(methods.collect()))
    }
}

/// The languages of those whom the content is for, as tags of RFC 5646.
///
/// ```
/// use callboard_core::Headers;
/// use callboard_core::fields::{ContentLanguage, Field};
///
/// let mut headers = Headers::new();
/// headers.set("Content-Language", "mi, en")?;
/// assert_eq!(ContentLanguage::read(&headers).unwrap().0, ["mi", "en"]);
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContentLanguage(pub Vec<String>);

impl fmt::Display for ContentLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list::write_joined(f, &self.0, ", ")
    }
}

/// What is no tag is left out.
impl Field for ContentLanguage {
    const NAME: &'static str = header::CONTENT_LANGUAGE;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self(values.flat_map(list::elements).filter(|tag| is_language(tag)).filter_map(list::token).collect()))
    }
}

/// Subtags of one to eight letters and digits between hyphens, the first of letters (RFC 4647 §2.1, without `*`).
pub(super) fn is_language(tag: &[u8]) -> bool {
    let is_subtag = |part: &[u8]| (1..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric);
    tag.split(|&byte| byte == b'-').all(is_subtag)
        && tag.iter().take_while(|&&byte| byte != b'-').all(u8::is_ascii_alphabetic)
}
