//! Which addresses may be connected to. Asked of each address that a name resolved to, right before the connection to
//! that very address: what a name meant earlier, or means to others, does not count.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 that is no public host: this network, private, shared (CGNAT, where one cloud keeps its metadata), loopback,
/// link-local (metadata of most others), protocol assignments, examples, 6to4 relays, benchmarks, multicast, reserved.
/// The last one is public by number, but reaches the host of a virtual machine in one cloud.
const REFUSED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    v4([168, 63, 129, 16], 32),
];

/// All public IPv6 is in here.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// Of it: protocol assignments (Teredo among them), examples, 6to4 (both wrap an IPv4 address), documentation.
const REFUSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0], 23),
    v6([0x2001, 0xdb8], 32),
    v6([0x2002, 0], 16),
    v6([0x3fff, 0], 20),
];

const fn v4(bytes: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = bytes;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(beginning: [u16; 2], length: u8) -> Ipv6Net {
    let [a, b] = beginning;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    /// Whether this machine's own addresses are allowed too.
    pub to_loopback: bool,
}

impl Guard {
    /// Whether that address may be connected to. An IPv4 address in IPv6's clothes is judged as what it is.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if address.is_loopback() {
            return self.to_loopback;
        }
        match address {
            IpAddr::V4(address) => !REFUSED_V4.iter().any(|net| net.contains(&address)),
            IpAddr::V6(address) => {
                GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(to_loopback: bool, text: &str) -> bool {
        Guard { to_loopback }.allows(text.parse().unwrap())
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!allows(false, text), "{text}");
        }
    }

    #[test]
    fn what_is_public_is_allowed() {
        for text in [
            "8.8.8.8",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(allows(false, text), "{text}");
        }
    }

    #[test]
    fn the_switch_for_development_opens_loopback_and_nothing_else() {
        for text in ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"] {
            assert!(allows(true, text), "{text}");
        }
        for text in [
            "0.0.0.0",
            "::",
            "10.0.0.1",
            "169.254.169.254",
            "fe80::1",
            "192.168.0.1",
        ] {
            assert!(!allows(true, text), "{text}");
        }
    }
}
