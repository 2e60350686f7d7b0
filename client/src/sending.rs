//! The future of a response's head: queue, dial, send, wait, follow redirections.
//!
//! One value holds all of it, and each stage owns what it has taken: dropping the future at any point gives back the
//! place in the queue, the slot or the connection. Nothing is spawned.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use callboard_core::http1::{ReceiveError, Request, ResponseHead};
use callboard_core::redirect::{self, Decision, Redirection};
use callboard_core::{BodyLength, Instant, Status, header};
use callboard_runtime::{Endpoint, Timer};

use crate::body::Content;
use crate::clock::Clock;
use crate::connection::Event;
use crate::connections::{Lease, Place, Ticket};
use crate::cookies;
use crate::dial::Dial;
use crate::error::{Deadline, Delivery, Error, ErrorKind, Phase};
use crate::exchange::{Exchange, Upload};
use crate::location;
use crate::order::Order;
use crate::response::{Answer, Hop, Response};
use crate::shared::Shared;
use crate::wire;

/// A request under way. Ready with the response once its head has come.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sending {
    session: Arc<Shared>,
    /// None once it has failed or the response has it.
    order: Option<Box<Order>>,
    failure: Option<Error>,
    stage: Stage,
    clock: Clock,
    /// For the queue; a dial and a connection have their own.
    timer: Option<Box<dyn Timer>>,
    history: Vec<Hop>,
    /// A stale connection was replaced: that is done once.
    is_second_try: bool,
}

enum Stage {
    New,
    /// To ask the pool.
    Checkout,
    Queue(Ticket, Clock),
    Dial(Box<Dial>),
    Head(Exchange),
    Done,
}

impl Sending {
    pub(crate) fn new(session: Arc<Shared>, order: Result<Box<Order>, Error>) -> Self {
        let (order, failure) = match order {
            Ok(order) => (Some(order), None),
            Err(error) => (None, Some(error)),
        };
        let clock = Clock { began: Instant::EPOCH, limit: Duration::MAX };
        let history = Vec::new();
        Self { session, order, failure, stage: Stage::New, clock, timer: None, history, is_second_try: false }
    }

    fn poll_answer(&mut self, order: &mut Order, context: &mut Context<'_>) -> Poll<Result<Answer, Error>> {
        loop {
            match &mut self.stage {
                Stage::New => {
                    self.clock = Clock { began: self.session.runtime.now(), limit: order.total };
                    self.stage = self.checkout(self.clock.began, order, context)?;
                }
                Stage::Checkout => self.stage = self.checkout(self.session.runtime.now(), order, context)?,
                Stage::Queue(ticket, clock) => match ticket.poll(context) {
                    Poll::Ready(lease) => {
                        self.stage = self.occupy(lease, self.session.runtime.now(), order, context)?;
                    }
                    Poll::Pending => {
                        let clock = *clock;
                        ready!(self.poll_queue_deadline(clock, context))?;
                    }
                },
                Stage::Dial(dial) => {
                    ready!(dial.poll(context, self.clock))?;
                    if let Stage::Dial(dial) = mem::replace(&mut self.stage, Stage::Done) {
                        self.stage = self.begin(dial.into_lease(), order, false)?;
                    }
                }
                Stage::Head(exchange) => match ready!(exchange.poll_event(context)) {
                    Ok(Event::Response(head, length)) => {
                        self.session.keep_cookies(&head.headers, &order.url);
                        if let Some(answer) = self.judge(head, length, order)? {
                            return Poll::Ready(Ok(answer));
                        }
                    }
                    Ok(Event::Upgraded(head)) => {
                        self.session.keep_cookies(&head.headers, &order.url);
                        if let Stage::Head(exchange) = mem::replace(&mut self.stage, Stage::Done) {
                            let length = BodyLength::Empty;
                            return Poll::Ready(Ok(Answer { exchange, head, length, is_upgraded: true }));
                        }
                    }
                    // The machine sends neither before a head.
                    Ok(_) => {}
                    Err(error) => self.try_again(error, order)?,
                },
                Stage::Done => return Poll::Ready(Err(Error::new(Phase::Build, ErrorKind::BodyGone))),
            }
        }
    }

