//! The cache of look-ups: what is known of one name, and who waits for it.

use std::net::SocketAddr;
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::resolver_cache::{CacheSettings, Lookup, LookupId, LookupWaiter, ResolverCache};

use crate::table::{Harness, Step, Table, situations};

/// A cache, and what it told since the last look.
struct Host {
    cache: ResolverCache<&'static str, &'static str>,
    now: Instant,
    lookups: Vec<LookupId>,
    waiters: Vec<LookupWaiter>,
    heard: Vec<String>,
    /// The host polls nothing until the next event.
    slow: bool,
}

const NAME: &str = "example.org";

/// How each state comes about.
const SITUATIONS: [Step<Host>; 9] = [
    ("nothing is known", |_| {}),
    ("it is looked up", |host| host.look_up(NAME)),
    ("it is looked up, and another waits for the same", |host| {
        host.look_up(NAME);
        host.look_up(NAME);
    }),
    ("it is looked up, and nobody waits any more", |host| {
        host.look_up(NAME);
        host.cancel();
    }),
    ("it was forgotten while it is looked up", |host| {
        host.look_up(NAME);
        host.cache.clear_key(&NAME);
    }),
    ("it is known", |host| {
        host.look_up(NAME);
        host.answer(true);
    }),
    ("it was known, and is too old", |host| {
        host.look_up(NAME);
        host.answer(true);
        host.now = host.now + Duration::from_secs(10);
    }),
    ("that it cannot be looked up is known", |host| {
        host.look_up(NAME);
        host.answer(false);
    }),
    ("the answer was not polled yet", |host| {
        host.look_up(NAME);
        host.look_up(NAME);
        host.cache.answer(host.lookups[0], Ok(addresses()), host.now);
        host.slow = true;
    }),
];

/// What can happen.
const EVENTS: [Step<Host>; 15] = [
    ("it is asked for", |host| host.look_up(NAME)),
    ("it is asked for twice", |host| {
        host.look_up(NAME);
        host.look_up(NAME);
    }),
    ("another name is asked for", |host| host.look_up("example.net")),
    ("the look-up succeeds", |host| host.answer(true)),
    ("the look-up fails", |host| host.answer(false)),
    ("the look-up succeeds twice", |host| {
        host.answer(true);
        host.answer(true);
    }),
    ("the newest waiter gives up", |host| host.cancel()),
    ("the host stops the look-up", |host| {
        if let Some(id) = host.lookups.last() {
            host.cache.abandon(*id);
        }
    }),
    ("it is forgotten", |host| host.cache.clear_key(&NAME)),
    ("another is forgotten", |host| host.cache.clear_key(&"example.net")),
    ("all is forgotten", |host| host.cache.clear()),
    ("1 s passes and it is asked for", |host| host.pass_and_look_up(Duration::from_secs(1))),
    ("2 s pass and it is asked for", |host| host.pass_and_look_up(Duration::from_secs(2))),
    ("just under 10 s pass and it is asked for", |host| host.pass_and_look_up(Duration::from_nanos(9_999_999_999))),
    ("10 s pass and it is asked for", |host| host.pass_and_look_up(Duration::from_secs(10))),
];

fn addresses() -> Vec<SocketAddr> {
    ["192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.2:80"].map(|text| text.parse().unwrap()).into()
}

impl Host {
    fn new() -> Self {
        let settings = CacheSettings { failure_ttl: Duration::from_secs(2), ..CacheSettings::default() };
        let cache = ResolverCache::new(settings);
        Self { cache, now: Instant::EPOCH, lookups: Vec::new(), waiters: Vec::new(), heard: Vec::new(), slow: false }
    }

    fn look_up(&mut self, name: &'static str) {
        match self.cache.look_up(&name, self.now) {
            Lookup::Known(answer) => self.heard.push(format!("known, {}", show(&answer))),
            Lookup::Start(id, waiter) => {
                self.heard.push("look it up".to_owned());
                self.lookups.push(id);
                self.waiters.push(waiter);
            }
            Lookup::Wait(_, waiter) => {
                self.heard.push("wait".to_owned());
                self.waiters.push(waiter);
            }
        }
    }

    fn pass_and_look_up(&mut self, time: Duration) {
        self.now = self.now + time;
        self.look_up(NAME);
    }

    fn answer(&mut self, is_ok: bool) {
        if let Some(id) = self.lookups.last() {
            self.cache.answer(*id, if is_ok { Ok(addresses()) } else { Err("no such name") }, self.now);
        }
    }

    fn cancel(&mut self) {
        if let Some(waiter) = self.waiters.last() {
            self.cache.cancel(*waiter);
        }
    }

    fn listen(&mut self) {
        while let Some(event) = self.cache.poll_event() {
            let place = self.waiters.iter().position(|waiter| *waiter == event.waiter).unwrap();
            self.heard.push(format!("waiter {place} gets {}", show(&event.answer)));
        }
    }
}

fn show(answer: &Result<Vec<SocketAddr>, &str>) -> String {
    match answer {
        Ok(addresses) => addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(" "),
        Err(error) => (*error).to_owned(),
    }
}

impl Harness for Host {
    fn state(&self) -> String {
        let waiting: usize = self.lookups.iter().map(|id| self.cache.waiters(*id)).sum();
        format!("{} known, {} looked up, {waiting} wait", self.cache.len(), self.cache.lookups())
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn settle(&mut self) {
        if !self.slow {
            self.listen();
        }
    }

    fn happen(&mut self, step: fn(&mut Self)) {
        step(self);
        self.listen();
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "resolver_cache",
        title: "The cache of look-ups",
        about: "What becomes of one name. Answers are kept for 10 s, as by default, and failures for 2 s. A state \
            says how many names are known (also those too old that nobody asked for), how many are looked up, \
            and who waits.",
        parts: &["The cache"],
        situations: situations(Host::new, &SITUATIONS, &EVENTS),
    }
}
