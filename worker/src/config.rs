//! What a worker is started with.

use assay_agent::{device::DeviceChoice, upkeep::Courtesies, PeerConfig};
use assay_cpu::Path;
use assay_protocol::Balance;

/// What the worker asks for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePolicy {
	/// Share of the client's maximum that is bid, per mille; at most 1,000.
	pub share_permille: u32,
	/// Never bid below this.
	pub least: Balance,
}

impl PricePolicy {
	/// The bid for an order that still pays at most `max`; `None` if the least price is above it.
	pub fn price(&self, max: Balance) -> Option<Balance> {
		let share = max / 1_000 * Balance::from(self.share_permille.min(1_000));
		let price = share.max(self.least).max(1);
		(price <= max).then_some(price)
	}
}

/// What a worker is started with.
#[derive(Clone)]
pub struct WorkerConfig {
	/// Chain, key, folder, data plane.
	pub peer: PeerConfig,
	/// Bond to register with.
	pub bond: Balance,
	/// What to ask for a job.
	pub price: PricePolicy,
	/// Threads to compute with; 0 for all cores.
	pub threads: usize,
	/// Vector path.
	pub path: Path,
	/// What to run jobs on.
	pub device: DeviceChoice,
	/// Memory offered, MiB.
	pub memory_mib: u32,
	/// What is kept for others without a duty, such as results of closed jobs.
	pub courtesies: Courtesies,
	/// How to misbehave.
	#[cfg(feature = "adversary")]
	pub misbehaviour: Option<crate::adversary::Misbehaviour>,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_price_is_never_above_the_offer_nor_below_the_least() {
		let policy = PricePolicy { share_permille: 800, least: 50 };
		assert_eq!(policy.price(10_000), Some(8_000));
		assert_eq!(policy.price(55), Some(50));
		assert_eq!(policy.price(49), None);
		assert_eq!(PricePolicy { share_permille: 5_000, least: 0 }.price(7_000), Some(7_000));
	}
}
