//! The same application on Tokio: inside a runtime that is already there. `--once` asks itself for the page and ends.

use callboard::web::{App, Path, get};
use callboard::{Tokio, client::Session};

async fn greet(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> callboard::Result {
    let app = App::new().route("/", get(async || "Hello, World!")).route("/{name}", get(greet));
    let is_once = std::env::args().any(|argument| argument == "--once");
    let address = if is_once { "127.0.0.1:0" } else { "127.0.0.1:8080" };
    let server = app.serve(Tokio::current(), address).await?;
    println!("http://{}", server.local());
    if is_once {
        let session = Session::new(Tokio::current());
        println!("{}", session.get(format!("http://{}/tokio", server.local())).await?.text().await?);
        return Ok(());
    }
    tokio::signal::ctrl_c().await?;
    println!("{:?}", server.drain(std::time::Duration::from_secs(30)).await);
    Ok(())
}
