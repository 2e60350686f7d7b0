//! axum as its documentation shows it, on one thread or on Tokio's work-stealing runtime.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use measure::{CHUNK, CHUNKS, MESSAGE, listener, number, port};

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

async fn chunks() -> impl IntoResponse {
    let chunks = (0..CHUNKS).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&CHUNK)));
    ([(CONTENT_TYPE, "application/octet-stream")], Body::from_stream(stream::iter(chunks)))
}

async fn serve(port: u16) {
    let app = Router::new()
        .route("/", get(async || MESSAGE))
        .route("/json", get(async || Json(Message { message: MESSAGE })))
        .route("/user/{id}", get(async |Path(id): Path<String>| id))
        .route("/echo", post(async |body: Body| body))
        .route("/stream", get(chunks));
    let listener = tokio::net::TcpListener::from_std(listener(port)).expect("a listener").tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await.expect("a server");
}

fn main() {
    let threads = number("threads", 1);
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).enable_all().build().expect("a runtime").block_on(serve(port()));
}
