//! Nodes (RFC 7239 §6): an address, `unknown`, or a name that hides one; with or without a port.

use alloc::string::{String, ToString};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who sent a request, or who took it.
///
/// ```
/// use callboard_core::fields::forwarded::{Node, NodeName, NodePort};
///
/// let node = Node::parse("[2001:db8::1]:4711").unwrap();
/// assert_eq!(node.address(), Some("2001:db8::1".parse().unwrap()));
/// assert_eq!(node.port, Some(NodePort::Number(4711)));
/// assert_eq!(Node::parse("_hidden").unwrap().name, NodeName::Obfuscated("_hidden".into()));
/// assert_eq!(Node::parse("2001:db8::1"), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Node {
    /// Who.
    pub name: NodeName,
    /// On which port, if that was said.
    pub port: Option<NodePort>,
}

/// The name of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NodeName {
    /// An address.
    Address(IpAddr),
    /// `unknown`: the proxy does not know or does not say.
    Unknown,
    /// A name that the proxy made up. It begins with `_`.
    Obfuscated(String),
}

/// The port of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NodePort {
    /// A number.
    Number(u16),
    /// A name that the proxy made up. It begins with `_`.
    Obfuscated(String),
}

impl Node {
    /// Reads a node as RFC 7239 §6 writes it, without the quotes of the parameter: IPv6 is in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = match rest {
                "" => None,
                _ => Some(NodePort::parse(rest.strip_prefix(':')?)?),
            };
            return Some(Self { name: NodeName::Address(address.into()), port });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(NodePort::parse(port)?)),
            None => (text, None),
        };
        let name = if name.eq_ignore_ascii_case("unknown") {
            NodeName::Unknown
        } else if is_obfuscated(name) {
            NodeName::Obfuscated(name.to_string())
        } else {
            NodeName::Address(name.parse::<Ipv4Addr>().ok()?.into())
        };
        Some(Self { name, port })
    }

    /// Reads a node as `X-Forwarded-For` has it: IPv6 with brackets or without, and a port now and then.
    pub fn parse_loosely(text: &str) -> Option<Self> {
        match text.parse::<Ipv6Addr>() {
            Ok(address) => Some(Self { name: NodeName::Address(address.into()), port: None }),
            Err(_) => Self::parse(text),
        }
    }

    /// The address, if it is one. IPv4 that is mapped into IPv6 is IPv4.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.name {
            NodeName::Address(address) => Some(address.to_canonical()),
            NodeName::Unknown | NodeName::Obfuscated(_) => None,
        }
    }
}

impl From<IpAddr> for Node {
    fn from(address: IpAddr) -> Self {
        Self { name: NodeName::Address(address), port: None }
    }
}

impl NodePort {
    fn parse(text: &str) -> Option<Self> {
        if is_obfuscated(text) {
            return Some(Self::Obfuscated(text.to_string()));
        }
        let is_number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse().ok().map(Self::Number) } else { None }
    }
}

/// `_` and at least one letter, digit, `.`, `_` or `-`.
fn is_obfuscated(text: &str) -> bool {
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_rest))
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            NodeName::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            NodeName::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            NodeName::Unknown => f.write_str("unknown")?,
            NodeName::Obfuscated(name) => f.write_str(name)?,
        }
        match &self.port {
            None => Ok(()),
            Some(NodePort::Number(port)) => write!(f, ":{port}"),
            Some(NodePort::Obfuscated(port)) => write!(f, ":{port}"),
        }
    }
}
