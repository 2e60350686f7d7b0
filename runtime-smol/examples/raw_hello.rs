//! The port alone, without HTTP machines: answers whatever comes with a hello, so that what it costs is the runtime's
//! cost.
//!
//! `cargo run --release -p callboard-smol --example raw_hello -- PORT WORKERS`; 0 workers is stock async-io.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::Pin;

use callboard_runtime::{Buffers, Endpoint, Handle, ListenOptions, Stream, Task};
use callboard_smol::Smol;
use futures_lite::{AsyncWrite, AsyncWriteExt as _};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().unwrap_or(0_u16));
    let (port, workers) = (arguments.next().unwrap_or(8080), arguments.next().unwrap_or(1));
    let runtime = Handle::from(if workers == 0 { Smol::new() } else { Smol::workers(workers.into()) });
    runtime.block_on(Box::pin(async {
        for worker in 0..runtime.workers() {
            let handle = runtime.clone();
            runtime.spawn_on(worker, Box::new(move || accept(handle, port)));
        }
        std::future::pending::<()>().await;
    }))
}

fn accept(runtime: Handle, port: u16) -> Task {
    let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
    let mut listener = runtime.listen(Endpoint::Tcp((Ipv4Addr::LOCALHOST, port).into()), options).expect("a free port");
    Box::pin(async move {
        while let Ok(stream) = poll_fn(|context| listener.poll_accept(context)).await {
            runtime.spawn(Box::pin(serve(stream)));
        }
    })
}

async fn serve(mut stream: Box<dyn Stream>) {
    // Buffers are held only while there is something in them.
    while poll_fn(|context| stream.poll_readable(context)).await.is_ok() {
        let (mut input, mut output) = (Buffers::take(), Vec::new());
        Buffers::make_room(&mut input);
        match poll_fn(|context| stream.poll_fill(context, &mut input)).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let requests = input.windows(4).filter(|window| window == b"\r\n\r\n").count();
        for _ in 0..requests {
            output.extend_from_slice(ANSWER);
        }
        Buffers::give(input);
        let sent = poll_fn(|context| Pin::new(&mut stream).poll_write(context, &output)).await;
        match sent {
            Ok(count) if count == output.len() => {}
            Ok(count) if stream.write_all(&output[count..]).await.is_ok() => {}
            _ => return,
        }
    }
}
