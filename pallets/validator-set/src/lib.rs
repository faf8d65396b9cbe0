//! Who produces blocks: accounts that hold a bond and have set session keys.
//!
//! An account becomes a **candidate** by holding a bond. Every candidate with session keys sits in the next session's
//! set, so the set is bounded by [`Config::MaxValidators`] and a full one is entered by outbidding its smallest bond.
//! Leaving is a matter of time: the bond stays held, and can be slashed, for [`Config::BondingSessions`] after the last
//! session the validator took part in. Equivocations reach this pallet through `pallet-offences` as its
//! [`OnOffenceHandler`](sp_staking::offence::OnOffenceHandler): part of the bond burns and the offender leaves the set.
//!
//! The pallet also keeps the two numbers of block production that a chain fixes at genesis, [`SlotDuration`] and
//! [`EpochLength`], so that one runtime serves chains of different speeds.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod dispatchable_impls;
mod offence_impls;
mod session_impls;
mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

pub use pallet::*;
pub use session_impls::Identification;
pub use types::{BalanceOf, Candidate, DepartureCause, Slash, Unbonding};
pub use weights::WeightInfo;

/// The log target of this pallet.
pub(crate) const LOG_TARGET: &str = "runtime::validator-set";

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{BalancedHold, InspectHold, MutateHold},
			ConstU64, ValidatorRegistration, ValidatorSet,
		},
	};
	use frame_system::pallet_prelude::*;
	use pallet_session::SessionInterface;
	use sp_runtime::Perbill;
	use sp_staking::SessionIndex;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Where bonds are held.
		type Currency: InspectHold<Self::AccountId>
			+ MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
			+ BalancedHold<Self::AccountId>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The session pallet: session index, current validators, who has keys, pruning and disabling.
		type Session: SessionInterface<ValidatorId = Self::AccountId, AccountId = Self::AccountId>
			+ ValidatorSet<Self::AccountId, ValidatorId = Self::AccountId>
			+ ValidatorRegistration<Self::AccountId>;

		/// The largest number of candidates, hence of validators.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// The set never shrinks below this many candidates by anyone's own wish.
		#[pallet::constant]
		type MinValidators: Get<u32>;

		/// The smallest bond that makes a candidate.
		#[pallet::constant]
		type MinBond: Get<BalanceOf<Self>>;

		/// For how many sessions after its last one a validator answers for an equivocation.
		#[pallet::constant]
		type BondingSessions: Get<SessionIndex>;

		/// The least part of a bond that an offence costs, however few the offenders.
		#[pallet::constant]
		type MinSlash: Get<Perbill>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The bond of a validator, until withdrawn.
		#[codec(index = 0)]
		Bond,
	}

	/// Accounts that will validate from the next planned session on, if their session keys are set.
	#[pallet::storage]
	pub type Candidates<T: Config> =
		StorageValue<_, BoundedVec<Candidate<T::AccountId, BalanceOf<T>>, T::MaxValidators>, ValueQuery>;

	/// Former candidates whose bond is still held.
	#[pallet::storage]
	pub type Leaving<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Unbonding<BalanceOf<T>>, OptionQuery>;

	/// What the offences of a session have cost a validator so far; kept while the session can be reported on.
	#[pallet::storage]
	pub type Slashes<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		SessionIndex,
		Blake2_128Concat,
		T::AccountId,
		Slash<BalanceOf<T>>,
		OptionQuery,
	>;

	/// The length of a slot in milliseconds. Fixed at genesis.
	#[pallet::storage]
	pub type SlotDuration<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<6_000>>;

	/// The length of an epoch, which is a session, in slots. Fixed at genesis.
	#[pallet::storage]
	pub type EpochLength<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<600>>;

	/// The validators and the speed a chain starts with.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// First candidates and their bonds, taken from their genesis balance.
		pub validators: Vec<(T::AccountId, BalanceOf<T>)>,
		/// [`SlotDuration`], milliseconds.
		pub slot_duration: u64,
		/// [`EpochLength`], slots.
		pub epoch_length: u64,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self { validators: Vec::new(), slot_duration: 6_000, epoch_length: 600 }
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(self.slot_duration >= 2, "slot_duration is in milliseconds, at least 2");
			assert!(self.epoch_length > 0, "epoch_length is in slots, at least 1");
			SlotDuration::<T>::put(self.slot_duration);
			EpochLength::<T>::put(self.epoch_length);
			for (account, bond) in &self.validators {
				Pallet::<T>::admit(account, *bond)
					.expect("a genesis validator is named once and owns its bond and the existential deposit; qed");
			}
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account became a candidate.
		Registered {
			/// The candidate.
			validator: T::AccountId,
			/// Its bond.
			bond: BalanceOf<T>,
		},
		/// A candidate added to its bond.
		BondRaised {
			/// The candidate.
			validator: T::AccountId,
			/// Its whole bond now.
			bond: BalanceOf<T>,
		},
		/// A candidate will not be in any set planned from now on.
		Departed {
			/// The former candidate.
			validator: T::AccountId,
			/// Why.
			cause: DepartureCause,
			/// The first session in which it may withdraw.
			until: SessionIndex,
		},
		/// A bond was released.
		Withdrawn {
			/// Whose.
			validator: T::AccountId,
			/// How much.
			bond: BalanceOf<T>,
		},
		/// Part of a bond was burnt for an offence.
		Slashed {
			/// The offender.
			validator: T::AccountId,
			/// The session of the offence.
			session: SessionIndex,
			/// How much burnt.
			amount: BalanceOf<T>,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is a candidate already. Raise the bond instead.
		AlreadyRegistered,
		/// The account's last bond is still held. Withdraw it first.
		StillUnbonding,
		/// The account is not a candidate. Register first.
		NotRegistered,
		/// The account has no departed bond to withdraw. Leave first.
		NotUnbonding,
		/// The bond is below the minimum.
		BondTooSmall,
		/// The account has no session keys. Call `session.set_keys` first.
		NoSessionKeys,
		/// The set is full and its smallest bond is not below this one. Offer more.
		Outbid,
		/// The set would become too small. Wait until others have registered.
		TooFewValidators,
		/// The bond answers for past sessions still. Wait for the session named when leaving.
		TooEarly,
		/// The account validates in the current session. Wait until it no longer does.
		StillValidating,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MinValidators::get() >= 1, "a chain needs a validator");
			assert!(T::MaxValidators::get() >= T::MinValidators::get(), "the set's bounds contradict each other");
			assert!(T::BondingSessions::get() >= 1, "an offence must be punishable after its session");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Become a candidate by holding `bond`. Needs session keys.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register(origin: OriginFor<T>, #[pallet::compact] bond: BalanceOf<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register(who, bond)
		}

		/// Add `extra` to the caller's bond.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::raise_bond())]
		pub fn raise_bond(origin: OriginFor<T>, #[pallet::compact] extra: BalanceOf<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_raise_bond(who, extra)
		}

		/// Stop being a candidate. The bond is held until it no longer answers for past sessions.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::leave())]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_leave(who)
		}

		/// Release the bond of a validator that left long enough ago.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who)
		}
	}
}
