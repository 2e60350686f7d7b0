//! The session, with a verb for each method.

mod builder;

use std::fmt;
use std::sync::Arc;

use callboard_core::Method;
use callboard_core::pool::PoolSnapshot;
use callboard_runtime::Handle;

#[cfg(feature = "cookies")]
use crate::cookie_store::SharedJar;
use crate::location::IntoUrl;
use crate::request::RequestBuilder;
use crate::settings::Settings;
use crate::shared::Shared;
#[cfg(feature = "websocket")]
use crate::websocket::WebSocketBuilder;

pub use builder::SessionBuilder;

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

impl Session {
    /// A session with the default settings: see [`SessionBuilder`].
    pub fn new(runtime: impl Into<Handle>) -> Self {
        Self::builder(runtime).build()
    }

    /// A session with other settings.
    pub fn builder(runtime: impl Into<Handle>) -> SessionBuilder {
        SessionBuilder { runtime: runtime.into(), settings: Settings::default() }
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
        RequestBuilder::new(Arc::clone(&self.shared), method, url.into_url())
    }

    /// A WebSocket (RFC 6455). `ws`, `wss`, `http` and `https` URLs will do. Nothing is sent before the builder is
    /// awaited.
    #[cfg(feature = "websocket")]
    pub fn websocket(&self, url: impl IntoUrl) -> WebSocketBuilder {
        let url = url.into_url().and_then(crate::location::of_websocket);
        let request = RequestBuilder::new(Arc::clone(&self.shared), Method::Get, url);
        WebSocketBuilder::new(request, self.shared.runtime.clone())
    }

    /// The runtime that it lives on.
    pub fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// The connections and the queue, by origin (`http://example.org:8080`).
    pub fn snapshot(&self) -> PoolSnapshot<String> {
        self.shared.connections.snapshot()
    }

    /// The cookies, unless the session was built without them or with a store of another kind.
    #[cfg(feature = "cookies")]
    pub fn cookie_jar(&self) -> Option<&SharedJar> {
        self.shared.settings.jar.as_ref()
    }

    /// Forgets the addresses of a name, or with `None` of all: the next connection looks them up anew.
    pub fn forget_names(&self, name: Option<&str>) {
        self.shared.names.forget(name);
    }

    /// Ends the session and all its clones. Idle connections close; requests to come, and those that wait for a
    /// connection, look a name up or are connecting, fail with
    /// [`ErrorKind::SessionClosed`](crate::ErrorKind::SessionClosed), never sent. Requests that have a connection go
    /// on, as do bodies that are being read, and each WebSocket; their connections close when they end. To cut them,
    /// drop them. [`closed`](Self::closed) waits for them.
    ///
    /// ```no_run
    /// # async fn example(session: callboard_client::Session) {
    /// session.close();
    /// session.closed().await;
    /// # }
    /// ```
    pub fn close(&self) {
        self.shared.connections.close();
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.shared.connections.is_closed()
    }

    /// Waits until the session was closed and none of its connections is left. It has no deadline of its own: the
    /// requests under way have theirs.
    pub async fn closed(&self) {
        let watch = self.shared.connections.watch();
        std::future::poll_fn(|context| watch.poll_ended(context)).await;
    }

    /// Closes the idle connections. Dropping the last clone of a session does that too.
    pub fn close_idle(&self) {
        self.shared.connections.evict(None);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
