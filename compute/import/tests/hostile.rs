//! Files with parts cut off, overwritten or made long: whatever they hold, reading them ends in a value or an error, and
//! within a bound of memory.

mod support;

use std::{
	alloc::{GlobalAlloc, Layout, System},
	path::Path,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Mutex,
	},
};

use assay_engine::Tensor;
use assay_import::{forward, Forward, Inputs, ModelDirectory, Onnx, OnnxInput, Safetensors};
use assay_program::DType;
use proptest::prelude::*;
use support::{case, fixture};
use tempfile::TempDir;

/// Counts the bytes that are allocated, and the most there were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
		MOST.fetch_max(now, Ordering::Relaxed);
		// SAFETY: as the caller promised.
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		NOW.fetch_sub(layout.size(), Ordering::Relaxed);
		// SAFETY: as the caller promised.
		unsafe { System.dealloc(pointer, layout) }
	}
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One case at a time, or the count would be of several.
static TURN: Mutex<()> = Mutex::new(());

/// Far above what the fixtures need (about a MiB), far below what their numbers could ask for.
const BOUND: usize = 96 << 20;

/// Most bytes above the start that `work` had allocated.
fn peak(work: impl FnOnce()) -> usize {
	let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let start = NOW.load(Ordering::Relaxed);
	MOST.store(start, Ordering::Relaxed);
	work();
	MOST.load(Ordering::Relaxed).saturating_sub(start)
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
	Cut(prop::sample::Index),
	Flip(Vec<(prop::sample::Index, u8)>),
	Overwrite(prop::sample::Index, Vec<u8>),
	Repeat(prop::sample::Index, u8, usize),
	/// Every occurrence of a digit becomes a long number.
	Grow(u8, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
	let numbers = prop_oneof![
		Just(vec![0xff; 8]),
		Just(u64::to_le_bytes(1 << 40).to_vec()),
		Just(vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
		proptest::collection::vec(any::<u8>(), 1..12),
	];
	let long =
		prop_oneof![Just("18446744073709551615"), Just("4294967295"), Just("16777216"), Just("-1"), Just("1e308")];
	prop_oneof![
		any::<prop::sample::Index>().prop_map(Change::Cut),
		proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..6).prop_map(Change::Flip),
		(any::<prop::sample::Index>(), numbers).prop_map(|(at, bytes)| Change::Overwrite(at, bytes)),
		(any::<prop::sample::Index>(), any::<u8>(), 1..5000usize).prop_map(|(at, byte, n)| Change::Repeat(at, byte, n)),
		(b'0'..=b'9', long).prop_map(|(digit, number)| Change::Grow(digit, number)),
	]
}

fn changed(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
	match change {
		Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
		Change::Flip(flips) => flips.iter().for_each(|(at, bit)| {
			let at = at.index(bytes.len());
			bytes[at] ^= 1 << bit;
		}),
		Change::Overwrite(at, with) => {
			let at = at.index(bytes.len());
			let end = bytes.len().min(at + with.len());
			bytes.splice(at..end, with.iter().copied());
		}
		Change::Repeat(at, byte, count) => {
			let at = at.index(bytes.len());
			bytes.splice(at..at, std::iter::repeat_n(*byte, *count));
		}
		Change::Grow(digit, number) => {
			let grown = |byte: u8| if byte == *digit { number.as_bytes().to_vec() } else { vec![byte] };
			bytes = bytes.into_iter().flat_map(grown).collect();
		}
	}
	bytes
}

/// A copy of a fixture in which one file is changed.
fn altered(name: &str, file: &str, change: &Change) -> TempDir {
	let folder = TempDir::new().unwrap();
	for source in std::fs::read_dir(fixture(name)).unwrap().map(|entry| entry.unwrap().path()) {
		std::fs::copy(&source, folder.path().join(source.file_name().unwrap())).unwrap();
	}
	let path = folder.path().join(file);
	std::fs::write(&path, changed(std::fs::read(&path).unwrap(), change)).unwrap();
	folder
}

/// Opens a directory and builds its program, as far as that goes.
fn import(folder: &Path, inputs: &Inputs) {
	let Ok(directory) = ModelDirectory::open(folder) else { return };
	let _ = forward(directory.family(), directory.checkpoint(), inputs, &Forward::default());
	if let Ok(Some(tokenizer)) = directory.tokenizer() {
		let _ = tokenizer.window(&["the program is a function", ""], 4, 0);
	}
}

fn onnx(path: &Path) {
	let Ok(onnx) = Onnx::open(path) else { return };
	let _ = onnx.outputs();
	let Ok(ports) = onnx.inputs() else { return };
	let input = |port: &assay_import::OnnxPort| {
		let extents = port.shape.iter().flatten().map(|extent| extent.unwrap_or(1));
		let shape: Vec<usize> = extents.map(|extent| extent.min(64) as usize).collect();
		let cols = shape.iter().product::<usize>().clamp(1, 1 << 16) as u32;
		let dtype = if port.dtype == "FLOAT" { DType::F32 } else { DType::I32 };
		OnnxInput {
			name: port.name.clone(),
			shape,
			tensor: Tensor::new(dtype, 1, cols, vec![0; cols as usize]).unwrap(),
		}
	};
	let _ = onnx.program(&ports.iter().take(8).map(input).collect::<Vec<_>>());
}

/// Fixtures of graphs.
fn graph() -> impl Strategy<Value = &'static str> {
	prop_oneof![
		Just("operators"),
		Just("classifier"),
		Just("torch-bert"),
		Just("images-operators"),
		Just("images-mobile"),
		Just("images-last-channels"),
	]
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

	#[test]
	fn changed_weights_end_in_a_value_or_an_error(change in change()) {
		let (_, inputs, _) = case("llama");
		let folder = altered("llama", "model.safetensors", &change);
		prop_assert!(peak(|| import(folder.path(), &inputs)) < BOUND);
	}

	#[test]
	fn changed_configurations_end_in_a_value_or_an_error(change in change(), name in prop_oneof![Just("gpt2"), Just("llama3"), Just("bert")]) {
		let (_, inputs, _) = case(name);
		let folder = altered(name, "config.json", &change);
		prop_assert!(peak(|| import(folder.path(), &inputs)) < BOUND);
	}

	#[test]
	fn changed_indices_end_in_a_value_or_an_error(change in change()) {
		let (_, inputs, _) = case("gpt2-shards");
		let folder = altered("gpt2-shards", "model.safetensors.index.json", &change);
		prop_assert!(peak(|| import(folder.path(), &inputs)) < BOUND);
	}

	#[test]
	fn changed_tokenizers_end_in_a_value_or_an_error(change in change()) {
		let (_, inputs, _) = case("gpt2");
		let folder = altered("gpt2", "tokenizer.json", &change);
		prop_assert!(peak(|| import(folder.path(), &inputs)) < BOUND);
	}

	#[test]
	fn changed_graphs_end_in_a_value_or_an_error(change in change(), name in graph()) {
		let bytes = changed(std::fs::read(fixture(&format!("onnx/{name}.onnx"))).unwrap(), &change);
		let folder = TempDir::new().unwrap();
		let path = folder.path().join("model.onnx");
		std::fs::write(&path, bytes).unwrap();
		prop_assert!(peak(|| onnx(&path)) < 4 * BOUND);
	}

	#[test]
	fn any_bytes_end_in_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
		let folder = TempDir::new().unwrap();
		let path = folder.path().join("model.onnx");
		std::fs::write(&path, &bytes).unwrap();
		prop_assert!(peak(|| onnx(&path)) < BOUND);
		prop_assert!(Safetensors::open(&path).is_err());
	}
}

#[test]
fn a_tokenizer_that_pads_without_end_does_not_pad() {
	let path = fixture("gpt2/tokenizer.json");
	let text = std::fs::read_to_string(path).unwrap();
	let bomb = r#""padding": {"strategy": {"Fixed": 1000000000000}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}"#;
	let text = text.replace(r#""padding": null"#, bomb);
	assert!(text.contains("1000000000000"));
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("tokenizer.json");
	std::fs::write(&path, text).unwrap();
	let tokenizer = assay_import::Tokenizer::open(&path).unwrap();
	assert!(peak(|| assert_eq!(tokenizer.encode("the").unwrap().len(), 1)) < 1 << 20);
}
