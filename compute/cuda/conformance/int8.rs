//! Lane I8: products, conversions, and the rotations that make operands fit for them.

use assay_cuda::{cases::Random, Backend, Device};
use assay_program::{shape::MAX_INNER_I8, Axis, DType, OpKind, TensorSpec};

use super::check::{check, f32s, i32s, i8s, Given};

pub(crate) fn int8_products<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(12);
	// Around the sides of tiles, of packed words, of words per tile, and of parts of the inner dimension.
	let mut shapes = vec![
		(1, 1, 1),
		(3, 513, 7),
		(64, 32, 64),
		(65, 33, 63),
		(97, 31, 101),
		(130, 260, 129),
		(128, 5, 256),
		(200, 1, 132),
		(7, 2051, 9),
	];
	for _ in 0..4 {
		shapes.push((1 + random.below(100), 1 + random.below(500), 1 + random.below(100)));
	}
	for (m, k, n) in shapes {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { i8s(k, m, &mut random) } else { i8s(m, k, &mut random) };
			let b = if trans_b { i8s(n, k, &mut random) } else { i8s(k, n, &mut random) };
			let output = TensorSpec { dtype: DType::I32, rows: m, cols: n };
			check(devices, OpKind::MatMulI8 { trans_a, trans_b }, &[a, b], output)?;
		}
	}
	// The largest sum that there is: one more product would not fit.
	let lowest = |rows, cols| {
		let spec = TensorSpec { dtype: DType::I8, rows, cols };
		Given::Tensor(spec, vec![-128i32 as u32; MAX_INNER_I8 as usize], false)
	};
	let output = TensorSpec { dtype: DType::I32, rows: 1, cols: 1 };
	let kind = OpKind::MatMulI8 { trans_a: false, trans_b: false };
	check(devices, kind, &[lowest(1, MAX_INNER_I8), lowest(MAX_INNER_I8, 1)], output)
}

pub(crate) fn to_and_from_integers<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(13);
	for (rows, cols) in [(1, 1), (1, 3000), (70, 1), (17, 65), (100, 130)] {
		for (scale_rows, scale_cols) in [(rows, 1), (1, cols), (1, 1), (rows, cols)] {
			for special in [false, true] {
				let mut element = || if special { random.any() } else { random.ordinary() };
				let (x, scale) = (f32s(rows, cols, &mut element), f32s(scale_rows, scale_cols, &mut element));
				let output = TensorSpec { dtype: DType::I8, rows, cols };
				check(devices, OpKind::Quantise, &[x.clone(), scale.clone()], output)?;
				check(devices, OpKind::Quantise, &[x, Given::Scalar(0x3c00_0000)], output)?;
				let across = f32s(1, cols, &mut element);
				let value = i32s(rows, cols, || random.next() >> random.below(32));
				check(devices, OpKind::Dequantise, &[value, scale, across], TensorSpec::f32(rows, cols))?;
			}
		}
	}
	let one = Given::Scalar(0x3f80_0000);
	// Ties of every kind, and beyond both ends.
	let halves = f32s(1, 1200, || (random.below(600) as f32 / 2.0 - 150.0).to_bits());
	let output = TensorSpec { dtype: DType::I8, rows: 1, cols: 1200 };
	check(devices, OpKind::Quantise, &[halves, one.clone()], output)?;
	// Every rounding of an integer to a number.
	let value = i32s(1, 50_000, || random.next() >> random.below(10));
	check(devices, OpKind::Dequantise, &[value, one.clone(), one], TensorSpec::f32(1, 50_000))
}

pub(crate) fn rotations<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(16);
	for log2 in 1..=5 {
		for (rows, blocks) in [(1, 1), (3, 7), (90, 20)] {
			for special in [false, true] {
				let mut element = || if special { random.any() } else { random.ordinary() };
				let cols = blocks << log2;
				let x = f32s(rows, cols, &mut element);
				check(devices, OpKind::Hadamard { log2, axis: Axis::Cols }, &[x], TensorSpec::f32(rows, cols))?;
				let x = f32s(cols, rows, &mut element);
				check(devices, OpKind::Hadamard { log2, axis: Axis::Rows }, &[x], TensorSpec::f32(cols, rows))?;
			}
		}
	}
	Ok(())
}
