//! The pool machine: one test per rule. `pool_model.rs` tries random operations against a plain model.

use std::time::Duration;

use callboard_core::Instant;
use callboard_core::pool::{Checkout, Grant, Pool, PoolEvent, PoolLimits, SlotId, WaiterId};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn pool(total: usize, per_host: usize) -> Pool<String> {
    Pool::new(PoolLimits { total, per_host, waiting: 4, idle_timeout: 15 * SECOND })
}

fn dial(pool: &mut Pool<String>, key: &str, seconds: u64) -> SlotId {
    match pool.checkout(key, at(seconds)) {
        Checkout::Granted(Grant::Dial(slot)) => {
            pool.dialled(slot);
            slot
        }
        other => panic!("{key}: {other:?}"),
    }
}

fn wait(pool: &mut Pool<String>, key: &str) -> WaiterId {
    match pool.checkout(key, at(0)) {
        Checkout::Queued(waiter) => waiter,
        other => panic!("{key}: {other:?}"),
    }
}

fn events(pool: &mut Pool<String>) -> Vec<PoolEvent> {
    std::iter::from_fn(|| pool.poll_event()).collect()
}

#[test]
fn reuses_the_newest_idle_connection_of_the_host() {
    let mut pool = pool(10, 10);
    let first = dial(&mut pool, "a", 0);
    let second = dial(&mut pool, "a", 0);
    let other = dial(&mut pool, "b", 0);
    for slot in [second, first, other] {
        pool.release(slot, at(1), None);
    }
    assert_eq!(pool.checkout("a", at(2)), Checkout::Granted(Grant::Reuse(first)));
    assert_eq!(pool.checkout("a", at(2)), Checkout::Granted(Grant::Reuse(second)));
    assert!(matches!(pool.checkout("a", at(2)), Checkout::Granted(Grant::Dial(_))));
    assert_eq!(events(&mut pool), []);
}

#[test]
fn waiters_of_a_full_host_are_served_in_order_and_do_not_hold_up_other_hosts() {
    let mut pool = pool(3, 1);
    let a = dial(&mut pool, "a", 0);
    let (first, second) = (wait(&mut pool, "a"), wait(&mut pool, "a"));
    let b = dial(&mut pool, "b", 0);
    pool.release(a, at(1), None);
    assert_eq!(events(&mut pool), [PoolEvent::Granted { waiter: first, grant: Grant::Reuse(a) }]);
    pool.discard(a);
    let granted = events(&mut pool);
    assert!(matches!(granted[..], [PoolEvent::Granted { waiter, grant: Grant::Dial(_) }] if waiter == second));
    pool.discard(b);
    assert_eq!(events(&mut pool), []);
}

#[test]
fn the_total_evicts_the_longest_idle_connection_of_another_host() {
    let mut pool = pool(2, 2);
    let (a, b) = (dial(&mut pool, "a", 0), dial(&mut pool, "b", 0));
    pool.release(b, at(1), None);
    pool.release(a, at(2), None);
    let c = dial(&mut pool, "c", 3);
    assert_eq!(events(&mut pool), [PoolEvent::Close(b)]);
    // All in use but one that is idle: the next host waits only while nothing is idle.
    let d = dial(&mut pool, "d", 3);
    assert_eq!(events(&mut pool), [PoolEvent::Close(a)]);
    let waiter = wait(&mut pool, "e");
    pool.release(c, at(4), None);
    let seen = events(&mut pool);
    assert!(matches!(seen[..], [PoolEvent::Close(closed), PoolEvent::Granted { waiter: who, grant: Grant::Dial(_) }]
        if closed == c && who == waiter));
    pool.discard(d);
}

