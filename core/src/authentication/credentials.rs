//! Credentials: what a client answers a challenge with (RFC 9110 §11.4).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{AuthenticationError, Content, Parameters, schemes};

/// A scheme and its proof, as `Authorization` and `Proxy-Authorization` hold them.
///
/// ```
/// use callboard_core::authentication::{Content, Credentials};
///
/// let credentials = Credentials::parse(b"Token abc123")?;
/// assert!(credentials.is("token"));
/// assert_eq!(credentials.content(), &Content::Token68("abc123".into()));
/// # Ok::<(), callboard_core::authentication::AuthenticationError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    scheme: Box<str>,
    content: Content,
}

impl Credentials {
    /// Credentials to write.
    pub fn new(scheme: &str, content: Content) -> Result<Self, AuthenticationError> {
        schemes::check(scheme, &content)?;
        Ok(Self { scheme: scheme.into(), content })
    }

    /// Reads a field.
    pub fn parse(field: &[u8]) -> Result<Self, AuthenticationError> {
        let mut list = schemes::read(field)?.into_iter();
        match (list.next(), list.next()) {
            (Some((scheme, content)), None) => Ok(Self { scheme, content }),
            (None, _) => Err(AuthenticationError::TokenExpected),
            (Some(_), Some(_)) => Err(AuthenticationError::SeveralSchemes),
        }
    }

    /// The scheme as spelled. Schemes compare without case: [`is`](Self::is).
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether they are of that scheme.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// What follows the scheme.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The parameters, if there are any.
    pub const fn parameters(&self) -> Option<&Parameters> {
        match &self.content {
            Content::Parameters(parameters) => Some(parameters),
            _ => None,
        }
    }

    /// As `Authorization` holds them.
    pub fn to_field(&self) -> Vec<u8> {
        schemes::write(&self.scheme, &self.content)
    }
}

/// The scheme only: the rest is a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
