//! Digest authentication of requests (RFC 7616): the core's machine, and what of it one request keeps.
//!
//! The machine decides; here it is locked for as long as it takes to decide, and its answer becomes a field of the
//! request. A request with an `Authorization` of its own is left alone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callboard_core::digest::{Attempt, DigestClient, DigestRequest, ProofError};
use callboard_core::http1::ResponseHead;
use callboard_core::{Headers, InvalidHeader, Method, Status, header};
use url::Url;

use crate::body::{Body, Content};

/// A machine that the requests of a session share.
#[derive(Clone)]
pub(crate) struct SharedDigest(Arc<Mutex<DigestClient>>);

impl SharedDigest {
    pub(crate) fn new(client: DigestClient) -> Self {
        Self(Arc::new(Mutex::new(client)))
    }

    fn lock(&self) -> MutexGuard<'_, DigestClient> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(f)
    }
}

/// What one request has to do with it.
pub(crate) struct Digest {
    client: SharedDigest,
    attempt: Option<Attempt>,
    /// The `Authorization` that was put in; another is the user's, or of a redirection.
    sent: Option<Box<[u8]>>,
    /// The attempt was just answered: it goes out as it is.
    is_answered: bool,
}

impl Digest {
    pub(crate) fn new(client: SharedDigest) -> Self {
        Self { client, attempt: None, sent: None, is_answered: false }
    }

    /// Whether a challenge of this URL's server would be answered.
    pub(crate) fn is_for(&self, url: &Url) -> bool {
        self.client.lock().is_for(url)
    }

    /// Before a request is sent, each time: its `Authorization`.
    pub(crate) fn prepare(&mut self, request: &DigestRequest<'_>, headers: &mut Headers) -> Result<(), InvalidHeader> {
        if let Some(ours) = self.sent.take()
            && headers.get(header::AUTHORIZATION) == Some(&*ours)
        {
            headers.remove(header::AUTHORIZATION);
        }
        if headers.contains(header::AUTHORIZATION) {
            self.attempt = None;
            return Ok(());
        }
        if !std::mem::take(&mut self.is_answered) || self.attempt.is_none() {
            self.attempt = Some(self.client.lock().begin(request));
        }
        if let Some(field) = self.attempt.as_ref().and_then(Attempt::authorization) {
            headers.append(header::AUTHORIZATION, field)?;
            self.sent = Some(field.into());
        }
        Ok(())
    }

    /// Whether the request is to be sent once more, with an answer to the challenge of this head.
    pub(crate) fn judge(
        &mut self,
        request: &DigestRequest<'_>,
        head: &ResponseHead,
        is_replayable: bool,
    ) -> Result<bool, ProofError> {
        let Some(attempt) = &mut self.attempt else { return Ok(false) };
        let mut client = self.client.lock();
        if head.status != Status::UNAUTHORIZED {
            return client.handle_answer(attempt, &head.headers, None).map(|_| false);
        }
        // What is refused is left to the caller: the response says 401.
        self.is_answered = is_replayable && client.handle_unauthorized(attempt, request, &head.headers).is_ok();
        Ok(self.is_answered)
    }
}

/// Without what was sent.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A request as the machine sees it.
pub(crate) fn request<'a>(method: &'a Method, url: &'a Url, body: &'a Body) -> DigestRequest<'a> {
    let body: Option<&[u8]> = match &body.content {
        Content::Empty => Some(b""),
        Content::Bytes(bytes) => Some(bytes),
        Content::Stream { .. } | Content::Unopened(_) => None,
    };
    DigestRequest { method, url, body }
}
