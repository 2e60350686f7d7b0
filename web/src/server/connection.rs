//! The task of one connection: a future written by hand, so that a request costs no task, no hop and no allocation.
//!
//! A round has one written order: answer (the handler, or the body being sent), events, then the driver's write, read
//! and deadline. The answer and the events take turns until neither goes on, so that what they write leaves together.
//! An exchange is in `exchange`, what is done for it in `answer`.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use callboard_core::http1::{ServerConnection, ServerEvent};
use callboard_core::{BodyLength, ExchangeId, Protocol, Status};
use callboard_runtime::{Driver, Stream};

use super::exchange::{Answer, Exchange};
use super::patience::Patience;
use super::shared::Registration;
use super::upgraded::Upgraded;
use crate::body::{Body, Feed};
use crate::link::{Link, Order};
use crate::response::Freed;
use crate::service::{Service, Step};
use crate::{Request, Response};

/// Turns of the driver per poll of the task, after which others get theirs.
const BUDGET: usize = 64;

/// One connection, from accept to its end.
pub(crate) struct Connection {
    /// Gone when the peer is, though a handler may still run to its end.
    pub(super) driver: Option<Driver<ServerConnection>>,
    service: Service,
    pub(super) link: Arc<Link>,
    pub(super) exchange: Option<Exchange>,
    /// With a half-closed peer.
    patience: Option<Box<Patience>>,
    /// The machine may have an event: it has worked since it said that it has none.
    pub(super) events_due: bool,
    /// Whom the link wakes.
    watching: Option<Waker>,
    order: Order,
    pub(super) registration: Registration,
}

impl Connection {
    /// A connection of which `input` was read before.
    pub(super) fn new(
        stream: Box<dyn Stream>,
        input: BytesMut,
        service: Service,
        link: Arc<Link>,
        registration: Registration,
    ) -> Self {
        let runtime = registration.shared.runtime.clone();
        link.set_info(stream.info());
        let machine = ServerConnection::new(Arc::clone(&link.facts().limits), runtime.now());
        Self {
            driver: Some(Driver::with_input(machine, stream, runtime, input)),
            service,
            link,
            exchange: None,
            patience: None,
            events_due: false,
            watching: None,
            order: Order::Serve,
            registration,
        }
    }