    fn checkout(&mut self, now: Instant, order: &mut Order, context: &Context<'_>) -> Result<Stage, Error> {
        let connections = &self.session.connections;
        let place = match order.socket_key() {
            Some(key) => connections.checkout(&key, now),
            None => connections.checkout(location::origin(&order.url), now),
        };
        match place {
            Place::Here(lease) => self.occupy(lease, now, order, context),
            Place::Queue(ticket) => {
                let limit = self.session.settings.timeouts.queue;
                Ok(Stage::Queue(ticket, Clock { began: now, limit }))
            }
            Place::Refused => Err(Error::new(Phase::Queue, ErrorKind::QueueFull)),
        }
    }

    /// Pending unless a deadline has passed: of the queue, or of the request.
    fn poll_queue_deadline(&mut self, queue: Clock, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let runtime = &self.session.runtime;
        let timer = self.timer.get_or_insert_with(|| runtime.timer());
        ready!(timer.poll_at(context, queue.due().min(self.clock.due())));
        let now = runtime.now();
        let (deadline, clock) =
            if self.clock.due() <= now { (Deadline::Total, self.clock) } else { (Deadline::Queue, queue) };
        if clock.due() <= now {
            return Poll::Ready(Err(Error::new(Phase::Queue, clock.passed(deadline, now))));
        }
        Poll::Ready(Ok(()))
    }

    /// A slot is ours: its idle connection if that still lives, else a dial.
    fn occupy(
        &mut self,
        mut lease: Lease,
        now: Instant,
        order: &mut Order,
        context: &Context<'_>,
    ) -> Result<Stage, Error> {
        while let Some(connection) = lease.connection() {
            if connection.is_alive(context, now) {
                return self.begin(lease, order, true);
            }
            lease.replace(now);
        }
        Ok(self.dial(lease, order))
    }

    fn dial(&self, lease: Lease, order: &Order) -> Stage {
        let socket = order.socket.as_ref().map(|path| Endpoint::Unix(path.to_path_buf()));
        Stage::Dial(Box::new(Dial::new(lease, &order.url, socket, &self.session.runtime, &self.session.settings)))
    }

    /// Queues the request's head on a connection.
    fn begin(&mut self, mut lease: Lease, order: &mut Order, is_reused: bool) -> Result<Stage, Error> {
        let settings = &self.session.settings;
        let Some(connection) = lease.connection() else { return Ok(self.dial(lease, order)) };
        let cookies = cookies::field(order, settings, self.session.runtime.wall_clock().as_secs());
        let is_plain = cookies.is_none() && wire::is_plain(order);
        let headers = match is_plain.then(|| connection.take_plain_headers()).flatten() {
            Some(headers) => headers,
            None => Box::new(
                wire::headers(order, settings, cookies.as_deref())
                    .map_err(|error| Error::new(Phase::Build, ErrorKind::InvalidHeader(error)))?,
            ),
        };
        let now = connection.now();
        let patience = order.waits().then(|| now + settings.timeouts.expect);
        connection.leased().begin(self.clock.due(), patience);
        let target = location::target(&order.url);
        let request = Request { method: &order.method, target, version: order.version, headers: &headers };
        let id = connection
            .machine()
            .send_request(&request, order.body.content.length(), now)
            .map_err(|error| Error::new(Phase::Build, ErrorKind::Send(error)))?;
        if is_plain {
            connection.keep_plain_headers(headers);
        }
        let upload = match &mut order.body.content {
            Content::Empty => Upload::Done,
            Content::Bytes(bytes) => Upload::Bytes(bytes.clone()),
            Content::Stream { parts, .. } => parts.take().map_or(Upload::Done, |parts| Upload::Stream(parts, false)),
        };
        Ok(Stage::Head(Exchange::new(lease, id, upload, self.clock, is_reused)))
    }

