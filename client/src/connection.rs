//! One connection, as the pool keeps it and a request leases it.
//!
//! The deadlines of the request are folded into those of the machine, so that the driver's one timer serves both; and
//! the driver sees one waker for the connection's whole life, which passes on to whichever task leases it. So neither
//! timer nor reactor is touched when the connection changes hands.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use callboard_core::http1::{ClientConnection, ClientEvent, ReceiveError, ResponseHead};
use callboard_core::{BodyLength, Headers, Instant, Limits, Protocol, SendQueue, header};
use callboard_runtime::{DriveError, Driver, Handle, Stream, StreamInfo};

/// A connection that was idle for longer asks the system whether it still lives; else it is enough to know of nothing.
const RECHECK_AFTER: Duration = Duration::from_millis(5);

/// The client machine, with the deadlines of the request that leases it.
pub(crate) struct Leased {
    pub(crate) machine: ClientConnection,
    /// When the request as a whole is due.
    total: Option<Instant>,
    /// Until when the body waits for `100 Continue`.
    patience: Option<Instant>,
    is_overdue: bool,
    has_lost_patience: bool,
}

impl Leased {
    pub(crate) fn begin(&mut self, total: Instant, patience: Option<Instant>) {
        self.total = Some(total);
        self.patience = patience;
        self.is_overdue = false;
        self.has_lost_patience = false;
    }

    fn end(&mut self) {
        self.total = None;
        self.patience = None;
    }

    pub(crate) fn is_overdue(&self) -> bool {
        self.is_overdue
    }

    pub(crate) fn has_lost_patience(&self) -> bool {
        self.has_lost_patience
    }
}

/// What the machine reports, small to move: heads are large.
pub(crate) enum Event {
    /// An interim response, which only the machine cares for.
    Interim,
    Response(Box<ResponseHead>, BodyLength),
    Upgraded(Box<ResponseHead>),
    Data(Bytes),
    End(Option<Box<Headers>>),
    Failed(ReceiveError),
}

