//! The micro-ops of an op put together are its whole output, for every kind, over odd shapes and special values.

use assay_commitment::{layout::CHUNK_BYTES, DType};
use assay_program::shape::MAX_INNER_I8;
use assay_program::{
	refine::{MAX_MICRO_BYTES, MAX_MICRO_OPS},
	shape::{infer, is_finite, ShapeError},
	Axis, BinaryKind, OpGeometry, OpKind, OperandSpec, Reduction, StepContext, TensorSpec, UnaryKind, Window,
};
use assay_referee::{execute, run_op, Fault, Input, MicroOutput};

const CONTEXT: StepContext = StepContext { seed: [9; 32], step: 41 };

/// Bits of +-0, subnormals, the least and greatest normals, one and its neighbours.
const SPECIAL: [u32; 12] = [
	0,
	0x8000_0000,
	1,
	0x8000_0001,
	0x007f_ffff,
	0x0080_0000,
	0x8080_0000,
	0x7f7f_ffff,
	0xff7f_ffff,
	0x3f80_0000,
	0x3f80_0001,
	0xbf7f_ffff,
];

struct Random(u64);

impl Random {
	fn next(&mut self) -> u32 {
		self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
		(self.0 >> 32) as u32
	}

	fn below(&mut self, n: u32) -> u32 {
		((u64::from(self.next()) * u64::from(n)) >> 32) as u32
	}

	/// Mostly numbers around one, some of any exponent, some special, and NaN or infinity `poison` times in 4096.
	fn f32_bits(&mut self, poison: u32) -> u32 {
		if self.below(4096) < poison {
			return [0x7f80_0000, 0xff80_0000, 0x7fc0_0001, 0xffff_ffff][self.below(4) as usize];
		}
		match self.below(16) {
			0 => SPECIAL[self.below(12) as usize],
			1 => Some(self.next()).filter(|bits| is_finite(*bits)).unwrap_or(7),
			_ => (f32::from_bits(0x3f80_0000 | self.next() >> 9) * 4.0 - 6.0).to_bits(),
		}
	}
}

/// Runs every micro-op of an op and compares with the whole op, element by element, padding included.
fn check(kind: OpKind, inputs: &[OperandSpec], output: TensorSpec, tensors: &[Vec<u32>]) -> u32 {
	let geometry = OpGeometry::new(kind, inputs.to_vec(), output, output.rows).unwrap();
	let mut given = tensors.iter();
	let operands: Vec<Input> = inputs
		.iter()
		.map(|input| match input {
			OperandSpec::Scalar(bits) => Input::Scalar(*bits),
			OperandSpec::Tensor { .. } => Input::Tensor(given.next().unwrap()),
		})
		.collect();
	let whole = run_op(&geometry, &operands, &CONTEXT).unwrap();
	let canonical: Vec<Vec<u8>> = (0u8..)
		.zip(&operands)
		.map(|(operand, input)| match input {
			Input::Tensor(bits) => geometry.input_layout(operand).unwrap().to_canonical(bits).unwrap(),
			Input::Scalar(_) => Vec::new(),
		})
		.collect();
	let layout = geometry.output_layout();
	let mut finite = 0;
	for chunk in 0..layout.chunks() {
		let mut accumulator = Vec::new();
		for link in 0..geometry.chain_len() {
			let cost = geometry.micro_cost(&CONTEXT, chunk, link).unwrap();
			assert!(cost.ops <= MAX_MICRO_OPS && cost.bytes <= MAX_MICRO_BYTES, "{kind:?} {cost:?}");
			let runs = geometry.micro_inputs(&CONTEXT, chunk, link).unwrap();
			let chunks: Vec<&[u8]> = runs
				.iter()
				.map(|run| {
					&canonical[run.operand as usize][run.start as usize * CHUNK_BYTES..][..CHUNK_BYTES << run.log2]
				})
				.collect();
			let expected = |slot| {
				let (row, col) = layout.element_of(chunk, slot)?;
				Some(whole[row as usize * output.cols as usize + col as usize])
			};
			match execute(&geometry, &CONTEXT, chunk, link, &accumulator, &chunks) {
				Ok(MicroOutput::Accumulator(bytes)) => {
					assert!(link + 1 < geometry.chain_len());
					assert_eq!(bytes.len(), geometry.accumulator_words(chunk).unwrap() * 4);
					accumulator = bytes;
				}
				Ok(MicroOutput::Chunk(bytes)) => {
					assert_eq!(link + 1, geometry.chain_len());
					let mut words = vec![0; layout.chunk_elements() as usize];
					layout.read(&bytes, &mut words);
					for (slot, bits) in (0u32..).zip(words) {
						assert_eq!(bits, expected(slot).unwrap_or(0), "{kind:?} {inputs:?} chunk {chunk} slot {slot}");
					}
					finite += 1;
				}
				Err(fault) => {
					assert_eq!(fault, Fault::NonFinite);
					assert!((0..256).filter_map(expected).any(|bits| !is_finite(bits)));
				}
			}
		}
	}
	finite
}

