//! `no_proxy`: the hosts that are asked directly.
//!
//! Entries stand between commas or spaces. `*` is every host. A name stands for itself and all names below it, with or
//! without a dot or `*.` in front, whatever its case and a dot at its end. An address stands for itself, a block
//! (`10.0.0.0/8`, `fd00::/8`) for all in it. An entry with a port fits that port only. An entry that is none of these
//! fits nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::address::{read_port, split_port};

/// Entries that are looked at.
const MOST: usize = 4096;

/// The hosts that are asked directly.
///
/// ```
/// use callboard_core::proxy::NoProxy;
///
/// let direct = NoProxy::parse("localhost, .example.org, 10.0.0.0/8, [::1]:8080");
/// assert!(direct.fits("www.example.org", 80) && direct.fits("10.1.2.3", 443) && direct.fits("::1", 8080));
/// assert!(!direct.fits("badexample.org", 80) && !direct.fits("::1", 80));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// None: any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// In lower case, without dots at its ends.
    Domain(String),
    /// An address and how many of its bits count.
    Block(IpAddr, u32),
}

impl NoProxy {
    /// Reads a list. At most 4096 entries are looked at.
    pub fn parse(list: &str) -> Self {
        let entries = list.split(|character: char| character == ',' || character.is_whitespace());
        Self { entries: entries.filter(|entry| !entry.is_empty()).take(MOST).filter_map(Entry::read).collect() }
    }

    /// Whether a host is asked directly. An IPv6 address may stand in brackets.
    pub fn fits(&self, host: &str, port: u16) -> bool {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let address = read_address(host);
        self.entries.iter().any(|entry| entry.port.is_none_or(|own| own == port) && entry.hosts.fit(host, address))
    }
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        // Without brackets, what follows a colon of an IPv6 address is no port.
        if let Some(hosts) = Hosts::read_block(text) {
            return Some(Self { hosts, port: None });
        }
        let text = text.strip_prefix("*.").unwrap_or(text).trim_start_matches('.');
        let (host, port) = if let Some(rest) = text.strip_prefix('*') {
            ("*", if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        } else {
            split_port(text).ok()?
        };
        let port = port.map(|digits| read_port(digits).ok_or(())).transpose().ok()?;
        let hosts = match host {
            "*" => Hosts::All,
            host => Hosts::read_block(host).or_else(|| Hosts::read_domain(host))?,
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn read_block(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let brackets = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
        let address: IpAddr = brackets.unwrap_or(address).parse().ok()?;
        let (bits, mapped) = match address {
            IpAddr::V4(_) => (32, 0),
            // A mapped IPv4 address (RFC 4291 §2.5.5.2) is that of IPv4.
            IpAddr::V6(_) if address.to_canonical().is_ipv4() => (128, 96),
            IpAddr::V6(_) => (128, 0),
        };
        let length = match length {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => bits,
        };
        if length > bits {
            return None;
        }
        if length < mapped {
            return Some(Self::Block(address, length));
        }
        Some(Self::Block(address.to_canonical(), length - mapped))
    }

    fn read_domain(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text);
        (!name.is_empty()).then(|| Self::Domain(name.to_ascii_lowercase()))
    }

    fn fit(&self, host: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Block(block, length), Some(address)) => is_in(address, *block, *length),
            (Self::Domain(name), None) => is_below(host.strip_suffix('.').unwrap_or(host), name),
            _ => false,
        }
    }
}

fn read_address(host: &str) -> Option<IpAddr> {
    let host = host.split('%').next().unwrap_or_default();
    host.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn is_in(address: IpAddr, block: IpAddr, length: u32) -> bool {
    match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) => {
            let difference = address.to_bits() ^ block.to_bits();
            difference.checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(block)) => {
            let difference = address.to_bits() ^ block.to_bits();
            difference.checked_shr(128 - length).unwrap_or(0) == 0
        }
        (IpAddr::V4(address), block @ IpAddr::V6(_)) => {
            // Only a block that is wider than all mapped addresses is still one of IPv6.
            matches!(block, IpAddr::V6(block) if (address.to_ipv6_mapped().to_bits() ^ block.to_bits())
                .checked_shr(128 - length).unwrap_or(0) == 0)
        }
        (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Whether `host` is `name` or a name below it.
fn is_below(host: &str, name: &str) -> bool {
    let Some(border) = host.len().checked_sub(name.len()) else { return false };
    let (front, end) = host.as_bytes().split_at(border);
    end.eq_ignore_ascii_case(name.as_bytes()) && matches!(front, [] | [.., b'.'])
}
