//! Bytes, ends and resets on a connection.

use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::pin::Pin;

use bytes::BytesMut;
use callboard_sim::{End, Fault, Options, Side, SimError, Simulation, TraceEvent};
use futures_io::AsyncWrite;
use futures_lite::future::{poll_once, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    BoxStream, MILLISECOND, SECOND, accept, calm, connect, handle, kind, listen, pair, pause, steady,
};

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|position| u8::try_from(position % 251).expect("below 251")).collect()
}

async fn fill(stream: &mut BoxStream, buffer: &mut BytesMut) -> std::io::Result<usize> {
    poll_fn(|context| stream.poll_fill(context, buffer)).await
}

#[test]
fn bytes_arrive_in_order_under_every_seed() {
    for seed in 0..50 {
        let simulation = Simulation::with_options(seed, Options::new().buffer(1000).split(60).coalesce(60));
        simulation
            .block_on(async {
                let (mut client, mut server) = pair(&simulation).await;
                let sent = pattern(20_000);
                let mut received = Vec::new();
                let write = async {
                    client.write_all(&sent).await.unwrap();
                    client.close().await.unwrap();
                };
                zip(write, async { server.read_to_end(&mut received).await.unwrap() }).await;
                assert!(received == sent, "seed {seed}");
            })
            .unwrap();
        assert!(simulation.census().is_empty());
    }
}

#[test]
fn a_byte_travels_for_the_latency() {
    let simulation = Simulation::with_options(1, steady());
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            let start = simulation.now();
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
            assert_eq!(simulation.now() - start, 10 * MILLISECOND);
        })
        .unwrap();
}

#[test]
fn latency_differs_within_its_range() {
    let simulation = Simulation::with_options(1, Options::new().latency(MILLISECOND..=3 * MILLISECOND).split(0));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            let mut seen = Vec::new();
            for _ in 0..50 {
                let start = simulation.now();
                client.write_all(b"x").await.unwrap();
                server.read_exact(&mut [0]).await.unwrap();
                seen.push(simulation.now() - start);
            }
            assert!(seen.iter().all(|latency| (MILLISECOND..=3 * MILLISECOND).contains(latency)), "{seen:?}");
            seen.sort_unstable();
            seen.dedup();
            assert!(seen.len() > 10, "{seen:?}");
        })
        .unwrap();
}

#[test]
fn writes_are_split_and_coalesced_where_the_seed_says_so() {
    let reads = |options: Options| {
        let simulation = Simulation::with_options(7, options);
        simulation
            .block_on(async {
                let (mut client, mut server) = pair(&simulation).await;
                let writes = async {
                    for _ in 0..20 {
                        client.write_all(&[b'x'; 100]).await.unwrap();
                    }
                    client.close().await.unwrap();
                };
                let reads = async {
                    let mut sizes = Vec::new();
                    let mut buffer = [0; 4096];
                    loop {
                        match server.read(&mut buffer).await.unwrap() {
                            0 => return sizes,
                            size => sizes.push(size),
                        }
                    }
                };
                zip(writes, reads).await.1
            })
            .unwrap()
    };
    let spread = calm().latency(MILLISECOND..=100 * MILLISECOND);
    assert!(reads(spread.clone()).iter().all(|size| size % 100 == 0), "nothing is cut without a split");
    let split = reads(spread.clone().split(90));
    assert!(split.iter().any(|size| size % 100 != 0), "{split:?}");
    let coalesced = reads(spread.coalesce(100));
    assert_eq!(coalesced, [2000], "all in one");
}

#[test]
fn a_full_buffer_makes_the_writer_wait_for_the_reader() {
    let simulation = Simulation::with_options(1, steady().buffer(1000));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            assert_eq!(client.write(&[1; 700]).await.unwrap(), 700);
            assert_eq!(client.write(&[2; 700]).await.unwrap(), 300, "what there is room for");
            assert!(poll_once(client.write(&[3; 1])).await.is_none());
            assert_eq!(simulation.census().bytes_in_flight, 1000);
            // Arrived is not read: the bytes still count.
            handle(&simulation.host("client")).sleep(SECOND).await;
            assert!(poll_once(client.write(&[3; 1])).await.is_none());
            let (written, ()) =
                zip(client.write(&[3; 500]), async { server.read_exact(&mut [0; 400]).await.unwrap() }).await;
            assert_eq!(written.unwrap(), 400);
            drop(server);
            pause().await;
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn the_directions_have_buffers_of_their_own() {
    let simulation = Simulation::with_options(1, steady().buffer(10));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            assert_eq!(client.write(&[1; 20]).await.unwrap(), 10);
            assert_eq!(server.write(&[1; 20]).await.unwrap(), 10);
        })
        .unwrap();
}