fn tensor(dtype: DType, rows: u32, cols: u32, data: bool) -> OperandSpec {
	OperandSpec::Tensor { spec: TensorSpec { dtype, rows, cols }, data }
}

fn f32s(rows: u32, cols: u32) -> OperandSpec {
	tensor(DType::F32, rows, cols, false)
}

fn values(random: &mut Random, operand: &OperandSpec, poison: u32) -> Vec<u32> {
	let spec = operand.spec().unwrap();
	let mut element = || match spec.dtype {
		DType::F32 => random.f32_bits(poison),
		DType::I32 => random.next() as i32 as u32,
		DType::I8 => (random.next() >> 24) as u8 as i8 as u32,
	};
	(0..spec.elements()).map(|_| element()).collect()
}

fn run(random: &mut Random, kind: OpKind, inputs: &[OperandSpec], poison: u32) -> u32 {
	let output = infer(kind, inputs, 0).unwrap();
	let tensors: Vec<_> =
		inputs.iter().filter(|input| input.spec().is_some()).map(|input| values(random, input, poison)).collect();
	check(kind, inputs, output, &tensors)
}

#[test]
fn matmul() {
	let mut random = Random(1);
	let mut shapes =
		vec![(1, 1, 1), (1, 1500, 300), (9, 1500, 33), (40, 1, 70), (33, 513, 1), (1, 511, 1), (70, 512, 5)];
	shapes.push((1, 64, 1025));
	for _ in 0..12 {
		shapes.push((1 + random.below(70), 1 + random.below(600), 1 + random.below(70)));
	}
	let mut finite = 0;
	for (m, k, n) in shapes {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { f32s(k, m) } else { f32s(m, k) };
			let b = if trans_b { f32s(n, k) } else { f32s(k, n) };
			for poison in [0, 1] {
				finite += run(&mut random, OpKind::MatMul { trans_a, trans_b }, &[a, b], poison);
			}
		}
	}
	assert!(finite > 100);
}

#[test]
fn reductions() {
	let mut random = Random(2);
	let mut shapes =
		vec![(1, 1), (1, 9000), (3, 9000), (9000, 3), (9000, 1), (4097, 300), (40, 4096), (2, 31), (31, 2), (33, 33)];
	for _ in 0..12 {
		shapes.push((1 + random.below(200), 1 + random.below(1200)));
	}
	let mut finite = 0;
	for (rows, cols) in shapes {
		for reduction in [Reduction::Sum, Reduction::Max] {
			for axis in [Axis::Rows, Axis::Cols] {
				for poison in [0, 1] {
					finite += run(&mut random, OpKind::Reduce { reduction, axis }, &[f32s(rows, cols)], poison);
				}
			}
		}
	}
	assert!(finite > 100);
}

#[test]
fn unary() {
	use UnaryKind::*;
	let mut random = Random(3);
	let mut finite = 0;
	for kind in [Neg, Abs, Relu, Exp, Log, Tanh, Sqrt, Sigmoid, Erf, Sin, Cos, Rsqrt] {
		for (rows, cols) in [(1, 1), (1, 1300), (33, 1), (70, 45), (31, 97)] {
			for poison in [0, 8] {
				finite += run(&mut random, OpKind::Unary(kind), &[f32s(rows, cols)], poison);
			}
		}
	}
	assert!(finite > 100);
}

