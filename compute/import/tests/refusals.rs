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
	let resize = of_node("Resize", "x", &[]);
	assert!(resize.contains("node 0 `y`, op Resize (opset 17): the operator is not known"), "{resize}");
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

/// What is said about a node over 2 images of 4 channels and 6 x 5 pixels, with weights `w` of a 3 x 3 window.
fn of_images(op: &str, inputs: &str, attributes: &[Vec<u8>]) -> String {
	let initial = [
		floats("w", &[8, 4, 3, 3], &[0.5; 288]),
		floats("half", &[8, 2, 3, 3], &[0.5; 144]),
		floats("row", &[7], &[0.5; 7]),
		floats("four", &[4], &[0.5; 4]),
		floats("low", &[4], &[-0.5; 4]),
		ints("pads", &[8], &[0, 0, 1, 1, 0, 0, -1, 0]),
		ints("images", &[8], &[1, 0, 0, 0, 0, 0, 0, 0]),
		ints("far", &[8], &[0, 0, 7, 0, 0, 0, 0, 0]),
	];
	let graph = [node("Reshape", "x shape", "images_of_x", &[]), node(op, inputs, "y", attributes)];
	let initial = [initial.as_slice(), &[ints("shape", &[4], &[2, 4, 6, 5])]].concat();
	let (_folder, onnx) = open(&model(17, &graph, &initial, &[2, 120]));
	let tensor = Tensor::new(DType::F32, 2, 120, vec![0x3f80_0000; 240]).unwrap();
	let input = OnnxInput { name: "x".into(), shape: vec![2, 120], tensor };
	match onnx.and_then(|onnx| onnx.program(&[input])) {
		Ok(_) => "nothing".into(),
		Err(error) => error.to_string(),
	}
}

#[test]
fn fails_when_a_window_or_its_weights_do_not_fit() {
	let list = onnx_file::attributes;
	let said = |op: &str, inputs: &str, attributes: &[Vec<u8>], expected: &str| {
		let said = of_images(op, inputs, attributes);
		assert!(said.contains(expected), "{said}");
	};
	said("Conv", "images_of_x w", &[], "nothing");
	said("Conv", "images_of_x images_of_x", &[], "node 1 `y`, op Conv (opset 17): the weights must be known");
	said("Conv", "images_of_x half", &[], "the groups do not come out even");
	said("Conv", "images_of_x w", &[attribute("group", 0)], "the groups do not come out even");
	said("Conv", "images_of_x half", &[attribute("group", i64::MAX)], "the groups do not come out even");
	said("Conv", "images_of_x w row", &[], "a bias of shape [7] for 8 channels");
	said("Conv", "images_of_x row", &[], "images and weights of as many axes");
	said("Conv", "x w", &[], "for images of shape [2, 120]");
	said("Conv", "images_of_x w", &[list("kernel_shape", &[3, 2])], "not that of the weights, [3, 3]");
	said("Conv", "images_of_x w", &[list("strides", &[0, 1])], "attribute `strides` is not 2 numbers from 1");
	said("Conv", "images_of_x w", &[list("pads", &[1, 1])], "attribute `pads` is not 4 numbers from 0");
	said("Conv", "images_of_x w", &[list("pads", &[0, 0, -1, 0])], "attribute `pads`");
	said("Conv", "images_of_x w", &[list("dilations", &[3, 1])], "a window over 7 pixels on an axis of 6");
	said("Conv", "images_of_x w", &[onnx_file::text("auto_pad", "SAME")], "none of NOTSET, SAME_UPPER");
	let both = [onnx_file::text("auto_pad", "VALID"), list("pads", &[1; 4])];
	said("Conv", "images_of_x w", &both, "both `pads` and `auto_pad`");
	said("Conv", "images_of_x w", &[attribute("slope", 1)], "attribute `slope` has no equivalent");
	said("MaxPool", "images_of_x", &[], "`kernel_shape` is missing");
	said("MaxPool", "images_of_x", &[list("kernel_shape", &[2])], "a window of sides [2] over images of 2 axes");
	let beside = [list("kernel_shape", &[2, 2]), list("pads", &[2, 0, 0, 0])];
	said("MaxPool", "images_of_x", &beside, "over nothing but padding somewhere");
	said("AveragePool", "images_of_x", &beside, "over nothing but padding somewhere");
	said("MaxPool", "four", &[list("kernel_shape", &[2])], "images, their channels and their pixels are needed");
	said("BatchNormalization", "images_of_x four four four row", &[], "input 4 is not known, or not one number");
	said("BatchNormalization", "images_of_x four four four low", &[], "not above 0");
	said(
		"BatchNormalization",
		"images_of_x four four four four",
		&[attribute("training_mode", 1)],
		"that the file holds",
	);
	said("Pad", "images_of_x pads", &[], "two numbers from 0 to 65536");
	said("Pad", "images_of_x images", &[], "only the channels and pixels of images are padded");
	said("Pad", "images_of_x far", &[onnx_file::text("mode", "reflect")], "mirror more than there is");
	said("Pad", "images_of_x far", &[onnx_file::text("mode", "wrap")], "none of constant, edge, reflect");
	said("Clip", "images_of_x four", &[], "input 1 is not a number that is known");
	said("PRelu", "images_of_x row", &[], "do not broadcast");
	said("Transpose", "images_of_x", &[list("perm", &[0, 3, 2, 1])], "known are orders that exchange two groups");
	said("Concat", "images_of_x images_of_x", &[attribute("axis", 2)], "only the last is known, and the channels");
}