#[test]
fn a_vectored_write_is_one_write_of_all_parts() {
    let simulation = Simulation::with_options(1, calm().buffer(8));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            let parts = [IoSlice::new(b"abc"), IoSlice::new(b""), IoSlice::new(b"defg"), IoSlice::new(b"hij")];
            let count = poll_fn(|context| Pin::new(&mut client).poll_write_vectored(context, &parts)).await.unwrap();
            assert_eq!(count, 8, "cut in the middle of a part");
            let mut received = [0; 8];
            server.read_exact(&mut received).await.unwrap();
            assert_eq!(&received, b"abcdefgh");
            assert_eq!(client.write(b"").await.unwrap(), 0);
        })
        .unwrap();
}

#[test]
fn each_side_ends_its_own_direction() {
    let simulation = Simulation::new(5);
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"question").await.unwrap();
            client.close().await.unwrap();
            client.close().await.expect("twice is once");
            assert_eq!(kind(client.write(b"more").await), ErrorKind::BrokenPipe);
            let mut text = String::new();
            server.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "question");
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0, "the end stays the end");
            server.write_all(b"answer").await.expect("the other direction goes on");
            drop(server);
            text.clear();
            client.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "answer");
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn a_stream_that_was_read_empty_and_is_dropped_ends_without_a_reset() {
    let simulation = Simulation::new(5);
    simulation
        .block_on(async {
            let (client, mut server) = pair(&simulation).await;
            drop(client);
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        })
        .unwrap();
}

#[test]
fn an_abort_resets_the_peer_behind_the_bytes() {
    let simulation = Simulation::with_options(5, steady().reset_discards(0));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"last words").await.unwrap();
            client.abort_on_drop();
            drop(client);
            let mut received = Vec::new();
            assert_eq!(kind(server.read_to_end(&mut received).await), ErrorKind::ConnectionReset);
            assert_eq!(received, b"last words");
            assert_eq!(kind(server.read(&mut [0]).await), ErrorKind::ConnectionReset);
            assert_eq!(kind(server.write(b"x").await), ErrorKind::BrokenPipe);
            assert_eq!(kind(server.close().await), ErrorKind::NotConnected);
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn a_reset_may_destroy_what_was_not_read() {
    let simulation = Simulation::with_options(5, steady().reset_discards(100));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"last words").await.unwrap();
            client.abort_on_drop();
            drop(client);
            handle(&simulation.host("server")).sleep(SECOND).await;
            let mut received = Vec::new();
            assert_eq!(kind(server.read_to_end(&mut received).await), ErrorKind::ConnectionReset);
            assert!(received.is_empty());
        })
        .unwrap();
}

/// What makes a lingering close necessary: an answer is lost if the server closes on unread bytes.
#[test]
fn dropping_with_unread_bytes_resets() {
    let simulation = Simulation::with_options(5, steady().reset_discards(100));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"a long upload").await.unwrap();
            server.read_exact(&mut [0; 2]).await.unwrap();
            server.write_all(b"413").await.unwrap();
            drop(server);
            handle(&simulation.host("client")).sleep(SECOND).await;
            assert_eq!(kind(client.read(&mut [0; 8]).await), ErrorKind::ConnectionReset);
        })
        .unwrap();
}

#[test]
fn writing_to_a_peer_that_is_gone_fails_after_a_round_trip() {
    let simulation = Simulation::with_options(5, steady());
    simulation
        .block_on(async {
            let (mut client, server) = pair(&simulation).await;
            let runtime = handle(&simulation.host("client"));
            drop(server);
            client.write_all(b"is anybody there").await.expect("nothing is known yet");
            runtime.sleep(15 * MILLISECOND).await;
            client.write_all(b"hello").await.expect("the reset is still on its way");
            runtime.sleep(15 * MILLISECOND).await;
            assert_eq!(kind(client.write(b"hello").await), ErrorKind::ConnectionReset);
            assert_eq!(kind(client.write(b"hello").await), ErrorKind::BrokenPipe);
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn a_reset_wakes_who_waits_to_read_or_to_write() {
    for writes in [false, true] {
        let simulation = Simulation::with_options(5, steady().buffer(4));
        simulation
            .block_on(async {
                let (mut client, _server) = pair(&simulation).await;
                let reset = Fault::ResetAll { host: "server".to_owned() };
                simulation.network().schedule(SECOND, reset);
                let result = if writes { client.write_all(&[0; 5]).await } else { client.read_exact(&mut [0]).await };
                assert_eq!(kind(result), ErrorKind::ConnectionReset);
            })
            .unwrap();
    }
}

#[test]
fn a_reset_is_the_end_of_what_was_on_its_way_and_is_not_answered() {
    let simulation = Simulation::with_options(5, steady());
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"lost").await.unwrap();
            client.abort_on_drop();
            simulation.network().reset_all("server");
            assert_eq!(simulation.census().bytes_in_flight, 0);
            drop(client);
            assert_eq!(kind(server.read(&mut [0; 8]).await), ErrorKind::ConnectionReset);
        })
        .unwrap();
    let aborted = |event: &TraceEvent| matches!(event, TraceEvent::Aborted { .. });
    assert!(!simulation.trace().records.iter().any(|record| aborted(&record.event)));
}

