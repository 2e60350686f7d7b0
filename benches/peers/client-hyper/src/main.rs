//! hyper-util's pooled client: `--connections` tasks on one thread.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use measure::{Stopwatch, number, port, word};
use tokio::task::{LocalSet, spawn_local};

async fn work(client: Client<HttpConnector, Full<Bytes>>, url: Uri, body: Bytes, left: Rc<Cell<usize>>) -> usize {
    let mut bytes = 0;
    while left.get() > 0 {
        left.set(left.get() - 1);
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let request =
            Request::builder().method(method).uri(url.clone()).body(Full::new(body.clone())).expect("a request");
        let mut answer = client.request(request).await.expect("an answer").into_body();
        while let Some(frame) = answer.frame().await {
            bytes += frame.expect("a frame").data_ref().map_or(0, Bytes::len);
        }
    }
    bytes
}

fn main() {
    let (requests, connections) = (number("requests", 10_000), number("connections", 64));
    let url: Uri = format!("http://127.0.0.1:{}{}", port(), word("path", "/")).parse().expect("a URL");
    let body = Bytes::from(vec![b'x'; number("post", 0)]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async move {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(connections).build(connector);
        let left = Rc::new(Cell::new(requests));
        let stopwatch = Stopwatch::start();
        let start = |_| spawn_local(work(client.clone(), url.clone(), body.clone(), left.clone()));
        let tasks: Vec<_> = (0..connections).map(start).collect();
        let mut bytes = 0;
        for task in tasks {
            bytes += task.await.expect("a task");
        }
        stopwatch.report(requests, bytes);
    });
}
