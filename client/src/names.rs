//! Names looked up once for all who ask, by the cache machine of the core.
//!
//! A look-up is a future in here that whoever waits for it drives: no task is spawned. When it can go on, all who wait
//! are woken, so that none depends on another; when the last of them goes, the look-up goes too.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use callboard_core::resolver_cache::{Answer, CacheSettings, Lookup, LookupId, LookupWaiter, ResolverCache};
use callboard_runtime::{BoxFuture, Handle};

type Known = Answer<Arc<io::Error>>;

/// The names that a session knows.
pub(crate) struct Names(Mutex<State>);

struct State {
    cache: ResolverCache<Box<str>, Arc<io::Error>>,
    lookups: BTreeMap<LookupId, UnderWay>,
    /// What came for those who have not asked since.
    answers: BTreeMap<LookupWaiter, Known>,
}

struct UnderWay {
    future: BoxFuture<'static, io::Result<Vec<SocketAddr>>>,
    crowd: Arc<Crowd>,
}

/// Wakes all who wait for a look-up.
#[derive(Default)]
struct Crowd(Mutex<BTreeMap<LookupWaiter, Waker>>);

impl Crowd {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<LookupWaiter, Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Crowd {
    fn wake(self: Arc<Self>) {
        let wakers = std::mem::take(&mut *self.lock());
        wakers.into_values().for_each(Waker::wake);
    }
}

impl Names {
    pub(crate) fn new(settings: CacheSettings) -> Self {
        let cache = ResolverCache::new(settings);
        Self(Mutex::new(State { cache, lookups: BTreeMap::new(), answers: BTreeMap::new() }))
    }

    /// The addresses of a name, now or later, each with this port.
    pub(crate) fn look_up(self: &Arc<Self>, name: &str, port: u16, runtime: &Handle) -> Looking {
        let mut state = self.lock();
        let (lookup, waiter) = match state.cache.look_up(&name.into(), runtime.now()) {
            Lookup::Known(answer) => return Looking::Known(Some(answer), port),
            Lookup::Wait(lookup, waiter) => (lookup, waiter),
            Lookup::Start(lookup, waiter) => {
                let under_way = UnderWay { future: runtime.resolve(name, port), crowd: Arc::default() };
                state.lookups.insert(lookup, under_way);
                (lookup, waiter)
            }
        };
        Looking::Wait(Place { names: Arc::clone(self), runtime: runtime.clone(), lookup, waiter }, port)
    }

    /// Forgets a name, or all.
    pub(crate) fn forget(&self, name: Option<&str>) {
        let mut state = self.lock();
        match name {
            Some(name) => state.cache.clear_key(&name.to_ascii_lowercase().into()),
            None => state.cache.clear(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Names").field("known", &state.cache.len()).field("lookups", &state.lookups.len()).finish()
    }
}

/// A name being looked up. Dropping it is to stop waiting.
pub(crate) enum Looking {
    Known(Option<Known>, u16),
    Wait(Place, u16),
}

/// A place among those who wait for a look-up.
pub(crate) struct Place {
    names: Arc<Names>,
    runtime: Handle,
    lookup: LookupId,
    waiter: LookupWaiter,
}

impl Looking {
    /// Ready once, with the addresses.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Vec<SocketAddr>>> {
        let (answer, port) = match self {
            Self::Known(answer, port) => (answer.take(), *port),
            Self::Wait(place, port) => match place.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(answer) => (answer, *port),
            },
        };
        // It is not polled again.
        let answer = answer.unwrap_or_else(|| Err(Arc::new(io::ErrorKind::Other.into())));
        Poll::Ready(match answer {
            Ok(mut addresses) => {
                for address in &mut addresses {
                    address.set_port(port);
                }
                Ok(addresses)
            }
            Err(error) => Err(Arc::try_unwrap(error).unwrap_or_else(|error| io::Error::new(error.kind(), error))),
        })
    }
}

impl Place {
    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Known>> {
        let mut guard = self.names.lock();
        let state = &mut *guard;
        if let Some(answer) = state.answers.remove(&self.waiter) {
            return Poll::Ready(Some(answer));
        }
        let Some(UnderWay { future, crowd }) = state.lookups.get_mut(&self.lookup) else { return Poll::Ready(None) };
        crowd.lock().insert(self.waiter, context.waker().clone());
        let waker = Waker::from(Arc::clone(crowd));
        let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) else { return Poll::Pending };
        state.lookups.remove(&self.lookup);
        state.cache.answer(self.lookup, answer.map_err(Arc::new), self.runtime.now());
        while let Some(event) = state.cache.poll_event() {
            state.answers.insert(event.waiter, event.answer);
        }
        let answer = state.answers.remove(&self.waiter);
        drop(guard);
        waker.wake();
        Poll::Ready(answer)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut guard = self.names.lock();
        let state = &mut *guard;
        state.answers.remove(&self.waiter);
        state.cache.cancel(self.waiter);
        if let Some(under_way) = state.lookups.get(&self.lookup) {
            under_way.crowd.lock().remove(&self.waiter);
        }
        let stopped = if state.cache.waiters(self.lookup) == 0 { state.lookups.remove(&self.lookup) } else { None };
        if stopped.is_some() {
            state.cache.abandon(self.lookup);
        }
        drop(guard);
        drop(stopped);
    }
}