#[test]
fn binary_and_fma_broadcast() {
	use BinaryKind::*;
	let mut random = Random(4);
	let mut finite = 0;
	for (rows, cols) in [(1, 1), (1, 1300), (33, 1), (70, 45)] {
		for round in 0..24 {
			let operand = |random: &mut Random| match random.below(5) {
				0 => OperandSpec::Scalar([0x3f00_0000, 0x8000_0000, 0xc040_0000][random.below(3) as usize]),
				1 => f32s(1, 1),
				2 => f32s(rows, 1),
				3 => f32s(1, cols),
				_ => f32s(rows, cols),
			};
			let (mut inputs, poison) = ([operand(&mut random), operand(&mut random), operand(&mut random)], round % 2);
			inputs[random.below(2) as usize] = f32s(rows, cols);
			let binary = [Add, Sub, Mul, Div, Max, Min, Greater][round as usize % 7];
			finite += run(&mut random, OpKind::Binary(binary), &inputs[..2], poison);
			finite += run(&mut random, OpKind::Fma, &inputs, poison);
		}
		// An output larger than all inputs.
		let column = f32s(rows, 1);
		let bits = values(&mut random, &column, 0);
		let inputs = [column, OperandSpec::Scalar(0)];
		finite += check(OpKind::Binary(Add), &inputs, TensorSpec::f32(rows, 50), &[bits]);
	}
	assert!(finite > 100);
}

#[test]
fn gather_and_one_hot() {
	let mut random = Random(5);
	for dtype in [DType::F32, DType::I32, DType::I8] {
		for (n, cols, batch) in [(1, 1, 1), (1, 600, 40), (1000, 1, 33), (77, 70, 9), (50, 1030, 1)] {
			let data = tensor(dtype, n, cols, true);
			let bits = values(&mut random, &data, 0);
			let output = TensorSpec { dtype, rows: batch, cols };
			for kind in [OpKind::GatherBatch { stream: 3 }, OpKind::NextBatch] {
				assert!(check(kind, &[data], output, std::slice::from_ref(&bits)) > 0);
			}
		}
	}
	for (batch, classes) in [(1, 1), (1, 1300), (40, 10), (65, 33)] {
		let labels =
			(0..batch).map(|row| if row % 7 == 6 { random.next() | 1 << 31 } else { random.below(classes + 2) });
		let bits: Vec<u32> = labels.collect();
		let column = tensor(DType::I32, batch, 1, false);
		assert!(check(OpKind::OneHot, &[column], TensorSpec::f32(batch, classes), &[bits]) > 0);
	}
}

#[test]
fn copies() {
	let mut random = Random(6);
	for dtype in [DType::F32, DType::I32, DType::I8] {
		for (rows, cols, first, count) in
			[(1, 9, 3, 5), (33, 70, 0, 70), (40, 700, 31, 650), (9, 5, 4, 1), (1, 2000, 999, 900)]
		{
			let input = tensor(dtype, rows, cols, false);
			let bits = values(&mut random, &input, 0);
			let output = TensorSpec { dtype, rows, cols: count };
			assert!(check(OpKind::Columns { first }, &[input], output, std::slice::from_ref(&bits)) > 0);
			let output = TensorSpec { dtype, rows: rows * cols, cols: 1 };
			assert!(check(OpKind::Flatten, &[input], output, &[bits]) > 0);
		}
	}
	for (rows, cols, first, of) in
		[(1, 5, 3, 9), (33, 40, 31, 100), (20, 64, 0, 64), (1, 300, 900, 2000), (9, 1, 99, 100)]
	{
		let bits = values(&mut random, &f32s(rows, cols), 0);
		assert!(check(OpKind::PadColumns { first }, &[f32s(rows, cols)], TensorSpec::f32(rows, of), &[bits]) > 0);
	}
}

