//! What follows an answer, or a failure: the end, or the request once more, here or where a redirection leads.

use std::mem;

use callboard_core::deadlines::Step;
use callboard_core::fields::RetryAfter;
use callboard_core::http1::ResponseHead;
use callboard_core::redirect::{self, Decision, Redirection};
use callboard_core::retry::{self, Failure, Retry};
use callboard_core::{BodyLength, Instant, Status};

use super::{Sending, Stage};
use crate::body::Content;
use crate::error::{Delivery, Error, ErrorKind, Hop, Phase};
use crate::exchange::Exchange;
use crate::location;
use crate::order::Order;
use crate::response::Answer;

impl Sending {
    /// Sends a request that failed once more, if the policy of retries says so: at once on a fresh connection if a kept
    /// one had died (RFC 9112 §9.3.1), else after a wait.
    pub(super) fn try_again(&mut self, error: Error, order: &mut Order) -> Result<(), Error> {
        let mut stage = mem::replace(&mut self.stage, Stage::Done);
        let is_stale_reuse = match &mut stage {
            Stage::Head(exchange) => {
                recover_stream(exchange, order);
                exchange.is_reused() && error.is_cut()
            }
            _ => false,
        };
        let failure = Failure {
            delivery: error.delivery(),
            status: None,
            retry_after: None,
            is_idempotent: order.method.is_idempotent(),
            is_replayable: order.is_replayable(),
            is_transient: error.is_transient(),
            is_stale_reuse,
        };
        let Some(at) = self.decide(&failure, order) else { return Err(error) };
        self.stage = match stage {
            Stage::Head(exchange) if is_stale_reuse && at <= self.session.runtime.now() => {
                match exchange.into_lease() {
                    Some(mut lease) => {
                        lease.redial();
                        self.dial(lease, order)
                    }
                    None => Stage::Checkout,
                }
            }
            _ => Stage::Backoff(at),
        };
        Ok(())
    }

    /// When to send the request once more, if at all.
    fn decide(&mut self, failure: &Failure, order: &Order) -> Option<Instant> {
        let runtime = &self.session.runtime;
        let due = self.deadlines.total(&order.timeouts);
        let retry = self.retry.get_or_insert_with(|| Box::new(Retry::new(order.retry, runtime.entropy(), due)));
        let now = runtime.now();
        match retry.decide(failure, &mut self.session.retry_budget(), now) {
            retry::Decision::RetryAt(at) => {
                self.deadlines.enter(Step::Backoff, now);
                Some(at)
            }
            retry::Decision::GiveUp(_) => None,
        }
    }

    /// When to repeat a request that was answered, if at all.
    fn repeat_answered(&mut self, head: &ResponseHead, replayable: bool, order: &Order) -> Option<Instant> {
        let wall_clock = self.session.runtime.wall_clock().as_secs();
        let failure = Failure {
            delivery: Delivery::Answered,
            status: Some(head.status),
            retry_after: RetryAfter::read(&head.headers, wall_clock).map(|after| after.delay(wall_clock)),
            is_idempotent: order.method.is_idempotent(),
            is_replayable: replayable,
            is_transient: true,
            is_stale_reuse: false,
        };
        self.decide(&failure, order)
    }

    /// Some: the answer is final. None: another request is to be sent.
    pub(super) fn judge(
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
        #[cfg(feature = "digest")]
        if order.is_challenged(&head, replayable).map_err(|error| error.delivered(Delivery::Answered))? {
            recover_stream(&mut exchange, order);
            exchange.settle();
            self.stage = Stage::Checkout;
            return Ok(None);
        }
        if order.pass.is_refused(&head, replayable) {
            recover_stream(&mut exchange, order);
            exchange.settle();
            self.stage = Stage::Checkout;
            return Ok(None);
        }
        // Other answers may say several places, and most say none: they are not asked.
        let asks = redirect::redirects(head.status) && order.redirects > 0;
        let location = match asks.then(|| redirect::location(&head.headers)).transpose() {
            Ok(location) => location.flatten(),
            Err(error) => return Err(exchange.error(Phase::Redirect, ErrorKind::Redirect(error))),
        };
        let location = location.map(|location| location::http_name(location, order.is_websocket));
        let decision = redirect::decide(&Redirection {
            status: head.status,
            location: location.as_deref(),
            method: &order.method,
            from: &order.url,
            followed: u32::try_from(self.history.len()).unwrap_or(u32::MAX),
            limit: order.redirects,
            replayable,
        });
        match decision {
            Ok(Decision::Stop) if order.retry.is_on() && retry::is_worth_repeating(head.status, true) => {
                let Some(at) = self.repeat_answered(&head, replayable, order) else {
                    return Ok(Some(Answer { exchange, head, length, is_upgraded: false }));
                };
                recover_stream(&mut exchange, order);
                exchange.settle();
                self.stage = Stage::Backoff(at);
                Ok(None)
            }
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
