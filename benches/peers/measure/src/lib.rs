//! What the bench programs share: their arguments, a listener per thread, CPU time, and the last line of a client.
//!
//! Every server takes `--port` and `--threads`; every client `--port`, `--requests`, `--connections`, `--path` and
//! `--post`, and prints one line of `name=value` at the end.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::FromRawFd;
use std::time::Instant;

/// The body of `/`.
pub const HELLO: &[u8] = b"Hello, World!";
/// The body of `/json`.
pub const MESSAGE: &str = "Hello, World!";
/// Bytes of one chunk of `/stream`.
pub const CHUNK_LENGTH: usize = 16 * 1024;
/// Chunks of `/stream`: 1 MiB in all.
pub const CHUNKS: usize = 64;
/// One chunk of `/stream`.
pub static CHUNK: [u8; CHUNK_LENGTH] = [b'x'; CHUNK_LENGTH];

/// The word behind `--name`, or the given one.
#[must_use]
pub fn word(name: &str, default: &str) -> String {
    let flag = format!("--{name}");
    let mut words = std::env::args().skip_while(|word| *word != flag).skip(1);
    words.next().unwrap_or_else(|| default.to_owned())
}

/// The number behind `--name`, or the given one.
#[must_use]
pub fn number(name: &str, default: usize) -> usize {
    word(name, &default.to_string()).parse().unwrap_or_else(|_| panic!("--{name} takes a number"))
}

/// The port to serve on, or to talk to.
#[must_use]
pub fn port() -> u16 {
    u16::try_from(number("port", 8080)).expect("a port")
}

/// A loopback address as the kernel wants it.
#[must_use]
pub fn loopback(port: u16) -> libc::sockaddr_in {
    // SAFETY: all zeros are a valid `sockaddr_in`.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::sa_family_t::try_from(libc::AF_INET).expect("a small number");
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from(Ipv4Addr::LOCALHOST).to_be();
    address
}

/// Sets an integer option of a socket; a failure ends the program.
pub fn set(socket: i32, level: i32, option: i32) {
    let on: i32 = 1;
    // SAFETY: the pointer and the length describe `on`.
    let result = unsafe { libc::setsockopt(socket, level, option, (&raw const on).cast(), 4) };
    assert_eq!(result, 0, "setsockopt: {}", std::io::Error::last_os_error());
}

/// A non-blocking listener that shares its port with those of other threads.
#[must_use]
pub fn listener(port: u16) -> TcpListener {
    // SAFETY: plain socket calls; the address outlives them, and the new descriptor has one owner.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0);
        assert!(socket >= 0, "socket: {}", std::io::Error::last_os_error());
        set(socket, libc::SOL_SOCKET, libc::SO_REUSEADDR);
        set(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT);
        let address = loopback(port);
        let bound = libc::bind(socket, (&raw const address).cast(), 16);
        assert_eq!(bound, 0, "bind to port {port}: {}", std::io::Error::last_os_error());
        assert_eq!(libc::listen(socket, 4096), 0);
        TcpListener::from_raw_fd(socket)
    }
}

/// Runs a function on so many threads, this one among them.
pub fn on_threads(threads: usize, run: impl Fn() + Send + Clone + 'static) {
    for _ in 1..threads {
        let run = run.clone();
        std::thread::spawn(run);
    }
    run();
}

/// CPU time of this process so far, in microseconds.
#[must_use]
pub fn cpu_microseconds() -> f64 {
    // SAFETY: all zeros are a valid `rusage`, and the kernel fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let microseconds = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
}

/// Measures from its making to `report`.
pub struct Stopwatch {
    wall: Instant,
    cpu: f64,
}

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_microseconds() }
    }

    /// Prints what so many requests took.
    pub fn report(&self, requests: usize, bytes: usize) {
        let (seconds, cpu) = (self.wall.elapsed().as_secs_f64(), cpu_microseconds() - self.cpu);
        let per_request = cpu / requests as f64;
        let per_second = requests as f64 / seconds;
        println!(
            "requests={requests} bytes={bytes} seconds={seconds:.4} per_second={per_second:.0} cpu_us={per_request:.4}"
        );
    }
}
