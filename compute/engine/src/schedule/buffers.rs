//! Which buffer each tensor is in.

use std::collections::BTreeSet;

use assay_cpu::OpError;
use assay_program::{Program, TensorId};

use super::{outside_places, Schedule, Work};
use crate::{
	packs::Wants,
	plan::{words, Place},
};

/// A tensor that needs a buffer, from the piece of work that writes it to the last that reads it.
struct Lifetime {
	id: TensorId,
	words: usize,
	from: usize,
	to: usize,
	/// Whether it changes places with a state, so that its buffer has its very size.
	swapped: bool,
}

/// Gives each tensor a buffer: those that become state first, then the largest first, each into the first buffer that is large
/// enough and free all the while it is needed.
pub(super) fn place(program: &Program, mut work: Vec<Work>, wants: Wants) -> Result<Schedule, OpError> {
	let mut places = outside_places(program);
	let (swaps, copies) = updates(program, &places);
	let swapped: BTreeSet<TensorId> = swaps.iter().map(|(_, id)| *id).collect();
	let mut lifetimes = lifetimes(program, &work, &swapped);
	lifetimes.sort_by_key(|life| (!life.swapped, core::cmp::Reverse(life.words), life.from));
	let mut buffers: Vec<(usize, Vec<(usize, usize)>)> = Vec::new();
	for life in &lifetimes {
		let fits = |(words, taken): &(usize, Vec<(usize, usize)>)| {
			let size = if life.swapped { *words == life.words } else { *words >= life.words };
			size && taken.iter().all(|(from, to)| life.to < *from || *to < life.from)
		};
		// Of those that fit the smallest, so that a small tensor does not take a large one's.
		let fitting = buffers.iter().enumerate().filter(|(_, buffer)| fits(buffer));
		let buffer = fitting.min_by_key(|(_, (words, _))| *words).map(|(buffer, _)| buffer).unwrap_or_else(|| {
			buffers.push((life.words, Vec::new()));
			buffers.len() - 1
		});
		buffers[buffer].1.push((life.from, life.to));
		places[life.id.0 as usize] = Place::Buffer(buffer);
	}
	let (mut scratch, mut bands) = (Vec::new(), Vec::new());
	for work in &mut work {
		let kept = match work {
			Work::Op(_) => continue,
			Work::Rows(group) => {
				larger(&mut scratch, group.rows.scratch().iter().copied());
				&mut group.kept
			}
			Work::Chain(chain) => {
				larger(&mut bands, chain.chain.locals());
				chain.chain.groups().for_each(|group| larger(&mut scratch, group.scratch().iter().copied()));
				&mut chain.kept
			}
		};
		for (id, place) in kept {
			*place = buffer_of(&places, *id)?;
		}
	}
	let swaps = swaps.into_iter().map(|(state, id)| Ok((state, buffer_of(&places, id)?)));
	let swaps = swaps.collect::<Result<Vec<_>, OpError>>()?;
	let buffers = buffers.into_iter().map(|(words, _)| words).collect();
	Ok(Schedule { work, places, buffers, scratch, bands, swaps, copies, wants })
}

/// Makes each size at least the one beside it.
fn larger(sizes: &mut Vec<usize>, least: impl Iterator<Item = usize>) {
	for (at, size) in least.enumerate() {
		match sizes.get_mut(at) {
			Some(so_far) => *so_far = (*so_far).max(size),
			None => sizes.push(size),
		}
	}
}

fn buffer_of(places: &[Place], id: TensorId) -> Result<usize, OpError> {
	match places[id.0 as usize] {
		Place::Buffer(buffer) => Ok(buffer),
		_ => Err(OpError::Shape("an output that is needed has no place")),
	}
}

/// Updates by position of the state: those whose value changes places with it, and those that are copied because the value is
/// also a metric or becomes several states.
#[allow(clippy::type_complexity)]
fn updates(program: &Program, places: &[Place]) -> (Vec<(usize, TensorId)>, Vec<(usize, TensorId)>) {
	let mut uses = vec![0u32; program.tensors.len()];
	let values = program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied());
	values.for_each(|id| uses[id.0 as usize] += 1);
	let positions = program.updates.iter().filter_map(|update| match places[update.state.0 as usize] {
		Place::State(position) => Some((position, update.value)),
		_ => None,
	});
	positions.partition(|(_, id)| uses[id.0 as usize] == 1)
}

fn lifetimes(program: &Program, works: &[Work], swapped: &BTreeSet<TensorId>) -> Vec<Lifetime> {
	let mut last = vec![0; program.tensors.len()];
	for (at, work) in works.iter().enumerate() {
		work.reads(program).into_iter().for_each(|id| last[id.0 as usize] = at);
	}
	let ends = program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied());
	ends.for_each(|id| last[id.0 as usize] = works.len());
	let mut lifetimes = Vec::new();
	for (from, work) in works.iter().enumerate() {
		for id in work.kept(program) {
			let words = words(program.tensors[id.0 as usize].spec());
			let to = last[id.0 as usize].max(from);
			lifetimes.push(Lifetime { id, words, from, to, swapped: swapped.contains(&id) });
		}
	}
	lifetimes
}
