//! Who checks what.

use crate::{Config, Error, MilestoneRecordOf, Milestones, Pallet};
use alloc::vec::Vec;
use assay_commitment::SegmentRange;
use assay_protocol::{
	interfaces::{LeaseView, Leases, Operators},
	round::RoundContext,
	BlockNumber, Hash, JobId, MilestoneIndex,
};
use frame_support::ensure;

/// A milestone whose round can move: the job's next one.
pub(crate) struct Current<T: Config> {
	pub(crate) lease: LeaseView<T::AccountId>,
	pub(crate) record: MilestoneRecordOf<T>,
	pub(crate) context: RoundContext,
}

impl<T: Config> Pallet<T> {
	/// The job's next milestone with everything its round depends on.
	pub(crate) fn current(job: JobId, index: MilestoneIndex) -> Result<Current<T>, Error<T>> {
		let record = Milestones::<T>::get(job, index).ok_or(Error::<T>::NotFound)?;
		let lease =
			T::Leases::lease(job).filter(|lease| lease.attempt == record.attempt).ok_or(Error::<T>::NoSuchLease)?;
		ensure!(index == lease.next_milestone, Error::<T>::NotNext);
		let first = index.saturating_mul(lease.spec.milestone_segments);
		let count = lease.segments.saturating_sub(first).min(lease.spec.milestone_segments);
		let context = RoundContext {
			job,
			milestone: index,
			range: SegmentRange { first, count },
			verified_root: lease.verified_root,
			parameters: lease.parameters,
			deadline: lease.deadline,
		};
		Ok(Current { lease, record, context })
	}

	/// Draws up to `count` verifiers and reserves the bond of one check of each. None of `barred` is drawn; one of `busy`,
	/// who has another segment of the milestone already, only where too few others are ready. Only bonds as old as block `at`
	/// count.
	pub(crate) fn assign(
		seed: &Hash,
		at: BlockNumber,
		count: u32,
		barred: &[T::AccountId],
		busy: &[T::AccountId],
	) -> Vec<T::AccountId> {
		let excluded: Vec<T::AccountId> = barred.iter().chain(busy).cloned().collect();
		let mut assigned = Self::reserve(T::Operators::draw_verifiers(seed, at, count, &excluded));
		let missing = count.saturating_sub(assigned.len() as u32);
		if missing > 0 && !busy.is_empty() {
			let excluded: Vec<T::AccountId> = barred.iter().chain(&assigned).cloned().collect();
			assigned.extend(Self::reserve(T::Operators::draw_verifiers(seed, at, missing, &excluded)));
		}
		assigned
	}

	/// Reserves the bond of one check of each; who cannot is left out.
	fn reserve(drawn: Vec<T::AccountId>) -> Vec<T::AccountId> {
		drawn.into_iter().filter(|verifier| T::Operators::lock_check(verifier).is_ok()).collect()
	}
}
