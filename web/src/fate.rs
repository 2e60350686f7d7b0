//! What becomes of a handler whose peer goes away.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::RequestParts;
use crate::extract::FromRequestParts;
use crate::needs::Needs;

/// What becomes of a handler whose peer goes away: declared per route by
/// [`MethodRouter::fate`](crate::MethodRouter::fate).
///
/// The peer is gone when its connection breaks. One that half-closes may still read the answer; it counts as gone when
/// it has taken nothing for `Limits::linger_timeout` after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The handler runs to its end; its answer is dropped. The default for unsafe methods (POST, PUT, PATCH, DELETE),
    /// so that what was begun is not left half done.
    Finish,
    /// The handler is dropped at its next await. The default for safe methods (GET, HEAD, OPTIONS).
    Cancel,
    /// The handler runs to its end and learns of it by [`PeerGone`]. The default for a handler that takes one.
    Notify,
}

/// Ready when the peer went away: breaks the connection, or closes its side of it. An extractor.
///
/// ```
/// use callboard_web::{App, PeerGone, get};
///
/// async fn watch(gone: PeerGone) {
///     gone.await; // then clean up
/// }
///
/// let app = App::new().route("/watch", get(watch));
/// ```
#[derive(Clone)]
pub struct PeerGone(Option<Arc<Notice>>);

/// Tells all [`PeerGone`] of one request.
#[derive(Default)]
pub(crate) struct Notice(Mutex<State>);

#[derive(Default)]
struct State {
    is_gone: bool,
    wakers: Vec<Waker>,
}

impl PeerGone {
    pub(crate) fn new(notice: Arc<Notice>) -> Self {
        Self(Some(notice))
    }

    /// Whether the peer went away.
    pub fn is_gone(&self) -> bool {
        self.0.as_ref().is_some_and(|notice| notice.lock().is_gone)
    }
}

impl Notice {
    pub(crate) fn tell(&self) {
        let mut state = self.lock();
        state.is_gone = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for PeerGone {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A request without a connection has no peer that could go.
        let Some(notice) = &self.0 else { return Poll::Pending };
        let mut state = notice.lock();
        if state.is_gone {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl FromRequestParts for PeerGone {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }

    fn needs(needs: &mut Needs) {
        needs.notice();
    }
}

impl fmt::Debug for PeerGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerGone").field("is_gone", &self.is_gone()).finish()
    }
}
