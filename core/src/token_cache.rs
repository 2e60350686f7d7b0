//! One token for many requests: fetched for all of them at once, kept until it expires or a server refuses it.
//!
//! The machine fetches nothing: its host does when [`Ask::Fetch`] says so, and reports; who asks meanwhile waits for
//! the same fetch. A refusal (401) is of the token that was sent, so that those who were refused late find the new one.
//! [`TokenAttempt`] is what one request keeps: it is sent once more at most.

use crate::{Instant, Status};

/// Tells the tokens of one cache apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TokenId(u64);

/// A fetch under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FetchId(u64);

/// The reply to [`TokenCache::ask`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask<T> {
    /// Send this one.
    Use(TokenId, T),
    /// Fetch one, then [`TokenCache::fetched`] or [`TokenCache::failed`].
    Fetch(FetchId),
    /// One is being fetched.
    Wait(FetchId),
}

/// A token `T`, if one is known.
///
/// ```
/// use callboard_core::Instant;
/// use callboard_core::token_cache::{Ask, TokenCache};
///
/// let mut cache = TokenCache::new();
/// let now = Instant::EPOCH;
/// let Ask::Fetch(fetch) = cache.ask(now) else { unreachable!() };
/// assert_eq!(cache.ask(now), Ask::Wait(fetch));
/// let id = cache.fetched(fetch, "token", None);
/// assert_eq!(cache.ask(now), Ask::Use(id, "token"));
///
/// // A server says no: the next who ask get another.
/// cache.refuse(id);
/// assert_eq!(cache.refused(), Some(&"token"));
/// assert!(matches!(cache.ask(now), Ask::Fetch(_)));
/// ```
#[derive(Clone, Debug)]
pub struct TokenCache<T> {
    known: Option<Known<T>>,
    fetching: Option<FetchId>,
    /// Numbers tokens and fetches.
    count: u64,
}

#[derive(Clone, Debug)]
struct Known<T> {
    id: TokenId,
    token: T,
    /// `None`: never.
    expires: Option<Instant>,
    is_refused: bool,
}

impl<T: Clone> Default for TokenCache<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> TokenCache<T> {
    /// Without a token.
    pub const fn new() -> Self {
        Self { known: None, fetching: None, count: 0 }
    }

    /// Asks for a token.
    pub fn ask(&mut self, now: Instant) -> Ask<T> {
        let is_good = |known: &&Known<T>| !known.is_refused && known.expires.is_none_or(|expires| now < expires);
        if let Some(known) = self.known.as_ref().filter(is_good) {
            return Ask::Use(known.id, known.token.clone());
        }
        if let Some(fetch) = self.fetching {
            return Ask::Wait(fetch);
        }
        let fetch = FetchId(self.next());
        self.fetching = Some(fetch);
        Ask::Fetch(fetch)
    }

    /// The token that a server has refused, if that is why one is fetched.
    pub fn refused(&self) -> Option<&T> {
        self.known.as_ref().filter(|known| known.is_refused).map(|known| &known.token)
    }

    /// A fetch has brought a token, which is used until `expires`. It is kept if the fetch is the one under way.
    pub fn fetched(&mut self, fetch: FetchId, token: T, expires: Option<Instant>) -> TokenId {
        let id = TokenId(self.next());
        if self.fetching == Some(fetch) {
            self.fetching = None;
            self.known = Some(Known { id, token, expires, is_refused: false });
        }
        id
    }

    /// A fetch has failed, or was given up: who asks next begins another.
    pub fn failed(&mut self, fetch: FetchId) {
        if self.fetching == Some(fetch) {
            self.fetching = None;
        }
    }

    /// A server has refused a token. It is not used any more; of another than the one that is known nothing follows.
    pub fn refuse(&mut self, token: TokenId) {
        if let Some(known) = self.known.as_mut().filter(|known| known.id == token) {
            known.is_refused = true;
        }
    }

    const fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

/// What follows from the answer to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterAnswer {
    /// Nothing: the answer is final.
    Keep,
    /// The answer is final, but the token is to be [refused](TokenCache::refuse).
    Refuse(TokenId),
    /// The token is to be refused, and the request sent once more with another.
    Repeat(TokenId),
}

/// One request, and the token that it was sent with.
///
/// A second 401 is given to whoever asked, and no token is blamed for it: the server may refuse this request with any.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TokenAttempt {
    sent: Option<TokenId>,
    is_repeated: bool,
}

impl TokenAttempt {
    /// The request goes out, with this token or without any.
    pub const fn send(&mut self, token: Option<TokenId>) {
        self.sent = token;
    }

    /// The request was answered. `is_replayable`: its body can be sent once more.
    pub fn handle_answer(&mut self, status: Status, is_replayable: bool) -> AfterAnswer {
        match self.sent {
            Some(token) if status == Status::UNAUTHORIZED && !self.is_repeated => {
                self.is_repeated = is_replayable;
                if is_replayable { AfterAnswer::Repeat(token) } else { AfterAnswer::Refuse(token) }
            }
            _ => AfterAnswer::Keep,
        }
    }
}
