//! The cache of one token: its rules, and many requests at once beside a plain statement of them.

use std::collections::BTreeSet;
use std::time::Duration;

use callboard_core::token_cache::{AfterAnswer, Ask, FetchId, TokenAttempt, TokenCache, TokenId};
use callboard_core::{Instant, Random, Status};

fn at(seconds: u64) -> Instant {
    Instant::EPOCH + Duration::from_secs(seconds)
}

fn fetch(cache: &mut TokenCache<u32>, now: u64) -> FetchId {
    match cache.ask(at(now)) {
        Ask::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn known(cache: &mut TokenCache<u32>, token: u32, expires: Option<u64>) -> TokenId {
    let fetch = fetch(cache, 0);
    cache.fetched(fetch, token, expires.map(at))
}

#[test]
fn one_fetch_serves_all_who_ask() {
    let mut cache = TokenCache::default();
    let first = fetch(&mut cache, 0);
    assert_eq!([cache.ask(at(1)), cache.ask(at(99))], [Ask::Wait(first), Ask::Wait(first)]);
    let id = cache.fetched(first, 7, None);
    assert_eq!([cache.ask(at(1)), cache.ask(at(u64::MAX / 2_000_000_000))], [Ask::Use(id, 7), Ask::Use(id, 7)]);
}

#[test]
fn a_token_is_used_until_it_expires() {
    let mut cache = TokenCache::new();
    let id = known(&mut cache, 7, Some(10));
    assert_eq!(cache.ask(at(9)), Ask::Use(id, 7));
    let second = fetch(&mut cache, 10);
    assert_eq!(cache.refused(), None);
    assert_eq!(cache.ask(at(10)), Ask::Wait(second));
    // One that has expired when it comes is for those who waited for it, and for nobody else.
    cache.fetched(second, 8, Some(at(10)));
    assert!(matches!(cache.ask(at(10)), Ask::Fetch(third) if third != second));
}

#[test]
fn a_refusal_is_of_the_token_that_was_sent() {
    let mut cache = TokenCache::new();
    let old = known(&mut cache, 7, None);
    cache.refuse(old);
    assert_eq!(cache.refused(), Some(&7));
    let second = fetch(&mut cache, 1);
    // Others hear of the same refusal while the new one is fetched, and after.
    cache.refuse(old);
    assert_eq!(cache.ask(at(1)), Ask::Wait(second));
    let new = cache.fetched(second, 8, None);
    cache.refuse(old);
    assert_eq!(cache.refused(), None);
    assert_eq!(cache.ask(at(2)), Ask::Use(new, 8));
}

#[test]
fn who_asks_after_a_failure_begins_anew() {
    let mut cache = TokenCache::new();
    let old = known(&mut cache, 7, None);
    cache.refuse(old);
    let second = fetch(&mut cache, 1);
    cache.failed(second);
    let third = fetch(&mut cache, 1);
    assert_ne!(second, third);
    // It is still why.
    assert_eq!(cache.refused(), Some(&7));
    // What was given up and comes after all is not kept.
    let late = cache.fetched(second, 8, None);
    cache.failed(second);
    assert_eq!(cache.ask(at(2)), Ask::Wait(third));
    cache.refuse(late);
    let new = cache.fetched(third, 9, None);
    assert_eq!(cache.ask(at(2)), Ask::Use(new, 9));
}

#[test]
fn a_request_is_sent_twice_at_most() {
    let mut cache = TokenCache::new();
    let token = known(&mut cache, 7, None);
    let (unauthorized, ok) = (Status::UNAUTHORIZED, Status::OK);
    let rows = [
        // Sent with a token; answers with whether the body can be sent again; what follows.
        (true, vec![(ok, true, AfterAnswer::Keep)]),
        (true, vec![(Status::FORBIDDEN, true, AfterAnswer::Keep)]),
        (true, vec![(unauthorized, true, AfterAnswer::Repeat(token)), (ok, true, AfterAnswer::Keep)]),
        (true, vec![(unauthorized, true, AfterAnswer::Repeat(token)), (unauthorized, true, AfterAnswer::Keep)]),
        (true, vec![(unauthorized, false, AfterAnswer::Refuse(token))]),
        (false, vec![(unauthorized, true, AfterAnswer::Keep)]),
    ];
    for (has_token, answers) in rows {
        let mut attempt = TokenAttempt::default();
        for (status, is_replayable, expected) in answers {
            attempt.send(has_token.then_some(token));
            assert_eq!(attempt.handle_answer(status, is_replayable), expected, "{status}, {is_replayable}");
        }
    }
}

/// A request of the random run.
#[derive(Clone, Copy)]
enum Request {
    Asks,
    Waits(FetchId),
    Sent(TokenId, u32),
    Done,
}

/// Requests come, wait, are answered and refused in any order, and the server turns to another token now and then: one
/// fetch at a time, no token used that was refused, and an end for all.
#[test]
fn many_requests_at_once_keep_the_rules() {
    for seed in 0..300 {
        let mut random = Random::from_seed(seed);
        let mut choose = |bound: usize| usize::try_from(random.below(bound as u64)).unwrap();
        let mut cache = TokenCache::new();
        let mut requests = [Request::Asks; 20];
        let mut attempts = [TokenAttempt::default(); 20];
        let (mut valid, mut fetching, mut refused) = (1_u32, None, BTreeSet::new());
        for turn in 0..4000 {
            let place = choose(requests.len());
            match requests[place] {
                Request::Asks => match cache.ask(at(0)) {
                    Ask::Use(id, token) => {
                        assert!(!refused.contains(&id), "seed {seed}, turn {turn}: a token that was refused");
                        attempts[place].send(Some(id));
                        requests[place] = Request::Sent(id, token);
                    }
                    Ask::Fetch(fetch) => {
                        assert_eq!(fetching.replace(fetch), None, "seed {seed}, turn {turn}: two fetches at once");
                        requests[place] = Request::Waits(fetch);
                    }
                    Ask::Wait(fetch) => {
                        assert_eq!(fetching, Some(fetch), "seed {seed}, turn {turn}");
                        requests[place] = Request::Waits(fetch);
                    }
                },
                Request::Waits(fetch) if fetching == Some(fetch) && choose(4) == 0 => {
                    fetching = None;
                    if choose(5) == 0 {
                        cache.failed(fetch);
                    } else {
                        cache.fetched(fetch, valid, None);
                    }
                }
                Request::Waits(fetch) if fetching != Some(fetch) => requests[place] = Request::Asks,
                Request::Waits(_) | Request::Done => {}
                Request::Sent(id, token) => {
                    let status = if token == valid { Status::OK } else { Status::UNAUTHORIZED };
                    requests[place] = match attempts[place].handle_answer(status, true) {
                        AfterAnswer::Repeat(sent) => {
                            assert_eq!(sent, id);
                            cache.refuse(id);
                            refused.insert(id);
                            Request::Asks
                        }
                        AfterAnswer::Keep | AfterAnswer::Refuse(_) => Request::Done,
                    };
                }
            }
            if turn < 1000 && choose(50) == 0 {
                valid += 1;
            }
        }
        let is_done = |request: &Request| matches!(request, Request::Done);
        assert!(requests.iter().all(is_done), "seed {seed}: a request without an end");
    }
}
