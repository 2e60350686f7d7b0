//! The future of a response's head: open the body, queue, dial, send, wait, follow redirections.
//!
//! One value holds all of it, and each stage owns what it has taken: dropping the future at any point gives back the
//! place in the queue, the slot or the connection. Nothing is spawned.

mod choosing;
mod judging;

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use callboard_core::deadlines::{Deadlines, Step};
use callboard_core::http1::Request;
use callboard_core::retry::Retry;
use callboard_core::{BodyLength, Instant};
use callboard_runtime::{BoxFuture, Endpoint, Timer};

use crate::body::{Body, Content};
use crate::clock::Clock;
use crate::connection::Event;
use crate::connections::{Lease, Place, Ticket, Watch};
use crate::cookies;
use crate::dial::Dial;
use crate::error::{Error, ErrorKind, Hop, Phase};
use crate::exchange::{Exchange, Upload};
use crate::location;
use crate::order::Order;
use crate::response::{Answer, Response};
use crate::shared::Shared;
use crate::tokens::TokenPlace;
use crate::wire;

/// A request under way. Ready with the response once its head has come.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sending {
    session: Arc<Shared>,
    /// None once it has failed or the response has it.
    order: Option<Box<Order>>,
    failure: Option<Error>,
    stage: Stage,
    deadlines: Deadlines,
    /// For the queue and for the wait between attempts; a dial and a connection have their own.
    timer: Option<Box<dyn Timer>>,
    history: Vec<Hop>,
    /// None until an attempt has failed.
    retry: Option<Box<Retry>>,
    /// Of the end of the session, since something was waited for that is no connection.
    watch: Option<Watch>,
}

enum Stage {
    New,
    /// The body is being opened.
    Open(BoxFuture<'static, Result<Body, ErrorKind>>),
    /// To choose who asks, and then to ask the pool.
    Checkout,
    /// A token is being fetched.
    Token(TokenPlace),
    Queue(Ticket),
    /// Until the next attempt.
    Backoff(Instant),
    Dial(Box<Dial>),
    Head(Exchange),
    Done,
}

impl Stage {
    /// Where it waits for something that ends with the session, and does not hear of that from the pool.
    fn phase_without_connection(&self) -> Option<Phase> {
        match self {
            Self::Open(_) | Self::Token(_) => Some(Phase::Build),
            Self::Backoff(_) => Some(Phase::Queue),
            Self::Dial(dial) => Some(dial.phase()),
            Self::New | Self::Checkout | Self::Queue(_) | Self::Head(_) | Self::Done => None,
        }
    }
}

fn closed(phase: Phase) -> Error {
    Error::new(phase, ErrorKind::SessionClosed)
}

impl Sending {
    pub(crate) fn new(session: Arc<Shared>, order: Result<Box<Order>, Error>) -> Self {
        let (order, failure) = match order {
            Ok(order) => (Some(order), None),
            Err(error) => (None, Some(error)),
        };
        let (deadlines, history) = (Deadlines::new(Instant::EPOCH), Vec::new());
        Self { session, order, failure, stage: Stage::New, deadlines, timer: None, history, retry: None, watch: None }
    }

    fn poll_answer(&mut self, order: &mut Order, context: &mut Context<'_>) -> Poll<Result<Answer, Error>> {
        loop {
            match ready!(self.poll_stage(order, context)) {
                Ok(answer) => return Poll::Ready(Ok(answer)),
                Err(error) => self.try_again(error, order)?,
            }
        }
    }

    /// Goes on until the answer is there or something has failed.
    fn poll_stage(&mut self, order: &mut Order, context: &mut Context<'_>) -> Poll<Result<Answer, Error>> {
        loop {
            if let Some(phase) = self.stage.phase_without_connection() {
                let watch = self.watch.get_or_insert_with(|| self.session.connections.watch());
                if watch.poll_closed(context).is_ready() {
                    return Poll::Ready(Err(closed(phase)));
                }
            }
            match &mut self.stage {
                Stage::New => self.stage = self.start(order, context)?,
                Stage::Open(opening) => match opening.as_mut().poll(context) {
                    Poll::Ready(body) => {
                        let body = body.map_err(|kind| Error::new(Phase::Build, kind))?;
                        order.body.content = body.content;
                        self.stage = Stage::Checkout;
                    }
                    Poll::Pending => ready!(self.poll_deadline(Phase::Build, order, context))?,
                },
                Stage::Checkout => self.stage = self.checkout(self.session.runtime.now(), order, context)?,
                Stage::Token(place) => match place.poll(context) {
                    Poll::Ready(Ok((id, token))) => {
                        order.pass.take(place.tokens(), id, &token);
                        self.stage = self.ask_pool(self.session.runtime.now(), order, context)?;
                    }
                    Poll::Ready(Err(error)) => {
                        return Poll::Ready(Err(Error::new(Phase::Build, ErrorKind::Token(error))));
                    }
                    Poll::Pending => ready!(self.poll_deadline(Phase::Build, order, context))?,
                },
                Stage::Queue(ticket) => match ticket.poll(context) {
                    Poll::Ready(Some(lease)) => {
                        self.stage = self.occupy(lease, self.session.runtime.now(), order, context)?;
                    }
                    Poll::Ready(None) => return Poll::Ready(Err(closed(Phase::Queue))),
                    Poll::Pending => ready!(self.poll_deadline(Phase::Queue, order, context))?,
                },
                Stage::Backoff(at) => {
                    let at = *at;
                    ready!(self.poll_timer(at, context));
                    if self.session.runtime.now() >= at {
                        self.stage = Stage::Checkout;
                    }
                }
                Stage::Dial(dial) => {
                    ready!(dial.poll(context, &mut self.deadlines, &order.timeouts))?;
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
                    Err(error) => return Poll::Ready(Err(error)),
                },
                Stage::Done => return Poll::Ready(Err(Error::new(Phase::Build, ErrorKind::BodyGone))),
            }
        }
    }

