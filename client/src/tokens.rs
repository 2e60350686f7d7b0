//! Bearer tokens that are fetched when they are needed, and anew when a server refuses them (RFC 6750 §3.1).
//!
//! The machine of the core decides; a fetch is a flight that those who wait for it drive. One serves all requests of
//! the session for an origin. What sends a token, and what follows a 401, is in `pass`.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use callboard_core::authentication::{Bearer, CredentialsError};
use callboard_core::token_cache::{Ask, FetchId, TokenCache, TokenId};
use callboard_runtime::{BoxFuture, Handle};

use crate::flight::{Flight, Lost};

/// An error of whoever fetches tokens.
pub type TokenError = Box<dyn Error + Send + Sync>;

/// Where the tokens of an origin come from: see [`SessionBuilder::tokens`](crate::SessionBuilder::tokens).
///
/// One fetch at a time serves all requests that wait. A fetch that fails is the error of all of them, and is not
/// remembered. One that nobody waits for any more is dropped. A source may use the session itself, for another origin
/// or with an `Authorization` of its own: a request in a fetch that needs what is being fetched fails.
///
/// ```
/// use callboard_client::{Session, Token, TokenError, TokenSource};
/// use callboard_runtime::BoxFuture;
///
/// #[derive(Debug)]
/// struct Login(Session);
///
/// impl TokenSource for Login {
///     fn fetch(&self, _refused: Option<&Token>) -> BoxFuture<'static, Result<Token, TokenError>> {
///         let request = self.0.post("https://login.example/token").basic_auth("me", "secret");
///         Box::pin(async move {
///             let text = request.await?.error_for_status()?.text().await?;
///             Ok(Token::bearer(&text)?.expires_in(std::time::Duration::from_secs(3500)))
///         })
///     }
/// }
/// ```
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token. `refused`: the one that the server refused by 401; `None` if none was known, or the last has expired.
    fn fetch(&self, refused: Option<&Token>) -> BoxFuture<'static, Result<Token, TokenError>>;
}

/// A token, and for how long it is good.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    bearer: Bearer,
    lifetime: Option<Duration>,
}

impl Token {
    /// A bearer token (RFC 6750). One that is not of its grammar is an error.
    pub fn bearer(token: &str) -> Result<Self, CredentialsError> {
        Ok(Self { bearer: Bearer::new(token)?, lifetime: None })
    }

    /// From when on it is fetched anew before it is sent, counted from its arrival. Default: it is good until a server
    /// refuses it. Leave some time for the way of a request.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The token itself: a secret.
    pub fn secret(&self) -> &str {
        self.bearer.token()
    }

    /// As `Authorization` has it.
    pub(crate) fn to_field(&self) -> String {
        self.bearer.to_field()
    }
}

/// Without the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

type Fetched = Result<Token, TokenError>;
type Outcome = Result<(TokenId, Token), Arc<dyn Error + Send + Sync>>;

/// The token of an origin.
pub(crate) struct Tokens {
    origin: String,
    source: Arc<dyn TokenSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cache: TokenCache<Token>,
    under_way: Option<Arc<Fetching>>,
    /// Numbers those who wait.
    waiters: u64,
}

/// A fetch under way. All but the flight's own is touched under the lock of the state.
struct Fetching {
    id: FetchId,
    flight: Flight<u64, Fetched>,
    outcome: OnceLock<Outcome>,
    waiters: AtomicUsize,
}

/// What [`Tokens::ask`] gives.
pub(crate) enum Asked {
    Known(TokenId, Token),
    Wait(TokenPlace),
}

impl Tokens {
    pub(crate) fn new(origin: String, source: Arc<dyn TokenSource>) -> Self {
        Self { origin, source, state: Mutex::default() }
    }

    /// As `http://example.org:8080`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The token, now or later.
    pub(crate) fn ask(self: &Arc<Self>, runtime: &Handle) -> Asked {
        let mut state = self.lock();
        let fetching = match (state.cache.ask(runtime.now()), &state.under_way) {
            (Ask::Use(id, token), _) => return Asked::Known(id, token),
            (Ask::Wait(_), Some(fetching)) => Arc::clone(fetching),
            (Ask::Wait(id) | Ask::Fetch(id), _) => {
                let flight = Flight::new(self.begin(state.cache.refused().cloned()));
                let fetching = Fetching { id, flight, outcome: OnceLock::new(), waiters: AtomicUsize::new(0) };
                Arc::clone(state.under_way.insert(Arc::new(fetching)))
            }
        };
        fetching.waiters.fetch_add(1, Ordering::Relaxed);
        state.waiters += 1;
        Asked::Wait(TokenPlace { tokens: Arc::clone(self), runtime: runtime.clone(), fetching, number: state.waiters })
    }

    /// The source is not asked before the first poll, which holds no lock.
    fn begin(&self, refused: Option<Token>) -> BoxFuture<'static, Fetched> {
        let source = Arc::clone(&self.source);
        Box::pin(async move { source.fetch(refused.as_ref()).await })
    }

    /// A server has refused a token.
    pub(crate) fn refuse(&self, token: TokenId) {
        self.lock().cache.refuse(token);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a token.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("origin", &self.origin).field("source", &self.source).finish_non_exhaustive()
    }
}

/// A place among those who wait for a token. Dropping it is to stop waiting.
pub(crate) struct TokenPlace {
    tokens: Arc<Tokens>,
    runtime: Handle,
    fetching: Arc<Fetching>,
    number: u64,
}

impl TokenPlace {
    pub(crate) fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// Ready with the token that was fetched, even if it has expired by now.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Outcome> {
        let Fetching { id, flight, outcome, .. } = &*self.fetching;
        let state = self.tokens.lock();
        if let Some(outcome) = outcome.get() {
            return Poll::Ready(outcome.clone());
        }
        flight.attach(self.number, context);
        drop(state);
        let fetched = match flight.poll() {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(fetched)) => fetched,
            Poll::Ready(Err(lost)) => {
                let error = TokenError::from(lost.tell("the source of tokens"));
                if lost == Lost::Circle {
                    return Poll::Ready(Err(Arc::from(error)));
                }
                Err(error)
            }
        };
        let mut state = self.tokens.lock();
        let told = match fetched {
            Ok(token) => {
                let expires = token.lifetime.map(|lifetime| self.runtime.now() + lifetime);
                Ok((state.cache.fetched(*id, token.clone(), expires), token))
            }
            Err(error) => {
                state.cache.failed(*id);
                Err(Arc::from(error))
            }
        };
        // Set once: the flight ends once, and one that panicked says the same to all.
        let told = outcome.get_or_init(|| told).clone();
        forget(&mut state, &self.fetching);
        drop(state);
        flight.wake();
        Poll::Ready(told)
    }
}

/// Who asks from now on does not wait for this fetch.
fn forget(state: &mut State, fetching: &Arc<Fetching>) {
    if state.under_way.as_ref().is_some_and(|under_way| Arc::ptr_eq(under_way, fetching)) {
        state.under_way = None;
    }
}

impl Drop for TokenPlace {
    fn drop(&mut self) {
        let mut state = self.tokens.lock();
        self.fetching.flight.detach(&self.number);
        if self.fetching.waiters.fetch_sub(1, Ordering::Relaxed) == 1 {
            // The flight ends with this place, outside the lock.
            state.cache.failed(self.fetching.id);
            forget(&mut state, &self.fetching);
        }
    }
}