#[test]
fn fails_when_a_window_would_take_more_than_the_file_warrants() {
	let list = onnx_file::attributes;
	let said = |op: &str, inputs: &str, attributes: &[Vec<u8>], expected: &str| {
		let said = of_images(op, inputs, attributes);
		assert!(said.contains(expected), "{said}");
	};
	let far = 1 << 40;
	said("MaxPool", "images_of_x", &[list("kernel_shape", &[far, far])], "sides are 1 to 65536");
	said("MaxPool", "images_of_x", &[list("kernel_shape", &[i64::MIN, 1])], "sides are 1 to 65536");
	let wide = [list("kernel_shape", &[100, 100]), list("pads", &[99; 4])];
	said("MaxPool", "images_of_x", &wide, "a window over 10000 pixels; at most 1024");
	said("Conv", "images_of_x w", &[list("pads", &[65_000, 65_000, 0, 0])], "too many positions of the window");
	// Each of 30,004 x 1,003 positions has a pixel of its own, or nine.
	said("Conv", "images_of_x w", &[list("pads", &[30_000, 1_000, 0, 0])], "size warrants");
	let uneven = [list("pads", &[30_000, 1_000, 0, 0]), list("strides", &[1, 2])];
	said("Conv", "images_of_x w", &uneven, "size warrants");
	// A thousand ops for each of the nodes.
	let places = [list("kernel_shape", &[30, 30]), list("pads", &[15; 4])];
	let pool = |at: usize| node("MaxPool", &format!("p{at}"), &format!("p{}", at + 1), &places);
	let mut graph = vec![node("Reshape", "x shape", "p0", &[])];
	graph.extend((0..40).map(pool));
	let file = model(17, &graph, &[ints("shape", &[4], &[1, 1, 16, 16])], &[1, 256]);
	let (_folder, onnx) = open(&file);
	let tensor = Tensor::new(DType::F32, 1, 256, vec![0; 256]).unwrap();
	let input = OnnxInput { name: "x".into(), shape: vec![1, 256], tensor };
	let error = onnx.unwrap().program(&[input]).unwrap_err().to_string();
	assert!(error.contains("op MaxPool (opset 17): with it the program has more than 16384 ops"), "{error}");
	said("Conv", "images_of_x w", &[list("pads", &[far; 4])], "attribute `pads` is not 4 numbers from 0 to 65536");
	said("Conv", "images_of_x w", &[list("strides", &[far; 2])], "attribute `strides`");
	said("Conv", "images_of_x w", &[list("dilations", &[65_536, 65_536])], "a window over 131073 pixels");
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
