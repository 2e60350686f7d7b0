//! Cases about listening, connecting and names.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::task::Poll;

use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions};
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
    ("a connect from an address and a port of our choice", chosen_end),
    ("a connect from where nothing can come", impossible_ends),
    ("localhost", localhost),
    ("address literals", literals),
    ("a name that does not exist", no_such_name),
];

fn refused(runtime: &Handle) {
    block(runtime, async {
        let address = listen(runtime, loopback()).local();
        assert_eq!(
            error_kind(runtime.connect(address, ConnectOptions::default()).await),
            io::ErrorKind::ConnectionRefused
        );
        let path = socket_path();
        assert_eq!(
            error_kind(runtime.connect(Endpoint::Unix(path), ConnectOptions::default()).await),
            io::ErrorKind::NotFound
        );
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
                        let connect = runtime.connect(address.clone(), ConnectOptions::default());
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
            clients.push(
                runtime
                    .connect(listener.local(), ConnectOptions::default())
                    .await
                    .expect("the system's queue has room"),
            );
        }
        for _ in 0..20 {
            accept(&mut listener).await.expect("a client");
        }
        poll_fn(|context| {
            assert!(listener.poll_accept(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let (client, server) =
            zip(runtime.connect(listener.local(), ConnectOptions::default()), accept(&mut listener)).await;
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
        let client = runtime.connect(first.local(), ConnectOptions::default());
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
        assert_eq!(
            error_kind(runtime.connect(Endpoint::Unix(path.clone()), ConnectOptions::default()).await),
            io::ErrorKind::ConnectionRefused
        );
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
        let client = spawn(runtime, runtime.connect(Endpoint::Unix(path.clone()), ConnectOptions::default()));
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
            drop(runtime.connect(listener.local(), ConnectOptions::default()));
            let mut connect = runtime.connect(listener.local(), ConnectOptions::default());
            poll_fn(|context| Poll::Ready(connect.as_mut().poll(context).is_ready())).await;
            drop(connect);
        }
        let address = listener.local();
        let client = spawn(runtime, runtime.connect(address, ConnectOptions::default()));
        accept(&mut listener).await.expect("a client");
        client.await.expect("a server");
    });
}

/// An address of this host that no connect chooses by itself, where there is one.
const OURS: [u8; 4] = if cfg!(target_os = "linux") { [127, 0, 0, 2] } else { [127, 0, 0, 1] };

fn from(local: impl Into<SocketAddr>) -> ConnectOptions {
    ConnectOptions { local: Some(local.into()), ..ConnectOptions::default() }
}

fn chosen_end(runtime: &Handle) {
    block(runtime, async {
        let mut listener = listen(runtime, loopback());
        // A port that was free a moment ago.
        let free = listen(runtime, Endpoint::Tcp((OURS, 0).into())).local().tcp().expect("it is TCP");
        for wanted in [(OURS, 0).into(), free] {
            let connect = runtime.connect(listener.local(), from(wanted));
            let (client, server) = zip(connect, accept(&mut listener)).await;
            let (client, server) = (client.expect("a server").info(), server.expect("a client").info());
            let seen = server.peer.tcp().expect("it is TCP");
            assert_eq!(seen.ip(), wanted.ip());
            assert!(seen.port() != 0 && (wanted.port() == 0 || seen.port() == wanted.port()), "{seen}, not {wanted}");
            assert_eq!(client.local, server.peer);
        }
        // The other options change nothing that can be seen here.
        let options = ConnectOptions { no_delay: false, ..ConnectOptions::default() };
        let (client, server) = zip(runtime.connect(listener.local(), options), accept(&mut listener)).await;
        assert_eq!(client.expect("a server").info().local, server.expect("a client").info().peer);
    });
}

fn impossible_ends(runtime: &Handle) {
    block(runtime, async {
        let mut listener = listen(runtime, loopback());
        let address = listener.local();
        // Of documentation (RFC 5737): nobody has it.
        let foreign = runtime.connect(address.clone(), from(([192, 0, 2, 1], 0))).await;
        assert_eq!(error_kind(foreign), io::ErrorKind::AddrNotAvailable);
        let taken = runtime.connect(address.clone(), from(address.tcp().expect("it is TCP"))).await;
        assert_eq!(error_kind(taken), io::ErrorKind::AddrInUse);
        let other_family = runtime.connect(address, from(([0_u16; 8], 0))).await;
        let error = other_family.map(drop).expect_err("IPv6 does not lead to IPv4");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("another family"), "{error}");
        let path = socket_path();
        let _unix = listen(runtime, Endpoint::Unix(path.clone()));
        let unix = runtime.connect(Endpoint::Unix(path), from((OURS, 0))).await;
        assert_eq!(error_kind(unix), io::ErrorKind::InvalidInput);
        // Nothing of that has arrived.
        poll_fn(|context| {
            assert!(listener.poll_accept(context).is_pending());
            Poll::Ready(())
        })
        .await;
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
