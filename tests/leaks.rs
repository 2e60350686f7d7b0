//! Ten thousand connections, each given up at a point of its own: by the client's future, dropped after so many polls;
//! by a raw peer, inside a request or an answer; by the server, cut or killed. Then nothing is left: no task, no timer,
//! no stream, no byte on its way, no slot of the pool; and memory is where it was.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use callboard::client::Session;
use callboard::core::Random;
use callboard::runtime::{ConnectOptions, Stream};
use callboard::sim::Census;
use callboard::web::{App, Body, Data, Fate, Path, PeerGone, Response, Server, Upgrade, get, post};
use callboard::{Endpoint, Handle, Simulation};
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt, stream};

/// Requests of a session and connections of raw peers, half and half; and how many are under way at once.
const CONNECTIONS: usize = 20_000;
const AT_ONCE: usize = 50;
/// What both ends of everything that was given up need at most to notice.
const AFTERWARDS: Duration = Duration::from_secs(900);

/// Handlers and streams that are under way, and how many there ever were.
#[derive(Clone, Default)]
struct Alive(Arc<(AtomicUsize, AtomicUsize)>);

struct Guard(Alive);

impl Alive {
    fn enter(&self) -> Guard {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        self.0.1.fetch_add(1, Ordering::SeqCst);
        Guard(self.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn parts(count: usize) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::repeat_with(|| Ok(Bytes::from_static(&[7; 1500]))).take(count)
}

/// Routes that wait in each of the ways there are.
fn app(runtime: &Handle, alive: &Alive) -> App {
    let clock = runtime.clone();
    let slow = async move |Path(milliseconds): Path<u64>, alive: Data<Alive>| {
        let _guard = alive.enter();
        clock.sleep(Duration::from_millis(milliseconds)).await;
        "slept"
    };
    let echo = async |alive: Data<Alive>, body: Body| {
        let guard = alive.enter();
        Body::stream(body.inspect(move |_| _ = &guard))
    };
    let collect = async |alive: Data<Alive>, text: String| {
        let _guard = alive.enter();
        text.len().to_string()
    };
    let download = async |alive: Data<Alive>| {
        let guard = alive.enter();
        Body::stream(parts(40).inspect(move |_| _ = &guard))
    };
    let watch = async |alive: Data<Alive>, gone: PeerGone| {
        let _guard = alive.enter();
        gone.await;
    };
    let raw = async |alive: Data<Alive>, upgrade: Upgrade| -> Response {
        let alive = alive.clone();
        upgrade.on(async move |mut stream, leftover| {
            let _guard = alive.enter();
            let _ = stream.write_all(&leftover).await;
            let _ = stream.read(&mut [0; 100]).await;
        })
    };
    App::new()
        .route("/", get(async || "Hello, World!"))
        .route("/slow/{milliseconds}", get(slow.clone()))
        .route("/finish/{milliseconds}", get(slow).fate(Fate::Finish))
        .route("/echo", post(echo))
        .route("/collect", post(collect))
        .route("/download", get(download))
        .route("/watch", get(watch))
        .route("/raw", get(raw))
        .data(alive.clone())
}

/// Drops a future after so many polls, or when it has waited for so long. True if it came to its end.
async fn give_up_after(polls: u64, patience: Duration, runtime: &Handle, future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    let mut sleep = pin!(runtime.sleep(patience));
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        if future.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        sleep.as_mut().poll(context).map(|()| false)
    })
    .await
}

