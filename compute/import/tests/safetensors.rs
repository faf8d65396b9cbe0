//! Safetensors files: what is written is read, and what is hostile is refused by name.

use std::path::PathBuf;

use assay_engine::Tensor;
use assay_import::{write_safetensors, Checkpoint, ImportError, Named, Safetensors, TensorProblem};
use assay_program::DType;
use tempfile::TempDir;

/// A file of this header and `data` bytes of zeros after it.
fn raw(header: &str, data: usize) -> (TempDir, PathBuf) {
	let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
	bytes.extend(header.as_bytes());
	bytes.resize(bytes.len() + data, 0);
	of_bytes(&bytes)
}

fn of_bytes(bytes: &[u8]) -> (TempDir, PathBuf) {
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("model.safetensors");
	std::fs::write(&path, bytes).unwrap();
	(folder, path)
}

fn refusal(header: &str, data: usize) -> String {
	let (_folder, path) = raw(header, data);
	match Safetensors::open(&path) {
		Err(ImportError::Malformed { path: named, problem }) => {
			assert_eq!(named, path);
			problem
		}
		other => panic!("{other:?}"),
	}
}

fn problem(header: &str, data: usize, tensor: &str) -> TensorProblem {
	let (_folder, path) = raw(header, data);
	match Safetensors::open(&path).unwrap().read(tensor) {
		Err(ImportError::Tensor { tensor: named, problem, .. }) => {
			assert_eq!(named, tensor);
			problem
		}
		other => panic!("{other:?}"),
	}
}

#[test]
fn what_is_written_is_read() {
	let weight = Tensor::new(DType::F32, 3, 5, (0..15u32).map(|i| (i as f32).sqrt().to_bits()).collect()).unwrap();
	let bias = Tensor::new(DType::F32, 1, 5, vec![0x8000_0000, 1, 2, 3, 4]).unwrap();
	let ids = Tensor::new(DType::I32, 2, 1, vec![u32::MAX, 7]).unwrap();
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("out.safetensors");
	let named = |name, tensor, flat| Named { name, tensor, flat };
	let tensors = [named("b", &bias, true), named("w", &weight, true), named("ids", &ids, false)];
	write_safetensors(&path, &tensors).unwrap();

	let file = Safetensors::open(&path).unwrap();
	let shapes: Vec<_> = file.entries().iter().map(|(name, entry)| (name.as_str(), entry.shape.clone())).collect();
	assert_eq!(shapes, [("b", vec![5]), ("ids", vec![2, 1]), ("w", vec![3, 5])]);
	for tensor in tensors {
		assert_eq!(&file.read(tensor.name).unwrap(), tensor.tensor);
	}
	assert_eq!(Checkpoint::file(&path).unwrap().elements(), 22);
	let twice = [named("a", &bias, true), named("a", &weight, true)];
	assert!(matches!(write_safetensors(&path, &twice), Err(ImportError::Request(_))));
	assert_eq!(&file.read("w").unwrap(), &weight, "the refused write left the file alone");
}

