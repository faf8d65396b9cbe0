//! Gradients against central differences of a binary64 interpreter of the same ops.

mod support;

use std::{cell::RefCell, collections::BTreeMap};

use assay_engine::{Engine, Path, Tensor};
use assay_models::{
	avg_pool, clip_by_global_norm, conv2d, gelu, gelu_erf, lora, max_pool, silu, softmax_cross_entropy, Graph, Pixels,
	Value,
};
use assay_program::{
	Axis, BinaryKind, DType, Header, Init, Lane, OpKind, Operand, Program, Reduction, TensorId, UnaryKind, Window,
};
use support::cpu;

type Values = BTreeMap<TensorId, Vec<f64>>;

/// The value of `wanted`, `[1, 1]`, from parameter values.
fn interpret(program: &Program, params: &Values, wanted: TensorId) -> f64 {
	let mut values = params.clone();
	for op in &program.ops {
		let out = program.decl(op.output).expect("declared").spec();
		let get = |input: usize, row: u32, col: u32| match op.inputs[input] {
			Operand::Scalar(bits) => f64::from(f32::from_bits(bits)),
			Operand::Tensor(id) => {
				let spec = program.decl(id).expect("declared").spec();
				let (row, col) = (if spec.rows == 1 { 0 } else { row }, if spec.cols == 1 { 0 } else { col });
				values[&id][(row * spec.cols + col) as usize]
			}
		};
		let extent = |input: usize| match op.inputs[input] {
			Operand::Tensor(id) => program.decl(id).map(|decl| (decl.rows, decl.cols)).expect("declared"),
			Operand::Scalar(_) => (1, 1),
		};
		let element = |row: u32, col: u32| match op.kind {
			OpKind::MatMul { trans_a, trans_b } => {
				let (rows, cols) = extent(0);
				(0..if trans_a { rows } else { cols })
					.map(|k| {
						let a = if trans_a { get(0, k, row) } else { get(0, row, k) };
						a * if trans_b { get(1, col, k) } else { get(1, k, col) }
					})
					.sum()
			}
			OpKind::Unary(kind) => {
				let x = get(0, row, col);
				match kind {
					UnaryKind::Neg => -x,
					UnaryKind::Abs => x.abs(),
					UnaryKind::Relu => x.max(0.0),
					UnaryKind::Exp => x.exp(),
					UnaryKind::Log => x.ln(),
					UnaryKind::Tanh => x.tanh(),
					UnaryKind::Sqrt => x.sqrt(),
					UnaryKind::Sigmoid => 1.0 / (1.0 + (-x).exp()),
					UnaryKind::Erf => erf(x),
					UnaryKind::Sin => x.sin(),
					UnaryKind::Cos => x.cos(),
					UnaryKind::Rsqrt => 1.0 / x.sqrt(),
				}
			}
			OpKind::Binary(kind) => {
				let (a, b) = (get(0, row, col), get(1, row, col));
				match kind {
					BinaryKind::Add => a + b,
					BinaryKind::Sub => a - b,
					BinaryKind::Mul => a * b,
					BinaryKind::Div => a / b,
					BinaryKind::Max => a.max(b),
					BinaryKind::Min => a.min(b),
					BinaryKind::Greater => f64::from(u8::from(a > b)),
				}
			}
			OpKind::Fma => get(0, row, col) * get(1, row, col) + get(2, row, col),
			OpKind::Reduce { reduction, axis } => {
				let (rows, cols) = extent(0);
				let along: Vec<f64> = match axis {
					Axis::Rows => (0..rows).map(|row| get(0, row, col)).collect(),
					Axis::Cols => (0..cols).map(|col| get(0, row, col)).collect(),
				};
				match reduction {
					Reduction::Sum => along.iter().sum(),
					Reduction::Max => along.iter().copied().fold(f64::MIN, f64::max),
				}
			}
			OpKind::Columns { first } => get(0, row, first + col),
			OpKind::PadColumns { first } if (first..first + extent(0).1).contains(&col) => get(0, row, col - first),
			OpKind::PadColumns { .. } => 0.0,
			OpKind::Lookup => match get(1, row, 0) {
				id if id >= 0.0 && id < f64::from(extent(0).0) => get(0, id as u32, col),
				_ => 0.0,
			},
			OpKind::ScatterRows => {
				(0..extent(0).0).filter(|at| get(0, *at, 0) == f64::from(row)).map(|at| get(1, at, col)).sum()
			}
			OpKind::SplitHeads { rows, heads } => {
				let (block, width) = (row / rows, extent(0).1 / heads);
				get(0, block / heads * rows + row % rows, block % heads * width + col)
			}
			OpKind::MergeHeads { rows, heads } => {
				let width = extent(0).1;
				get(0, (row / rows * heads + col / width) * rows + row % rows, col % width)
			}
			OpKind::BlockMatMul { trans_a, trans_b, blocks, share } => {
				let height = out.rows / blocks;
				let (block, row) = (row / height, row % height);
				let (of_a, of_b) = (extent(0).0 / blocks, extent(1).0 / (blocks / share));
				let (a0, b0) = (block * of_a, block / share * of_b);
				(0..if trans_a { of_a } else { extent(0).1 })
					.map(|k| {
						let a = if trans_a { get(0, a0 + k, row) } else { get(0, a0 + row, k) };
						a * if trans_b { get(1, b0 + col, k) } else { get(1, b0 + k, col) }
					})
					.sum()
			}
			OpKind::Causal { rows, offset, .. } if col <= row % rows + offset => get(0, row, col),
			OpKind::Causal { fill, .. } => f64::from(f32::from_bits(fill)),
			OpKind::Reshape => {
				let (element, cols) = (row * out.cols + col, extent(0).1);
				get(0, element / cols, element % cols)
			}
			OpKind::Hadamard { log2, axis } => {
				let along = if axis == Axis::Rows { row } else { col };
				let (block, place) = (along >> log2 << log2, along % (1 << log2));
				let signed = |at: u32| {
					let value = if axis == Axis::Rows { get(0, block + at, col) } else { get(0, row, block + at) };
					if (at & place).count_ones().is_multiple_of(2) {
						value
					} else {
						-value
					}
				};
				(0..1 << log2).map(signed).sum()
			}
			OpKind::Im2col(window) => {
				let channels = extent(0).1;
				pixel(&window, row, col / channels).map_or(0.0, |pixel| get(0, pixel, col % channels))
			}
			OpKind::Col2im(window) => {
				let places = window.places().expect("a window");
				let over = (0..extent(0).0).flat_map(|position| (0..places).map(move |place| (position, place)));
				over.filter(|(position, place)| pixel(&window, *position, *place) == Some(row))
					.map(|(position, place)| get(0, position, place * out.cols + col))
					.sum()
			}
			OpKind::Dropout { .. }
			| OpKind::Flatten
			| OpKind::GatherBatch { .. }
			| OpKind::NextBatch
			| OpKind::OneHot
			| OpKind::Quantise
			| OpKind::MatMulI8 { .. }
			| OpKind::Dequantise
			| OpKind::ArgMax
			| OpKind::Gumbel { .. } => {
				unreachable!("not in these graphs")
			}
		};
		let elements = (0..out.rows).flat_map(|row| (0..out.cols).map(move |col| (row, col)));
		let value = elements.map(|(row, col)| element(row, col)).collect();
		values.insert(op.output, value);
	}
	values[&wanted][0]
}

