//! Digest authentication of requests (RFC 7616): the core's machine, and where a request asks it.
//!
//! The machine decides; here it is locked for as long as it takes to decide, and its answer becomes a field of the
//! request. A request with an `Authorization` of its own is left alone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callboard_core::digest::{Attempt, DigestClient, DigestRequest};
use callboard_core::http1::ResponseHead;
use callboard_core::{Status, header};

use crate::body::Content;
use crate::error::{Error, ErrorKind, Phase};
use crate::order::{Order, append};

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
}

/// Without what was sent.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Before a request is sent, each time: its `Authorization`.
pub(crate) fn prepare(order: &mut Order) -> Result<(), Error> {
    let Some(mut digest) = order.digest.take() else { return Ok(()) };
    if let Some(ours) = digest.sent.take()
        && order.headers.get(header::AUTHORIZATION) == Some(&*ours)
    {
        order.headers.remove(header::AUTHORIZATION);
    }
    if order.headers.contains(header::AUTHORIZATION) {
        digest.attempt = None;
    } else {
        if !std::mem::take(&mut digest.is_answered) || digest.attempt.is_none() {
            digest.attempt = Some(digest.client.lock().begin(&request(order)));
        }
        if let Some(field) = digest.attempt.as_ref().and_then(Attempt::authorization) {
            append(&mut order.headers, header::AUTHORIZATION, field)?;
            digest.sent = Some(field.into());
        }
    }
    order.digest = Some(digest);
    Ok(())
}

/// Whether the request is to be sent once more, with an answer to the challenge of this head.
pub(crate) fn judge(order: &mut Order, head: &ResponseHead, is_replayable: bool) -> Result<bool, Error> {
    let Some(mut digest) = order.digest.take() else { return Ok(false) };
    let mut judged = Ok(false);
    if let Some(attempt) = &mut digest.attempt {
        let mut client = digest.client.lock();
        if head.status != Status::UNAUTHORIZED {
            let proof = client.handle_answer(attempt, &head.headers, None);
            judged = match proof {
                Ok(_) => Ok(false),
                Err(error) => Err(Error::new(Phase::Head, ErrorKind::ServerProof(error))),
            };
        } else if is_replayable {
            // What is refused is left to the caller: the response says 401.
            digest.is_answered = client.handle_unauthorized(attempt, &request(order), &head.headers).is_ok();
            judged = Ok(digest.is_answered);
        }
    }
    order.digest = Some(digest);
    judged
}

fn request(order: &Order) -> DigestRequest<'_> {
    let body: Option<&[u8]> = match &order.body.content {
        Content::Empty => Some(b""),
        Content::Bytes(bytes) => Some(bytes),
        Content::Stream { .. } => None,
    };
    DigestRequest { method: &order.method, url: &order.url, body }
}
