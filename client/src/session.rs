//! The session: settings, connections, and a verb for each method.

use std::fmt;
use std::sync::Arc;

use callboard_core::Method;
use callboard_core::pool::PoolSnapshot;
use callboard_runtime::Handle;

use crate::connections::Connections;
use crate::location::IntoUrl;
use crate::request::RequestBuilder;
use crate::settings::{SessionBuilder, Settings};

/// Sends requests and keeps connections between them. Cheap to clone; clones share everything.
///
/// ```no_run
/// # async fn example(runtime: callboard_runtime::Handle) -> Result<(), callboard_client::Error> {
/// use callboard_client::Session;
///
/// let session = Session::new(runtime);
/// let text = session.get("http://example.org/").query("page", 2).await?.error_for_status()?.text().await?;
/// # drop(text);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Handle,
    settings: Arc<Settings>,
    connections: Arc<Connections>,
}

impl Session {
    /// A session with the default settings: see [`SessionBuilder`].
    pub fn new(runtime: impl Into<Handle>) -> Self {
        Self::builder(runtime).build()
    }

    /// A session with other settings.
    pub fn builder(runtime: impl Into<Handle>) -> SessionBuilder {
        SessionBuilder::new(runtime.into())
    }

    pub(crate) fn with_settings(runtime: Handle, settings: Settings) -> Self {
        let connections = Connections::new(settings.pool, runtime.clone());
        Self { shared: Arc::new(Shared { runtime, settings: Arc::new(settings), connections }) }
    }

    /// GET: read.
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Get, url)
    }

    /// HEAD: read without the body.
    pub fn head(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Head, url)
    }

    /// OPTIONS: ask what can be done.
    pub fn options(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Options, url)
    }

    /// POST: let the resource process a body.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Post, url)
    }

    /// PUT: replace.
    pub fn put(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Put, url)
    }

    /// PATCH: change (RFC 5789).
    pub fn patch(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Patch, url)
    }

    /// DELETE: remove.
    pub fn delete(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::Delete, url)
    }

    /// Any method but CONNECT. Nothing is sent before the builder is awaited; a bad URL is an error then.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url.into_url())
    }

    /// The runtime that it lives on.
    pub fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// The connections and the queue, by origin (`http://example.org:8080`).
    pub fn snapshot(&self) -> PoolSnapshot<String> {
        self.shared.connections.snapshot()
    }

    /// Closes the idle connections. Dropping the last clone of a session does that too.
    pub fn close_idle(&self) {
        self.shared.connections.evict(None);
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.shared.settings
    }

    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.shared.connections
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connections", &self.snapshot()).finish_non_exhaustive()
    }
}
