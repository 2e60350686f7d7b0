//! What is under the lock of a WebSocket, and the turns that whoever holds it takes.
//!
//! Nothing here waits. Wakers are called, and the stream is dropped, after the lock is opened: they are collected in
//! [`Afterwards`]. Every turn that is not the reader's settles the events that would hold the machine up, so that pings
//! are answered and a close is seen whoever drives.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use callboard_core::websocket::{Close, CloseCode, Closure, Connection, Event, Message, ReceiveError, SendError};
use callboard_core::{Instant, Protocol};

use super::afterwards::Afterwards;
use super::attendance::Attendance;
use super::waiting::WaitingList;
use super::wakes::Wakes;
use crate::{DriveError, Driver};

/// Turns in one poll before other tasks have theirs.
pub(super) const TURNS: usize = 64;

/// Bytes of messages read ahead for a reader who is not there, and messages at most: beyond this the peer must wait,
/// and so must its pings.
const AHEAD: (usize, usize) = (64 * 1024, 256);

/// Messages up to this length are copied when they are kept for a reader who is not there.
const SMALL: usize = 4 * 1024;

/// What is beside the lock.
pub(super) struct Outside {
    pub(super) wakes: Wakes,
    pub(super) attendance: Attendance,
    /// Sockets and senders that are alive.
    pub(super) handles: AtomicUsize,
    pub(super) is_client: bool,
}

/// What is under the lock.
pub(super) struct State {
    /// Until everything is sent and the transport can be dropped.
    pub(super) live: Option<Box<Live>>,
    /// What was taken from the machine for a reader who was not there.
    stash: VecDeque<Event>,
    /// Bytes of messages in it.
    stashed: usize,
    /// How it ended, once it has.
    pub(super) end: Option<Box<Closure>>,
    /// What the transport said, until it is told.
    pub(super) failure: Option<DriveError>,
    /// The reader was told of the end.
    pub(super) is_told: bool,
    /// Our close frame is under way: messages are thrown away.
    is_closing: bool,
    /// The socket itself was dropped: nobody will ask for messages.
    is_deaf: bool,
    /// Pings, pongs and the peer's close frame are shown.
    pub(super) shows_control: bool,
    /// Something was queued or taken since the last turn that left nothing to do.
    pub(super) due: bool,
    /// The driver's time is that of this poll.
    pub(super) is_fresh: bool,
    /// The pump has been woken and not come yet.
    pub(super) is_pump_called: bool,
    /// What to say when nobody holds the WebSocket any more.
    pub(super) last_word: CloseCode,
    /// Messages given since the reader last had to wait.
    pub(super) run: u16,
    /// The waker of the task that runs the pump, if the user's future is in it too.
    pub(super) home: Option<Waker>,
    /// The reader waits in that task, without a waker of its own.
    pub(super) rests_at_home: bool,
    /// Those who wait for room.
    pub(super) senders: WaitingList,
    /// Those who wait until all is sent, or for the end.
    pub(super) watchers: WaitingList,
}

/// The machine at work.
pub(super) struct Live {
    pub(super) driver: Driver<Connection>,
    /// Leads to [`Outside::wakes`].
    pub(super) waker: Waker,
}

/// The lock, held; and what is to be done after it is opened.
pub(super) struct Work<'a> {
    pub(super) outside: &'a Outside,
    pub(super) state: &'a mut State,
    pub(super) afterwards: &'a mut Option<Afterwards>,
}

/// What a turn came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something happened that may be worth another.
    Again,
    /// There is nothing to do but wait; the wakers are set.
    Rest,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            live: None,
            stash: VecDeque::new(),
            stashed: 0,
            end: None,
            failure: None,
            is_told: false,
            is_closing: false,
            is_deaf: false,
            shows_control: false,
            due: true,
            is_fresh: false,
            is_pump_called: false,
            last_word: CloseCode::GOING_AWAY,
            run: 0,
            home: None,
            rests_at_home: false,
            senders: WaitingList::default(),
            watchers: WaitingList::default(),
        }
    }
}

