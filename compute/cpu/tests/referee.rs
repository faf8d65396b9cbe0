//! Every op kind on every path and on one and two threads, bit by bit against the referee.

use assay_cpu::{from_words, to_words, words_of, Context, Cpu, Input, Matrix, OpError, Output, Path};
use assay_program::{
	Axis, BinaryKind, DType, OpGeometry, OpKind, OperandSpec, Reduction, StepContext, TensorSpec, UnaryKind, Window,
};
use assay_referee::{run_op, whole};

const SEED: [u8; 32] = [42; 32];

/// A linear congruential generator, so that a failure names the case that repeats it.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u32 {
		self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		(self.0 >> 32) as u32
	}

	fn below(&mut self, n: u32) -> u32 {
		((u64::from(self.next()) * u64::from(n)) >> 32) as u32
	}

	/// A number of ordinary size.
	fn ordinary(&mut self) -> u32 {
		let value = (f64::from(self.next()) / f64::from(u32::MAX) * 4.0 - 2.0) as f32;
		value.to_bits()
	}

	/// Any bits, special ones often.
	fn any(&mut self) -> u32 {
		let bits = self.next();
		match self.below(12) {
			0 => bits & 0x8000_0000,
			1 => bits & 0x807f_ffff,
			2 => (bits & 0x8000_0000) | 0x7f80_0000,
			3 => bits | 0x7f80_0000,
			4 => (bits & 0x8000_0000) | 0x3f80_0000,
			5 | 6 => bits,
			_ => self.ordinary(),
		}
	}
}

fn backends() -> Vec<Cpu> {
	let mut backends = Vec::new();
	for path in Path::here() {
		for threads in [1, 2] {
			backends.push(Cpu::new(path, threads).expect("supported"));
		}
	}
	backends
}

#[derive(Clone)]
enum Given {
	Tensor(TensorSpec, Vec<u32>, bool),
	Scalar(u32),
}

fn f32s(rows: u32, cols: u32, mut element: impl FnMut() -> u32) -> Given {
	Given::Tensor(TensorSpec::f32(rows, cols), (0..rows * cols).map(|_| element()).collect(), false)
}

fn same(a: u32, b: u32) -> bool {
	a == b || (f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}

fn check(backends: &[Cpu], kind: OpKind, given: &[Given], output: TensorSpec) {
	let specs: Vec<OperandSpec> = given
		.iter()
		.map(|given| match given {
			Given::Tensor(spec, _, data) => OperandSpec::Tensor { spec: *spec, data: *data },
			Given::Scalar(bits) => OperandSpec::Scalar(*bits),
		})
		.collect();
	let step = 3;
	let geometry = OpGeometry::new(kind, specs, output, output.rows).expect("well formed");
	let soft: Vec<whole::Input<'_>> = given
		.iter()
		.map(|given| match given {
			Given::Tensor(_, bits, _) => whole::Input::Tensor(bits),
			Given::Scalar(bits) => whole::Input::Scalar(*bits),
		})
		.collect();
	let expected = run_op(&geometry, &soft, &StepContext { seed: SEED, step }).expect("runs");
	let finite = output.dtype != DType::F32 || expected.iter().all(|bits| f32::from_bits(*bits).is_finite());
	let words = given.iter().map(|given| match given {
		Given::Tensor(spec, bits, _) => to_words(spec.dtype, bits.clone()),
		Given::Scalar(_) => Vec::new(),
	});
	let words: Vec<Vec<u32>> = words.collect();
	let inputs: Vec<Input<'_>> = given
		.iter()
		.zip(&words)
		.map(|(given, bits)| match given {
			Given::Tensor(spec, _, _) => {
				Input::Tensor(Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits })
			}
			Given::Scalar(bits) => Input::Scalar(*bits),
		})
		.collect();
	for cpu in backends {
		// Poisoned, so that an element that is not written shows.
		let mut words = vec![0xdead_beef; words_of(output.dtype, expected.len())];
		let out = Output { dtype: output.dtype, rows: output.rows, cols: output.cols, bits: &mut words };
		let result = cpu.run(kind, &inputs, &Context { seed: SEED, step }, out);
		let bits = from_words(output.dtype, &words, expected.len());
		let place =
			format!("{kind:?} {:?} -> {output:?} on {:?}, {} threads", geometry.inputs(), cpu.path(), cpu.threads());
		assert_eq!(result, if finite { Ok(()) } else { Err(OpError::NonFinite) }, "{place}");
		if let Some(index) = (0..bits.len()).find(|index| !same(bits[*index], expected[*index])) {
			panic!("{place}: element {index} is {:08x}, the referee says {:08x}", bits[index], expected[index]);
		}
		// Again with the second operand packed.
		if let (
			OpKind::MatMul { trans_a: false, trans_b } | OpKind::MatMulI8 { trans_a: false, trans_b },
			[Input::Tensor(a), Input::Tensor(b)],
		) = (kind, inputs.as_slice())
		{
			let packed = cpu.pack(b, trans_b).expect("packs");
			let spec = TensorSpec { dtype: b.dtype, rows: b.rows, cols: b.cols };
			assert_eq!(packed.bytes(), cpu.packed_bytes(spec, trans_b), "{place}");
			let elements = spec.elements() as usize;
			let unpacked = packed.unpack();
			assert!(
				from_words(b.dtype, &unpacked, elements) == from_words(b.dtype, b.bits, elements),
				"{place}, unpacked"
			);
			let mut again = vec![0xdead_beef; bits.len()];
			let out = Output { dtype: output.dtype, rows: output.rows, cols: output.cols, bits: &mut again };
			assert_eq!(cpu.run_packed(kind, a, &packed, out), result, "{place}, packed");
			assert!(again.iter().zip(&*bits).all(|(a, b)| same(*a, *b)), "{place}, packed");
		}
	}
}

