//! The builder of a session: each setting, with its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
#[cfg(feature = "tls")]
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(feature = "digest")]
use callboard_core::digest::DigestClient;
use callboard_core::happy_eyeballs::{Family, RaceSettings};
use callboard_core::netrc::Netrc;
use callboard_core::resolver_cache::CacheSettings;
use callboard_core::retry::{BudgetLimits, RetryPolicy};
use callboard_core::{Headers, InvalidHeader, Limits, header};
use callboard_runtime::Handle;
#[cfg(feature = "tls")]
use callboard_runtime::tls::TlsConnector;

use super::Session;
use crate::cookie_store::CookieStore;
#[cfg(feature = "cookies")]
use crate::cookie_store::SharedJar;
#[cfg(feature = "digest")]
use crate::digest::SharedDigest;
use crate::error::Error;
#[cfg(feature = "digest")]
use crate::error::{ErrorKind, Phase};
use crate::location::{self, IntoUrl};
use crate::resolver::Resolver;
use crate::settings::{Settings, Timeouts};
use crate::shared::Shared;
use crate::tokens::{TokenSource, Tokens};

/// Makes a [`Session`] with other settings than the default ones.
///
/// ```no_run
/// # fn example(runtime: callboard_runtime::Handle) -> Result<(), callboard_core::InvalidHeader> {
/// use callboard_client::{Session, Timeouts};
/// use std::time::Duration;
///
/// let session = Session::builder(runtime)
///     .timeouts(Timeouts { total: Duration::from_secs(30), ..Timeouts::default() })
///     .connections_per_host(8)
///     .header("Accept-Language", "cy")?
///     .build();
/// # drop(session);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder makes nothing until `build`"]
pub struct SessionBuilder {
    pub(super) runtime: Handle,
    pub(super) settings: Settings,
}

