//! Refinement: how an op's output splits into micro-ops, and what each of them reads.
//!
//! A micro-op is (op, output chunk, link). Most ops have one link per chunk. A matrix product or a reduction walks its
//! inner dimension in links; every link but the last hands an accumulator to the next one, the last one gives the
//! output chunk. A micro-op stays within [`MAX_MICRO_OPS`] scalar operations and [`MAX_MICRO_BYTES`] of openings.
//!
//! | Op | Link | Accumulator, words, per output element of the chunk in row-major order |
//! |---|---|---|
//! | `MatMul`, output of several rows | 256 of the inner dimension | all totals, then all running chains |
//! | `MatMul`, output of one row | 64 of the inner dimension | the same |
//! | `BlockMatMul` | as `MatMul`; 8 where a block's rows are no multiple of 8 | the same |
//! | `MatMulI8` | 512 of the inner dimension; 256 for an output of one row | the sums so far, i32 |
//! | `Lookup` | 256 rows of the table, 64 for an output of one row | the elements found so far |
//! | `ScatterRows` | 256 ids, 64 for an output of one row | the sums so far |
//! | `ArgMax` | 512 columns | columns of the largest elements so far, then these |
//! | `Im2col` | one row of the window | the elements found so far |
//! | `Col2im` | one place of the window | the sums so far |
//! | `Reduce` over columns | 512 columns | all totals, then 32 lanes of each element |
//! | `Reduce` over rows | 64 rows | the same |
//! | any other | the whole | none |
//!
//! Links never straddle a segment. The link that ends a segment folds the segment into the total and leaves +0 chains
//! and lanes; words of lanes or totals that have no value yet are +0. A chunk that is only padding reads nothing.

use crate::{
	cost,
	philox::Key,
	rearrange,
	shape::{check_op, next_row, OperandSpec, ShapeError, TensorSpec},
	Axis, Op, OpKind, Operand, Program, TensorDecl,
};
use alloc::vec::Vec;
use assay_commitment::{
	layout::{CHUNK_BYTES, TILE_CHUNKS},
	Layout, LayoutError, Region,
};

/// Most scalar operations of a micro-op.
pub const MAX_MICRO_OPS: u64 = 1 << 18;

/// Most bytes that a micro-op reads: opened chunks with their proofs, and the accumulator.
pub const MAX_MICRO_BYTES: u64 = 128 << 10;

/// Inner elements of one fma chain of a matrix product.
pub const MATMUL_SEGMENT: u32 = 512;

/// Elements of one lane-structured segment of a reduction.
pub const REDUCE_SEGMENT: u32 = 4096;

/// Interleaved lanes of a reduction.
pub const REDUCE_LANES: u32 = 32;

/// Rows of a 4-byte matrix that a chunk covers.
const CHUNK_ROWS: u32 = 8;

/// What the random draws of a step depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepContext {
	/// The program's seed.
	pub seed: [u8; 32],
	/// The step, counted from 0.
	pub step: u64,
}

/// A rectangle of an operand that a micro-op reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputRegion {
	/// Input position.
	pub operand: u8,
	/// The rectangle, not empty and inside the operand.
	pub region: Region,
}

/// An aligned run of 1, 2 or 4 chunks of an operand that a micro-op needs opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputChunk {
	/// Input position.
	pub operand: u8,
	/// First chunk, a multiple of `2^log2`.
	pub start: u32,
	/// Logarithm of the number of chunks, 0 to 2.
	pub log2: u8,
}

/// Cost of a micro-op for the referee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MicroCost {
	/// Scalar operations.
	pub ops: u64,
	/// Bytes of openings with their proofs, and of the accumulator before the link.
	pub bytes: u64,
}

/// Why an op has no geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeometryError {
	/// Operands or output do not fit the op.
	Shape(ShapeError),
	/// A tensor has no canonical form.
	Layout(LayoutError),
	/// The op names a tensor that does not exist.
	UnknownTensor,
}

impl From<ShapeError> for GeometryError {
	fn from(error: ShapeError) -> Self {
		GeometryError::Shape(error)
	}
}

impl From<LayoutError> for GeometryError {
	fn from(error: LayoutError) -> Self {
		GeometryError::Layout(error)
	}
}

/// An op with the extents of what it reads and defines, checked to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpGeometry {
	kind: OpKind,
	inputs: Vec<OperandSpec>,
	layouts: Vec<Option<Layout>>,
	output: TensorSpec,
	output_layout: Layout,
}

