//! The whole-op oracle against the machine's own binary32, in the order that the numerics contract fixes.

use assay_program::{Axis, OpGeometry, OpKind, OperandSpec, Reduction, StepContext, TensorSpec};
use assay_referee::{run_op, Input};

const CONTEXT: StepContext = StepContext { seed: [0; 32], step: 0 };

fn values(n: usize, mut seed: u64) -> Vec<f32> {
	let mut next = || {
		seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
		(seed >> 40) as f32 / (1 << 23) as f32 - 1.0
	};
	(0..n).map(|_| next() * [1.0, 1e3, 1e-30, 1e-42][(next().to_bits() % 4) as usize]).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
	values.iter().map(|value| value.to_bits()).collect()
}

fn operand(rows: u32, cols: u32) -> OperandSpec {
	OperandSpec::Tensor { spec: TensorSpec::f32(rows, cols), data: false }
}

#[test]
fn matmul_is_chains_of_512() {
	let (m, k, n) = (5usize, 1337usize, 7usize);
	let (a, b) = (values(m * k, 1), values(k * n, 2));
	let mut expected = vec![];
	for row in 0..m {
		for col in 0..n {
			let segments: Vec<f32> = (0..k)
				.collect::<Vec<_>>()
				.chunks(512)
				.map(|ks| ks.iter().fold(0f32, |sum, i| a[row * k + i].mul_add(b[i * n + col], sum)))
				.collect();
			expected.push(segments[1..].iter().fold(segments[0], |total, segment| total + segment));
		}
	}
	let kind = OpKind::MatMul { trans_a: false, trans_b: false };
	let inputs = vec![operand(m as u32, k as u32), operand(k as u32, n as u32)];
	let geometry = OpGeometry::new(kind, inputs, TensorSpec::f32(m as u32, n as u32), 1).unwrap();
	let result = run_op(&geometry, &[Input::Tensor(&bits(&a)), Input::Tensor(&bits(&b))], &CONTEXT).unwrap();
	assert_eq!(result, bits(&expected));
}

#[test]
fn sums_are_lanes_and_a_halving_tree() {
	let (rows, cols) = (3usize, 9001usize);
	let x = values(rows * cols, 3);
	let expected: Vec<f32> = x
		.chunks(cols)
		.map(|row| {
			let segments: Vec<f32> = row
				.chunks(4096)
				.map(|segment| {
					let mut lanes = [0f32; 32];
					for (i, value) in segment.iter().enumerate() {
						lanes[i % 32] += value;
					}
					for half in [16, 8, 4, 2, 1] {
						for i in 0..half {
							lanes[i] += lanes[i + half];
						}
					}
					lanes[0]
				})
				.collect();
			segments[1..].iter().fold(segments[0], |total, segment| total + segment)
		})
		.collect();
	let kind = OpKind::Reduce { reduction: Reduction::Sum, axis: Axis::Cols };
	let geometry =
		OpGeometry::new(kind, vec![operand(rows as u32, cols as u32)], TensorSpec::f32(rows as u32, 1), 1).unwrap();
	assert_eq!(run_op(&geometry, &[Input::Tensor(&bits(&x))], &CONTEXT).unwrap(), bits(&expected));

	let kind = OpKind::Reduce { reduction: Reduction::Max, axis: Axis::Cols };
	let geometry =
		OpGeometry::new(kind, vec![operand(rows as u32, cols as u32)], TensorSpec::f32(rows as u32, 1), 1).unwrap();
	let greatest: Vec<f32> = x.chunks(cols).map(|row| row.iter().copied().fold(f32::MIN, f32::max)).collect();
	assert_eq!(run_op(&geometry, &[Input::Tensor(&bits(&x))], &CONTEXT).unwrap(), bits(&greatest));
}
