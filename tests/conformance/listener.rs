//! Listeners on loopback that serve while something else runs, each connection on a thread of its own.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

/// Listeners on free ports, and their addresses.
pub(crate) fn bind<const N: usize>() -> Result<([TcpListener; N], [SocketAddr; N]), String> {
    let mut bound = Vec::new();
    for _ in 0..N {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        bound.push((listener, address));
    }
    let addresses: Vec<SocketAddr> = bound.iter().map(|(_, address)| *address).collect();
    let listeners: Vec<TcpListener> = bound.into_iter().map(|(listener, _)| listener).collect();
    Ok((listeners.try_into().expect("N listeners"), addresses.try_into().expect("N addresses")))
}

/// Serves while `work` runs; `serve` gets the number of the listener. Then shuts every connection: all threads end.
pub(crate) fn serve_while<T>(
    listeners: &[TcpListener],
    serve: impl Fn(usize, &TcpStream) + Sync,
    work: impl FnOnce() -> T,
) -> T {
    // Weak, so that a connection closes when its thread is done with it.
    let open = Mutex::new(Some(Vec::<Weak<TcpStream>>::new()));
    thread::scope(|scope| {
        for (number, listener) in listeners.iter().enumerate() {
            let (open, serve) = (&open, &serve);
            scope.spawn(move || {
                for stream in listener.incoming().map_while(Result::ok).map(Arc::new) {
                    let Some(streams) = &mut *open.lock().expect("no panic") else { break };
                    streams.push(Arc::downgrade(&stream));
                    scope.spawn(move || serve(number, &stream));
                }
            });
        }
        let result = work();
        for stream in open.lock().expect("no panic").take().into_iter().flatten().filter_map(|stream| stream.upgrade())
        {
            let _ = stream.shutdown(Shutdown::Both);
        }
        for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
            drop(TcpStream::connect(address)); // wakes the accepting thread
        }
        result
    })
}
