//! The race of attempts to connect (RFC 8305): what starts when, and what becomes of the losers.

use std::net::SocketAddr;
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::happy_eyeballs::{AttemptId, Race, RaceEvent, RaceSettings, RaceState};

use crate::table::{Harness, Step, Table, situations};

/// A race, and what it asked for since the last look.
struct Host {
    race: Race<&'static str>,
    now: Instant,
    attempts: Vec<AttemptId>,
    heard: Vec<String>,
}

const SIX: [&str; 2] = ["[2001:db8::1]:80", "[2001:db8::2]:80"];
const FOUR: [&str; 2] = ["192.0.2.1:80", "192.0.2.2:80"];

/// How each state comes about.
const SITUATIONS: [Step<Host>; 10] = [
    ("nothing is known yet", |_| {}),
    ("IPv4 is known, and IPv6 awaited", |host| host.add(&FOUR)),
    ("IPv6 is known first", |host| host.add(&SIX)),
    ("both are known, the first attempt runs", |host| host.add(&[SIX[0], FOUR[0], SIX[1], FOUR[1]])),
    ("the same, and the look-up has ended", |host| host.add_all()),
    ("the second attempt has joined", |host| {
        host.add_all();
        host.pass(250);
    }),
    ("the last attempt runs", |host| {
        host.add_all();
        (0..3).for_each(|_| host.fail());
    }),
    ("one has connected", |host| {
        host.add_all();
        host.connect(0);
    }),
    ("all have failed", |host| {
        host.add_all();
        (0..4).for_each(|_| host.fail());
    }),
    ("the race was given up", |host| {
        host.add_all();
        host.race.cancel();
    }),
];

/// What can happen.
const EVENTS: [Step<Host>; 15] = [
    ("IPv6 addresses come", |host| host.add(&SIX)),
    ("IPv4 addresses come", |host| host.add(&FOUR)),
    ("a known address comes again", |host| host.add(&SIX[..1])),
    ("the look-up ends", |host| host.race.resolved(host.now)),
    ("49 ms pass", |host| host.pass(49)),
    ("50 ms pass", |host| host.pass(50)),
    ("249 ms pass", |host| host.pass(249)),
    ("250 ms pass", |host| host.pass(250)),
    ("an hour passes", |host| host.pass(3_600_000)),
    ("the newest attempt fails", |host| host.fail()),
    ("the oldest attempt fails", |host| host.fail_at(0)),
    ("the newest attempt connects", |host| host.connect(host.attempts.len().wrapping_sub(1))),
    ("the oldest attempt connects", |host| host.connect(0)),
    ("an attempt that was not begun connects", |host| {
        let mut other = Race::<()>::new(
            (0..40).map(|port| SocketAddr::from(([192, 0, 2, 3], port))),
            RaceSettings::default(),
            host.now,
        );
        let mut last = None;
        while let Some(RaceEvent::Start { attempt, .. }) = other.poll_event() {
            other.failed(attempt, (), host.now);
            last = Some(attempt);
        }
        let connected = host.race.connected(last.unwrap());
        host.heard.push(if connected { "it wins" } else { "too late" }.to_owned());
    }),
    ("cancel", |host| host.race.cancel()),
];

impl Host {
    fn new() -> Self {
        let race = Race::resolving(RaceSettings::default());
        Self { race, now: Instant::EPOCH, attempts: Vec::new(), heard: Vec::new() }
    }

    fn add(&mut self, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        self.race.add(addresses, self.now);
        self.listen();
    }

    fn add_all(&mut self) {
        self.add(&[SIX[0], FOUR[0], SIX[1], FOUR[1]]);
        self.race.resolved(self.now);
        self.listen();
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now = self.now + Duration::from_millis(milliseconds);
        self.race.handle_timeout(self.now);
        self.listen();
    }

    fn fail(&mut self) {
        self.fail_at(self.attempts.len().wrapping_sub(1));
    }

    fn fail_at(&mut self, place: usize) {
        if let Some(attempt) = self.attempts.get(place) {
            self.race.failed(*attempt, "refused", self.now);
        } else {
            self.heard.push("there is none".to_owned());
        }
        self.listen();
    }

    fn connect(&mut self, place: usize) {
        let Some(attempt) = self.attempts.get(place) else { return self.heard.push("there is none".to_owned()) };
        let connected = self.race.connected(*attempt);
        self.heard.push(if connected { "it wins" } else { "too late" }.to_owned());
    }

    fn listen(&mut self) {
        while let Some(event) = self.race.poll_event() {
            self.heard.push(match event {
                RaceEvent::Start { attempt, address } => {
                    self.attempts.push(attempt);
                    format!("start {}: {}", attempt.number(), address.ip())
                }
                RaceEvent::Cancel(attempt) => format!("cancel {}", attempt.number()),
            });
        }
    }
}

impl Harness for Host {
    fn state(&self) -> String {
        match self.race.state() {
            RaceState::Running => format!("{} run, {} wait", self.race.running(), self.race.waiting()),
            RaceState::Won(_) => "won".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn settle(&mut self) {
        self.listen();
    }

    fn happen(&mut self, step: fn(&mut Self)) {
        let before = self.race.poll_timeout();
        step(self);
        self.listen();
        if let Some(due) = self.race.poll_timeout().filter(|due| before != Some(*due)) {
            self.heard.push(format!("the next is due in {:?}", due - self.now));
        }
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "happy_eyeballs",
        title: "The race of attempts to connect (RFC 8305)",
        about: "Two addresses of each family, looked up while the race goes on, and the settings as by default: 50 \
            ms for IPv6 to come, 250 ms for each attempt. A state says how many attempts run, and how many \
            addresses wait.",
        parts: &["The race"],
        situations: situations(Host::new, &SITUATIONS, &EVENTS),
    }
}
