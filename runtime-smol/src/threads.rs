//! Threads for what blocks: one is started when a job comes and none is idle, up to a limit; an idle one ends.

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// The threads of this process.
static THREADS: Threads = Threads::new(500, Duration::from_secs(5));

/// Threads and the jobs that wait for them.
struct Threads {
    most: usize,
    /// How long an idle thread stays.
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// How many of them wait for a job. One that was woken counts until it runs again.
    idle: usize,
}

/// Starts `work` on a thread for what blocks. It goes on when nobody waits for it; a panic in it is an error.
pub(crate) fn unblock<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send {
    // The outcome lies beside the channel, so that all kinds of work share the code of one kind of channel.
    let outcome = Arc::new(Mutex::new(None));
    let (done, ended) = async_channel::bounded::<()>(1);
    let written = Arc::clone(&outcome);
    let queued = THREADS.run(Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| describe(&*panic));
        *written.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        drop(done);
    }));
    async move {
        queued?;
        // Closes without a message.
        let _ = ended.recv().await;
        let result = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| Err(io::Error::other("the blocking job was dropped")))
    }
}

fn describe(panic: &(dyn Any + Send)) -> io::Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    io::Error::other(format!("the blocking job panicked: {}", text.unwrap_or("with a value that is no text")))
}

impl Threads {
    const fn new(most: usize, patience: Duration) -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, idle: 0 };
        Self { most, patience, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// No job runs while this is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error if there is no thread, and the system gives none.
    fn run(&'static self, job: Job) -> io::Result<()> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() {
            self.changed.notify_one();
        } else if state.threads < self.most {
            let started = thread::Builder::new().name("callboard-blocking".to_owned()).spawn(|| self.work());
            match started {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    let unstarted = state.jobs.pop_back();
                    drop(state);
                    drop(unstarted);
                    return Err(error);
                }
                // One of those that there are comes to it.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            while let Some(job) = state.jobs.pop_front() {
                drop(state);
                // The job's own panic is caught in it; this is for a foreign waker's.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
            }
            state.idle += 1;
            let waited = self.changed.wait_timeout_while(state, self.patience, |state| state.jobs.is_empty());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
            if state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    fn threads(most: usize, patience: Duration) -> &'static Threads {
        Box::leak(Box::new(Threads::new(most, patience)))
    }

    /// A job that says its thread and then waits until it may end.
    fn held(threads: &'static Threads) -> (Receiver<thread::ThreadId>, impl FnOnce()) {
        let (say, said) = channel();
        let (release, released) = channel::<()>();
        let job = move || {
            say.send(thread::current().id()).unwrap();
            let _ = released.recv();
        };
        threads.run(Box::new(job)).unwrap();
        (said, move || drop(release))
    }

    #[test]
    fn jobs_run_beside_each_other_up_to_the_limit() {
        let threads = threads(2, Duration::from_secs(3600));
        let (first, release_first) = held(threads);
        let (second, release_second) = held(threads);
        let (third, release_third) = held(threads);
        let (first, second) = (first.recv().unwrap(), second.recv().unwrap());
        assert_ne!(first, second);
        assert_eq!(threads.lock().jobs.len(), 1, "the third waits");
        release_second();
        assert_eq!(third.recv().unwrap(), second);
        release_first();
        release_third();
    }

    #[test]
    fn an_idle_thread_takes_the_next_job_and_ends_without_one() {
        let threads = threads(9, Duration::from_millis(1));
        for _ in 0..100 {
            let (said, release) = held(threads);
            said.recv().unwrap();
            release();
        }
        while threads.lock().threads != 0 {
            thread::yield_now();
        }
        assert!(threads.lock().jobs.is_empty());
        assert_eq!(threads.lock().idle, 0);

        let threads = self::threads(9, Duration::from_secs(3600));
        let mut seen = None;
        for _ in 0..100 {
            let (said, release) = held(threads);
            let thread = said.recv().unwrap();
            assert_eq!(*seen.get_or_insert(thread), thread);
            release();
            while threads.lock().idle == 0 {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn a_panic_leaves_the_thread_to_the_next_job() {
        let threads = threads(1, Duration::from_secs(3600));
        threads.run(Box::new(|| std::panic::resume_unwind(Box::new(())))).unwrap();
        let (said, release) = held(threads);
        said.recv().unwrap();
        release();
    }
}
