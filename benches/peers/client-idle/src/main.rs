//! Opens `--connections`, each of which does one request and stays open; prints `ready N`, and leaves when its input
//! ends.

use std::io::{Read, Write};
use std::net::TcpStream;

fn main() {
    let (port, wanted) = (measure::port(), measure::number("connections", 10_000));
    let mut open = Vec::new();
    let mut buffer = [0; 4096];
    for _ in 0..wanted {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { break };
        write!(stream, "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: idle\r\nAccept: */*\r\n\r\n")
            .expect("a server that reads");
        assert!(stream.read(&mut buffer).expect("an answer") > 0);
        open.push(stream);
    }
    println!("ready {}", open.len());
    let _ = std::io::stdin().read(&mut buffer);
}