/// Error function by its power series, for the small arguments of these tests.
fn erf(x: f64) -> f64 {
	let (mut term, mut sum) = (x, x);
	for n in 1..60 {
		let n = f64::from(n);
		term *= -x * x / n;
		sum += term / (2.0 * n + 1.0);
	}
	sum * std::f64::consts::FRAC_2_SQRT_PI
}

/// The pixel under a place of the window at a position.
fn pixel(window: &Window, position: u32, place: u32) -> Option<u32> {
	let (down, across) = window.positions().expect("fits");
	let (image, row, col) = (position / (down * across), position / across % down, position % across);
	let row = row * window.stride + place / window.kernel_width;
	let col = col * window.stride + place % window.kernel_width;
	let (row, col) = (row.checked_sub(window.padding)?, col.checked_sub(window.padding)?);
	let inside = row < window.height && col < window.width;
	inside.then_some((image * window.height + row) * window.width + col)
}

/// Checks the gradients of the loss that `build` makes of parameters of these shapes, uniform in `offset ± 1`.
fn check(name: &str, shapes: &[(u32, u32)], offset: f32, build: impl FnOnce(&mut Graph, &[Value]) -> Value) {
	check_with_ids(name, shapes, offset, &[0], |graph, params, _| build(graph, params));
}

