//! The settings of a session. Each limit is finite by default and each is in force.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
#[cfg(feature = "tls")]
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(feature = "compression")]
use callboard_core::coding::DecodeLimits;
use callboard_core::happy_eyeballs::{Family, RaceSettings};
use callboard_core::netrc::Netrc;
use callboard_core::pool::PoolLimits;
use callboard_core::resolver_cache::CacheSettings;
use callboard_core::retry::{BudgetLimits, RetryPolicy};
use callboard_core::{Headers, Limits};
use callboard_runtime::ConnectOptions;
#[cfg(feature = "tls")]
use callboard_runtime::tls::{TlsConnector, TlsError};

use crate::cookie_store::CookieStore;
#[cfg(feature = "cookies")]
use crate::cookie_store::SharedJar;
#[cfg(feature = "digest")]
use crate::digest::SharedDigest;
use crate::resolver::Resolver;
use crate::tokens::Tokens;

pub use callboard_core::deadlines::Timeouts;

/// What a session is made of.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) timeouts: Timeouts,
    pub(crate) pool: PoolLimits,
    pub(crate) limits: Arc<Limits>,
    pub(crate) headers: Headers,
    pub(crate) user_agent: Option<Box<str>>,
    pub(crate) redirects: u32,
    pub(crate) retry: RetryPolicy,
    pub(crate) retry_budget: BudgetLimits,
    pub(crate) body_limit: u64,
    /// Whether content codings are asked for and undone, unless a request says otherwise.
    #[cfg(feature = "compression")]
    pub(crate) decodes: bool,
    #[cfg(feature = "compression")]
    pub(crate) decode_limits: DecodeLimits,
    pub(crate) unix_socket: Option<Arc<PathBuf>>,
    pub(crate) cookie_store: Option<Arc<dyn CookieStore>>,
    #[cfg(feature = "digest")]
    pub(crate) digest: Option<SharedDigest>,
    /// Of origins, one of each.
    pub(crate) tokens: Vec<Arc<Tokens>>,
    pub(crate) netrc: Option<Arc<Netrc>>,
    pub(crate) cache: CacheSettings,
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    pub(crate) race: RaceSettings,
    /// Where connections come from; its family is the one that is tried.
    pub(crate) local: Option<SocketAddr>,
    /// The store, if it is a jar.
    #[cfg(feature = "cookies")]
    pub(crate) jar: Option<SharedJar>,
    #[cfg(feature = "tls")]
    pub(crate) tls: OnceLock<TlsConnector>,
}

impl Default for Settings {
    fn default() -> Self {
        #[cfg(feature = "cookies")]
        let jar = SharedJar::default();
        Self {
            timeouts: Timeouts::default(),
            pool: PoolLimits::default(),
            // Of one connection: a server may think for longer than a client may dawdle, and the pool closes the idle.
            limits: Arc::new(Limits { head_timeout: Duration::from_secs(120), ..Limits::default() }),
            headers: Headers::new(),
            user_agent: Some(concat!("callboard/", env!("CARGO_PKG_VERSION")).into()),
            redirects: 10,
            retry: RetryPolicy::default(),
            retry_budget: BudgetLimits::default(),
            body_limit: 1024 * 1024 * 1024,
            #[cfg(feature = "compression")]
            decodes: true,
            #[cfg(feature = "compression")]
            decode_limits: DecodeLimits::default(),
            #[cfg(feature = "digest")]
            digest: None,
            unix_socket: None,
            tokens: Vec::new(),
            netrc: None,
            cache: CacheSettings::default(),
            resolver: None,
            race: RaceSettings::default(),
            local: None,
            #[cfg(feature = "cookies")]
            cookie_store: Some(Arc::new(jar.clone())),
            #[cfg(not(feature = "cookies"))]
            cookie_store: None,
            #[cfg(feature = "cookies")]
            jar: Some(jar),
            #[cfg(feature = "tls")]
            tls: OnceLock::new(),
        }
    }
}

impl Settings {
    /// How addresses are raced: with a local address, only those of its family, unless the other was asked for.
    pub(crate) fn race(&self) -> RaceSettings {
        let only = self.race.only.or(self.local.as_ref().map(Family::of));
        RaceSettings { only, ..self.race }
    }

    pub(crate) fn connect_options(&self) -> ConnectOptions {
        ConnectOptions { local: self.local, ..ConnectOptions::default() }
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
