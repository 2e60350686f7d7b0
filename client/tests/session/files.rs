//! Files as bodies: what is sent of them, when they are read, and that they are closed.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callboard_client::{Body, Delivery, ErrorKind, FileError, Multipart, Phase, Session, Timeouts};
use callboard_core::Instant;
use callboard_core::multipart::Boundary;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};
use callboard_sim::Simulation;

use crate::cancelling::cut_short;
use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

/// A file of its own, removed in the end.
struct Sample(PathBuf);

impl Sample {
    fn new(name: &str, content: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("callboard-files-{}-{number}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// Whether this process has it open. Where that cannot be told, it never has.
    fn is_open(&self) -> bool {
        let Ok(entries) = fs::read_dir("/proc/self/fd") else { return false };
        entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == self.0))
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

fn text(length: usize) -> String {
    (0..length).map(|place| char::from(b'a' + u8::try_from(place / 7 % 26).unwrap())).collect()
}

#[test]
fn a_file_is_sent_with_its_length_and_media_type_and_closed() {
    everywhere(|runtime| {
        Box::pin(async move {
            for (name, media_type, content) in
                [("a.PNG", "image/png", text(600_000)), ("b", "application/octet-stream", String::new())]
            {
                let sample = Sample::new(name, &content);
                let script = vec![Step::Head, Step::Body(content.len()), answer("ok")];
                let (session, server) = pair(&runtime, vec![script]);
                let response = session.put(server.url("/")).body(Body::file(sample.path())).await.unwrap();
                assert!(response.status().code() == 200 && !sample.is_open());
                let head = server.heads().remove(0);
                assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", content.len())), "{head}");
                assert!(head.contains(&format!("\r\nContent-Type: {media_type}\r\n")), "{head}");
                assert!(server.log(|log| log.bodies[0] == content), "another content");
            }
        })
    });
}

#[test]
fn a_file_is_sent_again_from_its_start() {
    simulated(|runtime| {
        Box::pin(async move {
            let (content, form) = (text(300_000), |path: &Path| {
                Multipart::form().field("a", "1").file_at("f", path).boundary(Boundary::new("B").unwrap())
            });
            let sample = Sample::new("b \"1\".txt", &content);
            let whole = format!(
                "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; \
                 name=\"f\"; filename=\"b %221%22.txt\"\r\nContent-Type: text/plain\r\n\r\n{content}\r\n--B--\r\n"
            );
            for is_form in [false, true] {
                let expected = if is_form { &whole } else { &content };
                let moved = "HTTP/1.1 307 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
                let again = [Step::Head, Step::Body(expected.len()), answer("end")];
                let mut script = vec![Step::Head, Step::Body(expected.len()), send(moved)];
                script.extend(again.clone());
                let (session, server) = pair(&runtime, vec![script, again.to_vec()]);
                let request = session.post(server.url("/a"));
                let request = if is_form {
                    request.multipart(form(sample.path()))
                } else {
                    request.body(Body::file(sample.path()))
                };
                let response = request.await.unwrap();
                assert!(!sample.is_open());
                assert_eq!(response.text().await.unwrap(), "end");
                for head in server.heads() {
                    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", expected.len())), "{head}");
                }
                assert!(server.log(|log| log.bodies.len() == 2 && log.bodies.iter().all(|body| body == expected)));
            }
        })
    });
}

#[test]
fn a_file_that_changes_is_never_sent_beyond_its_length_and_never_short() {
    simulated(|runtime| {
        Box::pin(async move {
            let length = 4 * 1024 * 1024;
            for grows in [true, false] {
                let sample = Sample::new("a", &"a".repeat(length));
                let second = Duration::from_secs(1);
                let script = vec![Step::Head, Step::Wait(9 * second), Step::Body(length), answer("end")];
                let (session, server) = pair(&runtime, vec![script]);
                let (path, clock) = (sample.path().to_owned(), runtime.clone());
                runtime.spawn(Box::pin(async move {
                    clock.sleep(5 * second).await;
                    let file = OpenOptions::new().write(true).open(path).unwrap();
                    file.set_len(if grows { 9_999_999 } else { 1_999_999 }).unwrap();
                }));
                let outcome = session.post(server.url("/")).body(Body::file(sample.path())).await;
                assert!(!sample.is_open());
                if grows {
                    assert_eq!(outcome.unwrap().text().await.unwrap(), "end");
                    assert!(server.log(|log| log.bodies[0].len() == length));
                    continue;
                }
                let error = outcome.unwrap_err();
                let ErrorKind::File(FileError::Shorter { path, announced, found }) = error.kind() else {
                    panic!("another error: {error}")
                };
                assert_eq!((&**path, *announced, *found), (sample.path(), length as u64, 1_999_999));
                assert_eq!((error.phase(), error.delivery()), (Phase::Write, Delivery::MaybeSent));
                assert_eq!(session.snapshot().open(), 0, "a request cut short leaves no connection");
            }
        })
    });
}

#[test]
fn a_file_that_cannot_be_opened_is_told_before_anything_is_sent() {
    everywhere(|runtime| {
        Box::pin(async move {
            let sample = Sample::new("a", "");
            let folder = sample.path().parent().unwrap().to_owned();
            let missing = folder.join("missing");
            let (session, server) = pair(&runtime, vec![vec![Step::Head, answer("never")]]);
            for path in [&missing, &folder] {
                let form = Multipart::form().field("a", "1").file_at("f", path);
                for request in [
                    session.post(server.url("/")).body(Body::file(path)),
                    session.post(server.url("/")).multipart(form),
                ] {
                    let error = request.await.unwrap_err();
                    assert_eq!((error.phase(), error.delivery()), (Phase::Build, Delivery::NeverSent));
                    match error.kind() {
                        ErrorKind::File(FileError::Io { path, error }) => {
                            assert_eq!((path, error.kind()), (&missing, io::ErrorKind::NotFound));
                        }
                        ErrorKind::File(FileError::NotRegular { path }) => assert_eq!(path, &folder),
                        other => panic!("another error: {other}"),
                    }
                    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
                }
            }
            assert_eq!(server.log(|log| log.connections), 0);
        })
    });
}

#[test]
fn a_request_may_be_dropped_while_its_file_is_opened_or_read() {
    let mut cut = 0;
    for seed in 0..4 {
        for polls in 0.. {
            let simulation = Simulation::new(seed);
            let server = Handle::from(simulation.host("server").runtime());
            let client = Handle::from(simulation.host("client").runtime());
            let sample = Sample::new("a.txt", &text(700_000));
            let endpoint = Endpoint::Tcp("0.0.0.0:80".parse().unwrap());
            let script = vec![Step::Head, Step::Body(700_000), answer("end")];
            let _server = Server::start_at(&server, endpoint, vec![script]);
            simulation.run_for(Duration::from_millis(1)).unwrap();
            let before = simulation.census();
            let session = Session::new(client.clone());
            let request = session.post("http://server/").body(Body::file(sample.path()));
            let has_ended = simulation.block_on(cut_short(request.send(), polls)).unwrap();
            drop(session);
            simulation.run_for(Duration::from_secs(1)).unwrap();
            assert_eq!(simulation.census(), before, "seed {seed}, {polls} polls");
            assert!(!sample.is_open(), "seed {seed}, {polls} polls");
            if has_ended {
                break;
            }
            cut += 1;
        }
    }
    assert!(cut > 30, "only {cut} places to drop");
}

/// Counts what is done away from the reactor, or never does it.
pub(crate) struct Counting {
    pub(crate) inner: Handle,
    pub(crate) jobs: Arc<AtomicUsize>,
    pub(crate) is_stuck: bool,
}

impl Runtime for Counting {
    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        self.jobs.fetch_add(1, Ordering::Relaxed);
        if self.is_stuck { Box::pin(std::future::pending()) } else { self.inner.run_blocking(work) }
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall_clock(&self) -> Duration {
        self.inner.wall_clock()
    }

    fn entropy(&self) -> u64 {
        self.inner.entropy()
    }

    fn spawn(&self, task: Task) {
        self.inner.spawn(task);
    }

    fn timer(&self) -> Box<dyn Timer> {
        self.inner.timer()
    }

    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        self.inner.connect(endpoint, options)
    }

    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>> {
        self.inner.listen(endpoint, options)
    }

    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.inner.resolve(host, port)
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        self.inner.signals()
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) -> io::Result<()> {
        self.inner.block_on(future)
    }
}