#[test]
fn matrix_products() {
	let (backends, mut random) = (backends(), Random(1));
	let mut shapes =
		vec![(1, 1, 1), (1, 512, 1), (3, 513, 7), (13, 1024, 33), (12, 1, 32), (6, 1537, 16), (97, 40, 101)];
	// Above the threshold for threads, and beyond one block of rows or columns.
	shapes.extend([(130, 140, 150), (1100, 3, 700), (5, 5, 1100)]);
	for _ in 0..12 {
		shapes.push((1 + random.below(60), 1 + random.below(1200), 1 + random.below(60)));
	}
	for (index, (m, k, n)) in shapes.into_iter().enumerate() {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let special = index % 3 == 2;
			let mut element = || if special && random.below(400) == 0 { random.any() } else { random.ordinary() };
			let a = if trans_a { f32s(k, m, &mut element) } else { f32s(m, k, &mut element) };
			let b = if trans_b { f32s(n, k, &mut element) } else { f32s(k, n, &mut element) };
			check(&backends, OpKind::MatMul { trans_a, trans_b }, &[a, b], TensorSpec::f32(m, n));
		}
	}
}

#[test]
fn subnormal_products() {
	let (backends, mut random) = (backends(), Random(2));
	// Products around the bottom of the range, whose sums round and cancel there.
	let a = f32s(9, 700, || (random.ordinary() & 0x807f_ffff) | (20 + random.below(60)) << 23);
	let b = f32s(700, 35, || (random.ordinary() & 0x807f_ffff) | (20 + random.below(60)) << 23);
	check(&backends, OpKind::MatMul { trans_a: false, trans_b: false }, &[a, b], TensorSpec::f32(9, 35));
}

#[test]
fn elementwise() {
	let (backends, mut random) = (backends(), Random(3));
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
		for (rows, cols) in [(1, 1), (1, 37), (29, 1), (7, 10), (3, 1500), (300, 230)] {
			for special in [false, true] {
				let mut element = || if special { random.any() } else { random.ordinary() };
				let mut given: Vec<Given> = (0..arity).map(|_| f32s(rows, cols, &mut element)).collect();
				check(&backends, kind, &given, TensorSpec::f32(rows, cols));
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
					check(&backends, kind, &given, TensorSpec::f32(rows, cols));
				}
			}
		}
	}
}

