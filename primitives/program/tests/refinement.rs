//! Micro-ops stay within their bounds whatever the shapes, and cover what they read.

use assay_commitment::Layout;
use assay_program::{
	refine::{MAX_MICRO_BYTES, MAX_MICRO_OPS},
	*,
};

const CONTEXT: StepContext = StepContext { seed: [2; 32], step: 77 };

fn f32s(rows: u32, cols: u32) -> OperandSpec {
	OperandSpec::Tensor { spec: TensorSpec::f32(rows, cols), data: true }
}

/// Sides from one element to beyond any tensor that fits a machine.
const SIDES: [u32; 10] = [1, 2, 31, 33, 257, 1024, 4097, 50_257, 1 << 20, (1 << 30) + 7];

fn probe(kind: OpKind, inputs: Vec<OperandSpec>, output: TensorSpec) -> Option<u64> {
	let op = OpGeometry::new(kind, inputs, output, output.rows).ok()?;
	let (chunks, links) = (op.output_layout().chunks(), op.chain_len());
	let mut most = 0;
	// Ends and middle, and a few places that no power of two divides.
	let scattered = (1..=9u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 % chunks);
	for chunk in [0, 1, chunks / 3, chunks / 2, chunks - 2, chunks - 1].into_iter().chain(scattered) {
		for link in [0, 1, links / 2, links - 1] {
			if link >= links {
				continue;
			}
			let cost = op.micro_cost(&CONTEXT, chunk, link).unwrap();
			assert!(cost.ops <= MAX_MICRO_OPS, "{kind:?} {output:?} {cost:?}");
			assert!(cost.bytes <= MAX_MICRO_BYTES, "{kind:?} {output:?} {cost:?}");
			most = most.max(cost.bytes);
			for region in op.micro_regions(&CONTEXT, chunk, link).unwrap() {
				covered(&op.input_layout(region.operand).unwrap(), &region, &op.cover(&region));
			}
		}
		assert_eq!(op.micro_inputs(&CONTEXT, chunk, links), None);
	}
	assert_eq!(op.micro_inputs(&CONTEXT, chunks, 0), None);
	Some(most)
}

/// The corners of a region lie in its runs, and the runs are aligned.
fn covered(layout: &Layout, input: &InputRegion, runs: &[InputChunk]) {
	let region = input.region;
	assert!(region.rows > 0 && region.cols > 0);
	for row in [region.row0, region.row0 + (region.rows - 1)] {
		for col in [region.col0, region.col0 + (region.cols - 1)] {
			let chunk = layout.chunk_of(row, col).expect("inside the tensor");
			assert!(runs.iter().any(|run| (run.start..run.start + (1 << run.log2)).contains(&chunk)));
		}
	}
	for run in runs {
		assert!(run.log2 <= 2 && run.start % (1 << run.log2) == 0 && run.start + (1 << run.log2) <= layout.chunks());
	}
}

#[test]
fn bounds_hold_for_every_kind_and_size() {
	let mut checked = 0;
	let mut probe = |kind, inputs, output| checked += u32::from(probe(kind, inputs, output).is_some());
	for a in SIDES {
		for b in SIDES {
			for c in SIDES {
				for (trans_a, trans_b) in [(false, false), (true, false), (false, true), (true, true)] {
					let left = if trans_a { f32s(b, a) } else { f32s(a, b) };
					let right = if trans_b { f32s(c, b) } else { f32s(b, c) };
					probe(OpKind::MatMul { trans_a, trans_b }, vec![left, right], TensorSpec::f32(a, c));
				}
				for gather in [OpKind::GatherBatch { stream: 1 }, OpKind::NextBatch] {
					probe(gather, vec![f32s(a, b)], TensorSpec::f32(c, b));
				}
			}
			for reduction in [Reduction::Sum, Reduction::Max] {
				probe(OpKind::Reduce { reduction, axis: Axis::Rows }, vec![f32s(a, b)], TensorSpec::f32(1, b));
				probe(OpKind::Reduce { reduction, axis: Axis::Cols }, vec![f32s(a, b)], TensorSpec::f32(a, 1));
			}
			for kind in [UnaryKind::Tanh, UnaryKind::Exp] {
				probe(OpKind::Unary(kind), vec![f32s(a, b)], TensorSpec::f32(a, b));
			}
			let mixed = vec![f32s(a, 1), f32s(1, b), f32s(a, b)];
			probe(OpKind::Fma, mixed, TensorSpec::f32(a, b));
			let labels = OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I32, rows: a, cols: 1 }, data: false };
			probe(OpKind::OneHot, vec![labels], TensorSpec::f32(a, b));
		}
	}
	assert!(checked > 3000, "{checked} geometries exist");
}

fn typed(dtype: DType, rows: u32, cols: u32) -> OperandSpec {
	OperandSpec::Tensor { spec: TensorSpec { dtype, rows, cols }, data: true }
}

