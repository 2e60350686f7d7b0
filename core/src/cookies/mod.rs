//! Cookies (RFC 6265bis): what servers set, what clients send, and the jar between them.
//!
//! `set_cookie`, `build` and `pairs` are the grammar of `Set-Cookie` and `Cookie`, `date` the lenient dates of
//! `Expires` (§5.1.1); they need no feature. The jar needs the feature `cookies`: `stored` is what it holds, `store`
//! how much, `site` whom it trusts, `jar` what it takes and gives, `lines` its text for a file. Time is an argument
//! everywhere.

mod build;
mod date;
mod error;
#[cfg(feature = "cookies")]
mod jar;
#[cfg(feature = "cookies")]
mod lines;
mod pairs;
mod set_cookie;
#[cfg(feature = "cookies")]
mod site;
#[cfg(feature = "cookies")]
mod store;
#[cfg(feature = "cookies")]
mod stored;

pub use build::InvalidCookie;
pub use date::cookie_date;
pub use error::CookieError;
#[cfg(feature = "cookies")]
pub use jar::{CookieJar, JarSettings};
#[cfg(feature = "cookies")]
pub use lines::Restored;
pub use pairs::{CookiePairs, is_cookie_value, read_cookies, unquote, write_cookies};
pub use set_cookie::{SameSite, SetCookie};
#[cfg(feature = "cookies")]
pub use site::{Access, Site, is_same_site, registrable_domain};
#[cfg(feature = "cookies")]
pub use stored::StoredCookie;
