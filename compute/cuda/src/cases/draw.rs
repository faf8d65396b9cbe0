//! Random ops on random shapes, every kind in turn.

use assay_program::{Axis, BinaryKind, DType, OpKind, Reduction, TensorSpec, UnaryKind};

use super::{f32s, i32s, i8s, random_window, Case, Given, Random};

/// Classes of kinds that cases take in turn: that of case `number` is `number % CLASSES`.
pub const CLASSES: u64 = 21;

/// Cases after which every kind has come by.
pub const ROUND: u64 = CLASSES * 16;

/// Case `number` of a seed, with sides of up to some 150 elements, or `scale` times as long. The same every time.
pub fn case(seed: u64, number: u64, scale: u32) -> Case {
	let mixed = seed.wrapping_mul(1_000_003).wrapping_add(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
	let mut random = Random::scaled(mixed, scale);
	random.next();
	let (kind, given, output) = op(&mut random, number);
	Case { kind, given, output }
}

type Extent = fn(&mut Random) -> u32;

/// An extent: mostly small, sometimes around the sides of tiles and segments.
fn extent(random: &mut Random) -> u32 {
	match random.below(8) {
		0 => 1,
		1 => 32 * random.scale() - 1 + random.below(4),
		2 => 64 * random.scale() - 1 + random.below(4),
		3 => 128 * random.scale() - 1 + random.below(4),
		_ => 1 + random.below(40 * random.scale()),
	}
}

/// A side that takes large tiles where there are few processors.
fn large(random: &mut Random) -> u32 {
	64 * random.scale() + 1 + random.below(80)
}

/// A side of a product: often one that takes large tiles.
fn side(random: &mut Random) -> u32 {
	match random.below(4) {
		0 => large(random),
		1 => 126 + random.below(6),
		_ => extent(random),
	}
}

/// An inner dimension: sometimes of several segments.
fn inner(random: &mut Random) -> u32 {
	match random.below(6) {
		0 => 510 + random.below(5),
		1 => 1 + random.below(1600),
		_ => extent(random),
	}
}

fn pick<T: Copy>(random: &mut Random, of: &[T]) -> T {
	of[random.below(of.len() as u32) as usize]
}

/// A tensor of ordinary numbers, or with some that are special, or of any.
fn numbers(random: &mut Random, rows: u32, cols: u32) -> Given {
	let mode = random.below(4);
	f32s(rows, cols, || match mode {
		0 => random.any(),
		1 if random.below(300) == 0 => random.any(),
		2 => random.ordinary() & 0xffff_0000,
		_ => random.ordinary(),
	})
}

/// The kind goes by the case's number, so that none is left to chance; all else is random.
fn op(random: &mut Random, number: u64) -> (OpKind, Vec<Given>, TensorSpec) {
	match number % CLASSES {
		0 => product(random, number / 21, large),
		1 => product(random, number / 21, side),
		2 => block_product(random),
		class @ (3 | 4) => elementwise(random, number / 21 * 2 + class % 2),
		5 | 6 => reduction(random),
		7 => {
			let (x, first, count) = (extent(random), extent(random), extent(random));
			let rows = extent(random);
			let (cols, bytes) = (first + x.max(count), number / 21 % 2 == 1);
			let given = if bytes { i8s(rows, cols, random) } else { numbers(random, rows, cols) };
			let dtype = if bytes { DType::I8 } else { DType::F32 };
			(OpKind::Columns { first }, vec![given], TensorSpec { dtype, rows, cols: count })
		}
		8 => {
			let (rows, cols, first, more) = (extent(random), extent(random), extent(random), extent(random));
			let given = numbers(random, rows, cols);
			(OpKind::PadColumns { first }, vec![given], TensorSpec::f32(rows, first + cols + more))
		}
		9 => {
			let (blocks, rows, heads) = (1 + random.below(4), extent(random), 1 + random.below(5));
			let width = 8 + random.below(40);
			if random.below(2) == 0 {
				let given = numbers(random, blocks * rows, heads * width);
				let kind = OpKind::SplitHeads { rows, heads };
				(kind, vec![given], TensorSpec::f32(blocks * heads * rows, width))
			} else {
				let given = numbers(random, blocks * heads * rows, width);
				let kind = OpKind::MergeHeads { rows, heads };
				(kind, vec![given], TensorSpec::f32(blocks * rows, heads * width))
			}
		}
		10 => by_id(random),
		11 => {
			let (rows, cols, batch) = (extent(random), extent(random), extent(random));
			let bytes = number / 21 % 4 > 1;
			let given = if bytes { i8s(rows, cols, random) } else { numbers(random, rows, cols) };
			let given = match given {
				Given::Tensor(spec, bits, _) => Given::Tensor(spec, bits, true),
				scalar => scalar,
			};
			let kind = match number / 21 % 2 {
				0 => OpKind::GatherBatch { stream: random.next() },
				_ => OpKind::NextBatch,
			};
			let dtype = if bytes { DType::I8 } else { DType::F32 };
			(kind, vec![given], TensorSpec { dtype, rows: batch, cols })
		}
		12 => {
			let (blocks, rows, cols) = (1 + random.below(4), extent(random), extent(random));
			let given = numbers(random, blocks * rows, cols);
			let (offset, fill) = (random.below(cols + 2), random.ordinary());
			(OpKind::Causal { rows, offset, fill }, vec![given], TensorSpec::f32(blocks * rows, cols))
		}
		13 => {
			let (rows, cols) = (extent(random), extent(random));
			let given = numbers(random, rows, cols);
			match number / 21 % 4 {
				0 => (OpKind::Flatten, vec![given], TensorSpec::f32(rows * cols, 1)),
				1 => (OpKind::Reshape, vec![given], TensorSpec::f32(cols, rows)),
				2 => (OpKind::ArgMax, vec![given], TensorSpec { dtype: DType::I32, rows, cols: 1 }),
				_ => (OpKind::Gumbel { stream: random.next() }, vec![given], TensorSpec::f32(rows, cols)),
			}
		}
		14 => int8_product(random, large),
		15 => int8_product(random, side),
		16 => quantise(random),
		17 => dequantise(random),
		18 => {
			let (gradient, special) = (random.below(2) == 0, random.below(2) == 0);
			let (kind, given, output) = random_window(random, gradient, special);
			(kind, vec![given], output)
		}
		19 => {
			let log2 = 1 + (number / 21 % 5) as u32;
			let (along, across) = ((1 + random.below(8)) << log2, extent(random));
			let axis = pick(random, &[Axis::Rows, Axis::Cols]);
			let (rows, cols) = if axis == Axis::Rows { (along, across) } else { (across, along) };
			let given = numbers(random, rows, cols);
			(OpKind::Hadamard { log2: log2 as u8, axis }, vec![given], TensorSpec::f32(rows, cols))
		}
		_ => {
			let (rows, cols) = (extent(random), extent(random));
			let given = numbers(random, rows, cols);
			let kind = OpKind::Dropout { stream: random.next(), keep: random.next(), scale: random.ordinary() };
			(kind, vec![given], TensorSpec::f32(rows, cols))
		}
	}
}

fn product(random: &mut Random, number: u64, side: Extent) -> (OpKind, Vec<Given>, TensorSpec) {
	let (m, k, n) = (side(random), inner(random), side(random));
	let (trans_a, trans_b) = (number.is_multiple_of(2), (number / 2).is_multiple_of(2));
	let a = if trans_a { numbers(random, k, m) } else { numbers(random, m, k) };
	let b = if trans_b { numbers(random, n, k) } else { numbers(random, k, n) };
	(OpKind::MatMul { trans_a, trans_b }, vec![a, b], TensorSpec::f32(m, n))
}

fn block_product(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	let (share, m, k, n) = (1 + random.below(3), extent(random), inner(random), extent(random));
	let shared = 1 + random.below(3);
	let blocks = share * shared;
	let (trans_a, trans_b) = (random.below(2) == 0, random.below(2) == 0);
	let a = if trans_a { numbers(random, blocks * k, m) } else { numbers(random, blocks * m, k) };
	let b = if trans_b { numbers(random, shared * n, k) } else { numbers(random, shared * k, n) };
	(OpKind::BlockMatMul { trans_a, trans_b, blocks, share }, vec![a, b], TensorSpec::f32(blocks * m, n))
}

fn elementwise(random: &mut Random, number: u64) -> (OpKind, Vec<Given>, TensorSpec) {
	use {BinaryKind as B, UnaryKind as U};
	let (rows, cols) = (extent(random), extent(random));
	let unary =
		[U::Neg, U::Abs, U::Relu, U::Exp, U::Log, U::Tanh, U::Sqrt, U::Sigmoid, U::Erf, U::Sin, U::Cos, U::Rsqrt];
	let binary = [B::Add, B::Sub, B::Mul, B::Div, B::Max, B::Min, B::Greater];
	let unary = unary.map(|kind| (OpKind::Unary(kind), 1));
	let binary = binary.map(|kind| (OpKind::Binary(kind), 2));
	let kinds: Vec<_> = unary.into_iter().chain(binary).chain([(OpKind::Fma, 3)]).collect();
	let (kind, arity) = kinds[number as usize % kinds.len()];
	let mut given: Vec<Given> = (0..arity).map(|_| operand(random, rows, cols)).collect();
	if given.iter().all(|given| matches!(given, Given::Scalar(_))) {
		given[0] = numbers(random, rows, cols);
	}
	(kind, given, TensorSpec::f32(rows, cols))
}

/// Numbers that broadcast to `[rows, cols]`.
fn operand(random: &mut Random, rows: u32, cols: u32) -> Given {
	match random.below(6) {
		0 => Given::Scalar(random.ordinary()),
		1 => numbers(random, 1, 1),
		2 => numbers(random, rows, 1),
		3 => numbers(random, 1, cols),
		_ => numbers(random, rows, cols),
	}
}

fn int8_product(random: &mut Random, side: Extent) -> (OpKind, Vec<Given>, TensorSpec) {
	let (m, k, n) = (side(random), inner(random), side(random));
	let (trans_a, trans_b) = (random.below(2) == 0, random.below(2) == 0);
	let a = if trans_a { i8s(k, m, random) } else { i8s(m, k, random) };
	let b = if trans_b { i8s(n, k, random) } else { i8s(k, n, random) };
	(OpKind::MatMulI8 { trans_a, trans_b }, vec![a, b], TensorSpec { dtype: DType::I32, rows: m, cols: n })
}

fn quantise(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	let (rows, cols) = (extent(random), extent(random));
	let given = vec![numbers(random, rows, cols), operand(random, rows, cols)];
	(OpKind::Quantise, given, TensorSpec { dtype: DType::I8, rows, cols })
}

fn dequantise(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	let (rows, cols) = (extent(random), extent(random));
	let value = i32s(rows, cols, || random.next() >> random.below(32));
	let given = vec![value, operand(random, rows, cols), operand(random, rows, cols)];
	(OpKind::Dequantise, given, TensorSpec::f32(rows, cols))
}

fn reduction(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	let reduction = pick(random, &[Reduction::Sum, Reduction::Max]);
	let (outer, inner) = match random.below(5) {
		0 => (1 + random.below(10), 4094 + random.below(5)),
		1 => (1 + random.below(5), 1 + random.below(9000)),
		_ => (extent(random), extent(random)),
	};
	if random.below(2) == 0 {
		let given = numbers(random, outer, inner);
		(OpKind::Reduce { reduction, axis: Axis::Cols }, vec![given], TensorSpec::f32(outer, 1))
	} else {
		let given = numbers(random, inner, outer);
		(OpKind::Reduce { reduction, axis: Axis::Rows }, vec![given], TensorSpec::f32(1, outer))
	}
}

fn by_id(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	let (vocabulary, count, width) = (extent(random), extent(random), extent(random));
	let ids = i32s(count, 1, || match random.below(9) {
		0 => random.next(),
		_ => random.below(vocabulary + 1),
	});
	match random.below(3) {
		0 => (OpKind::OneHot, vec![ids], TensorSpec::f32(count, vocabulary)),
		1 => {
			let table = numbers(random, vocabulary, width);
			(OpKind::Lookup, vec![table, ids], TensorSpec::f32(count, width))
		}
		_ => {
			let rows = numbers(random, count, width);
			(OpKind::ScatterRows, vec![ids, rows], TensorSpec { dtype: DType::F32, rows: vocabulary, cols: width })
		}
	}
}
