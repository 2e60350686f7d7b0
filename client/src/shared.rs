//! What the clones of a session and its requests share.

use std::fmt;
use std::sync::Arc;

use callboard_core::Headers;
use callboard_runtime::Handle;
use url::Url;

use crate::connections::Connections;
use crate::cookies;
use crate::settings::Settings;

pub(crate) struct Shared {
    pub(crate) runtime: Handle,
    pub(crate) settings: Arc<Settings>,
    pub(crate) connections: Arc<Connections>,
}

impl Shared {
    pub(crate) fn new(runtime: Handle, settings: Settings) -> Self {
        let connections = Connections::new(settings.pool, runtime.clone());
        Self { runtime, settings: Arc::new(settings), connections }
    }

    /// Keeps the cookies that an answer of `url` sets.
    pub(crate) fn keep_cookies(&self, headers: &Headers, url: &Url) {
        cookies::keep(&self.settings, headers, url, || self.runtime.wall_clock().as_secs());
    }
}

/// As users know it: it stands for the session in what a request prints.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connections", &self.connections.snapshot()).finish_non_exhaustive()
    }
}