    fn start(&mut self, order: &mut Order, context: &Context<'_>) -> Result<Stage, Error> {
        let check = order.timeouts.check();
        check.map_err(|error| Error::new(Phase::Build, ErrorKind::InvalidTimeouts(error)))?;
        let now = self.session.runtime.now();
        self.deadlines = Deadlines::new(now);
        if order.retry.is_on() {
            self.session.retry_budget().note_request();
        }
        match order.body.content.take_opening() {
            Some(opening) => Ok(Stage::Open(opening(self.session.runtime.clone()))),
            None => self.checkout(now, order, context),
        }
    }

    fn checkout(&mut self, now: Instant, order: &mut Order, context: &Context<'_>) -> Result<Stage, Error> {
        if let Some(place) = choosing::choose(order, &self.session)? {
            self.deadlines.enter(Step::Backoff, now);
            return Ok(Stage::Token(place));
        }
        self.ask_pool(now, order, context)
    }

    fn ask_pool(&mut self, now: Instant, order: &mut Order, context: &Context<'_>) -> Result<Stage, Error> {
        let connections = &self.session.connections;
        let place = match order.socket_key() {
            Some(key) => connections.checkout(&key, now),
            None => connections.checkout(location::origin(&order.url), now),
        };
        match place {
            Place::Here(lease) => self.occupy(lease, now, order, context),
            Place::Queue(ticket) => {
                self.deadlines.enter(Step::Queue, now);
                Ok(Stage::Queue(ticket))
            }
            Place::Refused => Err(Error::new(Phase::Queue, ErrorKind::QueueFull)),
            Place::Closed => Err(closed(Phase::Queue)),
        }
    }

    /// Pending unless a deadline has passed: of the queue, or of the request.
    fn poll_deadline(&mut self, phase: Phase, order: &Order, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (_, due) = self.deadlines.next(&order.timeouts);
        ready!(self.poll_timer(due, context));
        Poll::Ready(match self.deadlines.expired(&order.timeouts, self.session.runtime.now()) {
            Some(expired) => Err(Error::new(phase, expired.into())),
            None => Ok(()),
        })
    }

    fn poll_timer(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        let runtime = &self.session.runtime;
        self.timer.get_or_insert_with(|| runtime.timer()).poll_at(context, due)
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

    fn dial(&mut self, lease: Lease, order: &Order) -> Stage {
        self.deadlines.enter(Step::Resolve, self.session.runtime.now());
        let socket = order.socket.as_ref().map(|path| Endpoint::Unix(path.to_path_buf()));
        Stage::Dial(Box::new(Dial::new(lease, &order.url, socket, &self.session)))
    }

    /// Queues the request's head on a connection.
    fn begin(&mut self, mut lease: Lease, order: &mut Order, is_reused: bool) -> Result<Stage, Error> {
        let settings = &self.session.settings;
        let Some(connection) = lease.connection() else { return Ok(self.dial(lease, order)) };
        #[cfg(feature = "digest")]
        order.prove()?;
        #[cfg(feature = "websocket")]
        order.renew_key(|| self.session.runtime.entropy())?;
        let cookies = cookies::field(order, settings, self.session.runtime.wall_clock().as_secs());
        let is_plain = cookies.is_none() && wire::is_plain(order, settings);
        let headers = match is_plain.then(|| connection.take_plain_headers()).flatten() {
            Some(headers) => headers,
            None => Box::new(
                wire::headers(order, settings, cookies.as_deref())
                    .map_err(|error| Error::new(Phase::Build, ErrorKind::InvalidHeader(error)))?,
            ),
        };
        let now = connection.now();
        let timeouts = &order.timeouts;
        let clock = Clock { began: self.deadlines.began(), limit: timeouts.total };
        self.deadlines.enter(Step::Send, now);
        let patience = order.waits().then(|| now + timeouts.expect);
        connection.leased().begin(clock.due(), patience);
        connection.bear_silence(timeouts.read, &settings.limits);
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
            stream => stream.take_parts().map_or(Upload::Done, |parts| Upload::Stream(parts, false)),
        };
        Ok(Stage::Head(Exchange::new(lease, id, upload, clock, is_reused)))
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
                let settings = &this.session.settings;
                let history = mem::take(&mut this.history);
                Poll::Ready(match result {
                    Ok(answer) => Ok(Response::new(answer, *order, history, settings)),
                    Err(error) => Err(error.at_host(location::origin(&order.url)).after(history)),
                })
            }
        }
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::New => "new",
            Stage::Open(_) => "open",
            Stage::Checkout => "checkout",
            Stage::Token(_) => "token",
            Stage::Queue(_) => "queue",
            Stage::Backoff(_) => "backoff",
            Stage::Dial(_) => "dial",
            Stage::Head(_) => "head",
            Stage::Done => "done",
        };
        f.debug_struct("Sending").field("stage", &stage).field("order", &self.order).finish_non_exhaustive()
    }
}