impl Protocol for Leased {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.machine.handle_input(input, now);
    }

    fn handle_end_of_input(&mut self, now: Instant) {
        self.machine.handle_end_of_input(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
        self.is_overdue |= self.total.take_if(|total| *total <= now).is_some();
        self.has_lost_patience |= self.patience.take_if(|patience| *patience <= now).is_some();
    }

    fn poll_event(&mut self) -> Option<Event> {
        Some(match self.machine.poll_event()? {
            ClientEvent::Informational { .. } => Event::Interim,
            ClientEvent::Response { head, body, .. } => Event::Response(Box::new(head), body),
            ClientEvent::Upgraded { head, .. } => Event::Upgraded(Box::new(head)),
            ClientEvent::Data { data, .. } => Event::Data(data),
            ClientEvent::End { trailers, .. } => Event::End(trailers),
            ClientEvent::Failed { error } => Event::Failed(error),
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = earlier(self.machine.poll_timeout(), self.total);
        if self.patience.is_none() { due } else { earlier(due, self.patience) }
    }

    fn outgoing(&mut self) -> &mut SendQueue {
        self.machine.outgoing()
    }

    fn wants_input(&self) -> bool {
        self.machine.wants_input()
    }

    fn wants_half_close(&self) -> bool {
        self.machine.wants_half_close()
    }

    fn is_finished(&self) -> bool {
        self.machine.is_finished()
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Passes wake-ups on to the task that leases the connection; to nobody while it is idle.
#[derive(Default)]
struct Relay(Mutex<Option<Waker>>);

impl Relay {
    fn set(&self, waker: Option<Waker>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waker;
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Taken, not cloned: whoever is woken comes back and sets it anew.
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A connection to one host.
pub(crate) struct Connection {
    driver: Driver<Leased>,
    relay: Arc<Relay>,
    waker: Waker,
    info: Arc<StreamInfo>,
    /// How long the server said it keeps an idle connection.
    keep_alive: Option<Duration>,
    /// The fields of a request that has none of its own: the same for each of this connection.
    plain_headers: Option<Box<Headers>>,
    /// Something was cut short: it cannot be used again.
    is_spoilt: bool,
    /// The machine has shorter limits than the session's.
    is_impatient: bool,
    send_buffer: usize,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, runtime: Handle, limits: Arc<Limits>) -> Self {
        let info = Arc::new(stream.info());
        let send_buffer = limits.send_buffer;
        let machine = Leased {
            machine: ClientConnection::new(limits, runtime.now()),
            total: None,
            patience: None,
            is_overdue: false,
            has_lost_patience: false,
        };
        let relay = Arc::new(Relay::default());
        let waker = Waker::from(Arc::clone(&relay));
        let driver = Driver::new(machine, stream, runtime);
        let (keep_alive, plain_headers, is_spoilt, is_impatient) = (None, None, false, false);
        Self { driver, relay, waker, info, keep_alive, plain_headers, is_spoilt, is_impatient, send_buffer }
    }

    pub(crate) fn info(&self) -> &Arc<StreamInfo> {
        &self.info
    }

    /// The machine, for commands that write.
    pub(crate) fn machine(&mut self) -> &mut ClientConnection {
        &mut self.driver.machine().machine
    }

    /// The machine and its deadlines, for all else.
    pub(crate) fn leased(&mut self) -> &mut Leased {
        self.driver.machine_unlent()
    }

    /// The time of this poll.
    pub(crate) fn now(&self) -> Instant {
        self.driver.now()
    }

    /// Whoever polls from now on is woken by this connection. Once per poll of its task.
    pub(crate) fn attach(&mut self, context: &Context<'_>) {
        self.relay.set(Some(context.waker().clone()));
        self.driver.refresh_now();
    }

    /// One turn of the driver, for the task attached. Ready: something happened that may have changed what is next.
    pub(crate) fn poll_turn(&mut self) -> Poll<Result<(), DriveError>> {
        self.driver.poll_turn(&mut Context::from_waker(&self.waker))
    }

    /// Whether the last turn left nothing to do but wait, as far as the transport goes.
    pub(crate) fn is_waiting(&self) -> bool {
        self.driver.is_waiting()
    }

    /// The waker to give to whatever else the task waits for.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether an idle connection still lives: one look at the transport. Its end, or bytes that nobody asked for,
    /// mean that it cannot be used.
    pub(crate) fn is_alive(&mut self, context: &Context<'_>, now: Instant) -> bool {
        let was_idle = now - self.driver.now();
        self.relay.set(Some(context.waker().clone()));
        self.driver.set_now(now);
        if was_idle >= RECHECK_AFTER {
            self.driver.recheck();
        }
        self.poll_turn().is_pending() && self.leased().machine.is_reusable().is_ok()
    }

    pub(crate) fn take_plain_headers(&mut self) -> Option<Box<Headers>> {
        self.plain_headers.take()
    }

    pub(crate) fn keep_plain_headers(&mut self, headers: Box<Headers>) {
        self.plain_headers = Some(headers);
    }

    /// How long the server may be silent in the exchange that begins, if that is less than the session's `limits` say.
    pub(crate) fn bear_silence(&mut self, longest: Duration, limits: &Arc<Limits>) {
        let is_shorter = longest < limits.head_timeout.max(limits.body_timeout);
        if is_shorter {
            let head_timeout = limits.head_timeout.min(longest);
            let body_timeout = limits.body_timeout.min(longest);
            let limits = Limits { head_timeout, body_timeout, ..Limits::clone(limits) };
            self.leased().machine.set_limits(Arc::new(limits));
        } else if self.is_impatient {
            self.leased().machine.set_limits(Arc::clone(limits));
        }
        self.is_impatient = is_shorter;
    }

    /// Bytes received and sent so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.driver.bytes_in(), self.driver.bytes_out())
    }

    /// Whether there is room for another part of a body.
    pub(crate) fn has_room(&mut self) -> bool {
        self.leased().outgoing().len() < self.send_buffer
    }

    pub(crate) fn is_all_sent(&mut self) -> bool {
        self.leased().outgoing().is_empty()
    }

    /// What was not sent yet never will be.
    pub(crate) fn stop_sending(&mut self) {
        if !self.is_all_sent() {
            self.leased().outgoing().clear();
            self.is_spoilt = true;
        }
    }

    /// Learns from a response's head for how long the server keeps the connection (`Keep-Alive: timeout=5`).
    pub(crate) fn note_keep_alive(&mut self, headers: &Headers) {
        self.keep_alive = headers.text(header::KEEP_ALIVE).and_then(keep_alive_timeout);
    }

    /// Ends a lease. True if another request can use the connection.
    pub(crate) fn end_lease(&mut self) -> bool {
        self.relay.set(None);
        self.leased().end();
        !self.is_spoilt && self.is_all_sent() && self.leased().machine.is_reusable().is_ok()
    }

    /// Until when the server keeps it, if it said so.
    pub(crate) fn kept_until(&self) -> Option<Instant> {
        self.keep_alive.map(|limit| self.driver.now() + limit)
    }

    /// The stream and what was read but not taken, for another protocol.
    pub(crate) fn into_stream(self) -> (Box<dyn Stream>, BytesMut) {
        let (_, stream, input) = self.driver.into_parts();
        (stream, input)
    }
}

/// The seconds of `timeout=`, less one: so that the server does not close while a request is on its way.
fn keep_alive_timeout(value: &str) -> Option<Duration> {
    let parameters = value.split(',').filter_map(|parameter| parameter.split_once('='));
    let mut timeouts = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"));
    let seconds: u64 = timeouts.next()?.1.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_hints() {
        let seconds = |value| keep_alive_timeout(value).map(|limit| limit.as_secs());
        assert_eq!(seconds("timeout=5, max=100"), Some(4));
        assert_eq!(seconds("max=2,TIMEOUT = 60"), Some(59));
        assert_eq!(seconds("timeout=0"), Some(0));
        for nothing in ["", "max=5", "timeout", "timeout=x", "timeout=-1"] {
            assert_eq!(seconds(nothing), None, "{nothing}");
        }
    }
}
