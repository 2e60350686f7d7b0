//! A request in the making. Nothing is sent before it is awaited; what was wrong with a part of it is the error then.

use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use callboard_core::authentication::{Basic, Bearer, CredentialsError};
#[cfg(feature = "digest")]
use callboard_core::digest::DigestClient;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::Boundary;
use callboard_core::retry::RetryPolicy;
use callboard_core::{Headers, Method, Version, form, header};
use futures_lite::Stream;
use serde::Serialize;
use url::Url;

use crate::body::Body;
#[cfg(feature = "digest")]
use crate::digest::{Digest, SharedDigest};
use crate::error::{BodyError, Error, ErrorKind, Phase};
use crate::location;
use crate::multipart::Multipart;
#[cfg(feature = "websocket")]
use crate::order::SharedHandshake;
use crate::order::{Order, append};
use crate::own_cookie::OwnCookie;
use crate::pass::Pass;
use crate::sending::Sending;
use crate::settings::Timeouts;
use crate::shared::Shared;

/// A request in the making: set what differs from the session, then await it.
///
/// ```no_run
/// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
/// use std::time::Duration;
///
/// let response = session
///     .post("http://example.org/notes")
///     .query("draft", true)
///     .header("X-Request-Id", "17")
///     .body("remember the milk")
///     .timeout(Duration::from_secs(5))
///     .await?;
/// # drop(response);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct RequestBuilder {
    session: Arc<Shared>,
    order: Result<Box<Order>, Error>,
}

impl RequestBuilder {
    pub(crate) fn new(session: Arc<Shared>, method: Method, url: Result<Url, Error>) -> Self {
        let settings = &session.settings;
        let order = url.and_then(|mut url| {
            location::check(&url)?;
            if method == Method::Connect {
                return Err(Error::new(Phase::Build, ErrorKind::ConnectNotSupported));
            }
            let mut headers = Headers::new();
            if let Some(credentials) = location::take_credentials(&mut url)? {
                append(&mut headers, header::AUTHORIZATION, credentials.as_bytes())?;
            }
            Ok(Box::new(Order {
                method,
                url,
                headers,
                body: Body::empty(),
                version: Version::Http11,
                expects_continue: false,
                redirects: settings.redirects,
                #[cfg(feature = "compression")]
                decodes: settings.decodes,
                timeouts: settings.timeouts,
                retry: settings.retry,
                socket: settings.unix_socket.clone(),
                is_websocket: false,
                #[cfg(feature = "websocket")]
                handshake: None,
                #[cfg(feature = "digest")]
                digest: settings.digest.clone().map(Digest::new),
                cookies: Vec::new(),
                pass: Pass::default(),
            }))
        });
        Self { session, order }
    }

    /// Adds a parameter to the URL's query, percent-encoded as forms do it (a space is `+`).
    #[expect(clippy::needless_pass_by_value, reason = "`query(\"page\", 2)` reads better than a reference")]
    pub fn query(self, name: &str, value: impl ToString) -> Self {
        self.change(|order| {
            order.url.query_pairs_mut().append_pair(name, &value.to_string());
            Ok(())
        })
    }