/// The same with a column of ids.
fn check_with_ids(
	name: &str,
	shapes: &[(u32, u32)],
	offset: f32,
	ids: &[u32],
	build: impl FnOnce(&mut Graph, &[Value], Value) -> Value,
) {
	let mut graph = Graph::new(1);
	let column = Tensor::new(DType::I32, ids.len() as u32, 1, ids.to_vec()).expect("one per row");
	let given = graph.data("ids", column.spec(), column.root());
	let raw: Vec<Value> = shapes
		.iter()
		.enumerate()
		.map(|(i, (rows, cols))| graph.uniform_param(&format!("p{i}"), *rows, *cols, 1.0))
		.collect();
	let params: Vec<Value> = raw.iter().map(|raw| graph.add(*raw, offset)).collect();
	let loss = build(&mut graph, &params, given);
	let gradients = graph.gradients(loss, &raw);
	for (i, (rows, cols)) in shapes.iter().enumerate() {
		let kept = graph.state(&format!("g{i}"), *rows, *cols, Init::Zeros);
		graph.update(kept, gradients[i]);
	}
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 1, batch: 1, segment_steps: 1 };
	let program = graph.finish(header).unwrap_or_else(|error| panic!("{name}: {error}"));
	let engine =
		Engine::new(program, vec![(given.tensor().expect("data"), column)], cpu(Path::Auto, 1)).expect("loads");
	let start = engine.initial_state();
	let wanted: Vec<TensorId> = gradients.iter().map(|value| value.tensor().expect("a tensor")).collect();
	let computed = engine.outputs(&start, &wanted).expect("runs");
	let mut values = Values::new();
	let as_numbers = ids.iter().map(|id| f64::from(*id as i32)).collect();
	values.insert(given.tensor().expect("data"), as_numbers);
	for (id, _) in engine.program().state_tensors() {
		let tensor = engine.state_tensor(&start, id).expect("a parameter");
		values.insert(id, tensor.to_f32().into_iter().map(f64::from).collect());
	}
	let values = RefCell::new(values);
	let loss = loss.tensor().expect("a tensor");
	let mut largest = 0f64;
	for (raw, computed) in raw.iter().zip(computed) {
		let id = raw.tensor().expect("a tensor");
		for (index, gradient) in computed.to_f32().into_iter().enumerate() {
			let at = |shift: f64| {
				let mut moved = values.borrow_mut();
				let place = &mut moved.get_mut(&id).expect("a parameter")[index];
				let kept = std::mem::replace(place, *place + shift);
				let value = interpret(engine.program(), &moved, loss);
				moved.get_mut(&id).expect("a parameter")[index] = kept;
				value
			};
			let expected = (at(1e-6) - at(-1e-6)) / 2e-6;
			let error = (f64::from(gradient) - expected).abs() / (1.0 + expected.abs());
			assert!(error < 2e-5, "{name}: element {index} is {gradient}, differences say {expected}");
			largest = largest.max(expected.abs());
		}
	}
	assert!(largest > 1e-3, "{name}: a gradient of zero shows nothing");
}

/// A loss that weighs every element differently.
fn weigh(graph: &mut Graph, x: Value) -> Value {
	let square = graph.mul(x, x);
	let cube = graph.fma(square, x, x);
	graph.mean_all(cube)
}

