//! TLS before HTTP: the handshake, in the connection's own task and with a deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use callboard_core::{Status, header};
use callboard_runtime::Stream;
use callboard_runtime::tls::{AcceptFailure, TlsAcceptor, TlsError};

use super::connection::Connection;
use super::shared::{Reach, Registration};
use crate::handler::erase;
use crate::link::{Link, Order};
use crate::{Response, Service};

/// Shakes hands, then serves. A client that speaks plain HTTP is told so in plain text.
pub(super) async fn serve(
    acceptor: TlsAcceptor,
    stream: Box<dyn Stream>,
    service: Service,
    link: Arc<Link>,
    registration: Registration,
) {
    match accept(&acceptor, stream, &link, &registration).await {
        Some(Ok(stream)) => Connection::new(stream, BytesMut::new(), service, link, registration).await,
        Some(Err(AcceptFailure { error: TlsError::PlainHttp, stream: Some(stream), seen })) => {
            let service = wrong_port();
            let link = Arc::new(Link::new(Arc::clone(service.facts())));
            registration.relink(&Reach::Link(Arc::clone(&link)));
            Connection::new(stream, seen, service, link, registration).await;
        }
        Some(Err(_)) | None => {}
    }
}

/// The handshake; `None` if it took too long, or if the server ends meanwhile.
async fn accept(
    acceptor: &TlsAcceptor,
    stream: Box<dyn Stream>,
    link: &Link,
    registration: &Registration,
) -> Option<Result<Box<dyn Stream>, AcceptFailure>> {
    let shared = &registration.shared;
    let until = shared.runtime.now() + shared.settings.handshake_timeout;
    let mut timer = shared.runtime.timer();
    let mut handshake = pin!(acceptor.accept(stream));
    poll_fn(|context| {
        if let Poll::Ready(result) = handshake.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        link.orders().watch(context.waker());
        if link.orders().ordered() > Order::Serve {
            return Poll::Ready(None);
        }
        timer.poll_at(context, until).map(|()| None)
    })
    .await
}

/// Answers everything by the one thing that such a client needs to know.
fn wrong_port() -> Service {
    let answer = async || {
        Response::of_status(Status::BAD_REQUEST)
            .with_body("This port speaks HTTPS: use https:// instead of http://.\n")
            .with_header(header::CONNECTION, "close")
    };
    Service::of_endpoint(erase(answer).0)
}