    /// Adds a field. It replaces the session's of that name, and what would be generated (`Host`, `Accept`,
    /// `User-Agent`, `Content-Type`); fields of the same name add up. `Content-Length` and `Transfer-Encoding` follow
    /// from the body and are not taken.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|order| {
            if name.eq_ignore_ascii_case(header::AUTHORIZATION) {
                // It takes the place of what the URL said.
                order.headers.remove(name);
            }
            append(&mut order.headers, name, value.as_ref())
        })
    }

    /// User name and password, readable by whoever sees the request (RFC 7617): only over TLS, then. A name with a
    /// colon or control characters are an error. They take the place of those of the URL, and go to its origin only.
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        let basic = Basic::new(user, password);
        self.authorize(basic.map(|basic| basic.to_field()))
    }

    /// A bearer token (RFC 6750). One that is not of its grammar is an error. It goes to the URL's origin only.
    pub fn bearer_auth(self, token: &str) -> Self {
        self.authorize(Bearer::new(token).map(|bearer| bearer.to_field()))
    }

    fn authorize(self, field: Result<String, CredentialsError>) -> Self {
        match field {
            Ok(field) => self.header(header::AUTHORIZATION, field),
            Err(error) => self.change(|_| Err(Error::new(Phase::Build, ErrorKind::Credentials(error)))),
        }
    }

    /// Proves user name and password to the URL's server if it asks for that by Digest (RFC 7616): a 401 is answered
    /// once. A body that is a stream can be sent again only if the server took none of it. For many requests to one
    /// server, [`SessionBuilder::digest_auth`](crate::SessionBuilder::digest_auth) saves the first round of each.
    #[cfg(feature = "digest")]
    pub fn digest_auth(self, user: &str, password: &str) -> Self {
        let seed = [self.session.runtime.entropy(), self.session.runtime.entropy()];
        self.change(|order| {
            let client = DigestClient::new(user, password, seed)
                .map_err(|refusal| Error::new(Phase::Build, ErrorKind::Digest(refusal)))?;
            order.digest = Some(Digest::new(SharedDigest::new(client.for_origin(&order.url))));
            Ok(())
        })
    }

    /// Adds fields, each as [`header`](Self::header) does.
    pub fn headers(self, headers: &Headers) -> Self {
        self.change(|order| {
            if headers.contains(header::AUTHORIZATION) {
                order.headers.remove(header::AUTHORIZATION);
            }
            order.headers.extend(headers);
            Ok(())
        })
    }

    /// Adds a cookie for this request and for redirections within its origin, on top of those that the session keeps
    /// and in place of any of its name. The value is sent as it is.
    ///
    /// ```no_run
    /// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
    /// let response = session.get("http://example.org/").cookie("theme", "dark").await?;
    /// # drop(response);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cookie(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|order| {
            let cookie = OwnCookie::new(name, value.as_ref());
            let cookie = cookie.ok_or_else(|| Error::new(Phase::Build, ErrorKind::InvalidCookie))?;
            order.cookies.retain(|other| !other.has_name_of(&cookie));
            order.cookies.push(cookie);
            Ok(())
        })
    }

    /// The body: bytes, text, or a [`Body`]. `Content-Type` is generated unless it is set.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.change(|order| {
            order.body = body.into();
            Ok(())
        })
    }

    /// A body in parts, sent as fast as the server takes it: see [`Body::stream`].
    pub fn body_stream<S, E>(self, parts: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BodyError> + 'static,
    {
        self.body(Body::stream(parts, length))
    }

    /// A body of JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.change(|order| {
            let json = serde_json::to_vec(value).map_err(|error| Error::new(Phase::Build, ErrorKind::Json(error)))?;
            order.body = Body::bytes(json.into(), "application/json");
            Ok(())
        })
    }

    /// A body of form fields (`application/x-www-form-urlencoded`).
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: &[(N, V)]) -> Self {
        self.change(|order| {
            let form = form::write(fields.iter().map(|(name, value)| (name, value)));
            order.body = Body::bytes(form.into(), form::MEDIA_TYPE);
            Ok(())
        })
    }

    /// A multipart body: a form with files, or another kind. If `Content-Type` is set before, with a boundary, that is
    /// the one that is used.
    pub fn multipart(self, multipart: Multipart) -> Self {
        let seed = [self.session.runtime.entropy(), self.session.runtime.entropy()];
        self.change(|order| {
            let own = order.headers.get(header::CONTENT_TYPE).and_then(|value| MediaType::parse(value).ok());
            let own = own.and_then(|media_type| Boundary::new(media_type.boundary()?).ok());
            let body = multipart.into_body(|| own.unwrap_or_else(|| Boundary::random(seed)));
            order.body = body.map_err(|kind| Error::new(Phase::Build, kind))?;
            Ok(())
        })
    }

    /// The version to speak. Default 1.1.
    pub fn version(self, version: Version) -> Self {
        self.change(|order| {
            order.version = version;
            Ok(())
        })
    }

    /// Sends the body only when the server says `100 Continue`, or says nothing for
    /// [`Timeouts::expect`](crate::Timeouts::expect). Without a body it does nothing.
    pub fn expect_continue(self) -> Self {
        self.change(|order| {
            order.expects_continue = true;
            Ok(())
        })
    }

    /// Redirections followed. 0: none; the redirecting response is the answer.
    pub fn redirects(self, limit: u32) -> Self {
        self.change(|order| {
            order.redirects = limit;
            Ok(())
        })
    }

    /// Whether content codings are asked for (`Accept-Encoding`) and undone as the body is read: see
    /// [`SessionBuilder::decode`](crate::SessionBuilder::decode). `false`: nothing is asked for, and the body is given
    /// as it comes, whatever its `Content-Encoding`.
    #[cfg(feature = "compression")]
    pub fn decode(self, decodes: bool) -> Self {
        self.change(|order| {
            order.decodes = decodes;
            Ok(())
        })
    }

    /// From the start of the request to the end of the response's body: the total alone. Zero is an error.
    pub fn timeout(self, total: Duration) -> Self {
        self.change(|order| {
            order.timeouts.total = total;
            Ok(())
        })
    }

    /// All deadlines, in place of the session's.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.change(|order| {
            order.timeouts = timeouts;
            Ok(())
        })
    }

    /// How it is repeated if it fails, in place of the session's policy. The budget stays that of the session.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.change(|order| {
            order.retry = policy;
            Ok(())
        })
    }

    /// Connects to this Unix socket. The URL still names host and path.
    pub fn unix_socket(self, path: impl Into<PathBuf>) -> Self {
        self.change(|order| {
            order.socket = Some(Arc::new(path.into()));
            Ok(())
        })
    }

    /// Makes it follow redirections to `ws` and `wss`.
    #[cfg(feature = "websocket")]
    pub(crate) fn for_websocket(self) -> Self {
        self.change(|order| {
            order.is_websocket = true;
            Ok(())
        })
    }

    /// Makes it carry the fields of a handshake.
    #[cfg(feature = "websocket")]
    pub(crate) fn shaking(self, handshake: SharedHandshake) -> Self {
        self.change(|order| {
            order.handshake = Some(handshake);
            Ok(())
        })
    }

    /// The future of the response's head. Awaiting the builder does the same.
    pub fn send(self) -> Sending {
        Sending::new(self.session, self.order)
    }

    fn change(mut self, change: impl FnOnce(&mut Order) -> Result<(), Error>) -> Self {
        self.order = self.order.and_then(|mut order| change(&mut order).map(|()| order));
        self
    }
}

impl IntoFuture for RequestBuilder {
    type Output = <Sending as Future>::Output;
    type IntoFuture = Sending;

    fn into_future(self) -> Sending {
        self.send()
    }
}
