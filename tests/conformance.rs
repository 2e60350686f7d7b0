//! The conformance cases, held against this project's server and client over loopback, on each runtime.
//!
//! The driver's side is threads and blocking sockets, so that no code of ours judges itself. See `docs/conformance.md`.

#[path = "conformance/case.rs"]
mod case;
#[path = "conformance/client.rs"]
mod client;
#[path = "conformance/cookies.rs"]
mod cookies;
#[path = "conformance/listener.rs"]
mod listener;
#[path = "conformance/redirects.rs"]
mod redirects;
#[path = "conformance/responses.rs"]
mod responses;
#[path = "conformance/server.rs"]
mod server;
#[path = "conformance/tables.rs"]
mod tables;

use std::time::Duration;

use callboard::client::{Error, Response, Session};
use callboard::web::{App, Body, get, post};
use callboard::{Endpoint, Handle, Method, Smol, Tokio};
use futures_lite::future::block_on;

use client::{Fetched, Refused};
use redirects::{Arrived, Send};

/// Ends a request that would wait for ever. Some cases are about that: the client may wait for what never comes.
const DEADLINE: Duration = Duration::from_secs(8);

/// A runtime by the name that the conformance programs give it, and what keeps it alive.
fn runtime(name: &str) -> (Handle, Option<tokio::runtime::Runtime>) {
    match name {
        "smol" => (Smol::new().into(), None),
        "smol-workers" => (Smol::workers(2).into(), None),
        "tokio-workers" => (Tokio::workers(2).into(), None),
        "tokio" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.expect("a Tokio runtime");
            let handle = runtime.block_on(async { Tokio::current().into() });
            (handle, Some(runtime))
        }
        _ => panic!("no runtime {name}"),
    }
}

fn serves(name: &str) {
    let (handle, _runtime) = runtime(name);
    let app = App::new().route("/", get(async || "Hello, World!")).route("/echo", post(async |body: Body| body));
    let server = block_on(app.serve(handle, "127.0.0.1:0")).expect("a server");
    let Endpoint::Tcp(address) = server.local() else { panic!("not TCP: {:?}", server.local()) };
    server::check(name, address);
}

fn fetches(name: &str) {
    let (handle, _runtime) = runtime(name);
    client::check(name, &move |requests| {
        let session = Session::new(handle.clone());
        block_on(async {
            let mut results = Vec::new();
            for (method, url) in requests {
                let method = method.parse::<Method>().expect("a method");
                let response = session.request(method, url).redirects(0).timeout(DEADLINE).await;
                results.push(fetched(response).await);
            }
            results
        })
    });
}

async fn fetched(response: Result<Response, Error>) -> Result<Fetched, Refused> {
    let refused = |error: Error| Refused { text: error.to_string(), by_deadline: error.is_timeout() };
    let response = response.map_err(refused)?;
    let fields = response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    let status = response.status().code();
    let body = response.bytes().await.map_err(refused)?;
    Ok(Fetched { status, headers: fields, body: body.to_vec() })
}

fn follows(name: &str) {
    let (handle, _runtime) = runtime(name);
    let follow = move |send: &Send, url: String| {
        let session = Session::new(handle.clone());
        block_on(async {
            let method = send.method.parse::<Method>().expect("a method");
            let mut request = session.request(method, url).timeout(DEADLINE);
            for (name, value) in &send.headers {
                request = request.header(name, value);
            }
            if let Some(data) = &send.data {
                request = request.header("Content-Type", "text/plain").body(data.clone());
            }
            let response = request.await.map_err(|error| error.to_string())?;
            let (status, url) = (response.status().code(), response.url().to_string());
            let body = response.bytes().await.map_err(|error| error.to_string())?;
            Ok(Arrived { status, url, body: body.to_vec() })
        })
    };
    redirects::check(name, &follow);
}

#[test]
fn the_server_on_smol() {
    serves("smol");
}

#[test]
fn the_server_on_smol_workers() {
    serves("smol-workers");
}

#[test]
fn the_server_on_tokio() {
    serves("tokio");
}

#[test]
fn the_server_on_tokio_workers() {
    serves("tokio-workers");
}

#[test]
fn the_client_on_smol() {
    fetches("smol");
}

#[test]
fn the_client_on_smol_workers() {
    fetches("smol-workers");
}

#[test]
fn the_client_on_tokio() {
    fetches("tokio");
}

#[test]
fn the_client_on_tokio_workers() {
    fetches("tokio-workers");
}

#[test]
fn the_cookie_jar() {
    cookies::check();
}

#[test]
fn redirects_on_smol() {
    follows("smol");
}

#[test]
fn redirects_on_tokio() {
    follows("tokio");
}

// The table cases, by operation: `examples/conformance_driver/tables.rs` has the answers.

#[test]
fn table_of_digest() {
    tables::check("digest");
}

#[test]
fn table_of_digest_challenge() {
    tables::check("digest-challenge");
}

#[test]
fn table_of_disposition() {
    tables::check("disposition");
}

#[test]
fn table_of_encoding() {
    tables::check("encoding");
}

#[test]
fn table_of_multipart() {
    tables::check("multipart");
}

#[test]
fn table_of_safe_filename() {
    tables::check("safe-filename");
}

#[test]
fn table_of_no_proxy() {
    tables::check("no-proxy");
}

#[test]
fn table_of_resolve() {
    tables::check("resolve");
}
