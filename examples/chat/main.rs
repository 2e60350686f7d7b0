//! A chat with a page for the lobby, a page for each room, and a WebSocket between a room's page and its actor.
//!
//! A room is an actor: one message at a time, no lock. It takes so many members and no more, and a member who reads too
//! slowly is put out rather than waited for. What people type is tidied here and shown as text there, never as HTML.
//! `--port P` listens there (default 8080); `--once` lets two clients meet in a room and ends.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

use callboard::actor::{Actor, Address, Context, Reply, spawn};
use callboard::client::Session;
use callboard::web::{App, Data, Html, Path, Query, Response, WebSocketSender, WebSocketUpgrade, get};
use callboard::websocket::{CloseCode, Text, WebSocket, WebSocketError, WebSocketFailure};
use callboard::{Handle, Smol, Status};

/// Members of a room, at most.
const MEMBERS: usize = 100;
/// Bytes of a message of a member, at most: beyond it the WebSocket is closed with 1009.
const MESSAGE: usize = 2000;
/// Characters of a line, and of a name: beyond it they are cut.
const LINE: usize = 500;
const NAME: usize = 20;

/// Who is in a room.
#[derive(Default)]
struct Room {
    members: BTreeMap<u64, Member>,
    last: u64,
}

struct Member {
    name: String,
    sender: WebSocketSender,
}

enum RoomMessage {
    /// Answered with the member's number, if there is a place.
    Join {
        name: String,
        sender: WebSocketSender,
        reply: Reply<Option<u64>>,
    },
    Say {
        member: u64,
        line: String,
    },
    Leave {
        member: u64,
    },
    Count {
        reply: Reply<usize>,
    },
}

impl Room {
    /// Tells everyone, without waiting for anybody. Who takes nothing more has a full queue, and is put out by
    /// `disconnecting`; who was put out, or is gone and has not said so yet, has left, and that is told as well.
    fn tell(&mut self, line: String) {
        let mut lines = VecDeque::from([line]);
        while let Some(line) = lines.pop_front() {
            // One text for all: a clone shares it.
            let text = Text::from(line);
            self.members.retain(|_, member| {
                let is_there = member.sender.try_send(text.clone()).is_ok();
                if !is_there {
                    lines.push_back(format!("{} has left", member.name));
                }
                is_there
            });
        }
    }
}

impl Actor for Room {
    type Message = RoomMessage;

    fn handle(&mut self, message: RoomMessage, _: &mut Context<Self>) {
        match message {
            RoomMessage::Join { reply, .. } if self.members.len() >= MEMBERS => {
                reply.send(None);
            }
            RoomMessage::Join { name, sender, reply } => {
                self.last += 1;
                let line = format!("{name} is here");
                self.members.insert(self.last, Member { name, sender });
                reply.send(Some(self.last));
                self.tell(line);
            }
            RoomMessage::Say { member, line } => {
                let Some(member) = self.members.get(&member) else { return };
                self.tell(format!("{}: {line}", member.name));
            }
            RoomMessage::Leave { member } => {
                let Some(member) = self.members.remove(&member) else { return };
                self.tell(format!("{} has left", member.name));
            }
            RoomMessage::Count { reply } => {
                reply.send(self.members.len());
            }
        }
    }
}

/// A member's place, which is given back however the member goes: by the door, by an error, or cut off with its task.
struct Seat {
    room: Address<RoomMessage>,
    member: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A room that is gone has no members; one that is too busy to hear this finds out when it next tells a line.
        let _ = self.room.tell(RoomMessage::Leave { member: self.member });
    }
}

/// What somebody typed, as one line of so many characters: nobody can write what looks like another's line.
fn tidy(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(most).collect();
    line.trim().to_owned()
}

/// The rooms, by name.
type Rooms = Arc<BTreeMap<&'static str, Address<RoomMessage>>>;

async fn lobby(rooms: Data<Rooms>) -> Result<Html<String>, Status> {
    let mut list = String::new();
    for (name, room) in rooms.iter() {
        let count = room.ask(|reply| RoomMessage::Count { reply }).await.map_err(|_| Status::SERVICE_UNAVAILABLE)?;
        let _ = write!(list, "<li><a href=\"/room/{name}\">{name}</a>: {count} of {MEMBERS}</li>");
    }
    Ok(Html(include_str!("lobby.html").replace("{rooms}", &list)))
}

