//! Ways of reading a request's body: by line, by count, as `AsyncRead`, with counts of what has come.

use callboard_web::{App, Body, ReadError, post};
use futures_lite::AsyncReadExt;

use crate::support::World;

async fn lines(body: Body) -> String {
    let mut reader = body.reader();
    let mut said = String::new();
    loop {
        match reader.line(8).await {
            Ok(Some(line)) => said.extend(["[", str::from_utf8(&line).unwrap(), "]"]),
            Ok(None) => break,
            Err(ReadError::TooLong { limit }) => {
                let length = reader.chunk().await.unwrap().map_or(0, |rest| rest.len());
                return format!("{said} more than {limit}, {} ", length > limit);
            }
            Err(error) => return format!("{said} {error}"),
        }
    }
    let trailers = reader.source().trailers();
    format!("{said} of {} {:?}", reader.source().bytes_received(), trailers.map(|trailers| trailers.len()))
}

async fn exactly(body: Body) -> String {
    let mut reader = body.reader();
    let first = reader.exactly(4).await.map(|bytes| bytes.len());
    let Err(ReadError::Ended { part }) = reader.exactly(100).await else { return "too much".to_owned() };
    format!("{first:?} and {}", part.len())
}

async fn everything(body: Body) -> String {
    let mut text = String::new();
    let read = body.reader().read_to_string(&mut text).await;
    read.map_or_else(|error| format!("{error}"), |count| format!("{count} {text}"))
}

fn ask(path: &str, framing_and_body: &str) -> String {
    let app =
        App::new().route("/lines", post(lines)).route("/exactly", post(exactly)).route("/everything", post(everything));
    let answer = World::new(1, app).ask(&format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing_and_body}"));
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or(answer)
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n";

#[test]
fn lines_of_a_body_do_not_depend_on_its_chunks() {
    let chunks = "2\r\non\r\n3\r\ne\r\n\r\n1\r\n\n\r\n4\r\nlast\r\n0\r\nX-Last: yes\r\n\r\n";
    assert_eq!(ask("/lines", &format!("{CHUNKED}{chunks}")), "[one][][last] of 10 Some(1)");
    assert_eq!(ask("/lines", "Content-Length: 9\r\n\r\none\r\ntwo\n"), "[one][two] of 9 None");
}

#[test]
fn a_line_of_a_body_has_a_limit() {
    assert_eq!(ask("/lines", "Content-Length: 14\r\n\r\none\n0123456789"), "[one] more than 8, true ");
}

#[test]
fn a_count_that_is_not_there_gives_the_rest() {
    assert_eq!(ask("/exactly", &format!("{CHUNKED}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")), "Ok(4) and 2");
}

#[test]
fn a_body_is_an_async_reader() {
    assert_eq!(ask("/everything", &format!("{CHUNKED}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")), "6 abcdef");
    let cut = ask("/everything", "Content-Length: 9\r\n\r\nabc");
    assert_eq!(cut, "the connection ended inside the body");
}
