//! Products and row ops in chains, and weights packed once, give the bits and the failures of the ops one by one.

mod support;

use assay_engine::{Engine, Outcome, Path, RunError, State, Tensor};
use assay_models::{gelu, Graph, Model, Value};
use assay_program::{Axis, DType, Header, Init, Lane, TensorId, TensorSpec};
use proptest::prelude::*;
use support::{cpu, engine, on};

struct Draw(u64);

impl Draw {
	fn below(&mut self, bound: u32) -> u32 {
		self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		((self.0 >> 33) as u32) % bound
	}
}

/// A network under construction: activations of one number of rows.
struct Net {
	graph: Graph,
	draw: Draw,
	data: Vec<(TensorId, Tensor)>,
	rows: u32,
	count: u32,
}

impl Net {
	fn given(&mut self, dtype: DType, rows: u32, cols: u32, mut element: impl FnMut(&mut Draw) -> u32) -> Value {
		let bits = (0..rows * cols).map(|_| element(&mut self.draw)).collect();
		let tensor = Tensor::new(dtype, rows, cols, bits).expect("whole");
		self.count += 1;
		let value = self.graph.data(&format!("data{}", self.count), tensor.spec(), tensor.root());
		self.data.push((value.tensor().expect("a tensor"), tensor));
		value
	}

	/// A matrix that no step changes, or that one does.
	fn weight(&mut self, rows: u32, cols: u32) -> Value {
		let bound = 1.0 / (rows as f32).sqrt();
		self.count += 1;
		let name = format!("weight{}", self.count);
		match self.draw.below(3) {
			0 => self.graph.uniform_param(&name, rows, cols, bound),
			1 => {
				let param = self.graph.uniform_param(&name, rows, cols, bound);
				let next = self.graph.mul(param, 0.75);
				self.graph.update(param, next);
				param
			}
			_ => self
				.given(DType::F32, rows, cols, |draw| ((draw.below(2001) as f32 - 1000.0) / 1000.0 * bound).to_bits()),
		}
	}

	fn cols(&self, x: Value) -> u32 {
		self.graph.spec(x).cols
	}

	/// A linear layer in f32 or int8, its weight stored either way.
	fn linear(&mut self, x: Value, width: u32) -> Value {
		let (inner, transposed) = (self.cols(x), self.draw.below(2) == 0);
		let (rows, cols) = if transposed { (width, inner) } else { (inner, width) };
		let y = if self.draw.below(2) == 0 {
			let w = self.weight(rows, cols);
			self.graph.matmul_transposed(x, false, w, transposed)
		} else {
			let w = match self.draw.below(3) {
				// The extremes, at all elements: sums as large as they get.
				0 => {
					self.count += 1;
					let name = format!("bytes{}", self.count);
					self.graph.int8_state(&name, rows, cols, if self.draw.below(2) == 0 { -128 } else { 127 })
				}
				_ => self.given(DType::I8, rows, cols, |draw| (draw.below(256) as u8 as i8) as u32),
			};
			let magnitude = self.graph.abs(x);
			let largest = self.graph.max(magnitude, Axis::Cols);
			// Scales that saturate everything, and zeros.
			let share = [1.0 / 127.0, 1.0 / 127.0, 1e-3, 0.0][self.draw.below(4) as usize];
			let scale = self.graph.mul(largest, share);
			let bytes = self.graph.quantise(x, scale);
			let sums = self.graph.int8_matmul(bytes, false, w, transposed);
			let by_col = self.given(DType::F32, 1, width, |draw| (draw.below(100) as f32 * 1e-5).to_bits());
			self.graph.dequantise(sums, scale, by_col)
		};
		let bias = self.given(DType::F32, 1, width, |draw| (draw.below(200) as f32 / 100.0 - 1.0).to_bits());
		self.graph.add(y, bias)
	}

