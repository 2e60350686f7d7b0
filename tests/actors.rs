//! Actors on every runtime: each scenario is written once, and runs on smol, on Tokio and in simulation.
//!
//! What waits for an event waits without a bound; a scenario that never ends is a failure of the test's runner.

#[path = "actors/routes.rs"]
mod routes;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callboard::actor::{
    Actor, Address, AskError, Context, Down, Mailbox, MailboxOptions, Reply, Why, mailbox, question, spawn, spawn_loop,
    spawn_with,
};
use callboard::{Handle, Simulation, Smol, Tokio};
use routes::{World, behind_routes};

type Scenario = fn(Handle) -> Pin<Box<dyn Future<Output = ()> + Send>>;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("members of a room", |runtime| Box::pin(members_of_a_room(runtime))),
    ("questions across workers", |runtime| Box::pin(questions_across_workers(runtime))),
    ("a deadline", |runtime| Box::pin(a_deadline(runtime))),
    ("timers and futures", |runtime| Box::pin(timers_and_futures(runtime))),
    ("a supervisor of one's own", |runtime| Box::pin(a_supervisor_of_ones_own(runtime))),
    ("a flood", |runtime| Box::pin(a_flood(runtime))),
    ("ends of all kinds", |runtime| Box::pin(ends_of_all_kinds(runtime))),
];

fn run_all(runtime: &Handle) {
    for (name, scenario) in SCENARIOS {
        println!("actors: {name}");
        let mut ended = false;
        let run = async {
            scenario(runtime.clone()).await;
            ended = true;
        };
        runtime.block_on(Box::pin(run)).unwrap();
        assert!(ended);
    }
    let mut ended = false;
    let run = async {
        behind_routes(on_loopback(runtime)).await;
        ended = true;
    };
    runtime.block_on(Box::pin(run)).unwrap();
    assert!(ended);
}

fn on_loopback(runtime: &Handle) -> World<'static> {
    World { server: runtime.clone(), client: runtime.clone(), listen: "127.0.0.1:0", host: "127.0.0.1" }
}

#[test]
fn on_smol() {
    run_all(&Smol::new().into());
}

#[test]
fn on_smol_workers() {
    run_all(&Smol::workers(2).into());
}

#[test]
fn on_tokio_workers() {
    run_all(&Tokio::workers(2).into());
}

#[test]
fn on_the_current_tokio() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, scenario) in SCENARIOS {
        println!("actors: {name}");
        tokio.block_on(async { scenario(Tokio::current().into()).await });
    }
    tokio.block_on(async { behind_routes(on_loopback(&Tokio::current().into())).await });
}

#[test]
fn in_simulation_and_the_same_each_time() {
    for seed in 0..20 {
        let [first, second] = [0, 1].map(|_| {
            let simulation = Simulation::new(seed);
            let runtime = Handle::from(simulation.host("actors").runtime());
            for (name, scenario) in SCENARIOS {
                simulation.note(*name);
                simulation.block_on(scenario(runtime.clone())).unwrap();
            }
            simulation.note("behind routes");
            let client = simulation.host("client").runtime().into();
            let world = World { server: runtime.clone(), client, listen: "0.0.0.0:80", host: "actors" };
            simulation.block_on(behind_routes(world)).unwrap();
            // What a scenario left behind ends by itself.
            simulation.run_for(Duration::from_secs(1)).unwrap();
            let census = simulation.census();
            assert!(census.is_empty(), "seed {seed}: {census}");
            simulation.trace_hash()
        });
        assert_eq!(first, second, "seed {seed}");
    }
}

/// A room that checks the order of what each member says.
#[derive(Default)]
struct Room {
    heard: Vec<u32>,
}

enum RoomMessage {
    Say { member: usize, number: u32 },
    Count(Reply<u32>),
}

impl Actor for Room {
    type Message = RoomMessage;

    fn handle(&mut self, message: RoomMessage, _: &mut Context<Self>) {
        match message {
            RoomMessage::Say { member, number } => {
                if self.heard.len() <= member {
                    self.heard.resize(member + 1, 0);
                }
                assert_eq!(self.heard[member], number, "member {member} was heard out of order");
                self.heard[member] += 1;
            }
            RoomMessage::Count(reply) => reply.send(self.heard.iter().sum()),
        }
    }
}

