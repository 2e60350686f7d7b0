//! The pool, with room for one connection: what becomes of its slot, and who waits for it.

use std::time::Duration;

use callboard_core::Instant;
use callboard_core::pool::{Checkout, Grant, Pool, PoolEvent, PoolLimits, SlotId, WaiterId};

use crate::table::{Harness, Step, Table, situations};

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

struct Host {
    pool: Pool<String>,
    /// The slot that was granted last.
    slot: Option<SlotId>,
    waiter: Option<WaiterId>,
    heard: Vec<String>,
}

/// How each state comes about.
const SITUATIONS: [Step<Host>; 10] = [
    ("nothing is open", |_| {}),
    ("a slot is held while its connection is dialled", |host| host.checkout("a")),
    ("the same and another request waits", |host| {
        host.checkout("a");
        host.checkout("a");
    }),
    ("a request uses the connection", |host| host.use_one("a")),
    ("the same and another request for its host waits", |host| {
        host.use_one("a");
        host.checkout("a");
    }),
    ("the same and a request for another host waits", |host| {
        host.use_one("a");
        host.checkout("b");
    }),
    ("the same and one for each waits, the other host's first", |host| {
        host.use_one("a");
        host.checkout("b");
        host.checkout("a");
    }),
    ("the connection is kept for reuse", |host| {
        host.use_one("a");
        host.pool.release(host.slot.unwrap(), at(0), None);
    }),
    ("the pool was closed", |host| host.pool.close()),
    ("the pool was closed while a request used the connection", |host| {
        host.use_one("a");
        host.pool.close();
    }),
];

/// What can happen.
const EVENTS: [Step<Host>; 16] = [
    ("checkout of a", |host| host.checkout("a")),
    ("checkout of b", |host| host.checkout("b")),
    ("the dial succeeds", |host| host.on_slot(Pool::dialled)),
    ("release", |host| host.on_slot(|pool, slot| pool.release(slot, at(0), None))),
    ("release after its time", |host| host.on_slot(|pool, slot| pool.release(slot, at(0), Some(at(0))))),
    ("discard", |host| host.on_slot(Pool::discard)),
    ("replace what died", |host| {
        let answer = host.slot.and_then(|slot| host.pool.replace(slot, at(0)));
        if let Some(grant) = answer {
            let text = host.name(grant);
            host.heard.push(text);
        }
    }),
    ("redial", |host| {
        host.on_slot(|pool, slot| {
            pool.redial(slot);
        });
    }),
    ("the last waiter gives up", |host| {
        if let Some(waiter) = host.waiter {
            host.pool.cancel(waiter);
        }
    }),
    ("evict a", |host| host.pool.evict(Some("a"))),
    ("evict all", |host| host.pool.evict::<str>(None)),
    ("close", |host| host.pool.close()),
    ("14 s pass", |host| host.pool.handle_timeout(at(14))),
    ("15 s pass", |host| host.pool.handle_timeout(at(15))),
    ("checkout of a after 15 s", |host| host.checkout_at("a", at(15))),
    ("an old slot is released", |host| {
        if let Some(old) = host.old_slot() {
            host.pool.release(old, at(0), None);
        }
    }),
];

impl Host {
    fn new() -> Self {
        let limits = PoolLimits { total: 1, per_host: 1, waiting: 2, idle_timeout: Duration::from_secs(15) };
        Self { pool: Pool::new(limits), slot: None, waiter: None, heard: Vec::new() }
    }

    fn checkout(&mut self, key: &str) {
        self.checkout_at(key, at(0));
    }

    fn checkout_at(&mut self, key: &str, now: Instant) {
        match self.pool.checkout(key, now) {
            Checkout::Granted(grant) => {
                let text = self.name(grant);
                self.heard.push(text);
                self.slot = Some(grant.slot());
            }
            Checkout::Queued(waiter) => {
                self.heard.push("queued".to_owned());
                self.waiter = Some(waiter);
            }
            Checkout::Refused => self.heard.push("refused, the queue is full".to_owned()),
            Checkout::Closed => self.heard.push("refused, the pool is closed".to_owned()),
        }
    }

    fn use_one(&mut self, key: &str) {
        self.checkout(key);
        self.on_slot(Pool::dialled);
    }

    fn on_slot(&mut self, command: impl Fn(&mut Pool<String>, SlotId)) {
        if let Some(slot) = self.slot {
            command(&mut self.pool, slot);
        }
    }

    /// A slot of the same place in the table that is gone since long.
    fn old_slot(&self) -> Option<SlotId> {
        let mut other = Host::new().pool;
        // The stamps of a pool count up: this is one that the pool at hand has not given yet.
        (0..50).for_each(|_| {
            if let Checkout::Granted(grant) = other.checkout("a", at(0)) {
                other.discard(grant.slot());
            }
        });
        match other.checkout("a", at(0)) {
            Checkout::Granted(grant) if Some(grant.slot()) != self.slot => Some(grant.slot()),
            _ => None,
        }
    }

    fn name(&self, grant: Grant) -> String {
        let same = if Some(grant.slot()) == self.slot { "this slot" } else { "a new slot" };
        match grant {
            Grant::Reuse(_) => format!("Reuse of {same}"),
            Grant::Dial(_) => format!("Dial in {same}"),
        }
    }

    fn listen(&mut self) {
        while let Some(event) = self.pool.poll_event() {
            let text = match event {
                PoolEvent::Granted { grant, .. } => format!("the waiter gets: {}", self.name(grant)),
                PoolEvent::Dismissed(_) => "a waiter is dismissed".to_owned(),
                PoolEvent::Close(_) => "Close".to_owned(),
            };
            self.heard.push(text);
        }
    }
}

impl Harness for Host {
    fn state(&self) -> String {
        let mut parts = Vec::new();
        for host in self.pool.snapshot().hosts {
            for (count, word) in
                [(host.dialling, "dialling"), (host.busy, "busy"), (host.idle, "idle"), (host.waiting, "waits")]
            {
                match count {
                    0 => {}
                    1 => parts.push(format!("{} {word}", host.key)),
                    more => parts.push(format!("{} {word} {more}", host.key)),
                }
            }
        }
        let held = if parts.is_empty() { "empty".to_owned() } else { parts.join(", ") };
        if self.pool.is_closed() { format!("closed, {held}") } else { held }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn settle(&mut self) {
        self.listen();
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "pool",
        title: "The pool of connections",
        about: "With room for one connection in all and two in the queue, for the hosts a and b. A state names the \
            slots and the waiters of each host. Commands concern the slot that was granted last.",
        parts: &["The pool"],
        situations: situations(Host::new, &SITUATIONS, &EVENTS),
    }
}
