//! What holds between any two calls.

use crate::{Config, Disputes, NextId, OpenByJob, Pallet};
use assay_protocol::interfaces::Leases;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Invariants:
	/// 1. A dispute's number is below the next one.
	/// 2. Every dispute is in its job's list, and every listed one runs; lists are ascending and never empty.
	/// 3. A dispute belongs to the job's running lease, and its defender is the worker.
	/// 4. Claim and finding differ, and the parties do.
	/// 5. No clock is above its budget or started in the future.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut running = 0usize;
		for (id, record) in Disputes::<T>::iter() {
			running = running.saturating_add(1);
			let accusation = &record.accusation;
			ensure!(id < NextId::<T>::get(), "invariant 1: number not given out yet");
			ensure!(OpenByJob::<T>::get(accusation.job).contains(&id), "invariant 2: dispute not in its job's list");
			let lease = T::Leases::lease(accusation.job).ok_or("invariant 3: dispute without a lease")?;
			ensure!(lease.attempt == accusation.attempt, "invariant 3: dispute of an ended lease");
			ensure!(lease.worker == accusation.defender, "invariant 3: defender is not the worker");
			ensure!(accusation.claimed_root != accusation.found_root, "invariant 4: nothing is disputed");
			ensure!(accusation.challenger != accusation.defender, "invariant 4: one account on both sides");
			let clocks = &record.state.clocks;
			let budget = record.context.clock;
			ensure!(clocks.defender <= budget && clocks.challenger <= budget, "invariant 5: clock above its budget");
			ensure!(clocks.since <= Self::now(), "invariant 5: clock started in the future");
		}
		let mut listed = 0usize;
		for (_, ids) in OpenByJob::<T>::iter() {
			ensure!(!ids.is_empty(), "invariant 2: empty list");
			ensure!(ids.windows(2).all(|pair| matches!(pair, [a, b] if a < b)), "invariant 2: list not ascending");
			listed = listed.saturating_add(ids.len());
		}
		ensure!(listed == running, "invariant 2: lists and disputes differ");
		Ok(())
	}
}
