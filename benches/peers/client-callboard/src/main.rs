//! callboard's session: `--connections` tasks on one thread of the runtime that `--runtime` names: `smol`,
//! `smol-workers` or `tokio`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callboard::client::{Session, Url};
use callboard::{Handle, Smol, Tokio};
use measure::{Stopwatch, number, port, word};

/// Sends requests while any are left; gives the bytes received.
async fn work(session: Session, url: Url, post: usize, left: Arc<AtomicUsize>) -> usize {
    let body: &'static [u8] = vec![b'x'; post].leak();
    let take = |left: usize| left.checked_sub(1);
    let mut bytes = 0;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let request = if post == 0 { session.get(&url) } else { session.post(&url).body(body) };
        let mut response = request.await.expect("an answer");
        while let Some(chunk) = response.chunk().await {
            bytes += chunk.expect("a chunk").len();
        }
    }
    bytes
}

fn main() {
    let (requests, tasks, post) = (number("requests", 10_000), number("connections", 64), number("post", 0));
    let url: Url = format!("http://127.0.0.1:{}{}", port(), word("path", "/")).parse().expect("a URL");
    let runtime: Handle = match word("runtime", "smol").as_str() {
        "smol" => Smol::new().into(),
        "smol-workers" => Smol::workers(1).into(),
        "tokio" => Tokio::workers(1).into(),
        other => panic!("no runtime {other}"),
    };
    let own = runtime.clone();
    let finished = runtime.block_on(Box::pin(async move {
        let session = Session::builder(own.clone()).connections(tasks).connections_per_host(tasks).build();
        let left = Arc::new(AtomicUsize::new(requests));
        let (ended, ends) = async_channel::bounded(tasks);
        let stopwatch = Stopwatch::start();
        for _ in 0..tasks {
            let (work, ended) = (work(session.clone(), url.clone(), post, left.clone()), ended.clone());
            own.spawn(Box::pin(async move { ended.send(work.await).await.expect("somebody counts") }));
        }
        let mut received = 0;
        for _ in 0..tasks {
            received += ends.recv().await.expect("a task that ends well");
        }
        stopwatch.report(requests, received);
    }));
    finished.expect("a runtime");
}
