//! tokio-tungstenite: one current-thread runtime per core, echoes of WebSocket messages.

use futures_util::{SinkExt, StreamExt};
use measure::{listener, number, on_threads, port};
use tokio::net::TcpStream;

async fn echo(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        let is_data = message.is_text() || message.is_binary();
        if is_data && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn serve(port: u16) {
    let listener = tokio::net::TcpListener::from_std(listener(port)).expect("a listener");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).expect("an option of a socket");
        tokio::spawn(echo(stream));
    }
}

fn main() {
    let port = port();
    on_threads(number("threads", 1), move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        runtime.expect("a runtime").block_on(serve(port));
    });
}
