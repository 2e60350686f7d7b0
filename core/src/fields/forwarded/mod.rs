//! `Forwarded` (RFC 7239), and who the client is behind one's own proxies.
//!
//! [`Forwarded`] says what the field says. Anyone can send it: [`Proxies`] says how much of it to believe.

mod network;
mod node;
mod proxies;

pub use network::{InvalidNetwork, Network};
pub use node::{Node, NodeName, NodePort};
pub use proxies::{Client, Convention, End, Proxies, Trust};

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::Field;
use super::list::{self, Parameter};
use crate::header;
use crate::target::is_valid_host;

/// What each proxy said of the request that it passed on, the one next to the client first.
///
/// ```
/// use callboard_core::Headers;
/// use callboard_core::fields::{Field, Forwarded};
///
/// let mut headers = Headers::new();
/// headers.set("Forwarded", "for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\";proto=https")?;
/// let forwarded = Forwarded::read(&headers).unwrap();
/// assert_eq!(forwarded.0.len(), 2);
/// assert_eq!(forwarded.0[1].protocol.as_deref(), Some("https"));
/// assert_eq!(forwarded.to_string(), headers.text("Forwarded").unwrap());
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forwarded(pub Vec<Hop>);

/// What one proxy said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hop {
    /// `for`: who sent the request to the proxy.
    pub client: Option<Node>,
    /// `by`: where the proxy took the request.
    pub by: Option<Node>,
    /// `host`: the `Host` of the request that it took.
    pub host: Option<String>,
    /// `proto`: how it was asked, as `http` or `https`, in lower case.
    pub protocol: Option<String>,
    /// Other parameters: the name in lower case, and the value.
    pub extensions: Vec<(String, String)>,
}

impl Hop {
    /// Parameters beside those of RFC 7239. With more an element is malformed.
    pub const MOST_EXTENSIONS: usize = 16;

    /// Reads one element; `None` if it is malformed: a parameter without a value or there twice, a node that is none,
    /// a host or a scheme that cannot be one (RFC 7239 §4).
    pub fn parse(element: &[u8]) -> Option<Self> {
        let mut hop = Self::default();
        let mut count = 0;
        for part in list::split(element, b';') {
            let parameter = Parameter::parse(part)?;
            let value = parameter.text()?;
            match &parameter.name.to_ascii_lowercase()[..] {
                b"for" => once(&mut hop.client, Node::parse(value)?)?,
                b"by" => once(&mut hop.by, Node::parse(value)?)?,
                b"host" => once(&mut hop.host, host(value)?)?,
                b"proto" => once(&mut hop.protocol, scheme(value)?)?,
                // Few, so that looking for repetitions stays linear in the field.
                _ if hop.extensions.len() == Self::MOST_EXTENSIONS => return None,
                name if hop.extensions.iter().any(|(other, _)| other.as_bytes() == name) => return None,
                name => hop.extensions.push((list::token(name)?, value.to_string())),
            }
            count += 1;
        }
        (count > 0).then_some(hop)
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    if slot.is_some() {
        return None;
    }
    *slot = Some(value);
    Some(())
}

/// `text`, if it may be a `Host` and is not empty.
fn host(text: &str) -> Option<String> {
    (!text.is_empty() && is_valid_host(text.as_bytes())).then(|| text.to_string())
}

/// `text` in lower case, if it may be the scheme of a URI (RFC 3986 §3.1).
fn scheme(text: &str) -> Option<String> {
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_scheme = text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_rest);
    is_scheme.then(|| text.to_ascii_lowercase())
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let nodes =
            [("for", &self.client), ("by", &self.by)].map(|(name, node)| (name, node.as_ref().map(Node::to_string)));
        let texts = [("host", self.host.clone()), ("proto", self.protocol.clone())];
        let named = nodes.iter().chain(&texts).filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        for (name, value) in named.chain(self.extensions.iter().map(|(name, value)| (&name[..], &value[..]))) {
            write!(f, "{separator}{name}=")?;
            list::write_value(f, value)?;
            separator = ";";
        }
        Ok(())
    }
}

impl fmt::Display for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list::write_joined(f, &self.0, ", ")
    }
}

/// One malformed element makes all of it malformed.
impl Field for Forwarded {
    const NAME: &'static str = header::FORWARDED;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        values.flat_map(list::elements).map(Hop::parse).collect::<Option<Vec<_>>>().map(Self)
    }
}