	fn attention(&mut self, x: Value, rows: u32, heads: u32) -> Value {
		let (sequences, width) = (self.rows / rows, heads * (8 + self.draw.below(9)));
		// Queries may share keys and values.
		let (share, kv) = if heads.is_multiple_of(2) && self.draw.below(2) == 0 { (2, heads / 2) } else { (1, heads) };
		let wide = width / heads;
		let q = self.linear(x, width);
		let [k, v] = [(); 2].map(|()| self.linear(x, kv * wide));
		let q = self.graph.split_heads(q, rows, heads);
		let [k, v] = [k, v].map(|x| self.graph.split_heads(x, rows, kv));
		let blocks = sequences * heads;
		let scores = self.graph.block_matmul((q, false), (k, true), blocks, share);
		let scores = self.graph.causal(scores, rows, self.draw.below(3), -30.0);
		let largest = self.graph.max(scores, Axis::Cols);
		let shifted = self.graph.sub(scores, largest);
		let powers = self.graph.exp(shifted);
		let sums = self.graph.sum(powers, Axis::Cols);
		let mut weights = self.graph.div(powers, sums);
		if self.draw.below(2) == 0 {
			weights = self.graph.dropout(weights, 0.2);
		}
		let mixed = self.graph.block_matmul((weights, false), (v, false), blocks, share);
		self.graph.merge_heads(mixed, rows, heads)
	}
}

/// A program of random layers. `wild` ones have values that overflow, sooner or later, at some of their ops.
fn random(seed: u64, wild: bool) -> Model {
	let mut draw = Draw(seed);
	let (sequence, heads) = (1 + draw.below(60), 1 + draw.below(4));
	let sequences = (48 + draw.below(160)).div_ceil(sequence);
	let rows = sequence * sequences;
	let mut net = Net { graph: Graph::new(1), draw, data: Vec::new(), rows, count: 0 };
	let cols = 1 + net.draw.below(70);
	let mut x = net.given(DType::F32, rows, cols, |draw| {
		let large = wild && draw.below(2000) == 0;
		let value = (draw.below(4001) as f32 - 2000.0) / 1000.0;
		(if large { value * 1e37 } else { value }).to_bits()
	});
	for _ in 0..1 + net.draw.below(4) {
		let cols = net.cols(x);
		x = match net.draw.below(7) {
			0 => net.attention(x, sequence, heads),
			// Across segments of the inner dimension.
			1 => {
				let wide = net.linear(x, 500 + sequence);
				net.linear(wide, 1 + sequence % 40)
			}
			2 => {
				let inner = net.linear(x, 64);
				let inner = gelu(&mut net.graph, inner);
				let out = net.linear(inner, cols);
				net.graph.add(x, out)
			}
			3 => {
				let y = net.linear(x, cols);
				let y = net.graph.dropout(y, 0.25);
				let y = net.graph.relu(y);
				net.graph.mul(y, x)
			}
			4 => {
				let y = net.linear(x, 33);
				// An output that is also kept: state of the next step.
				let spec = net.graph.spec(y);
				net.count += 1;
				let last = net.graph.state(&format!("last{}", net.count), spec.rows, spec.cols, Init::Zeros);
				net.graph.update(last, y);
				y
			}
			5 => {
				let largest = net.graph.max(x, Axis::Rows);
				let y = net.graph.sub(x, largest);
				net.linear(y, 40)
			}
			_ => {
				let y = net.linear(x, 16);
				net.graph.tanh(y)
			}
		};
	}
	let spec = net.graph.spec(x);
	let last = net.graph.state("out", spec.rows, spec.cols, Init::Zeros);
	net.graph.update(last, x);
	let metric = net.graph.sum_all(x);
	net.graph.metric(metric);
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 3, batch: 1, segment_steps: 1 };
	Model { program: net.graph.finish(header).expect("valid"), data: net.data }
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

/// Every path, one and two threads, all weights packed, some, and none. Returns whether the run failed.
fn check(model: &Model, steps: u64) -> bool {
	let plain = engine(model, cpu(Path::Portable, 1)).op_by_op();
	let (expected, start) = (run(&plain, steps), plain.initial_state());
	let traced = plain.trace(&start).expect("a trace");
	// Bytes of data and packed weights; at most these without packed ones.
	let weights = |engine: &Engine| engine.memory().data + engine.memory().packed;
	let given = weights(&plain);
	for path in [Path::Portable, Path::Avx2, Path::Avx512, Path::Amx].into_iter().filter(|path| path.supported()) {
		for threads in [1, 2] {
			let engine = engine(model, cpu(path, threads));
			let all = engine.memory();
			assert_eq!(run(&engine, steps), expected, "{path:?}, {threads} threads");
			// Data that only products read is there in no other form.
			let trace = engine.trace(&start).expect("a trace");
			assert_eq!((trace.leaves(), trace.failure()), (traced.leaves(), traced.failure()), "{path:?}");
			for (id, tensor) in &model.data {
				assert!(engine.data_tensor(*id).as_ref() == Some(tensor), "{path:?}, tensor {}", id.0);
				assert!(engine.traced_tensor(&trace, *id).as_ref() == Some(tensor), "{path:?}, tensor {}", id.0);
			}
			let some = engine.pack_at_most(all.packed / 2);
			assert!(weights(&some) <= given + all.packed / 2);
			assert_eq!(run(&some, steps), expected, "some weights packed, {path:?}, {threads} threads");
			let none = some.pack_at_most(0);
			assert!(weights(&none) <= given);
			assert_eq!(run(&none, steps), expected, "no weights packed, {path:?}, {threads} threads");
		}
	}
	expected.0.is_err()
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn random_programs(seed: u64) {
		check(&random(seed, false), 2);
	}

	#[test]
	fn random_programs_that_overflow(seed: u64) {
		check(&random(seed, true), 2);
	}
}

