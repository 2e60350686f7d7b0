//! What the handles of a WebSocket and its pump share: the driver under one short lock, and what each of them does with
//! it.
//!
//! Whoever waits drives. The wakers that stream and timer keep point here, so there is a circle until the pump, which
//! owns the end, has taken the driver out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use callboard_core::Headers;
use callboard_core::websocket::{Connection, Message, ReceiveError};

use super::afterwards::Afterwards;
use super::attendance::Attendance;
use super::error::WebSocketError;
use super::state::{Live, Outside, State, TURNS, Turn, Work};
use super::wakes::Wakes;
use crate::Driver;

/// Messages given in a row, without a pause between, before other tasks have theirs.
const MESSAGES: u16 = 256;

/// One WebSocket.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) outside: Outside,
    pub(super) facts: Facts,
}

/// What the handshake left.
pub(super) struct Facts {
    pub(super) is_compressed: bool,
    pub(super) protocol: Option<Box<str>>,
    pub(super) headers: Option<Box<Headers>>,
}

impl Shared {
    /// One handle is counted from the start.
    pub(super) fn new(driver: Driver<Connection>, is_client: bool, facts: Facts) -> Arc<Self> {
        let outside = Outside {
            wakes: Wakes::default(),
            attendance: Attendance::default(),
            handles: AtomicUsize::new(1),
            is_client,
        };
        let shared = Arc::new(Self { state: Mutex::new(State::new()), outside, facts });
        let waker = Waker::from(Arc::clone(&shared));
        shared.with(|work| work.state.live = Some(Box::new(Live { driver, waker })));
        shared
    }

    /// Does `work` under the lock, then what follows from it.
    #[inline]
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Work<'_>) -> T) -> T {
        // A panic cannot leave the state half-changed in a way that matters more than going on does.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut afterwards: Option<Afterwards> = None;
        let result = work(&mut Work { outside: &self.outside, state: &mut state, afterwards: &mut afterwards });
        drop(state);
        if let Some(afterwards) = afterwards {
            afterwards.perform();
        }
        result
    }

    /// Another handle.
    pub(super) fn adopt(&self) {
        self.outside.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// A handle is dropped.
    pub(super) fn release(&self) {
        if self.outside.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.with(|work| work.call_pump());
        }
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.outside.wakes.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.outside.wakes.wake();
    }
}

