//! Runs one micro-op.

use crate::{
	ops::{
		arg_max, copy, elementwise, gather, hadamard, integer,
		mask::{self, Dropout},
		matmul::{self, Transposed},
		one_hot, reduce, rows, window,
	},
	patch::Patch,
};
use alloc::vec::Vec;
use assay_commitment::{layout::CHUNK_BYTES, Region};
use assay_program::{shape::is_finite, DType, OpGeometry, OpKind, OperandSpec, StepContext};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Result of a micro-op. It is looked at once and never stored, so the chunk stays inline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant)]
pub enum MicroOutput {
	/// A link before the last: the accumulator it hands on.
	Accumulator(Vec<u8>),
	/// The last link: the bytes of the output chunk, padding zero.
	Chunk([u8; CHUNK_BYTES]),
}

/// Why a micro-op has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Fault {
	/// The op has no such chunk or link.
	OutOfRange,
	/// A chunk that the micro-op reads is missing, is one too many, or has another length.
	Inputs,
	/// The accumulator does not have the link's length.
	Accumulator,
	/// The output holds NaN or an infinity, which the numerics contract forbids.
	NonFinite,
}

/// Runs a micro-op. `chunks` are the bytes of the runs that `OpGeometry::micro_inputs` lists, in order; `accumulator` is
/// what the link before gave, empty for link 0.
pub fn execute(
	geometry: &OpGeometry,
	context: &StepContext,
	chunk: u32,
	link: u32,
	accumulator: &[u8],
	chunks: &[&[u8]],
) -> Result<MicroOutput, Fault> {
	let regions = geometry.micro_regions(context, chunk, link).ok_or(Fault::OutOfRange)?;
	let out = geometry.output_layout().chunk_region(chunk).ok_or(Fault::OutOfRange)?;
	let words = geometry.accumulator_words(chunk).ok_or(Fault::OutOfRange)?;
	let accumulator = match link {
		0 if accumulator.is_empty() => alloc::vec![0; words],
		0 => return Err(Fault::Accumulator),
		_ if accumulator.len() == words * 4 => from_bytes(accumulator),
		_ => return Err(Fault::Accumulator),
	};
	let mut bytes = chunks.iter().copied();
	let patches = regions
		.iter()
		.map(|region| Patch::gather(geometry, region, &mut bytes))
		.collect::<Option<Vec<_>>>()
		.ok_or(Fault::Inputs)?;
	if bytes.next().is_some() {
		return Err(Fault::Inputs);
	}
	// A chunk of padding reads nothing, whatever the op.
	let elements = if out.rows == 0 || out.cols == 0 {
		if link + 1 < geometry.chain_len() {
			return Ok(MicroOutput::Accumulator(Vec::new()));
		}
		Vec::new()
	} else {
		let step = match (geometry.kind(), geometry.link(link), patches.as_slice()) {
			(OpKind::MatMul { trans_a, trans_b }, Some(link), [a, b]) => {
				let transposed = Transposed { a: trans_a, b: trans_b };
				Step::Link(matmul::link(transposed, &out, &link, accumulator, a, b), link.is_last())
			}
			(OpKind::BlockMatMul { trans_a, trans_b, .. }, Some(link), patches) => {
				let transposed = Transposed { a: trans_a, b: trans_b };
				let words = matmul::block_link(geometry, transposed, &out, &link, accumulator, patches);
				Step::Link(words.ok_or(Fault::Inputs)?, link.is_last())
			}
			(OpKind::MatMulI8 { trans_a, trans_b }, Some(link), [a, b]) => {
				let transposed = Transposed { a: trans_a, b: trans_b };
				Step::Link(integer::matmul(transposed, &out, &link, accumulator, a, b), link.is_last())
			}
			(OpKind::ArgMax, Some(link), [x]) => Step::Link(arg_max::link(&link, accumulator, x), link.is_last()),
			(OpKind::Im2col(window), Some(link), x) => {
				let channels = geometry.inputs().first().and_then(OperandSpec::spec).map_or(0, |spec| spec.cols);
				let words = window::im2col(&window, channels, &out, &link, accumulator, x);
				Step::Link(words.ok_or(Fault::Inputs)?, link.is_last())
			}
			(OpKind::Col2im(window), Some(link), x) => {
				let words = window::col2im(&window, geometry.output().cols, &out, &link, accumulator, x);
				Step::Link(words.ok_or(Fault::Inputs)?, link.is_last())
			}
			(OpKind::Lookup, Some(link), [table, ids]) => {
				Step::Link(rows::lookup(&out, &link, accumulator, table, ids), link.is_last())
			}
			(OpKind::ScatterRows, Some(link), [ids, values]) => {
				Step::Link(rows::scatter(&out, &link, accumulator, ids, values), link.is_last())
			}
			(OpKind::Causal { rows, offset, fill }, None, [x]) => {
				Step::Whole(mask::causal(rows, offset, fill, &out, x))
			}
			(OpKind::Dropout { stream, keep, scale }, None, [x]) => {
				let op = Dropout { stream, keep, scale, cols: geometry.output().cols };
				Step::Whole(mask::dropout(&op, context, &out, x))
			}
			(OpKind::Hadamard { log2, axis }, None, [x]) => Step::Whole(hadamard::rotated(log2, axis, &out, x)),
			(OpKind::Gumbel { stream }, None, [x]) => {
				Step::Whole(mask::gumbel(stream, geometry.output().cols, context, &out, x))
			}
			(
				OpKind::Columns { .. }
				| OpKind::PadColumns { .. }
				| OpKind::Flatten
				| OpKind::Reshape
				| OpKind::SplitHeads { .. }
				| OpKind::MergeHeads { .. },
				None,
				patches,
			) => Step::Whole(copy::elements(geometry, &out, patches).ok_or(Fault::Inputs)?),
			(OpKind::Reduce { reduction, axis }, Some(link), [x]) => {
				Step::Link(reduce::link(reduction, axis, &link, accumulator, x), link.is_last())
			}
			(OpKind::GatherBatch { .. } | OpKind::NextBatch, None, rows) => Step::Whole(gather::rows(rows)),
			(OpKind::OneHot, None, [labels]) => Step::Whole(one_hot::rows(&out, labels)),
			(
				OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma | OpKind::Quantise | OpKind::Dequantise,
				None,
				patches,
			) => Step::Whole(elementwise::elements(geometry, &out, patches)),
			_ => return Err(Fault::Inputs),
		};
		match step {
			Step::Link(words, false) => return Ok(MicroOutput::Accumulator(to_bytes(&words))),
			// After the last link the totals, which come first, are the output.
			Step::Link(words, true) => words,
			Step::Whole(elements) => elements,
		}
	};
	output(geometry, &out, &elements)
}