#[test]
fn a_file_is_read_in_large_pieces_away_from_the_reactor() {
    simulated(|runtime| {
        Box::pin(async move {
            for (length, expected) in [(0, 1), (1, 2), (256 * 1024, 2), (256 * 1024 + 1, 3), (1024 * 1024, 5)] {
                let sample = Sample::new("a", &text(length));
                let script = vec![Step::Head, Step::Body(length), answer("end")];
                let server = Server::start(&runtime, vec![script]);
                let jobs = Arc::new(AtomicUsize::new(0));
                let session =
                    Session::new(Counting { inner: runtime.clone(), jobs: Arc::clone(&jobs), is_stuck: false });
                session.post(server.url("/")).body(Body::file(sample.path())).await.unwrap();
                assert_eq!(jobs.load(Ordering::Relaxed), expected, "to open, and for each 256 KiB of {length}");
            }
        })
    });
}

#[test]
fn a_file_system_that_hangs_meets_the_total_timeout() {
    simulated(|runtime| {
        Box::pin(async move {
            let timeouts = Timeouts { total: Duration::from_secs(3), ..Timeouts::default() };
            let stuck = Counting { inner: runtime.clone(), jobs: Arc::default(), is_stuck: true };
            let session = Session::builder(stuck).timeouts(timeouts).build();
            let start = runtime.now();
            let error = session.post("http://localhost:1/").body(Body::file("any")).await.unwrap_err();
            assert!(error.is_timeout() && error.phase() == Phase::Build, "{error}");
            assert_eq!((runtime.now() - start).as_secs(), 3);
        })
    });
}
