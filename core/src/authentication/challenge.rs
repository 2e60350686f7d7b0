//! Challenges: what a server asks for (RFC 9110 §11.3 and §11.6.1).
//!
//! One field lists several challenges, and so do several fields; commas part both challenges and the parameters of one.
//! What tells them apart: a parameter has a `=` behind its name, a scheme has not.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::parameters::{Content, Parameters};
use super::scan::{Scanner, is_token68};
use super::{AuthenticationError, Credentials};
use crate::Headers;
use crate::syntax::is_token;

/// Challenges of one field that are looked at.
const MOST: usize = 32;

/// One challenge: a scheme and what it asks for.
///
/// ```
/// use callboard_core::authentication::{Challenge, read_challenges};
///
/// let list = read_challenges(br#"Negotiate, Newauth realm="a, b", type=1, Basic realm="c""#)?;
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
        check(scheme, &content)?;
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
        write(&self.scheme, &self.content)
    }

    pub(super) fn into_credentials(self) -> Credentials {
        Credentials::from_parts(self.scheme, self.content)
    }
}

/// Schemes without case.
impl PartialEq for Challenge {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.scheme) && self.content == other.content
    }
}

impl Eq for Challenge {}

pub(super) fn check(scheme: &str, content: &Content) -> Result<(), AuthenticationError> {
    match content {
        _ if !is_token(scheme.as_bytes()) => Err(AuthenticationError::NotAToken),
        Content::Token68(text) if !is_token68(text.as_bytes()) => Err(AuthenticationError::NotAToken),
        _ => Ok(()),
    }
}

pub(super) fn write(scheme: &str, content: &Content) -> Vec<u8> {
    let mut field = scheme.as_bytes().to_vec();
    match content {
        Content::Nothing => {}
        Content::Parameters(parameters) if parameters.is_empty() => {}
        Content::Token68(text) => {
            field.push(b' ');
            field.extend_from_slice(text.as_bytes());
        }
        Content::Parameters(parameters) => {
            field.push(b' ');
            parameters.write(&mut field);
        }
    }
    field
}

/// The challenges of one field, in order. At most 32 with 64 parameters each.
pub fn read_challenges(field: &[u8]) -> Result<Vec<Challenge>, AuthenticationError> {
    let mut scanner = Scanner::new(field);
    let mut challenges: Vec<Challenge> = Vec::new();
    // Behind a scheme, spaces and no token68, a parameter has to come.
    let mut needs_parameter = false;
    loop {
        scanner.skip_borders();
        if scanner.is_at_end() {
            return Ok(challenges);
        }
        let token = scanner.token()?;
        if scanner.take_equals() {
            let Some(challenge) = challenges.last_mut() else { return Err(AuthenticationError::SchemeMissing) };
            take_parameters(&mut challenge.content)?.read_value(token, &mut scanner)?;
            needs_parameter = false;
            continue;
        }
        if needs_parameter {
            return Err(AuthenticationError::CommaExpected);
        }
        if challenges.len() >= MOST {
            return Err(AuthenticationError::TooMany);
        }
        let has_spaces = scanner.skip_spaces();
        let mut content = Content::Nothing;
        if !scanner.is_at_border() {
            if !has_spaces {
                return Err(AuthenticationError::TokenExpected);
            }
            match scanner.token68() {
                Some(text) => content = Content::Token68(text.into()),
                None => needs_parameter = true,
            }
        }
        challenges.push(Challenge { scheme: token.into(), content });
    }
}

/// The parameters to add one to. What was taken for a token68 is a first parameter without value if others follow:
/// `Digest realm=, nonce="n"`.
fn take_parameters(content: &mut Content) -> Result<&mut Parameters, AuthenticationError> {
    match content {
        Content::Parameters(_) => {}
        Content::Nothing => *content = Content::Parameters(Parameters::new()),
        Content::Token68(text) => match text.strip_suffix('=') {
            Some(name) if is_token(name.as_bytes()) && !name.ends_with('=') => {
                let mut parameters = Parameters::new();
                parameters.append(name, "")?;
                *content = Content::Parameters(parameters);
            }
            _ => return Err(AuthenticationError::Token68AndParameters),
        },
    }
    match content {
        Content::Parameters(parameters) => Ok(parameters),
        _ => Err(AuthenticationError::Token68AndParameters),
    }
}

/// The challenges of all fields of that name ([`WWW_AUTHENTICATE`](crate::header::WWW_AUTHENTICATE) or
/// [`PROXY_AUTHENTICATE`](crate::header::PROXY_AUTHENTICATE)), in order. A field that is malformed is left out, so that
/// it cannot hide what the others say.
pub fn challenges(headers: &Headers, name: &str) -> Vec<Challenge> {
    headers.get_all(name).filter_map(|field| read_challenges(field).ok()).flatten().take(MOST).collect()
}
