//! Runs a kernel's instructions.

use assay_softfloat::F32;

use super::{
	arithmetic::{dot_bytes, extract_bits, float, holds, insert_bits, integer, low},
	instruction::{FloatOp, Instruction, Kernel, Op, Place, Source, Space},
	kernels,
};
use crate::{EmulationError, Order};

/// What registers and shared memory hold at first.
const FRESH: u64 = 0xffde_ad01_ffde_ad01;

/// A kernel launch.
pub(crate) struct Call<'a> {
	pub(crate) kernel: &'a str,
	pub(crate) grid: [u32; 3],
	pub(crate) block: [u32; 3],
	/// Value of each argument, and its bytes.
	pub(crate) arguments: &'a [(u64, usize)],
	pub(crate) order: Order,
	pub(crate) fault: Option<Fault>,
}

/// A lane of each warp that computes the last bit of products wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
	pub(crate) lane: u32,
}

/// Device memory.
pub(crate) trait Access {
	/// Whether these bytes are inside one living buffer.
	fn holds(&self, address: u64, bytes: u64) -> bool;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
	Barrier,
	/// Before an instruction that the warp does together.
	Warp,
	End,
}

/// Threads of a warp.
const WARP: usize = 32;

struct Thread {
	registers: Vec<u64>,
	at: usize,
	index: [u32; 3],
	/// Where it stopped; `None` while it may go on.
	stop: Option<Stop>,
}

/// A block of threads with its shared memory.
struct Block<'a, A> {
	call: &'a Call<'a>,
	kernel: &'a Kernel,
	memory: &'a A,
	index: [u32; 3],
	shared: Vec<u8>,
}

/// Runs a kernel to its end.
pub(crate) fn launch(call: &Call<'_>, memory: &impl Access) -> Result<(), EmulationError> {
	let name = || call.kernel.to_owned();
	let kernel = kernels()?.get(call.kernel).ok_or_else(|| EmulationError::NoKernel(name()))?;
	let given: Vec<usize> = call.arguments.iter().map(|(_, size)| *size).collect();
	if given != kernel.parameters {
		return Err(EmulationError::Arguments { kernel: name(), takes: kernel.parameters.clone(), given });
	}
	let [x, y, z] = call.block;
	let count = x as usize * y as usize * z as usize;
	let blocks: u64 = call.grid.iter().map(|extent| u64::from(*extent)).product();
	let mut threads: Vec<Thread> = (0..count as u32)
		.map(|i| Thread { registers: vec![], at: 0, index: [i % x, i / x % y, i / x / y], stop: None })
		.collect();
	for b in 0..blocks {
		let (gx, gy) = (u64::from(call.grid[0]), u64::from(call.grid[1]));
		let index = [(b % gx) as u32, (b / gx % gy) as u32, (b / gx / gy) as u32];
		let shared = FRESH.to_le_bytes().into_iter().cycle().take(kernel.shared).collect();
		let mut block = Block { call, kernel, memory, index, shared };
		for thread in &mut threads {
			thread.registers.clear();
			thread.registers.resize(kernel.registers, FRESH);
			(thread.at, thread.stop) = (0, None);
		}
		let mut round = 0;
		loop {
			for turn in 0..count {
				let thread = &mut threads[place_of(turn, count, call.order, round)];
				if thread.stop.is_none() {
					thread.stop = Some(block.run(thread)?);
				}
			}
			round += 1;
			let all = |threads: &[Thread], stop| threads.iter().all(|thread| thread.stop == Some(stop));
			let mut went_on = false;
			for warp in threads.chunks_mut(WARP).filter(|warp| all(warp, Stop::Warp)) {
				block.together(warp).ok_or_else(|| EmulationError::Barrier(name()))?;
				went_on = true;
			}
			if went_on {
				continue;
			}
			if all(&threads, Stop::End) {
				break;
			}
			if !all(&threads, Stop::Barrier) {
				return Err(EmulationError::Barrier(name()));
			}
			threads.iter_mut().for_each(|thread| thread.stop = None);
		}
	}
	Ok(())
}

/// Which thread has turn number `turn`.
fn place_of(turn: usize, count: usize, order: Order, round: usize) -> usize {
	match order {
		Order::Ascending => turn,
		Order::Descending => count - 1 - turn,
		// Pairs of halves in turn: every thread once, another first one in each round.
		Order::Scattered => {
			let half = count.div_ceil(2);
			let mixed = if turn.is_multiple_of(2) { turn / 2 } else { half + turn / 2 };
			(mixed + round * 7 + 3) % count
		}
	}
}

