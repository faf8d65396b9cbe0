//! Places for connections: bounded for strangers as a whole and per address, with some kept for peers that the owner names.
//!
//! A peer id costs nothing, so a crowd of them could take every place. Strangers therefore share the public places, of which
//! one address gets a part only, and nobody but a reserved peer may use the reserved ones. Connections that this side dials
//! have places of their own: strangers cannot cut it off from those it wants to reach.
//!
//! Who is behind a handshake is known at its end, so handshakes in progress are bounded by address alone.

use std::{
	collections::{HashMap, HashSet},
	convert::Infallible,
	net::Ipv6Addr,
	sync::{Arc, PoisonError, RwLock},
	task::{Context, Poll},
};

use libp2p::{
	core::{transport::PortUse, Endpoint},
	multiaddr::Protocol,
	swarm::{
		dummy, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
		THandlerOutEvent, ToSwarm,
	},
	Multiaddr, PeerId,
};

use super::Limits;

/// The peers that reserved places are kept for. Clones share the list.
#[derive(Clone, Debug, Default)]
pub(super) struct Reserved(Arc<RwLock<HashSet<PeerId>>>);

impl Reserved {
	pub(super) fn contains(&self, peer: &PeerId) -> bool {
		self.0.read().unwrap_or_else(PoisonError::into_inner).contains(peer)
	}

	pub(super) fn replace(&self, peers: HashSet<PeerId>) {
		*self.0.write().unwrap_or_else(PoisonError::into_inner) = peers;
	}
}

/// Why a connection got no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlace {
	#[error("all places for handshakes are taken")]
	Pending,
	#[error("this address has too many handshakes in progress")]
	PendingOfAddress,
	#[error("all public places are taken")]
	Public,
	#[error("this address has too many connections")]
	Address,
	#[error("this peer has too many connections")]
	Peer,
	#[error("this side dials too many peers at once")]
	Dialing,
	#[error("this side is connected to too many peers of its own choice")]
	Outgoing,
}

/// Whom a connection counts against: one IPv4 address, or the smallest IPv6 network that is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
	V4([u8; 4]),
	V6([u8; 8]),
	/// No IP address: all of them together.
	Other,
}

impl Origin {
	fn of(address: &Multiaddr) -> Self {
		let network = |ip: Ipv6Addr| match ip.to_ipv4_mapped() {
			Some(ip) => Self::V4(ip.octets()),
			None => {
				let [a, b, c, d, e, f, g, h, ..] = ip.octets();
				Self::V6([a, b, c, d, e, f, g, h])
			}
		};
		address
			.iter()
			.find_map(|part| match part {
				Protocol::Ip4(ip) => Some(Self::V4(ip.octets())),
				Protocol::Ip6(ip) => Some(network(ip)),
				_ => None,
			})
			.unwrap_or(Self::Other)
	}
}

/// A connection that holds a place.
#[derive(Clone, Copy, Debug)]
struct Held {
	peer: PeerId,
	/// `None` if this side dialed.
	from: Option<Origin>,
}

/// Who holds which place.
#[derive(Debug)]
struct Table {
	limits: Limits,
	reserved: Reserved,
	pending: HashMap<ConnectionId, Origin>,
	dialing: HashSet<ConnectionId>,
	held: HashMap<ConnectionId, Held>,
}

fn below(count: usize, limit: u32, otherwise: NoPlace) -> Result<(), NoPlace> {
	if count < limit as usize {
		Ok(())
	} else {
		Err(otherwise)
	}
}

impl Table {
	fn new(limits: Limits, reserved: Reserved) -> Self {
		Self { limits, reserved, pending: HashMap::new(), dialing: HashSet::new(), held: HashMap::new() }
	}

	/// A handshake from outside begins.
	fn knock(&mut self, id: ConnectionId, from: Origin) -> Result<(), NoPlace> {
		let same = self.pending.values().filter(|known| **known == from).count();
		below(same, self.limits.pending_per_address, NoPlace::PendingOfAddress)?;
		below(self.pending.len(), self.limits.pending_connections, NoPlace::Pending)?;
		self.pending.insert(id, from);
		Ok(())
	}

	/// A handshake from outside has shown who it is.
	fn enter(&mut self, id: ConnectionId, peer: PeerId, from: Origin) -> Result<(), NoPlace> {
		self.pending.remove(&id);
		self.check_peer(&peer)?;
		let (mut strangers, mut reserved, mut same) = (0usize, 0usize, 0usize);
		for held in self.held.values() {
			let Some(origin) = held.from else { continue };
			match self.reserved.contains(&held.peer) {
				true => reserved += 1,
				false => {
					strangers += 1;
					same += usize::from(origin == from);
				}
			}
		}
		let kept = self.limits.reserved_connections as usize;
		// Reserved peers beyond their places sit among the public.
		let public = strangers + reserved.saturating_sub(kept);
		if !self.reserved.contains(&peer) {
			below(same, self.limits.connections_per_address, NoPlace::Address)?;
		} else if reserved < kept {
			return Ok(());
		}
		below(public, self.limits.connections, NoPlace::Public)
	}

