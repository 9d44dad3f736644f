//! Which addresses are on the public Internet.
//!
//! From the IANA special-purpose address registries (RFC 6890 and its updates) and the addresses
//! where cloud platforms keep instance metadata. Of IPv6 only the part that is handed out,
//! `2000::/3`, can be public, and any form that carries an IPv4 address inside is refused as a
//! form: what a translator on the path makes of it cannot be known here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is for, when it is not for public hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// `0.0.0.0/8`, `::`: this host, on this network (RFC 1122).
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918.
    Private,
    /// Behind a carrier's NAT (RFC 6598).
    CarrierNat,
    /// RFC 3927, `fe80::/10`; the usual home of instance metadata.
    LinkLocal,
    /// A platform's metadata outside the link-local block.
    Metadata,
    /// IETF protocol assignments, AS112, AMT (RFC 6890, RFC 7534, RFC 7450).
    Protocol,
    /// For use in documentation (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// For measurements (RFC 2544, RFC 5180).
    Benchmarking,
    /// Multicast.
    Multicast,
    /// Reserved, and the limited broadcast address (RFC 1112).
    Reserved,
    /// An IPv4 address inside an IPv6 one: mapped, compatible, NAT64, 6to4, Teredo.
    Embedded,
    /// `fc00::/7` (RFC 4193).
    UniqueLocal,
    /// `fec0::/10` (RFC 3879).
    SiteLocal,
    /// IPv6 that nobody has been given.
    Unassigned,
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::CarrierNat => "carrier NAT",
            Self::LinkLocal => "link-local",
            Self::Metadata => "metadata",
            Self::Protocol => "protocol assignment",
            Self::Documentation => "documentation",
            Self::Benchmarking => "benchmarking",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
            Self::Embedded => "IPv4 in IPv6",
            Self::UniqueLocal => "unique local",
            Self::SiteLocal => "site-local",
            Self::Unassigned => "unassigned",
        })
    }
}

const V4: &[([u8; 4], u32, AddressKind)] = &[
    ([0, 0, 0, 0], 8, AddressKind::Unspecified),
    ([10, 0, 0, 0], 8, AddressKind::Private),
    ([100, 64, 0, 0], 10, AddressKind::CarrierNat),
    ([127, 0, 0, 0], 8, AddressKind::Loopback),
    // Azure's metadata and DNS address lies in public space.
    ([168, 63, 129, 16], 32, AddressKind::Metadata),
    ([169, 254, 0, 0], 16, AddressKind::LinkLocal),
    ([172, 16, 0, 0], 12, AddressKind::Private),
    ([192, 0, 0, 0], 24, AddressKind::Protocol),
    ([192, 0, 2, 0], 24, AddressKind::Documentation),
    ([192, 31, 196, 0], 24, AddressKind::Protocol),
    ([192, 52, 193, 0], 24, AddressKind::Protocol),
    ([192, 88, 99, 0], 24, AddressKind::Protocol),
    ([192, 168, 0, 0], 16, AddressKind::Private),
    ([192, 175, 48, 0], 24, AddressKind::Protocol),
    ([198, 18, 0, 0], 15, AddressKind::Benchmarking),
    ([198, 51, 100, 0], 24, AddressKind::Documentation),
    ([203, 0, 113, 0], 24, AddressKind::Documentation),
    ([224, 0, 0, 0], 4, AddressKind::Multicast),
    ([240, 0, 0, 0], 4, AddressKind::Reserved),
];

/// The first line that fits counts, so exceptions stand before what they are excepted from.
const V6: &[([u16; 8], u32, AddressKind)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, AddressKind::Unspecified),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, AddressKind::Loopback),
    // IPv4-compatible, -mapped and -translated (RFC 4291, RFC 2765).
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, AddressKind::Embedded),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, AddressKind::Embedded),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, AddressKind::Embedded),
    // NAT64, well-known and local-use prefixes (RFC 6052, RFC 8215).
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, AddressKind::Embedded),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, AddressKind::Embedded),
    // Teredo, then the rest of the protocol block around it (RFC 4380, RFC 2928).
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, AddressKind::Embedded),
    ([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, AddressKind::Benchmarking),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, AddressKind::Protocol),
    (
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0],
        32,
        AddressKind::Documentation,
    ),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, AddressKind::Embedded),
    (
        [0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0],
        48,
        AddressKind::Protocol,
    ),
    (
        [0x3fff, 0, 0, 0, 0, 0, 0, 0],
        20,
        AddressKind::Documentation,
    ),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, AddressKind::UniqueLocal),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, AddressKind::LinkLocal),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, AddressKind::SiteLocal),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, AddressKind::Multicast),
];

