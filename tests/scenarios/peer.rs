//! A raw end of a connection, client or server, that says and hears exactly what a scenario writes down.

use std::future::poll_fn;
use std::io;

use callboard::runtime::Stream;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

pub(crate) struct Peer {
    pub(crate) stream: Box<dyn Stream>,
    received: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, received: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Half-closes.
    pub(crate) async fn finish(&mut self) {
        self.stream.close().await.unwrap();
    }

    /// Goes away with a reset.
    pub(crate) fn reset(mut self) {
        self.stream.abort_on_drop();
    }

    /// Waits until `text` has come; gives all up to its end.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let found = self.received.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(place) = found {
                return into_text(self.received.drain(..place + text.len()).collect());
            }
            let read = self.read().await;
            assert!(matches!(read, Ok(1..)), "no {text:?} but {read:?} after {:?}", into_text(self.received.clone()));
        }
    }

    /// A head, without the empty line that ends it.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = self.until("\r\n\r\n").await;
        head.truncate(head.len() - 4);
        head
    }

    /// So many bytes.
    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            let read = self.read().await;
            assert!(matches!(read, Ok(1..)), "{read:?} after {} of {count} bytes", self.received.len());
        }
        self.received.drain(..count).collect()
    }

    /// A response of known length: head and body.
    pub(crate) async fn response(&mut self) -> (String, String) {
        let head = self.head().await;
        let length = field(&head, "Content-Length").map_or(0, |length| length.parse().unwrap());
        (head, into_text(self.exactly(length).await))
    }

    /// Waits until anything comes.
    pub(crate) async fn until_readable(&mut self) {
        if self.received.is_empty() {
            poll_fn(|context| self.stream.poll_readable(context)).await.unwrap();
        }
    }

    /// All until the other end closes; an error is a reset.
    pub(crate) async fn rest(&mut self) -> io::Result<String> {
        while self.read().await? > 0 {}
        Ok(into_text(std::mem::take(&mut self.received)))
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut part = vec![0; 16 * 1024];
        let count = self.stream.read(&mut part).await?;
        self.received.extend_from_slice(&part[..count]);
        Ok(count)
    }
}

/// The first field of that name in a head.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
