//! Bytes that a run needs.

use assay_program::{OpKind, TensorSpec};

use crate::{
	plan::{words, Plan},
	Engine,
};

/// Rows and columns of the panels that a thread packs for a product, and the words of each.
const PANEL_OUTER: u64 = 2016 + 512;
const PANEL_INNER: u64 = 512;

/// Bytes that a run of a program allocates, by what for. See `docs/numerics.md` for the formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunMemory {
	/// Data tensors, but those that are kept packed only, and given initial values.
	pub data: u64,
	/// Parameter and state tensors.
	pub state: u64,
	/// Values that become state at the end of the step; each has room of its own and changes places with its state.
	pub next_state: u64,
	/// All other outputs that exist in memory.
	pub temps: u64,
	/// Weights that no step changes, in the form that products read; data that nothing else reads have only this one.
	pub packed: u64,
	/// Scratch of all threads: rows of outputs that only their group reads, and panels of matrix products.
	pub scratch: u64,
}

impl RunMemory {
	/// All of it.
	pub fn total(&self) -> u64 {
		self.data + self.state + self.next_state + self.temps + self.packed + self.scratch
	}
}

impl Engine {
	/// What a run of this program will allocate on this engine's threads.
	pub fn memory(&self) -> RunMemory {
		let bytes = |spec: TensorSpec| words(spec) as u64 * 4;
		let states = self.program.state_tensors().map(|(_, decl)| bytes(decl.spec()));
		let threads = self.cpu.threads() as u64;
		let (buffers, next_state, rows) = match &self.schedule {
			Some(schedule) => {
				let next = schedule.swaps.iter().map(|(_, buffer)| schedule.buffers[*buffer] as u64 * 4).sum();
				// Groups also run on the thread that asks.
				let scratch = schedule.scratch.iter().chain(&schedule.bands).sum::<usize>() as u64 * 4 * (threads + 1);
				(schedule.buffers.iter().sum::<usize>() as u64 * 4, next, scratch)
			}
			None => (Plan::shared(&self.program).buffers.iter().sum::<usize>() as u64 * 4, 0, 0),
		};
		let has = |kinds: fn(&OpKind) -> bool| u64::from(self.program.ops.iter().any(|op| kinds(&op.kind)));
		let products = has(|kind| matches!(kind, OpKind::MatMul { .. } | OpKind::BlockMatMul { .. })) * PANEL_OUTER;
		let products_i8 = has(|kind| matches!(kind, OpKind::MatMulI8 { .. })) * PANEL_OUTER;
		let packed = self.schedule.iter().flat_map(|schedule| &schedule.wants.weights).map(|want| want.bytes).sum();
		RunMemory {
			data: self.data.iter().map(|data| data.words().len() as u64 * 4).sum::<u64>()
				+ self.given.iter().map(|(_, tensor)| bytes(tensor.spec())).sum::<u64>(),
			state: states.sum(),
			next_state,
			temps: buffers - next_state,
			packed,
			scratch: rows + (products + products_i8) * PANEL_INNER * 4 * threads,
		}
	}
}
