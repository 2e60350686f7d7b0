//! Content codings over one wire.

use std::time::Duration;

use callboard_core::coding::Encoder;
use callboard_web::{App, Body, Coding, Compress, Level, get, post};

use crate::support::World;

fn app() -> App {
    App::new()
        .route("/", post(async |body: String| body))
        .route("/unread", post(async || "unread"))
        .route("/long", get(async || "callboard ".repeat(1000)))
        .compress(Compress::new())
}

fn gzip(body: &str) -> Vec<u8> {
    let (mut encoder, mut coded) = (Encoder::new(Coding::Gzip, Level::Default), Vec::new());
    encoder.encode(body.as_bytes(), &mut coded).unwrap();
    encoder.finish(&mut coded).unwrap();
    coded
}

#[test]
fn a_coded_request_is_read_and_its_connection_is_kept() {
    for seed in 0..10 {
        let world = World::new(seed, app());
        world.run(async {
            let mut peer = world.connect().await;
            for (transfer, expected) in [(false, "first"), (true, "second")] {
                let body = gzip(expected);
                let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n";
                let (framing, body) = if transfer {
                    let chunks: Vec<u8> =
                        body.iter().flat_map(|&byte| [b"1\r\n".as_slice(), &[byte], b"\r\n"].concat()).collect();
                    ("Transfer-Encoding: chunked".to_owned(), [&chunks, b"0\r\n\r\n".as_slice()].concat())
                } else {
                    (format!("Content-Length: {}", body.len()), body)
                };
                peer.send(format!("{head}{framing}\r\n\r\n")).await;
                peer.send(body).await;
                assert!(peer.until(expected).await.starts_with("HTTP/1.1 200 "), "seed {seed}");
            }
            // What nobody reads is nobody's matter, whatever it is.
            peer.send("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Encoding: odd\r\nContent-Length: 1\r\n\r\nx").await;
            assert!(peer.until("unread").await.starts_with("HTTP/1.1 200 "), "seed {seed}");
        });
        world.simulation.run_for(Duration::from_secs(1)).unwrap();
        world.check_empty();
    }
}

#[test]
fn an_unknown_coding_is_told_what_is_known() {
    let world = World::new(1, app());
    let answer = world.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: odd\r\nContent-Length: 1\r\n\r\nx");
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    assert!(answer.contains(&format!("\r\nAccept-Encoding: {}\r\n", Coding::ACCEPT)), "{answer}");
}

#[test]
fn encoded_answers_are_framed() {
    let world = World::new(2, app());
    let ask = |method: &str| {
        world.ask(&format!("{method} /long HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"))
    };
    let get = ask("GET");
    assert!(get.contains("\r\nContent-Encoding: gzip\r\n") && get.contains("\r\nContent-Length: "), "{get}");
    let head = ask("HEAD");
    assert!(head.contains("\r\nContent-Encoding: gzip\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(!head.contains("Content-Length"), "{head}");
}

#[test]
fn bytes_are_counted_before_and_after_decoding() {
    let count = post(async |mut body: Body| {
        while let Some(chunk) = body.next().await {
            chunk.unwrap();
        }
        format!("{} {}", body.bytes_received(), body.bytes_given())
    });
    let world = World::new(1, App::new().route("/", count));
    world.run(async {
        let body = gzip(&"callboard ".repeat(1_000));
        let mut peer = world.connect().await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n";
        peer.send(format!("{head}Content-Length: {}\r\n\r\n", body.len())).await;
        peer.send(&body).await;
        peer.until(&format!("\r\n\r\n{} 10000", body.len())).await;
    });
}
