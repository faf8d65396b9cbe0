//! Verification of milestones: commitments, beacon, draw, blind commit, open, reveal, settle.
//!
//! The rules of one milestone's round are [`assay_protocol::round`]; this pallet stores the rounds, draws with the
//! recorded VRF outputs, carries out what a transition asks for and hears the verdicts of disputes. Money is moved only by
//! the neighbours behind [`Leases`](assay_protocol::interfaces::Leases) and
//! [`Operators`](assay_protocol::interfaces::Operators).
//!
//! # For daemons
//! A milestone that is committed and not decided yet is in [`Milestones`] under `Twox64Concat(job) ++ Twox64Concat(index)`
//! as `assay_protocol::records::verification::MilestoneRecord<[u8; 32]>`. A decided one is gone: verified if the job's
//! next milestone is above it, failed otherwise. Only the job's next milestone is drawn; later ones wait as `Committed`.
//!
//! | Who | Waits for | Call |
//! |---|---|---|
//! | worker | lease | [`Pallet::commit_milestone`] |
//! | anyone | `Committed`, beacon over | [`Pallet::draw`] |
//! | verifier | `Blind`, assigned | [`Pallet::commit_blind`], or [`Pallet::report_unserved`] |
//! | worker | `Blind`, challenge open | [`Pallet::answer_challenge`] |
//! | anyone | `Blind`, window over | [`Pallet::redraw`], [`Pallet::settle`] |
//! | worker | `Opening` | [`Pallet::open`] |
//! | verifier | `Reveal` | [`Pallet::reveal`] |
//! | anyone | all revealed, or a window over | [`Pallet::settle`] |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
#[cfg(test)]
extern crate self as pallet_verification;

mod beacon_impls;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod dispatchable_impls;
mod draw_impls;
mod effect_impls;
#[cfg(test)]
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
pub use types::{MilestoneRecordOf, Openings};
pub use weights::{Size, WeightInfo};

