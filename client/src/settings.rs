//! The settings of a session, and its builder. Each limit is finite by default and each is in force.

use std::path::PathBuf;
use std::sync::Arc;
#[cfg(feature = "tls")]
use std::sync::OnceLock;
use std::time::Duration;

use callboard_core::pool::PoolLimits;
use callboard_core::{Headers, InvalidHeader, Limits};
use callboard_runtime::Handle;
#[cfg(feature = "tls")]
use callboard_runtime::tls::{TlsConnector, TlsError};

use crate::session::Session;

/// The deadlines of a session. Each can be raised, none turned off: `Duration::MAX` is 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start of a request to the end of its response's body, redirections included. Default 300 s.
    pub total: Duration,
    /// Waiting for a connection of the pool, when a limit of connections is reached. Default 300 s.
    pub queue: Duration,
    /// Each step of connecting: the look-up of the name, each address, the TLS handshake. Default 10 s.
    pub connect: Duration,
    /// How long a body waits for `100 Continue` before it is sent anyway (RFC 9110 §10.1.1). Default 1 s.
    pub expect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = Duration::from_secs(300);
        Self { total: minutes, queue: minutes, connect: Duration::from_secs(10), expect: Duration::from_secs(1) }
    }
}

/// What a session is made of.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) timeouts: Timeouts,
    pub(crate) pool: PoolLimits,
    pub(crate) limits: Arc<Limits>,
    pub(crate) headers: Headers,
    pub(crate) user_agent: Option<Box<str>>,
    pub(crate) redirects: u32,
    pub(crate) body_limit: u64,
    pub(crate) unix_socket: Option<Arc<PathBuf>>,
    #[cfg(feature = "tls")]
    pub(crate) tls: OnceLock<TlsConnector>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            pool: PoolLimits::default(),
            // Of one connection: a server may think for longer than a client may dawdle, and the pool closes the idle.
            limits: Arc::new(Limits { head_timeout: Duration::from_secs(120), ..Limits::default() }),
            headers: Headers::new(),
            user_agent: Some(concat!("callboard/", env!("CARGO_PKG_VERSION")).into()),
            redirects: 10,
            body_limit: 1024 * 1024 * 1024,
            unix_socket: None,
            #[cfg(feature = "tls")]
            tls: OnceLock::new(),
        }
    }
}

#[cfg(feature = "tls")]
impl Settings {
    /// The connector, made at its first use, which keeps the sessions to resume.
    pub(crate) fn connector(&self) -> Result<TlsConnector, TlsError> {
        if let Some(connector) = self.tls.get() {
            return Ok(connector.clone());
        }
        let connector = TlsConnector::with_web_roots().build()?;
        Ok(self.tls.get_or_init(|| connector).clone())
    }
}

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
    runtime: Handle,
    settings: Settings,
}

impl SessionBuilder {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, settings: Settings::default() }
    }

    /// The deadlines.
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

    /// Redirections followed for one request. Default 10; 0: none.
    pub fn redirects(mut self, limit: u32) -> Self {
        self.settings.redirects = limit;
        self
    }

    /// A field sent with every request that has none of that name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidHeader> {
        self.settings.headers.append(name, value)?;
        Ok(self)
    }

    /// What `User-Agent` says. Default `callboard/` and the version. Empty: nothing is said.
    pub fn user_agent(mut self, name: &str) -> Result<Self, InvalidHeader> {
        Headers::new().append(callboard_core::header::USER_AGENT, name)?;
        self.settings.user_agent = (!name.is_empty()).then(|| name.into());
        Ok(self)
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
        Session::with_settings(self.runtime, self.settings)
    }
}
