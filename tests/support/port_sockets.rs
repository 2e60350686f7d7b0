//! Cases about listening, connecting and names.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::task::Poll;

use callboard_runtime::{Endpoint, Handle, ListenOptions};
use futures_lite::AsyncWriteExt as _;
use futures_lite::future::zip;

use super::{Case, accept, block, error_kind, listen, loopback, pair, read_exact, socket_path, spawn};

pub(crate) const CASES: &[Case] = &[
    ("nobody listens", refused),
    ("five hundred connections", accept_many),
    ("connections that come before the first accept", accept_late),
    ("a port in use", port_in_use),
    ("a shared port", shared_port),
    ("a Unix socket left over is taken", left_over),
    ("a Unix socket in use is not", socket_in_use),
    ("a file that is no socket stays", not_a_socket),
    ("a Unix socket goes with its listener", removed_on_drop),
    ("a connect that nobody waits for any more", cancelled_connect),
    ("localhost", localhost),
    ("address literals", literals),
    ("a name that does not exist", no_such_name),
];

fn refused(runtime: &Handle) {
    block(runtime, async {
        let address = listen(runtime, loopback()).local();
        assert_eq!(error_kind(runtime.connect(address).await), io::ErrorKind::ConnectionRefused);
        let path = socket_path();
        assert_eq!(error_kind(runtime.connect(Endpoint::Unix(path)).await), io::ErrorKind::NotFound);
    });
}

fn accept_many(runtime: &Handle) {
    /// Few enough that several runtimes at once stay within a thousand files.
    const BATCH: u32 = 50;
    for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
        let mut listener = listen(runtime, endpoint);
        let address = listener.local();
        let handle = runtime.clone();
        let server = spawn(runtime, async move {
            for _ in 0..250 {
                let mut stream = accept(&mut listener).await.expect("a client");
                handle.spawn(Box::pin(async move {
                    let number = read_exact(&mut stream, 4).await.expect("a number");
                    stream.write_all(&number).await.expect("writing");
                }));
            }
        });
        block(runtime, async {
            for batch in 0..250 / BATCH {
                let clients: Vec<_> = (0..BATCH)
                    .map(|index| {
                        let connect = runtime.connect(address.clone());
                        spawn(runtime, async move {
                            let number = (batch * BATCH + index).to_be_bytes();
                            let mut stream = connect.await.expect("a server");
                            stream.write_all(&number).await.expect("writing");
                            assert_eq!(read_exact(&mut stream, 4).await.expect("reading"), number);
                        })
                    })
                    .collect();
                for client in clients {
                    client.await;
                }
            }
            server.await;
        });
    }
}

