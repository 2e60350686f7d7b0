//! Look-ups of names, on threads for what blocks.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use callboard_runtime::BoxFuture;

use crate::threads::unblock;

/// Looks `host` up; an address literal (IPv6 with or without brackets) is taken as it is.
pub(crate) fn resolve(host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = literal.parse::<IpAddr>() {
        return Box::pin(std::future::ready(Ok(vec![SocketAddr::new(address, port)])));
    }
    let host = host.to_owned();
    Box::pin(async move {
        let name = host.clone();
        match unblock(move || look_up(&name, port)).await.and_then(|found| found) {
            Ok(found) if found.is_empty() => {
                Err(io::Error::new(io::ErrorKind::NotFound, format!("the host {host} has no address")))
            }
            Ok(found) => Ok(found),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot look up the host {host}: {error}"))),
        }
    })
}

fn look_up(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((name, port).to_socket_addrs()?.collect())
}
