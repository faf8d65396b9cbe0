//! Steps in groups give the same bits, and fail at the same op, as the same ops one by one.

mod support;

use assay_engine::{Engine, Outcome, Path, RunError, State, Tensor};
use assay_models::{cnn, CnnConfig, Graph, Model, Value};
use assay_program::{Axis, BinaryKind, DType, Header, Init, Lane, TensorId, TensorSpec, UnaryKind, Window};
use proptest::prelude::*;
use support::{cpu, digits, engine, on, small, small_transformer, small_transformer_of};

const UNARY: [UnaryKind; 12] = [
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
];
const BINARY: [BinaryKind; 7] = [
	BinaryKind::Add,
	BinaryKind::Sub,
	BinaryKind::Mul,
	BinaryKind::Div,
	BinaryKind::Max,
	BinaryKind::Min,
	BinaryKind::Greater,
];
/// Zeros, subnormals, the largest and smallest numbers, ones, and what overflows or cancels soon.
const SPECIAL: [u32; 12] = [
	0,
	0x8000_0000,
	1,
	0x807f_ffff,
	0x0080_0000,
	0x7f7f_ffff,
	0xff7f_ffff,
	0x3f80_0000,
	0xbf80_0000,
	0x7e80_0000,
	0x3f7f_ffff,
	0x4b80_0000,
];

struct Draw(u64);

impl Draw {
	fn below(&mut self, bound: usize) -> usize {
		self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		((self.0 >> 33) as usize) % bound
	}
}

/// A program of `ops` random ops over tensors that broadcast to `[rows, cols]`. Some states take the values of some ops; a quarter
/// of the data is special, in `wild` programs.
fn random(seed: u64, rows: u32, cols: u32, ops: usize, wild: bool) -> Model {
	let mut draw = Draw(seed);
	let mut graph = Graph::new(1);
	let mut data = Vec::new();
	let mut values: Vec<Value> = Vec::new();
	for (index, (r, c)) in [(rows, cols), (rows, cols), (rows, 1), (1, cols), (1, 1)].into_iter().enumerate() {
		let mut bits = || match wild && draw.below(4) == 0 {
			true => SPECIAL[draw.below(SPECIAL.len())],
			false => ((draw.below(4001) as f32 - 2000.0) / 1000.0).to_bits(),
		};
		let tensor = Tensor::new(DType::F32, r, c, (0..r * c).map(|_| bits()).collect()).expect("whole");
		let value = graph.data(&format!("data{index}"), tensor.spec(), tensor.root());
		data.push((value.tensor().expect("a tensor"), tensor));
		values.push(value);
	}
	let states: Vec<Value> = [(rows, cols), (rows, cols), (1, cols), (rows, 1)]
		.into_iter()
		.enumerate()
		.map(|(index, (r, c))| graph.uniform_param(&format!("state{index}"), r, c, 1.0))
		.collect();
	values.extend(&states);
	// So that some state always changes.
	values.push(graph.mul(states[0], 0.5));
	let shape = |graph: &Graph, value: Value| {
		let TensorSpec { rows, cols, .. } = graph.spec(value);
		(rows, cols)
	};
	for _ in 0..ops {
		// Mostly late ones, so that chains form.
		let pick = |draw: &mut Draw| {
			let back = draw.below(6) + if draw.below(3) == 0 { draw.below(values.len()) } else { 0 };
			values[values.len().saturating_sub(1 + back)]
		};
		let (a, b, c) = (pick(&mut draw), pick(&mut draw), pick(&mut draw));
		let scalar: Value = SPECIAL[7 + draw.below(5)].to_owned_value();
		let value = match draw.below(if wild { 12 } else { 10 }) {
			0 => graph.fma(a, b, c),
			1 => graph.fma(a, scalar, b),
			2 => graph.sum(a, Axis::Cols),
			3 => graph.max(a, Axis::Cols),
			4 => graph.sum(a, Axis::Rows),
			5 if shape(&graph, a) == (rows, cols) => graph.causal(a, rows, 1, -1.0),
			6 if shape(&graph, a) == (rows, cols) => graph.dropout(a, 0.25),
			7 => graph.binary(BINARY[draw.below(7)], a, scalar),
			8 if !wild => graph.tanh(a),
			9 if !wild => graph.sub(a, b),
			8 | 9 => graph.unary(UNARY[draw.below(12)], a),
			_ => graph.binary(BINARY[draw.below(7)], a, b),
		};
		// Numbers that stay small let the run go on.
		values.push(if wild { value } else { graph.tanh(value) });
	}
	for state in states {
		let fits = |value: &&Value| graph.spec(**value) == graph.spec(state) && !is_input(&graph, **value, &data);
		if let Some(value) = values.iter().rev().find(fits).copied() {
			graph.update(state, value);
		}
	}
	let last = *values.last().expect("many");
	let metric = graph.sum_all(last);
	graph.metric(metric);
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 3, batch: 1, segment_steps: 1 };
	Model { program: graph.finish(header).expect("valid"), data }
}

