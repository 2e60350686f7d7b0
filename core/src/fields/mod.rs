//! Typed fields: what a field value says, read and written.
//!
//! | asked | here |
//! |---|---|
//! | is what the client has still right, and which part of it is wanted? | [`Conditions`], [`Range`], [`Byteranges`] |
//! | which representation suits the client? | [`Accept`], [`AcceptEncoding`], [`AcceptLanguage`] |
//! | how long may it be kept, and for whom? | [`CacheControl`], [`Vary`] |
//! | who is the client behind the proxies? | [`Proxies`](forwarded::Proxies), [`Forwarded`] |
//! | where else to look, and when to come back? | [`Links`], [`RetryAfter`], [`Allow`] |
//!
//! Reading is as lenient as the RFC of the field tells recipients to be: a value that must be ignored is no error but
//! is as if it was absent. Where the caller has to answer with an error the result says so. All of them are linear in
//! the size of the fields, which the limits of a head bound.

mod accept;
mod accept_encoding;
mod accept_language;
mod allow;
mod byteranges;
mod cache_control;
mod cache_control_read;
mod conditional;
mod content_range;
mod entity_tag;
pub mod forwarded;
mod link;
mod link_read;
pub mod list;
mod quality;
mod range;
mod retry_after;
mod vary;

pub use accept::{Accept, MediaRange};
pub use accept_encoding::{AcceptCharset, AcceptEncoding};
pub use accept_language::AcceptLanguage;
pub use allow::{Allow, ContentLanguage};
pub use byteranges::{Byteranges, Part};
pub use cache_control::{CacheControl, MaxStale, Scope};
pub use conditional::{Conditions, Decision, Representation};
pub use content_range::ContentRange;
pub use entity_tag::{EntityTag, EntityTags, InvalidEntityTag};
pub use forwarded::Forwarded;
pub use link::{InvalidLink, Link, Links};
pub use quality::{InvalidQuality, Quality};
pub use range::{ByteRange, Partial, Range, Satisfied};
pub use retry_after::RetryAfter;
pub use vary::Vary;

use alloc::string::ToString;
use core::fmt;

use crate::date::parse_http_date;
use crate::{Headers, InvalidHeader};

/// A field with a type: read from headers as a whole, all lines of it, and written as one line.
///
/// ```
/// use callboard_core::fields::{CacheControl, Field};
/// use callboard_core::Headers;
///
/// let mut headers = Headers::new();
/// CacheControl { max_age: Some(60), is_public: true, ..CacheControl::default() }.write(&mut headers)?;
/// assert_eq!(headers.text("Cache-Control"), Some("public, max-age=60"));
/// assert_eq!(CacheControl::read(&headers).and_then(|control| control.max_age), Some(60));
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
pub trait Field: Sized + fmt::Display {
    /// The name of the field.
    const NAME: &'static str;

    /// Reads the values of all lines of the field, in order; there is at least one. `None`: the field is to be ignored.
    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self>;

    /// Reads the field; `None` if it is absent, or to be ignored.
    fn read(headers: &Headers) -> Option<Self> {
        if headers.contains(Self::NAME) { Self::from_values(headers.get_all(Self::NAME)) } else { None }
    }

    /// Puts the field in the place of all of its name.
    fn write(&self, headers: &mut Headers) -> Result<(), InvalidHeader> {
        headers.set(Self::NAME, self.to_string())
    }
}

/// The date in the field of that name, in seconds since 1970; `None` if there is no field, more than one, or its value
/// is no date (RFC 9110 §5.6.7). `now`, in the same seconds, is for years of two digits.
///
/// ```
/// use callboard_core::fields::date;
/// use callboard_core::{Headers, header};
///
/// let mut headers = Headers::new();
/// headers.set(header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT")?;
/// assert_eq!(date(&headers, header::LAST_MODIFIED, 1_700_000_000), Some(784_111_777));
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
pub fn date(headers: &Headers, name: &str, now: u64) -> Option<u64> {
    parse_http_date(single(headers.get_all(name))?, now)
}

/// The only value. A field that is no list and comes twice says nothing (RFC 9110 §5.3).
fn single<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let value = values.next()?;
    if values.next().is_some() { None } else { Some(value) }
}
