//! Milliseconds of the largest micro-op of each kind: `cargo run --release -p assay-referee --example referee_bench`.

use assay_commitment::{layout::CHUNK_BYTES, DType};
use assay_program::{
	shape::infer, Axis, BinaryKind, OpGeometry, OpKind, OperandSpec, Reduction, StepContext, TensorSpec, UnaryKind,
	Window,
};
use assay_referee::execute;
use std::time::Instant;

const RUNS: u32 = 20;

fn main() {
	let f32s = |rows, cols| OperandSpec::Tensor { spec: TensorSpec::f32(rows, cols), data: true };
	let labels = OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I32, rows: 64, cols: 1 }, data: false };
	let matmul = |trans_a, trans_b| OpKind::MatMul { trans_a, trans_b };
	let sum = |axis| OpKind::Reduce { reduction: Reduction::Sum, axis };
	let bytes = |rows, cols| OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I8, rows, cols }, data: true };
	let sums = |rows, cols| OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I32, rows, cols }, data: false };
	let int8 = |trans_a, trans_b| OpKind::MatMulI8 { trans_a, trans_b };
	let window = |side: u32, kernel| Window {
		height: side,
		width: side,
		kernel_height: kernel,
		kernel_width: kernel,
		stride: 1,
		padding: kernel / 2,
	};
	let cases = [
		("matmul, 8 x 32 x 256", matmul(false, false), vec![f32s(64, 4096), f32s(4096, 64)]),
		("matmul, both transposed", matmul(true, true), vec![f32s(4096, 64), f32s(64, 4096)]),
		("matmul of one row, 256 x 64", matmul(false, false), vec![f32s(1, 4096), f32s(4096, 1024)]),
		("sum over columns, 8 x 512", sum(Axis::Cols), vec![f32s(64, 8192)]),
		("sum over rows, 64 x 256", sum(Axis::Rows), vec![f32s(8192, 1024)]),
		("exp, 256", OpKind::Unary(UnaryKind::Exp), vec![f32s(64, 64)]),
		("log, 256", OpKind::Unary(UnaryKind::Log), vec![f32s(64, 64)]),
		("tanh, 256", OpKind::Unary(UnaryKind::Tanh), vec![f32s(64, 64)]),
		("sqrt, 256", OpKind::Unary(UnaryKind::Sqrt), vec![f32s(64, 64)]),
		("div, 256", OpKind::Binary(BinaryKind::Div), vec![f32s(64, 64), f32s(64, 64)]),
		("fma, 256", OpKind::Fma, vec![f32s(64, 64), f32s(64, 64), f32s(64, 64)]),
		("gather, 8 rows", OpKind::GatherBatch { stream: 0 }, vec![f32s(1000, 64)]),
		("one hot, 8 rows", OpKind::OneHot, vec![labels]),
		("int8 matmul, 8 x 32 x 512", int8(false, false), vec![bytes(64, 4096), bytes(4096, 64)]),
		("int8 matmul, transposed", int8(true, false), vec![bytes(4096, 64), bytes(4096, 64)]),
		("int8 matmul of one row", int8(false, false), vec![bytes(1, 4096), bytes(4096, 1024)]),
		("quantise, 1024", OpKind::Quantise, vec![f32s(64, 64), f32s(64, 1)]),
		("dequantise, 256", OpKind::Dequantise, vec![sums(64, 64), f32s(64, 1), f32s(1, 64)]),
		("arg max, 8 x 512", OpKind::ArgMax, vec![f32s(64, 8192)]),
		("gumbel, 256", OpKind::Gumbel { stream: 0 }, vec![f32s(64, 64)]),
		("hadamard, 256", OpKind::Hadamard { log2: 5, axis: Axis::Rows }, vec![f32s(64, 64)]),
		("im2col, 256", OpKind::Im2col(window(32, 31)), vec![f32s(1024, 1)]),
		("col2im, 256", OpKind::Col2im(window(16, 3)), vec![f32s(256, 576)]),
		("reshape, 256", OpKind::Reshape, vec![f32s(64, 64)]),
		("erf, 256", OpKind::Unary(UnaryKind::Erf), vec![f32s(64, 64)]),
		("sin, 256", OpKind::Unary(UnaryKind::Sin), vec![f32s(64, 64)]),
		("rsqrt, 256", OpKind::Unary(UnaryKind::Rsqrt), vec![f32s(64, 64)]),
	];
	let context = StepContext { seed: [1; 32], step: 0 };
	println!("{:28} {:>10} {:>12} {:>10}", "micro-op", "opened, B", "scalar ops", "ms");
	for (name, kind, inputs) in cases {
		let Ok(output) = infer(kind, &inputs, 64) else { panic!("{name}: inputs do not fit") };
		let Ok(geometry) = OpGeometry::new(kind, inputs, output, 64) else { panic!("{name}: no geometry") };
		// The link that ends a segment, where there is one: it folds on top.
		let link = (0..geometry.chain_len()).find(|link| geometry.link(*link).is_some_and(|link| link.ends_segment()));
		let link = link.unwrap_or(0);
		let (Some(runs), Some(cost), Some(words)) = (
			geometry.micro_inputs(&context, 0, link),
			geometry.micro_cost(&context, 0, link),
			geometry.accumulator_words(0),
		) else {
			panic!("{name}: no such micro-op")
		};
		let mut state = 1u64;
		let bytes: Vec<Vec<u8>> = runs.iter().map(|run| numbers((CHUNK_BYTES << run.log2) / 4, &mut state)).collect();
		let chunks: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
		let accumulator = if link > 0 { numbers(words, &mut state) } else { Vec::new() };
		let best = (0..RUNS)
			.map(|_| {
				let start = Instant::now();
				let result = execute(&geometry, &context, 0, link, &accumulator, &chunks);
				assert!(result.is_ok(), "{name}: {result:?}");
				start.elapsed()
			})
			.min();
		println!(
			"{name:28} {:>10} {:>12} {:>10.3}",
			cost.bytes,
			cost.ops,
			best.unwrap_or_default().as_secs_f64() * 1e3
		);
	}
}

/// Numbers in `[1, 2)`.
fn numbers(n: usize, state: &mut u64) -> Vec<u8> {
	let mut next = || {
		*state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
		0x3f80_0000 | (*state >> 41) as u32
	};
	(0..n).flat_map(|_| next().to_le_bytes()).collect()
}
