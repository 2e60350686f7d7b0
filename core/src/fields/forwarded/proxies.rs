//! Who the client is: the walk from the peer towards it, as far as one's own proxies vouch for the way.
//!
//! Each proxy adds to the right of what it got, so the list is read from the right, and only while the one who said it
//! is trusted. Who comes before is whoever a client says. A malformed element ends the walk: what stands left of it was
//! not vouched for. One convention is read, never both: a proxy that writes one passes the other on as the client sent
//! it. Without trust the peer is the client and no field is looked at.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Hop, Network, Node, NodePort, host, scheme};
use crate::fields::list;
use crate::{Headers, header};

/// What to believe of what proxies say.
///
/// ```
/// use callboard_core::Headers;
/// use callboard_core::fields::forwarded::{Convention, Proxies, Trust};
///
/// let mut headers = Headers::new();
/// headers.set("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.0.0.2")?;
/// let trust = Trust::Networks(vec!["10.0.0.0/8".parse()?]);
/// let proxies = Proxies { trust, convention: Convention::XForwarded };
/// let client = proxies.client(Some("10.0.0.1".parse()?), &headers);
/// assert_eq!(client.address, Some("203.0.113.9".parse()?));
/// assert_eq!(client.hops, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Proxies {
    /// Whom to trust. Nobody by default.
    pub trust: Trust,
    /// Which fields they write.
    pub convention: Convention,
}

/// Which peers are one's own proxies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Trust {
    /// None: the peer is the client.
    #[default]
    Nobody,
    /// So many, one behind the other, whatever their addresses: the peer is the first of them. Nobody must be able to
    /// reach the server past them.
    Hops(usize),
    /// Those with these addresses.
    Networks(Vec<Network>),
}

/// Which fields one's proxies write.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Convention {
    /// `Forwarded` (RFC 7239).
    #[default]
    Forwarded,
    /// `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`.
    XForwarded,
}

/// The client, as far as trusted proxies know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Its address. `None`: a proxy hides it, or the peer has none.
    pub address: Option<IpAddr>,
    /// Its port, if that is known.
    pub port: Option<u16>,
    /// What the proxy next to it calls it. `None`: it is the peer.
    pub node: Option<Node>,
    /// How it asked, as `https`, in lower case; if a proxy says so.
    pub protocol: Option<String>,
    /// Which host it asked for; if a proxy says so.
    pub host: Option<String>,
    /// On which port it asked; of `X-Forwarded-Port` alone.
    pub host_port: Option<u16>,
    /// How many trusted proxies are between.
    pub hops: usize,
    /// Why the walk went no further.
    pub end: End,
}

/// Why a walk went no further.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// The one found is none of the trusted proxies.
    Untrusted,
    /// The one found has no address: what it says cannot be judged.
    Hidden,
    /// All that was said was believed, and the one found is a trusted proxy itself.
    Complete,
    /// What the one found says is malformed.
    Malformed,
}

impl Proxies {
    /// Finds the client of a request that came from `peer`; a Unix socket has no address.
    pub fn client(&self, peer: Option<IpAddr>, headers: &Headers) -> Client {
        let mut client = Client {
            address: peer.map(|address| address.to_canonical()),
            port: None,
            node: None,
            protocol: None,
            host: None,
            host_port: None,
            hops: 0,
            end: End::Untrusted,
        };
        let mut hops = self.said(headers).into_iter().rev();
        client.end = loop {
            if !self.trusts(&client) {
                break if client.node.is_some() && client.address.is_none() { End::Hidden } else { End::Untrusted };
            }
            // The proxy vouches for its element, or for there being none.
            client.hops += 1;
            match hops.next() {
                None => break End::Complete,
                Some(None) => break End::Malformed,
                Some(Some(hop)) => client.step_to(hop),
            }
        };
        if self.convention == Convention::XForwarded && client.hops > 0 {
            client.read_others(headers);
        }
        client
    }

    fn trusts(&self, client: &Client) -> bool {
        match &self.trust {
            Trust::Nobody => false,
            Trust::Hops(most) => client.hops < *most,
            Trust::Networks(networks) => {
                client.address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
            }
        }
    }

    /// All elements in order; `None` for a malformed one.
    fn said(&self, headers: &Headers) -> Vec<Option<Hop>> {
        match (&self.trust, self.convention) {
            (Trust::Nobody, _) => Vec::new(),
            (_, Convention::Forwarded) => {
                headers.get_all(header::FORWARDED).flat_map(list::elements).map(Hop::parse).collect()
            }
            (_, Convention::XForwarded) => {
                let hop = |text| Some(Hop { client: Some(Node::parse_loosely(text?)?), ..Hop::default() });
                elements(headers, header::X_FORWARDED_FOR).map(hop).collect()
            }
        }
    }
}

impl Client {
    fn step_to(&mut self, hop: Hop) {
        self.address = hop.client.as_ref().and_then(Node::address);
        self.port = match hop.client.as_ref().and_then(|node| node.port.as_ref()) {
            Some(NodePort::Number(port)) => Some(*port),
            _ => None,
        };
        // An element that says nothing of the client is one that hides it.
        self.node = hop.client.or(Some(Node { name: super::NodeName::Unknown, port: None }));
        self.protocol = hop.protocol;
        self.host = hop.host;
    }

    /// `X-Forwarded-Proto`, `-Host` and `-Port`: a single value, or as far from the right as the client is.
    fn read_others(&mut self, headers: &Headers) {
        let taken = if matches!(self.end, End::Complete | End::Malformed) { self.hops - 1 } else { self.hops };
        let value = |name| -> Option<&str> {
            let values: Vec<_> = elements(headers, name).collect();
            let place = if values.len() == 1 { 0 } else { values.len().checked_sub(taken.max(1))? };
            values.get(place).copied().flatten()
        };
        self.protocol = value(header::X_FORWARDED_PROTO).and_then(scheme);
        self.host = value(header::X_FORWARDED_HOST).and_then(host);
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        self.host_port = value("X-Forwarded-Port").filter(is_number).and_then(|text| text.parse().ok());
    }
}

/// The elements of all lines; `None` for one that is not UTF-8.
fn elements<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = Option<&'a str>> {
    let lines = headers.get_all(name);
    lines.flat_map(|line| line.split(|&byte| byte == b',')).filter_map(|element| {
        let element = element.trim_ascii();
        (!element.is_empty()).then(|| core::str::from_utf8(element).ok())
    })
}
