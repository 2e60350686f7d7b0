//! Names looked up once for all who ask, by the cache machine of the core.
//!
//! A look-up is a flight that whoever waits for it drives: no task is spawned. When the last of them goes, the look-up
//! goes too. The runtime's resolver is asked by name alone, for its answer is the same for all ports; one of the user's
//! own by name and port.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use callboard_core::resolver_cache::{Answer, CacheSettings, Lookup, LookupId, LookupWaiter, ResolverCache};
use callboard_runtime::{BoxFuture, Handle};

use crate::flight::{Flight, Lost};
use crate::resolver::Resolver;

type Known = Answer<Arc<io::Error>>;

type UnderWay = Flight<LookupWaiter, io::Result<Vec<SocketAddr>>>;

/// The names that a session knows.
pub(crate) struct Names {
    state: Mutex<State>,
    /// In place of the runtime's.
    resolver: Option<Arc<dyn Resolver>>,
}

struct State {
    /// By name, and by port where a resolver of the user's own is asked.
    cache: ResolverCache<(Box<str>, u16), Arc<io::Error>>,
    lookups: BTreeMap<LookupId, Arc<UnderWay>>,
    /// What came for those who have not asked since.
    answers: BTreeMap<LookupWaiter, Known>,
}

impl Names {
    pub(crate) fn new(settings: CacheSettings, resolver: Option<Arc<dyn Resolver>>) -> Self {
        let cache = ResolverCache::new(settings);
        let state = State { cache, lookups: BTreeMap::new(), answers: BTreeMap::new() };
        Self { state: Mutex::new(state), resolver }
    }

    /// The addresses of a name, now or later, for this port.
    pub(crate) fn look_up(self: &Arc<Self>, name: &str, port: u16, runtime: &Handle) -> Looking {
        let key = (name.into(), if self.resolver.is_some() { port } else { 0 });
        let mut state = self.lock();
        let (lookup, waiter) = match state.cache.look_up(&key, runtime.now()) {
            Lookup::Known(answer) => return Looking::Known(Some(answer), port),
            Lookup::Wait(lookup, waiter) => (lookup, waiter),
            Lookup::Start(lookup, waiter) => {
                state.lookups.insert(lookup, Arc::new(Flight::new(self.begin(name, port, runtime))));
                (lookup, waiter)
            }
        };
        Looking::Wait(Place { names: Arc::clone(self), runtime: runtime.clone(), lookup, waiter }, port)
    }

    /// Nobody is asked before the first poll, which holds no lock.
    fn begin(&self, name: &str, port: u16, runtime: &Handle) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let (resolver, runtime, name) = (self.resolver.clone(), runtime.clone(), name.to_owned());
        Box::pin(async move {
            if let Some(resolver) = resolver {
                return resolver.resolve(&name, port).await;
            }
            let mut found = runtime.resolve(&name, port).await?;
            for address in &mut found {
                address.set_port(0);
            }
            Ok(found)
        })
    }

    /// Forgets a name, or all.
    pub(crate) fn forget(&self, name: Option<&str>) {
        let mut state = self.lock();
        match name {
            Some(name) => state.cache.clear_where(|(known, _)| known.eq_ignore_ascii_case(name)),
            None => state.cache.clear(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
                for address in addresses.iter_mut().filter(|address| address.port() == 0) {
                    address.set_port(port);
                }
                Ok(addresses)
            }
            Err(error) => Err(Arc::try_unwrap(error).unwrap_or_else(|error| io::Error::new(error.kind(), error))),
        })
    }
}

impl Place {
    fn poll(&self, context: &Context<'_>) -> Poll<Option<Known>> {
        let mut state = self.names.lock();
        let Some(flight) = state.lookups.get(&self.lookup).map(Arc::clone) else {
            return Poll::Ready(state.answers.remove(&self.waiter));
        };
        flight.attach(self.waiter, context);
        drop(state);
        let answer = match flight.poll() {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(answer)) => answer,
            Poll::Ready(Err(lost)) => {
                let error = io::Error::other(lost.tell("the resolver"));
                if lost == Lost::Circle {
                    return Poll::Ready(Some(Err(Arc::new(error))));
                }
                Err(error)
            }
        };
        let mut guard = self.names.lock();
        let state = &mut *guard;
        state.lookups.remove(&self.lookup);
        state.cache.answer(self.lookup, answer.map_err(Arc::new), self.runtime.now());
        while let Some(event) = state.cache.poll_event() {
            state.answers.insert(event.waiter, event.answer);
        }
        let answer = state.answers.remove(&self.waiter);
        drop(guard);
        flight.wake();
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
            under_way.detach(&self.waiter);
        }
        let stopped = if state.cache.waiters(self.lookup) == 0 { state.lookups.remove(&self.lookup) } else { None };
        if stopped.is_some() {
            state.cache.abandon(self.lookup);
        }
        drop(guard);
        drop(stopped);
    }
}