impl SessionBuilder {
    /// The deadlines of each request that has no record of its own.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.timeouts = timeouts;
        self
    }

    /// Connections in total: idle, in use and being dialled. Default 100.
    pub fn connections(mut self, total: usize) -> Self {
        self.settings.pool.total = total;
        self
    }

    /// Connections to one origin. Default 100.
    pub fn connections_per_host(mut self, per_host: usize) -> Self {
        self.settings.pool.per_host = per_host;
        self
    }

    /// Requests that may wait for a connection before others fail at once. Default 65,536.
    pub fn waiting(mut self, waiting: usize) -> Self {
        self.settings.pool.waiting = waiting;
        self
    }

    /// How long a connection is kept idle. Default 15 s, or less if the server's `Keep-Alive` says so. Zero: none is.
    pub fn idle_timeout(mut self, idle: Duration) -> Self {
        self.settings.pool.idle_timeout = idle;
        self
    }

    /// The limits of each connection: sizes of heads, silences, rates. Default: [`Limits::default`] with a
    /// `head_timeout` of 120 s.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = Arc::new(limits);
        self
    }

    /// Bytes of a body that `bytes`, `text` and `json` collect. Default 1 GiB. Parts read one by one are not bounded.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.settings.body_limit = bytes;
        self
    }

    /// Whether content codings are asked for, by an `Accept-Encoding` of all that are compiled in, and undone as a body
    /// is read. Default true. An `Accept-Encoding` of your own replaces the one asked for; a request with `Range` asks
    /// for none, and a partial response (206) is given as it comes, as is one whose coding is not known.
    #[cfg(feature = "compression")]
    pub fn decode(mut self, decodes: bool) -> Self {
        self.settings.decodes = decodes;
        self
    }

    /// What a coded body may decode to. Default: [`DecodeLimits::default`](crate::DecodeLimits), which is 1 GiB, and
    /// 250 times what was received beyond the first 16 MiB. Parts read one by one are bounded, too.
    #[cfg(feature = "compression")]
    pub fn decode_limits(mut self, limits: crate::DecodeLimits) -> Self {
        self.settings.decode_limits = limits;
        self
    }

    /// Redirections followed for one request. Default 10; 0: none.
    pub fn redirects(mut self, limit: u32) -> Self {
        self.settings.redirects = limit;
        self
    }

    /// How requests that failed are repeated. Default: they are not, but for one whose kept connection had died.
    ///
    /// ```no_run
    /// # fn example(runtime: callboard_runtime::Handle) {
    /// use callboard_client::{RetryPolicy, Session};
    ///
    /// let session = Session::builder(runtime).retry(RetryPolicy::attempts(3)).build();
    /// # drop(session);
    /// # }
    /// ```
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// How many retries all requests of the session make together. Default: one for ten requests, and 10 per second.
    pub fn retry_budget(mut self, limits: BudgetLimits) -> Self {
        self.settings.retry_budget = limits;
        self
    }

    /// A field sent with every request that has none of that name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidHeader> {
        self.settings.headers.append(name, value)?;
        Ok(self)
    }

    /// What `User-Agent` says. Default `callboard/` and the version. Empty: nothing is said.
    pub fn user_agent(mut self, name: &str) -> Result<Self, InvalidHeader> {
        Headers::new().append(header::USER_AGENT, name)?;
        self.settings.user_agent = (!name.is_empty()).then(|| name.into());
        Ok(self)
    }

    /// The jar that cookies are kept in. Default: one of its own, empty, with [`JarSettings`](crate::JarSettings) as
    /// they are by default.
    #[cfg(feature = "cookies")]
    pub fn cookie_jar(mut self, jar: impl Into<SharedJar>) -> Self {
        let jar = jar.into();
        self.settings.cookie_store = Some(Arc::new(jar.clone()));
        self.settings.jar = Some(jar);
        self
    }

    /// A store for cookies in place of a jar.
    pub fn cookie_store(mut self, store: impl CookieStore + 'static) -> Self {
        self = self.no_cookies();
        self.settings.cookie_store = Some(Arc::new(store));
        self
    }

    /// How the addresses of a name are raced (RFC 8305). Default: the default of [`RaceSettings`], 250 ms apart. What
    /// [`family`](Self::family) says stays, unless these settings say otherwise.
    pub fn happy_eyeballs(mut self, settings: RaceSettings) -> Self {
        let only = settings.only.or(self.settings.race.only);
        self.settings.race = RaceSettings { only, ..settings };
        self
    }

    /// For how long looked-up names are kept. Default: [`CacheSettings`] as they are by default, 10 s.
    pub fn resolver_cache(mut self, settings: CacheSettings) -> Self {
        self.settings.cache = settings;
        self
    }

    /// A resolver in place of the runtime's. Its answers go through the same cache.
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.settings.resolver = Some(Arc::new(resolver));
        self
    }

    /// Connects to addresses of one family only. Default: of both. A host without any is
    /// [`ErrorKind::NoAddressOfFamily`](crate::ErrorKind::NoAddressOfFamily). Unix sockets have none.
    pub fn family(mut self, family: Family) -> Self {
        self.settings.race.only = Some(family);
        self
    }

    /// Connects from this address, which is one of this host; with port 0 from any free port, with another from that
    /// one only (so that one connection to each server is all there can be). Default: the system chooses. Only
    /// addresses of its family are connected to. What the system says of it is in
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect): `AddrNotAvailable`, if it is no address of this host. Unix
    /// sockets have none.
    ///
    /// All connections of the session come from it: for several addresses, have several sessions.
    ///
    /// ```no_run
    /// # fn example(runtime: callboard_runtime::Handle) {
    /// use callboard_client::Session;
    ///
    /// let session = Session::builder(runtime).local_address(([192, 0, 2, 7], 0)).build();
    /// # drop(session);
    /// # }
    /// ```
    pub fn local_address(mut self, address: impl Into<SocketAddr>) -> Self {
        self.settings.local = Some(address.into());
        self
    }

    /// Keeps no cookies. Those of single requests are sent all the same.
    pub fn no_cookies(mut self) -> Self {
        self.settings.cookie_store = None;
        #[cfg(feature = "cookies")]
        {
            self.settings.jar = None;
        }
        self
    }

    /// Proves user name and password to the server of this URL if it asks for that by Digest (RFC 7616). A 401 is
    /// answered once; further requests in the protection space carry the proof at once. Other servers get none, unless
    /// this one names them. Requests with an `Authorization` of their own are left alone.
    ///
    /// # Errors
    /// A URL that cannot be asked for, a user name with a colon or a control character.
    #[cfg(feature = "digest")]
    pub fn digest_auth(mut self, url: impl IntoUrl, user: &str, password: &str) -> Result<Self, Error> {
        let url = url.into_url()?;
        let seed = [self.runtime.entropy(), self.runtime.entropy()];
        let client = DigestClient::new(user, password, seed)
            .map_err(|refusal| Error::new(Phase::Build, ErrorKind::Digest(refusal)))?;
        self.settings.digest = Some(SharedDigest::new(client.for_origin(&url)));
        Ok(self)
    }

    /// Sends a bearer token (RFC 6750) with every request of this URL's origin that has no `Authorization` of its own.
    /// The source is asked for one when there is none, when the last has expired, and when the server has answered 401
    /// to it: then the request is sent once more, with another, if its body can be. Requests that need a token at the
    /// same time share one. Other origins, where redirections may lead, get none of it, but may have a source too: call
    /// this for each. See [`TokenSource`].
    ///
    /// # Errors
    /// A URL that cannot be asked for.
    pub fn tokens(mut self, url: impl IntoUrl, source: impl TokenSource) -> Result<Self, Error> {
        let url = url.into_url()?;
        location::check(&url)?;
        // Without a user and a password, which belong to no origin.
        let origin = url.origin().ascii_serialization();
        self.settings.tokens.retain(|tokens| tokens.origin() != origin);
        self.settings.tokens.push(Arc::new(Tokens::new(origin, Arc::new(source))));
        Ok(self)
    }

    /// Sends user name and password of the entry that fits the host, as Basic (RFC 7617), with every request that says
    /// nothing of its own. The nearest word counts: `Authorization` of the request; user and password in its URL; a
    /// [token](Self::tokens) for its origin; Digest; `Authorization` of the session; the netrc.
    ///
    /// Each redirection asks anew, by the host that it leads to, and sends nothing that was meant for another. To
    /// another origin go only entries that name its host, for the `default` one is for hosts that the user asks, not
    /// for those that a server names; and where one has led away from `https`, none.
    ///
    /// Default: none. Nothing is read from a file unless you do, with [`read_netrc`](crate::read_netrc).
    pub fn netrc(mut self, netrc: Netrc) -> Self {
        self.settings.netrc = Some(Arc::new(netrc));
        self
    }

    /// Connects every request to this Unix socket. The URL still names host and path.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.unix_socket = Some(Arc::new(path.into()));
        self
    }

    /// How TLS is spoken: trusted roots, client certificate. Default: the roots of the crate `webpki-roots`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, connector: TlsConnector) -> Self {
        self.settings.tls = OnceLock::from(connector);
        self
    }

    /// The session.
    pub fn build(self) -> Session {
        Session { shared: Arc::new(Shared::new(self.runtime, self.settings)) }
    }
}