#[test]
fn functions_over_their_whole_range() {
	let (backends, mut random) = (backends(), Random(4));
	use UnaryKind::*;
	for kind in [Exp, Log, Tanh, Sqrt, Sigmoid, Erf, Sin, Cos, Rsqrt] {
		let x = f32s(1, 300_000, || random.next());
		check(&backends, OpKind::Unary(kind), &[x], TensorSpec::f32(1, 300_000));
		let x = f32s(1, 100_000, || random.any() & !0x4000_0000);
		check(&backends, OpKind::Unary(kind), &[x], TensorSpec::f32(1, 100_000));
	}
}

#[test]
fn reductions() {
	let (backends, mut random) = (backends(), Random(5));
	let mut shapes =
		vec![(1, 1), (1, 31), (31, 1), (33, 65), (2, 4096), (4096, 2), (3, 9000), (9000, 3), (500, 300), (5, 17)];
	for _ in 0..10 {
		shapes.push((1 + random.below(100), 1 + random.below(100)));
	}
	for (rows, cols) in shapes {
		for reduction in [Reduction::Sum, Reduction::Max] {
			for special in [false, true] {
				let x = f32s(rows, cols, || if special { random.any() } else { random.ordinary() });
				let over_cols = OpKind::Reduce { reduction, axis: Axis::Cols };
				check(&backends, over_cols, core::slice::from_ref(&x), TensorSpec::f32(rows, 1));
				let over_rows = OpKind::Reduce { reduction, axis: Axis::Rows };
				check(&backends, over_rows, &[x], TensorSpec::f32(1, cols));
			}
		}
	}
}

#[test]
fn zeros_keep_the_sign_that_the_order_gives() {
	let (backends, mut random) = (backends(), Random(6));
	for cols in [1, 2, 31, 32, 33, 64, 4097] {
		for reduction in [Reduction::Sum, Reduction::Max] {
			let x = f32s(40, cols, || random.next() & 0x8000_0000);
			check(&backends, OpKind::Reduce { reduction, axis: Axis::Cols }, &[x], TensorSpec::f32(40, 1));
			let x = f32s(cols, 40, || random.next() & 0x8000_0000);
			check(&backends, OpKind::Reduce { reduction, axis: Axis::Rows }, &[x], TensorSpec::f32(1, 40));
		}
	}
}

#[test]
fn batches_and_labels() {
	let (backends, mut random) = (backends(), Random(7));
	for (rows, cols, batch) in [(1, 1, 4), (100, 7, 64), (1437, 64, 33), (5000, 1, 700)] {
		let Given::Tensor(spec, bits, _) = f32s(rows, cols, || random.any()) else { unreachable!() };
		let Given::Tensor(int8, bytes, _) = i8s(rows, cols, &mut random) else { unreachable!() };
		let labels = TensorSpec { dtype: DType::I32, ..spec };
		for kind in [OpKind::GatherBatch { stream: 9 }, OpKind::NextBatch] {
			check(&backends, kind, &[Given::Tensor(spec, bits.clone(), true)], TensorSpec::f32(batch, cols));
			let given = Given::Tensor(labels, bits.clone(), true);
			check(&backends, kind, &[given], TensorSpec { rows: batch, ..labels });
			let given = Given::Tensor(int8, bytes.clone(), true);
			check(&backends, kind, &[given], TensorSpec { rows: batch, ..int8 });
		}
	}
	let labels: Vec<u32> = (0..50u32).map(|i| i.wrapping_sub(5)).chain([u32::MAX, 1 << 31]).collect();
	let spec = TensorSpec { dtype: DType::I32, rows: 52, cols: 1 };
	for classes in [1, 10, 40] {
		let given = Given::Tensor(spec, labels.clone(), false);
		check(&backends, OpKind::OneHot, &[given], TensorSpec::f32(52, classes));
	}
}

fn i32s(rows: u32, cols: u32, mut element: impl FnMut() -> u32) -> Given {
	let spec = TensorSpec { dtype: DType::I32, rows, cols };
	Given::Tensor(spec, (0..rows * cols).map(|_| element()).collect(), false)
}