/// What the handles do.
impl Work<'_> {
    /// The reader asks for the next message. With it: whether the reader is in the list of those to be woken.
    #[inline]
    pub(super) fn poll_message(
        &mut self,
        context: &Context<'_>,
        is_sure: bool,
    ) -> (Poll<Result<Option<Message>, WebSocketError>>, bool) {
        let polled = self.poll_read(context, is_sure, Self::message);
        let is_resting = self.is_listed(polled.is_pending());
        (polled, is_resting)
    }

    /// Whether a reader who waits is in the list of those to be woken.
    pub(super) fn is_listed(&self, is_pending: bool) -> bool {
        is_pending && !self.state.rests_at_home
    }

    /// The reader asks for what `take` takes.
    #[inline]
    pub(super) fn poll_read<T>(
        &mut self,
        context: &Context<'_>,
        is_sure: bool,
        take: fn(&mut Self) -> Option<T>,
    ) -> Poll<Result<Option<T>, WebSocketError>> {
        let home = self.home(context.waker());
        self.state.rests_at_home = false;
        let mut is_resting = false;
        for turns in 0..TURNS {
            if self.state.run >= MESSAGES {
                break;
            }
            if let Some(taken) = take(self) {
                self.state.run += 1;
                self.look_ahead();
                return Poll::Ready(Ok(Some(taken)));
            }
            if self.state.end.is_some() {
                return Poll::Ready(self.tell());
            }
            if is_resting && !self.state.due && self.rest(context.waker(), home, is_sure) {
                self.state.run = 0;
                return Poll::Pending;
            }
            if turns == 0 {
                self.refresh();
            }
            is_resting = self.turn(true, home) == Turn::Rest;
        }
        self.state.run = 0;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// The waker of the reader's task, if that is the pump's as well.
    fn home<'w>(&self, waker: &'w Waker) -> Option<&'w Waker> {
        self.state.home.as_ref().filter(|home| home.will_wake(waker)).map(|_| waker)
    }

    /// The reader waits. False: something happened meanwhile, and it must take another turn.
    fn rest(&mut self, waker: &Waker, home: Option<&Waker>, is_sure: bool) -> bool {
        if home.is_some() {
            // The transport wakes this task itself; who else has something for the reader must know that it is here.
            self.state.rests_at_home = true;
            self.state.is_fresh = false;
            self.state.is_pump_called = false;
            self.outside.attendance.settle();
            return true;
        }
        self.outside.wakes.rest(waker, is_sure)
    }

    /// Where no pump comes right after, the transport must know whom to wake before the reader goes away. What has come
    /// with the message is left to the pump: the reader's answer to it goes first, if that is quick.
    fn look_ahead(&mut self) {
        match () {
            () if self.is_attended() => {}
            () if self.has_input() => self.call_pump(),
            () => self.exhaust(),
        }
    }

    fn has_input(&self) -> bool {
        self.state.live.as_ref().is_some_and(|live| live.driver.has_input())
    }

    /// Takes turns until there is nothing to do; a busy transport is left to the pump.
    fn exhaust(&mut self) {
        for _ in 0..TURNS {
            if self.turn_aside(None) == Turn::Rest {
                return;
            }
        }
        self.call_pump();
    }

    /// How it ended; as an error once, if it was one.
    fn tell<T>(&mut self) -> Result<Option<T>, WebSocketError> {
        if std::mem::replace(&mut self.state.is_told, true) {
            return Ok(None);
        }
        match (self.state.end.as_deref(), self.state.failure.take()) {
            (Some(closure), _) if closure.is_clean => Ok(None),
            (_, Some(failure)) => Err(failure.into()),
            (Some(closure), None) => Err(closure.error.unwrap_or(ReceiveError::ConnectionLost).into()),
            (None, None) => Ok(None),
        }
    }

    /// Sees to it that what was queued is written. A server leaves that to its next turn, so that answers to messages
    /// that came together leave together; a client writes at once, unless more input is at hand.
    pub(super) fn write_through(&mut self) {
        if self.is_attended() {
            return;
        }
        if self.outside.is_client && !self.has_input() { self.exhaust() } else { self.call_pump() }
    }

    /// Takes turns until it is enough. Whether it is.
    pub(super) fn write_until(&mut self, is_enough: fn(&mut Self) -> bool) -> bool {
        self.refresh();
        for _ in 0..TURNS {
            if is_enough(self) {
                return true;
            }
            if self.turn_aside(None) == Turn::Rest {
                return is_enough(self);
            }
        }
        self.call_pump();
        false
    }

    /// The pump's share of a poll. Ready once the transport is gone.
    pub(super) fn poll_pump(&mut self, context: &Context<'_>) -> Poll<()> {
        let home = self.state.home.is_some().then(|| context.waker());
        self.state.is_fresh = false;
        if self.outside.handles.load(Ordering::Acquire) == 0 && self.is_open() {
            let last_word = self.state.last_word.into();
            // It fails only if the peer was faster, and then it is not needed.
            let _ = self.close(last_word);
        }
        self.state.is_pump_called = false;
        // In a shared task nobody tells the transport's wake-ups from others: what no reader looked at, the pump does.
        let is_idle = !self.state.due && !self.outside.wakes.is_woken() && home.is_none();
        if self.state.live.is_some() && is_idle {
            return Poll::Pending;
        }
        self.refresh();
        for _ in 0..TURNS {
            self.settle_events();
            if self.is_over() {
                if let Some(live) = self.state.live.take() {
                    self.after().dead = Some(live);
                }
                return Poll::Ready(());
            }
            if self.turn_aside(home) == Turn::Rest && !self.is_over() {
                self.state.is_pump_called = false;
                if let Some(afterwards) = self.afterwards {
                    afterwards.pump = None;
                }
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the task, the stream and the user's future this is what an idle WebSocket keeps.
    #[test]
    fn an_idle_websocket_is_small() {
        let sizes = [size_of::<Shared>(), size_of::<Driver<Connection>>(), size_of::<Connection>()];
        assert!(sizes[0] <= 896, "{sizes:?}");
    }
}
