//! Which of several addresses to publish.

use libp2p::{multiaddr::Protocol, Multiaddr};

/// From how far an address can be reached, the farthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
	/// From everywhere: a name, or an address of the public networks.
	Public,
	/// From the own site.
	Site,
	/// From the own network segment.
	Link,
	/// From this machine.
	Machine,
	/// From nowhere: a wildcard, or no address of a host.
	Nowhere,
}

impl Reach {
	fn of(address: &Multiaddr) -> Self {
		match address.iter().next() {
			Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_)) => Self::Public,
			Some(Protocol::Ip4(ip)) if ip.is_unspecified() => Self::Nowhere,
			Some(Protocol::Ip4(ip)) if ip.is_loopback() => Self::Machine,
			Some(Protocol::Ip4(ip)) if ip.is_link_local() => Self::Link,
			Some(Protocol::Ip4(ip)) if ip.is_private() => Self::Site,
			Some(Protocol::Ip6(ip)) if ip.is_unspecified() => Self::Nowhere,
			Some(Protocol::Ip6(ip)) if ip.is_loopback() => Self::Machine,
			Some(Protocol::Ip6(ip)) if ip.is_unicast_link_local() => Self::Link,
			Some(Protocol::Ip6(ip)) if ip.is_unique_local() => Self::Site,
			Some(Protocol::Ip4(_) | Protocol::Ip6(_)) => Self::Public,
			_ => Self::Nowhere,
		}
	}
}

/// Puts addresses that can be reached from farther away first; equal ones keep their order.
pub(super) fn farthest_first(addresses: &mut [Multiaddr]) {
	addresses.sort_by_key(Reach::of);
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn loopback_comes_after_everything_that_others_can_reach() {
		let order = [
			"/ip4/198.51.100.7/udp/4001/quic-v1",
			"/dns4/worker.example/tcp/4001",
			"/ip6/2001:db8::7/tcp/4001",
			"/ip4/192.168.1.4/tcp/4001",
			"/ip6/fd00::4/tcp/4001",
			"/ip4/169.254.3.4/tcp/4001",
			"/ip4/127.0.0.1/tcp/4001",
			"/ip6/::1/tcp/4001",
			"/ip4/0.0.0.0/tcp/4001",
		];
		let mut shuffled = [6, 8, 3, 0, 7, 5, 1, 4, 2].map(|at: usize| order[at].parse::<Multiaddr>().unwrap());
		farthest_first(&mut shuffled);
		let text = shuffled.map(|address| address.to_string());
		assert_eq!(text, order.map(String::from));
	}
}