#[test]
fn random_programs_have_chains_and_fail() {
	let (mut chained, mut failed) = (0, 0);
	for seed in 0..24 {
		let model = random(seed, false);
		let engine = engine(&model, cpu(Path::Auto, 1));
		let profile = engine.profile(&mut engine.initial_state(), 1);
		chained += profile
			.map_or(0, |profile| u32::from(profile.entries.iter().any(|entry| entry.kind.starts_with("chain of"))));
		failed += u32::from(check(&random(seed, true), 1));
	}
	assert!(chained >= 16, "{chained} of 24 have a chain");
	assert!((3..=21).contains(&failed), "{failed} of 24 fail: too one-sided to show much");
}

fn header(steps: u64) -> Header {
	Header { version: 1, lane: Lane::F32, seed: [3; 32], steps, batch: 1, segment_steps: 1 }
}

/// `y = x w`, where a step leaves `w` or makes it smaller.
fn product(changes: bool, steps: u64) -> Model {
	let mut graph = Graph::new(1);
	let x = Tensor::new(DType::F32, 64, 32, (0..64 * 32).map(|i| (i as f32 / 999.0).to_bits()).collect());
	let x = x.expect("whole");
	let data = graph.data("x", x.spec(), x.root());
	let w = graph.uniform_param("w", 32, 40, 1.0);
	let y = graph.matmul(data, w);
	let y = graph.relu(y);
	let last = graph.state("y", 64, 40, Init::Zeros);
	graph.update(last, y);
	// So that both have the same tensors in the same places.
	let next = graph.mul(w, 0.5);
	let other = graph.state("other", 32, 40, Init::Zeros);
	graph.update(if changes { w } else { other }, next);
	let id = data.tensor().expect("a tensor");
	Model { program: graph.finish(header(steps)).expect("valid"), data: vec![(id, x)] }
}

#[test]
fn a_weight_that_changes_is_not_kept() {
	let constant = engine(&product(false, 4), cpu(Path::Auto, 1));
	assert!(constant.memory().packed >= 32 * 40 * 4);
	let changing = engine(&product(true, 4), cpu(Path::Auto, 1));
	assert_eq!(changing.memory().packed, 0);
	assert!(!check(&product(true, 4), 4));
}

#[test]
fn weights_of_another_state_are_packed_anew() {
	let model = product(false, 4);
	let packing = engine(&model, cpu(Path::Auto, 1));
	let plain = engine(&model, cpu(Path::Portable, 1)).op_by_op();
	let of = |factor: f32| {
		let w = packing.state_tensor_named(&packing.initial_state(), "w").expect("a tensor");
		let bits = w.to_f32().iter().map(|w| (w * factor).to_bits()).collect();
		let w = Tensor::new(DType::F32, 32, 40, bits).expect("whole");
		packing.initial_state_with(|name| (name == "w").then(|| w.clone())).expect("fits")
	};
	let mut states = [of(1.0), of(2.0), of(-3.0)];
	for step in 1..=3 {
		for state in &mut states {
			let mut expected = state.clone();
			packing.run(state, step, &mut on).expect("runs");
			plain.run(&mut expected, step, &mut on).expect("runs");
			assert_eq!(*state, expected);
			// A copy has the same weights, whoever runs it.
			let mut copy = state.clone();
			packing.run(&mut copy, step + 1, &mut on).expect("runs");
			plain.run(&mut expected, step + 1, &mut on).expect("runs");
			assert_eq!(copy, expected);
		}
	}
	let blob = packing.encode_checkpoint(&states[1]).expect("encodes");
	let (mut loaded, _) = packing.decode_checkpoint(&blob).expect("decodes");
	let mut expected = states[1].clone();
	packing.run(&mut loaded, 4, &mut on).expect("runs");
	plain.run(&mut expected, 4, &mut on).expect("runs");
	assert_eq!(loaded, expected);
}

