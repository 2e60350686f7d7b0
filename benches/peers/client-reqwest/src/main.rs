//! reqwest: `--connections` tasks on one thread.

use std::cell::Cell;
use std::rc::Rc;

use measure::{Stopwatch, number, port, word};
use reqwest::{Client, Url};
use tokio::task::{LocalSet, spawn_local};

async fn work(client: Client, url: Url, body: &'static [u8], left: Rc<Cell<usize>>) -> usize {
    let mut bytes = 0;
    while left.get() > 0 {
        left.set(left.get() - 1);
        let request = if body.is_empty() { client.get(url.clone()) } else { client.post(url.clone()).body(body) };
        let mut answer = request.send().await.expect("an answer");
        while let Some(chunk) = answer.chunk().await.expect("a chunk") {
            bytes += chunk.len();
        }
    }
    bytes
}

fn main() {
    let (requests, connections) = (number("requests", 10_000), number("connections", 64));
    let url: Url = format!("http://127.0.0.1:{}{}", port(), word("path", "/")).parse().expect("a URL");
    let body: &'static [u8] = vec![b'x'; number("post", 0)].leak();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async move {
        let client = Client::builder().no_proxy().pool_max_idle_per_host(connections).build().expect("a client");
        let left = Rc::new(Cell::new(requests));
        let stopwatch = Stopwatch::start();
        let start = |_| spawn_local(work(client.clone(), url.clone(), body, left.clone()));
        let tasks: Vec<_> = (0..connections).map(start).collect();
        let mut bytes = 0;
        for task in tasks {
            bytes += task.await.expect("a task");
        }
        stopwatch.report(requests, bytes);
    });
}