/// One link: a range of the inner dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
	/// First inner element.
	pub start: u32,
	/// One past the last inner element.
	pub end: u32,
	/// Length of the inner dimension.
	pub inner: u32,
	/// Inner elements of a segment.
	pub segment: u32,
}

impl Link {
	/// True if the link completes a segment.
	pub const fn ends_segment(&self) -> bool {
		self.end.is_multiple_of(self.segment) || self.end == self.inner
	}

	/// True if segments before this link's were folded into the total.
	pub const fn has_total(&self) -> bool {
		self.start >= self.segment
	}

	/// True if the link is the last of its chain.
	pub const fn is_last(&self) -> bool {
		self.end == self.inner
	}

	/// Lanes of the current segment that hold a value before the link.
	pub const fn live_lanes(&self) -> u32 {
		let done = self.start % self.segment;
		if done < REDUCE_LANES {
			done
		} else {
			REDUCE_LANES
		}
	}
}

impl OpGeometry {
	/// Checks that inputs and output fit the op. `batch` is the header's.
	pub fn new(
		kind: OpKind,
		inputs: Vec<OperandSpec>,
		output: TensorSpec,
		batch: u32,
	) -> Result<OpGeometry, GeometryError> {
		check_op(kind, &inputs, output, batch)?;
		let layouts = inputs
			.iter()
			.map(|input| input.spec().map(|spec| spec.layout()).transpose())
			.collect::<Result<Vec<_>, _>>()?;
		Ok(OpGeometry { kind, layouts, output, output_layout: output.layout()?, inputs })
	}

