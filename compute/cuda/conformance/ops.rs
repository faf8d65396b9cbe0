//! Every op kind on odd shapes and special values.

use assay_cuda::{cases::Random, Backend, Device};
use assay_program::{Axis, BinaryKind, DType, OpKind, Reduction, TensorSpec, UnaryKind};

use super::check::{check, f32s, i32s, i8s, Given};

const TRANSPOSITIONS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

pub(crate) fn matrix_products<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(1);
	let mut shapes = vec![
		(1, 1, 1),
		(1, 512, 1),
		(3, 513, 7),
		(13, 1024, 33),
		(12, 1, 32),
		(6, 1537, 16),
		(97, 40, 101),
		(130, 1032, 68),
		(64, 8, 64),
		(65, 520, 66),
		(200, 7, 132),
	];
	for _ in 0..3 {
		shapes.push((1 + random.below(150), 1 + random.below(1200), 1 + random.below(150)));
	}
	for (index, (m, k, n)) in shapes.into_iter().enumerate() {
		for (trans_a, trans_b) in TRANSPOSITIONS {
			let special = index % 3 == 2;
			let mut element = || if special && random.below(400) == 0 { random.any() } else { random.ordinary() };
			let a = if trans_a { f32s(k, m, &mut element) } else { f32s(m, k, &mut element) };
			let b = if trans_b { f32s(n, k, &mut element) } else { f32s(k, n, &mut element) };
			check(devices, OpKind::MatMul { trans_a, trans_b }, &[a, b], TensorSpec::f32(m, n))?;
		}
	}
	Ok(())
}

pub(crate) fn products_of_long_inner_dimension<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(12);
	for (trans_a, trans_b) in TRANSPOSITIONS {
		let (m, k, n) = (5, 5003, 9);
		let a = if trans_a { f32s(k, m, || random.ordinary()) } else { f32s(m, k, || random.ordinary()) };
		let b = if trans_b { f32s(n, k, || random.ordinary()) } else { f32s(k, n, || random.ordinary()) };
		check(devices, OpKind::MatMul { trans_a, trans_b }, &[a, b], TensorSpec::f32(m, n))?;
	}
	Ok(())
}

pub(crate) fn subnormal_products<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(2);
	// Products around the bottom of the range, whose sums round and cancel there.
	let a = f32s(9, 700, || (random.ordinary() & 0x807f_ffff) | (20 + random.below(60)) << 23);
	let b = f32s(700, 35, || (random.ordinary() & 0x807f_ffff) | (20 + random.below(60)) << 23);
	check(devices, OpKind::MatMul { trans_a: false, trans_b: false }, &[a, b], TensorSpec::f32(9, 35))?;
	Ok(())
}

pub(crate) fn chains_that_end_in_minus_zero<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	// One product rounds to -0; anything added after it, even a padded 0 * 0, would make it +0.
	for k in [1, 5, 8, 9, 513] {
		let mut a = vec![0u32; k as usize];
		let mut b = vec![0x8000_0000u32; k as usize];
		(a[k as usize - 1], b[k as usize - 1]) = (0x8000_0001, 1);
		let a = Given::Tensor(TensorSpec::f32(1, k), a, false);
		let b = Given::Tensor(TensorSpec::f32(k, 1), b, false);
		check(devices, OpKind::MatMul { trans_a: false, trans_b: false }, &[a, b], TensorSpec::f32(1, 1))?;
	}
	Ok(())
}

pub(crate) fn elementwise<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(3);
	let unary = [
		UnaryKind::Neg,
		UnaryKind::Abs,
		UnaryKind::Relu,
		UnaryKind::Exp,
		UnaryKind::Log,
		UnaryKind::Tanh,
		UnaryKind::Sqrt,
		UnaryKind::Sigmoid,
		UnaryKind::Erf,
		UnaryKind::Sin,
		UnaryKind::Cos,
		UnaryKind::Rsqrt,
	]
	.map(OpKind::Unary);
	let binary = [
		BinaryKind::Add,
		BinaryKind::Sub,
		BinaryKind::Mul,
		BinaryKind::Div,
		BinaryKind::Max,
		BinaryKind::Min,
		BinaryKind::Greater,
	]
	.map(OpKind::Binary);
	let kinds: Vec<(OpKind, usize)> = unary
		.into_iter()
		.map(|kind| (kind, 1))
		.chain(binary.into_iter().map(|kind| (kind, 2)))
		.chain([(OpKind::Fma, 3)])
		.collect();
	for (kind, arity) in kinds {
		for (rows, cols) in [(1, 1), (1, 37), (29, 1), (7, 10), (3, 1500), (300, 130)] {
			for special in [false, true] {
				let mut element = || if special { random.any() } else { random.ordinary() };
				let mut given: Vec<Given> = (0..arity).map(|_| f32s(rows, cols, &mut element)).collect();
				check(devices, kind, &given, TensorSpec::f32(rows, cols))?;
				for _ in 0..3 {
					for given in &mut given {
						*given = match random.below(5) {
							0 => Given::Scalar(random.ordinary()),
							1 => f32s(1, 1, || random.any()),
							2 => f32s(rows, 1, || random.any()),
							3 => f32s(1, cols, || random.any()),
							_ => f32s(rows, cols, || random.any()),
						};
					}
					if given.iter().all(|given| matches!(given, Given::Scalar(_))) {
						given[0] = f32s(1, cols, || random.any());
					}
					check(devices, kind, &given, TensorSpec::f32(rows, cols))?;
				}
			}
		}
	}
	Ok(())
}

