//! Disputes over segment results: moves, clocks and the referee's verdict.
//!
//! A dispute is opened by a neighbour through [`assay_protocol::interfaces::Court`] when a verifier's result differs from
//! what the worker opened. Worker and verifier then move in turn with [`Pallet::play`] until one micro-operation is left;
//! anyone submits its openings with [`Pallet::submit_evidence`], and the runtime executes it. The rules are those of
//! [`assay_protocol::dispute`]; this pallet stores the state, knows whose turn it is and reports the verdict to
//! [`assay_protocol::interfaces::OnVerdict`], which moves the money.
//!
//! Disputes are kept in [`Disputes`] under `Twox64Concat(id)`, ids counted from 0.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
#[cfg(test)]
extern crate self as pallet_disputes;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod court_impls;
mod dispatchable_impls;
#[cfg(test)]
#[path = "../../verification/src/mock/mod.rs"]
mod mock;
mod refusal;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use refusal::Refusal;
pub use types::DisputeRecordOf;
pub use weights::WeightInfo;

/// Disputes over segment results.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::boxed::Box;
	use assay_protocol::{
		dispute::{Move, Outcome, Side},
		interfaces::{Leases, OnVerdict},
		records::disputes::LeafKind,
		BlockNumber, JobId, MilestoneIndex, Reason, SegmentIndex,
	};
	use assay_referee::Evidence;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::BlockNumberProvider;

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Running leases: program, parameters and parties of a job.
		type Leases: Leases<Self::AccountId>;
		/// Hears how a dispute ended, and slashes.
		type OnVerdict: OnVerdict<Self::AccountId>;
		/// Counts the blocks in which users could transact: the chess clocks run on it.
		type Clock: BlockNumberProvider<BlockNumber = BlockNumber>;
		/// Most disputes open about one job at once: at least as many as one milestone can have checks.
		#[pallet::constant]
		type MaxOpenPerJob: Get<u32>;
		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// The pallet.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Number of the next dispute.
	#[pallet::storage]
	pub type NextId<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Running disputes. An ended one is removed; its event tells the rest.
	#[pallet::storage]
	pub type Disputes<T: Config> = StorageMap<_, Twox64Concat, u64, DisputeRecordOf<T>, OptionQuery>;

	/// Running disputes of each job, ascending.
	#[pallet::storage]
	pub type OpenByJob<T: Config> = StorageMap<_, Twox64Concat, JobId, BoundedVec<u64, T::MaxOpenPerJob>, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A verifier disputes a segment; the worker is to move.
		Opened {
			/// The dispute.
			id: u64,
			/// The job.
			job: JobId,
			/// The lease's attempt number.
			attempt: u32,
			/// The milestone.
			milestone: MilestoneIndex,
			/// The segment, counted over the job.
			segment: SegmentIndex,
			/// The worker.
			defender: T::AccountId,
			/// The verifier.
			challenger: T::AccountId,
		},
		/// A side moved.
		Moved {
			/// The dispute.
			id: u64,
			/// Moves so far.
			moves: u32,
			/// Whose clock runs now.
			to_move: Side,
			/// Last block in which that side can move.
			deadline: BlockNumber,
		},
		/// The dispute ended.
		Ended {
			/// The dispute.
			id: u64,
			/// The job.
			job: JobId,
			/// The milestone.
			milestone: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// Who was right, and on what ground.
			outcome: Outcome,
			/// The same as a stable code.
			reason: Reason,
			/// Moves made, evidence included.
			moves: u32,
			/// Bytes that all moves took in blocks.
			bytes: u32,
			/// What the referee executed; `None` where it had nothing to rule.
			leaf: Option<LeafKind>,
			/// Weight charged for the referee's work.
			referee: Weight,
		},
		/// The dispute ended without a verdict: its lease ended elsewhere.
		Dismissed {
			/// The dispute.
			id: u64,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such dispute, or it has ended.
		NotFound,
		/// Only the worker and the verifier of the dispute may move.
		NotAParty,
		/// The job has no running lease with this attempt number.
		NoSuchLease,
		/// The segment is outside the job.
		NoSuchSegment,
		/// As many disputes about the job are open as may be: wait for one to end.
		TooManyOpen,
		/// The rules of the dispute refuse this; the reason says why and what to do.
		Refused(Refusal),
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxOpenPerJob::get() > 0, "a dispute must be possible");
			assert!(
				T::WeightInfo::submit_evidence(weights::MAX_BYTES, weights::MAX_OPS)
					.all_lt(<T as frame_system::Config>::BlockWeights::get().max_block),
				"the largest evidence must fit a block",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Makes a move for the side that the caller is.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::play(types::saturated_len(played)).saturating_add(T::WeightInfo::verdict()))]
		pub fn play(origin: OriginFor<T>, #[pallet::compact] id: u64, played: Box<Move>) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_play(who, id, *played)
		}

		/// Submits the openings of the last micro-operation; the runtime executes it and rules. Anyone may, once the
		/// dispute is at its leaf. Free if it rules: the submitter does the chain a service.
		#[pallet::call_index(1)]
		#[pallet::weight(
			T::WeightInfo::submit_evidence(types::saturated_len(evidence), weights::MAX_OPS)
				.saturating_add(T::WeightInfo::verdict())
		)]
		pub fn submit_evidence(
			origin: OriginFor<T>,
			#[pallet::compact] id: u64,
			evidence: Box<Evidence>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_submit_evidence(id, *evidence)
		}

		/// Ends a dispute against the side whose budget of blocks is used up. Anyone may.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::timeout().saturating_add(T::WeightInfo::verdict()))]
		pub fn timeout(origin: OriginFor<T>, #[pallet::compact] id: u64) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_timeout(id)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A running dispute.
		pub fn dispute(id: u64) -> Option<DisputeRecordOf<T>> {
			Disputes::<T>::get(id)
		}

		/// Running disputes about a job.
		pub fn open_disputes(job: JobId) -> alloc::vec::Vec<u64> {
			OpenByJob::<T>::get(job).into_inner()
		}
	}
}
