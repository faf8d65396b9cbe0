//! Random ops on random shapes.

use assay_cuda::{Backend, Device};
use assay_program::{Axis, BinaryKind, DType, OpKind, Reduction, TensorSpec, UnaryKind};

use super::{
	check::{check, f32s, i32s, Given},
	random::Random,
};

/// Some hundred cases that are the same every time.
pub(crate) fn random_ops<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	fuzz(devices, 0, 400)
}

/// `cases` cases; a failure names its number, which with the seed repeats it.
pub(crate) fn fuzz<D: Device>(devices: &[Backend<D>], seed: u64, cases: u64) -> Result<(), String> {
	for case in 0..cases {
		let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(case).wrapping_mul(0x9e37_79b9_7f4a_7c15));
		random.next();
		let (kind, given, output) = op(&mut random);
		check(devices, kind, &given, output).map_err(|error| format!("seed {seed}, case {case}: {error}"))?;
	}
	Ok(())
}

/// An extent: mostly small, sometimes around the sides of tiles and segments.
fn extent(random: &mut Random) -> u32 {
	match random.below(8) {
		0 => 1,
		1 => 31 + random.below(4),
		2 => 63 + random.below(4),
		3 => 127 + random.below(4),
		_ => 1 + random.below(40),
	}
}

/// A side of a product: often one that takes large tiles.
fn side(random: &mut Random) -> u32 {
	match random.below(4) {
		0 => 65 + random.below(80),
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

fn op(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	match random.below(14) {
		0 | 1 => product(random),
		2 => block_product(random),
		3 | 4 => elementwise(random),
		5 | 6 => reduction(random),
		7 => {
			let (x, first, count) = (extent(random), extent(random), extent(random));
			let rows = extent(random);
			let given = numbers(random, rows, first + x.max(count));
			(OpKind::Columns { first }, vec![given], TensorSpec::f32(rows, count))
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
			let Given::Tensor(spec, bits, _) = numbers(random, rows, cols) else { unreachable!() };
			let given = Given::Tensor(spec, bits, true);
			(OpKind::GatherBatch { stream: random.next() }, vec![given], TensorSpec::f32(batch, cols))
		}
		12 => {
			let (blocks, rows, cols) = (1 + random.below(4), extent(random), extent(random));
			let given = numbers(random, blocks * rows, cols);
			let (offset, fill) = (random.below(cols + 2), random.ordinary());
			(OpKind::Causal { rows, offset, fill }, vec![given], TensorSpec::f32(blocks * rows, cols))
		}
		_ => {
			let (rows, cols) = (extent(random), extent(random));
			let given = numbers(random, rows, cols);
			let kind = OpKind::Dropout { stream: random.next(), keep: random.next(), scale: random.ordinary() };
			(kind, vec![given], TensorSpec::f32(rows, cols))
		}
	}
}

fn product(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	let (m, k, n) = (side(random), inner(random), side(random));
	let (trans_a, trans_b) = (random.below(2) == 0, random.below(2) == 0);
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

fn elementwise(random: &mut Random) -> (OpKind, Vec<Given>, TensorSpec) {
	use {BinaryKind as B, UnaryKind as U};
	let (rows, cols) = (extent(random), extent(random));
	let unary = [U::Neg, U::Abs, U::Relu, U::Exp, U::Log, U::Tanh, U::Sqrt, U::Sigmoid];
	let binary = [B::Add, B::Sub, B::Mul, B::Div, B::Max, B::Min, B::Greater];
	let (kind, arity) = match random.below(3) {
		0 => (OpKind::Unary(pick(random, &unary)), 1),
		1 => (OpKind::Binary(pick(random, &binary)), 2),
		_ => (OpKind::Fma, 3),
	};
	let mut given: Vec<Given> = (0..arity)
		.map(|_| match random.below(6) {
			0 => Given::Scalar(random.ordinary()),
			1 => numbers(random, 1, 1),
			2 => numbers(random, rows, 1),
			3 => numbers(random, 1, cols),
			_ => numbers(random, rows, cols),
		})
		.collect();
	if given.iter().all(|given| matches!(given, Given::Scalar(_))) {
		given[0] = numbers(random, rows, cols);
	}
	(kind, given, TensorSpec::f32(rows, cols))
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
