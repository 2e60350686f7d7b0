//! What to send: a request as its builder leaves it, and as redirections change it.

use std::path::PathBuf;
use std::sync::Arc;
#[cfg(feature = "websocket")]
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "digest")]
use callboard_core::http1::ResponseHead;
use callboard_core::redirect::{BODY_FIELDS, ORIGIN_FIELDS};
use callboard_core::retry::RetryPolicy;
#[cfg(feature = "websocket")]
use callboard_core::websocket::handshake::ClientHandshake;
use callboard_core::{Headers, Method, Version, header};
use url::Url;

use crate::body::{Body, Content};
#[cfg(feature = "digest")]
use crate::digest::{self, Digest};
use crate::error::{Error, ErrorKind, Phase};
use crate::location;
use crate::own_cookie::OwnCookie;
use crate::pass::Pass;
use crate::settings::Timeouts;

/// The handshake of a WebSocket: each request makes a key of its own, and who began it checks the answer to the last.
#[cfg(feature = "websocket")]
pub(crate) type SharedHandshake = Arc<Mutex<ClientHandshake>>;

/// All that says what to send.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// What the user set, in order.
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) version: Version,
    pub(crate) expects_continue: bool,
    pub(crate) redirects: u32,
    /// Content codings are asked for and undone.
    #[cfg(feature = "compression")]
    pub(crate) decodes: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) socket: Option<Arc<PathBuf>>,
    /// It opens a WebSocket: `ws` and `wss` are other names for `http` and `https`.
    pub(crate) is_websocket: bool,
    #[cfg(feature = "websocket")]
    pub(crate) handshake: Option<SharedHandshake>,
    #[cfg(feature = "digest")]
    pub(crate) digest: Option<Digest>,
    /// What the user adds to those that the session keeps.
    pub(crate) cookies: Vec<OwnCookie>,
    pub(crate) pass: Pass,
}

impl Order {
    /// What tells its connections from others: see [`Session::snapshot`](crate::Session::snapshot).
    pub(crate) fn socket_key(&self) -> Option<String> {
        self.socket.as_ref().map(|path| format!("{} unix:{}", location::origin(&self.url), path.display()))
    }

    /// Whether the body can be sent (once more).
    pub(crate) fn is_replayable(&self) -> bool {
        self.body.content.is_available()
    }

    pub(crate) fn has_body(&self) -> bool {
        !matches!(self.body.content, Content::Empty)
    }

    /// Whether the body is to wait for `100 Continue`, asked for in either way. HTTP/1.0 does not know it.
    pub(crate) fn waits(&self) -> bool {
        let asks = || self.expects_continue || self.headers.has_token(header::EXPECT, "100-continue");
        self.has_body() && self.version == Version::Http11 && asks()
    }

    /// Without waiting, then.
    pub(crate) fn stop_waiting(&mut self) {
        self.expects_continue = false;
        self.headers.remove(header::EXPECT);
    }

    /// Before it is sent, each time: the fields that open a WebSocket, with a fresh key (RFC 6455 §4.1, item 7). They
    /// stand in place of what a user set: an answer is checked against what was asked here.
    #[cfg(feature = "websocket")]
    pub(crate) fn renew_key(&mut self, entropy: impl Fn() -> u64) -> Result<(), Error> {
        let Some(handshake) = &self.handshake else { return Ok(()) };
        let mut handshake = handshake.lock().unwrap_or_else(PoisonError::into_inner);
        handshake.renew([entropy(), entropy()]);
        for name in [header::SEC_WEBSOCKET_PROTOCOL, header::SEC_WEBSOCKET_EXTENSIONS] {
            self.headers.remove(name);
        }
        for (name, value) in handshake.headers() {
            let set = self.headers.set(name, value);
            set.map_err(|error| Error::new(Phase::Build, ErrorKind::InvalidHeader(error)))?;
        }
        Ok(())
    }

    /// Before it is sent, each time: the proof of who asks.
    #[cfg(feature = "digest")]
    pub(crate) fn prove(&mut self) -> Result<(), Error> {
        let Some(digest) = self.digest.as_mut().filter(|_| self.pass.field().is_none()) else { return Ok(()) };
        let request = digest::request(&self.method, &self.url, &self.body);
        let proven = digest.prepare(&request, &mut self.headers);
        proven.map_err(|error| Error::new(Phase::Build, ErrorKind::InvalidHeader(error)))
    }

    /// Whether a challenge of its server would be answered by Digest.
    #[cfg(feature = "digest")]
    pub(crate) fn answers_digest(&self) -> bool {
        self.digest.as_ref().is_some_and(|digest| digest.is_for(&self.url))
    }

    /// Whether it is to be sent once more, since this head asks for a proof that can be given.
    #[cfg(feature = "digest")]
    pub(crate) fn is_challenged(&mut self, head: &ResponseHead, is_replayable: bool) -> Result<bool, Error> {
        let Some(digest) = self.digest.as_mut().filter(|_| self.pass.field().is_none()) else { return Ok(false) };
        let request = digest::request(&self.method, &self.url, &self.body);
        let judged = digest.judge(&request, head, is_replayable);
        judged.map_err(|error| Error::new(Phase::Head, ErrorKind::ServerProof(error)))
    }

    /// Turns into the request that a redirection asks for. The URL that it had before.
    pub(crate) fn follow(
        &mut self,
        mut url: Url,
        method: Method,
        drop_body: bool,
        drop_origin_fields: bool,
    ) -> Result<Url, Error> {
        location::check(&url)?;
        self.method = method;
        if drop_body {
            self.body = Body::empty();
            for name in BODY_FIELDS {
                self.headers.remove(name);
            }
        }
        if drop_origin_fields {
            self.cookies.clear();
            self.pass.leave(&self.url, &url);
            for name in ORIGIN_FIELDS {
                self.headers.remove(name);
            }
        }
        if let Some(credentials) = location::take_credentials(&mut url)? {
            self.headers.remove(header::AUTHORIZATION);
            append(&mut self.headers, header::AUTHORIZATION, credentials.as_bytes())?;
        }
        Ok(std::mem::replace(&mut self.url, url))
    }
}

/// Adds a field to a request in the making.
pub(crate) fn append(headers: &mut Headers, name: &str, value: &[u8]) -> Result<(), Error> {
    headers.append(name, value).map_err(|error| Error::new(Phase::Build, ErrorKind::InvalidHeader(error)))
}