#[test]
fn heads() {
	let mut random = Random(7);
	let mut shapes =
		vec![(1, 1, 1, 5), (1, 1, 3, 8), (2, 5, 3, 9), (3, 16, 4, 32), (2, 33, 5, 8), (9, 1, 40, 8), (4, 3, 2, 50)];
	for _ in 0..8 {
		shapes.push((1 + random.below(4), 1 + random.below(40), 1 + random.below(6), 8 + random.below(40)));
	}
	for (sequences, rows, heads, width) in shapes {
		let (wide, tall) = (f32s(sequences * rows, heads * width), f32s(sequences * heads * rows, width));
		assert!(run(&mut random, OpKind::SplitHeads { rows, heads }, &[wide], 0) > 0);
		assert!(run(&mut random, OpKind::MergeHeads { rows, heads }, &[tall], 0) > 0);
	}
}

#[test]
fn block_products() {
	let mut random = Random(8);
	let mut shapes = vec![
		(1, 1, 1, 1, 1),
		(1, 1, 1, 700, 300),
		(4, 2, 16, 32, 16),
		(6, 3, 5, 600, 33),
		(12, 1, 1, 1030, 40),
		(3, 1, 33, 8, 70),
		(2, 2, 40, 513, 9),
	];
	for _ in 0..10 {
		let share = 1 + random.below(3);
		let blocks = share * (1 + random.below(4));
		shapes.push((blocks, share, 1 + random.below(30), 1 + random.below(550), 1 + random.below(40)));
	}
	let mut finite = 0;
	for (blocks, share, m, k, n) in shapes {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { f32s(blocks * k, m) } else { f32s(blocks * m, k) };
			let b = if trans_b { f32s(blocks / share * n, k) } else { f32s(blocks / share * k, n) };
			for poison in [0, 1] {
				let kind = OpKind::BlockMatMul { trans_a, trans_b, blocks, share };
				finite += run(&mut random, kind, &[a, b], poison);
			}
		}
	}
	assert!(finite > 100);
}

#[test]
fn rows_by_id() {
	let mut random = Random(9);
	for (vocabulary, ids, width) in [(1, 1, 1), (1, 40, 9), (700, 33, 40), (300, 1, 600), (65, 900, 8), (1000, 70, 1)] {
		let table = f32s(vocabulary, width);
		let given: Vec<u32> = (0..ids)
			.map(|at| if at % 9 == 8 { random.next() | 1 << 31 } else { random.below(vocabulary + 2) })
			.collect();
		let column = tensor(DType::I32, ids, 1, false);
		let bits = values(&mut random, &table, 0);
		assert!(check(OpKind::Lookup, &[table, column], TensorSpec::f32(ids, width), &[bits, given.clone()]) > 0);
		let rows = f32s(ids, width);
		let bits = values(&mut random, &rows, 0);
		let output = TensorSpec::f32(vocabulary, width);
		assert!(check(OpKind::ScatterRows, &[column, rows], output, &[given, bits]) > 0);
	}
}

#[test]
fn masks() {
	let mut random = Random(10);
	for (blocks, rows, cols) in [(1, 1, 1), (1, 1, 700), (3, 5, 9), (2, 33, 40), (4, 16, 16)] {
		for offset in [0, 3, u32::MAX] {
			let kind = OpKind::Causal { rows, offset, fill: 0xf149_f2ca };
			assert!(run(&mut random, kind, &[f32s(blocks * rows, cols)], 0) > 0);
		}
		let kind = OpKind::Dropout { stream: 5, keep: 3 << 30, scale: 0x3faa_aaab };
		assert!(run(&mut random, kind, &[f32s(blocks * rows, cols)], 0) > 0);
	}
}

fn bytes(rows: u32, cols: u32) -> OperandSpec {
	tensor(DType::I8, rows, cols, false)
}

