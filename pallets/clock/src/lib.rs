//! The clock of every protocol window: block numbers without the blocks in which users could not transact.
//!
//! A pause of the chain (safe mode, paused calls, a migration) must not run out anybody's time. All other pallets of the
//! protocol read the time here and never the block number, so that their times compare with each other.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(test)]
mod tests;

pub use pallet::*;

/// Blocks in which users could transact.
#[frame_support::pallet]
pub mod pallet {
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use sp_runtime::{
		traits::{BlockNumberProvider, One, Saturating},
		SaturatedConversion,
	};

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Whether users cannot transact in the block that begins.
		type IsPaused: Get<bool>;
	}

	/// The pallet.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Blocks since genesis in which users could not transact.
	#[pallet::storage]
	pub type Paused<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			if T::IsPaused::get() {
				Paused::<T>::mutate(|paused| *paused = paused.saturating_add(One::one()));
			}
			// What `IsPaused` reads, and the count.
			T::DbWeight::get().reads_writes(4, 1)
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			frame_support::ensure!(Paused::<T>::get() <= now, "more blocks paused than there were");
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The time now.
		pub fn now() -> u32 {
			Self::current_block_number().saturated_into()
		}
	}

	impl<T: Config> BlockNumberProvider for Pallet<T> {
		type BlockNumber = BlockNumberFor<T>;

		fn current_block_number() -> Self::BlockNumber {
			frame_system::Pallet::<T>::block_number().saturating_sub(Paused::<T>::get())
		}

		#[cfg(feature = "runtime-benchmarks")]
		fn set_block_number(block: Self::BlockNumber) {
			Paused::<T>::kill();
			frame_system::Pallet::<T>::set_block_number(block);
		}
	}
}
