//! Where a session keeps its cookies: a jar that sessions share, or whatever else does what a store does.
//!
//! A store works under a short lock and never waits.

use std::fmt;
#[cfg(feature = "cookies")]
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "cookies")]
use callboard_core::cookies::{Access, CookieJar};
use url::Url;

/// Where a session keeps its cookies: a `SharedJar`, or one of your own.
///
/// ```
/// use callboard_client::{CookieStore, Url};
///
/// /// Sends what a login gave, and learns nothing.
/// #[derive(Debug)]
/// struct Fixed(Vec<u8>);
///
/// impl CookieStore for Fixed {
///     fn store(&self, _: &Url, _: &mut dyn Iterator<Item = &[u8]>, _: u64) {}
///
///     fn cookies(&self, url: &Url, _: u64) -> Option<Vec<u8>> {
///         (url.host_str() == Some("example.org")).then(|| self.0.clone())
///     }
/// }
/// ```
pub trait CookieStore: fmt::Debug + Send + Sync {
    /// An answer of `url` came with these values of `Set-Cookie`, at `unix_seconds`.
    fn store(&self, url: &Url, fields: &mut dyn Iterator<Item = &[u8]>, unix_seconds: u64);

    /// The value of `Cookie` for a request of `url`, if it is to have one.
    fn cookies(&self, url: &Url, unix_seconds: u64) -> Option<Vec<u8>>;
}

/// A [`CookieJar`] that sessions share: clones are the same jar.
#[cfg(feature = "cookies")]
#[derive(Clone, Debug, Default)]
pub struct SharedJar(Arc<Mutex<CookieJar>>);

#[cfg(feature = "cookies")]
impl SharedJar {
    /// Looks at the jar or changes it, while no request does. Do not wait in there.
    ///
    /// ```
    /// use callboard_client::SharedJar;
    ///
    /// let jar = SharedJar::default();
    /// assert_eq!(jar.with(|jar| jar.len()), 0);
    /// ```
    pub fn with<T>(&self, look: impl FnOnce(&mut CookieJar) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(feature = "cookies")]
impl From<CookieJar> for SharedJar {
    fn from(jar: CookieJar) -> Self {
        Self(Arc::new(Mutex::new(jar)))
    }
}

#[cfg(feature = "cookies")]
impl CookieStore for SharedJar {
    fn store(&self, url: &Url, fields: &mut dyn Iterator<Item = &[u8]>, unix_seconds: u64) {
        self.with(|jar| {
            for field in fields {
                // What a jar may not keep it ignores: the answer is good without.
                let _ = jar.set_field(field, url, Access::default(), unix_seconds);
            }
        });
    }

    fn cookies(&self, url: &Url, unix_seconds: u64) -> Option<Vec<u8>> {
        self.with(|jar| if jar.is_empty() { None } else { jar.cookie_field(url, Access::default(), unix_seconds) })
    }
}
