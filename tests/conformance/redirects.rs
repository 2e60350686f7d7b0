//! Runs the redirect cases: two servers that answer with the hops of a case, and what arrived at them in the end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;

use serde::Deserialize;

use crate::case::{Failures, Job, Title, load};
use crate::listener::{bind, serve_while};

/// The two servers.
const NAMES: [&str; 2] = ["A", "B"];

/// One request as a redirect case sends it.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    #[serde(default = "get")]
    pub(crate) method: String,
    pub(crate) data: Option<String>,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default = "start")]
    pub(crate) path: String,
}

fn get() -> String {
    "GET".to_owned()
}

fn start() -> String {
    "/start".to_owned()
}

/// Where a client ended.
pub(crate) struct Arrived {
    pub(crate) status: u16,
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
}

/// Sends one request to a URL and follows redirects by the client's own rules.
pub(crate) type Follow = dyn Fn(&Send, String) -> Result<Arrived, String> + Sync;

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    title: Title,
    send: Send,
    hops: Vec<Hop>,
    expect: Expect,
}

impl Job for Case {
    fn title(&self) -> &Title {
        &self.title
    }
}

/// One answer of the servers, whichever is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hop {
    status: u16,
    location: Option<String>,
    set_cookie: Option<String>,
    chunked: Option<String>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    #[serde(default)]
    any: Vec<Expect>,
    #[serde(default)]
    error: bool,
    status: Option<u16>,
    body: Option<String>,
    requests: Option<usize>,
    max_requests: Option<usize>,
    url_fragment: Option<String>,
    last: Option<Last>,
}

/// About the last request that arrived.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    method: Option<String>,
    path: Option<String>,
    body: Option<String>,
    server: Option<String>,
    host: Option<String>,
    #[serde(default)]
    has: BTreeMap<String, String>,
    #[serde(default)]
    no: Vec<String>,
}

/// A request that arrived.
#[derive(Debug)]
struct Arrival {
    server: &'static str,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Runs every case, and panics with what failed.
pub(crate) fn check(what: &str, follow: &Follow) {
    let cases: Vec<Case> = load("redirects/redirect_cases.json");
    assert!(cases.len() > 30, "only {} cases", cases.len());
    let mut failures = Failures::default();
    failures.gather(&cases, 8, |case| run(case, follow));
    failures.assert_none(&format!("{what}, redirect cases"));
}

struct Servers {
    /// Of A and of B.
    addresses: [SocketAddr; 2],
    arrivals: Mutex<Vec<Arrival>>,
}

fn run(case: &Case, follow: &Follow) -> Result<(), String> {
    let (listeners, addresses) = bind()?;
    let servers = Servers { addresses, arrivals: Mutex::default() };
    let serve = |number: usize, stream: &TcpStream| {
        // `None` is how a connection ends.
        let _ = servers.serve(NAMES[number], stream, &case.hops);
    };
    let result = serve_while(&listeners, serve, || follow(&case.send, servers.fill("{A}") + &case.send.path));
    let arrivals = servers.arrivals.lock().expect("no panic");
    if case.expect.fits(&result, &arrivals, &servers) {
        return Ok(());
    }
    let saw = match &result {
        Ok(arrived) => format!("{} at {}", arrived.status, arrived.url),
        Err(error) => format!("error {error}"),
    };
    Err(format!("saw {saw}; {} requests, the last {:?}", arrivals.len(), arrivals.last()))
}

impl Servers {
    fn authority(&self, name: &str) -> String {
        self.addresses[NAMES.iter().position(|server| *server == name).expect("A or B")].to_string()
    }

    /// Fills in the addresses of the servers.
    fn fill(&self, text: &str) -> String {
        text.replace("{A}", &format!("http://{}", self.authority("A")))
            .replace("{B}", &format!("http://{}", self.authority("B")))
            .replace("{hostA}", &self.authority("A"))
            .replace("{A_localhost}", &format!("http://localhost:{}", self.addresses[0].port()))
    }

