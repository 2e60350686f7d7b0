//! The family of addresses that a session connects to, and the address that it connects from.

use std::io;

use callboard_client::{Delivery, ErrorKind, Family, Phase, RaceSettings, Session};
use callboard_runtime::Handle;

use crate::addresses::{Road, Roads, fetch, tried};
use crate::script::{Server, Step, answer, simulated};

const ALL: [(&str, Road); 4] =
    [("fd00::1", Road::Hangs), ("10.9.0.1", Road::Hangs), ("10.9.0.2", Road::Open), ("fd00::2", Road::Open)];

#[test]
fn one_family_alone_is_tried() {
    simulated(|runtime| {
        Box::pin(async move {
            let rows =
                [(Family::V4, [(0, "10.9.0.1"), (250, "10.9.0.2")]), (Family::V6, [(0, "fd00::1"), (250, "fd00::2")])];
            for (family, expected) in rows {
                // Whichever is said first.
                for is_first in [true, false] {
                    let (roads, _server) = Roads::new(&runtime, &ALL);
                    let builder = Session::builder(Handle::from(roads.clone()));
                    let race = RaceSettings::default();
                    let builder = if is_first {
                        builder.family(family).happy_eyeballs(race)
                    } else {
                        builder.happy_eyeballs(race).family(family)
                    };
                    assert_eq!(fetch(&builder.build(), "http://name:4000/").await, "here");
                    assert_eq!(roads.connects(), tried(&expected));
                }
            }
        })
    });
}

#[test]
fn a_host_without_the_family_is_an_error_that_says_so() {
    simulated(|runtime| {
        Box::pin(async move {
            let (roads, _server) = Roads::new(&runtime, &[("10.9.0.1", Road::Open)]);
            let session = Session::builder(Handle::from(roads.clone())).family(Family::V6).build();
            for url in ["http://name:4000/", "http://10.9.0.1:4000/"] {
                let error = session.get(url).await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::NoAddressOfFamily(Family::V6)), "{error}");
                assert_eq!((error.phase(), error.delivery()), (Phase::Connect, Delivery::NeverSent));
                assert!(error.to_string().contains("IPv6"), "{error}");
            }
            assert_eq!((roads.connects().len(), session.snapshot().open()), (0, 0));
        })
    });
}

#[test]
fn all_connections_come_from_the_address_that_was_chosen() {
    simulated(|runtime| {
        Box::pin(async move {
            let (roads, _server) = Roads::new(&runtime, &ALL);
            let local = "10.7.0.1:0".parse().unwrap();
            let builder = Session::builder(Handle::from(roads.clone()));
            let session = builder.local_address(([10, 7, 0, 1], 0)).build();
            assert_eq!(fetch(&session, "http://name:4000/").await, "here");
            // Its family is the one that is tried.
            assert_eq!(roads.connects(), tried(&[(0, "10.9.0.1"), (250, "10.9.0.2")]));
            assert_eq!(roads.log.lock().unwrap().locals, [Some(local); 2]);
            let (roads, _server) = Roads::new(&runtime, &[("10.9.0.2", Road::Open)]);
            assert_eq!(fetch(&Session::new(Handle::from(roads.clone())), "http://name:4000/").await, "here");
            assert_eq!(roads.log.lock().unwrap().locals, [None]);
        })
    });
}

#[test]
fn an_address_that_nothing_can_come_from_is_told() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![vec![Step::Head, answer("ok")]]);
            let from = |address: &str| {
                Session::builder(runtime.clone()).local_address((address.parse::<std::net::IpAddr>().unwrap(), 0))
            };
            let rows = [
                (from("192.0.2.1"), io::ErrorKind::AddrNotAvailable),
                // Contradictory: the family that was asked for is not that of the address.
                (from("::1").family(Family::V4), io::ErrorKind::InvalidInput),
            ];
            for (builder, expected) in rows {
                let error = builder.build().get(server.url("/")).await.unwrap_err();
                let ErrorKind::Connect(tried) = error.kind() else { panic!("{error}") };
                assert_eq!(tried.iter().map(|(_, error)| error.kind()).collect::<Vec<_>>(), [expected]);
                assert_eq!((error.phase(), error.delivery()), (Phase::Connect, Delivery::NeverSent));
            }
            let error = from("::1").build().get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NoAddressOfFamily(Family::V6)), "{error}");
            assert_eq!(server.log(|log| log.connections), 0);
        })
    });
}
