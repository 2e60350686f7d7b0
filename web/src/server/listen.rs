//! Opening the listeners: one per address and worker, each made on its worker.

use std::io;
use std::sync::Arc;

use callboard_runtime::{Endpoint, Handle, ListenOptions, Task};

use super::accept::Accept;
use super::shared::Shared;
use crate::StartError;

/// Opens all listeners of a group of addresses (those of one name). One that the machine does not have is passed over
/// if another can be opened; any other failure fails the whole.
pub(super) async fn listen_on(shared: &Arc<Shared>, group: Vec<Endpoint>) -> Result<(), StartError> {
    let mut missing = None;
    let mut is_open = false;
    for endpoint in group {
        // With port 0 a second address would get another port.
        if is_open && endpoint.tcp().is_some_and(|address| address.port() == 0) {
            continue;
        }
        match open(shared, &endpoint).await {
            Ok(()) => is_open = true,
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                missing = Some(StartError::Listen { address: endpoint, error });
            }
            Err(error) => return Err(StartError::Listen { address: endpoint, error }),
        }
    }
    match missing {
        Some(error) if !is_open => Err(error),
        _ => Ok(()),
    }
}

/// Opens one address on every worker.
async fn open(shared: &Arc<Shared>, endpoint: &Endpoint) -> io::Result<()> {
    // A Unix socket cannot be shared by listeners; its connections all live on worker 0.
    let workers = if endpoint.tcp().is_some() { shared.runtime.workers() } else { 1 };
    let options = ListenOptions { reuse_port: workers > 1, ..ListenOptions::default() };
    if options.reuse_port && endpoint.tcp().is_some_and(|address| address.port() != 0) {
        // SO_REUSEPORT would share the port with a server that is there already; without it the system tells.
        drop(shared.runtime.listen(endpoint.clone(), ListenOptions::default())?);
    }
    let local = open_on(shared, 0, endpoint.clone(), options.clone()).await?;
    for worker in 1..workers {
        open_on(shared, worker, local.clone(), options.clone()).await?;
    }
    Ok(())
}

/// Opens a listener on a worker, and starts its accept loop there. Gives where it listens.
async fn open_on(
    shared: &Arc<Shared>,
    worker: usize,
    endpoint: Endpoint,
    options: ListenOptions,
) -> io::Result<Endpoint> {
    let (sender, receiver) = async_channel::bounded(1);
    let own = Arc::clone(shared);
    let make = move || -> Task {
        let result = start(&own, &own.runtime, endpoint, options);
        let (report, task) = match result {
            Ok((local, accept)) => (Ok(local), Some(accept)),
            Err(error) => (Err(error), None),
        };
        // Whoever asked may have given up; then the server is being dropped, and the loop ends by that.
        let _ = sender.try_send(report);
        Box::pin(async move {
            if let Some(accept) = task {
                accept.await;
            }
        })
    };
    shared.runtime.spawn_on(worker, Box::new(make));
    let gone = || io::Error::other("the runtime ended before it listened");
    receiver.recv().await.map_err(|_| gone())?
}

fn start(
    shared: &Arc<Shared>,
    runtime: &Handle,
    endpoint: Endpoint,
    options: ListenOptions,
) -> io::Result<(Endpoint, Accept)> {
    let listener = runtime.listen(endpoint, options)?;
    let local = listener.local();
    let registration = shared.listen(local.clone());
    Ok((local, Accept::new(listener, registration)))
}
