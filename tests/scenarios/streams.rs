//! Streams that are coded on their way: each part is decodable where it arrives before the next one is made.

use bytes::Bytes;

use callboard::client::{Response as Answer, Session};
use callboard::web::{App, Body, Coding, Compress, Event, EventStream, IntoResponse, Response, get};
use futures_lite::stream::{self, Stream};

use crate::signal::{Bell, Ear, bell};
use crate::world::{Served, World, scenarios};

scenarios!(coded_events_come_one_by_one, coded_parts_come_one_by_one);

const PARTS: usize = 5;

/// Parts, each made when the bell rings.
fn parts<T: 'static>(ear: Ear, make: fn(usize) -> T) -> impl Stream<Item = T> + Send {
    stream::unfold(0, move |number| {
        let ear = ear.clone();
        async move {
            ear.heard().await;
            (number < PARTS).then(|| (make(number), number + 1))
        }
    })
}

/// A small part and a large one by turns.
fn text(number: usize) -> String {
    format!("part {number} {}", "of a stream ".repeat(number % 2 * 1000))
}

/// An answer in that coding.
async fn ask(session: &Session, served: &Served, coding: Coding) -> Answer {
    let response = session.get(served.url("/")).header("Accept-Encoding", coding.name()).await.unwrap();
    assert_eq!(response.headers().text("Content-Encoding"), Some(coding.name()));
    response
}

fn serve<S, F>(answer: F) -> (App, Bell)
where
    F: Fn(Ear) -> S + Clone + Send + Sync + 'static,
    S: IntoResponse + 'static,
{
    let (bell, ear) = bell();
    let handler = move || {
        let response = answer(ear.clone()).into_response();
        async move { response }
    };
    (App::new().route("/", get(handler)).compress(Compress::new()), bell)
}

async fn coded_events_come_one_by_one(world: World) {
    let event = |number| Event::new(text(number));
    let (app, bell) = serve(move |ear| EventStream::new(parts(ear, event)));
    let served = world.serve(app).await;
    let session = world.session();
    for &coding in Coding::ALL {
        let mut events = ask(&session, &served, coding).await.events();
        for number in 0..PARTS {
            bell.ring();
            assert_eq!(events.next().await.unwrap().unwrap().data(), text(number));
        }
        bell.ring();
        assert!(events.next().await.is_none());
    }
    drop(session);
    served.end().await;
}

async fn coded_parts_come_one_by_one(world: World) {
    let part = |number| Ok::<_, std::io::Error>(Bytes::from(text(number)));
    let (app, bell) =
        serve(move |ear| Response::new(Body::stream(parts(ear, part))).with_header("Content-Type", "text/plain"));
    let served = world.serve(app).await;
    let session = world.session();
    for &coding in Coding::ALL {
        let mut response = ask(&session, &served, coding).await;
        for number in 0..PARTS {
            bell.ring();
            let (text, mut came) = (text(number), Vec::new());
            while came.len() < text.len() {
                came.extend_from_slice(&response.chunk().await.unwrap().unwrap());
            }
            assert_eq!(came, text.as_bytes());
        }
        bell.ring();
        assert!(response.chunk().await.is_none());
    }
    drop(session);
    served.end().await;
}
