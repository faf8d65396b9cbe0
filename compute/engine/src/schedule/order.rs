//! In which order the sets run.

use std::collections::BTreeSet;

use assay_program::{Program, TensorId};

use super::{again::Set, given, kept};
use crate::plan::words;

/// Ready sets that are looked at for one that frees memory.
const CHOICE: usize = 32;

/// The sets in the given order, but one that takes no more memory than it frees runs as soon as it can: an optimiser's
/// update right after the gradient, whose room is then free.
pub(super) fn order(program: &Program, producers: &[Option<usize>], needed: &[bool], sets: Vec<Set>) -> Vec<Set> {
	let mut set_of = vec![0; program.ops.len()];
	for (at, set) in sets.iter().enumerate() {
		set.own.iter().for_each(|op| set_of[*op] = at);
	}
	let reads: Vec<Vec<TensorId>> = sets
		.iter()
		.map(|set| {
			given(program, producers, &set.ops).into_iter().filter(|id| producers[id.0 as usize].is_some()).collect()
		})
		.collect();
	let updated: BTreeSet<TensorId> = program.updates.iter().map(|update| update.value).collect();
	let ends: BTreeSet<TensorId> = updated.iter().copied().chain(program.metrics.iter().copied()).collect();
	let words = |id: &TensorId| words(program.tensors[id.0 as usize].spec()) as i64;
	// Values of updates have room of their own.
	let makes: Vec<i64> = sets
		.iter()
		.map(|set| kept(program, needed, set).iter().filter(|id| !updated.contains(id)).map(words).sum())
		.collect();
	// By tensor, sets that are still to read it; by set, how many it waits for, and who waits for it.
	let mut left = vec![0u32; program.tensors.len()];
	let (mut waits, mut waiting) = (vec![0u32; sets.len()], vec![Vec::new(); sets.len()]);
	for (set, reads) in reads.iter().enumerate() {
		let mut on: Vec<usize> = reads.iter().filter_map(|id| producers[id.0 as usize]).map(|op| set_of[op]).collect();
		on.sort_unstable();
		on.dedup();
		waits[set] = on.len() as u32;
		on.into_iter().for_each(|on: usize| waiting[on].push(set));
		reads.iter().for_each(|id| left[id.0 as usize] += 1);
	}
	let mut ready: BTreeSet<usize> = (0..sets.len()).filter(|set| waits[*set] == 0).collect();
	let mut done = Vec::with_capacity(sets.len());
	while let Some(first) = ready.first().copied() {
		let frees = |set: usize| -> i64 {
			let last = |id: &&TensorId| left[id.0 as usize] == 1 && !ends.contains(id);
			reads[set].iter().filter(last).map(words).sum()
		};
		let next = ready.iter().copied().take(CHOICE).find(|set| frees(*set) >= makes[*set]).unwrap_or(first);
		ready.remove(&next);
		reads[next].iter().for_each(|id| left[id.0 as usize] -= 1);
		for set in &waiting[next] {
			waits[*set] -= 1;
			if waits[*set] == 0 {
				ready.insert(*set);
			}
		}
		done.push(next);
	}
	let mut sets: Vec<Option<Set>> = sets.into_iter().map(Some).collect();
	done.into_iter().filter_map(|set| sets[set].take()).collect()
}
