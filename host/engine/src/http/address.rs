//! Knows which IP addresses are not on the public internet.
//!
//! A name that was allowed may resolve to any address, and its owner can change that at any time.
//! So every address is checked here before it is connected to, and no connector reaches the machine
//! or the network on which the host runs.

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A range of addresses that are not for public servers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range {
    net: IpNet,
    name: &'static str,
    source: &'static str,
}

/// From IANA's registries of special-purpose addresses, with multicast and the addresses of cloud
/// platforms. An address that contains another one (mapped, translated, tunnelled) is refused
/// whatever it contains.
const RANGES: [Range; 40] = [
    v4([0, 0, 0, 0], 8, "this host", "RFC 1122"),
    v4([10, 0, 0, 0], 8, "private", "RFC 1918"),
    v4([100, 64, 0, 0], 10, "shared by a provider", "RFC 6598"),
    v4([127, 0, 0, 0], 8, "loopback", "RFC 1122"),
    v4([168, 63, 129, 16], 32, "the platform of Azure", "its documentation"),
    v4([169, 254, 0, 0], 16, "link-local, as the metadata of clouds is", "RFC 3927"),
    v4([172, 16, 0, 0], 12, "private", "RFC 1918"),
    v4([192, 0, 0, 0], 24, "for protocols", "RFC 6890"),
    v4([192, 0, 2, 0], 24, "for documentation", "RFC 5737"),
    v4([192, 88, 99, 0], 24, "a relay of 6to4", "RFC 7526"),
    v4([192, 168, 0, 0], 16, "private", "RFC 1918"),
    v4([198, 18, 0, 0], 15, "for benchmarks", "RFC 2544"),
    v4([198, 51, 100, 0], 24, "for documentation", "RFC 5737"),
    v4([203, 0, 113, 0], 24, "for documentation", "RFC 5737"),
    v4([224, 0, 0, 0], 4, "multicast", "RFC 5771"),
    v4([240, 0, 0, 0], 4, "reserved", "RFC 1112"),
    v4([255, 255, 255, 255], 32, "broadcast", "RFC 919"),
    // All global unicast addresses are in 2000::/3 today. What is not listed below is not assigned.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 3, "not assigned", "RFC 4291"),
    v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2, "not assigned", "RFC 4291"),
    v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1, "not assigned", "RFC 4291"),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified", "RFC 4291"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback", "RFC 4291"),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, "IPv4-compatible", "RFC 4291"),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4-mapped", "RFC 4291"),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "IPv4-translated", "RFC 2765"),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "translated to IPv4", "RFC 6052"),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "translated to IPv4", "RFC 8215"),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "discarded", "RFC 6666"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "for protocols", "RFC 2928"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "a tunnel of Teredo", "RFC 4380"),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, "for benchmarks", "RFC 5180"),
    v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, "an identifier", "RFC 4843"),
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, "an identifier", "RFC 7343"),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "for documentation", "RFC 3849"),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "a tunnel of 6to4", "RFC 3056"),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "for documentation", "RFC 9637"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "private", "RFC 4193"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local", "RFC 4291"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "site-local", "RFC 3879"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast", "RFC 4291"),
];

const fn v4(start: [u8; 4], length: u8, name: &'static str, source: &'static str) -> Range {
    let [a, b, c, d] = start;
    Range { net: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)), name, source }
}

const fn v6(start: [u16; 8], length: u8, name: &'static str, source: &'static str) -> Range {
    let [a, b, c, d, e, f, g, h] = start;
    Range { net: IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)), name, source }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.source)
    }
}

/// The narrowest range that contains `address`, if it is not a public address.
pub(super) fn special(address: IpAddr) -> Option<&'static Range> {
    static TABLE: &[Range] = &RANGES;
    TABLE.iter().filter(|range| range.net.contains(&address)).max_by_key(|range| range.net.prefix_len())
}

/// Which addresses a host may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Those of public servers.
    Public,
    /// Any.
    Private,
}

/// An address is not public, and must not be connected to. For a name, one of its addresses.
#[derive(Debug)]
pub(super) struct Prohibited {
    /// The address.
    pub(super) address: IpAddr,
    /// The range that contains it.
    pub(super) range: &'static Range,
}

impl fmt::Display for Prohibited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.address, self.range)
    }
}

impl StdError for Prohibited {}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(address: &str) -> Option<&'static str> {
        special(address.parse().unwrap()).map(|range| range.name)
    }

    #[test]
    fn every_range_holds_its_first_and_last_address_and_is_written_by_its_first() {
        for range in &RANGES {
            assert_eq!(range.net.addr(), range.net.network(), "{range:?}");
            assert!(special(range.net.network()).is_some() && special(range.net.broadcast()).is_some());
            // Nothing narrower takes its place everywhere.
            assert!(
                RANGES.iter().all(|other| other.net != range.net || other == range),
                "{range:?} is there twice"
            );
        }
    }

    #[test]
    fn what_is_next_to_a_range_is_not_in_it() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db7::",
            "2001:db9::",
            "2003::",
            "2600::1",
            "2a00::1",
            "3ffe::",
        ] {
            assert_eq!(name(address), None, "{address}");
        }
    }

    #[test]
    fn a_special_address_is_known_by_its_name() {
        for (address, known) in [
            ("0.0.0.0", "this host"),
            ("0.1.2.3", "this host"),
            ("10.1.2.3", "private"),
            ("172.31.255.255", "private"),
            ("192.168.0.1", "private"),
            ("100.100.100.200", "shared by a provider"),
            ("127.0.0.1", "loopback"),
            ("168.63.129.16", "the platform of Azure"),
            ("169.254.169.254", "link-local, as the metadata of clouds is"),
            ("192.0.0.192", "for protocols"),
            ("198.19.0.1", "for benchmarks"),
            ("224.0.0.251", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "IPv4-compatible"),
            ("::ffff:8.8.8.8", "IPv4-mapped"),
            ("64:ff9b::10.0.0.1", "translated to IPv4"),
            ("64:ff9b:1::1", "translated to IPv4"),
            ("100::1", "discarded"),
            ("2001::1", "a tunnel of Teredo"),
            ("2001:2::1", "for benchmarks"),
            ("2001:db8::1", "for documentation"),
            ("2002:7f00:1::", "a tunnel of 6to4"),
            ("3fff::1", "for documentation"),
            ("4000::1", "not assigned"),
            ("5f00::1", "not assigned"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            assert_eq!(name(address), Some(known), "{address}");
        }
        assert_eq!(special("10.0.0.7".parse().unwrap()).unwrap().to_string(), "private (RFC 1918)");
    }
}
