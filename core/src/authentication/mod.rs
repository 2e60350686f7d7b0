//! Authentication in HTTP: the grammar of challenges and credentials (RFC 9110 §11), and the schemes that need no hash.
//!
//! * [`Challenge`] is what `WWW-Authenticate` and `Proxy-Authenticate` list, [`Credentials`] what `Authorization` and
//!   `Proxy-Authorization` hold; both are a scheme with [`Content`]: nothing, a token68, or [`Parameters`].
//! * [`Basic`] (RFC 7617) and [`Bearer`] (RFC 6750) read and write their own credentials. Digest has a module of its
//!   own, behind the feature `digest`.
//! * Secrets are compared with [`is_same_secret`], whose time does not tell where they differ, and `Debug` hides them.

mod basic;
mod bearer;
mod challenge;
mod credentials;
mod error;
mod parameters;
mod scan;
mod schemes;
mod secret;

pub use basic::Basic;
pub use bearer::{Bearer, BearerProblem};
pub use challenge::{Challenge, challenges, parse_challenges};
pub use credentials::Credentials;
pub use error::{AuthenticationError, CredentialsError};
pub use parameters::{Content, Parameters};
pub use secret::is_same_secret;
