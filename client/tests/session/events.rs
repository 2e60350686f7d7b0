//! Responses that are streams of events.

use std::time::Duration;

use callboard_client::ErrorKind;
use callboard_core::event_stream::{EventLimits, EventStreamError};

use crate::script::{Step, everywhere, pair, send, simulated};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

#[test]
fn events_come_as_they_are_sent() {
    everywhere(|runtime| {
        Box::pin(async move {
            let script = vec![
                Step::Head,
                send(HEAD),
                send(": hello\n\nretry: 50\nid: 1\nda"),
                Step::Wait(Duration::from_millis(5)),
                send("ta: one\r"),
                send("\n\r\nevent: add\ndata: t\ndata: wo\n\ndata: three\n\n"),
                Step::Wait(Duration::from_millis(5)),
                send("id: 2\ndata: cut"),
                Step::Close,
            ];
            let (session, server) = pair(&runtime, vec![script]);
            let mut events = session.get(server.url("/")).await.unwrap().events();
            let mut seen = Vec::new();
            while let Some(event) = events.next().await {
                let event = event.unwrap();
                seen.push((event.name().to_owned(), event.data().to_owned(), event.id().map(str::to_owned)));
            }
            let row = |name: &str, data: &str| (name.to_owned(), data.to_owned(), Some("1".to_owned()));
            assert_eq!(seen, [row("message", "one"), row("add", "t\nwo"), row("message", "three")]);
            assert_eq!((events.last_event_id(), events.retry()), ("1", Some(Duration::from_millis(50))));
            assert!(events.next().await.is_none());
            assert_eq!(events.response().status().code(), 200);
        })
    });
}

#[test]
fn a_stream_beyond_its_limits_ends_with_an_error() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) =
                pair(&runtime, vec![vec![Step::Head, send(HEAD), send("data: a\n\ndata: too long\n\ndata: b\n\n")]]);
            let response = session.get(server.url("/")).await.unwrap();
            let mut events = response.events().limits(EventLimits { line: 10, event: 10 });
            assert_eq!(events.next().await.unwrap().unwrap().data(), "a");
            let error = events.next().await.unwrap().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::EventStream(EventStreamError::LineTooLong)), "{error}");
            assert!(events.next().await.is_none());
        })
    });
}
