//! One exchange of a connection: its handler, its request's body on the way in, its answer on the way out.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use callboard_core::http1::ServerConnection;
use callboard_core::{ExchangeId, Headers, Method, Status};
use callboard_runtime::Driver;

use crate::Fate;
use crate::body::{Body, BodyError, Feed};
use crate::fate::Notice;
use crate::response::Takeover;
use crate::running::Running;

/// A request and its answer.
pub(super) struct Exchange {
    pub(super) id: ExchangeId,
    pub(super) answer: Answer,
    pub(super) fate: Fate,
    pub(super) notice: Option<Arc<Notice>>,
    /// The request's body, while it is incomplete and wanted.
    pub(super) feed: Option<Feed>,
    /// The methods that change what an answer is: HEAD has no body, a tunnel follows CONNECT.
    pub(super) is_head: bool,
    pub(super) is_connect: bool,
    /// The client waits for `100 Continue`.
    continue_due: bool,
    /// The answer is to be polled: something happened that may let it go on.
    pub(super) is_due: bool,
    pub(super) is_upgraded: bool,
}

/// How far the answer is.
pub(super) enum Answer {
    /// There is none yet, and nobody at it.
    None,
    Running(Running),
    Sending(Body),
    /// Its body failed: the connection ends when what is queued is sent.
    Cut,
    Upgrading(Takeover),
}

impl Exchange {
    pub(super) fn new(id: ExchangeId, method: &Method, feed: Option<Feed>, continue_due: bool) -> Self {
        Self {
            id,
            answer: Answer::None,
            fate: Fate::Finish,
            notice: None,
            feed,
            is_head: *method == Method::Head,
            is_connect: *method == Method::Connect,
            continue_due,
            is_due: true,
            is_upgraded: false,
        }
    }

    /// One that stands for a request that could not be read.
    pub(super) fn refused(id: ExchangeId) -> Self {
        Self::new(id, &Method::Get, None, false)
    }

    /// Whether the next event can be taken. Also passes on what the reader of the body wants.
    pub(super) fn has_room(&mut self, driver: &mut Driver<ServerConnection>, waker: &Waker) -> bool {
        let Some(feed) = &self.feed else { return true };
        if feed.is_abandoned() {
            self.feed = None;
            driver.machine_unlent().discard_body(self.id);
            return true;
        }
        let has_room = feed.has_room(waker);
        if self.continue_due {
            self.continue_if_wanted(driver);
        }
        has_room
    }

    /// Sends `100 Continue` once the body is asked for.
    pub(super) fn continue_if_wanted(&mut self, driver: &mut Driver<ServerConnection>) {
        if self.feed.as_ref().is_some_and(Feed::is_wanted) {
            self.send_continue(driver);
        }
    }

    pub(super) fn send_continue(&mut self, driver: &mut Driver<ServerConnection>) {
        if std::mem::take(&mut self.continue_due) {
            let now = driver.now();
            // It fails only when the answer has begun, and then it is not needed.
            let _ = driver.machine().inform(self.id, Status::CONTINUE, &Headers::new(), now);
        }
    }

    /// A part of the request's body came.
    pub(super) fn put(&mut self, data: Bytes) {
        if let Some(feed) = &self.feed {
            feed.put(data);
            self.is_due = true;
        }
    }

    /// The request's body is complete.
    pub(super) fn complete(&mut self, trailers: Option<Box<Headers>>) {
        if let Some(feed) = self.feed.take() {
            feed.complete(trailers);
            self.is_due = true;
        }
    }

    /// The request's body will not be complete.
    pub(super) fn fail(&mut self, error: BodyError) {
        if let Some(feed) = self.feed.take() {
            feed.fail(error);
            self.is_due = true;
        }
    }

    /// Tells the handler that its peer went away.
    pub(super) fn notify(&mut self) {
        if let Some(notice) = &self.notice {
            notice.tell();
            self.is_due = true;
        }
    }

    /// The peer is gone: whether the handler runs on.
    pub(super) fn outlives_peer(&mut self) -> bool {
        self.fail(BodyError::Cut);
        self.notify();
        self.is_due = true;
        matches!(self.answer, Answer::Running(_)) && self.fate != Fate::Cancel
    }

    pub(super) fn is_cancelled_with_peer(&self) -> bool {
        self.fate == Fate::Cancel || !matches!(self.answer, Answer::Running(_))
    }
}
