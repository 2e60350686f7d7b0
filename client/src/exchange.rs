//! One request and its response on a leased connection.
//!
//! Everything happens in the future of whoever waits: the upload is fed as far as there is room, the driver takes a
//! turn, and the first event ends the poll. An answer that shows that the server wants no more of the request ends
//! the upload; other early answers do not, so that an echo works.

use std::task::{Context, Poll};

use bytes::Bytes;
use callboard_core::http1::{ReceiveError, ResponseHead};
use callboard_core::{BodyLength, ExchangeId, Protocol, header};
use callboard_runtime::DriveError;

use crate::body::Parts;
use crate::clock::Clock;
use crate::connection::{Connection, Event};
use crate::connections::Lease;
use crate::error::{Delivery, Error, ErrorKind, Phase};

/// Turns in one poll before other tasks have theirs.
const TURNS: usize = 64;
/// Events that a dropped response may go through to find its end in what has arrived.
const LAST_EVENTS: usize = 8;

/// What is left to send.
pub(crate) enum Upload {
    Done,
    Bytes(Bytes),
    /// The flag: whether a part was asked for.
    Stream(Parts, bool),
}

pub(crate) struct Exchange {
    /// None once given back.
    lease: Option<Lease>,
    id: ExchangeId,
    upload: Upload,
    clock: Clock,
    bytes_before: (u64, u64),
    is_reused: bool,
    has_answered: bool,
    /// The response has no body: there is nothing left to come.
    is_bodiless: bool,
    /// The server wants no more of the request.
    is_stopped: bool,
    /// The task of this poll is attached already.
    is_attached: bool,
    /// Writing failed: the answer may still be there to read.
    write_failure: Option<DriveError>,
}