async fn members_of_a_room(runtime: Handle) {
    let options = MailboxOptions { capacity: 4, ..MailboxOptions::default() };
    let room = spawn_with(&runtime, Room::default(), options);
    let (done, mut all_done) = mailbox(&runtime, MailboxOptions::default());
    for member in 0..8 {
        let (room, done) = (room.clone(), done.clone());
        let say = async move {
            for number in 0..100 {
                room.send(RoomMessage::Say { member, number }).await.unwrap();
            }
            done.send(()).await.unwrap();
        };
        runtime.spawn_on(member % runtime.workers(), Box::new(move || Box::pin(say)));
    }
    drop(done);
    while all_done.recv().await.is_some() {}
    // The inbox may still be full: this question waits for room.
    let (reply, answer) = question();
    room.send(RoomMessage::Count(reply)).await.unwrap();
    assert_eq!(answer.await, Ok(800));
}

/// Hands out numbers, in a loop.
async fn numbers(mut inbox: Mailbox<Reply<u32>>) {
    let mut next = 0;
    while let Some(reply) = inbox.recv().await {
        reply.send(next);
        next += 1;
    }
}

async fn questions_across_workers(runtime: Handle) {
    let source = spawn_loop(&runtime, MailboxOptions::default(), numbers);
    let (sums, mut inbox) = mailbox(&runtime, MailboxOptions::default());
    for worker in 0..runtime.workers() {
        let (source, sums) = (source.clone(), sums.clone());
        let ask = async move {
            let mut sum = 0;
            for _ in 0..500 {
                sum += source.ask(|reply| reply).await.unwrap();
            }
            sums.send(sum).await.unwrap();
        };
        runtime.spawn_on(worker, Box::new(move || Box::pin(ask)));
    }
    drop(sums);
    let mut total = 0;
    while let Some(sum) = inbox.recv().await {
        total += sum;
    }
    let count = 500 * u32::try_from(runtime.workers()).unwrap();
    assert_eq!(total, count * (count - 1) / 2, "a number was given twice or not at all");
}

async fn a_deadline(runtime: Handle) {
    // The inbox is never looked at.
    let (silent, _inbox) = mailbox::<Reply<()>>(&runtime, MailboxOptions::default());
    let start = runtime.now();
    let patience = Duration::from_millis(20);
    assert_eq!(silent.ask_within(patience, |reply| reply).await, Err(AskError::TimedOut));
    assert!(runtime.now() - start >= patience);
}

/// Waits in several ways, and writes down what came.
struct Waiter {
    came: Vec<&'static str>,
    done: Option<Reply<Vec<&'static str>>>,
}