#[test]
fn bounds_hold_for_integers_and_sampling() {
	let mut checked = 0;
	let mut probe = |kind, inputs, output| checked += u32::from(probe(kind, inputs, output).is_some());
	let bytes = |rows, cols| typed(DType::I8, rows, cols);
	for a in SIDES {
		for b in SIDES {
			for c in SIDES {
				for (trans_a, trans_b) in [(false, false), (true, false), (false, true), (true, true)] {
					let left = if trans_a { bytes(b, a) } else { bytes(a, b) };
					let right = if trans_b { bytes(c, b) } else { bytes(b, c) };
					let output = TensorSpec { dtype: DType::I32, rows: a, cols: c };
					probe(OpKind::MatMulI8 { trans_a, trans_b }, vec![left, right], output);
				}
				for gather in [OpKind::GatherBatch { stream: 1 }, OpKind::NextBatch] {
					probe(gather, vec![bytes(a, b)], TensorSpec { dtype: DType::I8, rows: c, cols: b });
				}
			}
			let whole = TensorSpec::f32(a, b);
			for scale in [f32s(a, 1), f32s(1, b), f32s(a, b)] {
				probe(OpKind::Quantise, vec![f32s(a, b), scale], TensorSpec { dtype: DType::I8, ..whole });
				probe(OpKind::Dequantise, vec![typed(DType::I32, a, b), scale, f32s(1, b)], whole);
			}
			probe(OpKind::ArgMax, vec![f32s(a, b)], TensorSpec { dtype: DType::I32, rows: a, cols: 1 });
			probe(OpKind::Gumbel { stream: 1 }, vec![f32s(a, b)], whole);
			for log2 in [1, 4, 5] {
				for axis in [Axis::Rows, Axis::Cols] {
					probe(OpKind::Hadamard { log2, axis }, vec![f32s(a, b)], whole);
				}
			}
			let flat = |dtype, count: u32| TensorSpec { dtype, rows: count, cols: 1 };
			if let Some(count) = a.checked_mul(b) {
				probe(OpKind::Flatten, vec![bytes(a, b)], flat(DType::I8, count));
			}
			probe(
				OpKind::Columns { first: 1 },
				vec![bytes(a, b)],
				TensorSpec { dtype: DType::I8, rows: a, cols: b - 1 },
			);
		}
	}
	assert!(checked > 2500, "{checked} geometries exist");
}

#[test]
fn bounds_hold_for_reshapes_and_windows() {
	let mut checked = 0;
	let mut probe = |kind, inputs, output| checked += u32::from(probe(kind, inputs, output).is_some());
	for cols in [1, 2, 3, 5, 31, 33, 63, 251] {
		let (tall, wide) = (3 * 5_000_011, 8_191);
		probe(OpKind::Reshape, vec![f32s(tall, cols)], TensorSpec::f32(cols * (tall / 3), 3));
		probe(OpKind::Reshape, vec![f32s(wide * 251, cols)], TensorSpec::f32(wide, cols * 251));
		probe(OpKind::Reshape, vec![f32s(wide, cols * 251)], TensorSpec::f32(wide * 251, cols));
		probe(OpKind::Reshape, vec![f32s(wide * 251, cols)], TensorSpec::f32(1, wide * cols * 251));
		probe(OpKind::Reshape, vec![f32s(1, wide * cols * 251)], TensorSpec::f32(wide * 251, cols));
	}
	let windows =
		[(3, 3, 1, 1), (7, 7, 2, 3), (1, 1, 1, 0), (40, 40, 9, 0), (1, 50, 2, 0), (50, 1, 2, 0), (64, 64, 1, 0)];
	for (height, width, channels) in [(224, 224, 1), (224, 224, 3), (224, 224, 33), (64, 64, 512), (1, 4000, 5)] {
		for (kernel_height, kernel_width, stride, padding) in windows {
			let window = Window { height, width, kernel_height, kernel_width, stride, padding };
			for images in [1, 700] {
				let pixels = f32s(images * height * width, channels);
				let Ok(columns) = shape::infer(OpKind::Im2col(window), &[pixels], 0) else { continue };
				probe(OpKind::Im2col(window), vec![pixels], columns);
				let back = OpKind::Col2im(window);
				probe(back, vec![f32s(columns.rows, columns.cols)], pixels.spec().unwrap());
			}
		}
	}
	assert!(checked > 150, "{checked} geometries exist");
}

#[test]
fn links_walk_segments_in_order() {
	let kind = OpKind::MatMul { trans_a: false, trans_b: false };
	let op = OpGeometry::new(kind, vec![f32s(40, 1300), f32s(1300, 40)], TensorSpec::f32(40, 40), 1).unwrap();
	assert_eq!(op.chain_len(), 6);
	let links: Vec<_> = (0..6).map(|link| op.link(link).unwrap()).collect();
	assert_eq!(links.iter().map(|link| (link.start, link.end)).collect::<Vec<_>>()[4..], [(1024, 1280), (1280, 1300)]);
	let ends: Vec<_> = links.iter().map(|link| link.ends_segment()).collect();
	assert_eq!(ends, [false, true, false, true, false, true]);
	let totals: Vec<_> = links.iter().map(|link| link.has_total()).collect();
	assert_eq!(totals, [false, false, true, true, true, true]);
	assert!(links[5].is_last() && !links[4].is_last() && op.link(6).is_none());

	let row = OpGeometry::new(kind, vec![f32s(1, 1300), f32s(1300, 40)], TensorSpec::f32(1, 40), 1).unwrap();
	assert_eq!(row.chain_len(), 21);
}