#[test]
fn a_waiter_of_another_host_is_overtaken_eight_times_at_most() {
    let mut pool = Pool::new(PoolLimits { total: 1, waiting: 100, ..PoolLimits::default() });
    let slot = dial(&mut pool, "a", 0);
    let other = wait(&mut pool, "b");
    let own: Vec<_> = (0..20).map(|_| wait(&mut pool, "a")).collect();
    for waiter in &own[..8] {
        pool.release(slot, at(1), None);
        assert_eq!(events(&mut pool), [PoolEvent::Granted { waiter: *waiter, grant: Grant::Reuse(slot) }]);
    }
    pool.release(slot, at(1), None);
    let seen = events(&mut pool);
    let [PoolEvent::Close(closed), PoolEvent::Granted { waiter, .. }] = seen[..] else { panic!("{seen:?}") };
    assert_eq!((closed, waiter), (slot, other));
}

#[test]
fn idle_connections_expire_by_the_timeout_or_by_an_earlier_hint() {
    let mut pool = pool(10, 10);
    let slots: Vec<_> = (0..3).map(|_| dial(&mut pool, "a", 0)).collect();
    pool.release(slots[0], at(0), None);
    pool.release(slots[1], at(1), Some(at(4)));
    pool.release(slots[2], at(2), Some(at(2)));
    assert_eq!(events(&mut pool), [PoolEvent::Close(slots[2])], "a hint of zero seconds keeps nothing");
    assert_eq!(pool.poll_timeout(), Some(at(4)));
    pool.handle_timeout(at(3));
    assert_eq!(events(&mut pool), []);
    pool.handle_timeout(at(4));
    assert_eq!(events(&mut pool), [PoolEvent::Close(slots[1])]);
    assert_eq!(pool.poll_timeout(), Some(at(15)));
    // Expired by the clock although nobody called the timeout.
    assert!(matches!(pool.checkout("a", at(15)), Checkout::Granted(Grant::Dial(_))));
    assert_eq!(events(&mut pool), [PoolEvent::Close(slots[0])]);
    pool.handle_timeout(at(15));
    assert_eq!(pool.poll_timeout(), None);
}

#[test]
fn a_dead_idle_connection_is_replaced_without_waiting_again() {
    let mut pool = pool(2, 2);
    let (first, second) = (dial(&mut pool, "a", 0), dial(&mut pool, "a", 0));
    pool.release(first, at(1), None);
    pool.release(second, at(1), None);
    assert_eq!(pool.checkout("a", at(1)), Checkout::Granted(Grant::Reuse(second)));
    assert_eq!(pool.replace(second, at(1)), Some(Grant::Reuse(first)));
    assert_eq!(pool.replace(first, at(1)), Some(Grant::Dial(first)));
    assert!(pool.redial(first));
    assert_eq!(pool.snapshot().hosts[0].dialling, 1);
    pool.discard(first);
    assert!(!pool.redial(first) && pool.replace(first, at(1)).is_none(), "a slot that is gone stays gone");
    assert!(pool.is_empty() && pool.snapshot().hosts.is_empty());
}

#[test]
fn cancelled_waiters_and_dials_leave_nothing() {
    let mut pool = pool(1, 1);
    let slot = dial(&mut pool, "a", 0);
    let (first, second) = (wait(&mut pool, "a"), wait(&mut pool, "b"));
    pool.cancel(first);
    pool.cancel(first);
    assert_eq!(pool.snapshot().waiting(), 1);
    pool.discard(slot);
    let seen = events(&mut pool);
    let [PoolEvent::Granted { waiter, grant: Grant::Dial(dialling) }] = seen[..] else { panic!("{seen:?}") };
    assert_eq!(waiter, second);
    pool.discard(dialling);
    assert!(pool.is_empty());
    assert_eq!(pool.snapshot().hosts, []);
}

#[test]
fn too_many_waiters_are_refused() {
    let mut pool = pool(1, 1);
    dial(&mut pool, "a", 0);
    for _ in 0..4 {
        wait(&mut pool, "a");
    }
    assert_eq!(pool.checkout("a", at(0)), Checkout::Refused);
    assert_eq!(pool.checkout("b", at(0)), Checkout::Refused);
    assert_eq!(pool.snapshot().hosts.len(), 1, "a refused host is not remembered");
}