	/// The geometry of an op; `decl` finds a declaration by tensor id.
	pub fn of<'a>(
		op: &Op,
		batch: u32,
		decl: impl Fn(crate::TensorId) -> Option<&'a TensorDecl>,
	) -> Result<OpGeometry, GeometryError> {
		let inputs = op
			.inputs
			.iter()
			.map(|input| match input {
				Operand::Scalar(bits) => Ok(OperandSpec::Scalar(*bits)),
				Operand::Tensor(id) => decl(*id).map(OperandSpec::of).ok_or(GeometryError::UnknownTensor),
			})
			.collect::<Result<Vec<_>, _>>()?;
		let output = decl(op.output).ok_or(GeometryError::UnknownTensor)?.spec();
		OpGeometry::new(op.kind, inputs, output, batch)
	}

	/// What the op does.
	pub fn kind(&self) -> OpKind {
		self.kind
	}

	/// The inputs.
	pub fn inputs(&self) -> &[OperandSpec] {
		&self.inputs
	}

	/// Layout of an input; `None` for a scalar and past the last input.
	pub fn input_layout(&self, operand: u8) -> Option<Layout> {
		self.layouts.get(usize::from(operand)).copied().flatten()
	}

	/// The output.
	pub fn output(&self) -> TensorSpec {
		self.output
	}

	/// Layout of the output.
	pub fn output_layout(&self) -> Layout {
		self.output_layout
	}

	/// Length of the inner dimension, of one link and of one segment; `None` for ops of one link.
	fn inner(&self) -> Option<(u32, u32, u32)> {
		let first = self.inputs.first()?.spec()?;
		match self.kind {
			OpKind::MatMul { trans_a, .. } => {
				let link = if self.output.rows == 1 { 64 } else { 256 };
				Some((if trans_a { first.rows } else { first.cols }, link, MATMUL_SEGMENT))
			}
			OpKind::BlockMatMul { trans_a, blocks, .. } => {
				let height = self.output.rows.checked_div(blocks)?;
				let link = match (self.output.rows, height.is_multiple_of(CHUNK_ROWS)) {
					(1, _) => 64,
					// One block for each chunk, or up to eight.
					(_, true) => 256,
					(_, false) => CHUNK_ROWS,
				};
				let inner = if trans_a { first.rows.checked_div(blocks)? } else { first.cols };
				Some((inner, link, MATMUL_SEGMENT))
			}
			OpKind::MatMulI8 { trans_a, .. } => {
				let inner = if trans_a { first.rows } else { first.cols };
				Some((inner, if self.output.rows == 1 { 256 } else { 512 }, inner))
			}
			OpKind::Lookup | OpKind::ScatterRows => {
				let link = if self.output.rows == 1 { 64 } else { 256 };
				Some((first.rows, link, first.rows))
			}
			OpKind::ArgMax => Some((first.cols, 512, first.cols)),
			OpKind::Im2col(window) => Some((window.kernel_height, 1, window.kernel_height)),
			OpKind::Col2im(window) => {
				let places = window.places()?;
				Some((places, 1, places))
			}
			OpKind::Reduce { axis: Axis::Rows, .. } => Some((first.rows, 64, REDUCE_SEGMENT)),
			OpKind::Reduce { axis: Axis::Cols, .. } => Some((first.cols, 512, REDUCE_SEGMENT)),
			_ => None,
		}
	}

	/// Links of every output chunk, at least 1.
	pub fn chain_len(&self) -> u32 {
		self.inner().map_or(1, |(inner, link, _)| inner.div_ceil(link))
	}

	/// The range of the inner dimension that a link covers; `None` for ops of one link and links past the last.
	pub fn link(&self, link: u32) -> Option<Link> {
		let (inner, len, segment) = self.inner()?;
		let start = link.checked_mul(len).filter(|start| *start < inner)?;
		Some(Link { start, end: start.saturating_add(len).min(inner), inner, segment })
	}

	/// Words of the accumulator that a link of `chunk` hands on; 0 for ops of one link, `None` for chunks past the last.
	pub fn accumulator_words(&self, chunk: u32) -> Option<usize> {
		let region = self.output_layout.chunk_region(chunk)?;
		let elements = region.rows as usize * region.cols as usize;
		Some(match self.kind {
			OpKind::MatMul { .. } | OpKind::BlockMatMul { .. } | OpKind::ArgMax => elements * 2,
			OpKind::Lookup | OpKind::ScatterRows | OpKind::MatMulI8 { .. } | OpKind::Im2col(_) | OpKind::Col2im(_) => {
				elements
			}
			OpKind::Reduce { .. } => elements * (1 + REDUCE_LANES as usize),
			_ => 0,
		})
	}

	/// The rectangles that a micro-op reads, in the order of the inputs; of batches, one for each output row.
	/// `None` for a chunk or link past the last.
	pub fn micro_regions(&self, context: &StepContext, chunk: u32, link: u32) -> Option<Vec<InputRegion>> {
		let out = self.output_layout.chunk_region(chunk)?;
		if link >= self.chain_len() {
			return None;
		}
		if out.rows == 0 || out.cols == 0 {
			return Some(Vec::new());
		}
		let mut regions = Vec::new();
		let mut read = |operand: u8, rows: (u32, u32), cols: (u32, u32)| {
			let region = Region { row0: rows.0, rows: rows.1, col0: cols.0, cols: cols.1 };
			regions.push(InputRegion { operand, region });
		};
		let (rows, cols) = ((out.row0, out.rows), (out.col0, out.cols));
		match self.kind {
			OpKind::MatMul { trans_a, trans_b } | OpKind::MatMulI8 { trans_a, trans_b } => {
				let link = self.link(link)?;
				let inner = (link.start, link.end - link.start);
				if trans_a {
					read(0, inner, rows);
				} else {
					read(0, rows, inner);
				}
				if trans_b {
					read(1, cols, inner);
				} else {
					read(1, inner, cols);
				}
			}
			OpKind::Reduce { axis, .. } => {
				let link = self.link(link)?;
				let inner = (link.start, link.end - link.start);
				match axis {
					Axis::Rows => read(0, inner, cols),
					Axis::Cols => read(0, rows, inner),
				}
			}
			OpKind::ArgMax => {
				let link = self.link(link)?;
				read(0, rows, (link.start, link.end - link.start));
			}
			OpKind::Im2col(window) => {
				let channels = self.inputs.first()?.spec()?.cols;
				let found = window.pixel_regions(channels, &out, &self.link(link)?)?;
				regions.extend(found.into_iter().map(|region| InputRegion { operand: 0, region }));
			}
			OpKind::Col2im(window) => {
				let found = window.position_regions(self.output.cols, &out, &self.link(link)?)?;
				regions.extend(found.into_iter().map(|region| InputRegion { operand: 0, region }));
			}
			OpKind::GatherBatch { stream } => {
				let key = Key::batch(&context.seed);
				let data = self.inputs.first()?.spec()?;
				for element in out.row0..out.row0 + out.rows {
					read(0, (key.batch_row(stream, context.step, element, data.rows), 1), cols);
				}
			}
			OpKind::NextBatch => {
				let data = self.inputs.first()?.spec()?;
				for element in out.row0..out.row0 + out.rows {
					read(0, (next_row(context.step, self.output.rows, element, data.rows), 1), cols);
				}
			}
			OpKind::OneHot => read(0, rows, (0, 1)),
			OpKind::BlockMatMul { .. } => {
				let link = self.link(link)?;
				for block in self.blocks_of(&out)? {
					let (a, b) = self.block_regions(&out, block, &link)?;
					regions.push(InputRegion { operand: 0, region: a });
					regions.push(InputRegion { operand: 1, region: b });
				}
			}
			OpKind::Lookup => {
				let link = self.link(link)?;
				read(0, (link.start, link.end - link.start), cols);
				read(1, rows, (0, 1));
			}
			OpKind::ScatterRows => {
				let link = self.link(link)?;
				let inner = (link.start, link.end - link.start);
				read(0, inner, (0, 1));
				read(1, inner, cols);
			}
			OpKind::Columns { .. }
			| OpKind::PadColumns { .. }
			| OpKind::Flatten
			| OpKind::Reshape
			| OpKind::SplitHeads { .. }
			| OpKind::MergeHeads { .. } => {
				let input = self.inputs.first()?.spec()?;
				regions.extend(
					rearrange::sources(self.kind, input, self.output.cols, &out)?
						.into_iter()
						.map(|region| InputRegion { operand: 0, region }),
				);
			}
			OpKind::Hadamard { log2, axis: Axis::Rows } => {
				let first = out.row0 >> log2 << log2;
				let end = out.row0.checked_add(out.rows)?.checked_next_multiple_of(1u32.checked_shl(log2.into())?)?;
				read(0, (first, end - first), cols);
			}
			// A chunk holds whole blocks of columns.
			OpKind::Hadamard { .. } | OpKind::Causal { .. } | OpKind::Dropout { .. } | OpKind::Gumbel { .. } => {
				read(0, rows, cols);
			}
			OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma | OpKind::Quantise | OpKind::Dequantise => {
				for (operand, input) in self.inputs.iter().enumerate() {
					let Some(spec) = input.spec() else { continue };
					let along = |extent: u32, range: (u32, u32)| if extent == 1 { (0, 1) } else { range };
					read(operand as u8, along(spec.rows, rows), along(spec.cols, cols));
				}
			}
		}
		Some(regions)
	}

	/// The blocks of a `BlockMatMul` that a rectangle of the output touches.
	pub fn blocks_of(&self, out: &Region) -> Option<core::ops::RangeInclusive<u32>> {
		let OpKind::BlockMatMul { blocks, .. } = self.kind else { return None };
		let height = self.output.rows.checked_div(blocks)?;
		let last = out.row0.checked_add(out.rows.checked_sub(1)?)?;
		Some(out.row0.checked_div(height)?..=last.checked_div(height)?)
	}

	/// Rows of the output rectangle that lie in a block, as offset from the rectangle's first row and number, and the
	/// first of them counted within the block.
	pub fn rows_of_block(&self, out: &Region, block: u32) -> Option<(u32, u32, u32)> {
		let OpKind::BlockMatMul { blocks, .. } = self.kind else { return None };
		let height = self.output.rows.checked_div(blocks)?;
		let begin = block.checked_mul(height)?;
		let first = out.row0.max(begin);
		let end = out.row0.checked_add(out.rows)?.min(begin.checked_add(height)?);
		Some((first - out.row0, end.checked_sub(first)?, first - begin))
	}

	/// What a link of one block of a `BlockMatMul` reads of both operands.
	fn block_regions(&self, out: &Region, block: u32, link: &Link) -> Option<(Region, Region)> {
		let OpKind::BlockMatMul { trans_a, trans_b, share, .. } = self.kind else { return None };
		let (_, rows, first) = self.rows_of_block(out, block)?;
		let inner = (link.start, link.end - link.start);
		let shared = block.checked_div(share)?;
		let below = |block: u32, height: u32, (start, len): (u32, u32), cols: (u32, u32)| {
			let row0 = block.checked_mul(height)?.checked_add(start)?;
			Some(Region { row0, rows: len, col0: cols.0, cols: cols.1 })
		};
		let a = match trans_a {
			true => below(block, link.inner, inner, (first, rows))?,
			false => below(block, self.output.rows.checked_div(self.blocks()?)?, (first, rows), inner)?,
		};
		let b = match trans_b {
			true => below(shared, self.output.cols, (out.col0, out.cols), inner)?,
			false => below(shared, link.inner, inner, (out.col0, out.cols))?,
		};
		Some((a, b))
	}

	fn blocks(&self) -> Option<u32> {
		match self.kind {
			OpKind::BlockMatMul { blocks, .. } => Some(blocks),
			_ => None,
		}
	}

	/// The chunks that hold a rectangle of an operand: one aligned run per tile or vector run, in order.
	pub fn cover(&self, input: &InputRegion) -> Vec<InputChunk> {
		let mut chunks = Vec::new();
		if let Some(layout) = self.input_layout(input.operand) {
			cover(&layout, input.operand, &input.region, &mut chunks);
		}
		chunks
	}

	/// The chunks that a micro-op needs opened, in the order in which evidence lists them: those of its first rectangle,
	/// then of its second, and so on. `None` for a chunk or link past the last.
	pub fn micro_inputs(&self, context: &StepContext, chunk: u32, link: u32) -> Option<Vec<InputChunk>> {
		let regions = self.micro_regions(context, chunk, link)?;
		Some(regions.iter().flat_map(|region| self.cover(region)).collect())
	}

	/// What a micro-op costs the referee. `None` for a chunk or link past the last.
	pub fn micro_cost(&self, context: &StepContext, chunk: u32, link: u32) -> Option<MicroCost> {
		let out = self.output_layout.chunk_region(chunk)?;
		let elements = u64::from(out.rows) * u64::from(out.cols);
		let mut bytes = 0u64;
		for input in self.micro_inputs(context, chunk, link)? {
			let depth = u64::from(u32::BITS - self.input_layout(input.operand)?.chunks().leading_zeros());
			bytes += ((CHUNK_BYTES as u64) << input.log2) + 32 * depth;
		}
		if link > 0 {
			bytes += 4 * self.accumulator_words(chunk)? as u64;
		}
		let ops = match self.link(link) {
			Some(link) => {
				let fold = if link.ends_segment() { u64::from(REDUCE_LANES) } else { 0 };
				elements * (u64::from(link.end - link.start) + fold)
			}
			None => elements * cost::element_ops(self.kind),
		};
		Some(MicroCost { ops, bytes })
	}
}