/// What `address` is for, or `None` if it is an ordinary public address.
pub(super) fn special_kind(address: IpAddr) -> Option<AddressKind> {
    match address {
        IpAddr::V4(address) => V4
            .iter()
            .find(|(network, bits, _)| {
                let difference = Ipv4Addr::from(*network).to_bits() ^ address.to_bits();
                difference.leading_zeros() >= *bits
            })
            .map(|(.., kind)| *kind),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(network, bits, _)| {
                let difference = Ipv6Addr::from(*network).to_bits() ^ address.to_bits();
                difference.leading_zeros() >= *bits
            })
            .map(|(.., kind)| *kind)
            .or_else(|| (address.segments()[0] >> 13 != 1).then_some(AddressKind::Unassigned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expect: impl Into<Option<AddressKind>>) {
        let parsed = address.parse().expect("the test names an address");
        assert_eq!(special_kind(parsed), expect.into(), "{address}");
    }

    #[test]
    fn every_ipv4_block_is_known_from_its_first_to_its_last_address() {
        use AddressKind::*;
        for (first, last, kind) in [
            ("0.0.0.0", "0.255.255.255", Unspecified),
            ("10.0.0.0", "10.255.255.255", Private),
            ("100.64.0.0", "100.127.255.255", CarrierNat),
            ("127.0.0.0", "127.255.255.255", Loopback),
            ("168.63.129.16", "168.63.129.16", Metadata),
            ("169.254.0.0", "169.254.255.255", LinkLocal),
            ("172.16.0.0", "172.31.255.255", Private),
            ("192.0.0.0", "192.0.0.255", Protocol),
            ("192.0.2.0", "192.0.2.255", Documentation),
            ("192.88.99.0", "192.88.99.255", Protocol),
            ("192.168.0.0", "192.168.255.255", Private),
            ("198.18.0.0", "198.19.255.255", Benchmarking),
            ("198.51.100.0", "198.51.100.255", Documentation),
            ("203.0.113.0", "203.0.113.255", Documentation),
            ("224.0.0.0", "239.255.255.255", Multicast),
            ("240.0.0.0", "255.255.255.255", Reserved),
        ] {
            check(first, kind);
            check(last, kind);
        }
    }

    #[test]
    fn the_neighbours_of_the_ipv4_blocks_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
        ] {
            check(address, None);
        }
    }

    #[test]
    fn every_ipv6_form_that_is_not_a_public_host_is_known() {
        use AddressKind::*;
        for (address, kind) in [
            ("::", Unspecified),
            ("::1", Loopback),
            ("::2", Embedded),
            ("::8.8.8.8", Embedded),
            ("::ffff:8.8.8.8", Embedded),
            ("::ffff:127.0.0.1", Embedded),
            ("::ffff:0:127.0.0.1", Embedded),
            ("64:ff9b::8.8.8.8", Embedded),
            ("64:ff9b:1:ffff::10.0.0.1", Embedded),
            ("2001::1", Embedded),
            ("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Embedded),
            ("2001:1::1", Protocol),
            ("2001:2::", Benchmarking),
            ("2001:2:1::", Protocol),
            ("2001:10::1", Protocol),
            ("2001:20::1", Protocol),
            ("2001:1ff:ffff::", Protocol),
            ("2001:db8::", Documentation),
            ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Documentation),
            ("2002:7f00:1::", Embedded),
            ("2002:808:808::", Embedded),
            ("2620:4f:8000::1", Protocol),
            ("3fff::", Documentation),
            ("3fff:fff:ffff::", Documentation),
            ("fc00::1", UniqueLocal),
            ("fd00:ec2::254", UniqueLocal),
            ("fdff:ffff::", UniqueLocal),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("fec0::1", SiteLocal),
            ("feff::1", SiteLocal),
            ("ff02::1", Multicast),
            ("100::1", Unassigned),
            ("200::1", Unassigned),
            ("1fff::1", Unassigned),
            ("4000::1", Unassigned),
            ("5f00::1", Unassigned),
            ("fe00::1", Unassigned),
        ] {
            check(address, kind);
        }
    }

    #[test]
    fn ordinary_ipv6_addresses_are_public() {
        for address in [
            "2000::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "2620:4f:7fff::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            check(address, None);
        }
    }
}
