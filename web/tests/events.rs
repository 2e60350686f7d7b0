//! Responses that are streams of events: what is written, when, and what a silence brings.

use std::time::Duration;

use callboard_runtime::Handle;
use callboard_sim::Simulation;
use callboard_web::{App, Body, BodyError, Event, EventStream, EventsGone, IntoResponse, Method, Request, get};
use futures_lite::future::block_on;
use futures_lite::{StreamExt, stream};

fn numbered(count: usize) -> Vec<Event> {
    (1..=count).map(|number| Event::new(number.to_string())).collect()
}

/// The next chunk of a body as text, if it is there already.
fn ready(body: &mut Body) -> Option<String> {
    let next = block_on(futures_lite::future::poll_once(body.next()))??;
    Some(String::from_utf8(next.unwrap().to_vec()).unwrap())
}

#[test]
fn a_handler_returns_events() {
    let events = || async {
        let named = Event::new("two\nlines").with_name("note").unwrap().with_id("7").unwrap();
        EventStream::new(stream::iter([Event::new("one"), named]))
    };
    let service = App::new().route("/", get(events)).into_service().unwrap();
    let response = block_on(service.call(Request::new(Method::Get, "/").unwrap()));
    assert_eq!(response.headers().text("Content-Type"), Some("text/event-stream"));
    assert_eq!(response.headers().text("Cache-Control"), Some("no-store"));
    let text = block_on(response.bytes(1_000)).unwrap();
    assert_eq!(text, "data: one\n\nevent: note\nid: 7\ndata: two\ndata: lines\n\n");
}

#[test]
fn what_is_ready_leaves_together_and_nothing_is_waited_for() {
    let (sender, events) = EventStream::channel(8);
    let mut body = events.into_response().into_body();
    assert_eq!(ready(&mut body), None);
    for event in numbered(2) {
        block_on(sender.send(event)).unwrap();
    }
    assert_eq!(ready(&mut body).as_deref(), Some("data: 1\n\ndata: 2\n\n"));
    assert_eq!(ready(&mut body), None);
    sender.try_send(Event::new("3")).unwrap();
    drop(sender);
    assert_eq!(ready(&mut body).as_deref(), Some("data: 3\n\n"));
    assert!(block_on(body.next()).is_none() && block_on(body.next()).is_none());
    // A long line of events leaves in parts.
    let mut body = EventStream::new(stream::iter(numbered(10_000))).into_response().into_body();
    let mut parts = Vec::new();
    while let Some(part) = block_on(body.next()) {
        parts.push(part.unwrap());
    }
    assert!(parts.len() > 3 && parts.iter().all(|part| part.len() < 20_000), "{}", parts.len());
    assert!(parts.concat().ends_with(b"data: 9999\n\ndata: 10000\n\n"));
}

#[test]
fn a_sender_knows_room_and_listeners() {
    let (sender, events) = EventStream::channel(0);
    assert_eq!(sender.try_send(Event::new("1")), Ok(None));
    assert_eq!(sender.try_send(Event::new("2")), Ok(Some(Event::new("2"))));
    assert!(!sender.is_gone());
    drop(events);
    block_on(sender.gone());
    assert!(sender.is_gone());
    assert_eq!(sender.try_send(Event::new("3")), Err(EventsGone));
    assert_eq!(block_on(sender.send(Event::new("3"))), Err(EventsGone));
}

#[test]
fn a_failure_comes_after_what_was_ready() {
    let events = [Ok(Event::new("1")), Err("out of order"), Ok(Event::new("2"))];
    let mut body = EventStream::fallible(stream::iter(events)).into_response().into_body();
    assert_eq!(ready(&mut body).as_deref(), Some("data: 1\n\n"));
    assert!(matches!(block_on(body.next()), Some(Err(BodyError::Source(_)))));
    assert!(block_on(body.next()).is_none());
}

#[test]
fn a_silence_is_filled_with_comments() {
    let simulation = Simulation::new(1);
    let runtime: Handle = simulation.runtime().into();
    let outcome = simulation.block_on(async move {
        let (sender, events) = EventStream::channel(8);
        let second = Duration::from_secs(1);
        let mut body = events.keep_alive(&runtime, 10 * second).into_response().into_body();
        let began = runtime.now();
        let mut seen = Vec::new();
        let handle = runtime.clone();
        runtime.spawn(Box::pin(async move {
            handle.sleep(25 * second).await;
            sender.send(Event::new("late")).await.unwrap();
            handle.sleep(12 * second).await;
        }));
        while let Some(part) = body.next().await {
            let text = String::from_utf8(part.unwrap().to_vec()).unwrap();
            seen.push((runtime.now().saturating_since(began).as_secs(), text));
        }
        let comment = || ":\n\n".to_owned();
        assert_eq!(seen, [(10, comment()), (20, comment()), (25, "data: late\n\n".to_owned()), (35, comment())]);
        assert_eq!(runtime.now().saturating_since(began).as_secs(), 37);
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_stream_that_never_gives_anything_only_waits() {
    let mut body = EventStream::new(stream::pending().map(|(): ()| Event::new(""))).into_response().into_body();
    assert_eq!(ready(&mut body), None);
}