/// Bytes of a server that writes at once would overtake its answer, were they not held behind it.
#[test]
fn nothing_arrives_before_the_connection_is_made() {
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let (client, server) = (simulation.host("client"), simulation.host("server"));
        let mut listener = listen(&server, 80);
        server.spawn(async move {
            let mut stream = accept(&mut listener).await.unwrap();
            stream.write_all(b"220 ready").await.unwrap();
            stream.close().await.unwrap();
        });
        let greeting = simulation
            .block_on(async {
                let mut stream = connect(&client, "server", 80).await.unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).await.unwrap();
                text
            })
            .unwrap();
        assert_eq!(greeting, "220 ready");
        let records = simulation.trace().records;
        let first = records.iter().find(|record| {
            matches!(
                record.event,
                TraceEvent::Connected { .. } | TraceEvent::Delivered { end: End { side: Side::Client, .. }, .. }
            )
        });
        assert!(matches!(first.unwrap().event, TraceEvent::Connected { .. }), "seed {seed}");
    }
}

/// What nobody will get any more does not keep the world going.
#[test]
fn a_connection_dropped_at_both_ends_is_gone_with_all_that_was_on_its_way() {
    let simulation = Simulation::with_options(5, steady());
    let (mut client, mut server) = simulation.block_on(pair(&simulation)).unwrap();
    let writes = async {
        client.write_all(b"x").await.unwrap();
        server.write_all(b"x").await.unwrap();
    };
    simulation.block_on(writes).unwrap();
    drop((client, server));
    let now = simulation.now();
    let error = simulation.block_on(std::future::pending::<()>()).unwrap_err();
    assert!(matches!(error, SimError::Deadlock { at, .. } if at == now), "{error}");
}

#[test]
fn filling_keeps_to_the_room_that_was_meant() {
    let simulation = Simulation::with_options(5, calm().buffer(100_000));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(&pattern(50_000)).await.unwrap();
            poll_fn(|context| server.poll_readable(context)).await.unwrap();
            let mut received = BytesMut::new();
            assert_eq!(fill(&mut server, &mut received).await.unwrap(), 16 * 1024, "no room: 16 KiB are made");
            let mut small = BytesMut::with_capacity(7);
            assert_eq!(fill(&mut server, &mut small).await.unwrap(), 7);
            received.extend_from_slice(&small);
            // However large a block is that a pool gave: what is read does not depend on it.
            for capacity in [20_000, 40_000] {
                let mut lent = BytesMut::with_capacity(capacity);
                lent.extend_from_slice(b"rest");
                assert_eq!(fill(&mut server, &mut lent).await.unwrap(), 2048);
                received.extend_from_slice(&lent[4..]);
                let mut lent = BytesMut::with_capacity(capacity);
                poll_fn(|context| server.poll_readable(context)).await.unwrap();
                assert!(fill(&mut server, &mut lent).await.unwrap() > 10_000);
                received.extend_from_slice(&lent);
            }
            assert!(received[..] == pattern(50_000)[..received.len()]);
        })
        .unwrap();
}

#[test]
fn a_read_gives_no_more_than_the_limit() {
    let simulation = Simulation::with_options(5, calm().read_limit(100));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(&[1; 250]).await.unwrap();
            server.read_exact(&mut [0; 1]).await.unwrap();
            assert_eq!(server.read(&mut [0; 1000]).await.unwrap(), 100);
            assert_eq!(fill(&mut server, &mut BytesMut::new()).await.unwrap(), 100);
        })
        .unwrap();
}

#[test]
fn a_write_that_travels_with_the_one_before_is_not_faster_for_it() {
    let simulation = Simulation::with_options(5, steady().coalesce(100));
    let runtime = handle(&simulation.host("client"));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"a").await.unwrap();
            runtime.sleep(9 * MILLISECOND).await;
            let start = simulation.now();
            client.write_all(b"b").await.unwrap();
            server.read_exact(&mut [0; 2]).await.unwrap();
            assert_eq!(simulation.now() - start, 10 * MILLISECOND);
        })
        .unwrap();
}

#[test]
fn filling_sees_the_end() {
    let simulation = Simulation::new(5);
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"end").await.unwrap();
            client.close().await.unwrap();
            let mut buffer = BytesMut::new();
            while fill(&mut server, &mut buffer).await.unwrap() > 0 {}
            assert_eq!(&buffer[..], b"end");
            poll_fn(|context| server.poll_readable(context)).await.expect("the end can be read without waiting");
        })
        .unwrap();
}

/// A mebibyte through a small window: the count of steps is the same on every machine, so it can be a bound.
#[test]
fn a_mebibyte_takes_few_steps() {
    let simulation = Simulation::with_options(5, Options::new().split(0));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            let body = pattern(1 << 20);
            let write = async {
                client.write_all(&body).await.unwrap();
                client.close().await.unwrap();
            };
            let read = async {
                let mut buffer = vec![0; 64 * 1024];
                let mut total = 0;
                loop {
                    match server.read(&mut buffer).await.unwrap() {
                        0 => return total,
                        count => total += count,
                    }
                }
            };
            assert_eq!(zip(write, read).await.1, body.len());
        })
        .unwrap();
    assert!(simulation.steps() < 300, "{}", simulation.steps());
}