pub(crate) fn functions_over_their_whole_range<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(4);
	use UnaryKind::{Cos, Erf, Exp, Log, Rsqrt, Sigmoid, Sin, Sqrt, Tanh};
	for kind in [Exp, Log, Tanh, Sqrt, Sigmoid, Erf, Sin, Cos, Rsqrt] {
		let x = f32s(1, 150_000, || random.next());
		check(&devices[..1], OpKind::Unary(kind), &[x], TensorSpec::f32(1, 150_000))?;
		let x = f32s(1, 50_000, || random.any() & !0x4000_0000);
		check(&devices[..1], OpKind::Unary(kind), &[x], TensorSpec::f32(1, 50_000))?;
		// Around the largest angle, of both signs.
		let mut angle = 0x4a80_0000 - 500;
		let x = f32s(2, 1000, || {
			angle += 1;
			angle | (random.next() & 0x8000_0000)
		});
		check(&devices[..1], OpKind::Unary(kind), &[x], TensorSpec::f32(2, 1000))?;
	}
	Ok(())
}

pub(crate) fn reductions<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(5);
	let mut shapes = vec![
		(1, 1),
		(1, 31),
		(31, 1),
		(33, 65),
		(2, 4096),
		(4096, 2),
		(3, 9000),
		(9000, 3),
		(5, 17),
		(5, 4100),
		(4100, 5),
		(700, 40),
		(40, 700),
	];
	for _ in 0..8 {
		shapes.push((1 + random.below(100), 1 + random.below(100)));
	}
	for (rows, cols) in shapes {
		for reduction in [Reduction::Sum, Reduction::Max] {
			for special in [false, true] {
				let x = f32s(rows, cols, || if special { random.any() } else { random.ordinary() });
				let over_cols = OpKind::Reduce { reduction, axis: Axis::Cols };
				check(devices, over_cols, core::slice::from_ref(&x), TensorSpec::f32(rows, 1))?;
				let over_rows = OpKind::Reduce { reduction, axis: Axis::Rows };
				check(devices, over_rows, &[x], TensorSpec::f32(1, cols))?;
			}
		}
	}
	Ok(())
}

pub(crate) fn zeros_keep_the_sign_that_the_order_gives<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(6);
	for cols in [1, 2, 31, 32, 33, 64, 4097] {
		for reduction in [Reduction::Sum, Reduction::Max] {
			let x = f32s(40, cols, || random.next() & 0x8000_0000);
			check(devices, OpKind::Reduce { reduction, axis: Axis::Cols }, &[x], TensorSpec::f32(40, 1))?;
			let x = f32s(cols, 40, || random.next() & 0x8000_0000);
			check(devices, OpKind::Reduce { reduction, axis: Axis::Rows }, &[x], TensorSpec::f32(1, 40))?;
		}
	}
	Ok(())
}

pub(crate) fn batches_and_labels<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(7);
	for (rows, cols, batch) in [(1, 1, 4), (100, 7, 64), (1437, 64, 33)] {
		let Given::Tensor(spec, bits, _) = f32s(rows, cols, || random.any()) else { unreachable!() };
		let labels = TensorSpec { dtype: DType::I32, ..spec };
		for kind in [OpKind::GatherBatch { stream: 9 }, OpKind::NextBatch] {
			check(devices, kind, &[Given::Tensor(spec, bits.clone(), true)], TensorSpec::f32(batch, cols))?;
			let given = Given::Tensor(labels, bits.clone(), true);
			check(devices, kind, &[given], TensorSpec { rows: batch, ..labels })?;
		}
	}
	let labels: Vec<u32> = (0..50u32).map(|i| i.wrapping_sub(5)).chain([u32::MAX, 1 << 31]).collect();
	let spec = TensorSpec { dtype: DType::I32, rows: 52, cols: 1 };
	for classes in [1, 10, 40] {
		let given = Given::Tensor(spec, labels.clone(), false);
		check(devices, OpKind::OneHot, &[given], TensorSpec::f32(52, classes))?;
	}
	Ok(())
}

