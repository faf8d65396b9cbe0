//! What a data plane is started with.

use std::time::Duration;

use libp2p::Multiaddr;

use crate::Identity;

/// Configuration of a [`DataPlane`](crate::DataPlane).
#[derive(Clone, Debug)]
pub struct Config {
	/// The key pair of this peer.
	pub identity: Identity,
	/// Where to listen, for example `/ip4/0.0.0.0/udp/4001/quic-v1` and `/ip4/0.0.0.0/tcp/4001`. Port 0 takes a free port.
	/// Empty: only dial.
	pub listen: Vec<Multiaddr>,
	/// Addresses to tell others instead of the listening ones, for example of a forwarded port. Usually empty.
	pub announce: Vec<Multiaddr>,
	/// Bounds on what peers may use.
	pub limits: Limits,
	/// Bounds on how long things may take.
	pub timeouts: Timeouts,
	/// How a fetch treats its providers.
	pub fetch: FetchPolicy,
}

impl Config {
	/// Defaults for `identity`, listening nowhere.
	pub fn new(identity: Identity) -> Self {
		Self {
			identity,
			listen: Vec::new(),
			announce: Vec::new(),
			limits: Limits::default(),
			timeouts: Timeouts::default(),
			fetch: FetchPolicy::default(),
		}
	}

	/// Adds an address to listen on.
	pub fn listen_on(mut self, address: Multiaddr) -> Self {
		self.listen.push(address);
		self
	}
}

/// Bounds on what peers may use.
#[derive(Clone, Debug)]
pub struct Limits {
	/// Public places: established connections that strangers began, all of them together.
	pub connections: u32,
	/// Public places that one address may take: an IPv4 address, or an IPv6 network of 64 bits.
	pub connections_per_address: u32,
	/// Established connections with one peer, in both directions together.
	pub connections_per_peer: u32,
	/// Places beside the public ones, for the peers named by [`DataPlane::reserve_for`](crate::DataPlane::reserve_for).
	pub reserved_connections: u32,
	/// Established connections that this side began.
	pub outgoing_connections: u32,
	/// Handshakes in progress, in each direction.
	pub pending_connections: u32,
	/// Handshakes in progress from one address.
	pub pending_per_address: u32,
	/// Blob streams served at once. Each may hold one encoded piece (about 1 MiB) in memory.
	pub served_streams: usize,
	/// Blob streams served at once to one peer.
	pub served_streams_per_peer: usize,
	/// Blob streams beside those, for peers with reserved places.
	pub reserved_streams: usize,
	/// Control requests handled at once, all peers together.
	pub control_requests: usize,
	/// Control requests beside those, for peers with reserved places.
	pub reserved_requests: usize,
	/// Control streams, in both directions, on one connection.
	pub control_streams_per_connection: usize,
	/// Bytes of control requests held in memory until they are answered, all peers together.
	pub control_request_bytes: usize,
	/// Peers remembered as banned; beyond, the ban that ends first is dropped.
	pub banned_peers: usize,
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			connections: 256,
			connections_per_address: 64,
			connections_per_peer: 4,
			reserved_connections: 128,
			outgoing_connections: 256,
			pending_connections: 256,
			pending_per_address: 32,
			served_streams: 64,
			served_streams_per_peer: 8,
			reserved_streams: 32,
			control_requests: 64,
			reserved_requests: 32,
			control_streams_per_connection: 16,
			control_request_bytes: 64 << 20,
			banned_peers: 4096,
		}
	}
}

/// Bounds on how long things may take.
#[derive(Clone, Debug)]
pub struct Timeouts {
	/// Establishing a connection, handshakes included.
	pub dial: Duration,
	/// Opening a stream and the answer to the first message on it.
	pub open: Duration,
	/// Moving one piece (1 MiB) or writing one message.
	pub transfer: Duration,
	/// How long a served blob stream may stay silent.
	pub idle_stream: Duration,
	/// How long a connection without streams is kept.
	pub idle_connection: Duration,
	/// How long the handler may work on a control request.
	pub handler: Duration,
	/// Upper bound of a control exchange, whatever the caller allows.
	pub control: Duration,
	/// How long a peer that broke the protocol stays banned.
	pub ban: Duration,
}

impl Default for Timeouts {
	fn default() -> Self {
		Self {
			dial: Duration::from_secs(15),
			open: Duration::from_secs(15),
			transfer: Duration::from_secs(60),
			idle_stream: Duration::from_secs(60),
			idle_connection: Duration::from_secs(60),
			handler: Duration::from_secs(30),
			control: Duration::from_secs(60),
			ban: Duration::from_secs(15 * 60),
		}
	}
}

/// How a fetch treats its providers.
#[derive(Clone, Debug)]
pub struct FetchPolicy {
	/// Providers used at once; the others step in when one fails.
	pub parallel_providers: usize,
	/// Pieces asked for ahead on one stream.
	pub pipeline: usize,
	/// How long a provider may take over a piece before an idle one fetches it too.
	pub patience: Duration,
	/// Failures in a row, without a verified piece between, after which a provider is given up.
	pub attempts: u32,
	/// Wait after the first failure; doubled at each further one.
	pub backoff: Duration,
	/// Longest wait.
	pub max_backoff: Duration,
}

impl Default for FetchPolicy {
	fn default() -> Self {
		Self {
			parallel_providers: 4,
			pipeline: 4,
			patience: Duration::from_secs(15),
			attempts: 4,
			backoff: Duration::from_millis(250),
			max_backoff: Duration::from_secs(10),
		}
	}
}
