//! What a run allocates: everything at its start, nothing in its steps, as much as foretold.

mod support;

use std::{
	alloc::{GlobalAlloc, Layout, System},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex,
	},
};

use assay_engine::{Cpu, Engine, Path, StepReport, Tensor};
use assay_models::{transformer, Graph, Model, Optimiser, TransformerConfig};
use assay_program::{DType, Header, Init, Lane};
use support::{cpu, engine, on};

struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);
/// Tests count for the whole process, so one at a time.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		CALLS.fetch_add(1, Ordering::Relaxed);
		let live = LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed) + layout.size() as u64;
		PEAK.fetch_max(live, Ordering::Relaxed);
		// SAFETY: the caller keeps the contract.
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
		// SAFETY: as above.
		unsafe { System.dealloc(pointer, layout) }
	}
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn config(lane: Lane) -> (TransformerConfig, Tensor) {
	let config = TransformerConfig {
		vocabulary: 1000,
		context: 64,
		layers: 3,
		heads: 4,
		width: 192,
		dropout: 0.1,
		lane,
		optimiser: Optimiser::adamw(1e-3),
		batch: 8,
		steps: 100,
		segment_steps: 10,
		seed: [1; 32],
	};
	let ids = (0..32 * 65).map(|id| id * 37 % 1000).collect();
	(config, Tensor::new(DType::I32, 32, 65, ids).expect("whole"))
}

/// Layers whose weights no step changes, in f32 and int8.
fn layers() -> Model {
	let mut graph = Graph::new(1);
	let mut x = graph.uniform_param("x", 300, 512, 1.0);
	for layer in 0..4 {
		let name = format!("weight{layer}");
		let w = graph.int8_state(&format!("bytes{layer}"), 512, 1024, 3);
		let bytes = graph.quantise(x, 0.01);
		let sums = graph.int8_matmul(bytes, false, w, false);
		let inner = graph.dequantise(sums, 0.01, 1e-3);
		let w = graph.uniform_param(&name, 1024, 512, 0.03);
		let out = graph.matmul(inner, w);
		x = graph.tanh(out);
	}
	let out = graph.state("out", 300, 512, Init::Zeros);
	graph.update(out, x);
	let header = Header { version: 1, lane: Lane::I8, seed: [1; 32], steps: 100, batch: 1, segment_steps: 1 };
	Model { program: graph.finish(header).expect("valid"), data: Vec::new() }
}

#[test]
fn packed_weights_are_foretold_and_made_once() {
	let _alone = ALONE.lock().expect("no test panicked");
	for threads in [1, 2] {
		let engine = engine(&layers(), cpu(Path::Auto, threads));
		let mut state = engine.initial_state();
		PEAK.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
		let before = LIVE.load(Ordering::Relaxed);
		let mut calls = Vec::with_capacity(64);
		let counting = &mut |report: &StepReport<'_>| {
			calls.push(CALLS.load(Ordering::Relaxed));
			on(report)
		};
		engine.run(&mut state, 12, counting).expect("runs");
		let between: u64 = calls.windows(2).skip(1).map(|pair| pair[1] - pair[0]).sum();
		assert!(between <= if threads == 1 { 0 } else { 2 }, "{between} allocations in ten steps, {threads} threads");
		let (peak, memory) = (PEAK.load(Ordering::Relaxed), engine.memory());
		assert!(memory.packed >= 4 * (512 * 1024 + 4 * 512 * 1024), "{memory:?}");
		// State and data were there before.
		let foretold = memory.total() - memory.state - memory.data;
		let ratio = (peak - before) as f64 / foretold as f64;
		println!("{threads} threads: {memory:?}, {ratio:.3}");
		assert!((0.8..=1.25).contains(&ratio), "{ratio}: {memory:?}");
	}
}

