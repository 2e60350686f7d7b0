//! Finds a bug that hardly ever shows: two requests that read, wait and write lose one of two updates.
//!
//! The application and the client are the real ones; only the runtime is simulated. Each seed is one order of events,
//! and the seed that fails is printed: the same seed fails in the same way each time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard::client::Session;
use callboard::sim::Host;
use callboard::web::{App, Data, get, post};
use callboard::{Handle, Simulation};

/// A counter behind a store that takes a while to answer.
struct Counter {
    value: Mutex<u32>,
    runtime: Handle,
}

async fn increment(counter: Data<Arc<Counter>>) -> String {
    let seen = *counter.value.lock().unwrap();
    counter.runtime.sleep(Duration::from_millis(1)).await;
    *counter.value.lock().unwrap() = seen + 1; // the bug: another request may have written meanwhile
    (seen + 1).to_string()
}

async fn read(counter: Data<Arc<Counter>>) -> String {
    counter.value.lock().unwrap().to_string()
}

fn app(host: &Host) -> App {
    let counter = Arc::new(Counter { value: Mutex::new(0), runtime: host.runtime().into() });
    App::new().route("/increment", post(increment)).route("/count", get(read)).data(counter)
}

/// Two clients count to two, each at a moment of its own choosing.
async fn scenario(simulation: Simulation) -> callboard::Result {
    let server = simulation.host("server");
    let _serving = app(&server).serve(server.runtime(), "0.0.0.0:80").await?;
    let visits = ["first", "second"].map(|name| {
        let host = simulation.host(name);
        let session = Session::new(host.runtime());
        let pause = Duration::from_micros(Handle::from(host.runtime()).entropy() % 20_000);
        async move {
            Handle::from(host.runtime()).sleep(pause).await;
            session.post("http://server/increment").await?.error_for_status()?.text().await
        }
    });
    let [first, second] = visits;
    let (first, second) = futures_lite::future::zip(first, second).await;
    first.and(second)?;
    let session = Session::new(simulation.host("reader").runtime());
    let count = session.get("http://server/count").await?.text().await?;
    if count == "2" { Ok(()) } else { Err(format!("two increments gave {count}").into()) }
}

fn main() {
    match Simulation::seeds(0..1_000).check_quietly(scenario) {
        Ok(report) => println!("no failing seed: {report:?}"),
        Err(failure) => {
            println!("seed {}: {}", failure.seed, failure.message);
            println!("replay it with Simulation::new({})", failure.seed);
        }
    }
}
