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
}

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
		}
	}
}