/// Verification of milestones.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, vec::Vec};
	use assay_commitment::BoundaryOpening;
	use assay_protocol::{
		holding::Holding,
		interfaces::{Court, Leases, Operators},
		records::verification::BeaconEntry,
		BlockNumber, Hash, JobId, MilestoneIndex, Reason, SegmentIndex,
	};
	use frame_support::dispatch::WithPostDispatchInfo;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::BlockNumberProvider;

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: Into<[u8; 32]>> {
		/// VRF output of the current block's author, as known when the block is finalised.
		type VrfSource: Get<Option<Hash>>;
		/// Jobs and their leases.
		type Leases: Leases<Self::AccountId, Error = DispatchError>;
		/// Verifiers and their bonds.
		type Operators: Operators<Self::AccountId, Error = DispatchError>;
		/// Where differing results are disputed.
		type Court: Court<Self::AccountId, Error = DispatchError>;
		/// Counts the blocks in which users could transact: every window runs on it, and the beacon is numbered by it.
		type Clock: BlockNumberProvider<BlockNumber = BlockNumber>;
		/// Blocks whose VRF output is kept: above `beacon_blocks + blind_window * max_tranches` of the parameters, within which
		/// a milestone must be drawn.
		#[pallet::constant]
		type BeaconLength: Get<u32>;
		/// Weights of the calls.
		type WeightInfo: WeightInfo;
		/// Makes what the benchmarks start from.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: types::BenchmarkHelper<Self::AccountId>;
	}

	/// The pallet.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// VRF outputs of recent blocks, each at its block number modulo [`Config::BeaconLength`].
	#[pallet::storage]
	pub type VrfOutputs<T: Config> = StorageMap<_, Twox64Concat, u32, BeaconEntry, OptionQuery>;

	/// Milestones committed and not decided yet. Unbounded by type only: a round has at most 32 segments, and each at most 8
	/// verifiers for each of `max_tranches` tranches.
	#[pallet::storage]
	#[pallet::unbounded]
	pub type Milestones<T: Config> =
		StorageDoubleMap<_, Twox64Concat, JobId, Twox64Concat, MilestoneIndex, MilestoneRecordOf<T>, OptionQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A worker committed a milestone.
		MilestoneCommitted {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// Root over its boundaries.
			root: Hash,
		},
		/// The seed is fixed, and the draw waits until enough verifiers are ready.
		DrawWaits {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// What will be drawn by.
			seed: Hash,
		},
		/// Segments and verifiers were drawn.
		Drawn {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// What they were drawn by.
			seed: Hash,
			/// The segments, ascending, with their verifiers.
			segments: Vec<(SegmentIndex, Vec<T::AccountId>)>,
		},
		/// Verifiers that did not commit in time were replaced.
		Redrawn {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// The new verifiers; fewer than were missing when not enough are ready.
			verifiers: Vec<T::AccountId>,
		},
		/// A verifier committed its answer.
		BlindCommitted {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// Who.
			verifier: T::AccountId,
		},
		/// Every check is committed: the worker must open.
		OpeningDue {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// Last block to open in.
			until: BlockNumber,
		},
		/// The worker opened the drawn boundaries: verifiers must reveal.
		Opened {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// Last block to reveal in.
			until: BlockNumber,
		},
		/// A verifier revealed.
		Revealed {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// Who.
			verifier: T::AccountId,
			/// Whether it found what the worker claims.
			agreed: bool,
		},
		/// A verifier was not served: the worker must answer on chain.
		Unserved {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// Who reported.
			verifier: T::AccountId,
			/// Last block to answer in.
			until: BlockNumber,
		},
		/// Another verifier of a challenged segment was not served either.
		AlsoUnserved {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// Who reported.
			verifier: T::AccountId,
		},
		/// The worker proved a challenged pre-state and that it holds it.
		ChallengeAnswered {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// The segment.
			segment: SegmentIndex,
			/// State root before the segment.
			pre_root: Hash,
		},
		/// A milestone is verified and paid.
		MilestoneVerified {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// State root at its end.
			state_root: Hash,
			/// Honest checks.
			checks: u32,
		},
		/// A milestone failed; its lease has ended.
		MilestoneFailed {
			/// The job.
			job: JobId,
			/// The milestone.
			index: MilestoneIndex,
			/// Why.
			reason: Reason,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such milestone waiting for a decision.
		NotFound,
		/// The job has no running lease.
		NoSuchLease,
		/// The job's earlier milestone is not verified yet: only the next one is drawn and checked.
		NotNext,
		/// The chunk is not the drawn one of the state, or its proofs do not lead to the state root.
		HoldingInvalid,
		/// The rules of the round refuse this; the reason says why and what to do.
		Refused(Refusal),
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			T::WeightInfo::on_finalize()
		}

		// The author's VRF output is known once the block is complete: BABE, a pallet before this one, takes it up in its
		// own `on_finalize`.
		fn on_finalize(_: BlockNumberFor<T>) {
			Self::record_vrf();
		}

		fn integrity_test() {
			assert!(T::BeaconLength::get() > 0, "a draw needs a VRF output");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Commits a milestone: the root over its boundaries. It is final.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::commit_milestone())]
		pub fn commit_milestone(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
			root: Hash,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_commit_milestone(who, job, index, root)
		}

		/// Draws segments and verifiers of the job's next milestone once its beacon is over. Anyone may.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::draw(Size::MAX))]
		pub fn draw(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let round =
				Self::do_draw(job, index).map_err(|error| error.with_weight(T::WeightInfo::draw(Size::NONE)))?;
			Ok(Some(T::WeightInfo::draw(round)).into())
		}

		/// Commits a verifier's answer: [`assay_commitment::BlindAnswer::commitment`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::commit_blind())]
		pub fn commit_blind(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
			#[pallet::compact] segment: SegmentIndex,
			hash: Hash,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_commit_blind(who, job, index, segment, hash)
		}

		/// Opens the boundaries around every drawn segment, in the order of the draw.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::open(openings.len() as u32))]
		pub fn open(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
			openings: Openings,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_open(who, job, index, openings)
		}

		/// Reveals a blind answer. A result that differs from the worker's opens a dispute.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::reveal())]
		pub fn reveal(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
			#[pallet::compact] segment: SegmentIndex,
			nonce: Hash,
			pre_root: Hash,
			post_root: Hash,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_reveal(who, job, index, segment, nonce, (pre_root, post_root))
		}

		/// Does what is due: verifies and pays a milestone whose checks agree, or draws the consequences of a passed window.
		/// Anyone may.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::settle(Size::MAX))]
		pub fn settle(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let round =
				Self::do_settle(job, index).map_err(|error| error.with_weight(T::WeightInfo::settle(Size::NONE)))?;
			Ok(Some(T::WeightInfo::settle(round)).into())
		}

		/// Replaces verifiers that did not commit in time. Anyone may.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::draw(Size::MAX))]
		pub fn redraw(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let round =
				Self::do_redraw(job, index).map_err(|error| error.with_weight(T::WeightInfo::draw(Size::NONE)))?;
			Ok(Some(T::WeightInfo::draw(round)).into())
		}

		/// Challenges the worker to prove the state before a segment that the caller must check and is not served.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::report_unserved())]
		pub fn report_unserved(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
			#[pallet::compact] segment: SegmentIndex,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_report_unserved(who, job, index, segment)
		}

		/// Answers a challenge: opens the boundary before the segment, `None` for the milestone's first, and shows the drawn
		/// chunk of that state. The worker goes on to serve; the segment's blind window starts anew.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::answer_challenge())]
		pub fn answer_challenge(
			origin: OriginFor<T>,
			#[pallet::compact] job: JobId,
			#[pallet::compact] index: MilestoneIndex,
			#[pallet::compact] segment: SegmentIndex,
			opening: Option<BoundaryOpening>,
			holding: Box<Holding>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_answer_challenge(who, job, index, segment, opening, *holding)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A milestone that is committed and not decided yet.
		pub fn milestone(job: JobId, index: MilestoneIndex) -> Option<MilestoneRecordOf<T>> {
			Milestones::<T>::get(job, index)
		}
	}
}