#[test]
fn data_that_only_products_read_is_there_once() {
	let _alone = ALONE.lock().expect("no test panicked");
	let before = LIVE.load(Ordering::Relaxed);
	let (elements, mut data) = (4 * 512 * 512, Vec::new());
	let mut graph = Graph::new(1);
	let mut x = graph.uniform_param("x", 64, 512, 1.0);
	for layer in 0..4 {
		let bytes = (0..512 * 512).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as i8);
		let tensor = Tensor::int8(512, 512, bytes.collect::<Vec<_>>().into_iter()).expect("whole");
		let w = graph.data(&format!("w{layer}"), tensor.spec(), tensor.root());
		data.extend(w.tensor().map(|id| (id, tensor)));
		let (bytes, scale) = graph.quantise_rows(x);
		let sums = graph.int8_matmul(bytes, false, w, layer % 2 == 0);
		x = graph.dequantise(sums, scale, 1e-3);
	}
	let out = graph.state("out", 64, 512, Init::Zeros);
	graph.update(out, x);
	let header = Header { version: 1, lane: Lane::I8, seed: [1; 32], steps: 100, batch: 1, segment_steps: 1 };
	let program = graph.finish(header).expect("valid");
	for (path, most) in [(Path::Portable, 4), (Path::Avx2, 2), (Path::Avx512, 2)] {
		let Ok(cpu) = Cpu::new(path, 1) else { continue };
		let engine = Engine::new(program.clone(), data.clone(), Arc::new(cpu)).expect("loads");
		let (live, memory) = (LIVE.load(Ordering::Relaxed) - before - elements, engine.memory());
		println!("{path:?}: {live} bytes, {memory:?}");
		assert!(
			memory.data == 0 && (elements..elements * most * 5 / 4).contains(&memory.packed),
			"{path:?}: {memory:?}"
		);
		assert!((memory.packed..memory.packed + (1 << 17)).contains(&live), "{path:?}: {live} of {memory:?}");
		assert!(data.iter().all(|(id, tensor)| engine.data_tensor(*id).as_ref() == Some(tensor)), "{path:?}");
	}
}

#[test]
fn steps_allocate_nothing() {
	let _alone = ALONE.lock().expect("no test panicked");
	for lane in [Lane::F32, Lane::I8] {
		for threads in [1, 2] {
			let (config, tokens) = config(lane);
			let engine = engine(&transformer(&config, &tokens).expect("valid"), cpu(Path::Auto, threads));
			let mut state = engine.initial_state();
			let mut calls = Vec::with_capacity(64);
			let counting = &mut |report: &StepReport<'_>| {
				calls.push(CALLS.load(Ordering::Relaxed));
				on(report)
			};
			engine.run(&mut state, 12, counting).expect("runs");
			let between: u64 = calls.windows(2).skip(1).map(|pair| pair[1] - pair[0]).sum();
			// With threads, the pool's queue takes a block for every 63 calls into it, one of which is a step.
			let allowed = if threads == 1 { 0 } else { 2 };
			assert!(between <= allowed, "{between} allocations in ten steps, {lane:?}, {threads} threads");
		}
	}
}

#[test]
fn the_peak_is_as_foretold() {
	let _alone = ALONE.lock().expect("no test panicked");
	for lane in [Lane::F32, Lane::I8] {
		for threads in [1, 2] {
			let (config, tokens) = config(lane);
			let model = transformer(&config, &tokens).expect("valid");
			drop(tokens);
			let engine = engine(&model, cpu(Path::Auto, threads));
			drop(model);
			let mut state = engine.initial_state();
			PEAK.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
			engine.run(&mut state, 3, &mut on).expect("runs");
			let (peak, memory) = (PEAK.load(Ordering::Relaxed) as f64, engine.memory());
			let ratio = peak / memory.total() as f64;
			println!("{lane:?}, {threads} threads: {:.1} MB of {memory:?}, {ratio:.3}", peak / 1e6);
			assert!((0.8..=1.25).contains(&ratio), "{ratio}: {peak} bytes of {memory:?}");
		}
	}
}
