//! Read-only answers for wallets and daemons.

use crate::{rules, Config, CurrentParameters, JobState, Pallet, Receipt};
use assay_protocol::{job::JobSpec, reason::Reason, Balance, Hash, JobId};
use codec::Encode;
use sp_runtime::traits::{BlakeTwo256, Hash as _};

impl<T: Config> Pallet<T> {
	pub(crate) fn view_receipt(id: JobId) -> Option<Receipt<T::AccountId>> {
		let (job, spec) = Self::found(id).ok()?;
		let JobState::Closed(closing) = &job.state else { return None };
		Some(Receipt {
			job: id,
			client: job.client,
			spec_hash: Hash::from(BlakeTwo256::hash(&spec.encode())),
			reason: closing.reason,
			code: closing.reason.code(),
			closed_at: closing.at,
			result_root: job.verified.root,
			verified_milestones: job.verified.milestones,
			milestones: job.milestones,
			shares: job.shares.into_inner(),
			account: job.account,
		})
	}

	pub(crate) fn view_highest_bid(id: JobId) -> Option<Balance> {
		let (job, spec) = Self::found(id).ok()?;
		rules::highest_bid(&spec, &job, Self::now())
	}

	pub(crate) fn view_collateral(id: JobId, price: Balance) -> Option<Balance> {
		let (job, spec) = Self::found(id).ok()?;
		spec.collateral(price, &job.parameters)
	}

	pub(crate) fn view_escrow(spec: &JobSpec) -> Result<Balance, Reason> {
		spec.validate(&CurrentParameters::<T>::get()).map(|plan| plan.escrow)
	}
}