#[test]
fn reshapes() {
	let mut random = Random(11);
	let shapes = [((1, 1), (1, 1)), ((60, 35), (35, 60)), ((2100, 1), (30, 70)), ((30, 70), (2100, 1))];
	let wide = [((1, 2100), (700, 3)), ((700, 3), (1, 2100)), ((45, 100), (1500, 3)), ((1500, 3), (45, 100))];
	// Runs that begin anywhere in a tile.
	let odd = [((2050, 1), (50, 41)), ((1025, 2), (50, 41)), ((3, 33), (33, 3)), ((5, 1021), (1021, 5))];
	for ((rows, cols), (to_rows, to_cols)) in shapes.into_iter().chain(wide).chain(odd) {
		for dtype in [DType::F32, DType::I32] {
			let input = tensor(dtype, rows, cols, false);
			let bits = values(&mut random, &input, 0);
			let output = TensorSpec { dtype, rows: to_rows, cols: to_cols };
			assert!(check(OpKind::Reshape, &[input], output, &[bits]) > 0);
		}
	}
}

#[test]
fn int8_products() {
	let mut random = Random(12);
	let mut shapes = vec![(1, 1, 1), (1, 1500, 300), (9, 1500, 33), (40, 1, 70), (33, 513, 1), (1, 511, 1)];
	shapes.extend([(70, 512, 5), (1, 64, 1025), (65, 129, 63)]);
	for _ in 0..8 {
		shapes.push((1 + random.below(70), 1 + random.below(1200), 1 + random.below(70)));
	}
	for (m, k, n) in shapes {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { bytes(k, m) } else { bytes(m, k) };
			let b = if trans_b { bytes(n, k) } else { bytes(k, n) };
			assert!(run(&mut random, OpKind::MatMulI8 { trans_a, trans_b }, &[a, b], 0) > 0);
		}
	}
	// The longest inner dimension, every product the largest.
	let lowest = vec![-128i32 as u32; MAX_INNER_I8 as usize];
	let (a, b) = (bytes(1, MAX_INNER_I8), bytes(MAX_INNER_I8, 1));
	let kind = OpKind::MatMulI8 { trans_a: false, trans_b: false };
	let output = TensorSpec { dtype: DType::I32, rows: 1, cols: 1 };
	assert!(check(kind, &[a, b], output, &[lowest.clone(), lowest]) > 0);
	let beyond = infer(kind, &[bytes(2, MAX_INNER_I8 + 1), bytes(MAX_INNER_I8 + 1, 3)], 0);
	assert_eq!(beyond, Err(ShapeError::InnerTooLong { inner: MAX_INNER_I8 + 1 }));
}

#[test]
fn to_and_from_integers() {
	let mut random = Random(13);
	let i32s = |rows, cols| tensor(DType::I32, rows, cols, false);
	for (rows, cols) in [(1, 1), (1, 3000), (70, 1), (17, 65), (90, 130)] {
		for (scale_rows, scale_cols) in [(rows, 1), (1, cols), (1, 1), (rows, cols)] {
			let scale = f32s(scale_rows, scale_cols);
			for poison in [0, 8] {
				assert!(run(&mut random, OpKind::Quantise, &[f32s(rows, cols), scale], poison) > 0);
			}
			let half = OperandSpec::Scalar(0x3f00_0000);
			assert!(run(&mut random, OpKind::Quantise, &[f32s(rows, cols), half], 0) > 0);
			run(&mut random, OpKind::Dequantise, &[i32s(rows, cols), scale, f32s(1, cols)], 1);
			run(&mut random, OpKind::Dequantise, &[i32s(rows, cols), half, scale], 0);
		}
	}
	// Ties, both clamps, zero by zero, and what overflows on the way.
	let x = [2.5f32, 3.5, -2.5, 126.5, 127.5, -127.5, 1e9, -1e9, 0.0, 1.0].map(f32::to_bits).to_vec();
	let scale = [1.0f32, 1.0, 1.0, 1.0, 1.0, 1.0, 1e-30, 1e-30, 0.0, 0.0].map(f32::to_bits).to_vec();
	let geometry =
		OpGeometry::new(OpKind::Quantise, vec![f32s(1, 10); 2], TensorSpec { dtype: DType::I8, rows: 1, cols: 10 }, 1);
	let whole = run_op(&geometry.unwrap(), &[Input::Tensor(&x), Input::Tensor(&scale)], &CONTEXT).unwrap();
	let whole: Vec<i32> = whole.into_iter().map(|bits| bits as i32).collect();
	assert_eq!(whole, [2, 4, -2, 126, 127, -127, 127, -127, 0, 127]);
	let output = TensorSpec { dtype: DType::I8, rows: 1, cols: 10 };
	assert!(check(OpKind::Quantise, &[f32s(1, 10); 2], output, &[x, scale]) > 0);
}