impl<A: Access> Block<'_, A> {
	/// Runs a thread to its next barrier, to what its warp does together, or to its end.
	fn run(&mut self, thread: &mut Thread) -> Result<Stop, EmulationError> {
		while let Some(instruction) = self.kernel.code.get(thread.at) {
			thread.at += 1;
			if let Some((predicate, wanted)) = instruction.guard {
				if (thread.registers[predicate as usize] & 1 == 1) != wanted {
					continue;
				}
			}
			match &instruction.op {
				Op::Branch { to } => thread.at = *to,
				Op::Return => break,
				Op::Barrier => return Ok(Stop::Barrier),
				Op::DotTile(_) => return Ok(Stop::Warp),
				op => self.step(op, thread, instruction)?,
			}
		}
		Ok(Stop::End)
	}

	/// Does the instruction that all threads of a warp stopped before. `None` if they are not as many as a warp has, or not at
	/// the same instruction.
	fn together(&self, warp: &mut [Thread]) -> Option<()> {
		let at = warp.first()?.at;
		if warp.len() != WARP || warp.iter().any(|thread| thread.at != at) {
			return None;
		}
		let Op::DotTile(tile) = &self.kernel.code.get(at.checked_sub(1)?)?.op else { return None };
		let words = |sources: &[Source]| -> Vec<Vec<u32>> {
			let of = |thread: &Thread| sources.iter().map(|source| self.value(thread, *source) as u32).collect();
			warp.iter().map(of).collect()
		};
		let (a, b, c) = (words(&tile.a), words(&tile.b), words(&tile.c));
		for (lane, thread) in warp.iter_mut().enumerate() {
			for (r, to) in tile.to.iter().enumerate() {
				// Which lane holds what: the manual of PTX, m16n8k32 of 8-bit integers.
				let (row, col) = (lane / 4 + r / 2 * 8, lane % 4 * 2 + r % 2);
				let sum = (0..8).fold(c[lane][r], |sum, word| {
					let (left, right) = (row % 8 * 4 + word % 4, col * 4 + word % 4);
					dot_bytes(a[left][row / 8 + word / 4 * 2], b[right][word / 4], sum)
				});
				thread.registers[*to as usize] = u64::from(sum) ^ self.wrong(thread);
			}
			thread.stop = None;
		}
		Some(())
	}

	fn step(&mut self, op: &Op, thread: &mut Thread, instruction: &Instruction) -> Result<(), EmulationError> {
		let value = |source: &Source| self.value(thread, *source);
		let (to, result) = match op {
			Op::Move { bits, to, from } => (*to, low(value(from), *bits)),
			Op::Int { op, of, to, a, b } => (*to, integer(*op, *of, value(a), value(b))),
			Op::Not { bits, to, from } => (*to, low(!value(from), *bits)),
			Op::FunnelLeft { to, low: below, high, by } => {
				let both = (value(high) << 32) | low(value(below), 32);
				(*to, low((both << (value(by) & 31)) >> 32, 32))
			}
			Op::DotBytes { to, a, b, c } => {
				(*to, u64::from(dot_bytes(value(a) as u32, value(b) as u32, value(c) as u32)) ^ self.wrong(thread))
			}
			Op::InsertBits { bits, to, from, into, first, len } => {
				(*to, insert_bits(*bits, value(from), value(into), value(first), value(len)))
			}
			Op::ExtractBits { bits, to, from, first, len } => {
				(*to, extract_bits(*bits, value(from), value(first), value(len)))
			}
			Op::CompareInt { how, of, to, a, b } => {
				let (a, b) = (of.extend(value(a)), of.extend(value(b)));
				(*to, u64::from(holds(*how, a.cmp(&b))))
			}
			Op::CompareFloat { how, or_unordered, to, a, b } => {
				let (a, b) = (float(value(a)), float(value(b)));
				let nan = |x: F32| x.0 & 0x7fff_ffff > 0x7f80_0000;
				let ordering = if a.lt(b) {
					core::cmp::Ordering::Less
				} else if b.lt(a) {
					core::cmp::Ordering::Greater
				} else {
					core::cmp::Ordering::Equal
				};
				let unordered = nan(a) || nan(b);
				(*to, u64::from(if unordered { *or_unordered } else { holds(*how, ordering) }))
			}
			Op::Select { bits, to, yes, no, condition } => {
				let chosen = if value(condition) & 1 == 1 { value(yes) } else { value(no) };
				(*to, low(chosen, *bits))
			}
			Op::Convert { from_type, to_bits, to, from } => (*to, low(from_type.extend(value(from)) as u64, *to_bits)),
			Op::Float { op, to, a, b, c } => {
				let (a, b, c) = (float(value(a)), float(value(b)), float(value(c)));
				let result = match op {
					FloatOp::Add => a.add(b),
					FloatOp::Sub => a.sub(b),
					FloatOp::Mul => a.mul(b),
					FloatOp::Div => a.div(b),
					FloatOp::Fma => F32(a.fma(b, c).0 ^ self.wrong(thread) as u32),
					FloatOp::Sqrt => a.sqrt(),
				};
				(*to, u64::from(result.0))
			}
			Op::Load { place, to } => {
				let address = self.address(thread, place, to.len(), instruction)?;
				for (i, to) in to.iter().enumerate() {
					thread.registers[*to as usize] = self.load(place, address + (i * place.width) as u64);
				}
				return Ok(());
			}
			Op::Store { place, from } => {
				let address = self.address(thread, place, from.len(), instruction)?;
				for (i, from) in from.iter().enumerate() {
					let value = self.value(thread, *from);
					self.store(place, address + (i * place.width) as u64, value);
				}
				return Ok(());
			}
			Op::DotTile(_) | Op::Branch { .. } | Op::Barrier | Op::Return => return Ok(()),
		};
		thread.registers[to as usize] = result;
		Ok(())
	}

	/// The bits that a product of this thread has wrong.
	fn wrong(&self, thread: &Thread) -> u64 {
		let [x, y, z] = thread.index;
		let number = x + self.call.block[0] * (y + self.call.block[1] * z);
		u64::from(self.call.fault.is_some_and(|fault| fault.lane == number % WARP as u32))
	}

	fn value(&self, thread: &Thread, source: Source) -> u64 {
		match source {
			Source::Register(register) => thread.registers[register as usize],
			Source::Constant(value) => value,
			Source::Special(name, axis) => {
				u64::from([thread.index, self.call.block, self.index, self.call.grid][name][axis])
			}
		}
	}

	/// The address of an access of `count` elements, once it is known to be allowed.
	fn address(
		&self,
		thread: &Thread,
		place: &Place,
		count: usize,
		instruction: &Instruction,
	) -> Result<u64, EmulationError> {
		let address = self.value(thread, place.base).wrapping_add(place.offset);
		let bytes = (place.width * count) as u64;
		let inside = match place.space {
			Space::Parameter => self.kernel.parameters.get((address >> 32) as usize) == Some(&place.width),
			Space::Shared => address.checked_add(bytes).is_some_and(|end| end <= self.shared.len() as u64),
			Space::Global => self.memory.holds(address, bytes),
		};
		if inside && address.is_multiple_of(bytes) {
			return Ok(address);
		}
		let what = if inside { "not aligned" } else { "outside" };
		let kernel = self.call.kernel.to_owned();
		Err(EmulationError::Access { kernel, line: instruction.line, address, bytes, what })
	}

	fn load(&self, place: &Place, address: u64) -> u64 {
		let mut bytes = [0u8; 8];
		match place.space {
			Space::Parameter => return self.call.arguments[(address >> 32) as usize].0,
			Space::Shared => bytes[..place.width].copy_from_slice(&self.shared[address as usize..][..place.width]),
			// SAFETY: `address` found the bytes inside a living buffer, which nothing else accesses meanwhile.
			Space::Global => unsafe {
				core::ptr::copy_nonoverlapping(address as *const u8, bytes.as_mut_ptr(), place.width);
			},
		}
		u64::from_le_bytes(bytes)
	}

	fn store(&mut self, place: &Place, address: u64, value: u64) {
		let bytes = value.to_le_bytes();
		match place.space {
			Space::Parameter => {}
			Space::Shared => self.shared[address as usize..][..place.width].copy_from_slice(&bytes[..place.width]),
			// SAFETY: as for a load.
			Space::Global => unsafe {
				core::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, place.width);
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_turn_goes_to_another_thread() {
		for count in [1, 2, 3, 31, 32, 128, 255, 256] {
			for order in [Order::Ascending, Order::Descending, Order::Scattered] {
				for round in 0..5 {
					let mut places: Vec<_> = (0..count).map(|turn| place_of(turn, count, order, round)).collect();
					places.sort_unstable();
					assert_eq!(places, (0..count).collect::<Vec<_>>());
				}
			}
		}
	}
}
