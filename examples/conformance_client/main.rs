//! The client that outside suites and benches talk to.
//!
//! * `conformance_client http1 [--runtime R] [-X METHOD] URL ...`: one JSON line per URL
//! * `conformance_client redirects [--runtime R] [-X METHOD] [-d BODY] [-H 'Name: value'] [--jar] URL`: one JSON line
//! * `conformance_client load [--runtime R] [--threads N] --url U --n N --c TASKS [--post BYTES]`: a closing line
//! * `conformance_client autobahn [--runtime R] [--agent NAME] URL`: runs all cases of a fuzzing server
//!
//! R is `smol` (the default), `smol-workers`, `tokio` or `tokio-workers`.

mod autobahn;
mod load;
mod sha256;

use std::time::Duration;

use callboard::client::{Error, Session};
use callboard::{Handle, Headers, Method, Smol, Tokio};
use serde_json::{Value, json};

/// What the command line says.
struct Options {
    runtime: String,
    threads: usize,
    /// In the order given: method and URL.
    requests: Vec<(Method, String)>,
    body: Option<String>,
    headers: Headers,
    load: load::Load,
    agent: String,
}

fn options(mut words: impl Iterator<Item = String>) -> callboard::Result<Options> {
    let (mut body, mut headers, mut load) = (None, Headers::new(), load::Load::default());
    let mut agent = "callboard".to_owned();
    let (mut runtime, mut threads, mut method, mut requests) = ("smol".to_owned(), 1, Method::Get, Vec::new());
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--runtime" => runtime = value()?,
            "--threads" => threads = value()?.parse()?,
            "-X" => method = value()?.parse()?,
            "-d" => body = Some(value()?),
            "-H" => {
                let field = value()?;
                let (name, text) = field.split_once(':').ok_or("-H needs 'Name: value'")?;
                headers.append(name, text)?;
            }
            // A session has a cookie jar unless it is built without.
            "--jar" => {}
            "--agent" => agent = value()?,
            "--url" => load.url = value()?,
            "--n" => load.requests = value()?.parse()?,
            "--c" => load.tasks = value()?.parse()?,
            "--post" => load.post = value()?.parse()?,
            url => requests.push((std::mem::replace(&mut method, Method::Get), url.to_owned())),
        }
    }
    Ok(Options { runtime, threads, requests, body, headers, load, agent })
}

/// Each within five seconds, no redirection followed.
async fn http1(handle: Handle, options: Options) -> callboard::Result {
    let session = Session::builder(handle).redirects(0).build();
    for (method, url) in options.requests {
        let fetch = async {
            let response = session.request(method, url).timeout(Duration::from_secs(4)).await?;
            let fields = response.headers().iter();
            let headers: Vec<_> = fields.map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
            let status = response.status().code();
            let body = response.bytes().await?;
            Ok(json!({ "status": status, "headers": headers, "body_sha256": sha256::hexadecimal(&body) }))
        };
        print(fetch.await);
    }
    Ok(())
}

async fn redirects(handle: Handle, options: Options) -> callboard::Result {
    let session = Session::new(handle);
    let (method, url) = options.requests.into_iter().next().ok_or("a URL is needed")?;
    let mut request = session.request(method, url).headers(&options.headers);
    if let Some(body) = options.body {
        if !options.headers.contains("Content-Type") {
            request = request.header("Content-Type", "text/plain");
        }
        request = request.body(body);
    }
    let fetch = async {
        let response = request.await?;
        let (status, url) = (response.status().code(), response.url().to_string());
        let body = response.bytes().await?;
        Ok(json!({ "status": status, "url": url, "body_sha256": sha256::hexadecimal(&body) }))
    };
    print(fetch.await);
    Ok(())
}

fn print(result: Result<Value, Error>) {
    println!("{}", result.unwrap_or_else(|error| json!({ "error": error.to_string() })));
}

/// Runs a program on the runtime of that name.
fn run<P>(name: &str, threads: usize, program: impl FnOnce(Handle) -> P) -> callboard::Result
where
    P: Future<Output = callboard::Result> + Send,
{
    let handle: Handle = match name {
        "smol" => Smol::new().into(),
        "smol-workers" => Smol::workers(threads).into(),
        "tokio-workers" => Tokio::workers(threads).into(),
        // A runtime that the application owns, and callboard only uses.
        "tokio" => {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            return tokio.block_on(async { program(Tokio::current().into()).await });
        }
        other => return Err(format!("unknown runtime {other}").into()),
    };
    let mut result = Ok(());
    let program = program(handle.clone());
    handle.block_on(Box::pin(async { result = program.await }))?;
    result
}

fn main() -> callboard::Result {
    let mut words = std::env::args().skip(1);
    let suite = words.next().unwrap_or_default();
    let options = options(words)?;
    let (runtime, threads) = (options.runtime.clone(), options.threads);
    match suite.as_str() {
        "http1" => run(&runtime, threads, |handle| http1(handle, options)),
        "redirects" => run(&runtime, threads, |handle| redirects(handle, options)),
        "load" => run(&runtime, threads, |handle| load::run(handle, options.load)),
        "autobahn" => run(&runtime, threads, |handle| autobahn::run(handle, options)),
        other => Err(format!("unknown suite {other:?}: http1, redirects, load or autobahn").into()),
    }
}
