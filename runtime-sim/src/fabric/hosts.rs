//! Hosts: their names, addresses and ports.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::trace::HostId;

/// The ports for connections and listeners that do not ask for one: those that IANA calls dynamic.
const FIRST_DYNAMIC: u16 = 49_152;

/// All hosts.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    names: BTreeMap<String, HostId>,
    next_ports: BTreeMap<HostId, u16>,
}

impl Hosts {
    /// Names are compared as DNS does, without ASCII case.
    pub(crate) fn find(&self, name: &str) -> Option<HostId> {
        self.names.get(&name.to_ascii_lowercase()).copied()
    }

    pub(crate) fn insert(&mut self, name: &str, host: HostId) {
        self.names.insert(name.to_ascii_lowercase(), host);
    }

    /// 10.0.0.1 for the first host, and so on.
    pub(crate) fn address_v4(host: HostId) -> Ipv4Addr {
        Ipv4Addr::from_bits(0x0a00_0000 | host.0 & 0x00ff_ffff)
    }

    /// `fd00::1` for the first host, and so on.
    pub(crate) fn address_v6(host: HostId) -> Ipv6Addr {
        Ipv6Addr::from_bits((0xfd00_u128 << 112) | u128::from(host.0))
    }

    /// Whether an address is that of `host`, as the host itself sees it.
    pub(crate) fn is_own(host: HostId, address: IpAddr) -> bool {
        address.is_loopback() || address == Self::address_v4(host) || address == Self::address_v6(host)
    }

    /// Whom an address leads to, from `host`.
    pub(crate) fn route(&self, host: HostId, address: IpAddr) -> Option<HostId> {
        if address.is_unspecified() || Self::is_own(host, address) {
            return Some(host);
        }
        self.names.values().copied().find(|&other| Self::is_own(other, address))
    }

    /// The next dynamic port of `host` that is not `taken`, if any is free.
    pub(crate) fn dynamic_port(&mut self, host: HostId, taken: impl Fn(u16) -> bool) -> Option<u16> {
        let next = self.next_ports.entry(host).or_insert(FIRST_DYNAMIC);
        for _ in FIRST_DYNAMIC..=u16::MAX {
            let port = *next;
            *next = port.checked_add(1).unwrap_or(FIRST_DYNAMIC);
            if !taken(port) {
                return Some(port);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Hosts;
    use crate::trace::HostId;

    #[test]
    fn every_host_has_its_addresses() {
        let mut hosts = Hosts::default();
        hosts.insert("One", HostId(1));
        hosts.insert("two", HostId(258));
        assert_eq!(Hosts::address_v4(HostId(258)).to_string(), "10.0.1.2");
        assert_eq!(Hosts::address_v6(HostId(258)).to_string(), "fd00::102");
        assert_eq!(hosts.find("ONE"), Some(HostId(1)));
        let route = |from: u32, to: &str| hosts.route(HostId(from), to.parse().expect("an address"));
        assert_eq!(route(1, "10.0.1.2"), Some(HostId(258)));
        assert_eq!(route(1, "fd00::102"), Some(HostId(258)));
        assert_eq!(route(1, "127.0.0.1"), Some(HostId(1)));
        assert_eq!(route(1, "0.0.0.0"), Some(HostId(1)));
        assert_eq!(route(1, "10.0.0.9"), None);
        assert_eq!(route(1, "192.0.2.1"), None);
    }

    #[test]
    fn dynamic_ports_go_round_and_skip_what_is_taken() {
        let mut hosts = Hosts::default();
        assert_eq!(hosts.dynamic_port(HostId(1), |port| port == 49_152), Some(49_153));
        assert_eq!(hosts.dynamic_port(HostId(2), |_| false), Some(49_152));
        assert_eq!(hosts.dynamic_port(HostId(1), |port| port != 49_153), Some(49_153));
        assert_eq!(hosts.dynamic_port(HostId(1), |_| true), None);
    }
}
