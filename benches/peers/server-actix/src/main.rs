//! actix-web as its documentation shows it, one worker per thread.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::Message as Frame;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use measure::{CHUNK, CHUNKS, MESSAGE, listener, number, port};

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

async fn chunks() -> HttpResponse {
    let chunks = (0..CHUNKS).map(|_| Ok::<_, actix_web::Error>(Bytes::from_static(&CHUNK)));
    HttpResponse::Ok().content_type("application/octet-stream").streaming(stream::iter(chunks))
}

async fn echo(body: web::Payload) -> HttpResponse {
    HttpResponse::Ok().content_type("application/octet-stream").streaming(body)
}

async fn socket(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, mut session, stream) = actix_ws::handle(&request, body)?;
    let mut stream = stream.max_frame_size(64 * 1024 * 1024);
    actix_web::rt::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            let sent = match message {
                Frame::Text(text) => session.text(text).await,
                Frame::Binary(bytes) => session.binary(bytes).await,
                _ => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

fn main() -> std::io::Result<()> {
    let app = || {
        App::new()
            .route("/", web::get().to(async || MESSAGE))
            .route("/json", web::get().to(async || web::Json(Message { message: MESSAGE })))
            .route("/user/{id}", web::get().to(async |id: web::Path<String>| id.into_inner()))
            .route("/echo", web::post().to(echo))
            .route("/stream", web::get().to(chunks))
            .route("/ws", web::get().to(socket))
    };
    let serve = async move { HttpServer::new(app).workers(number("threads", 1)).listen(listener(port()))?.run().await };
    actix_web::rt::System::new().block_on(serve)
}
