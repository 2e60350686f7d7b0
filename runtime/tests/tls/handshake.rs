//! Who gets through the handshake, who does not, and what each side is told.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use callboard_runtime::tls::{AcceptFailure, Identity, TlsAcceptor, TlsConnector, TlsError, TlsVersion};
use futures_lite::future::block_on;
use futures_lite::io::BlockOn;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::certificates::{AUTHORITY, CLIENT, ONE, SERVER, STRANGER, UNKNOWN_CLIENT, acceptor, connector, identity};
use crate::duplex::duplex;
use crate::{Boxed, ROOM, meet, pair};

/// One message each way, so that tickets have come.
fn talk(client: &mut Boxed, server: &mut Boxed) {
    let say = |from: &mut Boxed, to: &mut Boxed| {
        block_on(async {
            from.write_all(b"message").await.unwrap();
            from.flush().await.unwrap();
            let mut got = [0; 7];
            to.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"message");
        });
    };
    say(client, server);
    say(server, client);
}

#[test]
fn both_sides_know_what_was_agreed() {
    let (connector, acceptor) = pair();
    let (client, server) = meet(&connector, &acceptor, "example.test");
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    for stream in [&client, &server] {
        let tls = stream.info().tls.unwrap();
        assert_eq!(tls.alpn.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(tls.server_name.as_deref(), Some("example.test"));
        assert!(!tls.resumed);
    }
    assert_eq!(client.info().peer, server.info().local);
    talk(&mut client, &mut server);
}

#[test]
fn the_second_connection_resumes_the_session() {
    let (connector, acceptor) = pair();
    for resumed in [false, true, true] {
        let (client, server) = meet(&connector, &acceptor, "example.test");
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        assert_eq!(client.info().tls.unwrap().resumed, resumed);
        assert_eq!(server.info().tls.unwrap().resumed, resumed);
        talk(&mut client, &mut server);
    }
}

#[test]
fn either_side_can_do_without_resumption() {
    for (at_client, at_server) in [(false, true), (true, false)] {
        let connector = connector().resumption(at_client).build().unwrap();
        let acceptor = acceptor().resumption(at_server).build().unwrap();
        for _ in 0..2 {
            let (client, server) = meet(&connector, &acceptor, "example.test");
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            assert!(!client.info().tls.unwrap().resumed);
            talk(&mut client, &mut server);
        }
    }
}

#[test]
fn application_protocols_must_meet_if_both_name_some() {
    let acceptor = acceptor().build().unwrap();
    let connect =
        |protocols: &[&str]| meet(&connector().protocols(protocols).build().unwrap(), &acceptor, "example.test");
    let (client, server) = connect(&["h2"]);
    assert!(matches!(client, Err(TlsError::NoCommonProtocol)));
    assert!(matches!(server.map_err(TlsError::from), Err(TlsError::NoCommonProtocol)));
    let (client, _) = connect(&["h2", "http/1.1"]);
    assert_eq!(client.unwrap().info().tls.unwrap().alpn.unwrap(), b"http/1.1");
    let (client, server) = connect(&[]);
    assert_eq!(client.unwrap().info().tls.unwrap().alpn, None);
    assert_eq!(server.unwrap().info().tls.unwrap().alpn, None);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (connector, acceptor) = pair();
    let (client, server) = meet(&connector, &acceptor, "other.test");
    let Err(TlsError::CertificateInvalid(why)) = client else { panic!("accepted") };
    assert!(why.contains("other.test"), "{why}");
    assert!(matches!(server.map_err(TlsError::from), Err(TlsError::Refused(_))));
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let (_, acceptor) = pair();
    let stranger = TlsConnector::with_no_roots().add_root_pem(STRANGER).unwrap().build().unwrap();
    let (client, server) = meet(&stranger, &acceptor, "example.test");
    let Err(error @ TlsError::CertificateInvalid(_)) = client else { panic!("accepted") };
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    let Err(TlsError::Refused(alert)) = server.map_err(TlsError::from) else { panic!("accepted") };
    assert_eq!(alert, "UnknownCA");

    let trusting = TlsConnector::with_no_roots().dangerous_accept_any_certificate().build().unwrap();
    let (client, server) = meet(&trusting, &acceptor, "other.test");
    talk(&mut client.unwrap(), &mut server.unwrap());
}

#[test]
fn addresses_are_names_too_and_other_texts_are_not() {
    let (connector, acceptor) = pair();
    for name in ["127.0.0.1", "::1", "[::1]", "example.test", "example.test.", "EXAMPLE.test"] {
        let (client, server) = meet(&connector, &acceptor, name);
        talk(&mut client.unwrap(), &mut server.unwrap());
    }
    for name in ["", ".", "two words", "[", "[::1", "a..b", "127.0.0.1:80", "ex\u{e4}mple.test"] {
        let (client, _server) = duplex(ROOM, usize::MAX);
        let Err(error) = block_on(connector.connect(Box::new(client), name)) else { panic!("{name:?} accepted") };
        assert!(matches!(&error, TlsError::ServerNameInvalid(invalid) if invalid == name), "{name:?}: {error}");
    }
}

#[test]
fn plain_http_to_the_acceptor_can_be_answered() {
    let (_, acceptor) = pair();
    for most in [1, usize::MAX] {
        let (mut client, server) = duplex(ROOM, most);
        block_on(client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        let Err(failure) = block_on(acceptor.accept(Box::new(server))) else { panic!("accepted") };
        assert!(matches!(failure.error, TlsError::PlainHttp));
        assert!(failure.seen.starts_with(b"GET "));
        let mut stream = failure.stream.unwrap();
        let mut answer = String::new();
        block_on(async {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            drop(stream);
            client.read_to_string(&mut answer).await.unwrap();
        });
        assert_eq!(answer, "HTTP/1.1 400 Bad Request\r\n\r\n");
    }
}

#[test]
fn the_acceptor_tells_other_protocols_and_silence_apart() {
    let (_, acceptor) = pair();
    let accept = |bytes: &[u8]| {
        let (mut client, server) = duplex(ROOM, usize::MAX);
        block_on(client.write_all(bytes)).unwrap();
        drop(client);
        block_on(acceptor.accept(Box::new(server))).map(drop).unwrap_err().error
    };
    assert!(matches!(accept(b"SSH-2.0-client\r\n"), TlsError::NotTls));
    assert!(matches!(accept(b"GE"), TlsError::NotTls));
    assert!(matches!(accept(b"\x00\x01"), TlsError::NotTls));
    assert!(matches!(accept(b""), TlsError::PeerClosed));
    assert!(matches!(accept(b"\x16\x03\x01"), TlsError::PeerClosed));
    assert!(matches!(accept(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"), TlsError::HandshakeFailed(_)));
}

#[test]
fn the_connector_tells_plain_http_other_protocols_and_silence_apart() {
    let (connector, _) = pair();
    for most in [1, usize::MAX] {
        let connect = |bytes: &[u8]| {
            let (client, mut server) = duplex(ROOM, most);
            block_on(server.write_all(bytes)).unwrap();
            block_on(server.close()).unwrap();
            block_on(connector.connect(Box::new(client), "example.test")).map(drop).unwrap_err()
        };
        assert!(matches!(connect(b"HTTP/1.1 400 Bad Request\r\n\r\n"), TlsError::PlainHttp));
        assert!(matches!(connect(b"SSH-2.0-server\r\n"), TlsError::NotTls));
        assert!(matches!(connect(b""), TlsError::PeerClosed));
        assert!(
            matches!(connect(b"\x15\x03\x03\x00\x02\x02\x28"), TlsError::Refused(alert) if alert == "HandshakeFailure")
        );
    }
}

#[test]
fn the_resolver_chooses_by_name_and_may_pass() {
    let one = identity(ONE);
    let acceptor = acceptor().resolver(move |name| (name == Some("one.test")).then(|| one.clone())).build().unwrap();
    let connector = connector().build().unwrap();
    for (name, fits) in [("one.test", true), ("example.test", true), ("127.0.0.1", true), ("two.test", false)] {
        let (client, server) = meet(&connector, &acceptor, name);
        assert_eq!(client.is_ok(), fits, "{name}");
        assert_eq!(server.is_ok(), fits, "{name}");
    }
}

#[test]
fn client_certificates_are_required_requested_and_checked() {
    let nobody = connector().build().unwrap();
    let known = connector().identity(identity(CLIENT)).build().unwrap();
    let unknown = connector().identity(identity(UNKNOWN_CLIENT)).build().unwrap();
    let required = acceptor().require_client_certificate(AUTHORITY).unwrap().build().unwrap();
    let requested = acceptor().request_client_certificate(AUTHORITY).unwrap().build().unwrap();
    for (acceptor, connector, accepted) in [
        (&required, &known, true),
        (&required, &nobody, false),
        (&required, &unknown, false),
        (&requested, &known, true),
        (&requested, &nobody, true),
        (&requested, &unknown, false),
    ] {
        let (client, server) = meet(connector, acceptor, "example.test");
        let mut client = client.unwrap();
        match server {
            Ok(mut server) => {
                assert!(accepted);
                talk(&mut client, &mut server);
            }
            Err(failure) => {
                assert!(!accepted);
                assert!(matches!(failure.error, TlsError::CertificateInvalid(_)), "{failure}");
                let error = block_on(client.read(&mut [0; 8])).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{error}");
            }
        }
    }
}

/// The handshake of a client with TLS 1.2 only, against `acceptor`.
fn meet_old_client(config: &Arc<ClientConfig>, acceptor: &TlsAcceptor) -> (bool, Result<Boxed, AcceptFailure>) {
    let (client, server) = duplex(ROOM, usize::MAX);
    let mut session = ClientConnection::new(config.clone(), "example.test".try_into().unwrap()).unwrap();
    thread::scope(|scope| {
        let client = scope.spawn(move || session.complete_io(&mut BlockOn::new(client)).is_ok());
        let server = block_on(acceptor.accept(Box::new(server)));
        (client.join().unwrap(), server)
    })
}

#[test]
fn old_clients_are_served_unless_the_bound_says_no() {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS12]);
    let config = Arc::new(builder.unwrap().with_root_certificates(roots).with_no_client_auth());
    let any = acceptor().build().unwrap();
    for resumed in [false, true] {
        let (client, server) = meet_old_client(&config, &any);
        assert!(client);
        assert_eq!(server.unwrap().info().tls.unwrap().resumed, resumed);
    }
    let new_only = acceptor().min_version(TlsVersion::Tls13).build().unwrap();
    let (client, server) = meet_old_client(&config, &new_only);
    assert!(!client);
    assert!(matches!(server.map_err(TlsError::from), Err(TlsError::HandshakeFailed(_))));
}

#[test]
fn dropping_either_side_at_any_step_tells_the_other() {
    let (connector, acceptor) = pair();
    for steps in 0..6 {
        let (client, server) = duplex(700, usize::MAX);
        let mut connect = Box::pin(connector.connect(Box::new(client), "example.test"));
        let mut accept = Box::pin(acceptor.accept(Box::new(server)));
        let over = block_on(poll_fn(|context| {
            for _ in 0..steps {
                if connect.as_mut().poll(context).is_ready() || accept.as_mut().poll(context).is_ready() {
                    return Poll::Ready(true);
                }
            }
            Poll::Ready(false)
        }));
        if over {
            assert!(steps > 1);
            break;
        }
        if steps % 2 == 0 {
            drop(connect);
            assert!(matches!(block_on(accept).map_err(|failure| failure.error), Err(TlsError::PeerClosed)));
        } else {
            drop(accept);
            let error = block_on(connect).map(drop).unwrap_err();
            let closed = matches!(error, TlsError::PeerClosed)
                || matches!(&error, TlsError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe);
            assert!(closed, "{error}");
        }
    }
}

#[test]
fn pem_is_read_and_mistakes_are_named() {
    let start = std::str::from_utf8(SERVER).unwrap().find("-----BEGIN PRIVATE KEY").unwrap();
    let key = &SERVER[start..];
    for (chain, key) in [(SERVER, key), (SERVER, SERVER)] {
        let acceptor = TlsAcceptor::from_pem(chain, key).unwrap();
        let (client, server) = meet(&connector().build().unwrap(), &acceptor, "example.test");
        talk(&mut client.unwrap(), &mut server.unwrap());
    }
    let garbage = &b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"[..];
    for (chain, key) in [(SERVER, ONE), (SERVER, AUTHORITY), (key, key), (b"", key), (garbage, key)] {
        let error = Identity::from_pem(chain, key).unwrap_err();
        assert!(matches!(error, TlsError::Configuration(_)), "{error}");
    }
    let error = TlsConnector::with_no_roots().add_root_pem(key).unwrap_err();
    assert!(error.to_string().contains("no certificate"), "{error}");
    assert!(TlsConnector::with_no_roots().add_root_der(b"no certificate").is_err());
}

#[test]
fn der_does_what_pem_does() {
    let der = |pem| CertificateDer::from_pem_slice(pem).unwrap().to_vec();
    let key = PrivateKeyDer::from_pem_slice(SERVER).unwrap().secret_der().to_vec();
    let acceptor = TlsAcceptor::builder(Identity::from_der(vec![der(SERVER)], key).unwrap()).build().unwrap();
    let connector = TlsConnector::with_no_roots().add_root_der(&der(AUTHORITY)).unwrap().build().unwrap();
    let (client, server) = meet(&connector, &acceptor, "example.test");
    talk(&mut client.unwrap(), &mut server.unwrap());
}

#[test]
fn no_secret_shows_in_debug() {
    assert_eq!(format!("{:?}", identity(SERVER)), "Identity { certificates: 1, .. }");
}