#[test]
fn copies_and_heads() {
	let (backends, mut random) = (backends(), Random(8));
	for (rows, cols, first, count) in [(1, 9, 3, 5), (33, 70, 0, 70), (300, 700, 31, 650), (9, 5, 4, 1)] {
		let x = f32s(rows, cols, || random.any());
		check(&backends, OpKind::Columns { first }, std::slice::from_ref(&x), TensorSpec::f32(rows, count));
		check(&backends, OpKind::Flatten, std::slice::from_ref(&x), TensorSpec::f32(rows * cols, 1));
		check(&backends, OpKind::PadColumns { first }, &[x], TensorSpec::f32(rows, first + cols + 3));
		let ids = i32s(rows, cols, || random.next());
		let output = TensorSpec { dtype: DType::I32, rows, cols: count };
		check(&backends, OpKind::Columns { first }, std::slice::from_ref(&ids), output);
		let output = TensorSpec { dtype: DType::I32, rows: rows * cols, cols: 1 };
		check(&backends, OpKind::Flatten, &[ids], output);
		let bytes = i8s(rows, cols, &mut random);
		let output = TensorSpec { dtype: DType::I8, rows, cols: count };
		check(&backends, OpKind::Columns { first }, std::slice::from_ref(&bytes), output);
		let output = TensorSpec { dtype: DType::I8, rows: rows * cols, cols: 1 };
		check(&backends, OpKind::Flatten, &[bytes], output);
	}
	for (sequences, rows, heads, width) in [(1, 1, 1, 5), (2, 5, 3, 9), (3, 160, 4, 64), (9, 1, 40, 8)] {
		let x = f32s(sequences * rows, heads * width, || random.any());
		let output = TensorSpec::f32(sequences * heads * rows, width);
		check(&backends, OpKind::SplitHeads { rows, heads }, &[x], output);
		let x = f32s(sequences * heads * rows, width, || random.any());
		let output = TensorSpec::f32(sequences * rows, heads * width);
		check(&backends, OpKind::MergeHeads { rows, heads }, &[x], output);
	}
}

#[test]
fn rows_by_id() {
	let (backends, mut random) = (backends(), Random(9));
	for (vocabulary, ids, width) in [(1, 1, 1), (700, 33, 40), (300, 1, 600), (65, 2000, 48), (1000, 70, 1)] {
		for special in [false, true] {
			let mut element = || if special { random.any() } else { random.ordinary() };
			let table = f32s(vocabulary, width, &mut element);
			let rows = f32s(ids, width, &mut element);
			let given = i32s(ids, 1, || match random.below(9) {
				0 => random.next() | 1 << 31,
				_ => random.below(vocabulary + 2),
			});
			check(&backends, OpKind::Lookup, &[table, given.clone()], TensorSpec::f32(ids, width));
			check(&backends, OpKind::ScatterRows, &[given, rows], TensorSpec::f32(vocabulary, width));
		}
	}
}

#[test]
fn block_products() {
	let (backends, mut random) = (backends(), Random(10));
	let mut shapes =
		vec![(1, 1, 1, 1, 1), (4, 2, 16, 32, 16), (12, 1, 1, 1030, 40), (8, 4, 130, 64, 130), (3, 1, 33, 8, 70)];
	for _ in 0..8 {
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
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let special = index % 3 == 2;
			let mut element = || if special && random.below(400) == 0 { random.any() } else { random.ordinary() };
			let (a_rows, a_cols) = if trans_a { (blocks * k, m) } else { (blocks * m, k) };
			let (b_rows, b_cols) = if trans_b { (blocks / share * n, k) } else { (blocks / share * k, n) };
			let given = [f32s(a_rows, a_cols, &mut element), f32s(b_rows, b_cols, &mut element)];
			let kind = OpKind::BlockMatMul { trans_a, trans_b, blocks, share };
			check(&backends, kind, &given, TensorSpec::f32(blocks * m, n));
		}
	}
}

