//! Jobs, orders, bids, leases, escrow, milestones and settlement.
//!
//! A client posts a job and its escrow goes on hold; workers bid; the winner gets a lease against collateral in its
//! bond; every verified milestone is paid out of the escrow; whatever ends the lease early puts the order up again from
//! the last verified milestone. At the close every coin is paid, refunded or burned: nothing stays on hold.
//!
//! Who may work is asked of [`Operators`](assay_protocol::interfaces::Operators); milestones are reported through
//! [`Leases`](assay_protocol::interfaces::Leases); whether a lease may end is asked of
//! [`Rounds`](assay_protocol::interfaces::Rounds).
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod close_impls;
mod dispatchable_impls;
mod lease_impls;
mod money_impls;
mod order_impls;
mod refusal;
mod rules;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
mod view_impls;
pub mod weights;

pub use pallet::*;
pub use refusal::Refusal;
pub use types::{Account, Bid, Closing, Job, JobState, Lease, Order, Receipt, Share};
pub use weights::WeightInfo;

/// Jobs and their money.
// Of its calls one carries a job's specification.
#[allow(clippy::large_enum_variant)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use assay_protocol::{
		interfaces::{Operators, Rounds},
		job::JobSpec,
		parameters::Parameters,
		reason::Reason,
		Balance, Hash, JobId, MilestoneIndex,
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
		/// Where escrow and deposits are held.
		type NativeBalance: Inspect<Self::AccountId, Balance = Balance>
			+ MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;
		/// Who may work, and the bonds.
		type Operators: Operators<Self::AccountId, Error = DispatchError>;
		/// Whether committed milestones are undecided.
		type Rounds: Rounds;
		/// The time: blocks in which users could transact.
		type Clock: BlockNumberProvider<BlockNumber = BlockNumberFor<Self>>;
		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why money is on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// What a client has set aside for workers and verifiers of its open jobs.
		#[codec(index = 0)]
		Escrow,
		/// A client's deposit for an order that has had no lease yet.
		#[codec(index = 1)]
		OrderDeposit,
		/// A worker's deposits for its standing bids.
		#[codec(index = 2)]
		BidDeposit,
	}

	/// The pallet.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Parameters until genesis or governance sets others.
	#[pallet::type_value]
	pub fn DefaultParameters() -> Parameters {
		Parameters::public()
	}

	/// Current parameters. A job keeps those that held when it was posted.
	#[pallet::storage]
	pub type CurrentParameters<T: Config> = StorageValue<_, Parameters, ValueQuery, DefaultParameters>;

	/// Number of the next job.
	#[pallet::storage]
	pub type NextJob<T: Config> = StorageValue<_, JobId, ValueQuery>;

	/// Every job.
	#[pallet::storage]
	pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, Job<T::AccountId>, OptionQuery>;

	/// What each job asks for. Unbounded by type only: the one variable field is checked to be at most 128 bytes.
	#[pallet::storage]
	#[pallet::unbounded]
	pub type Specs<T: Config> = StorageMap<_, Twox64Concat, JobId, JobSpec, OptionQuery>;

	/// Initial parameters.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The parameters; those of a public chain when absent.
		pub parameters: Option<Parameters>,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			CurrentParameters::<T>::put(self.parameters.unwrap_or_else(Parameters::public));
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A job was posted and its escrow held.
		JobPosted {
			/// The job.
			job: JobId,
			/// Who pays.
			client: T::AccountId,
			/// Held for workers and verifiers.
			escrow: Balance,
		},
		/// A bid was placed.
		BidPlaced {
			/// The job.
			job: JobId,
			/// Who bids.
			worker: T::AccountId,
			/// For how much.
			price: Balance,
		},
		/// A bid is gone and its deposit returned.
		BidRemoved {
			/// The job.
			job: JobId,
			/// Whose bid.
			worker: T::AccountId,
			/// `None` when its worker withdrew it.
			reason: Option<Reason>,
		},
		/// The client takes the job back once what is committed is decided.
		CancelRequested {
			/// The job.
			job: JobId,
		},
		/// A lease began.
		LeaseGranted {
			/// The job.
			job: JobId,
			/// Who works.
			worker: T::AccountId,
			/// For how much.
			price: Balance,
			/// Reserved in its bond.
			collateral: Balance,
			/// Leases before this one.
			attempt: u32,
		},
		/// Every bidder had lost its slot or its free bond: the window begins anew.
		AuctionFailed {
			/// The job.
			job: JobId,
		},
		/// A milestone is verified and paid.
		MilestonePaid {
			/// The job.
			job: JobId,
			/// Which.
			milestone: MilestoneIndex,
			/// State root that it ends in.
			state_root: Hash,
			/// Paid to the worker.
			paid: Balance,
			/// Paid to verifiers in all.
			fees: Balance,
		},
		/// A lease ended before the job did.
		LeaseEnded {
			/// The job.
			job: JobId,
			/// Who worked.
			worker: T::AccountId,
			/// Why it ended.
			reason: Reason,
		},
		/// The order is up for auction again.
		OrderReopened {
			/// The job.
			job: JobId,
			/// First milestone to do.
			milestone: MilestoneIndex,
			/// Most that can be paid for the rest.
			max_price: Balance,
			/// Leases so far.
			attempt: u32,
		},
		/// A job ended; no money of it is on hold.
		JobClosed {
			/// The job.
			job: JobId,
			/// Why.
			reason: Reason,
			/// The reason's stable code.
			code: u16,
			/// State root after the last verified milestone.
			result_root: Hash,
			/// Paid to workers.
			paid: Balance,
			/// Returned to the client.
			refunded: Balance,
		},
		/// The record of a closed job was removed.
		JobForgotten {
			/// The job.
			job: JobId,
		},
		/// Governance set the parameters of future jobs.
		ParametersSet {
			/// The parameters now.
			parameters: Parameters,
		},
		/// Verifiers were drawn and never heard of, and the lease ended unchecked: fees of the client burned.
		FeesBurned {
			/// The job.
			job: JobId,
			/// Seats that were busy for nothing.
			seats: u32,
			/// Burned, at most the fees of a milestone.
			burned: Balance,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The specification is refused for the reason given: correct it and post again.
		SpecRefused(Refusal),
		/// The bid is refused for the reason given.
		BidRefused(Refusal),
		/// There is no such job, or its record was removed.
		NotFound,
		/// The job has no open order: a worker has the lease, or the job is closed.
		NotOpen,
		/// The job has no running lease.
		NotRunning,
		/// The job is already closed.
		AlreadyClosed,
		/// The job is not closed.
		NotClosed,
		/// Only the job's client may do this.
		NotClient,
		/// Only the worker of the running lease may do this.
		NotLeaseholder,
		/// The account has no bid on this order.
		NoSuchBid,
		/// The bidding window is still open: close the auction when it has passed.
		WindowOpen,
		/// The order has no bids: wait for one, or for the deadline.
		NoBids,
		/// A ramp is cleared by its first bid: bid at or below its current price.
		ClearedByBid,
		/// The deadline has passed: `expire` closes the job.
		DeadlinePassed,
		/// The deadline has not passed.
		DeadlineAhead,
		/// The worker's progress window is still open.
		ProgressWindowOpen,
		/// A committed milestone is neither verified nor failed: wait for the verification to settle it.
		MilestoneUndecided,
		/// A lease cannot be given up for this reason.
		ReasonNotAllowed,
		/// The milestone is not the job's next one.
		MilestoneOutOfOrder,
		/// The record of a closed job is kept for the unbonding term.
		TooEarlyToForget,
		/// No more jobs can be numbered.
		JobsExhausted,
		/// A parameter is zero that must not be, or a bound is exceeded.
		ParametersInvalid,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Posts a job: holds the greatest price, the verification budget and the order deposit.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::post_job())]
		pub fn post_job(origin: OriginFor<T>, spec: JobSpec) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_post_job(client, spec)
		}

		/// Offers to do what is left of a job for `price`. On a ramp the first bid that it covers wins at once.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::bid())]
		pub fn bid(origin: OriginFor<T>, job: JobId, #[pallet::compact] price: Balance) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_bid(worker, job, price)
		}

		/// Takes a bid back; its deposit returns.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::withdraw_bid())]
		pub fn withdraw_bid(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_withdraw_bid(worker, job)
		}

		/// Gives the lease to the best bid that is still able, once the window has passed. Anyone may call.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::close_auction())]
		pub fn close_auction(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_close_auction(job)
		}

		/// The client ends its job. Before the first lease the order deposit is burned; in a lease the worker is paid the
		/// milestone in progress.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::cancel_job())]
		pub fn cancel_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_cancel_job(client, job)
		}

		/// The worker gives its lease up for a stated reason; giving up burns a bid's deposit, a claim against the client
		/// nothing. The order goes up again.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::fail_job())]
		pub fn fail_job(origin: OriginFor<T>, job: JobId, reason: Reason) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_fail_job(worker, job, reason)
		}

		/// Closes a job whose deadline has passed. Anyone may call.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::expire())]
		pub fn expire(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_expire(job)
		}

		/// Ends the lease of a worker that showed no progress within its window; the order goes up again. Anyone may call.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::declare_absent())]
		pub fn declare_absent(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_declare_absent(job)
		}

		/// Removes the record of a job closed long ago. Anyone may call.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::forget_job())]
		pub fn forget_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_forget_job(job)
		}

		/// Sets the parameters of jobs posted from now on. Root only.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::set_parameters())]
		pub fn set_parameters(origin: OriginFor<T>, parameters: Parameters) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_parameters(parameters)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The record of a job.
		pub fn job(job: JobId) -> Option<Job<T::AccountId>> {
			Jobs::<T>::get(job)
		}

		/// What a job asks for.
		pub fn spec(job: JobId) -> Option<JobSpec> {
			Specs::<T>::get(job)
		}

		/// The receipt of a closed job.
		pub fn receipt(job: JobId) -> Option<Receipt<T::AccountId>> {
			Self::view_receipt(job)
		}

		/// Most that a bid on an open order may ask now.
		pub fn highest_bid(job: JobId) -> Option<Balance> {
			Self::view_highest_bid(job)
		}

		/// Collateral that a lease of this job at this price reserves.
		pub fn collateral_for(job: JobId, price: Balance) -> Option<Balance> {
			Self::view_collateral(job, price)
		}

		/// What posting this specification would hold: greatest price and verification budget, without the deposit.
		pub fn escrow_for(spec: JobSpec) -> Result<Balance, Reason> {
			Self::view_escrow(&spec)
		}
	}

	impl<T: Config> Get<Parameters> for Pallet<T> {
		fn get() -> Parameters {
			CurrentParameters::<T>::get()
		}
	}
}