	/// This side begins to dial.
	fn dial(&mut self, id: ConnectionId) -> Result<(), NoPlace> {
		below(self.dialing.len(), self.limits.pending_connections, NoPlace::Dialing)?;
		self.dialing.insert(id);
		Ok(())
	}

	/// A dialed peer has answered.
	fn reach(&mut self, id: ConnectionId, peer: PeerId) -> Result<(), NoPlace> {
		self.dialing.remove(&id);
		self.check_peer(&peer)?;
		let dialed = self.held.values().filter(|held| held.from.is_none()).count();
		below(dialed, self.limits.outgoing_connections, NoPlace::Outgoing)
	}

	fn check_peer(&self, peer: &PeerId) -> Result<(), NoPlace> {
		let own = self.held.values().filter(|held| held.peer == *peer).count();
		below(own, self.limits.connections_per_peer, NoPlace::Peer)
	}

	fn hold(&mut self, id: ConnectionId, peer: PeerId, from: Option<Origin>) {
		self.held.insert(id, Held { peer, from });
	}

	fn leave(&mut self, id: ConnectionId) {
		self.pending.remove(&id);
		self.dialing.remove(&id);
		self.held.remove(&id);
	}
}

/// Gives places to connections, or refuses them.
pub(super) struct Places(Table);

impl Places {
	pub(super) fn new(limits: Limits, reserved: Reserved) -> Self {
		Self(Table::new(limits, reserved))
	}
}

impl NetworkBehaviour for Places {
	type ConnectionHandler = dummy::ConnectionHandler;
	type ToSwarm = Infallible;

	fn handle_pending_inbound_connection(
		&mut self,
		id: ConnectionId,
		_: &Multiaddr,
		remote: &Multiaddr,
	) -> Result<(), ConnectionDenied> {
		self.0.knock(id, Origin::of(remote)).map_err(ConnectionDenied::new)
	}

	fn handle_established_inbound_connection(
		&mut self,
		id: ConnectionId,
		peer: PeerId,
		_: &Multiaddr,
		remote: &Multiaddr,
	) -> Result<THandler<Self>, ConnectionDenied> {
		self.0.enter(id, peer, Origin::of(remote)).map_err(ConnectionDenied::new)?;
		Ok(dummy::ConnectionHandler)
	}

	fn handle_pending_outbound_connection(
		&mut self,
		id: ConnectionId,
		_: Option<PeerId>,
		_: &[Multiaddr],
		_: Endpoint,
	) -> Result<Vec<Multiaddr>, ConnectionDenied> {
		self.0.dial(id).map_err(ConnectionDenied::new)?;
		Ok(Vec::new())
	}

	fn handle_established_outbound_connection(
		&mut self,
		id: ConnectionId,
		peer: PeerId,
		_: &Multiaddr,
		_: Endpoint,
		_: PortUse,
	) -> Result<THandler<Self>, ConnectionDenied> {
		self.0.reach(id, peer).map_err(ConnectionDenied::new)?;
		Ok(dummy::ConnectionHandler)
	}

	fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
		match event {
			FromSwarm::ConnectionEstablished(event) => {
				let from = event.endpoint.is_listener().then(|| Origin::of(event.endpoint.get_remote_address()));
				self.0.hold(event.connection_id, event.peer_id, from);
			}
			FromSwarm::ConnectionClosed(event) => self.0.leave(event.connection_id),
			FromSwarm::DialFailure(event) => self.0.leave(event.connection_id),
			FromSwarm::ListenFailure(event) => self.0.leave(event.connection_id),
			_ => {}
		}
	}

	fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
		match event {}
	}

	fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
		Poll::Pending
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn limits() -> Limits {
		Limits {
			connections: 3,
			connections_per_address: 2,
			connections_per_peer: 2,
			outgoing_connections: 1,
			pending_connections: 3,
			pending_per_address: 2,
			reserved_connections: 1,
			..Limits::default()
		}
	}

	fn table(reserved: &[PeerId]) -> Table {
		let list = Reserved::default();
		list.replace(reserved.iter().copied().collect());
		Table::new(limits(), list)
	}

	fn origin(last: u8) -> Origin {
		Origin::V4([10, 0, 0, last])
	}

	impl Table {
		/// A whole handshake.
		fn join(&mut self, id: usize, peer: PeerId, from: Origin) -> Result<(), NoPlace> {
			let id = ConnectionId::new_unchecked(id);
			self.enter(id, peer, from)?;
			self.hold(id, peer, Some(from));
			Ok(())
		}
	}

	#[test]
	fn strangers_share_the_public_places_and_never_get_a_reserved_one() {
		let friends: Vec<PeerId> = (0..5).map(|_| PeerId::random()).collect();
		let mut table = table(&friends);
		for id in 0..3 {
			table.join(id, PeerId::random(), origin(id as u8)).unwrap();
		}
		assert_eq!(table.join(3, PeerId::random(), origin(3)), Err(NoPlace::Public));
		table.join(4, friends[0], origin(4)).unwrap();
		assert_eq!(table.join(5, friends[1], origin(5)), Err(NoPlace::Public), "one place is reserved");
		table.leave(ConnectionId::new_unchecked(0));
		table.join(6, friends[1], origin(6)).unwrap();
		assert_eq!(
			table.join(7, PeerId::random(), origin(7)),
			Err(NoPlace::Public),
			"a reserved peer took the public place"
		);
		// Who is not reserved any more is a stranger.
		table.reserved.replace(HashSet::new());
		assert_eq!(table.join(8, friends[0], origin(8)), Err(NoPlace::Public));
	}

	#[test]
	fn an_address_gets_a_part_of_the_public_places_only() {
		let friend = PeerId::random();
		let mut table = table(&[friend]);
		table.join(0, PeerId::random(), origin(1)).unwrap();
		table.join(1, PeerId::random(), origin(1)).unwrap();
		assert_eq!(table.join(2, PeerId::random(), origin(1)), Err(NoPlace::Address));
		table.join(3, friend, origin(1)).unwrap();
		table.join(4, PeerId::random(), origin(2)).unwrap();
	}

	#[test]
	fn a_peer_has_few_connections_in_both_directions_together() {
		let friend = PeerId::random();
		let mut table = table(&[friend]);
		table.join(0, friend, origin(1)).unwrap();
		let out = ConnectionId::new_unchecked(1);
		table.dial(out).unwrap();
		table.reach(out, friend).unwrap();
		table.hold(out, friend, None);
		assert_eq!(table.join(2, friend, origin(1)), Err(NoPlace::Peer));
		let next = ConnectionId::new_unchecked(3);
		table.dial(next).unwrap();
		assert_eq!(table.reach(next, PeerId::random()), Err(NoPlace::Outgoing));
		table.leave(out);
		assert_eq!(table.reach(next, PeerId::random()), Ok(()));
	}

	#[test]
	fn strangers_cannot_take_the_places_of_dials() {
		let mut table = table(&[]);
		for id in 0..3 {
			table.join(id, PeerId::random(), origin(id as u8)).unwrap();
		}
		let out = ConnectionId::new_unchecked(9);
		table.dial(out).unwrap();
		assert_eq!(table.reach(out, PeerId::random()), Ok(()));
	}

	#[test]
	fn handshakes_are_bounded_per_address_and_forgotten() {
		let mut table = table(&[]);
		let id = ConnectionId::new_unchecked;
		table.knock(id(0), origin(1)).unwrap();
		table.knock(id(1), origin(1)).unwrap();
		assert_eq!(table.knock(id(2), origin(1)), Err(NoPlace::PendingOfAddress));
		table.knock(id(3), origin(2)).unwrap();
		assert_eq!(table.knock(id(4), origin(3)), Err(NoPlace::Pending));
		table.leave(id(0));
		table.enter(id(1), PeerId::random(), origin(1)).unwrap();
		assert_eq!(table.pending.len(), 1);
		table.knock(id(5), origin(1)).unwrap();
	}

	#[test]
	fn addresses_count_by_what_one_owner_gets() {
		let of = |text: &str| Origin::of(&text.parse().unwrap());
		assert_eq!(of("/ip4/1.2.3.4/tcp/1"), of("/ip4/1.2.3.4/udp/9/quic-v1"));
		assert_ne!(of("/ip4/1.2.3.4/tcp/1"), of("/ip4/1.2.3.5/tcp/1"));
		assert_eq!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8::ffff/tcp/1"));
		assert_ne!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8:0:1::1/tcp/1"));
		assert_eq!(of("/ip6/::ffff:1.2.3.4/tcp/1"), of("/ip4/1.2.3.4/tcp/1"));
		assert_eq!(of("/memory/1"), Origin::Other);
	}
}
