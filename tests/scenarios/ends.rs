//! Where connections come from and which addresses they may lead to, as both sides see it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use callboard::Endpoint;
use callboard::client::{Delivery, ErrorKind, Family, Phase, Resolver, Session};
use callboard::runtime::{BoxFuture, ListenOptions};
use callboard::web::{App, PeerAddress, get};

use crate::world::{Served, World, scenarios};

scenarios!(
    a_session_comes_from_its_address,
    nothing_comes_from_the_address_of_somebody_else,
    one_family_is_all_there_is,
    names_are_looked_up_where_the_user_says,
);

async fn mirror(world: &World) -> Served {
    world.serve(App::new().route("/", get(async |peer: PeerAddress| peer.to_string()))).await
}

/// An address of the client, which no connection has by itself where there is another.
fn own_address(world: &World) -> IpAddr {
    let second = if cfg!(target_os = "linux") { [127, 0, 0, 2] } else { [127, 0, 0, 1] };
    world.choose(second, [10, 0, 0, 2]).into()
}

async fn a_session_comes_from_its_address(world: World) {
    let served = mirror(&world).await;
    let own = own_address(&world);
    let free = world.client.listen(Endpoint::Tcp((own, 0).into()), ListenOptions::default()).unwrap();
    let port = free.local().tcp().unwrap().port();
    drop(free);
    for port in [0, port] {
        let session = Session::builder(world.client.clone()).local_address((own, port)).build();
        let response = session.get(served.url("/")).await.unwrap();
        let local = response.connection().unwrap().local.tcp().unwrap();
        let seen: SocketAddr = response.text().await.unwrap().parse().unwrap();
        assert_eq!((seen, seen.ip()), (local, own));
        assert!(port == 0 || port == seen.port(), "{seen}");
    }
    served.end().await;
}

async fn nothing_comes_from_the_address_of_somebody_else(world: World) {
    let served = mirror(&world).await;
    // Of documentation (RFC 5737).
    let session = Session::builder(world.client.clone()).local_address(([192, 0, 2, 1], 0)).build();
    let error = session.get(served.url("/")).await.unwrap_err();
    let ErrorKind::Connect(tried) = error.kind() else { panic!("{error}") };
    assert!(tried.iter().all(|(_, error)| error.kind() == io::ErrorKind::AddrNotAvailable), "{error}");
    assert_eq!((error.phase(), error.delivery()), (Phase::Connect, Delivery::NeverSent));
    assert_eq!((tried.len(), served.server.connections()), (1, 0));
    served.end().await;
}

async fn one_family_is_all_there_is(world: World) {
    let served = mirror(&world).await;
    let session = |family| Session::builder(world.client.clone()).family(family).build();
    assert_eq!(session(Family::V4).get(served.url("/")).await.unwrap().status().code(), 200);
    let error = session(Family::V6).get(served.url("/")).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoAddressOfFamily(Family::V6)), "{error}");
    assert_eq!((error.phase(), error.delivery()), (Phase::Connect, Delivery::NeverSent));
    served.end().await;
}

/// Knows one name.
#[derive(Debug)]
struct Known(&'static str, SocketAddr);

impl Resolver for Known {
    fn resolve(&self, name: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let found = if name == self.0 { Ok(vec![self.1]) } else { Err(io::ErrorKind::NotFound.into()) };
        Box::pin(async { found })
    }
}

async fn names_are_looked_up_where_the_user_says(world: World) {
    let served = mirror(&world).await;
    let known = Known("directory.invalid", served.endpoint.tcp().unwrap());
    let session = Session::builder(world.client.clone()).resolver(known).build();
    let response = session.get("http://directory.invalid/").await.unwrap();
    assert_eq!((response.status().code(), response.peer()), (200, Some(&served.endpoint)));
    drop(response);
    let error = session.get("http://stranger.invalid/").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Resolve(_)), "{error}");
    drop(session);
    served.end().await;
}