#[test]
fn weights_that_another_program_changed_are_packed_anew() {
	let [keeps, changes] = [false, true].map(|changes| product(changes, 8));
	let packing = engine(&keeps, cpu(Path::Auto, 1));
	let trainers = [engine(&changes, cpu(Path::Auto, 1)), engine(&changes, cpu(Path::Auto, 1)).op_by_op()];
	let plain = engine(&keeps, cpu(Path::Portable, 1)).op_by_op();
	let mut state = packing.initial_state();
	let mut last = None;
	for step in 0..8 {
		let now = state.step();
		match step % 2 {
			0 => {
				let mut expected = state.clone();
				packing.run(&mut state, now + 1, &mut on).expect("runs");
				plain.run(&mut expected, now + 1, &mut on).expect("runs");
				assert_eq!(state, expected, "step {step}");
				let y = packing.state_tensor_named(&state, "y");
				assert_ne!(y, last, "the weight did change");
				last = y;
			}
			// Both ways in which a step assigns.
			_ => drop(trainers[step / 2 % 2].run(&mut state, now + 1, &mut on).expect("runs")),
		}
	}
}

#[test]
fn a_failure_inside_a_chain_names_its_op() {
	for int8 in [false, true] {
		let mut graph = Graph::new(1);
		let x = graph.state("x", 96, 8, Init::Constant(3e38f32.to_bits()));
		let w = graph.param("w", 8, 8, Init::Constant(2f32.to_bits()));
		let product = match int8 {
			false => graph.matmul(x, w),
			true => {
				let bytes = graph.quantise(x, 1e36);
				let w = graph.int8_state("bytes", 8, 8, 127);
				let sums = graph.int8_matmul(bytes, false, w, false);
				graph.dequantise(sums, 1e36, 1e3)
			}
		};
		// Finite again: only what nobody keeps shows it.
		let back = graph.div(1.0, product);
		graph.update(x, back);
		let model = Model { program: graph.finish(header(1)).expect("valid"), data: Vec::new() };
		assert!(check(&model, 1));
		let failure = run(&engine(&model, cpu(Path::Auto, 2)), 1).0;
		let op = if int8 { 2 } else { 0 };
		assert!(matches!(failure, Err(RunError::NonFinite { step: 0, op: at, .. }) if at == op), "{failure:?}");
	}
}

#[test]
fn passes_of_two_ops_fail_as_the_ops_do() {
	const NAN: u32 = 0x7fc0_0001;
	const INFINITE: u32 = 0xff80_0000;
	for (rows, cols) in [(1, 7), (3, 31), (70, 32), (5, 33), (64, 200)] {
		for (at, bits) in [(None, 0), (Some(0), NAN), (Some(1), INFINITE), (Some(2), NAN)] {
			let fill = |rows: u32, cols: u32, bad: bool, salt: u32| {
				let mut elements: Vec<u32> =
					(0..rows * cols).map(|i| ((i.wrapping_mul(salt) % 401) as f32 / 100.0 - 2.0).to_bits()).collect();
				let last = elements.len() - 1;
				if bad {
					elements[last] = bits;
				}
				Tensor::new(DType::F32, rows, cols, elements).expect("whole")
			};
			let mut graph = Graph::new(1);
			let mut data = Vec::new();
			let mut given = |graph: &mut Graph, tensor: Tensor| {
				let value = graph.data(&format!("data{}", data.len()), tensor.spec(), tensor.root());
				data.push((value.tensor().expect("a tensor"), tensor));
				value
			};
			let x = given(&mut graph, fill(rows, cols, at == Some(0), 7));
			let magnitudes = graph.abs(x);
			let largest = graph.max(magnitudes, Axis::Cols);
			let scale = graph.mul(largest, 1.0 / 127.0);
			let bytes = graph.quantise(x, scale);
			let w = graph.int8_state("w", cols, cols, -128);
			let sums = graph.int8_matmul(bytes, false, w, false);
			let by_col = given(&mut graph, fill(1, cols, at == Some(1), 11));
			let y = graph.dequantise(sums, scale, by_col);
			// An addend for each element, or one for each column.
			let addend = if rows % 2 == 1 { rows } else { 1 };
			let addend = given(&mut graph, fill(addend, cols, at == Some(2), 13));
			let y = graph.add(addend, y);
			let y = graph.relu(y);
			let last = graph.state("y", rows, cols, Init::Zeros);
			graph.update(last, y);
			let failed = check(&Model { program: graph.finish(header(1)).expect("valid"), data }, 1);
			assert_eq!(failed, at.is_some(), "{rows} x {cols}, {at:?}");
		}
	}
}

