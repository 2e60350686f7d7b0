//! An application actor behind two routes: a chat room, told by `POST /say` and asked by `GET /history`.
//!
//! `/history?after=3` waits until there is a fourth line (long polling). `--port P` listens there (default 8080);
//! `--once` chats with itself and ends.

use std::collections::{BTreeMap, VecDeque};

use callboard::actor::{Actor, Address, AskError, Context, Reply, spawn};
use callboard::client::Session;
use callboard::web::{App, Data, Query, get, post};
use callboard::{Handle, Smol, Status};

/// The last lines, and who waits for more. No lock: it takes one message at a time.
#[derive(Default)]
struct Room {
    lines: VecDeque<String>,
    forgotten: usize,
    waiting: Vec<(Option<usize>, Reply<String>)>,
}

enum RoomMessage {
    Say(String),
    History { after: Option<usize>, reply: Reply<String> },
}

impl Actor for Room {
    type Message = RoomMessage;

    fn handle(&mut self, message: RoomMessage, _: &mut Context<Self>) {
        match message {
            RoomMessage::Say(line) => self.lines.push_back(line.trim().to_owned() + "\n"),
            RoomMessage::History { after, reply } => self.waiting.push((after, reply)),
        }
        if self.lines.len() > 1000 {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        let said = self.forgotten + self.lines.len();
        let is_due = |after: Option<usize>| after.is_none_or(|after| after < said);
        for (after, reply) in self.waiting.extract_if(.., |(after, reply)| is_due(*after) || !reply.is_wanted()) {
            let first = after.unwrap_or(0).min(said).saturating_sub(self.forgotten);
            reply.send(self.lines.range(first..).map(String::as_str).collect());
        }
    }
}

/// Never waits: a room that cannot keep up says so.
async fn say(room: Data<Address<RoomMessage>>, line: String) -> Status {
    room.tell(RoomMessage::Say(line)).map_or(Status::SERVICE_UNAVAILABLE, |()| Status::NO_CONTENT)
}

/// Waits half a minute at most: a question always has a deadline.
async fn history(room: Data<Address<RoomMessage>>, query: Query<BTreeMap<String, usize>>) -> Result<String, Status> {
    let after = query.0.get("after").copied();
    room.ask(|reply| RoomMessage::History { after, reply }).await.map_err(|error| match error {
        AskError::TimedOut => Status::NO_CONTENT,
        _ => Status::SERVICE_UNAVAILABLE,
    })
}

fn main() -> callboard::Result {
    let smol = Smol::new();
    let room = spawn(&Handle::from(smol.clone()), Room::default());
    let app = App::new().route("/say", post(say)).route("/history", get(history)).data(room);
    if std::env::args().any(|argument| argument == "--once") {
        return futures_lite::future::block_on(async {
            let server = app.serve(smol.clone(), "127.0.0.1:0").await?;
            let (session, base) = (Session::new(smol), format!("http://{}", server.local()));
            let next = async { session.get(format!("{base}/history?after=0")).await?.text().await };
            let say = async { session.post(format!("{base}/say")).body("Anybody there?").await };
            let (next, said) = futures_lite::future::zip(next, say).await;
            print!("{}: {}", said?.status(), next?);
            Ok(())
        });
    }
    let port = std::env::args().skip_while(|argument| argument != "--port").nth(1);
    Ok(app.run(smol, format!("127.0.0.1:{}", port.as_deref().unwrap_or("8080")))?)
}
