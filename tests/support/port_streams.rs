//! Cases about streams: bytes both ways, ends, cancellation.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::Poll;

use bytes::BytesMut;
use callboard_runtime::{ConnectOptions, Endpoint, Handle, Stream};
use futures_lite::io::AsyncWrite;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Case, Gift, accept, block, fill, listen, loopback, pair, read_exact, read_to_end, socket_path, spawn};

pub(crate) const CASES: &[Case] = &[
    ("echo over TCP", |runtime| echo(runtime, loopback())),
    ("echo over a Unix socket", |runtime| echo(runtime, Endpoint::Unix(socket_path()))),
    ("a mebibyte both ways with tiny reads over TCP", |runtime| mebibyte(runtime, loopback())),
    ("a mebibyte both ways with tiny reads over a Unix socket", |runtime| {
        mebibyte(runtime, Endpoint::Unix(socket_path()));
    }),
    ("half-close by the client", |runtime| half_close(runtime, true)),
    ("half-close by the server", |runtime| half_close(runtime, false)),
    ("an end that comes with the last bytes", end_with_bytes),
    ("a peer that is dropped", dropped_peer),
    ("writing to a dropped peer", write_to_dropped_peer),
    ("abort on drop", abort_on_drop),
    ("readable without a buffer", readable),
    ("a buffer without room gets some", no_room),
    ("vectored writes", vectored),
    ("a pending read is dropped", cancelled_read),
    ("a stream changes its task", changes_task),
    ("back pressure", back_pressure),
    ("futures-io reads", plain_read),
    ("ends are told", info),
];

/// Bytes in which a shift or a loss shows.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251).to_le_bytes()[0] ^ (index >> 10).to_le_bytes()[0]).collect()
}

async fn serve_echo(mut stream: Box<dyn Stream>) {
    let mut buffer = BytesMut::with_capacity(4096);
    while fill(&mut stream, &mut buffer).await.expect("reading") != 0 {
        stream.write_all(&buffer).await.expect("writing");
        buffer.clear();
    }
    stream.close().await.expect("half-closing");
}

fn echo(runtime: &Handle, endpoint: Endpoint) {
    let mut listener = listen(runtime, endpoint);
    let address = listener.local();
    let server = spawn(runtime, async move { serve_echo(accept(&mut listener).await.expect("a client")).await });
    block(runtime, async {
        let mut stream = runtime.connect(address, ConnectOptions::default()).await.expect("a server");
        for round in 1..200 {
            let sent = pattern(round);
            stream.write_all(&sent).await.expect("writing");
            assert_eq!(read_exact(&mut stream, round).await.expect("reading"), sent);
        }
        stream.close().await.expect("half-closing");
        assert_eq!(read_to_end(&mut stream).await.expect("the end"), b"");
        server.await;
    });
}

/// Writes and reads at once, as one task does with a stream that it owns.
fn mebibyte(runtime: &Handle, endpoint: Endpoint) {
    const SIZE: usize = 1 << 20;
    let mut listener = listen(runtime, endpoint);
    let address = listener.local();
    let server = spawn(runtime, async move { serve_echo(accept(&mut listener).await.expect("a client")).await });
    let sent = pattern(SIZE);
    let received = block(runtime, async {
        let mut stream = runtime.connect(address, ConnectOptions::default()).await.expect("a server");
        let (mut written, mut received, mut is_closed) = (0, Vec::with_capacity(SIZE), false);
        let mut buffer = BytesMut::new();
        poll_fn(|context| {
            while written < SIZE {
                match Pin::new(&mut stream).poll_write(context, &sent[written..SIZE.min(written + 50_000)]) {
                    Poll::Ready(count) => written += count.expect("writing"),
                    Poll::Pending => break,
                }
            }
            if written == SIZE && !is_closed {
                is_closed = Pin::new(&mut stream).poll_close(context).map(|result| result.expect("ends")).is_ready();
            }
            loop {
                buffer.reserve(1 + received.len() % 97);
                match stream.poll_fill(context, &mut buffer) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(()),
                    Poll::Ready(Ok(_)) => received.extend_from_slice(&buffer),
                    Poll::Ready(Err(error)) => panic!("reading: {error}"),
                    Poll::Pending => return Poll::Pending,
                }
                buffer = BytesMut::new();
            }
        })
        .await;
        server.await;
        received
    });
    assert!(received == sent, "{} bytes came back of {SIZE}, or others", received.len());
}

