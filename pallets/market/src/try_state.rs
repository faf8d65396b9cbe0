//! What holds between any two calls.

use crate::{rules, Config, HoldReason, JobState, Jobs, NextJob, Pallet, Specs};
use alloc::collections::BTreeMap;
use assay_protocol::Balance;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant; for try-runtime and for tests of this pallet and its neighbours. Reads all records.
	///
	/// 1. A client's escrow on hold is the sum over its jobs of what is left for workers and verifiers.
	/// 2. A client's order deposits on hold are the sum over its jobs.
	/// 3. A worker's bid deposits on hold are the sum over its standing bids.
	/// 4. Every job's account balances.
	/// 5. A closed job has nothing on hold.
	/// 6. A job that is not closed can pay every check that is still to come.
	/// 7. Verified milestones are within the job; all of them only when closed.
	/// 8. A job has a specification, and a number below the next one; nothing else has a specification.
	/// 9. One share per lease: as many as attempts, one more while a lease runs; their sums are the account's.
	/// 10. A running lease has paid no more than its price, and the rest of the price is on hold.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut holds: BTreeMap<T::AccountId, [Balance; 3]> = BTreeMap::new();
		let next = NextJob::<T>::get();
		for (id, job) in Jobs::<T>::iter() {
			let spec = Specs::<T>::get(id).ok_or("invariant 8: job without specification")?;
			ensure!(id < next, "invariant 8: number from the future");
			let account = &job.account;
			ensure!(account.balances(), "invariant 4: account does not balance");
			let client = holds.entry(job.client.clone()).or_default();
			client[0] = client[0].saturating_add(account.escrow());
			client[1] = client[1].saturating_add(account.deposit);
			ensure!(job.verified.milestones <= job.milestones, "invariant 7: too many milestones");
			let paid: Balance = job.shares.iter().map(|share| share.paid).sum();
			ensure!(paid == account.paid, "invariant 9: shares differ from account");
			let milestones: u32 = job.shares.iter().map(|share| share.milestones).sum();
			ensure!(milestones == job.verified.milestones, "invariant 9: milestones differ from shares");
			let open = !matches!(job.state, JobState::Closed(_));
			if open {
				ensure!(job.verified.milestones < job.milestones, "invariant 7: finished but not closed");
				let plan = spec.validate(&job.parameters).map_err(|_| "invariant 8: specification not valid")?;
				let due = rules::fees_from(&plan, job.verified.milestones);
				ensure!(account.fees_left >= due, "invariant 6: checks not covered");
			}
			let leases = job.shares.len() as u32;
			match &job.state {
				JobState::Order(order) => {
					ensure!(leases == job.attempt, "invariant 9: shares differ from attempts");
					for bid in &order.bids {
						let worker = holds.entry(bid.worker.clone()).or_default();
						worker[2] = worker[2].saturating_add(job.parameters.bid_deposit);
					}
				}
				JobState::Running(lease) => {
					ensure!(leases == job.attempt.saturating_add(1), "invariant 9: shares differ from attempts");
					ensure!(lease.paid <= lease.price, "invariant 10: paid above price");
					ensure!(lease.price - lease.paid <= account.price_left, "invariant 10: price not covered");
					ensure!(account.deposit == 0, "invariant 2: deposit kept during a lease");
				}
				JobState::Closed(_) => {
					ensure!(account.escrow() == 0 && account.deposit == 0, "invariant 5: closed with money on hold");
				}
			}
		}
		ensure!(Specs::<T>::iter_keys().all(Jobs::<T>::contains_key), "invariant 8: specification without job");
		for (who, [escrow, order, bids]) in holds {
			let held = |reason: HoldReason| T::NativeBalance::balance_on_hold(&reason.into(), &who);
			ensure!(held(HoldReason::Escrow) == escrow, "invariant 1: escrow differs");
			ensure!(held(HoldReason::OrderDeposit) == order, "invariant 2: order deposits differ");
			ensure!(held(HoldReason::BidDeposit) == bids, "invariant 3: bid deposits differ");
		}
		Ok(())
	}
}
