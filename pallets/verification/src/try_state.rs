//! What holds between any two calls.

use crate::{beacon_impls::slot_of, types::MAX_CHECKED, Config, Milestones, Pallet, VrfOutputs};
use assay_protocol::{interfaces::Leases, round::Phase};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Invariants:
	/// 1. A milestone belongs to its job's running lease and was committed by its worker.
	/// 2. The milestones of a job follow each other from its next one on, at most the run-ahead of them.
	/// 3. Only the next milestone is drawn, and it has its seed; no decided milestone is stored.
	/// 4. Drawn segments are ascending, few, and each has verifiers, neither twice nor the worker.
	/// 5. A VRF output sits in its block's slot, and none is of a future block.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		for (job, index, record) in Milestones::<T>::iter() {
			let lease = T::Leases::lease(job).ok_or("invariant 1: milestone without a lease")?;
			ensure!(lease.attempt == record.attempt, "invariant 1: milestone of an ended lease");
			ensure!(lease.worker == record.worker, "invariant 1: committed by another account");
			let ahead = index.checked_sub(lease.next_milestone).ok_or("invariant 2: milestone is verified already")?;
			ensure!(ahead < lease.parameters.run_ahead.max(1), "invariant 2: too far ahead");
			ensure!(index < lease.milestones, "invariant 2: past the last");
			let follows = ahead == 0 || Milestones::<T>::contains_key(job, index.saturating_sub(1));
			ensure!(follows, "invariant 2: a milestone is left out");
			ensure!(!record.round.phase.is_final(), "invariant 3: decided milestone");
			let drawn = record.round.phase != Phase::Committed;
			ensure!(drawn == record.seed.is_some(), "invariant 3: seed and phase disagree");
			ensure!(!drawn || ahead == 0, "invariant 3: drawn before the one before is verified");
			let segments = record.round.phase.segments();
			ensure!(segments.len() <= MAX_CHECKED as usize, "invariant 4: too many segments");
			ensure!(
				segments.windows(2).all(|pair| matches!(pair, [a, b] if a.segment < b.segment)),
				"invariant 4: segments not ascending"
			);
			for entry in segments {
				ensure!(!entry.checks.is_empty(), "invariant 4: segment without verifier");
				for (at, check) in entry.checks.iter().enumerate() {
					ensure!(check.verifier != record.worker, "invariant 4: the worker checks itself");
					ensure!(
						entry.checks.iter().skip(at.saturating_add(1)).all(|other| other.verifier != check.verifier),
						"invariant 4: verifier twice"
					);
				}
			}
		}
		let mut kept = 0u32;
		for (slot, entry) in VrfOutputs::<T>::iter() {
			ensure!(slot == slot_of::<T>(entry.block), "invariant 5: output in another slot");
			ensure!(entry.block <= Self::now(), "invariant 5: output of a future block");
			kept = kept.saturating_add(1);
		}
		ensure!(kept <= T::BeaconLength::get(), "invariant 5: more outputs than slots");
		Ok(())
	}
}