fn half_close(runtime: &Handle, client_first: bool) {
    for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
        block(runtime, async {
            let (client, server) = pair(runtime, endpoint).await;
            let (mut first, mut second) = if client_first { (client, server) } else { (server, client) };
            first.write_all(b"question").await.expect("writing");
            first.close().await.expect("half-closing");
            assert_eq!(read_to_end(&mut second).await.expect("reading"), b"question");
            second.write_all(b"answer").await.expect("writing after the peer's end");
            second.write_all(b", more").await.expect("writing after the peer's end");
            second.close().await.expect("half-closing");
            assert_eq!(read_to_end(&mut first).await.expect("reading after our end"), b"answer, more");
            assert_eq!(read_to_end(&mut first).await.expect("the end stays"), b"");
        });
    }
}

fn end_with_bytes(runtime: &Handle) {
    block(runtime, async {
        for _ in 0..50 {
            let (mut client, mut server) = pair(runtime, loopback()).await;
            client.write_all(b"last").await.expect("writing");
            drop(client);
            assert_eq!(read_to_end(&mut server).await.expect("reading"), b"last");
        }
    });
}

fn dropped_peer(runtime: &Handle) {
    block(runtime, async {
        for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
            let (client, mut server) = pair(runtime, endpoint).await;
            let reading = spawn(runtime, async move { read_to_end(&mut server).await });
            drop(client);
            assert_eq!(reading.await.expect("an end"), b"");
        }
    });
}

fn write_to_dropped_peer(runtime: &Handle) {
    block(runtime, async {
        for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
            let (mut client, server) = pair(runtime, endpoint).await;
            drop(server);
            // The first writes may still be taken; a signal or a hang would end the suite.
            while client.write_all(&[0; 4096]).await.is_ok() {}
        }
    });
}

fn abort_on_drop(runtime: &Handle) {
    block(runtime, async {
        for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
            let (mut client, mut server) = pair(runtime, endpoint).await;
            client.write_all(b"partial").await.expect("writing");
            assert_eq!(read_exact(&mut server, 7).await.expect("reading"), b"partial");
            client.abort_on_drop();
            drop(client);
            if let Ok(rest) = read_to_end(&mut server).await {
                assert_eq!(rest, b"");
            }
        }
    });
}

fn readable(runtime: &Handle) {
    block(runtime, async {
        let (mut client, mut server) = pair(runtime, loopback()).await;
        let ready = Gift::new();
        let giver = ready.clone();
        let reading = spawn(runtime, async move {
            poll_fn(|context| {
                let polled = server.poll_readable(context);
                giver.give(());
                polled
            })
            .await
            .expect("readable");
            // Twice is harmless, and takes nothing.
            poll_fn(|context| server.poll_readable(context)).await.expect("readable");
            read_exact(&mut server, 2).await
        });
        ready.take().await;
        client.write_all(b"ab").await.expect("writing");
        assert_eq!(reading.await.expect("reading"), b"ab");
    });
}

fn no_room(runtime: &Handle) {
    block(runtime, async {
        let (mut client, mut server) = pair(runtime, loopback()).await;
        client.write_all(b"abc").await.expect("writing");
        let mut buffer = BytesMut::new();
        assert_eq!(fill(&mut server, &mut buffer).await.expect("reading"), 3);
        assert_eq!(&buffer[..], b"abc");
        // Appends, within the room that there is.
        let mut buffer = BytesMut::with_capacity(6);
        buffer.extend_from_slice(b"12");
        let room = buffer.capacity() - 2;
        client.write_all(&pattern(1000)).await.expect("writing");
        let count = fill(&mut server, &mut buffer).await.expect("reading");
        assert!((1..=room).contains(&count));
        assert_eq!(&buffer[2..], &pattern(1000)[..count]);
    });
}

