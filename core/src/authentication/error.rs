//! Why a field of authentication was not taken, as reasons without data: what the field held may be a secret.

use crate::Status;
use crate::reasons::reasons;

reasons! {
    /// What is wrong with a field that lists challenges, or holds credentials or authentication parameters.
    AuthenticationError {
        /// Neither a scheme nor a parameter begins here (RFC 9110 §11.3).
        TokenExpected => "a scheme or the name of a parameter was expected",
        /// A parameter comes before any scheme (RFC 9110 §11.3).
        SchemeMissing => "a parameter without a scheme",
        /// A value is missing its end, or holds a control byte (RFC 9110 §5.6.4).
        BadQuotedString => "a quoted string does not end, or holds a control byte",
        /// After a parameter comes something other than a comma (RFC 9110 §11.2).
        CommaExpected => "a comma was expected after a parameter",
        /// A scheme has both a token68 and parameters (RFC 9110 §11.3).
        Token68AndParameters => "a token68 and parameters for one scheme",
        /// A parameter occurs twice for one scheme (RFC 9110 §11.2).
        ParameterRepeated => "a parameter occurs twice",
        /// More challenges or parameters than are looked at: 32 and 64.
        TooMany => "too many challenges or parameters",
        /// Credentials name one scheme (RFC 9110 §11.4).
        SeveralSchemes => "credentials for more than one scheme",
        /// The name of a scheme or parameter that is to be written is no token (RFC 9110 §5.6.2).
        NotAToken => "the name of a scheme or parameter is not a token",
        /// A value that is to be written holds a control byte (RFC 9110 §5.6.4).
        ControlByte => "a value holds a control byte",
    }
}

reasons! {
    /// What is wrong with the credentials of a scheme, to be written or as received.
    CredentialsError {
        /// The field is not of the grammar (RFC 9110 §11.4).
        Malformed => "the credentials are malformed",
        /// The credentials are of another scheme.
        OtherScheme => "the credentials are of another scheme",
        /// The user name holds a colon, which would begin the password (RFC 7617 §2).
        ColonInUser => "the user name holds a colon",
        /// The user name or password holds a control character (RFC 7617 §2).
        ControlCharacter => "the user name or password holds a control character",
        /// The credentials are not in Base64 (RFC 7617 §2, RFC 4648 §4).
        NotBase64 => "the credentials are not in Base64",
        /// The decoded credentials have no colon (RFC 7617 §2).
        ColonMissing => "the credentials have no colon between user name and password",
        /// The bearer token is empty or holds a character other than those of a token68 (RFC 6750 §2.1).
        BadToken => "the bearer token is not a token68",
    }
}

impl AuthenticationError {
    /// What a server answers with: 400.
    pub const fn status(self) -> Status {
        Status::BAD_REQUEST
    }
}

impl CredentialsError {
    /// What a server answers with: 401 if the scheme is not the one asked for, else 400.
    pub const fn status(self) -> Status {
        match self {
            Self::OtherScheme => Status::UNAUTHORIZED,
            _ => Status::BAD_REQUEST,
        }
    }
}