    /// Learns of orders. Whether to end at once.
    fn obey(&mut self, context: &Context<'_>) -> bool {
        if !self.watching.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.link.orders().watch(context.waker());
            self.watching = Some(context.waker().clone());
        }
        let order = self.link.orders().ordered();
        if order == self.order {
            return false;
        }
        self.order = order;
        // The link forgets whom it has woken.
        self.link.orders().watch(context.waker());
        let Some(driver) = &mut self.driver else { return order == Order::Abort };
        if order == Order::Abort {
            driver.abort_on_drop();
            return true;
        }
        // Nothing is lost with an idle connection, and its peer may not look at it for long.
        let is_idle =
            self.exchange.is_none() && driver.machine_ref().is_idle() && !driver.machine().outgoing().has_remaining();
        let now = driver.now();
        driver.machine_unlent().drain(now);
        is_idle
    }

    /// One turn of everything.
    fn turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        while self.turn_answer(context) | self.turn_events(context) {}
        let is_upgrading = matches!(&self.exchange, Some(exchange) if exchange.is_upgraded);
        if is_upgrading {
            return self.turn_upgrade(context);
        }
        let Some(driver) = &mut self.driver else {
            return if self.exchange.is_some() { Poll::Pending } else { Poll::Ready(Turn::Over) };
        };
        match driver.poll_turn(context) {
            // A write alone is worth another turn only to an answer that waited for room.
            Poll::Ready(Ok(())) if driver.is_waiting() && !self.exchange.as_ref().is_some_and(|open| open.is_due) => {}
            Poll::Ready(Ok(())) => {
                self.events_due = true;
                return Poll::Ready(Turn::Again);
            }
            Poll::Ready(Err(_)) => {
                self.lose();
                return Poll::Ready(Turn::Again);
            }
            Poll::Pending => {}
        }
        if driver.is_over() {
            return Poll::Ready(self.end());
        }
        self.turn_patience(context)
    }

    /// The machine is done and all is sent: an answer under way has nobody to go to.
    fn end(&mut self) -> Turn {
        if self.exchange.is_none() {
            return Turn::Over;
        }
        self.lose();
        Turn::Again
    }

    /// The peer is gone. A handler may run on, as its fate says.
    pub(super) fn lose(&mut self) {
        if let Some(mut driver) = self.driver.take() {
            driver.abort_on_drop();
        }
        self.patience = None;
        if let Some(exchange) = &mut self.exchange
            && !exchange.outlives_peer()
        {
            self.exchange = None;
        }
    }

    /// Waits for a half-closed peer, within bounds, where the handler is to be cancelled with it.
    fn turn_patience(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        let (Some(driver), Some(exchange)) = (&self.driver, &self.exchange) else { return Poll::Pending };
        if !driver.is_input_ended() || !exchange.is_cancelled_with_peer() {
            return Poll::Pending;
        }
        let patience = self.patience.get_or_insert_with(|| {
            let limit = self.link.facts().limits.linger_timeout;
            Box::new(Patience::new(&self.registration.shared.runtime, limit, driver))
        });
        if patience.poll(context, driver).is_pending() {
            return Poll::Pending;
        }
        self.lose();
        Poll::Ready(Turn::Again)
    }

    /// Sends what is queued and gives the stream to a task of its own, so that nothing of HTTP stays in memory.
    fn turn_upgrade(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        let Some(driver) = &mut self.driver else { return Poll::Ready(Turn::Over) };
        match driver.poll_flush(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(Turn::Over),
            Poll::Ready(Ok(())) => {}
        }
        let exchange = self.exchange.take();
        if let (Some(driver), Some(Answer::Upgrading(takeover))) =
            (self.driver.take(), exchange.map(|exchange| exchange.answer))
        {
            let (_, stream, leftover) = driver.into_parts();
            let registration = self.registration.hand_over();
            let runtime = registration.shared.runtime.clone();
            let begun = takeover.begin(Freed { stream, leftover, runtime: runtime.clone() });
            runtime.spawn(Box::pin(Upgraded::new(begun, registration)));
        }
        Poll::Ready(Turn::Over)
    }

    /// Takes the machine's events. Whether there was one.
    fn turn_events(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_progressed = false;
        loop {
            let Some(driver) = &mut self.driver else { return has_progressed };
            let has_room = self.exchange.as_mut().is_none_or(|exchange| exchange.has_room(driver, context.waker()));
            if !has_room || !self.events_due {
                return has_progressed;
            }
            if matches!(driver.machine_ref().pending_event(), Some(ServerEvent::Request { .. })) {
                self.begin();
            } else if let Some(event) = driver.machine_unlent().poll_event() {
                self.take_event(event);
            } else {
                self.events_due = false;
                return has_progressed;
            }
            has_progressed = true;
        }
    }

    fn take_event(&mut self, event: ServerEvent) {
        match event {
            // Begun where it lies.
            ServerEvent::Request { .. } => {}
            ServerEvent::Data { exchange, data } => {
                if let Some(exchange) = self.current(exchange) {
                    exchange.put(data);
                }
            }
            ServerEvent::End { exchange, trailers } => {
                if let Some(exchange) = self.current(exchange) {
                    exchange.complete(trailers);
                }
            }
            ServerEvent::Failed { exchange, error, answerable } => match self.current(exchange) {
                Some(exchange) => {
                    exchange.fail(error.into());
                    if !answerable {
                        self.lose();
                    }
                }
                None if answerable => {
                    let text = Body::from(error.explain());
                    self.exchange = Some(Exchange::refused(exchange));
                    self.respond(Response::of_status(error.status()).with_body(text));
                }
                None => {}
            },
            ServerEvent::Upgraded { exchange } => {
                if let Some(exchange) = self.current(exchange) {
                    exchange.is_upgraded = true;
                }
            }
            ServerEvent::Closed => {
                if let Some(exchange) = &mut self.exchange {
                    exchange.notify();
                }
            }
        }
    }

    fn current(&mut self, id: ExchangeId) -> Option<&mut Exchange> {
        self.exchange.as_mut().filter(|exchange| exchange.id == id)
    }

    /// Starts the handler of the request that is the machine's event. A handler that looks at nothing of it is started
    /// where the request lies; for others it is moved once.
    #[inline]
    fn begin(&mut self) {
        let Some(driver) = &mut self.driver else { return };
        let Some(ServerEvent::Request { exchange, head, body, expects_continue }) =
            driver.machine_ref().pending_event()
        else {
            return;
        };
        let (feed, body) = match *body {
            BodyLength::Empty => {
                // A request without a body is alone, unless the peer has half-closed behind it.
                self.events_due = driver.is_input_ended();
                (None, Body::empty())
            }
            length => {
                let (feed, incoming) = Feed::new(length);
                (Some(feed), Body::incoming(incoming))
            }
        };
        let mut exchange = Exchange::new(*exchange, &head.method, feed, *expects_continue);
        let (service, link) = (&self.service, &self.link);
        let (outcome, params) = service.find(head);
        let started = match catch_unwind(AssertUnwindSafe(|| service.start_bare(outcome, &head.method))) {
            Ok(None) => {
                let Some(ServerEvent::Request { head, .. }) = driver.machine_unlent().poll_event() else { return };
                catch_unwind(AssertUnwindSafe(|| {
                    let request = Request::received(head, body, params, Some(Arc::clone(link)));
                    service.begin(outcome, request)
                }))
            }
            Ok(Some(started)) => {
                driver.machine_unlent().skip_event();
                Ok(started)
            }
            Err(panic) => {
                driver.machine_unlent().skip_event();
                Err(panic)
            }
        };
        let Ok(started) = started else {
            self.exchange = Some(exchange);
            return self.respond_to_panic();
        };
        exchange.fate = started.fate;
        exchange.notice = started.notice;
        let response = match started.step {
            Step::Running(running) => {
                exchange.answer = Answer::Running(running);
                None
            }
            Step::Ready(response) => Some(response),
        };
        self.exchange = Some(exchange);
        if let Some(response) = response {
            self.respond(*response);
        }
    }

    /// A handler panicked: 500 if nothing was sent, and the end of this connection only.
    pub(super) fn respond_to_panic(&mut self) {
        if let Some(driver) = &mut self.driver {
            let now = driver.now();
            driver.machine_unlent().drain(now);
        }
        self.respond(Response::of_status(Status::INTERNAL_SERVER_ERROR));
    }
}

/// What a turn came to.
enum Turn {
    Again,
    Over,
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Some(driver) = &mut this.driver {
            driver.refresh_now();
        }
        if this.obey(context) {
            this.exchange = None;
            return Poll::Ready(());
        }
        if let Some(exchange) = &mut this.exchange {
            exchange.is_due = true;
        }
        for _ in 0..BUDGET {
            match this.turn(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Turn::Over) => return Poll::Ready(()),
                Poll::Ready(Turn::Again) => {}
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
