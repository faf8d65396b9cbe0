//! Worker and verifier registry: bonds, capabilities, unbonding, slashing, reputation.
//!
//! An account may be one worker and one verifier; each role has its own record, its own hold and its own bond, so no
//! coin backs two promises. Neighbours reach the registry only through [`assay_protocol::interfaces::Operators`].
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod dispatchable_impls;
mod duty_impls;
mod index_impls;
mod slash_impls;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::{Capabilities, Contact, Drawable, Operator, Role, Service, State};
pub use weights::WeightInfo;

/// Registry of workers and verifiers.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use assay_protocol::{
		interfaces::{SlashSplit, VerifierFault},
		parameters::Parameters,
		Balance, BlockNumber, JobId,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Inspect, MutateHold},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::BlockNumberProvider;

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;
		/// Where bonds are held.
		type NativeBalance: Inspect<Self::AccountId, Balance = Balance>
			+ MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;
		/// Current protocol parameters.
		type Parameters: Get<Parameters>;
		/// Most verifiers registered at once; bounds the work of one draw.
		#[pallet::constant]
		type MaxVerifiers: Get<u32>;
		/// The time: blocks in which users could transact.
		type Clock: BlockNumberProvider<BlockNumber = BlockNumberFor<Self>>;
		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why money of an operator is on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Bond of a worker, including what is unbonding.
		#[codec(index = 0)]
		WorkerBond,
		/// Bond of a verifier, including what is unbonding.
		#[codec(index = 1)]
		VerifierBond,
	}

	/// The pallet.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Every operator, by role.
	#[pallet::storage]
	pub type Registry<T: Config> =
		StorageDoubleMap<_, Twox64Concat, Role, Blake2_128Concat, T::AccountId, Operator, OptionQuery>;

	/// Collateral that a worker's bond reserves for a job.
	#[pallet::storage]
	pub type Collateral<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, JobId, Balance, OptionQuery>;

	/// Verifiers that can take a check now, ascending by account.
	#[pallet::storage]
	pub type ReadyVerifiers<T: Config> =
		StorageValue<_, BoundedVec<Drawable<T::AccountId>, T::MaxVerifiers>, ValueQuery>;

	/// Registered verifiers, at most [`Config::MaxVerifiers`].
	#[pallet::storage]
	pub type VerifierCount<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Bond of all verifiers that take work, whether or not it is reserved now.
	#[pallet::storage]
	pub type BondAtWork<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An operator registered.
		Registered {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
			/// Its bond.
			bond: Balance,
		},
		/// A bond grew.
		BondIncreased {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
			/// The bond now.
			bond: Balance,
		},
		/// The published address changed.
		EndpointUpdated {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
		},
		/// A worker's published machine changed.
		CapabilitiesUpdated {
			/// Who.
			who: T::AccountId,
		},
		/// The state was set, by the operator or by the protocol.
		StateChanged {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
			/// The state now.
			state: State,
		},
		/// Part of a bond was asked back.
		UnbondingStarted {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
			/// All that is unbonding now.
			amount: Balance,
			/// First block in which it may be withdrawn.
			at: BlockNumber,
		},
		/// Unbonded money was released.
		Withdrawn {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
			/// How much.
			amount: Balance,
			/// Whether the record is gone: nothing was left at work.
			left: bool,
		},
		/// Part of a worker's bond is reserved for a job.
		CollateralLocked {
			/// Who.
			who: T::AccountId,
			/// For which job.
			job: JobId,
			/// How much.
			amount: Balance,
		},
		/// A job's collateral is free again.
		CollateralReleased {
			/// Who.
			who: T::AccountId,
			/// Of which job.
			job: JobId,
			/// Whether the job was finished.
			success: bool,
			/// What the end of the lease cost.
			burned: Balance,
		},
		/// A job's collateral was slashed and its worker jailed.
		WorkerSlashed {
			/// Who.
			who: T::AccountId,
			/// Over which job.
			job: JobId,
			/// Where the money went.
			split: SlashSplit,
		},
		/// The stake of one check was slashed.
		VerifierSlashed {
			/// Who.
			who: T::AccountId,
			/// What was proven.
			fault: VerifierFault,
			/// Where the money went.
			split: SlashSplit,
		},
		/// An absence was noted.
		AbsenceNoted {
			/// In which role.
			role: Role,
			/// Who.
			who: T::AccountId,
			/// Absences in a row.
			in_row: u32,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The account has no record in this role: register first.
		NotRegistered,
		/// The account already has a record in this role: use `bond_more`.
		AlreadyRegistered,
		/// The bond would be below the least bond of the role; see the protocol parameters.
		BondTooSmall,
		/// Endpoint and peer id must not be empty.
		ContactIncomplete,
		/// A worker offers between 1 and `MAX_SLOTS` slots.
		SlotsOutOfRange,
		/// As many verifiers as the chain can draw from are registered: wait until one leaves.
		VerifiersFull,
		/// The operator is draining, unresponsive or jailed: call `set_ready` when it can work again.
		NotTakingWork,
		/// Every slot of the worker has a job: wait for one to end, or raise `slots`.
		SlotsTaken,
		/// The bond not reserved by duties is too small: call `bond_more`, or wait for a duty to end.
		FreeBondTooSmall,
		/// The job already has collateral of this worker.
		CollateralExists,
		/// The jail term is not over.
		StillJailed,
		/// Amount must be above zero.
		ZeroAmount,
		/// Nothing is unbonding: call `unbond` first.
		NothingUnbonding,
		/// The unbonding term is not over.
		StillUnbonding,
		/// The whole bond was asked back: register again after `withdraw`.
		Leaving,
		/// Too many duties are counted.
		DutiesOverflow,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxVerifiers::get() > 0, "a chain without verifiers pays nobody");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers the caller as a worker and holds `bond`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_worker())]
		pub fn register_worker(
			origin: OriginFor<T>,
			#[pallet::compact] bond: Balance,
			contact: Contact,
			capabilities: Capabilities,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register_worker(who, bond, contact, capabilities)
		}

		/// Registers the caller as a verifier and holds `bond`. Its contact may be a relay: verifiers only dial out.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::register_verifier())]
		pub fn register_verifier(
			origin: OriginFor<T>,
			#[pallet::compact] bond: Balance,
			contact: Contact,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register_verifier(who, bond, contact)
		}

		/// Adds `amount` to the bond.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::bond_more())]
		pub fn bond_more(origin: OriginFor<T>, role: Role, #[pallet::compact] amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_bond_more(who, role, amount)
		}

		/// Publishes another data-plane address.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::update_endpoint())]
		pub fn update_endpoint(origin: OriginFor<T>, role: Role, contact: Contact) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_update_endpoint(who, role, contact)
		}

		/// Publishes another machine.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::update_capabilities())]
		pub fn update_capabilities(origin: OriginFor<T>, capabilities: Capabilities) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_update_capabilities(who, capabilities)
		}

		/// Takes no new work; what is under way goes on.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::set_draining())]
		pub fn set_draining(origin: OriginFor<T>, role: Role) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_draining(who, role)
		}

		/// Takes work again, after draining, absence or jail.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::set_ready())]
		pub fn set_ready(origin: OriginFor<T>, role: Role) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_ready(who, role)
		}

		/// Asks `amount` of the free bond back. What stays is the least bond or more, or nothing: then the operator leaves.
		/// Adds to what is already unbonding and starts its term anew.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>, role: Role, #[pallet::compact] amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_unbond(who, role, amount)
		}

		/// Releases what finished unbonding; removes the record of an operator that left.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>, role: Role) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who, role)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The record of an operator.
		pub fn operator(role: Role, who: T::AccountId) -> Option<Operator> {
			Registry::<T>::get(role, who)
		}

		/// Bond that no duty reserves; 0 for a stranger.
		pub fn free_bond(role: Role, who: T::AccountId) -> Balance {
			Registry::<T>::get(role, who).map_or(0, |operator| operator.free())
		}

		/// Collateral that `who` has reserved for `job`.
		pub fn collateral(who: T::AccountId, job: JobId) -> Option<Balance> {
			Collateral::<T>::get(who, job)
		}

		/// Verifiers that can be drawn now, with their weights.
		pub fn ready_verifiers() -> alloc::vec::Vec<Drawable<T::AccountId>> {
			ReadyVerifiers::<T>::get().into_inner()
		}
	}

	impl HoldReason {
		/// The reason that a role's bond is held for.
		pub const fn of(role: Role) -> Self {
			match role {
				Role::Worker => Self::WorkerBond,
				Role::Verifier => Self::VerifierBond,
			}
		}
	}
}
