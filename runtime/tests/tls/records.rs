//! The stream after the handshake: bytes both ways, ends and cuts, waiting.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::BytesMut;
use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::future::{block_on, yield_now, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::duplex::{Lane, duplex};
use crate::{Boxed, ROOM, established};

async fn fill(stream: &mut Boxed, buffer: &mut BytesMut) -> io::Result<usize> {
    poll_fn(|context| stream.poll_fill(context, buffer)).await
}

async fn drain(stream: &mut Boxed) -> io::Result<BytesMut> {
    let mut buffer = BytesMut::new();
    while fill(stream, &mut buffer).await? > 0 {}
    Ok(buffer)
}

/// Bytes that show where they belong.
fn pattern(length: usize, step: usize) -> Vec<u8> {
    (0..length).map(|index| u8::try_from(index * step / 7 % 251).unwrap()).collect()
}

/// Sends `out` and ends, and receives until the end, with neither waiting for the other.
async fn exchange(mut stream: Boxed, out: &[u8]) -> BytesMut {
    let mut received = BytesMut::new();
    let (mut sent, mut ended) = (0, false);
    poll_fn(|context| {
        let mut blocked = false;
        while sent < out.len() && !blocked {
            match Pin::new(&mut stream).poll_write(context, &out[sent..])? {
                Poll::Ready(count) => sent += count,
                Poll::Pending => blocked = true,
            }
        }
        let closed = sent == out.len() && Pin::new(&mut stream).poll_close(context)?.is_ready();
        while !ended {
            match stream.poll_fill(context, &mut received)? {
                Poll::Ready(count) => ended = count == 0,
                Poll::Pending => return Poll::Pending,
            }
        }
        if closed { Poll::Ready(io::Result::Ok(())) } else { Poll::Pending }
    })
    .await
    .unwrap();
    received
}

#[test]
fn a_mebibyte_each_way_arrives_by_single_bytes() {
    let (client, server) = duplex(ROOM, 1);
    let (client, server) = established(client, server);
    let (question, answer) = (pattern(1 << 20, 3), pattern(1 << 20, 5));
    let (answered, asked) = block_on(zip(exchange(client, &question), exchange(server, &answer)));
    assert!(asked == question);
    assert!(answered == answer);
}

#[test]
fn an_end_is_an_end_and_stays_one() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let lane = client.outgoing();
    let (mut client, mut server) = established(client, server);
    block_on(async {
        client.write_all(b"all").await.unwrap();
        assert!(!lane.is_ended());
        client.close().await.unwrap();
        assert!(lane.is_ended());
        assert_eq!(drain(&mut server).await.unwrap(), "all");
        assert_eq!(fill(&mut server, &mut BytesMut::new()).await.unwrap(), 0);
        assert_eq!(server.read(&mut [0; 4]).await.unwrap(), 0);
        poll_fn(|context| server.poll_readable(context)).await.unwrap();
        assert_eq!(client.write(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn after_the_half_close_the_other_half_goes_on() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let (mut client, mut server) = established(client, server);
    let answer = pattern(300_000, 1);
    block_on(async {
        client.write_all(b"question").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(drain(&mut server).await.unwrap(), "question");
        let write = async {
            server.write_all(&answer).await.unwrap();
            server.close().await.unwrap();
        };
        let ((), got) = zip(write, drain(&mut client)).await;
        assert!(got.unwrap() == answer);
    });
}

#[test]
fn a_cut_is_told_from_an_end_every_time() {
    for lost in [0, 1] {
        let (client, server) = duplex(ROOM, usize::MAX);
        let lane = client.outgoing();
        let (mut client, mut server) = established(client, server);
        block_on(async {
            client.write_all(b"first").await.unwrap();
            client.write_all(b"second").await.unwrap();
            client.flush().await.unwrap();
            lane.lose(lost);
            drop(client);
            let mut buffer = BytesMut::new();
            let error = loop {
                match fill(&mut server, &mut buffer).await {
                    Ok(count) => assert!(count > 0),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            assert_eq!(&buffer[..], if lost == 0 { &b"firstsecond"[..] } else { b"first" });
            for _ in 0..2 {
                let again = fill(&mut server, &mut buffer).await.unwrap_err();
                assert_eq!(again.kind(), io::ErrorKind::UnexpectedEof);
                let again = server.read(&mut [0; 4]).await.unwrap_err();
                assert_eq!(again.kind(), io::ErrorKind::UnexpectedEof);
            }
        });
    }
}

#[test]
fn a_changed_record_breaks_the_session_for_good() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let lane = client.outgoing();
    let (mut client, mut server) = established(client, server);
    block_on(async {
        client.write_all(b"good").await.unwrap();
        client.write_all(b"changed").await.unwrap();
        lane.corrupt();
        let mut buffer = BytesMut::new();
        assert_eq!(fill(&mut server, &mut buffer).await.unwrap(), 4);
        // The peer is told at once, by an alert.
        let error = client.read(&mut [0; 4]).await.unwrap_err();
        assert!(error.to_string().contains("BadRecordMac"), "{error}");
        for _ in 0..3 {
            assert_eq!(fill(&mut server, &mut buffer).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(server.write(b"x").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
            poll_fn(|context| server.poll_readable(context)).await.unwrap();
        }
        assert_eq!(buffer, "good");
    });
}

#[test]
fn what_follows_the_end_is_ignored() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let lane = client.outgoing();
    let (mut client, mut server) = established(client, server);
    block_on(async {
        client.write_all(b"all").await.unwrap();
        client.close().await.unwrap();
        lane.inject(&vec![0xff; 20_000]);
        assert_eq!(drain(&mut server).await.unwrap(), "all");
        assert_eq!(fill(&mut server, &mut BytesMut::new()).await.unwrap(), 0);
    });
}

#[test]
fn waiting_plaintext_is_readable_without_the_transport() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let lane = client.outgoing();
    let (mut client, mut server) = established(client, server);
    block_on(async {
        let pending = poll_fn(|context| Poll::Ready(server.poll_readable(context).is_pending())).await;
        assert!(pending);
        client.write_all(b"ten bytes.").await.unwrap();
        client.write_all(b"and more").await.unwrap();
        let mut got = Vec::new();
        for _ in 0..6 {
            poll_fn(|context| server.poll_readable(context)).await.unwrap();
            let mut buffer = BytesMut::with_capacity(3);
            assert_eq!(fill(&mut server, &mut buffer).await.unwrap(), 3);
            assert_eq!(lane.len(), 0);
            got.extend_from_slice(&buffer);
        }
        assert_eq!(got, b"ten bytes.and more");
        let pending = poll_fn(|context| Poll::Ready(server.poll_readable(context).is_pending())).await;
        assert!(pending);
    });
}

#[test]
fn a_read_appends_and_fills_the_room() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let (mut client, mut server) = established(client, server);
    let data = pattern(20_000, 1);
    block_on(async {
        client.write_all(&data).await.unwrap();
        let mut buffer = BytesMut::with_capacity(20_007);
        buffer.extend_from_slice(b"before.");
        // Two records, one read.
        assert_eq!(fill(&mut server, &mut buffer).await.unwrap(), 20_000);
        assert_eq!(&buffer[..7], b"before.");
        assert!(buffer[7..] == data);
    });
}

#[test]
fn small_parts_become_one_record() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let lane = client.outgoing();
    let (mut client, mut server) = established(client, server);
    let (_, start) = lane.records(0);
    let parts = [&b"head"[..], b"", b"body", b"tail"].map(IoSlice::new);
    block_on(async {
        let count = poll_fn(|context| Pin::new(&mut client).poll_write_vectored(context, &parts)).await.unwrap();
        assert_eq!(count, 12);
        assert_eq!(lane.records(start).0, 1);
        client.close().await.unwrap();
        assert_eq!(drain(&mut server).await.unwrap(), "headbodytail");
    });
}

/// Ends whose transport from the client to the server is blocked under a batch, and that direction. The client has
/// taken its tickets, so nothing but the test makes it act.
fn blocked(data: &[u8]) -> (Boxed, Boxed, Lane) {
    let (client, server) = duplex(ROOM, usize::MAX);
    let lane = client.outgoing();
    let (mut client, server) = established(client, server);
    let waker = Waker::noop();
    let context = &mut Context::from_waker(waker);
    assert!(client.poll_fill(context, &mut BytesMut::new()).is_pending());
    lane.set_room(0);
    let taken = Pin::new(&mut client).poll_write(context, data);
    assert!(matches!(taken, Poll::Ready(Ok(count)) if count == data.len()));
    assert!(Pin::new(&mut client).poll_flush(context).is_pending());
    assert!(Pin::new(&mut client).poll_write(context, b"later").is_pending());
    (client, server, lane)
}

/// A wait to read; true if it waits.
type Wait = fn(&mut Boxed, &mut Context<'_>) -> bool;

#[test]
fn whoever_waits_to_read_sends_what_was_blocked() {
    let data = pattern(10_000, 1);
    let waits: [Wait; 3] = [
        |stream, context| stream.poll_readable(context).is_pending(),
        |stream, context| stream.poll_fill(context, &mut BytesMut::new()).is_pending(),
        |stream, context| Pin::new(stream).poll_read(context, &mut [0; 1]).is_pending(),
    ];
    for wait in waits {
        let (mut client, mut server, lane) = blocked(&data);
        let context = &mut Context::from_waker(Waker::noop());
        assert!(wait(&mut client, context));
        assert_eq!(lane.len(), 0);
        lane.set_room(ROOM);
        assert!(wait(&mut client, context));
        let mut received = BytesMut::with_capacity(data.len());
        while received.len() < data.len() {
            block_on(fill(&mut server, &mut received)).unwrap();
        }
        assert!(received == data);
    }
}

#[test]
fn the_reader_gives_the_writer_its_wake() {
    let (mut client, _server, lane) = blocked(b"batch");
    let (writer, reader) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let (write_waker, read_waker) = (Waker::from(writer.clone()), Waker::from(reader.clone()));
    let (write, read) = (&mut Context::from_waker(&write_waker), &mut Context::from_waker(&read_waker));
    assert!(Pin::new(&mut client).poll_flush(write).is_pending());
    // The reader takes the transport's one place, so the writer has to come again.
    assert!(client.poll_readable(read).is_pending());
    assert_eq!(writer.0.swap(0, Ordering::Relaxed), 1);
    assert!(Pin::new(&mut client).poll_flush(write).is_pending());
    lane.set_room(ROOM);
    assert_eq!(writer.0.swap(0, Ordering::Relaxed), 1);
    // A reader that finishes the writer's work says so, even within one task.
    lane.set_room(0);
    let (mut client, _server, lane) = blocked(b"batch");
    assert!(Pin::new(&mut client).poll_flush(write).is_pending());
    lane.set_room(ROOM);
    writer.0.store(0, Ordering::Relaxed);
    assert!(client.poll_readable(write).is_pending());
    assert_eq!(writer.0.load(Ordering::Relaxed), 1);
    assert!(matches!(Pin::new(&mut client).poll_flush(write), Poll::Ready(Ok(()))));
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_reader_in_another_task_does_not_lose_the_writers_wake() {
    let (client, server) = duplex(1_000, usize::MAX);
    let (client, mut server) = established(client, server);
    let (mut reader, mut writer) = futures_lite::io::split(client);
    let data = pattern(200_000, 1);
    block_on(async {
        let write = async {
            writer.write_all(&data).await.unwrap();
            writer.close().await.unwrap();
        };
        let read = async {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).await.unwrap();
            all
        };
        let echo = async {
            let mut buffer = BytesMut::new();
            while fill(&mut server, &mut buffer).await.unwrap() > 0 {
                server.write_all(&buffer.split()).await.unwrap();
                yield_now().await;
            }
            server.close().await.unwrap();
        };
        let ((((), all), ()), expected) = (zip(zip(write, read), echo).await, &data);
        assert!(all == *expected);
    });
}

#[test]
fn an_abort_reaches_the_transport() {
    let (client, server) = duplex(ROOM, usize::MAX);
    let (mut client, mut server) = established(client, server);
    client.abort_on_drop();
    drop(client);
    let error = block_on(fill(&mut server, &mut BytesMut::new())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}