trait ToValue {
	fn to_owned_value(self) -> Value;
}

impl ToValue for u32 {
	fn to_owned_value(self) -> Value {
		f32::from_bits(self).into()
	}
}

/// Whether a value is data or a state: an update needs the output of an op.
fn is_input(_: &Graph, value: Value, data: &[(TensorId, Tensor)]) -> bool {
	// Data come first, the four states after them.
	value.tensor().is_none_or(|id| (id.0 as usize) < data.len() + 4)
}

fn run(engine: &Engine, until: u64) -> (Result<Outcome, RunError>, State, Vec<u32>) {
	let mut state = engine.initial_state();
	let mut metrics = Vec::new();
	let outcome = engine.run(&mut state, until, &mut |report| {
		metrics.extend(report.metrics.iter().map(|metric| metric.to_bits()));
		on(report)
	});
	(outcome, state, metrics)
}

/// Both ways, on both numbers of threads, on the paths that the processor has. Returns whether the run failed.
fn check(model: &Model, steps: u64) -> bool {
	let expected = run(&engine(model, cpu(Path::Portable, 1)).op_by_op(), steps);
	for path in [Path::Avx2, Path::Auto].into_iter().filter(|path| path.supported()) {
		for threads in [1, 2] {
			let engine = engine(model, cpu(path, threads));
			assert_eq!(run(&engine, steps), expected, "in groups, {path:?}, {threads} threads");
		}
	}
	expected.0.is_err()
}

