//! Content codings: what is asked for, what is undone, and what is left as it is.

use std::fmt::Write as _;
use std::time::Duration;

use callboard_client::{DecodeError, DecodeLimits, ErrorKind, Phase, Session};
use callboard_core::coding::{Coding, Encoder, Level};
use callboard_runtime::Handle;

use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

const TEXT: &str = "callboard callboard callboard\n";

fn coded(coding: Coding, body: &[u8]) -> Vec<u8> {
    let (mut encoder, mut coded) = (Encoder::new(coding, Level::Default), Vec::new());
    encoder.encode(body, &mut coded).unwrap();
    encoder.finish(&mut coded).unwrap();
    coded
}

/// A response of known length, with these fields.
fn response(fields: &str, body: &[u8]) -> Vec<Step> {
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    write!(head, "{fields}Content-Length: {}\r\n\r\n", body.len()).unwrap();
    vec![Step::Head, send(&head), Step::Bytes(body.to_vec())]
}

fn server(runtime: &Handle, responses: impl IntoIterator<Item = Vec<Step>>) -> (Session, Server) {
    pair(runtime, vec![responses.into_iter().flatten().collect()])
}

#[test]
fn every_coding_is_undone_and_the_connection_is_kept() {
    everywhere(|runtime| {
        Box::pin(async move {
            let script = Coding::ALL
                .iter()
                .map(|&coding| response(&format!("Content-Encoding: {coding}\r\n"), &coded(coding, TEXT.as_bytes())));
            let (session, server) = server(&runtime, script);
            for coding in Coding::ALL {
                let response = session.get(server.url("/")).await.unwrap();
                assert!(response.is_decoded());
                assert_eq!(response.content_length(), None, "the length of the decoded body is not known");
                assert_eq!(response.headers().text("content-encoding"), Some(coding.name()), "fields are as sent");
                assert_eq!(response.text().await.unwrap(), TEXT, "{coding}");
            }
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn a_coded_body_is_given_as_it_comes() {
    everywhere(|runtime| {
        Box::pin(async move {
            let mut encoder = Encoder::new(Coding::Gzip, Level::Default);
            let mut script = vec![Step::Head, send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")];
            for event in ["data: 1\n\n", "data: 2\n\n"] {
                let mut part = Vec::new();
                encoder.encode(event.as_bytes(), &mut part).unwrap();
                encoder.flush(&mut part).unwrap();
                script.extend([Step::Bytes(part), Step::Wait(Duration::from_millis(50))]);
            }
            let mut rest = Vec::new();
            encoder.finish(&mut rest).unwrap();
            let total = rest.len();
            script.extend([Step::Bytes(rest), Step::Close]);
            let (session, server) = pair(&runtime, vec![script]);
            let mut response = session.get(server.url("/")).await.unwrap();
            // The server waits: an event can be read although nothing follows it yet.
            for event in ["data: 1\n\n", "data: 2\n\n"] {
                let mut text = Vec::new();
                while text.len() < event.len() {
                    text.extend_from_slice(&response.chunk().await.unwrap().unwrap());
                }
                assert_eq!(text, event.as_bytes());
            }
            assert!(response.chunk().await.is_none());
            assert!(response.chunk().await.is_none(), "it stays at its end");
            assert_eq!(response.bytes_given(), 18);
            assert!(response.bytes_received() > 18 + total as u64 - 10, "{}", response.bytes_received());
        })
    });
}

#[test]
fn codings_are_asked_for_unless_the_user_says_otherwise() {
    simulated(|runtime| {
        Box::pin(async move {
            let script: Vec<Step> = (0..5).flat_map(|_| [Step::Head, answer("")]).collect();
            let (session, server) = pair(&runtime, vec![script.clone()]);
            session.get(server.url("/")).await.unwrap();
            session.get(server.url("/")).header("Accept-Encoding", "gzip;q=0.5").await.unwrap();
            session.get(server.url("/")).header("Range", "bytes=0-9").await.unwrap();
            session.get(server.url("/")).decode(false).await.unwrap();
            session.get(server.url("/")).await.unwrap();
            let asked = |head: &String| {
                let line = head.lines().find_map(|line| line.strip_prefix("Accept-Encoding: "));
                line.map(str::to_owned)
            };
            let ours = Some(Coding::ACCEPT.to_owned());
            let expected = [ours.clone(), Some("gzip;q=0.5".to_owned()), None, None, ours.clone()];
            assert_eq!(server.heads().iter().map(asked).collect::<Vec<_>>(), expected);

            let server = Server::start(&runtime, vec![script]);
            let session = Session::builder(runtime).decode(false).build();
            session.get(server.url("/")).await.unwrap();
            session.get(server.url("/")).decode(true).await.unwrap();
            session.get(server.url("/")).await.unwrap();
            assert_eq!(server.heads().iter().map(asked).collect::<Vec<_>>(), [None, ours, None]);
        })
    });
}

#[test]
fn what_cannot_or_shall_not_be_decoded_is_given_as_it_is() {
    simulated(|runtime| {
        Box::pin(async move {
            let gzip = coded(Coding::Gzip, TEXT.as_bytes());
            let partial = "HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\n\
                Content-Range: bytes 2-3/36\r\nContent-Length: 2\r\n\r\nxy";
            let script = [
                response("Content-Encoding: gzip\r\n", &gzip),
                response("Content-Encoding: dcb\r\n", b"raw"),
                response("Content-Encoding: gzip, bogus\r\n", b"raw"),
                response("Content-Encoding: identity\r\n", b"raw"),
                vec![Step::Head, send(partial)],
            ];
            let (session, server) = server(&runtime, script);
            let raw = session.get(server.url("/")).decode(false).await.unwrap();
            assert!(!raw.is_decoded() && raw.content_length() == Some(gzip.len() as u64));
            assert_eq!(raw.bytes().await.unwrap(), gzip);
            for _ in 0..3 {
                let raw = session.get(server.url("/")).await.unwrap();
                assert!(!raw.is_decoded());
                assert_eq!(raw.text().await.unwrap(), "raw");
            }
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "xy");
        })
    });
}

#[test]
fn answers_without_a_body_do_not_fail() {
    simulated(|runtime| {
        Box::pin(async move {
            let bodiless = |line: &str| send(&format!("HTTP/1.1 {line}\r\nContent-Encoding: gzip\r\n\r\n"));
            let script = vec![
                Step::Head,
                send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 36\r\n\r\n"),
                Step::Head,
                bodiless("204 No Content"),
                Step::Head,
                bodiless("304 Not Modified"),
                Step::Head,
                send("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n"),
                Step::Head,
                send("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ];
            let (session, server) = pair(&runtime, vec![script]);
            assert_eq!(session.head(server.url("/")).await.unwrap().bytes().await.unwrap(), "");
            for _ in 0..4 {
                assert_eq!(session.get(server.url("/")).await.unwrap().bytes().await.unwrap(), "");
            }
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn a_coded_body_that_is_cut_or_wrong_fails_in_its_body() {
    simulated(|runtime| {
        Box::pin(async move {
            let gzip = coded(Coding::Gzip, TEXT.as_bytes());
            let mut wrong = gzip.clone();
            wrong[15] ^= 0xff;
            let coding = "Connection: close\r\nContent-Encoding: gzip\r\n";
            let script = [
                response(coding, &gzip[..gzip.len() - 1]),
                response(coding, &wrong),
                response("Connection: close\r\nContent-Encoding: gzip, gzip, gzip, gzip\r\n", &gzip),
                response(coding, &gzip),
            ];
            // Whether the rest had arrived is chance: each has a connection of its own.
            let script = script.map(|steps| [steps, vec![Step::Close]].concat()).to_vec();
            let (session, server) = pair(&runtime, script);
            let error = session.get(server.url("/")).await.unwrap().bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Decoding(DecodeError::Truncated)), "{error}");
            assert_eq!(error.phase(), Phase::Body);
            let mut response = session.get(server.url("/")).await.unwrap();
            let error = loop {
                match response.chunk().await.unwrap() {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert!(matches!(error.kind(), ErrorKind::Decoding(_)) && error.phase() == Phase::Body, "{error}");
            assert!(response.chunk().await.is_none(), "an error is the last");
            let error = session.get(server.url("/")).await.unwrap().bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Codings(_)), "{error}");
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), TEXT);
        })
    });
}

#[test]
fn a_bomb_meets_the_limits_of_the_session() {
    simulated(|runtime| {
        Box::pin(async move {
            let bomb = coded(Coding::Gzip, &vec![0; 3 << 20]);
            let script: Vec<Step> = response("Connection: close\r\nContent-Encoding: gzip\r\n", &bomb);
            let server = Server::start(&runtime, vec![script]);
            let limits = DecodeLimits { output: 1 << 20, ..DecodeLimits::default() };
            let session = Session::builder(runtime.clone()).decode_limits(limits).build();
            let error = session.get(server.url("/")).await.unwrap().bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Decoding(DecodeError::TooLarge)), "{error}");
            let limits = DecodeLimits { ratio_grace: 1 << 20, ..DecodeLimits::default() };
            let session = Session::builder(runtime.clone()).decode_limits(limits).build();
            let error = session.get(server.url("/")).await.unwrap().bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Decoding(DecodeError::RatioExceeded)), "{error}");
            let session = Session::builder(runtime).body_limit(1 << 20).build();
            let error = session.get(server.url("/")).await.unwrap().bytes().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::BodyTooLarge(_)), "{error}");
        })
    });
}