#[test]
fn eviction_closes_the_idle_of_one_host_or_of_all() {
    let mut pool = pool(10, 10);
    let slots: Vec<_> = ["a", "b", "a", "c"].iter().map(|key| dial(&mut pool, key, 0)).collect();
    for slot in &slots[..3] {
        pool.release(*slot, at(0), None);
    }
    pool.evict(Some("unknown"));
    assert_eq!(events(&mut pool), []);
    pool.evict(Some("a"));
    assert_eq!(events(&mut pool), [PoolEvent::Close(slots[0]), PoolEvent::Close(slots[2])]);
    pool.evict::<str>(None);
    assert_eq!(events(&mut pool), [PoolEvent::Close(slots[1])]);
    assert_eq!(pool.snapshot().open(), 1);
}

#[test]
fn a_late_timeout_closes_all_that_has_expired() {
    let mut pool = pool(10, 10);
    let slots: Vec<_> = (0..3).map(|_| dial(&mut pool, "a", 0)).collect();
    for (slot, seconds) in slots.iter().zip([0, 5, 100]) {
        pool.release(*slot, at(seconds), None);
    }
    pool.handle_timeout(at(100));
    assert_eq!(events(&mut pool), [PoolEvent::Close(slots[0]), PoolEvent::Close(slots[1])]);
    assert_eq!(pool.poll_timeout(), Some(at(115)));
}

#[test]
fn a_slot_is_dialling_until_the_dial_succeeds() {
    let mut pool = pool(10, 10);
    let Checkout::Granted(Grant::Dial(slot)) = pool.checkout("a", at(0)) else { panic!("no dial") };
    let counts = |pool: &Pool<String>| {
        let hosts = pool.snapshot().hosts;
        (hosts[0].dialling, hosts[0].busy, hosts[0].idle)
    };
    assert_eq!(counts(&pool), (1, 0, 0));
    pool.dialled(slot);
    assert_eq!(counts(&pool), (0, 1, 0));
    pool.release(slot, at(0), None);
    assert_eq!(counts(&pool), (0, 0, 1));
    // Nobody holds it now: these are mistakes, and change nothing.
    pool.dialled(slot);
    assert!(!pool.redial(slot) && pool.replace(slot, at(0)).is_none());
    assert_eq!(counts(&pool), (0, 0, 1));
    assert!(!pool.is_empty());
}

#[test]
fn a_closed_pool_gives_nothing_and_lets_what_is_held_end() {
    let mut pool = pool(2, 2);
    let (busy, idle) = (dial(&mut pool, "a", 0), dial(&mut pool, "b", 0));
    let waiters = [wait(&mut pool, "b"), wait(&mut pool, "a")];
    pool.cancel(waiters[0]);
    pool.cancel(waiters[1]);
    pool.release(idle, at(1), None);
    let Checkout::Granted(Grant::Dial(dialling)) = pool.checkout("a", at(1)) else { panic!("there is room") };
    assert_eq!(events(&mut pool), [PoolEvent::Close(idle)]);
    let waiters = [wait(&mut pool, "b"), wait(&mut pool, "a")];
    assert!(!pool.is_closed());
    pool.close();
    assert_eq!(events(&mut pool), waiters.map(PoolEvent::Dismissed));
    assert_eq!((pool.checkout("a", at(2)), pool.checkout("c", at(2))), (Checkout::Closed, Checkout::Closed));
    assert_eq!((pool.poll_timeout(), pool.snapshot().waiting(), pool.is_closed()), (None, 0, true));
    // What is held is its holder's to end; nobody is served by it.
    pool.dialled(dialling);
    assert_eq!(pool.replace(dialling, at(3)), Some(Grant::Dial(dialling)));
    pool.release(busy, at(3), None);
    assert_eq!(events(&mut pool), [PoolEvent::Close(busy)]);
    pool.discard(dialling);
    assert!(pool.is_empty() && events(&mut pool).is_empty());
    // Closed once more, it stays so.
    pool.close();
    assert_eq!((events(&mut pool), pool.is_empty()), (vec![], true));
}
