//! Requests as fast as they go, by many tasks over one session, and one closing line about it.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use callboard::Handle;
use callboard::client::{Error, Session, Url};

/// What to do.
#[derive(Default)]
pub(crate) struct Load {
    pub(crate) url: String,
    pub(crate) requests: usize,
    pub(crate) tasks: usize,
    /// Bytes of a body to POST; 0: GET.
    pub(crate) post: usize,
}

/// What the tasks share.
struct Progress {
    left: AtomicUsize,
    bytes: AtomicUsize,
    /// Tasks that run, the first error, and who waits for all.
    end: Mutex<(usize, Option<Error>, Option<Waker>)>,
}

/// Sends until none is left.
async fn work(session: Session, url: Url, body: Option<Bytes>, progress: &Progress) -> Result<(), Error> {
    let take = |left: usize| left.checked_sub(1);
    while progress.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let request = match &body {
            None => session.get(&url),
            Some(body) => session.post(&url).body(body.clone()),
        };
        let mut response = request.await?.error_for_status()?;
        while let Some(part) = response.chunk().await {
            progress.bytes.fetch_add(part?.len(), Ordering::Relaxed);
        }
    }
    Ok(())
}

pub(crate) async fn run(handle: Handle, load: Load) -> callboard::Result {
    let session = Session::builder(handle.clone()).connections(load.tasks).connections_per_host(load.tasks).build();
    let url: Url = load.url.parse()?;
    let body = (load.post > 0).then(|| Bytes::from(vec![b'x'; load.post]));
    let end = Mutex::new((load.tasks, None, None));
    let progress = Arc::new(Progress { left: load.requests.into(), bytes: 0.into(), end });
    let start = Instant::now();
    for task in 0..load.tasks {
        let (session, url, body, progress) = (session.clone(), url.clone(), body.clone(), Arc::clone(&progress));
        let task_of = async move {
            let result = work(session, url, body, &progress).await;
            let Ok(mut end) = progress.end.lock() else { return };
            end.0 -= 1;
            if let Err(error) = result {
                end.1.get_or_insert(error);
            }
            end.2.iter().for_each(Waker::wake_by_ref);
        };
        handle.spawn_on(task % handle.workers(), Box::new(move || Box::pin(task_of)));
    }
    let first_error = std::future::poll_fn(|context| {
        let Ok(mut end) = progress.end.lock() else { return Poll::Ready(None) };
        end.2 = Some(context.waker().clone());
        if end.0 == 0 { Poll::Ready(end.1.take()) } else { Poll::Pending }
    });
    if let Some(error) = first_error.await {
        return Err(error.into());
    }
    report(&load, progress.bytes.load(Ordering::Relaxed).max(load.post * load.requests), start);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts and sums for people")]
fn report(load: &Load, bytes: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let (requests, mebibytes) = (load.requests as f64, bytes as f64 / 1024.0 / 1024.0);
    let (total, user, system) = processor_time();
    println!(
        "callboard n={} s={seconds:.3} rps={:.0} MiBps={:.1} user_us={user} sys_us={system} cpu_us_per_req={:.2}",
        load.requests,
        requests / seconds,
        mebibytes / seconds,
        total as f64 / requests,
    );
}

/// Of this process, in microseconds: exactly, and split into user and system by the ticks of the clock. Linux only.
fn processor_time() -> (u64, u64, u64) {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let exact = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    let total = exact.sum::<u64>() / 1000;
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold spaces; user and system time are the 14th and 15th field.
    let mut fields = text.rsplit(')').next().unwrap_or_default().split(' ').skip(12);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let (user, system) = (ticks(), ticks());
    let user = total * user / (user + system).max(1);
    (total, user, total - user)
}
