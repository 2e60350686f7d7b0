//! Where to listen, as people write it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use callboard_runtime::{Endpoint, Handle};

use crate::StartError;

/// An address to listen on, or several.
///
/// | written as | means |
/// |---|---|
/// | `"127.0.0.1:8080"`, `"[::1]:8080"` | that address |
/// | `"localhost:8080"` | every address of that name |
/// | `":8080"` | every IPv4 address of this machine |
/// | `"unix:/run/app.socket"` | a Unix socket |
/// | a `SocketAddr`, an [`Endpoint`] | that |
/// | an array, slice or `Vec` of these | each of them |
///
/// Port 0 asks for any free port: see [`Server::local`](crate::Server::local).
pub trait ToEndpoints {
    /// The addresses, before names are looked up.
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError>;
}

/// An address before names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// Needs no look-up.
    Endpoint(Endpoint),
    /// A host name and a port.
    Name(String, u16),
}

impl ToEndpoints for str {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        if let Some(path) = self.strip_prefix("unix:") {
            let unix = ListenAddress::Endpoint(Endpoint::Unix(path.into()));
            return if path.is_empty() { Err(invalid(self, "the path is empty")) } else { Ok(vec![unix]) };
        }
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Ok(vec![ListenAddress::Endpoint(address.into())]);
        }
        let Some((host, port)) = self.rsplit_once(':') else {
            return Err(invalid(self, "the port is missing: write host:port"));
        };
        let Ok(port) = port.parse::<u16>() else {
            return Err(invalid(self, "the port is not a number up to 65535"));
        };
        if host.is_empty() {
            let all = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
            return Ok(vec![ListenAddress::Endpoint(all.into())]);
        }
        let is_name = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
        if !host.chars().all(is_name) {
            return Err(invalid(self, "the host is neither a name nor an address (IPv6 needs brackets)"));
        }
        Ok(vec![ListenAddress::Name(host.to_owned(), port)])
    }
}

fn invalid(address: &str, why: &'static str) -> StartError {
    StartError::InvalidAddress { address: address.to_owned(), why }
}

impl ToEndpoints for String {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        self.as_str().to_endpoints()
    }
}

impl ToEndpoints for SocketAddr {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        Ok(vec![ListenAddress::Endpoint((*self).into())])
    }
}

impl ToEndpoints for Endpoint {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        Ok(vec![ListenAddress::Endpoint(self.clone())])
    }
}

impl<T: ToEndpoints> ToEndpoints for [T] {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        let addresses = self.iter().map(ToEndpoints::to_endpoints).collect::<Result<Vec<_>, _>>()?;
        Ok(addresses.concat())
    }
}

impl<T: ToEndpoints, const N: usize> ToEndpoints for [T; N] {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        self.as_slice().to_endpoints()
    }
}

impl<T: ToEndpoints> ToEndpoints for Vec<T> {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        self.as_slice().to_endpoints()
    }
}

impl<T: ToEndpoints + ?Sized> ToEndpoints for &T {
    fn to_endpoints(&self) -> Result<Vec<ListenAddress>, StartError> {
        (**self).to_endpoints()
    }
}

/// Looks names up. Each group is one name's addresses, of which one that can be listened on is enough.
pub(super) async fn resolve(runtime: &Handle, addresses: Vec<ListenAddress>) -> Result<Vec<Vec<Endpoint>>, StartError> {
    let mut groups = Vec::new();
    for address in addresses {
        let (host, port) = match address {
            ListenAddress::Endpoint(endpoint) => {
                groups.push(vec![endpoint]);
                continue;
            }
            ListenAddress::Name(host, port) => (host, port),
        };
        let found = runtime.resolve(&host, port).await;
        let found = found.map_err(|error| StartError::Resolve { address: format!("{host}:{port}"), error })?;
        let mut group: Vec<Endpoint> = Vec::new();
        for endpoint in found.into_iter().map(Endpoint::from) {
            if !group.contains(&endpoint) {
                group.push(endpoint);
            }
        }
        groups.push(group);
    }
    if groups.iter().all(Vec::is_empty) {
        return Err(StartError::InvalidAddress { address: String::new(), why: "there is no address" });
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> ListenAddress {
        ListenAddress::Endpoint(Endpoint::Tcp(text.parse().unwrap()))
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        assert_eq!("127.0.0.1:80".to_endpoints().unwrap(), [endpoint("127.0.0.1:80")]);
        assert_eq!("[::1]:0".to_endpoints().unwrap(), [endpoint("[::1]:0")]);
        assert_eq!(":8080".to_endpoints().unwrap(), [endpoint("0.0.0.0:8080")]);
        assert_eq!("localhost:1".to_endpoints().unwrap(), [ListenAddress::Name("localhost".into(), 1)]);
        assert_eq!(
            "unix:/run/app".to_endpoints().unwrap(),
            [ListenAddress::Endpoint(Endpoint::Unix("/run/app".into()))]
        );
        assert_eq!(["127.0.0.1:1", ":2"].to_endpoints().unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, expected) in [
            ("localhost", "port is missing"),
            ("localhost:http", "not a number"),
            ("localhost:70000", "not a number"),
            ("::1:80", "brackets"),
            ("unix:", "path is empty"),
            ("", "port is missing"),
            ("a b:80", "neither a name"),
        ] {
            let error = text.to_endpoints().unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(text), "{error}");
        }
    }
}
