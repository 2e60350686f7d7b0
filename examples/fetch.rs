//! Fetches a URL and prints what came: `cargo run --example fetch -- http://127.0.0.1:8080/`
//!
//! The status and the fields go to standard error, the body to standard output, part by part as it arrives.

use std::io::Write;

use callboard::client::Session;
use callboard::{Handle, Smol};

async fn fetch(runtime: Handle, url: String) -> callboard::Result {
    let mut response = Session::new(runtime).get(url).await?;
    eprintln!("{} {}", response.version(), response.status());
    for (name, value) in response.headers() {
        eprintln!("{name}: {}", String::from_utf8_lossy(value));
    }
    while let Some(part) = response.chunk().await {
        std::io::stdout().write_all(&part?)?;
    }
    Ok(())
}

fn main() -> callboard::Result {
    let Some(url) = std::env::args().nth(1) else {
        println!("usage: fetch URL");
        return Ok(());
    };
    let runtime = Handle::from(Smol::new());
    let mut result = Ok(());
    runtime.block_on(Box::pin(async { result = fetch(runtime.clone(), url).await }))?;
    if let Err(error) = result {
        eprintln!("fetch: {error}");
        std::process::exit(1);
    }
    Ok(())
}
