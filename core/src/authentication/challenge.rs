//! Challenges: what a server asks for (RFC 9110 §11.3 and §11.6.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::schemes::{self, MOST};
use super::{AuthenticationError, Content, Parameters};
use crate::Headers;

/// One challenge: a scheme and what it asks for.
///
/// ```
/// use callboard_core::authentication::{Challenge, parse_challenges};
///
/// let list = parse_challenges(br#"Negotiate, Newauth realm="a, b", type=1, Basic realm="c""#)?;
/// let schemes: Vec<_> = list.iter().map(Challenge::scheme).collect();
/// assert_eq!(schemes, ["Negotiate", "Newauth", "Basic"]);
/// assert_eq!(list[1].text("realm"), Some("a, b"));
/// # Ok::<(), callboard_core::authentication::AuthenticationError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Challenge {
    scheme: Box<str>,
    content: Content,
}

impl Challenge {
    /// A challenge to write. `Basic` and `Digest` make their own.
    pub fn new(scheme: &str, content: Content) -> Result<Self, AuthenticationError> {
        schemes::check(scheme, &content)?;
        Ok(Self { scheme: scheme.into(), content })
    }

    /// A challenge of a realm.
    pub(super) fn of_realm(scheme: &str, realm: &str) -> Result<(Box<str>, Parameters), AuthenticationError> {
        let mut parameters = Parameters::new();
        parameters.append("realm", realm)?;
        Ok((scheme.into(), parameters))
    }

    /// The scheme as spelled. Schemes compare without case: [`is`](Self::is).
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether it is of that scheme.
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

    /// A parameter, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters()?.text(name)
    }

    /// As `WWW-Authenticate` holds it.
    pub fn to_field(&self) -> Vec<u8> {
        schemes::write(&self.scheme, &self.content)
    }
}

/// Schemes without case.
impl PartialEq for Challenge {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.scheme) && self.content == other.content
    }
}

impl Eq for Challenge {}

/// The challenges of one field, in order. At most 32 with 64 parameters each.
pub fn parse_challenges(field: &[u8]) -> Result<Vec<Challenge>, AuthenticationError> {
    let list = schemes::read(field)?;
    Ok(list.into_iter().map(|(scheme, content)| Challenge { scheme, content }).collect())
}

/// The challenges of all fields of that name ([`WWW_AUTHENTICATE`](crate::header::WWW_AUTHENTICATE) or
/// [`PROXY_AUTHENTICATE`](crate::header::PROXY_AUTHENTICATE)), in order. A field that is malformed is left out, so that
/// it cannot hide what the others say.
pub fn challenges(headers: &Headers, name: &str) -> Vec<Challenge> {
    headers.get_all(name).filter_map(|field| parse_challenges(field).ok()).flatten().take(MOST).collect()
}
