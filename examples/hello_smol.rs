//! A web application on smol, with the features `smol` and `web` alone. `--once` asks itself for the page and ends.

use std::io::{Read, Write};
use std::net::TcpStream;

use callboard::Smol;
use callboard::web::{App, Path, get};

async fn greet(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

fn main() -> callboard::Result {
    let app = App::new().route("/", get(async || "Hello, World!")).route("/{name}", get(greet));
    if std::env::args().any(|argument| argument == "--once") {
        let server = futures_lite::future::block_on(app.serve(Smol::new(), "127.0.0.1:0"))?;
        let mut stream = TcpStream::connect(server.local().to_string())?;
        stream.write_all(b"GET /smol HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        println!("{answer}");
        return Ok(());
    }
    println!("http://127.0.0.1:8080");
    Ok(app.run(Smol::new(), "127.0.0.1:8080")?)
}