fn vectored(runtime: &Handle) {
    block(runtime, async {
        for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
            let (mut client, mut server) = pair(runtime, endpoint).await;
            let parts = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two "), IoSlice::new(b"three")];
            let count = poll_fn(|context| Pin::new(&mut client).poll_write_vectored(context, &parts)).await;
            assert_eq!(count.expect("writing"), 13, "small parts fit in one write");
            assert_eq!(read_exact(&mut server, 13).await.expect("reading"), b"one two three");
            let many = vec![IoSlice::new(b"x"); 5000];
            let count = poll_fn(|context| Pin::new(&mut client).poll_write_vectored(context, &many)).await;
            assert!(count.expect("more parts than the system takes at once are no error") > 0);
        }
    });
}

fn cancelled_read(runtime: &Handle) {
    block(runtime, async {
        let (mut client, mut server) = pair(runtime, loopback()).await;
        let mut buffer = BytesMut::with_capacity(64);
        poll_fn(|context| {
            assert!(server.poll_fill(context, &mut buffer).is_pending());
            Poll::Ready(())
        })
        .await;
        client.write_all(b"later").await.expect("writing");
        assert_eq!(read_exact(&mut server, 5).await.expect("reading"), b"later");
        // And one that is dropped with its stream.
        poll_fn(|context| Poll::Ready(server.poll_readable(context).is_pending())).await;
        drop(server);
        assert_eq!(read_to_end(&mut client).await.expect("the end"), b"");
    });
}

fn changes_task(runtime: &Handle) {
    block(runtime, async {
        let (mut client, mut server) = pair(runtime, loopback()).await;
        for round in 0..20 {
            // Here it registers this task, unless it cannot tell; then the other one takes over.
            poll_fn(|context| Poll::Ready(server.poll_readable(context).is_pending())).await;
            let waiting = Gift::new();
            let giver = waiting.clone();
            let reading = spawn(runtime, async move {
                let mut buffer = BytesMut::with_capacity(16);
                let count = poll_fn(|context| {
                    let polled = server.poll_fill(context, &mut buffer);
                    giver.give(());
                    polled
                })
                .await;
                (server, count.expect("reading"))
            });
            waiting.take().await;
            client.write_all(&[round; 3]).await.expect("writing");
            let (back, count) = reading.await;
            assert_eq!(count, 3);
            server = back;
        }
    });
}

fn back_pressure(runtime: &Handle) {
    block(runtime, async {
        let (mut client, mut server) = pair(runtime, loopback()).await;
        // Fill until the system takes no more.
        let chunk = pattern(1 << 16);
        let mut written = 0;
        poll_fn(|context| {
            while let Poll::Ready(count) = Pin::new(&mut client).poll_write(context, &chunk) {
                written += count.expect("writing");
            }
            Poll::Ready(())
        })
        .await;
        let writing = spawn(runtime, async move {
            client.write_all(b"the rest").await.expect("writing");
            drop(client);
        });
        let received = read_to_end(&mut server).await.expect("reading");
        assert_eq!(received.len(), written + 8);
        assert!(received.ends_with(b"the rest"));
        writing.await;
    });
}

fn plain_read(runtime: &Handle) {
    block(runtime, async {
        let (mut client, mut server) = pair(runtime, loopback()).await;
        let sent = pattern(100_000);
        let expected = sent.clone();
        let writing = spawn(runtime, async move {
            client.write_all(&sent).await.expect("writing");
            client.flush().await.expect("flushing");
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.expect("reading");
        assert!(received == expected);
        writing.await;
    });
}

fn info(runtime: &Handle) {
    block(runtime, async {
        let (client, server) = pair(runtime, loopback()).await;
        let (client, server) = (client.info(), server.info());
        assert_eq!((client.local, client.peer), (server.peer, server.local));
        assert_eq!((client.tls, server.tls), (None, None));
        let path = socket_path();
        let (client, server) = pair(runtime, Endpoint::Unix(path.clone())).await;
        assert_eq!(client.info().peer, Endpoint::Unix(path.clone()));
        assert_eq!(server.info().local, Endpoint::Unix(path));
    });
}