#[test]
fn masks() {
	let (backends, mut random) = (backends(), Random(11));
	for (blocks, rows, cols) in [(1, 1, 1), (1, 1, 700), (3, 5, 9), (40, 64, 64), (4, 16, 17)] {
		let x = f32s(blocks * rows, cols, || random.any());
		for offset in [0, 3, u32::MAX] {
			let kind = OpKind::Causal { rows, offset, fill: 0xf149_f2ca };
			check(&backends, kind, std::slice::from_ref(&x), TensorSpec::f32(blocks * rows, cols));
		}
		for keep in [0, 3 << 30, u32::MAX] {
			let kind = OpKind::Dropout { stream: 5, keep, scale: 0x3faa_aaab };
			check(&backends, kind, std::slice::from_ref(&x), TensorSpec::f32(blocks * rows, cols));
		}
	}
}

fn i8s(rows: u32, cols: u32, random: &mut Random) -> Given {
	let spec = TensorSpec { dtype: DType::I8, rows, cols };
	let mut element = || match random.below(8) {
		0 => -128i32 as u32,
		1 => 127,
		_ => (random.next() >> 24) as u8 as i8 as u32,
	};
	Given::Tensor(spec, (0..rows * cols).map(|_| element()).collect(), false)
}

#[test]
fn int8_products() {
	let (backends, mut random) = (backends(), Random(12));
	let mut shapes =
		vec![(1, 1, 1), (1, 512, 1), (3, 513, 7), (13, 1024, 33), (12, 1, 32), (6, 2051, 16), (97, 40, 101)];
	// Above the threshold for threads, and beyond one block of rows, columns or the inner dimension.
	shapes.extend([(130, 140, 150), (1100, 3, 700), (5, 5, 1100), (7, 4100, 9)]);
	for _ in 0..12 {
		shapes.push((1 + random.below(60), 1 + random.below(1200), 1 + random.below(60)));
	}
	for (m, k, n) in shapes {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { i8s(k, m, &mut random) } else { i8s(m, k, &mut random) };
			let b = if trans_b { i8s(n, k, &mut random) } else { i8s(k, n, &mut random) };
			let output = TensorSpec { dtype: DType::I32, rows: m, cols: n };
			check(&backends, OpKind::MatMulI8 { trans_a, trans_b }, &[a, b], output);
		}
	}
	let longest = assay_program::shape::MAX_INNER_I8;
	let lowest = |rows, cols| {
		let spec = TensorSpec { dtype: DType::I8, rows, cols };
		Given::Tensor(spec, vec![-128i32 as u32; longest as usize], false)
	};
	let output = TensorSpec { dtype: DType::I32, rows: 1, cols: 1 };
	let kind = OpKind::MatMulI8 { trans_a: false, trans_b: false };
	check(&backends, kind, &[lowest(1, longest), lowest(longest, 1)], output);
}

#[test]
fn to_and_from_integers() {
	let (backends, mut random) = (backends(), Random(13));
	for (rows, cols) in [(1, 1), (1, 3000), (70, 1), (17, 65), (300, 230)] {
		for (scale_rows, scale_cols) in [(rows, 1), (1, cols), (1, 1), (rows, cols)] {
			for special in [false, true] {
				let mut element = || if special { random.any() } else { random.ordinary() };
				let (x, scale) = (f32s(rows, cols, &mut element), f32s(scale_rows, scale_cols, &mut element));
				let output = TensorSpec { dtype: DType::I8, rows, cols };
				check(&backends, OpKind::Quantise, &[x.clone(), scale.clone()], output);
				check(&backends, OpKind::Quantise, &[x, Given::Scalar(0x3c00_0000)], output);
				let across = f32s(1, cols, &mut element);
				let value = i32s(rows, cols, || random.next() >> random.below(32));
				check(&backends, OpKind::Dequantise, &[value, scale, across], TensorSpec::f32(rows, cols));
			}
		}
	}
	// Ties of every kind.
	let halves = f32s(1, 1200, || (random.below(600) as f32 / 2.0 - 150.0).to_bits());
	check(
		&backends,
		OpKind::Quantise,
		&[halves, Given::Scalar(0x3f80_0000)],
		TensorSpec { dtype: DType::I8, rows: 1, cols: 1200 },
	);
	// Every rounding of an integer to a number.
	let value = i32s(1, 100_000, || random.next() >> random.below(10));
	let one = Given::Scalar(0x3f80_0000);
	check(&backends, OpKind::Dequantise, &[value, one.clone(), one], TensorSpec::f32(1, 100_000));
}

