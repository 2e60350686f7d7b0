//! The server that outside suites and benches talk to.
//!
//! `conformance_server --port P --runtime smol|smol-workers|tokio|tokio-workers [--threads N] [--root DIR] [--tls]`
//!
//! Serves `/`, `/json`, `/user/{id}`, `/echo`, `/stream` and the WebSocket `/ws`, which echoes. `--root` is for static
//! files, which do not exist yet.

use std::sync::Arc;

use bytes::Bytes;
use callboard::core::BodyLength;
use callboard::web::{App, Body, BodyError, Data, Json, Path, Response, WebSocketUpgrade, get, post};
use callboard::websocket::{Compression, Settings};
use callboard::{Handle, Smol, Tokio, header};
use futures_lite::{StreamExt, stream};

/// The body of `/stream`: 1 MiB in chunks of 16 KiB.
static CHUNK: [u8; 16 * 1024] = [b'x'; 16 * 1024];

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

/// How much of a request is read before its echo begins; beyond this it streams, both ways at once.
///
/// Some proxies cannot do that: nginx 1.22, told not to buffer requests, may forget the rest of one whose answer it
/// relays already, and haproxy 2.6 the body of an answer whose head came with the 100.
const AHEAD: usize = 8 * 1024 * 1024;

async fn echo(mut body: Body) -> Result<Response, BodyError> {
    let (length, mut ahead) = (body.length(), Vec::new());
    while ahead.len() < AHEAD {
        let Some(part) = body.next().await else { break };
        ahead.extend_from_slice(&part?);
    }
    let stream = stream::once(Ok(Bytes::from(ahead))).chain(body);
    let body = match length {
        BodyLength::Empty => Body::full(Bytes::new()),
        BodyLength::Known(length) => Body::sized_stream(stream, length),
        BodyLength::Unknown => Body::stream(stream),
    };
    Ok(Response::new(body).with_header(header::CONTENT_TYPE, "application/octet-stream"))
}

async fn chunks() -> Response {
    let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&CHUNK)));
    Response::new(Body::stream(chunks.take(64))).with_header(header::CONTENT_TYPE, "application/octet-stream")
}

/// For messages as large as any suite sends.
fn settings() -> Arc<Settings> {
    let largest = 64 * 1024 * 1024;
    let compression = Some(Compression::default());
    Settings { max_message: largest, max_frame: largest, compression, ..Settings::default() }.into()
}

async fn echo_messages(settings: Data<Arc<Settings>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.settings(Arc::clone(&settings)).on(async |mut socket| {
        while let Some(message) = socket.next().await? {
            socket.send(message).await?;
        }
        Ok(())
    })
}

fn app() -> App {
    App::new()
        .route("/", get(async || "Hello, World!"))
        .route("/json", get(async || Json(Message { message: "Hello, World!" })))
        .route("/user/{id}", get(async |Path(id): Path<String>| id))
        .route("/echo", post(echo))
        .route("/stream", get(chunks))
        .route("/ws", get(echo_messages))
        .data(settings())
}

struct Options {
    port: u16,
    runtime: String,
    threads: usize,
    is_tls: bool,
}

fn options() -> callboard::Result<Options> {
    let mut options = Options { port: 8080, runtime: "smol".into(), threads: 1, is_tls: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--port" => options.port = value()?.parse()?,
            "--runtime" => options.runtime = value()?,
            "--threads" => options.threads = value()?.parse()?,
            "--root" => eprintln!("--root {}: static files are not built yet", value()?),
            "--tls" => options.is_tls = true,
            _ => return Err(format!("unknown argument {word}").into()),
        }
    }
    Ok(options)
}

fn main() -> callboard::Result {
    let options = options()?;
    let mut app = app();
    if options.is_tls {
        let (chain, key) = (include_bytes!("certificates/localhost.pem"), include_bytes!("certificates/localhost.key"));
        app = app.tls(callboard::runtime::tls::TlsAcceptor::from_pem(chain, key)?);
    }
    let address = format!("127.0.0.1:{}", options.port);
    let runtime: Handle = match options.runtime.as_str() {
        "smol" => Smol::new().into(),
        "smol-workers" => Smol::workers(options.threads).into(),
        "tokio-workers" => Tokio::workers(options.threads).into(),
        // A runtime that the application owns, and callboard only uses.
        "tokio" => {
            let tokio =
                tokio::runtime::Builder::new_multi_thread().worker_threads(options.threads).enable_all().build()?;
            return tokio.block_on(async {
                let server = app.serve(Tokio::current(), address.as_str()).await?;
                Handle::from(Tokio::current()).signal().await?;
                server.drain(std::time::Duration::from_secs(30)).await;
                Ok(())
            });
        }
        other => return Err(format!("unknown runtime {other}").into()),
    };
    Ok(app.run(runtime, address.as_str())?)
}
