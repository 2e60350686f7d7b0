//! The tour: a web application on smol, and a client session that visits each of its routes.
//!
//! Prints what it did, then serves at 127.0.0.1:8080 until Ctrl-C, which drains. `--once` ends after the table.

use std::time::{Duration, Instant};

use bytes::Bytes;
use callboard::client::{self, Session};
use callboard::web::{App, Body, Html, Json, Path, Response, get, post};
use callboard::{Handle, Smol, header};
use futures_lite::{StreamExt, stream};

const MEBIBYTE: usize = 1024 * 1024;

#[derive(serde::Serialize, serde::Deserialize)]
struct Station {
    name: String,
    platform: u8,
}

async fn page() -> Html<&'static str> {
    Html("<!doctype html><title>callboard</title><h1>It runs.</h1>")
}

async fn station() -> Json<Station> {
    Json(Station { name: "Utrecht".into(), platform: 7 })
}

async fn greet(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

/// Counts an upload as it comes: no more than one chunk is held.
async fn upload(mut body: Body) -> Result<String, callboard::web::BodyError> {
    let mut count = 0;
    while let Some(chunk) = body.next().await {
        count += chunk?.len();
    }
    Ok(format!("{count} bytes"))
}

/// Sends 8 MiB as the client takes it.
async fn download() -> Response {
    let chunk = Bytes::from(vec![b'.'; 64 * 1024]);
    let chunks = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())).take(8 * MEBIBYTE / (64 * 1024));
    Response::new(Body::stream(chunks)).with_header(header::CONTENT_TYPE, "application/octet-stream")
}

/// Sends one request, reads the whole answer and prints a row of the table.
async fn visit(what: &str, request: client::RequestBuilder) -> callboard::Result {
    let start = Instant::now();
    let mut response = request.send().await?.error_for_status()?;
    let status = response.status();
    let mut count = 0;
    while let Some(chunk) = response.chunk().await {
        count += chunk?.len();
    }
    println!("{what:<28} {:>6} {count:>10} {:>9.2}", status.code(), start.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}

async fn tour(session: &Session, base: &str) -> callboard::Result {
    println!("{:<28} {:>6} {:>10} {:>9}", "what", "status", "bytes", "ms");
    visit("a page", session.get(format!("{base}/"))).await?;
    visit("JSON", session.get(format!("{base}/station"))).await?;
    visit("a path parameter", session.get(format!("{base}/hello/callboard"))).await?;
    let chunk = Bytes::from(vec![b'u'; 64 * 1024]);
    let chunks = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())).take(128);
    visit("a streamed upload of 8 MiB", session.post(format!("{base}/upload")).body_stream(chunks, None)).await?;
    visit("a streamed download of 8 MiB", session.get(format!("{base}/download"))).await
}

fn main() -> callboard::Result {
    let is_once = std::env::args().any(|argument| argument == "--once");
    let app = App::new()
        .route("/", get(page))
        .route("/station", get(station))
        .route("/hello/{name}", get(greet))
        .route("/upload", post(upload))
        .route("/download", get(download));
    let smol = Smol::new();
    futures_lite::future::block_on(async {
        let address = if is_once { "127.0.0.1:0" } else { "127.0.0.1:8080" };
        let server = app.serve(smol.clone(), address).await?;
        let base = format!("http://{}", server.local());
        tour(&Session::new(smol.clone()), &base).await?;
        if !is_once {
            println!("\nserving at {base} until Ctrl-C");
            Handle::from(smol).signal().await?;
        }
        println!("{:?}", server.drain(Duration::from_secs(30)).await);
        Ok(())
    })
}
