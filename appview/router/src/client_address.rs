//! Where a request comes from.

use std::net::IpAddr;

/// The address of the client, as an extension of the request: for the runtime to put there, which alone knows
/// whether to believe a connection or a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What callers of the same place share. Whoever has an IPv6 address has the 2⁶⁴ others of its network too.
    pub(crate) fn network(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, network: &str) {
        assert_eq!(ClientAddress(address.parse().unwrap()).network(), network);
    }

    #[test]
    fn an_ipv4_address_stands_for_itself_and_an_ipv6_address_for_its_network() {
        check("192.0.2.7", "192.0.2.7");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8:0:1::7", "2001:db8:0:1::");
        check("2001:db8:0:1:ffff::9", "2001:db8:0:1::");
        check("::1", "0:0:0:0::");
    }
}
