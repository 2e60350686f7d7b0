//! The cases as data, and what every runner of them shares: steps, modes, a pool of threads, the verdict.
//!
//! The files under `http1/`, `redirects/` and `cookies/` are data: a new case needs no code. A text in them is a string
//! of characters below U+0100, each one byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What one side does next.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Step {
    /// Bytes to send.
    Text(String),
    /// A piece to send many times over.
    Repeat { rep: String, n: usize },
    /// Silence, in seconds.
    Wait { wait: f64 },
    /// Wait until a status was seen (a server case), for so many seconds at most.
    Await { r#await: String, within: f64 },
    /// Shut down the sending side.
    Finish { fin: bool },
    /// Wait for one more request head (a client case).
    Read { read: usize },
    /// Close.
    Close { close: bool },
    /// Close with a reset.
    Reset { reset: bool },
}

impl Step {
    /// What this step sends, if it does.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(latin1(text)),
            Self::Repeat { rep, n } => Some(latin1(rep).repeat(*n)),
            _ => None,
        }
    }
}

/// The bytes that a text of the case files stands for.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).expect("a character below U+0100")).collect()
}

/// How the text steps of a case are written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Each in one write.
    Whole,
    /// Each byte in a write of its own.
    Byte,
}

impl Mode {
    pub(crate) const BOTH: [Self; 2] = [Self::Whole, Self::Byte];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Byte => "byte",
        }
    }

    /// Is a case run in this mode? It is in both unless it lists some.
    pub(crate) fn is_in(self, modes: &[String]) -> bool {
        modes.is_empty() || modes.iter().any(|mode| mode == self.name())
    }

    /// Sends what a step stands for; gives whether it did.
    pub(crate) fn send(self, mut stream: &TcpStream, step: &Step) -> io::Result<bool> {
        const LONG: usize = 3000;
        const PAUSED: usize = 600;
        let Some(bytes) = step.bytes() else { return Ok(false) };
        if self == Self::Byte && matches!(step, Step::Text(_)) && bytes.len() <= LONG {
            for byte in &bytes {
                stream.write_all(&[*byte])?;
                // A pause makes it likely that each byte is a read of its own on the other side.
                if bytes.len() < PAUSED {
                    thread::sleep(Duration::from_micros(300));
                }
            }
        } else {
            stream.write_all(&bytes)?;
        }
        Ok(true)
    }
}

/// Reads a file of cases.
pub(crate) fn load<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is the same in every case.
#[derive(Deserialize)]
pub(crate) struct Title {
    pub(crate) id: String,
    level: String,
    rfc: String,
    #[serde(rename = "title", default)]
    text: String,
}

/// What is run: a case, or a case in one mode.
pub(crate) trait Job: Sync {
    fn title(&self) -> &Title;
}

impl<C: Job> Job for (&C, Mode) {
    fn title(&self) -> &Title {
        self.0.title()
    }
}

/// What failed, in the order of levels, and of how many.
#[derive(Default)]
pub(crate) struct Failures {
    jobs: usize,
    lines: Vec<(String, String)>,
}

impl Failures {
    /// Runs every job on some threads.
    pub(crate) fn gather<J: Job>(&mut self, jobs: &[J], threads: usize, run: impl Fn(&J) -> Result<(), String> + Sync) {
        let (next, lines) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..threads.min(jobs.len()) {
                scope.spawn(|| {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(why) = run(job) {
                            let Title { id, level, rfc, text } = job.title();
                            let line = format!("{id} ({level}, RFC {rfc}) {text}\n    {why}");
                            lines.lock().expect("no thread panicked").push((level.clone(), line));
                        }
                    }
                });
            }
        });
        self.jobs += jobs.len();
        self.lines.extend(lines.into_inner().expect("no thread panicked"));
        self.lines.sort();
    }

    /// Panics with all that failed, unless nothing did.
    pub(crate) fn assert_none(&self, what: &str) {
        let mut levels = BTreeMap::<&str, usize>::new();
        for (level, _) in &self.lines {
            *levels.entry(level).or_default() += 1;
        }
        let lines: Vec<&str> = self.lines.iter().map(|(_, line)| line.as_str()).collect();
        let (failed, jobs) = (lines.len(), self.jobs);
        assert!(lines.is_empty(), "{what}: {failed} of {jobs} failed {levels:?}:\n{}", lines.join("\n"));
    }
}
