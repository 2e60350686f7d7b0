//! What the clones of a session and its requests share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callboard_core::Headers;
use callboard_core::retry::RetryBudget;
use callboard_runtime::Handle;
use url::Url;

use crate::connections::Connections;
use crate::cookies;
use crate::names::Names;
use crate::settings::Settings;

pub(crate) struct Shared {
    pub(crate) runtime: Handle,
    pub(crate) settings: Arc<Settings>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) names: Arc<Names>,
    retry_budget: Mutex<RetryBudget>,
}

impl Shared {
    pub(crate) fn new(runtime: Handle, settings: Settings) -> Self {
        let connections = Connections::new(settings.pool, runtime.clone());
        let retry_budget = Mutex::new(RetryBudget::new(settings.retry_budget, runtime.now()));
        let names = Arc::new(Names::new(settings.cache, settings.resolver.clone()));
        Self { runtime, settings: Arc::new(settings), connections, names, retry_budget }
    }

    /// The retries that the requests of the session may still make.
    pub(crate) fn retry_budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.retry_budget.lock().unwrap_or_else(PoisonError::into_inner)
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