#[test]
fn sampling() {
	let (backends, mut random) = (backends(), Random(14));
	for (rows, cols) in [(1, 1), (1, 3000), (70, 1), (9, 31), (40, 33), (300, 1000)] {
		let output = TensorSpec { dtype: DType::I32, rows, cols: 1 };
		for round in 0..4 {
			let x = f32s(rows, cols, || match round {
				0 => random.ordinary(),
				1 => random.any(),
				// Few different values, zeros of both signs among them.
				2 => [0, 0x8000_0000, 0x3f80_0000][random.below(3) as usize],
				_ => 0x8000_0000 | random.below(3),
			});
			check(&backends, OpKind::ArgMax, core::slice::from_ref(&x), output);
			check(&backends, OpKind::Gumbel { stream: round }, &[x], TensorSpec::f32(rows, cols));
		}
	}
}

#[test]
fn windows() {
	let (backends, mut random) = (backends(), Random(15));
	for round in 0..40 {
		let (height, width) = (1 + random.below(14), 1 + random.below(14));
		let (kernel_height, kernel_width) = (1 + random.below(height), 1 + random.below(width));
		let padding = random.below(kernel_height.min(kernel_width));
		let stride = 1 + random.below(4);
		let window = Window { height, width, kernel_height, kernel_width, stride, padding };
		let channels = 1 + random.below(40);
		// The last ones above the threshold for threads.
		let images = if round >= 36 { 60 } else { 1 + random.below(4) };
		let x = f32s(images * height * width, channels, || random.any());
		let (down, across) = window.positions().expect("fits");
		let (rows, cols) = (images * down * across, kernel_height * kernel_width * channels);
		check(&backends, OpKind::Im2col(window), &[x], TensorSpec::f32(rows, cols));
		let special = round % 2 == 0;
		let y = f32s(rows, cols, || if special && random.below(99) == 0 { random.any() } else { random.ordinary() });
		check(&backends, OpKind::Col2im(window), &[y], TensorSpec::f32(images * height * width, channels));
	}
}

#[test]
fn rotations_and_reshapes() {
	let (backends, mut random) = (backends(), Random(16));
	for log2 in 1..=5 {
		for (rows, blocks) in [(1, 1), (3, 7), (300, 20)] {
			for special in [false, true] {
				let mut element = || if special { random.any() } else { random.ordinary() };
				let (axis, cols) = (Axis::Cols, blocks << log2);
				let x = f32s(rows, cols, &mut element);
				check(&backends, OpKind::Hadamard { log2, axis }, &[x], TensorSpec::f32(rows, cols));
				let x = f32s(cols, rows, &mut element);
				check(&backends, OpKind::Hadamard { log2, axis: Axis::Rows }, &[x], TensorSpec::f32(cols, rows));
			}
		}
	}
	for ((rows, cols), (to_rows, to_cols)) in [((60, 35), (35, 60)), ((2100, 1), (1, 2100)), ((300, 700), (2100, 100))]
	{
		let x = f32s(rows, cols, || random.any());
		check(&backends, OpKind::Reshape, &[x], TensorSpec::f32(to_rows, to_cols));
		let x = i32s(rows, cols, || random.next());
		check(&backends, OpKind::Reshape, &[x], TensorSpec { dtype: DType::I32, rows: to_rows, cols: to_cols });
	}
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
	let cpu = Cpu::new(Path::Auto, 1).expect("a backend");
	let context = Context { seed: SEED, step: 0 };
	let x = [0u32; 6];
	let matrix = |rows, cols| Input::Tensor(Matrix { dtype: DType::F32, rows, cols, bits: &x });
	let run = |kind, inputs: &[Input<'_>], rows, cols| {
		let mut out = vec![0; 6];
		cpu.run(kind, inputs, &context, Output { dtype: DType::F32, rows, cols, bits: &mut out })
	};
	let product = OpKind::MatMul { trans_a: false, trans_b: false };
	assert!(matches!(run(product, &[matrix(2, 3), matrix(2, 3)], 2, 3), Err(OpError::Shape(_))));
	assert!(matches!(run(OpKind::Unary(UnaryKind::Neg), &[matrix(2, 3)], 3, 2), Err(OpError::Shape(_))));
	assert!(matches!(run(OpKind::Unary(UnaryKind::Neg), &[matrix(5, 3)], 2, 3), Err(OpError::Shape(_))));
	assert!(matches!(run(OpKind::Fma, &[matrix(2, 3)], 2, 3), Err(OpError::Shape(_))));
	assert!(matches!(run(OpKind::OneHot, &[matrix(6, 1)], 6, 1), Err(OpError::Shape(_))));
	assert!(matches!(run(OpKind::Unary(UnaryKind::Neg), &[matrix(2, 3)], 2, 4), Err(OpError::Shape(_))));
}

