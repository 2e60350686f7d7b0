//! A web application on smol. `--once` asks itself for the page and ends.

use callboard::web::{App, Path, get};
use callboard::{Smol, client::Session};

async fn greet(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

fn main() -> callboard::Result {
    let app = App::new().route("/", get(async || "Hello, World!")).route("/{name}", get(greet));
    if std::env::args().any(|argument| argument == "--once") {
        return futures_lite::future::block_on(async {
            let server = app.serve(Smol::new(), "127.0.0.1:0").await?;
            let session = Session::new(Smol::new());
            println!("{}", session.get(format!("http://{}/smol", server.local())).await?.text().await?);
            Ok(())
        });
    }
    println!("http://127.0.0.1:8080");
    Ok(app.run(Smol::new(), "127.0.0.1:8080")?)
}
