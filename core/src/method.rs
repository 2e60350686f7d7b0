//! Request methods (RFC 9110 §9). Case-sensitive; every registered one of daily use is a variant, any other token an
//! extension.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use crate::syntax::is_token;

/// A request method. Methods are case-sensitive: `get` is an extension, not [`Method::Get`].
///
/// ```
/// use callboard_core::Method;
///
/// let method: Method = "PROPFIND".parse()?;
/// assert_eq!(method.as_str(), "PROPFIND");
/// assert_eq!(Method::from_bytes(b"GET")?, Method::Get);
/// assert!(Method::from_bytes(b"GE T").is_err());
/// # Ok::<(), callboard_core::InvalidMethod>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Method {
    /// Asks for a representation.
    #[default]
    Get,
    /// As GET, without the body.
    Head,
    /// Hands content over to be processed.
    Post,
    /// Replaces the resource's state.
    Put,
    /// Removes the resource.
    Delete,
    /// Asks for a tunnel.
    Connect,
    /// Asks what the resource, or with `*` the server, can do.
    Options,
    /// Asks for the request to come back.
    Trace,
    /// Changes a part of the resource (RFC 5789).
    Patch,
    /// Any other method. Made by [`Method::from_bytes`], so it is a token and never one of the above.
    Extension(ExtensionMethod),
}

/// The name of a method that has no variant of its own: a token (RFC 9110 §5.6.2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtensionMethod(Box<str>);

impl ExtensionMethod {
    /// The name as on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Method {
    /// The method that `bytes` name.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidMethod> {
        match bytes.len() {
            3 if bytes == b"GET" => Ok(Self::Get),
            3 if bytes == b"PUT" => Ok(Self::Put),
            4 if bytes == b"POST" => Ok(Self::Post),
            4 if bytes == b"HEAD" => Ok(Self::Head),
            5 if bytes == b"PATCH" => Ok(Self::Patch),
            5 if bytes == b"TRACE" => Ok(Self::Trace),
            6 if bytes == b"DELETE" => Ok(Self::Delete),
            7 if bytes == b"OPTIONS" => Ok(Self::Options),
            7 if bytes == b"CONNECT" => Ok(Self::Connect),
            _ => Self::extension(bytes),
        }
    }

    #[cold]
    fn extension(bytes: &[u8]) -> Result<Self, InvalidMethod> {
        if !is_token(bytes) {
            return Err(InvalidMethod);
        }
        let name = core::str::from_utf8(bytes).map_err(|_| InvalidMethod)?;
        Ok(Self::Extension(ExtensionMethod(name.into())))
    }

    /// The name as on the wire.
    #[inline]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Extension(name) => name.as_str(),
        }
    }

    /// Whether the method only reads (RFC 9110 §9.2.1). Extensions count as unsafe.
    pub const fn is_safe(&self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options | Self::Trace)
    }

    /// Whether sending the request twice has the effect of once (RFC 9110 §9.2.2), so that it may be retried.
    /// Extensions count as not idempotent.
    pub const fn is_idempotent(&self) -> bool {
        self.is_safe() || matches!(self, Self::Put | Self::Delete)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Method {
    type Err = InvalidMethod;

    fn from_str(text: &str) -> Result<Self, InvalidMethod> {
        Self::from_bytes(text.as_bytes())
    }
}

/// The bytes are no token, so they cannot name a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidMethod;

impl fmt::Display for InvalidMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a method: a method is a token")
    }
}

impl core::error::Error for InvalidMethod {}
