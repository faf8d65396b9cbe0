//! Every movement of a job's money, with the fields of its account that follow it.

use crate::{rules, Account, Config, Event, HoldReason, Job, JobState, Pallet};
use assay_protocol::{job::JobSpec, Balance, JobId};
use frame_support::{
	pallet_prelude::{DispatchError, DispatchResult},
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
	},
};

impl<T: Config> Pallet<T> {
	/// Pays out of the client's escrow; 0 when the receiver cannot take it: its account is gone and the amount is below the
	/// existential deposit. Then the money stays in the escrow.
	fn pay(client: &T::AccountId, to: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::NativeBalance::transfer_on_hold(
			&HoldReason::Escrow.into(),
			client,
			to,
			amount,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}

	/// Pays the worker of the running lease for the next milestone. Does not count the milestone as verified.
	pub(crate) fn pay_milestone(job: &mut Job<T::AccountId>, spec: &JobSpec) -> Result<Balance, DispatchError> {
		let share = rules::milestone_price(&Self::plan(job, spec)?, job);
		let Job { client, account, shares, state, .. } = job;
		let JobState::Running(lease) = state else { return Ok(0) };
		let paid = Self::pay(client, &lease.worker, share.min(account.price_left));
		account.price_left = account.price_left.saturating_sub(paid);
		account.paid = account.paid.saturating_add(paid);
		// Counts as paid even if the worker could not take it, so that later shares keep their size.
		lease.paid = lease.paid.saturating_add(share);
		if let Some(entry) = shares.last_mut() {
			entry.paid = entry.paid.saturating_add(paid);
		}
		Ok(paid)
	}

	/// Pays each entry of `checkers` its fee for checks of the next milestone, as far as the budget reaches that is not
	/// set aside for the milestones after it.
	pub(crate) fn pay_checkers(
		job: &mut Job<T::AccountId>,
		spec: &JobSpec,
		checkers: &[T::AccountId],
		reserved: Balance,
	) -> Balance {
		let fee = spec.verify.fee_per_check;
		let mut total: Balance = 0;
		for checker in checkers {
			let Account { fees_left, fees_paid, .. } = &mut job.account;
			if fees_left.saturating_sub(reserved) < fee {
				break;
			}
			let paid = Self::pay(&job.client, checker, fee);
			*fees_left = fees_left.saturating_sub(paid);
			*fees_paid = fees_paid.saturating_add(paid);
			total = total.saturating_add(paid);
		}
		total
	}

	/// Burns a fee for each of `seats`. With what was `paid` to others, a failed milestone costs at most what checking it costs, so
	/// that the budget, which has one milestone's fees to spare, bears the first.
	pub(crate) fn burn_fees(
		id: JobId,
		job: &mut Job<T::AccountId>,
		spec: &JobSpec,
		seats: u32,
		paid: Balance,
	) -> DispatchResult {
		let most = rules::fees_of(&Self::plan(job, spec)?, job.verified.milestones).saturating_sub(paid);
		let due = spec.verify.fee_per_check.saturating_mul(seats.into()).min(most).min(job.account.fees_left);
		if due == 0 {
			return Ok(());
		}
		let reason = HoldReason::Escrow.into();
		let burned = T::NativeBalance::burn_held(&reason, &job.client, due, Precision::Exact, Fortitude::Force)?;
		job.account.fees_left = job.account.fees_left.saturating_sub(burned);
		job.account.fees_burned = job.account.fees_burned.saturating_add(burned);
		Self::deposit_event(Event::FeesBurned { job: id, seats, burned });
		Ok(())
	}

	/// Puts up to `amount` of what the client just received back on hold, to pay for verifying again.
	pub(crate) fn top_up_fees(job: &mut Job<T::AccountId>, amount: Balance) {
		if amount > 0 && T::NativeBalance::hold(&HoldReason::Escrow.into(), &job.client, amount).is_ok() {
			job.account.fees_left = job.account.fees_left.saturating_add(amount);
			job.account.topped_up = job.account.topped_up.saturating_add(amount);
		}
	}

	/// Returns the order deposit, if it is still held.
	pub(crate) fn return_order_deposit(job: &mut Job<T::AccountId>) -> DispatchResult {
		let deposit = core::mem::take(&mut job.account.deposit);
		T::NativeBalance::release(&HoldReason::OrderDeposit.into(), &job.client, deposit, Precision::Exact)?;
		Ok(())
	}

	/// Burns the order deposit, if it is still held.
	pub(crate) fn burn_order_deposit(job: &mut Job<T::AccountId>) -> DispatchResult {
		let deposit = core::mem::take(&mut job.account.deposit);
		let reason = HoldReason::OrderDeposit.into();
		let burned = T::NativeBalance::burn_held(&reason, &job.client, deposit, Precision::Exact, Fortitude::Force)?;
		job.account.deposit_burned = job.account.deposit_burned.saturating_add(burned);
		Ok(())
	}

	/// Returns to the client what is left of the escrow.
	pub(crate) fn refund(job: &mut Job<T::AccountId>) -> DispatchResult {
		let rest = job.account.escrow();
		T::NativeBalance::release(&HoldReason::Escrow.into(), &job.client, rest, Precision::Exact)?;
		job.account.price_left = 0;
		job.account.fees_left = 0;
		job.account.refunded = job.account.refunded.saturating_add(rest);
		Ok(())
	}
}