async fn room(rooms: Data<Rooms>, Path(name): Path<String>) -> Result<Html<String>, Status> {
    let (name, _) = rooms.get_key_value(name.as_str()).ok_or(Status::NOT_FOUND)?;
    Ok(Html(include_str!("room.html").replace("{room}", name)))
}

async fn join(
    rooms: Data<Rooms>,
    Path(name): Path<String>,
    query: Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Status> {
    let room = rooms.get(name.as_str()).ok_or(Status::NOT_FOUND)?.clone();
    let name = Some(tidy(query.0.get("name").map_or("", String::as_str), NAME)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "Somebody".to_owned());
    let upgrade = upgrade.same_origin().max_message(MESSAGE);
    Ok(upgrade.on(move |socket| attend(room, name, socket)))
}

/// One member, from the door to the door.
async fn attend(room: Address<RoomMessage>, name: String, mut socket: WebSocket) -> Result<(), WebSocketFailure> {
    let sender = socket.sender().disconnecting(CloseCode::POLICY, "you read too slowly");
    let Some(member) = room.ask(|reply| RoomMessage::Join { name, sender, reply }).await? else {
        socket.close(CloseCode::TRY_AGAIN, "the room is full").await?;
        return Ok(());
    };
    let seat = Seat { room, member };
    while let Some(message) = socket.next().await? {
        let line = message.text().map(|text| tidy(text, LINE)).filter(|line| !line.is_empty());
        if let Some(line) = line {
            // Waits while the room is busy, and so does who types: nothing piles up.
            seat.room.send(RoomMessage::Say { member, line }).await?;
        }
    }
    Ok(())
}

fn app(runtime: &Handle) -> App {
    let rooms = ["books", "music", "tea"].map(|name| (name, spawn(runtime, Room::default())));
    let rooms: Rooms = Arc::new(rooms.into());
    App::new()
        .route("/", get(lobby))
        .route("/room/{name}", get(room))
        .route("/room/{name}/socket", get(join))
        .data(rooms)
}

/// Two clients meet for tea.
async fn meet(smol: Smol) -> callboard::Result {
    let server = app(&smol.clone().into()).serve(smol.clone(), "127.0.0.1:0").await?;
    let (session, base) = (Session::new(smol), format!("{}", server.local()));
    let enter = async |name: &str| session.websocket(format!("ws://{base}/room/tea/socket")).query("name", name).await;
    let hear = async |socket: &mut WebSocket| -> Result<(), WebSocketError> {
        let line = socket.next_text().await?;
        println!("{}", line.as_deref().unwrap_or("nothing more"));
        Ok(())
    };
    let mut ann = enter("Ann").await?;
    hear(&mut ann).await?;
    let mut bob = enter("Bob").await?;
    hear(&mut ann).await?;
    hear(&mut bob).await?;
    ann.send("Anybody there?").await?;
    hear(&mut bob).await?;
    ann.send("  \n ").await?;
    ann.send("<b>Tea</b>\nBob: no, thank you").await?;
    hear(&mut bob).await?;
    hear(&mut ann).await?;
    bob.close(CloseCode::NORMAL, "off to the tea").await?;
    hear(&mut ann).await?;
    hear(&mut ann).await?;
    let lobby = session.get(format!("http://{base}/")).await?.text().await?;
    println!("the lobby knows: {}", if lobby.contains("tea</a>: 1 of") { "one for tea" } else { "nobody" });
    Ok(())
}

fn main() -> callboard::Result {
    let smol = Smol::new();
    if std::env::args().any(|argument| argument == "--once") {
        return futures_lite::future::block_on(meet(smol));
    }
    let port = std::env::args().skip_while(|argument| argument != "--port").nth(1);
    let app = app(&smol.clone().into());
    Ok(app.run(smol, format!("127.0.0.1:{}", port.as_deref().unwrap_or("8080")))?)
}