    /// A connection that was kept may have died while the request was on its way: once, and only if nothing can happen
    /// twice, the request goes out again on a fresh one (RFC 9112 §9.3.1).
    fn try_again(&mut self, error: Error, order: &mut Order) -> Result<(), Error> {
        let Stage::Head(mut exchange) = mem::replace(&mut self.stage, Stage::Done) else { return Err(error) };
        let is_cut = matches!(error.kind(), ErrorKind::Transport(_) | ErrorKind::Receive(ReceiveError::NoResponse));
        let is_harmless = match error.delivery() {
            Delivery::NeverSent => true,
            Delivery::MaybeSent => order.method.is_idempotent(),
            Delivery::Answered => false,
        };
        recover_stream(&mut exchange, order);
        if !is_cut || !is_harmless || self.is_second_try || !exchange.is_reused() || !order.is_replayable() {
            return Err(error);
        }
        let Some(mut lease) = exchange.into_lease() else { return Err(error) };
        lease.redial();
        self.is_second_try = true;
        self.stage = self.dial(lease, order);
        Ok(())
    }

    /// Some: the answer is final. None: another request is to be sent.
    fn judge(
        &mut self,
        head: Box<ResponseHead>,
        length: BodyLength,
        order: &mut Order,
    ) -> Result<Option<Answer>, Error> {
        let Stage::Head(mut exchange) = mem::replace(&mut self.stage, Stage::Done) else { return Ok(None) };
        let replayable = order.is_replayable() || exchange.has_untouched_stream();
        if head.status == Status::EXPECTATION_FAILED && order.waits() && replayable {
            // RFC 9110 §10.1.1: repeat without the expectation.
            order.stop_waiting();
            recover_stream(&mut exchange, order);
            exchange.settle();
            self.stage = Stage::Checkout;
            return Ok(None);
        }
        let decision = redirect::decide(&Redirection {
            status: head.status,
            location: head.headers.get(header::LOCATION),
            method: &order.method,
            from: &order.url,
            followed: u32::try_from(self.history.len()).unwrap_or(u32::MAX),
            limit: order.redirects,
            replayable,
        });
        match decision {
            Ok(Decision::Stop) => Ok(Some(Answer { exchange, head, length, is_upgraded: false })),
            Ok(Decision::Follow { url, method, drop_body, drop_origin_fields }) => {
                recover_stream(&mut exchange, order);
                exchange.settle();
                let from = order
                    .follow(url, method, drop_body, drop_origin_fields)
                    .map_err(|error| error.delivered(Delivery::Answered))?;
                self.history.push(Hop { status: head.status, url: from });
                self.stage = Stage::Checkout;
                Ok(None)
            }
            Err(error) => Err(exchange.error(Phase::Redirect, ErrorKind::Redirect(error))),
        }
    }
}

/// A stream that was not asked for a part yet can still be sent.
fn recover_stream(exchange: &mut Exchange, order: &mut Order) {
    if let Content::Stream { parts, .. } = &mut order.body.content
        && parts.is_none()
    {
        *parts = exchange.take_untouched_stream();
    }
}

impl Future for Sending {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(mut order) = this.order.take() else {
            let error = this.failure.take().unwrap_or_else(|| Error::new(Phase::Build, ErrorKind::BodyGone));
            return Poll::Ready(Err(error));
        };
        match this.poll_answer(&mut order, context) {
            Poll::Pending => {
                this.order = Some(order);
                Poll::Pending
            }
            Poll::Ready(result) => {
                this.stage = Stage::Done;
                let limit = this.session.settings.body_limit;
                let history = mem::take(&mut this.history);
                Poll::Ready(match result {
                    Ok(answer) => Ok(Response::new(answer, order.url, history, limit)),
                    Err(error) => Err(error.at_host(location::origin(&order.url))),
                })
            }
        }
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::New => "new",
            Stage::Checkout => "checkout",
            Stage::Queue(..) => "queue",
            Stage::Dial(_) => "dial",
            Stage::Head(_) => "head",
            Stage::Done => "done",
        };
        f.debug_struct("Sending").field("stage", &stage).field("order", &self.order).finish_non_exhaustive()
    }
}