/// Images under a window: the pixels joined place by place, in one of the ways that are one pass and in ways that are not, and
/// a product of them.
fn windows(seed: u64, channels: u32, wild: bool) -> Model {
	let mut draw = Draw(seed);
	let mut graph = Graph::new(1);
	let mut data = Vec::new();
	let (kernel, stride) = (1 + draw.below(4) as u32, 1 + draw.below(3) as u32);
	let padding = draw.below(kernel as usize) as u32;
	let (images, height, width) = (1 + draw.below(3) as u32, 5 + draw.below(9) as u32, 5 + draw.below(9) as u32);
	let mut tensor = |graph: &mut Graph, draw: &mut Draw, name: &str, rows: u32, cols: u32| {
		let mut bits = || match wild && draw.below(4) == 0 {
			true => SPECIAL[draw.below(SPECIAL.len())],
			false => ((draw.below(4001) as f32 - 2000.0) / 1000.0).to_bits(),
		};
		let tensor = Tensor::new(DType::F32, rows, cols, (0..rows * cols).map(|_| bits()).collect()).expect("whole");
		let value = graph.data(name, tensor.spec(), tensor.root());
		data.push((value.tensor().expect("a tensor"), tensor));
		value
	};
	let wide = kernel * kernel * channels;
	let x = tensor(&mut graph, &mut draw, "x", images * height * width, channels);
	let weights = tensor(&mut graph, &mut draw, "weights", 1, wide);
	let matrix = tensor(&mut graph, &mut draw, "matrix", wide, 1 + seed as u32 % 40);
	let x = graph.mul(x, 0.5);
	let window = Window { height, width, kernel_height: kernel, kernel_width: kernel, stride, padding };
	let columns = graph.im2col(x, window);
	let rows = graph.spec(columns).rows;
	let joined = match draw.below(6) {
		0 => graph.fold_places(columns, channels, |graph, a, b| graph.add(a, b)),
		1 => graph.fold_places(columns, channels, |graph, a, b| graph.binary(BinaryKind::Max, a, b)),
		// The other way round, which is another maximum where zeros meet.
		2 => graph.fold_places(columns, channels, |graph, a, b| graph.binary(BinaryKind::Max, b, a)),
		3 => graph.fold_places(columns, channels, |graph, a, b| graph.sub(a, b)),
		kind => {
			let products = graph.mul(columns, weights);
			let sum = graph.fold_places(products, channels, |graph, a, b| graph.add(a, b));
			// The products have another reader.
			let largest = graph.max(products, Axis::Cols);
			if kind == 4 {
				sum
			} else {
				graph.add(sum, largest)
			}
		}
	};
	let product = graph.matmul(columns, matrix);
	let product = graph.relu(product);
	// Where nothing else reads the pixels, none need be written.
	let kept =
		if seed.is_multiple_of(3) { vec![("joined", joined), ("product", product)] } else { vec![("joined", joined)] };
	for (name, value) in kept {
		let cols = graph.spec(value).cols;
		let state = graph.state(name, rows, cols, Init::Zeros);
		graph.update(state, value);
	}
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 1, batch: 1, segment_steps: 1 };
	Model { program: graph.finish(header).expect("valid"), data }
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn random_programs(seed: u64, rows in 1u32..140, cols in 1u32..70, ops in 1usize..60) {
		check(&random(seed, rows, cols, ops, false), 3);
	}

	#[test]
	fn random_programs_of_special_values(seed: u64, rows in 1u32..70, cols in 1u32..40, ops in 1usize..24) {
		check(&random(seed, rows, cols, ops, true), 3);
	}

	#[test]
	fn random_windows(seed: u64, channels in 1u32..70, wild: bool) {
		check(&windows(seed, channels, wild), 1);
	}

	#[test]
	fn large_random_programs(seed: u64, rows in 300u32..700, cols in 100u32..180) {
		check(&random(seed, rows, cols, 12, seed & 1 == 0), 2);
	}
}

#[test]
fn random_programs_run_and_fail() {
	let outcomes: Vec<bool> = (0..40).map(|seed| check(&random(seed, 9, 17, seed as usize % 8, true), 2)).collect();
	let failed = outcomes.iter().filter(|failed| **failed).count();
	assert!((4..=36).contains(&failed), "{failed} of 40 fail: too one-sided to show much");
}

#[test]
fn models() {
	let (_, classifier) = small();
	let images = digits();
	let config = CnnConfig { batch: 8, steps: 12, ..CnnConfig::new(8, 8, 1, images.classes) };
	let convolutions = cnn(&config, &images.train).expect("valid");
	for model in
		[classifier, small_transformer(0.1), small_transformer(0.0), small_transformer_of(0.1, Lane::I8), convolutions]
	{
		assert!(!check(&model, 8));
	}
}

#[test]
fn a_failure_of_an_output_that_no_one_keeps_is_found() {
	let mut graph = Graph::new(1);
	let x = graph.param("x", 64, 64, Init::Constant(200f32.to_bits()));
	// Infinite, then finite again: only the op in the middle shows it.
	let power = graph.exp(x);
	let gone = graph.div(1.0, power);
	let next = graph.add(gone, x);
	graph.update(x, next);
	let header = Header { version: 1, lane: Lane::F32, seed: [0; 32], steps: 1, batch: 1, segment_steps: 1 };
	let model = Model { program: graph.finish(header).expect("valid"), data: Vec::new() };
	assert!(check(&model, 1));
	let engine = engine(&model, cpu(Path::Auto, 1));
	assert!(matches!(run(&engine, 1).0, Err(RunError::NonFinite { step: 0, op: 0, .. })));
}