impl Exchange {
    /// `lease` has a connection on which the request's head was queued as exchange `id`.
    pub(crate) fn new(mut lease: Lease, id: ExchangeId, upload: Upload, clock: Clock, is_reused: bool) -> Self {
        let bytes_before = lease.connection().map_or((0, 0), |connection| connection.bytes());
        Self {
            lease: Some(lease),
            id,
            upload,
            clock,
            bytes_before,
            is_reused,
            has_answered: false,
            is_bodiless: false,
            is_stopped: false,
            is_attached: is_reused,
            write_failure: None,
        }
    }

    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.lease.as_mut()?.connection()
    }

    pub(crate) fn is_reused(&self) -> bool {
        self.is_reused
    }

    pub(crate) fn has_untouched_stream(&self) -> bool {
        matches!(self.upload, Upload::Stream(_, false))
    }

    /// A stream that nobody has asked for a part, to send it elsewhere.
    pub(crate) fn take_untouched_stream(&mut self) -> Option<Parts> {
        match std::mem::replace(&mut self.upload, Upload::Done) {
            Upload::Stream(parts, false) => Some(parts),
            upload => {
                self.upload = upload;
                None
            }
        }
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self, context: &Context<'_>) -> Poll<Result<Event, Error>> {
        let is_attached = std::mem::take(&mut self.is_attached);
        let Some(connection) = self.connection() else {
            return Poll::Ready(Err(Error::new(Phase::Body, ErrorKind::BodyGone).delivered(Delivery::Answered)));
        };
        if !is_attached {
            connection.attach(context);
        }
        for _ in 0..TURNS {
            if let Some(event) = self.turn_events()? {
                return Poll::Ready(Ok(event));
            }
            self.turn_upload()?;
            let is_fed = self.is_fed();
            let Some(connection) = self.connection() else { break };
            match connection.poll_turn() {
                Poll::Pending => return Poll::Pending,
                // A turn that only wrote, and wrote all, waits for the answer already.
                Poll::Ready(Ok(())) if is_fed && connection.is_waiting() => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.turn_failure(error)?,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// What the machine reports, if it concerns anyone.
    fn turn_events(&mut self) -> Result<Option<Event>, Error> {
        let Some(connection) = self.connection() else { return Ok(None) };
        while let Some(event) = connection.leased().poll_event() {
            match event {
                Event::Interim => continue,
                Event::Failed(error) => return Err(self.receive_error(error)),
                Event::Response(ref head, length) => {
                    self.note_answer(head);
                    self.is_bodiless = length == BodyLength::Empty;
                }
                Event::Upgraded(_) => self.has_answered = true,
                Event::Data(_) | Event::End(_) => {}
            }
            return Ok(Some(event));
        }
        if connection.leased().is_overdue() {
            let now = connection.now();
            let phase = self.phase();
            return Err(self.error(phase, self.clock.passed(now)));
        }
        Ok(None)
    }

    /// Whether the server wants the rest of the request (RFC 9112 §9.6).
    fn note_answer(&mut self, head: &ResponseHead) {
        self.has_answered = true;
        let stops = head.status.code() >= 300 || head.headers.has_token(header::CONNECTION, "close");
        let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else { return };
        connection.note_keep_alive(&head.headers);
        if stops {
            self.is_stopped = true;
            connection.stop_sending();
        }
    }

    /// Hands the machine what there is room for.
    fn turn_upload(&mut self) -> Result<(), Error> {
        while !self.is_stopped {
            let has_answered = self.has_answered;
            let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else { return Ok(()) };
            let leased = connection.leased();
            let may_send = leased.machine.wants_body() || leased.has_lost_patience() && !has_answered;
            if matches!(self.upload, Upload::Done) || !may_send || !connection.has_room() {
                return Ok(());
            }
            let part = match &mut self.upload {
                Upload::Done => return Ok(()),
                Upload::Bytes(bytes) => Some(std::mem::take(bytes)),
                Upload::Stream(parts, is_touched) => {
                    *is_touched = true;
                    match parts.as_mut().poll_next(&mut Context::from_waker(connection.waker())) {
                        Poll::Pending => return Ok(()),
                        Poll::Ready(None) => None,
                        Poll::Ready(Some(Ok(part))) => Some(part),
                        Poll::Ready(Some(Err(error))) => {
                            return Err(self.error(Phase::Write, ErrorKind::of_source(error)));
                        }
                    }
                }
            };
            self.send_part(part)?;
        }
        Ok(())
    }

    /// Some: a part of the body; the only one if it is not a stream. None: its end.
    fn send_part(&mut self, part: Option<Bytes>) -> Result<(), Error> {
        let id = self.id;
        let is_last = part.is_none() || matches!(self.upload, Upload::Bytes(_));
        let Some(connection) = self.connection() else { return Ok(()) };
        let now = connection.now();
        let machine = connection.machine();
        let mut sent = match part {
            // An empty chunk would end a chunked body.
            Some(part) if !part.is_empty() => machine.send_data(id, part, now),
            _ => Ok(()),
        };
        if is_last && sent.is_ok() {
            sent = machine.finish(id, None, now);
        }
        if is_last {
            self.upload = Upload::Done;
        }
        sent.map_err(|error| self.error(Phase::Write, ErrorKind::Send(error)))
    }

    /// The next event, if it is in what has arrived already.
    pub(crate) fn event_at_hand(&mut self) -> Result<Option<Event>, Error> {
        if let Some(event) = self.turn_events()? {
            return Ok(Some(event));
        }
        match self.connection().map(Connection::poll_turn) {
            Some(Poll::Ready(Ok(()))) => self.turn_events(),
            Some(Poll::Ready(Err(error))) => self.turn_failure(error).map(|()| None),
            Some(Poll::Pending) | None => Ok(None),
        }
    }

    /// What a failure of the transport means. It must be heard at once: systems tell of a reset only once, and then
    /// give an end, which would pass for that of a body.
    fn turn_failure(&mut self, error: DriveError) -> Result<(), Error> {
        if !matches!(error, DriveError::Write(_)) || self.write_failure.is_some() {
            return Err(self.transport_error(error));
        }
        // The server may have answered before it stopped reading: 413, say.
        if let Some(connection) = self.connection() {
            connection.stop_sending();
        }
        self.upload = Upload::Done;
        self.write_failure = Some(error);
        Ok(())
    }

    /// Nobody wants the rest: the connection is kept if the end of the response has arrived already, else it closes.
    pub(crate) fn settle(mut self) {
        if self.is_bodiless {
            return self.give_back();
        }
        for _ in 0..LAST_EVENTS {
            match self.event_at_hand() {
                Ok(Some(Event::End(_))) => return self.give_back(),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// The response is complete: the connection goes back to the pool, or closes if it cannot be used again.
    pub(crate) fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    /// The slot, and the connection as it is.
    pub(crate) fn into_lease(self) -> Option<Lease> {
        self.lease
    }

    /// What was being done, as errors name it.
    fn phase(&mut self) -> Phase {
        if self.has_answered {
            Phase::Body
        } else if self.is_sent() {
            Phase::Head
        } else {
            Phase::Write
        }
    }

    fn is_fed(&self) -> bool {
        self.is_stopped || matches!(self.upload, Upload::Done)
    }

    fn is_sent(&mut self) -> bool {
        self.is_fed() && self.connection().is_none_or(Connection::is_all_sent)
    }

    fn receive_error(&mut self, error: ReceiveError) -> Error {
        if let (ReceiveError::NoResponse, Some(cause)) = (error, self.write_failure.take()) {
            return self.error(Phase::Write, ErrorKind::Transport(cause));
        }
        let phase = if error == ReceiveError::WriteTimedOut { Phase::Write } else { self.phase().max(Phase::Head) };
        self.error(phase, ErrorKind::Receive(error))
    }

    fn transport_error(&mut self, error: DriveError) -> Error {
        // The first failure is the cause.
        let error = self.write_failure.take().unwrap_or(error);
        let phase = match error {
            DriveError::Write(_) if !self.has_answered => Phase::Write,
            _ => self.phase().max(Phase::Head),
        };
        self.error(phase, ErrorKind::Transport(error))
    }

    /// An error of this exchange: whether anything was sent, whether anything came back.
    pub(crate) fn error(&mut self, phase: Phase, kind: ErrorKind) -> Error {
        let (has_answered, is_reused, (before_in, before_out)) = (self.has_answered, self.is_reused, self.bytes_before);
        let error = Error::new(phase, kind);
        let Some(connection) = self.connection() else { return error };
        let (bytes_in, bytes_out) = connection.bytes();
        let delivery = if has_answered || bytes_in > before_in {
            Delivery::Answered
        } else if bytes_out > before_out {
            Delivery::MaybeSent
        } else {
            Delivery::NeverSent
        };
        error.delivered(delivery).at_peer(connection.info().peer.clone(), is_reused)
    }
}
