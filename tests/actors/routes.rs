//! An actor behind the routes of an app, and a client session in front: what users will write.

use std::time::Duration;

use callboard::actor::{Actor, Address, AskError, Context, MailboxOptions, Reply, mailbox, spawn};
use callboard::client::Session;
use callboard::web::{App, Data, get, post};
use callboard::{Endpoint, Handle, Limits, Status};
use futures_lite::future::{or, zip};

/// Where the server runs and listens, and who visits it under which name.
pub(crate) struct World<'a> {
    pub(crate) server: Handle,
    pub(crate) client: Handle,
    pub(crate) listen: &'a str,
    pub(crate) host: &'a str,
}

#[derive(Default)]
struct Room {
    said: u32,
    waiting: Vec<Reply<String>>,
}

enum RoomMessage {
    Say(String),
    Next(Reply<String>),
    Count(Reply<u32>),
    /// How many wait, and have not gone away.
    Waiting(Reply<usize>),
}

impl Actor for Room {
    type Message = RoomMessage;

    fn handle(&mut self, message: RoomMessage, _: &mut Context<Self>) {
        match message {
            RoomMessage::Say(line) => {
                assert_ne!(line, "panic", "as told");
                self.said += 1;
                for reply in self.waiting.drain(..) {
                    reply.send(line.clone());
                }
            }
            RoomMessage::Next(reply) => self.waiting.push(reply),
            RoomMessage::Count(reply) => reply.send(self.said),
            RoomMessage::Waiting(reply) => {
                self.waiting.retain(Reply::is_wanted);
                reply.send(self.waiting.len());
            }
        }
    }
}

type Front = Data<Address<RoomMessage>>;

async fn say(room: Front, line: String) -> Status {
    room.send(RoomMessage::Say(line)).await.map_or(Status::GONE, |()| Status::NO_CONTENT)
}

async fn next(room: Front) -> Result<String, Status> {
    room.ask(RoomMessage::Next).await.map_err(status)
}

async fn count(room: Front) -> Result<String, Status> {
    room.ask(RoomMessage::Count).await.map(|count| count.to_string()).map_err(status)
}

fn status(error: AskError) -> Status {
    match error {
        AskError::Full => Status::SERVICE_UNAVAILABLE,
        AskError::TimedOut => Status::GATEWAY_TIMEOUT,
        AskError::NoReply => Status::BAD_GATEWAY,
        AskError::Closed => Status::GONE,
    }
}

pub(crate) async fn behind_routes(world: World<'_>) {
    let room = spawn(&world.server, Room::default());
    let app = App::new()
        .route("/say", post(say))
        .route("/next", get(next))
        .route("/count", get(count))
        .route("/alone", get(async || "alive"))
        .data(room.clone())
        // How long a peer that closed its side may take to show that the other is closed too.
        .limits(Limits { linger_timeout: Duration::from_millis(50), ..Limits::default() });
    let server = app.serve(world.server.clone(), world.listen).await.unwrap();
    let Endpoint::Tcp(address) = server.local() else { panic!("listens on TCP") };
    let base = format!("http://{}:{}", world.host, address.port());
    let session = Session::new(world.client.clone());

    // A long poll ends with the next line.
    let poll = async { session.get(format!("{base}/next")).await.unwrap().text().await.unwrap() };
    let speak = async {
        while room.ask(RoomMessage::Waiting).await != Ok(1) {
            world.client.sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(tell(&session, &base, "hello").await, Status::NO_CONTENT);
    };
    assert_eq!(zip(poll, speak).await.0, "hello");

    // Many connections, one room.
    let (done, mut all_done) = mailbox(&world.client, MailboxOptions::default());
    for _ in 0..8 {
        let (done, base, session) = (done.clone(), base.clone(), Session::new(world.client.clone()));
        world.client.spawn(Box::pin(async move {
            for _ in 0..10 {
                assert_eq!(tell(&session, &base, "more").await, Status::NO_CONTENT);
            }
            done.send(()).await.unwrap();
        }));
    }
    drop(done);
    while all_done.recv().await.is_some() {}
    assert_eq!(fetch(&session, &base, "/count").await, (Status::OK, "81".to_owned()));

    // A client that goes away takes its question with it.
    let impatient = Session::new(world.client.clone());
    let gives_up = async {
        while room.ask(RoomMessage::Waiting).await != Ok(1) {
            world.client.sleep(Duration::from_millis(1)).await;
        }
        None
    };
    let url = format!("{base}/next");
    assert!(or(gives_up, async { Some(impatient.get(url).await) }).await.is_none());
    while room.ask(RoomMessage::Waiting).await != Ok(0) {
        world.client.sleep(Duration::from_millis(1)).await;
    }

    // A panic ends the room and those who wait for it, and nobody else.
    let poll = async { fetch(&session, &base, "/next").await.0 };
    let panic = async {
        while room.ask(RoomMessage::Waiting).await != Ok(1) {
            world.client.sleep(Duration::from_millis(1)).await;
        }
        tell(&session, &base, "panic").await
    };
    assert_eq!(zip(poll, panic).await, (Status::BAD_GATEWAY, Status::NO_CONTENT));
    room.watch().await;
    assert_eq!(fetch(&session, &base, "/count").await.0, Status::GONE);
    assert_eq!(tell(&session, &base, "late").await, Status::GONE);
    assert_eq!(fetch(&session, &base, "/alone").await, (Status::OK, "alive".to_owned()));

    drop((session, impatient));
    server.drain(Duration::from_secs(3600)).await;
}

async fn tell(session: &Session, base: &str, line: &str) -> Status {
    session.post(format!("{base}/say")).body(line.to_owned()).await.unwrap().status()
}

async fn fetch(session: &Session, base: &str, path: &str) -> (Status, String) {
    let response = session.get(format!("{base}{path}")).await.unwrap();
    (response.status(), response.text().await.unwrap())
}
