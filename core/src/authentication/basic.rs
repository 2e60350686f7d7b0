//! The Basic scheme (RFC 7617): user name and password, readable by whoever sees them. Only over TLS, then.
//!
//! Names and passwords are bytes, in UTF-8 unless both ends have agreed on something else (RFC 7617 §2.1). Neither
//! holds a control character, and the name no colon; both are checked when they come in and when they go out.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{AuthenticationError, Challenge, Content, Credentials, CredentialsError, is_same_secret};
use crate::base64;

/// A user name and a password.
///
/// ```
/// use callboard_core::authentication::Basic;
///
/// let basic = Basic::new("Aladdin", "open sesame")?;
/// assert_eq!(basic.to_field(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
/// let received = Basic::parse(b"basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")?;
/// assert_eq!(received.user(), b"Aladdin");
/// assert!(received.is("Aladdin", "open sesame"));
/// # Ok::<(), callboard_core::authentication::CredentialsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl Basic {
    /// Either may be empty. Text goes out as UTF-8; for another charset pass the bytes.
    pub fn new(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Result<Self, CredentialsError> {
        let (user, password) = (user.as_ref(), password.as_ref());
        if user.contains(&b':') {
            return Err(CredentialsError::ColonInUser);
        }
        if user.iter().chain(password).any(u8::is_ascii_control) {
            return Err(CredentialsError::ControlCharacter);
        }
        Ok(Self { user: user.to_vec(), password: password.to_vec() })
    }

    /// Reads a field. The scheme's case does not matter, and the Base64 may lack its padding.
    pub fn parse(field: &[u8]) -> Result<Self, CredentialsError> {
        Self::from_credentials(&Credentials::parse(field).map_err(|_| CredentialsError::Malformed)?)
    }

    /// Takes credentials apart.
    pub fn from_credentials(credentials: &Credentials) -> Result<Self, CredentialsError> {
        if !credentials.is("Basic") {
            return Err(CredentialsError::OtherScheme);
        }
        let Content::Token68(text) = credentials.content() else { return Err(CredentialsError::NotBase64) };
        let pair = base64::decode(text.as_bytes()).ok_or(CredentialsError::NotBase64)?;
        let colon = pair.iter().position(|&byte| byte == b':').ok_or(CredentialsError::ColonMissing)?;
        Self::new(&pair[..colon], &pair[colon + 1..])
    }

    /// The user name.
    pub fn user(&self) -> &[u8] {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// Whether they are these. The time it takes does not tell where they differ.
    pub fn is(&self, user: &str, password: &str) -> bool {
        // Both are compared, whatever the first says.
        is_same_secret(&self.user, user.as_bytes()) & is_same_secret(&self.password, password.as_bytes())
    }

    /// As `Authorization` and `Proxy-Authorization` hold them.
    pub fn to_field(&self) -> String {
        let mut pair = self.user.clone();
        pair.push(b':');
        pair.extend_from_slice(&self.password);
        let mut field = String::from("Basic ");
        field.push_str(&base64::encode(&pair));
        field
    }

    /// The challenge of a server, which asks for UTF-8 (RFC 7617 §2.1).
    ///
    /// ```
    /// use callboard_core::authentication::Basic;
    ///
    /// let challenge = Basic::challenge("files")?;
    /// assert_eq!(challenge.to_field(), br#"Basic realm="files", charset="UTF-8""#);
    /// # Ok::<(), callboard_core::authentication::AuthenticationError>(())
    /// ```
    pub fn challenge(realm: &str) -> Result<Challenge, AuthenticationError> {
        let (scheme, mut parameters) = Challenge::of_realm("Basic", realm)?;
        parameters.append("charset", "UTF-8")?;
        Challenge::new(&scheme, Content::Parameters(parameters))
    }
}

/// The password is not shown.
impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("user", &format_args!("\"{}\"", self.user.escape_ascii())).finish_non_exhaustive()
    }
}