#[test]
fn fails_when_places_overlap_or_leave_holes() {
	let entry = |name, start, end| format!(r#""{name}":{{"dtype":"F32","shape":[2],"data_offsets":[{start},{end}]}}"#);
	let two = |a, b| format!("{{{a},{b}}}");
	assert!(refusal(&two(entry("a", 0, 8), entry("b", 4, 12)), 12).contains("offset"));
	assert!(refusal(&two(entry("a", 0, 8), entry("b", 0, 8)), 8).contains("offset"));
	assert!(refusal(&two(entry("a", 0, 8), entry("b", 12, 20)), 20).contains("offset"));
	assert!(refusal(&two(entry("a", 0, 8), entry("b", 8, 0)), 8).contains("offset"));
	assert!(refusal(&format!("{{{}}}", entry("a", 0, 4)), 4).contains("shape"));
	// More or fewer bytes than the tensors have.
	assert!(refusal(&format!("{{{}}}", entry("a", 0, 8)), 9).contains("the file does not"));
	assert!(refusal(&format!("{{{}}}", entry("a", 0, 8)), 7).contains("the file does not"));
}

#[test]
fn fails_when_the_header_is_hostile() {
	let entry = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
	assert!(refusal(&format!(r#"{{"a":{entry},"a":{entry}}}"#), 4).contains("`a` occurs twice"));
	assert!(refusal(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4)
		.contains("overflow"));
	assert!(refusal(r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4).contains("`shape`"));
	assert!(refusal(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4).contains("`data_offsets`"));
	assert!(refusal(r#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4).contains("unknown type"));
	assert!(refusal(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4).contains("unknown entry `x`"));
	assert!(refusal(r#"{"a":{"dtype":"F32","shape":[1]}}"#, 4).contains("`data_offsets` is missing"));
	assert!(refusal(r#"{"__metadata__":{"a":{}}}"#, 0).contains("not text"));
	assert!(refusal(r#"{"__metadata__":3}"#, 0).contains("not a tensor"));
	assert!(refusal(&format!("{{\"a\":{}", "[".repeat(1 << 20)), 0).contains("recursion"));
	assert!(refusal("", 0).contains("EOF"));
}

#[test]
fn fails_when_the_length_is_a_bomb() {
	for length in [u64::MAX, 1 << 40, 9 << 20, 20] {
		let mut bytes = length.to_le_bytes().to_vec();
		bytes.extend(b"{}  ");
		let (_folder, path) = of_bytes(&bytes);
		let error = Safetensors::open(&path).unwrap_err().to_string();
		assert!(error.contains("at most 8 MiB"), "{error}");
	}
	let (_folder, path) = of_bytes(b"short");
	assert!(Safetensors::open(&path).unwrap_err().to_string().contains("shorter than"));
}

#[test]
fn fails_when_a_tensor_has_no_place_in_a_program() {
	let one = |dtype: &str, shape: &str, end: usize| {
		let header = format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#);
		problem(&header, end, "a")
	};
	assert_eq!(one("F64", "[1]", 8), TensorProblem::Type("F64".into()));
	assert_eq!(one("U8", "[1]", 1), TensorProblem::Type("U8".into()));
	assert_eq!(one("F32", "[1,1,1]", 4), TensorProblem::Rank(vec![1, 1, 1]));
	assert_eq!(one("F32", "[0]", 0), TensorProblem::Rank(vec![0]));
	assert_eq!(problem("{}", 0, "a"), TensorProblem::Missing);
}

#[test]
fn elements_that_begin_anywhere_are_read() {
	// Three bytes of another type before it: the crate allows it, and no reader here needs alignment.
	let header =
		r#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}}"#;
	let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
	bytes.extend(header.as_bytes());
	bytes.extend([1, 2, 3]);
	bytes.extend(2.5f32.to_le_bytes());
	let (_folder, path) = of_bytes(&bytes);
	assert_eq!(Safetensors::open(&path).unwrap().read("b").unwrap().to_f32(), [2.5]);
}

#[test]
fn long_tensors_are_read_over_many_chunks() {
	let elements = 200_003u32;
	let tensor = Tensor::new(DType::F32, 1, elements, (0..elements).collect()).unwrap();
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("long.safetensors");
	write_safetensors(&path, &[Named { name: "a", tensor: &tensor, flat: false }]).unwrap();
	assert_eq!(Safetensors::open(&path).unwrap().read("a").unwrap(), tensor);
}

#[test]
fn written_files_are_ordinary_ones() {
	use std::os::unix::fs::PermissionsExt;
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("a.safetensors");
	let ordinary = folder.path().join("ordinary");
	std::fs::write(&ordinary, "").unwrap();
	let tensor = Tensor::new(DType::F32, 1, 2, vec![0; 2]).unwrap();
	for _ in 0..2 {
		write_safetensors(&path, &[Named { name: "a", tensor: &tensor, flat: false }]).unwrap();
	}
	let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
	assert_eq!(mode(&path), mode(&ordinary));
	assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "what is not whole stays");
	let bytes = std::fs::read(&path).unwrap();
	let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
	let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
	assert_eq!(header["__metadata__"], serde_json::json!({"format": "pt"}));
}
