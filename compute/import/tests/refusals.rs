//! ONNX graphs without an equivalent, each refused with the node, the operator and the version.

#[path = "support/onnx_file.rs"]
mod onnx_file;

use assay_engine::Tensor;
use assay_import::{ImportError, Onnx, OnnxInput};
use assay_program::DType;
use onnx_file::{attribute, bytes, floats, int, ints, model, node};
use tempfile::TempDir;

fn open(file: &[u8]) -> (TempDir, Result<Onnx, ImportError>) {
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("model.onnx");
	std::fs::write(&path, file).unwrap();
	let onnx = Onnx::open(&path);
	(folder, onnx)
}

/// What is said about a file whose input `x` is 2 x 3.
fn problem(file: &[u8]) -> String {
	let (_folder, onnx) = open(file);
	let tensor = Tensor::new(DType::F32, 2, 3, vec![0x3f80_0000; 6]).unwrap();
	let input = OnnxInput { name: "x".into(), shape: vec![2, 3], tensor };
	match onnx.and_then(|onnx| onnx.program(&[input])) {
		Ok(_) => "nothing".into(),
		Err(error) => error.to_string(),
	}
}

fn of_nodes(nodes: &[Vec<u8>], initial: &[Vec<u8>]) -> String {
	problem(&model(17, nodes, initial, &[2, 3]))
}

fn of_node(op: &str, inputs: &str, attributes: &[Vec<u8>]) -> String {
	let initial = [ints("i", &[2], &[0, 7]), floats("w", &[3, 4], &[0.5; 12]), floats("big", &[4, 2], &[0.5; 8])];
	of_nodes(&[node(op, inputs, "y", attributes)], &initial)
}

#[test]
fn what_is_known_is_not_refused() {
	assert_eq!(of_node("MatMul", "x w", &[]), "nothing");
	assert_eq!(of_node("Softmax", "x", &[attribute("axis", 1)]), "nothing");
}

#[test]
fn fails_when_an_operator_or_attribute_is_unknown() {
	let conv = of_node("Conv", "x w", &[]);
	assert!(conv.contains("node 0 `y`, op Conv (opset 17): the operator is not known"), "{conv}");
	assert!(of_node("Relu", "x", &[attribute("slope", 1)]).contains("attribute `slope` has no equivalent"));
	assert!(of_node("Softmax", "x", &[attribute("axis", 0)]).contains("axis 0 of [2, 3]: only the last is known"));
	assert!(of_node("Softmax", "x", &[attribute("axis", 2)]).contains("axis 2 of a tensor of rank 2"));
	let wrong = [bytes(1, b"axis"), int(3, 1), int(20, 1)].concat();
	assert!(of_node("Softmax", "x", &[wrong]).contains("attribute `axis` is not an integer"));
	let domain = [node("Relu", "x", "y", &[]), bytes(7, b"com.vendor")].concat();
	assert!(of_nodes(&[domain], &[]).contains("op com.vendor.Relu (opset 17): only ONNX's own"));
	assert!(of_node("LayerNormalization", "x w w", &[]).contains("scale or bias of shape [3, 4] for rows of 3"));
	let two = node("LayerNormalization", "x s", "y mean", &[]);
	assert!(of_nodes(&[two], &[floats("s", &[3], &[1.0; 3])]).contains("output 1 has no equivalent"));
}

#[test]
fn fails_when_shapes_do_not_fit() {
	assert!(of_node("MatMul", "x big", &[]).contains("the inner dimensions differ"));
	assert!(of_node("Add", "x big", &[]).contains("[2, 3] and [4, 2] do not broadcast"));
	assert!(of_node("Gather", "x i", &[]).contains("index 7 on an axis of 2"));
	assert!(of_node("Gather", "x w", &[]).contains("takes integers"));
	assert!(of_node("Relu", "i", &[]).contains("takes floating-point numbers"));
	assert!(of_node("Reshape", "x i", &[]).contains("cannot be reshaped"));
	assert!(of_node("Relu", "", &[]).contains("input 0 is missing"));
}