/// One request of a session, read to its end.
async fn visit(session: Session, base: &str, kind: u64) {
    let url = |path: &str| format!("{base}{path}");
    let request = match kind % 10 {
        0 => session.get(url("/")),
        1 => session.get(url("/slow/20")),
        2 => session.get(url("/finish/20")),
        3 => session.post(url("/echo")).body_stream(parts(30), None),
        4 => session.post(url("/echo")).body_stream(parts(30), Some(45_000)).expect_continue(),
        5 => session.post(url("/collect")).body(vec![b'a'; 100_000]),
        6 => session.get(url("/download")),
        7 => session.get(url("/watch")),
        8 => session.get(url("/raw")).header("Connection", "upgrade").header("Upgrade", "raw"),
        _ => session.get("http://nobody/"),
    };
    let Ok(mut response) = request.await else { return };
    if kind % 10 == 8 {
        let Ok(mut upgraded) = response.upgrade() else { return };
        let _ = upgraded.stream.write_all(b"bytes").await;
        return;
    }
    while let Some(Ok(_)) = response.chunk().await {}
}

/// A raw peer that says a part of something, may listen for a while, and goes.
async fn pester(client: Handle, address: Endpoint, mut random: Random) {
    const SAID: [&str; 5] = [
        "GET /download HTTP/1.1\r\nHost: a\r\n\r\nGET /slow/5 HTTP/1.1\r\nHost: a\r\n\r\n\
         GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\nhello\r\n5\r\nagain\r\n0\r\nA: b\r\n\r\n",
        "POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\n01234567890123456789",
        "GET /raw HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\nbytes behind",
        "GET /watch HTTP/1.1\r\nHost: a\r\nBroken\r\n\r\n",
    ];
    let Ok(mut stream) = client.connect(address, ConnectOptions::default()).await else { return };
    let text = SAID[usize::try_from(random.below(SAID.len() as u64)).unwrap()].as_bytes();
    let cut = usize::try_from(random.below(text.len() as u64 + 1)).unwrap();
    let _ = stream.write_all(&text[..cut]).await;
    for _ in 0..random.below(4) {
        client.sleep(Duration::from_millis(random.below(20))).await;
        let _ = read_some(&mut stream).await;
    }
    match random.below(3) {
        0 => stream.abort_on_drop(),
        1 => drop(stream.close().await),
        _ => {}
    }
}

/// One look at what has come.
async fn read_some(stream: &mut Box<dyn Stream>) -> io::Result<usize> {
    let mut part = [0; 700];
    poll_fn(|context| match futures_lite::AsyncRead::poll_read(Pin::new(stream), context, &mut part) {
        Poll::Pending => Poll::Ready(Ok(0)),
        ready @ Poll::Ready(_) => ready,
    })
    .await
}

/// So many connections, some at a time. Half are a session's, half raw; now and then the network resets all.
/// How many came to their end.
async fn bother(
    simulation: &Simulation,
    session: &Session,
    server: &Server,
    count: usize,
    random: &mut Random,
) -> usize {
    let ended = Arc::new(AtomicUsize::new(0));
    let client = Handle::from(simulation.host("client").runtime());
    let base = format!("http://server:{}", server.local().tcp().unwrap().port());
    let address = server.local();
    for round in 0..count / AT_ONCE {
        let left = Arc::new(AtomicUsize::new(AT_ONCE));
        for _ in 0..AT_ONCE {
            let (session, client, base, address) = (session.clone(), client.clone(), base.clone(), address.clone());
            let (mut own, left, ended) = (random.fork(), Arc::clone(&left), Arc::clone(&ended));
            let task = async move {
                let kind = own.next_u64();
                let future: Pin<Box<dyn Future<Output = ()> + Send>> = if kind % 2 == 0 {
                    Box::pin(visit(session, &base, kind / 2))
                } else {
                    Box::pin(pester(client.clone(), address, own.fork()))
                };
                let patience = Duration::from_micros(own.below(100_000));
                let polls = if own.below(4) == 0 { u64::MAX } else { own.below(12) };
                if give_up_after(polls, patience, &client, future).await {
                    ended.fetch_add(1, Ordering::SeqCst);
                }
                left.fetch_sub(1, Ordering::SeqCst);
            };
            simulation.host("client").spawn(task);
        }
        if round % 10 == 9 {
            client.sleep(Duration::from_millis(random.below(30))).await;
            simulation.network().reset_all("server");
        }
        while left.load(Ordering::SeqCst) > 0 {
            client.sleep(Duration::from_millis(5)).await;
        }
    }
    ended.load(Ordering::SeqCst)
}

