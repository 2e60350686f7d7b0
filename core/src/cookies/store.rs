//! The cookies of a jar by domain, and which of them go when there are too many (RFC 6265bis §5.7).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::stored::StoredCookie;

/// How many cookies may be held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) per_domain: usize,
    pub(super) total: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    /// No list is empty.
    domains: BTreeMap<Box<str>, Vec<StoredCookie>>,
    count: usize,
    /// Counts what was put in and what was used.
    turn: u64,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// By domain, then in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &StoredCookie> {
        self.domains.values().flatten()
    }

    pub(super) fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    /// The cookies whose domain is exactly `domain`.
    pub(super) fn of_domain(&self, domain: &str) -> &[StoredCookie] {
        self.domains.get(domain).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_domain_mut(&mut self, domain: &str) -> &mut [StoredCookie] {
        self.domains.get_mut(domain).map_or(&mut [], Vec::as_mut_slice)
    }

    /// Takes out the cookie that `cookie` replaces.
    pub(super) fn take_same(&mut self, cookie: &StoredCookie) -> Option<StoredCookie> {
        let cookies = self.domains.get_mut(&cookie.domain)?;
        let place = cookies.iter().position(|other| other.is_same(cookie))?;
        let taken = cookies.remove(place);
        self.count -= 1;
        if cookies.is_empty() {
            self.domains.remove(&cookie.domain);
        }
        Some(taken)
    }

    /// Puts a cookie in, in its order, and others out if there are too many.
    pub(super) fn insert(&mut self, cookie: StoredCookie, room: Room, unix_seconds: u64) {
        let domain = cookie.domain.clone();
        let cookies = self.domains.entry(cookie.domain.clone()).or_default();
        let place = cookies.partition_point(|other| other.order < cookie.order);
        cookies.insert(place, cookie);
        self.count += 1;
        if self.of_domain(&domain).len() > room.per_domain || self.count > room.total {
            self.retain(|cookie| !cookie.is_expired(unix_seconds));
        }
        while self.of_domain(&domain).len() > room.per_domain {
            // Cookies that are not secure go first, so that nobody on the way can push out those that are.
            let oldest = |is_spared: bool| {
                let candidates = self.of_domain(&domain).iter().filter(|cookie| !(is_spared && cookie.is_secure));
                candidates.min_by_key(|cookie| cookie.used).map(|cookie| cookie.used)
            };
            self.remove_used_at(oldest(true).or_else(|| oldest(false)));
        }
        while self.count > room.total {
            self.remove_used_at(self.iter().map(|cookie| cookie.used).min());
        }
    }

    /// No two cookies were put in or used in the same turn.
    fn remove_used_at(&mut self, turn: Option<u64>) {
        self.retain(|cookie| Some(cookie.used) != turn);
    }

    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&StoredCookie) -> bool) {
        self.domains.retain(|_, cookies| {
            cookies.retain(&mut keeps);
            !cookies.is_empty()
        });
        self.count = self.domains.values().map(Vec::len).sum();
    }
}
