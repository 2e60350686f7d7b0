//! hyper alone: one current-thread runtime per core, its fastest settings for pipelined requests.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use measure::{CHUNK, CHUNKS, HELLO, MESSAGE, listener, number, on_threads, port};

type Body = BoxBody<Bytes, hyper::Error>;

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never: Infallible| match never {}).boxed()
}

fn answer(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn handle(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let path = request.uri().path();
    Ok(match (request.method(), path) {
        (&Method::GET, "/") => answer("text/plain", whole(HELLO)),
        (&Method::GET, "/json") => {
            answer("application/json", whole(serde_json::to_vec(&Message { message: MESSAGE }).expect("a message")))
        }
        (&Method::GET, "/stream") => {
            let chunks = (0..CHUNKS).map(|_| Ok(Frame::data(Bytes::from_static(&CHUNK))));
            answer("application/octet-stream", StreamBody::new(stream::iter(chunks)).boxed())
        }
        (&Method::POST, "/echo") => answer("application/octet-stream", request.into_body().boxed()),
        (&Method::GET, _) if path.starts_with("/user/") => {
            answer("text/plain", whole(path["/user/".len()..].to_owned()))
        }
        _ => {
            let mut response = Response::new(whole(""));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    })
}

async fn serve(port: u16) {
    let listener = tokio::net::TcpListener::from_std(listener(port)).expect("a listener");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.set_nodelay(true);
        let connection =
            http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service_fn(handle));
        tokio::spawn(connection);
    }
}

fn main() {
    let port = port();
    on_threads(number("threads", 1), move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(serve(port));
    });
}
