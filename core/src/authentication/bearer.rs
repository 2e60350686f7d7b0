//! The Bearer scheme (RFC 6750): whoever has the token may use it. Only over TLS, then.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::scan::is_token68;
use super::{AuthenticationError, Challenge, Content, Credentials, CredentialsError, Parameters, is_same_secret};
use crate::Status;

/// A bearer token.
///
/// ```
/// use callboard_core::authentication::Bearer;
///
/// let bearer = Bearer::new("mF_9.B5f-4.1JqM")?;
/// assert_eq!(bearer.to_field(), "Bearer mF_9.B5f-4.1JqM");
/// assert_eq!(Bearer::parse(b"bearer mF_9.B5f-4.1JqM")?.token(), bearer.token());
/// assert!(Bearer::new("two words").is_err());
/// # Ok::<(), callboard_core::authentication::CredentialsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer {
    token: Box<str>,
}

impl Bearer {
    /// A token: letters, digits, `-._~+/`, and `=` at its end (RFC 6750 §2.1).
    pub fn new(token: &str) -> Result<Self, CredentialsError> {
        if is_token68(token.as_bytes()) { Ok(Self { token: token.into() }) } else { Err(CredentialsError::BadToken) }
    }

    /// Reads a field. The scheme's case does not matter.
    pub fn parse(field: &[u8]) -> Result<Self, CredentialsError> {
        Self::from_credentials(&Credentials::parse(field).map_err(|_| CredentialsError::Malformed)?)
    }

    /// Takes credentials apart.
    pub fn from_credentials(credentials: &Credentials) -> Result<Self, CredentialsError> {
        match credentials.content() {
            _ if !credentials.is("Bearer") => Err(CredentialsError::OtherScheme),
            Content::Token68(token) => Ok(Self { token: token.clone() }),
            _ => Err(CredentialsError::BadToken),
        }
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether it is this one. The time it takes does not tell where they differ.
    pub fn is(&self, token: &str) -> bool {
        is_same_secret(self.token.as_bytes(), token.as_bytes())
    }

    /// As `Authorization` holds it.
    pub fn to_field(&self) -> String {
        let mut field = String::from("Bearer ");
        field.push_str(&self.token);
        field
    }

    /// The challenge of a server. Without a problem, the request had no token; it then says nothing more than the realm
    /// (RFC 6750 §3.1).
    ///
    /// ```
    /// use callboard_core::authentication::{Bearer, BearerProblem};
    ///
    /// let challenge = Bearer::challenge("example", Some(BearerProblem::InvalidToken))?;
    /// assert_eq!(challenge.to_field(), br#"Bearer realm="example", error="invalid_token""#);
    /// # Ok::<(), callboard_core::authentication::AuthenticationError>(())
    /// ```
    pub fn challenge(realm: &str, problem: Option<BearerProblem<'_>>) -> Result<Challenge, AuthenticationError> {
        let (scheme, mut parameters) = Challenge::of_realm("Bearer", realm)?;
        if let Some(problem) = problem {
            problem.append(&mut parameters)?;
        }
        Challenge::new(&scheme, Content::Parameters(parameters))
    }
}

/// What is wrong with a request that had a token (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerProblem<'a> {
    /// The request is malformed.
    InvalidRequest,
    /// The token is expired, revoked or otherwise invalid.
    InvalidToken,
    /// The token does not cover this: the scopes that do, with spaces between them.
    InsufficientScope(&'a str),
}

impl BearerProblem<'_> {
    /// What a server answers with: 400, 401 or 403.
    pub const fn status(self) -> Status {
        match self {
            Self::InvalidRequest => Status::BAD_REQUEST,
            Self::InvalidToken => Status::UNAUTHORIZED,
            Self::InsufficientScope(_) => Status::FORBIDDEN,
        }
    }

    fn append(self, parameters: &mut Parameters) -> Result<(), AuthenticationError> {
        match self {
            Self::InvalidRequest => parameters.append("error", "invalid_request"),
            Self::InvalidToken => parameters.append("error", "invalid_token"),
            Self::InsufficientScope(scope) => {
                parameters.append("error", "insufficient_scope")?;
                parameters.append("scope", scope)
            }
        }
    }
}

/// The token is not shown.
impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").finish_non_exhaustive()
    }
}