#[test]
fn bands_of_any_rest_are_done() {
	for rows in (48..=61).chain([97, 121, 145]) {
		let mut graph = Graph::new(1);
		let x = graph.uniform_param("x", rows, 216, 1.0);
		let w = graph.uniform_param("w", 216, 216, 0.1);
		let y = graph.matmul(x, w);
		let y = graph.tanh(y);
		graph.update(x, y);
		assert!(!check(&Model { program: graph.finish(header(1)).expect("valid"), data: Vec::new() }, 1));
	}
}

#[test]
fn heads_that_are_also_needed_below_each_other_are() {
	let mut graph = Graph::new(1);
	let spec = TensorSpec::f32(96, 24);
	let x = Tensor::new(DType::F32, 96, 24, (0..96 * 24).map(|i| ((i % 37) as f32 / 9.0).to_bits()).collect());
	let x = x.expect("whole");
	let data = graph.data("x", spec, x.root());
	let id = data.tensor().expect("a tensor");
	let shifted = graph.add(data, 0.5);
	let heads = graph.split_heads(shifted, 24, 3);
	let scores = graph.block_matmul((heads, false), (heads, true), 12, 1);
	let scores = graph.tanh(scores);
	let mixed = graph.block_matmul((scores, false), (heads, false), 12, 1);
	let kept = graph.state("heads", 288, 8, Init::Zeros);
	graph.update(kept, heads);
	let out = graph.state("out", 288, 8, Init::Zeros);
	graph.update(out, mixed);
	assert!(!check(&Model { program: graph.finish(header(2)).expect("valid"), data: vec![(id, x)] }, 2));
}

/// Int8 outputs whose rows are no whole words: kept, cut into columns, of batches of data, read by products, in groups and chains.
#[test]
fn int8_rows_of_any_width_are_kept() {
	for (rows, cols, inner) in [(61, 33, 7), (203, 701, 699), (64, 2051, 1030), (1000, 5, 3)] {
		let mut net = Net { graph: Graph::new(rows), draw: Draw(u64::from(rows)), data: Vec::new(), rows, count: 0 };
		let x = net.given(DType::F32, rows, cols, |draw| (draw.below(2001) as f32 / 1000.0 - 1.0).to_bits());
		let stored = net.given(DType::I8, 3 * rows, inner, |draw| (draw.below(256) as u8 as i8) as u32);
		let w = net.given(DType::I8, inner, 37, |draw| (draw.below(256) as u8 as i8) as u32);
		let graph = &mut net.graph;
		let magnitude = graph.abs(x);
		let largest = graph.max(magnitude, Axis::Cols);
		let scale = graph.mul(largest, 1.0 / 127.0);
		let bytes = graph.quantise(x, scale);
		let some = graph.columns(bytes, 1, inner);
		let batch = graph.next_batch(stored);
		let flat = graph.flatten(batch);
		for (name, value) in [("bytes", bytes), ("some", some), ("batch", batch), ("flat", flat)] {
			let spec = graph.spec(value);
			let state = graph.int8_state(name, spec.rows, spec.cols, 0);
			graph.update(state, value);
		}
		for (name, operand) in [("y", some), ("z", batch)] {
			let sums = graph.int8_matmul(operand, false, w, false);
			let y = graph.dequantise(sums, scale, 1e-3);
			let bytes = graph.quantise(y, 0.01);
			let square = graph.int8_matmul(bytes, true, bytes, false);
			let square = graph.dequantise(square, 1e-3, 1.0);
			for (name, value) in [(name.to_owned(), y), (format!("{name}2"), square)] {
				let spec = graph.spec(value);
				let state = graph.state(&name, spec.rows, spec.cols, Init::Zeros);
				graph.update(state, value);
			}
		}
		let header = Header { batch: rows, ..header(2) };
		let model = Model { program: net.graph.finish(header).expect("valid"), data: net.data };
		assert!(!check(&model, 2), "{rows} x {cols}");
	}
}