#[test]
fn matrix_products() {
	for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
		let a = if trans_a { (4, 3) } else { (3, 4) };
		let b = if trans_b { (5, 4) } else { (4, 5) };
		check(&format!("{trans_a} {trans_b}"), &[a, b], 0.0, |graph, p| {
			let product = graph.matmul_transposed(p[0], trans_a, p[1], trans_b);
			weigh(graph, product)
		});
		check("summed product", &[a, b], 0.0, |graph, p| {
			let product = graph.matmul_transposed(p[0], trans_a, p[1], trans_b);
			graph.sum_all(product)
		});
	}
}

#[test]
fn elementwise_functions() {
	for kind in [
		UnaryKind::Neg,
		UnaryKind::Abs,
		UnaryKind::Relu,
		UnaryKind::Exp,
		UnaryKind::Tanh,
		UnaryKind::Sigmoid,
		UnaryKind::Erf,
		UnaryKind::Sin,
		UnaryKind::Cos,
	] {
		check(&format!("{kind:?}"), &[(5, 7)], 0.1, |graph, p| {
			let y = graph.unary(kind, p[0]);
			weigh(graph, y)
		});
	}
	for kind in [UnaryKind::Log, UnaryKind::Sqrt, UnaryKind::Rsqrt] {
		check(&format!("{kind:?}"), &[(5, 7)], 1.5, |graph, p| {
			let y = graph.unary(kind, p[0]);
			weigh(graph, y)
		});
	}
	for (name, function) in
		[("gelu", gelu as fn(&mut Graph, Value) -> Value), ("gelu by erf", gelu_erf), ("silu", silu)]
	{
		check(name, &[(5, 7)], 0.0, |graph, p| {
			let y = function(graph, p[0]);
			weigh(graph, y)
		});
	}
}

#[test]
fn broadcasts() {
	let shapes = [(4, 6), (1, 6), (4, 1), (1, 1)];
	for kind in [BinaryKind::Add, BinaryKind::Sub, BinaryKind::Mul, BinaryKind::Div, BinaryKind::Max, BinaryKind::Min] {
		for a in shapes {
			for b in shapes {
				check(&format!("{kind:?} {a:?} {b:?}"), &[a, b], 1.7, |graph, p| {
					let y = graph.binary(kind, p[0], p[1]);
					weigh(graph, y)
				});
			}
		}
	}
	for [a, b, c] in [[shapes[0]; 3], [shapes[1], shapes[2], shapes[3]], [shapes[0], shapes[3], shapes[1]]] {
		check("fma", &[a, b, c], 0.3, |graph, p| {
			let y = graph.fma(p[0], p[1], p[2]);
			weigh(graph, y)
		});
	}
}

#[test]
fn reductions_and_reuse() {
	check("sums", &[(5, 7)], 0.2, |graph, p| {
		let by_row = graph.sum(p[0], Axis::Cols);
		let by_col = graph.sum(p[0], Axis::Rows);
		let product = graph.matmul(by_row, by_col);
		let mixed = graph.mul(product, p[0]);
		weigh(graph, mixed)
	});
	check("mean", &[(5, 7)], 0.2, |graph, p| graph.mean_all(p[0]));
}

#[test]
fn columns_and_heads() {
	check("columns", &[(3, 9)], 0.2, |graph, p| {
		let part = graph.columns(p[0], 2, 5);
		let padded = graph.pad_columns(part, 1, 9);
		let mixed = graph.mul(padded, p[0]);
		weigh(graph, mixed)
	});
	check("heads", &[(6, 16)], 0.2, |graph, p| {
		let split = graph.split_heads(p[0], 3, 2);
		let square = graph.mul(split, split);
		let merged = graph.merge_heads(square, 3, 2);
		let mixed = graph.mul(merged, p[0]);
		weigh(graph, mixed)
	});
}

