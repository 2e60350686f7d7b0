//! The world of a scenario: two runtimes, where servers listen, and what a scenario needs to talk to either side raw.
//!
//! A scenario waits for what must happen without a bound, and ends with `Served::end`, after which nothing is open.
//! In simulation the server and the client are hosts of their own, each seed runs twice, and nothing may be left over.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use callboard::client::Session;
use callboard::runtime::{ConnectOptions, ListenOptions, Listener};
use callboard::sim::Options;
use callboard::web::{App, DrainReport, Server};
use callboard::{Endpoint, Handle, Simulation, Smol, Tokio};

use crate::peer::Peer;

/// Worlds that each scenario is simulated in.
const SEEDS: u64 = 20;
/// Longer than a drain that cuts nothing may take.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

pub(crate) type Scenario = fn(World) -> Pin<Box<dyn Future<Output = ()>>>;

/// Two ends, and the way from one to the other.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) server: Handle,
    pub(crate) client: Handle,
    /// The seed, in simulation.
    pub(crate) seed: Option<u64>,
    /// Where servers listen, and how the client finds them.
    listen: SocketAddr,
    host: String,
}

impl World {
    pub(crate) fn simulated(simulation: &Simulation) -> Self {
        let host = simulation.host("server");
        Self {
            server: host.runtime().into(),
            client: simulation.host("client").runtime().into(),
            seed: Some(simulation.seed()),
            listen: SocketAddr::new(host.address(), 0),
            host: "server".to_owned(),
        }
    }

    fn real(runtime: &Handle) -> Self {
        Self {
            server: runtime.clone(),
            client: runtime.clone(),
            seed: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            host: "127.0.0.1".to_owned(),
        }
    }

    /// `real` on sockets; in simulation, where each byte costs more, `simulated`.
    pub(crate) fn choose<T>(&self, real: T, simulated: T) -> T {
        if self.seed.is_some() { simulated } else { real }
    }

    pub(crate) fn session(&self) -> Session {
        Session::new(self.client.clone())
    }

    pub(crate) async fn serve(&self, app: App) -> Served {
        self.serve_at(app, Endpoint::Tcp(self.listen)).await
    }

    pub(crate) async fn serve_at(&self, app: App, endpoint: Endpoint) -> Served {
        let server = app.serve(self.server.clone(), endpoint).await.unwrap();
        let endpoint = server.local();
        Served { base: self.base(&endpoint), endpoint, server, client: self.client.clone() }
    }

    /// A listener whose connections the scenario serves itself.
    pub(crate) fn listen(&self) -> Listening {
        let listener = self.server.listen(Endpoint::Tcp(self.listen), ListenOptions::default()).unwrap();
        Listening { base: self.base(&listener.local()), listener }
    }

    fn base(&self, endpoint: &Endpoint) -> String {
        let address = endpoint.tcp().expect("scenarios listen on TCP");
        assert_ne!(address.port(), 0, "the port is not the one that was chosen");
        format!("http://{}:{}", self.host, address.port())
    }
}

/// A server at work.
pub(crate) struct Served {
    pub(crate) server: Server,
    pub(crate) base: String,
    pub(crate) endpoint: Endpoint,
    client: Handle,
}

impl Served {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A raw connection to it.
    pub(crate) async fn connect(&self) -> Peer {
        Peer::new(self.client.connect(self.endpoint.clone(), ConnectOptions::default()).await.unwrap())
    }

    /// Waits until so many connections are open.
    pub(crate) async fn until_open(&self, count: usize) {
        while self.server.connections() != count {
            self.client.sleep(Duration::from_millis(1)).await;
        }
    }

    /// Drains it: nothing is cut and nothing stays open.
    pub(crate) async fn end(self) -> DrainReport {
        let report = self.server.drain(LONG).await;
        assert_eq!((report.aborted, self.server.connections()), (0, 0), "{report:?}");
        report
    }
}

/// A listener, to accept by hand.
pub(crate) struct Listening {
    pub(crate) base: String,
    listener: Box<dyn Listener>,
}

impl Listening {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn accept(&mut self) -> Peer {
        Peer::new(poll_fn(|context| self.listener.poll_accept(context)).await.unwrap())
    }
}

/// Runs one scenario in one simulated world, to its end and until nothing is left.
fn simulate(name: &str, scenario: Scenario, seed: u64) -> u64 {
    println!("{name}, seed {seed}");
    let simulation = Simulation::with_options(seed, Options::new());
    if let Err(error) = simulation.block_on(scenario(World::simulated(&simulation))) {
        panic!("{name}: {error}\n{}", simulation.trace().tail(40));
    }
    // What is under way when a scenario ends comes to its end by itself.
    simulation.run_for(Duration::from_secs(600)).unwrap();
    let census = simulation.census();
    assert!(census.is_empty(), "{name}, seed {seed}: {census}\n{}", simulation.trace().tail(40));
    simulation.trace_hash()
}

pub(crate) fn in_simulation(scenarios: &[(&str, Scenario)]) {
    in_random_simulation(scenarios);
    for (name, scenario) in scenarios {
        let [first, second] = [0, 1].map(|_| simulate(name, *scenario, 0));
        assert_eq!(first, second, "{name}: two runs of one seed differ");
    }
}

/// For scenarios of which some entropy is not the simulation's.
pub(crate) fn in_random_simulation(scenarios: &[(&str, Scenario)]) {
    for (name, scenario) in scenarios {
        for seed in 0..SEEDS {
            simulate(name, *scenario, seed);
        }
    }
}

pub(crate) fn on_smol(scenarios: &[(&str, Scenario)]) {
    on(&Smol::new().into(), scenarios);
}

pub(crate) fn on_smol_workers(scenarios: &[(&str, Scenario)]) {
    on(&Smol::workers(2).into(), scenarios);
}

pub(crate) fn on_tokio_workers(scenarios: &[(&str, Scenario)]) {
    on(&Tokio::workers(2).into(), scenarios);
}

pub(crate) fn on_the_current_tokio(scenarios: &[(&str, Scenario)]) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    tokio.block_on(async {
        for (name, scenario) in scenarios {
            println!("{name}");
            scenario(World::real(&Tokio::current().into())).await;
        }
    });
}

/// The scenario runs on the calling thread, the runtime's tasks on its own.
fn on(runtime: &Handle, scenarios: &[(&str, Scenario)]) {
    for (name, scenario) in scenarios {
        println!("{name}");
        futures_lite::future::block_on(scenario(World::real(runtime)));
    }
}

/// Declares the scenarios of a module and their tests, one per runtime.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        crate::world::scenarios!(@table $($name)+);
        crate::world::scenarios!(@tests in_simulation on_smol on_smol_workers on_tokio_workers on_the_current_tokio);
    };
    (random: $($name:ident),+ $(,)?) => {
        crate::world::scenarios!(@table $($name)+);
        crate::world::scenarios!(
            @tests in_random_simulation on_smol on_smol_workers on_tokio_workers on_the_current_tokio
        );
    };
    (@table $($name:ident)+) => {
        const SCENARIOS: &[(&str, crate::world::Scenario)] =
            &[$((stringify!($name), |world| Box::pin($name(world)))),+];
    };
    (@tests $($runtime:ident)+) => {
        $(
            #[test]
            fn $runtime() {
                crate::world::$runtime(SCENARIOS);
            }
        )+
    };
}
pub(crate) use scenarios;