    /// Serves one connection until the client leaves, or what comes is no request.
    fn serve(&self, name: &'static str, stream: &TcpStream, hops: &[Hop]) -> Option<()> {
        let mut reader = BufReader::new(stream);
        while let Some(arrival) = receive(name, &mut reader, stream) {
            let mut arrivals = self.arrivals.lock().expect("no panic");
            let is_head = arrival.method == "HEAD";
            let end = Hop { status: 200, location: None, set_cookie: None, chunked: None, body: "end".to_owned() };
            let answer = self.answer(hops.get(arrivals.len()).unwrap_or(&end), is_head);
            arrivals.push(arrival);
            drop(arrivals);
            (&mut &*stream).write_all(answer.as_bytes()).ok()?;
        }
        None
    }

    fn answer(&self, hop: &Hop, is_head: bool) -> String {
        let field =
            |name: &str, value: Option<String>| value.map_or(String::new(), |value| format!("{name}: {value}\r\n"));
        let location = field("Location", hop.location.as_ref().map(|location| self.fill(location)));
        let answer = format!("HTTP/1.1 {} X\r\n{location}{}", hop.status, field("Set-Cookie", hop.set_cookie.clone()));
        match &hop.chunked {
            Some(data) => {
                answer + &format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{data}\r\n0\r\n\r\n", data.len())
            }
            None if hop.status == 304 => answer + "\r\n",
            None => {
                let body = if is_head { "" } else { &hop.body };
                answer + &format!("Content-Length: {}\r\n\r\n{body}", hop.body.len())
            }
        }
    }
}

/// The next request of a connection.
fn receive(server: &'static str, reader: &mut BufReader<&TcpStream>, mut stream: &TcpStream) -> Option<Arrival> {
    let line = |reader: &mut BufReader<&TcpStream>| {
        let mut line = String::new();
        let length = reader.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    };
    let start = line(reader)?;
    let mut words = start.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let field = line(reader)?;
        let Some((name, value)) = field.split_once(':') else { break };
        headers.entry(name.to_ascii_lowercase()).or_insert_with(|| value.trim().to_owned());
    }
    let header = |name: &str| headers.get(name).map(|value| value.to_ascii_lowercase());
    if header("expect").is_some_and(|value| value == "100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = Vec::new();
    if let Some(length) = header("content-length") {
        reader.take(length.parse().ok()?).read_to_end(&mut body).ok()?;
    } else if header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        loop {
            let size = usize::from_str_radix(line(reader)?.split(';').next()?, 16).ok()?;
            let mut data = vec![0; size + 2];
            reader.read_exact(&mut data).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&data[..size]);
        }
    }
    Some(Arrival { server, method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

impl Expect {
    fn fits(&self, result: &Result<Arrived, String>, arrivals: &[Arrival], servers: &Servers) -> bool {
        let arrived = result.as_ref().ok();
        let same = |wanted: &Option<String>, seen: fn(&Arrived) -> String| {
            wanted.is_none() || arrived.map(seen).as_ref() == wanted.as_ref()
        };
        let fragment =
            |fragment: &String| arrived.is_some_and(|arrived| arrived.url.ends_with(&format!("#{fragment}")));
        (self.any.is_empty() || self.any.iter().any(|choice| choice.fits(result, arrivals, servers)))
            && (!self.error || result.is_err())
            && self.status.is_none_or(|status| arrived.is_some_and(|arrived| arrived.status == status))
            && same(&self.body, |arrived| String::from_utf8_lossy(&arrived.body).into_owned())
            && self.requests.is_none_or(|number| arrivals.len() == number)
            && self.max_requests.is_none_or(|number| arrivals.len() <= number)
            && self.url_fragment.as_ref().is_none_or(fragment)
            && self.last.as_ref().is_none_or(|last| arrivals.last().is_some_and(|arrival| last.fits(arrival, servers)))
    }
}

impl Last {
    fn fits(&self, arrival: &Arrival, servers: &Servers) -> bool {
        let same = |wanted: &Option<String>, seen: &str| wanted.as_deref().is_none_or(|wanted| wanted == seen);
        let header = |name: &str| arrival.headers.get(name).map(String::as_str);
        let is_absent = |name: &String| header(name).is_none_or(|value| name == "content-length" && value == "0");
        same(&self.method, &arrival.method)
            && same(&self.path, &arrival.path)
            && same(&self.body, &arrival.body)
            && same(&self.server, arrival.server)
            && self.no.iter().all(is_absent)
            && self.has.iter().all(|(name, value)| header(name) == Some(value))
            && self.host.as_ref().is_none_or(|host| header("host") == Some(&servers.authority(host)))
    }
}
