//! Runs the server cases: raw requests over loopback, and a strict look at what comes back.
//!
//! The server under test answers GET `/` with 200, and POST `/echo` with the body that it got. A run ends when its
//! outcome can no longer change: at the end of the connection, or in silence where the connection may stay open.

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::case::{Failures, Job, Mode, Step, Title, latin1, load};
use crate::responses::{Response, Responses, show};

/// Silence after which a connection that may stay open is taken to.
const QUIET: Duration = Duration::from_millis(300);
/// The same in the middle of a response, which the server may finish.
const STALLED: Duration = Duration::from_secs(3);
/// A run that has no outcome by now has failed. Generous: it bounds a hang, and judges no speed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a run looks at the state of things.
const TICK: Duration = Duration::from_millis(10);

#[derive(Deserialize)]
struct Case {
    group: String,
    #[serde(flatten)]
    title: Title,
    send: Vec<Step>,
    allow: Vec<Vec<String>>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    checks: Vec<String>,
    #[serde(default)]
    modes: Vec<String>,
}

impl Job for Case {
    fn title(&self) -> &Title {
        &self.title
    }
}

/// Runs every case in both modes and panics with what failed.
pub(crate) fn check(what: &str, server: SocketAddr) {
    let cases: Vec<Case> = load("http1/server_cases.json");
    assert!(cases.len() > 200, "only {} cases", cases.len());
    let jobs = |heavy: bool| -> Vec<(&Case, Mode)> {
        let chosen = cases.iter().filter(|case| (case.group == "limits") == heavy);
        chosen
            .flat_map(|case| Mode::BOTH.map(|mode| (case, mode)))
            .filter(|(case, mode)| mode.is_in(&case.modes))
            .collect()
    };
    let run = |job: &(&Case, Mode)| run(job.0, job.1, server).map_err(|why| format!("{}: {why}", job.1.name()));
    let mut failures = Failures::default();
    failures.gather(&jobs(false), 24, run);
    // One after the other: they fill buffers, and would starve the others.
    failures.gather(&jobs(true), 1, run);
    failures.assert_none(&format!("{what}, server cases"));
}

/// What the writer of a run and its reader share: the statuses seen, and whether the server is gone.
#[derive(Default)]
struct Seen {
    statuses: Mutex<(Vec<u16>, bool)>,
    changed: Condvar,
}

fn run(case: &Case, mode: Mode, server: SocketAddr) -> Result<(), String> {
    let stream = TcpStream::connect(server).map_err(|error| format!("cannot connect: {error}"))?;
    let setup = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(TICK)));
    setup.map_err(|error| error.to_string())?;
    let seen = Seen::default();
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(case, mode, &stream, &seen));
        let result = read(case, &stream, &seen, || writer.is_finished());
        // The writer may still be at it: it ends with an error when the socket is shut.
        seen.statuses.lock().expect("no panic").1 = true;
        seen.changed.notify_all();
        let _ = stream.shutdown(Shutdown::Both);
        result
    })
}

