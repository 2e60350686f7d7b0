//! A resolver of the user's own, in place of the runtime's.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use callboard_runtime::BoxFuture;

/// Looks names up for a session: see [`SessionBuilder::resolver`](crate::SessionBuilder::resolver).
///
/// It is asked once for all who want a name and port at the same time, and again when the answer is older than
/// [`CacheSettings::ttl`](crate::CacheSettings). Addresses in URLs are not asked for. Its future is dropped when nobody
/// waits for it any more; what it takes counts towards [`Timeouts::connect`](crate::Timeouts::connect). One that sends
/// requests itself may use the same session, for other names: one that needs the name that is being looked up fails.
///
/// ```
/// use std::io;
/// use std::net::SocketAddr;
///
/// use callboard_client::Resolver;
/// use callboard_runtime::BoxFuture;
///
/// /// Knows one name.
/// #[derive(Debug)]
/// struct One(&'static str, SocketAddr);
///
/// impl Resolver for One {
///     fn resolve(&self, name: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
///         let found = if name == self.0 { Ok(vec![self.1]) } else { Err(io::ErrorKind::NotFound.into()) };
///         Box::pin(async { found })
///     }
/// }
/// ```
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a name (in lower case, as URLs have it), best first. An address with port 0 gets the port of
    /// the URL. None at all is an error of the request, [`ErrorKind::NoAddress`](crate::ErrorKind::NoAddress); an error
    /// is its [`ErrorKind::Resolve`](crate::ErrorKind::Resolve), and not remembered.
    fn resolve(&self, name: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}