enum Step {
	/// Accumulator words, and whether the link was the last.
	Link(Vec<u32>, bool),
	/// Output elements, row-major in the chunk's region.
	Whole(Vec<u32>),
}

/// The chunk's bytes from the elements of its region, row-major.
fn output(geometry: &OpGeometry, out: &Region, elements: &[u32]) -> Result<MicroOutput, Fault> {
	let mut bytes = [0; CHUNK_BYTES];
	let layout = geometry.output_layout();
	let line = if layout.is_vector() { CHUNK_BYTES } else { (layout.tile_side() * layout.element_bytes()) as usize };
	let elements = elements.get(..out.rows as usize * out.cols as usize).unwrap_or(elements);
	if geometry.output().dtype == DType::F32 && !elements.iter().all(|bits| is_finite(*bits)) {
		return Err(Fault::NonFinite);
	}
	for (row, line) in elements.chunks((out.cols as usize).max(1)).zip(bytes.chunks_exact_mut(line)) {
		layout.write(row, line);
	}
	Ok(MicroOutput::Chunk(bytes))
}

fn from_bytes(bytes: &[u8]) -> Vec<u32> {
	bytes.chunks_exact(4).map(|word| word.iter().rev().fold(0, |bits, byte| bits << 8 | u32::from(*byte))).collect()
}

fn to_bytes(words: &[u32]) -> Vec<u8> {
	words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