enum WaiterMessage {
    Start(Reply<Vec<&'static str>>),
    Came(&'static str),
}

impl Actor for Waiter {
    type Message = WaiterMessage;

    fn handle(&mut self, message: WaiterMessage, context: &mut Context<Self>) {
        match message {
            WaiterMessage::Start(reply) => {
                self.done = Some(reply);
                context.after(Duration::from_millis(30), WaiterMessage::Came("third"));
                context.after(Duration::from_millis(10), WaiterMessage::Came("first"));
                let never = context.after(Duration::from_millis(15), WaiterMessage::Came("never"));
                assert!(context.cancel(never).is_some());
                let handle = context.runtime().clone();
                let sleep = async move { handle.sleep(Duration::from_millis(20)).await };
                context.run(sleep, |()| WaiterMessage::Came("second"));
            }
            WaiterMessage::Came(what) => {
                self.came.push(what);
                if self.came.len() == 3
                    && let Some(reply) = self.done.take()
                {
                    reply.send(std::mem::take(&mut self.came));
                }
            }
        }
    }
}

async fn timers_and_futures(runtime: Handle) {
    let waiter = spawn(&runtime, Waiter { came: Vec::new(), done: None });
    let mut came = waiter.ask(WaiterMessage::Start).await.unwrap();
    // A slow machine may find timer and future due in one turn; the order of the two timers stands.
    came.retain(|what| *what != "second");
    assert_eq!(came, ["first", "third"]);
}

/// Starts a worker again when it panics: what a supervisor will do, with what there is.
struct Keeper {
    worker: Option<Address<u32>>,
    restarts: u32,
}

enum KeeperMessage {
    Work(u32),
    Down(Down),
    Restarts(Reply<u32>),
}

struct Worker;

impl Actor for Worker {
    type Message = u32;

    fn handle(&mut self, work: u32, _: &mut Context<Self>) {
        assert!(!work.is_multiple_of(10), "{work} is too much");
    }
}

impl Keeper {
    fn start(&mut self, context: &mut Context<Self>) {
        let worker = spawn(context.runtime(), Worker);
        context.watch(&worker, KeeperMessage::Down);
        self.worker = Some(worker);
    }
}

impl Actor for Keeper {
    type Message = KeeperMessage;

    fn started(&mut self, context: &mut Context<Self>) {
        self.start(context);
    }

    fn handle(&mut self, message: KeeperMessage, context: &mut Context<Self>) {
        match message {
            KeeperMessage::Work(work) => drop(self.worker.as_ref().map(|worker| worker.tell(work))),
            KeeperMessage::Down(down) => {
                assert_eq!(Some(down.who), self.worker.as_ref().map(Address::id));
                assert!(matches!(down.why, Why::Panicked(text) if text.contains("is too much")));
                self.restarts += 1;
                self.start(context);
            }
            KeeperMessage::Restarts(reply) => reply.send(self.restarts),
        }
    }
}

async fn a_supervisor_of_ones_own(runtime: Handle) {
    let keeper = spawn(&runtime, Keeper { worker: None, restarts: 0 });
    for round in 1..=3 {
        keeper.send(KeeperMessage::Work(7)).await.unwrap();
        keeper.send(KeeperMessage::Work(10 * round)).await.unwrap();
        while keeper.ask(KeeperMessage::Restarts).await != Ok(round) {
            runtime.sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A message that is counted as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn a_flood(runtime: Handle) {
    const CAPACITY: usize = 16;
    let alive = Arc::new(AtomicUsize::new(0));
    let sink = async |mut inbox: Mailbox<Counted>| while inbox.recv().await.is_some() {};
    let options = MailboxOptions { capacity: CAPACITY, ..MailboxOptions::default() };
    let sink = spawn_loop(&runtime, options, sink);
    let mut refused = 0;
    for _ in 0..10_000 {
        refused += usize::from(sink.tell(Counted::new(&alive)).is_err());
        // Those in the inbox, and one in the sink's hand.
        assert!(alive.load(Ordering::SeqCst) <= CAPACITY + 1);
    }
    assert!(refused <= 10_000 - CAPACITY);
    let end = sink.watch();
    drop(sink);
    assert_eq!(end.await.why, Why::NoAddresses);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

/// Holds something until its end.
struct Holder {
    _held: Counted,
}

enum HolderMessage {
    Wait,
    Panic,
    Stop,
}

impl Actor for Holder {
    type Message = HolderMessage;

    fn handle(&mut self, message: HolderMessage, context: &mut Context<Self>) {
        match message {
            HolderMessage::Wait => {
                context.run(std::future::pending::<()>(), |()| HolderMessage::Panic);
                context.after(Duration::from_secs(3600), HolderMessage::Panic);
            }
            HolderMessage::Panic => panic!("as told"),
            HolderMessage::Stop => context.stop(),
        }
    }
}

async fn ends_of_all_kinds(runtime: Handle) {
    let alive = Arc::new(AtomicUsize::new(0));
    for round in 0..200 {
        let holder = spawn(&runtime, Holder { _held: Counted::new(&alive) });
        holder.tell(HolderMessage::Wait).unwrap();
        if round % 3 == 0 {
            futures_lite::future::yield_now().await;
        }
        let watch = holder.watch();
        let expected = match round % 5 {
            0 => holder.tell(HolderMessage::Panic).map(|()| Why::Panicked("as told".to_owned())).unwrap(),
            1 => holder.tell(HolderMessage::Stop).map(|()| Why::Stopped).unwrap(),
            2 => {
                holder.stop();
                Why::Stopped
            }
            3 => {
                holder.kill();
                Why::Killed
            }
            _ => Why::NoAddresses,
        };
        let who = holder.id();
        drop(holder);
        assert_eq!(watch.await, Down { who, why: expected });
    }
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
