//! What a verifier is started with.

use assay_agent::{device::DeviceChoice, upkeep::Courtesies, PeerConfig};
use assay_engine::Path;
use assay_protocol::Balance;

/// What a verifier is started with.
#[derive(Clone)]
pub struct VerifierConfig {
	/// Chain, key, folder, data plane.
	pub peer: PeerConfig,
	/// Bond to register with.
	pub bond: Balance,
	/// Threads to compute with; 0 for all cores.
	pub threads: usize,
	/// Vector path.
	pub path: Path,
	/// What to run segments on.
	pub device: DeviceChoice,
	/// Memory for checks, MiB: no program may take more, and all checks that run at once share it.
	/// [`half_of_free`](assay_agent::memory::half_of_free) is a good value.
	pub memory_mib: u32,
	/// What is kept for others without a duty, such as results of closed jobs.
	pub courtesies: Courtesies,
	/// How to misbehave.
	#[cfg(feature = "adversary")]
	pub misbehaviour: Option<crate::adversary::Misbehaviour>,
}
