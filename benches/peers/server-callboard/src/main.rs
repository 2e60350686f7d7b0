//! callboard on the runtime that `--runtime` names: `smol` (async-io), `smol-workers` or `tokio-workers`.

use std::sync::Arc;

use bytes::Bytes;
use callboard::web::{App, Body, Json, Path, Response, WebSocketUpgrade, get, post};
use callboard::websocket::{Compression, Settings};
use callboard::{Handle, Smol, Tokio, header};
use futures_lite::stream;
use measure::{CHUNK, CHUNKS, MESSAGE, number, port, word};

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

async fn chunks() -> Response {
    let chunks = (0..CHUNKS).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&CHUNK)));
    Response::new(Body::stream(stream::iter(chunks))).with_header(header::CONTENT_TYPE, "application/octet-stream")
}

async fn echo(settings: Arc<Settings>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.settings(settings).on(async |mut socket| {
        while let Some(message) = socket.next().await? {
            socket.send(message).await?;
        }
        Ok(())
    })
}

fn main() {
    // One for all connections.
    let settings = Arc::new(Settings {
        max_message: 64 << 20,
        max_frame: 64 << 20,
        compression: Some(Compression::default()),
        ..Settings::default()
    });
    let app = App::new()
        .route("/", get(async || MESSAGE))
        .route("/json", get(async || Json(Message { message: MESSAGE })))
        .route("/user/{id}", get(async |Path(id): Path<String>| id))
        .route("/echo", post(async |body: Body| body))
        .route("/stream", get(chunks))
        .route("/ws", get(async move |upgrade: WebSocketUpgrade| echo(Arc::clone(&settings), upgrade).await));
    let threads = number("threads", 1);
    let runtime: Handle = match word("runtime", "smol-workers").as_str() {
        "smol" => Smol::new().into(),
        "smol-workers" => Smol::workers(threads).into(),
        "tokio-workers" => Tokio::workers(threads).into(),
        other => panic!("no runtime {other}"),
    };
    app.run(runtime, format!("127.0.0.1:{}", port()).as_str()).expect("a server");
}