#[test]
fn fails_when_the_graph_has_a_cycle_or_no_order() {
	let cycle = [node("Add", "x b", "a", &[]), node("Relu", "a", "b", &[]), node("Relu", "b", "y", &[])];
	assert!(of_nodes(&cycle, &[]).contains("node 0 `a`, op Add (opset 17): input `b` has no value yet"));
	assert!(of_nodes(&[node("Relu", "y", "y", &[])], &[]).contains("input `y` has no value yet"));
	let twice = [node("Relu", "x", "y", &[]), node("Tanh", "x", "y", &[])];
	assert!(of_nodes(&twice, &[]).contains("node 1 `y`, op Tanh (opset 17): `y` has a value already"));
	assert!(of_nodes(&[node("Relu", "x", "x", &[])], &[]).contains("`x` has a value already"));
	assert!(of_nodes(&[], &[]).contains("output `y`: no node computes it"));
}

#[test]
fn fails_when_the_file_is_of_another_kind_or_version() {
	let relu = [node("Relu", "x", "y", &[])];
	for (opset, said) in
		[(6, "operator set 6"), (29, "operator set 29"), (i64::MIN, "operator set -9223372036854775808")]
	{
		assert!(problem(&model(opset, &relu, &[], &[2, 3])).contains(said));
	}
	assert!(problem(b"").contains("no graph"));
	assert!(problem(b"{}").contains("not a protocol buffer"));
	let graph = model(17, &relu, &[], &[2, 3]);
	assert!(problem(&[graph.clone(), graph.clone()].concat()).contains("or several"));
	assert!(problem(&[graph, bytes(25, b"")].concat()).contains("functions of its own"));
}

#[test]
fn fails_when_an_initial_value_is_broken() {
	let relu = [node("Relu", "x", "y", &[])];
	let of = |tensor: Vec<u8>| of_nodes(&relu, &[tensor]);
	assert!(of(floats("w", &[3], &[0.0; 2])).contains("tensor `w`: shape [2] where [3] is expected"));
	assert!(of(floats("w", &[1 << 40, 1 << 40], &[])).contains("tensor `w`: shape"));
	assert!(of(floats("w", &[-1], &[])).contains("tensor `w`: shape"));
	assert!(of(floats("w", &[1], &[f32::NAN])).contains("element 0 is NaN"));
	assert!(of([int(2, 11), bytes(8, b"w")].concat()).contains("type DOUBLE"));
	assert!(of([int(2, 1), bytes(8, b"w"), int(14, 1)].concat()).contains("in another file"));
	let twice = [floats("w", &[1], &[0.0]), floats("w", &[1], &[0.0])];
	assert!(of_nodes(&relu, &twice).contains("two initial values are `w`"));
}

#[test]
fn fails_when_a_small_graph_would_make_large_constants() {
	// Each node doubles a known tensor.
	let double = |i| node("Concat", &format!("g{i} g{i}"), &format!("g{}", i + 1), &[attribute("axis", 0)]);
	let mut nodes: Vec<_> = (0..60).map(double).collect();
	nodes.push(node("Relu", "x", "y", &[]));
	assert!(of_nodes(&nodes, &[ints("g0", &[1], &[0])]).contains("more constants than its size warrants"));
	// Each of 5,000 rows is picked 4,000 times.
	let nodes = [node("Gather", "g0 many", "g1", &[attribute("axis", 1)]), node("Relu", "g1", "y", &[])];
	let initial = [floats("g0", &[5000, 1], &[0.0; 5000]), ints("many", &[4000], &[0; 4000])];
	assert!(of_nodes(&nodes, &initial).contains("size warrants"));
	// Each node adds a dimension.
	let mut nodes: Vec<_> =
		(0..60).map(|i| node("Unsqueeze", &format!("g{i} zero"), &format!("g{}", i + 1), &[])).collect();
	nodes.push(node("Relu", "g60", "y", &[]));
	let initial = [floats("g0", &[1], &[0.0]), ints("zero", &[1], &[0])];
	assert!(of_nodes(&nodes, &initial).contains("a result of rank 13; at most 12"));
}