pub(crate) fn copies_and_heads<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(8);
	for (rows, cols, first, count) in [(1, 9, 3, 5), (33, 70, 0, 70), (300, 700, 31, 650), (9, 5, 4, 1)] {
		for special in [false, true] {
			let mut element = || if special { random.any() } else { random.ordinary() };
			let x = f32s(rows, cols, &mut element);
			check(devices, OpKind::Columns { first }, core::slice::from_ref(&x), TensorSpec::f32(rows, count))?;
			check(devices, OpKind::Flatten, core::slice::from_ref(&x), TensorSpec::f32(rows * cols, 1))?;
			check(devices, OpKind::PadColumns { first }, &[x], TensorSpec::f32(rows, first + cols + 3))?;
		}
		let ids = i32s(rows, cols, || random.next());
		let output = TensorSpec { dtype: DType::I32, rows, cols: count };
		check(devices, OpKind::Columns { first }, core::slice::from_ref(&ids), output)?;
		let output = TensorSpec { dtype: DType::I32, rows: rows * cols, cols: 1 };
		check(devices, OpKind::Flatten, &[ids], output)?;
	}
	for ((rows, cols), (to_rows, to_cols)) in [((60, 35), (35, 60)), ((2100, 1), (1, 2100)), ((30, 70), (21, 100))] {
		let x = f32s(rows, cols, || random.any());
		check(devices, OpKind::Reshape, &[x], TensorSpec::f32(to_rows, to_cols))?;
		let x = i32s(rows, cols, || random.next());
		check(devices, OpKind::Reshape, &[x], TensorSpec { dtype: DType::I32, rows: to_rows, cols: to_cols })?;
		let x = i8s(rows, cols, &mut random);
		check(devices, OpKind::Flatten, &[x], TensorSpec { dtype: DType::I8, rows: rows * cols, cols: 1 })?;
	}
	for (sequences, rows, heads, width) in [(1, 1, 1, 5), (2, 5, 3, 9), (3, 160, 4, 64), (9, 1, 40, 8)] {
		for special in [false, true] {
			let mut element = || if special { random.any() } else { random.ordinary() };
			let x = f32s(sequences * rows, heads * width, &mut element);
			let output = TensorSpec::f32(sequences * heads * rows, width);
			check(devices, OpKind::SplitHeads { rows, heads }, &[x], output)?;
			let x = f32s(sequences * heads * rows, width, &mut element);
			let output = TensorSpec::f32(sequences * rows, heads * width);
			check(devices, OpKind::MergeHeads { rows, heads }, &[x], output)?;
		}
	}
	Ok(())
}

pub(crate) fn rows_by_id<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(9);
	for (vocabulary, ids, width) in [(1, 1, 1), (700, 33, 40), (300, 1, 600), (65, 2000, 48), (1000, 70, 1)] {
		for special in [false, true] {
			let mut element = || if special { random.any() } else { random.ordinary() };
			let table = f32s(vocabulary, width, &mut element);
			let rows = f32s(ids, width, &mut element);
			let given = i32s(ids, 1, || match random.below(9) {
				0 => random.next() | 1 << 31,
				_ => random.below(vocabulary + 2),
			});
			check(devices, OpKind::Lookup, &[table, given.clone()], TensorSpec::f32(ids, width))?;
			check(devices, OpKind::ScatterRows, &[given, rows], TensorSpec::f32(vocabulary, width))?;
		}
	}
	Ok(())
}

pub(crate) fn block_products<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(10);
	let mut shapes =
		vec![(1, 1, 1, 1, 1), (4, 2, 16, 32, 16), (12, 1, 1, 1030, 40), (4, 2, 130, 64, 130), (3, 1, 33, 8, 70)];
	for _ in 0..3 {
		let share = 1 + random.below(3);
		shapes.push((
			share * (1 + random.below(4)),
			share,
			1 + random.below(50),
			1 + random.below(1100),
			1 + random.below(50),
		));
	}
	for (index, (blocks, share, m, k, n)) in shapes.into_iter().enumerate() {
		for (trans_a, trans_b) in TRANSPOSITIONS {
			let special = index % 3 == 2;
			let mut element = || if special && random.below(400) == 0 { random.any() } else { random.ordinary() };
			let (a_rows, a_cols) = if trans_a { (blocks * k, m) } else { (blocks * m, k) };
			let (b_rows, b_cols) = if trans_b { (blocks / share * n, k) } else { (blocks / share * k, n) };
			let given = [f32s(a_rows, a_cols, &mut element), f32s(b_rows, b_cols, &mut element)];
			let kind = OpKind::BlockMatMul { trans_a, trans_b, blocks, share };
			check(devices, kind, &given, TensorSpec::f32(blocks * m, n))?;
		}
	}
	Ok(())
}

pub(crate) fn masks<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(11);
	for (blocks, rows, cols) in [(1, 1, 1), (1, 1, 700), (3, 5, 9), (40, 64, 64), (4, 16, 17)] {
		for special in [false, true] {
			let x = f32s(blocks * rows, cols, || if special { random.any() } else { random.ordinary() });
			for offset in [0, 3, u32::MAX] {
				let kind = OpKind::Causal { rows, offset, fill: 0xf149_f2ca };
				check(devices, kind, core::slice::from_ref(&x), TensorSpec::f32(blocks * rows, cols))?;
			}
			for keep in [0, 3 << 30, u32::MAX] {
				let kind = OpKind::Dropout { stream: 5, keep, scale: 0x3faa_aaab };
				check(devices, kind, core::slice::from_ref(&x), TensorSpec::f32(blocks * rows, cols))?;
			}
		}
	}
	Ok(())
}