#[test]
fn sampling() {
	let mut random = Random(14);
	for (rows, cols) in [(1, 1), (1, 3000), (70, 1), (9, 513), (40, 1100)] {
		let x = f32s(rows, cols);
		for poison in [0, 8] {
			assert!(run(&mut random, OpKind::ArgMax, &[x], poison) > 0);
		}
		// Few different values, so that many are equal, zeros of both signs among them.
		let bits = (0..rows * cols).map(|_| [0, 0x8000_0000, 0x3f80_0000][random.below(3) as usize]).collect();
		assert!(check(OpKind::ArgMax, &[x], infer(OpKind::ArgMax, &[x], 0).unwrap(), &[bits]) > 0);
		assert!(run(&mut random, OpKind::Gumbel { stream: 4 }, &[x], 0) > 0);
	}
}

#[test]
fn windows() {
	let mut random = Random(15);
	let window = |size: (u32, u32), kernel: (u32, u32), stride, padding| Window {
		height: size.0,
		width: size.1,
		kernel_height: kernel.0,
		kernel_width: kernel.1,
		stride,
		padding,
	};
	let mut cases = vec![
		(1, 1, window((1, 1), (1, 1), 1, 0)),
		(1, 300, window((1, 1), (1, 1), 1, 0)),
		(3, 1, window((8, 8), (3, 3), 1, 1)),
		(2, 40, window((7, 5), (3, 2), 2, 1)),
		(2, 3, window((9, 11), (5, 5), 3, 2)),
		(2, 2, window((8, 8), (2, 2), 2, 0)),
		// The whole image at one position.
		(5, 6, window((8, 8), (8, 8), 1, 0)),
		(1, 1, window((30, 40), (30, 40), 1, 0)),
		(2, 1, window((1, 700), (1, 350), 7, 0)),
		(2, 1, window((700, 1), (350, 1), 7, 0)),
		(2, 33, window((4, 6), (3, 3), 1, 2)),
	];
	for _ in 0..12 {
		let (height, width) = (1 + random.below(12), 1 + random.below(12));
		let kernel = (1 + random.below(height), 1 + random.below(width));
		let padding = random.below(kernel.0.min(kernel.1));
		let size = window((height, width), kernel, 1 + random.below(4), padding);
		cases.push((1 + random.below(3), 1 + random.below(40), size));
	}
	for (images, channels, window) in cases {
		let x = f32s(images * window.pixels().unwrap(), channels);
		let columns = infer(OpKind::Im2col(window), &[x], 0).unwrap();
		assert!(run(&mut random, OpKind::Im2col(window), &[x], 0) > 0);
		let y = f32s(columns.rows, columns.cols);
		assert_eq!(infer(OpKind::Col2im(window), &[y], 0).unwrap(), x.spec().unwrap());
		assert!(run(&mut random, OpKind::Col2im(window), &[y], 0) > 0);
	}
	let refused = [
		window((8, 8), (9, 3), 1, 0),
		window((8, 8), (3, 3), 0, 0),
		window((8, 8), (3, 3), 1, 3),
		window((8, 8), (0, 3), 1, 0),
		window((8, 7), (3, 3), 1, 0),
		window((u32::MAX, u32::MAX), (3, 3), 1, 0),
		window((8, 8), (u32::MAX, u32::MAX), 1, u32::MAX - 1),
	];
	for window in refused {
		assert_eq!(infer(OpKind::Im2col(window), &[f32s(64, 3)], 0), Err(ShapeError::Window), "{window:?}");
		assert_eq!(infer(OpKind::Col2im(window), &[f32s(64, 27)], 0), Err(ShapeError::Window), "{window:?}");
	}
}

