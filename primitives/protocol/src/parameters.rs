//! The protocol's tunable numbers. A job keeps the values that held when it was posted.

use crate::{Balance, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// One UNIT in the chain's smallest unit.
pub const UNIT: Balance = 1_000_000_000_000;

/// Protocol parameters; all times in blocks of `pallets/clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parameters {
	/// Blocks after a milestone's commitment whose author VRF outputs make the seed (`m`).
	pub beacon_blocks: u32,
	/// A drawn verifier's time to fetch the pre-state, re-execute and commit.
	pub blind_window: BlockNumber,
	/// The worker's time to open drawn boundaries once blind commitments are in.
	pub open_window: BlockNumber,
	/// A verifier's time to reveal once the boundary is open.
	pub reveal_window: BlockNumber,
	/// The worker's time to answer an on-chain challenge for an unserved pre-state.
	pub serve_window: BlockNumber,
	/// Most tranches of verifiers drawn for one segment before the lease ends; see [`forfeit`](crate::economics::forfeit).
	pub max_tranches: u32,
	/// The worker's time between milestones before anyone may declare it absent.
	pub progress_window: BlockNumber,
	/// Total block budget of each side of a dispute.
	pub dispute_clock: BlockNumber,
	/// `W`: milestones a worker may have committed beyond the verified one.
	pub run_ahead: u32,
	/// Held from the client per order; returned when a lease is made, kept when the client cancels before.
	pub order_deposit: Balance,
	/// Held from a bidder per bid; returned to losers when the auction closes.
	pub bid_deposit: Balance,
	/// Least bond of a worker.
	pub min_worker_bond: Balance,
	/// Least bond of a verifier.
	pub min_verifier_bond: Balance,
	/// Blocks between asking for a bond back and getting it.
	pub unbonding: BlockNumber,
	/// Least fee per check: what it costs to keep a verifier's stake busy.
	pub min_fee_per_check: Balance,
}

/// Most blocks of a beacon: weights of draws are measured for as many.
pub const MAX_BEACON_BLOCKS: u32 = 256;
/// Most tranches of a segment: weights of rounds are measured for as many.
pub const MAX_TRANCHES: u32 = 3;
/// Most milestones beyond the verified one: the end of a lease removes as many.
pub const MAX_RUN_AHEAD: u32 = 16;

impl Parameters {
	/// For a chain with short blocks on one machine.
	pub const fn development() -> Self {
		Self {
			beacon_blocks: 2,
			blind_window: 20,
			open_window: 12,
			reveal_window: 12,
			serve_window: 12,
			max_tranches: 3,
			progress_window: 60,
			dispute_clock: 60,
			run_ahead: 2,
			order_deposit: UNIT,
			bid_deposit: UNIT / 10,
			min_worker_bond: 100 * UNIT,
			min_verifier_bond: 100 * UNIT,
			unbonding: 30,
			min_fee_per_check: UNIT / 100,
		}
	}

	/// For a public chain with 6 s blocks.
	pub const fn public() -> Self {
		Self {
			beacon_blocks: 8,
			blind_window: 1_200,
			open_window: 1_800,
			reveal_window: 1_200,
			serve_window: 1_800,
			max_tranches: 3,
			progress_window: 14_400,
			dispute_clock: 14_400,
			run_ahead: 2,
			order_deposit: UNIT,
			bid_deposit: UNIT / 10,
			min_worker_bond: 1_000 * UNIT,
			min_verifier_bond: 1_000 * UNIT,
			unbonding: 201_600,
			min_fee_per_check: UNIT / 10,
		}
	}

	/// Whether a chain can run with these values: no window is empty, and no count is above what weights are measured for.
	pub fn is_valid(&self) -> bool {
		let windows = [
			self.blind_window,
			self.open_window,
			self.reveal_window,
			self.serve_window,
			self.progress_window,
			self.dispute_clock,
		];
		let counts = [
			(self.beacon_blocks, MAX_BEACON_BLOCKS),
			(self.max_tranches, MAX_TRANCHES),
			(self.run_ahead, MAX_RUN_AHEAD),
		];
		windows.iter().all(|blocks| *blocks > 0)
			&& counts.iter().all(|(count, most)| (1..=*most).contains(count))
			&& self.min_fee_per_check > 0
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn presets_are_valid() {
		assert!(Parameters::development().is_valid());
		assert!(Parameters::public().is_valid());
	}

	#[test]
	fn every_bound_is_checked() {
		let wrong: [fn(&mut Parameters); 12] = [
			|p| p.beacon_blocks = 0,
			|p| p.beacon_blocks = MAX_BEACON_BLOCKS + 1,
			|p| p.blind_window = 0,
			|p| p.open_window = 0,
			|p| p.reveal_window = 0,
			|p| p.serve_window = 0,
			|p| p.max_tranches = 0,
			|p| p.max_tranches = MAX_TRANCHES + 1,
			|p| p.progress_window = 0,
			|p| p.dispute_clock = 0,
			|p| p.run_ahead = MAX_RUN_AHEAD + 1,
			|p| p.min_fee_per_check = 0,
		];
		for change in wrong {
			let mut parameters = Parameters::development();
			change(&mut parameters);
			assert!(!parameters.is_valid(), "{parameters:?}");
		}
	}
}
