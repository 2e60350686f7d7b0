//! A runtime for tests: one queue of tasks, first woken first run, and a clock that only the test moves.
//!
//! No sockets. Nothing runs but in `run` and `advance`, so a test sees every state between.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::{
    BoxFuture, ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};

/// The runtime. Dropping the last clone drops its tasks.
#[derive(Clone)]
pub(crate) struct TestRuntime(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: Instant,
    /// When the poll under way began.
    turn: Option<Instant>,
    ready: VecDeque<Arc<Job>>,
    timers: BTreeMap<(Instant, u64), Waker>,
    numbers: u64,
    /// Times that a timer was set or moved.
    timer_calls: usize,
    polls: usize,
    jobs: Vec<Arc<Job>>,
}

struct Job {
    future: Mutex<Option<Task>>,
    is_queued: Mutex<bool>,
    runtime: Weak<Inner>,
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        if !std::mem::replace(&mut *self.is_queued.lock().unwrap(), true)
            && let Some(runtime) = self.runtime.upgrade()
        {
            runtime.lock().ready.push_back(self);
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl TestRuntime {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { state: Mutex::default() }))
    }

    pub(crate) fn handle(&self) -> Handle {
        Handle::from(Port(Arc::downgrade(&self.0)))
    }

    /// Polls one task. False: none was woken.
    pub(crate) fn step(&self) -> bool {
        let Some(job) = self.0.lock().ready.pop_front() else { return false };
        *job.is_queued.lock().unwrap() = false;
        {
            let mut state = self.0.lock();
            state.polls += 1;
            state.turn = Some(state.now);
        }
        let waker = Waker::from(Arc::clone(&job));
        let mut place = job.future.lock().unwrap();
        let is_over =
            place.as_mut().is_some_and(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        self.0.lock().turn = None;
        let over = if is_over { place.take() } else { None };
        drop(place);
        drop(over);
        if is_over {
            self.0.lock().jobs.retain(|other| !Arc::ptr_eq(other, &job));
        }
        true
    }

    /// Polls tasks until none is woken.
    pub(crate) fn run(&self) {
        while self.step() {}
    }

    /// Moves the clock, deadline by deadline, and runs what wakes.
    pub(crate) fn advance(&self, duration: Duration) {
        let end = self.0.lock().now + duration;
        self.run();
        loop {
            let next = {
                let mut state = self.0.lock();
                let due = state.timers.first_key_value().map(|(key, _)| *key).filter(|key| key.0 <= end);
                due.and_then(|key| {
                    state.now = state.now.max(key.0);
                    state.timers.remove(&key)
                })
            };
            let Some(waker) = next else { break };
            waker.wake();
            self.run();
        }
        self.0.lock().now = end;
    }

    /// Runs `future` and all tasks until it is ready; the clock moves when nothing else can. Panics if it never is.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let job = Arc::new(Job { future: Mutex::new(None), is_queued: Mutex::new(false), runtime: Weak::new() });
        let waker = Waker::from(job);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            if !self.step() {
                let next = self.0.lock().timers.first_key_value().map(|(key, _)| key.0);
                let next = next.expect("nothing is left that could wake the future");
                self.advance(next - self.now());
            }
        }
    }

    /// Polls `future` once, and then all tasks.
    pub(crate) fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        let polled = Pin::new(future).poll(&mut Context::from_waker(Waker::noop()));
        self.run();
        polled
    }

    /// Polls `future` once, and no task.
    pub(crate) fn poll_alone<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        let _ = self;
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Moves the clock and runs nothing: from within a task.
    pub(crate) fn advance_clock(&self, duration: Duration) {
        let mut state = self.0.lock();
        state.now = state.now + duration;
    }

    pub(crate) fn now(&self) -> Instant {
        self.0.lock().now
    }

    /// Tasks that have not ended.
    pub(crate) fn tasks(&self) -> usize {
        self.0.lock().jobs.len()
    }

    /// Timers that are set.
    pub(crate) fn timers(&self) -> usize {
        self.0.lock().timers.len()
    }

    pub(crate) fn timer_calls(&self) -> usize {
        self.0.lock().timer_calls
    }

    pub(crate) fn polls(&self) -> usize {
        self.0.lock().polls
    }

    /// Drops all tasks, as the end of a runtime does.
    pub(crate) fn shut_down(&self) {
        let jobs = std::mem::take(&mut self.0.lock().jobs);
        for job in jobs {
            let future = job.future.lock().unwrap().take();
            drop(future);
        }
        self.0.lock().ready.clear();
    }
}

/// What handles share. It does not own the tasks, which own handles.
struct Port(Weak<Inner>);

impl Port {
    fn inner(&self) -> Arc<Inner> {
        self.0.upgrade().expect("the test still has its runtime")
    }
}

impl Runtime for Port {
    fn now(&self) -> Instant {
        self.inner().lock().now
    }

    fn coarse_now(&self) -> Instant {
        let inner = self.inner();
        let state = inner.lock();
        state.turn.unwrap_or(state.now)
    }

    fn wall_clock(&self) -> Duration {
        self.now() - Instant::EPOCH
    }

    fn entropy(&self) -> u64 {
        let inner = self.inner();
        let mut state = inner.lock();
        state.numbers += 1;
        state.numbers
    }

    fn spawn(&self, task: Task) {
        let inner = self.inner();
        let job = Job { future: Mutex::new(Some(task)), is_queued: Mutex::new(true), runtime: Weak::clone(&self.0) };
        let job = Arc::new(job);
        let mut state = inner.lock();
        state.jobs.push(Arc::clone(&job));
        state.ready.push_back(job);
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(TestTimer { runtime: Weak::clone(&self.0), set: None })
    }

    fn connect(&self, _: Endpoint, _: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        Box::pin(ready(Err(io::ErrorKind::Unsupported.into())))
    }

    fn listen(&self, _: Endpoint, _: ListenOptions) -> io::Result<Box<dyn Listener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(ready(Err(io::ErrorKind::Unsupported.into())))
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        work();
        Box::pin(ready(Ok(())))
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) -> io::Result<()> {
        TestRuntime(self.inner()).block_on(future);
        Ok(())
    }
}

struct TestTimer {
    runtime: Weak<Inner>,
    set: Option<(Instant, u64)>,
}

impl TestTimer {
    fn unset(&mut self) {
        if let (Some(key), Some(runtime)) = (self.set.take(), self.runtime.upgrade()) {
            let waker = runtime.lock().timers.remove(&key);
            drop(waker);
        }
    }
}

impl Timer for TestTimer {
    fn poll_at(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.unset();
        let Some(runtime) = self.runtime.upgrade() else { return Poll::Pending };
        let mut state = runtime.lock();
        if deadline <= state.now {
            return Poll::Ready(());
        }
        state.timer_calls += 1;
        state.numbers += 1;
        let key = (deadline, state.numbers);
        state.timers.insert(key, context.waker().clone());
        self.set = Some(key);
        Poll::Pending
    }
}

impl Drop for TestTimer {
    fn drop(&mut self) {
        self.unset();
    }
}