#[test]
fn rotations() {
	let mut random = Random(16);
	for log2 in 1..=5 {
		for (rows, blocks) in [(1, 1), (1, 41), (9, 3), (33, 5)] {
			let (axis, x) = (Axis::Cols, f32s(rows, blocks << log2));
			assert!(run(&mut random, OpKind::Hadamard { log2, axis }, &[x], 0) > 0);
			let x = f32s(blocks << log2, rows);
			assert!(run(&mut random, OpKind::Hadamard { log2, axis: Axis::Rows }, &[x], 0) > 0);
		}
	}
	for (log2, by) in [(0, 0), (6, 0), (200, 0), (3, 8)] {
		for (axis, x) in [(Axis::Cols, f32s(2, 36)), (Axis::Rows, f32s(36, 2))] {
			let refused = infer(OpKind::Hadamard { log2, axis }, &[x], 0);
			assert_eq!(refused, Err(ShapeError::NotDivisible { input: 0, by }));
		}
	}
}

#[test]
fn attributes_that_do_not_fit_are_refused() {
	let refused = |kind, inputs: &[OperandSpec]| infer(kind, inputs, 0).unwrap_err();
	let by_zero = OpKind::SplitHeads { rows: 0, heads: 2 };
	assert_eq!(refused(by_zero, &[f32s(4, 16)]), ShapeError::NotDivisible { input: 0, by: 0 });
	let narrow = OpKind::SplitHeads { rows: 2, heads: 4 };
	assert_eq!(refused(narrow, &[f32s(4, 16)]), ShapeError::HeadTooNarrow { cols: 4 });
	let share = OpKind::BlockMatMul { trans_a: false, trans_b: false, blocks: 4, share: 3 };
	assert_eq!(refused(share, &[f32s(4, 16), f32s(16, 2)]), ShapeError::NotDivisible { input: 1, by: 3 });
	let huge = OpKind::MergeHeads { rows: u32::MAX, heads: u32::MAX };
	assert!(matches!(refused(huge, &[f32s(4, 16)]), ShapeError::NotDivisible { .. }));
	let outside = OpKind::Columns { first: u32::MAX };
	assert!(matches!(refused(outside, &[f32s(4, 16)]), ShapeError::ColumnsOutside { .. }));
	let fill = OpKind::Causal { rows: 4, offset: 0, fill: 0x7f80_0000 };
	assert_eq!(refused(fill, &[f32s(4, 16)]), ShapeError::ScalarNotFinite { input: 1 });
	let beyond = OpGeometry::new(OpKind::Columns { first: 10 }, vec![f32s(4, 16)], TensorSpec::f32(4, 7), 1);
	assert!(beyond.is_err());
}

#[test]
fn malformed_inputs_are_faults() {
	let geometry = OpGeometry::new(
		OpKind::MatMul { trans_a: false, trans_b: false },
		vec![f32s(9, 600), f32s(600, 40)],
		TensorSpec::f32(9, 40),
		1,
	)
	.unwrap();
	let runs = geometry.micro_inputs(&CONTEXT, 0, 0).unwrap();
	let bytes: Vec<Vec<u8>> = runs.iter().map(|run| vec![0; CHUNK_BYTES << run.log2]).collect();
	let chunks: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
	let go = |chunk, link, accumulator: &[u8], chunks: &[&[u8]]| {
		execute(&geometry, &CONTEXT, chunk, link, accumulator, chunks)
	};
	assert!(go(0, 0, &[], &chunks).is_ok());
	assert_eq!(go(0, 0, &[0], &chunks), Err(Fault::Accumulator));
	assert_eq!(go(0, 1, &[0; 2047], &chunks), Err(Fault::Accumulator));
	assert!(go(0, 1, &[0; 2048], &chunks).is_ok());
	assert_eq!(go(0, 3, &[], &chunks), Err(Fault::OutOfRange));
	assert_eq!(go(8, 0, &[], &chunks), Err(Fault::OutOfRange));
	assert_eq!(go(0, 0, &[], &chunks[1..]), Err(Fault::Inputs));
	let long: Vec<&[u8]> = chunks.iter().copied().chain([chunks[0]]).collect();
	assert_eq!(go(0, 0, &[], &long), Err(Fault::Inputs));
	let mut short = chunks.clone();
	short[3] = &short[3][1..];
	assert_eq!(go(0, 0, &[], &short), Err(Fault::Inputs));
}