#[test]
fn block_products() {
	for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
		for share in [1, 2] {
			if share == 2 && trans_a {
				continue;
			}
			let (blocks, m, k, n) = (4, 3, 4, 2);
			let a = if trans_a { (blocks * k, m) } else { (blocks * m, k) };
			let b = if trans_b { (blocks / share * n, k) } else { (blocks / share * k, n) };
			check(&format!("{trans_a} {trans_b} {share}"), &[a, b], 0.0, |graph, p| {
				let product = graph.block_matmul((p[0], trans_a), (p[1], trans_b), blocks, share);
				weigh(graph, product)
			});
		}
	}
}

#[test]
fn masks_and_rows_by_id() {
	check("causal", &[(6, 5)], 0.2, |graph, p| {
		let masked = graph.causal(p[0], 3, 1, -2.0);
		weigh(graph, masked)
	});
	// Repeated ids, one that no row has, and rows that no id names.
	check_with_ids("lookup", &[(5, 3)], 0.2, &[1, 4, 1, 9, 2], |graph, p, ids| {
		let rows = graph.lookup(p[0], ids);
		weigh(graph, rows)
	});
	check_with_ids("scatter", &[(5, 3)], 0.2, &[1, 4, 1, 9, 2], |graph, p, ids| {
		let rows = graph.scatter_rows(ids, p[0], 6);
		weigh(graph, rows)
	});
}

#[test]
fn cross_entropy() {
	check("cross entropy", &[(6, 10), (6, 10)], 0.0, |graph, p| {
		// The second parameter serves as targets. Each row's maximum moves with the logits, and its share must cancel.
		softmax_cross_entropy(graph, p[0], p[1])
	});
}

#[test]
fn shapes_and_rotations() {
	check("reshape", &[(6, 4)], 0.2, |graph, p| {
		let wide = graph.reshape(p[0], 3, 8);
		let square = graph.mul(wide, wide);
		let back = graph.reshape(square, 6, 4);
		let mixed = graph.mul(back, p[0]);
		weigh(graph, mixed)
	});
	for log2 in 1..=5 {
		for (axis, shape) in [(Axis::Rows, (2 << log2, 3)), (Axis::Cols, (2, 2 << log2))] {
			check("hadamard", &[shape], 0.2, |graph, p| {
				let rotated = graph.hadamard(p[0], log2, axis);
				let scaled = graph.mul(rotated, 0.2);
				weigh(graph, scaled)
			});
		}
	}
}

#[test]
fn windows_convolutions_and_pools() {
	let windows = [(5, 4, 3, 2, 1, 1), (5, 4, 2, 3, 2, 0), (4, 4, 3, 3, 2, 2), (3, 2, 3, 2, 1, 0)];
	for (height, width, kernel_height, kernel_width, stride, padding) in windows {
		let window = Window { height, width, kernel_height, kernel_width, stride, padding };
		let (down, across) = window.positions().expect("fits");
		check(&format!("im2col {window:?}"), &[(2 * height * width, 3)], 0.1, |graph, p| {
			let columns = graph.im2col(p[0], window);
			weigh(graph, columns)
		});
		let shape = (2 * down * across, 2 * kernel_height * kernel_width);
		check(&format!("col2im {window:?}"), &[shape], 0.1, |graph, p| {
			let pixels = graph.col2im(p[0], window);
			weigh(graph, pixels)
		});
	}
	// Two images of 5 x 6, two channels to three; the layer's own weights are not among the tested parameters.
	check("convolution", &[(2, 60)], 0.1, |graph, p| {
		let x = Pixels::from_rows(graph, p[0], 5, 6, 2);
		let (sum, _, _) = conv2d(graph, "layer", x, 3, 3, (2, 1));
		assert_eq!((sum.height, sum.width), (3, 3));
		let rows = sum.to_rows(graph);
		assert_eq!((graph.spec(rows).rows, graph.spec(rows).cols), (2, 27));
		weigh(graph, rows)
	});
	type Pool = fn(&mut Graph, Pixels, u32, u32) -> Pixels;
	for pool in [max_pool as Pool, avg_pool] {
		for (kernel, stride) in [(2, 2), (3, 1)] {
			check("pool", &[(2, 60)], 0.1, |graph, p| {
				let x = Pixels::from_rows(graph, p[0], 5, 6, 2);
				let pooled = pool(graph, x, kernel, stride);
				weigh(graph, pooled.value)
			});
		}
	}
}