impl Work<'_> {
    /// There is something for the next turn.
    pub(super) fn set_due(&mut self) {
        self.state.due = true;
        self.outside.attendance.unsettle();
    }

    /// What is to be done with the lock open.
    pub(super) fn after(&mut self) -> &mut Afterwards {
        self.afterwards.get_or_insert_default()
    }

    /// The pump's share follows in this very poll.
    pub(super) fn is_attended(&self) -> bool {
        self.outside.attendance.is_under_way()
    }

    /// The machine, while messages can be queued.
    fn open(&mut self) -> Option<&mut Driver<Connection>> {
        if self.state.is_closing || self.state.end.is_some() {
            return None;
        }
        self.state.live.as_mut().map(|live| &mut live.driver)
    }

    pub(super) fn is_open(&mut self) -> bool {
        self.open().is_some_and(|driver| driver.machine_ref().is_open())
    }

    /// Whether another message is taken now.
    pub(super) fn has_room(&mut self) -> bool {
        self.open().is_some_and(|driver| driver.machine_ref().can_send())
    }

    /// Whether all that was queued is with the transport.
    pub(super) fn is_flushed(&mut self) -> bool {
        let Some(live) = &mut self.state.live else { return true };
        live.driver.machine_unlent().outgoing().is_empty() && live.driver.machine_ref().queued() == 0
    }

    /// Whether the end was told and all is sent.
    pub(super) fn is_over(&mut self) -> bool {
        self.state.end.is_some() && self.state.live.as_mut().is_none_or(|live| live.driver.is_over())
    }

    /// Lets the machine queue something.
    pub(super) fn queue(
        &mut self,
        queue: impl FnOnce(&mut Connection, Instant) -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        self.refresh();
        let driver = self.open().ok_or(SendError::Closed)?;
        let now = driver.now();
        queue(driver.machine(), now)?;
        self.set_due();
        Ok(())
    }

    pub(super) fn send(&mut self, message: Message) -> Result<(), SendError> {
        self.queue(|machine, now| machine.send(message, now))
    }

    /// Starts the close handshake.
    pub(super) fn close(&mut self, close: Close) -> Result<(), SendError> {
        // Exactly: behind a user who computed for long the peer still has its time.
        if let Some(live) = &mut self.state.live {
            live.driver.refresh_now();
        }
        self.queue(|machine, now| machine.close(close, now))?;
        self.state.is_closing = true;
        // A message that nobody takes would hold up the peer's answer.
        self.forget();
        self.call_pump();
        self.wake_reader();
        self.wake_all();
        Ok(())
    }

    /// Something is left to do for the pump, if nobody does it before.
    pub(super) fn call_pump(&mut self) {
        self.set_due();
        if !self.is_attended() && !self.state.is_pump_called {
            self.state.is_pump_called = true;
            self.after().pump = self.outside.wakes.pump();
        }
    }

    fn wake_reader(&mut self) {
        if std::mem::take(&mut self.state.rests_at_home) {
            self.after().reader = self.state.home.clone();
        } else if let Some(waker) = self.outside.wakes.reader() {
            self.after().reader = Some(waker);
        }
    }

    /// Wakes those who wait for room or for the end: both have changed for good.
    fn wake_all(&mut self) {
        let waiting = self.state.watchers.all().chain(self.state.senders.all());
        self.afterwards.get_or_insert_default().watchers.extend(waiting);
    }

    /// Wakes the next who waits for room, if there is any.
    pub(super) fn pass_on_room(&mut self) {
        if !self.state.senders.is_empty() && self.has_room() {
            self.after().sender = self.state.senders.first();
        }
    }

    /// Nobody will ask for messages.
    pub(super) fn deafen(&mut self) {
        self.state.is_deaf = true;
        self.forget();
        self.call_pump();
    }

    /// Throws away what was read ahead.
    fn forget(&mut self) {
        self.state.stash = VecDeque::new();
        self.state.stashed = 0;
    }

    /// Asks for the time: once in a poll, where the pump's share ends it. Coarsely, since what is counted from here on
    /// are the peer's silences.
    pub(super) fn refresh(&mut self) {
        let is_attended = self.is_attended();
        let Some(live) = &mut self.state.live else { return };
        if !self.state.is_fresh || !is_attended {
            live.driver.refresh_coarsely();
            self.state.is_fresh = is_attended;
        }
    }

    /// The next message for the reader; `None` if there is none at hand, or it has ended.
    #[inline]
    pub(super) fn message(&mut self) -> Option<Message> {
        let State { live, stash, end, is_closing, is_deaf, .. } = &mut *self.state;
        if !stash.is_empty() {
            return self.kept_message();
        }
        let machine = live.as_mut()?.driver.machine_unlent();
        if !machine.has_event() {
            return None;
        }
        let is_wanted = !*is_closing && !*is_deaf && end.is_none();
        if is_wanted && let Some(message) = machine.poll_message() {
            self.set_due();
            return Some(message);
        }
        self.kept_message()
    }

    /// The same among other events.
    #[cold]
    fn kept_message(&mut self) -> Option<Message> {
        loop {
            if let Event::Message(message) = self.event()? {
                return Some(message);
            }
        }
    }

    /// The next event for the reader; `None` if there is none at hand, or it has ended.
    pub(super) fn event(&mut self) -> Option<Event> {
        if self.state.stash.is_empty() {
            return self.fresh_event();
        }
        self.set_due();
        let event = self.state.stash.pop_front()?;
        self.state.stashed -= size(&event);
        Some(event)
    }

    /// The next event of the machine that anybody wants to see.
    fn fresh_event(&mut self) -> Option<Event> {
        loop {
            let live = self.state.live.as_mut().filter(|_| self.state.end.is_none())?;
            let event = live.driver.machine_unlent().poll_event()?;
            self.set_due();
            match event {
                Event::Closed(closure) => {
                    self.conclude(closure);
                    return None;
                }
                Event::Message(_) if self.state.is_closing || self.state.is_deaf => {}
                Event::Ping(_) | Event::Pong(_) | Event::Closing(_) if !self.state.shows_control => {}
                event => return Some(event),
            }
        }
    }

    /// It has ended: tells everyone.
    fn conclude(&mut self, closure: Box<Closure>) {
        self.state.end.get_or_insert(closure);
        self.wake_reader();
        self.wake_all();
        self.call_pump();
    }

    /// Takes from the machine what holds it up, and keeps it for the reader within bounds. Whether there was any.
    pub(super) fn settle_events(&mut self) -> bool {
        if self.state.stashed >= AHEAD.0 || self.state.stash.len() >= AHEAD.1 {
            return false;
        }
        let had_ended = self.state.end.is_some();
        let Some(event) = self.fresh_event() else { return self.state.end.is_some() != had_ended };
        self.keep(event);
        self.wake_reader();
        true
    }

    fn keep(&mut self, event: Event) {
        let event = match event {
            // It must not hold the whole buffer that it was read into.
            Event::Message(message) if message.len() <= SMALL => Event::Message(copy(&message)),
            event => event,
        };
        self.state.stashed += size(&event);
        self.state.stash.push_back(event);
    }

    /// One turn of the driver. What the transport and the timer have later wakes `home`, the task that both reader and
    /// pump are in; without it, whoever drives next.
    pub(super) fn turn(&mut self, is_reader: bool, home: Option<&Waker>) -> Turn {
        let Some(live) = &mut self.state.live else { return Turn::Rest };
        self.outside.wakes.begin_turn();
        let turned = live.driver.poll_turn(&mut Context::from_waker(home.unwrap_or(&live.waker)));
        let is_waiting = live.driver.is_waiting();
        match turned {
            Poll::Ready(Err(error)) => {
                self.fail(error);
                return Turn::Again;
            }
            Poll::Ready(Ok(())) => {
                self.settle_output();
                if !is_waiting {
                    if !is_reader {
                        self.wake_reader();
                    }
                    return Turn::Again;
                }
            }
            Poll::Pending => {}
        }
        self.state.due = false;
        Turn::Rest
    }

    /// One turn of someone who is not after events.
    pub(super) fn turn_aside(&mut self, home: Option<&Waker>) -> Turn {
        let turn = self.turn(false, home);
        let has_settled = self.settle_events();
        if turn == Turn::Rest && !has_settled && !self.state.due { Turn::Rest } else { Turn::Again }
    }

    /// Something may have been written: wakes whom that concerns.
    fn settle_output(&mut self) {
        self.pass_on_room();
        if !self.state.watchers.is_empty() && self.is_flushed() {
            self.afterwards.get_or_insert_default().watchers.extend(self.state.watchers.all());
        }
    }

    /// The transport failed. What the peer sent before may still be there to read after a failed write, its close
    /// frame above all; a second failure is the end.
    fn fail(&mut self, error: DriveError) {
        let is_first_write = matches!(error, DriveError::Write(_)) && self.state.failure.is_none();
        self.state.failure.get_or_insert(error);
        let Some(live) = &mut self.state.live else { return };
        let machine = live.driver.machine_unlent();
        while !machine.outgoing().is_empty() {
            machine.outgoing().clear();
        }
        if is_first_write {
            return;
        }
        // What was read before the failure still counts.
        if let Some(event) = self.fresh_event() {
            self.keep(event);
        }
        self.cut();
    }

    /// Drops the transport, whatever is under way.
    pub(super) fn cut(&mut self) {
        let Some(mut live) = self.state.live.take() else { return };
        if self.state.end.is_none() {
            let now = live.driver.now();
            live.driver.machine_unlent().abort(now);
            let lost = Closure { ours: None, theirs: None, is_clean: false, error: Some(ReceiveError::ConnectionLost) };
            let closure = live.driver.machine_ref().closure().cloned();
            self.conclude(Box::new(closure.unwrap_or(lost)));
        }
        self.after().dead = Some(live);
    }
}

/// The same message in memory of its own.
fn copy(message: &Message) -> Message {
    match message {
        Message::Text(text) => text.as_str().into(),
        Message::Binary(bytes) => Bytes::copy_from_slice(bytes).into(),
    }
}

/// What an event counts for in what is read ahead.
fn size(event: &Event) -> usize {
    match event {
        Event::Message(message) => message.len(),
        _ => 0,
    }
}
