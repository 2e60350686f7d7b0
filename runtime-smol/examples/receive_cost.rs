//! What reading costs when the room is zeroed before each read, beside the stream's own way, which does not: figures
//! for the head of `src/receive.rs`.
//!
//! `cargo run --release -p callboard-smol --example receive_cost`

use std::future::poll_fn;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use callboard_runtime::{Endpoint, ListenOptions, Runtime, Stream};
use callboard_smol::Smol;
use futures_lite::AsyncRead;

const ROUNDS: u32 = 50_000;
const ROOM: usize = 32 * 1024;
/// A request without much in it.
const MESSAGE: [u8; 64] = [b'x'; 64];

fn main() -> std::io::Result<()> {
    let path: PathBuf = std::env::temp_dir().join(format!("callboard-receive-cost-{}", std::process::id()));
    let runtime = Smol::workers(1);
    let mut listener = runtime.listen(Endpoint::Unix(path.clone()), ListenOptions::default())?;
    let mut peer = UnixStream::connect(&path)?;
    let mut blocking = UnixStream::connect(&path)?;
    let mut best = [Duration::MAX; 2];
    runtime.block_on(Box::pin(async {
        let mut stream = poll_fn(|context| listener.poll_accept(context)).await.expect("the first peer");
        let mut other = poll_fn(|context| listener.poll_accept(context)).await.expect("the second peer");
        let mut buffer = BytesMut::with_capacity(ROOM);
        for _ in 0..5 {
            best[0] = best[0].min(own_way(&mut peer, &mut stream, &mut buffer).await);
            best[1] = best[1].min(zeroed(&mut blocking, &mut other, &mut buffer).await);
        }
    }))?;
    let nanos = best.map(|duration| duration.as_nanos() / u128::from(ROUNDS));
    println!("a 64-byte message into {ROOM} bytes of room, written and read, nanoseconds, best of 5:");
    println!("  room not zeroed: {}", nanos[0]);
    println!("  room zeroed:     {}", nanos[1]);
    Ok(())
}

async fn own_way(peer: &mut UnixStream, stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> Duration {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        peer.write_all(&MESSAGE).expect("a peer");
        poll_fn(|context| stream.poll_fill(context, buffer)).await.expect("a message");
        buffer.clear();
    }
    start.elapsed()
}

/// The same, and the room zeroed first: what a read into `&mut [u8]` needs.
async fn zeroed(peer: &mut UnixStream, stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> Duration {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        peer.write_all(&MESSAGE).expect("a peer");
        buffer.resize(ROOM, 0);
        let count = poll_fn(|context| Pin::new(&mut *stream).poll_read(context, buffer)).await;
        buffer.truncate(count.expect("a message"));
        buffer.clear();
    }
    start.elapsed()
}
