//! Connecting to one of several addresses: the race machine of the core over the sockets of the runtime.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::happy_eyeballs::{AttemptId, Race, RaceEvent, RaceSettings, RaceState};
use callboard_runtime::{BoxFuture, ConnectOptions, Endpoint, Handle, Stream};

use crate::settings::Settings;

/// Attempts under way.
pub(crate) struct Racing {
    race: Race<io::Error>,
    attempts: Vec<Attempt>,
    runtime: Handle,
    options: ConnectOptions,
    /// What each attempt may take.
    limit: Duration,
}

struct Attempt {
    id: AttemptId,
    address: SocketAddr,
    began: Instant,
    future: BoxFuture<'static, io::Result<Box<dyn Stream>>>,
}

/// How a race went.
pub(crate) enum Finish {
    Won(Endpoint, Box<dyn Stream>),
    Lost(Vec<(Endpoint, io::Error)>),
}

impl Racing {
    pub(crate) fn new(addresses: Vec<SocketAddr>, settings: &Settings, limit: Duration, runtime: &Handle) -> Self {
        let race = Race::new(addresses, settings.race(), runtime.now());
        let options = settings.connect_options();
        Self { race, attempts: Vec::new(), runtime: runtime.clone(), options, limit }
    }

    /// `started` is told the time at which each attempt begins.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, mut started: impl FnMut(Instant)) -> Poll<Finish> {
        loop {
            while let Some(event) = self.race.poll_event() {
                match event {
                    RaceEvent::Start { attempt: id, address } => {
                        let began = self.runtime.now();
                        started(began);
                        let future = self.runtime.connect(Endpoint::Tcp(address), self.options.clone());
                        self.attempts.push(Attempt { id, address, began, future });
                    }
                    RaceEvent::Cancel(id) => self.attempts.retain(|attempt| attempt.id != id),
                }
            }
            if self.race.state() != RaceState::Running {
                let race = std::mem::replace(&mut self.race, Race::new([], RaceSettings::default(), Instant::EPOCH));
                let failures = race.into_failures().into_iter();
                return Poll::Ready(Finish::Lost(failures.map(|(to, error)| (Endpoint::Tcp(to), error)).collect()));
            }
            let ended = self.attempts.iter_mut().enumerate().find_map(|(place, attempt)| {
                match attempt.future.as_mut().poll(context) {
                    Poll::Ready(result) => Some((place, result)),
                    Poll::Pending => None,
                }
            });
            let Some((place, result)) = ended else { return Poll::Pending };
            let Attempt { id, address, .. } = self.attempts.swap_remove(place);
            match result {
                // What still runs is dropped, and closed by that.
                Ok(stream) if self.race.connected(id) => {
                    self.attempts.clear();
                    return Poll::Ready(Finish::Won(Endpoint::Tcp(address), stream));
                }
                Ok(_) => {}
                Err(error) => self.race.failed(id, error, self.runtime.now()),
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        let attempts = self.attempts.iter().map(|attempt| attempt.began + self.limit);
        attempts.chain(self.race.poll_timeout()).min()
    }

    /// Attempts that have had their time fail; the next start.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let late = |attempt: &Attempt| attempt.began + self.limit <= now;
        for place in (0..self.attempts.len()).rev() {
            if late(&self.attempts[place]) {
                let attempt = self.attempts.remove(place);
                self.race.failed(attempt.id, io::ErrorKind::TimedOut.into(), now);
            }
        }
        self.race.handle_timeout(now);
    }

    /// The one address that there is, if there is one alone.
    pub(crate) fn only(&self) -> Option<Endpoint> {
        let [attempt] = self.attempts.as_slice() else { return None };
        let is_only = self.race.waiting() == 0 && self.race.failures().is_empty();
        is_only.then_some(Endpoint::Tcp(attempt.address))
    }

    /// The address that was begun last of those that are being tried.
    pub(crate) fn latest(&self) -> Option<Endpoint> {
        self.attempts.iter().max_by_key(|attempt| attempt.id).map(|attempt| Endpoint::Tcp(attempt.address))
    }
}