/// What is left when all that goes on by itself has come to its end.
fn wait_for_quiet(simulation: &Simulation) -> Census {
    simulation.run_for(AFTERWARDS).unwrap();
    simulation.census()
}

#[test]
fn ten_thousand_connections_leave_nothing() {
    let simulation = Simulation::new(2026);
    let runtime = Handle::from(simulation.host("server").runtime());
    let alive = Alive::default();
    let server = simulation.block_on(app(&runtime, &alive).serve(runtime.clone(), "server:0")).unwrap().unwrap();
    let session = Session::builder(simulation.host("client").runtime()).connections(20).build();
    let before = wait_for_quiet(&simulation);
    let mut random = Random::from_seed(simulation.seed());
    // Pools and tables reach their size at first.
    let half = CONNECTIONS / 2;
    simulation.block_on(bother(&simulation, &session, &server, half, &mut random)).unwrap();
    assert_eq!(wait_for_quiet(&simulation), before);
    let mut ended = 0;
    let counted = allocation_counter::measure(|| {
        ended = simulation.block_on(bother(&simulation, &session, &server, half, &mut random)).unwrap();
        assert_eq!(wait_for_quiet(&simulation), before);
    });
    let [alive, ever] = [&alive.0.0, &alive.0.1].map(|count| count.load(Ordering::SeqCst));
    println!("{ended} of {half} came to their end, {ever} handlers ran, {} steps, {counted:?}", simulation.steps());
    assert!(ended > half / 10 && ended < half * 9 / 10 && ever > half / 2, "the points are badly chosen");
    assert_eq!((server.connections(), alive), (0, 0));
    let pool = session.snapshot();
    assert_eq!((pool.open(), pool.waiting()), (0, 0), "{pool:?}");
    assert!(counted.count_current < 100, "memory stays behind: {counted:?}");
    let report = simulation.block_on(server.drain(Duration::from_secs(1))).unwrap();
    assert_eq!(report.aborted, 0);
    drop((server, session));
    assert!(wait_for_quiet(&simulation).is_empty(), "{}", simulation.census());
}

/// A server that ends while it is in use: by a drain, by an abort, or with its whole host.
#[test]
fn servers_that_end_at_any_point_leave_nothing() {
    let simulation = Simulation::new(1962);
    let (host, client) = (simulation.host("server"), Handle::from(simulation.host("client").runtime()));
    let runtime = Handle::from(host.runtime());
    let mut random = Random::from_seed(simulation.seed());
    for round in 0..100 {
        let alive = Alive::default();
        let server = simulation.block_on(app(&runtime, &alive).serve(runtime.clone(), ":80")).unwrap().unwrap();
        let session = Session::new(client.clone());
        for _ in 0..AT_ONCE {
            let mut own = random.fork();
            if own.below(2) == 0 {
                let (session, kind) = (session.clone(), own.next_u64());
                simulation.host("client").spawn(async move { visit(session, "http://server", kind).await });
            } else {
                let address = Endpoint::Tcp((host.address(), 80).into());
                simulation.host("client").spawn(pester(client.clone(), address, own));
            }
        }
        simulation.run_for(Duration::from_micros(random.below(60_000))).unwrap();
        match round % 3 {
            0 => server.abort(),
            1 => {
                let limit = Duration::from_millis(random.below(20));
                let report = simulation.block_on(server.drain(limit)).unwrap();
                assert_eq!(server.connections(), 0, "{report:?}");
            }
            _ => host.kill(),
        }
        drop((session, server));
        let census = wait_for_quiet(&simulation);
        assert!(census.is_empty(), "round {round}: {census}\n{}", simulation.trace().tail(40));
        assert_eq!(alive.0.0.load(Ordering::SeqCst), 0, "round {round}");
    }
}
