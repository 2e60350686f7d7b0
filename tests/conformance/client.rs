//! Runs the client cases: a server that sends the raw steps of a case, and what the client under test makes of them.
//!
//! The client performs the requests of a case in order, in one pool, without following redirects. Where a case asks
//! that a run is quick, the client's deadline must not be what ended it: the server keeps such a connection open.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::case::{Failures, Job, Mode, Step, Title, latin1, load};
use crate::listener::{bind, serve_while};
use crate::responses::show;

/// What a client hands to its user.
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// Why it has nothing to hand over.
pub(crate) struct Refused {
    pub(crate) text: String,
    pub(crate) by_deadline: bool,
}

/// Performs requests (method, URL) in order, in one pool.
pub(crate) type Fetch = dyn Fn(Vec<(String, String)>) -> Vec<Result<Fetched, Refused>> + Sync;

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    title: Title,
    conns: Vec<Vec<Step>>,
    allow: Vec<Vec<Wanted>>,
    #[serde(default)]
    requests: Vec<String>,
    #[serde(default)]
    modes: Vec<String>,
    #[serde(default)]
    checks: Vec<String>,
}

impl Job for Case {
    fn title(&self) -> &Title {
        &self.title
    }
}

/// What one request of a case may come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    error: bool,
    status: Option<u16>,
    body: Option<String>,
    bodyrep: Option<(String, usize)>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
}

/// Runs every case in both modes and panics with what failed.
pub(crate) fn check(what: &str, fetch: &Fetch) {
    let cases: Vec<Case> = load("http1/client_cases.json");
    assert!(cases.len() > 100, "only {} cases", cases.len());
    let jobs: Vec<(&Case, Mode)> = cases
        .iter()
        .flat_map(|case| Mode::BOTH.map(|mode| (case, mode)))
        .filter(|(case, mode)| mode.is_in(&case.modes))
        .collect();
    let run = |job: &(&Case, Mode)| run(job.0, job.1, fetch).map_err(|why| format!("{}: {why}", job.1.name()));
    let mut failures = Failures::default();
    failures.gather(&jobs, 8, run);
    failures.assert_none(&format!("{what}, client cases"));
}

fn run(case: &Case, mode: Mode, fetch: &Fetch) -> Result<(), String> {
    let (listeners, [address]) = bind()?;
    let connections = AtomicUsize::new(0);
    let play = |_: usize, stream: &TcpStream| {
        let number = connections.fetch_add(1, Ordering::SeqCst);
        // How a connection ends is the client's matter: what the client made of it is judged below.
        let _ = serve(stream, &case.conns[number.min(case.conns.len() - 1)], mode);
    };
    let results = serve_while(&listeners, play, || fetch(requests(case, address)));
    judge_run(case, &results, connections.load(Ordering::SeqCst))
}

fn requests(case: &Case, address: SocketAddr) -> Vec<(String, String)> {
    let methods = if case.requests.is_empty() { vec!["GET".to_owned()] } else { case.requests.clone() };
    let numbered = methods.into_iter().enumerate();
    numbered.map(|(number, method)| (method, format!("http://{address}/{}/{number}", case.title.id))).collect()
}

/// Plays the steps of one connection. One request head is read before the first.
fn serve(stream: &TcpStream, steps: &[Step], mode: Mode) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let resets = steps.iter().any(|step| matches!(step, Step::Reset { reset: true }));
    let mut input = Vec::new();
    let mut is_there = read_head(stream, &mut input, resets)?;
    for step in steps {
        match step {
            _ if !is_there => return Ok(()),
            Step::Wait { wait } => thread::sleep(Duration::from_secs_f64(*wait)),
            Step::Finish { fin: true } => stream.shutdown(Shutdown::Write)?,
            Step::Read { read } => {
                for _ in 0..*read {
                    is_there = is_there && read_head(stream, &mut input, false)?;
                }
            }
            // With a byte unread, closing sends a reset.
            Step::Close { close: true } | Step::Reset { reset: true } => return Ok(()),
            step => drop(mode.send(stream, step)?),
        }
    }
    // Open until the client leaves.
    while receive(stream, &mut input, 4096)? > 0 {}
    Ok(())
}

/// Takes one request head off the input, unless the client leaves. To leave a byte unread, all but the last is read.
fn read_head(stream: &TcpStream, input: &mut Vec<u8>, leaves_a_byte: bool) -> io::Result<bool> {
    loop {
        if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            input.drain(..end + 4);
            return Ok(true);
        }
        if leaves_a_byte && input.ends_with(b"\r\n\r") {
            return Ok(true);
        }
        if receive(stream, input, if leaves_a_byte { 1 } else { 4096 })? == 0 {
            return Ok(false);
        }
    }
}

fn receive(mut stream: &TcpStream, input: &mut Vec<u8>, most: usize) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer[..most])?;
    input.extend_from_slice(&buffer[..length]);
    Ok(length)
}

fn judge_run(case: &Case, results: &[Result<Fetched, Refused>], connections: usize) -> Result<(), String> {
    let saw: Vec<String> = results
        .iter()
        .map(|result| match result {
            Ok(fetched) => format!("{} {}", fetched.status, show(&fetched.body)),
            Err(refused) => format!("error {}", refused.text),
        })
        .collect();
    let fits = |outcome: &Vec<Wanted>| {
        outcome.len() == results.len() && outcome.iter().zip(results).all(|(wanted, result)| wanted.fits(result))
    };
    if !case.allow.iter().any(fits) {
        return Err(format!("saw {saw:?} on {connections} connections"));
    }
    for check in &case.checks {
        let holds = match check.split_at(check.find(['=', '<']).unwrap_or(check.len())) {
            ("conns", number) => number[1..].parse() == Ok(connections),
            ("slow", _) => !results.iter().any(|result| result.as_ref().is_err_and(|refused| refused.by_deadline)),
            _ => return Err(format!("unknown check {check}")),
        };
        if !holds {
            return Err(format!("{check} does not hold; saw {saw:?} on {connections} connections"));
        }
    }
    Ok(())
}

impl Wanted {
    fn fits(&self, result: &Result<Fetched, Refused>) -> bool {
        let Ok(fetched) = result else { return self.error };
        let repeated = || self.bodyrep.as_ref().map(|(text, times)| latin1(text).repeat(*times));
        let body = self.body.as_deref().map(latin1).or_else(repeated);
        !self.error
            && self.status.is_none_or(|status| status == fetched.status)
            && body.is_none_or(|body| body == fetched.body)
            && self.headers.iter().all(|(name, wanted)| fits_field(fetched, name, wanted))
    }
}

/// A field is absent (`null`), has these values one by one or in a list, or has this value, spaces apart.
fn fits_field(fetched: &Fetched, name: &str, wanted: &Value) -> bool {
    let of_name = fetched.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let values: Vec<String> = of_name.map(|(_, value)| value.iter().map(|&byte| char::from(byte)).collect()).collect();
    match wanted {
        Value::Null => values.is_empty(),
        Value::String(text) => !values.is_empty() && values.join(", ").split_whitespace().eq(text.split_whitespace()),
        Value::Array(list) => {
            let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            values == list || values == [list.join(", ")] || values == [list.join(",")]
        }
        _ => false,
    }
}