#[test]
fn packed_operands_that_do_not_fit_are_refused() {
	let cpu = Cpu::new(Path::Auto, 1).expect("a backend");
	let x = [0u32; 12];
	let matrix = |dtype, rows, cols| Matrix { dtype, rows, cols, bits: &x };
	let packed = cpu.pack(&matrix(DType::F32, 3, 4), false).expect("packs");
	let product = OpKind::MatMul { trans_a: false, trans_b: false };
	let run = |cpu: &Cpu, kind, a: Matrix<'_>, cols: u32| {
		let mut bits = vec![0; (a.rows * cols) as usize];
		cpu.run_packed(kind, &a, &packed, Output { dtype: DType::F32, rows: a.rows, cols, bits: &mut bits })
	};
	assert_eq!(run(&cpu, product, matrix(DType::F32, 4, 3), 4), Ok(()));
	assert!(matches!(run(&cpu, product, matrix(DType::F32, 3, 4), 4), Err(OpError::Shape(_))));
	assert!(matches!(run(&cpu, product, matrix(DType::F32, 4, 3), 3), Err(OpError::Shape(_))));
	assert!(matches!(run(&cpu, product, matrix(DType::I8, 4, 3), 4), Err(OpError::Shape(_))));
	let transposed = OpKind::MatMul { trans_a: true, trans_b: false };
	assert!(matches!(run(&cpu, transposed, matrix(DType::F32, 4, 3), 4), Err(OpError::Shape(_))));
	// Another path has another form.
	let portable = Cpu::new(Path::Portable, 1).expect("a backend");
	if cpu.path() != Path::Portable {
		assert!(matches!(run(&portable, product, matrix(DType::F32, 4, 3), 4), Err(OpError::Shape(_))));
	}
	assert!(matches!(cpu.pack(&matrix(DType::I32, 3, 4), false), Err(OpError::Shape(_))));
	assert!(matches!(cpu.pack(&matrix(DType::F32, 3, 5), false), Err(OpError::Shape(_))));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_thread_that_flushes_subnormals_is_refused() {
	let cpu = Cpu::new(Path::Auto, 1).expect("a backend");
	let x = [1u32];
	let run = || {
		let input = Input::Tensor(Matrix { dtype: DType::F32, rows: 1, cols: 1, bits: &x });
		let out = Output { dtype: DType::F32, rows: 1, cols: 1, bits: &mut [0] };
		cpu.run(OpKind::Unary(UnaryKind::Neg), &[input], &Context { seed: SEED, step: 0 }, out)
	};
	let set = |mode: u32| {
		// SAFETY: loads MXCSR from a local; the default and flush-to-zero are both valid values.
		unsafe { core::arch::asm!("ldmxcsr [{}]", in(reg) &mode, options(nostack)) }
	};
	assert_eq!(run(), Ok(()));
	set(0x9f80);
	let refused = run();
	set(0x1f80);
	assert_eq!(refused, Err(OpError::FloatEnvironment));
	assert_eq!(run(), Ok(()));
}