#[test]
fn adaptation() {
	check("lora", &[(4, 5), (5, 3)], 0.2, |graph, p| {
		let layer = lora(graph, "layer", p[0], p[1], 2, 4.0);
		weigh(graph, layer.output)
	});
}

#[test]
fn clipping_bounds_the_norm_and_keeps_small_gradients() {
	for (largest, kept) in [(1e3, true), (0.25, false)] {
		let mut graph = Graph::new(1);
		let p = [(4, 5), (5, 3)].map(|(rows, cols)| graph.uniform_param(&format!("p{rows}"), rows, cols, 1.0));
		let product = graph.matmul(p[0], p[1]);
		let loss = weigh(&mut graph, product);
		let gradients = graph.gradients(loss, &p);
		let clipped = clip_by_global_norm(&mut graph, &gradients, largest);
		for (param, gradient) in p.iter().zip(&clipped) {
			graph.update(*param, *gradient);
		}
		let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 1, batch: 1, segment_steps: 1 };
		let engine = Engine::new(graph.finish(header).expect("valid"), Vec::new(), cpu(Path::Auto, 1)).expect("loads");
		let ids: Vec<TensorId> = gradients.iter().chain(&clipped).map(|value| value.tensor().expect("op")).collect();
		let values = engine.outputs(&engine.initial_state(), &ids).expect("runs");
		let (before, after) = values.split_at(2);
		let norm = |tensors: &[Tensor]| {
			let squares = tensors.iter().flat_map(Tensor::to_f32).map(|x| f64::from(x) * f64::from(x));
			squares.sum::<f64>().sqrt()
		};
		assert!(norm(before) > 0.5, "{}", norm(before));
		if kept {
			assert_eq!(before, after);
		} else {
			assert!((norm(after) - f64::from(largest)).abs() < 1e-6, "{}", norm(after));
		}
	}
}

#[test]
fn what_has_no_gradient_is_an_error() {
	use assay_models::BuildError;
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 1, batch: 1, segment_steps: 1 };
	let build = |with: &dyn Fn(&mut Graph, Value, Value)| {
		let mut graph = Graph::new(1);
		let p = graph.param("p", 2, 2, Init::Zeros);
		let q = graph.param("q", 3, 2, Init::Zeros);
		with(&mut graph, p, q);
		graph.finish(header.clone()).expect_err("refused")
	};
	let max = |graph: &mut Graph, p: Value, _: Value| {
		let rows = graph.max(p, Axis::Cols);
		let loss = graph.sum(rows, Axis::Rows);
		graph.gradients(loss, &[p]);
	};
	assert_eq!(build(&max), BuildError::NoGradient { op: 0 });
	let integers = |graph: &mut Graph, p: Value, _: Value| {
		let bytes = graph.quantise(p, 0.5);
		let sums = graph.int8_matmul(bytes, false, bytes, true);
		let product = graph.dequantise(sums, 0.5, 0.5);
		let loss = graph.sum_all(product);
		graph.gradients(loss, &[p]);
	};
	assert_eq!(build(&integers), BuildError::NoGradient { op: 2 });
	let other = |graph: &mut Graph, p: Value, q: Value| {
		let loss = graph.sum_all(p);
		graph.gradients(loss, &[q]);
	};
	assert_eq!(build(&other), BuildError::Independent("q".into()));
	let matrix = |graph: &mut Graph, p: Value, _: Value| {
		graph.gradients(p, &[p]);
	};
	assert_eq!(build(&matrix), BuildError::NotALoss);
	let shapes = |graph: &mut Graph, p: Value, q: Value| {
		graph.add(p, q);
	};
	assert!(matches!(build(&shapes), BuildError::Shape { op: 0, .. }));
}
