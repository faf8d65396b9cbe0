//! The network behaviours of a data plane and the transports under them.

use libp2p::{
	allow_block_list::{self, BlockedPeers},
	identify, noise, ping, request_response,
	swarm::NetworkBehaviour,
	tcp, yamux, Swarm, SwarmBuilder,
};

use super::{
	places::{Places, Reserved},
	Config, StartError,
};
use crate::wire::control::{self, ControlCodec};

/// Everything that runs on each connection. NAT traversal (relay client, hole punching, port mapping) joins here.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
	/// First, so that a banned peer or one connection too many is refused before anything else sees it.
	pub(super) banned: allow_block_list::Behaviour<BlockedPeers>,
	/// In place of libp2p's own limits, which know no addresses and no reserved places, and remember every peer id for ever.
	places: Places,
	ping: ping::Behaviour,
	identify: identify::Behaviour,
	pub(super) control: request_response::Behaviour<ControlCodec>,
	pub(super) streams: libp2p_stream::Behaviour,
}

/// Builds the swarm: QUIC, and TCP with Noise and Yamux, both with DNS names. Dials keep the default port reuse, which
/// hole punching depends on.
pub(super) fn build_swarm(config: &Config, reserved: Reserved) -> Result<Swarm<Behaviour>, StartError> {
	let failed = |transport| move |reason: String| StartError::Transport { transport, reason };
	let control = request_response::Behaviour::with_codec(
		ControlCodec::new(config.limits.control_request_bytes),
		[(control::PROTOCOL, request_response::ProtocolSupport::Full)],
		request_response::Config::default()
			.with_request_timeout(config.timeouts.control)
			.with_max_concurrent_streams(config.limits.control_streams_per_connection),
	);
	let swarm = SwarmBuilder::with_existing_identity(config.identity.keypair())
		.with_tokio()
		.with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
		.map_err(|error| failed("TCP")(error.to_string()))?
		.with_quic()
		.with_dns()
		.map_err(|error| failed("DNS")(error.to_string()))?
		.with_behaviour(|keypair| Behaviour {
			banned: Default::default(),
			places: Places::new(config.limits.clone(), reserved),
			ping: ping::Behaviour::default(),
			identify: identify::Behaviour::new(
				identify::Config::new("/assay/1".into(), keypair.public())
					.with_agent_version(concat!("assay/", env!("CARGO_PKG_VERSION")).into()),
			),
			control,
			streams: libp2p_stream::Behaviour::new(),
		})
		.map_err(|error| failed("behaviour")(error.to_string()))?
		.with_swarm_config(|swarm| swarm.with_idle_connection_timeout(config.timeouts.idle_connection))
		.with_connection_timeout(config.timeouts.dial)
		.build();
	Ok(swarm)
}
