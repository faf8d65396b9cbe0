//! The beacon: VRF outputs of recent blocks in a ring.

use crate::{Config, Pallet, VrfOutputs};
use assay_protocol::{interfaces::Beacon, records::verification::BeaconEntry, BlockNumber, Hash};
use core::ops::RangeInclusive;
use frame_support::traits::Get;
use sp_runtime::traits::BlockNumberProvider;

impl<T: Config> Pallet<T> {
	/// Blocks in which users could transact.
	pub(crate) fn now() -> BlockNumber {
		T::Clock::current_block_number()
	}

	/// Keeps the current block's VRF output. While the clock stands still the first block counts: a later author could choose.
	pub(crate) fn record_vrf() {
		let block = Self::now();
		if Self::vrf_of(block).is_some() {
			return;
		}
		if let Some(vrf) = T::VrfSource::get() {
			VrfOutputs::<T>::insert(slot_of::<T>(block), BeaconEntry { block, vrf });
		}
	}

	/// The VRF outputs of these blocks, if all are kept.
	pub(crate) fn vrfs_of(blocks: RangeInclusive<BlockNumber>) -> Option<alloc::vec::Vec<Hash>> {
		let count = blocks.end().checked_sub(*blocks.start())?;
		if count >= T::BeaconLength::get() {
			return None;
		}
		blocks.map(Self::vrf_of).collect()
	}
}

impl<T: Config> Beacon for Pallet<T> {
	fn vrf_of(block: BlockNumber) -> Option<Hash> {
		VrfOutputs::<T>::get(slot_of::<T>(block)).filter(|entry| entry.block == block).map(|entry| entry.vrf)
	}
}

/// Where a block's output is kept. The length is above 0 by `integrity_test`.
pub(crate) fn slot_of<T: Config>(block: BlockNumber) -> u32 {
	block.checked_rem(T::BeaconLength::get()).unwrap_or(0)
}
