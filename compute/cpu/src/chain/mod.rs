//! Products and groups of row ops, one after the other for a few rows at a time.
//!
//! A row of a product needs only the same row of its first operand. So a [`Chain`] takes a band of rows through all its
//! stages before it takes the next one: what only later stages read stays in the second-level cache, and threads meet once
//! instead of once for every stage. Each stage runs the kernels that it runs alone, and none looks across rows of what the chain
//! made: the bits are those of the stages one by one.

mod compile;
mod run;

use assay_program::{DType, OpKind};

use crate::{rows::RowGroup, Cpu, OpError};

/// Most tensors that a chain may read from outside.
pub const MAX_CHAIN_GIVEN: usize = 128;
/// Most packed matrices of a chain.
pub const MAX_CHAIN_PACKED: usize = 24;

/// What a stage reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainInput {
	/// A tensor from outside, by its position.
	Given(usize),
	/// What an earlier stage made, by its slot.
	Slot(usize),
}

/// Second operand of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
	/// A packed matrix, by its position.
	Packed(usize),
	/// A tensor from outside, by its position, of a product in blocks.
	Given(usize),
}

/// How the heads of a tensor lie, side by side: what `SplitHeads` of it puts below each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
	/// Rows of a sequence.
	pub rows: usize,
	/// Heads beside each other.
	pub heads: usize,
}

/// A `MatMul`, `MatMulI8` or `BlockMatMul` whose first operand is not transposed.
#[derive(Clone, Copy, Debug)]
pub struct ChainProduct {
	/// What it does.
	pub kind: OpKind,
	/// First operand: rows of `inner` elements.
	pub a: ChainInput,
	/// Second operand.
	pub b: Factor,
	/// Of a product in blocks: each operand that was given with its heads side by side, a block for each head.
	pub heads: [Option<Heads>; 2],
	/// Extent that is summed over.
	pub inner: usize,
	/// Slot of the output.
	pub out: usize,
}

/// A stage of a chain.
#[derive(Clone, Debug)]
pub enum ChainStage {
	/// Row ops. Inputs that the chain made are read row by row.
	Rows {
		/// The ops.
		group: RowGroup,
		/// What they read, in the order of the group.
		given: Vec<ChainInput>,
		/// Slots of what they keep, in the order of the group.
		kept: Vec<usize>,
	},
	/// A product.
	Product(ChainProduct),
}

/// A tensor that a stage makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainSlot {
	/// Element type.
	pub dtype: DType,
	/// Elements of a row.
	pub cols: usize,
	/// Whether it is needed outside of the chain; else only a band of it exists at a time.
	pub kept: bool,
}

/// Where a slot is.
#[derive(Clone, Copy, Debug)]
enum Place {
	/// Among the kept outputs.
	Kept(usize),
	/// Among the tensors of a thread.
	Local(usize),
}

/// A chain, ready to run.
#[derive(Clone, Debug)]
pub struct Chain {
	stages: Vec<ChainStage>,
	rows: usize,
	/// Rows at a time.
	band: usize,
	/// What threads' shares of the rows are a multiple of.
	unit: usize,
	/// By slot: its bytes per row, and where it is.
	slots: Vec<(usize, Place)>,
	/// Bytes per row of each kept output.
	kept: Vec<usize>,
	/// Bytes per row of each tensor of a thread.
	locals: Vec<usize>,
	/// Whether there is enough to do for several threads.
	large: bool,
}

impl ChainSlot {
	/// Bytes of a row.
	fn width(&self) -> usize {
		self.cols * self.dtype.bytes() as usize
	}
}

impl ChainProduct {
	/// Type of the operands.
	fn takes(&self) -> DType {
		match self.kind {
			OpKind::MatMulI8 { .. } => DType::I8,
			_ => DType::F32,
		}
	}
}

impl Chain {
	/// Words of each tensor that a thread needs to run the chain.
	pub fn locals(&self) -> impl Iterator<Item = usize> + '_ {
		self.locals.iter().map(|width| (width * self.band).div_ceil(4))
	}

	/// Elements of a row of a product.
	fn cols(&self, product: &ChainProduct) -> usize {
		self.slots[product.out].0 / WORD
	}

	/// The groups of row ops.
	pub fn groups(&self) -> impl Iterator<Item = &RowGroup> {
		self.stages.iter().filter_map(|stage| match stage {
			ChainStage::Rows { group, .. } => Some(group),
			ChainStage::Product(_) => None,
		})
	}
}

impl Cpu {
	/// Makes room on every thread for chains with these tensors, so that running them allocates nothing.
	pub fn reserve_chains(&self, locals: &[usize]) {
		run::reserve(locals);
		self.pool().broadcast(|_| run::reserve(locals));
	}
}

/// Bytes of an element of a product.
const WORD: usize = 4;

const SHAPE: OpError = OpError::Shape("the stages of a chain do not fit each other");
