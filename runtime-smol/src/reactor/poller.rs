//! epoll, edge-triggered, with an eventfd to interrupt a wait.
//!
//! Not the `polling` crate, for two reasons. Its wait makes five system calls (it re-arms a timerfd and its notifier,
//! and reads the latter, every time), and this reactor's whole budget for a keep-alive request is three. And its way to
//! add a source is `unsafe`, because elsewhere than on epoll a source must be removed before it is closed.
//!
//! A system that refuses the epoll is not a panic: tasks and timers go on with a condition variable, and what needs
//! sockets gets the system's error.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};

use super::lock;

/// The token of the eventfd. No source has it: an index never reaches `u32::MAX`.
const INTERRUPT: u64 = u64::MAX;
/// Longest wait: far below what epoll's count of milliseconds can hold.
const LONGEST: Duration = Duration::from_secs(3600);
/// Events taken by one wait.
const EVENTS: usize = 256;

/// What is waited on.
#[derive(Debug)]
pub(crate) enum Poller {
    Epoll { epoll: OwnedFd, interrupt: OwnedFd },
    Refused { code: i32, interrupted: Mutex<bool>, changed: Condvar },
}

/// The events of a wait.
#[derive(Default)]
pub(crate) struct Events(Vec<epoll::Event>);

/// What happened to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer ended its side, or the connection failed: no more edges will tell of it.
    pub(crate) ended: bool,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self::of_system().unwrap_or_else(|error| Self::refused(&error))
    }

    fn of_system() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let interrupt = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered, so each write is an event and nobody needs to read the count back.
        epoll::add(&epoll, &interrupt, EventData::new_u64(INTERRUPT), EventFlags::IN | EventFlags::ET)?;
        Ok(Self::Epoll { epoll, interrupt })
    }

    fn refused(error: &io::Error) -> Self {
        // 24 is EMFILE, by far the likeliest.
        let code = error.raw_os_error().unwrap_or(24);
        Self::Refused { code, interrupted: Mutex::new(false), changed: Condvar::new() }
    }

    /// Registers a socket, once, for both directions. Closing it ends that.
    pub(crate) fn add(&self, file: impl AsFd, token: u64) -> io::Result<()> {
        match self {
            Self::Epoll { epoll, .. } => {
                let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                Ok(epoll::add(epoll, file, EventData::new_u64(token), flags)?)
            }
            Self::Refused { code, .. } => Err(io::Error::from_raw_os_error(*code)),
        }
    }

    /// Interrupts the wait under way, or the next.
    pub(crate) fn interrupt(&self) {
        match self {
            Self::Epoll { interrupt, .. } => {
                let _ = rustix::io::write(interrupt, &1_u64.to_ne_bytes());
            }
            Self::Refused { interrupted, changed, .. } => {
                *lock(interrupted) = true;
                changed.notify_one();
            }
        }
    }

    /// Waits for events, an interruption, or the time; `None` waits for ever. Rounded up to a millisecond.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) {
        events.0.clear();
        let timeout = timeout.map(|timeout| timeout.min(LONGEST));
        match self {
            Self::Epoll { epoll, .. } => {
                events.0.reserve(EVENTS);
                let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
                // Only a signal interrupts: then there are no events, and the caller's loop comes again.
                let _ = epoll::wait(epoll, rustix::buffer::spare_capacity(&mut events.0), timeout.as_ref());
            }
            Self::Refused { interrupted, changed, .. } => {
                let guard = lock(interrupted);
                let timeout = timeout.unwrap_or(LONGEST);
                if let Ok((mut guard, _)) = changed.wait_timeout_while(guard, timeout, |interrupted| !*interrupted) {
                    *guard = false;
                }
            }
        }
    }
}

impl Events {
    /// The events of sources.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.0.iter().filter(|event| event.data.u64() != INTERRUPT).map(|event| {
            let flags = event.flags;
            let failed = flags.intersects(EventFlags::HUP | EventFlags::ERR);
            let ended = failed || flags.contains(EventFlags::RDHUP);
            Event {
                token: event.data.u64(),
                readable: ended || flags.contains(EventFlags::IN),
                writable: failed || flags.contains(EventFlags::OUT),
                ended,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_before_the_wait_ends_it() {
        for poller in [Poller::new(), Poller::refused(&io::Error::from_raw_os_error(24))] {
            poller.interrupt();
            let mut events = Events::default();
            poller.wait(&mut events, None);
            assert_eq!(events.iter().count(), 0);
        }
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        for poller in [Poller::new(), Poller::refused(&io::Error::from_raw_os_error(24))] {
            let start = std::time::Instant::now();
            poller.wait(&mut Events::default(), Some(Duration::from_micros(1500)));
            assert!(start.elapsed() >= Duration::from_micros(1500));
        }
    }

    #[test]
    fn a_refusal_is_the_systems_error() {
        let poller = Poller::refused(&io::Error::from_raw_os_error(24));
        let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(poller.add(&socket, 0).unwrap_err().raw_os_error(), Some(24));
    }

    #[test]
    fn readiness_is_an_edge() {
        use std::io::Write;
        let poller = Poller::new();
        let (socket, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
        poller.add(&socket, 7).unwrap();
        let mut events = Events::default();
        poller.wait(&mut events, None);
        assert_eq!(
            events.iter().collect::<Vec<_>>(),
            [Event { token: 7, readable: false, writable: true, ended: false }]
        );
        poller.wait(&mut events, Some(Duration::ZERO));
        assert_eq!(events.iter().count(), 0, "an edge is told once");
        peer.write_all(b"x").unwrap();
        drop(peer);
        poller.wait(&mut events, None);
        assert_eq!(
            events.iter().collect::<Vec<_>>(),
            [Event { token: 7, readable: true, writable: true, ended: true }]
        );
    }
}