fn write(case: &Case, mode: Mode, stream: &TcpStream, seen: &Seen) {
    for step in &case.send {
        match step {
            Step::Wait { wait } => thread::sleep(Duration::from_secs_f64(*wait)),
            Step::Finish { fin: true } => drop(stream.shutdown(Shutdown::Write)),
            Step::Await { r#await, within } => {
                let state = seen.statuses.lock().expect("no panic");
                let waits = |state: &mut (Vec<u16>, bool)| {
                    !state.1 && !state.0.iter().any(|&status| fits_status(r#await, status))
                };
                let within = Duration::from_secs_f64(*within);
                drop(seen.changed.wait_timeout_while(state, within, waits));
            }
            // A server may close before it has everything; what it answered is judged by the reader.
            step => {
                if mode.send(stream, step).is_err() {
                    break;
                }
            }
        }
    }
}

fn read(case: &Case, mut stream: &TcpStream, seen: &Seen, is_sent: impl Fn() -> bool) -> Result<(), String> {
    let names_interim = case.allow.iter().flatten().any(|token| token.starts_with('1'));
    let mut responses = Responses::new(&case.methods);
    let mut buffer = vec![0; 64 * 1024];
    let (start, mut heard, mut ended) = (Instant::now(), Instant::now(), false);
    let mut sent_at = None;
    while !ended && start.elapsed() < PATIENCE {
        match stream.read(&mut buffer) {
            Ok(0) => ended = true,
            Ok(length) => {
                heard = Instant::now();
                responses.feed(&buffer[..length], false)?;
                seen.statuses.lock().expect("no panic").0 =
                    responses.list.iter().map(|response| response.status).collect();
                seen.changed.notify_all();
                continue;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(_) => ended = true,
        }
        if is_sent() {
            let sent = *sent_at.get_or_insert_with(Instant::now);
            let list = visible(&responses, names_interim);
            let quiet = if responses.is_partial { STALLED } else { QUIET };
            let is_quiet = heard.max(sent).elapsed() > quiet;
            let settled = |outcome: &Vec<String>| fits(outcome, &list, false);
            let possible = |outcome: &Vec<String>| begins(outcome, &list);
            if is_quiet && (case.allow.iter().any(settled) || !case.allow.iter().any(possible)) {
                break;
            }
        }
    }
    if ended {
        responses.feed(&[], true)?;
    }
    let list = visible(&responses, names_interim);
    let partial = if responses.is_partial { " (and a part of one)" } else { "" };
    let saw = format!("saw {}{partial}; allowed: {:?}", describe(&list, ended), case.allow);
    if !case.allow.iter().any(|outcome| fits(outcome, &list, ended)) {
        return Err(saw);
    }
    case.checks
        .iter()
        .try_for_each(|check| property(check, list.last().copied()).map_err(|why| format!("{why}; {saw}")))
}

/// 100 (Continue) is dropped unless the case is about interim responses.
fn visible(responses: &Responses, names_interim: bool) -> Vec<&Response> {
    responses.list.iter().filter(|response| names_interim || response.status != 100).collect()
}

fn describe(list: &[&Response], ended: bool) -> String {
    let mut words: Vec<String> =
        list.iter().map(|response| format!("{}={}", response.status, show(&response.body))).collect();
    words.push(if ended { "EOF" } else { "OPEN" }.to_owned());
    format!("{words:?}")
}

/// `200`, `4xx`, `400|431` or `*`.
fn fits_status(pattern: &str, status: u16) -> bool {
    let class = format!("{}xx", status / 100);
    pattern.split('|').any(|choice| choice == "*" || choice == class || choice == status.to_string())
}

/// A status, or a status and an exact body: `200=hello`.
fn fits_response(token: &str, response: &Response) -> bool {
    let (pattern, body) = token.split_once('=').map_or((token, None), |(pattern, body)| (pattern, Some(body)));
    fits_status(pattern, response.status) && body.is_none_or(|body| latin1(body) == response.body)
}

/// The responses of an outcome, and how the connection ends, if it says so.
fn split(outcome: &[String]) -> (&[String], Option<bool>) {
    match outcome.split_last() {
        Some((end, rest)) if end == "EOF" => (rest, Some(true)),
        Some((end, rest)) if end == "OPEN" => (rest, Some(false)),
        _ => (outcome, None),
    }
}

fn fits(outcome: &[String], list: &[&Response], ended: bool) -> bool {
    let (tokens, end) = split(outcome);
    tokens.len() == list.len() && begins(outcome, list) && end.is_none_or(|end| end == ended)
}

fn begins(outcome: &[String], list: &[&Response]) -> bool {
    let (tokens, _) = split(outcome);
    list.len() <= tokens.len() && tokens.iter().zip(list).all(|(token, response)| fits_response(token, response))
}

/// A property of the last response.
fn property(name: &str, response: Option<&Response>) -> Result<(), String> {
    let response = response.ok_or_else(|| format!("no response to check {name} on"))?;
    let closes = response.header("connection").is_some_and(|value| value.to_ascii_lowercase().contains("close"));
    let holds = match name {
        "no-te" => response.header("transfer-encoding").is_none(),
        "has-date" => response.header("date").is_some_and(|date| date.len() == 29 && date.ends_with(" GMT")),
        "has-allow" => response.header("allow").is_some(),
        "conn-close" => closes,
        "no-conn-close" => !closes,
        "no-body" => response.body.is_empty(),
        "no-cl" => response.header("content-length").is_none(),
        "http11" => response.version == "1.1",
        _ => return Err(format!("unknown property {name}")),
    };
    if holds { Ok(()) } else { Err(format!("{name} does not hold")) }
}