impl Program {
	/// The checked geometry of op `index`.
	pub fn geometry(&self, index: usize) -> Result<OpGeometry, GeometryError> {
		let op = self.ops.get(index).ok_or(GeometryError::UnknownTensor)?;
		OpGeometry::of(op, self.header.batch, |id| self.tensors.get(id.0 as usize))
	}
}

/// The smallest aligned runs of chunks, one per tile or vector run, that hold a rectangle which is inside the layout.
fn cover(layout: &Layout, operand: u8, region: &Region, chunks: &mut Vec<InputChunk>) {
	let mut quarter = |tile: u32, first: u32, last: u32| {
		let (start, log2) = match (first, last) {
			(first, last) if first == last => (first, 0),
			(first, last) if first / 2 == last / 2 => (first & !1, 1),
			_ => (0, 2),
		};
		chunks.push(InputChunk { operand, start: tile * TILE_CHUNKS + start, log2 });
	};
	let (row_last, col_last) = (region.row0 + (region.rows - 1), region.col0 + (region.cols - 1));
	if layout.is_vector() {
		let (first, last) = (region.col0 / layout.chunk_elements(), col_last / layout.chunk_elements());
		for run in first / TILE_CHUNKS..=last / TILE_CHUNKS {
			let base = run * TILE_CHUNKS;
			quarter(run, first.max(base) - base, last.min(base + TILE_CHUNKS - 1) - base);
		}
		return;
	}
	let (side, height) = (layout.tile_side(), layout.chunk_rows());
	let grid_cols = layout.cols().div_ceil(side);
	for tile_row in region.row0 / side..=row_last / side {
		let base = tile_row * side;
		let first = region.row0.max(base) - base;
		let last = row_last.min(base + (side - 1)) - base;
		for tile_col in region.col0 / side..=col_last / side {
			quarter(tile_row * grid_cols + tile_col, first / height, last / height);
		}
	}
}
