//! fastwebsockets behind hyper: one current-thread runtime per core, echoes of WebSocket messages.

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError, upgrade};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use measure::{listener, number, on_threads, port};

async fn handle(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgrade) = upgrade::upgrade(&mut request)?;
    tokio::spawn(async move {
        let Ok(socket) = upgrade.await else { return };
        let mut socket = FragmentCollector::new(socket);
        while let Ok(frame) = socket.read_frame().await {
            let is_data = matches!(frame.opcode, OpCode::Text | OpCode::Binary);
            if frame.opcode == OpCode::Close || (is_data && socket.write_frame(frame).await.is_err()) {
                return;
            }
        }
    });
    Ok(response)
}

async fn serve(port: u16) {
    let listener = tokio::net::TcpListener::from_std(listener(port)).expect("a listener");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).expect("an option of a socket");
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(handle)).with_upgrades());
    }
}

fn main() {
    let port = port();
    on_threads(number("threads", 1), move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        runtime.expect("a runtime").block_on(serve(port));
    });
}