fn accept_late(runtime: &Handle) {
    block(runtime, async {
        let mut listener = listen(runtime, loopback());
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(runtime.connect(listener.local()).await.expect("the system's queue has room"));
        }
        for _ in 0..20 {
            accept(&mut listener).await.expect("a client");
        }
        poll_fn(|context| {
            assert!(listener.poll_accept(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let (client, server) = zip(runtime.connect(listener.local()), accept(&mut listener)).await;
        assert_eq!(client.expect("a server").info().local, server.expect("a client").info().peer);
    });
}

fn port_in_use(runtime: &Handle) {
    block(runtime, async {
        let listener = listen(runtime, loopback());
        let again = runtime.listen(listener.local(), ListenOptions::default());
        assert_eq!(error_kind(again), io::ErrorKind::AddrInUse);
        // With its listener gone the port is free at once.
        let address = listener.local();
        drop(listener);
        listen(runtime, address);
    });
}

fn shared_port(runtime: &Handle) {
    block(runtime, async {
        let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
        let mut first = runtime.listen(loopback(), options.clone()).expect("a free port");
        let mut second = runtime.listen(first.local(), options).expect("a shared port");
        let client = runtime.connect(first.local());
        let server = futures_lite::future::or(accept(&mut first), accept(&mut second));
        let (client, server) = zip(client, server).await;
        assert_eq!(client.expect("a server").info().local, server.expect("a client").info().peer);
    });
}

fn left_over(runtime: &Handle) {
    let path = socket_path();
    // The standard library's listener leaves its file behind.
    drop(UnixListener::bind(&path).expect("a free path"));
    assert!(path.exists());
    block(runtime, async {
        assert_eq!(error_kind(runtime.connect(Endpoint::Unix(path.clone())).await), io::ErrorKind::ConnectionRefused);
        pair(runtime, Endpoint::Unix(path.clone())).await;
    });
    assert!(!path.exists());
}

fn socket_in_use(runtime: &Handle) {
    let path = socket_path();
    block(runtime, async {
        let mut listener = listen(runtime, Endpoint::Unix(path.clone()));
        let again = runtime.listen(Endpoint::Unix(path.clone()), ListenOptions::default());
        assert_eq!(error_kind(again), io::ErrorKind::AddrInUse);
        // The probe may count as a connection; the listener goes on.
        let client = spawn(runtime, runtime.connect(Endpoint::Unix(path.clone())));
        let mut servers = vec![accept(&mut listener).await.expect("a client")];
        poll_fn(|context| {
            while let Poll::Ready(server) = listener.poll_accept(context) {
                servers.push(server.expect("a client"));
            }
            Poll::Ready(())
        })
        .await;
        assert_eq!(client.await.expect("a server").info().peer, Endpoint::Unix(path));
    });
}

fn not_a_socket(runtime: &Handle) {
    let path = socket_path();
    std::fs::write(&path, "precious").expect("a writable folder");
    block(runtime, async {
        let result = runtime.listen(Endpoint::Unix(path.clone()), ListenOptions::default());
        assert_eq!(error_kind(result), io::ErrorKind::AddrInUse);
    });
    assert_eq!(std::fs::read(&path).expect("the file is still there"), b"precious");
    std::fs::remove_file(&path).expect("the file is ours");
}

fn removed_on_drop(runtime: &Handle) {
    let path = socket_path();
    block(runtime, async {
        let listener = listen(runtime, Endpoint::Unix(path.clone()));
        assert!(path.exists());
        drop(listener);
        assert!(!path.exists());
        // A file that took its place is not ours.
        let listener = listen(runtime, Endpoint::Unix(path.clone()));
        std::fs::remove_file(&path).expect("the file is ours");
        std::fs::write(&path, "another's").expect("a writable folder");
        drop(listener);
        assert!(path.exists());
    });
    std::fs::remove_file(&path).expect("the file is ours");
}

fn cancelled_connect(runtime: &Handle) {
    block(runtime, async {
        let mut listener = listen(runtime, loopback());
        for _ in 0..20 {
            // Never polled, and polled once.
            drop(runtime.connect(listener.local()));
            let mut connect = runtime.connect(listener.local());
            poll_fn(|context| Poll::Ready(connect.as_mut().poll(context).is_ready())).await;
            drop(connect);
        }
        let address = listener.local();
        let client = spawn(runtime, runtime.connect(address));
        accept(&mut listener).await.expect("a client");
        client.await.expect("a server");
    });
}

fn localhost(runtime: &Handle) {
    let found = block(runtime, runtime.resolve("localhost", 8080)).expect("every system knows it");
    assert!(!found.is_empty());
    assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 8080), "{found:?}");
}

fn literals(runtime: &Handle) {
    for (host, address) in [("127.0.0.1", "127.0.0.1:1"), ("::1", "[::1]:1"), ("[::1]", "[::1]:1")] {
        let expected: SocketAddr = address.parse().expect("an address");
        assert_eq!(block(runtime, runtime.resolve(host, 1)).expect("no look-up"), [expected]);
    }
}

fn no_such_name(runtime: &Handle) {
    // Names under `invalid` never exist (RFC 6761).
    for host in ["no-such-host.invalid", "a name with spaces", "", "nul\0inside", &"x".repeat(300)] {
        let error = block(runtime, runtime.resolve(host, 80)).expect_err("no such name");
        assert!(error.to_string().contains(host), "{error}");
    }
}
